#include "kernel/norm.h"

#include <assert.h>
#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

const norm_kind norm_kinds[] = {{"layer", true}, {"rms", false}, {NULL, false}};
static_assert(sizeof norm_kinds / sizeof *norm_kinds == NORM_KINDS + 1, "a kind without loops");

const char *norm_kind_name(int i) { return norm_kinds[i].name; }

const norm_kind *norm_kind_find(const char *name)
{
    for (const norm_kind *k = norm_kinds; k->name; k++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}

/* A pass over rows, forward or backward, with a residual sum before the norm or without. */
typedef struct {
    int row; /* of norm_kinds[] */
    long d, part;
    const real *x, *gain, *bias;
    real eps;
    real *y, *mean, *rstd;
    real *dy, *dx, *sums;
    bool add;
    /* of the sum */
    dropout_mask mask;
    real *f, *df, *residual;
} norm;

enum { COST = 4, PARTS = 64 };

static void norm_row(const norm *c, long r, const real *x)
{
    loops()->norm->forward[c->row](c->d, x, c->gain, c->bias, c->eps, c->y + r * c->d, c->mean + r,
                                   c->rstd + r);
}

static void norm_block(long first, long end, void *context)
{
    const norm *c = context;
    for (long r = first; r < end; r++) norm_row(c, r, c->x + r * c->d);
}

static norm forward_pass(const norm_kind *kind, long d, const real *x, const real *gain, const real *bias,
                         real eps, real *y, real *mean, real *rstd)
{
    return (norm){.row = (int)(kind - norm_kinds),
                  .d = d,
                  .x = x,
                  .gain = gain,
                  .bias = bias,
                  .eps = eps,
                  .y = y,
                  .mean = mean,
                  .rstd = rstd};
}

void norm_rows(const norm_kind *kind, long rows, long d, const real *x, const real *gain, const real *bias,
               real eps, real *y, real *mean, real *rstd)
{
    norm c = forward_pass(kind, d, x, gain, bias, eps, y, mean, rstd);
    blocks_run(rows, blocks_size(COST * d), norm_block, &c);
}

static void sum_block(long first, long end, void *context)
{
    const norm *c = context;
    for (long r = first; r < end; r++) {
        real *f = c->f + r * c->d;
        loops()->vector->dropout(&c->mask, r * c->d, c->d, f, c->x + r * c->d, f);
        norm_row(c, r, f);
    }
}

void residual_norm(const norm_kind *kind, long rows, long d, const real *x, real *f, real p, uint64_t key,
                   uint64_t place, const real *gain, const real *bias, real eps, real *y, real *mean,
                   real *rstd)
{
    norm c = forward_pass(kind, d, x, gain, bias, eps, y, mean, rstd);
    c.f = f;
    c.mask = dropout_mask_of(p, key, place);
    blocks_run(rows, blocks_size(2 * COST * d), sum_block, &c);
}

/* ---------------------------------------------------------------------------------- backward */

static void sum_row_back(const norm *c, long r, const real *dsum)
{
    const struct vector_loops *l = loops()->vector;
    real *df = c->df + r * c->d;
    l->dropout(&c->mask, r * c->d, c->d, dsum, c->add ? df : NULL, df);
    if (c->residual) l->add(c->d, dsum, c->residual + r * c->d);
}

/* A block sums its rows' part of dgain and dbias on its own; the blocks are then added in order. */
static void back_block(long first, long end, void *context)
{
    const norm *c = context;
    real *dgain = c->sums + first / c->part * 2 * c->d, *dbias = dgain + c->d;
    memset(dgain, 0, sizeof(real) * 2 * (size_t)c->d);
    for (long r = first; r < end; r++) {
        real *dx = c->dx + r * c->d;
        loops()->norm->backward[c->row](c->d, c->x + r * c->d, c->gain, c->mean[r], c->rstd[r],
                                        c->dy + r * c->d, !c->df && c->add, dx, dgain, dbias);
        if (c->df) sum_row_back(c, r, dx);
    }
}

static void run_back(norm *c, long rows, real *dgain, real *dbias)
{
    long least = (rows + PARTS - 1) / PARTS;
    c->part = blocks_size(2 * COST * c->d);
    if (c->part < least) c->part = least;
    long parts = (rows + c->part - 1) / c->part;
    c->sums = scratch(SCRATCH_PARTIAL, sizeof(real) * 2 * (size_t)(parts * c->d));
    blocks_run(rows, c->part, back_block, c);
    for (long i = 0; i < parts; i++) {
        loops()->vector->add(c->d, c->sums + 2 * i * c->d, dgain);
        if (dbias) loops()->vector->add(c->d, c->sums + (2 * i + 1) * c->d, dbias);
    }
}

void norm_rows_back(const norm_kind *kind, long rows, long d, const real *x, const real *gain,
                    const real *mean, const real *rstd, const real *dy, bool add, real *dx, real *dgain,
                    real *dbias)
{
    norm c = {.row = (int)(kind - norm_kinds), .d = d, .x = x, .gain = gain, .dx = dx, .add = add};
    c.dy = (real *)dy; /* only read, as are these */
    c.mean = (real *)mean;
    c.rstd = (real *)rstd;
    run_back(&c, rows, dgain, dbias);
}

void residual_norm_back(const norm_kind *kind, long rows, long d, const real *sum, const real *gain,
                        const real *mean, const real *rstd, real *dy, real p, uint64_t key, uint64_t place,
                        bool add, real *df, real *dx, real *dgain, real *dbias)
{
    norm c = {.row = (int)(kind - norm_kinds),
              .d = d,
              .x = sum,
              .gain = gain,
              .dy = dy,
              .dx = dy,
              .add = add,
              .df = df,
              .residual = dx};
    c.mask = dropout_mask_of(p, key, place);
    c.mean = (real *)mean; /* only read */
    c.rstd = (real *)rstd;
    run_back(&c, rows, dgain, dbias);
}
