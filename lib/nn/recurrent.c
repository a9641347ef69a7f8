#include "nn/recurrent.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/vector.h"
#include "nn/attention.h"
#include "tensor/weights.h"

/* ------------------------------------------------------------------------------------ layout */

static int *ints(tape *t, int n) { return arena_alloc(t->memory, (size_t)n * sizeof(int)); }

/* Counting sort by length, longest first, equal ones in their order. */
static void rank_by_length(const packed *s, int longest, int *order, int *count)
{
    memset(count, 0, (size_t)(longest + 2) * sizeof *count);
    for (int i = 0; i < s->n; i++) count[s->len[i]]++;
    for (int l = longest - 1; l >= 0; l--) count[l] += count[l + 1]; /* count[l]: sequences of length >= l */
    for (int i = s->n - 1; i >= 0; i--) order[--count[s->len[i]]] = i;
}

static int longest_of(const packed *s)
{
    int longest = 0;
    for (int i = 0; i < s->n; i++) {
        BUG_IF(s->len[i] < 1);
        if (s->len[i] > longest) longest = s->len[i];
    }
    return longest;
}

const time_major *time_major_new(tape *t, const packed *s)
{
    time_major *m = arena_zalloc(t->memory, sizeof *m);
    int steps = longest_of(s), rows = 0;
    for (int i = 0; i < s->n; i++) rows += s->len[i];
    int *order = ints(t, s->n), *rank = ints(t, s->n), *len = ints(t, s->n), *last = ints(t, s->n);
    int *active = ints(t, steps + 2), *offset = ints(t, steps + 1), *from = ints(t, rows),
        *to = ints(t, rows);
    rank_by_length(s, steps, order, active);
    for (int r = 0; r < s->n; r++) {
        rank[order[r]] = r;
        len[r] = s->len[order[r]];
    }
    for (int i = 0, row = 0, n = s->n; i < steps; i++) {
        while (n > 0 && len[n - 1] <= i) n--;
        active[i] = n;
        offset[i] = row;
        for (int r = 0; r < n; r++, row++) {
            from[row] = s->start[order[r]] - s->start[0] + i;
            to[from[row]] = row;
            last[r] = row;
        }
        offset[i + 1] = row;
    }
    *m = (time_major){s->n, steps, rows, order, rank, len, active, offset, from, to, last};
    return m;
}

/* ------------------------------------------------------------------------------------ driver */

/* One run over a batch. The rows of w_hh are S gates whose gradient by the state side is that by the input
 * side, and K others: the own gates of the cell (kernel/cell.h), then the query. */
typedef struct {
    tape_node node;
    const cell *cell;
    const time_major *m;
    bool reverse;
    long H, G, W, S, K; /* hidden units; G*H; rows of w_hh */
    tensor *x, *h0, *c0, *h, *c, *ctx;
    int column; /* of h: where the states begin */
    recurrent_weights w;
    recurrent_attention a; /* a.kind NULL: none */
    real *query;  /* (rows, A) where it is not in `beside`, or backward needs it to the end; else NULL */
    real *gates;  /* (rows, G) input side, then gates, then gradient by the input side */
    real *beside; /* (rows, K) state side of own gates, query; then their gradients; NULL if K is 0 */
    real *gh;     /* (n, W) state side of one step */
    real *zeros;  /* (n, H) state before the first step; NULL if there is one */
    real *p;      /* attention: probabilities, ragged */
    int *e_start; /* (rows) */
    bool keeps;   /* `beside` and `query` of all steps; else of one */
    arena *memory;
} run;

/* "Before" is the step that a step's state comes from: t - 1, or t + 1 in reverse. Its block holds `shared`
 * of the step's sequences (the first ones); the others start here, from h0. */
typedef struct {
    int t, row, n;                  /* step, its first row, its sequences */
    int before, before_row, shared; /* before -1: none */
} step;

static step step_at(const run *r, int i)
{
    const time_major *m = r->m;
    int t = r->reverse ? m->steps - 1 - i : i;
    step s = {.t = t, .row = m->offset[t], .n = m->active[t], .before = -1};
    if (i > 0) {
        s.before = r->reverse ? t + 1 : t - 1;
        s.before_row = m->offset[s.before];
        s.shared = r->reverse ? m->active[s.before] : s.n;
    }
    return s;
}

