#include "base/team.h"

#include <omp.h>

static int n_threads = 0;

void team_set_threads(int n) { n_threads = n < 1 ? 1 : n; }

int team_threads(void) { return n_threads ? n_threads : (n_threads = omp_get_num_procs()); }

int team_rank(void) { return omp_in_parallel() ? omp_get_thread_num() : 0; }

void team_run(long n, void (*task)(long i, void *context), void *context)
{
    if (n <= 1 || team_threads() == 1 || omp_in_parallel()) {
        for (long i = 0; i < n; i++) task(i, context);
        return;
    }
    int threads = n < team_threads() ? (int)n : team_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (long i = 0; i < n; i++) task(i, context);
}
