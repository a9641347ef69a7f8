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
    seqs shortlist;   /* no list: it has none */
    model *net;       /* without gradients */
    const char *slot; /* whose weights: "best", "last" */
    checkpoint_info info;
} loaded_model;

/* Reads the file and closes it. slot NULL: best, or last if there is no best. 0, or -1 with a message. */
int model_load(const char *path, const char *slot, loaded_model *out);
void model_unload(loaded_model *m);
/* 0 if it has a shortlist, or -1 with a message. */
int model_shortlist(const loaded_model *m, const char *path);

/* Models that work together, at least one. They may differ in everything but their vocabularies. */
typedef struct {
    int n;
    loaded_model *list;
    model **nets; /* of each */
    int max_len;  /* pieces of a line: that of the training, the least of all */
} loaded_models;

/* Frozen (tensor/params.h) in this precision, with `shortlist` ready for that of the first of them, which
 * must have one. 0, or -1 with a message, and none is loaded. */
int models_load(const char *const *paths, int n, const char *slot, enum precision precision, bool shortlist,
                loaded_models *out);
void models_unload(loaded_models *m);
/* "checkpoint best, update 700", or how many there are; for messages, in static memory. */
const char *models_name(const loaded_models *m);

#endif
