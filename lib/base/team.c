#include "base/team.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/memory.h"
#include "base/meter.h"

static int n_threads = 0;
static _Thread_local bool has_left;

void team_set_threads(int n) { n_threads = n < 1 ? 1 : n < TEAM_MOST ? n : TEAM_MOST; }

void team_leave(void) { has_left = true; }

int team_threads(void)
{
    if (has_left) return 1;
    if (!n_threads) team_set_threads(omp_get_num_procs());
    return n_threads;
}

int team_here(void) { return omp_in_parallel() ? 1 : team_threads(); }

int team_rank(void) { return omp_in_parallel() ? omp_get_thread_num() : 0; }

/* ------------------------------------------------------------------------------ in any order */

/* What is left of a thread's share of the tasks. */
typedef struct {
    _Alignas(64) atomic_long next;
    long end;
} share;

static share shares[TEAM_MOST]; /* one caller at a time has the team */

static void cut_shares(long n, int threads)
{
    for (int i = 0; i < threads; i++) {
        atomic_init(&shares[i].next, n * i / threads);
        shares[i].end = n * (i + 1) / threads;
    }
}

/* The thread's own share, then what others have left. */
static void work_off(int rank, int threads, void (*task)(long i, void *context), void *context)
{
    for (int k = 0; k < threads; k++) {
        share *s = &shares[(rank + k) % threads];
        for (long i; (i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->end;)
            task(i, context);
    }
}

void team_run(long n, void (*task)(long i, void *context), void *context)
{
    if (n <= 1 || team_here() == 1) {
        for (long i = 0; i < n; i++) task(i, context);
        return;
    }
    int threads = n < team_threads() ? (int)n : team_threads();
    meter_place at = meter_now();
    cut_shares(n, threads);
#pragma omp parallel num_threads(threads)
    {
        meter_enter(at);
        work_off(omp_get_thread_num(), threads, task, context);
        meter_enter(METER_FORWARD(METER_WAITING));
    }
    meter_enter(at);
}

/* ------------------------------------------------------------------------------ in order */

typedef struct {
    long n, next_task, next_commit;
    void (*task)(long i, int slot, void *context);
    void (*commit)(long i, int slot, void *context);
    void *context;
    int *free, n_free; /* slots that no task holds */
    int *slot_of;      /* (n) slot of a finished task, -1 before */
    bool committing;   /* by one thread */
    pthread_mutex_t lock;
    pthread_cond_t slot_freed;
} ordered;

/* With the lock held: commits what is next as long as it is finished. Whoever finds somebody at it leaves it
 * to them. */
static void commit_finished(ordered *o)
{
    while (!o->committing && o->next_commit < o->n && o->slot_of[o->next_commit] >= 0) {
        long i = o->next_commit;
        o->committing = true;
        pthread_mutex_unlock(&o->lock);
        o->commit(i, o->slot_of[i], o->context);
        pthread_mutex_lock(&o->lock);
        o->committing = false;
        o->next_commit++;
        o->free[o->n_free++] = o->slot_of[i];
        pthread_cond_signal(&o->slot_freed);
    }
}

/* Tasks start in their order, so the next one to commit always has a slot: nobody waits for ever. */
static void work_in_order(ordered *o)
{
    pthread_mutex_lock(&o->lock);
    while (o->next_task < o->n) {
        if (o->n_free == 0) {
            METER(METER_WAITING);
            pthread_cond_wait(&o->slot_freed, &o->lock);
            continue;
        }
        long i = o->next_task++;
        int slot = o->free[--o->n_free];
        pthread_mutex_unlock(&o->lock);
        o->task(i, slot, o->context);
        pthread_mutex_lock(&o->lock);
        o->slot_of[i] = slot;
        commit_finished(o);
    }
    pthread_cond_broadcast(&o->slot_freed);
    pthread_mutex_unlock(&o->lock);
}

void team_run_ordered(long n, int slots, void (*task)(long i, int slot, void *context),
                      void (*commit)(long i, int slot, void *context), void *context)
{
    if (n <= 1 || slots == 1 || team_threads() == 1 || omp_in_parallel()) {
        for (long i = 0; i < n; i++) {
            task(i, 0, context);
            commit(i, 0, context);
        }
        return;
    }
    static int *lists; /* kept: one caller at a time has the team, and it calls again for every batch */
    static size_t capacity;
    lists = grow(lists, &capacity, (size_t)n + (size_t)slots, sizeof *lists);
    ordered o = {.n = n, .task = task, .commit = commit, .context = context, .n_free = slots};
    o.slot_of = lists;
    o.free = lists + n;
    for (int i = 0; i < slots; i++) o.free[i] = slots - 1 - i;
    for (long i = 0; i < n; i++) o.slot_of[i] = -1;
    pthread_mutex_init(&o.lock, NULL);
    pthread_cond_init(&o.slot_freed, NULL);
    int threads = n < team_threads() ? (int)n : team_threads();
    meter_place at = meter_now();
#pragma omp parallel num_threads(threads < slots ? threads : slots)
    {
        meter_enter(at);
        work_in_order(&o);
        meter_enter(METER_FORWARD(METER_WAITING));
    }
    meter_enter(at);
    pthread_cond_destroy(&o.slot_freed);
    pthread_mutex_destroy(&o.lock);
}
