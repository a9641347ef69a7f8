#include "nn/linear.h"

#include "base/error.h"
#include "base/meter.h"
#include "kernel/vector.h"
#include "tensor/weights.h"

typedef struct {
    tape_node node;
    tensor *x, *y;
    const tensor *w, *b;
} linear_node;

/* dx += dy W, dW += dy^T x, db += sum of dy over rows */
static void backward(tape_node *self)
{
    linear_node *n = (linear_node *)self;
    tensor *x = n->x;
    const tensor *y = n->y, *w = n->w;
    bool add;
    real *dx = tape_gradient(x, &add);
    if (dx) weights_backward(w, x->rows, y->g, y->ld, add, dx, x->ld);
    if (w->g) weights_gradient(w, x->rows, y->g, y->ld, x->v, x->ld);
    if (n->b && n->b->g) col_sum(y->rows, y->cols, y->g, y->ld, n->b->g);
}

static void record(tape *t, tensor *y, bool made, tensor *x, const tensor *w, const tensor *b)
{
    if (!t->recording) return;
    linear_node *n = TAPE_NODE(t, linear_node);
    n->x = x;
    n->y = y;
    n->w = w;
    n->b = b;
    tape_push_output(t, &n->node, made ? y : NULL, backward);
}

tensor *nn_linear(tape *t, tensor *x, const tensor *w, const tensor *b)
{
    METER(METER_LINEAR);
    BUG_IF(x->cols != w->cols || (b && b->rows != w->rows));
    tensor *y = tape_tensor(t, x->rows, w->rows);
    weights_forward(w, x->rows, x->v, x->ld, b ? b->v : NULL, false, y->v, y->ld);
    record(t, y, true, x, w, b);
    return y;
}

tensor *nn_linear_add(tape *t, tensor *y, tensor *x, const tensor *w)
{
    METER(METER_LINEAR);
    BUG_IF(x->cols != w->cols || y->cols != w->rows || x->rows != y->rows);
    weights_forward(w, x->rows, x->v, x->ld, NULL, true, y->v, y->ld);
    record(t, y, false, x, w, NULL);
    return y;
}
