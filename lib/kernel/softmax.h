/* Softmax and what is fused with it, by rows. Parallel over rows. */
#ifndef TULK_KERNEL_SOFTMAX_H
#define TULK_KERNEL_SOFTMAX_H

#include <stdbool.h>

#include "kernel/real.h"

/* x := softmax(x) of each row. */
void softmax(long rows, long cols, real *x, long ld);

/* x := log softmax(x) of each row. */
void log_softmax(long rows, long cols, real *x, long ld);

/* Cross entropy with label smoothing (Szegedy et al. 2016): the target distribution of a row is
 * (1 - smoothing) onehot + smoothing / classes. Writes for each row loss[r] (smoothed) and nll[r]
 * (unsmoothed), natural log. With `gradient`, z is replaced by scale * d loss / d z. Exact for large
 * logits (the maximum is subtracted). targets[r] in 0 .. classes - 1. */
void cross_entropy(long rows, long classes, real *z, long ld, const int *targets, real smoothing,
                   bool gradient, real scale, double *loss, double *nll);

#endif
