/* Optimizer updates over one block of parameters, in one pass over memory. Parallel over fixed blocks. */
#ifndef TULK_KERNEL_OPTIM_H
#define TULK_KERNEL_OPTIM_H

#include <stdbool.h>

#include "kernel/real.h"

/* In double: 1 - beta2 of a rounded beta2 would be off in the fifth digit. */
typedef struct {
    double lr, beta1, beta2, eps;
    double weight_decay;
    bool decoupled;    /* AdamW: p -= lr wd p; else L2: g += wd p */
    double grad_scale; /* gradients are multiplied by it first (clipping); 1 for none */
    long step;         /* 1 for the first update: bias correction */
} adam_config;

/* Adam (Kingma and Ba 2015; AdamW: Loshchilov and Hutter 2019):
 * p -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps). g is zero afterwards, for the next
 * update's sums. */
void adam(long n, real *p, real *g, real *m, real *v, const adam_config *config);

typedef struct {
    double lr, momentum;
    double weight_decay; /* L2: g += wd p */
    double grad_scale;
} sgd_config;

/* Gradient descent with momentum (Sutskever et al. 2013, in PyTorch's form): b = momentum b + g, p -= lr b. g
 * is zero afterwards. */
void sgd(long n, real *p, real *g, real *b, const sgd_config *config);

#endif
