/* Sums in sixteen lanes, added up as a tree: one order for every instruction set, without the chain of scalar
 * additions that compilers make of a reduction. The order depends on n alone. */
#ifndef TULK_KERNEL_LOOPS_LANES_H
#define TULK_KERNEL_LOOPS_LANES_H

#if defined __AVX2__
#include <immintrin.h>
#elif defined TULK_NEON
#include <arm_neon.h>
#endif

#include "kernel/real.h"

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX2__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

enum { LANES = 16, LANE_PARTS = LANES * (int)sizeof(real) / VECTOR_BYTES, PART = LANES / LANE_PARTS };

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
typedef real unaligned_vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* As many vectors of the processor as make sixteen lanes. */
typedef struct {
    vector part[LANE_PARTS];
} lanes;

#define LANES_INLINE static inline __attribute__((always_inline))
#define LANES_UNROLL _Pragma("GCC unroll 8")

LANES_INLINE lanes lanes_load(const real *x)
{
    lanes v;
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) v.part[i] = *(const unaligned_vector *)(x + i * PART);
    return v;
}

LANES_INLINE void lanes_store(real *x, lanes v)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) * (unaligned_vector *)(x + i * PART) = v.part[i];
}

/* The first n < LANES numbers, then zeros. */
LANES_INLINE lanes lanes_load_some(const real *x, long n)
{
#if defined __AVX512F__
    return (lanes){{(vector)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x)}};
#elif defined __AVX2__
    const __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), place);
    __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n - 8), place);
    return (lanes){{(vector)_mm256_maskload_ps(x, low), (vector)_mm256_maskload_ps(x + 8, high)}};
#else
    real some[LANES] = {0};
    for (long i = 0; i < n; i++) some[i] = x[i];
    return lanes_load(some);
#endif
}

/* The first n < LANES lanes. */
LANES_INLINE void lanes_store_some(real *x, long n, lanes v)
{
#if defined __AVX512F__
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), (__m512)v.part[0]);
#else
    real some[LANES];
    lanes_store(some, v);
    for (long i = 0; i < n; i++) x[i] = some[i];
#endif
}

LANES_INLINE lanes lanes_add(lanes a, lanes b)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) a.part[i] += b.part[i];
    return a;
}

LANES_INLINE lanes lanes_multiply(lanes a, lanes b)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) a.part[i] *= b.part[i];
    return a;
}

/* The larger of two; where one is NaN, b. */
LANES_INLINE lanes lanes_max(lanes a, lanes b)
{
#if defined __AVX512F__
    a.part[0] = (vector)_mm512_max_ps((__m512)a.part[0], (__m512)b.part[0]);
#elif defined __AVX2__
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) a.part[i] =
        (vector)_mm256_max_ps((__m256)a.part[i], (__m256)b.part[i]);
#elif defined TULK_NEON
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++)
    {
        float32x4_t x = (float32x4_t)a.part[i], y = (float32x4_t)b.part[i];
        a.part[i] = (vector)vbslq_f32(vcgtq_f32(x, y), x, y); /* vmaxq would hand on the other's NaN */
    }
#else
    real x[LANES], y[LANES];
    lanes_store(x, a);
    lanes_store(y, b);
    for (int i = 0; i < LANES; i++) x[i] = x[i] > y[i] ? x[i] : y[i];
    a = lanes_load(x);
#endif
    return a;
}

/* sum + a b */
LANES_INLINE lanes lanes_add_product(lanes sum, lanes a, lanes b)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) sum.part[i] += a.part[i] * b.part[i];
    return sum;
}

LANES_INLINE lanes lanes_subtract(lanes a, real b)
{
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) a.part[i] -= b;
    return a;
}

LANES_INLINE real lanes_sum(lanes v)
{
    LANES_UNROLL for (int n = LANE_PARTS / 2; n > 0; n /= 2) LANES_UNROLL for (int i = 0; i < n; i++)
        v.part[i] += v.part[i + n];
#if defined __AVX512F__
    return (real)_mm512_reduce_add_ps((__m512)v.part[0]);
#else
    real rest[PART];
    *(unaligned_vector *)rest = v.part[0];
    LANES_UNROLL for (int n = PART / 2; n > 0; n /= 2) LANES_UNROLL for (int i = 0; i < n; i++) rest[i] +=
        rest[i + n];
    return rest[0];
#endif
}

/* Of x; of x y; of (x - y) squared. */
enum total { TOTAL_SUM, TOTAL_PRODUCTS, TOTAL_SQUARES };

LANES_INLINE lanes total_step(const enum total what, lanes sum, lanes x, lanes y)
{
    if (what == TOTAL_SUM) return lanes_add(sum, x);
    if (what == TOTAL_PRODUCTS) return lanes_add_product(sum, x, y);
    LANES_UNROLL for (int i = 0; i < LANE_PARTS; i++) x.part[i] -= y.part[i];
    return lanes_add_product(sum, x, x);
}

/* Over n elements; y is an array, or LANES elements that are used again and again (y_step 0). In four sums,
 * so that one addition need not wait for the other. */
LANES_INLINE real total_of(const enum total what, long n, const real *x, const real *y, const long y_step)
{
    enum { SUMS = 4 };
    lanes sums[SUMS];
    long i = 0;
    LANES_UNROLL for (int k = 0; k < SUMS; k++) LANES_UNROLL for (int p = 0; p < LANE_PARTS; p++) sums[k]
        .part[p] = (vector){0};
    for (; i + SUMS * LANES <= n; i += SUMS * LANES) {
        LANES_UNROLL for (int k = 0; k < SUMS; k++)
        {
            long at = i + k * LANES;
            sums[k] = total_step(what, sums[k], lanes_load(x + at), lanes_load(y + at * y_step));
        }
    }
    for (; i + LANES <= n; i += LANES)
        sums[0] = total_step(what, sums[0], lanes_load(x + i), lanes_load(y + i * y_step));
    if (i < n)
        sums[1] =
            total_step(what, sums[1], lanes_load_some(x + i, n - i), lanes_load_some(y + i * y_step, n - i));
    return lanes_sum(lanes_add(lanes_add(sums[0], sums[1]), lanes_add(sums[2], sums[3])));
}

LANES_INLINE real sum_of(long n, const real *x) { return total_of(TOTAL_SUM, n, x, x, 1); }

LANES_INLINE real dot_of(long n, const real *x, const real *y)
{
    return total_of(TOTAL_PRODUCTS, n, x, y, 1);
}

LANES_INLINE real squares_around(long n, real m, const real *x)
{
    real same[LANES];
    for (int l = 0; l < LANES; l++) same[l] = m;
    return total_of(TOTAL_SQUARES, n, x, same, 0);
}

#endif
