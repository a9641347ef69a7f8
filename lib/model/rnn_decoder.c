/* The recurrent decoder: without attention (Sutskever et al. 2014; Cho et al. 2014) and with attention
 * between the encoder states and the first layer (Bahdanau et al. 2015).
 *
 * Summary l of the encoder starts layer l (the last one all those above), through tanh(bridge) unless it is a
 * state of the same width and there is no attention; the second state of an LSTM goes through the same matrix
 * without tanh, and comes from the summary itself where the encoder has none. So a Transformer encoder starts
 * it with the mean of its states.
 *
 * The first layer reads the embedding e of the word before, next to it without attention and with
 * `every-step` the encoder's top summary c, and with `input-feeding` the readout of the step before (Luong et
 * al. 2015), zero at the first. With attention, whichever kind, the state
 * before a step asks, and the first layer's gates also read the context c: Bahdanau's order. (Luong et al.
 * ask with the top state behind the step, so that c reaches the gates by input feeding alone.) With
 * `residual` what a layer above the first leaves is its states plus what it read (Wu et al. 2016). The output
 * layer stands on the top layer's s, or on a readout of it, the kinds of readouts[]. */
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

/* tanh(Rs s + Re e + Rc c), without the parts that a kind does not read; c as far as there is one. */
typedef struct {
    const char *name;
    bool word, context;
} readout_kind;

static const readout_kind readouts[] = {
    {"deep", true, true},         /* Bahdanau et al. 2015, with tanh instead of maxout; Cho et al. 2014 */
    {"attentional", false, true}, /* Luong et al. 2015 */
    {"state", false, false},
    {NULL, false, false},
};

typedef struct {
    const cell *cell;
    const attention *attention; /* NULL: none */
    const activation *tanh;
    const readout_kind *reads;
    int H, C, E, A, R; /* state; encoder output; embedding; query and keys; readout */
    int layers;
    bool every_step, feeds, residual;
    double dropout, dropout_emb;
    const tensor *table;
    recurrent_weights weights[RNN_MAX_LAYERS];
    rnn_matrix bridge[RNN_MAX_LAYERS]; /* w NULL: states are copied */
    /* Attention; the first layer's w_hh also makes the query. What a kind does not declare is NULL. */
    tensor *w_ctx, *w_query, *w_key, *v;
    tensor *r_ctx, *r_emb; /* NULL where the readout does not read them */
    rnn_matrix readout;    /* w NULL: none */
} rnn_decoder;

/* ----------------------------------------------------------------------------------- building */

static int width_of(const net_config *c) { return c->d_readout ? c->d_readout : c->d_model; }

static bool attends(const net_config *c) { return strcmp(c->attention, "none") != 0; }

static bool every_step(const net_config *c) { return !attends(c) && strcmp(c->context, "every-step") == 0; }

/* By default what there is enters the readout: the word and the context where there is a context. */
static const readout_kind *readout_of(const net_config *c)
{
    const char *name = c->readout ? c->readout : attends(c) || every_step(c) ? "deep" : "state";
    const readout_kind *k = readouts;
    while (k->name && strcmp(k->name, name) != 0) k++;
    return k->name ? k : NULL;
}

static int check_attention(const net_config *c)
{
    if (!attends(c)) return 0;
    if (!attention_find(c->attention))
        return fail("--attention %s: there is no such attention", c->attention);
    if (c->d_attention < 1 || c->d_readout < 1)
        return fail("--attention %s needs --d-attention and --d-readout of at least 1", c->attention);
    if (c->attention_span < 1) return fail("--attention-span %d: must be at least 1", c->attention_span);
    return 0;
}

static int check_readout(const net_config *c)
{
    if (!readout_of(c)) return fail("--readout %s: must be deep, attentional or state", c->readout);
    if (c->readout && !c->d_readout)
        return fail("--readout %s needs a width: give --d-readout of at least 1", c->readout);
    if (c->d_readout && !strcmp(readout_of(c)->name, "attentional") && !attends(c) && !every_step(c))
        return fail("--readout attentional needs a context: give --attention, or --context every-step");
    if (c->input_feeding && !c->d_readout)
        return fail("--input-feeding needs a readout to feed: give --d-readout of at least 1");
    return 0;
}

