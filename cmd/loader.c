/* Settings -> network -> weights of a model file. */
#include "loader.h"

#include "base/error.h"
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
    return 0;
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

void model_unload(loaded_model *m)
{
    model_free(m->net);
    vocab_pair_free(&m->vocab);
    options_free(m->settings);
    *m = (loaded_model){0};
}
