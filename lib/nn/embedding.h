/* Word embeddings and positions. */
#ifndef TULK_NN_EMBEDDING_H
#define TULK_NN_EMBEDDING_H

#include "tensor/tape.h"

/* What tells a word's place t in the sentence, added to its embedding:
 *   sinusoidal   all sines, then all cosines (tensor2tensor, fairseq, Marian): p[t][i] = sin(t f_i),
 *                p[t][n + i] = cos(t f_i), n = d / 2, f_i = 10000^(-i / (n - 1)); an odd last column is 0
 *   learned      a parameter for each place up to a limit, beyond which all words have the last one's
 *                (Gehring et al. 2017)
 *   interleaved  p[t][2i] = sin(t g_i), p[t][2i + 1] = cos(t g_i), g_i = 10000^(-2i / d) (Vaswani et al.
 * 2017) Adding one that is not learned is a row of position_kinds[] with its function. */
typedef struct {
    const char *name;
    void (*row)(int d, int t, real *out); /* p[t]; NULL: learned */
} position_kind;

/* Ends with a row whose name is NULL. */
extern const position_kind position_kinds[];

const char *position_kind_name(int i);                     /* NULL behind the last */
const position_kind *position_kind_find(const char *name); /* NULL if there is none */

/* Positions that are not learned. Rows up to a limit are kept in a table, later ones are computed when asked
 * for. */
typedef struct positions positions;
positions *positions_new(const position_kind *kind, int d);
void positions_free(positions *p); /* NULL is fine */
/* Writes p[t][0 .. d - 1]. */
void positions_row(const positions *p, int t, real *out);

/* y[i] = scale * table[ids[i]] + (p ? p[place[i]] : 0). table (vocab, d); ids, place (n); returns (n, d).
 * Without positions, on a tape that does not record, the result tells which of its rows are the same
 * (tensor.h). ids and place must live as long as the tape. Gradients of a table row are added in the order of
 * i; the row of ID_PAD gets none. */
tensor *nn_embed(tape *t, const tensor *table, const int *ids, int n, real scale, const positions *p,
                 const int *place);

/* y[i] = x[i] + table[least of place[i] and table->rows - 1], for learned positions. x's values are
 * overwritten: use the result only. place must live as long as the tape. */
tensor *nn_add_positions(tape *t, tensor *x, const tensor *table, const int *place);

#endif
