/* A thread beside the team, which does one task at a time while its owner goes on: the only place that starts
 * POSIX threads.
 *
 * What the task reads and writes is the task's alone between worker_start and worker_finish. The thread
 * begins with the first task and sleeps between tasks; it belongs to no team (team_run inside a task runs
 * serially, so that waiting for files never takes cores from the computation) and receives no signals. Where
 * a thread cannot be had, worker_start does the task itself. */
#ifndef TULK_BASE_WORKER_H
#define TULK_BASE_WORKER_H

typedef struct worker worker;

worker *worker_new(void);
void worker_free(worker *w); /* waits for the task; NULL is fine */

/* Begins task(context) and returns at once. The task before must have been waited for. */
void worker_start(worker *w, int (*task)(void *context), void *context);

/* Waits for the task and returns its result; if that is negative, its fail() message is the caller's now. */
int worker_finish(worker *w);

/* Waits for a task whose result nobody wants; the caller keeps the message it has. */
void worker_discard(worker *w);

#endif
