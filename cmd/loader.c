/* Settings -> network -> weights of a model file. */
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "train/checkpoint.h"

/* Finds whose weights to take. 1 if there are some, 0, or -1. */
static int find_slot(store *s, const char *wanted, loaded_model *out)
{
    out->slot = wanted ? wanted : "best";
    int found = store_checkpoint(s, out->slot, &out->info, NULL);
    if (found != 0 || wanted) return found;
    out->slot = "last";
    return store_checkpoint(s, out->slot, &out->info, NULL);
}

static int load_weights(store *s, const char *path, const char *slot, loaded_model *out)
{
    int found = find_slot(s, slot, out);
    if (found < 0) return -1;
    if (found == 0 && slot) return fail("%s holds no checkpoint '%s', see tulk info", path, slot);
    if (found == 0) return fail("%s holds no trained network: make one by tulk train", path);
    return checkpoint_load_weights(s, out->slot, model_params(out->net));
}

static int build(store *s, const char *path, loaded_model *out)
{
    out->settings = options_new(FOR_TRAIN);
    if (options_load(out->settings, s) || vocab_pair_load(s, path, &out->vocab)) return -1;
    net_config c = options_network(out->settings);
    c.shared_vocab = out->vocab.joint;
    c.src_vocab = tokenizer_size(out->vocab.src);
    c.tgt_vocab = tokenizer_size(out->vocab.tgt);
    if (net_config_check(&c)) return fail("%s: %s", path, error_message());
    out->net = model_new(&c, false);
    return store_load_shortlist(s, c.src_vocab, c.tgt_vocab, &out->shortlist) < 0 ? -1 : 0;
}

int model_load(const char *path, const char *slot, loaded_model *out)
{
    *out = (loaded_model){0};
    store *s;
    if (store_open(path, STORE_READ, &s)) return -1;
    int result = build(s, path, out);
    if (result == 0) result = load_weights(s, path, slot, out);
    store_close(s);
    if (result) model_unload(out);
    return result;
}

static int check_together(const char *const *paths, const loaded_model *first, const loaded_model *m)
{
    if (vocab_pairs_equal(&first->vocab, &m->vocab)) return 0;
    return fail(
        "%s and %s have different vocabularies and cannot translate together: train them with the same "
        "--vocab",
        paths[0], paths[m - first]);
}

void model_unload(loaded_model *m)
{
    model_free(m->net);
    vocab_pair_free(&m->vocab);
    seqs_free(&m->shortlist);
    options_free(m->settings);
    *m = (loaded_model){0};
}

int model_shortlist(const loaded_model *m, const char *path)
{
    return m->shortlist.n
               ? 0
               : fail("%s has no shortlist: learn one by tulk train --resume -m %s --shortlist 50, "
                      "or leave out --shortlist",
                      path, path);
}

static int load_next(const char *const *paths, const char *slot, enum precision precision, bool shortlist,
                     loaded_models *out)
{
    loaded_model *m = &out->list[out->n];
    if (model_load(paths[out->n], slot, m)) return -1;
    int max_len = (int)options_int(m->settings, "max-len");
    if (!out->n || max_len < out->max_len) out->max_len = max_len;
    if (shortlist) model_keep_output(m->net);
    params_freeze(model_params(m->net), precision);
    out->nets[out->n++] = m->net;
    if (shortlist && m == out->list && model_shortlist(m, paths[0])) return -1;
    return check_together(paths, out->list, m);
}

int models_load(const char *const *paths, int n, const char *slot, enum precision precision, bool shortlist,
                loaded_models *out)
{
    *out = (loaded_models){.list = xcalloc((size_t)n, sizeof *out->list)};
    out->nets = xcalloc((size_t)n, sizeof *out->nets);
    for (int i = 0; i < n; i++) {
        if (!load_next(paths, slot, precision, shortlist, out)) continue;
        models_unload(out);
        return -1;
    }
    return 0;
}

void models_unload(loaded_models *m)
{
    for (int i = 0; i < m->n; i++) model_unload(&m->list[i]);
    free(m->list);
    free(m->nets);
    *m = (loaded_models){0};
}

const char *models_name(const loaded_models *m)
{
    static char text[80];
    const loaded_model *first = &m->list[0];
    if (m->n > 1)
        snprintf(text, sizeof text, "%d models together", m->n);
    else
        snprintf(text, sizeof text, "checkpoint %s, update %" PRId64, first->slot, first->info.update);
    return text;
}
