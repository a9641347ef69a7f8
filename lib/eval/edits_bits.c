/* Edit distance by bit-parallel columns (Myers 1999; Hyyrö 2003 for the horizontal differences): neighbouring
 * cells of the matrix differ by -1, 0 or 1, so 64 of them are two words of bits. A row here is a word of the
 * hypothesis, bits run along the reference. */
#include <string.h>

#include "base/memory.h"
#include "eval/edits.h"

/* A row of a block of 64 words of the reference: where a cell is one more or one less than its left neighbour
 * (across), and than the cell above (down). */
typedef struct {
    uint64_t across_up, across_down, down_up, down_down;
} block;

static block *row_of(const edits_work *w, size_t i) { return (block *)(void *)w->rows + i * w->blocks; }

static void make_masks(edits_work *w, size_t symbols_n)
{
    size_t n = (symbols_n + 1) * w->blocks;
    w->masks = grow(w->masks, &w->masks_capacity, n, sizeof *w->masks);
    memset(w->masks, 0, n * sizeof *w->masks);
    for (size_t j = 0; j < w->ref->n; j++)
        if (w->ref->at[j] != SYMBOL_NONE)
            w->masks[w->ref->at[j] * w->blocks + j / 64] |= (uint64_t)1 << j % 64;
}

/* From the row above to the row of one more word of the hypothesis. `last` has the bit of the last cell;
 * returns how much that cell is more than the one above it. */
static inline int next_row(const uint64_t *masks, size_t blocks, uint64_t last, const block *above,
                           block *row)
{
    uint64_t more = 1, less = 0; /* the cell before the block, against the one above it */
    for (size_t b = 0; b < blocks; b++) {
        uint64_t equal = masks[b], up = above[b].across_up, down = above[b].across_down;
        uint64_t vertical = equal | down;
        equal |= less;
        uint64_t horizontal = (((equal & up) + up) ^ up) | equal;
        uint64_t more_here = down | ~(horizontal | up), less_here = up & horizontal;
        row[b].down_up = more_here;
        row[b].down_down = less_here;
        uint64_t more_shifted = more_here << 1 | more, less_shifted = less_here << 1 | less;
        row[b].across_up = less_shifted | ~(vertical | more_shifted);
        row[b].across_down = more_shifted & vertical;
        more = more_here >> 63;
        less = less_here >> 63;
    }
    return (row[blocks - 1].down_up & last ? 1 : 0) - (row[blocks - 1].down_down & last ? 1 : 0);
}

static uint64_t last_bit(const edits_work *w) { return (uint64_t)1 << (w->ref->n - 1) % 64; }

static size_t largest(const sequence *s)
{
    size_t max = 0;
    for (size_t i = 0; i < s->n; i++) max = s->at[i] > max ? s->at[i] : max;
    return max;
}

static void measure(edits_work *w)
{
    w->blocks = (w->ref->n + 63) / 64;
    make_masks(w, largest(&w->hyp));
    size_t words = w->blocks * sizeof(block) / sizeof *w->rows;
    w->rows = grow(w->rows, &w->rows_capacity, (w->hyp.n + 1) * words, sizeof *w->rows);
    w->state = grow(w->state, &w->state_capacity, words, sizeof *w->state);
    w->scores = grow(w->scores, &w->scores_capacity, w->hyp.n + 1, sizeof *w->scores);
    for (size_t b = 0; b < w->blocks; b++) row_of(w, 0)[b] = (block){.across_up = UINT64_MAX};
    w->scores[0] = (long)w->ref->n;
    uint64_t last = last_bit(w);
    for (size_t i = 1; i <= w->hyp.n; i++)
        w->scores[i] = w->scores[i - 1] + next_row(w->masks + w->hyp.at[i - 1] * w->blocks, w->blocks, last,
                                                   row_of(w, i - 1), row_of(w, i));
    w->distance = w->scores[w->hyp.n];
}

static int bit(uint64_t bits, size_t j) { return bits >> j % 64 & 1; }

static void trace(edits_work *w)
{
    size_t i = w->hyp.n, j = w->ref->n;
    while (i > 0 && j > 0) {
        const block *row = &row_of(w, i)[(j - 1) / 64], *above = &row_of(w, i - 1)[(j - 1) / 64];
        int down = bit(row->down_up, j - 1) - bit(row->down_down, j - 1);
        int across = bit(above->across_up, j - 1) - bit(above->across_down, j - 1);
        bool equal = w->hyp.at[i - 1] == w->ref->at[j - 1];
        if (down + across == !equal)
            edits_note_pair(w, i--, j--, equal);
        else if (down == 1)
            edits_note_deletion(w, i--);
        else
            edits_note_insertion(w, i, j--);
    }
    while (i > 0) edits_note_deletion(w, i--);
    while (j > 0) edits_note_insertion(w, 0, j--);
}

static bool same_rows(const block *a, const block *b, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++)
        if (a[i].across_up != b[i].across_up || a[i].across_down != b[i].across_down) return false;
    return true;
}

static long measure_shifted(edits_work *w, size_t from, size_t to)
{
    block *state = (block *)(void *)w->state;
    const block *above = row_of(w, from);
    long score = w->scores[from];
    uint64_t last = last_bit(w);
    for (size_t i = from; i < w->hyp.n; i++) {
        /* Behind the shift the words are the same: equal rows stay equal. */
        if (i >= to && score == w->scores[i] && same_rows(above, row_of(w, i), w->blocks)) return w->distance;
        score += next_row(w->masks + w->shifted.at[i] * w->blocks, w->blocks, last, above, state);
        above = state;
    }
    return score;
}

const edits_engine edits_bits = {measure, trace, measure_shifted};
