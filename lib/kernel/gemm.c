#include "kernel/gemm.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

/* A product cut into tiles. B is packed in chunks, each once, by the whole team; then the tiles of the
 * chunk are computed. A tile packs its rows of A itself: they are few, and soon used. */
typedef struct {
    enum gemm_kind kind;
    long m, n, k;
    const real *a, *b, *bias;
    long lda, ldb, ldc;
    bool add;
    real *c;
    const struct gemm_loops *loops;
    long first, cols, width; /* the chunk: columns first .. first + cols, packed width, */
    long top, depth;         /* and rows top .. top + depth of B */
    long skip;               /* columns of `packed` before those of the chunk */
    long down, tile_cols;    /* tiles of the chunk: rows in `down` parts as even as can be */
    long strip;              /* columns a packing task */
    real *packed;
} product;

static long least(long a, long b) { return a < b ? a : b; }
static long most(long a, long b) { return a > b ? a : b; }
static long round_up(long n, long unit) { return (n + unit - 1) / unit * unit; }

/* Room of k numbers in a packed column. */
static long packed_depth(const struct gemm_loops *l, long k) { return (k + l->per - 1) / l->per; }

static const struct gemm_loops *loops_of(enum gemm_numbers numbers)
{
    return numbers == GEMM_BF16 ? loops()->bf16 : loops()->gemm;
}

static const real *b_at(const product *g, long p, long j)
{
    return g->kind == GEMM_NT ? g->b + j * g->ldb + p : g->b + p * g->ldb + j;
}

static const real *a_at(const product *g, long i, long p)
{
    return g->kind == GEMM_TN ? g->a + p * g->lda + i : g->a + i * g->lda + p;
}

/* Column j of the chunk from its row p on, a multiple of loops->depth, in a block of so many rows. */
static real *packed_at(const product *g, long p, long j, long depth)
{
    return g->packed + packed_depth(g->loops, p) * g->width + j * packed_depth(g->loops, depth);
}

/* Columns j .. j + n of the chunk, in blocks of rows. */
static void pack_columns(const product *g, long j, long n)
{
    for (long p = 0; p < g->depth; p += g->loops->depth) {
        long depth = least(g->loops->depth, g->depth - p);
        g->loops->pack_b(g->kind, depth, n, b_at(g, g->top + p, g->first + j), g->ldb,
                         packed_at(g, p, j, depth));
    }
}

static void pack_task(long i, void *context)
{
    const product *g = context;
    pack_columns(g, i * g->strip, least(g->strip, g->cols - i * g->strip));
}

/* Rows i .. i + m, columns j .. j + n of the chunk. Without `packed` B is read where it lies. */
static void compute_tile(const product *g, long i, long m, long j, long n, real *work)
{
    for (long p = 0; p < g->depth; p += g->loops->depth) {
        long depth = least(g->loops->depth, g->depth - p), at = g->top + p;
        const real *b = g->packed ? packed_at(g, p, g->skip + j, depth) : b_at(g, at, g->first + j);
        g->loops->tile(g->kind, m, n, depth, a_at(g, i, at), g->lda, b, g->packed ? 0 : g->ldb,
                       g->bias && at == 0 ? g->bias + g->first + j : NULL, g->add || at > 0,
                       g->c + i * g->ldc + g->first + j, g->ldc, work);
    }
}

static real *tile_work(const product *g)
{
    return scratch(SCRATCH_GEMM_A, sizeof(real) * (size_t)g->loops->work);
}

static void tile_task(long task, void *context)
{
    const product *g = context;
    long t = task % g->down, j = task / g->down * g->tile_cols;
    long first = t * g->m / g->down, end = (t + 1) * g->m / g->down;
    compute_tile(g, first, end - first, j, least(g->tile_cols, g->cols - j), tile_work(g));
}

/* Few rows: packed columns are used once or twice, so the thread that packs a strip uses it at once, or does
 * not pack at all where rows of B lie as the kernel wants them. */
static void strip_task(long task, void *context)
{
    product g = *(const product *)context;
    bool direct = g.kind != GEMM_NT && g.loops->per == 1 && g.m <= 2 * g.loops->height;
    g.first = task * g.strip;
    g.cols = least(g.strip, g.n - g.first);
    g.depth = g.k;
    long whole = direct ? g.cols - g.cols % g.loops->half : 0;
    if (whole) compute_tile(&g, 0, g.m, 0, whole, tile_work(&g));
    g.first += whole;
    g.cols -= whole;
    if (g.cols == 0) return;
    g.width = round_up(g.cols, g.loops->half);
    g.packed = scratch(SCRATCH_GEMM_B, sizeof(real) * (size_t)(packed_depth(g.loops, g.k) * g.width));
    pack_columns(&g, 0, g.cols);
    compute_tile(&g, 0, g.m, 0, g.cols, tile_work(&g));
}

