#include "nn/recurrent.h"

#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "kernel/additive.h"
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

/* One run over a batch. "Before" is the step that a step's state comes from: t - 1, or t + 1 in reverse. Its
 * block holds `shared` of the step's sequences (the first ones); the others start here, from h0. */
typedef struct {
    tape_node node;
    const cell *cell;
    const time_major *m;
    bool reverse;
    long H, G, W; /* hidden units; gate rows G*H; rows of w_hh: gates and query */
    tensor *gx, *h0, *c0, *h, *c, *ctx;
    const tensor *w, *b;
    recurrent_attention a; /* a.kind NULL: none */
    real *h_prev, *c_prev; /* (rows, H) state before each step */
    real *kept;            /* (rows, kept*H) of the cell; NULL without recording */
    real *w_h;             /* (rows, W) W_hh h + b; without recording one step's */
    real *p;               /* attention: probabilities, ragged */
    int *e_start;          /* (rows) */
    arena *memory;
} run;

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

/* prev (n, H) of a step := states of the step before, then starting states. */
static void load_before(const step *s, long H, const real *states, const tensor *start, real *prev)
{
    size_t known = (size_t)s->shared * (size_t)H, rest = (size_t)(s->n - s->shared) * (size_t)H;
    if (s->before >= 0) memcpy(prev, states + (size_t)s->before_row * (size_t)H, known * sizeof(real));
    if (start)
        memcpy(prev + known, start->v + known, rest * sizeof(real));
    else
        memset(prev + known, 0, rest * sizeof(real));
}

/* The gradient of prev goes where load_before took it from. */
static void add_before(const step *s, long H, const real *dprev, real *dstates, const tensor *start)
{
    size_t known = (size_t)s->shared * (size_t)H, rest = (size_t)(s->n - s->shared) * (size_t)H;
    if (s->before >= 0) vec_add((long)known, dprev, dstates + (size_t)s->before_row * (size_t)H);
    if (start && start->g) vec_add((long)rest, dprev + known, start->g + known);
}

static attention_step attention_of(const run *r, const step *s)
{
    return (attention_step){.rows = s->n,
                            .A = r->a.width,
                            .C = r->a.values->cols,
                            .query = at(r->w_h, r->kept ? s->row : 0, r->W) + r->G,
                            .ldq = r->W,
                            .k_start = r->a.memory.start,
                            .k_len = r->a.memory.len,
                            .e_start = r->e_start + s->row};
}

/* e = energies, p = softmax(e), ctx = sum p values, gx += W_ctx ctx */
static void attend_step(const run *r, const step *s)
{
    METER(METER_RECURRENT_ATTENTION);
    attention_step as = attention_of(r, s);
    const tensor *w = r->a.w_ctx;
    real *ctx = at(r->ctx->v, s->row, as.C);
    r->a.kind->energies(&as, &r->a, r->p);
    ragged_softmax(s->n, as.e_start, as.k_len, r->p);
    weighted_sum(s->n, as.C, r->p, as.e_start, r->a.values->v, as.k_start, as.k_len, ctx, as.C);
    weights_forward(w, s->n, ctx, as.C, NULL, true, at(r->gx->v, s->row, r->G), r->G);
}

static void forward_step(const run *r, const step *s)
{
    long H = r->H;
    real *h_prev = at(r->h_prev, s->row, H), *c_prev = at(r->c_prev, s->row, H);
    real *w_h = at(r->w_h, r->kept ? s->row : 0, r->W);
    load_before(s, H, r->h->v, r->h0, h_prev);
    if (r->c) load_before(s, H, r->c->v, r->c0, c_prev);
    weights_forward(r->w, s->n, h_prev, H, r->b->v, false, w_h, r->W);
    if (r->a.kind) attend_step(r, s);
    r->cell->forward(s->n, H, at(r->gx->v, s->row, r->G), r->G, w_h, r->W, h_prev, c_prev,
                     at(r->h->v, s->row, H), r->c ? at(r->c->v, s->row, H) : NULL,
                     at(r->kept, s->row, r->cell->kept * H));
}

/* ---------------------------------------------------------------------------------- backward */

typedef struct {
    real *dw_h;           /* (rows, W) gradient of W_hh h + b; gates and query */
    real *dh, *dctx, *de; /* of one step: (n, H), (n, C), ragged */
    real *dv_rows;        /* (n, A) */
} run_gradients;

static void attend_step_back(const run *r, const step *s, run_gradients *g)
{
    METER(METER_RECURRENT_ATTENTION);
    attention_step as = attention_of(r, s);
    const tensor *w = r->a.w_ctx;
    real *dctx = at(r->ctx->g, s->row, as.C);
    weights_backward(w, s->n, at(r->gx->g, s->row, r->G), r->G, true, dctx, as.C);
    weighted_sum_back(s->n, as.C, r->p, as.e_start, r->a.values->v, as.k_start, as.k_len, dctx, as.C, g->de,
                      r->a.values->g);
    ragged_softmax_back(s->n, as.e_start, as.k_len, r->p, g->de);
    r->a.kind->energies_back(&as, &r->a, g->de, at(g->dw_h, s->row, r->W) + r->G, r->W, g->dv_rows);
}

