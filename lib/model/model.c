#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernel/vector.h"
#include "model/classes.h"
#include "nn/rows.h"
#include "tensor/weights.h"

extern const encoder_class encoder_rnn, encoder_transformer;
extern const decoder_class decoder_rnn, decoder_transformer;

const encoder_class *const encoders[] = {&encoder_rnn, &encoder_transformer, NULL};
const decoder_class *const decoders[] = {&decoder_rnn, &decoder_transformer, NULL};

const char *encoder_name(int i) { return encoders[i] ? encoders[i]->name : NULL; }

const char *decoder_name(int i) { return decoders[i] ? decoders[i]->name : NULL; }

static int place_of(const char *name, const char *(*name_at)(int))
{
    for (int i = 0; name_at(i); i++)
        if (!strcmp(name, name_at(i))) return i;
    return -1;
}

const char *arch_name(int i)
{
    for (int k = 0; encoders[k]; k++)
        if (place_of(encoders[k]->name, decoder_name) >= 0 && i-- == 0) return encoders[k]->name;
    return NULL;
}

static const encoder_class *find_encoder(const char *name)
{
    int i = place_of(name, encoder_name);
    return i < 0 ? NULL : encoders[i];
}

static const decoder_class *find_decoder(const char *name)
{
    int i = place_of(name, decoder_name);
    return i < 0 ? NULL : decoders[i];
}

/* ----------------------------------------------------------------------------------- settings */

static int check_number(const char *option, int value, int least)
{
    return value >= least ? 0 : fail("--%s %d: must be at least %d", option, value, least);
}

static int check_tie(const net_config *c)
{
    if (strcmp(c->tie, "none") && strcmp(c->tie, "tgt") && strcmp(c->tie, "all"))
        return fail("--tie %s: must be none, tgt or all", c->tie);
    if (strcmp(c->tie, "all") == 0 && (!c->shared_vocab || c->src_vocab != c->tgt_vocab))
        return fail(
            "--tie all needs one vocabulary for both sides: leave out --separate-vocabs or say --tie tgt");
    return 0;
}

/* The shared table of `all` is as wide for the encoder as for the decoder. */
static int check_widths(const net_config *c, const encoder_class *enc, const decoder_class *dec)
{
    int src = enc->table(c).width, tgt = dec->table(c).width;
    if (strcmp(c->tie, "all") || src == tgt) return 0;
    return fail(
        "--tie all needs embeddings of one width, but those of the %s encoder are %d wide and those of "
        "the %s decoder %d: make --d-emb equal to --d-model, or say --tie tgt",
        c->enc, src, c->dec, tgt);
}

int net_config_check(const net_config *c)
{
    const encoder_class *enc = find_encoder(c->enc);
    const decoder_class *dec = find_decoder(c->dec);
    if (!enc) return fail("--enc %s: there is no such encoder", c->enc);
    if (!dec) return fail("--dec %s: there is no such decoder", c->dec);
    if (check_number("d-model", c->d_model, 1) || check_number("enc-layers", c->enc_layers, 1) ||
        check_number("dec-layers", c->dec_layers, 1) || check_tie(c))
        return -1;
    return enc->check(c) || dec->check(c) ? -1 : check_widths(c, enc, dec);
}

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

static const char *const of_all[] = {"arch",       "enc", "dec",     "d-model",     "enc-layers",
                                     "dec-layers", "tie", "dropout", "dropout-emb", NULL};

bool net_config_uses(const net_config *c, const char *option)
{
    const encoder_class *enc = find_encoder(c->enc);
    const decoder_class *dec = find_decoder(c->dec);
    if (!enc || !dec || listed(of_all, option)) return true;
    bool describes_a_network = false;
    for (int i = 0; encoders[i]; i++) describes_a_network |= listed(encoders[i]->options, option);
    for (int i = 0; decoders[i]; i++) describes_a_network |= listed(decoders[i]->options, option);
    if (!describes_a_network || listed(enc->options, option)) return true;
    return listed(dec->options, option) && (!dec->counts || dec->counts(c, option));
}

