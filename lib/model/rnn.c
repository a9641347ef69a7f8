/* Recurrent encoder-decoders: without attention (Sutskever et al. 2014; Cho et al. 2014) and with attention
 * between the encoder states and the first decoder layer (Bahdanau et al. 2015).
 *
 * Encoder: embeddings, then layers of one or two directions, outputs side by side. The last states of encoder
 * layer l start decoder layer l, through tanh(bridge) where the widths differ or there is an attention; the
 * second state of an LSTM goes through the same matrix without tanh. Without attention: layers over the
 * target embeddings (with `every-step` next to the encoder's top state), output layer on the top state, or on
 * its readout tanh(R s). With attention: the readout is tanh(Rs s + Re e + Rc c). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernel/cell.h"
#include "model/model.h"
#include "model/words.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/recurrent.h"
#include "nn/rows.h"

extern const model_class model_rnn;

enum { MAX_LAYERS = 32 };

typedef recurrent_weights layer;

typedef struct {
    tensor *w, *b;
} matrix;

typedef struct {
    net_config c;
    const cell *cell;
    const attention *attention; /* NULL: none */
    const activation *tanh;
    int H, C; /* state; encoder output */
    bool every_step;
    double dropout_emb;
    tensor *src_emb, *tgt_emb, *out, *bias;
    layer enc[MAX_LAYERS][2], dec[MAX_LAYERS];
    matrix bridge[MAX_LAYERS]; /* w NULL: states are copied */
    tensor *w_ctx, *w_key, *v; /* attention; the first decoder layer's w_hh also makes the query */
    tensor *r_ctx, *r_emb;
    matrix readout; /* w NULL: none */
} rnn;

/* ----------------------------------------------------------------------------------- building */

static tensor *add(params *p, int rows, int cols, enum init_kind init, double gain, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static tensor *add(params *p, int rows, int cols, enum init_kind init, double gain, const char *format, ...)
{
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return params_add(p, name, rows, cols, init, gain);
}

/* As PyTorch starts them: a linear layer by its input width, a recurrent one by its state width. */
static double by_width(int n) { return 1 / sqrt(n); }

static layer add_layer(params *p, const char *prefix, const char *suffix, int in, int H, int gates)
{
    double u = by_width(H);
    return (layer){add(p, gates * H, in, INIT_UNIFORM, u, "%s.weight_ih_%s", prefix, suffix),
                   add(p, gates * H, 1, INIT_UNIFORM, u, "%s.bias_ih_%s", prefix, suffix),
                   add(p, gates * H, H, INIT_UNIFORM, u, "%s.weight_hh_%s", prefix, suffix),
                   add(p, gates * H, 1, INIT_UNIFORM, u, "%s.bias_hh_%s", prefix, suffix)};
}

static matrix add_matrix(params *p, const char *name, int out, int in)
{
    return (matrix){add(p, out, in, INIT_UNIFORM, by_width(in), "%s.weight", name),
                    add(p, out, 1, INIT_ZERO, 0, "%s.bias", name)};
}

static void build_encoder(rnn *n, params *p)
{
    int directions = n->c.bidirectional ? 2 : 1;
    for (int l = 0; l < n->c.enc_layers; l++)
        for (int d = 0; d < directions; d++) {
            char suffix[24];
            snprintf(suffix, sizeof suffix, "l%d%s", l, d ? "_reverse" : "");
            n->enc[l][d] = add_layer(p, "encoder.rnn", suffix, l ? n->C : n->c.d_emb, n->H, n->cell->gates);
        }
    if (directions == 1 && !n->attention) return;
    for (int l = 0; l < n->c.dec_layers; l++) {
        char name[24];
        snprintf(name, sizeof name, "bridge.%d", l);
        n->bridge[l] = add_matrix(p, name, n->H, n->C);
    }
}

static void build_attention(rnn *n, params *p)
{
    int G = n->cell->gates * n->H, A = n->c.d_attention, R = n->c.d_readout, E = n->c.d_emb;
    matrix w_emb = add_matrix(p, "w_emb", G, E);
    n->w_ctx = add(p, G, n->C, INIT_UNIFORM, by_width(n->C), "w_ctx.weight");
    matrix w_state = add_matrix(p, "w_state", G + A, n->H);
    n->dec[0] = (layer){w_emb.w, w_emb.b, w_state.w, w_state.b};
    n->w_key = add(p, A, n->C, INIT_UNIFORM, by_width(n->C), "w_key.weight");
    n->v = add(p, A, 1, INIT_UNIFORM, by_width(A), "v");
    n->readout = add_matrix(p, "r_state", R, n->H);
    n->r_emb = add(p, R, E, INIT_UNIFORM, by_width(E), "r_emb.weight");
    n->r_ctx = add(p, R, n->C, INIT_UNIFORM, by_width(n->C), "r_ctx.weight");
}

static void build_decoder(rnn *n, params *p)
{
    int first = 0;
    if (n->attention) {
        build_attention(n, p);
        first = 1; /* layers above the first take no part in the attention */
    } else if (n->c.d_readout) {
        n->readout = add_matrix(p, "readout", n->c.d_readout, n->H);
    }
    for (int l = first; l < n->c.dec_layers; l++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, "l%d", l - first);
        int in = l ? n->H : n->c.d_emb + (n->every_step ? n->C : 0);
        n->dec[l] = add_layer(p, first ? "upper" : "rnn", suffix, in, n->H, n->cell->gates);
    }
}

