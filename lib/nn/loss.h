/* Output layer, softmax and cross entropy in one, over blocks of rows: the matrix tokens x vocabulary never
 * exists in full. */
#ifndef TULK_NN_LOSS_H
#define TULK_NN_LOSS_H

#include "tensor/tape.h"

typedef struct {
    double loss, nll; /* sums over rows: with label smoothing, without */
} loss_sums;

/* What is made of the cross entropy. */
typedef struct {
    double smoothing; /* label smoothing */
    double r_drop;    /* alpha of R-Drop (kernel/softmax.h); 0: none */
    /* Distillation word by word (Kim and Rush 2016): of each word what other networks say in its place, and
     * what share of the target that is. NULL and 0: none. */
    const real *soft; /* (words, V) distributions */
    double soft_share;
} loss_settings;

/* How often each word goes through the network, with dropout of its own. */
static inline int loss_draws(const loss_settings *how) { return how->r_drop > 0 ? 2 : 1; }

/* The words of n rows, and which of them row i is: NULL for word i. */
typedef struct {
    const int *words, *place;
} loss_targets;

/* z = x W^T + b, then cross entropy against targets (rows of x). x (n, d), w (V, d), b (V, 1) or NULL. The
 * draws of a word are rows behind each other. If the tape records, adds the gradients of scale * loss to x, w
 * and b at once: the loss is where backward starts. */
loss_sums nn_loss(tape *t, tensor *x, const tensor *w, const tensor *b, const loss_targets *targets,
                  const loss_settings *how, double scale);

#endif
