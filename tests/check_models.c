/* Cases of whole networks: loss, gradients, greedy and beam search. The network is described by `key=value`
 * words in the file's first comment line; sizes that are not there are read off the weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "model/model.h"
#include "search/search.h"
#include "vectors.h"

/* ------------------------------------------------------------------------------ configuration */

/* The value of key= in the comment into `out`; false if there is none. Commas and semicolons end it too. */
static bool setting(const vec_case *c, const char *key, char out[32])
{
    size_t n = strlen(key);
    for (const char *at = c->file.comment; (at = strstr(at, key)); at += n) {
        if (at[n] != '=' || (at != c->file.comment && at[-1] != ' ')) continue;
        snprintf(out, 32, "%.*s", (int)strcspn(at + n + 1, " ,;\n"), at + n + 1);
        return true;
    }
    return false;
}

static int setting_int(const vec_case *c, const char *key, int otherwise)
{
    char text[32];
    return setting(c, key, text) ? atoi(text) : otherwise;
}

static bool setting_true(const vec_case *c, const char *key)
{
    char text[32];
    return setting(c, key, text) && (strcmp(text, "True") == 0 || strcmp(text, "1") == 0);
}

/* A static copy of the value: configurations hold strings by pointer. */
static const char *setting_text(vec_case *c, const char *key, const char *otherwise)
{
    char text[32], *copy;
    if (!setting(c, key, text)) return otherwise;
    copy = arena_alloc(c->t->memory, sizeof text);
    return strcpy(copy, text);
}

/* Size `which` of a weight, 0 if there is no such weight. */
static int size_of(const vec_case *c, const char *name, int which)
{
    const vec *x = vec_find(&c->file, name);
    return x && which < x->n_dims ? (int)x->dims[which] : 0;
}

static int count_layers(const vec_case *c, const char *format)
{
    char name[64];
    for (int n = 0;; n++) {
        snprintf(name, sizeof name, format, n);
        if (!case_has(c, name)) return n;
    }
}

/* What the readout reads, by its weights; NULL if there is none. */
static const char *readout_kind(const vec_case *c)
{
    if (case_has(c, "w.r_emb.weight")) return "deep";
    if (case_has(c, "w.r_ctx.weight")) return "attentional";
    return case_has(c, "w.readout.weight") ? "state" : NULL;
}

static net_config rnn_config(vec_case *c)
{
    net_config o = {.enc = "rnn",
                    .dec = "rnn",
                    .tie = setting_text(c, "tied", "none"),
                    .cell = setting_text(c, "cell", "?")};
    bool attends = case_has(c, "w.w_ctx.weight");
    int src_emb = size_of(c, "w.encoder.emb.weight", 1);
    o.d_model = setting_int(c, "hidden", size_of(c, "w.encoder.rnn.weight_hh_l0", 1));
    o.d_emb = setting_int(c, "emb", src_emb ? src_emb : size_of(c, "w.encoder.rnn.weight_ih_l0", 1));
    o.enc_layers = setting_int(c, "layers", count_layers(c, "w.encoder.rnn.weight_ih_l%d"));
    o.enc_layers = setting_int(c, "enc_layers", o.enc_layers);
    o.dec_layers =
        attends ? 1 + count_layers(c, "w.upper.weight_ih_l%d") : count_layers(c, "w.rnn.weight_ih_l%d");
    o.bidirectional = case_has(c, "w.encoder.rnn.weight_ih_l0_reverse");
    o.attention = attends ? setting_text(c, "attention", "additive") : "none";
    o.context = setting_true(c, "feed_context") ? "every-step" : "init";
    o.readout = readout_kind(c);
    o.input_feeding = setting_true(c, "feeding");
    o.residual = setting_true(c, "residual");
    o.attention_span = setting_int(c, "span", 1);
    o.d_attention = attends ? setting_int(c, "att", size_of(c, "w.w_key.weight", 0)) : 0;
    if (attends && !o.d_attention) o.d_attention = 1; /* of a kind without one */
    o.d_readout =
        setting_int(c, "readout", size_of(c, "w.r_state.weight", 0) + size_of(c, "w.readout.weight", 0));
    return o;
}

static net_config transformer_config(vec_case *c)
{
    net_config o = {.enc = "transformer", .dec = "transformer", .tie = setting_text(c, "tied", "none")};
    o.d_model = setting_int(c, "d", size_of(c, "w.out", 1));
    o.d_ff = setting_int(c, "ff", size_of(c, "w.enc.0.ffn.a.weight", 0));
    o.n_heads = setting_int(c, "heads", 0);
    o.enc_layers = setting_int(c, "enc_layers", count_layers(c, "w.enc.%d.ffn.a.weight"));
    o.dec_layers = setting_int(c, "dec_layers", count_layers(c, "w.dec.%d.ffn.a.weight"));
    o.norm = setting_true(c, "prenorm") ? "pre" : "post";
    o.activation = setting_text(c, "act", "relu");
    o.norm_type = setting_text(c, "norm", "layer");
    o.positions = setting_text(c, "positions", "sinusoidal");
    o.max_positions = setting_int(c, "max_positions", size_of(c, "w.enc_positions.weight", 0));
    return o;
}

static net_config read_config(vec_case *c)
{
    net_config o = case_has(c, "w.enc.0.ffn.a.weight") ? transformer_config(c) : rnn_config(c);
    const char *src = o.enc[0] == 't' ? "w.src_emb.weight" : "w.encoder.emb.weight";
    o.tgt_vocab = size_of(c, "w.out", 0) ? size_of(c, "w.out", 0) : setting_int(c, "vocab", 0);
    o.src_vocab = case_has(c, src) ? size_of(c, src, 0) : o.tgt_vocab;
    o.shared_vocab = o.src_vocab == o.tgt_vocab;
    if (net_config_check(&o)) case_stop(c, "%s", error_message());
    return o;
}

