/* Edit distance cell by cell within a beam around the diagonal. */
#include <string.h>

#include "base/memory.h"
#include "eval/edits.h"

/* Cells outside the beam are never the best way, whatever is added. */
static const int32_t OUTSIDE = INT32_MAX / 2;

/* Rows are kept as their first cell and the steps from cell to cell, which are -1, 0 or 1: from a cell one
 * insertion leads to the next, and a path to the next one can be led to the cell itself with one edit more.
 */
static int8_t *steps_of(const edits_work *w, size_t i) { return w->steps + i * w->band.width; }

static void keep_row(edits_work *w, size_t i, const int32_t *row)
{
    int8_t *steps = steps_of(w, i);
    size_t lo = band_lo(&w->band, i), hi = band_hi(&w->band, i);
    w->first[i] = row[lo];
    for (size_t j = lo + 1; j < hi; j++) steps[j - lo] = (int8_t)(row[j] - row[j - 1]);
}

/* Writes row i with a cell OUTSIDE on either side. Row 0 is all insertions. */
static void read_row(const edits_work *w, size_t i, int32_t *row)
{
    if (i == 0) {
        for (size_t j = 0; j <= w->ref->n; j++) row[j] = (int32_t)j;
        return;
    }
    const int8_t *steps = steps_of(w, i);
    size_t lo = band_lo(&w->band, i), hi = band_hi(&w->band, i);
    if (lo > 0) row[lo - 1] = OUTSIDE;
    row[lo] = w->first[i];
    for (size_t j = lo + 1; j < hi; j++) row[j] = row[j - 1] + steps[j - lo];
    if (hi <= w->ref->n) row[hi] = OUTSIDE;
}

/* All cells of the row are as much more than those of row i as the first one is. */
static bool is_parallel(const edits_work *w, size_t i, const int32_t *row)
{
    const int8_t *steps = steps_of(w, i);
    size_t lo = band_lo(&w->band, i), hi = band_hi(&w->band, i);
    bool same = i > 0;
    for (size_t j = lo + 1; j < hi && same; j++) same = row[j] - row[j - 1] == steps[j - lo];
    return same;
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* From row i - 1, in place, to row i, whose word of the hypothesis is `word`. */
static void next_row(const edits_work *w, size_t i, uint32_t word, int32_t *row)
{
    const uint32_t *ref = w->ref->at;
    size_t lo = band_lo(&w->band, i), hi = band_hi(&w->band, i);
    size_t known = i > 1 ? band_hi(&w->band, i - 1) : w->ref->n + 1;
    for (size_t j = known; j < hi; j++) row[j] = OUTSIDE;
    int32_t diagonal = OUTSIDE, left = OUTSIDE;
    size_t j = lo;
    if (lo == 0) {
        diagonal = row[0];
        left = ++row[0];
        j = 1;
    } else if (i == 1 || lo > band_lo(&w->band, i - 1)) {
        diagonal = row[lo - 1];
    }
    for (; j < hi; j++) {
        int32_t above = row[j];
        int32_t cell = least(diagonal + (word != ref[j - 1]), above + 1);
        row[j] = left = least(cell, left + 1);
        diagonal = above;
    }
}

static void begin(edits_work *w)
{
    size_t n_hyp = w->hyp.n, n_ref = w->ref->n;
    w->row = grow(w->row, &w->row_capacity, n_ref + 2, sizeof *w->row);
    w->above = grow(w->above, &w->above_capacity, n_ref + 2, sizeof *w->above);
    w->first = grow(w->first, &w->first_capacity, n_hyp + 1, sizeof *w->first);
    w->steps = grow(w->steps, &w->steps_capacity, (n_hyp + 1) * w->band.width, sizeof *w->steps);
}

static void measure(edits_work *w)
{
    read_row(w, 0, w->row);
    for (size_t i = 1; i <= w->hyp.n; i++) {
        next_row(w, i, w->hyp.at[i - 1], w->row);
        keep_row(w, i, w->row);
    }
    w->distance = w->row[w->ref->n];
}

static void trace(edits_work *w)
{
    size_t i = w->hyp.n, j = w->ref->n;
    int32_t *row = w->row, *above = w->above;
    read_row(w, i, row);
    while (i > 0) {
        read_row(w, i - 1, above);
        int32_t here = row[j];
        size_t above_lo = i > 1 ? band_lo(&w->band, i - 1) : 0,
               above_hi = i > 1 ? band_hi(&w->band, i - 1) : w->ref->n + 1;
        /* along the row, as long as no way leads up */
        for (;; here = row[--j]) {
            bool equal = j > 0 && w->hyp.at[i - 1] == w->ref->at[j - 1];
            if (j > above_lo && j <= above_hi && above[j - 1] + !equal == here) {
                edits_note_pair(w, i, j--, equal);
                break;
            }
            if (j >= above_lo && j < above_hi && above[j] + 1 == here) {
                edits_note_deletion(w, i);
                break;
            }
            edits_note_insertion(w, i, j);
        }
        i--;
        int32_t *swap = row;
        row = above;
        above = swap;
    }
    for (; j > 0; j--) edits_note_insertion(w, 0, j);
}

static long measure_shifted(edits_work *w, size_t from, size_t to)
{
    read_row(w, from, w->row);
    for (size_t i = from; i < w->hyp.n; i++) {
        /* Behind the shift the words are the same: parallel rows stay parallel. */
        if (i >= to && is_parallel(w, i, w->row))
            return w->distance + w->row[band_lo(&w->band, i)] - w->first[i];
        next_row(w, i + 1, w->shifted.at[i], w->row);
    }
    return w->row[w->ref->n];
}

const edits_engine edits_beam = {begin, measure, trace, measure_shifted};
