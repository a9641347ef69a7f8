#include "kernel/loops/loops.h"
#include "kernel/loops/philox.h"
#include <string.h>

static void add(long n, const real *x, real *y)
{
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] += x[i];
}

static void move(long n, real *x, real *y)
{
#pragma omp simd
    for (long i = 0; i < n; i++) {
        y[i] += x[i];
        x[i] = 0;
    }
}

static void axpy(long n, real a, const real *x, real *y)
{
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] += a * x[i];
}

static void multiply(long n, const real *x, const real *y, real *z)
{
#pragma omp simd
    for (long i = 0; i < n; i++) z[i] = x[i] * y[i];
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

/* The numbers behind elements first .. first + n, n at most DRAWN - 7; returns that of the first. */
enum { DRAWN = 128 };

static const uint16_t *draw(const dropout_mask *mask, long first, long n, uint16_t numbers[DRAWN])
{
    long skip = first % 8;
    for (long i = 0; i < skip + n; i += PHILOX_AT_ONCE)
        philox_lanes(mask->key, mask->place, (uint64_t)(first - skip + i) / 8, numbers + i);
    return numbers + skip;
}

static long drawn(long first, long i, long n)
{
    long most = DRAWN - (first + i) % 8;
    return n - i < most ? n - i : most;
}

/* y = base + x, base NULL for zeros; y may be either. */
static void keep_all(long n, const real *x, const real *base, real *y)
{
    if (!base && y == x) return;
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] = base ? base[i] + x[i] : x[i];
}

/* A dropped inf or NaN stays NaN (0 * inf): a broken activation must be noticed. */
static void dropout(const dropout_mask *mask, long first, long n, const real *x, const real *residual,
                    real *y)
{
    uint16_t numbers[DRAWN];
    const uint16_t threshold = (uint16_t)mask->threshold;
    const real scale = mask->scale;
    if (threshold == 0) {
        keep_all(n, x, residual, y);
        return;
    }
    for (long i = 0, some; i < n; i += some) {
        some = drawn(first, i, n);
        const uint16_t *number = draw(mask, first + i, some, numbers);
        const real *from = x + i, *base = residual ? residual + i : NULL;
        real *to = y + i;
        if (base)
#pragma omp simd
            for (long j = 0; j < some; j++) to[j] = base[j] + (number[j] >= threshold ? scale : 0) * from[j];
        else
#pragma omp simd
            for (long j = 0; j < some; j++) to[j] = (number[j] >= threshold ? scale : 0) * from[j];
    }
}

static void dropout_factors(const dropout_mask *mask, long first, long n, real *factors)
{
    uint16_t numbers[DRAWN];
    for (long i = 0, some; i < n; i += some) {
        some = drawn(first, i, n);
        const uint16_t *number = draw(mask, first + i, some, numbers);
        for (long j = 0; j < some; j++) factors[i + j] = number[j] >= mask->threshold ? mask->scale : 0;
    }
}

static void dropout_back(const dropout_mask *mask, long first, long n, const real *dy, real *dx)
{
    dropout(mask, first, n, dy, dx, dx);
}

const struct vector_loops LOOPS(vector) = {
    .add = add,
    .move = move,
    .axpy = axpy,
    .scale = scale,
    .multiply = multiply,
    .sum_squares = sum_squares,
    .col_sum = col_sum,
    .dropout = dropout,
    .dropout_factors = dropout_factors,
    .dropout_back = dropout_back,
};
