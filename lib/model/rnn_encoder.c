/* The recurrent encoder: embeddings, then layers of one or two directions, whose outputs lie side by side. It
 * leaves the states of the top layer, and the last states of every layer for a decoder to start from. With
 * `residual` what a layer above the first leaves is its states plus what it read (Wu et al. 2016). */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/classes.h"
#include "model/rnn_parts.h"
#include "nn/embedding.h"
#include "nn/rows.h"

extern const encoder_class encoder_rnn;

typedef struct {
    const cell *cell;
    int H, C, layers, directions; /* C: both directions */
    bool residual;
    double dropout, dropout_emb;
    const tensor *table;
    recurrent_weights weights[RNN_MAX_LAYERS][2];
} rnn_encoder;

/* ----------------------------------------------------------------------------------- building */

static int check(const net_config *c) { return rnn_check(c, "enc", c->enc_layers); }

static table_spec table(const net_config *c) { return (table_spec){"encoder.emb.weight", c->d_emb, 0.1}; }

static encoded_shape shape(const net_config *c)
{
    return (encoded_shape){c->d_model * (c->bidirectional ? 2 : 1), !c->bidirectional};
}

static void *build(const net_config *c, params *p, const tensor *words_table)
{
    rnn_encoder *n = xcalloc(1, sizeof *n);
    n->cell = cell_find(c->cell);
    n->layers = c->enc_layers;
    n->directions = c->bidirectional ? 2 : 1;
    n->H = c->d_model;
    n->C = n->H * n->directions;
    n->residual = c->residual;
    n->dropout = c->dropout;
    n->dropout_emb = rnn_dropout_emb(c);
    n->table = words_table;
    for (int l = 0; l < n->layers; l++)
        for (int d = 0; d < n->directions; d++) {
            char suffix[24];
            snprintf(suffix, sizeof suffix, "l%d%s", l, d ? "_reverse" : "");
            n->weights[l][d] =
                rnn_add_layer(p, "encoder.rnn", suffix, l ? n->C : c->d_emb, n->H, n->cell->gates);
        }
    return n;
}

/* ------------------------------------------------------------------------------------ encoding */

static tensor *join(tape *t, tensor *a, tensor *b) { return b ? nn_concat(t, a, b) : a; }

static const int *first_rows_of(tape *t, int n)
{
    int *index = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) index[i] = i;
    return index;
}

/* Both directions write their states side by side. */
static void encode_layer(const rnn_encoder *n, tape *t, const time_major *m, int l, tensor *x, encoded *e)
{
    tensor *last_h[2] = {NULL}, *last_c[2] = {NULL};
    e->states = tape_tensor(t, m->rows, n->C);
    for (int d = 0; d < n->directions; d++) {
        const recurrent_place place = {e->states, d * n->H};
        const int *last = d ? first_rows_of(t, m->n) : m->last;
        recurrent_states s = nn_recurrent(t, n->cell, m, d, x, &n->weights[l][d], NULL, NULL, NULL, &place);
        last_h[d] = nn_gather_cols(t, s.h, place.column, n->H, last, m->n);
        if (s.c) last_c[d] = nn_gather(t, s.c, last, m->n);
    }
    e->h[l] = join(t, last_h[0], last_h[1]);
    if (last_c[0]) e->c[l] = join(t, last_c[0], last_c[1]);
}

static encoded encode(const void *encoder, tape *t, const words *src)
{
    const rnn_encoder *n = encoder;
    const time_major *m = time_major_new(t, &src->p);
    encoded e = {.p = src->p, .place = m->to, .layers = n->layers, .rank = m->rank};
    const int *ids = rnn_gather_ints(t, src->ids, m->from, src->rows);
    e.states = nn_dropout_over(t, nn_embed(t, n->table, ids, src->rows, 1, NULL, NULL), n->dropout_emb);
    for (int l = 0; l < n->layers; l++) {
        tensor *below = e.states;
        encode_layer(n, t, m, l, l ? nn_dropout(t, below, n->dropout) : below, &e);
        if (l && n->residual) e.states = nn_add(t, e.states, below);
    }
    e.states = nn_dropout(t, e.states, n->dropout); /* what attention reads, not the last states */
    return e;
}

static double flops(const void *encoder, const seqs *src)
{
    const rnn_encoder *n = encoder;
    double a_word = 0;
    for (int l = 0; l < n->layers; l++)
        for (int d = 0; d < n->directions; d++) {
            const recurrent_weights *w = &n->weights[l][d];
            a_word += (double)w->w_ih->rows * (w->w_ih->cols + w->w_hh->cols);
        }
    return 2 * a_word * (double)(seqs_total(src) + src->n);
}

static const char *const options[] = {"d-emb", "cell", "bidirectional", "residual", NULL};

const encoder_class encoder_rnn = {.name = "rnn",
                                   .stepwise = true,
                                   .options = options,
                                   .check = check,
                                   .table = table,
                                   .shape = shape,
                                   .build = build,
                                   .encode = encode,
                                   .flops = flops,
                                   .free = free};
