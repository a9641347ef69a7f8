/* Recurrent cells as pointwise functions of pre-activations. Adding a cell is a row of CELL_LIST and its two
 * functions NAME_forward and NAME_backward in loops/cell.c; the sequence driver (nn/recurrent.h) does
 * products, directions and lengths.
 *
 * For one step and `rows` sentences, hidden size H, G gates:
 *   gates (rows, G*H)  at first the input side, W_ih x + b_ih
 *   gh (rows, G*H)     the state side, W_hh h + b_hh
 * Gates lie behind each other: LSTM i f g o, GRU r z n (PyTorch's order), UGRNN g n.
 *   tanh, relu  h' = f(gx + gh)
 *   lstm        c' = f c + i tanh(g), h' = o tanh(c')               Hochreiter and Schmidhuber 1997
 *   gru         n = tanh(gx_n + r * gh_n), h' = (1 - z) n + z h     Cho et al. 2014, PyTorch's form
 *   ugrnn       n = tanh(gx_n + gh_n), h' = (1 - g) n + g h         Collins, Sohl-Dickstein, Sussillo 2017
 *
 * What backward needs takes the place of what is not needed any more: forward writes the gates over their
 * input side, backward the gradient over the gates. The last `own` gates of a cell are not a function of
 * gx + gh, so that their gradients by gx and by gh differ: their gh is kept beside, and becomes its gradient.
 */
#ifndef TULK_KERNEL_CELL_H
#define TULK_KERNEL_CELL_H

#include <stdbool.h>

#include "kernel/real.h"

/* CELL(name, gates, own, has_memory), see `cell`. */
#define CELL_LIST(CELL)                                                                                      \
    CELL(tanh, 1, 0, false)                                                                                  \
    CELL(relu, 1, 0, false)                                                                                  \
    CELL(gru, 3, 1, false)                                                                                   \
    CELL(lstm, 4, 0, true)                                                                                   \
    CELL(ugrnn, 2, 0, false)

typedef struct {
    const char *name;
    int gates;       /* G */
    int own;         /* gates whose state side is kept beside: n of a GRU */
    bool has_memory; /* a second state c (LSTM) */
} cell;

/* Distances between rows are given; c, c_prev and their gradients lie H apart, and are NULL without memory.
 */
typedef struct {
    long rows, H;
    real *gates; /* (rows, G*H), ld_gates */
    real *own;   /* (rows, own*H), ld_own */
    const real *gh;
    real *h, *c; /* (rows, H), the new states */
    const real *h_prev, *c_prev;
    const real *dh, *dc;     /* the whole gradient of the new states; lie as h and c */
    real *dh_prev, *dc_prev; /* added to; lie as h_prev and c_prev */
    long ld_gates, ld_own, ld_gh, ld_h, ld_prev;
} cell_step;

/* Reads gates, gh, h_prev, c_prev; writes h, c, own, and over gates. h may be h_prev and c c_prev. */
void cell_forward(const cell *kind, const cell_step *s);

/* Reads what forward left, dh and dc. The gradient by gx is written over gates; that by gh is the same but
 * for the own gates, whose part is written over own. To dh_prev is added what does not go through gh (z * dh
 * for a GRU, nothing for the others). */
void cell_backward(const cell *kind, const cell_step *s);

/* The list as a table; ends with a row whose name is NULL. */
extern const cell cells[];

const cell *cell_find(const char *name); /* NULL if there is none */

#endif
