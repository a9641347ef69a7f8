/* Element-wise activation functions. Adding one is a row of activations[]. */
#ifndef TULK_KERNEL_ACTIVATION_H
#define TULK_KERNEL_ACTIVATION_H

#include <stdbool.h>

#include "kernel/real.h"

typedef struct {
    const char *name;
    /* y[i] = f(x[i]); y may be x only where backward_from_output is not NULL. */
    void (*forward)(long n, const real *x, real *y);
    /* dx[i] = or, with `add`, += dy[i] f'(x[i]), given x and y = f(x). x is NULL for functions whose
     * derivative is known from y (tanh, sigmoid, relu), which may then be computed in place. Without `add`
     * dx may be dy. */
    void (*backward)(long n, const real *x, const real *y, const real *dy, bool add, real *dx);
    int needs_input; /* backward reads x */
} activation;

/* relu, tanh, sigmoid, gelu (exact: x Phi(x)); ends with a row whose name is NULL. */
extern const activation activations[];

const activation *activation_find(const char *name); /* NULL if there is none */

#endif
