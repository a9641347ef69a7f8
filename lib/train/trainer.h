/* The training loop: batches -> loss -> gradients -> update; validation; checkpoints; when to stop.
 *
 * The weights after an update are a function of settings, data and seed alone: not of the number of
 * threads, nor of how often the run was stopped and resumed. */
#ifndef TULK_TRAIN_TRAINER_H
#define TULK_TRAIN_TRAINER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "data/corpus.h"
#include "model/model.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/shards.h"
#include "train/validate.h"

enum valid_metric { METRIC_BLEU, METRIC_XENT };

typedef struct {
    uint64_t seed;
    optimizer_settings optimizer;
    schedule schedule; /* d_model is the network's */
    /* SCHEDULE_PLATEAU: after so many validations in a row without a better one, the learning rate is
     * multiplied by lr_factor, the weights are again those of the best validation, and the optimizer begins
     * anew, with moments of zero. Validations at the end of a run do not count, as in patience. */
    int64_t lr_patience;
    double lr_factor;
    int64_t accumulate; /* batches an update; 0 and 1: one */
    bool recompute;     /* see gradient_settings; changes no bit, so a resumed training may have it or not */
    loss_settings loss;
    int64_t dropout_warmup;   /* updates until dropout has its full rates; 0: from the beginning */
    double clip_norm;         /* 0: no clipping */
    double ema;               /* decay of the mean of the weights that is validated; 0: none */
    int64_t valid_every;      /* updates between validations; 0: once at the end of each epoch */
    int64_t save_every;       /* updates between checkpoints that are kept under their number; 0: none */
    int64_t keep;             /* how many of them: the newest */
    double save_seconds;      /* and at least one in this time; 0: none */
    enum valid_metric metric; /* what the best checkpoint and patience go by */
    /* When to stop; 0: not for this reason. All count from the beginning of the training, over all runs. */
    int64_t patience; /* validations without a new best */
    int64_t epochs, updates;
    double seconds;
} train_settings;

enum train_event {
    TRAIN_UPDATED,    /* an update is done */
    TRAIN_VALIDATING, /* a validation begins: the next event takes a while */
    TRAIN_VALIDATED,  /* `valid` is set */
    TRAIN_SAVED       /* a checkpoint between validations was saved */
};

/* How far it got. Sums are those of this run; differences of two reports give rates in between. */
typedef struct {
    enum train_event event;
    int64_t epoch, update;
    double epoch_share; /* of the epoch that is done, 0 .. 1 */
    double lr, norm;    /* of the last update; the norm before clipping */
    double loss, nll;   /* sums over target words, with and without label smoothing */
    int64_t words;      /* target words, eos counted */
    int64_t tokens;     /* source and target words */
    double seconds;     /* of updates alone */
    double elapsed;     /* of the whole training, over all runs */
    double left;        /* until the first limit that is set, estimated; NaN: no limit */
    const valid_scores *valid;
    bool best;      /* the validation is a new best */
    double lowered; /* the learning rate was multiplied by it behind the validation; 1: it was not */
    int64_t bad;
} train_progress;

/* What works together; all of it the caller's. */
typedef struct {
    model *net; /* with gradients; initialised, or about to be loaded by `resume` */
    corpus *data;
    validation valid;
    model_file *file;
    teachers teachers;                 /* settings->loss says their share */
    bool resume;                       /* go on from slot "last" */
    const volatile sig_atomic_t *stop; /* NULL, or set by a signal: finish the update, save, return */
    void (*report)(const train_progress *p, void *context); /* NULL is fine */
    void *context;
} train_job;

enum train_end { END_EPOCHS, END_UPDATES, END_TIME, END_PATIENCE, END_SIGNAL };

typedef struct {
    enum train_end end;
    train_state state;
    valid_scores last; /* the last validation of this run */
    bool validated;    /* there was one */
} train_result;

/* Trains until a limit or a signal; the file then holds "last" and, once validated, "best". 0, or -1 with a
 * message (a loss that is no number, a damaged file, a full disk); then the file holds the last good
 * checkpoint, if there was one. */
int train_run(const train_job *job, const train_settings *settings, train_result *out);

#endif
