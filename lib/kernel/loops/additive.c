#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void energies(long keys_n, long A, const real *query, const real *keys, const real *v, real *e)
{
    for (long j = 0; j < keys_n; j++) {
        const real *key = keys + j * A;
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long a = 0; a < A; a++) sum += v[a] * real_tanh(query[a] + key[a]);
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
        real *dvalue = dvalues + j * C, weight = p[j], sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long c = 0; c < C; c++) {
            sum += dcontext[c] * value[c];
            dvalue[c] += weight * dcontext[c];
        }
        dp[j] = sum;
    }
}

const struct additive_loops LOOPS(additive) = {
    .energies = energies,
    .energies_back = energies_back,
    .weighted_sum = weighted_sum,
    .weighted_sum_back = weighted_sum_back,
};