static void *build(const net_config *c, params *p)
{
    rnn *n = xcalloc(1, sizeof *n);
    n->c = *c;
    n->cell = cell_find(c->cell);
    n->attention = attention_find(c->attention);
    n->tanh = activation_find("tanh");
    n->H = c->d_model;
    n->C = c->d_model * (c->bidirectional ? 2 : 1);
    n->every_step = !n->attention && strcmp(c->context, "every-step") == 0;
    n->dropout_emb = c->dropout_emb < 0 ? c->dropout : c->dropout_emb;
    bool tied = strcmp(c->tie, "none") != 0, tied_src = strcmp(c->tie, "all") == 0;
    int width = c->d_readout ? c->d_readout : n->H;
    n->out = tied ? params_add(p, "out", c->tgt_vocab, width, INIT_NORMAL, 0.1)
                  : params_add(p, "out", c->tgt_vocab, width, INIT_UNIFORM, by_width(width));
    n->bias = params_add(p, "bias", c->tgt_vocab, 1, INIT_ZERO, 0);
    n->src_emb = tied_src
                     ? n->out
                     : params_add_table(p, "encoder.emb.weight", c->src_vocab, c->d_emb, INIT_NORMAL, 0.1);
    n->tgt_emb =
        tied ? n->out : params_add_table(p, "tgt_emb.weight", c->tgt_vocab, c->d_emb, INIT_NORMAL, 0.1);
    build_encoder(n, p);
    build_decoder(n, p);
    return n;
}

static int check(const net_config *c)
{
    if (!cell_find(c->cell)) return fail("--cell %s: there is no such cell", c->cell);
    bool attends = strcmp(c->attention, "none") != 0;
    if (attends && !attention_find(c->attention))
        return fail("--attention %s: there is no such attention", c->attention);
    if (c->d_emb < 1) return fail("--d-emb %d: must be at least 1", c->d_emb);
    if (c->enc_layers > MAX_LAYERS || c->dec_layers > MAX_LAYERS)
        return fail("--enc-layers and --dec-layers: at most %d for recurrent networks", MAX_LAYERS);
    if (strcmp(c->context, "init") && strcmp(c->context, "every-step"))
        return fail("--context %s: must be init or every-step", c->context);
    if (attends && (c->d_attention < 1 || c->d_readout < 1))
        return fail("--attention %s needs --d-attention and --d-readout of at least 1", c->attention);
    int width = c->d_readout ? c->d_readout : c->d_model;
    if (strcmp(c->tie, "none") && width != c->d_emb)
        return fail("--tie %s needs --d-readout (here %d) equal to --d-emb (%d)", c->tie, width, c->d_emb);
    return 0;
}

/* ------------------------------------------------------------------------------------ encoder */

/* What the encoder leaves: states of all words by time-major row of m, last states by rank. */
typedef struct {
    const time_major *m;
    tensor *states;                        /* (rows, C) */
    tensor *h[MAX_LAYERS], *c[MAX_LAYERS]; /* (n, C) last states a layer */
} encoded;

