#include "eval/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Where a sequence has n-grams that may still match: where each begins, and its number. */
typedef struct gram_places {
    uint32_t *start, *number; /* [n] */
    size_t n, start_capacity, number_capacity;
} gram_places;

struct gram_slot {
    uint32_t generation, number, prefix,
        symbol; /* of what is n-gram `number`: the (n-1)-gram and the last symbol */
};

enum { FEWEST_SLOTS = 256 };

void ngrams_free(ngrams *g)
{
    for (int i = 0; i < g->n_places; i++) {
        free(g->places[i].start);
        free(g->places[i].number);
    }
    free(g->places);
    free(g->slots);
    free(g->hyp_counts);
    free(g->ref_counts);
    free(g->best);
    *g = (ngrams){0};
}

/* ------------------------------------------------------------------------------------ the table of one order
 */

static void empty_slots(ngrams *g, size_t entries)
{
    size_t wanted = FEWEST_SLOTS;
    while (wanted < 2 * entries) wanted *= 2;
    if (wanted > g->mask + 1 || !g->slots || g->generation == UINT32_MAX) {
        free(g->slots);
        g->slots = xcalloc(wanted, sizeof *g->slots);
        g->mask = wanted - 1;
        g->generation = 0;
    }
    g->generation++;
}

/* The slot of the n-gram, or the empty one where it belongs. */
static inline gram_slot *find_slot(const ngrams *g, uint32_t prefix, uint32_t symbol)
{
    uint64_t h = ((uint64_t)prefix << 32 | symbol) * 0x9E3779B97F4A7C15u;
    size_t i = (h ^ h >> 32) & g->mask;
    for (;; i = (i + 1) & g->mask) {
        gram_slot *s = &g->slots[i];
        if (s->generation != g->generation || (s->prefix == prefix && s->symbol == symbol)) return s;
    }
}

/* ------------------------------------------------------------------------------------ one order after the
 * other */

static void clear_counts(ngrams *g, size_t most)
{
    g->hyp_counts = grow(g->hyp_counts, &g->counts_capacity, most + 1, sizeof *g->hyp_counts);
    g->ref_counts = grow(g->ref_counts, &g->ref_capacity, most + 1, sizeof *g->ref_counts);
    g->best = grow(g->best, &g->best_capacity, most + 1, sizeof *g->best);
    memset(g->hyp_counts, 0, (most + 1) * sizeof *g->hyp_counts);
    memset(g->best, 0, (most + 1) * sizeof *g->best);
}

static void make_places(ngrams *g, const sequence *hyp, const sequence *refs, int n_refs)
{
    if (g->n_places < n_refs + 1) {
        g->places = xrealloc(g->places, ((size_t)n_refs + 1) * sizeof *g->places);
        memset(g->places + g->n_places, 0, (size_t)(n_refs + 1 - g->n_places) * sizeof *g->places);
        g->n_places = n_refs + 1;
    }
    for (int i = 0; i <= n_refs; i++) {
        gram_places *p = &g->places[i];
        size_t n = i ? refs[i - 1].n : hyp->n;
        BUG_IF(n >= UINT32_MAX / 2);
        p->start = grow(p->start, &p->start_capacity, n, sizeof *p->start);
        p->number = grow(p->number, &p->number_capacity, n, sizeof *p->number);
        p->n = 0;
    }
}

/* 1-grams: a symbol is its own number. */
static void first_places(gram_places *p, const sequence *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        p->start[p->n] = i;
        p->number[p->n] = s->at[i];
        p->n += s->at[i] != SYMBOL_NONE;
    }
}

/* From (n-1)-grams to n-grams of the hypothesis; those that no reference has are dropped. Returns how many
 * different ones there are. */
static uint32_t extend_hyp(ngrams *g, const sequence *s, int order)
{
    gram_places *p = &g->places[0];
    uint32_t distinct = 0;
    size_t kept = 0;
    empty_slots(g, p->n);
    for (size_t i = 0; i < p->n; i++) {
        size_t last = (size_t)p->start[i] + (size_t)order - 1;
        if (last >= s->n || !g->best[p->number[i]]) continue;
        gram_slot *slot = find_slot(g, p->number[i], s->at[last]);
        if (slot->generation != g->generation)
            *slot = (gram_slot){g->generation, ++distinct, p->number[i], s->at[last]};
        p->start[kept] = p->start[i];
        p->number[kept++] = slot->number;
    }
    p->n = kept;
    return distinct;
}

static void extend_ref(const ngrams *g, gram_places *p, const sequence *s, int order)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t last = (size_t)p->start[i] + (size_t)order - 1;
        if (last >= s->n || s->at[last] == SYMBOL_NONE) continue;
        const gram_slot *slot = find_slot(g, p->number[i], s->at[last]);
        p->start[kept] = p->start[i];
        p->number[kept] = slot->number;
        kept += slot->generation == g->generation;
    }
    p->n = kept;
}

static void count(const gram_places *p, uint32_t *counts)
{
    for (size_t i = 0; i < p->n; i++) counts[p->number[i]]++;
}

/* The n-grams that one reference shares; what each one's best reference shares so far is kept. */
static int64_t match_ref(ngrams *g, const gram_places *p, uint32_t distinct)
{
    int64_t sum = 0;
    memset(g->ref_counts, 0, ((size_t)distinct + 1) * sizeof *g->ref_counts);
    count(p, g->ref_counts);
    for (uint32_t i = 1; i <= distinct; i++) {
        uint32_t shared = g->hyp_counts[i] < g->ref_counts[i] ? g->hyp_counts[i] : g->ref_counts[i];
        sum += shared;
        g->best[i] = shared > g->best[i] ? shared : g->best[i];
    }
    return sum;
}

static uint32_t largest(const sequence *s)
{
    uint32_t max = 0;
    for (size_t i = 0; i < s->n; i++) max = s->at[i] > max ? s->at[i] : max;
    return max;
}

void ngrams_match(ngrams *g, const sequence *hyp, const sequence *refs, int n_refs, int max_order,
                  int64_t *matches, int64_t *clipped)
{
    make_places(g, hyp, refs, n_refs);
    for (int order = 1; order <= max_order; order++) {
        uint32_t distinct = order == 1 ? largest(hyp) : extend_hyp(g, hyp, order);
        if (order == 1) first_places(&g->places[0], hyp);
        clear_counts(g, distinct);
        count(&g->places[0], g->hyp_counts);
        for (int r = 0; r < n_refs; r++) {
            gram_places *p = &g->places[r + 1];
            if (order == 1)
                first_places(p, &refs[r]);
            else
                extend_ref(g, p, &refs[r], order);
            int64_t shared = match_ref(g, p, distinct);
            if (matches) matches[(order - 1) * n_refs + r] = shared;
        }
        int64_t sum = 0;
        for (uint32_t i = 1; i <= distinct; i++) sum += g->best[i];
        if (clipped) clipped[order - 1] = sum;
    }
}
