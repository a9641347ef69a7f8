/* The Transformer (Vaswani et al. 2017), with the norm after each sub-layer as in the paper, or before it.
 * Rows are packed sentence by sentence; no row is padding. Embeddings are scaled by sqrt(d). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "model/words.h"
#include "nn/attend.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/rows.h"

extern const model_class model_transformer;

typedef struct {
    tensor *w, *b;
} affine; /* a linear layer, or the gain and bias of a norm */

typedef struct {
    affine self_qkv, self_out;           /* rows of qkv: queries, keys, values */
    affine cross_q, cross_kv, cross_out; /* decoder only */
    affine ffn_a, ffn_b;
    affine norms[3]; /* self, cross, ffn; encoder: self, ffn */
} block;

typedef struct {
    net_config c;
    int d;
    bool pre;
    double dropout_emb;
    const activation *act;
    positions *positions;
    tensor *src_emb, *tgt_emb, *out;
    block *enc, *dec;
    affine enc_norm, dec_norm; /* pre-norm only */
} transformer;

/* ----------------------------------------------------------------------------------- building */

static affine add_linear(params *p, const char *prefix, const char *name, int out, int in, int stacked)
{
    char full[64];
    affine a;
    snprintf(full, sizeof full, "%s.%s.weight", prefix, name);
    a.w = params_add_stacked(p, full, out, in, stacked);
    snprintf(full, sizeof full, "%s.%s.bias", prefix, name);
    a.b = params_add(p, full, out, 1, INIT_ZERO, 0);
    return a;
}

static affine add_norm(params *p, const char *name, int d)
{
    char full[64];
    affine a;
    snprintf(full, sizeof full, "%s.weight", name);
    a.w = params_add(p, full, d, 1, INIT_ONE, 0);
    snprintf(full, sizeof full, "%s.bias", name);
    a.b = params_add(p, full, d, 1, INIT_ZERO, 0);
    return a;
}

static block add_block(const transformer *n, params *p, const char *side, int i, bool decoder)
{
    char prefix[32], name[48];
    int d = n->d;
    snprintf(prefix, sizeof prefix, "%s.%d", side, i);
    block b = {.self_qkv = add_linear(p, prefix, "self_attn.qkv", 3 * d, d, 3),
               .self_out = add_linear(p, prefix, "self_attn.out", d, d, 1)};
    if (decoder) {
        b.cross_q = add_linear(p, prefix, "cross_attn.q", d, d, 1);
        b.cross_kv = add_linear(p, prefix, "cross_attn.kv", 2 * d, d, 2);
        b.cross_out = add_linear(p, prefix, "cross_attn.out", d, d, 1);
    }
    b.ffn_a = add_linear(p, prefix, "ffn.a", n->c.d_ff, d, 1);
    b.ffn_b = add_linear(p, prefix, "ffn.b", d, n->c.d_ff, 1);
    for (int k = 0; k < (decoder ? 3 : 2); k++) {
        snprintf(name, sizeof name, "%s.norms.%d", prefix, k);
        b.norms[k] = add_norm(p, name, d);
    }
    return b;
}

static void add_embeddings(transformer *n, params *p)
{
    double sigma = 1 / sqrt(n->d);
    bool tied = strcmp(n->c.tie, "none") != 0, tied_src = strcmp(n->c.tie, "all") == 0;
    n->out = params_add(p, "out", n->c.tgt_vocab, n->d, INIT_NORMAL, sigma);
    n->src_emb =
        tied_src ? n->out : params_add_table(p, "src_emb.weight", n->c.src_vocab, n->d, INIT_NORMAL, sigma);
    n->tgt_emb =
        tied ? n->out : params_add_table(p, "tgt_emb.weight", n->c.tgt_vocab, n->d, INIT_NORMAL, sigma);
}

