#include "kernel/int8.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

static long least(long a, long b) { return a < b ? a : b; }
static long most(long a, long b) { return a > b ? a : b; }
static long round_up(long n, long unit) { return (n + unit - 1) / unit * unit; }

enum { LINE = 64 };

/* Where the parts of a packed matrix lie. Columns past the last are zeros. */
typedef struct {
    long n;         /* columns, rounded up to whole panels */
    size_t panel;   /* bytes of one: `width` columns, all of k */
    real *scales;   /* (n) */
    int32_t *sums;  /* (n) of the quantised weights of a column */
    int8_t *panels; /* (n / width, panel) */
} layout;

static size_t lines(size_t bytes) { return (bytes + LINE - 1) / LINE * LINE; }

static layout layout_of(long n, long k, char *packed)
{
    const struct int8_loops *l = loops()->int8;
    layout x = {.n = round_up(n, l->width)};
    size_t scales = lines((size_t)x.n * sizeof(real)), sums = lines((size_t)x.n * sizeof(int32_t));
    x.panel = (size_t)(round_up(k, l->group) * l->width * l->weight_bytes);
    if (!packed) return x;
    x.scales = (real *)(void *)packed;
    x.sums = (int32_t *)(void *)(packed + scales);
    x.panels = (int8_t *)packed + scales + sums;
    return x;
}

size_t int8_packed_bytes(long n, long k)
{
    layout x = layout_of(n, k, NULL);
    return lines((size_t)x.n * sizeof(real)) + lines((size_t)x.n * sizeof(int32_t)) +
           (size_t)(x.n / loops()->int8->width) * x.panel;
}

/* ---- packing: once, at load ---- */

typedef struct {
    long n, k, ldw;
    const real *w;
    layout to;
} packing;

/* One column: its scale, its sum, and its place in the panel. */
static void pack_column(const layout *to, long k, long j, const real *w, int16_t *row)
{
    const struct int8_loops *l = loops()->int8;
    int32_t sum = 0;
    to->scales[j] = l->quantise(k, w, row);
    for (long p = 0; p < k; p++) sum += row[p];
    to->sums[j] = sum;
    l->pack(k, row, j % l->width, to->panels + (size_t)(j / l->width) * to->panel);
}

static void pack_columns(long first, long end, void *context)
{
    const packing *g = context;
    int16_t *row = scratch(SCRATCH_INT8, (size_t)g->k * sizeof *row);
    for (long j = first; j < end; j++) pack_column(&g->to, g->k, j, g->w + j * g->ldw, row);
}

static void clear(layout *x, long from)
{
    int width = loops()->int8->width;
    for (long j = from; j < x->n; j++) x->scales[j] = 0, x->sums[j] = 0;
    for (size_t i = 0; i < (size_t)(x->n / width) * x->panel; i++) x->panels[i] = 0;
}

void int8_pack(long n, long k, const real *w, long ldw, void *out)
{
    METER(METER_PACKING);
    BUG_IF(n < 0 || k < 0 || k > INT8_MOST_K);
    packing g = {n, k, ldw, w, layout_of(n, k, out)};
    clear(&g.to, n);
    blocks_run(n, blocks_size(4 * k), pack_columns, &g);
}

void int8_clear_columns(long n, long k, long from, long count, void *packed)
{
    const long width = loops()->int8->width;
    layout x = layout_of(n, k, packed);
    BUG_IF(from % INT8_COLUMNS || INT8_COLUMNS % width);
    long end = least(from + round_up(count, width), x.n);
    for (long j = from; j < end; j++) x.scales[j] = 0, x.sums[j] = 0;
    memset(x.panels + (size_t)(from / width) * x.panel, 0, (size_t)((end - from) / width) * x.panel);
}

void int8_pack_column(long n, long k, long column, const real *w, void *packed)
{
    BUG_IF(k > INT8_MOST_K || column < 0 || column >= n);
    layout x = layout_of(n, k, packed);
    pack_column(&x, k, column, w, scratch(SCRATCH_INT8, (size_t)k * sizeof(int16_t)));
}

