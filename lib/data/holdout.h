/* Inside the data room: which pairs are held out of training for validation.
 *
 * Those with the smallest hashes of their text: a random sample that depends neither on the order of the
 * lines nor on the seed. All copies of a pair have one hash, so a pair that is held out is nowhere in the
 * training part. */
#ifndef TULK_DATA_HOLDOUT_H
#define TULK_DATA_HOLDOUT_H

#include "base/str.h"
#include "data/pairs.h"

typedef struct {
    uint64_t hash;
    int64_t place; /* in the corpus */
    str text[2];
} held_pair;

/* {0} holds nothing out. */
typedef struct {
    held_pair
        *pairs; /* while pairs are shown: a heap, the largest hash first; then in the order of the corpus */
    size_t n, capacity, max;
    uint64_t limit; /* pairs with a hash up to this are held out, if n > 0 */
} holdout;

uint64_t pair_hash(span src, span tgt);
/* Shows a pair; keeps it if its hash is among the `max` smallest. */
void holdout_show(holdout *h, int64_t place, span src, span tgt);
/* No more pairs come: keeps the n smallest (or what there is). */
void holdout_finish(holdout *h, size_t n);
bool holdout_has(const holdout *h, span src, span tgt);
void holdout_free(holdout *h);

#endif