static void *build(const net_config *c, params *p)
{
    transformer *n = xcalloc(1, sizeof *n);
    n->c = *c;
    n->d = c->d_model;
    n->pre = strcmp(c->norm, "pre") == 0;
    n->act = activation_find(c->activation);
    n->dropout_emb = c->dropout_emb < 0 ? c->dropout : c->dropout_emb;
    n->positions = positions_new(n->d);
    n->enc = xcalloc((size_t)c->enc_layers, sizeof *n->enc);
    n->dec = xcalloc((size_t)c->dec_layers, sizeof *n->dec);
    add_embeddings(n, p);
    for (int i = 0; i < c->enc_layers; i++) n->enc[i] = add_block(n, p, "enc", i, false);
    for (int i = 0; i < c->dec_layers; i++) n->dec[i] = add_block(n, p, "dec", i, true);
    if (n->pre) {
        n->enc_norm = add_norm(p, "enc_norm", n->d);
        n->dec_norm = add_norm(p, "dec_norm", n->d);
    }
    return n;
}

static void free_net(void *net)
{
    transformer *n = net;
    positions_free(n->positions);
    free(n->enc);
    free(n->dec);
    free(n);
}

static int check(const net_config *c)
{
    if (c->n_heads < 1 || c->d_model % c->n_heads)
        return fail("--d-model %d must be a multiple of --n-heads %d", c->d_model, c->n_heads);
    if (c->d_ff < 1) return fail("--d-ff %d: must be at least 1", c->d_ff);
    if (c->enc_layers > 48 || c->dec_layers > 48) return fail("--enc-layers and --dec-layers: at most 48");
    if (strcmp(c->norm, "pre") && strcmp(c->norm, "post"))
        return fail("--norm %s: must be pre or post", c->norm);
    if (!activation_find(c->activation))
        return fail("--activation %s: there is no such function", c->activation);
    return 0;
}

/* --------------------------------------------------------------------------------- sub-layers */

static tensor *apply(tape *t, tensor *x, const affine *a) { return nn_linear(t, x, a->w, a->b); }

static tensor *norm(tape *t, tensor *x, const affine *a) { return nn_layer_norm(t, x, a->w, a->b); }

/* Around a sub-layer f: post-norm is norm(x + f(x)), pre-norm x + f(norm(x)). */
static tensor *before(const transformer *n, tape *t, tensor *x, const affine *a)
{
    return n->pre ? norm(t, x, a) : x;
}

static tensor *after(const transformer *n, tape *t, tensor *x, tensor *y, const affine *a)
{
    return n->pre ? nn_residual(t, x, y, n->c.dropout) : nn_residual_norm(t, x, y, n->c.dropout, a->w, a->b);
}

static tensor *attend_to(const transformer *n, tape *t, tensor *q, tensor *kv, const packed *queries,
                         const packed *keys, bool causal)
{
    return nn_attend(t, q, kv, queries, keys, n->c.n_heads, causal, n->c.dropout_attention);
}

static tensor *self_attention(const transformer *n, tape *t, tensor *x, const block *b, const packed *p,
                              bool causal)
{
    tensor *qkv = apply(t, before(n, t, x, &b->norms[0]), &b->self_qkv);
    tensor *y = attend_to(n, t, qkv, qkv, p, p, causal);
    return after(n, t, x, apply(t, y, &b->self_out), &b->norms[0]);
}

/* kv (source rows, 2d): keys and values of the encoder states, side by side. */
static tensor *cross_attention(const transformer *n, tape *t, tensor *x, const block *b, const packed *p,
                               tensor *kv, const packed *memory)
{
    tensor *q = apply(t, before(n, t, x, &b->norms[1]), &b->cross_q);
    tensor *y = attend_to(n, t, q, kv, p, memory, false);
    return after(n, t, x, apply(t, y, &b->cross_out), &b->norms[1]);
}