static real *at(real *base, long row, long width) { return base ? base + (size_t)row * (size_t)width : NULL; }

static real *reals(arena *memory, long rows, long cols)
{
    return arena_alloc(memory, (size_t)rows * (size_t)cols * sizeof(real));
}

static real *zeros(arena *memory, long rows, long cols)
{
    return arena_zalloc(memory, (size_t)rows * (size_t)cols * sizeof(real));
}

static real *state_at(const run *r, real *base, long row)
{
    return base ? at(base, row, r->h->ld) + r->column : NULL;
}

/* Sequences first .. first + n of a step, whose states before lie together, ld apart (c: H apart). */
typedef struct {
    long first, n, ld;
    bool nothing; /* the state before is zero */
    real *h, *c, *dh, *dc;
} part;

static part part_of_states(const run *r, const step *s)
{
    return (part){.n = s->shared,
                  .ld = r->h->ld,
                  .h = state_at(r, r->h->v, s->before_row),
                  .dh = state_at(r, r->h->g, s->before_row),
                  .c = r->c ? at(r->c->v, s->before_row, r->H) : NULL,
                  .dc = r->c ? at(r->c->g, s->before_row, r->H) : NULL};
}

static part part_of_start(const run *r, const step *s)
{
    part p = {.first = s->shared, .n = s->n - s->shared, .ld = r->H, .nothing = !r->h0};
    p.h = r->h0 ? at(r->h0->v, s->shared, r->H) : r->zeros;
    p.c = r->c0 ? at(r->c0->v, s->shared, r->H) : r->zeros;
    p.dh = r->h0 ? at(r->h0->g, s->shared, r->H) : NULL;
    p.dc = r->c0 ? at(r->c0->g, s->shared, r->H) : NULL;
    return p;
}

static int parts_of(const run *r, const step *s, part parts[2])
{
    int n = 0;
    if (s->shared > 0) parts[n++] = part_of_states(r, s);
    if (s->shared < s->n) parts[n++] = part_of_start(r, s);
    return n;
}

static cell_step cell_rows(const run *r, const step *s, const part *p)
{
    long row = s->row + p->first, H = r->H;
    return (cell_step){.rows = p->n,
                       .H = H,
                       .gates = at(r->gates, row, r->G),
                       .own = at(r->beside, r->keeps ? row : p->first, r->K),
                       .gh = at(r->gh, p->first, r->W),
                       .h = state_at(r, r->h->v, row),
                       .c = r->c ? at(r->c->v, row, H) : NULL,
                       .h_prev = p->h,
                       .c_prev = p->c,
                       .dh = state_at(r, r->h->g, row),
                       .dc = r->c ? at(r->c->g, row, H) : NULL,
                       .dh_prev = p->dh,
                       .dc_prev = p->dc,
                       .ld_gates = r->G,
                       .ld_own = r->K,
                       .ld_gh = r->W,
                       .ld_h = r->h->ld,
                       .ld_prev = p->ld};
}

/* The query in `beside`, (n, A), K apart: where it comes from W_hh, and its gradient goes. */
static real *linear_query(const run *r, const step *s)
{
    return at(r->beside, r->keeps ? s->row : 0, r->K) + (r->G - r->S);
}

/* The query that energies read, (n, A), *ld apart. */
static real *query_of_step(const run *r, const step *s, long *ld)
{
    *ld = r->query ? r->a.width : r->K;
    return r->query ? at(r->query, r->keeps ? s->row : 0, r->a.width) : linear_query(r, s);
}

static attention_step attention_of(const run *r, const step *s)
{
    attention_step as = {.at = {s->n, r->a.memory.start, r->a.memory.len, r->e_start + s->row, r->a.place},
                         .A = r->a.width,
                         .C = r->a.values->cols};
    as.query = query_of_step(r, s, &as.ldq);
    return as;
}

/* The states that ask: all of a step lie together, since attention runs forward only. */
static part asking(const run *r, const step *s)
{
    return s->before < 0 ? part_of_start(r, s) : part_of_states(r, s);
}

