/* Products in whole numbers: quantising rows, packing, and the micro-kernel (kernel/int8.h).
 *
 * A panel of weights is WIDTH columns (outputs), for all of k: GROUP numbers of the first column, GROUP of
 * the second, and so on, then the next GROUP of each. The micro-kernel reads it once for up to MR rows, whose
 * GROUP numbers at the same places are broadcast as 32 bits, and keeps MR x WIDTH sums in registers over all
 * of k. Whole numbers add up to the same in any order, so few rows, which would wait for their own sums, have
 * several sets of them.
 *
 * Compiled without contraction: then the real numbers, too, are the same with every instruction set. */
#include <math.h>
#include <string.h>

#include "kernel/loops/loops.h"

#if defined __AVX2__
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#if defined __AVX512VNNI__
enum { W = 16, MR = 14, GROUP = 4, SHIFT = 128 };
typedef __m512i sums;
typedef uint8_t activation_number;
typedef int8_t weight_number;
INLINE sums all(int32_t x) { return _mm512_set1_epi32(x); }
INLINE sums weights(const int8_t *w) { return _mm512_loadu_si512(w); }
INLINE sums dot(sums s, sums a, sums w) { return _mm512_dpbusd_epi32(s, a, w); }
#elif defined __AVX512F__
enum { W = 16, MR = 14, GROUP = 2, SHIFT = 0 };
typedef __m512i sums;
typedef int16_t activation_number;
typedef int8_t weight_number;
INLINE sums all(int32_t x) { return _mm512_set1_epi32(x); }
INLINE sums weights(const int8_t *w) { return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)w)); }
INLINE sums dot(sums s, sums a, sums w) { return _mm512_add_epi32(s, _mm512_madd_epi16(a, w)); }
#elif defined __AVX2__
enum { W = 8, MR = 6, GROUP = 2, SHIFT = 0 };
typedef __m256i sums;
typedef int16_t activation_number;
typedef int8_t weight_number;
INLINE sums all(int32_t x) { return _mm256_set1_epi32(x); }
INLINE sums weights(const int8_t *w) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)w)); }
INLINE sums dot(sums s, sums a, sums w) { return _mm256_add_epi32(s, _mm256_madd_epi16(a, w)); }
#else
enum { MR = 4, GROUP = 1, SHIFT = 0 };
typedef int16_t activation_number;
typedef int16_t weight_number;
#endif

enum { BLOCK = INT8_BLOCK / sizeof(activation_number) }; /* numbers of a block of k */

/* ---- quantising ---- */

#ifdef TULK_DOUBLE
typedef int64_t __attribute__((may_alias)) bits;
static const bits MAGNITUDE = INT64_MAX;
static const real NO_FRACTION = 6755399441055744.0; /* 1.5 * 2^52: numbers beside it are whole ones */
#else
typedef int32_t __attribute__((may_alias)) bits;
static const bits MAGNITUDE = INT32_MAX;
static const real NO_FRACTION = 12582912.0F; /* 1.5 * 2^23 */
#endif

enum { MOST = 127 };

/* To the nearest whole number, of two the even one; for |x| <= MOST and a little more. */
INLINE int32_t rounded(real x) { return (int32_t)(x + NO_FRACTION - NO_FRACTION); }

/* The largest magnitude of a row; NaN or infinity if there is one: the bits of numbers without their sign are
 * in the order of the numbers, infinity and NaN last. */
INLINE real largest(long k, const real *x)
{
    bits most = 0;
    for (long p = 0; p < k; p++) {
        bits b = *(const bits *)(x + p) & MAGNITUDE;
        most = b > most ? b : most;
    }
    real value;
    memcpy(&value, &most, sizeof value);
    return value;
}

/* What quantised numbers are multiplied with, and what real ones are. A row that is as good as zero, or no
 * numbers at all, has a scale of 0. */
INLINE real factor_of(real most, real *scale)
{
    *scale = most < (real)1e-36 || most - most != 0 ? 0 : (real)MOST / most;
    return most - most != 0 ? (real)NAN : *scale == 0 ? 0 : most / (real)MOST;
}

static real quantise(long k, const real *x, int16_t *out)
{
    real scale, factor = factor_of(largest(k, x), &scale);
    for (long p = 0; p < k; p++) out[p] = scale == 0 ? 0 : (int16_t)rounded(x[p] * scale);
    return factor;
}

#if defined __AVX2__ && !defined TULK_DOUBLE
enum { STEP = 16 };

INLINE void quantise_step(const float *x, float scale, activation_number *out)
{
#if defined __AVX512F__
    __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(scale)));
#else
    __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(scale)));
    __m256i high = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), _mm256_set1_ps(scale)));
#endif
#if defined __AVX512VNNI__
    _mm_storeu_si128((void *)out, _mm_xor_si128(_mm512_cvtepi32_epi8(q), _mm_set1_epi8(-SHIFT)));
#elif defined __AVX512F__
    _mm256_storeu_si256((void *)out, _mm512_cvtepi32_epi16(q));