enum {
    TASK_WORK = 1 << 19,  /* multiply-adds that make a task worth its start */
    SMALL_WORK = 1 << 17, /* a whole product below this is one task */
    TILE_PANELS = 4,      /* height of a tile in panels: what is read of B is used so often */
    TILE_WIDTH = 512,     /* so often is used what is packed of A */
    CHUNK_BLOCKS = 4,     /* most of k in blocks of `depth`, and */
    CHUNK_COLS = 2048,    /* most columns of B that are packed at a time */
    PACK_STRIP = 1 << 15  /* reals a packing task */
};

static void strips(product *g)
{
    long unit = g->loops->width;
    g->strip = unit;
    bool direct = g->kind != GEMM_NT; /* then a strip costs no more than that A is packed again */
    if (g->m * g->n * g->k <= SMALL_WORK || (direct && team_here() == 1))
        g->strip = round_up(g->n, unit);
    else
        g->strip = round_up(most(TASK_WORK / 4 / (g->m * g->k), 1), unit);
    team_run((g->n + g->strip - 1) / g->strip, strip_task, g);
}

/* Tiles of about TASK_WORK: as wide as the chunk if it is narrow, then as high as that leaves, but not so
 * high that a large team would have nothing to do. */
static void choose_tiles(product *g)
{
    long height = g->loops->height, unit = g->loops->width, wide = round_up(g->cols, unit);
    if (g->m <= TILE_PANELS * height) { /* few rows, of a packed B: strips of columns */
        g->down = 1;
        long cols = team_here() == 1 ? wide : TASK_WORK / (g->m * g->depth); /* A is packed once a tile */
        g->tile_cols = least(wide, round_up(most(cols, 1), unit));
        return;
    }
    long cols = TASK_WORK / (TILE_PANELS * height * g->depth);
    g->tile_cols = least(wide, round_up(most(cols, TILE_WIDTH), unit));
    long rows = most(TASK_WORK / (g->tile_cols * g->depth), TILE_PANELS * height);
    g->down = most((g->m + rows - 1) / rows, least(4, g->m));
}

static void run_tiles(product *g)
{
    choose_tiles(g);
    team_run(g->down * ((g->cols + g->tile_cols - 1) / g->tile_cols), tile_task, g);
}

static void pack_strips(product *g)
{
    g->strip = round_up(most(PACK_STRIP / g->depth, 1), g->loops->width);
    team_run((g->cols + g->strip - 1) / g->strip, pack_task, g);
}

static void chunk(product *g)
{
    g->width = round_up(g->cols, g->loops->half);
    g->packed = scratch(SCRATCH_GEMM_B, sizeof(real) * (size_t)(packed_depth(g->loops, g->depth) * g->width));
    pack_strips(g);
    run_tiles(g);
}

static void chunks(product *g)
{
    long most_depth = CHUNK_BLOCKS * g->loops->depth;
    for (g->first = 0; g->first < g->n; g->first += CHUNK_COLS)
        for (g->top = 0; g->top < g->k; g->top += most_depth) {
            g->cols = least(CHUNK_COLS, g->n - g->first);
            g->depth = least(most_depth, g->k - g->top);
            chunk(g);
        }
}

/* k = 0: the sum of nothing. */
static void no_products(const product *g)
{
    for (long i = 0; i < g->m && !g->add; i++)
        for (long j = 0; j < g->n; j++) g->c[i * g->ldc + j] = g->bias ? g->bias[j] : 0;
}

void gemm(enum gemm_numbers numbers, enum gemm_kind kind, long m, long n, long k, const real *a, long lda,
          const real *b, long ldb, const real *bias, bool add, real *c, long ldc)
{
    METER_PRODUCT(2.0 * (double)m * (double)n * (double)k);
    BUG_IF(m < 0 || n < 0 || k < 0 || (bias && add));
    product g = {.kind = kind, .m = m, .n = n, .k = k, .a = a, .b = b, .bias = bias, .lda = lda};
    g.ldb = ldb, g.ldc = ldc, g.add = add, g.c = c, g.loops = loops_of(numbers);
    if (m == 0 || n == 0) return;
    if (k == 0) {
        no_products(&g);
        return;
    }
    if (m <= TILE_PANELS * g.loops->height || m * n * k <= SMALL_WORK)
        strips(&g);
    else
        chunks(&g);
}

