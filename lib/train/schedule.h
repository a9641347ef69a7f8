/* Learning rates by update. A schedule is a row of schedules[]. */
#ifndef TULK_TRAIN_SCHEDULE_H
#define TULK_TRAIN_SCHEDULE_H

#include <stdbool.h>

enum schedule_kind {
    SCHEDULE_INVERSE_SQRT, /* from 0 to lr in `warmup` updates, then lr sqrt(warmup / step) (fairseq) */
    SCHEDULE_NOAM, /* d_model^-0.5 min(step^-0.5, step warmup^-1.5), Vaswani et al. 2017; lr is not used */
    SCHEDULE_CONSTANT, /* from 0 to lr in `warmup` updates, then lr */
    SCHEDULE_LINEAR,   /* from 0 to lr in `warmup` updates, then straight down to 0 behind update `total` */
    SCHEDULE_COSINE, /* the same, down by half a wave of the cosine (Loshchilov and Hutter 2017, no restarts)
                      */
    SCHEDULE_PLATEAU /* as constant; lowered when validations get no better: the trainer's work */
};

typedef struct {
    enum schedule_kind kind;
    double lr;
    long warmup; /* 0 (or 1): none */
    int d_model;
    long total; /* updates of the whole training; used by linear and cosine */
} schedule;

typedef struct {
    const char *name; /* as --schedule names it */
    double (*rate)(const schedule *s, double warmup, double step);
    bool needs_total;
    bool lowered; /* by validations: --lr-patience, --lr-factor */
} schedule_row;

extern const schedule_row schedules[]; /* by schedule_kind; ends with name NULL */

/* The schedule of this name, or -1. */
int schedule_find(const char *name);

/* The learning rate of update `step`, from 1. */
double schedule_lr(const schedule *s, long step);

/* The share of its rates that dropout has in update `step`: rises linearly from 0 in the first update to 1
 * behind the first `warmup` ones (curriculum dropout, Morerio et al. 2017, there exponentially). 1 without
 * warm-up (0). */
double warmup_share(long warmup, long step);

#endif
