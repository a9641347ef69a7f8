#include "data/batches.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"

enum shuffle_purpose { SHUFFLE_PAIRS, SHUFFLE_BATCHES };

static void shuffle(uint32_t *items, uint32_t n, uint64_t seed, int64_t epoch, int64_t window,
                    enum shuffle_purpose purpose)
{
    uint64_t place = hash64_mix(hash64_mix((uint64_t)epoch, (uint64_t)window), purpose);
    rng draws = rng_at(seed, RNG_SHUFFLE, place & (((uint64_t)1 << 56) - 1)); /* the upper byte is the use */
    rng_shuffle(&draws, items, n);
}

/* Stable counting sort of `n` pairs by their length in `by`. */
static void sort_by_length(batch_plan *p, const uint32_t *in, uint32_t *out, uint32_t n, const seqs *by)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < n; i++)
        if (seqs_len(by, i) > longest) longest = seqs_len(by, i);
    uint32_t *at = p->at = grow(p->at, &p->at_capacity, longest + 2, sizeof *p->at);
    memset(at, 0, (longest + 2) * sizeof *at);
    for (uint32_t i = 0; i < n; i++) at[seqs_len(by, i) + 1]++;
    for (size_t len = 0; len <= longest; len++) at[len + 1] += at[len];
    for (uint32_t i = 0; i < n; i++) out[at[seqs_len(by, in[i])]++] = in[i];
}

static size_t longer_side(const seqs *src, const seqs *tgt, uint32_t i)
{
    size_t s = seqs_len(src, i), t = seqs_len(tgt, i);
    return (s > t ? s : t) + 1; /* eos */
}

static void cut(batch_plan *p, uint32_t n, const seqs *src, const seqs *tgt, size_t batch_tokens)
{
    size_t longest = 0;
    p->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t own = longer_side(src, tgt, p->pairs[i]), with = own > longest ? own : longest;
        bool starts = p->n == 0 || (i - p->first[p->n - 1] + 1) * with > batch_tokens;
        if (starts) p->first[p->n++] = i;
        longest = starts ? own : with;
    }
    p->first[p->n] = n;
}

static void make_room(batch_plan *p, size_t n)
{
    if (p->capacity >= n + 1) return;
    p->capacity = n + 1;
    p->pairs = xrealloc(p->pairs, p->capacity * sizeof *p->pairs);
    p->scratch = xrealloc(p->scratch, p->capacity * sizeof *p->scratch);
    p->first = xrealloc(p->first, p->capacity * sizeof *p->first);
    p->turn = xrealloc(p->turn, p->capacity * sizeof *p->turn);
}

void plan_batches(batch_plan *p, const seqs *src, const seqs *tgt, int batch_tokens, uint64_t seed,
                  int64_t epoch, int64_t window)
{
    uint32_t n = (uint32_t)src->n;
    make_room(p, n);
    for (uint32_t i = 0; i < n; i++) p->pairs[i] = i;
    shuffle(p->pairs, n, seed, epoch, window, SHUFFLE_PAIRS);
    sort_by_length(p, p->pairs, p->scratch, n, src);
    sort_by_length(p, p->scratch, p->pairs, n, tgt);
    cut(p, n, src, tgt, (size_t)batch_tokens);
    for (uint32_t b = 0; b < p->n; b++) p->turn[b] = b;
    shuffle(p->turn, p->n, seed, epoch, window, SHUFFLE_BATCHES);
}

void plan_free(batch_plan *p)
{
    free(p->pairs);
    free(p->scratch);
    free(p->first);
    free(p->turn);
    free(p->at);
    *p = (batch_plan){0};
}
