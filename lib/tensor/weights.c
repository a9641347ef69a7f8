#include "tensor/weights.h"

#include <string.h>

#include "base/error.h"
#include "kernel/blocks.h"
#include "kernel/gemm.h"
#include "kernel/int8.h"

void weights_forward(const tensor *w, long n, const real *x, long ldx, const real *bias, bool add, real *y,
                     long ldy)
{
    if (w->int8)
        int8_product(n, w->rows, w->cols, x, ldx, w->int8, bias, add, y, ldy);
    else if (w->by_rows)
        gemm_packed(w->numbers, n, w->rows, w->cols, x, ldx, w->by_rows, bias, add, y, ldy);
    else
        gemm(w->numbers, GEMM_NT, n, w->rows, w->cols, x, ldx, w->v, w->ld, bias, add, y, ldy);
}

const real *weights_row(const tensor *w, long r)
{
    BUG_IF(r < 0 || r >= w->rows || !(w->v || w->by_rows));
    if (w->v) return w->v + r * w->ld;
    real *out = scratch(SCRATCH_ROW, (size_t)w->cols * sizeof(real));
    gemm_unpack_column(w->rows, w->cols, w->by_rows, r, out);
    return out;
}

void weights_backward(const tensor *w, long n, const real *dy, long lddy, bool add, real *dx, long lddx)
{
    BUG_IF(w->int8);
    if (w->by_cols)
        gemm_packed(w->numbers, n, w->cols, w->rows, dy, lddy, w->by_cols, NULL, add, dx, lddx);
    else
        gemm(w->numbers, GEMM_NN, n, w->cols, w->rows, dy, lddy, w->v, w->ld, NULL, add, dx, lddx);
}

void weights_gradient(const tensor *w, long n, const real *dy, long lddy, const real *x, long ldx)
{
    gemm(w->numbers, GEMM_TN, w->rows, w->cols, n, dy, lddy, x, ldx, NULL, true, w->g, w->ld);
}

static const real *row(const tensor *w, const real *of, long r) { return of + r * w->ld; }

void weights_forward_part(const tensor *w, long from, long count, long n, const real *x, long ldx,
                          const real *bias, real *y, long ldy)
{
    BUG_IF(w->int8);
    if (bias) bias += from;
    if (w->by_rows)
        gemm_packed_columns(w->numbers, n, count, w->cols, x, ldx, w->by_rows, from, w->rows, bias, false, y,
                            ldy);
    else
        gemm(w->numbers, GEMM_NT, n, count, w->cols, x, ldx, row(w, w->v, from), w->ld, bias, false, y, ldy);
}

void weights_backward_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           bool add, real *dx, long lddx)
{
    if (w->by_cols)
        gemm_packed_rows(w->numbers, n, w->cols, count, dy, lddy, w->by_cols, from, add, dx, lddx);
    else
        gemm(w->numbers, GEMM_NN, n, w->cols, count, dy, lddy, row(w, w->v, from), w->ld, NULL, add, dx,
             lddx);
}

void weights_gradient_part(const tensor *w, long from, long count, long n, const real *dy, long lddy,
                           const real *x, long ldx)
{
    gemm(w->numbers, GEMM_TN, count, w->cols, n, dy, lddy, x, ldx, NULL, true, w->g + from * w->ld, w->ld);
}

/* ---- some rows ---- */

_Static_assert((int)WEIGHTS_COLUMNS == GEMM_COLUMNS && (int)WEIGHTS_COLUMNS == INT8_COLUMNS, "columns alike");

weights_some weights_some_new(const tensor *w, const tensor *bias, arena *memory)
{
    weights_some s = {.w = w, .bias = bias};
    s.most = (w->rows + WEIGHTS_COLUMNS - 1) / WEIGHTS_COLUMNS * WEIGHTS_COLUMNS;
    if (w->int8)
        s.int8 = arena_alloc(memory, int8_packed_bytes(s.most, w->cols));
    else
        s.packed = arena_alloc(memory, (size_t)s.most * (size_t)w->cols * sizeof(real));
    if (bias) s.biases = arena_alloc(memory, (size_t)s.most * sizeof(real));
    return s;
}

/* Columns that nobody has used yet are zero from now on: what lies there may be slow to compute with. */
static void make_ready(weights_some *s, long columns)
{
    if (columns <= s->ready) return;
    BUG_IF(columns > s->most);
    long end = (columns + WEIGHTS_COLUMNS - 1) / WEIGHTS_COLUMNS * WEIGHTS_COLUMNS, n = end - s->ready;
    if (s->int8)
        int8_clear_columns(s->most, s->w->cols, s->ready, n, s->int8);
    else
        gemm_clear_columns(s->most, s->w->cols, s->ready, n, s->packed);
    if (s->bias) memset(s->biases + s->ready, 0, (size_t)n * sizeof(real));
    s->ready = end;
}

void weights_some_put(weights_some *s, long column, long r)
{
    const real *from = weights_row(s->w, r);
    make_ready(s, column + 1);
    if (s->int8)
        int8_pack_column(s->most, s->w->cols, column, from, s->int8);
    else
        gemm_pack_column(s->most, s->w->cols, column, from, s->packed);
    if (s->bias) s->biases[column] = s->bias->v[r];
}

void weights_some_forward(weights_some *s, long n, const real *x, long ldx, long columns, real *y, long ldy)
{
    BUG_IF(columns % WEIGHTS_COLUMNS);
    make_ready(s, columns);
    if (s->int8)
        int8_product_columns(n, columns, s->w->cols, x, ldx, s->int8, s->most, s->biases, false, y, ldy);
    else
        gemm_packed_columns(GEMM_FP32, n, columns, s->w->cols, x, ldx, s->packed, 0, s->most, s->biases,
                            false, y, ldy);
}
