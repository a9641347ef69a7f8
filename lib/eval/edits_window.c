/* Edit distance within a beam of at most 64 cells, a row of which is two words of bits: neighbouring cells
 * differ by -1, 0 or 1 (Myers 1999; Hyyrö 2003). A row is a word of the hypothesis, bits run along the
 * reference.
 *
 * Cells outside the beam must never be the best way. They are taken to be one more than their neighbour
 * inside, in the row above as well as to the left; a way through them is then no better than one inside, but
 * for matches with what stands beyond the first cell that a row has more to the right: those are masked. */
#include <string.h>

#include "base/memory.h"
#include "eval/edits.h"

/* Bit k is about column start + k. `across`: is the cell one more, or one less, than the one to its left;
 * `down`: than the one above. */
struct window_row {
    uint64_t across_more, across_less, down_more, down_less;
    int64_t value; /* of the first cell, column `start` */
};

/* The columns of a row, without column 0, where the distance is the number of the row. */
struct window_place {
    uint32_t start, end; /* [start, end) */
    bool at_edge;        /* column start - 1 is outside the beam */
};

static void place_rows(edits_work *w)
{
    w->places = grow(w->places, &w->places_capacity, w->hyp.n + 1, sizeof *w->places);
    w->places[0] = (window_place){1, (uint32_t)w->ref->n + 1, false};
    for (size_t i = 1; i <= w->hyp.n; i++) {
        size_t lo = band_lo(&w->band, i);
        w->places[i] = (window_place){lo ? (uint32_t)lo : 1, (uint32_t)band_hi(&w->band, i), lo > 0};
    }
}

static size_t largest(const sequence *s)
{
    size_t max = 0;
    for (size_t i = 0; i < s->n; i++) max = s->at[i] > max ? s->at[i] : max;
    return max;
}

/* For each word, the bits of the columns where the reference has it. */
static void make_masks(edits_work *w)
{
    w->mask_words = w->ref->n / 64 + 2;
    size_t n = (largest(&w->hyp) + 1) * w->mask_words;
    w->masks = grow(w->masks, &w->masks_capacity, n, sizeof *w->masks);
    memset(w->masks, 0, n * sizeof *w->masks);
    for (size_t j = 0; j < w->ref->n; j++)
        if (w->ref->at[j] != SYMBOL_NONE)
            w->masks[w->ref->at[j] * w->mask_words + j / 64] |= (uint64_t)1 << j % 64;
}

/* The bits from column `start` on; column 1 is bit 0 of the mask. */
static inline uint64_t mask_from(const edits_work *w, uint32_t word, uint32_t start)
{
    const uint64_t *p = w->masks + word * w->mask_words + (start - 1) / 64;
    unsigned shift = (start - 1) % 64;
    return p[0] >> shift | p[1] << 1 << (63 - shift);
}

/* The difference that bit k of the row tells. */
static inline int difference(uint64_t more, uint64_t less, size_t k)
{
    return (int)(more >> k & 1) - (int)(less >> k & 1);
}

static inline uint64_t bits_from(uint32_t bit) { return bit < 64 ? UINT64_MAX << bit : 0; }

/* The row behind `above`, row i - 1, when word i of the hypothesis is `word`. */
static inline window_row next_row(const edits_work *w, size_t i, uint32_t word, const window_row *above)
{
    const window_place *here = &w->places[i], *before = &w->places[i - 1];
    uint32_t shift = here->start - before->start;
    /* row 0 goes on beyond the 64 bits as it begins */
    uint64_t more = i == 1 ? UINT64_MAX : above->across_more >> shift, less = above->across_less >> shift;
    uint64_t outside = bits_from(before->end - here->start);
    uint64_t equal = mask_from(w, word, here->start) & ~(outside << 1);
    int64_t value = above->value;
    for (uint32_t k = 1; k <= shift; k++) value += difference(above->across_more, above->across_less, k);
    more |= outside;
    less &= ~outside;
    if (here->at_edge && !shift && before->at_edge) {
        more &= ~(uint64_t)1;
        less |= 1;
    }
    uint64_t vertical = equal | less, horizontal = (((equal & more) + more) ^ more) | equal;
    window_row row = {.down_more = less | ~(horizontal | more), .down_less = more & horizontal};
    uint64_t more_shifted = row.down_more << 1 | 1, less_shifted = row.down_less << 1;
    row.across_more = less_shifted | ~(vertical | more_shifted);
    row.across_less = more_shifted & vertical;
    row.value = value + (int64_t)(row.down_more & 1) - (int64_t)(row.down_less & 1);
    return row;
}

/* The distance, when the row is the last one. */
static long last_value(const edits_work *w, const window_row *row)
{
    const window_place *last = &w->places[w->hyp.n];
    long value = (long)row->value;
    for (uint32_t k = 1; k < last->end - last->start; k++)
        value += difference(row->across_more, row->across_less, k);
    return value;
}

static void measure_rows(edits_work *w)
{
    w->rows[0] = (window_row){.across_more = UINT64_MAX, .value = 1};
    for (size_t i = 1; i <= w->hyp.n; i++) w->rows[i] = next_row(w, i, w->hyp.at[i - 1], &w->rows[i - 1]);
    w->distance = last_value(w, &w->rows[w->hyp.n]);
}

static void begin(edits_work *w)
{
    make_masks(w);
    place_rows(w);
    w->rows = grow(w->rows, &w->rows_capacity, w->hyp.n + 1, sizeof *w->rows);
}

/* How much cell (i, j) is more than (i, j - 1); +1 beyond the beam. */
static int across(const edits_work *w, size_t i, size_t j)
{
    const window_place *p = &w->places[i];
    if (i == 0 || j >= p->end) return 1;
    return difference(w->rows[i].across_more, w->rows[i].across_less, j - p->start);
}

static bool inside(const edits_work *w, size_t i, size_t j)
{
    const window_place *p = &w->places[i];
    return j < p->end && j + !p->at_edge >= p->start;
}

static void trace(edits_work *w)
{
    size_t i = w->hyp.n, j = w->ref->n;
    while (i > 0 && j > 0) {
        int down = difference(w->rows[i].down_more, w->rows[i].down_less, j - w->places[i].start);
        bool equal = w->hyp.at[i - 1] == w->ref->at[j - 1];
        if (inside(w, i - 1, j - 1) && down + across(w, i - 1, j) == !equal)
            edits_note_pair(w, i--, j--, equal);
        else if (inside(w, i - 1, j) && down == 1)
            edits_note_deletion(w, i--);
        else
            edits_note_insertion(w, i, j--);
    }
    while (i > 0) edits_note_deletion(w, i--);
    while (j > 0) edits_note_insertion(w, 0, j--);
}

/* The rows are the same for all that comes: the first cell's difference to the left is not used at an edge.
 */
static bool parallel_rows(const window_place *p, const window_row *a, const window_row *b)
{
    uint64_t used = ~bits_from(p->end - p->start) & ~(uint64_t)p->at_edge;
    return !(((a->across_more ^ b->across_more) | (a->across_less ^ b->across_less)) & used);
}

static long measure_shifted(edits_work *w, size_t from, size_t to)
{
    window_row row = w->rows[from];
    for (size_t i = from; i < w->hyp.n; i++) {
        /* Behind the shift the words are the same: parallel rows stay parallel. */
        if (i >= to && parallel_rows(&w->places[i], &row, &w->rows[i]))
            return w->distance + (long)(row.value - w->rows[i].value);
        row = next_row(w, i + 1, w->shifted.at[i], &row);
    }
    return last_value(w, &row);
}

const edits_engine edits_window = {begin, measure_rows, trace, measure_shifted};