static int check(const net_config *c)
{
    if (rnn_check(c, "dec", c->dec_layers) || check_attention(c)) return -1;
    if (strcmp(c->context, "init") && strcmp(c->context, "every-step"))
        return fail("--context %s: must be init or every-step", c->context);
    if (check_readout(c)) return -1;
    if (strcmp(c->tie, "none") && width_of(c) != c->d_emb)
        return fail("--tie %s needs --d-readout (here %d) equal to --d-emb (%d)", c->tie, width_of(c),
                    c->d_emb);
    return 0;
}

/* Options of which a value elsewhere makes nothing. */
static bool counts(const net_config *c, const char *option)
{
    const attention *a = c->attention ? attention_find(c->attention) : NULL;
    if (!c->attention) return true; /* nothing is chosen yet */
    if (!strcmp(option, "context")) return !a;
    if (!strcmp(option, "readout")) return c->d_readout > 0;
    if (!strcmp(option, "d-attention")) return a && a->width == WIDTH_CHOSEN;
    if (!strcmp(option, "attention-span")) return a && a->width == WIDTH_SPAN;
    return true;
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

static int input_width(const rnn_decoder *n)
{
    return n->E + (n->every_step ? n->C : 0) + (n->feeds ? n->R : 0);
}

static void build_attention(rnn_decoder *n, params *p)
{
    const attention *k = n->attention;
    int G = n->cell->gates * n->H, in = input_width(n);
    rnn_matrix w_emb = rnn_add_matrix(p, "w_emb", G, in);
    n->w_ctx = add_weight(p, "w_ctx", G, n->C);
    rnn_matrix w_state = rnn_add_matrix(p, "w_state", G + attention_query_rows(k, n->A), n->H);
    n->w_ctx->stepwise = w_state.w->stepwise = true;
    n->weights[0] = (recurrent_weights){w_emb.w, w_emb.b, w_state.w, w_state.b};
    if (k->query == QUERY_LINEAR_INPUT) n->w_query = add_weight(p, "w_query", n->A, in);
    if (k->keys == KEYS_LINEAR) n->w_key = add_weight(p, "w_key", n->A, n->C);
    if (k->vector) n->v = rnn_add(p, n->A, 1, INIT_UNIFORM, rnn_by_width(n->A), "v");
}

static void build_readout(rnn_decoder *n, params *p)
{
    bool more = n->reads->word || n->reads->context;
    n->readout = rnn_add_matrix(p, more ? "r_state" : "readout", n->R, n->H);
    if (n->reads->word) n->r_emb = add_weight(p, "r_emb", n->R, n->E);
    if (n->reads->context && (n->attention || n->every_step)) n->r_ctx = add_weight(p, "r_ctx", n->R, n->C);
}

static void build_layers(rnn_decoder *n, params *p)
{
    int first = n->attention ? 1 : 0; /* layers above the first take no part in the attention */
    if (n->attention) build_attention(n, p);
    if (n->R) build_readout(n, p);
    for (int l = first; l < n->layers; l++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, "l%d", l - first);
        n->weights[l] = rnn_add_layer(p, first ? "upper" : "rnn", suffix, l ? n->H : input_width(n), n->H,
                                      n->cell->gates);
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
    n->R = c->d_readout;
    n->layers = c->dec_layers;
    n->every_step = every_step(c);
    n->reads = readout_of(c);
    n->feeds = c->input_feeding;
    n->residual = c->residual;
    const int widths[] = {[WIDTH_CHOSEN] = c->d_attention,
                          [WIDTH_STATE] = n->H,
                          [WIDTH_VALUES] = n->C,
                          [WIDTH_SPAN] = c->attention_span};
    if (n->attention) n->A = widths[n->attention->width];
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
    tensor *feed;                                  /* (n, R): readout of the step before */
    tensor *keys, *values;                         /* attention: by row of the encoder's states */
    packed source;                                 /* (n) words of the sources, sentence-major, */
    const int *place;                              /* and the rows where they lie; NULL: as they are */
    real **weights; /* where to leave the attention of each row of a run, the next one first; NULL: nobody
                       asks */
} start_states;

static tensor *bridge_state(tape *t, const rnn_matrix *b, tensor *summary, const int *index, int rows,
                            const activation *f)
{
    tensor *s = nn_gather(t, summary, index, rows);
    if (b->w) s = nn_linear(t, s, b->w, b->b);
    return b->w && f ? nn_activate(t, s, f) : s;
}

static tensor *nothing(tape *t, int rows, int cols)
{
    tensor *x = tape_tensor(t, rows, cols);
    memset(x->v, 0, (size_t)rows * (size_t)cols * sizeof(real));
    return x;
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
    if (n->feeds) s.feed = nothing(t, rows, n->R);
    if (n->attention) {
        s.values = m->states;
        s.place = m->place;
        s.keys = n->w_key                            ? nn_linear(t, s.values, n->w_key, NULL)
                 : n->attention->keys == KEYS_VALUES ? s.values
                                                     : NULL;
        s.source = (packed){rows, rnn_gather_ints(t, m->p.start, sentence, rows),
                            rnn_gather_ints(t, m->p.len, sentence, rows)};
    }
    return s;
}

/* Row r of every step's row of rank r. */
static tensor *spread(tape *t, const time_major *m, tensor *x)
{
    int *rank_of = arena_alloc(t->memory, (size_t)m->rows * sizeof(int));
    for (int i = 0; i < m->steps; i++)
        for (int r = 0; r < m->active[i]; r++) rank_of[m->offset[i] + r] = r;
    return nn_gather(t, x, rank_of, m->rows);
}

static void leave_weights(const time_major *m, const recurrent_states *r, start_states *s)
{
    for (int i = 0; i < m->steps; i++)
        for (int k = 0; k < m->active[i]; k++)
            memcpy(*s->weights++, r->p + r->p_start[m->offset[i] + k],
                   (size_t)s->source.len[k] * sizeof(real));
}

/* The top layer's output from the first layer's input; *ctx: contexts of an attention. */
static tensor *run_layers(const rnn_decoder *n, tape *t, const time_major *m, tensor *x, start_states *s,
                          tensor **ctx)
{
    const recurrent_attention a = {.kind = n->attention,
                                   .w_ctx = n->w_ctx,
                                   .w_in = n->w_query,
                                   .v = n->v,
                                   .keys = s->keys,
                                   .values = s->values,
                                   .memory = s->source,
                                   .place = s->place,
                                   .width = n->A};
    for (int l = 0; l < n->layers; l++) {
        tensor *in = l ? nn_dropout(t, x, n->dropout) : x;
        recurrent_states r = nn_recurrent(t, n->cell, m, false, in, &n->weights[l], s->h[l], s->c[l],
                                          l == 0 && n->attention ? &a : NULL, NULL);
        s->h[l] = r.h;
        s->c[l] = r.c;
        if (r.ctx) *ctx = r.ctx;
        if (r.ctx && s->weights) leave_weights(m, &r, s);
        x = l && n->residual ? nn_add(t, r.h, x) : r.h;
    }
    return x;
}

/* From the embeddings of all rows to what the output layer stands on, without dropout. */
static tensor *run_rows(const rnn_decoder *n, tape *t, const time_major *m, tensor *emb, start_states *s)
{
    tensor *ctx = n->every_step ? spread(t, m, s->context) : NULL;
    tensor *x = n->every_step ? nn_concat(t, emb, ctx) : emb;
    if (n->feeds) x = nn_concat(t, x, s->feed);
    x = run_layers(n, t, m, x, s, &ctx);
    if (!n->readout.w) return x;
    x = nn_linear(t, x, n->readout.w, n->readout.b);
    if (n->r_emb) x = nn_linear_add(t, x, emb, n->r_emb);
    if (n->r_ctx) x = nn_linear_add(t, x, ctx, n->r_ctx);
    return s->feed = nn_activate(t, x, n->tanh);
}

static const int *count_from(tape *t, int first, int n)
{
    int *index = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) index[i] = first + i;
    return index;
}

