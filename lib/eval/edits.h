/* The number of edits between two sequences as Tercom counts it (Snover et al. 2006), in the form that
 * sacreBLEU 2.6 gave to it: words inserted, deleted, substituted, and blocks of words shifted. Shifts are
 * found greedily: the one that helps most is applied, until none helps. The edit distance is that of a beam
 * around the diagonal.
 *
 * The limits of the search are sacreBLEU's and part of the figure: blocks of at most 10 words that stand at
 * most 50 words apart, 1,000 shifts tried in all, a beam of 25 words to either side. */
#ifndef TULK_EVAL_EDITS_H
#define TULK_EVAL_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/symbols.h"

/* The rows that the beam leaves of the matrix of distances; row i belongs to the first i words of the
 * hypothesis. */
typedef struct {
    size_t n_hyp, n_ref, width;
    double ratio; /* of the lengths: slope of the diagonal */
    size_t beam;
} edits_band;

typedef struct window_row window_row;
typedef struct window_place window_place;

/* Memory that is used again. {0} is none; owned: edits_free. */
typedef struct {
    sequence hyp, shifted; /* as shifted so far; with one more shift */
    const sequence *ref;
    long *align; /* [n_ref]: the last word of the hypothesis up to which it is matched; -1: none */
    uint8_t *hyp_err, *ref_err; /* words that are not matched */
    size_t align_capacity, hyp_err_capacity, ref_err_capacity;
    uint32_t *words;       /* [words + 1]: where those of each word begin in `occurrences` */
    uint32_t *occurrences; /* columns of ref, by word, in order */
    size_t words_capacity, occurrences_capacity;
    edits_band band;
    long distance; /* between hyp and ref */
    /* edits_window.c */
    window_row *rows;     /* [n_hyp + 1] */
    window_place *places; /* [n_hyp + 1] */
    uint64_t *masks;      /* (words of hyp, mask_words) */
    size_t rows_capacity, places_capacity, masks_capacity, mask_words;
    /* edits_beam.c */
    int32_t *first, *row, *above;
    int8_t *steps;
    size_t first_capacity, row_capacity, above_capacity, steps_capacity;
} edits_work;

void edits_free(edits_work *w);

/* Edits from hyp to ref, shifts included. Symbols are as symbols.h makes them, numbered by hyp. */
long edits_count(edits_work *w, const sequence *hyp, const sequence *ref);

/* ------------------------------------------------------------------------------------ private to edits*.c */

/* Two ways to the same distances. */
typedef struct {
    void (*begin)(edits_work *w); /* for w->ref and all orders of the words of w->hyp */
    /* Computes w->distance between w->hyp and w->ref. */
    void (*measure)(edits_work *w);
    /* After measure: fills align, hyp_err and ref_err from the best path, which prefers match or substitution
     * to deletion to insertion, seen from the end. */
    void (*trace)(edits_work *w);
    /* After measure: the distance of w->shifted, which differs from w->hyp in the words from .. to - 1 alone.
     */
    long (*measure_shifted)(edits_work *w, size_t from, size_t to);
} edits_engine;

/* All cells of a row at once, for the common beam, in which a row fits into 64 bits, and references of at
 * most EDITS_WINDOW_MOST words. */
extern const edits_engine edits_window;
enum { EDITS_BEAM = 25, EDITS_WINDOW_MOST = 4096 };
/* Cell by cell, for any beam and length. */
extern const edits_engine edits_beam;

/* Fewest edits as edits_count, by the given engine; for tests. */
long edits_count_by(const edits_engine *engine, edits_work *w, const sequence *hyp, const sequence *ref);

/* The cells [lo, hi) of row i >= 1. */
static inline size_t band_lo(const edits_band *b, size_t i)
{
    size_t middle = (size_t)((double)i * b->ratio);
    return middle > b->beam ? middle - b->beam : 0;
}

static inline size_t band_hi(const edits_band *b, size_t i)
{
    size_t end = (size_t)((double)i * b->ratio) + b->beam;
    return end > b->n_ref || i == b->n_hyp ? b->n_ref + 1 : end;
}

/* Notes one step of the best path back from cell (i, j), i words of the hypothesis and j of the reference. */
static inline void edits_note_pair(edits_work *w, size_t i, size_t j, bool equal)
{
    w->align[j - 1] = (long)i - 1;
    w->hyp_err[i - 1] = w->ref_err[j - 1] = !equal;
}
static inline void edits_note_deletion(edits_work *w, size_t i) { w->hyp_err[i - 1] = 1; }
static inline void edits_note_insertion(edits_work *w, size_t i, size_t j)
{
    w->align[j - 1] = (long)i - 1;
    w->ref_err[j - 1] = 1;
}

#endif
