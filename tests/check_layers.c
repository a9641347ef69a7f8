/* Cases of layers: recurrent, additive attention, multi-head attention, Transformer layers. */
#include <stdio.h>
#include <string.h>

#include "kernel/additive.h"
#include "nn/attend.h"
#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/recurrent.h"
#include "nn/rows.h"
#include "vectors.h"

/* ---------------------------------------------------------------------------- recurrent layers */

typedef struct {
    const cell *cell;
    int n, steps, input, hidden, layers, directions;
    sequences seqs;
    const time_major *layout;
    tensor *w[64][4]; /* of layer * directions + direction: weight_ih, weight_hh, bias_ih, bias_hh */
    tensor *h0, *c0;  /* (layers * directions * n, hidden) as in the file */
    real *hn, *cn;    /* the same */
    tensor *dhn, *dcn;
    double loss, scale; /* sum of y * dy, of |y * dy| */
} rnn_run;

static const char *const rnn_weights[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

static const char *rnn_name(char out[64], const rnn_run *r, int which, int k)
{
    snprintf(out, 64, "w.%s_l%d%s", rnn_weights[k], which / r->directions,
             which % r->directions ? "_reverse" : "");
    return out;
}

/* The cell that the file's name names: rnn_CELL_... */
static const cell *rnn_cell(vec_case *c)
{
    char name[32];
    const char *from = c->name + strlen("rnn_");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(from, "_"), from);
    const cell *found = cell_find(name);
    if (!found) case_stop(c, "cell %s is not built", name);
    return found;
}

static void rnn_read_weights(vec_case *c, rnn_run *r)
{
    char name[64];
    for (int i = 0; i < r->layers * r->directions; i++) {
        for (int k = 0; k < 4; k++) r->w[i][k] = case_weight(c, rnn_name(name, r, i, k));
        int in = i < r->directions ? r->input : r->hidden * r->directions, gates = r->cell->gates * r->hidden;
        if (r->w[i][0]->rows != gates || r->w[i][0]->cols != in || r->w[i][1]->rows != gates ||
            r->w[i][1]->cols != r->hidden)
            case_stop(c, "weights of layer %d have the wrong shape", i / r->directions);
    }
}

static void rnn_read(vec_case *c, rnn_run *r)
{
    const vec *x = case_vec(c, "x", 3), *h0 = case_vec(c, "h0", 3);
    *r = (rnn_run){
        .cell = rnn_cell(c), .n = (int)x->dims[0], .steps = (int)x->dims[1], .input = (int)x->dims[2]};
    r->hidden = (int)h0->dims[2];
    r->layers = (int)case_number(c, "layers");
    r->directions = (int)case_number(c, "directions");
    if (r->layers * r->directions != h0->dims[0] || h0->dims[0] > 64) case_stop(c, "h0 has the wrong shape");
    r->seqs = case_sequences(c, r->n, r->steps, case_ints(c, "lengths", r->n));
    r->layout = time_major_new(c->t, &r->seqs.at);
    long states = (long)r->layers * r->directions * r->n;
    r->h0 = case_input(c, "h0", states, r->hidden);
    r->dhn = case_input(c, "dhn", states, r->hidden);
    r->hn = arena_alloc(c->t->memory, (size_t)states * (size_t)r->hidden * sizeof(real));
    r->cn = arena_alloc(c->t->memory, (size_t)states * (size_t)r->hidden * sizeof(real));
    if (r->cell->has_memory) {
        r->c0 = case_input(c, "c0", states, r->hidden);
        r->dcn = case_input(c, "dcn", states, r->hidden);
    }
    rnn_read_weights(c, r);
}

/* Rows of layer and direction `which` of a state (layers * directions * n, hidden), by rank. */
static tensor *by_rank(vec_case *c, const rnn_run *r, tensor *states, int which)
{
    return states ? nn_gather(c->t, tape_rows(c->t, states, which * r->n, r->n), r->layout->order, r->n)
                  : NULL;
}

/* The last states of a direction into `out` (layers * directions * n, hidden), and their incoming gradients
 * into those of h. */
static void rnn_last(rnn_run *r, tensor *h, int which, bool reverse, const tensor *dlast, real *out)
{
    for (int rank = 0; rank < r->n; rank++) {
        long from = (long)(reverse ? rank : r->layout->last[rank]) * r->hidden;
        long to = ((long)which * r->n + r->layout->order[rank]) * r->hidden;
        for (int k = 0; k < r->hidden; k++) {
            double product = (double)h->v[from + k] * (double)dlast->v[to + k];
            out[to + k] = h->v[from + k];
            h->g[from + k] += dlast->v[to + k];
            r->loss += product;
            r->scale += product < 0 ? -product : product;
        }
    }
}

