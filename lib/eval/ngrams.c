#include "eval/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Where a sequence has n-grams that may still match: where each begins, in order, and its number. */
typedef struct gram_places {
    uint32_t *start, *number; /* [n] */
    size_t n, start_capacity, number_capacity;
} gram_places;

struct gram_slot {
    uint32_t generation, number, prefix,
        symbol; /* of the n-gram: its number, its (n-1)-gram, its last symbol */
};

enum { TABLE = 1 << 15, FEWEST_SLOTS = 256 };

void ngrams_free(ngrams *g)
{
    for (int i = 0; i < g->n_places; i++) {
        free(g->places[i].start);
        free(g->places[i].number);
    }
    free(g->places);
    free(g->table);
    free(g->slots);
    free(g->used);
    free(g->hyp_counts);
    free(g->ref_counts);
    free(g->best);
    *g = (ngrams){0};
}

/* ------------------------------------------------------------------------------------ one order */

static void new_slots(ngrams *g, size_t n)
{
    g->slots = xcalloc(n, sizeof *g->slots);
    g->mask = n - 1;
    g->generation = 1;
}

static void empty_slots(ngrams *g)
{
    if (g->slots && ++g->generation < UINT32_MAX) return;
    free(g->slots);
    new_slots(g, g->slots ? g->mask + 1 : FEWEST_SLOTS);
}

/* Begins with an empty table for n-grams of the (n-1)-grams 1 .. prefixes. */
static void begin_order(ngrams *g, size_t prefixes)
{
    g->direct = (prefixes + 1) * g->row <= TABLE;
    if (!g->direct) empty_slots(g);
}

static void end_order(ngrams *g, uint32_t distinct)
{
    if (g->direct)
        for (uint32_t i = 1; i <= distinct; i++) g->table[g->used[i]] = 0;
}

static gram_slot *find_slot(const ngrams *g, uint32_t prefix, uint32_t symbol)
{
    uint64_t h = ((uint64_t)prefix << 32 | symbol) * 0x9E3779B97F4A7C15u;
    size_t i = (h ^ h >> 32) & g->mask;
    for (;; i = (i + 1) & g->mask) {
        gram_slot *s = &g->slots[i];
        if (s->generation != g->generation || (s->prefix == prefix && s->symbol == symbol)) return s;
    }
}

/* Twice as many slots; n-grams keep their numbers. */
static void grow_slots(ngrams *g)
{
    gram_slot *old = g->slots;
    size_t n = g->mask + 1;
    uint32_t generation = g->generation;
    new_slots(g, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (old[i].generation != generation) continue;
        gram_slot *s = find_slot(g, old[i].prefix, old[i].symbol);
        *s = old[i];
        s->generation = g->generation;
    }
    free(old);
}

/* The number of the n-gram; 0 if it is none of hyp's. */
static inline uint32_t find_number(const ngrams *g, uint32_t prefix, uint32_t symbol)
{
    if (g->direct) return g->table[prefix * g->row + symbol];
    if (symbol == SYMBOL_NONE) return 0;
    const gram_slot *s = find_slot(g, prefix, symbol);
    return s->generation == g->generation ? s->number : 0;
}

/* The number of the n-gram, which is `fresh` if it had none. */
static inline uint32_t take_number(ngrams *g, uint32_t prefix, uint32_t symbol, uint32_t fresh)
{
    if (g->direct) {
        uint32_t at = (uint32_t)(prefix * g->row) + symbol, number = g->table[at] ? g->table[at] : fresh;
        g->table[at] = (uint16_t)number;
        g->used[fresh] = at; /* written over if it was not taken */
        return number;
    }
    gram_slot *s = find_slot(g, prefix, symbol);
    if (s->generation == g->generation) return s->number;
    *s = (gram_slot){g->generation, fresh, prefix, symbol};
    if (2 * (size_t)fresh > g->mask) grow_slots(g);
    return fresh;
}

/* ------------------------------------------------------------------------------------ all orders */

static uint32_t largest(const sequence *s)
{
    uint32_t max = 0;
    for (size_t i = 0; i < s->n; i++) max = s->at[i] > max ? s->at[i] : max;
    return max;
}

static void make_room(ngrams *g, size_t n)
{
    if (!g->table) g->table = xcalloc(TABLE, sizeof *g->table);
    if (g->room >= n + 2) return;
    g->room = n + n / 8 + 2;
    g->used = xrealloc(g->used, g->room * sizeof *g->used);
    g->hyp_counts = xrealloc(g->hyp_counts, g->room * sizeof *g->hyp_counts);
    g->ref_counts = xrealloc(g->ref_counts, g->room * sizeof *g->ref_counts);
    g->best = xrealloc(g->best, g->room * sizeof *g->best);
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
        p->start = grow(p->start, &p->start_capacity, n + 1, sizeof *p->start);
        p->number = grow(p->number, &p->number_capacity, n + 1, sizeof *p->number);
        p->n = 0;
    }
}