static tensor *feed_forward(const transformer *n, tape *t, tensor *x, const block *b, const affine *a_norm)
{
    tensor *y = nn_activate(t, apply(t, before(n, t, x, a_norm), &b->ffn_a), n->act);
    y = apply(t, nn_dropout(t, y, n->c.dropout_ff), &b->ffn_b);
    return after(n, t, x, y, a_norm);
}

static tensor *embed(const transformer *n, tape *t, const tensor *table, const int *ids, const int *place,
                     int rows)
{
    tensor *x = nn_embed(t, table, ids, rows, (real)sqrt(n->d), n->positions, place);
    return nn_dropout_over(t, x, n->dropout_emb);
}

/* ------------------------------------------------------------------------------- whole sequence */

static tensor *encode(const transformer *n, tape *t, const words *src)
{
    tensor *x = embed(n, t, n->src_emb, src->ids, src->place, src->rows);
    for (int i = 0; i < n->c.enc_layers; i++) {
        x = self_attention(n, t, x, &n->enc[i], &src->p, false);
        x = feed_forward(n, t, x, &n->enc[i], &n->enc[i].norms[1]);
    }
    return n->pre ? norm(t, x, &n->enc_norm) : x;
}

static tensor *hidden(void *net, tape *t, const seqs *src, const seqs *tgt, const int **target_of)
{
    transformer *n = net;
    t->on_demand = true;
    words s = words_with_eos(t, src), y = words_with_bos(t, tgt);
    tensor *memory = encode(n, t, &s), *x = embed(n, t, n->tgt_emb, y.ids, y.place, y.rows);
    for (int i = 0; i < n->c.dec_layers; i++) {
        const block *b = &n->dec[i];
        x = self_attention(n, t, x, b, &y.p, true);
        x = cross_attention(n, t, x, b, &y.p, apply(t, memory, &b->cross_kv), &s.p);
        x = feed_forward(n, t, x, b, &b->norms[2]);
    }
    *target_of = NULL; /* rows are sentence-major already */
    return n->pre ? norm(t, x, &n->dec_norm) : x;
}

static const tensor *output(void *net, const tensor **bias)
{
    *bias = NULL;
    return ((transformer *)net)->out;
}

/* ------------------------------------------------------------------------------------- search */

/* Keys and values of what each row said so far, written in place: row r owns cache rows r * max_steps .. */
typedef struct {
    int max_steps, rows, said;
    tensor **cross;      /* (dec_layers) keys and values of the source, shared by the rows of a sentence */
    tensor *(*cache)[2]; /* (dec_layers) two each, to select from one into the other */
    int now;             /* which of the two */
    int *memory_start[2], *memory_len[2];
    int *place, *row, *one, *cache_start, *cache_len;
} transformer_state;

static int *ints(tape *t, int n) { return arena_alloc(t->memory, (size_t)n * sizeof(int)); }

