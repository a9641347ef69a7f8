/* Cases of multi-head attention and of Transformer layers. */
#include <stdio.h>
#include <string.h>

#include "nn/attend.h"
#include "nn/linear.h"
#include "nn/rows.h"
#include "vectors.h"

/* A weight and a bias under one name; their gradients are compared at the end. */
typedef struct {
    char weight[80], bias[80];
    tensor *w, *b;
} affine;

static affine read_affine(vec_case *c, const char *prefix, const char *weight, const char *bias)
{
    affine a;
    snprintf(a.weight, sizeof a.weight, "w.%s%s", prefix, weight);
    snprintf(a.bias, sizeof a.bias, "w.%s%s", prefix, bias);
    a.w = case_weight(c, a.weight);
    a.b = case_weight(c, a.bias);
    return a;
}

static affine read_layer(vec_case *c, const char *name)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.", name);
    return read_affine(c, prefix, "weight", "bias");
}

static void compare_affine(vec_case *c, const affine *a)
{
    case_compare_gradient(c, a->weight, a->w);
    case_compare_gradient(c, a->bias, a->b);
}

/* ------------------------------------------------------------------------ multi-head attention */

typedef struct {
    affine in, out; /* in: rows of queries, keys, values */
    int heads;
} heads;

static heads read_heads(vec_case *c, const char *prefix)
{
    heads h = {read_affine(c, prefix, "in_proj_weight", "in_proj_bias"),
               read_affine(c, prefix, "out_proj.weight", "out_proj.bias"), (int)case_number(c, "heads")};
    int d = h.in.w->cols;
    if (h.in.w->rows != 3 * d || h.heads < 1 || d % h.heads) case_stop(c, "%s is not (3d, d)", h.in.weight);
    return h;
}

static void compare_heads(vec_case *c, const heads *h)
{
    compare_affine(c, &h->in);
    compare_affine(c, &h->out);
}

/* Queries, keys and values are three blocks of rows of one matrix; keys and values come from `mem`, or from
 * x. */
static tensor *attention(vec_case *c, const heads *h, tensor *x, const packed *p, tensor *mem,
                         const packed *keys, bool causal)
{
    tape *t = c->t;
    int d = x->cols;
    tensor *q, *kv;
    if (mem) {
        q = nn_linear(t, x, tape_rows(t, h->in.w, 0, d), tape_rows(t, h->in.b, 0, d));
        kv = nn_linear(t, mem, tape_rows(t, h->in.w, d, 2 * d), tape_rows(t, h->in.b, d, 2 * d));
    } else {
        tensor *qkv = nn_linear(t, x, h->in.w, h->in.b);
        q = kv = qkv;
    }
    tensor *y = nn_attend(t, q, kv, p, mem ? keys : p, h->heads, causal, 0);
    return nn_linear(t, y, h->out.w, h->out.b);
}

/* ---------------------------------------------------------------- what mha and layers share */

typedef struct {
    sequences of_x, of_mem;
    tensor *x, *mem; /* packed; mem may be NULL */
    int d;
} layer_inputs;

static sequences read_sequences(vec_case *c, const char *name, const char *lengths)
{
    const vec *x = case_vec(c, name, 3);
    return case_sequences(c, (int)x->dims[0], (int)x->dims[1], case_ints(c, lengths, x->dims[0]));
}

static layer_inputs read_inputs(vec_case *c)
{
    layer_inputs in = {.of_x = read_sequences(c, "x", "lengths"), .d = (int)case_vec(c, "x", 3)->dims[2]};
    in.x = case_packed(c, "x", &in.of_x, in.d);
    if (!case_has(c, "mem")) return in;
    in.of_mem = read_sequences(c, "mem", "mem_lengths");
    in.mem = case_packed(c, "mem", &in.of_mem, in.d);
    return in;
}

