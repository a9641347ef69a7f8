#include <string.h>

#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

enum { SOME = 512, STRIP = 64, QUERIES = 32 };

static inline long row_of(const int *place, long j, long width) { return (place ? place[j] : j) * width; }

static void energies(long keys_n, const int *place, long A, const real *query, const real *keys,
                     const real *v, real *e)
{
    real terms[SOME];
    for (long j = 0; j < keys_n; j++) {
        const real *key = keys + row_of(place, j, A);
        real sum = 0;
        for (long first = 0; first < A; first += SOME) {
            long n = A - first < SOME ? A - first : SOME;
            const real *q = query + first, *k = key + first, *weight = v + first;
#pragma omp simd
            for (long a = 0; a < n; a++) terms[a] = weight[a] * real_tanh(q[a] + k[a]);
            sum += sum_of(n, terms);
        }
        e[j] = sum;
    }
}

/* The gradients of n columns by one key. The tanh is computed again: keeping it would cost keys x A
 * reals a step of the decoder. */
static inline void key_back(long n, real d, const real *query, const real *key, const real *v, real *dquery,
                            real *dkey, real *dv)
{
#pragma omp simd
    for (long a = 0; a < n; a++) {
        real t = real_tanh(query[a] + key[a]), inner = d * v[a] * (1 - t * t);
        dv[a] += d * t;
        dkey[a] += inner;
        dquery[a] += inner;
    }
}

/* The query's gradient is put together beside the query, which it may replace. */
static void energies_back(long keys_n, const int *place, long A, const real *query, const real *keys,
                          const real *v, const real *de, real *dquery, real *dkeys, real *dv)
{
    for (long first = 0; first < A; first += SOME) {
        long n = A - first < SOME ? A - first : SOME;
        real sum[SOME] = {0};
        for (long j = 0; j < keys_n; j++) {
            long at = row_of(place, j, A) + first;
            key_back(n, de[j], query + first, keys + at, v + first, sum, dkeys + at, dv + first);
        }
        for (long a = 0; a < n; a++) dquery[first + a] = sum[a];
    }
}

/* Keys are taken four at a time: what is summed is read and written a quarter as often, and four rows are on
 * their way from memory at once. */
static void weighted_sum(long keys_n, const int *place, long C, const real *p, const real *values,
                         real *context)
{
    long j = 0;
    for (long c = 0; c < C; c++) context[c] = 0;
    for (; j + 4 <= keys_n; j += 4) {
        const real *v0 = values + row_of(place, j, C), *v1 = values + row_of(place, j + 1, C);
        const real *v2 = values + row_of(place, j + 2, C), *v3 = values + row_of(place, j + 3, C);
        real p0 = p[j], p1 = p[j + 1], p2 = p[j + 2], p3 = p[j + 3];
#pragma omp simd
        for (long c = 0; c < C; c++)
            context[c] = context[c] + p0 * v0[c] + p1 * v1[c] + p2 * v2[c] + p3 * v3[c];
    }
    for (; j < keys_n; j++) {
        const real *value = values + row_of(place, j, C);
        real weight = p[j];
#pragma omp simd
        for (long c = 0; c < C; c++) context[c] += weight * value[c];
    }
}

/* dp[k] = x . rows[k] */
static void dot_four(long n, const real *x, const real *const rows[4], real *dp)
{
    lanes sum[4] = {{{{0}}}};
    long i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes some = lanes_load(x + i);
        LANES_UNROLL for (int k = 0; k < 4; k++) sum[k] =
            lanes_add_product(sum[k], some, lanes_load(rows[k] + i));
    }
    for (int k = 0; k < 4; k++) {
        if (i < n)
            sum[k] =
                lanes_add_product(sum[k], lanes_load_some(x + i, n - i), lanes_load_some(rows[k] + i, n - i));
        dp[k] = lanes_sum(sum[k]);
    }
}

static void weighted_sum_back(long keys_n, const int *place, long C, const real *values, const real *dcontext,
                              real *dp)
{
    long j = 0;
    for (; j + 4 <= keys_n; j += 4) {
        const real *const rows[4] = {values + row_of(place, j, C), values + row_of(place, j + 1, C),
                                     values + row_of(place, j + 2, C), values + row_of(place, j + 3, C)};
        dot_four(C, dcontext, rows, dp + j);
    }
    for (; j < keys_n; j++) dp[j] = dot_of(C, dcontext, values + row_of(place, j, C));
}

LANES_INLINE lanes add_scaled(lanes sum, real a, lanes b)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) sum.part[i] += a * b.part[i];
    return sum;
}

/* STRIP columns of a value's gradient += sum over queries, in their order, of p[t][j] d[t]; d lies STRIP
 * apart. */
static inline void strip_back(long queries, const real *const *p, long j, const real *d, real *dvalue)
{
    lanes sum[STRIP / LANES];
    LANES_UNROLL for (int i = 0; i < STRIP / LANES; i++) sum[i] = lanes_load(dvalue + i * LANES);
    for (long t = 0; t < queries; t++, d += STRIP) {
        real weight = p[t][j];
        LANES_UNROLL for (int i = 0; i < STRIP / LANES; i++) sum[i] =
            add_scaled(sum[i], weight, lanes_load(d + i * LANES));
    }
    LANES_UNROLL for (int i = 0; i < STRIP / LANES; i++) lanes_store(dvalue + i * LANES, sum[i]);
}

/* By strips of columns and some queries at a time, whose rows are copied together: where they lie, far apart
 * at powers of two, they drive each other out of the cache. */
static void values_back(long keys_n, const int *place, long C, long queries, const real *const *p,
                        const real *const *dcontext, real *dvalues)
{
    real strip[QUERIES * STRIP] = {0}, rest[STRIP] = {0};
    for (long at = 0; at < queries; at += QUERIES)
        for (long first = 0; first < C; first += STRIP) {
            long n = C - first < STRIP ? C - first : STRIP,
                 some = queries - at < QUERIES ? queries - at : QUERIES;
            for (long t = 0; t < some; t++)
                memcpy(strip + t * STRIP, dcontext[at + t] + first, (size_t)n * sizeof *strip);
            for (long j = 0; j < keys_n; j++) {
                real *dvalue = dvalues + row_of(place, j, C) + first, *to = n == STRIP ? dvalue : rest;
                if (n < STRIP) memcpy(rest, dvalue, (size_t)n * sizeof *rest);
                strip_back(some, p + at, j, strip, to);
                if (n < STRIP) memcpy(dvalue, rest, (size_t)n * sizeof *rest);
            }
        }
}

const struct additive_loops LOOPS(additive) = {
    .energies = energies,
    .energies_back = energies_back,
    .weighted_sum = weighted_sum,
    .weighted_sum_back = weighted_sum_back,
    .values_back = values_back,
};
