/* The recurrent decoder: without attention (Sutskever et al. 2014; Cho et al. 2014) and with attention
 * between the encoder states and the first layer (Bahdanau et al. 2015).
 *
 * Summary l of the encoder starts layer l (the last one all those above), through tanh(bridge) unless it is a
 * state of the same width and there is no attention; the second state of an LSTM goes through the same matrix
 * without tanh, and comes from the summary itself where the encoder has none. So a Transformer encoder starts
 * it with the mean of its states. Without attention: layers over the target embeddings (with `every-step`
 * next to the encoder's top summary), output layer on the top state, or on its readout tanh(R s). With
 * attention: the readout is tanh(Rs s + Re e + Rc c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/classes.h"
#include "model/rnn_parts.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rows.h"

extern const decoder_class decoder_rnn;

typedef struct {
    const cell *cell;
    const attention *attention; /* NULL: none */
    const activation *tanh;
    int H, C, E, A, R; /* state; encoder output; embedding; energies; readout */
    int layers;
    bool every_step;
    double dropout, dropout_emb;
    const tensor *table;
    recurrent_weights weights[RNN_MAX_LAYERS];
    rnn_matrix bridge[RNN_MAX_LAYERS]; /* w NULL: states are copied */
    tensor *w_ctx, *w_key, *v;         /* attention; the first layer's w_hh also makes the query */
    tensor *r_ctx, *r_emb;
    rnn_matrix readout; /* w NULL: none */
} rnn_decoder;

/* ----------------------------------------------------------------------------------- building */

static int width_of(const net_config *c) { return c->d_readout ? c->d_readout : c->d_model; }

static int check(const net_config *c)
{
    if (rnn_check(c, "dec", c->dec_layers)) return -1;
    bool attends = strcmp(c->attention, "none") != 0;
    if (attends && !attention_find(c->attention))
        return fail("--attention %s: there is no such attention", c->attention);
    if (strcmp(c->context, "init") && strcmp(c->context, "every-step"))
        return fail("--context %s: must be init or every-step", c->context);
    if (attends && (c->d_attention < 1 || c->d_readout < 1))
        return fail("--attention %s needs --d-attention and --d-readout of at least 1", c->attention);
    if (strcmp(c->tie, "none") && width_of(c) != c->d_emb)
        return fail("--tie %s needs --d-readout (here %d) equal to --d-emb (%d)", c->tie, width_of(c),
                    c->d_emb);
    return 0;
}

static table_spec table(const net_config *c) { return (table_spec){"tgt_emb.weight", c->d_emb, 0.1}; }

static output_spec output(const net_config *c)
{
    return (output_spec){width_of(c), INIT_UNIFORM, rnn_by_width(width_of(c)), true};
}

static void build_bridges(rnn_decoder *n, params *p, const encoded_shape *source)
{
    if (!n->attention && source->are_states) return;
    for (int l = 0; l < n->layers; l++) {
        char name[24];
        snprintf(name, sizeof name, "bridge.%d", l);
        n->bridge[l] = rnn_add_matrix(p, name, n->H, n->C);
    }
}

static tensor *add_weight(params *p, const char *name, int out, int in)
{
    return rnn_add(p, out, in, INIT_UNIFORM, rnn_by_width(in), "%s.weight", name);
}

static void build_attention(rnn_decoder *n, params *p)
{
    int G = n->cell->gates * n->H;
    rnn_matrix w_emb = rnn_add_matrix(p, "w_emb", G, n->E);
    n->w_ctx = add_weight(p, "w_ctx", G, n->C);
    rnn_matrix w_state = rnn_add_matrix(p, "w_state", G + n->A, n->H);
    n->weights[0] = (recurrent_weights){w_emb.w, w_emb.b, w_state.w, w_state.b};
    n->w_key = add_weight(p, "w_key", n->A, n->C);
    n->v = rnn_add(p, n->A, 1, INIT_UNIFORM, rnn_by_width(n->A), "v");
    n->readout = rnn_add_matrix(p, "r_state", n->R, n->H);
    n->r_emb = add_weight(p, "r_emb", n->R, n->E);
    n->r_ctx = add_weight(p, "r_ctx", n->R, n->C);
}

static void build_layers(rnn_decoder *n, params *p)
{
    int first = 0;
    if (n->attention) {
        build_attention(n, p);
        first = 1; /* layers above the first take no part in the attention */
    } else if (n->R) {
        n->readout = rnn_add_matrix(p, "readout", n->R, n->H);
    }
    for (int l = first; l < n->layers; l++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, "l%d", l - first);
        int in = l ? n->H : n->E + (n->every_step ? n->C : 0);
        n->weights[l] = rnn_add_layer(p, first ? "upper" : "rnn", suffix, in, n->H, n->cell->gates);
    }
}