/* ---------------------------------------------------------------------------------- parameters */

/* Every parameter from the weight of the same name, which must have its shape; no weight may be left over. */
static void load_weights(vec_case *c, params *p)
{
    char name[80];
    int weights = 0;
    for (int i = 0; i < c->file.n; i++) weights += strncmp(c->file.list[i].name, "w.", 2) == 0;
    if (weights != p->n) case_fault(c, "the file has %d weights, the network %d parameters", weights, p->n);
    for (int i = 0; i < p->n; i++) {
        tensor *x = &p->list[i]->t;
        snprintf(name, sizeof name, "w.%s", p->list[i]->name);
        const tensor *w = case_weight(c, name);
        if (w->rows != x->rows || w->cols != x->cols)
            case_stop(c, "%s is (%d, %d), not (%d, %d)", name, w->rows, w->cols, x->rows, x->cols);
        memcpy(x->v, w->v, (size_t)x->rows * (size_t)x->cols * sizeof(real));
    }
}

static void compare_gradients(vec_case *c, const params *p)
{
    char name[80];
    for (int i = 0; i < p->n; i++) {
        snprintf(name, sizeof name, "w.%s", p->list[i]->name);
        case_compare_gradient(c, name, &p->list[i]->t);
    }
}

/* ------------------------------------------------------------------------------------ sentences */

/* NAME[n][steps] with lengths; the last id of each is eos, which our sequences leave out. */
static seqs read_sentences(vec_case *c, const char *name, const char *lengths)
{
    const vec *x = case_vec(c, name, 2);
    const int *ids = case_ints(c, name, x->n), *len = case_ints(c, lengths, x->dims[0]);
    seqs s = {0};
    for (long i = 0; i < x->dims[0]; i++) {
        const int *from = ids + i * x->dims[1];
        if (len[i] < 1 || len[i] > x->dims[1] || from[len[i] - 1] != ID_EOS)
            case_stop(c, "%s does not end", name);
        seqs_add(&s, from, (size_t)len[i] - 1);
    }
    return s;
}

/* The best hypothesis of each sentence against NAME[n][longest] and NAME_len[n]. */
static void compare_search(vec_case *c, model *m, const seqs *src, const char *name, int beam)
{
    char len_name[32];
    const vec *want = case_vec(c, name, 2);
    const int *limits = case_ints(c, "decode_limit", (long)src->n);
    search_request *requests = arena_zalloc(c->t->memory, src->n * sizeof *requests);
    for (size_t i = 0; i < src->n; i++) requests[i].limit = limits[i];
    search_options o = {.beam = beam,
                        .length_penalty = 1,
                        .n_best = beam,
                        .batch_tokens = 100,
                        .max_len_ratio = 1.5,
                        .max_len_extra = 10,
                        .requests = requests};
    hyp_list *lists = arena_alloc(c->t->memory, src->n * sizeof *lists);
    int *ids = arena_zalloc(c->t->memory, (size_t)want->n * sizeof *ids);
    int *len = arena_zalloc(c->t->memory, src->n * sizeof *len);
    if (want->dims[0] != (long)src->n) case_stop(c, "%s has the wrong shape", name);
    search(m, src, &o, lists);
    for (size_t i = 0; i < src->n; i++) {
        const hyp *best = &lists[i].hyps[0];
        len[i] = best->n;
        size_t room = (size_t)want->dims[1], words = (size_t)best->n < room ? (size_t)best->n : room;
        memcpy(ids + i * room, best->ids, words * sizeof *ids);
    }
    snprintf(len_name, sizeof len_name, "%s_len", name);
    case_compare_ids(c, len_name, len, (long)src->n);
    case_compare_ids(c, name, ids, want->n);
}

/* greedy, and beamK for any K. */
static void compare_searches(vec_case *c, model *m, const seqs *src)
{
    int beam, end;
    compare_search(c, m, src, "greedy", 1);
    for (int i = 0; i < c->file.n; i++) {
        const char *name = c->file.list[i].name;
        if (sscanf(name, "beam%d%n", &beam, &end) == 1 && !name[end]) compare_search(c, m, src, name, beam);
    }
}

/* The limits of the file are those of the default options. */
static void compare_limits(vec_case *c, const seqs *src)
{
    int *limits = arena_alloc(c->t->memory, src->n * sizeof *limits);
    for (size_t i = 0; i < src->n; i++) limits[i] = (int)(1.5 * (double)(seqs_len(src, i) + 1) + 10);
    case_compare_ids(c, "decode_limit", limits, (long)src->n);
}

void model_case(vec_case *c)
{
    net_config config = read_config(c);
    model *m = model_new(&config, true);
    seqs src = read_sentences(c, "src", "src_len"), tgt = read_sentences(c, "tgt_out", "tgt_len");
    load_weights(c, model_params(m));
    double words = (double)(seqs_total(&tgt) + tgt.n);
    loss_settings how = {.smoothing = case_number(c, "smoothing")};
    model_sums s = model_loss(m, c->t, &src, &tgt, &how, 1 / words);
    tape_backward(c->t);
    case_compare_number(c, "loss_sum", s.loss, 0);
    case_compare_number(c, "nll_sum", s.nll, 0);
    case_compare_number(c, "loss_mean", s.loss / words, 0);
    compare_gradients(c, model_params(m));
    compare_limits(c, &src);
    compare_searches(c, m, &src);
    model_free(m);
}
