/* Normalisation of each row:
 *   layer  y = (x - mean) rstd * gain + bias, rstd = 1 / sqrt(variance + eps)     Ba, Kiros and Hinton 2016
 *   rms    y = x rstd * gain, rstd = 1 / sqrt(mean of squares + eps)             Zhang and Sennrich 2019
 * with the biased variance, computed from centred values so that a large offset costs no digits. mean and
 * rstd (rows each) are kept for backward. x, y: rows x d, contiguous. Parallel over rows. Adding one is a row
 * of norm_kinds[] and its two loops in loops/norm.c, in the same order. */
#ifndef TULK_KERNEL_NORM_H
#define TULK_KERNEL_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/real.h"

typedef struct {
    const char *name;
    bool has_bias; /* without: bias and dbias are NULL */
} norm_kind;

/* layer, rms; ends with a row whose name is NULL. */
extern const norm_kind norm_kinds[];

const char *norm_kind_name(int i);                 /* NULL behind the last */
const norm_kind *norm_kind_find(const char *name); /* NULL if there is none */

void norm_rows(const norm_kind *kind, long rows, long d, const real *x, const real *gain, const real *bias,
               real eps, real *y, real *mean, real *rstd);

/* dx = or, with `add`, += (without it dx may be dy); dgain += , dbias += . The sums over rows are taken in a
 * fixed order. */
void norm_rows_back(const norm_kind *kind, long rows, long d, const real *x, const real *gain,
                    const real *mean, const real *rstd, const real *dy, bool add, real *dx, real *dgain,
                    real *dbias);

/* y = norm(x + dropout(f)) in one pass; f becomes the sum x + dropout(f). Mask as in kernel/vector.h. */
void residual_norm(const norm_kind *kind, long rows, long d, const real *x, real *f, real p, uint64_t key,
                   uint64_t place, const real *gain, const real *bias, real eps, real *y, real *mean,
                   real *rstd);

/* Its backward: dy becomes the gradient by the sum, which is that by x; with dx it is also added there. df =
 * or, with `add`, += its share of it. sum: what f became. */
void residual_norm_back(const norm_kind *kind, long rows, long d, const real *sum, const real *gain,
                        const real *mean, const real *rstd, real *dy, real p, uint64_t key, uint64_t place,
                        bool add, real *df, real *dx, real *dgain, real *dbias);

#endif
