/* Philox4x32-7 (Salmon, Moraes, Dror and Shaw, SC 2011; base/rng.h has the one of ten rounds) for many
 * counters at once, eight 16-bit numbers a counter. Seven rounds are the fewest that pass all of BigCrush in
 * that paper's table 2, and enough for masks. A lane of 64 bits holds a 32-bit word; what is above it is
 * never looked at. */
#ifndef TULK_KERNEL_LOOPS_PHILOX_H
#define TULK_KERNEL_LOOPS_PHILOX_H

#include <stdint.h>
#include <string.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { PHILOX_LANES = 8 };
#elif defined __AVX2__
enum { PHILOX_LANES = 4 };
#else
enum { PHILOX_LANES = 2 };
#endif

typedef uint64_t philox_words __attribute__((vector_size(8 * PHILOX_LANES)));

/* The 64-bit products of the low halves of the lanes. Compilers do not find the instruction for it. */
static inline philox_words philox_multiply(philox_words a, philox_words b)
{
#if defined __AVX512F__
    return (philox_words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (philox_words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (philox_words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/* a0 b0 a1 b1 .. */
#if defined __AVX512F__
#define PHILOX_COUNT      ((philox_words){0, 1, 2, 3, 4, 5, 6, 7})
#define PHILOX_LOW(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define PHILOX_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif defined __AVX2__
#define PHILOX_COUNT      ((philox_words){0, 1, 2, 3})
#define PHILOX_LOW(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define PHILOX_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define PHILOX_COUNT      ((philox_words){0, 1})
#define PHILOX_LOW(a, b)  __builtin_shufflevector(a, b, 0, 2)
#define PHILOX_HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

enum { PHILOX_GROUPS = 2, PHILOX_AT_ONCE = 8 * PHILOX_LANES * PHILOX_GROUPS }; /* two hide the latency */

static inline void philox_store(philox_words a, philox_words b, uint16_t out[8 * PHILOX_LANES])
{
    philox_words numbers[2] = {PHILOX_LOW(a, b), PHILOX_HIGH(a, b)};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(out, numbers, sizeof numbers);
#else
    for (int j = 0; j < 8 * PHILOX_LANES; j++)
        out[j] = (uint16_t)(numbers[j / 4 / PHILOX_LANES][j / 4 % PHILOX_LANES] >> (16 * (j % 4)));
#endif
}

/* The 16-bit numbers 8 * counter .. + PHILOX_AT_ONCE. */
static inline void philox_lanes(uint64_t key, uint64_t place, uint64_t counter, uint16_t out[PHILOX_AT_ONCE])
{
    const philox_words zero = {0}, m0 = zero + 0xD2511F53u, m1 = zero + 0xCD9E8D57u;
    philox_words c[PHILOX_GROUPS][4];
#pragma GCC unroll 2
    for (int g = 0; g < PHILOX_GROUPS; g++) {
        c[g][0] = PHILOX_COUNT + (counter + (uint64_t)(g * PHILOX_LANES));
        c[g][1] = c[g][0] >> 32;
        c[g][2] = zero + place;
        c[g][3] = zero + (place >> 32);
    }
    philox_words k0 = zero + key, k1 = zero + (key >> 32);
#pragma GCC unroll 7
    for (int round = 0; round < 7; round++) {
#pragma GCC unroll 2
        for (int g = 0; g < PHILOX_GROUPS; g++) {
            philox_words p0 = philox_multiply(c[g][0], m0), p1 = philox_multiply(c[g][2], m1);
            c[g][0] = (p1 >> 32) ^ c[g][1] ^ k0;
            c[g][2] = (p0 >> 32) ^ c[g][3] ^ k1;
            c[g][1] = p1;
            c[g][3] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
#pragma GCC unroll 2
    for (int g = 0; g < PHILOX_GROUPS; g++)
        philox_store((c[g][0] & 0xFFFFFFFFu) | c[g][1] << 32, (c[g][2] & 0xFFFFFFFFu) | c[g][3] << 32,
                     out + 8 * PHILOX_LANES * g);
}

#endif
