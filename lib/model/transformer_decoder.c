/* The Transformer decoder: embeddings with positions, then blocks of causal self-attention, attention to the
 * encoder's states, and feed-forward. In search the keys and values of what was said are kept. */
#include <math.h>
#include <string.h>

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

/* Keys and values of what each row said so far, written in place: row r owns cache rows r * max_steps .. */
typedef struct {
    int max_steps, rows, said;
    tensor **cross;      /* (dec_layers) keys and values of the source, shared by the rows of a sentence */
    tensor *(*cache)[2]; /* (dec_layers) two each, to select from one into the other */
    int now;             /* which of the two */
    int *source_start[2], *source_len[2];
    int *place, *row, *one, *cache_start, *cache_len;
} transformer_state;

static int *ints(tape *t, int n) { return arena_alloc(t->memory, (size_t)n * sizeof(int)); }

static void row_tables(tape *t, transformer_state *k, const packed *src, int max_rows)
{
    for (int i = 0; i < 2; i++) {
        k->source_start[i] = ints(t, max_rows);
        k->source_len[i] = ints(t, max_rows);
    }
    memcpy(k->source_start[0], src->start, (size_t)src->n * sizeof(int));
    memcpy(k->source_len[0], src->len, (size_t)src->n * sizeof(int));
    k->place = ints(t, max_rows);
    k->row = ints(t, max_rows);
    k->one = ints(t, max_rows);
    k->cache_start = ints(t, max_rows);
    k->cache_len = ints(t, max_rows);
    for (int r = 0; r < max_rows; r++) {
        k->row[r] = r;
        k->one[r] = 1;
        k->cache_start[r] = r * k->max_steps;
    }
}

static void *start(const void *decoder, tape *t, const encoded *source, int max_rows, int max_steps)
{
    const transformer_side *n = decoder;
    size_t layers = (size_t)n->layers;
    tensor *states = encoded_by_sentence(t, source);
    transformer_state *k = arena_zalloc(t->memory, sizeof *k);
    k->rows = source->p.n;
    k->max_steps = max_steps;
    k->cross = arena_alloc(t->memory, layers * sizeof *k->cross);
    k->cache = arena_alloc(t->memory, layers * sizeof *k->cache);
    for (size_t i = 0; i < layers; i++) {
        k->cross[i] = transformer_apply(t, states, &n->blocks[i].cross_kv);
        for (int j = 0; j < 2; j++) k->cache[i][j] = tape_tensor(t, max_rows * max_steps, 2 * n->d);
    }
    row_tables(t, k, &source->p, max_rows);
    return k;
}

static real *cache_row(const tensor *cache, int row) { return cache->v + (size_t)row * (size_t)cache->ld; }

static tensor *cached_self_attention(const transformer_side *n, tape *t, tensor *x, const block *b,
                                     const transformer_state *k, tensor *cache, int rows, int said)
{
    tensor *qkv = transformer_apply(t, transformer_before(n, t, x, &b->norms[0]), &b->self_qkv);
    for (int r = 0; r < rows; r++)
        memcpy(cache_row(cache, k->cache_start[r] + said), qkv->v + (size_t)r * (size_t)qkv->ld + n->d,
               2 * (size_t)n->d * sizeof(real));
    packed queries = {rows, k->row, k->one}, keys = {rows, k->cache_start, k->cache_len};
    tensor *y = transformer_heads(n, t, qkv, cache, &queries, &keys, true);
    return transformer_after(n, t, x, transformer_apply(t, y, &b->self_out), &b->norms[0]);
}

static tensor *step(const void *decoder, tape *t, void *state, const int *ids, int rows, int said)
{
    const transformer_side *n = decoder;
    transformer_state *k = state;
    for (int r = 0; r < rows; r++) {
        k->place[r] = said;
        k->cache_len[r] = said + 1;
    }
    tensor *x = transformer_embed(n, t, ids, k->place, rows);
    packed queries = {rows, k->row, k->one}, source = {rows, k->source_start[k->now], k->source_len[k->now]};
    for (int i = 0; i < n->layers; i++) {
        const block *b = &n->blocks[i];
        x = cached_self_attention(n, t, x, b, k, k->cache[i][k->now], rows, said);
        x = cross_attention(n, t, x, b, &queries, k->cross[i], &source);
        x = transformer_ff(n, t, x, b, &b->norms[2]);
    }
    k->said = said + 1;
    return transformer_end(n, t, x);
}

static void select_rows(const void *decoder, void *state, const int *from, int rows)
{
    transformer_state *k = state;
    int now = k->now, next = !now;
    for (int i = 0; i < ((const transformer_side *)decoder)->layers; i++)
        for (int r = 0; r < rows; r++)
            memcpy(cache_row(k->cache[i][next], k->cache_start[r]),
                   cache_row(k->cache[i][now], k->cache_start[from[r]]),
                   (size_t)k->said * (size_t)k->cache[i][now]->ld * sizeof(real));
    for (int r = 0; r < rows; r++) {
        k->source_start[next][r] = k->source_start[now][from[r]];
        k->source_len[next][r] = k->source_len[now][from[r]];
    }
    k->now = next;
    k->rows = rows;
}

/* -------------------------------------------------------------------------------------- flops */

static double flops(const void *decoder, const seqs *src, const seqs *tgt)
{
    const transformer_side *n = decoder;
    double d = n->d, a_word = 6 * d * d + transformer_ff_size(n), products = 0;
    double kv = 2 * d * n->blocks[0].cross_kv.w->cols;
    for (size_t i = 0; i < src->n; i++) {
        double s = (double)seqs_len(src, i) + 1, y = (double)seqs_len(tgt, i) + 1;
        products += n->layers * (y * a_word + s * kv + 2 * y * y * d + 2 * y * s * d);
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
                                           .start = start,
                                           .step = step,
                                           .select = select_rows,
                                           .flops = flops,
                                           .free = transformer_free};
