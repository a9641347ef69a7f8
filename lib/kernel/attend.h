/* Scaled dot-product attention over packed sequences (Vaswani et al. 2017, eq. 1), all heads.
 *
 * Sequence i has queries in rows q_start[i] .. + q_len[i] of q and y, and keys and values in rows
 * k_start[i] .. + k_len[i] of k and v. Head h of a row is its columns h * head_dim .. + head_dim.
 * Several sequences may share keys in forward (the hypotheses of a sentence); in backward the key
 * ranges must be disjoint. With `causal` query t sees keys 0 .. t + (k_len - q_len).
 * Parallel over (sequence, head). A query's result does not depend on the other sequences or on
 * q_len: its sums over keys and over head_dim have one fixed order. */
#ifndef TULK_KERNEL_ATTEND_H
#define TULK_KERNEL_ATTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/real.h"

typedef struct {
    int n_seqs, n_heads, head_dim;
    const int *q_start, *q_len, *k_start, *k_len; /* (n_seqs) each */
    bool causal;
    long ldq, ldk, ldv, ldy; /* gradients have the same leading dimensions */
    real dropout;            /* on the probabilities; 0 for none. Mask: (key, place, index into probs) */
    uint64_t key, place;
} attend_shape;

/* Number of probabilities: sum over sequences of n_heads * q_len * k_len. */
size_t attend_probs(const attend_shape *s);

/* y = softmax(q k^T / sqrt(head_dim)) v. `probs` (attend_probs elements, sequence by sequence, head by
 * head, q_len x k_len, before dropout) may be NULL when there is no backward. */
void attend(const attend_shape *s, const real *q, const real *k, const real *v, real *y, real *probs);

/* dq += , dk += , dv += . */
void attend_back(const attend_shape *s, const real *q, const real *k, const real *v, const real *probs,
                 const real *dy, real *dq, real *dk, real *dv);

#endif