/* query := [s s ..] */
static void ask_by_state(const run *r, const step *s, real *query, long ld)
{
    part p = asking(r, s);
    for (long k = 0; k < s->n; k++)
        for (long i = 0; i < r->a.width; i += r->H)
            memcpy(at(query, k, ld) + i, at(p.h, k, p.ld), (size_t)r->H * sizeof(real));
}

static void ask_by_state_back(const run *r, const step *s, real *dquery)
{
    part p = asking(r, s);
    for (long k = 0; p.dh && k < s->n; k++)
        for (long i = 0; i < r->a.width; i += r->H)
            vec_add(r->H, at(dquery, k, r->a.width) + i, at(p.dh, k, p.ld));
}

static void ask(const run *r, const step *s)
{
    long ld;
    real *query = query_of_step(r, s, &ld);
    if (r->a.kind->query == QUERY_STATE) {
        ask_by_state(r, s, query, ld);
        return;
    }
    for (int k = 0; k < s->n; k++)
        memcpy(at(query, k, ld), at(r->gh, k, r->W) + r->G, (size_t)r->a.width * sizeof(real));
    if (r->a.w_in)
        weights_forward(r->a.w_in, s->n, at(r->x->v, s->row, r->x->ld), r->x->ld, NULL, true, query, ld);
}

/* e = energies, p = softmax(e), ctx = sum p values, gates += W_ctx ctx */
static void attend_step(const run *r, const step *s)
{
    METER(METER_RECURRENT_ATTENTION);
    attention_step as = attention_of(r, s);
    real *ctx = at(r->ctx->v, s->row, as.C);
    ask(r, s);
    r->a.kind->energies(&as, &r->a, r->p);
    ragged_softmax(&as.at, r->p);
    weighted_sum(&as.at, as.C, r->p, r->a.values->v, ctx, as.C);
    weights_forward(r->a.w_ctx, s->n, ctx, as.C, NULL, true, at(r->gates, s->row, r->G), r->G);
}

/* gh := W_hh h + b, where h may be nothing. */
static void state_side(const run *r, const part *p)
{
    const tensor *w = r->w.w_hh, *b = r->w.b_hh;
    real *gh = at(r->gh, p->first, r->W);
    if (!p->nothing) {
        weights_forward(w, p->n, p->h, p->ld, b->v, false, gh, r->W);
        return;
    }
    for (long k = 0; k < p->n; k++) memcpy(at(gh, k, r->W), b->v, (size_t)r->W * sizeof(real));
}

static void forward_step(const run *r, const step *s)
{
    part parts[2];
    int n = parts_of(r, s, parts);
    for (int i = 0; i < n; i++) state_side(r, &parts[i]);
    if (r->a.kind) attend_step(r, s);
    for (int i = 0; i < n; i++) {
        cell_step c = cell_rows(r, s, &parts[i]);
        cell_forward(r->cell, &c);
    }
}

/* ---------------------------------------------------------------------------------- backward */

typedef struct {
    real *dgh;     /* (n, W) of one step: gradient of W_hh h + b */
    real *nowhere; /* (n, H) takes gradients of starting states that nobody asks for */
    real *de;      /* ragged */
    real *dquery;  /* (n, A) of one step, where it does not go to `beside` */
    real *dv_rows; /* (n, A) */
    real *dx;      /* as x; NULL if nobody wants it */
    bool add_dx;
} run_gradients;

static void attend_step_back(const run *r, const step *s, run_gradients *g)
{
    METER(METER_RECURRENT_ATTENTION);
    attention_step as = attention_of(r, s);
    real *dctx = at(r->ctx->g, s->row, as.C);
    weights_backward(r->a.w_ctx, s->n, at(r->gates, s->row, r->G), r->G, true, dctx, as.C);
    weighted_sum_back(&as.at, as.C, r->a.values->v, dctx, as.C, g->de);
    ragged_softmax_back(&as.at, r->p, g->de);
    if (r->a.kind->query != QUERY_STATE) {
        r->a.kind->energies_back(&as, &r->a, g->de, linear_query(r, s), r->K, g->dv_rows);
        return;
    }
    r->a.kind->energies_back(&as, &r->a, g->de, g->dquery, as.A, g->dv_rows);
    ask_by_state_back(r, s, g->dquery);
}

