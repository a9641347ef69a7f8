/* The Transformer decoder: embeddings with positions, then blocks of causal self-attention, attention to the
 * encoder's states, and feed-forward. In search the keys and values of what was said are kept. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernel/softmax.h"
#include "model/transformer_parts.h"

extern const decoder_class decoder_transformer;

/* ----------------------------------------------------------------------------------- building */

static int check(const net_config *c) { return transformer_check(c, "dec", c->dec_layers); }

static table_spec table(const net_config *c)
{
    return (table_spec){"tgt_emb.weight", c->d_model, transformer_sigma(c)};
}

static output_spec output(const net_config *c)
{
    return (output_spec){c->d_model, INIT_NORMAL, transformer_sigma(c), false};
}

static void *build(const net_config *c, params *p, const tensor *words_table, const encoded_shape *source)
{
    return transformer_build(c, p, words_table, "dec", c->dec_layers, source->width);
}

static void build_last(void *decoder, params *p) { transformer_build_last(decoder, p, "dec_norm"); }

/* ------------------------------------------------------------------------------ whole sequence */

/* kv (source rows, 2d): keys and values of the encoder's states, side by side. */
static tensor *cross_attention(const transformer_side *n, tape *t, tensor *x, const block *b, const packed *p,
                               tensor *kv, const packed *source)
{
    tensor *q = transformer_apply(t, transformer_before(n, t, x, &b->norms[1]), &b->cross_q);
    tensor *y = transformer_heads(n, t, q, kv, p, source, false);
    return transformer_after(n, t, x, transformer_apply(t, y, &b->cross_out), &b->norms[1]);
}

typedef struct {
    const transformer_side *n;
    const block *b;
    tensor *x, *states;
    packed p, source;
} layer_input;

static tensor *layer(tape *t, const void *context)
{
    const layer_input *in = context;
    const block *b = in->b;
    tensor *x = transformer_self(in->n, t, in->x, b, &in->p, true);
    tensor *kv = transformer_apply(t, in->states, &b->cross_kv);
    x = cross_attention(in->n, t, x, b, &in->p, kv, &in->source);
    return transformer_ff(in->n, t, x, b, &b->norms[2]);
}

static tensor *hidden(const void *decoder, tape *t, const encoded *source, const words *tgt,
                      const int **target_of)
{
    const transformer_side *n = decoder;
    tensor *states = encoded_by_sentence(t, source);
    tensor *x = transformer_embed(n, t, tgt->ids, tgt->place, tgt->rows);
    for (int i = 0; i < n->layers; i++) {
        layer_input in = {n, &n->blocks[i], x, states, tgt->p, source->p};
        x = tape_checkpoint(t, layer, &in, sizeof in);
    }
    *target_of = NULL; /* rows are sentence-major already */
    return transformer_end(n, t, x);
}

/* ---------------------------------------------------------------------------------- attention */

static attention_place attention_last(const void *decoder)
{
    const transformer_side *n = decoder;
    return (attention_place){n->layers, n->n_heads};
}

/* p = softmax(q k^T / sqrt(width)) for one query of a head and its keys, ld apart. */
static void one_query(const real *q, const real *k, long ld, int width, int keys, real *p)
{
    for (int j = 0; j < keys; j++, k += ld) {
        real sum = 0;
        for (int c = 0; c < width; c++) sum += q[c] * k[c];
        p[j] = sum / (real)sqrt(width);
    }
    softmax(1, keys, p, keys);
}

/* Of all heads of a layer. x: what its cross attention reads. */
static void layer_attention(const transformer_side *n, tape *t, const block *b, tensor *x, tensor *states,
                            const packed *tgt, const packed *source, size_t total, size_t before,
                            real *const *rows)
{
    tensor *q = transformer_apply(t, transformer_before(n, t, x, &b->norms[1]), &b->cross_q);
    tensor *kv = transformer_apply(t, states, &b->cross_kv);
    int width = n->d / n->n_heads;
    for (int i = 0; i < tgt->n; i++) {
        const real *k = kv->v + (size_t)source->start[i] * (size_t)kv->ld;
        for (int row = tgt->start[i]; row < tgt->start[i] + tgt->len[i]; row++)
            for (int h = 0; h < n->n_heads; h++)
                one_query(q->v + (size_t)row * (size_t)q->ld + h * width, k + h * width, kv->ld, width,
                          source->len[i], rows[row] + (before + (size_t)h) * total);
    }
}

