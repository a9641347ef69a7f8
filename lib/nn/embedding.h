/* Word embeddings and positions. */
#ifndef TULK_NN_EMBEDDING_H
#define TULK_NN_EMBEDDING_H

#include "tensor/tape.h"

/* Sinusoidal positions, all sines, then all cosines (tensor2tensor, fairseq, Marian):
 * p[t][i] = sin(t f_i), p[t][n + i] = cos(t f_i), n = d / 2, f_i = 10000^(-i / (n - 1)). An odd last
 * column is 0. Rows up to a limit are kept in a table, later ones are computed when asked for. */
typedef struct positions positions;
positions *positions_new(int d);
void positions_free(positions *p); /* NULL is fine */
/* Writes p[t][0 .. d - 1]. */
void positions_row(const positions *p, int t, real *out);

/* y[i] = scale * table[ids[i]] + (p ? p[place[i]] : 0). table (vocab, d); ids, place (n); returns (n, d).
 * ids and place must live as long as the tape. Gradients of a table row are added in the order of i; the
 * row of ID_PAD gets none. */
tensor *nn_embed(tape *t, const tensor *table, const int *ids, int n, real scale, const positions *p,
                 const int *place);

#endif
