/* Output layer, softmax and cross entropy in one, over blocks of rows: the matrix tokens x vocabulary never
 * exists in full. */
#ifndef TULK_NN_LOSS_H
#define TULK_NN_LOSS_H

#include "tensor/tape.h"

typedef struct {
    double loss, nll; /* sums over rows: with label smoothing, without */
} loss_sums;

/* z = x W^T + b, then cross entropy with label smoothing against targets (rows of x). x (n, d), w (V, d), b
 * (V, 1) or NULL. If the tape records, adds the gradients of scale * loss to x, w and b at once: the loss is
 * where backward starts. */
loss_sums nn_loss(tape *t, tensor *x, const tensor *w, const tensor *b, const int *targets, double smoothing,
                  double scale);

#endif