static void attention(const void *decoder, tape *t, const encoded *source, const words *tgt, size_t total,
                      real *const *rows)
{
    const transformer_side *n = decoder;
    tensor *states = encoded_by_sentence(t, source);
    tensor *x = transformer_embed(n, t, tgt->ids, tgt->place, tgt->rows);
    for (int i = 0; i < n->layers; i++) {
        const block *b = &n->blocks[i];
        x = transformer_self(n, t, x, b, &tgt->p, true);
        layer_attention(n, t, b, x, states, &tgt->p, &source->p, total, (size_t)(i * n->n_heads), rows);
        tensor *kv = transformer_apply(t, states, &b->cross_kv);
        x = cross_attention(n, t, x, b, &tgt->p, kv, &source->p);
        x = transformer_ff(n, t, x, b, &b->norms[2]);
    }
}

/* ------------------------------------------------------------------------------------- search */

/* Keys and values of what rows said are written once and never moved: a row knows the places of its words, so
 * that rows which change places take lists of numbers along, and those that come from one row share what it
 * said. Places that no row knows any more are collected and used again. */
typedef struct {
    int max_places;
    tensor **cross;     /* (dec_layers) (words of all sentences, 2d) keys and values of the source */
    tensor **said;      /* (dec_layers) (max_places, 2d) of what was said */
    int *said_at[2];    /* (max_rows, max_steps) places of the words of each row */
    int now;            /* which of the two, to select from one into the other */
    int *list, *n_said; /* (max_rows) where the row's list begins; its words in this step */
    int *free, n_free;  /* (max_places) places to use again */
    int n_fresh;        /* places that were ever used: the first ones */
    int collect_at;     /* so many of them, before it is worth looking for places to use again */
    bool *known;        /* (max_places) scratch */
} transformer_state;

static int *ints(tape *t, int n) { return arena_alloc(t->memory, (size_t)n * sizeof(int)); }

static void *open_state(const void *decoder, tape *t, const decoding_room *room)
{
    const transformer_side *n = decoder;
    size_t layers = (size_t)n->layers;
    transformer_state *k = arena_zalloc(t->memory, sizeof *k);
    k->max_places = 2 * (room->said + room->rows); /* see collect */
    k->cross = arena_alloc(t->memory, layers * sizeof *k->cross);
    k->said = arena_alloc(t->memory, layers * sizeof *k->said);
    for (size_t i = 0; i < layers; i++) {
        k->cross[i] = tape_tensor(t, room->words, 2 * n->d);
        k->said[i] = tape_tensor(t, k->max_places, 2 * n->d);
    }
    for (int i = 0; i < 2; i++) k->said_at[i] = ints(t, room->rows * room->steps);
    k->list = ints(t, room->rows);
    k->n_said = ints(t, room->rows);
    k->free = ints(t, k->max_places);
    k->known = arena_alloc(t->memory, (size_t)k->max_places * sizeof *k->known);
    for (int r = 0; r < room->rows; r++) k->list[r] = r * room->steps;
    return k;
}

static real *row_of(const tensor *x, int row) { return x->v + (size_t)row * (size_t)x->ld; }

static void join(const void *decoder, tape *t, void *state, const encoded *source, const decoding_rows *rows,
                 int first)
{
    const transformer_side *n = decoder;
    const transformer_state *k = state;
    tensor *states = encoded_by_sentence(t, source);
    for (int l = 0; l < n->layers; l++) {
        const tensor *kv = transformer_apply(t, states, &n->blocks[l].cross_kv);
        for (int i = 0; i < source->p.n; i++)
            memcpy(row_of(k->cross[l], rows->source[first + i]), row_of(kv, source->p.start[i]),
                   (size_t)source->p.len[i] * (size_t)kv->ld * sizeof(real));
    }
}

/* The places that no row knows. An eighth more than those that are known may be used before the next time, so
 * that this costs a step little. */
static void collect(transformer_state *k, const decoding_rows *rows)
{
    int known = 0;
    memset(k->known, 0, (size_t)k->n_fresh * sizeof *k->known);
    for (int r = 0; r < rows->n; r++)
        for (int i = 0; i < rows->said[r]; i++) k->known[k->said_at[k->now][k->list[r] + i]] = true;
    k->n_free = 0;
    for (int i = k->n_fresh - 1; i >= 0; i--) {
        known += k->known[i];
        if (!k->known[i]) k->free[k->n_free++] = i;
    }
    k->collect_at = known + known / 8 + rows->n;
}

