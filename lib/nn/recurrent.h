/* The sequence driver of recurrent layers: one for all cells (kernel/cell.h), both directions, any
 * lengths, and with or without an attention between the state and the cell.
 *
 * Layout: time-major, sequences sorted by length, longest first; at step t the first active[t] sequences
 * are there, in rows offset[t] .. of every packed matrix. No row is padding, and a step's rows are
 * one contiguous block. */
#ifndef TULK_NN_RECURRENT_H
#define TULK_NN_RECURRENT_H

#include "kernel/cell.h"
#include "nn/attend.h"
#include "tensor/tape.h"

typedef struct {
    int n, steps, rows;
    const int *order;  /* (n) the sequence that has rank r */
    const int *rank;   /* (n) its inverse */
    const int *len;    /* (n) length of rank r, never increasing */
    const int *active; /* (steps) */
    const int *offset; /* (steps + 1) */
    const int *from;   /* (rows) the sentence-major row that lies in this time-major row */
    const int *to;     /* (rows) its inverse */
    const int *last;   /* (n) row of the last step of rank r */
} time_major;

/* The layout of n sequences, in the tape's memory. Every length must be at least 1. */
const time_major *time_major_new(tape *t, const packed *sequences);

typedef struct {
    tensor *w_ih, *b_ih; /* (G*H, in), (G*H, 1): input side of the gates */
    tensor *w_hh, *b_hh; /* (G*H, H), (G*H, 1): state side; with an attention whose query is linear in the
                          * state G*H + A rows: gates, then query */
} recurrent_weights;

/* Attention for a recurrent layer (Bahdanau et al. 2015): at step i the state s[i-1] asks. What a kind does
 * not declare (nn/attention.h) is NULL. */
typedef struct {
    const struct attention *kind;
    const tensor *w_ctx;   /* (G*H, C) gates from the context */
    const tensor *w_in;    /* (A, in) query from the input */
    const tensor *v;       /* (A, 1) */
    tensor *keys, *values; /* (source rows, A), (source rows, C), which may be one */
    packed memory;         /* start[r], len[r]: source words of the sentence of rank r, and where */
    const int *place;      /* they lie in keys and values: rows place[start[r]] ..; NULL: as they are */
    int width;             /* A, of query and keys */
} recurrent_attention;

typedef struct {
    tensor *h;   /* states, (rows, H) or as `into` says */
    tensor *c;   /* (rows, H) second states; NULL for cells without */
    tensor *ctx; /* (rows, C) contexts; NULL without attention */
    /* With attention: probabilities of the source words of row i from p[p_start[i]] on; else NULL. */
    const real *p;
    const int *p_start;
} recurrent_states;

/* Where a layer writes its states: columns from column .. of h, a tensor of this tape; both directions side
 * by side, for instance, of which that at column 0 must be the first on the tape. */
typedef struct {
    tensor *h; /* (rows, at least column + H) */
    int column;
} recurrent_place;

/* x (rows, in): the input of all steps. h0, c0 (n, H) by rank, contiguous, or NULL for zero. `reverse` runs
 * from the last step of each sequence to the first. `asks` may be NULL, and must be with reverse. `into` may
 * be NULL, for a new tensor.
 *
 * Kept for backward are, of a row, gates, states and query; see kernel/cell.h for what takes whose place. */
recurrent_states nn_recurrent(tape *t, const cell *kind, const time_major *layout, bool reverse, tensor *x,
                              const recurrent_weights *w, tensor *h0, tensor *c0,
                              const recurrent_attention *asks, const recurrent_place *into);

#endif
