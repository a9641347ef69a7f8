/* Products with weights, which use the packed copy where there is one: of real numbers, with the same bits,
 * or of whole ones, which are close and all there is then (params_freeze): for weights_forward alone. */
#ifndef TULK_TENSOR_WEIGHTS_H
#define TULK_TENSOR_WEIGHTS_H

#include <stdbool.h>

#include "tensor/tensor.h"

/* y(n, out) = x(n, in) W^T + b, or y += x W^T with `add`. w (out, in), bias (out) or NULL. */
void weights_forward(const tensor *w, long n, const real *x, long ldx, const real *bias, bool add, real *y,
                     long ldy);

/* dx(n, in) = dy(n, out) W, or dx += dy W with `add`. */
void weights_backward(const tensor *w, long n, const real *dy, long lddy, bool add, real *dx, long lddx);

/* dW += dy^T x, over n rows. Needs w->g. */
void weights_gradient(const tensor *w, long n, const real *dy, long lddy, const real *x, long ldx);

/* The same for outputs from .. from + count alone, `from` a multiple of GEMM_PART (kernel/gemm.h): y(n,
 * count), and dy(n, count), whose share of dx is written or added. */
void weights_forward_part(const tensor *w, long from, long count, long n, const real *x, long ldx,
                          const real *bias, real *y, long ldy);
void weights_backward_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           bool add, real *dx, long lddx);
void weights_gradient_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           const real *x, long ldx);

#endif