static void *build(const net_config *c, params *p, const tensor *words_table, const encoded_shape *source)
{
    rnn_decoder *n = xcalloc(1, sizeof *n);
    n->cell = cell_find(c->cell);
    n->attention = attention_find(c->attention);
    n->tanh = activation_find("tanh");
    n->H = c->d_model;
    n->C = source->width;
    n->E = c->d_emb;
    n->A = c->d_attention;
    n->R = c->d_readout;
    n->layers = c->dec_layers;
    n->every_step = !n->attention && strcmp(c->context, "every-step") == 0;
    n->dropout = c->dropout;
    n->dropout_emb = rnn_dropout_emb(c);
    n->table = words_table;
    build_bridges(n, p, source);
    build_layers(n, p);
    return n;
}

/* ------------------------------------------------------------------------------------ a run */

/* What a run starts from; the rows of all are the sequences of its layout, by rank. */
typedef struct {
    tensor *h[RNN_MAX_LAYERS], *c[RNN_MAX_LAYERS]; /* (n, H) */
    tensor *context;                               /* (n, C): encoder's top summary, for every-step */
    tensor *keys, *values;                         /* attention: by row of the encoder's states */
    packed source;                                 /* (n) words of the sources, sentence-major, */
    const int *place;                              /* and the rows where they lie; NULL: as they are */
} start_states;

static tensor *bridge_state(tape *t, const rnn_matrix *b, tensor *summary, const int *index, int rows,
                            const activation *f)
{
    tensor *s = nn_gather(t, summary, index, rows);
    if (b->w) s = nn_linear(t, s, b->w, b->b);
    return b->w && f ? nn_activate(t, s, f) : s;
}

/* sentence[r]: the source of row r. */
static start_states begin(const rnn_decoder *n, tape *t, const encoded *source, const int *sentence, int rows)
{
    start_states s = {.context = NULL};
    const encoded with = encoded_summaries(t, source), *m = &with;
    const int *index = encoded_rows(t, m, sentence, rows);
    for (int l = 0; l < n->layers; l++) {
        int from = l < m->layers ? l : m->layers - 1;
        tensor *second = m->c[from] ? m->c[from] : m->h[from];
        s.h[l] = bridge_state(t, &n->bridge[l], m->h[from], index, rows, n->tanh);
        if (n->cell->has_memory) s.c[l] = bridge_state(t, &n->bridge[l], second, index, rows, NULL);
    }
    if (n->every_step) s.context = nn_gather(t, m->h[m->layers - 1], index, rows);
    if (n->attention) {
        s.values = m->states;
        s.place = m->place;
        s.keys = nn_linear(t, s.values, n->w_key, NULL);
        s.source = (packed){rows, rnn_gather_ints(t, m->p.start, sentence, rows),
                            rnn_gather_ints(t, m->p.len, sentence, rows)};
    }
    return s;
}

/* The last hidden layer of every word of the layout; the states after the run replace s->h and s->c (one-step
 * layouts only: search). ids by time-major row. */