const char *net_config_kind(const net_config *c)
{
    static char text[64];
    if (!strcmp(c->enc, c->dec)) return find_encoder(c->enc)->name;
    snprintf(text, sizeof text, "%s encoder, %s decoder", c->enc, c->dec);
    return text;
}

/* -------------------------------------------------------------------------------------- model */

struct model {
    const encoder_class *enc;
    const decoder_class *dec;
    net_config config;
    params *params;
    const tensor *out, *bias; /* output layer; bias may be NULL */
    void *encoder, *decoder;
};

/* The output layer and the tables of words, which `tie` makes one. */
static void add_tables(model *m, const tensor **src, const tensor **tgt)
{
    const net_config *c = &m->config;
    params *p = m->params;
    table_spec s = m->enc->table(c), y = m->dec->table(c);
    output_spec o = m->dec->output(c);
    bool tied = strcmp(c->tie, "none") != 0, tied_src = strcmp(c->tie, "all") == 0;
    BUG_IF((tied && y.width != o.width) || (tied_src && s.width != o.width));
    m->out =
        params_add(p, "out", c->tgt_vocab, o.width, tied ? INIT_NORMAL : o.init, tied ? y.sigma : o.gain);
    if (o.bias) m->bias = params_add(p, "bias", c->tgt_vocab, 1, INIT_ZERO, 0);
    *src = tied_src ? m->out : params_add_table(p, s.name, c->src_vocab, s.width, INIT_NORMAL, s.sigma);
    if (tied) params_look_up(p, m->out);
    *tgt = tied ? m->out : params_add_table(p, y.name, c->tgt_vocab, y.width, INIT_NORMAL, y.sigma);
}

static model *build(const net_config *c)
{
    BUG_IF(net_config_check(c) != 0);
    model *m = xcalloc(1, sizeof *m);
    m->enc = find_encoder(c->enc);
    m->dec = find_decoder(c->dec);
    m->config = *c;
    m->params = params_new();
    const tensor *src, *tgt;
    add_tables(m, &src, &tgt);
    encoded_shape source = m->enc->shape(c);
    m->encoder = m->enc->build(c, m->params, src);
    m->decoder = m->dec->build(c, m->params, tgt, &source);
    if (m->enc->build_last) m->enc->build_last(m->encoder, m->params);
    if (m->dec->build_last) m->dec->build_last(m->decoder, m->params);
    return m;
}

model *model_new(const net_config *c, bool gradients)
{
    model *m = build(c);
    params_alloc(m->params, gradients);
    return m;
}

model *model_sharing(const model *of)
{
    model *m = build(&of->config);
    params_share(m->params, of->params);
    return m;
}

void model_free(model *m)
{
    if (!m) return;
    m->enc->free(m->encoder);
    m->dec->free(m->decoder);
    params_free(m->params);
    free(m);
}

const net_config *model_config(const model *m) { return &m->config; }

params *model_params(model *m) { return m->params; }

size_t model_product_bytes(const model *m) { return params_product_bytes(m->params); }

void model_init(model *m, uint64_t seed) { params_init(m->params, seed); }

bool model_stepwise(const model *m) { return m->enc->stepwise || m->dec->stepwise; }

double model_flops(const model *m, const seqs *src, const seqs *tgt)
{
    double out_rows = (double)(seqs_total(tgt) + tgt->n);
    return m->enc->flops(m->encoder, src) + m->dec->flops(m->decoder, src, tgt, 0) +
           2.0 * out_rows * m->out->rows * m->out->cols;
}

double model_search_flops(const model *m, const seqs *src, const seqs *tgt, int rows)
{
    double out_rows = rows * (double)(seqs_total(tgt) + tgt->n);
    return m->enc->flops(m->encoder, src) + m->dec->flops(m->decoder, src, tgt, rows) +
           2.0 * out_rows * m->out->rows * m->out->cols;
}