static const int *gather_ints(tape *t, const int *values, const int *index, int n)
{
    int *out = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) out[i] = values[index[i]];
    return out;
}

static tensor *join(tape *t, tensor *a, tensor *b) { return b ? nn_concat(t, a, b) : a; }

static const int *first_rows_of(tape *t, int n)
{
    int *index = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) index[i] = i;
    return index;
}

/* Both directions write their states side by side. */
static void encode_layer(const rnn *n, tape *t, int l, tensor *x, encoded *e)
{
    tensor *last_h[2] = {NULL}, *last_c[2] = {NULL};
    e->states = tape_tensor(t, e->m->rows, n->C);
    for (int d = 0; d < (n->c.bidirectional ? 2 : 1); d++) {
        const recurrent_place place = {e->states, d * n->H};
        const int *last = d ? first_rows_of(t, e->m->n) : e->m->last;
        recurrent_states s = nn_recurrent(t, n->cell, e->m, d, x, &n->enc[l][d], NULL, NULL, NULL, &place);
        last_h[d] = nn_gather_cols(t, s.h, place.column, n->H, last, e->m->n);
        if (s.c) last_c[d] = nn_gather(t, s.c, last, e->m->n);
    }
    e->h[l] = join(t, last_h[0], last_h[1]);
    if (last_c[0]) e->c[l] = join(t, last_c[0], last_c[1]);
}

static encoded encode(const rnn *n, tape *t, const words *src)
{
    encoded e = {.m = time_major_new(t, &src->p)};
    const int *ids = gather_ints(t, src->ids, e.m->from, src->rows);
    e.states = nn_dropout_over(t, nn_embed(t, n->src_emb, ids, src->rows, 1, NULL, NULL), n->dropout_emb);
    for (int l = 0; l < n->c.enc_layers; l++)
        encode_layer(n, t, l, l ? nn_dropout(t, e.states, n->c.dropout) : e.states, &e);
    return e;
}

/* ------------------------------------------------------------------------------------ decoder */

/* What a decoder run starts from; the rows of all are the sequences of its layout, by rank. */
typedef struct {
    tensor *h[MAX_LAYERS], *c[MAX_LAYERS]; /* (n, H) */
    tensor *context;                       /* (n, C): encoder's top state, for every-step */
    tensor *keys, *values;                 /* attention: by time-major row of the encoder */
    packed memory;                         /* (n) words of the sources, sentence-major, */
    const int *place;                      /* and the rows where they lie */
} start_states;

/* index[r]: rank in the encoder's order of the sentence of row r. */
static start_states bridge(const rnn *n, tape *t, const encoded *e, const packed *src, const int *index,
                           int rows)
{
    start_states s = {.context = NULL};
    for (int l = 0; l < n->c.dec_layers; l++) {
        int from = l < n->c.enc_layers ? l : n->c.enc_layers - 1;
        const matrix *b = &n->bridge[l];
        s.h[l] = nn_gather(t, e->h[from], index, rows);
        if (b->w) s.h[l] = nn_activate(t, nn_linear(t, s.h[l], b->w, b->b), n->tanh);
        if (!e->c[from]) continue;
        s.c[l] = nn_gather(t, e->c[from], index, rows);
        if (b->w) s.c[l] = nn_linear(t, s.c[l], b->w, b->b);
    }
    if (n->every_step) s.context = nn_gather(t, e->h[n->c.enc_layers - 1], index, rows);
    if (n->attention) {
        const int *sentence = gather_ints(t, e->m->order, index, rows);
        s.values = e->states;
        s.place = e->m->to;
        s.keys = nn_linear(t, s.values, n->w_key, NULL);
        s.memory = (packed){rows, gather_ints(t, src->start, sentence, rows),
                            gather_ints(t, src->len, sentence, rows)};
    }
    return s;
}

/* The last hidden layer of every word of the layout; the states after the run replace s->h and s->c (one-step
 * layouts only: search). ids by time-major row. */
