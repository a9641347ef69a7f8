#include "eval/edits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { MAX_SHIFT_SIZE = 10, MAX_SHIFT_DISTANCE = 50, MAX_CANDIDATES = 1000 };

void edits_free(edits_work *w)
{
    sequence_free(&w->hyp);
    sequence_free(&w->shifted);
    free(w->align);
    free(w->hyp_err);
    free(w->ref_err);
    free(w->words);
    free(w->occurrences);
    free(w->rows);
    free(w->places);
    free(w->masks);
    free(w->first);
    free(w->row);
    free(w->above);
    free(w->steps);
    *w = (edits_work){0};
}

/* ------------------------------------------------------------------------------------ the beam */

static edits_band make_band(size_t n_hyp, size_t n_ref)
{
    double ratio = n_hyp ? (double)n_ref / (double)n_hyp : 1;
    double beam = ratio / 2 > EDITS_BEAM ? ceil(ratio / 2 + EDITS_BEAM) : EDITS_BEAM;
    return (edits_band){n_hyp, n_ref, 2 * (size_t)beam + 1, ratio, (size_t)beam};
}

/* ------------------------------------------------------------------------------------ shifts */

typedef struct {
    size_t start, length, target; /* words start .. start + length - 1 go before word `target` */
    long gain;                    /* how much shorter the distance becomes */
} shift;

typedef struct {
    edits_work *w;
    const edits_engine *engine;
    shift best; /* gain 0: none yet */
    int tried;
} search;

/* Writes what the shift makes of hyp to the words [from, to) of out; all others stay. The target may lie
 * within the block, which then moves forward by as much. */
static void apply(const sequence *hyp, const shift *s, sequence *out, size_t *from, size_t *to)
{
    size_t end = s->start + s->length, target = s->target;
    if (target >= s->start && target <= end)
        target = target + s->length < hyp->n ? target + s->length : hyp->n;
    bool back = target < s->start;
    *from = back ? target : s->start;
    *to = back ? end : target;
    size_t other_from = back ? target : end, other_to = back ? s->start : target,
           others = other_to - other_from;
    size_t block_at = back ? *from : *from + others, others_at = back ? *from + s->length : *from;
    memcpy(out->at + block_at, hyp->at + s->start, s->length * sizeof *out->at);
    memcpy(out->at + others_at, hyp->at + other_from, others * sizeof *out->at);
}

static bool better(const shift *a, const shift *b)
{
    if (a->gain != b->gain) return a->gain > b->gain;
    if (a->length != b->length) return a->length > b->length;
    return a->start != b->start ? a->start < b->start : a->target < b->target;
}

static void try_shift(search *s, shift candidate)
{
    size_t from, to;
    edits_work *w = s->w;
    s->tried++;
    apply(&w->hyp, &candidate, &w->shifted, &from, &to);
    candidate.gain = w->distance - s->engine->measure_shifted(w, from, to);
    memcpy(w->shifted.at + from, w->hyp.at + from, (to - from) * sizeof *w->hyp.at);
    if (candidate.gain > 0 && (!s->best.gain || better(&candidate, &s->best))) s->best = candidate;
}

/* Tries to bring the block next to each place where the words that it equals have their neighbours. */
static void try_targets(search *s, size_t start_h, size_t start_r, size_t length)
{
    const long *align = s->w->align;
    long last = -1;
    if (align[start_r] >= (long)start_h && align[start_r] < (long)(start_h + length))
        return; /* within itself */
    for (size_t i = 0; i <= length; i++) {
        long target = start_r + i == 0 ? 0 : align[start_r + i - 1] + 1;
        if (target == last) continue;
        last = target;
        try_shift(s, (shift){start_h, length, (size_t)target, 0});
    }
}

/* All blocks that begin at start_h and equal what begins at start_r, if there is something wrong on both
 * sides. */
static void try_blocks(search *s, size_t start_h, size_t start_r)
{
    const edits_work *w = s->w;
    bool hyp_err = false, ref_err = false;
    for (size_t n = 0; n < MAX_SHIFT_SIZE && s->tried < MAX_CANDIDATES; n++) {
        if (start_h + n == w->hyp.n || start_r + n == w->ref->n) return;
        if (w->hyp.at[start_h + n] != w->ref->at[start_r + n]) return;
        hyp_err |= w->hyp_err[start_h + n];
        ref_err |= w->ref_err[start_r + n];
        if (hyp_err && ref_err) try_targets(s, start_h, start_r, n + 1);
    }
}

