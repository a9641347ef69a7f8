/* Layer normalisation (Ba, Kiros and Hinton 2016) of each row: y = (x - mean) rstd * gain + bias, with
 * rstd = 1 / sqrt(variance + eps), biased variance, computed from centred values so that a large
 * offset costs no digits. mean and rstd (rows each) are kept for backward. x, y: rows x d, contiguous.
 * Parallel over rows. */
#ifndef TULK_KERNEL_NORM_H
#define TULK_KERNEL_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/real.h"

void layer_norm(long rows, long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                real *mean, real *rstd);

/* dx = or, with `add`, += (without it dx may be dy); dgain += , dbias += . The sums over rows are taken in a
 * fixed order. */
void layer_norm_back(long rows, long d, const real *x, const real *gain, const real *mean, const real *rstd,
                     const real *dy, bool add, real *dx, real *dgain, real *dbias);

/* y = norm(x + dropout(f)) in one pass; f becomes the sum x + dropout(f). Mask as in kernel/vector.h. */
void residual_norm(long rows, long d, const real *x, real *f, real p, uint64_t key, uint64_t place,
                   const real *gain, const real *bias, real eps, real *y, real *mean, real *rstd);

/* Its backward: dy becomes the gradient by the sum, which is that by x; with dx it is also added there. df =
 * or, with `add`, += its share of it. sum: what f became. */
void residual_norm_back(long rows, long d, const real *sum, const real *gain, const real *mean,
                        const real *rstd, real *dy, real p, uint64_t key, uint64_t place, bool add, real *df,
                        real *dx, real *dgain, real *dbias);

#endif
