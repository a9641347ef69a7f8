/* Inside the room: decoding one batch. search.c cuts the sentences into batches; greedy.c and beam.c
 * decode one each, and share what is here. */
#ifndef TULK_SEARCH_DECODE_H
#define TULK_SEARCH_DECODE_H

#include "search/search.h"

typedef struct {
    model *net;
    const search_options *options;
    arena *memory;        /* of the batch */
    seqs src;             /* the sentences of the batch; lives in `memory` */
    const int *limit;     /* (src.n) words a hypothesis of the sentence may have, eos counted */
    int max_limit;        /* the largest of them */
    hyp_list *const *out; /* (src.n) where the results go */
} batch;

void greedy_decode(const batch *b);
void beam_decode(const batch *b);

/* Logits (rows, vocab) become log-probabilities. What may not be produced, pad and bos, gets none: it is
 * taken out before the sum, so that the rest adds up to one. */
void word_log_probs(int rows, int vocab, bool forbid_unk, real *z);

/* One step of the first `rows` rows: the log-probabilities of their next words. */
void step_log_probs(const batch *b, decoding *d, const int *ids, int rows, real *log_probs);

/* A result whose n words end in eos, or not (at the limit). */
hyp hyp_new(const batch *b, const int *words, int n, double log_prob);

#endif
