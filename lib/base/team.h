/* The team of threads: the only place that names OpenMP.
 *
 * Work is cut into tasks whose number and content depend on the problem alone, never on the number
 * of threads, so results are the same bits with any team. A task writes what no other task writes;
 * a reduction leaves one partial result a task and the caller adds them in task order. */
#ifndef TULK_BASE_TEAM_H
#define TULK_BASE_TEAM_H

void team_set_threads(int n); /* n >= 1; the default is the number of cores */
int team_threads(void);       /* size of the team */
int team_rank(void);          /* 0 .. team_threads() - 1 inside a task, for scratch memory only; 0 outside */

/* Calls task(i, context) once for each i in 0 .. n - 1, in any order, on all threads, and returns
 * when all are done. Inside a task it runs serially. n = 0 does nothing. */
void team_run(long n, void (*task)(long i, void *context), void *context);

#endif
