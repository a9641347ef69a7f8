/* Matrix products of one tile: packing and the micro-kernel. Compiled twice for each instruction set: for
 * real numbers, and with TULK_BF16 for numbers that are rounded to bfloat16 as they are packed
 * (loops/items.h).
 *
 * The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008):
 * k is cut into blocks of KC items; of B a panel of NR columns and of A a panel of up to MR rows are laid
 * out so that the micro-kernel reads them in order; it keeps MR x NR sums in registers.
 *
 * The law of rows (kernel/gemm.h) holds because every micro-kernel, whatever its height and width, adds the
 * products of a block one after the other, from zero, and blocks are added in order. */
#include "kernel/loops/loops.h"
#include "kernel/loops/transpose.h"

#if defined __AVX512F__
enum { BYTES = 64, MR = 14 };
#elif defined __AVX2__
enum { BYTES = 32, MR = 6 };
#elif defined TULK_NEON
enum { BYTES = 16, MR = 8 };
#else
enum { BYTES = 16, MR = 4 };
#endif
enum {
    W = BYTES / sizeof(real), /* lanes of a vector */
    NR = 2 * W
};

typedef real vec __attribute__((vector_size(BYTES)));
typedef real unaligned_vec __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));

#include "kernel/loops/items.h"

enum {
    DEPTH = 256, /* most of k at once */
    KC = DEPTH / PER,
    GROUP = 4,                          /* panels of A packed together */
    A_LD = KC + 64 / (int)sizeof(real), /* of a row in a panel of A: they spread over the cache */
    /* Columns of A that are copied for a panel, whole vectors where copying is computing. */
    COPIED = PER == 1 ? MR : (MR + W - 1) / W * W
};

/* c(mr, nv W) = or += a(mr, k) b(k, nv W), k items. Item (i, p) of a is a[i * a_row + p * a_col]. */
INLINE void micro(const int mr, const int nv, long k, const real *a, const long a_row, const long a_col,
                  const real *b, long ldb, const real *bias, bool add, real *c, long ldc)
{
    vec sum[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) sum[i][j] = (vec){0};
    for (long p = 0; p < k; p++, a += a_col, b += ldb) {
        vec row[2];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) row[j] = *(const unaligned_vec *)(b + j * W);
#pragma GCC unroll 16
        for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) sum[i][j] = add_products(sum[i][j], a + i * a_row, row[j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++, c += ldc) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            unaligned_vec *to = (unaligned_vec *)(c + j * W);
            vec s = sum[i][j];
            if (add)
                s += *to;
            else if (bias)
                s += *(const unaligned_vec *)(bias + j * W);
            *to = s;
        }
        __asm__("" : "+r"(c)); /* or the compiler works out all addresses beforehand */
    }
}

typedef void micro_kernel(long k, const real *a, long a_col, const real *b, long ldb, const real *bias,
                          bool add, real *c, long ldc);

/* Heights 1 .. MR, one and two vectors wide, panels of A by rows (A_LD apart) and by columns. */
#define MICRO(mr, nv)                                                                                        \
    static void rows_##mr##_##nv(long k, const real *a, long a_col, const real *b, long ldb,                 \
                                 const real *bias, bool add, real *c, long ldc)                              \
    {                                                                                                        \
        (void)a_col;                                                                                         \
        micro(mr, nv, k, a, A_LD, 1, b, ldb, bias, add, c, ldc);                                             \
    }                                                                                                        \
    static void cols_##mr##_##nv(long k, const real *a, long a_col, const real *b, long ldb,                 \
                                 const real *bias, bool add, real *c, long ldc)                              \
    {                                                                                                        \
        micro(mr, nv, k, a, 1, a_col, b, ldb, bias, add, c, ldc);                                            \
    }