double model_word_flops(const model *m) { return 2.0 * m->out->cols; }

/* --------------------------------------------------------------------------------------- loss */

/* See decoder_class. */
static tensor *hidden(model *m, tape *t, const seqs *src, const seqs *tgt, const int **target_of)
{
    t->on_demand = true;
    words s = words_with_eos(t, src), y = words_with_bos(t, tgt);
    encoded source = m->enc->encode(m->encoder, t, &s);
    return m->dec->hidden(m->decoder, t, &source, &y, target_of);
}

/* All sequences, so many times. */
static seqs repeated(tape *t, const seqs *s, int times)
{
    if (times == 1) return *s;
    size_t n = s->n, from = s->start[0], total = s->start[n] - from, copies = (size_t)times;
    seqs y = {.n = copies * n, .ids = arena_alloc(t->memory, (copies * total + 1) * sizeof *y.ids)};
    y.start = arena_alloc(t->memory, (copies * n + 1) * sizeof *y.start);
    for (size_t copy = 0; copy < copies; copy++) {
        if (total) memcpy(y.ids + copy * total, s->ids + from, total * sizeof *y.ids);
        for (size_t i = 0; i <= n; i++) y.start[copy * n + i] = copy * total + s->start[i] - from;
    }
    return y;
}

/* The rows of x with all draws of a word behind each other; *target_of becomes the word of each. */
static tensor *draws_together(tape *t, tensor *x, int draws, const int **target_of)
{
    int *rows = arena_alloc(t->memory, (size_t)x->rows * sizeof(int));
    int *places = arena_alloc(t->memory, (size_t)x->rows * sizeof(int));
    for (int i = 0, each = x->rows / draws; i < x->rows; i++) {
        int place = *target_of ? (*target_of)[i] : i, at = draws * (place % each) + place / each;
        rows[at] = i;
        places[at] = place % each;
    }
    *target_of = places;
    return nn_gather(t, x, rows, x->rows);
}

model_sums model_loss(model *m, tape *t, const seqs *src, const seqs *tgt, const loss_settings *how,
                      double scale)
{
    BUG_IF(src->n != tgt->n);
    if (src->n == 0) return (model_sums){0, 0, 0};
    int draws = loss_draws(how);
    seqs from = repeated(t, src, draws), to = repeated(t, tgt, draws);
    const int *target_of;
    tensor *x = hidden(m, t, &from, &to, &target_of);
    if (draws > 1) x = draws_together(t, x, draws, &target_of);
    words target = words_with_eos(t, tgt);
    loss_sums s = nn_loss(t, x, m->out, m->bias, &(loss_targets){target.ids, target_of}, how, scale / draws);
    return (model_sums){s.loss / draws, s.nll / draws, target.rows};
}

enum { LOGIT_ROWS = 128 };

void model_each_logits(model *m, tape *t, const seqs *src, const seqs *tgt, logits_taker take, void *context)
{
    BUG_IF(src->n != tgt->n);
    const int *target_of;
    tensor *x = hidden(m, t, src, tgt, &target_of);
    const tensor *out = m->out;
    real *z = arena_alloc(t->memory, sizeof(real) * LOGIT_ROWS * (size_t)out->rows);
    int place[LOGIT_ROWS];
    for (int from = 0; from < x->rows; from += LOGIT_ROWS) {
        int n = x->rows - from < LOGIT_ROWS ? x->rows - from : LOGIT_ROWS;
        for (int i = 0; i < n; i++) place[i] = target_of ? target_of[from + i] : from + i;
        weights_forward(out, n, x->v + (size_t)from * (size_t)x->ld, x->ld, m->bias ? m->bias->v : NULL,
                        false, z, out->rows);
        take(n, place, z, context);
    }
}

static void keep_logits(int n, const int *place, real *logits, void *context)
{
    tensor *all = context;
    size_t cols = (size_t)all->cols;
    for (int i = 0; i < n; i++)
        memcpy(all->v + (size_t)place[i] * cols, logits + (size_t)i * cols, cols * sizeof(real));
}

