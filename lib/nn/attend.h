/* Scaled dot-product attention over packed sequences as a tape operation: kernel/attend.h. */
#ifndef TULK_NN_ATTEND_H
#define TULK_NN_ATTEND_H

#include "kernel/attend.h"
#include "tensor/tape.h"

/* Where sequences lie in a packed matrix: sequence i is rows start[i] .. start[i] + len[i]. */
typedef struct {
    int n;
    const int *start, *len; /* (n) */
} packed;

/* Queries are the first d columns of q, keys and values the last 2d of kv: q (rows of queries, d) and kv
 * (rows of keys, 2d), or one tensor (rows, 3d) twice for self-attention. Returns (rows of q, d). queries and
 * keys have the same n, name every row once if the tape records, and live as long as the tape. */
tensor *nn_attend(tape *t, tensor *q, tensor *kv, const packed *queries, const packed *keys, int n_heads,
                  bool causal, double dropout);

/* Keys and values of single queries: those of query r are rows place[start[r]] .. of a matrix, len[r] of
 * them, or rows start[r] .. if place is NULL. */
typedef struct {
    const int *start, *len, *place;
} key_rows;

/* The same for single queries, forward only: a step of decoding. Queries are the first d columns of q, (rows,
 * d). */
tensor *nn_attend_rows(tape *t, tensor *q, tensor *kv, const key_rows *at, int n_heads);

#endif
