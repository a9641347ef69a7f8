#include "kernel/norm.h"

#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

typedef struct {
    long d, part;
    const real *x, *gain, *bias, *dy;
    real eps;
    real *y, *mean, *rstd, *sums;
} norm;

enum { COST = 4, PARTS = 64 };

static void norm_block(long first, long end, void *context)
{
    const norm *c = context;
    for (long r = first; r < end; r++)
        loops()->norm->layer_norm(c->d, c->x + r * c->d, c->gain, c->bias, c->eps, c->y + r * c->d,
                                  c->mean + r, c->rstd + r);
}

void layer_norm(long rows, long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                real *mean, real *rstd)
{
    norm c = {.d = d, .x = x, .gain = gain, .bias = bias, .eps = eps, .y = y, .mean = mean, .rstd = rstd};
    blocks_run(rows, blocks_size(COST * d), norm_block, &c);
}

/* A block sums its rows' part of dgain and dbias on its own; layer_norm_back adds the blocks in order. */
static void back_block(long first, long end, void *context)
{
    const norm *c = context;
    real *dgain = c->sums + first / c->part * 2 * c->d, *dbias = dgain + c->d;
    memset(dgain, 0, sizeof(real) * 2 * (size_t)c->d);
    for (long r = first; r < end; r++)
        loops()->norm->layer_norm_back(c->d, c->x + r * c->d, c->gain, c->mean[r], c->rstd[r],
                                       c->dy + r * c->d, c->y + r * c->d, dgain, dbias);
}

void layer_norm_back(long rows, long d, const real *x, const real *gain, const real *mean, const real *rstd,
                     const real *dy, real *dx, real *dgain, real *dbias)
{
    long least = (rows + PARTS - 1) / PARTS, part = blocks_size(2 * COST * d);
    if (part < least) part = least;
    long parts = (rows + part - 1) / part;
    real *sums = scratch(SCRATCH_PARTIAL, sizeof(real) * 2 * (size_t)(parts * d));
    norm c = {.d = d, .part = part, .x = x, .gain = gain, .dy = dy, .y = dx, .sums = sums};
    c.mean = (real *)mean; /* only read */
    c.rstd = (real *)rstd;
    blocks_run(rows, part, back_block, &c);
    for (long i = 0; i < parts; i++) {
        loops()->vector->add(d, sums + 2 * i * d, dgain);
        loops()->vector->add(d, sums + (2 * i + 1) * d, dbias);
    }
}
