#include "model/transformer_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "nn/linear.h"

enum { MAX_LAYERS = 48 };

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

static affine add_norm(params *p, const char *name, const norm_kind *kind, int d)
{
    char full[64];
    affine a = {NULL, NULL};
    snprintf(full, sizeof full, "%s.weight", name);
    a.w = params_add(p, full, d, 1, INIT_ONE, 0);
    snprintf(full, sizeof full, "%s.bias", name);
    if (kind->has_bias) a.b = params_add(p, full, d, 1, INIT_ZERO, 0);
    return a;
}

static block add_block(const transformer_side *n, params *p, const char *side, int i, int source_width)
{
    char prefix[32], name[48];
    int d = n->d, halves = n->act->gated ? 2 : 1; /* a gated layer has both in one matrix */
    snprintf(prefix, sizeof prefix, "%s.%d", side, i);
    block b = {.self_qkv = add_linear(p, prefix, "self_attn.qkv", 3 * d, d, 3),
               .self_out = add_linear(p, prefix, "self_attn.out", d, d, 1)};
    if (source_width) {
        b.cross_q = add_linear(p, prefix, "cross_attn.q", d, d, 1);
        b.cross_kv = add_linear(p, prefix, "cross_attn.kv", 2 * d, source_width, 2);
        b.cross_out = add_linear(p, prefix, "cross_attn.out", d, d, 1);
    }
    b.ffn_a = add_linear(p, prefix, "ffn.a", halves * n->d_ff, d, halves);
    b.ffn_b = add_linear(p, prefix, "ffn.b", d, n->d_ff, 1);
    for (int k = 0; k < (source_width ? 3 : 2); k++) {
        snprintf(name, sizeof name, "%s.norms.%d", prefix, k);
        b.norms[k] = add_norm(p, name, n->norm, d);
    }
    return b;
}

static const position_kind *positions_of(const net_config *c)
{
    return c->positions ? position_kind_find(c->positions) : position_kinds;
}

static const norm_kind *norm_of(const net_config *c)
{
    return c->norm_type ? norm_kind_find(c->norm_type) : norm_kinds;
}

static void build_positions(transformer_side *n, const net_config *c, params *p, const char *side)
{
    const position_kind *kind = positions_of(c);
    char name[48];
    snprintf(name, sizeof name, "%s_positions.weight", side);
    if (kind->row)
        n->positions = positions_new(kind, n->d);
    else
        n->position_table =
            params_add_table(p, name, c->max_positions, n->d, INIT_NORMAL, transformer_sigma(c));
}

transformer_side *transformer_build(const net_config *c, params *p, const tensor *table, const char *side,
                                    int layers, int source_width)
{
    transformer_side *n = xcalloc(1, sizeof *n);
    n->d = c->d_model;
    n->n_heads = c->n_heads;
    n->d_ff = c->d_ff;
    n->layers = layers;
    n->pre = strcmp(c->norm, "pre") == 0;
    n->dropout = c->dropout;
    n->dropout_attention = c->dropout_attention;
    n->dropout_ff = c->dropout_ff;
    n->dropout_emb = c->dropout_emb < 0 ? c->dropout : c->dropout_emb;
    n->act = activation_find(c->activation);
    n->norm = norm_of(c);
    build_positions(n, c, p, side);
    n->table = table;
    n->blocks = xcalloc((size_t)layers, sizeof *n->blocks);
    for (int i = 0; i < layers; i++) n->blocks[i] = add_block(n, p, side, i, source_width);
    return n;
}

void transformer_build_last(transformer_side *n, params *p, const char *name)
{
    if (n->pre) n->last_norm = add_norm(p, name, n->norm, n->d);
}

void transformer_free(void *side)
{
    transformer_side *n = side;
    positions_free(n->positions);
    free(n->blocks);
    free(n);
}

