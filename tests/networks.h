/* Small networks for tests: every encoder with every decoder, at a rich base setting and at every setting
 * that differs from it in one or two choices (pairs of different kinds: in one); choices that name a row of a
 * table run over the whole table. */
#ifndef TULK_TESTS_NETWORKS_H
#define TULK_TESTS_NETWORKS_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/rng.h"
#include "kernel/activation.h"
#include "kernel/cell.h"
#include "model/model.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/rows.h"

enum { MAX_CHOICES = 40 };

/* One way to differ: of the option, to its value. */
typedef struct {
    const char *option, *text;
    int number;
} choice;

typedef struct {
    const char *enc, *dec;
    choice choices[MAX_CHOICES];
    int pair;             /* which encoder and decoder */
    int n, first, second; /* choices that the next network makes: first < second; n: none */
    net_config config;    /* of the network at hand */
    char name[160];
} networks;

static inline void network_add_choice(networks *w, const char *option, const char *text, int number)
{
    net_config c = {.enc = w->enc, .dec = w->dec};
    if (!net_config_uses(&c, option)) return;
    BUG_IF(w->n == MAX_CHOICES);
    w->choices[w->n++] = (choice){option, text, number};
}

static inline void network_add_choices(networks *w)
{
    w->n = 0;
    for (const cell *c = cells; c->name; c++) network_add_choice(w, "cell", c->name, 0);
    for (const attention *a = attentions; a->name; a++) network_add_choice(w, "attention", a->name, 0);
    for (const activation *a = activations; a->name; a++) network_add_choice(w, "activation", a->name, 0);
    network_add_choice(w, "attention", "none", 0);
    network_add_choice(w, "context", "every-step", 0);
    network_add_choice(w, "bidirectional", NULL, 0);
    network_add_choice(w, "enc-layers", NULL, 1);
    network_add_choice(w, "dec-layers", NULL, 1);
    network_add_choice(w, "dec-layers", NULL, 3);
    network_add_choice(w, "tie", "tgt", 0);
    network_add_choice(w, "tie", "all", 0);
    network_add_choice(w, "d-readout", NULL, 0);
    network_add_choice(w, "readout", "attentional", 0);
    network_add_choice(w, "readout", "state", 0);
    network_add_choice(w, "input-feeding", NULL, 1);
    network_add_choice(w, "residual", NULL, 1);
    network_add_choice(w, "attention-span", NULL, 20);
    network_add_choice(w, "n-heads", NULL, 1);
    network_add_choice(w, "norm", "post", 0);
    for (const norm_kind *k = norm_kinds; k->name; k++) network_add_choice(w, "norm-type", k->name, 0);
    for (const position_kind *k = position_kinds; k->name; k++)
        network_add_choice(w, "positions", k->name, 0);
}

/* Different kinds have embeddings of one width, so that they can be tied. */
static inline net_config network_base(const char *enc, const char *dec)
{
    int d_emb = strcmp(enc, dec) ? 6 : 5;
    return (net_config){.enc = enc,
                        .dec = dec,
                        .src_vocab = 11,
                        .tgt_vocab = 11,
                        .shared_vocab = true,
                        .d_model = 6,
                        .d_emb = d_emb,
                        .enc_layers = 2,
                        .dec_layers = 2,
                        .tie = "none",
                        .dropout = 0.2,
                        .dropout_attention = 0.1,
                        .dropout_ff = 0.1,
                        .dropout_emb = 0.1,
                        .cell = "gru",
                        .attention = "additive",
                        .context = "init",
                        .bidirectional = true,
                        .d_readout = d_emb,
                        .d_attention = 7,
                        .attention_span = 5,
                        .d_ff = 9,
                        .n_heads = 2,
                        .norm = "pre",
                        .norm_type = "layer",
                        .positions = "sinusoidal",
                        .max_positions = 3,
                        .activation = "relu"};
}

