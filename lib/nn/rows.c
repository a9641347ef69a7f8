#include "nn/rows.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/norm.h"
#include "kernel/vector.h"

enum { ROWS_A_TASK = 64, COLS_A_TASK = 32 };

static long blocks(long n, long size) { return (n + size - 1) / size; }

static size_t size_of(const tensor *x) { return (size_t)x->rows * (size_t)x->cols; }

static real *row(real *v, const tensor *x, int r) { return v + (size_t)r * (size_t)x->ld; }

/* ------------------------------------------------------------------------------------ gather */

typedef struct {
    tape_node node;
    tensor *x, *y;
    const int *index;
} gather_node;

static void gather_task(long task, void *context)
{
    const gather_node *n = context;
    int end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++)
        memcpy(row(n->y->v, n->y, r), row(n->x->v, n->x, n->index[r]), (size_t)n->x->cols * sizeof(real));
}

/* A stripe of columns a task: rows that are gathered twice add in order. */
static void gather_back_task(long task, void *context)
{
    const gather_node *n = context;
    int from = (int)task * COLS_A_TASK,
        to = from + COLS_A_TASK < n->x->cols ? from + COLS_A_TASK : n->x->cols;
    for (int r = 0; r < n->y->rows; r++) {
        const real *dy = row(n->y->g, n->y, r);
        real *dx = row(n->x->g, n->x, n->index[r]);
        for (int i = from; i < to; i++) dx[i] += dy[i];
    }
}

static void gather_back(tape_node *self)
{
    gather_node *n = (gather_node *)self;
    if (n->x->g) team_run(blocks(n->x->cols, COLS_A_TASK), gather_back_task, n);
}

tensor *nn_gather(tape *t, tensor *x, const int *index, int n)
{
    METER(METER_ROWS);
    gather_node *node = TAPE_NODE(t, gather_node);
    node->x = x;
    node->y = tape_tensor(t, n, x->cols);
    node->index = index;
    for (int i = 0; i < n; i++) BUG_IF(index[i] < 0 || index[i] >= x->rows);
    team_run(blocks(n, ROWS_A_TASK), gather_task, node);
    if (t->recording) tape_push(t, &node->node, gather_back);
    return node->y;
}

/* ------------------------------------------------------------------------------------ concat */

typedef struct {
    tape_node node;
    tensor *a, *b, *y;
} concat_node;

static void concat_back(tape_node *self)
{
    concat_node *n = (concat_node *)self;
    for (int r = 0; r < n->y->rows; r++) {
        const real *dy = row(n->y->g, n->y, r);
        if (n->a->g) vec_add(n->a->cols, dy, row(n->a->g, n->a, r));
        if (n->b->g) vec_add(n->b->cols, dy + n->a->cols, row(n->b->g, n->b, r));
    }
}

tensor *nn_concat(tape *t, tensor *a, tensor *b)
{
    METER(METER_ROWS);
    BUG_IF(a->rows != b->rows);
    tensor *y = tape_tensor(t, a->rows, a->cols + b->cols);
    for (int r = 0; r < y->rows; r++) {
        memcpy(row(y->v, y, r), row(a->v, a, r), (size_t)a->cols * sizeof(real));
        memcpy(row(y->v, y, r) + a->cols, row(b->v, b, r), (size_t)b->cols * sizeof(real));
    }
    if (t->recording) {
        concat_node *n = TAPE_NODE(t, concat_node);
        n->a = a;
        n->b = b;
        n->y = y;
        tape_push(t, &n->node, concat_back);
    }
    return y;
}

/* ---------------------------------------------------------------------------------- activate */

typedef struct {
    tape_node node;
    tensor *x, *y;
    const activation *f;
} activate_node;

static void activate_back(tape_node *self)
{
    activate_node *n = (activate_node *)self;
    if (n->x->g)
        n->f->backward((long)size_of(n->y), n->f->needs_input ? n->x->v : NULL, n->y->v, n->y->g, n->x->g);
}

tensor *nn_activate(tape *t, tensor *x, const activation *f)
{
    METER(METER_ACTIVATION);
    BUG_IF(x->ld != x->cols);
    tensor *y = tape_tensor(t, x->rows, x->cols);
    if (!f->needs_input) y->v = x->v;
    f->forward((long)size_of(x), x->v, y->v);
    if (t->recording) {
        activate_node *n = TAPE_NODE(t, activate_node);
        n->x = x;
        n->y = y;
        n->f = f;
        tape_push(t, &n->node, activate_back);
    }
    return y;
}

/* ----------------------------------------------------------------------- dropout and residual */

typedef struct {
    tape_node node;
    tensor *x, *residual, *y;
    real p;
    uint64_t key, place;
} dropout_node;

static void dropout_node_back(tape_node *self)
{
    dropout_node *n = (dropout_node *)self;
    if (n->x->g) dropout_back((long)size_of(n->y), n->y->g, n->p, n->key, n->place, n->x->g);
    if (n->residual && n->residual->g) vec_add((long)size_of(n->y), n->y->g, n->residual->g);
}

static tensor *drop(tape *t, tensor *residual, tensor *x, double p)
{
    METER(METER_DROPOUT);
    BUG_IF(x->ld != x->cols || (residual && (residual->ld != x->cols || residual->rows != x->rows)));
    dropout_node *n = TAPE_NODE(t, dropout_node);
    *n = (dropout_node){.x = x, .residual = residual, .p = (real)p, .key = t->seed, .place = t->place++};
    n->y = tape_tensor(t, x->rows, x->cols);
    dropout((long)size_of(x), x->v, residual ? residual->v : NULL, n->p, n->key, n->place, n->y->v);
    if (t->recording) tape_push(t, &n->node, dropout_node_back);
    return n->y;
}

tensor *nn_dropout(tape *t, tensor *x, double p) { return t->training && p > 0 ? drop(t, NULL, x, p) : x; }

tensor *nn_residual(tape *t, tensor *residual, tensor *x, double p)
{
    return drop(t, residual, x, t->training ? p : 0);
}

/* -------------------------------------------------------------------------------- layer norm */

static const real EPS = (real)1e-5;

typedef struct {
    tape_node node;
    tensor *x, *y;
    const tensor *gain, *bias;
    real *mean, *rstd; /* (rows) */
} norm_node;

static void norm_back(tape_node *self)
{
    norm_node *n = (norm_node *)self;
    BUG_IF(!n->x->g || !n->gain->g || !n->bias->g);
    layer_norm_back(n->x->rows, n->x->cols, n->x->v, n->gain->v, n->mean, n->rstd, n->y->g, n->x->g,
                    n->gain->g, n->bias->g);
}

tensor *nn_layer_norm(tape *t, tensor *x, const tensor *gain, const tensor *bias)
{
    METER(METER_NORM);
    BUG_IF(x->ld != x->cols || gain->rows != x->cols || bias->rows != x->cols);
    norm_node *n = TAPE_NODE(t, norm_node);
    n->x = x;
    n->gain = gain;
    n->bias = bias;
    n->y = tape_tensor(t, x->rows, x->cols);
    n->mean = arena_alloc(t->memory, (size_t)x->rows * sizeof(real));
    n->rstd = arena_alloc(t->memory, (size_t)x->rows * sizeof(real));
    layer_norm(x->rows, x->cols, x->v, gain->v, bias->v, EPS, n->y->v, n->mean, n->rstd);
    if (t->recording) tape_push(t, &n->node, norm_back);
    return n->y;
}
