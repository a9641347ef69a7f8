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

/* Memory that is used again. {0} is none; owned: edits_free. */
typedef struct {
    sequence hyp, shifted; /* as shifted so far; with one more shift */
    const sequence *ref;
    long *align; /* [n_ref]: the last word of the hypothesis up to which it is matched; -1: none */
    uint8_t *hyp_err, *ref_err; /* words that are not matched */
    size_t align_capacity, hyp_err_capacity, ref_err_capacity;
    edits_band band;
    long distance; /* between hyp and ref */
    /* edits_bits.c */
    size_t blocks;
    uint64_t *masks, *rows, *state;
    size_t masks_capacity, rows_capacity, state_capacity;
    long *scores;
    size_t scores_capacity;
    /* edits_beam.c */
    int32_t *first, *row, *above;
    int8_t *steps;
    size_t first_capacity, row_capacity, above_capacity, steps_capacity;
} edits_work;

void edits_free(edits_work *w);

/* Edits from hyp to ref, shifts included. Symbols are as symbols.h makes them, numbered by hyp. */
long edits_count(edits_work *w, const sequence *hyp, const sequence *ref);

/* ------------------------------------------------------------------------------------ private to edits*.c */

/* Two ways to the same distances. Distances beyond the largest that matters may be any number as large. */
typedef struct {
    /* Computes w->distance between w->hyp and w->ref. */
    void (*measure)(edits_work *w);
    /* After measure: fills align, hyp_err and ref_err from the best path, which prefers match or substitution
     * to deletion to insertion, seen from the end. */
    void (*trace)(edits_work *w);
    /* After measure: the distance of w->shifted, which differs from w->hyp in the words from .. to - 1 alone.
     */
    long (*measure_shifted)(edits_work *w, size_t from, size_t to);
} edits_engine;

/* Bit-parallel, 64 words of the reference at once; knows no beam. */
extern const edits_engine edits_bits;
enum { EDITS_BITS_MOST = 512 }; /* words of a reference */
/* Cell by cell within the beam, for any length. */
extern const edits_engine edits_beam;

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
