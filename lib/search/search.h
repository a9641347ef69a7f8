/* Search for the best translation. Knows networks only by model_start, model_step and model_select.
 *
 * Beam search: the score of a hypothesis is log p / length^length_penalty, eos counted. At each step the
 * 2 x beam best extensions of a sentence are taken; those that end are finished if they are among the
 * first `beam`, the best `beam` others go on. A sentence is done with `beam` finished hypotheses or at
 * its limit, where the `beam` best extensions count as finished whether they end or not.
 * pad and bos (and unk, if forbidden) are never produced: the others' probabilities add up to one. Ties: the
 * smaller row, then the smaller id, wins. A sentence's result does not depend on the other sentences of the
 * call. */
#ifndef TULK_SEARCH_SEARCH_H
#define TULK_SEARCH_SEARCH_H

#include "base/seqs.h"
#include "model/model.h"

typedef struct {
    int beam;              /* 1: greedy */
    double length_penalty; /* default 1 */
    double max_len_ratio;  /* a hypothesis has at most max_len_ratio * source words + max_len_extra words, */
    int max_len_extra;     /* eos counted on both sides */
    int n_best;            /* hypotheses kept a sentence, <= beam */
    int batch_tokens;      /* decoded together: sentences x longest source; 500 or so stay in the caches */
    bool forbid_unk;
    const int *limits; /* if not NULL: the limit of each sentence instead of the ratio (tests) */
} search_options;

typedef struct {
    int *ids; /* without bos and eos */
    int n;
    double log_prob; /* sum, eos counted */
    double score;    /* after the length penalty */
} hyp;

typedef struct {
    hyp *hyps; /* best first; distinct */
    int n;     /* 1 .. n_best */
} hyp_list;

/* Translates every sentence of src (any number: batches are made inside, and run in parallel).
 * lists: one a sentence, in order; their memory is theirs: search_free. */
void search(model *m, const seqs *src, const search_options *o, hyp_list *lists);
void search_free(hyp_list *lists, size_t n);

#endif