static void backward_step(const run *r, const step *s, run_gradients *g)
{
    long H = r->H;
    real *dgx = at(r->gx->g, s->row, r->G), *dw_h = at(g->dw_h, s->row, r->W);
    real *dc = r->c ? at(r->c->g, s->row, H) : NULL;
    r->cell->backward(s->n, H, at(r->kept, s->row, r->cell->kept * H), at(r->h->v, s->row, H),
                      at(r->h_prev, s->row, H), r->c ? at(r->c->v, s->row, H) : NULL,
                      at(r->c_prev, s->row, H), at(r->h->g, s->row, H), dc, dgx, r->G, dw_h, r->W, g->dh);
    if (!r->cell->split)
        for (int i = 0; i < s->n; i++)
            memcpy(at(dw_h, i, r->W), at(dgx, i, r->G), (size_t)r->G * sizeof(real));
    if (r->a.kind) attend_step_back(r, s, g);
    weights_backward(r->w, s->n, dw_h, r->W, true, g->dh, H);
    add_before(s, H, g->dh, r->h->g, r->h0);
    if (r->c) add_before(s, H, dc, r->c->g, r->c0);
}

static void weight_gradients(const run *r, const run_gradients *g)
{
    long rows = r->m->rows;
    weights_gradient(r->w, rows, g->dw_h, r->W, r->h_prev, r->H);
    col_sum(rows, r->W, g->dw_h, r->W, r->b->g);
    if (!r->a.kind) return;
    long C = r->ctx->cols;
    weights_gradient(r->a.w_ctx, rows, r->gx->g, r->G, r->ctx->v, C);
    col_sum(r->m->n, r->a.width, g->dv_rows, r->a.width, r->a.v->g);
}

static real *reals(arena *memory, long rows, long cols)
{
    return arena_alloc(memory, (size_t)rows * (size_t)cols * sizeof(real));
}

static long n_energies(const run *r)
{
    long n = 0;
    for (int k = 0; k < r->m->n; k++) n += (long)r->m->len[k] * r->a.memory.len[k];
    return n;
}

static void backward(tape_node *self)
{
    run *r = (run *)self;
    arena_mark mark = arena_save(r->memory);
    run_gradients g = {.dw_h = reals(r->memory, r->m->rows, r->W), .dh = reals(r->memory, r->m->n, r->H)};
    if (r->a.kind) {
        g.de = reals(r->memory, n_energies(r), 1);
        g.dv_rows = arena_zalloc(r->memory, (size_t)r->m->n * (size_t)r->a.width * sizeof(real));
    }
    for (int i = r->m->steps - 1; i >= 0; i--) {
        step s = step_at(r, i);
        backward_step(r, &s, &g);
    }
    weight_gradients(r, &g);
    arena_restore(r->memory, mark);
}

/* ------------------------------------------------------------------------------------- set up */

static void set_up_attention(run *r, tape *t, const recurrent_attention *a)
{
    r->a = *a;
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

static void set_up_states(run *r, tape *t)
{
    long rows = r->m->rows;
    r->h = tape_tensor(t, r->m->rows, (int)r->H);
    r->h_prev = reals(t->memory, rows, r->H);
    if (r->cell->has_memory) {
        r->c = tape_tensor(t, r->m->rows, (int)r->H);
        r->c_prev = reals(t->memory, rows, r->H);
    }
    if (t->recording) r->kept = reals(t->memory, rows, r->cell->kept * r->H);
    r->w_h = reals(t->memory, r->kept ? rows : r->m->n, r->W);
}

recurrent_states nn_recurrent(tape *t, const cell *kind, const time_major *layout, bool reverse, tensor *gx,
                              const tensor *w_hh, const tensor *b_hh, tensor *h0, tensor *c0,
                              const recurrent_attention *asks)
{
    METER(METER_CELL);
    run *r = TAPE_NODE(t, run);
    r->cell = kind;
    r->m = layout;
    r->reverse = reverse;
    r->H = w_hh->cols;
    r->G = kind->gates * r->H;
    r->W = w_hh->rows;
    r->gx = gx;
    r->h0 = h0;
    r->c0 = c0;
    r->w = w_hh;
    r->b = b_hh;
    r->memory = t->memory;
    BUG_IF(gx->rows != layout->rows || gx->cols != r->G || gx->ld != r->G || b_hh->rows != r->W);
    BUG_IF(r->W != r->G + (asks ? asks->width : 0) || (asks && reverse));
    BUG_IF((h0 && (h0->rows != layout->n || h0->ld != r->H)) ||
           (c0 && (c0->rows != layout->n || c0->ld != r->H)));
    set_up_states(r, t);
    if (asks) set_up_attention(r, t, asks);
    for (int i = 0; i < layout->steps; i++) {
        step s = step_at(r, i);
        forward_step(r, &s);
    }
    if (t->recording) tape_push(t, &r->node, backward);
    return (recurrent_states){r->h, r->c, r->ctx};
}