static tensor *rnn_direction(vec_case *c, rnn_run *r, tensor *x, int which)
{
    tensor **w = r->w[which];
    bool reverse = which % r->directions == 1;
    tensor *h0 = by_rank(c, r, r->h0, which), *c0 = by_rank(c, r, r->c0, which);
    const recurrent_weights weights = {w[0], w[2], w[1], w[3]};
    recurrent_states s = nn_recurrent(c->t, r->cell, r->layout, reverse, x, &weights, h0, c0, NULL, NULL);
    rnn_last(r, s.h, which, reverse, r->dhn, r->hn);
    if (s.c) rnn_last(r, s.c, which, reverse, r->dcn, r->cn);
    return s.h;
}

static void rnn_compare(vec_case *c, const rnn_run *r, const tensor *x)
{
    char name[64];
    long states = (long)r->layers * r->directions * r->n * r->hidden;
    case_compare(c, "hn", r->hn, states);
    if (r->c0) case_compare(c, "cn", r->cn, states);
    case_compare_number(c, "loss", r->loss, r->scale);
    case_compare_packed(c, "grad.x", &r->seqs, x->g, r->input, r->input);
    case_compare_gradient(c, "h0", r->h0);
    if (r->c0) case_compare_gradient(c, "c0", r->c0);
    for (int i = 0; i < r->layers * r->directions; i++) {
        for (int k = 0; k < 4; k++) case_compare_gradient(c, rnn_name(name, r, i, k), r->w[i][k]);
    }
}

void rnn_case(vec_case *c)
{
    rnn_run r;
    rnn_read(c, &r);
    tensor *x = case_packed(c, "x", &r.seqs, r.input);
    tensor *y = nn_gather(c->t, x, r.layout->from, r.layout->rows);
    for (int l = 0; l < r.layers; l++) {
        tensor *forward = rnn_direction(c, &r, y, l * r.directions);
        y = r.directions == 1 ? forward : nn_concat(c->t, forward, rnn_direction(c, &r, y, l * 2 + 1));
    }
    y = nn_gather(c->t, y, r.layout->to, r.layout->rows);
    case_compare_packed(c, "y", &r.seqs, y->v, y->cols, y->ld);
    case_incoming(c, y, case_packed(c, "dy", &r.seqs, y->cols), &r.loss, &r.scale);
    tape_backward(c->t);
    rnn_compare(c, &r, x);
}

/* --------------------------------------------------------------------------- additive attention */

typedef struct {
    int n, queries, steps, A, C;
    sequences keys;
    tensor *q, *k, *values; /* W query + b; W keys; the keys as they are */
    tensor *v;              /* (A, 1) */
    tensor *context;        /* (n * queries, C) */
    real *alpha, *e, *de, *dquery, *dv_rows;
    int *e_start; /* (n) */
    int *rows;    /* (n) row of query i of each sentence */
} additive_run;

/* Step i of a decoder: query i of every sentence. */
static attention_step additive_step(const additive_run *a, int i)
{
    return (attention_step){.at = {a->n, a->keys.start, a->keys.len, a->e_start, NULL},
                            .A = a->A,
                            .C = a->C,
                            .query = a->q->v + (long)i * a->A,
                            .ldq = (long)a->queries * a->A};
}

static void additive_forward(additive_run *a, const attention *kind, const recurrent_attention *ra, int i)
{
    attention_step s = additive_step(a, i);
    kind->energies(&s, ra, a->e);
    ragged_softmax(&s.at, a->e);
    weighted_sum(&s.at, a->C, a->e, a->values->v, a->context->v + (long)i * a->C, (long)a->queries * a->C);
    for (int b = 0; b < a->n; b++)
        memcpy(a->alpha + ((long)b * a->queries + i) * a->steps, a->e + a->e_start[b],
               (size_t)a->keys.len[b] * sizeof(real));
}

