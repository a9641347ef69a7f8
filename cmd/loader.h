/* A model file in memory, ready to be asked: for translate and every command that runs a network. */
#ifndef TULK_CMD_LOADER_H
#define TULK_CMD_LOADER_H

#include "model/model.h"
#include "options/options.h"
#include "store/store.h"
#include "train/vocabulary.h"

typedef struct {
    options *settings; /* those of the training; what the network's names point into */
    vocab_pair vocab;
    model *net;       /* without gradients */
    const char *slot; /* whose weights: "best", "last" */
    checkpoint_info info;
} loaded_model;

/* Reads the file and closes it. slot NULL: best, or last if there is no best. 0, or -1 with a message. */
int model_load(const char *path, const char *slot, loaded_model *out);
void model_unload(loaded_model *m);

/* Several models that translate together: n of them into out. They may differ in everything but their
 * vocabularies. 0, or -1 with a message, and none is loaded. */
int models_load(const char *const *paths, int n, const char *slot, loaded_model *out);

#endif