int transformer_check(const net_config *c, const char *side, int layers)
{
    if (c->n_heads < 1 || c->d_model % c->n_heads)
        return fail("--d-model %d must be a multiple of --n-heads %d", c->d_model, c->n_heads);
    if (c->d_ff < 1) return fail("--d-ff %d: must be at least 1", c->d_ff);
    if (layers > MAX_LAYERS)
        return fail("--%s-layers %d: at most %d for a Transformer", side, layers, MAX_LAYERS);
    if (strcmp(c->norm, "pre") && strcmp(c->norm, "post"))
        return fail("--norm %s: must be pre or post", c->norm);
    if (!norm_of(c)) return fail("--norm-type %s: there is no such norm", c->norm_type);
    if (!positions_of(c)) return fail("--positions %s: there are no such positions", c->positions);
    if (!positions_of(c)->row && c->max_positions < 1)
        return fail("--max-positions %d: must be at least 1", c->max_positions);
    if (!activation_find(c->activation))
        return fail("--activation %s: there is no such function", c->activation);
    return 0;
}

double transformer_ff_size(const transformer_side *n)
{
    const tensor *a = n->blocks[0].ffn_a.w, *b = n->blocks[0].ffn_b.w;
    return (double)a->rows * a->cols + (double)b->rows * b->cols;
}

double transformer_sigma(const net_config *c) { return 1 / sqrt(c->d_model); }

const char *const transformer_options[] = {
    "d-ff",       "n-heads",   "dropout-attention", "dropout-ff", "norm", "norm-type",
    "activation", "positions", "max-positions",     "recompute",  NULL};

/* --------------------------------------------------------------------------------- sub-layers */

static tensor *norm(const transformer_side *n, tape *t, tensor *x, const affine *a)
{
    return nn_norm(t, n->norm, x, a->w, a->b);
}

tensor *transformer_apply(tape *t, tensor *x, const affine *a) { return nn_linear(t, x, a->w, a->b); }

tensor *transformer_embed(const transformer_side *n, tape *t, const int *ids, const int *place, int rows)
{
    tensor *x = nn_embed(t, n->table, ids, rows, (real)sqrt(n->d), n->positions, place);
    if (n->position_table) x = nn_add_positions(t, x, n->position_table, place);
    return nn_dropout_over(t, x, n->dropout_emb);
}

tensor *transformer_before(const transformer_side *n, tape *t, tensor *x, const affine *a)
{
    return n->pre ? norm(n, t, x, a) : x;
}

tensor *transformer_after(const transformer_side *n, tape *t, tensor *x, tensor *y, const affine *a)
{
    return n->pre ? nn_residual(t, x, y, n->dropout)
                  : nn_residual_norm(t, n->norm, x, y, n->dropout, a->w, a->b);
}

tensor *transformer_heads(const transformer_side *n, tape *t, tensor *q, tensor *kv, const packed *queries,
                          const packed *keys, bool causal)
{
    return nn_attend(t, q, kv, queries, keys, n->n_heads, causal, n->dropout_attention);
}

tensor *transformer_self(const transformer_side *n, tape *t, tensor *x, const block *b, const packed *p,
                         bool causal)
{
    tensor *qkv = transformer_apply(t, transformer_before(n, t, x, &b->norms[0]), &b->self_qkv);
    tensor *y = transformer_heads(n, t, qkv, qkv, p, p, causal);
    return transformer_after(n, t, x, transformer_apply(t, y, &b->self_out), &b->norms[0]);
}

tensor *transformer_ff(const transformer_side *n, tape *t, tensor *x, const block *b, const affine *a)
{
    tensor *y = nn_activate(t, transformer_apply(t, transformer_before(n, t, x, a), &b->ffn_a), n->act);
    y = transformer_apply(t, nn_dropout(t, y, n->dropout_ff), &b->ffn_b);
    return transformer_after(n, t, x, y, a);
}

tensor *transformer_end(const transformer_side *n, tape *t, tensor *x)
{
    return n->pre ? norm(n, t, x, &n->last_norm) : x;
}
