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

/* q (rows of queries, d); k, v (rows of keys, d), which may be column views of one matrix; returns
 * (rows of q, d). queries and keys have the same n and live as long as the tape. */
tensor *nn_attend(tape *t, tensor *q, tensor *k, tensor *v, const packed *queries, const packed *keys,
                  int n_heads, bool causal, double dropout);

#endif