/* The first of the occurrences of a word from `column` on. */
static const uint32_t *occurrence_from(const edits_work *w, uint32_t word, size_t column)
{
    const uint32_t *low = w->occurrences + w->words[word], *high = w->occurrences + w->words[word + 1];
    while (low < high) {
        const uint32_t *middle = low + (high - low) / 2;
        if (*middle < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void try_all(search *s)
{
    const edits_work *w = s->w;
    for (size_t h = 0; h < w->hyp.n && s->tried < MAX_CANDIDATES; h++) {
        uint32_t word = w->hyp.at[h];
        const uint32_t *end = w->occurrences + w->words[word + 1];
        size_t from = h > MAX_SHIFT_DISTANCE ? h - MAX_SHIFT_DISTANCE : 0;
        for (const uint32_t *r = occurrence_from(w, word, from); r < end && *r <= h + MAX_SHIFT_DISTANCE; r++)
            try_blocks(s, h, *r);
    }
}

/* Applies shifts as long as they help; returns their number. w->distance is then what is left. When too many
 * were tried, the last round does not count. */
static long shift_blocks(edits_work *w, const edits_engine *engine)
{
    long shifts = 0;
    search s = {.w = w, .engine = engine};
    while (w->distance > 0) {
        size_t from, to;
        engine->trace(w);
        memcpy(w->shifted.at, w->hyp.at, w->hyp.n * sizeof *w->hyp.at);
        s.best = (shift){0};
        try_all(&s);
        if (s.tried >= MAX_CANDIDATES || !s.best.gain) break;
        apply(&w->hyp, &s.best, &w->shifted, &from, &to);
        memcpy(w->hyp.at + from, w->shifted.at + from, (to - from) * sizeof *w->hyp.at);
        engine->measure(w);
        shifts++;
    }
    return shifts;
}

/* ------------------------------------------------------------------------------------ all */

static void find_occurrences(edits_work *w)
{
    const sequence *ref = w->ref;
    uint32_t words = 0;
    for (size_t i = 0; i < w->hyp.n; i++) words = w->hyp.at[i] > words ? w->hyp.at[i] : words;
    w->words = grow(w->words, &w->words_capacity, (size_t)words + 3, sizeof *w->words);
    w->occurrences = grow(w->occurrences, &w->occurrences_capacity, ref->n, sizeof *w->occurrences);
    memset(w->words, 0, ((size_t)words + 3) * sizeof *w->words);
    for (size_t j = 0; j < ref->n; j++) w->words[ref->at[j] + 2]++; /* how many, two places on */
    for (uint32_t k = 2; k < words + 3; k++) w->words[k] += w->words[k - 1];
    for (size_t j = 0; j < ref->n; j++) w->occurrences[w->words[ref->at[j] + 1]++] = (uint32_t)j;
}

static void prepare(edits_work *w, const sequence *hyp, const sequence *ref)
{
    w->ref = ref;
    w->band = make_band(hyp->n, ref->n);
    sequence_clear(&w->hyp, hyp->n);
    sequence_clear(&w->shifted, hyp->n);
    memcpy(w->hyp.at, hyp->at, hyp->n * sizeof *hyp->at);
    w->hyp.n = w->shifted.n = hyp->n;
    w->align = grow(w->align, &w->align_capacity, ref->n, sizeof *w->align);
    w->hyp_err = grow(w->hyp_err, &w->hyp_err_capacity, hyp->n, sizeof *w->hyp_err);
    w->ref_err = grow(w->ref_err, &w->ref_err_capacity, ref->n, sizeof *w->ref_err);
    find_occurrences(w);
}

long edits_count_by(const edits_engine *engine, edits_work *w, const sequence *hyp, const sequence *ref)
{
    BUG_IF(hyp->n >= INT32_MAX / 2 || ref->n >= INT32_MAX / 2);
    if (hyp->n == 0 || ref->n == 0) return (long)(hyp->n + ref->n);
    prepare(w, hyp, ref);
    engine->begin(w);
    engine->measure(w);
    long shifts = shift_blocks(w, engine);
    return shifts + w->distance;
}

long edits_count(edits_work *w, const sequence *hyp, const sequence *ref)
{
    bool fits = ref->n <= EDITS_WINDOW_MOST && make_band(hyp->n, ref->n).beam == EDITS_BEAM;
    return edits_count_by(fits ? &edits_window : &edits_beam, w, hyp, ref);
}
