#include "nn/rows.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/vector.h"

enum { ROWS_A_TASK = 64, COLS_A_TASK = 32 };

static long blocks(long n, long size) { return (n + size - 1) / size; }

static size_t size_of(const tensor *x) { return (size_t)x->rows * (size_t)x->cols; }

static real *row(real *v, const tensor *x, int r) { return v + (size_t)r * (size_t)x->ld; }

/* ------------------------------------------------------------------------------------ gather */

typedef struct {
    tape_node node;
    tensor *x, *y;
    int from; /* first column of x */
    const int *index;
} gather_node;

static void gather_task(long task, void *context)
{
    const gather_node *n = context;
    int end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++)
        memcpy(row(n->y->v, n->y, r), row(n->x->v, n->x, n->index[r]) + n->from,
               (size_t)n->y->cols * sizeof(real));
}

/* A stripe of columns a task: rows that are gathered twice add in order. */
static void gather_back_task(long task, void *context)
{
    const gather_node *n = context;
    int from = (int)task * COLS_A_TASK,
        to = from + COLS_A_TASK < n->y->cols ? from + COLS_A_TASK : n->y->cols;
    for (int r = 0; r < n->y->rows; r++) {
        const real *dy = row(n->y->g, n->y, r);
        real *dx = row(n->x->g, n->x, n->index[r]) + n->from;
        for (int i = from; i < to; i++) dx[i] += dy[i];
    }
}

static void gather_back(tape_node *self)
{
    gather_node *n = (gather_node *)self;
    if (tape_gradient_sum(n->x)) team_run(blocks(n->y->cols, COLS_A_TASK), gather_back_task, n);
}

tensor *nn_gather(tape *t, tensor *x, const int *index, int n)
{
    return nn_gather_cols(t, x, 0, x->cols, index, n);
}

tensor *nn_gather_cols(tape *t, tensor *x, int from, int cols, const int *index, int n)
{
    METER(METER_ROWS);
    BUG_IF(from < 0 || cols < 0 || from + cols > x->cols);
    gather_node *node = TAPE_NODE(t, gather_node);
    node->x = x;
    node->y = tape_tensor(t, n, cols);
    node->from = from;
    node->index = index;
    for (int i = 0; i < n; i++) BUG_IF(index[i] < 0 || index[i] >= x->rows);
    team_run(blocks(n, ROWS_A_TASK), gather_task, node);
    if (t->recording) tape_push_output(t, &node->node, node->y, gather_back);
    return node->y;
}

/* ------------------------------------------------------------------------------------ concat */

typedef struct {
    tape_node node;
    tensor *a, *b, *y;
} concat_node;

/* The gradient of columns from .. of y is that of x. */
static void split_back(const tensor *y, int from, tensor *x)
{
    bool add;
    if (!tape_gradient(x, &add)) return;
    for (int r = 0; r < y->rows; r++) {
        const real *dy = row(y->g, y, r) + from;
        real *dx = row(x->g, x, r);
        if (add)
            vec_add(x->cols, dy, dx);
        else
            memcpy(dx, dy, (size_t)x->cols * sizeof(real));
    }
}

static void concat_back(tape_node *self)
{
    concat_node *n = (concat_node *)self;
    split_back(n->y, 0, n->a);
    split_back(n->y, n->a->cols, n->b);
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
        tape_push_output(t, &n->node, y, concat_back);
    }
    return y;
}

/* ------------------------------------------------------------------------------- stack, add */

typedef struct {
    tape_node node;
    tensor **parts, *y;
    int n;
} stack_node;

static void stack_back(tape_node *self)
{
    stack_node *n = (stack_node *)self;
    const real *dy = n->y->g;
    for (int i = 0; i < n->n; i++) {
        tensor *x = n->parts[i];
        bool add;
        real *dx = tape_gradient(x, &add);
        if (dx && add) vec_add((long)size_of(x), dy, dx);
        if (dx && !add) memcpy(dx, dy, size_of(x) * sizeof(real));
        dy += size_of(x);
    }
}

