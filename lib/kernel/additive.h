/* Energies of additive attention (Bahdanau, Cho and Bengio 2015, appendix A.1.2):
 *   e[i][j] = sum_a v[a] tanh(query[i][a] + keys[j][a])
 * over packed sequences: row i of query (rows, A; row distance ldq) scores keys k_start[i] .. + k_len[i]
 * (row distance A). Its energies are written at e + e_start[i]. Parallel over rows. */
#ifndef TULK_KERNEL_ADDITIVE_H
#define TULK_KERNEL_ADDITIVE_H

#include "kernel/real.h"

void additive_energies(long rows, long A, const real *query, long ldq, const real *keys, const real *v,
                       const int *k_start, const int *k_len, const int *e_start, real *e);

/* de as e. dquery (rows, A; lddq): written. dkeys += (the rows' key ranges must be disjoint). dv_rows
 * (rows, A): += the row's part of the gradient of v; the caller adds the rows in order at the end. */
void additive_energies_back(long rows, long A, const real *query, long ldq, const real *keys, const real *v,
                            const int *k_start, const int *k_len, const int *e_start, const real *de,
                            real *dquery, long lddq, real *dkeys, real *dv_rows);

/* context[i] = sum_j p[i][j] values[k_start[i] + j]; values (.., C) contiguous, context (rows, C; ldc).
 * p at p + e_start[i]. Parallel over rows. */
void weighted_sum(long rows, long C, const real *p, const int *e_start, const real *values,
                  const int *k_start, const int *k_len, real *context, long ldc);

/* dp written; dvalues += (disjoint ranges). */
void weighted_sum_back(long rows, long C, const real *p, const int *e_start, const real *values,
                       const int *k_start, const int *k_len, const real *dcontext, long ldc, real *dp,
                       real *dvalues);

/* Softmax of each row's energies in place, and its backward: de[j] = p[j] (dp[j] - sum_k p[k] dp[k]),
 * written over dp. */
void ragged_softmax(long rows, const int *e_start, const int *k_len, real *e);
void ragged_softmax_back(long rows, const int *e_start, const int *k_len, const real *p, real *dp);

#endif
