/* The team of threads: the only place that names OpenMP.
 *
 * Work is cut into tasks whose number and content depend on the problem alone, never on the number
 * of threads, so results are the same bits with any team. A task writes what no other task writes;
 * a reduction leaves one partial result a task and the caller adds them in task order. */
#ifndef TULK_BASE_TEAM_H
#define TULK_BASE_TEAM_H

enum { TEAM_MOST = 1024 }; /* threads */

void team_set_threads(int n); /* 1 .. TEAM_MOST; the default is the number of cores */
int team_threads(void);       /* size of the team */
int team_rank(void);          /* 0 .. team_threads() - 1 inside a task, for scratch memory only; 0 outside */

int team_here(void); /* threads that team_run would use here: 1 inside a task */

/* The calling thread works beside the team from now on (base/worker.h): its team is itself alone. */
void team_leave(void);

/* Calls task(i, context) once for each i in 0 .. n - 1, in any order, on all threads, and returns
 * when all are done. Inside a task it runs serially. n = 0 does nothing. A thread takes an equal share of
 * neighbours before it helps others, so that what they write mostly stays in its caches until the next call:
 * cores that do not share a cache need twice as long for an optimizer's step otherwise. */
void team_run(long n, void (*task)(long i, void *context), void *context);

/* Large tasks whose results are joined in order. Calls task(i, slot, context) for 0 .. n - 1 on all threads,
 * and then commit(i, slot, context), one at a time and in the order of i. A slot (0 .. slots - 1, slots >= 1)
 * names memory that is the task's alone until it is committed. What commits is a function of i alone, so a
 * sum over commits has the same bits with any number of threads and slots. As many tasks run at once as there
 * are threads and slots; slots beyond the threads let a thread that is early go on. With n = 1 the task is
 * run outside of the team, so that it may use the team itself. */
void team_run_ordered(long n, int slots, void (*task)(long i, int slot, void *context),
                      void (*commit)(long i, int slot, void *context), void *context);

#endif
