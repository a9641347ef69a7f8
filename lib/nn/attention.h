/* Kinds of attention between a recurrent decoder and the encoder states. Adding one is a row of attentions[]:
 * it declares what asks (the query of a step) and what is asked (the keys of the source words), and makes
 * energies of them, e (one a source word), and their gradients. All the rest is the same for all kinds and
 * done elsewhere: the network makes the parameters that a row declares (model/), and the driver
 * (nn/recurrent.h) the products, the softmax and the context: p = softmax(e over the words of the sentence),
 * c = sum_j p[j] h[j] with the encoder states h as values. c enters the gates of the cell beside its input,
 * W_x x + W_c c: a linear layer on the two of them joined.
 *
 * On a choice that is no choice: a linear score of the joined query and key, w . [s; h_j] = w_s . s + w_h .
 * h_j, asks nothing. The first term is the same for all words j and cancels in the softmax, and what is left
 * are weights that do not depend on s. So a score must multiply query and key (dot, general, scaled-dot),
 * bend their sum (additive), or have weights of its own for every position (concat). */
#ifndef TULK_NN_ATTENTION_H
#define TULK_NN_ATTENTION_H

#include <stdbool.h>

#include "kernel/additive.h"
#include "nn/recurrent.h"

/* The query of a step; s is the state before it, x its input. */
enum query_of {
    QUERY_STATE,       /* s itself; [s s ..], where keys are a multiple of its width */
    QUERY_LINEAR,      /* W s + b, which costs no product of its own: rows of W_hh below the gates */
    QUERY_LINEAR_INPUT /* W s + b + U x: a linear layer on x and s joined */
};

/* The keys of the source words. */
enum keys_of {
    KEYS_NONE,
    KEYS_VALUES, /* the encoder states themselves, read where they lie */
    KEYS_LINEAR  /* W h, one product for all words of a batch */
};

/* A, the width of query and keys. */
enum attention_width {
    WIDTH_CHOSEN, /* d_attention: of linear layers of its own */
    WIDTH_STATE,  /* H, of the decoder's states */
    WIDTH_VALUES, /* C, of the encoder's states: as many times H as it has directions */
    WIDTH_SPAN /* as many source words (eos counted) as a kind knows that tells them by their place alone */
};

/* What a step's rows attend to: rows r = 0 .. rows - 1 are the sentences of rank r. */
typedef struct {
    query_keys at;
    long A, C;
    const real *query; /* (rows, A), ldq apart */
    long ldq;
} attention_step;

typedef struct attention {
    const char *name;
    enum query_of query;
    enum keys_of keys;
    enum attention_width width;
    bool vector;   /* has a vector v (A) of its own */
    bool products; /* e is the product of query and key times a number: then the driver makes the keys'
                    * gradient, sum over steps of de * query, for all steps of a sentence at once */
    /* Energies e[e_start[r] + j] of row r for its keys. */
    void (*energies)(const attention_step *s, const recurrent_attention *a, real *e);
    /* From de: dquery (rows, A; lddq), written, perhaps over the query. Without `products` adds to the
     * gradients of a->keys and, if there is a vector, to dv_rows (rows, A); with them leaves in de the
     * gradients by the products without the number. */
    void (*energies_back)(const attention_step *s, const recurrent_attention *a, real *de, real *dquery,
                          long lddq, real *dv_rows);
} attention;

/* Ends with a row whose name is NULL. */
extern const attention attentions[];

const attention *attention_find(const char *name); /* NULL if there is none, also for "none" */

/* Rows of W_hh below the gates: A, or 0 if the state itself asks. */
int attention_query_rows(const attention *a, int A);

#endif
