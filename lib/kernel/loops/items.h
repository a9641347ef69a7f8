/* What packed matrices are made of. Of real numbers an item is one number. With TULK_BF16 it is a pair of
 * numbers that follow each other along k, rounded to bfloat16, the first in the low half: what vdpbf16ps
 * multiplies. So an item has the size of a real number, and whatever moves items need not know which they
 * are.
 *
 * To be included by loops/gemm.c behind W, vec and unaligned_vec. */
#ifndef TULK_KERNEL_LOOPS_ITEMS_H
#define TULK_KERNEL_LOOPS_ITEMS_H

#include <stdint.h>
#include <string.h>

#include "kernel/loops/lanes.h"

#define INLINE static inline __attribute__((always_inline))

#ifndef TULK_BF16

enum { PER = 1 }; /* numbers an item */

/* sum + a b: an item of A by W items of B. */
INLINE vec add_products(vec sum, const real *a, vec b) { return sum + *a * b; }

/* The items of k numbers that follow each other. memcpy without its call: rows are often a few vectors long.
 */
INLINE void items_along(long k, const real *from, real *to)
{
    long p = 0;
    for (; p + W <= k; p += W) *(unaligned_vec *)(to + p) = *(const unaligned_vec *)(from + p);
    if (p < k) memcpy(to + p, from + p, (size_t)(k - p) * sizeof(real));
}

/* Item p of n columns of b (k, n). */
INLINE void items_across(long p, long k, long n, const real *b, long ldb, real *to)
{
    (void)k;
    memcpy(to, b + p * ldb, (size_t)n * sizeof(real));
}

#else

enum { PER = 2 };

typedef uint32_t bits __attribute__((vector_size(BYTES)));
typedef uint32_t __attribute__((may_alias)) item;

#define HIGH ((bits){0} + 0xffff0000)

INLINE vec add_products(vec sum, const real *a, vec b)
{
    const bits x = (bits){0} + *(const item *)a, y = (bits)b;
#ifdef __AVX512BF16__
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)y);
#else
    sum += (vec)(x & HIGH) * (vec)(y & HIGH);
    return sum + (vec)(x << 16) * (vec)(y << 16);
#endif
}

#ifdef __AVX512BF16__
INLINE vec pairs(vec low, vec high)
{
    const __m512i turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                          22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (vec)_mm512_permutexvar_epi16(turn, (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low));
}

INLINE vec pairs_along(const real *x)
{
    return (vec)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + W), _mm512_loadu_ps(x));
}
#else
/* To the nearest bfloat16, of two the even one, in the high half; a NaN stays one. */
INLINE bits rounded(vec x)
{
    const bits u = (bits)x, number = (bits)(x == x);
    return ((u + 0x7fff + ((u >> 16) & 1)) & number) | ((u | 0x400000) & ~number);
}

/* Of W pairs. */
INLINE vec pairs(vec low, vec high) { return (vec)((rounded(low) >> 16) | (rounded(high) & HIGH)); }

/* Of 2 W numbers. */
INLINE vec pairs_along(const real *x)
{
    vec low, high;
    for (int i = 0; i < W; i++) low[i] = x[2 * i], high[i] = x[2 * i + 1];
    return pairs(low, high);
}
#endif

INLINE void items_along(long k, const real *from, real *to)
{
    long p = 0;
    for (; p + 2 * W <= k; p += 2 * W) *(unaligned_vec *)(to + p / 2) = pairs_along(from + p);
    if (p == k) return;
    real rest[2 * W] = {0};
    memcpy(rest, from + p, (size_t)(k - p) * sizeof(real));
    vec last = pairs_along(rest);
    memcpy(to + p / 2, &last, (size_t)((k - p + 1) / 2) * sizeof(real));
}

INLINE void items_across(long p, long k, long n, const real *b, long ldb, real *to)
{
    const real *low = b + 2 * p * ldb, *high = low + ldb;
    const bool one = 2 * p + 1 == k; /* the last row has none beside it */
    long j = 0;
    for (; j + W <= n; j += W) {
        vec x = *(const unaligned_vec *)(low + j), y = {0};
        if (!one) y = *(const unaligned_vec *)(high + j);
        *(unaligned_vec *)(to + j) = pairs(x, y);
    }
    if (j == n) return;
    vec x = {0}, y = {0};
    memcpy(&x, low + j, (size_t)(n - j) * sizeof(real));
    if (!one) memcpy(&y, high + j, (size_t)(n - j) * sizeof(real));
    x = pairs(x, y);
    memcpy(to + j, &x, (size_t)(n - j) * sizeof(real));
}

#endif

INLINE long items_of(long k) { return (k + PER - 1) / PER; }

#endif
