#include "data/holdout.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

uint64_t pair_hash(span src, span tgt) { return hash64_mix(hash64(src.p, src.n), hash64(tgt.p, tgt.n)); }

/* ---------------------------------------------------------------------------------------- heap */

static void swap(held_pair *a, held_pair *b)
{
    held_pair kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(holdout *h, size_t i)
{
    for (; i > 0 && h->pairs[(i - 1) / 2].hash < h->pairs[i].hash; i = (i - 1) / 2)
        swap(&h->pairs[(i - 1) / 2], &h->pairs[i]);
}

static void sift_down(holdout *h)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && h->pairs[child + 1].hash > h->pairs[child].hash) child++;
        if (h->pairs[i].hash >= h->pairs[child].hash) return;
        swap(&h->pairs[i], &h->pairs[child]);
    }
}

static bool is_kept(const holdout *h, uint64_t hash)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->pairs[i].hash == hash) return true;
    return false;
}

static void set_pair(held_pair *p, uint64_t hash, int64_t place, span src, span tgt)
{
    p->hash = hash;
    p->place = place;
    str_clear(&p->text[0]);
    str_clear(&p->text[1]);
    str_add_span(&p->text[0], src);
    str_add_span(&p->text[1], tgt);
}

void holdout_show(holdout *h, int64_t place, span src, span tgt)
{
    if (h->max == 0) return;
    uint64_t hash = pair_hash(src, tgt);
    bool full = h->n == h->max;
    if ((full && hash >= h->pairs[0].hash) || is_kept(h, hash)) return;
    if (full) {
        set_pair(&h->pairs[0], hash, place, src, tgt);
        sift_down(h);
        return;
    }
    h->pairs = grow(h->pairs, &h->capacity, h->n + 1, sizeof *h->pairs);
    h->pairs[h->n] = (held_pair){0};
    set_pair(&h->pairs[h->n], hash, place, src, tgt);
    sift_up(h, h->n++);
}

/* -------------------------------------------------------------------------------------- result */

static void drop(held_pair *p)
{
    str_free(&p->text[0]);
    str_free(&p->text[1]);
}

static int by_place(const void *a, const void *b)
{
    int64_t x = ((const held_pair *)a)->place, y = ((const held_pair *)b)->place;
    return (x > y) - (x < y);
}

void holdout_finish(holdout *h, size_t n)
{
    while (h->n > n) { /* the largest leaves */
        swap(&h->pairs[0], &h->pairs[--h->n]);
        drop(&h->pairs[h->n]);
        sift_down(h);
    }
    if (h->n == 0) return;
    h->limit = h->pairs[0].hash;
    qsort(h->pairs, h->n, sizeof *h->pairs, by_place);
}

bool holdout_has(const holdout *h, span src, span tgt) { return h->n > 0 && pair_hash(src, tgt) <= h->limit; }

void holdout_free(holdout *h)
{
    for (size_t i = 0; i < h->n; i++) drop(&h->pairs[i]);
    free(h->pairs);
    *h = (holdout){0};
}
