/* Optimizer updates over one block of parameters, in one pass over memory. Parallel over fixed blocks. */
#ifndef TULK_KERNEL_OPTIM_H
#define TULK_KERNEL_OPTIM_H

#include <stdbool.h>

#include "kernel/real.h"

typedef struct {
    real lr, beta1, beta2, eps;
    real weight_decay;
    bool decoupled;  /* AdamW: p -= lr wd p; else L2: g += wd p */
    real grad_scale; /* gradients are multiplied by it first (clipping); 1 for none */
    long step;       /* 1 for the first update: bias correction */
} adam_config;

/* Adam (Kingma and Ba 2015; AdamW: Loshchilov and Hutter 2019):
 * p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps). */
void adam(long n, real *p, const real *g, real *m, real *v, const adam_config *config);

#endif