static tensor *decode(const rnn_decoder *n, tape *t, const time_major *m, const int *ids, start_states *s)
{
    tensor *emb = nn_dropout_over(t, nn_embed(t, n->table, ids, m->rows, 1, NULL, NULL), n->dropout_emb);
    tensor *x = emb, *ctx = NULL;
    if (n->every_step) {
        int *rank_of = arena_alloc(t->memory, (size_t)m->rows * sizeof(int));
        for (int i = 0; i < m->steps; i++)
            for (int r = 0; r < m->active[i]; r++) rank_of[m->offset[i] + r] = r;
        x = nn_concat(t, x, nn_gather(t, s->context, rank_of, m->rows));
    }
    for (int l = 0; l < n->layers; l++) {
        recurrent_attention a = {.kind = n->attention,
                                 .w_ctx = n->w_ctx,
                                 .v = n->v,
                                 .keys = s->keys,
                                 .values = s->values,
                                 .memory = s->source,
                                 .place = s->place,
                                 .width = n->A};
        if (l > 0) x = nn_dropout(t, x, n->dropout);
        recurrent_states r = nn_recurrent(t, n->cell, m, false, x, &n->weights[l], s->h[l], s->c[l],
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
    return nn_dropout(t, x, n->dropout);
}

static tensor *hidden(const void *decoder, tape *t, const encoded *source, const words *tgt,
                      const int **target_of)
{
    const rnn_decoder *n = decoder;
    const time_major *m = time_major_new(t, &tgt->p);
    start_states s = begin(n, t, source, m->order, m->n);
    *target_of = m->from;
    return decode(n, t, m, rnn_gather_ints(t, tgt->ids, m->from, m->rows), &s);
}

/* ------------------------------------------------------------------------------------- search */

/* States of the rows between steps, in memory that stays: two of each, to select from one into the other. */
typedef struct {
    int rows;
    tensor *h[RNN_MAX_LAYERS][2], *c[RNN_MAX_LAYERS][2], *context[2];
    int *start[2], *len[2], *ones, *place; /* attention: source of each row */
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

static int *ints(tape *t, int n) { return arena_alloc(t->memory, (size_t)n * sizeof(int)); }

static void row_tables(tape *t, rnn_state *k, int max_rows)
{
    k->ones = ints(t, max_rows);
    k->place = ints(t, max_rows);
    for (int i = 0; i < 2; i++) {
        k->start[i] = ints(t, max_rows);
        k->len[i] = ints(t, max_rows);
    }
    for (int i = 0; i < max_rows; i++) {
        k->ones[i] = 1;
        k->place[i] = i;
    }
}

static void *start(const void *decoder, tape *t, const encoded *source, int max_rows, int max_steps)
{
    const rnn_decoder *n = decoder;
    (void)max_steps; /* states do not grow with the steps */
    rnn_state *k = arena_zalloc(t->memory, sizeof *k);
    row_tables(t, k, max_rows);
    k->rows = source->p.n;
    start_states s = begin(n, t, source, k->place, k->rows);
    for (int l = 0; l < n->layers; l++) {
        keep(t, k->h[l], s.h[l], max_rows);
        keep(t, k->c[l], s.c[l], max_rows);
    }
    keep(t, k->context, s.context, max_rows);
    k->keys = s.keys;
    k->values = s.values;
    k->key_place = s.place;
    if (n->attention) {
        memcpy(k->start[0], s.source.start, (size_t)k->rows * sizeof(int));
        memcpy(k->len[0], s.source.len, (size_t)k->rows * sizeof(int));
    }
    return k;
}

static tensor *first_rows(tape *t, tensor *x, int rows) { return x ? tape_rows(t, x, 0, rows) : NULL; }

static tensor *step(const void *decoder, tape *t, void *state, const int *ids, int rows, int step_number)
{
    const rnn_decoder *n = decoder;
    rnn_state *k = state;
    (void)step_number;
    packed each = {rows, k->place, k->ones};
    const time_major *m = time_major_new(t, &each);
    start_states s = {.keys = k->keys, .values = k->values, .place = k->key_place};
    s.context = first_rows(t, k->context[k->now], rows);
    s.source = (packed){rows, k->start[k->now], k->len[k->now]};
    for (int l = 0; l < n->layers; l++) {
        s.h[l] = first_rows(t, k->h[l][k->now], rows);
        s.c[l] = first_rows(t, k->c[l][k->now], rows);
    }
    tensor *x = decode(n, t, m, ids, &s);
    for (int l = 0; l < n->layers; l++) {
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

static void select_states(const void *decoder, void *state, const int *from, int n)
{
    rnn_state *k = state;
    for (int l = 0; l < ((const rnn_decoder *)decoder)->layers; l++) {
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

static double flops(const void *decoder, const seqs *src, const seqs *tgt)
{
    const rnn_decoder *n = decoder;
    double s = (double)(seqs_total(src) + src->n), y = (double)(seqs_total(tgt) + tgt->n), a_word = 0,
           products = 0;
    for (int l = 0; l < n->layers; l++) {
        a_word += size(n->weights[l].w_ih) + size(n->weights[l].w_hh);
        products += (double)src->n * size(n->bridge[l].w);
    }
    a_word += size(n->w_ctx) + size(n->readout.w) + size(n->r_emb) + size(n->r_ctx);
    products += y * a_word + s * size(n->w_key);
    for (size_t i = 0; n->attention && i < src->n; i++)
        products += (double)(seqs_len(src, i) + 1) * (double)(seqs_len(tgt, i) + 1) * (n->A + n->C);
    return 2 * products;
}

static const char *const options[] = {"d-emb",     "cell",        "attention", "context",
                                      "d-readout", "d-attention", NULL};

const decoder_class decoder_rnn = {.name = "rnn",
                                   .stepwise = true,
                                   .options = options,
                                   .check = check,
                                   .table = table,
                                   .output = output,
                                   .build = build,
                                   .hidden = hidden,
                                   .start = start,
                                   .step = step,
                                   .select = select_states,
                                   .flops = flops,
                                   .free = free};
