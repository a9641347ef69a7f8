/* What the Transformer's encoder and decoder share (Vaswani et al. 2017): the parts of a layer, and what
 * stands around each, a norm behind it as in the paper or before it. Rows are packed sentence by sentence; no
 * row is padding. Embeddings are scaled by sqrt(d). Internal to model/. */
#ifndef TULK_MODEL_TRANSFORMER_PARTS_H
#define TULK_MODEL_TRANSFORMER_PARTS_H

#include "model/classes.h"
#include "nn/embedding.h"
#include "nn/rows.h"

typedef struct {
    tensor *w, *b;
} affine; /* a linear layer, or the gain and bias of a norm, b NULL where there is none */

typedef struct {
    affine self_qkv, self_out;           /* rows of qkv: queries, keys, values */
    affine cross_q, cross_kv, cross_out; /* decoder only */
    affine ffn_a, ffn_b;
    affine norms[3]; /* self, cross, ffn; encoder: self, ffn */
} block;

/* One side: a stack of blocks. */
typedef struct {
    int d, n_heads, d_ff, layers;
    bool pre;
    double dropout, dropout_attention, dropout_ff, dropout_emb;
    const activation *act;
    const norm_kind *norm;
    positions *positions;         /* NULL: learned, */
    const tensor *position_table; /* (max_positions, d) */
    const tensor *table;
    block *blocks;
    affine last_norm; /* pre-norm only */
} transformer_side;

/* Blocks side.0, side.1, ...; source_width: of what cross attention reads, 0 for an encoder. */
transformer_side *transformer_build(const net_config *c, params *p, const tensor *table, const char *side,
                                    int layers, int source_width);
/* Pre-norm: the norm at the end, `name`. */
void transformer_build_last(transformer_side *n, params *p, const char *name);
void transformer_free(void *side);

/* Elements of the feed-forward layer's matrices. */
double transformer_ff_size(const transformer_side *n);

/* The options that both sides check; 0, or -1 with a message. */
int transformer_check(const net_config *c, const char *side, int layers);
double transformer_sigma(const net_config *c); /* of embeddings */
extern const char *const transformer_options[];

/* ---- forward; x (rows, d) */

tensor *transformer_apply(tape *t, tensor *x, const affine *a);
tensor *transformer_embed(const transformer_side *n, tape *t, const int *ids, const int *place, int rows);
/* Around a sub-layer f: post-norm is norm(x + f(x)), pre-norm x + f(norm(x)). */
tensor *transformer_before(const transformer_side *n, tape *t, tensor *x, const affine *norm);
tensor *transformer_after(const transformer_side *n, tape *t, tensor *x, tensor *y, const affine *norm);
/* The heads alone: kv lies as nn_attend says. */
tensor *transformer_heads(const transformer_side *n, tape *t, tensor *q, tensor *kv, const packed *queries,
                          const packed *keys, bool causal);
tensor *transformer_self(const transformer_side *n, tape *t, tensor *x, const block *b, const packed *p,
                         bool causal);
tensor *transformer_ff(const transformer_side *n, tape *t, tensor *x, const block *b, const affine *norm);
tensor *transformer_end(const transformer_side *n, tape *t, tensor *x);

#endif
