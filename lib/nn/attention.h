/* Kinds of attention between a recurrent decoder and the encoder states. Adding one is a row of attentions[].
 */
#ifndef TULK_NN_ATTENTION_H
#define TULK_NN_ATTENTION_H

#include "kernel/additive.h"
#include "nn/recurrent.h"

/* What a step's rows attend to: rows r = 0 .. rows - 1 are the sentences of rank r. */
typedef struct {
    query_keys at;
    long A, C;
    const real *query; /* (rows, A), ldq apart */
    long ldq;
} attention_step;

typedef struct attention {
    const char *name;
    /* Energies e[e_start[r] + j] of row r for its keys. */
    void (*energies)(const attention_step *s, const recurrent_attention *a, real *e);
    /* From de: dquery (rows, A; lddq), written, perhaps over the query; adds to the gradients of a->keys;
     * dv_rows (rows, A), added. */
    void (*energies_back)(const attention_step *s, const recurrent_attention *a, const real *de, real *dquery,
                          long lddq, real *dv_rows);
} attention;

/* additive; ends with a row whose name is NULL. */
extern const attention attentions[];

const attention *attention_find(const char *name); /* NULL if there is none, also for "none" */

#endif
