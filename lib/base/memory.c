#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

static void *or_die(void *memory, size_t bytes)
{
    if (memory) return memory;
    fprintf(stderr, "tulk: out of memory (asked for %zu bytes). Try smaller batches or a smaller model.\n",
            bytes);
    exit(1);
}

void *xmalloc(size_t bytes) { return or_die(malloc(bytes ? bytes : 1), bytes); }

void *xcalloc(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *xrealloc(void *old, size_t bytes) { return or_die(realloc(old, bytes ? bytes : 1), bytes); }

char *xstrdup(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(xmalloc(n), text, n);
}

void *grow(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) return array;
    size_t wanted = *capacity * 2 > need ? *capacity * 2 : need;
    if (wanted < 16) wanted = 16;
    *capacity = wanted;
    return xrealloc(array, wanted * size);
}

/* ------------------------------------------------------------------------------------- pages */

enum { ALIGN = 64 };
static const size_t HUGE_PAGE = (size_t)2 << 20;

void *pages_alloc(size_t *bytes)
{
    size_t unit = *bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGN;
    *bytes = *bytes ? (*bytes + unit - 1) / unit * unit : unit;
    void *base = or_die(aligned_alloc(unit, *bytes), *bytes);
#ifdef MADV_HUGEPAGE
    if (unit == HUGE_PAGE) madvise(base, *bytes, MADV_HUGEPAGE); /* advice: a refusal changes nothing */
#endif
    return base;
}

/* ------------------------------------------------------------------------------------- arena */

enum { MAX_CHUNKS = 48 };
static const size_t FIRST_CHUNK = (size_t)1 << 20;

struct arena {
    struct {
        char *base;
        size_t size;
    } chunks[MAX_CHUNKS];
    size_t n_chunks, current, used; /* `used` bytes of chunks[current]; later chunks are empty */
};

arena *arena_new(void) { return xcalloc(1, sizeof(arena)); }

static void chunk_add(arena *a, size_t size)
{
    BUG_IF(a->n_chunks == MAX_CHUNKS);
    a->chunks[a->n_chunks].base = pages_alloc(&size);
    a->chunks[a->n_chunks++].size = size;
}

static void chunks_free(arena *a)
{
    for (size_t i = 0; i < a->n_chunks; i++) free(a->chunks[i].base);
    a->n_chunks = a->current = a->used = 0;
}

void arena_free(arena *a)
{
    if (!a) return;
    chunks_free(a);
    free(a);
}

void *arena_alloc(arena *a, size_t bytes)
{
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    while (a->current < a->n_chunks && a->used + bytes > a->chunks[a->current].size) {
        a->current++;
        a->used = 0;
    }
    if (a->current == a->n_chunks) {
        size_t next = a->n_chunks ? 2 * a->chunks[a->n_chunks - 1].size : FIRST_CHUNK;
        while (next < bytes) next *= 2;
        chunk_add(a, next);
    }
    void *memory = a->chunks[a->current].base + a->used;
    a->used += bytes;
    return memory;
}

void *arena_zalloc(arena *a, size_t bytes) { return memset(arena_alloc(a, bytes), 0, bytes); }

void arena_reset(arena *a)
{
    if (a->n_chunks > 1) { /* join the chunks, so that the next round finds one */
        size_t total = arena_bytes(a);
        chunks_free(a);
        chunk_add(a, total);
    }
    a->current = a->used = 0;
}

arena_mark arena_save(const arena *a) { return (arena_mark){a->current, a->used}; }

void arena_restore(arena *a, arena_mark mark)
{
    a->current = mark.chunk;
    a->used = mark.used;
}

size_t arena_bytes(const arena *a)
{
    size_t total = 0;
    for (size_t i = 0; i < a->n_chunks; i++) total += a->chunks[i].size;
    return total;
}