tensor *model_logits(model *m, tape *t, const seqs *src, const seqs *tgt)
{
    tensor *all = tape_tensor(t, (int)(seqs_total(tgt) + tgt->n), m->config.tgt_vocab);
    model_each_logits(m, t, src, tgt, keep_logits, all);
    return all;
}

/* In the order of the text. */
typedef struct {
    size_t vocab;
    real *sum; /* (words, vocab) */
} logit_sums;

static void add_logits(int n, const int *place, real *logits, void *context)
{
    const logit_sums *s = context;
    for (int i = 0; i < n; i++)
        vec_add((long)s->vocab, logits + (size_t)i * s->vocab, s->sum + (size_t)place[i] * s->vocab);
}

real *model_mean_logits(model *const *nets, int n, arena *memory, const seqs *src, const seqs *tgt)
{
    size_t vocab = (size_t)nets[0]->config.tgt_vocab, size = (seqs_total(tgt) + tgt->n) * vocab;
    logit_sums s = {vocab, arena_zalloc(memory, size * sizeof(real))};
    for (int i = 0; i < n; i++) {
        arena_mark mark = arena_save(memory);
        tape own = tape_new(memory, false, false, 0, 0);
        model_each_logits(nets[i], &own, src, tgt, add_logits, &s);
        arena_restore(memory, mark);
    }
    if (n > 1) vec_scale((long)size, (real)1 / (real)n, s.sum);
    return s.sum;
}

/* ---------------------------------------------------------------------------------- attention */

attention_place model_attention_last(const model *m) { return m->dec->attention_last(m->decoder); }

void model_attention(model *m, tape *t, const seqs *src, const seqs *tgt, size_t total, real *weights)
{
    BUG_IF(src->n != tgt->n || !model_attention_last(m).layer);
    words s = words_with_eos(t, src), y = words_with_bos(t, tgt);
    real **rows = arena_alloc(t->memory, (size_t)y.rows * sizeof *rows), *at = weights;
    for (int i = 0, row = 0; i < y.p.n; i++)
        for (int k = 0; k < y.p.len[i]; k++, at += s.p.len[i]) rows[row++] = at;
    BUG_IF(at != weights + total);
    encoded source = m->enc->encode(m->encoder, t, &s);
    m->dec->attention(m->decoder, t, &source, &y, total, rows);
}

/* ----------------------------------------------------------------------------------- decoding */

/* Places of a sentence's words among all of them, and its rows. */
typedef struct {
    int first, n, rows;
} segment;

struct decoding {
    model *m;
    tape t;
    void *state;
    decoding_room room;
    weights_some some;         /* of the output layer, with room->some_words */
    decoding_rows rows, other; /* other: to select into */
    segment *used;             /* (n_used) by place */
    int n_used;
};

static int *ints(arena *memory, int n) { return arena_zalloc(memory, (size_t)n * sizeof(int)); }

static decoding_rows rows_new(arena *memory, int n)
{
    return (decoding_rows){0, ints(memory, n), ints(memory, n), ints(memory, n)};
}

decoding *model_open(model *m, arena *memory, const decoding_room *room)
{
    decoding *d = arena_zalloc(memory, sizeof *d);
    *d = (decoding){.m = m, .t = tape_new(memory, false, false, 0, 0), .room = *room};
    d->rows = rows_new(memory, room->rows);
    d->other = rows_new(memory, room->rows);
    d->used = arena_alloc(memory, (size_t)room->sentences * sizeof *d->used);
    d->state = m->dec->open(m->decoder, &d->t, room);
    if (room->some_words) d->some = weights_some_new(m->out, m->bias, memory);
    return d;
}

