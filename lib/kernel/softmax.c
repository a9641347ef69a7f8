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
    const cross_entropy *c;
    long first, n, ld;
    real *z;
    const real *apart; /* or NULL */
    real *max;
} part;

void cross_entropy_start(const cross_entropy *c)
{
    for (long r = 0; r < c->rows; r++) c->s[r] = (class_sums){.max = -(real)FLT_MAX};
}

static bool has_target(const part *p, long r)
{
    return p->c->targets[r] >= p->first && p->c->targets[r] < p->first + p->n;
}

static void part_block(long first, long end, void *context)
{
    const part *p = context;
    for (long r = first; r < end; r++) {
        real *z = p->z + r * p->ld;
        class_sums *s = &p->c->s[r];
        if (has_target(p, r)) s->target = (double)z[p->c->targets[r] - p->first];
        if (p->c->soft) s->soft += loops()->softmax->expected(p->n, p->c->soft[r] + p->first, z);
        const real *apart = p->apart ? p->apart + r / 2 * p->ld : NULL;
        p->max[r] = loops()->softmax->class_sums(p->n, z, apart, s);
    }
}

void cross_entropy_add(const cross_entropy *c, long first, long n, real *z, long ld, const real *apart,
                       real *max)
{
    part p = {.c = c, .first = first, .n = n, .ld = ld, .z = z, .apart = apart, .max = max};
    if (n > 0) blocks_run(c->rows, blocks_size(EXP_COST * n), part_block, &p);
}

static double log_sum(const class_sums *s) { return (double)s->max + log(s->sum); }

/* What a row expects of `apart`. */
static double expected(const class_sums *s) { return s->apart / s->sum; }

/* KL(p, q) of rows of logits z and z': the expectation of (z - log sum) - (z' - log sum') by p. */
static double divergence(const cross_entropy *c, long r)
{
    const class_sums *p = &c->s[r], *q = &c->s[r ^ 1];
    return (r % 2 ? -expected(p) : expected(p)) - (log_sum(p) - log_sum(q));
}

void cross_entropy_loss(const cross_entropy *c, double *loss, double *nll)
{
    double smooth = (double)c->smoothing;
    for (long r = 0; r < c->rows; r++) {
        const class_sums *s = &c->s[r];
        double max = (double)s->max, mean = s->total / (double)c->classes;
        nll[r] = log(s->sum) - (s->target - max);
        loss[r] = smooth > 0 ? (1 - smooth) * nll[r] + smooth * (log(s->sum) - (mean - max)) : nll[r];
        if (c->soft) loss[r] += (double)c->soft_share * (log_sum(s) - s->soft - loss[r]);
        if (c->r_drop > 0) loss[r] += (double)c->r_drop / 2 * divergence(c, r);
    }
}

/* What the target class and smoothing have of the target. */
static real hard_scale(const cross_entropy *c) { return c->scale * (1 - c->soft_share); }

static real shift(const cross_entropy *c) { return hard_scale(c) * c->smoothing / (real)c->classes; }

/* exp(z - max[r]) times this is scale * softmax(z). */
static real factor(const part *p, long r)
{
    const class_sums *s = &p->c->s[r];
    return (real)((double)p->c->scale * exp((double)p->max[r] - (double)s->max) / s->sum);
}

static void take_target(const part *p, long r)
{
    const cross_entropy *c = p->c;
    real *z = p->z + r * p->ld;
    if (has_target(p, r)) z[c->targets[r] - p->first] -= hard_scale(c) * (1 - c->smoothing);
    if (c->soft) loops()->vector->axpy(p->n, -c->scale * c->soft_share, c->soft[r] + p->first, z);
}

static void gradient_block(long first, long end, void *context)
{
    const part *p = context;
    for (long r = first; r < end; r++) {
        loops()->softmax->class_gradient(p->n, factor(p, r), shift(p->c), p->z + r * p->ld);
        take_target(p, r);
    }
}

static void pair_block(long first, long end, void *context)
{
    const part *p = context;
    const cross_entropy *c = p->c;
    for (long i = first; i < end; i++) {
        long r = 2 * i, q = r + 1;
        class_pair pair = {.factor = {factor(p, r), factor(p, q)},
                           .expected = {(real)expected(&c->s[r]), (real)expected(&c->s[q])},
                           .shift = shift(c),
                           .weight = c->r_drop / 2};
        loops()->softmax->pair_gradient(p->n, &pair, p->apart + i * p->ld, p->z + r * p->ld,
                                        p->z + q * p->ld);
        take_target(p, r);
        take_target(p, q);
    }
}

void cross_entropy_gradient(const cross_entropy *c, long first, long n, real *z, long ld, const real *apart,
                            const real *max)
{
    part p = {.c = c, .first = first, .n = n, .ld = ld, .z = z, .apart = apart};
    p.max = (real *)max; /* only read */
    if (n <= 0) return;
    if (apart)
        blocks_run(c->rows / 2, blocks_size(4 * n), pair_block, &p);
    else
        blocks_run(c->rows, blocks_size(n), gradient_block, &p);
}

typedef struct {
    long n, ld;
    const real *z;
    real *apart;
} pairs;

static void apart_block(long first, long end, void *context)
{
    const pairs *p = context;
    for (long r = first; r < end; r++) {
        const real *a = p->z + 2 * r * p->ld, *b = a + p->ld;
        for (long i = 0; i < p->n; i++) p->apart[r * p->ld + i] = a[i] - b[i];
    }
}

void cross_entropy_apart(const cross_entropy *c, long n, const real *z, long ld, real *apart)
{
    pairs p = {n, ld, z, apart};
    blocks_run(c->rows / 2, blocks_size(n), apart_block, &p);
}
