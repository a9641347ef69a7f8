/* What a training leaves in its model file, and how it goes on from there.
 *
 * Slot "last" holds the weights, the optimizer's moments ("adam.m.NAME", ...) and the state of the
 * trainer as text; slot "best" the weights of the best validation; slot "ema" their moving average, if one is
 * kept. All, and the metrics since the
 * checkpoint before, are written in one transaction. Slot "plateau" holds the weights that a plateau of the
 * validations goes back to: those of the best one that counts. Slots named by numbers hold the weights behind
 * the update of that number, for averaging (--save-every). */
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
    double lr_scale;      /* what plateaus have left of the learning rate, from 1 */
    int64_t lr_bad;       /* validations without a better one since the learning rate was lowered */
    int64_t restarted;    /* the update behind which the optimizer began anew, 0: it did not */
} train_state;

train_state train_state_start(void);
void train_state_print(const train_state *s, str *out);
/* 0, or -1 with a message. What an older file does not tell is as at the start. */
int train_state_parse(const char *text, train_state *out);

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

/* What a validation has made of the weights. */
typedef struct {
    double score; /* of the weights, or of their mean; NaN: not validated */
    bool best;    /* slot "best", too */
    bool turning; /* slot "plateau", too */
    int64_t keep; /* a slot named by the update, too, and at most so many of these; 0: no new one */
} checkpoint_rank;

/* Saves slot "last", what `rank` asks for, and the log, which is emptied. With a mean (NULL: none) it is slot
 * "ema", and what is best. 0, or -1 with a message; then the file is as it was. */
int checkpoint_save(model_file *f, const optimizer *o, const ema *mean, const train_state *s,
                    const checkpoint_rank *rank, metric_log *log);
/* Weights, and the mean, become those of slot "plateau", the optimizer's moments zero. */
int checkpoint_turn_back(model_file *f, optimizer *o, ema *mean);
/* Loads slot "last", and slot "ema" into the mean. */
int checkpoint_load(model_file *f, optimizer *o, ema *mean, train_state *s);
/* The slots that are named by updates, oldest first. */
typedef struct {
    int64_t *updates; /* free() it */
    size_t n, capacity;
} kept_checkpoints;
int checkpoint_kept(store *s, kept_checkpoints *out);
/* A slot with weights alone, in a transaction of the caller's. */
int checkpoint_save_weights(store *s, const char *slot, params *p, const checkpoint_info *info);
/* Whether a tensor of this name in a slot is a parameter, and no moment of an optimizer. */
bool checkpoint_is_weight(const char *name);
/* Fills parameters from a slot: for translation. */
int checkpoint_load_weights(store *s, const char *slot, params *p);

#endif