tensor *nn_stack(tape *t, tensor *const *parts, int n)
{
    METER(METER_ROWS);
    int rows = 0;
    for (int i = 0; i < n; i++) rows += parts[i]->rows;
    stack_node *node = TAPE_NODE(t, stack_node);
    node->parts = arena_alloc(t->memory, (size_t)n * sizeof *node->parts);
    node->y = tape_tensor(t, rows, parts[0]->cols);
    node->n = n;
    real *to = node->y->v;
    for (int i = 0; i < n; i++) {
        tensor *x = node->parts[i] = parts[i];
        BUG_IF(x->cols != node->y->cols || x->ld != x->cols);
        memcpy(to, x->v, size_of(x) * sizeof(real));
        to += size_of(x);
    }
    if (t->recording) tape_push_output(t, &node->node, node->y, stack_back);
    return node->y;
}

typedef struct {
    tape_node node;
    tensor *a, *b, *y;
} add_node;

static void add_gradient(const tensor *y, tensor *x)
{
    bool add;
    real *dx = tape_gradient(x, &add);
    if (dx && add) vec_add((long)size_of(x), y->g, dx);
    if (dx && !add) memcpy(dx, y->g, size_of(x) * sizeof(real));
}

static void add_back(tape_node *self)
{
    add_node *n = (add_node *)self;
    add_gradient(n->y, n->b);
    if (!tape_hand_on(n->y, n->a)) add_gradient(n->y, n->a);
}

tensor *nn_add(tape *t, tensor *a, tensor *b)
{
    METER(METER_ROWS);
    BUG_IF(a->rows != b->rows || a->cols != b->cols || a->ld != a->cols || b->ld != b->cols);
    add_node *n = TAPE_NODE(t, add_node);
    n->a = a;
    n->b = b;
    n->y = tape_tensor(t, a->rows, a->cols);
    memcpy(n->y->v, a->v, size_of(a) * sizeof(real));
    vec_add((long)size_of(b), b->v, n->y->v);
    if (t->recording) tape_push_output(t, &n->node, n->y, add_back);
    return n->y;
}

/* -------------------------------------------------------------------------------------- mean */

typedef struct {
    tape_node node;
    tensor *x, *y;
    packed p;
} mean_node;

static void mean_task(long i, void *context)
{
    const mean_node *n = context;
    real *y = row(n->y->v, n->y, (int)i), share = 1 / (real)n->p.len[i];
    memset(y, 0, (size_t)n->y->cols * sizeof(real));
    for (int k = 0; k < n->p.len[i]; k++)
        vec_axpy(n->y->cols, share, row(n->x->v, n->x, n->p.start[i] + k), y);
}

static void mean_back_task(long i, void *context)
{
    const mean_node *n = context;
    const real *dy = row(n->y->g, n->y, (int)i);
    real share = 1 / (real)n->p.len[i];
    for (int k = 0; k < n->p.len[i]; k++)
        vec_axpy(n->y->cols, share, dy, row(n->x->g, n->x, n->p.start[i] + k));
}

static void mean_back(tape_node *self)
{
    mean_node *n = (mean_node *)self;
    if (tape_gradient_sum(n->x)) team_run(n->p.n, mean_back_task, n);
}

tensor *nn_mean(tape *t, tensor *x, const packed *p)
{
    METER(METER_ROWS);
    mean_node *n = TAPE_NODE(t, mean_node);
    n->x = x;
    n->y = tape_tensor(t, p->n, x->cols);
    n->p = *p;
    for (int i = 0; i < p->n; i++)
        BUG_IF(p->len[i] < 1 || p->start[i] < 0 || p->start[i] + p->len[i] > x->rows);
    team_run(p->n, mean_task, n);
    if (t->recording) tape_push_output(t, &n->node, n->y, mean_back);
    return n->y;
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
    const real *x = n->f->needs_input ? n->x->v : NULL;
    real *dy = n->y->g, *dx = dy;
    bool add = false;
    if (!tape_hand_on(n->y, n->x)) dx = tape_gradient(n->x, &add);
    if (dx) n->f->backward((long)size_of(n->y), x, n->y->v, dy, add, dx);
}

