/* Byte-pair encoding learned incrementally (Sennrich, Haddow and Birch, "Neural Machine Translation of Rare
 * Words with Subword Units", ACL 2016): a count for each pair of neighbours with the list of words that hold
 * it, and a heap of pairs. A merge touches the words of its pair and nothing else. */
#ifndef TULK_TEXT_BPE_H
#define TULK_TEXT_BPE_H

#include "text/builder.h"

enum { PAIR_MIN_COUNT = 2 }; /* a pair seen once says nothing */

/* Distinct words with their counts, spelled in ids. Merging shortens them in place. */
typedef struct {
    size_t n;
    uint64_t *count;
    uint32_t *start; /* of each word in `symbols` */
    uint16_t *length;
    int *symbols;
} bpe_words;

/* Merges the most frequent pair (of equals: the smaller left id, then the smaller right id) until the builder
 * is full or no pair occurs PAIR_MIN_COUNT times. Pairs with a byte piece are never merged. */
void bpe_learn(bpe_words *w, builder *b);

#endif