/* ---- a packed B: a chunk that holds all of it ---- */

size_t gemm_packed_reals(enum gemm_numbers numbers, long n, long k)
{
    const struct gemm_loops *l = loops_of(numbers);
    return (size_t)(round_up(n, l->half) * packed_depth(l, k));
}

static product packed_product(enum gemm_numbers numbers, long m, long n, long k)
{
    const struct gemm_loops *l = loops_of(numbers);
    return (product){
        .m = m, .n = n, .k = k, .cols = n, .depth = k, .width = round_up(n, l->half), .loops = l};
}

void gemm_pack(enum gemm_numbers numbers, enum gemm_kind kind, long n, long k, const real *b, long ldb,
               real *out)
{
    METER(METER_PACKING);
    BUG_IF(kind == GEMM_TN || n < 0 || k < 0);
    product g = packed_product(numbers, 0, n, k);
    g.kind = kind, g.b = b, g.ldb = ldb, g.packed = out;
    if (n > 0 && k > 0) pack_strips(&g);
}

void gemm_packed_columns(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                         const real *packed, long from, long all, const real *bias, bool add, real *c,
                         long ldc)
{
    METER_PRODUCT(2.0 * (double)m * (double)n * (double)k);
    BUG_IF(m < 0 || n < 0 || k < 0 || (bias && add) || from % GEMM_PART || from + n > all);
    product g = packed_product(numbers, m, n, k);
    g.skip = from, g.width = round_up(all, g.loops->half);
    g.kind = GEMM_NN, g.a = a, g.lda = lda, g.bias = bias, g.add = add, g.c = c, g.ldc = ldc;
    g.packed = (real *)packed; /* only read */
    if (m == 0 || n == 0) return;
    if (k == 0)
        no_products(&g);
    else
        run_tiles(&g);
}

void gemm_packed(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                 const real *packed, const real *bias, bool add, real *c, long ldc)
{
    gemm_packed_columns(numbers, m, n, k, a, lda, packed, 0, n, bias, add, c, ldc);
}

void gemm_packed_rows(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                      const real *packed, long from, bool add, real *c, long ldc)
{
    BUG_IF(from < 0 || from % GEMM_PART || GEMM_PART % loops_of(numbers)->depth);
    gemm_packed(numbers, m, n, k, a, lda, packed + gemm_packed_reals(numbers, n, from), NULL, add, c, ldc);
}

void gemm_unpack_column(long n, long k, const real *packed, long column, real *b)
{
    const struct gemm_loops *l = loops()->gemm;
    long all = round_up(n, l->half), in_panel = column % l->width, first = column - in_panel;
    long width = least(l->width, all - first); /* the last panel may be half as wide */
    BUG_IF(column < 0 || column >= n);
    for (long p = 0; p < k; p += l->depth) {
        long depth = least(l->depth, k - p);
        const real *from = packed + p * all + first * depth + in_panel;
        for (long i = 0; i < depth; i++) b[p + i] = from[i * width];
    }
}

/* ---- a packed B made of single columns ---- */

void gemm_clear_columns(long all, long k, long from, long n, real *packed)
{
    const long most_depth = loops()->gemm->depth;
    BUG_IF(all % GEMM_COLUMNS || from % GEMM_COLUMNS || n % GEMM_COLUMNS || from + n > all);
    for (long p = 0; p < k; p += most_depth) {
        long depth = least(most_depth, k - p);
        memset(packed + p * all + from * depth, 0, (size_t)(n * depth) * sizeof *packed);
    }
}

void gemm_pack_column(long all, long k, long column, const real *b, real *packed)
{
    const struct gemm_loops *l = loops()->gemm;
    BUG_IF(all % GEMM_COLUMNS || GEMM_COLUMNS % l->width || column >= all);
    long in_panel = column % l->width;
    for (long p = 0; p < k; p += l->depth) {
        long depth = least(l->depth, k - p);
        real *to = packed + p * all + (column - in_panel) * depth + in_panel;
        for (long i = 0; i < depth; i++) to[i * l->width] = b[p + i];
    }
}

bool gemm_has_bf16(void) { return loops()->bf16->native; }

double gemm_peak(enum gemm_numbers numbers, long rounds) { return loops_of(numbers)->peak(rounds); }
