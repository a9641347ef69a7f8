#include "tensor/weights.h"

#include "kernel/gemm.h"

void weights_forward(const tensor *w, long n, const real *x, long ldx, const real *bias, bool add, real *y,
                     long ldy)
{
    if (w->by_rows)
        gemm_packed(n, w->rows, w->cols, x, ldx, w->by_rows, bias, add, y, ldy);
    else
        gemm(GEMM_NT, n, w->rows, w->cols, x, ldx, w->v, w->ld, bias, add, y, ldy);
}

void weights_backward(const tensor *w, long n, const real *dy, long lddy, bool add, real *dx, long lddx)
{
    if (w->by_cols)
        gemm_packed(n, w->cols, w->rows, dy, lddy, w->by_cols, NULL, add, dx, lddx);
    else
        gemm(GEMM_NN, n, w->cols, w->rows, dy, lddy, w->v, w->ld, NULL, add, dx, lddx);
}

void weights_gradient(const tensor *w, long n, const real *dy, long lddy, const real *x, long ldx)
{
    gemm(GEMM_TN, w->rows, w->cols, n, dy, lddy, x, ldx, NULL, true, w->g, w->ld);
}
