/* Linear layers. Weights lie [out][in], as in PyTorch. */
#ifndef TULK_NN_LINEAR_H
#define TULK_NN_LINEAR_H

#include "tensor/tape.h"

/* y = x W^T + b. x (n, in), w (out, in), b (out, 1) or NULL; returns (n, out). */
tensor *nn_linear(tape *t, tensor *x, const tensor *w, const tensor *b);

/* y += x W^T, in place; returns y. For layers that read several inputs without joining them. */
tensor *nn_linear_add(tape *t, tensor *y, tensor *x, const tensor *w);

#endif
