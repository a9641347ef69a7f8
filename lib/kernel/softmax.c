#include "kernel/softmax.h"

#include <float.h>
#include <math.h>
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

typedef struct {
    long cols, ld;
    real *x;
} rows_of;

enum { EXP_COST = 4 }; /* an exponential, in additions */

static void softmax_block(long first, long end, void *context)
{
    const rows_of *c = context;
    for (long r = first; r < end; r++) loops()->softmax->softmax(c->cols, c->x + r * c->ld);
}

void softmax(long rows, long cols, real *x, long ld)
{
    rows_of c = {.cols = cols, .ld = ld, .x = x};
    blocks_run(rows, blocks_size(EXP_COST * cols), softmax_block, &c);
}

static void log_softmax_block(long first, long end, void *context)
{
    const rows_of *c = context;
    for (long r = first; r < end; r++) loops()->softmax->log_softmax(c->cols, c->x + r * c->ld);
}

void log_softmax(long rows, long cols, real *x, long ld)
{
    rows_of c = {.cols = cols, .ld = ld, .x = x};
    blocks_run(rows, blocks_size(EXP_COST * cols), log_softmax_block, &c);
}

/* --------------------------------------------------------------------------- the largest of many */

typedef struct {
    long cols, ld, blocks;
    const real *x;
    real *tops;
    double *log_sums;
} picking;

long pick_blocks(long cols) { return (cols + PICK_BLOCK - 1) / PICK_BLOCK; }

static void pick_block(long first, long end, void *context)
{
    const picking *c = context;
    const struct softmax_loops *l = loops()->softmax;
    for (long r = first; r < end; r++) {
        const real *x = c->x + r * c->ld;
        real top = l->tops(c->cols, x, c->tops + r * c->blocks);
        if (c->log_sums) c->log_sums[r] = (double)top + log(l->sum_exps(c->cols, top, x));
    }
}

void pick_tops(long rows, long cols, const real *x, long ld, real *tops, double *log_sums)
{
    picking c = {cols, ld, pick_blocks(cols), x, tops, log_sums};
    blocks_run(rows, blocks_size(log_sums ? EXP_COST * cols : cols), pick_block, &c);
}

/* ------------------------------------------------------------------------ cross entropy in parts */

typedef struct {
    long first, n, ld;
    real *z, *max;
    const int *targets;
    class_sums *s;
    real shift, scale, at_target;
} part;

void class_sums_start(long rows, class_sums *s)
{
    for (long r = 0; r < rows; r++) s[r] = (class_sums){.max = -(real)FLT_MAX};
}

static bool has_target(const part *p, long r)
{
    return p->targets[r] >= p->first && p->targets[r] < p->first + p->n;
}

static void part_block(long first, long end, void *context)
{
    const part *p = context;
    for (long r = first; r < end; r++) {
        real *z = p->z + r * p->ld;
        if (has_target(p, r)) p->s[r].target = (double)z[p->targets[r] - p->first];
        p->max[r] = loops()->softmax->class_sums(p->n, z, &p->s[r]);
    }
}

void class_sums_add(long rows, long first, long n, real *z, long ld, const int *targets, class_sums *s,
                    real *max)
{
    part p = {.first = first, .n = n, .ld = ld, .z = z, .max = max, .targets = targets, .s = s};
    if (n > 0) blocks_run(rows, blocks_size(EXP_COST * n), part_block, &p);
}

void class_sums_loss(long rows, long classes, const class_sums *s, real smoothing, double *loss, double *nll)
{
    double smooth = (double)smoothing;
    for (long r = 0; r < rows; r++) {
        double log_sum = log(s[r].sum), max = (double)s[r].max, mean = s[r].total / (double)classes;
        nll[r] = log_sum - (s[r].target - max);
        loss[r] = smooth > 0 ? (1 - smooth) * nll[r] + smooth * (log_sum - (mean - max)) : nll[r];
    }
}

static void gradient_block(long first, long end, void *context)
{
    const part *p = context;
    for (long r = first; r < end; r++) {
        real *z = p->z + r * p->ld;
        double share = exp((double)p->max[r] - (double)p->s[r].max) / p->s[r].sum;
        loops()->softmax->class_gradient(p->n, (real)((double)p->scale * share), p->shift, z);
        if (has_target(p, r)) z[p->targets[r] - p->first] -= p->at_target;
    }
}

void class_sums_gradient(long rows, long first, long n, real *z, long ld, const int *targets,
                         const class_sums *s, const real *max, long classes, real smoothing, real scale)
{
    part p = {.first = first, .n = n, .ld = ld, .z = z, .targets = targets, .scale = scale};
    p.s = (class_sums *)s; /* only read */
    p.max = (real *)max;
    p.shift = scale * smoothing / (real)classes;
    p.at_target = scale * (1 - smoothing);
    if (n > 0) blocks_run(rows, blocks_size(n), gradient_block, &p);
}
