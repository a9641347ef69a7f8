#include "text/intmap.h"

#include <stdlib.h>

#include "base/memory.h"

void intmap_free(intmap *m)
{
    free(m->slots);
    *m = (intmap){0};
}

static void resize(intmap *m, int log2_size)
{
    intmap old = *m;
    m->size = (size_t)1 << log2_size;
    m->shift = 64 - log2_size;
    m->slots = xmalloc(m->size * sizeof *m->slots);
    for (size_t i = 0; i < m->size; i++) m->slots[i] = (intmap_slot){0, -1};
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].value >= 0) m->slots[intmap_place(m, old.slots[i].key)] = old.slots[i];
    free(old.slots);
}

void intmap_reserve(intmap *m, size_t entries)
{
    int log2_size = 4;
    while (((size_t)1 << log2_size) < 2 * entries) log2_size++;
    if (((size_t)1 << log2_size) > m->size) resize(m, log2_size);
}

void intmap_set(intmap *m, uint64_t key, int value)
{
    intmap_reserve(m, m->n + 1); /* at most half full; sizes are powers of two, so this doubles */
    size_t i = intmap_place(m, key);
    if (m->slots[i].value < 0) m->n++;
    m->slots[i] = (intmap_slot){key, value};
}
