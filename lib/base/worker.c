#include "base/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

enum worker_state { IDLE, WORKING, DONE, LEAVING };

struct worker {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of all below; what a task touches is handed over with the state */
    pthread_cond_t changed;
    enum worker_state state;
    int (*task)(void *context);
    void *context;
    int result;
    char *message; /* of a task that failed */
};

worker *worker_new(void)
{
    worker *w = xcalloc(1, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    return w;
}

static void set_state(worker *w, enum worker_state state)
{
    pthread_mutex_lock(&w->lock);
    w->state = state;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Waits until the state is `a` or `b`; returns which. */
static enum worker_state wait_for(worker *w, enum worker_state a, enum worker_state b)
{
    pthread_mutex_lock(&w->lock);
    while (w->state != a && w->state != b) pthread_cond_wait(&w->changed, &w->lock);
    enum worker_state state = w->state;
    pthread_mutex_unlock(&w->lock);
    return state;
}

static void work(worker *w)
{
    w->result = w->task(w->context);
    if (w->result < 0) w->message = xstrdup(error_message()); /* messages are a thread's own */
}

static void *thread_main(void *context)
{
    worker *w = context;
    team_leave();
    while (wait_for(w, WORKING, LEAVING) == WORKING) {
        work(w);
        set_state(w, DONE);
    }
    return NULL;
}

/* Signals are for the thread that the program began with. */
static bool begin_thread(worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->has_thread = pthread_create(&w->thread, NULL, thread_main, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->has_thread;
}

void worker_start(worker *w, int (*task)(void *context), void *context)
{
    BUG_IF(w->state != IDLE);
    w->task = task;
    w->context = context;
    if (w->has_thread || begin_thread(w)) {
        set_state(w, WORKING);
        return;
    }
    work(w);
    w->state = DONE;
}

static void end_task(worker *w)
{
    wait_for(w, DONE, IDLE);
    BUG_IF(w->state == IDLE);
    set_state(w, IDLE);
}

void worker_discard(worker *w)
{
    end_task(w);
    free(w->message);
    w->message = NULL;
}

int worker_finish(worker *w)
{
    end_task(w);
    if (w->message) fail("%s", w->message);
    free(w->message);
    w->message = NULL;
    return w->result;
}

void worker_free(worker *w)
{
    if (!w) return;
    if (w->has_thread) {
        wait_for(w, DONE, IDLE);
        set_state(w, LEAVING);
        pthread_join(w->thread, NULL);
    }
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w->message);
    free(w);
}
