/* Element-wise loops and reductions over contiguous arrays. Parallel over fixed blocks. */
#ifndef TULK_KERNEL_VECTOR_H
#define TULK_KERNEL_VECTOR_H

#include <stdint.h>

#include "kernel/real.h"

void vec_add(long n, const real *x, real *y);          /* y += x */
void vec_move(long n, real *x, real *y);               /* y += x, x = 0 */
void vec_axpy(long n, real a, const real *x, real *y); /* y += a x */
void vec_scale(long n, real a, real *x);               /* x *= a */
double vec_sum_squares(long n, const real *x);         /* in double, fixed order; inf and NaN come through */

/* out[c] += sum over rows of x[r][c], in row order of fixed blocks: the gradient of a bias. */
void col_sum(long rows, long cols, const real *x, long ld, real *out);

/* y[i] = (residual ? residual[i] : 0) + keep(i) ? x[i] / (1 - p) : 0. The mask is a function of (key,
 * place, i) alone (Philox4x32-7), so backward draws it again instead of keeping it. 0 <= p < 1;
 * the probability is a multiple of 2^-16. p = 0 copies or adds. y may be x or residual. */
void dropout(long n, const real *x, const real *residual, real p, uint64_t key, uint64_t place, real *y);

/* dx[i] += keep(i) ? dy[i] / (1 - p) : 0, with the mask of dropout(). */
void dropout_back(long n, const real *dy, real p, uint64_t key, uint64_t place, real *dx);

#endif
