#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

enum { SOME = 512 };

static void energies(long keys_n, long A, const real *query, const real *keys, const real *v, real *e)
{
    real terms[SOME];
    for (long j = 0; j < keys_n; j++) {
        const real *key = keys + j * A;
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

/* The tanh is computed again: keeping it would cost keys x A reals a step of the decoder. */
static void energies_back(long keys_n, long A, const real *query, const real *keys, const real *v,
                          const real *de, real *dquery, real *dkeys, real *dv)
{
    for (long a = 0; a < A; a++) dquery[a] = 0;
    for (long j = 0; j < keys_n; j++) {
        const real *key = keys + j * A;
        real *dkey = dkeys + j * A, d = de[j];
#pragma omp simd
        for (long a = 0; a < A; a++) {
            real t = real_tanh(query[a] + key[a]), inner = d * v[a] * (1 - t * t);
            dv[a] += d * t;
            dkey[a] += inner;
            dquery[a] += inner;
        }
    }
}

static void weighted_sum(long keys_n, long C, const real *p, const real *values, real *context)
{
    for (long c = 0; c < C; c++) context[c] = 0;
    for (long j = 0; j < keys_n; j++) {
        const real *value = values + j * C;
        real weight = p[j];
#pragma omp simd
        for (long c = 0; c < C; c++) context[c] += weight * value[c];
    }
}

static void weighted_sum_back(long keys_n, long C, const real *p, const real *values, const real *dcontext,
                              real *dp, real *dvalues)
{
    for (long j = 0; j < keys_n; j++) {
        const real *value = values + j * C;
        real *dvalue = dvalues + j * C, weight = p[j];
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
