#include <string.h>

#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static inline real largest_whole(long n, const real *x) /* n a multiple of LANES */
{
    real m = x[0];
#pragma omp simd reduction(max : m)
    for (long i = 0; i < n; i++) m = m > x[i] ? m : x[i];
    return m;
}

static real largest(long n, const real *x)
{
    real m = x[0];
    if (n < LANES) {
        for (long i = 1; i < n; i++) m = m > x[i] ? m : x[i];
        return m;
    }
    m = largest_whole(n / LANES * LANES, x);
    real last = largest_whole(LANES, x + n - LANES); /* some of them again */
    return m > last ? m : last;
}

/* Sums over thousands of classes: short sums in real, their sum in double. */
enum { SHORT = 512 };

static long short_of(long first, long n) { return n - first < SHORT ? n - first : SHORT; }

/* y := exp(scale (x - m)); y may be x. */
static inline void exps(long n, real m, real scale, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = real_exp(scale * (x[i] - m));
}

static void softmax(long n, real *x)
{
    if (n == 0) return;
    real m = largest(n, x);
    double sum = 0;
    for (long i = 0; i < n; i += SHORT) {
        exps(short_of(i, n), m, 1, x + i, x + i);
        sum += (double)sum_of(short_of(i, n), x + i);
    }
    real factor = (real)(1 / sum);
    for (long i = 0; i < n; i++) x[i] *= factor;
}

static void softmax_back(long n, const real *p, real *dp)
{
    real sum = dot_of(n, p, dp);
    for (long i = 0; i < n; i++) dp[i] = p[i] * (dp[i] - sum);
}

static double sum_exps(long n, real m, const real *x)
{
    real y[SHORT];
    double total = 0;
    for (long i = 0; i < n; i += SHORT) {
        exps(short_of(i, n), m, 1, x + i, y);
        total += (double)sum_of(short_of(i, n), y);
    }
    return total;
}

static double sum_above(long n, real m, const real *x) /* sum of x - m */
{
    double total = 0;
    for (long i = 0; i < n; i += SHORT)
        total += (double)sum_of(short_of(i, n), x + i) - (double)m * (double)short_of(i, n);
    return total;
}

static void log_softmax(long n, real *x)
{
    if (n == 0) return;
    real m = largest(n, x), log_sum = (real)log(sum_exps(n, m, x));
    for (long i = 0; i < n; i++) x[i] = (x[i] - m) - log_sum;
}

/* z := scale (softmax(z) - target distribution). */
static void cross_entropy_gradient(long n, real *z, real m, double sum, int target, real smoothing,
                                   real scale)
{
    real factor = (real)((double)scale / sum), shift = scale * smoothing / (real)n;
    for (long i = 0; i < n; i++) z[i] = real_exp(z[i] - m) * factor - shift;
    z[target] -= scale * (1 - smoothing);
}

static void cross_entropy(long n, real *z, int target, real smoothing, bool gradient, real scale,
                          double *loss, double *nll)
{
    real m = largest(n, z);
    double sum = sum_exps(n, m, z), log_sum = log(sum), s = (double)smoothing;
    *nll = log_sum - ((double)z[target] - (double)m);
    *loss = *nll;
    if (smoothing > 0) *loss = (1 - s) * *nll + s * (log_sum - sum_above(n, m, z) / (double)n);
    if (gradient) cross_entropy_gradient(n, z, m, sum, target, smoothing, scale);
}

const struct softmax_loops LOOPS(softmax) = {
    .softmax = softmax,
    .softmax_back = softmax_back,
    .log_softmax = log_softmax,
    .cross_entropy = cross_entropy,
};
