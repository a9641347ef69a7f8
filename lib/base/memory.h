/* Memory that is always there: these abort with a sentence when the machine has none left, so that
 * no caller carries a branch that nobody can test. */
#ifndef TULK_BASE_MEMORY_H
#define TULK_BASE_MEMORY_H

#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t size); /* zeroed */
void *xrealloc(void *old, size_t bytes);
char *xstrdup(const char *text);

/* Makes room for `need` elements of `size` bytes in a growing array. `*capacity` is in elements and
 * at least doubles. Usage: a = grow(a, &cap, n + 1, sizeof *a). */
void *grow(void *array, size_t *capacity, size_t need, size_t size);

/* Memory for large arrays, 64-byte aligned, content undefined, given back by free(). Two MiB and more come in
 * huge pages, which double the bandwidth; *bytes is rounded up to what was got. */
void *pages_alloc(size_t *bytes);
/* What lies there is not needed any more: whole pages are given back to the system, before free() gives back
 * the rest. */
void pages_release(void *from, size_t bytes);

/* Bytes by which arrays that one loop reads at the same places should begin apart from where a page begins:
 * the k-th k times as many. First-level caches find lines by the address within a page, and a loop over four
 * arrays that all begin with a page takes up to twice as long. */
enum { PAGES_APART = 17 * 64 };

/* An arena hands out memory that is given back all at once. Memory is 64-byte aligned and zeroed only by
 * arena_zalloc.
 *
 * It is one range of addresses whose pages come from the system as they are first used, huge ones where it
 * has them, and stay until the arena is freed or trimmed: an arena is as large as the most that was in use at
 * once, rounded up to 2 MiB, and once it has seen its largest batch it asks the system for nothing. An arena
 * for each thread is fine. */
typedef struct arena arena;

arena *arena_new(void);
void arena_free(arena *a); /* NULL is fine */
void *arena_alloc(arena *a, size_t bytes);
void *arena_zalloc(arena *a, size_t bytes);
/* Forgets everything handed out and keeps the memory. */
void arena_reset(arena *a);
/* Gives all but the first `keep` bytes of an arena that was reset back to the system. */
void arena_trim(arena *a, size_t keep);
/* A mark to go back to: what was allocated after the mark is given back. */
typedef struct {
    size_t chunk, used;
} arena_mark;
arena_mark arena_save(const arena *a);
void arena_restore(arena *a, arena_mark mark);
size_t arena_bytes(const arena *a); /* the most that was in use at once, since it was trimmed */

#endif