/* The gradient of the state side of a step, (n, W), *ld apart. */
static const real *state_side_gradient(const run *r, const step *s, const run_gradients *g, long *ld)
{
    const real *gates = at(r->gates, s->row, r->G);
    *ld = r->W;
    if (r->K == 0) return gates; /* G = W */
    for (int k = 0; k < s->n; k++) {
        real *row = at(g->dgh, k, r->W);
        memcpy(row, gates + k * r->G, (size_t)r->S * sizeof(real));
        memcpy(row + r->S, at(r->beside, s->row + k, r->K), (size_t)r->K * sizeof(real));
    }
    return g->dgh;
}

static void backward_step(const run *r, const step *s, run_gradients *g)
{
    part parts[2];
    long ld;
    int n = parts_of(r, s, parts);
    for (int i = 0; i < n; i++) {
        cell_step c = cell_rows(r, s, &parts[i]);
        if (!c.dh_prev) c.dh_prev = g->nowhere;
        if (!c.dc_prev) c.dc_prev = g->nowhere;
        cell_backward(r->cell, &c);
    }
    if (r->a.kind) attend_step_back(r, s, g);
    const real *dgh = state_side_gradient(r, s, g, &ld);
    for (int i = 0; i < n; i++) {
        const part *p = &parts[i];
        if (p->dh) weights_backward(r->w.w_hh, p->n, dgh + p->first * ld, ld, true, p->dh, p->ld);
    }
}

/* The states before rows from .. to, in one matrix (to - from, H). */
static real *states_before(const run *r, int from, int to)
{
    real *all = reals(r->memory, to - from, r->H);
    for (int i = 0; i < r->m->steps; i++) {
        part parts[2];
        step s = step_at(r, i);
        if (s.row < from || s.row >= to) continue;
        int n = parts_of(r, &s, parts);
        for (int k = 0; k < n; k++)
            for (long j = 0; j < parts[k].n; j++)
                memcpy(at(all, s.row - from + parts[k].first + j, r->H), at(parts[k].h, j, parts[k].ld),
                       (size_t)r->H * sizeof(real));
    }
    return all;
}

/* Rows from .. from + n of a weight matrix, to add a gradient to. */
static tensor rows_of(const tensor *w, long from, long n)
{
    return (tensor){.rows = (int)n, .cols = w->cols, .ld = w->ld, .g = at(w->g, from, w->ld)};
}

/* dW_hh += dgh^T h, where the states before the first step, if they are zero, are left out. */
static void state_weight_gradients(const run *r)
{
    const time_major *m = r->m;
    int from = r->h0 || r->reverse ? 0 : m->offset[1];
    int to = r->h0 || !r->reverse ? m->rows : m->offset[m->steps - 1];
    tensor shared = rows_of(r->w.w_hh, 0, r->S), beside = rows_of(r->w.w_hh, r->S, r->K);
    real *before = states_before(r, from, to);
    weights_gradient(&shared, to - from, at(r->gates, from, r->G), r->G, before, r->H);
    if (r->K == 0) return;
    weights_gradient(&beside, to - from, at(r->beside, from, r->K), r->K, before, r->H);
    col_sum(m->rows, r->K, r->beside, r->K, r->w.b_hh->g + r->S);
}

/* What can wait for the last step. The words of rank r are rows to[from[r]] .. of the layout. */
static void attention_gradients(const run *r, const run_gradients *g)
{
    METER(METER_RECURRENT_ATTENTION);
    const time_major *m = r->m;
    long A = r->a.width, C = r->ctx->cols;
    const query_keys at = {m->rows, r->a.memory.start, r->a.memory.len, r->e_start, r->a.place};
    weighted_sum_values_back(&at, m->n, m->from, m->len, m->to, C, r->p, r->ctx->g, C, r->a.values->g);
    if (r->a.kind->products)
        weighted_sum_values_back(&at, m->n, m->from, m->len, m->to, A, g->de, r->query, A, r->a.keys->g);
    weights_gradient(r->a.w_ctx, m->rows, r->gates, r->G, r->ctx->v, C);
    if (r->a.v) col_sum(m->n, A, g->dv_rows, A, r->a.v->g);
}