/* ---- products ---- */

typedef struct {
    long m, n, k, lda;
    const real *a;
    char *quantised; /* (blocks, m, INT8_ROW) bytes */
    long block;      /* m * INT8_ROW */
    real *factors;   /* (m) */
    layout w;
    const real *bias;
    bool add;
    real *c;
    long ldc;
    long rows, cols, down; /* of a tile; tiles of a column of them */
} product;

static void quantise_rows(long first, long end, void *context)
{
    const product *g = context;
    for (long i = first; i < end; i++)
        g->factors[i] =
            loops()->int8->quantise_row(g->k, g->a + i * g->lda, g->quantised + i * INT8_ROW, g->block);
}

static void tile_task(long task, void *context)
{
    const product *g = context;
    const struct int8_loops *l = loops()->int8;
    long i = task % g->down * g->rows, j = task / g->down * g->cols;
    int8_tile t = {.m = least(g->rows, g->m - i), .n = least(g->cols, g->n - j), .k = g->k};
    t.a = g->quantised + i * INT8_ROW, t.block = g->block, t.factors = g->factors + i;
    t.w = g->w.panels + (size_t)(j / l->width) * g->w.panel, t.panel = g->w.panel;
    t.scales = g->w.scales + j, t.sums = g->w.sums + j;
    t.bias = g->bias ? g->bias + j : NULL, t.add = g->add;
    t.c = g->c + i * g->ldc + j, t.ldc = g->ldc;
    l->tile(&t);
}

enum {
    TASK_WORK = 1 << 21, /* multiply-adds that make a task worth its start */
    TILE_PANELS = 8 /* height of a tile in panels: so often is used what a panel of weights brings along */
};

/* Tiles of a few panels of rows, as wide as makes TASK_WORK. */
static void choose_tiles(product *g)
{
    const struct int8_loops *l = loops()->int8;
    g->rows = least(g->m, TILE_PANELS * l->height);
    g->down = (g->m + g->rows - 1) / g->rows;
    long cols = team_here() == 1 ? g->n : TASK_WORK / most(g->rows * g->k, 1);
    g->cols = least(g->w.n, round_up(most(cols, 1), l->width));
}

/* For the rows of A as the kernel reads them. */
static void room(product *g)
{
    long blocks = (g->k * loops()->int8->activation_bytes + INT8_BLOCK - 1) / INT8_BLOCK;
    size_t factors = lines((size_t)g->m * sizeof(real));
    g->block = g->m * INT8_ROW;
    char *memory = scratch(SCRATCH_INT8, factors + (size_t)(blocks * g->block));
    g->factors = (real *)(void *)memory;
    g->quantised = memory + factors;
}

void int8_product_columns(long m, long n, long k, const real *a, long lda, const void *packed, long all,
                          const real *bias, bool add, real *c, long ldc)
{
    METER_PRODUCT(2.0 * (double)m * (double)n * (double)k);
    BUG_IF(m < 0 || n < 0 || k < 0 || k > INT8_MOST_K || (bias && add) || n > all);
    if (m == 0 || n == 0) return;
    product g = {.m = m, .n = n, .k = k, .a = a, .lda = lda, .bias = bias, .add = add, .c = c, .ldc = ldc};
    g.w = layout_of(all, k, (char *)packed); /* only read */
    room(&g);
    choose_tiles(&g);
    blocks_run(m, blocks_size(k / 2), quantise_rows, &g);
    team_run(g.down * ((n + g.cols - 1) / g.cols), tile_task, &g);
}

void int8_product(long m, long n, long k, const real *a, long lda, const void *packed, const real *bias,
                  bool add, real *c, long ldc)
{
    int8_product_columns(m, n, k, a, lda, packed, n, bias, add, c, ldc);
}
