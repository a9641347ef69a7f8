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
    double apart;              /* sum of apart * exp(z - max) */
    double soft;               /* of soft * z */
} class_sums;

typedef struct {
    long rows, classes;
    const int *targets; /* (rows) classes, counted from 0 */
    real smoothing;
    real r_drop;   /* see below; 0: none */
    real scale;    /* of gradients */
    class_sums *s; /* (rows) */
    /* Distillation (Hinton et al. 2015): soft[r] is a distribution over the classes, which other networks
     * give; it is this share of the target, and the one above is the rest. NULL and 0: none. */
    const real *const *soft;
    real soft_share;
} cross_entropy;

void cross_entropy_start(const cross_entropy *c);

/* Logits z of classes first .. first + n. z becomes exp(z - max[r]), max[r] the maximum so far, to be kept
 * for the gradient. apart: NULL, or what cross_entropy_apart gave for them, in rows of ld too. */
void cross_entropy_add(const cross_entropy *c, long first, long n, real *z, long ld, const real *apart,
                       real *max);

/* After the last part, for each row: loss[r], and nll[r], which is that of the target class alone; natural
 * log. */
void cross_entropy_loss(const cross_entropy *c, double *loss, double *nll);

/* A part again: z becomes scale * d loss / d logits. */
void cross_entropy_gradient(const cross_entropy *c, long first, long n, real *z, long ld, const real *apart,
                            const real *max);

/* R-Drop (Liang et al. 2021, "R-Drop: Regularized Dropout for Neural Networks"): rows 2 i and 2 i + 1 are one
 * word with two draws of dropout, and shall agree. The loss of a row is more by r_drop / 2 * KL(p, q), p its
 * own distribution and q the other's: with alpha = r_drop that of both is the sum of both cross entropies and
 * alpha times the mean of both divergences, as in the paper. Row i of `apart` (c->rows / 2, n) becomes the
 * logits of row 2 i less those of row 2 i + 1. */
void cross_entropy_apart(const cross_entropy *c, long n, const real *z, long ld, real *apart);

#endif
