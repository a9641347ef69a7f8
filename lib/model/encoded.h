/* What an encoder leaves for a decoder. The layouts of the two may differ: a recurrent encoder writes its
 * states step by step, longest sentence first, a Transformer sentence by sentence. A decoder that reads rows
 * by way of `place` (nn/recurrent.h) takes both as they are; one that cannot asks encoded_by_sentence.
 * Internal to model/. */
#ifndef TULK_MODEL_ENCODED_H
#define TULK_MODEL_ENCODED_H

#include "nn/attend.h"
#include "tensor/tape.h"

enum { MAX_SUMMARIES = 32 };

/* What can be told before there are sentences. */
typedef struct {
    int width;       /* C */
    bool are_states; /* the summaries are last states of one direction of the network's cell, (n, d_model) */
} encoded_shape;

typedef struct {
    tensor *states;   /* (source rows, C) */
    packed p;         /* words of sentence i: start[i] .. start[i] + len[i], sentence-major, */
    const int *place; /* and the rows of `states` where they lie: place[start[i]] ..; NULL: as they are */
    /* A sentence in one row, for a decoder to start from: the last states of a recurrent encoder's layers,
     * from the bottom up. 0 layers: none yet, see encoded_summaries. */
    int layers;
    tensor *h[MAX_SUMMARIES]; /* (n, C) */
    tensor *c[MAX_SUMMARIES]; /* (n, C) second states of an LSTM, otherwise NULL */
    const int *rank;          /* (n) the row of h and c of sentence i; NULL: i */
} encoded;

/* The states with their rows sentence by sentence. */
tensor *encoded_by_sentence(tape *t, const encoded *m);

/* The memory with at least one summary: the mean of the states where the encoder leaves none. */
encoded encoded_summaries(tape *t, const encoded *m);

/* The rows of the summaries of these sentences, in the tape's memory. */
const int *encoded_rows(tape *t, const encoded *m, const int *sentence, int n);

#endif