static tensor *rows_of(tape *t, tensor *x, int first, int n)
{
    return !x || x->rows == n ? x : nn_gather(t, x, count_from(t, first, n), n);
}

/* One step of the layout by itself, from the states that the step before left: what fed steps need. */
static tensor *run_step(const rnn_decoder *n, tape *t, const time_major *m, int i, tensor *emb,
                        start_states *s)
{
    int rows = m->active[i], *ones = arena_alloc(t->memory, (size_t)rows * sizeof(int));
    for (int r = 0; r < rows; r++) ones[r] = 1;
    const packed each = {rows, count_from(t, 0, rows), ones};
    for (int l = 0; l < n->layers; l++) {
        s->h[l] = rows_of(t, s->h[l], 0, rows);
        s->c[l] = rows_of(t, s->c[l], 0, rows);
    }
    s->feed = rows_of(t, s->feed, 0, rows);
    s->context = rows_of(t, s->context, 0, rows);
    s->source.n = rows;
    return run_rows(n, t, time_major_new(t, &each), rows_of(t, emb, m->offset[i], rows), s);
}

/* The last hidden layer of every word of the layout; the states after the run replace s->h, s->c and s->feed
 * (one-step layouts only: search). ids by time-major row. */
static tensor *decode(const rnn_decoder *n, tape *t, const time_major *m, const int *ids, start_states *s)
{
    tensor *emb = nn_dropout_over(t, nn_embed(t, n->table, ids, m->rows, 1, NULL, NULL), n->dropout_emb);
    if (!n->feeds) return nn_dropout(t, run_rows(n, t, m, emb, s), n->dropout);
    tensor **steps = arena_alloc(t->memory, (size_t)m->steps * sizeof *steps);
    for (int i = 0; i < m->steps; i++) steps[i] = run_step(n, t, m, i, emb, s);
    return nn_dropout(t, m->steps == 1 ? steps[0] : nn_stack(t, steps, m->steps), n->dropout);
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

static attention_place attention_last(const void *decoder)
{
    int one = ((const rnn_decoder *)decoder)->attention ? 1 : 0;
    return (attention_place){one, one};
}

static void attention_of(const void *decoder, tape *t, const encoded *source, const words *tgt, size_t total,
                         real *const *rows)
{
    const rnn_decoder *n = decoder;
    const time_major *m = time_major_new(t, &tgt->p);
    start_states s = begin(n, t, source, m->order, m->n);
    (void)total; /* it has one place */
    s.weights = arena_alloc(t->memory, (size_t)m->rows * sizeof *s.weights);
    for (int i = 0; i < m->rows; i++) s.weights[i] = rows[m->from[i]];
    decode(n, t, m, rnn_gather_ints(t, tgt->ids, m->from, m->rows), &s);
}

/* ------------------------------------------------------------------------------------- search */

/* States of the rows between steps, in memory that stays: two of each, to select from one into the other.
 * Keys and values of the source words lie sentence by sentence. */
typedef struct {
    tensor *h[RNN_MAX_LAYERS][2], *c[RNN_MAX_LAYERS][2], *context[2], *feed[2];
    int now;               /* which of the two */
    tensor *keys, *values; /* attention: (words of all sentences, A and C); keys may be values */
    int *ones, *place;     /* (rows) a layout of one step */
} rnn_state;

static void open_pair(tape *t, tensor *pair[2], int rows, int cols)
{
    for (int i = 0; i < 2; i++) pair[i] = tape_tensor(t, rows, cols);
}

static void *open_state(const void *decoder, tape *t, const decoding_room *room)
{
    const rnn_decoder *n = decoder;
    rnn_state *k = arena_zalloc(t->memory, sizeof *k);
    for (int l = 0; l < n->layers; l++) {
        open_pair(t, k->h[l], room->rows, n->H);
        if (n->cell->has_memory) open_pair(t, k->c[l], room->rows, n->H);
    }
    if (n->every_step) open_pair(t, k->context, room->rows, n->C);
    if (n->feeds) open_pair(t, k->feed, room->rows, n->R);
    if (n->attention) k->values = tape_tensor(t, room->words, n->C);
    if (n->attention && n->attention->keys == KEYS_VALUES) k->keys = k->values;
    if (n->w_key) k->keys = tape_tensor(t, room->words, n->A);
    k->ones = arena_alloc(t->memory, (size_t)room->rows * sizeof(int));
    k->place = arena_alloc(t->memory, (size_t)room->rows * sizeof(int));
    for (int i = 0; i < room->rows; i++) {
        k->ones[i] = 1;
        k->place[i] = i;
    }
    return k;
}

static real *row_of(const tensor *x, int row) { return x->v + (size_t)row * (size_t)x->ld; }

static void copy_row(const tensor *to, int row, const tensor *from, int old)
{
    memcpy(row_of(to, row), row_of(from, old), (size_t)from->cols * sizeof(real));
}

/* Rows of x to rows first .. of `to`. */
static void copy_into(const tensor *to, int first, const tensor *x)
{
    for (int r = 0; x && r < x->rows; r++) copy_row(to, first + r, x, r);
}

/* The words of the sentences to their places. */
static void copy_words(const tensor *to, const tensor *x, const encoded *source, const int *places)
{
    for (int i = 0; i < source->p.n; i++)
        for (int j = 0; j < source->p.len[i]; j++) {
            int word = source->p.start[i] + j;
            copy_row(to, places[i] + j, x, source->place ? source->place[word] : word);
        }
}

static void join(const void *decoder, tape *t, void *state, const encoded *source, const decoding_rows *rows,
                 int first)
{
    const rnn_decoder *n = decoder;
    const rnn_state *k = state;
    start_states s = begin(n, t, source, k->place, source->p.n);
    for (int l = 0; l < n->layers; l++) {
        copy_into(k->h[l][k->now], first, s.h[l]);
        copy_into(k->c[l][k->now], first, s.c[l]);
    }
    copy_into(k->context[k->now], first, s.context);
    copy_into(k->feed[k->now], first, s.feed);
    if (k->values) copy_words(k->values, s.values, source, rows->source + first);
    if (k->keys && k->keys != k->values) copy_words(k->keys, s.keys, source, rows->source + first);
}

static tensor *first_rows(tape *t, tensor *x, int rows) { return x ? tape_rows(t, x, 0, rows) : NULL; }

static tensor *step(const void *decoder, tape *t, void *state, const int *ids, const decoding_rows *rows)
{
    const rnn_decoder *n = decoder;
    rnn_state *k = state;
    packed each = {rows->n, k->place, k->ones};
    const time_major *m = time_major_new(t, &each);
    start_states s = {.keys = k->keys, .values = k->values};
    s.context = first_rows(t, k->context[k->now], rows->n);
    s.feed = first_rows(t, k->feed[k->now], rows->n);
    s.source = (packed){rows->n, rows->source, rows->source_len};
    for (int l = 0; l < n->layers; l++) {
        s.h[l] = first_rows(t, k->h[l][k->now], rows->n);
        s.c[l] = first_rows(t, k->c[l][k->now], rows->n);
    }
    tensor *x = decode(n, t, m, ids, &s);
    for (int l = 0; l < n->layers; l++) {
        copy_into(k->h[l][k->now], 0, s.h[l]);
        copy_into(k->c[l][k->now], 0, s.c[l]);
    }
    if (n->feeds) copy_into(k->feed[k->now], 0, s.feed);
    return x;
}

static void select_pair(tensor *pair[2], int now, const int *from, int n)
{
    for (int i = 0; pair[0] && i < n; i++) copy_row(pair[!now], i, pair[now], from[i]);
}

static void select_rows(const void *decoder, void *state, const decoding_rows *rows, const int *from, int n)
{
    (void)rows;
    rnn_state *k = state;
    for (int l = 0; l < ((const rnn_decoder *)decoder)->layers; l++) {
        select_pair(k->h[l], k->now, from, n);
        select_pair(k->c[l], k->now, from, n);
    }
    select_pair(k->context, k->now, from, n);
    select_pair(k->feed, k->now, from, n);
    k->now = !k->now;
}

/* -------------------------------------------------------------------------------------- flops */

static double size(const tensor *x) { return x ? (double)x->rows * x->cols : 0; }

static double flops(const void *decoder, const seqs *src, const seqs *tgt, int rows)
{
    const rnn_decoder *n = decoder;
    double s = (double)(seqs_total(src) + src->n), y = (double)(seqs_total(tgt) + tgt->n), a_word = 0,
           products = 0, hyps = rows ? rows : 1;
    for (int l = 0; l < n->layers; l++) {
        a_word += size(n->weights[l].w_ih) + size(n->weights[l].w_hh);
        products += (double)src->n * size(n->bridge[l].w);
    }
    a_word += size(n->w_ctx) + size(n->w_query) + size(n->readout.w) + size(n->r_emb) + size(n->r_ctx);
    products += hyps * y * a_word + s * size(n->w_key);
    for (size_t i = 0; n->attention && i < src->n; i++)
        products += hyps * (double)(seqs_len(src, i) + 1) * (double)(seqs_len(tgt, i) + 1) * (n->A + n->C);
    return 2 * products;
}

static const char *const options[] = {"d-emb",         "cell",      "attention",   "context",
                                      "readout",       "d-readout", "d-attention", "attention-span",
                                      "input-feeding", "residual",  NULL};

const decoder_class decoder_rnn = {.name = "rnn",
                                   .stepwise = true,
                                   .options = options,
                                   .counts = counts,
                                   .check = check,
                                   .table = table,
                                   .output = output,
                                   .build = build,
                                   .hidden = hidden,
                                   .attention_last = attention_last,
                                   .attention = attention_of,
                                   .open = open_state,
                                   .join = join,
                                   .step = step,
                                   .select = select_rows,
                                   .flops = flops,
                                   .free = free};
