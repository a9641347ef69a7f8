/* What a training leaves in its model file, and how it goes on from there.
 *
 * Slot "last" holds the weights, the optimizer's moments ("adam.m.NAME", ...) and the state of the
 * trainer as text; slot "best" the weights of the best validation; slot "ema" their moving average, if one is
 * kept. All, and the metrics since the
 * checkpoint before, are written in one transaction. */
#ifndef TULK_TRAIN_CHECKPOINT_H
#define TULK_TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "store/store.h"
#include "train/ema.h"
#include "train/optimizer.h"

/* Where a training stands between two updates. */
typedef struct {
    int64_t update;         /* updates done */
    int64_t epoch, batches; /* the epoch it is in, from 1, and the batches of it that are done */
    double best;            /* score of slot "best"; NaN before the first validation */
    int64_t best_update;
    int64_t valid_update; /* of the last validation; -1 before the first */
    double patience_best; /* the best score of the validations that --patience counts; NaN before the first */
    int64_t bad;          /* such validations since then */
    double seconds;       /* of training so far, all runs together */
    double loss;          /* sum since the last validation */
    int64_t words;        /* that it is a sum of */
} train_state;

train_state train_state_start(void);
void train_state_print(const train_state *s, str *out);
int train_state_parse(const char *text, train_state *out); /* 0, or -1 with a message */

/* The model file during training. */
typedef struct model_file model_file;

/* A new file, with a transaction begun that the first checkpoint ends: what is written before (settings,
 * vocabulary) comes and goes with it. Refuses an existing file unless `overwrite`; then the old one
 * stays until that first checkpoint. */
int model_file_create(const char *path, bool overwrite, model_file **out);
/* An existing file with slot "last". */
int model_file_resume(const char *path, model_file **out);
/* Gives back what was not committed. NULL is fine. */
void model_file_close(model_file *f);
store *model_file_store(model_file *f);
const char *model_file_path(const model_file *f);
bool model_file_saved(const model_file *f); /* it holds a checkpoint */

/* Numbers of the training log that wait for the next checkpoint. */
typedef struct {
    int64_t update;
    const char *name; /* static */
    double value;
} metric;
typedef struct {
    metric *list;
    size_t n, capacity;
} metric_log;
void metric_add(metric_log *log, int64_t update, const char *name, double value);

/* Saves slot "last", with `best` slot "best" too, and the log, which is emptied. With a mean (NULL: none) it
 * is slot "ema", and what is best. `score` is that of what would be best, NaN if it was not validated. 0, or
 * -1 with a message; then the file is as it was. */
int checkpoint_save(model_file *f, const optimizer *o, const ema *mean, const train_state *s, double score,
                    bool best, metric_log *log);
/* Loads slot "last", and slot "ema" into the mean. */
int checkpoint_load(model_file *f, optimizer *o, ema *mean, train_state *s);
/* Whether a tensor of this name in a slot is a parameter, and no moment of an optimizer. */
bool checkpoint_is_weight(const char *name);
/* Fills parameters from a slot: for translation. */
int checkpoint_load_weights(store *s, const char *slot, params *p);

#endif
