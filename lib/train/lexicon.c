#include "train/lexicon.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* For a source word, what it stands beside is gone through in one go: its probabilities then lie in an array
 * by target words, and nothing is looked up. The expectation step is two rounds over all source words:
 *
 *     sum of a target word at its place = sum over source words s of its sentence of p(t | s),
 *     count(t | s) = p(t | s) times the sum over places of t beside s of 1 / that sum.
 */
typedef struct {
    const seqs *src, *tgt;
    lexicon *l;
    uint32_t *pairs; /* where source words stand: those of s are occurs[s] .. occurs[s + 1] */
    size_t *occurs;  /* (n_src + 1); the empty word is in every pair */
    float *sums;     /* (target words) */
    float *p;        /* (n_tgt) of the source word at hand, zero for others */
    double *counts;  /* (n_tgt) of the same, zero in between */
    int *seen;       /* (n_tgt) words whose counts are not zero */
    lexicon_entry *found;
    size_t capacity, n; /* of l->entries; used */
} learning;

static void index_pairs(learning *g)
{
    const seqs *src = g->src;
    size_t n = (size_t)g->l->n_src;
    g->occurs = xcalloc(n + 2, sizeof *g->occurs);
    g->pairs = xmalloc((seqs_total(src) + 1) * sizeof *g->pairs);
    for (size_t k = 0; k < seqs_total(src); k++) {
        BUG_IF(src->ids[k] < 0 || src->ids[k] >= g->l->n_src);
        g->occurs[src->ids[k] + 2]++;
    }
    for (size_t s = 2; s <= n + 1; s++) g->occurs[s] += g->occurs[s - 1];
    for (size_t i = 0; i < src->n; i++)
        for (size_t k = 0; k < seqs_len(src, i); k++)
            g->pairs[g->occurs[seqs_at(src, i)[k] + 1]++] = (uint32_t)i;
}

/* Pair number k of source word s. */
static size_t pair_of(const learning *g, int s, size_t k)
{
    return s == g->l->n_src ? k : g->pairs[g->occurs[s] + k];
}

static size_t pairs_with(const learning *g, int s)
{
    return s == g->l->n_src ? g->src->n : g->occurs[s + 1] - g->occurs[s];
}

/* -------------------------------------------------------------------------------------- expectation */

static void spread(const learning *g, int s, bool there)
{
    for (size_t i = g->l->start[s]; i < g->l->start[s + 1]; i++)
        g->p[g->l->entries[i].word] = there ? g->l->entries[i].p : 0;
}

static void add_sums(learning *g, int s)
{
    spread(g, s, true);
    for (size_t k = 0; k < pairs_with(g, s); k++) {
        size_t i = pair_of(g, s, k);
        for (size_t j = g->tgt->start[i]; j < g->tgt->start[i + 1]; j++) g->sums[j] += g->p[g->tgt->ids[j]];
    }
    spread(g, s, false);
}

/* Before anything is known every source word is as probable. */
static void first_sums(learning *g)
{
    for (size_t i = 0; i < g->src->n; i++)
        for (size_t j = g->tgt->start[i]; j < g->tgt->start[i + 1]; j++)
            g->sums[j] = (float)(seqs_len(g->src, i) + 1);
}

static void all_sums(learning *g)
{
    memset(g->sums, 0, seqs_total(g->tgt) * sizeof *g->sums);
    for (int s = 0; s <= g->l->n_src; s++) add_sums(g, s);
}

/* From sums to their reciprocals. */
static void turn_sums(learning *g)
{
    for (size_t j = 0; j < seqs_total(g->tgt); j++) g->sums[j] = g->sums[j] > 0 ? 1 / g->sums[j] : 0;
}

/* ------------------------------------------------------------------------------------- maximisation */

static int by_probability(const void *a, const void *b)
{
    const lexicon_entry *x = a, *y = b;
    if (x->p != y->p) return x->p > y->p ? -1 : 1;
    return x->word - y->word;
}

static int count_words(learning *g, int s)
{
    int n = 0;
    for (size_t k = 0; k < pairs_with(g, s); k++) {
        size_t i = pair_of(g, s, k);
        for (size_t j = g->tgt->start[i]; j < g->tgt->start[i + 1]; j++) {
            int t = g->tgt->ids[j];
            if (g->counts[t] == 0 && g->sums[j] > 0) g->seen[n++] = t;
            g->counts[t] += (double)g->sums[j];
        }
    }
    return n;
}

/* The new list of s, behind those before it; `first`: there is none yet. Returns its length. */
static int new_list(learning *g, int s, bool first)
{
    int n = count_words(g, s), kept = 0;
    double sum = 0;
    if (!first) spread(g, s, true);
    for (int k = 0; k < n; k++) {
        double count = g->counts[g->seen[k]] * (first ? 1 : (double)g->p[g->seen[k]]);
        g->counts[g->seen[k]] = 0;
        if (count > 0) g->found[kept++] = (lexicon_entry){g->seen[k], (float)count};
        sum += count;
    }
    if (!first) spread(g, s, false);
    for (int k = 0; k < kept; k++) g->found[k].p = (float)((double)g->found[k].p / sum);
    qsort(g->found, (size_t)kept, sizeof *g->found, by_probability);
    return kept < LEXICON_MOST ? kept : LEXICON_MOST;
}

/* No list grows but in the first iteration, so that it can be written where it was. */
static void new_lists(learning *g, bool first)
{
    lexicon *l = g->l;
    for (int s = 0; s <= l->n_src; s++) {
        size_t n = (size_t)new_list(g, s, first);
        if (first) {
            l->entries = grow(l->entries, &g->capacity, g->n + n + 1, sizeof *l->entries);
            l->start[s] = g->n;
            l->start[s + 1] = g->n += n;
        }
        size_t room = l->start[s + 1] - l->start[s];
        BUG_IF(n > room);
        if (n) memcpy(l->entries + l->start[s], g->found, n * sizeof *g->found);
        for (size_t k = n; k < room; k++) l->entries[l->start[s] + k].p = 0;
    }
}

lexicon lexicon_learn(const seqs *src, const seqs *tgt, int n_src, int n_tgt, int iterations)
{
    BUG_IF(src->n != tgt->n || src->n > UINT32_MAX || iterations < 1);
    lexicon l = {.n_src = n_src, .n_tgt = n_tgt, .start = xcalloc((size_t)n_src + 2, sizeof *l.start)};
    size_t words = (size_t)n_tgt;
    learning g = {.src = src, .tgt = tgt, .l = &l};
    for (size_t k = 0; k < seqs_total(tgt); k++) BUG_IF(tgt->ids[k] < 0 || tgt->ids[k] >= n_tgt);
    index_pairs(&g);
    g.sums = xmalloc((seqs_total(tgt) + 1) * sizeof *g.sums);
    g.p = xcalloc(words, sizeof *g.p);
    g.counts = xcalloc(words, sizeof *g.counts);
    g.seen = xcalloc(words, sizeof *g.seen);
    g.found = xcalloc(words, sizeof *g.found);
    for (int i = 0; i < iterations; i++) {
        (i ? all_sums : first_sums)(&g);
        turn_sums(&g);
        new_lists(&g, i == 0);
    }
    free(g.occurs);
    free(g.pairs);
    free(g.sums);
    free(g.p);
    free(g.counts);
    free(g.seen);
    free(g.found);
    return l;
}

void lexicon_free(lexicon *l)
{
    free(l->entries);
    free(l->start);
    *l = (lexicon){0};
}