static void row_tables(tape *t, transformer_state *k, const packed *src, int max_rows)
{
    for (int i = 0; i < 2; i++) {
        k->memory_start[i] = ints(t, max_rows);
        k->memory_len[i] = ints(t, max_rows);
    }
    memcpy(k->memory_start[0], src->start, (size_t)src->n * sizeof(int));
    memcpy(k->memory_len[0], src->len, (size_t)src->n * sizeof(int));
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

static void *start(void *net, tape *t, const seqs *src, int max_rows, int max_steps)
{
    transformer *n = net;
    size_t layers = (size_t)n->c.dec_layers;
    words w = words_with_eos(t, src);
    tensor *memory = encode(n, t, &w);
    transformer_state *k = arena_zalloc(t->memory, sizeof *k);
    k->rows = (int)src->n;
    k->max_steps = max_steps;
    k->cross = arena_alloc(t->memory, layers * sizeof *k->cross);
    k->cache = arena_alloc(t->memory, layers * sizeof *k->cache);
    for (size_t i = 0; i < layers; i++) {
        k->cross[i] = apply(t, memory, &n->dec[i].cross_kv);
        for (int j = 0; j < 2; j++) k->cache[i][j] = tape_tensor(t, max_rows * max_steps, 2 * n->d);
    }
    row_tables(t, k, &w.p, max_rows);
    return k;
}

static real *cache_row(const tensor *cache, int row) { return cache->v + (size_t)row * (size_t)cache->ld; }

static tensor *cached_self_attention(const transformer *n, tape *t, tensor *x, const block *b,
                                     const transformer_state *k, tensor *cache, int rows, int said)
{
    tensor *qkv = apply(t, before(n, t, x, &b->norms[0]), &b->self_qkv);
    for (int r = 0; r < rows; r++)
        memcpy(cache_row(cache, k->cache_start[r] + said), qkv->v + (size_t)r * (size_t)qkv->ld + n->d,
               2 * (size_t)n->d * sizeof(real));
    packed queries = {rows, k->row, k->one}, keys = {rows, k->cache_start, k->cache_len};
    tensor *y = attend_to(n, t, qkv, cache, &queries, &keys, true);
    return after(n, t, x, apply(t, y, &b->self_out), &b->norms[0]);
}

static tensor *step(void *net, tape *t, void *state, const int *ids, int rows, int said)
{
    transformer *n = net;
    transformer_state *k = state;
    for (int r = 0; r < rows; r++) {
        k->place[r] = said;
        k->cache_len[r] = said + 1;
    }
    tensor *x = embed(n, t, n->tgt_emb, ids, k->place, rows);
    packed queries = {rows, k->row, k->one}, memory = {rows, k->memory_start[k->now], k->memory_len[k->now]};
    for (int i = 0; i < n->c.dec_layers; i++) {
        const block *b = &n->dec[i];
        x = cached_self_attention(n, t, x, b, k, k->cache[i][k->now], rows, said);
        x = cross_attention(n, t, x, b, &queries, k->cross[i], &memory);
        x = feed_forward(n, t, x, b, &b->norms[2]);
    }
    k->said = said + 1;
    return n->pre ? norm(t, x, &n->dec_norm) : x;
}

static void select_rows(void *net, tape *t, void *state, const int *from, int rows)
{
    transformer_state *k = state;
    int now = k->now, next = !now;
    (void)t;
    for (int i = 0; i < ((transformer *)net)->c.dec_layers; i++)
        for (int r = 0; r < rows; r++)
            memcpy(cache_row(k->cache[i][next], k->cache_start[r]),
                   cache_row(k->cache[i][now], k->cache_start[from[r]]),
                   (size_t)k->said * (size_t)k->cache[i][now]->ld * sizeof(real));
    for (int r = 0; r < rows; r++) {
        k->memory_start[next][r] = k->memory_start[now][from[r]];
        k->memory_len[next][r] = k->memory_len[now][from[r]];
    }
    k->now = next;
    k->rows = rows;
}

/* -------------------------------------------------------------------------------------- flops */

static double flops(const void *net, const seqs *src, const seqs *tgt)
{
    const transformer *n = net;
    double d = n->d, ffn = 2 * d * n->c.d_ff, enc = 4 * d * d + ffn, dec = 6 * d * d + ffn, products = 0;
    for (size_t i = 0; i < src->n; i++) {
        double s = (double)seqs_len(src, i) + 1, y = (double)seqs_len(tgt, i) + 1;
        products += n->c.enc_layers * (s * enc + 2 * s * s * d);
        products += n->c.dec_layers * (y * dec + 2 * s * d * d + 2 * y * y * d + 2 * y * s * d);
    }
    return 2 * products;
}

static const char *const options[] = {
    "arch",        "d-model",           "d-ff",       "n-heads", "enc-layers", "dec-layers", "tie", "dropout",
    "dropout-emb", "dropout-attention", "dropout-ff", "norm",    "activation", NULL};

const model_class model_transformer = {"transformer", false, options, check,       build, hidden,
                                       output,        start, step,    select_rows, flops, free_net};
