#include "nn/loss.h"

#include "base/error.h"
#include "base/meter.h"
#include "kernel/softmax.h"
#include "kernel/vector.h"
#include "tensor/weights.h"

/* Rows a block: enough for the products to run at full speed, few enough for the logits to stay in cache. */
enum { BLOCK = 256 };

static void gradients(const tensor *x, bool add, const tensor *w, const tensor *b, int from, int n,
                      const real *dz)
{
    METER_BACK(METER_LOSS);
    real *dx = x->g + (size_t)from * (size_t)x->ld;
    const real *xv = x->v + (size_t)from * (size_t)x->ld;
    weights_backward(w, n, dz, w->rows, add, dx, x->ld);
    weights_gradient(w, n, dz, w->rows, xv, x->ld);
    if (b) col_sum(n, w->rows, dz, w->rows, b->g);
}

loss_sums nn_loss(tape *t, tensor *x, const tensor *w, const tensor *b, const int *targets, double smoothing,
                  double scale)
{
    METER(METER_LOSS);
    BUG_IF(x->cols != w->cols || (b && b->rows != w->rows));
    loss_sums sums = {0, 0};
    bool add;
    if (t->recording) BUG_IF(!tape_gradient(x, &add));
    arena_mark mark = arena_save(t->memory);
    real *z = arena_alloc(t->memory, sizeof(real) * BLOCK * (size_t)w->rows);
    double loss[BLOCK], nll[BLOCK];
    for (int from = 0; from < x->rows; from += BLOCK) {
        int n = x->rows - from < BLOCK ? x->rows - from : BLOCK;
        const real *xv = x->v + (size_t)from * (size_t)x->ld;
        weights_forward(w, n, xv, x->ld, b ? b->v : NULL, false, z, w->rows);
        cross_entropy(n, w->rows, z, w->rows, targets + from, (real)smoothing, t->recording, (real)scale,
                      loss, nll);
        for (int i = 0; i < n; i++) {
            sums.loss += loss[i];
            sums.nll += nll[i];
        }
        if (t->recording) gradients(x, add, w, b, from, n, z);
    }
    arena_restore(t->memory, mark);
    return sums;
}
