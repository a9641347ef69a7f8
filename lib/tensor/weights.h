/* Products with weights, which use the packed copy where there is one: of real numbers or bfloat16, with the
 * same bits, or of whole ones, which are close and all there is then (params_freeze): for weights_forward
 * alone. */
#ifndef TULK_TENSOR_WEIGHTS_H
#define TULK_TENSOR_WEIGHTS_H

#include <stdbool.h>

#include "base/memory.h"
#include "tensor/tensor.h"

/* y(n, out) = x(n, in) W^T + b, or y += x W^T with `add`. w (out, in), bias (out) or NULL. */
void weights_forward(const tensor *w, long n, const real *x, long ldx, const real *bias, bool add, real *y,
                     long ldy);

/* Row r of w, also where nothing but the copy for products is left; valid until the calling thread asks for
 * another. */
const real *weights_row(const tensor *w, long r);

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

/* Some rows of weights, with bias, as outputs of a product of their own: columns to which rows are given one
 * by one. An output has the bits that weights_forward gives it, whatever stands in the other columns. The
 * rows must be there when weights are frozen (params_look_up). */
typedef struct {
    const tensor *w, *bias; /* bias may be NULL */
    long most, ready;       /* columns: all, those that were used; multiples of WEIGHTS_COLUMNS */
    real *packed;           /* or, of weights in whole numbers, */
    void *int8;
    real *biases; /* (most) */
} weights_some;

enum { WEIGHTS_COLUMNS = 64 };

/* With room for every row; `memory` is touched as columns are. */
weights_some weights_some_new(const tensor *w, const tensor *bias, arena *memory);
void weights_some_put(weights_some *s, long column, long row);
/* y(n, columns) of the first columns, a multiple of WEIGHTS_COLUMNS; those without a row give anything. */
void weights_some_forward(weights_some *s, long n, const real *x, long ldx, long columns, real *y, long ldy);

#endif
