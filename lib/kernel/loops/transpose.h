/* Transposition of a few rows, as many as a vector has lanes. */
#ifndef TULK_KERNEL_LOOPS_TRANSPOSE_H
#define TULK_KERNEL_LOOPS_TRANSPOSE_H

#include "kernel/loops/lanes.h"

/* out[p * ldo + i] = rows[i][p] for PART rows. */
static inline void transpose_some(long first, long k, const real *const *rows, real *out, long ldo)
{
    for (long p = first; p < k; p++)
        for (long i = 0; i < PART; i++) out[p * ldo + i] = rows[i][p];
}

#ifdef TULK_DOUBLE

LANES_INLINE void transpose_rows(long k, const real *const *rows, real *out, long ldo)
{
    transpose_some(0, k, rows, out, ldo);
}

#else

typedef float quad __attribute__((vector_size(16)));
typedef float unaligned_quad __attribute__((vector_size(16), aligned(4), may_alias));

LANES_INLINE quad load_quad(const real *p) { return *(const unaligned_quad *)p; }

/* Numbers p .. p + 3 of rows i, i + 4, i + 8 .. side by side, so that a 4 x 4 transposition in each quad of
 * lanes transposes 4 columns of all PART rows. AT(e, l): element e of the first (0 .. 3) or second (4 .. 7)
 * vector in quad l. */
#define AT(e, l)             ((e) < 4 ? (e) + 4 * (l) : PART + (e)-4 + 4 * (l))
#define QUAD(i, j, k, l, at) AT(i, at), AT(j, at), AT(k, at), AT(l, at)
#if defined __AVX512F__
LANES_INLINE vector load_quads(const real *const *rows, int i, long p)
{
    typedef float eight __attribute__((vector_size(32)));
    quad q0 = load_quad(rows[i] + p), q1 = load_quad(rows[i + 4] + p);
    quad q2 = load_quad(rows[i + 8] + p), q3 = load_quad(rows[i + 12] + p);
    eight low = __builtin_shufflevector(q0, q1, 0, 1, 2, 3, 4, 5, 6, 7);
    eight high = __builtin_shufflevector(q2, q3, 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#define SHUFFLE(a, b, i, j, k, l)                                                                            \
    __builtin_shufflevector(a, b, QUAD(i, j, k, l, 0), QUAD(i, j, k, l, 1), QUAD(i, j, k, l, 2),             \
                            QUAD(i, j, k, l, 3))
#elif defined __AVX2__
LANES_INLINE vector load_quads(const real *const *rows, int i, long p)
{
    return __builtin_shufflevector(load_quad(rows[i] + p), load_quad(rows[i + 4] + p), 0, 1, 2, 3, 4, 5, 6,
                                   7);
}
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, QUAD(i, j, k, l, 0), QUAD(i, j, k, l, 1))
#else
LANES_INLINE vector load_quads(const real *const *rows, int i, long p) { return load_quad(rows[i] + p); }
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, QUAD(i, j, k, l, 0))
#endif

LANES_INLINE void transpose_rows(long k, const real *const *rows, real *out, long ldo)
{
    long p = 0;
    for (; p + 4 <= k; p += 4) {
        vector r0 = load_quads(rows, 0, p), r1 = load_quads(rows, 1, p);
        vector r2 = load_quads(rows, 2, p), r3 = load_quads(rows, 3, p);
        vector low01 = SHUFFLE(r0, r1, 0, 4, 1, 5), high01 = SHUFFLE(r0, r1, 2, 6, 3, 7);
        vector low23 = SHUFFLE(r2, r3, 0, 4, 1, 5), high23 = SHUFFLE(r2, r3, 2, 6, 3, 7);
        *(unaligned_vector *)(out + p * ldo) = SHUFFLE(low01, low23, 0, 1, 4, 5);
        *(unaligned_vector *)(out + (p + 1) * ldo) = SHUFFLE(low01, low23, 2, 3, 6, 7);
        *(unaligned_vector *)(out + (p + 2) * ldo) = SHUFFLE(high01, high23, 0, 1, 4, 5);
        *(unaligned_vector *)(out + (p + 3) * ldo) = SHUFFLE(high01, high23, 2, 3, 6, 7);
    }
    transpose_some(p, k, rows, out, ldo);
}

#endif

#endif
