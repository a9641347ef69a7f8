/* Recurrent cells as pointwise functions of pre-activations. Adding a cell is a row of cells[]; the
 * sequence driver (nn/recurrent.h) does products, directions and lengths for all of them.
 *
 * For one step and `rows` sentences, hidden size H, G gates:
 *   gx (rows, G*H)  input side:  W_ih x + b_ih      (row distance ldgx)
 *   gh (rows, G*H)  state side:  W_hh h + b_hh      (row distance ldgh)
 * Gates lie behind each other: LSTM i f g o, GRU r z n (PyTorch's order).
 *   tanh, relu  h' = f(gx + gh)
 *   lstm        c' = f c + i tanh(g), h' = o tanh(c')               Hochreiter and Schmidhuber 1997
 *   gru         n = tanh(gx_n + r * gh_n), h' = (1 - z) n + z h     Cho et al. 2014, PyTorch's form */
#ifndef TULK_KERNEL_CELL_H
#define TULK_KERNEL_CELL_H

#include <stdbool.h>

#include "kernel/real.h"

typedef struct {
    const char *name;
    int gates;       /* G */
    int kept;        /* reals kept a row and hidden unit for backward, K */
    bool has_memory; /* a second state c (LSTM) */
    bool split;      /* d loss/d gx and d loss/d gh differ (GRU); else dgh is dgx and is not written */

    /* h, c: new states; c and c_prev are NULL without has_memory; kept (rows, K*H) may be NULL when
     * there is no backward. h may be h_prev and c may be c_prev. */
    void (*forward)(long rows, long H, const real *gx, long ldgx, const real *gh, long ldgh,
                    const real *h_prev, const real *c_prev, real *h, real *c, real *kept);

    /* In: dh (rows, H) whole gradient of the new h; dc the gradient of the new c, replaced by that of
     * c_prev; kept, h, h_prev, c, c_prev as forward had and left them. Out: dgx, and dgh if split (both
     * written, not added); dh_prev: written, the part of d h_prev that does not go through gh
     * (z * dh for a GRU, 0 for the others). */
    void (*backward)(long rows, long H, const real *kept, const real *h, const real *h_prev, const real *c,
                     const real *c_prev, const real *dh, real *dc, real *dgx, long lddgx, real *dgh,
                     long lddgh, real *dh_prev);
} cell;

/* tanh, relu, gru, lstm; ends with a row whose name is NULL. */
extern const cell cells[];

const cell *cell_find(const char *name); /* NULL if there is none */

#endif
