/* How probable given translations are. */
#ifndef TULK_SEARCH_SCORE_H
#define TULK_SEARCH_SCORE_H

#include "base/seqs.h"
#include "model/model.h"

/* The natural logarithm of the probability of each target word given its source and the words before it, as
 * search counts it (pad and bos are never produced): the sum over a sentence is the log_prob that search
 * gives to the same translation, up to rounding.
 *
 * src, tgt: pairs, without bos and eos, empty ones are fine. batch_tokens: sentences x longest side run
 * together. log_probs: sentence by sentence, eos counted: that of word k of sentence i is at
 * tgt->start[i] + i + k. The bits of a sentence do not depend on the other sentences, on batch_tokens or on
 * the number of threads. */
void score_pairs(model *m, const seqs *src, const seqs *tgt, int batch_tokens, double *log_probs);
/* By n networks together, as search_ensemble counts it. */
void score_pairs_ensemble(model *const *nets, int n, const seqs *src, const seqs *tgt, int batch_tokens,
                          double *log_probs);

#endif
