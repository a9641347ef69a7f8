#include "nn/attend.h"

#include "base/error.h"
#include "base/meter.h"

typedef struct {
    tape_node node;
    tensor *q, *k, *v, *y;
    attend_shape shape;
} attend_node;

static void backward(tape_node *self)
{
    attend_node *n = (attend_node *)self;
    attend_back(&n->shape, n->q->v, n->k->v, n->v->v, n->y->g, true, n->q->g, n->k->g, n->v->g);
}

tensor *nn_attend(tape *t, tensor *q, tensor *k, tensor *v, const packed *queries, const packed *keys,
                  int n_heads, bool causal, double dropout)
{
    METER(METER_ATTENTION);
    BUG_IF(queries->n != keys->n || q->cols % n_heads || q->cols != k->cols || q->cols != v->cols);
    attend_node *n = TAPE_NODE(t, attend_node);
    n->q = q;
    n->k = k;
    n->v = v;
    n->y = tape_tensor(t, q->rows, q->cols);
    n->shape = (attend_shape){.n_seqs = queries->n,
                              .n_heads = n_heads,
                              .head_dim = q->cols / n_heads,
                              .q_start = queries->start,
                              .q_len = queries->len,
                              .k_start = keys->start,
                              .k_len = keys->len,
                              .causal = causal,
                              .ldq = q->ld,
                              .ldk = k->ld,
                              .ldv = v->ld,
                              .ldy = n->y->ld,
                              .dropout = t->training ? (real)dropout : 0,
                              .key = t->seed,
                              .place = t->place++};
    attend(&n->shape, q->v, k->v, v->v, n->y->v);
    if (t->recording) tape_push(t, &n->node, backward);
    return n->y;
}
