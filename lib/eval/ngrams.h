/* Counts the n-grams that a hypothesis shares with its references. The n-grams of the hypothesis are the
 * nodes of a tree: a node is its (n-1)-gram and one more word. Only they are ever stored, since nothing else
 * can match, so the memory follows the hypothesis alone. Exact: words are compared byte by byte. */
#ifndef TULK_EVAL_NGRAMS_H
#define TULK_EVAL_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct ngrams ngrams;

/* The n-grams, n = 1 .. max_order, of the words of a tokenised line. */
ngrams *ngrams_new(span hyp, int max_order);
void ngrams_free(ngrams *g);
size_t ngrams_hyp_len(const ngrams *g); /* words */

/* Adds a reference; returns its length in words. */
size_t ngrams_add_ref(ngrams *g, span ref);

/* Adds to totals[n - 1] the n-grams of the hypothesis, and to counts[n - 1] those of them that one reference
 * has at least as often ("clipped": an n-gram counts at most as often as in the reference that has most of
 * it). */
void ngrams_count(const ngrams *g, int64_t *counts, int64_t *totals);

#endif