/* Of the query's share of the input. */
static void query_input_gradients(const run *r, const run_gradients *g)
{
    const tensor *x = r->x;
    const real *dquery = r->beside + (r->G - r->S);
    weights_gradient(r->a.w_in, x->rows, dquery, r->K, x->v, x->ld);
    if (g->dx) weights_backward(r->a.w_in, x->rows, dquery, r->K, true, g->dx, x->ld);
}

static void input_gradients(const run *r, const run_gradients *g)
{
    METER(METER_LINEAR);
    const tensor *x = r->x;
    weights_gradient(r->w.w_ih, x->rows, r->gates, r->G, x->v, x->ld);
    if (g->dx) weights_backward(r->w.w_ih, x->rows, r->gates, r->G, g->add_dx, g->dx, x->ld);
    if (r->a.w_in) query_input_gradients(r, g);
}

/* Both biases of a gate have the same gradient, but for own gates. */
static void bias_gradients(const run *r)
{
    real *sums = zeros(r->memory, 1, r->G);
    col_sum(r->m->rows, r->G, r->gates, r->G, sums);
    vec_add(r->G, sums, r->w.b_ih->g);
    vec_add(r->S, sums, r->w.b_hh->g);
}

static long n_energies(const run *r)
{
    long n = 0;
    for (int k = 0; k < r->m->n; k++) n += (long)r->m->len[k] * r->a.memory.len[k];
    return n;
}

/* What is added to must be there, even if nobody has given it anything. */
static void ask_for_gradients(const run *r)
{
    tensor *all[] = {r->h, r->c, r->ctx, r->h0, r->c0, r->a.keys, r->a.values};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tape_gradient_sum(all[i]);
}

static void backward(tape_node *self)
{
    run *r = (run *)self;
    run_gradients g = {.dx = NULL};
    g.dx = tape_gradient(r->x, &g.add_dx);
    ask_for_gradients(r);
    arena_mark mark = arena_save(r->memory);
    g.nowhere = zeros(r->memory, r->m->n, r->H);
    if (r->K) g.dgh = reals(r->memory, r->m->n, r->W);
    if (r->a.kind) {
        g.de = reals(r->memory, n_energies(r), 1);
        if (r->a.v) g.dv_rows = zeros(r->memory, r->m->n, r->a.width);
        if (r->a.kind->query == QUERY_STATE) g.dquery = reals(r->memory, r->m->n, r->a.width);
    }
    for (int i = r->m->steps - 1; i >= 0; i--) {
        step s = step_at(r, i);
        backward_step(r, &s, &g);
    }
    state_weight_gradients(r);
    if (r->a.kind) attention_gradients(r, &g);
    input_gradients(r, &g);
    bias_gradients(r);
    arena_restore(r->memory, mark);
    if (r->column == 0) tape_release(r->h);
    if (r->c) tape_release(r->c);
    if (r->ctx) tape_release(r->ctx);
}

/* ------------------------------------------------------------------------------------- set up */

static void check_attention(const run *r, const recurrent_attention *a)
{
    const attention *k = a->kind;
    BUG_IF(r->reverse || r->W != r->G + attention_query_rows(k, a->width));
    BUG_IF(k->query == QUERY_STATE && a->width % r->H != 0);
    BUG_IF((k->query == QUERY_LINEAR_INPUT) != (a->w_in != NULL) || k->vector != (a->v != NULL));
    BUG_IF((k->keys == KEYS_NONE) != !a->keys || (a->keys && a->keys->cols != a->width));
}

static void set_up_attention(run *r, tape *t, const recurrent_attention *a)
{
    check_attention(r, a);
    r->a = *a;
    if (a->kind->query == QUERY_STATE || (a->kind->products && r->keeps))
        r->query = reals(t->memory, r->keeps ? r->m->rows : r->m->n, a->width);
    r->ctx = tape_tensor(t, r->m->rows, a->values->cols);
    r->e_start = ints(t, r->m->rows);
    int next = 0;
    for (int i = 0; i < r->m->steps; i++)
        for (int k = 0; k < r->m->active[i]; k++) {
            r->e_start[r->m->offset[i] + k] = next;
            next += a->memory.len[k];
        }
    r->p = reals(t->memory, next, 1);
}