#else
    _mm256_storeu_si256((void *)out, _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8));
#endif
}
#else
enum { STEP = 1 };

INLINE void quantise_step(const real *x, real scale, activation_number *out)
{
    *out = (activation_number)rounded(*x * scale);
}
#endif

/* n numbers, of one block, and zeros up to a whole group. */
INLINE void quantise_block(long n, const real *x, real scale, activation_number *out)
{
    long p = 0, end = (n + GROUP - 1) / GROUP * GROUP;
    for (; scale != 0 && p + STEP <= n; p += STEP) quantise_step(x + p, scale, out + p);
    for (; scale != 0 && p < n; p++) out[p] = (activation_number)(rounded(x[p] * scale) + SHIFT);
    for (; p < end; p++) out[p] = SHIFT;
}

static real quantise_row(long k, const real *x, char *out, long block)
{
    real scale, factor = factor_of(largest(k, x), &scale);
    for (long p = 0; p < k; p += BLOCK, out += block)
        quantise_block(k - p < BLOCK ? k - p : BLOCK, x + p, scale, (void *)out);
    return factor;
}

#if defined __AVX2__

/* ---- panels ---- */

enum { WIDTH = 2 * W, HALF = W * GROUP /* bytes of a vector's weights */ };

static void pack(long k, const int16_t *row, long column, void *panel)
{
    int8_t *out = (int8_t *)panel + column * GROUP;
    for (long p = 0; p < k; p++) out[p / GROUP * WIDTH * GROUP + p % GROUP] = (int8_t)row[p];
}

/* ---- micro-kernels ---- */

typedef int32_t whole __attribute__((vector_size(W * sizeof(int32_t))));
typedef real vec __attribute__((vector_size(W * sizeof(real))));
typedef real unaligned_vec __attribute__((vector_size(W * sizeof(real)), aligned(sizeof(real)), may_alias));

INLINE sums broadcast(const char *a)
{
    int32_t x;
    memcpy(&x, a, sizeof x);
    return all(x);
}

/* Computed here and not earlier or later: or the compiler broadcasts all rows first, and sums go to memory.
 */
#if defined __AVX512F__
#define KEEP(x) __asm__ volatile("" : "+v"(x))
#else
#define KEEP(x) __asm__ volatile("" : "+x"(x))
#endif

/* The next GROUP numbers of mr rows by those of the panel. */
INLINE void add_group(const int mr, sums s[][2], const char *a, const int8_t *w)
{
    sums low = weights(w), high = weights(w + HALF);
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
        sums x = broadcast(a + i * INT8_ROW);
        KEEP(x);
        s[i][0] = dot(s[i][0], x, low);
        s[i][1] = dot(s[i][1], x, high);
        KEEP(s[i][0]);
        KEEP(s[i][1]);
    }
}

/* Those of a block, in `sets` of sums. */
INLINE void add_block(const int mr, const int sets, sums s[][2], long groups, const char *a, const int8_t *w)
{
    enum { PART = 2 * HALF };
    long g = 0;
    for (; g + sets <= groups; g += sets, a += 4 * sets, w += PART * sets) {
#pragma GCC unroll 4
        for (int u = 0; u < sets; u++) add_group(mr, s + u * mr, a + 4 * u, w + PART * u);
    }
    for (; sets > 1 && g < groups; g++, a += 4, w += PART) add_group(mr, s, a, w);
}

/* The first mr begin without what is added to activations, those of further sets with zero. */
INLINE void start_sums(const int n, const int mr, sums s[][2], const int32_t *totals)
{
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
        whole start = SHIFT ? -SHIFT * *(const whole *)(const void *)(totals + j * W) : (whole){0};
#pragma GCC unroll 16
        for (int i = 0; i < n; i++) s[i][j] = i < mr ? (sums)start : all(0);
    }
}

INLINE void join_sums(const int n, const int mr, sums s[][2])
{
#pragma GCC unroll 16
    for (int i = mr; i < n; i++)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) s[i % mr][j] = (sums)((whole)s[i % mr][j] + (whole)s[i][j]);
}

INLINE void store_sums(const int mr, sums s[][2], const int8_tile *t)
{
    const real *factors = t->factors, *bias = t->bias;
    const bool add = t->add;
    const long ldc = t->ldc;
    real *c = t->c;
    vec scales[2];
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) scales[j] = *(const vec *)(const void *)(t->scales + j * W);
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++, c += ldc) {
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            unaligned_vec *to = (unaligned_vec *)(c + j * W);
            vec y = __builtin_convertvector((whole)s[i][j], vec) * (factors[i] * scales[j]);
            if (add)
                y += *to;
            else if (bias)
                y += *(const unaligned_vec *)(bias + j * W);
            *to = y;
        }
        __asm__("" : "+r"(c)); /* or the compiler works out all addresses beforehand */
    }
}