static void gate_back(tape_node *self)
{
    activate_node *n = (activate_node *)self;
    bool add;
    real *dx = tape_gradient(n->x, &add);
    if (dx) activation_gate_back(n->f, n->y->rows, n->y->cols, n->x->v, n->y->g, add, dx);
}

static tensor *activate_gated(tape *t, tensor *x, const activation *f)
{
    BUG_IF(x->cols % 2);
    tensor *y = tape_tensor(t, x->rows, x->cols / 2);
    activation_gate(f, y->rows, y->cols, x->v, y->v);
    if (t->recording) {
        activate_node *n = TAPE_NODE(t, activate_node);
        n->x = x;
        n->y = y;
        n->f = f;
        tape_push_output(t, &n->node, y, gate_back);
    }
    return y;
}

tensor *nn_activate(tape *t, tensor *x, const activation *f)
{
    METER(METER_ACTIVATION);
    BUG_IF(x->ld != x->cols);
    if (f->gated) return activate_gated(t, x, f);
    tensor *y = f->needs_input ? tape_tensor(t, x->rows, x->cols) : tape_same(t, x);
    f->forward((long)size_of(x), x->v, y->v);
    if (t->recording) {
        activate_node *n = TAPE_NODE(t, activate_node);
        n->x = x;
        n->y = y;
        n->f = f;
        tape_push_output(t, &n->node, y, activate_back);
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

static void drop_back(const dropout_node *n, const real *dy, bool add, real *dx)
{
    dropout((long)size_of(n->y), dy, add ? dx : NULL, n->p, n->key, n->place, dx);
}

static void dropout_node_back(tape_node *self)
{
    dropout_node *n = (dropout_node *)self;
    real *dy = n->y->g, *dx = dy;
    bool add = false;
    if (!tape_hand_on(n->y, n->x)) dx = tape_gradient(n->x, &add);
    if (dx) drop_back(n, dy, add, dx);
}

static void residual_back(tape_node *self)
{
    dropout_node *n = (dropout_node *)self;
    bool add;
    real *dy = n->y->g, *dx = tape_gradient(n->x, &add);
    if (dx) drop_back(n, dy, add, dx);
    if (tape_hand_on(n->y, n->residual)) return;
    real *dresidual = tape_gradient(n->residual, &add);
    BUG_IF(!add);
    if (dresidual) vec_add((long)size_of(n->y), dy, dresidual);
}

static dropout_node *dropout_node_new(tape *t, tensor *x, double p)
{
    BUG_IF(x->ld != x->cols);
    dropout_node *n = TAPE_NODE(t, dropout_node);
    n->x = x;
    n->p = (real)tape_dropout(t, p);
    n->key = t->seed;
    n->place = t->place++;
    return n;
}

static tensor *drop(tape *t, tensor *x, tensor *y, double p)
{
    METER(METER_DROPOUT);
    dropout_node *n = dropout_node_new(t, x, p);
    n->y = y;
    dropout((long)size_of(x), x->v, NULL, n->p, n->key, n->place, n->y->v);
    if (t->recording) tape_push_output(t, &n->node, n->y, dropout_node_back);
    return n->y;
}

static bool drops(const tape *t, double p) { return tape_dropout(t, p) > 0; }

tensor *nn_dropout(tape *t, tensor *x, double p)
{
    return drops(t, p) ? drop(t, x, tape_tensor(t, x->rows, x->cols), p) : x;
}

tensor *nn_dropout_over(tape *t, tensor *x, double p)
{
    return drops(t, p) ? drop(t, x, tape_same(t, x), p) : x;
}

tensor *nn_residual(tape *t, tensor *residual, tensor *x, double p)
{
    METER(METER_DROPOUT);
    BUG_IF(residual->ld != x->cols || residual->rows != x->rows);
    dropout_node *n = dropout_node_new(t, x, p);
    n->residual = residual;
    n->y = tape_same(t, x);
    dropout((long)size_of(x), x->v, residual->v, n->p, n->key, n->place, n->y->v);
    if (t->recording) tape_push_output(t, &n->node, n->y, residual_back);
    return n->y;
}

/* -------------------------------------------------------------------------------------- norm */

static const real EPS = (real)1e-5;

typedef struct {
    dropout_node sum; /* what is normalised: x, or residual + dropout(x) in the place of x */
    const norm_kind *kind;
    const tensor *gain, *bias;
    real *mean, *rstd; /* (rows) */
} norm_node;

static norm_node *norm_node_new(tape *t, const norm_kind *kind, tensor *x, const tensor *gain,
                                const tensor *bias)
{
    BUG_IF(x->ld != x->cols || gain->rows != x->cols || kind->has_bias != (bias != NULL));
    BUG_IF(bias && bias->rows != x->cols);
    norm_node *n = TAPE_NODE(t, norm_node);
    n->sum.x = x;
    n->sum.y = tape_tensor(t, x->rows, x->cols);
    n->kind = kind;
    n->gain = gain;
    n->bias = bias;
    n->mean = arena_alloc(t->memory, (size_t)x->rows * sizeof(real));
    n->rstd = arena_alloc(t->memory, (size_t)x->rows * sizeof(real));
    return n;
}

static real *values(const tensor *x) { return x ? x->v : NULL; }

static real *gradients(const tensor *x) { return x ? x->g : NULL; }

static void norm_back(tape_node *self)
{
    norm_node *n = (norm_node *)self;
    tensor *x = n->sum.x, *y = n->sum.y;
    real *dy = y->g, *dx = dy;
    bool add = false;
    if (!tape_hand_on(y, x)) dx = tape_gradient(x, &add);
    BUG_IF(!dx || !n->gain->g || (n->bias && !n->bias->g));
    norm_rows_back(n->kind, x->rows, x->cols, x->v, n->gain->v, n->mean, n->rstd, dy, add, dx, n->gain->g,
                   gradients(n->bias));
}

tensor *nn_norm(tape *t, const norm_kind *kind, tensor *x, const tensor *gain, const tensor *bias)
{
    METER(METER_NORM);
    norm_node *n = norm_node_new(t, kind, x, gain, bias);
    norm_rows(kind, x->rows, x->cols, x->v, gain->v, values(bias), EPS, n->sum.y->v, n->mean, n->rstd);
    if (t->recording) tape_push_output(t, &n->sum.node, n->sum.y, norm_back);
    return n->sum.y;
}

static void residual_norm_node_back(tape_node *self)
{
    norm_node *n = (norm_node *)self;
    dropout_node *s = &n->sum;
    bool add, add_residual = true;
    real *dy = s->y->g, *df = tape_gradient(s->x, &add), *dx = NULL;
    BUG_IF(!df || !n->gain->g || (n->bias && !n->bias->g));
    if (!tape_hand_on(s->y, s->residual)) dx = tape_gradient(s->residual, &add_residual);
    BUG_IF(!add_residual);
    residual_norm_back(n->kind, s->x->rows, s->x->cols, s->x->v, n->gain->v, n->mean, n->rstd, dy, s->p,
                       s->key, s->place, add, df, dx, n->gain->g, gradients(n->bias));
}

tensor *nn_residual_norm(tape *t, const norm_kind *kind, tensor *residual, tensor *x, double p,
                         const tensor *gain, const tensor *bias)
{
    METER(METER_NORM);
    BUG_IF(residual->ld != x->cols || residual->rows != x->rows);
    norm_node *n = norm_node_new(t, kind, x, gain, bias);
    dropout_node *s = &n->sum;
    s->residual = residual;
    s->p = (real)tape_dropout(t, p);
    s->key = t->seed;
    s->place = t->place++;
    residual_norm(kind, x->rows, x->cols, residual->v, x->v, s->p, s->key, s->place, gain->v, values(bias),
                  EPS, s->y->v, n->mean, n->rstd);
    if (t->recording) tape_push_output(t, &s->node, s->y, residual_norm_node_back);
    return s->y;
}
