/* Softmax and what is fused with it, by rows. Parallel over rows. */
#ifndef TULK_KERNEL_SOFTMAX_H
#define TULK_KERNEL_SOFTMAX_H

#include <stdbool.h>

#include "kernel/real.h"

/* x := softmax(x) of each row. */
void softmax(long rows, long cols, real *x, long ld);

/* x := log softmax(x) of each row. */
void log_softmax(long rows, long cols, real *x, long ld);

/* For picking the largest of many: tops (rows, pick_blocks(cols)) gets the largest of each block of
 * PICK_BLOCK columns, and log_sums[r], unless it is NULL, log sum exp(x) of the row. Searching passes over
 * most blocks. */
enum { PICK_BLOCK = 64 };
long pick_blocks(long cols);
void pick_tops(long rows, long cols, const real *x, long ld, real *tops, double *log_sums);

/* Cross entropy with label smoothing (Szegedy et al. 2016): the target distribution of a row is
 * (1 - smoothing) onehot + smoothing / classes. Classes come in parts, as an output layer computes them, so
 * that a part is still in the cache: all of them once, in order, for the loss (Milakov and Gimelshein,
 * "Online normalizer calculation for softmax", 2018), then again for the gradient, where no exponential is
 * left to do. Exact for large logits: the largest so far is subtracted. */
typedef struct {
    real max;                  /* of the logits so far */
    double sum, total, target; /* of exp(z - max); of z; z of the target */
} class_sums;

void class_sums_start(long rows, class_sums *s);

/* Logits z of classes first .. first + n. z becomes exp(z - max[r]), max[r] the maximum so far, to be kept
 * for the gradient. targets[r] is the row's class, counted from 0. */
void class_sums_add(long rows, long first, long n, real *z, long ld, const int *targets, class_sums *s,
                    real *max);

/* After the last part, for each row: loss[r] (smoothed) and nll[r] (unsmoothed), natural log. */
void class_sums_loss(long rows, long classes, const class_sums *s, real smoothing, double *loss, double *nll);

/* A part again: z becomes scale * d loss / d logits. */
void class_sums_gradient(long rows, long first, long n, real *z, long ld, const int *targets,
                         const class_sums *s, const real *max, long classes, real smoothing, real scale);

#endif
