/* The Transformer encoder: embeddings with positions, then blocks of self-attention and feed-forward. It
 * leaves the states of every word. */
#include "model/transformer_parts.h"

extern const encoder_class encoder_transformer;

static int check(const net_config *c) { return transformer_check(c, "enc", c->enc_layers); }

static table_spec table(const net_config *c)
{
    return (table_spec){"src_emb.weight", c->d_model, transformer_sigma(c)};
}

static encoded_shape shape(const net_config *c) { return (encoded_shape){c->d_model, false}; }

static void *build(const net_config *c, params *p, const tensor *words_table)
{
    return transformer_build(c, p, words_table, "enc", c->enc_layers, 0);
}

static void build_last(void *encoder, params *p) { transformer_build_last(encoder, p, "enc_norm"); }

typedef struct {
    const transformer_side *n;
    const block *b;
    tensor *x;
    packed p;
} layer_input;

static tensor *layer(tape *t, const void *context)
{
    const layer_input *in = context;
    tensor *x = transformer_self(in->n, t, in->x, in->b, &in->p, false);
    return transformer_ff(in->n, t, x, in->b, &in->b->norms[1]);
}

static encoded encode(const void *encoder, tape *t, const words *src)
{
    const transformer_side *n = encoder;
    tensor *x = transformer_embed(n, t, src->ids, src->place, src->rows);
    for (int i = 0; i < n->layers; i++) {
        layer_input in = {n, &n->blocks[i], x, src->p};
        x = tape_checkpoint(t, layer, &in, sizeof in);
    }
    return (encoded){.states = transformer_end(n, t, x), .p = src->p};
}

static double flops(const void *encoder, const seqs *src)
{
    const transformer_side *n = encoder;
    double d = n->d, a_word = 4 * d * d + transformer_ff_size(n), products = 0;
    for (size_t i = 0; i < src->n; i++) {
        double s = (double)seqs_len(src, i) + 1;
        products += n->layers * (s * a_word + 2 * s * s * d);
    }
    return 2 * products;
}

const encoder_class encoder_transformer = {.name = "transformer",
                                           .options = transformer_options,
                                           .check = check,
                                           .table = table,
                                           .shape = shape,
                                           .build = build,
                                           .build_last = build_last,
                                           .encode = encode,
                                           .flops = flops,
                                           .free = transformer_free};
