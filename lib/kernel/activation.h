/* Activation functions, element-wise or gated. Adding one is a row of ACTIVATION_LIST, and for a new function
 * its loops F and F_back in loops/activation.c. */
#ifndef TULK_KERNEL_ACTIVATION_H
#define TULK_KERNEL_ACTIVATION_H

#include <stdbool.h>

#include "kernel/real.h"

/* Name, function in loops/activation.c, whether backward reads x, whether it is gated. gelu is exact, x
 * Phi(x); swish is x sigmoid(x) (Ramachandran et al. 2017). Gated ones (Dauphin et al. 2017, Shazeer 2020)
 * take two halves a, b of a row to f(a) b. */
#define ACTIVATION_LIST(ROW)                                                                                 \
    ROW(relu, relu, false, false)                                                                            \
    ROW(tanh, hyperbolic, false, false)                                                                      \
    ROW(sigmoid, sigmoid, false, false)                                                                      \
    ROW(gelu, gelu, true, false)                                                                             \
    ROW(swish, swish, true, false)                                                                           \
    ROW(glu, sigmoid, false, true)                                                                           \
    ROW(geglu, gelu, true, true)                                                                             \
    ROW(swiglu, swish, true, true)

typedef struct {
    const char *name;
    /* y[i] = f(x[i]); y may be x where backward does not need x. Of a gated one: f alone. */
    void (*forward)(long n, const real *x, real *y);
    /* dx[i] = or, with `add`, += dy[i] f'(x[i]), given x and y = f(x). x is NULL for functions whose
     * derivative is known from y (tanh, sigmoid, relu), which may then be computed in place. Without `add`
     * dx may be dy. */
    void (*backward)(long n, const real *x, const real *y, const real *dy, bool add, real *dx);
    bool needs_input; /* backward reads x */
    bool gated;       /* rows of 2d become rows of d: activation_gate */
} activation;

/* The list as a table; ends with a row whose name is NULL. */
extern const activation activations[];

const char *activation_name(int i);                  /* of a row, NULL behind the last */
const activation *activation_find(const char *name); /* NULL if there is none */

/* y (rows, d) = f(a) b, with x (rows, 2d) = a, b side by side. All contiguous. */
void activation_gate(const activation *f, long rows, long d, const real *x, real *y);
/* dx = or, with `add`, += the gradient by x. */
void activation_gate_back(const activation *f, long rows, long d, const real *x, const real *dy, bool add,
                          real *dx);

#endif
