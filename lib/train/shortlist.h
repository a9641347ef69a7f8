/* A vocabulary shortlist learned from training text: for each piece of the source the pieces of the target
 * that go with it most probably (lexicon.h), so that a translation chooses among hundreds of pieces instead
 * of the whole vocabulary. Its form is that of search_options.shortlist: a list for each source piece, and a
 * last one of what any translation may hold, the most frequent pieces. */
#ifndef TULK_TRAIN_SHORTLIST_H
#define TULK_TRAIN_SHORTLIST_H

#include "train/vocabulary.h"
#include "base/seqs.h"

typedef struct {
    const char *const *src_paths, *const *tgt_paths;
    int n_files;
    const vocab_pair *vocab;
    int max_len; /* pairs with more pieces on a side are not used */
    int words;   /* of each list, the frequent ones not counted */
} shortlist_request;

/* Pieces in the last list. */
enum { SHORTLIST_COMMON = 100 };

/* Learns from all pairs, or from each k-th where there are more than a million pairs or 300 million pairs of
 * pieces. With one vocabulary for both sides a piece may give itself: names are copied. 0, or -1 with a
 * message. *pairs: how many it has learned from. A function of text and request alone. */
int shortlist_learn(const shortlist_request *r, seqs *out, size_t *pairs);

#endif
