/* Inside the room: sentences of any number -> batches of like length, for searching and for scoring. */
#ifndef TULK_SEARCH_BATCHING_H
#define TULK_SEARCH_BATCHING_H

#include <stddef.h>

#include "base/memory.h"
#include "base/seqs.h"

/* Short sentences count as if they had so many tokens, since each costs its rows of logits all the same. */
enum { SHORT_TOKENS = 8 };

typedef struct {
    size_t *order; /* sentences, longest first; equal lengths in the order of the text */
    size_t *cut;   /* (n + 1) batch i is order[cut[i]] .. order[cut[i + 1] - 1] */
    size_t n;
} batching;

/* A batch takes sentences while their number times its longest stays within `tokens`; one sentence is always
 * taken. `lengths` (n): of each sentence, eos counted. Owned: batching_free. */
batching batching_new(const size_t *lengths, size_t n, long tokens);
void batching_free(batching *b);

/* These n sentences of `all` behind each other, in `memory`. */
seqs batching_gather(const seqs *all, const size_t *sentences, size_t n, arena *memory);

/* One arena a thread, by team_rank(), and one that all have in common; empty. */
arena **arenas_new(void);
arena *arenas_common(arena **arenas);
void arenas_free(arena **arenas);

#endif