static void additive_backward(additive_run *a, const attention *kind, const recurrent_attention *ra, int i)
{
    attention_step s = additive_step(a, i);
    for (int b = 0; b < a->n; b++)
        memcpy(a->e + a->e_start[b], a->alpha + ((long)b * a->queries + i) * a->steps,
               (size_t)a->keys.len[b] * sizeof(real));
    weighted_sum_back(&s.at, a->C, a->values->v, a->context->g + (long)i * a->C, (long)a->queries * a->C,
                      a->de);
    ragged_softmax_back(&s.at, a->e, a->de);
    kind->energies_back(&s, ra, a->de, a->q->g + (long)i * a->A, (long)a->queries * a->A, a->dv_rows);
}

/* Gradients of the values, by all queries. */
static void values_backward(vec_case *c, additive_run *a)
{
    int rows = a->n * a->queries,
        *ints = arena_alloc(c->t->memory, (size_t)(2 * rows + 2 * a->n) * sizeof(int));
    int *row = ints, *e_start = ints + rows, *start = e_start + rows, *len = start + a->n;
    for (int i = 0; i < rows; i++) row[i] = i, e_start[i] = i * a->steps;
    for (int b = 0; b < a->n; b++) start[b] = b * a->queries, len[b] = a->queries;
    const query_keys at = {rows, a->keys.start, a->keys.len, e_start, NULL};
    weighted_sum_values_back(&at, a->n, start, len, row, a->C, a->alpha, a->context->g, a->C, a->values->g);
}

static additive_run additive_read(vec_case *c)
{
    const vec *q = case_vec(c, "query", 3), *k = case_vec(c, "keys", 3);
    additive_run a = {.n = (int)q->dims[0], .queries = (int)q->dims[1], .steps = (int)k->dims[1]};
    a.C = (int)k->dims[2];
    a.v = case_weight(c, "w.v");
    a.A = a.v->rows;
    a.keys = case_sequences(c, a.n, a.steps, case_ints(c, "lengths", a.n));
    arena *m = c->t->memory;
    a.alpha = arena_zalloc(m, (size_t)(a.n * a.queries * a.steps) * sizeof(real));
    a.e = arena_zalloc(m, (size_t)a.keys.rows * sizeof(real));
    a.de = arena_zalloc(m, (size_t)a.keys.rows * sizeof(real));
    a.dv_rows = arena_zalloc(m, (size_t)(a.n * a.A) * sizeof(real));
    a.e_start = a.keys.start; /* energies lie as the keys do */
    a.context = tape_tensor(c->t, a.n * a.queries, a.C);
    return a;
}

static void compare_v(vec_case *c, const additive_run *a)
{
    for (int b = 0; b < a->n; b++) {
        for (int k = 0; k < a->A; k++) a->v->g[k] += a->dv_rows[b * a->A + k];
    }
    case_compare_gradient(c, "w.v", a->v);
}

void additive_attention_case(vec_case *c)
{
    additive_run a = additive_read(c);
    const attention *kind = attention_find("additive");
    tensor *query = case_input(c, "query", (long)a.n * a.queries, case_vec(c, "query", 3)->dims[2]);
    tensor *wq = case_weight(c, "w.wq"), *bq = case_weight(c, "w.bq"), *wk = case_weight(c, "w.wk");
    double loss = 0, scale = 0;
    a.values = case_packed(c, "keys", &a.keys, a.C);
    a.q = nn_linear(c->t, query, wq, bq);
    a.k = nn_linear(c->t, a.values, wk, NULL);
    recurrent_attention ra = {
        .kind = kind, .v = a.v, .keys = a.k, .values = a.values, .memory = a.keys.at, .width = a.A};
    for (int i = 0; i < a.queries; i++) additive_forward(&a, kind, &ra, i);
    case_compare(c, "alpha", a.alpha, (long)a.n * a.queries * a.steps);
    case_compare(c, "context", a.context->v, (long)a.n * a.queries * a.C);
    case_incoming(c, a.context, case_input(c, "dcontext", (long)a.n * a.queries, a.C), &loss, &scale);
    case_compare_number(c, "loss", loss, scale);
    for (int i = a.queries - 1; i >= 0; i--) additive_backward(&a, kind, &ra, i);
    values_backward(c, &a);
    tape_backward(c->t);
    case_compare_gradient(c, "query", query);
    case_compare_packed(c, "grad.keys", &a.keys, a.values->g, a.C, a.C);
    case_compare_gradient(c, "w.wq", wq);
    case_compare_gradient(c, "w.bq", bq);
    case_compare_gradient(c, "w.wk", wk);
    compare_v(c, &a);
}
