#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

enum { SOME = 512, STRIP = 64 };

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

/* The gradients of n <= STRIP columns by one key. The tanh is computed again: keeping it would cost keys x A
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

/* By strips of columns, whose sums over keys stay where they are quick. */
static void energies_back(long keys_n, const int *place, long A, const real *query, const real *keys,
                          const real *v, const real *de, real *dquery, real *dkeys, real *dv)
{
    for (long first = 0; first < A; first += STRIP) {
        long n = A - first < STRIP ? A - first : STRIP;
        real sum[STRIP] = {0};
        for (long j = 0; j < keys_n; j++) {
            long at = row_of(place, j, A) + first;
            key_back(n, de[j], query + first, keys + at, v + first, sum, dkeys + at, dv + first);
        }
        for (long a = 0; a < n; a++) dquery[first + a] = sum[a];
    }
}

static void weighted_sum(long keys_n, const int *place, long C, const real *p, const real *values,
                         real *context)
{
    for (long c = 0; c < C; c++) context[c] = 0;
    for (long j = 0; j < keys_n; j++) {
        const real *value = values + row_of(place, j, C);
        real weight = p[j];
#pragma omp simd
        for (long c = 0; c < C; c++) context[c] += weight * value[c];
    }
}

static void weighted_sum_back(long keys_n, const int *place, long C, const real *p, const real *values,
                              const real *dcontext, real *dp, real *dvalues)
{
    for (long j = 0; j < keys_n; j++) {
        const real *value = values + row_of(place, j, C);
        real *dvalue = dvalues + row_of(place, j, C), weight = p[j];
        dp[j] = dot_of(C, dcontext, value);
#pragma omp simd
        for (long c = 0; c < C; c++) dvalue[c] += weight * dcontext[c];
    }
}

const struct additive_loops LOOPS(additive) = {
    .energies = energies,
    .energies_back = energies_back,
    .weighted_sum = weighted_sum,
    .weighted_sum_back = weighted_sum_back,
};
