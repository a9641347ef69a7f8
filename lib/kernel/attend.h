/* Scaled dot-product attention over packed sequences (Vaswani et al. 2017, eq. 1), all heads.
 *
 * Sequence i has queries in rows q_start[i] .. + q_len[i] of q and y, and keys and values in rows
 * k_start[i] .. + k_len[i] of k and v. Head h of a row is its columns h * head_dim .. + head_dim.
 * Several sequences may share keys in forward (the hypotheses of a sentence); in backward the key
 * ranges must be disjoint. With `causal` query t sees keys 0 .. t + (k_len - q_len).
 * Parallel over (sequence, head). A query's result does not depend on the other sequences or on
 * q_len: its sums over keys and over head_dim have one fixed order. No probability is kept: backward
 * computes them again, for ATTEND_QUERIES queries at a time, so memory grows with the length and not
 * with its square. */
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
    real dropout;            /* on the probabilities; 0 for none. Mask: (key, place, attend_place) */
    uint64_t key, place;
} attend_shape;

enum { ATTEND_QUERIES = 64 };

/* The mask's element for key j of query t in a head of a sequence, counted from the head's first. Heads
 * follow each other, then sequences; attend_places elements each. */
size_t attend_place(int q_len, int k_len, int t, int j);
size_t attend_places(int q_len, int k_len);

/* y = softmax(q k^T / sqrt(head_dim)) v. */
void attend(const attend_shape *s, const real *q, const real *k, const real *v, real *y);

/* Single queries whose keys lie anywhere: a step of decoding. Query r sees len[r] keys, key j being row
 * place[start[r] + j] of k and v, or row start[r] + j if place is NULL. Queries may share keys. */
typedef struct {
    int rows, n_heads, head_dim;
    const int *start, *len, *place;
    long ldq, ldk, ldv, ldy;
} attend_rows_shape;

/* y as attend gives it, up to rounding. A query's bits depend neither on the other queries nor on where its
 * keys lie. Parallel over queries. */
void attend_rows(const attend_rows_shape *s, const real *q, const real *k, const real *v, real *y);

/* dq, dk and dv of the rows of all sequences: written, or added to with `add`. */
void attend_back(const attend_shape *s, const real *q, const real *k, const real *v, const real *dy, bool add,
                 real *dq, real *dk, real *dv);

#endif
