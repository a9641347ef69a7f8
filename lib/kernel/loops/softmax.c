#include <math.h>
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

static void softmax_row(long n, real *x)
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

static void log_softmax_row(long n, real *x)
{
    if (n == 0) return;
    real m = largest(n, x), log_sum = (real)log(sum_exps(n, m, x));
    for (long i = 0; i < n; i++) x[i] = (x[i] - m) - log_sum;
}

/* The largest of n, a multiple of LANES and not 0. */
static real largest_lanes(long n, const real *x)
{
    lanes a = lanes_load(x), b = a;
    long i = LANES;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        a = lanes_max(a, lanes_load(x + i));
        b = lanes_max(b, lanes_load(x + i + LANES));
    }
    if (i < n) a = lanes_max(a, lanes_load(x + i));
    real tops[LANES], top;
    lanes_store(tops, lanes_max(a, b));
    top = tops[0];
    for (int l = 1; l < LANES; l++) top = tops[l] > top ? tops[l] : top;
    return top;
}

/* The maximum of the part and of those before it. Which one NaN leaves does not matter: sums see it. */
static real largest_with(real m, long n, const real *x)
{
    long whole = n / LANES * LANES;
    real top = whole ? largest_lanes(whole, x) : x[0];
    for (long i = whole; i < n; i++) top = x[i] > top ? x[i] : top;
    return top > m ? top : m;
}

/* The largest of each block; returns that of all. */
static real tops(long n, const real *x, real *top)
{
    real all = -(real)INFINITY;
    for (long i = 0; i < n; i += PICK_BLOCK, top++) {
        *top = largest(n - i < PICK_BLOCK ? n - i : PICK_BLOCK, x + i);
        all = *top > all ? *top : all;
    }
    return all;
}

static real class_part(long n, real *z, const real *apart, class_sums *s)
{
    real m = largest_with(s->max, n, z);
    double before = s->sum == 0 ? 0 : exp((double)s->max - (double)m), sum = s->sum * before;
    s->apart *= before;
    for (long i = 0; i < n; i += SHORT) {
        long k = short_of(i, n);
        s->total += (double)sum_of(k, z + i);
        exps(k, m, 1, z + i, z + i);
        sum += (double)sum_of(k, z + i);
        if (apart) s->apart += (double)dot_of(k, z + i, apart + i);
    }
    s->sum = sum;
    return s->max = m;
}

static double expected(long n, const real *p, const real *z)
{
    double sum = 0;
    for (long i = 0; i < n; i += SHORT) sum += (double)dot_of(short_of(i, n), p + i, z + i);
    return sum;
}

static void class_gradient(long n, real factor, real shift, real *z)
{
    for (long i = 0; i < n; i++) z[i] = z[i] * factor - shift;
}

/* The gradient of KL(p, q) is p (a - expected a) by p's logits, a the logits apart, and q - p by q's. */
static void pair_gradient(long n, const class_pair *c, const real *apart, real *z, real *twin)
{
    real p_factor = c->factor[0], q_factor = c->factor[1], p_apart = c->expected[0], q_apart = c->expected[1];
    real shift = c->shift, h = c->weight;
    for (long i = 0; i < n; i++) {
        real p = z[i] * p_factor, q = twin[i] * q_factor;
        z[i] = p * (1 + h + h * (apart[i] - p_apart)) - h * q - shift;
        twin[i] = q * (1 + h - h * (apart[i] - q_apart)) - h * p - shift;
    }
}

const struct softmax_loops LOOPS(softmax) = {
    .softmax = softmax_row,
    .softmax_back = softmax_back,
    .log_softmax = log_softmax_row,
    .tops = tops,
    .sum_exps = sum_exps,
    .class_sums = class_part,
    .class_gradient = class_gradient,
    .expected = expected,
    .pair_gradient = pair_gradient,
};
