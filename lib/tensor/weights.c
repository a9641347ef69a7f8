#include "tensor/weights.h"

#include "base/error.h"
#include "kernel/gemm.h"
#include "kernel/int8.h"

void weights_forward(const tensor *w, long n, const real *x, long ldx, const real *bias, bool add, real *y,
                     long ldy)
{
    if (w->int8)
        int8_product(n, w->rows, w->cols, x, ldx, w->int8, bias, add, y, ldy);
    else if (w->by_rows)
        gemm_packed(n, w->rows, w->cols, x, ldx, w->by_rows, bias, add, y, ldy);
    else
        gemm(GEMM_NT, n, w->rows, w->cols, x, ldx, w->v, w->ld, bias, add, y, ldy);
}

void weights_backward(const tensor *w, long n, const real *dy, long lddy, bool add, real *dx, long lddx)
{
    BUG_IF(w->int8);
    if (w->by_cols)
        gemm_packed(n, w->cols, w->rows, dy, lddy, w->by_cols, NULL, add, dx, lddx);
    else
        gemm(GEMM_NN, n, w->cols, w->rows, dy, lddy, w->v, w->ld, NULL, add, dx, lddx);
}

void weights_gradient(const tensor *w, long n, const real *dy, long lddy, const real *x, long ldx)
{
    gemm(GEMM_TN, w->rows, w->cols, n, dy, lddy, x, ldx, NULL, true, w->g, w->ld);
}

static const real *row(const tensor *w, const real *of, long r) { return of + r * w->ld; }

void weights_forward_part(const tensor *w, long from, long count, long n, const real *x, long ldx,
                          const real *bias, real *y, long ldy)
{
    BUG_IF(w->int8);
    if (bias) bias += from;
    if (w->by_rows)
        gemm_packed_columns(n, count, w->cols, x, ldx, w->by_rows, from, w->rows, bias, false, y, ldy);
    else
        gemm(GEMM_NT, n, count, w->cols, x, ldx, row(w, w->v, from), w->ld, bias, false, y, ldy);
}

void weights_backward_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           bool add, real *dx, long lddx)
{
    if (w->by_cols)
        gemm_packed_rows(n, w->cols, count, dy, lddy, w->by_cols, from, add, dx, lddx);
    else
        gemm(GEMM_NN, n, w->cols, count, dy, lddy, row(w, w->v, from), w->ld, NULL, add, dx, lddx);
}

void weights_gradient_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           const real *x, long ldx)
{
    gemm(GEMM_TN, count, w->cols, n, dy, lddy, x, ldx, NULL, true, w->g + from * w->ld, w->ld);
}