/* The first gap that is large enough. */
static int take_places(decoding *d, int n)
{
    int at = 0, first = 0;
    BUG_IF(d->n_used == d->room.sentences);
    for (; at < d->n_used && d->used[at].first - first < n; at++) first = d->used[at].first + d->used[at].n;
    BUG_IF(first + n > d->room.words);
    memmove(d->used + at + 1, d->used + at, (size_t)(d->n_used - at) * sizeof *d->used);
    d->used[at] = (segment){first, n, 1};
    d->n_used++;
    return first;
}

static void new_row(decoding *d, int source_len)
{
    BUG_IF(d->rows.n == d->room.rows);
    int row = d->rows.n++;
    d->rows.said[row] = 0;
    d->rows.source[row] = take_places(d, source_len);
    d->rows.source_len[row] = source_len;
}

void model_join(decoding *d, const seqs *src)
{
    const model *m = d->m;
    int first = d->rows.n;
    if (src->n == 0) return;
    arena_mark mark = arena_save(d->t.memory);
    words s = words_with_eos(&d->t, src);
    encoded source = m->enc->encode(m->encoder, &d->t, &s);
    for (size_t i = 0; i < src->n; i++) new_row(d, source.p.len[i]);
    m->dec->join(m->decoder, &d->t, d->state, &source, &d->rows, first);
    arena_restore(d->t.memory, mark);
}

/* columns 0: of all words. */
static void step(decoding *d, const int *ids, int columns, real *logits)
{
    const model *m = d->m;
    for (int r = 0; r < d->rows.n; r++) BUG_IF(d->rows.said[r] >= d->room.steps);
    arena_mark mark = arena_save(d->t.memory);
    tensor *x = m->dec->step(m->decoder, &d->t, d->state, ids, &d->rows);
    if (columns)
        weights_some_forward(&d->some, x->rows, x->v, x->ld, columns, logits, columns);
    else
        weights_forward(m->out, x->rows, x->v, x->ld, m->bias ? m->bias->v : NULL, false, logits,
                        m->out->rows);
    arena_restore(d->t.memory, mark);
    for (int r = 0; r < d->rows.n; r++) d->rows.said[r]++;
}

void model_step(decoding *d, const int *ids, real *logits) { step(d, ids, 0, logits); }

_Static_assert((int)MODEL_COLUMNS == WEIGHTS_COLUMNS, "columns alike");

void model_step_some(decoding *d, const int *ids, int columns, real *logits)
{
    BUG_IF(!d->room.some_words || columns < 1);
    step(d, ids, columns, logits);
}

void model_put_word(decoding *d, int column, int word)
{
    BUG_IF(!d->room.some_words);
    weights_some_put(&d->some, column, word);
}

void model_keep_output(model *m) { params_look_up(m->params, m->out); }

static segment *segment_of(decoding *d, int first)
{
    int low = 0, high = d->n_used;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (d->used[middle].first <= first)
            low = middle;
        else
            high = middle;
    }
    return &d->used[low];
}

/* Sentences that have no row any more give their places back. */
static void drop_segments(decoding *d)
{
    int stay = 0;
    for (int i = 0; i < d->n_used; i++) d->used[i].rows = 0;
    for (int r = 0; r < d->rows.n; r++) segment_of(d, d->rows.source[r])->rows++;
    for (int i = 0; i < d->n_used; i++)
        if (d->used[i].rows) d->used[stay++] = d->used[i];
    d->n_used = stay;
}

void model_select(decoding *d, const int *from, int n)
{
    BUG_IF(n > d->room.rows);
    for (int i = 0; i < n; i++) BUG_IF(from[i] < 0 || from[i] >= d->rows.n);
    d->m->dec->select(d->m->decoder, d->state, &d->rows, from, n);
    for (int i = 0; i < n; i++) {
        d->other.said[i] = d->rows.said[from[i]];
        d->other.source[i] = d->rows.source[from[i]];
        d->other.source_len[i] = d->rows.source_len[from[i]];
    }
    d->other.n = n;
    decoding_rows old = d->rows;
    d->rows = d->other;
    d->other = old;
    drop_segments(d);
}