/* 1-grams: a symbol is its own number. Loops here have no branches that depend on the text: they would be
 * guessed wrong half of the time. */
static void first_places(gram_places *p, const sequence *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        p->start[p->n] = i;
        p->number[p->n] = s->at[i];
        p->n += s->at[i] != SYMBOL_NONE;
    }
}

/* Drops the places where the sequence ends before the n-gram does. */
static void drop_ends(gram_places *p, const sequence *s, int order)
{
    while (p->n && (size_t)p->start[p->n - 1] + (size_t)order > s->n) p->n--;
}

/* Drops the n-grams that no reference has. */
static void drop_unmatched(gram_places *p, const uint32_t *best)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        p->start[kept] = p->start[i];
        p->number[kept] = p->number[i];
        kept += best[p->number[i]] != 0;
    }
    p->n = kept;
}

/* From (n-1)-grams of the hypothesis to n-grams, which are numbered and counted. Returns how many there are.
 */
static uint32_t extend_hyp(ngrams *g, const sequence *s, int order)
{
    gram_places *p = &g->places[0];
    const uint32_t *last = s->at + order - 1;
    uint32_t distinct = 0;
    memset(g->hyp_counts, 0, (p->n + 1) * sizeof *g->hyp_counts);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t number = take_number(g, p->number[i], last[p->start[i]], distinct + 1);
        distinct += number > distinct;
        g->hyp_counts[number]++;
        p->number[i] = number;
    }
    return distinct;
}

static void extend_ref(const ngrams *g, gram_places *p, const sequence *s, int order)
{
    const uint32_t *last = s->at + order - 1;
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        uint32_t number = find_number(g, p->number[i], last[p->start[i]]);
        p->start[kept] = p->start[i];
        p->number[kept] = number;
        kept += number != 0;
    }
    p->n = kept;
}

/* Counts the n-grams of a reference; returns how many of them hyp has as well. */
static int64_t count_ref(const ngrams *g, const gram_places *p, uint32_t *counts, uint32_t distinct)
{
    int64_t shared = 0;
    memset(counts, 0, ((size_t)distinct + 1) * sizeof *counts);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t number = p->number[i], count = ++counts[number];
        shared += count <= g->hyp_counts[number];
    }
    return shared;
}

static int64_t clip(const ngrams *g, uint32_t distinct)
{
    int64_t sum = 0;
    for (uint32_t i = 1; i <= distinct; i++)
        sum += g->best[i] < g->hyp_counts[i] ? g->best[i] : g->hyp_counts[i];
    return sum;
}

static void keep_best(ngrams *g, uint32_t distinct)
{
    for (uint32_t i = 1; i <= distinct; i++)
        g->best[i] = g->ref_counts[i] > g->best[i] ? g->ref_counts[i] : g->best[i];
}

/* The hypothesis' n-grams of this order; how many different ones. */
static uint32_t next_order(ngrams *g, const sequence *hyp, int order, uint32_t before)
{
    gram_places *p = &g->places[0];
    if (order == 1) {
        first_places(p, hyp);
        uint32_t distinct = (uint32_t)g->row - 1;
        memset(g->hyp_counts, 0, ((size_t)distinct + 1) * sizeof *g->hyp_counts);
        for (size_t i = 0; i < p->n; i++) g->hyp_counts[p->number[i]]++;
        return distinct;
    }
    drop_ends(p, hyp, order);
    drop_unmatched(p, g->best);
    begin_order(g, before);
    return extend_hyp(g, hyp, order);
}

void ngrams_match(ngrams *g, const sequence *hyp, const sequence *refs, int n_refs, int max_order,
                  int64_t *matches, int64_t *clipped)
{
    uint32_t distinct = 0;
    g->row = (size_t)largest(hyp) + 1;
    g->direct = false;
    make_room(g, hyp->n);
    make_places(g, hyp, refs, n_refs);
    for (int order = 1; order <= max_order; order++) {
        distinct = next_order(g, hyp, order, distinct);
        for (int r = 0; r < n_refs; r++) {
            gram_places *p = &g->places[r + 1];
            drop_ends(p, &refs[r], order);
            if (order == 1)
                first_places(p, &refs[r]);
            else
                extend_ref(g, p, &refs[r], order);
            int64_t shared = count_ref(g, p, r ? g->ref_counts : g->best, distinct);
            if (r) keep_best(g, distinct);
            if (matches) matches[(order - 1) * n_refs + r] = shared;
        }
        if (clipped) clipped[order - 1] = clip(g, distinct);
        end_order(g, distinct);
    }
}