static inline void network_choose(net_config *c, const choice *x)
{
    const struct {
        const char *option;
        const char **text;
        int *number;
    } fields[] = {{"cell", &c->cell, NULL},
                  {"attention", &c->attention, NULL},
                  {"context", &c->context, NULL},
                  {"readout", &c->readout, NULL},
                  {"attention-span", NULL, &c->attention_span},
                  {"activation", &c->activation, NULL},
                  {"tie", &c->tie, NULL},
                  {"norm", &c->norm, NULL},
                  {"norm-type", &c->norm_type, NULL},
                  {"positions", &c->positions, NULL},
                  {"enc-layers", NULL, &c->enc_layers},
                  {"dec-layers", NULL, &c->dec_layers},
                  {"d-readout", NULL, &c->d_readout},
                  {"n-heads", NULL, &c->n_heads}};
    if (strcmp(x->option, "bidirectional") == 0) c->bidirectional = x->number;
    if (strcmp(x->option, "input-feeding") == 0) c->input_feeding = x->number;
    if (strcmp(x->option, "residual") == 0) c->residual = x->number;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].option, x->option) != 0) continue;
        if (fields[i].text) *fields[i].text = x->text;
        if (fields[i].number) *fields[i].number = x->number;
    }
}

static inline bool networks_of(networks *w, int pair)
{
    int n = 0;
    while (decoder_name(n)) n++;
    *w = (networks){.pair = pair, .enc = encoder_name(pair / n), .dec = decoder_name(pair % n)};
    if (!w->enc) return false;
    network_add_choices(w);
    w->first = w->second = -1;
    return true;
}

/* All networks: `for (networks w = networks_all(); networks_next(&w);)`. */
static inline networks networks_all(void)
{
    networks w;
    networks_of(&w, 0);
    return w;
}

/* The base setting of every pair: `net_config c; for (int i = 0; network_pair(i, &c); i++)`. */
static inline bool network_pair(int i, net_config *c)
{
    networks w;
    if (!networks_of(&w, i)) return false;
    *c = network_base(w.enc, w.dec);
    return true;
}

static inline void network_describe(networks *w, const choice *x)
{
    size_t n = strlen(w->name);
    snprintf(w->name + n, sizeof w->name - n, " %s=%s", x->option, x->text ? x->text : "");
    n = strlen(w->name);
    if (!x->text) snprintf(w->name + n, sizeof w->name - n, "%d", x->number);
}

/* Steps to the next pair of choices, the base first (second < 0), then each alone (second == first). */
static inline bool networks_next(networks *w)
{
    for (;;) {
        bool mixed = strcmp(w->enc, w->dec) != 0;
        if (w->first >= 0 && (mixed && w->second >= 0 ? true : ++w->second >= w->n)) w->second = ++w->first;
        if (w->first >= w->n) {
            if (!networks_of(w, w->pair + 1)) return false;
            continue;
        }
        w->config = network_base(w->enc, w->dec);
        snprintf(w->name, sizeof w->name, "%s", net_config_kind(&w->config));
        bool base = w->first < 0;
        if (base) {
            w->first = 0, w->second = -1;
            return true;
        }
        const choice *a = &w->choices[w->first], *b = &w->choices[w->second];
        if (a != b && strcmp(a->option, b->option) == 0) continue;
        network_choose(&w->config, a);
        network_describe(w, a);
        if (a != b) network_choose(&w->config, b), network_describe(w, b);
        if (net_config_check(&w->config) == 0) return true;
    }
}

/* A network with all parameters drawn at random, those that start at 0 or 1 too. */
static inline model *network_new(const net_config *c, bool gradients)
{
    model *m = model_new(c, gradients);
    params *p = model_params(m);
    rng r = rng_at(3, RNG_TEST, 0);
    for (int i = 0; i < p->n; i++) {
        tensor *x = &p->list[i]->t;
        double shift = p->list[i]->init == INIT_ONE ? 1 : 0, scale = x->cols > 1 ? 1.2 / sqrt(x->cols) : 0.3;
        for (int k = 0; k < x->rows * x->cols; k++) x->v[k] = (real)(shift + scale * rng_normal(&r));
    }
    return m;
}

/* n sentences of `shortest` to `longest` words. */
static inline seqs network_sentences(int n, int shortest, int longest, int vocab, uint64_t seed)
{
    seqs s = {0};
    rng r = rng_at(seed, RNG_TEST, 1);
    for (int i = 0; i < n; i++) {
        int len = shortest + (int)rng_below(&r, (uint32_t)(longest - shortest + 1));
        seqs_add(&s, NULL, 0);
        for (int k = 0; k < len; k++)
            seqs_push(&s, ID_FIRST + (int)rng_below(&r, (uint32_t)(vocab - ID_FIRST)));
    }
    return s;
}

#endif
