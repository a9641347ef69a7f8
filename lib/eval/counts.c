#include "eval/counts.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

typedef struct {
    size_t at, length; /* of the word in `text` */
    uint64_t hash;
    int64_t count;
} entry;

struct word_counts {
    str text;
    entry *entries; /* [1 .. n], so that a slot of 0 is empty */
    size_t n, capacity;
    size_t *slots; /* open addressing, linear probing, at most half full */
    size_t mask;
};

enum { FIRST_SLOTS = 1024 };

word_counts *word_counts_new(void)
{
    word_counts *w = xcalloc(1, sizeof *w);
    w->slots = xcalloc(FIRST_SLOTS, sizeof *w->slots);
    w->mask = FIRST_SLOTS - 1;
    return w;
}

void word_counts_free(word_counts *w)
{
    if (!w) return;
    str_free(&w->text);
    free(w->entries);
    free(w->slots);
    free(w);
}

static span text_of(const word_counts *w, const entry *e)
{
    return (span){str_text(&w->text) + e->at, e->length};
}

/* The slot of the word, or the empty one where it belongs. */
static size_t *find(const word_counts *w, span word, uint64_t hash)
{
    size_t i = hash & w->mask;
    for (; w->slots[i]; i = (i + 1) & w->mask) {
        const entry *e = &w->entries[w->slots[i]];
        if (e->hash == hash && span_eq(text_of(w, e), word)) break;
    }
    return &w->slots[i];
}

static void widen(word_counts *w)
{
    w->mask = 2 * w->mask + 1;
    free(w->slots);
    w->slots = xcalloc(w->mask + 1, sizeof *w->slots);
    for (size_t k = 1; k <= w->n; k++) {
        size_t i = w->entries[k].hash & w->mask;
        while (w->slots[i]) i = (i + 1) & w->mask;
        w->slots[i] = k;
    }
}

void word_counts_add(word_counts *w, span word, int64_t n)
{
    uint64_t hash = hash64(word.p, word.n);
    size_t *slot = find(w, word, hash);
    if (!*slot) {
        w->entries = grow(w->entries, &w->capacity, w->n + 2, sizeof *w->entries);
        *slot = ++w->n;
        w->entries[w->n] = (entry){w->text.n, word.n, hash, 0};
        str_add_span(&w->text, word);
    }
    w->entries[*slot].count += n;
    if (2 * w->n > w->mask) widen(w);
}

void word_counts_meet(word_counts *w, span word)
{
    size_t *slot = find(w, word, hash64(word.p, word.n));
    if (*slot) w->entries[*slot].count++;
}

int64_t word_counts_of(const word_counts *w, span word)
{
    size_t slot = *find(w, word, hash64(word.p, word.n));
    return slot ? w->entries[slot].count : 0;
}
