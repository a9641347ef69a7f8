#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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

void pages_release(void *from, size_t bytes)
{
#ifdef MADV_DONTNEED
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page,
              end = ((uintptr_t)from + bytes) / page * page;
    if (first < end) madvise((void *)first, end - first, MADV_DONTNEED); /* a refusal costs memory alone */
#else
    (void)from, (void)bytes;
#endif
}

/* ------------------------------------------------------------------------------------- arena */

/* A chunk is a range of addresses, of which pages are made usable as they are needed: it grows where it is,
 * nothing is copied or touched twice, and what is resident is what was handed out at most. One chunk of
 * RESERVE addresses is all that an arena has; more are there for systems that limit addresses (ulimit -v). */
enum { MAX_CHUNKS = 64 };
static const size_t RESERVE = (size_t)1 << (sizeof(size_t) > 4 ? 34 : 26);

typedef struct {
    char *base;
    size_t size, usable, touched; /* bytes reserved, made usable, handed out at most */
} chunk;

struct arena {
    chunk chunks[MAX_CHUNKS];
    size_t n_chunks, current, used; /* `used` bytes of chunks[current]; later chunks are empty */
};

arena *arena_new(void) { return xcalloc(1, sizeof(arena)); }

static size_t whole_pages(size_t bytes) { return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE; }

/* Addresses for at least `need` bytes. Where they are limited, a small part of them. */
static size_t reservation(size_t need)
{
    struct rlimit limit;
    bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    size_t size =
        limited && limit.rlim_cur / MAX_CHUNKS < RESERVE ? (size_t)limit.rlim_cur / MAX_CHUNKS : RESERVE;
    return whole_pages(size > need ? size : need);
}

/* Maps addresses from a multiple of HUGE_PAGE on; NULL if there are none. */
static char *map_addresses(size_t size)
{
    char *all = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
    if (before) munmap(all, before);
    munmap(all + before + size, HUGE_PAGE - before);
    return all + before;
}

static void chunk_add(arena *a, size_t need)
{
    BUG_IF(a->n_chunks == MAX_CHUNKS);
    chunk *c = &a->chunks[a->n_chunks++];
    need = whole_pages(need);
    c->size = reservation(need);
    while (!(c->base = map_addresses(c->size)) && c->size > need)
        c->size = c->size / 2 > need ? whole_pages(c->size / 2) : need;
    or_die(c->base, need);
#ifdef MADV_HUGEPAGE
    madvise(c->base, c->size, MADV_HUGEPAGE); /* advice: a refusal changes nothing */
#endif
}

/* Makes the first `need` bytes usable, and some more, so that this is rare. */
static void chunk_extend(chunk *c, size_t need)
{
    size_t more = whole_pages(need + need / 4);
    if (more > c->size) more = c->size;
    bool done = mprotect(c->base, more, PROT_READ | PROT_WRITE) == 0;
    if (!done) done = mprotect(c->base, more = whole_pages(need), PROT_READ | PROT_WRITE) == 0;
    or_die(done ? c->base : NULL, need);
    c->usable = more;
}

void arena_free(arena *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->n_chunks; i++) munmap(a->chunks[i].base, a->chunks[i].size);
    free(a);
}

void *arena_alloc(arena *a, size_t bytes)
{
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    while (a->current < a->n_chunks && a->used + bytes > a->chunks[a->current].size) {
        a->current++;
        a->used = 0;
    }
    if (a->current == a->n_chunks) chunk_add(a, bytes);
    chunk *c = &a->chunks[a->current];
    void *memory = c->base + a->used;
    a->used += bytes;
    if (a->used > c->usable) chunk_extend(c, a->used);
    if (a->used > c->touched) c->touched = a->used;
    return memory;
}

void *arena_zalloc(arena *a, size_t bytes) { return memset(arena_alloc(a, bytes), 0, bytes); }

void arena_reset(arena *a) { a->current = a->used = 0; }

void arena_trim(arena *a, size_t keep)
{
    BUG_IF(a->current || a->used);
    for (size_t i = 0; i < a->n_chunks; i++) {
        chunk *c = &a->chunks[i];
        size_t stays = keep < c->touched ? keep : c->touched;
        pages_release(c->base + stays, c->touched - stays);
        c->touched = stays;
        keep -= stays;
    }
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
    for (size_t i = 0; i < a->n_chunks; i++) total += a->chunks[i].touched;
    return total;
}
