#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/words.h"
#include "nn/loss.h"
#include "tensor/weights.h"

extern const model_class model_rnn, model_transformer;

const model_class *const models[] = {&model_rnn, &model_transformer, NULL};

static const model_class *find(const char *arch)
{
    for (const model_class *const *k = models; *k; k++)
        if (strcmp((*k)->name, arch) == 0) return *k;
    return NULL;
}

/* ----------------------------------------------------------------------------------- settings */

static int check_number(const char *option, int value, int least)
{
    return value >= least ? 0 : fail("--%s %d: must be at least %d", option, value, least);
}

static int check_tie(const net_config *c)
{
    if (strcmp(c->tie, "none") && strcmp(c->tie, "tgt") && strcmp(c->tie, "all"))
        return fail("--tie %s: must be none, tgt or all", c->tie);
    if (strcmp(c->tie, "all") == 0 && (!c->shared_vocab || c->src_vocab != c->tgt_vocab))
        return fail(
            "--tie all needs one vocabulary for both sides: leave out --separate-vocabs or say --tie tgt");
    return 0;
}

int net_config_check(const net_config *c)
{
    const model_class *k = find(c->arch);
    if (!k) return fail("--arch %s: must be rnn or transformer", c->arch);
    if (check_number("d-model", c->d_model, 1) || check_number("enc-layers", c->enc_layers, 1) ||
        check_number("dec-layers", c->dec_layers, 1) || check_tie(c))
        return -1;
    return k->check(c);
}

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

bool net_config_uses(const net_config *c, const char *option)
{
    bool describes_a_network = false;
    for (const model_class *const *any = models; *any; any++)
        describes_a_network |= listed((*any)->options, option);
    const model_class *k = find(c->arch);
    return !describes_a_network || !k || listed(k->options, option);
}

/* -------------------------------------------------------------------------------------- model */

struct model {
    const model_class *k;
    net_config config;
    params *params;
    void *net;
};

static model *build(const net_config *c)
{
    BUG_IF(net_config_check(c) != 0);
    model *m = xcalloc(1, sizeof *m);
    m->k = find(c->arch);
    m->config = *c;
    m->params = params_new();
    m->net = m->k->build(c, m->params);
    return m;
}

model *model_new(const net_config *c, bool gradients)
{
    model *m = build(c);
    params_alloc(m->params, gradients);
    return m;
}

model *model_sharing(const model *of)
{
    model *m = build(&of->config);
    params_share(m->params, of->params);
    return m;
}

void model_free(model *m)
{
    if (!m) return;
    m->k->free(m->net);
    params_free(m->params);
    free(m);
}

const net_config *model_config(const model *m) { return &m->config; }

params *model_params(model *m) { return m->params; }

void model_init(model *m, uint64_t seed) { params_init(m->params, seed); }

bool model_stepwise(const model *m) { return m->k->stepwise; }

double model_flops(const model *m, const seqs *src, const seqs *tgt)
{
    const tensor *bias, *out = m->k->output(m->net, &bias);
    double rows = (double)(seqs_total(tgt) + tgt->n);
    return m->k->flops(m->net, src, tgt) + 2.0 * rows * out->rows * out->cols;
}

/* --------------------------------------------------------------------------------------- loss */

model_sums model_loss(model *m, tape *t, const seqs *src, const seqs *tgt, double label_smoothing,
                      double grad_scale)
{
    BUG_IF(src->n != tgt->n);
    if (src->n == 0) return (model_sums){0, 0, 0};
    const int *target_of;
    tensor *x = m->k->hidden(m->net, t, src, tgt, &target_of);
    words target = words_with_eos(t, tgt);
    int *targets = arena_alloc(t->memory, (size_t)x->rows * sizeof(int));
    for (int i = 0; i < x->rows; i++) targets[i] = target.ids[target_of ? target_of[i] : i];
    const tensor *bias, *out = m->k->output(m->net, &bias);
    loss_sums s = nn_loss(t, x, out, bias, targets, label_smoothing, grad_scale);
    return (model_sums){s.loss, s.nll, target.rows};
}

enum { LOGIT_ROWS = 128 };

void model_each_logits(model *m, tape *t, const seqs *src, const seqs *tgt, logits_taker take, void *context)
{
    BUG_IF(src->n != tgt->n);
    const int *target_of;
    tensor *x = m->k->hidden(m->net, t, src, tgt, &target_of);
    const tensor *bias, *out = m->k->output(m->net, &bias);
    real *z = arena_alloc(t->memory, sizeof(real) * LOGIT_ROWS * (size_t)out->rows);
    int place[LOGIT_ROWS];
    for (int from = 0; from < x->rows; from += LOGIT_ROWS) {
        int n = x->rows - from < LOGIT_ROWS ? x->rows - from : LOGIT_ROWS;
        for (int i = 0; i < n; i++) place[i] = target_of ? target_of[from + i] : from + i;
        weights_forward(out, n, x->v + (size_t)from * (size_t)x->ld, x->ld, bias ? bias->v : NULL, false, z,
                        out->rows);
        take(n, place, z, context);
    }
}

static void keep_logits(int n, const int *place, real *logits, void *context)
{
    tensor *all = context;
    size_t cols = (size_t)all->cols;
    for (int i = 0; i < n; i++)
        memcpy(all->v + (size_t)place[i] * cols, logits + (size_t)i * cols, cols * sizeof(real));
}

tensor *model_logits(model *m, tape *t, const seqs *src, const seqs *tgt)
{
    tensor *all = tape_tensor(t, (int)(seqs_total(tgt) + tgt->n), m->config.tgt_vocab);
    model_each_logits(m, t, src, tgt, keep_logits, all);
    return all;
}

/* ----------------------------------------------------------------------------------- decoding */

struct decoding {
    model *m;
    tape t;
    void *state;
    int rows, max_rows, steps, max_steps;
};

decoding *model_start(model *m, arena *memory, const seqs *src, int max_rows, int max_steps)
{
    BUG_IF((size_t)max_rows < src->n || src->n == 0);
    decoding *d = arena_zalloc(memory, sizeof *d);
    *d = (decoding){.m = m,
                    .t = tape_new(memory, false, false, 0, 0),
                    .rows = (int)src->n,
                    .max_rows = max_rows,
                    .max_steps = max_steps};
    d->state = m->k->start(m->net, &d->t, src, max_rows, max_steps);
    return d;
}

void model_step(decoding *d, const int *ids, real *logits)
{
    BUG_IF(d->steps >= d->max_steps);
    arena_mark mark = arena_save(d->t.memory);
    tensor *x = d->m->k->step(d->m->net, &d->t, d->state, ids, d->rows, d->steps++);
    const tensor *bias, *out = d->m->k->output(d->m->net, &bias);
    weights_forward(out, d->rows, x->v, x->ld, bias ? bias->v : NULL, false, logits, out->rows);
    arena_restore(d->t.memory, mark);
}

void model_select(decoding *d, const int *from, int n)
{
    BUG_IF(n > d->max_rows);
    for (int i = 0; i < n; i++) BUG_IF(from[i] < 0 || from[i] >= d->rows);
    d->m->k->select(d->m->net, &d->t, d->state, from, n);
    d->rows = n;
}
