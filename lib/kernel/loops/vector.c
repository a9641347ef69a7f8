#include "kernel/loops/loops.h"
#include <string.h>

static void add(long n, const real *x, real *y)
{
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] += x[i];
}

static void axpy(long n, real a, const real *x, real *y)
{
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] += a * x[i];
}

static void scale(long n, real a, real *x)
{
    for (long i = 0; i < n; i++) x[i] *= a;
}

static double sum_squares(long n, const real *x)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (long i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

/* Columns in strips that stay in registers, rows in blocks so that long columns lose few digits. */
enum { STRIP = 64, BLOCK = 256 };

static void col_strip(long rows, const real *x, long ld, real *out)
{
    real sum[STRIP] = {0};
    for (long r = 0; r < rows; r++) {
        const real *row = x + r * ld;
#pragma omp simd
        for (int c = 0; c < STRIP; c++) sum[c] += row[c];
    }
    for (int c = 0; c < STRIP; c++) out[c] += sum[c];
}

static void col_rest(long rows, long cols, const real *x, long ld, real *out)
{
    real sum[STRIP] = {0};
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < cols; c++) sum[c] += x[r * ld + c];
    for (long c = 0; c < cols; c++) out[c] += sum[c];
}

static void col_sum(long rows, long cols, const real *x, long ld, real *out)
{
    for (long r = 0; r < rows; r += BLOCK) {
        long n = rows - r < BLOCK ? rows - r : BLOCK, c = 0;
        for (; c + STRIP <= cols; c += STRIP) col_strip(n, x + r * ld + c, ld, out + c);
        if (c < cols) col_rest(n, cols - c, x + r * ld + c, ld, out + c);
    }
}

/* Factors of elements 8 * counter .. + 8 * COUNTERS: scale or 0. The loops run across counters, so that
 * each of Philox's ten rounds is a handful of vector instructions. */
enum { COUNTERS = 16, DRAWN = 8 * COUNTERS };

static void draw(const dropout_mask *mask, uint64_t counter, real factor[DRAWN])
{
    uint32_t c0[COUNTERS], c1[COUNTERS], c2[COUNTERS], c3[COUNTERS];
    uint32_t k0 = (uint32_t)mask->key, k1 = (uint32_t)(mask->key >> 32);
    for (int i = 0; i < COUNTERS; i++) {
        c0[i] = (uint32_t)(counter + (uint64_t)i);
        c1[i] = (uint32_t)((counter + (uint64_t)i) >> 32);
        c2[i] = (uint32_t)mask->place;
        c3[i] = (uint32_t)(mask->place >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < COUNTERS; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = (uint32_t)p1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < COUNTERS; i++) {
        uint32_t word[4] = {c0[i], c1[i], c2[i], c3[i]};
        for (int j = 0; j < 8; j++) {
            uint32_t bits = word[j / 2] >> (j % 2 * 16) & 0xFFFFu;
            factor[8 * i + j] = bits >= mask->threshold ? mask->scale : 0;
        }
    }
}

/* A dropped inf or NaN stays NaN (0 * inf): a broken activation must be noticed. */
static void dropout_some(long n, const real *x, const real *residual, const real *factor, real *y)
{
    if (residual)
        for (long i = 0; i < n; i++) y[i] = residual[i] + factor[i] * x[i];
    else
        for (long i = 0; i < n; i++) y[i] = factor[i] * x[i];
}

static void dropout(const dropout_mask *mask, long first, long n, const real *x, const real *residual,
                    real *y)
{
    real factor[DRAWN];
    for (long i = 0; i < n;) {
        long skip = (first + i) % 8, take = n - i < DRAWN - skip ? n - i : DRAWN - skip;
        draw(mask, (uint64_t)(first + i) / 8, factor);
        dropout_some(take, x + i, residual ? residual + i : 0, factor + skip, y + i);
        i += take;
    }
}

static void dropout_factors(const dropout_mask *mask, long first, long n, real *factors)
{
    real factor[DRAWN];
    for (long i = 0; i < n;) {
        long skip = (first + i) % 8, take = n - i < DRAWN - skip ? n - i : DRAWN - skip;
        draw(mask, (uint64_t)(first + i) / 8, factor);
        memcpy(factors + i, factor + skip, (size_t)take * sizeof *factors);
        i += take;
    }
}

static void dropout_back(const dropout_mask *mask, long first, long n, const real *dy, real *dx)
{
    dropout(mask, first, n, dy, dx, dx);
}

const struct vector_loops LOOPS(vector) = {
    .add = add,
    .axpy = axpy,
    .scale = scale,
    .sum_squares = sum_squares,
    .col_sum = col_sum,
    .dropout = dropout,
    .dropout_factors = dropout_factors,
    .dropout_back = dropout_back,
};
