/* A hash map from 64-bit keys to ints >= 0, open addressing. {0} is an empty one. Owned: intmap_free. */
#ifndef TULK_TEXT_INTMAP_H
#define TULK_TEXT_INTMAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t key;
    int value; /* -1: free */
} intmap_slot;

typedef struct {
    intmap_slot *slots;
    size_t n, size; /* entries; slots, a power of two */
    int shift;      /* 64 - log2(size) */
} intmap;

void intmap_free(intmap *m);
void intmap_reserve(intmap *m, size_t entries); /* no rehash before so many */
void intmap_set(intmap *m, uint64_t key, int value);

/* The slot of the key or the free one where it belongs; the map has slots. */
static inline size_t intmap_place(const intmap *m, uint64_t key)
{
    uint64_t mixed = (key ^ key >> 32) * 0x9E3779B97F4A7C15u; /* Fibonacci hashing, Knuth TAOCP 6.4 */
    size_t i = mixed >> m->shift;
    while (m->slots[i].value >= 0 && m->slots[i].key != key) i = (i + 1) & (m->size - 1);
    return i;
}

/* The value, or -1. */
static inline int intmap_get(const intmap *m, uint64_t key)
{
    return m->size ? m->slots[intmap_place(m, key)].value : -1;
}

/* The key of two ids side by side. */
static inline uint64_t intmap_pair(int left, int right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

#endif
