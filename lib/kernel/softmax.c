#include "kernel/softmax.h"

#include "base/error.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

typedef struct {
    long cols, ld;
    real *x;
    const int *targets;
    real smoothing, scale;
    bool gradient;
    double *loss, *nll;
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

static void cross_entropy_block(long first, long end, void *context)
{
    const rows_of *c = context;
    for (long r = first; r < end; r++) {
        BUG_IF(c->targets[r] < 0 || c->targets[r] >= c->cols);
        loops()->softmax->cross_entropy(c->cols, c->x + r * c->ld, c->targets[r], c->smoothing, c->gradient,
                                        c->scale, c->loss + r, c->nll + r);
    }
}

void cross_entropy(long rows, long classes, real *z, long ld, const int *targets, real smoothing,
                   bool gradient, real scale, double *loss, double *nll)
{
    rows_of c = {classes, ld, z, targets, smoothing, scale, gradient, loss, nll};
    blocks_run(rows, blocks_size(2 * EXP_COST * classes), cross_entropy_block, &c);
}
