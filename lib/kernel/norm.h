/* Layer normalisation (Ba, Kiros and Hinton 2016) of each row: y = (x - mean) rstd * gain + bias, with
 * rstd = 1 / sqrt(variance + eps), biased variance, computed from centred values so that a large
 * offset costs no digits. mean and rstd (rows each) are kept for backward. x, y: rows x d, contiguous.
 * Parallel over rows. */
#ifndef TULK_KERNEL_NORM_H
#define TULK_KERNEL_NORM_H

#include "kernel/real.h"

void layer_norm(long rows, long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                real *mean, real *rstd);

/* dx += , dgain += , dbias += ; the sums over rows are taken in a fixed order. */
void layer_norm_back(long rows, long d, const real *x, const real *gain, const real *mean, const real *rstd,
                     const real *dy, real *dx, real *dgain, real *dbias);

#endif
