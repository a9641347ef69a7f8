/* What the tests of kernels share: arrays of random numbers, comparison with references in double, and a run
 * of the suite for each instruction set of this processor. */
#ifndef TULK_TESTS_KERNEL_SUITE_H
#define TULK_TESTS_KERNEL_SUITE_H

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "kernel/isa.h"
#include "kernel/real.h"
#include "suite.h"

#ifdef TULK_DOUBLE
#define EPSILON DBL_EPSILON
#else
#define EPSILON ((double)FLT_EPSILON)
#endif

/* n random numbers between -size and size; `place` chooses which. free() it. */
static inline real *random_reals(size_t n, double size, uint64_t place)
{
    rng r = rng_at(7, RNG_TEST, place);
    real *x = xmalloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (real)(size * (rng_u32(&r) / 2147483648.0 - 1));
    return x;
}

static inline real *copy_reals(const real *x, size_t n)
{
    return memcpy(xmalloc((n + 1) * sizeof *x), x, n * sizeof *x);
}

static inline real *zero_reals(size_t n) { return xcalloc(n + 1, sizeof(real)); }

static inline bool same_bits(const real *a, const real *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Is x within `units` roundings of want, for values of about `size`? Prints the first that is not. */
static inline bool near(double x, double want, double size, double units)
{
    bool good = fabs(x - want) <= units * EPSILON * (fabs(size) > 1e-30 ? fabs(size) : 1e-30);
    if (!good)
        printf("\n      [%s] %.9g, not %.9g (%.1f roundings)", isa_name(), x, want,
               fabs(x - want) / EPSILON / size);
    return good;
}

static inline bool all_near(const real *x, const double *want, size_t n, double size, double units)
{
    for (size_t i = 0; i < n; i++)
        if (!near((double)x[i], want[i], size, units)) return false;
    return true;
}

/* Runs the suite once per instruction set. */
static inline int suite_run_isas(const char *name, CU_TestInfo *tests)
{
    int failed = 0;
    for (const char *const *isa = isa_available(); *isa; isa++) {
        char title[64];
        snprintf(title, sizeof title, "%s [%s]", name, *isa);
        if (isa_choose(*isa) < 0) return 2;
        failed |= suite_run(title, tests);
    }
    return failed;
}

#endif
