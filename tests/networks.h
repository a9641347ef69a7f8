/* Small networks for tests: every architecture of models[], at a rich base setting and at every setting that
 * differs from it in one or two choices; choices that name a row of a table run over the whole table. */
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

enum { MAX_CHOICES = 40 };

/* One way to differ: of the option, to its value. */
typedef struct {
    const char *option, *text;
    int number;
} choice;

typedef struct {
    const model_class *of;
    choice choices[MAX_CHOICES];
    int n, first, second; /* choices that the next network makes: first < second; n: none */
    net_config config;    /* of the network at hand */
    char name[160];
} networks;

static inline void network_add_choice(networks *w, const char *option, const char *text, int number)
{
    const char *const *used = w->of->options;
    while (*used && strcmp(*used, option) != 0) used++;
    if (!*used) return;
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
    network_add_choice(w, "n-heads", NULL, 1);
    network_add_choice(w, "norm", "post", 0);
}

static inline net_config network_base(const char *arch)
{
    return (net_config){.arch = arch,
                        .src_vocab = 11,
                        .tgt_vocab = 11,
                        .shared_vocab = true,
                        .d_model = 6,
                        .d_emb = 5,
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
                        .d_readout = 5,
                        .d_attention = 7,
                        .d_ff = 9,
                        .n_heads = 2,
                        .norm = "pre",
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
                  {"activation", &c->activation, NULL},
                  {"tie", &c->tie, NULL},
                  {"norm", &c->norm, NULL},
                  {"enc-layers", NULL, &c->enc_layers},
                  {"dec-layers", NULL, &c->dec_layers},
                  {"d-readout", NULL, &c->d_readout},
                  {"n-heads", NULL, &c->n_heads}};
    if (strcmp(x->option, "bidirectional") == 0) c->bidirectional = x->number;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].option, x->option) != 0) continue;
        if (fields[i].text) *fields[i].text = x->text;
        if (fields[i].number) *fields[i].number = x->number;
    }
}

/* All networks of an architecture: `for (networks w = networks_of(k); networks_next(&w);)`. */
static inline networks networks_of(const model_class *k)
{
    networks w = {.of = k};
    network_add_choices(&w);
    w.first = w.second = -1;
    return w;
}

static inline void network_describe(networks *w, const choice *x)
{
    size_t n = strlen(w->name);
    snprintf(w->name + n, sizeof w->name - n, " %s=%s", x->option, x->text ? x->text : "");
    n = strlen(w->name);
    if (!x->text) snprintf(w->name + n, sizeof w->name - n, "%d", x->number);
}

/* Steps to the next pair of choices, the base first, then each alone (second == first). */
static inline bool networks_next(networks *w)
{
    for (;;) {
        if (w->first >= 0 && ++w->second >= w->n) w->second = ++w->first;
        if (w->first >= w->n) return false;
        w->config = network_base(w->of->name);
        snprintf(w->name, sizeof w->name, "%s", w->of->name);
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
