#include "search/batching.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/team.h"

typedef struct {
    size_t length, sentence;
} ranked;

static int by_length(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->length != y->length) return x->length > y->length ? -1 : 1;
    return x->sentence < y->sentence ? -1 : 1;
}

static ranked *sorted(const size_t *lengths, size_t n)
{
    ranked *r = xmalloc(n * sizeof *r);
    for (size_t i = 0; i < n; i++) r[i] = (ranked){lengths[i], i};
    qsort(r, n, sizeof *r, by_length);
    return r;
}

batching batching_new(const size_t *lengths, size_t n, long tokens)
{
    batching b = {.order = xmalloc(n * sizeof *b.order), .cut = xmalloc((n + 1) * sizeof *b.cut)};
    ranked *r = sorted(lengths, n);
    size_t room = tokens > 0 ? (size_t)tokens : 1;
    for (size_t i = 0; i < n; i++) b.order[i] = r[i].sentence;
    for (size_t i = 0; i < n; b.n++) {
        size_t take = room / (r[i].length < SHORT_TOKENS ? SHORT_TOKENS : r[i].length);
        b.cut[b.n] = i;
        i += take < 1 ? 1 : take < n - i ? take : n - i;
    }
    b.cut[b.n] = n;
    free(r);
    return b;
}

void batching_free(batching *b)
{
    free(b->order);
    free(b->cut);
    *b = (batching){0};
}

seqs batching_gather(const seqs *all, const size_t *sentences, size_t n, arena *memory)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += seqs_len(all, sentences[i]);
    seqs s = {.n = n, .ids = arena_alloc(memory, total * sizeof(int))};
    s.start = arena_alloc(memory, (n + 1) * sizeof *s.start);
    s.start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = seqs_len(all, sentences[i]);
        if (len) memcpy(s.ids + s.start[i], seqs_at(all, sentences[i]), len * sizeof(int));
        s.start[i + 1] = s.start[i] + len;
    }
    return s;
}

/* They are kept for the next call, since memory that was used is memory that need not be asked for: a
 * sentence may be a call of its own. */
static arena **_Atomic kept;

/* Of each: more is laid out in another way by the next call, which would touch other pages of it. */
enum { KEPT_BYTES = 16 << 20 };

static int count(arena *const *arenas)
{
    int n = 0;
    while (arenas[n]) n++;
    return n;
}

static void destroy(arena **arenas)
{
    for (int i = 0; arenas && arenas[i]; i++) arena_free(arenas[i]);
    free(arenas);
}

arena **arenas_new(void)
{
    arena **arenas = atomic_exchange(&kept, NULL);
    int n = team_threads() + 1;
    if (arenas && count(arenas) == n) return arenas;
    destroy(arenas);
    arenas = xcalloc((size_t)n + 1, sizeof *arenas);
    for (int i = 0; i < n; i++) arenas[i] = arena_new();
    return arenas;
}

arena *arenas_common(arena **arenas) { return arenas[count(arenas) - 1]; }

void arenas_free(arena **arenas)
{
    for (int i = 0; arenas[i]; i++) {
        arena_reset(arenas[i]);
        arena_trim(arenas[i], KEPT_BYTES);
    }
    destroy(atomic_exchange(&kept, arenas));
}
