#include "base/seqs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void seqs_free(seqs *s)
{
    free(s->ids);
    free(s->start);
    *s = (seqs){0};
}

void seqs_clear(seqs *s) { s->n = 0; }

size_t seqs_total(const seqs *s) { return s->n ? s->start[s->n] - s->start[0] : 0; }

seqs seqs_part(const seqs *s, size_t from, size_t n)
{
    BUG_IF(from + n > s->n);
    return (seqs){.ids = s->ids, .start = s->start + from, .n = n};
}

void seqs_add(seqs *s, const int *ids, size_t n)
{
    size_t total = seqs_total(s);
    s->start = grow(s->start, &s->start_capacity, s->n + 2, sizeof *s->start);
    s->ids = grow(s->ids, &s->ids_capacity, total + n, sizeof *s->ids);
    if (n) memcpy(s->ids + total, ids, n * sizeof *ids);
    s->start[0] = 0;
    s->start[++s->n] = total + n;
}

void seqs_push(seqs *s, int id)
{
    BUG_IF(s->n == 0);
    size_t total = seqs_total(s);
    s->ids = grow(s->ids, &s->ids_capacity, total + 1, sizeof *s->ids);
    s->ids[total] = id;
    s->start[s->n]++;
}

size_t seqs_len(const seqs *s, size_t i) { return s->start[i + 1] - s->start[i]; }

int *seqs_at(const seqs *s, size_t i) { return s->ids + s->start[i]; }
