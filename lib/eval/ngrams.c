#include "eval/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "eval/segment.h"

enum { NONE = 0, ROOT = 0 }; /* slots and ids start at 1, so that zeroed tables are empty */

typedef struct {
    uint32_t parent, word;
    int order;
    uint32_t in_hyp, in_best_ref, in_this_ref;
    int this_ref; /* the reference that in_this_ref speaks of */
} node;

struct ngrams {
    int max_order, n_refs;
    size_t hyp_len;
    span *words; /* [1 .. n_words]: the distinct words */
    node *nodes; /* [1 .. n_nodes] */
    uint32_t n_words, n_nodes;
    uint32_t *word_slots, *node_slots; /* open addressing, linear probing, at most half full */
    size_t word_mask, node_mask;
};

static size_t slots_for(size_t entries)
{
    size_t n = 8;
    while (n < 2 * entries) n *= 2;
    return n;
}

static size_t count_words(span text)
{
    size_t n = 0;
    for (span word; segment_token(&text, &word);) n++;
    return n;
}

/* The slot of the word, or the empty one where it belongs. */
static uint32_t *word_slot(const ngrams *g, span word)
{
    size_t i = hash64(word.p, word.n) & g->word_mask;
    while (g->word_slots[i] != NONE && !span_eq(g->words[g->word_slots[i]], word)) i = (i + 1) & g->word_mask;
    return &g->word_slots[i];
}

static uint32_t *node_slot(const ngrams *g, uint32_t parent, uint32_t word)
{
    size_t i = hash64_mix(parent, word) & g->node_mask;
    for (; g->node_slots[i] != NONE; i = (i + 1) & g->node_mask) {
        const node *at = &g->nodes[g->node_slots[i]];
        if (at->parent == parent && at->word == word) break;
    }
    return &g->node_slots[i];
}

/* The words of the hypothesis as numbers; new words are stored. */
static uint32_t *number_words(ngrams *g, span hyp)
{
    uint32_t *ids = xmalloc((g->hyp_len + 1) * sizeof *ids);
    size_t n = 0;
    for (span word; segment_token(&hyp, &word);) {
        uint32_t *slot = word_slot(g, word);
        if (*slot == NONE) {
            *slot = ++g->n_words;
            g->words[*slot] = word;
        }
        ids[n++] = *slot;
    }
    return ids;
}

static void grow_tree(ngrams *g, const uint32_t *ids)
{
    for (size_t i = 0; i < g->hyp_len; i++) {
        uint32_t at = ROOT;
        for (int order = 1; order <= g->max_order && i + (size_t)order <= g->hyp_len; order++) {
            uint32_t word = ids[i + (size_t)order - 1], *slot = node_slot(g, at, word);
            if (*slot == NONE) {
                *slot = ++g->n_nodes;
                g->nodes[*slot] = (node){.parent = at, .word = word, .order = order};
            }
            at = *slot;
            g->nodes[at].in_hyp++;
        }
    }
}

ngrams *ngrams_new(span hyp, int max_order)
{
    ngrams *g = xcalloc(1, sizeof *g);
    g->max_order = max_order;
    g->hyp_len = count_words(hyp);
    size_t most_nodes = g->hyp_len * (size_t)max_order;
    BUG_IF(most_nodes >= UINT32_MAX);
    g->words = xmalloc((g->hyp_len + 1) * sizeof *g->words);
    g->nodes = xmalloc((most_nodes + 1) * sizeof *g->nodes);
    size_t word_slots = slots_for(g->hyp_len), node_slots = slots_for(most_nodes);
    g->word_slots = xcalloc(word_slots, sizeof *g->word_slots);
    g->node_slots = xcalloc(node_slots, sizeof *g->node_slots);
    g->word_mask = word_slots - 1;
    g->node_mask = node_slots - 1;
    uint32_t *ids = number_words(g, hyp);
    grow_tree(g, ids);
    free(ids);
    return g;
}

void ngrams_free(ngrams *g)
{
    free(g->words);
    free(g->nodes);
    free(g->word_slots);
    free(g->node_slots);
    free(g);
}

size_t ngrams_hyp_len(const ngrams *g) { return g->hyp_len; }

static void meet(node *n, int ref)
{
    if (n->this_ref != ref) {
        n->this_ref = ref;
        n->in_this_ref = 0;
    }
    n->in_this_ref++;
    if (n->in_this_ref > n->in_best_ref) n->in_best_ref = n->in_this_ref;
}

/* Meets the n-grams that begin with ids[0] and have at most n words. */
static void meet_from(ngrams *g, const uint32_t *ids, size_t n)
{
    uint32_t at = ROOT;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == NONE) return;
        at = *node_slot(g, at, ids[i]);
        if (at == NONE) return;
        meet(&g->nodes[at], g->n_refs);
    }
}

size_t ngrams_add_ref(ngrams *g, span ref)
{
    size_t n = count_words(ref), i = 0;
    uint32_t *ids = xmalloc((n + 1) * sizeof *ids);
    for (span word; segment_token(&ref, &word);) ids[i++] = *word_slot(g, word);
    g->n_refs++;
    for (i = 0; i < n; i++)
        meet_from(g, ids + i, n - i < (size_t)g->max_order ? n - i : (size_t)g->max_order);
    free(ids);
    return n;
}

void ngrams_count(const ngrams *g, int64_t *counts, int64_t *totals)
{
    for (uint32_t i = 1; i <= g->n_nodes; i++) {
        const node *n = &g->nodes[i];
        totals[n->order - 1] += n->in_hyp;
        counts[n->order - 1] += n->in_hyp < n->in_best_ref ? n->in_hyp : n->in_best_ref;
    }
}
