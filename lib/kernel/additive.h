/* Additive attention (Bahdanau, Cho and Bengio 2015, appendix A.1.2) between one query a sentence and the
 * sentence's keys:
 *   e[i][j] = sum_a v[a] tanh(query[i][a] + keys[j][a]),  p[i] = softmax(e[i]),  context[i] = sum_j p[i][j]
 * values[j] All of it is parallel over queries, and the bits of a query do not depend on the others. */
#ifndef TULK_KERNEL_ADDITIVE_H
#define TULK_KERNEL_ADDITIVE_H

#include "kernel/real.h"

/* Where queries find their keys. Query i has k_len[i] of them: rows k_start[i] + j of keys and values, or
 * rows place[k_start[i] + j] if place is not NULL. Its energies and probabilities lie at e_start[i] + j. In
 * the backward functions no two queries may have the same keys. */
typedef struct {
    long rows; /* queries */
    const int *k_start, *k_len, *e_start, *place;
} query_keys;

/* query (rows, A; ldq); keys (.., A), v (A). */
void additive_energies(const query_keys *at, long A, const real *query, long ldq, const real *keys,
                       const real *v, real *e);

/* From de, which lies as e. dquery (rows, A; lddq) is written and may be query (lddq = ldq); dkeys: added.
 * dv_rows (rows, A): the query's part of the gradient of v, added; the caller adds the rows in order. */
void additive_energies_back(const query_keys *at, long A, const real *query, long ldq, const real *keys,
                            const real *v, const real *de, real *dquery, long lddq, real *dkeys,
                            real *dv_rows);

/* values (.., C), context (rows, C; ldc). */
void weighted_sum(const query_keys *at, long C, const real *p, const real *values, real *context, long ldc);

/* dp written. */
void weighted_sum_back(const query_keys *at, long C, const real *values, const real *dcontext, long ldc,
                       real *dp);

/* dvalues added, for n sequences with all of their queries at once, so that a value's gradient is written
 * once: sequence k has the keys of at->k_start[k] .., and its queries are rows rows[start[k]] ..
 * + len[k] of dcontext and of at->e_start. */
void weighted_sum_values_back(const query_keys *at, int n, const int *start, const int *len, const int *rows,
                              long C, const real *p, const real *dcontext, long ldc, real *dvalues);

/* Softmax of each query's energies in place, and its backward: de[j] = p[j] (dp[j] - sum_k p[k] dp[k]),
 * written over dp. */
void ragged_softmax(const query_keys *at, real *e);
void ragged_softmax_back(const query_keys *at, const real *p, real *dp);

#endif
