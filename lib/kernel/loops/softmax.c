#include <string.h>

#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static real largest(long n, const real *x)
{
    real m = x[0];
#pragma omp simd reduction(max : m)
    for (long i = 0; i < n; i++) m = m > x[i] ? m : x[i];
    return m;
}

/* Sums over thousands of classes: short sums in real, their sum in double. */
enum { SHORT = 512 };

static long short_end(long first, long n) { return n - first < SHORT ? n : first + SHORT; }

/* x := exp(scale (x - m)); returns the sum. */
static double exps(long n, real m, real scale, real *x)
{
    double total = 0;
    for (long first = 0; first < n; first += SHORT) {
        long end = short_end(first, n);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long i = first; i < end; i++) {
            real e = real_exp(scale * (x[i] - m));
            x[i] = e;
            sum += e;
        }
        total += (double)sum;
    }
    return total;
}

static void softmax(long n, real *x)
{
    if (n == 0) return;
    real factor = (real)(1 / exps(n, largest(n, x), 1, x));
    for (long i = 0; i < n; i++) x[i] *= factor;
}

static void softmax_back(long n, const real *p, real *dp)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (long i = 0; i < n; i++) sum += p[i] * dp[i];
    for (long i = 0; i < n; i++) dp[i] = p[i] * (dp[i] - sum);
}

/* Padding keeps short rows in whole vectors, and keeps the order of the sum the same for one query and
 * for a block of queries that sees more keys: what is added beyond `seen` is zero. */
static void attention(long seen, long padded, real scale, real *x)
{
    if (seen <= 0) {
        memset(x, 0, (size_t)padded * sizeof *x);
        return;
    }
    for (long i = seen; i < padded; i++) x[i] = (real)-INFINITY;
    long n = (seen + SOFTMAX_PAD - 1) / SOFTMAX_PAD * SOFTMAX_PAD;
    real factor = (real)(1 / exps(n, largest(n, x), scale, x));
    for (long i = 0; i < n; i++) x[i] *= factor;
    for (long i = n; i < padded; i++) x[i] = 0;
}

static void attention_back(long n, real scale, const real *p, const real *f, real *dp)
{
    real sum = 0;
    if (f)
#pragma omp simd
        for (long i = 0; i < n; i++) dp[i] *= f[i];
#pragma omp simd reduction(+ : sum)
    for (long i = 0; i < n; i++) sum += p[i] * dp[i];
#pragma omp simd
    for (long i = 0; i < n; i++) dp[i] = scale * p[i] * (dp[i] - sum);
}

static double sum_exps(long n, double m, const real *x)
{
    double total = 0;
    for (long first = 0; first < n; first += SHORT) {
        long end = short_end(first, n);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long i = first; i < end; i++) sum += real_exp(x[i] - (real)m);
        total += (double)sum;
    }
    return total;
}

static double sum_above(long n, double m, const real *x) /* sum of x - m */
{
    double total = 0;
    for (long first = 0; first < n; first += SHORT) {
        long end = short_end(first, n);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long i = first; i < end; i++) sum += x[i] - (real)m;
        total += (double)sum;
    }
    return total;
}

static void log_softmax(long n, real *x)
{
    if (n == 0) return;
    real m = largest(n, x), log_sum = (real)log(sum_exps(n, (double)m, x));
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
    double m = (double)largest(n, z), sum = sum_exps(n, m, z), log_sum = log(sum), s = (double)smoothing;
    *nll = log_sum - ((double)z[target] - m);
    *loss = *nll;
    if (smoothing > 0) *loss = (1 - s) * *nll + s * (log_sum - sum_above(n, m, z) / (double)n);
    if (gradient) cross_entropy_gradient(n, z, (real)m, sum, target, smoothing, scale);
}

const struct softmax_loops LOOPS(softmax) = {
    .softmax = softmax,
    .softmax_back = softmax_back,
    .attention = attention,
    .attention_back = attention_back,
    .log_softmax = log_softmax,
    .cross_entropy = cross_entropy,
};