#define MICROS(mr) MICRO(mr, 1) MICRO(mr, 2)
#define MICRO_ROW(mr)                                                                                        \
    {                                                                                                        \
        {rows_##mr##_1, rows_##mr##_2}, { cols_##mr##_1, cols_##mr##_2 }                                     \
    }

MICROS(1)
MICROS(2)
MICROS(3)
MICROS(4)
#if defined __AVX2__ || defined TULK_NEON
MICROS(5)
MICROS(6)
#endif
#if defined __AVX512F__ || defined TULK_NEON
MICROS(7)
MICROS(8)
#endif
#if defined __AVX512F__
MICROS(9)
MICROS(10)
MICROS(11)
MICROS(12)
MICROS(13)
MICROS(14)
#endif

static micro_kernel *const micros[MR][2][2] = {
    MICRO_ROW(1), MICRO_ROW(2),  MICRO_ROW(3),  MICRO_ROW(4),
#if defined __AVX2__ || defined TULK_NEON
    MICRO_ROW(5), MICRO_ROW(6),
#endif
#if defined __AVX512F__ || defined TULK_NEON
    MICRO_ROW(7), MICRO_ROW(8),
#endif
#if defined __AVX512F__
    MICRO_ROW(9), MICRO_ROW(10), MICRO_ROW(11), MICRO_ROW(12), MICRO_ROW(13), MICRO_ROW(14),
#endif
};

static long least(long a, long b) { return a < b ? a : b; }

/* Width of the panel that starts with n columns left: two vectors or one. */
static long panel_width(long n) { return n > W ? NR : W; }

/* ---- packing ---- */

/* W columns of a panel from `rows` rows of b. Rows past the last are the last again: their sums are
 * computed and not used. */
INLINE void transpose(long k, long rows, const real *b, long ldb, real *out, long ldo)
{
    const real *at[W];
#ifndef TULK_BF16
    for (long i = 0; i < W; i++) at[i] = b + least(i, rows - 1) * ldb;
#else
    real along[W][KC];
    for (long i = 0; i < rows; i++) items_along(k, b + i * ldb, along[i]);
    for (long i = 0; i < W; i++) at[i] = along[least(i, rows - 1)];
#endif
    transpose_rows(items_of(k), at, out, ldo);
}

static void pack_transposed(long k, long n, const real *b, long ldb, real *out)
{
    for (long j = 0; j < n; j += NR) {
        long width = panel_width(n - j);
        for (long i = 0; i < width; i += W) {
            if (n - j - i >= W)
                transpose(k, W, b + (j + i) * ldb, ldb, out + i, width);
            else
                transpose(k, n - j - i, b + (j + i) * ldb, ldb, out + i, width);
        }
        out += items_of(k) * width;
    }
}

static void pack_straight(long k, long n, const real *b, long ldb, real *out)
{
    for (long j = 0; j < n; j += NR) {
        long width = panel_width(n - j), have = least(width, n - j);
        for (long p = 0; p < items_of(k); p++, out += width) {
            if (have == NR) {
                items_across(p, k, NR, b + j, ldb, out);
                continue;
            }
            items_across(p, k, have, b + j, ldb, out);
            memset(out + have, 0, (size_t)(width - have) * sizeof(real));
        }
    }
}

static void pack_b(enum gemm_kind kind, long k, long n, const real *b, long ldb, real *out)
{
    if (kind == GEMM_NT)
        pack_transposed(k, n, b, ldb, out);
    else
        pack_straight(k, n, b, ldb, out);
}

/* Panel t of a group of `panels` over m rows begins here: heights as even as can be. */
static long panel_start(long t, long panels, long m) { return t * m / panels; }

/* m rows of A in panels, each MR * A_LD reals: by rows A_LD apart. */
static void pack_rows(long m, long panels, long k, const real *a, long lda, real *out)
{
    for (long t = 0; t < panels; t++, out += MR * A_LD) {
        long first = panel_start(t, panels, m), end = panel_start(t + 1, panels, m);
        for (long i = first; i < end; i++) items_along(k, a + i * lda, out + (i - first) * A_LD);
    }
}

/* The same from A transposed, by columns MR apart. All of a row of memory is read at once, and COPIED columns
 * are copied for a panel that may need fewer, as long as they are in the matrix: the number is a constant.
 * What is too much is written over by the next item, or is in the room behind the last. */
static void pack_columns(long m, long panels, long k, const real *a, long lda, real *out)
{
    const long end = (k - 1) * lda + m; /* of the matrix, from a */
    long start[GROUP + 1];
    for (long t = 0; t <= panels; t++) start[t] = panel_start(t, panels, m);
    for (long p = 0; p < items_of(k); p++)
        for (long t = 0; t < panels; t++) {
            real *to = out + t * MR * A_LD + p * MR;
            long last = least(p * PER + PER, k) - 1;
            if (last * lda + start[t] + COPIED <= end)
                items_across(p, k, COPIED, a + start[t], lda, to);
            else
                items_across(p, k, start[t + 1] - start[t], a + start[t], lda, to);
        }
}

/* ---- one tile ---- */

/* A panel of fewer columns than vectors have lanes: computed beside c. */
static void edge(micro_kernel *kernel, long mr, long n, long k, const real *a, const real *b, long ldb,
                 const real *bias, bool add, real *c, long ldc)
{
    real tile[MR * NR], tile_bias[NR] = {0};
    for (long i = 0; add && i < mr; i++) {
        memcpy(tile + i * NR, c + i * ldc, (size_t)n * sizeof(real));
        memset(tile + i * NR + n, 0, (size_t)(NR - n) * sizeof(real));
    }
    if (bias) memcpy(tile_bias, bias, (size_t)n * sizeof(real));
    kernel(k, a, MR, b, ldb, bias ? tile_bias : NULL, add, tile, NR);
    for (long i = 0; i < mr; i++) memcpy(c + i * ldc, tile + i * NR, (size_t)n * sizeof(real));
}

/* What is packed next of A transposed, `cols` columns (0: nothing) of rows first .. end. Its lines are far
 * apart, so that the processor does not guess them: they are asked for while a panel is computed. */
typedef struct {
    const real *a;
    long lda, cols, first, end;
} ahead;

enum { LINE = 64 / sizeof(real) };

INLINE void fetch_ahead(const ahead *x, long part, long parts)
{
    if (x->cols == 0) return;
    long n = x->end - x->first, end = x->first + n * (part + 1) / parts;
    for (long p = x->first + n * part / parts; p < end; p++)
        for (long i = 0; i < x->cols + LINE - 1; i += LINE) __builtin_prefetch(x->a + p * x->lda + i, 0, 2);
}

/* The tile of C is there when its sums are. */
INLINE void fetch_tile(long mr, long width, const real *c, long ldc)
{
    for (long i = 0; i < mr; i++, c += ldc)
        for (long j = 0; j < width; j += LINE) __builtin_prefetch(c + j, 1, 3);
}

/* One panel of A times all of B. Its packed rows are in the first-level cache, those of B in the second. */
static void panel_times(micro_kernel *const kernels[2], long mr, long n, long k, const real *a, const real *b,
                        long ldb, const real *bias, bool add, real *c, long ldc, const ahead *next)
{
    for (long j = 0; j < n; j += NR) {
        long width = panel_width(n - j), row = ldb ? ldb : width;
        fetch_tile(mr, width, c + j, ldc);
        fetch_ahead(next, j / NR, (n + NR - 1) / NR);
        micro_kernel *kernel = kernels[width / W - 1];
        const real *bias_j = bias ? bias + j : NULL;
        if (n - j >= width)
            kernel(items_of(k), a, MR, b, row, bias_j, add, c + j, ldc);
        else
            edge(kernel, mr, n - j, items_of(k), a, b, row, bias_j, add, c + j, ldc);
        b += ldb ? width : items_of(k) * width;
    }
}

static void tile(enum gemm_kind kind, long m, long n, long k, const real *a, long lda, const real *b,
                 long ldb, const real *bias, bool add, real *c, long ldc, real *work)
{
    bool columns = kind == GEMM_TN;
    long all = (m + MR - 1) / MR, groups = (all + GROUP - 1) / GROUP;
    for (long g = 0; g < groups; g++) {
        long first = panel_start(g, groups, m), rows = panel_start(g + 1, groups, m) - first;
        long panels = (rows + MR - 1) / MR, end = panel_start(g + 2, groups, m);
        ahead next = {.a = a + first + rows, .lda = lda};
        if (columns && g + 1 < groups) next.cols = end - first - rows;
        if (columns)
            pack_columns(rows, panels, k, a + first, lda, work);
        else
            pack_rows(rows, panels, k, a + first * lda, lda, work);
        for (long t = 0; t < panels; t++) {
            long i = panel_start(t, panels, rows), mr = panel_start(t + 1, panels, rows) - i;
            next.first = t * k / panels;
            next.end = (t + 1) * k / panels;
            panel_times(micros[mr - 1][columns], mr, n, k, work + t * MR * A_LD, b, ldb, bias, add,
                        c + (first + i) * ldc, ldc, &next);
        }
    }
}

/* Only multiplies and adds, in as many sums as the micro-kernel has. */
static double peak(long rounds)
{
    enum { SUMS = 2 * MR };
    vec sum[SUMS], x = (vec){0} + (real)0.999, y = (vec){0} + (real)0.001;
    for (int i = 0; i < SUMS; i++) sum[i] = y * (real)i; /* not equal, or they become one */
    for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 32
        for (int i = 0; i < SUMS; i++) sum[i] = add_products(y, (const real *)&x, sum[i]);
    }
    volatile real sink = 0;
    for (int i = 0; i < SUMS; i++) sink += sum[i][0];
    return 2.0 * SUMS * W * PER * (double)rounds;
}

#ifdef TULK_BF16
const struct gemm_loops LOOPS(bf16) = {
#ifdef __AVX512BF16__
    .native = true,
#endif
#else
const struct gemm_loops LOOPS(gemm) = {
    .native = true,
#endif
    .peak = peak,
    .height = MR,
    .width = NR,
    .half = W,
    .depth = DEPTH,
    .per = PER,
    .work = GROUP * MR * A_LD,
    .pack_b = pack_b,
    .tile = tile,
};