static tensor *decode(const rnn *n, tape *t, const time_major *m, const int *ids, start_states *s)
{
    tensor *emb = nn_dropout_over(t, nn_embed(t, n->tgt_emb, ids, m->rows, 1, NULL, NULL), n->dropout_emb);
    tensor *x = emb, *ctx = NULL;
    if (n->every_step) {
        int *rank_of = arena_alloc(t->memory, (size_t)m->rows * sizeof(int));
        for (int i = 0; i < m->steps; i++)
            for (int r = 0; r < m->active[i]; r++) rank_of[m->offset[i] + r] = r;
        x = nn_concat(t, x, nn_gather(t, s->context, rank_of, m->rows));
    }
    for (int l = 0; l < n->c.dec_layers; l++) {
        recurrent_attention a = {.kind = n->attention,
                                 .w_ctx = n->w_ctx,
                                 .v = n->v,
                                 .keys = s->keys,
                                 .values = s->values,
                                 .memory = s->memory,
                                 .place = s->place,
                                 .width = n->c.d_attention};
        if (l > 0) x = nn_dropout(t, x, n->c.dropout);
        recurrent_states r = nn_recurrent(t, n->cell, m, false, x, &n->dec[l], s->h[l], s->c[l],
                                          l == 0 && n->attention ? &a : NULL, NULL);
        s->h[l] = x = r.h;
        s->c[l] = r.c;
        if (r.ctx) ctx = r.ctx;
    }
    if (n->readout.w) {
        x = nn_linear(t, x, n->readout.w, n->readout.b);
        if (n->attention) x = nn_linear_add(t, nn_linear_add(t, x, emb, n->r_emb), ctx, n->r_ctx);
        x = nn_activate(t, x, n->tanh);
    }
    return nn_dropout(t, x, n->c.dropout);
}

static tensor *hidden(void *net, tape *t, const seqs *src, const seqs *tgt, const int **target_of)
{
    rnn *n = net;
    t->on_demand = true;
    words s = words_with_eos(t, src), y = words_with_bos(t, tgt);
    encoded e = encode(n, t, &s);
    const time_major *m = time_major_new(t, &y.p);
    start_states start = bridge(n, t, &e, &s.p, gather_ints(t, e.m->rank, m->order, m->n), m->n);
    *target_of = m->from;
    return decode(n, t, m, gather_ints(t, y.ids, m->from, m->rows), &start);
}

static const tensor *output(void *net, const tensor **bias)
{
    rnn *n = net;
    *bias = n->bias;
    return n->out;
}

/* ------------------------------------------------------------------------------------- search */

/* States of the rows between steps, in memory that stays: two of each, to select from one into the other. */
typedef struct {
    int rows;
    tensor *h[MAX_LAYERS][2], *c[MAX_LAYERS][2], *context[2];
    int *start[2], *len[2], *ones, *place; /* attention: memory of each row */
    tensor *keys, *values;
    const int *key_place; /* see start_states */
    int now;              /* which of the two */
} rnn_state;

static tensor *copy_into(tensor *to, const tensor *from)
{
    for (int r = 0; r < from->rows; r++)
        memcpy(to->v + (size_t)r * (size_t)to->ld, from->v + (size_t)r * (size_t)from->ld,
               (size_t)from->cols * sizeof(real));
    return to;
}

static void keep(tape *t, tensor *pair[2], const tensor *x, int max_rows)
{
    if (!x) return;
    for (int i = 0; i < 2; i++) pair[i] = tape_tensor(t, max_rows, x->cols);
    copy_into(pair[0], x);
}

static void *start(void *net, tape *t, const seqs *src, int max_rows, int max_steps)
{
    rnn *n = net;
    (void)max_steps; /* states do not grow with the steps */
    words w = words_with_eos(t, src);
    encoded e = encode(n, t, &w);
    start_states s = bridge(n, t, &e, &w.p, e.m->rank, w.p.n);
    rnn_state *state = arena_zalloc(t->memory, sizeof *state);
    state->rows = w.p.n;
    for (int l = 0; l < n->c.dec_layers; l++) {
        keep(t, state->h[l], s.h[l], max_rows);
        keep(t, state->c[l], s.c[l], max_rows);
    }
    keep(t, state->context, s.context, max_rows);
    state->keys = s.keys;
    state->values = s.values;
    state->key_place = s.place;
    size_t ints = (size_t)max_rows * sizeof(int);
    state->ones = arena_alloc(t->memory, ints);
    state->place = arena_alloc(t->memory, ints);
    for (int i = 0; i < 2; i++) {
        state->start[i] = arena_alloc(t->memory, ints);
        state->len[i] = arena_alloc(t->memory, ints);
    }
    for (int i = 0; i < max_rows; i++) {
        state->ones[i] = 1;
        state->place[i] = i;
    }
    if (n->attention) {
        memcpy(state->start[0], s.memory.start, (size_t)w.p.n * sizeof(int));
        memcpy(state->len[0], s.memory.len, (size_t)w.p.n * sizeof(int));
    }
    return state;
}

