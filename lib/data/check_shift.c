/* Where lines go with the line k further down instead of their own.
 *
 * For each pair of lines there is a log-likelihood ratio of "translations" against "two lines by chance": by
 * the log ratio of their lengths, normal with a small deviation or a large one, as in Gale and Church 1993,
 * and by the numbers and names that they share. For each k, a cumulative sum (Page 1954) of ratio(i, i + k) -
 * ratio(i, i) - a margin finds the stretch where k explains the lines better; a region counts when the sum
 * reaches a bound that chance does not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/check_inside.h"

enum { SHIFTS = 2 * CHECK_SHIFT + 1, RING = 256 };

static const double MARGIN = 0.3, BOUND = 40, CLIP = 3;

/* What a line is compared by. */
typedef struct {
    float length; /* log of its characters */
    bool there;
    uint64_t anchors[2];
} trace;

typedef struct {
    double sum, best;
    int64_t from, to; /* of the best stretch, from 0 */
} stretch;

struct shift_finder {
    double mean, weight_a, weight_b; /* ratio = weight_a - weight_b d^2 */
    trace ring[2][RING];
    int64_t n[2]; /* lines seen */
    int64_t done; /* source lines compared */
    stretch at[SHIFTS];
    int64_t begun[SHIFTS];
    check_region *found;
    size_t n_found, capacity;
};

shift_finder *shift_new(double mean, double deviation, double spread)
{
    shift_finder *f = xcalloc(1, sizeof *f);
    double small = fmax(deviation, 0.05), large = fmax(spread * sqrt(2), small);
    f->mean = mean;
    f->weight_a = log(large / small);
    f->weight_b = 0.5 / (small * small) - 0.5 / (large * large);
    return f;
}

void shift_free(shift_finder *f)
{
    if (!f) return;
    free(f->found);
    free(f);
}

static double ratio_of(const shift_finder *f, const trace *src, const trace *tgt)
{
    double d = tgt->length - src->length - f->mean, ratio = f->weight_a - f->weight_b * d * d;
    int shared = __builtin_popcountll(src->anchors[0] & tgt->anchors[0]) +
                 __builtin_popcountll(src->anchors[1] & tgt->anchors[1]);
    ratio = ratio < -CLIP ? -CLIP : ratio;
    return ratio + (shared > 2 ? 3 : 1.5 * shared);
}

static void end_stretch(shift_finder *f, int k)
{
    stretch *s = &f->at[k];
    if (s->best >= BOUND) {
        f->found = grow(f->found, &f->capacity, f->n_found + 1, sizeof *f->found);
        f->found[f->n_found++] = (check_region){s->from + 1, s->to + 1, k - CHECK_SHIFT, s->best};
    }
    *s = (stretch){0};
}

static void step(shift_finder *f, int k, int64_t i, double gain)
{
    stretch *s = &f->at[k];
    if (s->sum <= 0) {
        if (s->best > 0) end_stretch(f, k);
        s->sum = 0;
        f->begun[k] = i;
        if (gain <= 0) return;
    }
    s->sum += gain;
    if (s->sum > s->best) {
        s->best = s->sum;
        s->from = f->begun[k];
        s->to = i;
    } else if (s->best >= BOUND && s->sum < s->best - BOUND)
        end_stretch(f, k);
}

/* Source line i against all lines around its own; they are in the ring, or beyond the end. */
static void compare(shift_finder *f, int64_t i)
{
    const trace *src = &f->ring[0][i % RING], *own = &f->ring[1][i % RING];
    if (!src->there) return;
    bool has_own = i < f->n[1] && own->there;
    double here = has_own ? ratio_of(f, src, own) : 0;
    for (int k = 0; k < SHIFTS; k++) {
        int64_t j = i + k - CHECK_SHIFT;
        if (k == CHECK_SHIFT || j < 0 || j >= f->n[1]) continue;
        const trace *tgt = &f->ring[1][j % RING];
        double gain = (tgt->there ? ratio_of(f, src, tgt) : 0) - here - MARGIN;
        if (gain > 0 || f->at[k].sum > 0) step(f, k, i, gain > CLIP ? CLIP : gain);
    }
}

/* Compares what has all of its neighbours. */
static void advance(shift_finder *f, bool last)
{
    while (f->done < f->n[0] && (last || f->n[1] > f->done + CHECK_SHIFT)) compare(f, f->done++);
}

void shift_add(shift_finder *f, int side, const line_view *v)
{
    trace *t = &f->ring[side][f->n[side] % RING];
    t->length = (float)log((double)v->characters + 5);
    t->there = v->letters > 0;
    memcpy(t->anchors, v->anchors, sizeof t->anchors);
    f->n[side]++;
    advance(f, false);
    if (f->n[0] - f->done > RING - CHECK_SHIFT) compare(f, f->done++); /* the target has ended */
}

/* ------------------------------------------------------------------------------------------- regions */

static int by_score(const void *a, const void *b)
{
    const check_region *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static int by_place(const void *a, const void *b)
{
    const check_region *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static bool overlaps(const check_region *a, const check_region *b)
{
    return a->first <= b->last && b->first <= a->last;
}

int shift_finish(shift_finder *f, check_region *out)
{
    int n = 0;
    advance(f, true);
    for (int k = 0; k < SHIFTS; k++) end_stretch(f, k);
    if (f->n_found) qsort(f->found, f->n_found, sizeof *f->found, by_score);
    for (size_t i = 0; i < f->n_found && n < CHECK_REGIONS; i++) {
        bool free = true;
        for (int k = 0; k < n; k++) free &= !overlaps(&f->found[i], &out[k]);
        if (free) out[n++] = f->found[i];
    }
    if (n) qsort(out, (size_t)n, sizeof *out, by_place);
    return n;
}