/* Compares y and the loss, runs backward, compares the gradients of the inputs. */
static void finish(vec_case *c, const layer_inputs *in, tensor *y)
{
    double loss = 0, scale = 0;
    case_compare_packed(c, "y", &in->of_x, y->v, in->d, y->ld);
    case_incoming(c, y, case_packed(c, "dy", &in->of_x, in->d), &loss, &scale);
    case_compare_number(c, "loss", loss, scale);
    tape_backward(c->t);
    case_compare_packed(c, "grad.x", &in->of_x, in->x->g, in->d, in->d);
    if (in->mem) case_compare_packed(c, "grad.mem", &in->of_mem, in->mem->g, in->d, in->d);
}

void mha_case(vec_case *c)
{
    layer_inputs in = read_inputs(c);
    heads h = read_heads(c, "");
    finish(c, &in, attention(c, &h, in.x, &in.of_x.at, in.mem, &in.of_mem.at, case_number(c, "causal") != 0));
    compare_heads(c, &h);
}

/* --------------------------------------------------------------------------- Transformer layers */

/* The sub-layers of a layer, each with its norm: f of norm(x) is added to x, or the norm is taken of the sum.
 */
typedef struct {
    bool pre;
    const activation *act;
    heads self, cross;
    affine ffn_a, ffn_b, norms[3];
    int n_norms;
} layer;

static layer read_transformer_layer(vec_case *c, bool decoder)
{
    char name[16];
    layer l = {.pre = case_number(c, "prenorm") != 0, .n_norms = decoder ? 3 : 2};
    l.act = activation_find(case_number(c, "gelu") != 0 ? "gelu" : "relu");
    if (!l.act) case_stop(c, "the activation is not built");
    l.self = read_heads(c, "self_attn.");
    if (decoder) l.cross = read_heads(c, "multihead_attn.");
    l.ffn_a = read_layer(c, "linear1");
    l.ffn_b = read_layer(c, "linear2");
    for (int i = 0; i < l.n_norms; i++) {
        snprintf(name, sizeof name, "norm%d", i + 1);
        l.norms[i] = read_layer(c, name);
    }
    return l;
}

static tensor *before(vec_case *c, const layer *l, int i, tensor *x)
{
    return l->pre ? nn_norm(c->t, &norm_kinds[0], x, l->norms[i].w, l->norms[i].b) : x;
}

static tensor *after(vec_case *c, const layer *l, int i, tensor *x, tensor *y)
{
    y = nn_residual(c->t, x, y, 0);
    return l->pre ? y : nn_norm(c->t, &norm_kinds[0], y, l->norms[i].w, l->norms[i].b);
}

static void layer_case(vec_case *c, bool decoder)
{
    layer_inputs in = read_inputs(c);
    layer l = read_transformer_layer(c, decoder);
    const packed *p = &in.of_x.at;
    int last = l.n_norms - 1;
    if (decoder && !in.mem) case_stop(c, "the file has no tensor mem");
    tensor *x = after(c, &l, 0, in.x, attention(c, &l.self, before(c, &l, 0, in.x), p, NULL, NULL, decoder));
    if (decoder)
        x = after(c, &l, 1, x, attention(c, &l.cross, before(c, &l, 1, x), p, in.mem, &in.of_mem.at, false));
    tensor *y = nn_activate(c->t, nn_linear(c->t, before(c, &l, last, x), l.ffn_a.w, l.ffn_a.b), l.act);
    finish(c, &in, after(c, &l, last, x, nn_linear(c->t, y, l.ffn_b.w, l.ffn_b.b)));
    compare_heads(c, &l.self);
    if (decoder) compare_heads(c, &l.cross);
    compare_affine(c, &l.ffn_a);
    compare_affine(c, &l.ffn_b);
    for (int i = 0; i < l.n_norms; i++) compare_affine(c, &l.norms[i]);
}

void encoder_layer_case(vec_case *c) { layer_case(c, false); }

void decoder_layer_case(vec_case *c) { layer_case(c, true); }
