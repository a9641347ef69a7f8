/* Inside the data room: pairs of a window -> batches of pairs of like length.
 *
 * The pairs are shuffled, sorted by target and then source length (stable, so that pairs of the same lengths
 * stay in random order), cut into batches, and the batches are shuffled. */
#ifndef TULK_DATA_BATCHES_H
#define TULK_DATA_BATCHES_H

#include <stdint.h>

#include "base/seqs.h"

/* {0} is empty. */
typedef struct {
    uint32_t *pairs; /* in the order in which batches hold them */
    uint32_t *scratch;
    uint32_t *first; /* batch b holds pairs[first[b]] .. pairs[first[b + 1] - 1] */
    uint32_t *turn;  /* the order in which batches are given */
    uint32_t n;      /* batches */
    uint32_t *at;    /* scratch, by length */
    size_t capacity, at_capacity;
} batch_plan;

/* A plan for these pairs, a function of seed, epoch and window alone. Every pair is in one batch; sentences x
 * longest side (eos counted) is at most batch_tokens, if each pair by itself is. */
void plan_batches(batch_plan *p, const seqs *src, const seqs *tgt, int batch_tokens, uint64_t seed,
                  int64_t epoch, int64_t window);
void plan_free(batch_plan *p);

#endif