static tensor *first_rows(tape *t, tensor *x, int rows) { return x ? tape_rows(t, x, 0, rows) : NULL; }

static tensor *step(void *net, tape *t, void *state, const int *ids, int rows, int step_number)
{
    rnn *n = net;
    rnn_state *k = state;
    (void)step_number;
    packed each = {rows, k->place, k->ones};
    const time_major *m = time_major_new(t, &each);
    start_states s = {.keys = k->keys, .values = k->values, .place = k->key_place};
    s.context = first_rows(t, k->context[k->now], rows);
    s.memory = (packed){rows, k->start[k->now], k->len[k->now]};
    for (int l = 0; l < n->c.dec_layers; l++) {
        s.h[l] = first_rows(t, k->h[l][k->now], rows);
        s.c[l] = first_rows(t, k->c[l][k->now], rows);
    }
    tensor *x = decode(n, t, m, ids, &s);
    for (int l = 0; l < n->c.dec_layers; l++) {
        copy_into(k->h[l][k->now], s.h[l]);
        if (s.c[l]) copy_into(k->c[l][k->now], s.c[l]);
    }
    return x;
}

static void select_rows(tensor *pair[2], int now, const int *from, int n)
{
    if (!pair[0]) return;
    for (int i = 0; i < n; i++)
        memcpy(pair[!now]->v + (size_t)i * (size_t)pair[!now]->ld,
               pair[now]->v + (size_t)from[i] * (size_t)pair[now]->ld,
               (size_t)pair[now]->cols * sizeof(real));
}

static void select_states(void *net, tape *t, void *state, const int *from, int n)
{
    rnn_state *k = state;
    (void)t;
    for (int l = 0; l < ((rnn *)net)->c.dec_layers; l++) {
        select_rows(k->h[l], k->now, from, n);
        select_rows(k->c[l], k->now, from, n);
    }
    select_rows(k->context, k->now, from, n);
    for (int i = 0; i < n; i++) {
        k->start[!k->now][i] = k->start[k->now][from[i]];
        k->len[!k->now][i] = k->len[k->now][from[i]];
    }
    k->now = !k->now;
    k->rows = n;
}

/* -------------------------------------------------------------------------------------- flops */

static double size(const tensor *x) { return x ? (double)x->rows * x->cols : 0; }

static double flops(const void *net, const seqs *src, const seqs *tgt)
{
    const rnn *n = net;
    double s = (double)(seqs_total(src) + src->n), y = (double)(seqs_total(tgt) + tgt->n), a_word = 0,
           products = 0;
    for (int l = 0; l < n->c.enc_layers; l++)
        for (int d = 0; d < 2; d++) products += s * (size(n->enc[l][d].w_ih) + size(n->enc[l][d].w_hh));
    for (int l = 0; l < n->c.dec_layers; l++) {
        a_word += size(n->dec[l].w_ih) + size(n->dec[l].w_hh);
        products += (double)src->n * size(n->bridge[l].w);
    }
    a_word += size(n->w_ctx) + size(n->readout.w) + size(n->r_emb) + size(n->r_ctx);
    products += y * a_word + s * size(n->w_key);
    for (size_t i = 0; n->attention && i < src->n; i++)
        products +=
            (double)(seqs_len(src, i) + 1) * (double)(seqs_len(tgt, i) + 1) * (n->c.d_attention + n->C);
    return 2 * products;
}

static const char *const options[] = {"arch",    "d-model",       "d-emb",       "enc-layers",  "dec-layers",
                                      "tie",     "dropout",       "dropout-emb", "cell",        "attention",
                                      "context", "bidirectional", "d-readout",   "d-attention", NULL};

const model_class model_rnn = {"rnn",  true,  options, check,         build, hidden,
                               output, start, step,    select_states, flops, free};
