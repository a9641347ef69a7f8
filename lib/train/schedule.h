/* Learning rates by update. A schedule is a row of schedules[]. */
#ifndef TULK_TRAIN_SCHEDULE_H
#define TULK_TRAIN_SCHEDULE_H

enum schedule_kind {
    SCHEDULE_INVERSE_SQRT, /* linear from 0 to lr in `warmup` updates, then lr sqrt(warmup / step) (fairseq)
                            */
    SCHEDULE_NOAM,    /* d_model^-0.5 min(step^-0.5, step warmup^-1.5), Vaswani et al. 2017; lr is not used */
    SCHEDULE_CONSTANT /* linear from 0 to lr in `warmup` updates, then lr */
};

typedef struct {
    const char *name; /* as --schedule names it */
    double (*rate)(double lr, double warmup, double d_model, double step);
} schedule_row;

extern const schedule_row schedules[]; /* by schedule_kind; ends with name NULL */

/* The schedule of this name, or -1. */
int schedule_find(const char *name);

/* The learning rate of update `step`, from 1. warmup 0 (or 1): none. */
double schedule_lr(enum schedule_kind kind, double lr, long warmup, int d_model, long step);

#endif