/* A place for the next word of each row, at the end of its list. */
static void take_places(transformer_state *k, const decoding_rows *rows)
{
    if (k->n_free < rows->n && k->n_fresh >= k->collect_at) collect(k, rows);
    for (int r = 0; r < rows->n; r++) {
        int place = k->n_free ? k->free[--k->n_free] : k->n_fresh++;
        BUG_IF(place >= k->max_places);
        k->said_at[k->now][k->list[r] + rows->said[r]] = place;
        k->n_said[r] = rows->said[r] + 1;
    }
}

static tensor *self_attention_step(const transformer_side *n, tape *t, tensor *x, const block *b,
                                   const transformer_state *k, tensor *said)
{
    tensor *qkv = transformer_apply(t, transformer_before(n, t, x, &b->norms[0]), &b->self_qkv);
    for (int r = 0; r < x->rows; r++) {
        int place = k->said_at[k->now][k->list[r] + k->n_said[r] - 1];
        memcpy(row_of(said, place), row_of(qkv, r) + n->d, 2 * (size_t)n->d * sizeof(real));
    }
    const key_rows at = {k->list, k->n_said, k->said_at[k->now]};
    tensor *y = nn_attend_rows(t, qkv, said, &at, n->n_heads);
    return transformer_after(n, t, x, transformer_apply(t, y, &b->self_out), &b->norms[0]);
}

static tensor *cross_attention_step(const transformer_side *n, tape *t, tensor *x, const block *b,
                                    const decoding_rows *rows, tensor *kv)
{
    const key_rows at = {rows->source, rows->source_len, NULL};
    tensor *q = transformer_apply(t, transformer_before(n, t, x, &b->norms[1]), &b->cross_q);
    tensor *y = nn_attend_rows(t, q, kv, &at, n->n_heads);
    return transformer_after(n, t, x, transformer_apply(t, y, &b->cross_out), &b->norms[1]);
}

typedef struct {
    const transformer_side *n;
    const block *b;
    const transformer_state *k;
    const decoding_rows *rows;
    tensor *x, *said, *cross;
} layer_step;

static tensor *step_layer(tape *t, const void *context)
{
    const layer_step *s = context;
    tensor *x = self_attention_step(s->n, t, s->x, s->b, s->k, s->said);
    x = cross_attention_step(s->n, t, x, s->b, s->rows, s->cross);
    return transformer_ff(s->n, t, x, s->b, &s->b->norms[2]);
}

static tensor *step(const void *decoder, tape *t, void *state, const int *ids, const decoding_rows *rows)
{
    const transformer_side *n = decoder;
    transformer_state *k = state;
    take_places(k, rows);
    tensor *x = transformer_embed(n, t, ids, rows->said, rows->n);
    for (int i = 0; i < n->layers; i++) {
        layer_step s = {n, &n->blocks[i], k, rows, x, k->said[i], k->cross[i]};
        x = tape_checkpoint(t, step_layer, &s, sizeof s);
    }
    return transformer_end(n, t, x);
}

static void select_rows(const void *decoder, void *state, const decoding_rows *rows, const int *from, int n)
{
    (void)decoder;
    transformer_state *k = state;
    for (int r = 0; r < n; r++)
        memcpy(k->said_at[!k->now] + k->list[r], k->said_at[k->now] + k->list[from[r]],
               (size_t)rows->said[from[r]] * sizeof(int));
    k->now = !k->now;
}

/* -------------------------------------------------------------------------------------- flops */

static double flops(const void *decoder, const seqs *src, const seqs *tgt, int rows)
{
    const transformer_side *n = decoder;
    double d = n->d, a_word = 6 * d * d + transformer_ff_size(n), products = 0;
    double kv = 2 * d * n->blocks[0].cross_kv.w->cols;
    for (size_t i = 0; i < src->n; i++) {
        double s = (double)seqs_len(src, i) + 1, y = (double)seqs_len(tgt, i) + 1;
        double seen = rows ? y * (y + 1) / 2 : y * y; /* keys that the words of a hypothesis see */
        double a_hyp = y * a_word + 2 * seen * d + 2 * y * s * d;
        products += n->layers * (s * kv + (rows ? rows : 1) * a_hyp);
    }
    return 2 * products;
}

const decoder_class decoder_transformer = {.name = "transformer",
                                           .options = transformer_options,
                                           .check = check,
                                           .table = table,
                                           .output = output,
                                           .build = build,
                                           .build_last = build_last,
                                           .hidden = hidden,
                                           .attention_last = attention_last,
                                           .attention = attention,
                                           .open = open_state,
                                           .join = join,
                                           .step = step,
                                           .select = select_rows,
                                           .flops = flops,
                                           .free = transformer_free};
