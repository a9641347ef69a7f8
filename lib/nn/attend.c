#include "nn/attend.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"

typedef struct {
    tape_node node;
    tensor *q, *kv, *y;
    int d;
    attend_shape shape;
} attend_node;

/* Where keys begin in a row of kv; values are d further on. */
static int keys_at(const tensor *q, const tensor *kv, int d) { return q == kv ? d : 0; }

/* Memory that two asked for and only one was given clean. */
static void clear(const tensor *x)
{
    for (int r = 0; r < x->rows; r++)
        memset(x->g + (size_t)r * (size_t)x->ld, 0, (size_t)x->cols * sizeof(real));
}

static void backward(tape_node *self)
{
    attend_node *n = (attend_node *)self;
    tensor *q = n->q, *kv = n->kv;
    bool add_q, add;
    real *dq = tape_gradient(q, &add_q), *dkv = q == kv ? dq : tape_gradient(kv, &add);
    if (q == kv) add = add_q;
    if (add && !add_q) clear(q);
    if (add_q && !add) clear(kv);
    int k = keys_at(q, kv, n->d), v = k + n->d;
    attend_back(&n->shape, q->v, kv->v + k, kv->v + v, n->y->g, add || add_q, dq, dkv + k, dkv + v);
}

tensor *nn_attend(tape *t, tensor *q, tensor *kv, const packed *queries, const packed *keys, int n_heads,
                  bool causal, double dropout)
{
    METER(METER_ATTENTION);
    int d = kv->cols / (q == kv ? 3 : 2), k = keys_at(q, kv, d), v = k + d;
    BUG_IF(queries->n != keys->n || d % n_heads || k + 2 * d != kv->cols || q->cols < d);
    BUG_IF(t->recording && q != kv && q->cols != d); /* every element of a gradient is written */
    attend_node *n = TAPE_NODE(t, attend_node);
    n->q = q;
    n->kv = kv;
    n->d = d;
    n->y = tape_tensor(t, q->rows, d);
    n->shape = (attend_shape){.n_seqs = queries->n,
                              .n_heads = n_heads,
                              .head_dim = d / n_heads,
                              .q_start = queries->start,
                              .q_len = queries->len,
                              .k_start = keys->start,
                              .k_len = keys->len,
                              .causal = causal,
                              .ldq = q->ld,
                              .ldk = kv->ld,
                              .ldv = kv->ld,
                              .ldy = n->y->ld,
                              .dropout = (real)tape_dropout(t, dropout),
                              .key = t->seed,
                              .place = t->place++};
    attend(&n->shape, q->v, kv->v + k, kv->v + v, n->y->v);
    if (t->recording) tape_push_output(t, &n->node, n->y, backward);
    return n->y;
}

tensor *nn_attend_rows(tape *t, tensor *q, tensor *kv, const key_rows *at, int n_heads)
{
    METER(METER_ATTENTION);
    int d = kv->cols / 2;
    BUG_IF(t->recording || kv->cols != 2 * d || d % n_heads || q->cols < d);
    tensor *y = tape_tensor(t, q->rows, d);
    const attend_rows_shape s = {.rows = q->rows,
                                 .n_heads = n_heads,
                                 .head_dim = d / n_heads,
                                 .start = at->start,
                                 .len = at->len,
                                 .place = at->place,
                                 .ldq = q->ld,
                                 .ldk = kv->ld,
                                 .ldv = kv->ld,
                                 .ldy = y->ld};
    attend_rows(&s, q->v, kv->v, kv->v + d, y->v);
    return y;
}
