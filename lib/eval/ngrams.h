/* Counts the n-grams that a sequence shares with others. Goes from one order to the next: an n-gram is its
 * (n-1)-gram and one more symbol, and only those whose (n-1)-gram is on both sides are looked at. Exact;
 * memory and time grow with the length of the sequences. */
#ifndef TULK_EVAL_NGRAMS_H
#define TULK_EVAL_NGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/symbols.h"

/* Memory that is used again. {0} is none; owned: ngrams_free. */
typedef struct gram_slot gram_slot;
typedef struct {
    /* The n-grams of one order by (n-1)-gram and last symbol: in a table (number of (n-1)-gram, symbol) where
     * that is small, else in a hash table. */
    bool direct;
    uint16_t *table;
    size_t row;       /* symbols in a row of the table */
    gram_slot *slots; /* [mask + 1] */
    size_t mask;
    uint32_t generation;                      /* what earlier ones left in the slots is empty */
    uint32_t *used;                           /* entries of the table that are not 0 */
    uint32_t *hyp_counts, *ref_counts, *best; /* [number of n-gram]: how often it is in hyp, in one reference,
                                                 and in that one which has most of it */
    struct gram_places *places;               /* [1 + n_refs] */
    size_t room;
    int n_places;
} ngrams;

void ngrams_free(ngrams *g);

/* For each order n = 1 .. max_order, how many n-grams of hyp are in the references as well, an n-gram
 * counting at most as often as on the other side: in each reference alone, matches[(n - 1) * n_refs + r], and
 * "clipped" by the reference that has most of it, clipped[n - 1]. Either may be NULL. Symbols are as
 * symbols.h makes them, numbered by hyp. */
void ngrams_match(ngrams *g, const sequence *hyp, const sequence *refs, int n_refs, int max_order,
                  int64_t *matches, int64_t *clipped);

/* n-grams in a sequence of so many symbols. */
static inline int64_t ngrams_total(size_t length, int n)
{
    return length >= (size_t)n ? (int64_t)length - n + 1 : 0;
}

#endif