static void set_up_memory(run *r, tape *t, const recurrent_place *into)
{
    int rows = r->m->rows, n = r->m->n;
    r->h = into ? into->h : tape_tensor(t, rows, (int)r->H);
    r->column = into ? into->column : 0;
    if (r->cell->has_memory) r->c = tape_tensor(t, rows, (int)r->H);
    r->gates = reals(t->memory, rows, r->G);
    if (r->K) r->beside = reals(t->memory, r->keeps ? rows : n, r->K);
    if (!r->h0 || (r->c && !r->c0)) r->zeros = zeros(t->memory, n, r->H);
}

enum { ROWS_A_TASK = 64 };

typedef struct {
    const run *r;
    const real *of_distinct;
} input_copy;

static void copy_task(long task, void *context)
{
    const input_copy *c = context;
    const run *r = c->r;
    int end = (int)(task + 1) * ROWS_A_TASK;
    for (int i = (int)task * ROWS_A_TASK; i < end && i < r->x->rows; i++)
        memcpy(r->gates + (size_t)i * (size_t)r->G, c->of_distinct + (size_t)r->x->which[i] * (size_t)r->G,
               (size_t)r->G * sizeof(real));
}

/* Of words that are the same once. */
static void input_of_distinct(const run *r)
{
    const tensor *x = r->x->distinct;
    arena_mark mark = arena_save(r->memory);
    real *product = reals(r->memory, x->rows, r->G);
    input_copy c = {r, product};
    weights_forward(r->w.w_ih, x->rows, x->v, x->ld, r->w.b_ih->v, false, product, r->G);
    team_run((r->x->rows + ROWS_A_TASK - 1) / ROWS_A_TASK, copy_task, &c);
    arena_restore(r->memory, mark);
}

static void input_side(const run *r)
{
    METER(METER_LINEAR);
    if (r->x->distinct) {
        input_of_distinct(r);
        return;
    }
    weights_forward(r->w.w_ih, r->x->rows, r->x->v, r->x->ld, r->w.b_ih->v, false, r->gates, r->G);
}

static void forward(run *r)
{
    arena_mark mark = arena_save(r->memory);
    r->gh = reals(r->memory, r->m->n, r->W);
    input_side(r);
    for (int i = 0; i < r->m->steps; i++) {
        step s = step_at(r, i);
        forward_step(r, &s);
    }
    arena_restore(r->memory, mark);
    r->gh = NULL;
}

recurrent_states nn_recurrent(tape *t, const cell *kind, const time_major *layout, bool reverse, tensor *x,
                              const recurrent_weights *w, tensor *h0, tensor *c0,
                              const recurrent_attention *asks, const recurrent_place *into)
{
    METER(METER_CELL);
    run *r = TAPE_NODE(t, run);
    long H = w->w_hh->cols, G = kind->gates * H, W = w->w_hh->rows, S = G - kind->own * H;
    BUG_IF(x->rows != layout->rows || x->cols != w->w_ih->cols || w->w_ih->rows != G || w->b_hh->rows != W);
    BUG_IF(!asks && W != G);
    BUG_IF((h0 && (h0->rows != layout->n || h0->ld != H)) || (c0 && (c0->rows != layout->n || c0->ld != H)));
    BUG_IF(into && (into->h->rows != layout->rows || into->column + H > into->h->cols));
    *r = (run){.cell = kind, .m = layout, .reverse = reverse, .H = H, .G = G, .W = W, .S = S, .K = W - S};
    r->x = x, r->w = *w, r->h0 = h0, r->c0 = c0, r->keeps = t->recording, r->memory = t->memory;
    set_up_memory(r, t, into);
    if (asks) set_up_attention(r, t, asks);
    forward(r);
    if (t->recording) tape_push(t, &r->node, backward);
    return (recurrent_states){r->h, r->c, r->ctx, r->p, r->e_start};
}