/* mr rows by one panel, block by block of k. */
INLINE void micro(const int mr, const int sets, const int8_tile *t)
{
    enum { MOST_GROUPS = INT8_BLOCK / 4 };
    sums s[MR][2];
    const char *a = t->a;
    const int8_t *w = t->w;
    start_sums(mr * sets, mr, s, t->sums);
    for (long left = (t->k + GROUP - 1) / GROUP; left > 0; left -= MOST_GROUPS) {
        add_block(mr, sets, s, left < MOST_GROUPS ? left : MOST_GROUPS, a, w);
        a += t->block, w += MOST_GROUPS * 2 * HALF;
    }
    join_sums(mr * sets, mr, s);
    store_sums(mr, s, t);
}

/* Few rows have more sets of sums: as many as are needed so that an addition need not wait for the last. */
#define MICRO(mr)                                                                                            \
    static void micro_##mr(const int8_tile *t) { micro(mr, mr == 1 ? 4 : mr <= 3 ? 2 : 1, t); }
MICRO(1)
MICRO(2)
MICRO(3)
MICRO(4)
MICRO(5)
MICRO(6)
#if defined __AVX512F__
MICRO(7)
MICRO(8)
MICRO(9)
MICRO(10)
MICRO(11)
MICRO(12)
MICRO(13)
MICRO(14)
#endif

static void (*const micros[MR])(const int8_tile *) = {
    micro_1, micro_2, micro_3, micro_4,  micro_5,  micro_6,
#if defined __AVX512F__
    micro_7, micro_8, micro_9, micro_10, micro_11, micro_12, micro_13, micro_14,
#endif
};

/* ---- one tile ---- */

/* A panel of fewer columns than it has room for: computed beside c. */
static void edge(int8_tile t)
{
    real c[MR * WIDTH], bias[WIDTH] = {0}, *to = t.c;
    long ldc = t.ldc;
    size_t bytes = (size_t)t.n * sizeof(real);
    memset(c, 0, sizeof c);
    for (long i = 0; t.add && i < t.m; i++) memcpy(c + i * WIDTH, to + i * ldc, bytes);
    if (t.bias) t.bias = memcpy(bias, t.bias, bytes);
    t.c = c, t.ldc = WIDTH;
    micros[t.m - 1](&t);
    for (long i = 0; i < t.m; i++) memcpy(to + i * ldc, c + i * WIDTH, bytes);
}

/* All rows by one panel, in parts as even as can be. */
static void panel_times(const int8_tile *all_rows)
{
    long parts = (all_rows->m + MR - 1) / MR;
    for (long p = 0; p < parts; p++) {
        long first = p * all_rows->m / parts, end = (p + 1) * all_rows->m / parts;
        int8_tile t = *all_rows;
        t.m = end - first;
        t.a += first * INT8_ROW;
        t.factors += first;
        t.c += first * t.ldc;
        if (t.n < WIDTH)
            edge(t);
        else
            micros[t.m - 1](&t);
    }
}

static void tile(const int8_tile *whole_tile)
{
    int8_tile t = *whole_tile;
    for (long left = t.n; left > 0; left -= WIDTH) {
        t.n = left < WIDTH ? left : WIDTH;
        panel_times(&t);
        t.w += t.panel;
        t.scales += WIDTH;
        t.sums += WIDTH;
        t.c += WIDTH;
        if (t.bias) t.bias += WIDTH;
    }
}

#else

/* ---- without instructions that are named: rows of weights as they are, 16 bits a number ---- */

enum { WIDTH = 1 };

static void pack(long k, const int16_t *row, long column, void *panel)
{
    (void)column;
    if (k) memcpy(panel, row, (size_t)k * sizeof *row);
}

INLINE int32_t dot(long k, const int16_t *a, const int16_t *w)
{
    int32_t sum = 0;
    for (long p = 0; p < k; p++) sum += a[p] * w[p];
    return sum;
}

static int32_t dot_blocks(long k, const char *a, long block, const int16_t *w)
{
    int32_t sum = 0;
    for (; k > 0; k -= BLOCK, a += block, w += BLOCK) sum += dot(k < BLOCK ? k : BLOCK, (const void *)a, w);
    return sum;
}

static void tile(const int8_tile *t)
{
    for (long j = 0; j < t->n; j++) {
        const int16_t *w = (const void *)(t->w + (size_t)j * t->panel);
        for (long i = 0; i < t->m; i++) {
            real y =
                (real)dot_blocks(t->k, t->a + i * INT8_ROW, t->block, w) * (t->factors[i] * t->scales[j]);
            real *to = t->c + i * t->ldc + j;
            *to = t->add ? *to + y : t->bias ? y + t->bias[j] : y;
        }
    }
}
#endif

const struct int8_loops LOOPS(int8) = {
    .height = MR,
    .width = WIDTH,
    .group = GROUP,
    .activation_bytes = sizeof(activation_number),
    .weight_bytes = sizeof(weight_number),
    .quantise = quantise,
    .quantise_row = quantise_row,
    .pack = pack,
    .tile = tile,
};
