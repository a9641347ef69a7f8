/* Operations that treat rows as they are: gather, join, activate, drop, normalise. */
#ifndef TULK_NN_ROWS_H
#define TULK_NN_ROWS_H

#include "kernel/activation.h"
#include "kernel/norm.h"
#include "nn/attend.h"
#include "tensor/tape.h"

/* y[i] = x[index[i]], i < n; repeats allowed. index must live as long as the tape. */
tensor *nn_gather(tape *t, tensor *x, const int *index, int n);
/* The same of columns from .. from + cols. */
tensor *nn_gather_cols(tape *t, tensor *x, int from, int cols, const int *index, int n);

/* (n, a) and (n, b) side by side: (n, a + b). */
tensor *nn_concat(tape *t, tensor *a, tensor *b);

/* n tensors of one width below each other, n >= 1. */
tensor *nn_stack(tape *t, tensor *const *parts, int n);

/* a + b, of one shape; both stay what they are. */
tensor *nn_add(tape *t, tensor *a, tensor *b);

/* y[i] = the mean of the rows of x in sequence i; (p->n, cols). The sequences, none empty, must live as long
 * as the tape. */
tensor *nn_mean(tape *t, tensor *x, const packed *p);

/* f(x), element-wise; if f is gated, f(a) b of x (n, 2d) = a, b, which gives (n, d). If f does not need its
 * input backward, x's values are overwritten: use y only. */
tensor *nn_activate(tape *t, tensor *x, const activation *f);

/* Inverted dropout (Srivastava et al. 2014): x itself when the tape does not train or p is 0. */
tensor *nn_dropout(tape *t, tensor *x, double p);

/* The same in place: x's values are overwritten, so that nobody may need them; use the result only. */
tensor *nn_dropout_over(tape *t, tensor *x, double p);

/* residual + dropout(x), (n, d) both. x's values are overwritten: use the result only. */
tensor *nn_residual(tape *t, tensor *residual, tensor *x, double p);

/* Normalisation with gain and bias (d, 1), eps 1e-5: kernel/norm.h. bias: NULL for kinds without. */
tensor *nn_norm(tape *t, const norm_kind *kind, tensor *x, const tensor *gain, const tensor *bias);

/* nn_norm(nn_residual(residual, x, p)) in one pass. x's values are overwritten: use the result only. */
tensor *nn_residual_norm(tape *t, const norm_kind *kind, tensor *residual, tensor *x, double p,
                         const tensor *gain, const tensor *bias);

#endif
