/* Text to ids: words are spelled in characters, then joined by merges in the order they were learned. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "text/vocab.h"
#include "text/words.h"

/* ------------------------------------------------------------------------------------ the cache */

/* Directly mapped, a cache line a word: bounded, and nothing to clear. Longer words are not worth it. */
enum { CACHE_SLOTS = 1 << 15, CACHE_WORD = 22, CACHE_IDS = 10 };

typedef struct {
    unsigned char n_bytes, n_ids; /* n_bytes 0: free */
    char word[CACHE_WORD];
    int ids[CACHE_IDS];
} cache_slot;

struct tokenizer_cache {
    const tokenizer *owner; /* whose pieces these are */
    cache_slot *slots;
    str normal, line; /* scratch */
};

tokenizer_cache *tokenizer_cache_new(const tokenizer *t)
{
    tokenizer_cache *c = xcalloc(1, sizeof *c);
    c->owner = t;
    c->slots = xcalloc(CACHE_SLOTS, sizeof *c->slots);
    return c;
}

void tokenizer_cache_free(tokenizer_cache *c)
{
    if (!c) return;
    free(c->slots);
    str_free(&c->normal);
    str_free(&c->line);
    free(c);
}

static cache_slot *slot_of(tokenizer_cache *c, span word)
{
    return word.n <= CACHE_WORD ? &c->slots[hash64(word.p, word.n) % CACHE_SLOTS] : NULL;
}

static void remember(cache_slot *slot, span word, const int *ids, int n)
{
    if (n > CACHE_IDS) return;
    slot->n_bytes = (unsigned char)word.n;
    slot->n_ids = (unsigned char)n;
    memcpy(slot->word, word.p, word.n);
    memcpy(slot->ids, ids, (size_t)n * sizeof *ids);
}

/* ------------------------------------------------------------------------------------- merging */

static int rank_of(const tokenizer *t, int left, int right)
{
    if (left < PIECE_FIRST || right < PIECE_FIRST) return INT_MAX;
    int rank = intmap_get(&t->merges, intmap_pair(left, right));
    return rank < 0 ? INT_MAX : rank;
}

/* Joins the pair at `best` of n symbols; ranks are those of the pairs. Returns the new length. */
static int merge_at(const tokenizer *t, int *ids, int *ranks, int n, int best)
{
    ids[best] = t->data.merges[ranks[best]].result;
    n--;
    size_t tail = (size_t)(n - best - 1);
    memmove(ids + best + 1, ids + best + 2, tail * sizeof *ids);
    memmove(ranks + best, ranks + best + 1, tail * sizeof *ranks);
    if (best > 0) ranks[best - 1] = rank_of(t, ids[best - 1], ids[best]);
    if (best + 1 < n) ranks[best] = rank_of(t, ids[best], ids[best + 1]);
    return n;
}

/* Joins the pair of the lowest rank, the first of equals, until no pair has one. A word is at most
 * WORD_MAX_CHARS long, where scanning for the lowest beats any heap. Returns the new length. */
static int merge_word(const tokenizer *t, int *ids, int n)
{
    int ranks[WORD_MAX_SYMBOLS];
    for (int i = 0; i + 1 < n; i++) ranks[i] = rank_of(t, ids[i], ids[i + 1]);
    for (;;) {
        int best = 0;
        for (int i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best]) best = i;
        if (n < 2 || ranks[best] == INT_MAX) return n;
        n = merge_at(t, ids, ranks, n, best);
    }
}

/* Pieces of random bits, four 32-bit numbers at a time. */
typedef struct {
    rng *from;
    uint32_t threshold; /* of 65536 */
    uint32_t bits;
    int left; /* halves of bits */
} coin;

static bool falls(coin *c)
{
    if (c->left == 0) {
        c->bits = rng_u32(c->from);
        c->left = 2;
    }
    uint32_t half = c->bits & 0xffff;
    c->bits >>= 16;
    c->left--;
    return half < c->threshold;
}

/* The pair of the lowest rank among those that are not left out this time; -1: none. */
static int lowest_kept(const int *ranks, int n, coin *c)
{
    int best = -1;
    for (int i = 0; i + 1 < n; i++)
        if (ranks[i] != INT_MAX && !falls(c) && (best < 0 || ranks[i] < ranks[best])) best = i;
    return best;
}

static int merge_word_dropout(const tokenizer *t, int *ids, int n, coin *c)
{
    int ranks[WORD_MAX_SYMBOLS];
    for (int i = 0; i + 1 < n; i++) ranks[i] = rank_of(t, ids[i], ids[i + 1]);
    for (int best; (best = lowest_kept(ranks, n, c)) >= 0;) n = merge_at(t, ids, ranks, n, best);
    return n;
}

static void encode_word(const tokenizer *t, cache_slot *slot, span word, seqs *out)
{
    int ids[WORD_MAX_SYMBOLS];
    if (slot && slot->n_bytes == word.n && memcmp(slot->word, word.p, word.n) == 0) {
        for (int i = 0; i < slot->n_ids; i++) seqs_push(out, slot->ids[i]);
        return;
    }
    int n = merge_word(t, ids, alphabet_spell(&t->chars, word, ids));
    if (slot) remember(slot, word, ids, n);
    for (int i = 0; i < n; i++) seqs_push(out, ids[i]);
}

static void encode_word_dropout(const tokenizer *t, coin *c, span word, seqs *out)
{
    int ids[WORD_MAX_SYMBOLS], n = merge_word_dropout(t, ids, alphabet_spell(&t->chars, word, ids), c);
    for (int i = 0; i < n; i++) seqs_push(out, ids[i]);
}

/* drop NULL: no dropout. */
static void encode_line(const tokenizer *t, tokenizer_cache *c, coin *drop, span line, seqs *out)
{
    str_clear(&c->normal);
    str_clear(&c->line);
    normalize_line(t->data.normalize, t->data.casefold, line, &c->normal);
    words_prepare(str_span(&c->normal), &c->line);
    seqs_add(out, NULL, 0);
    for (span left = str_span(&c->line); left.n;) {
        span word = {left.p, word_length(left)};
        if (drop)
            encode_word_dropout(t, drop, word, out);
        else
            encode_word(t, c->slots ? slot_of(c, word) : NULL, word, out);
        left.p += word.n;
        left.n -= word.n;
    }
}

static void encode(const tokenizer *t, tokenizer_cache *cache, coin *drop, span line, seqs *out)
{
    tokenizer_cache scratch = {0};
    BUG_IF(cache && cache->owner != t);
    encode_line(t, cache ? cache : &scratch, drop, line, out);
    str_free(&scratch.normal);
    str_free(&scratch.line);
}

void tokenizer_encode(const tokenizer *t, tokenizer_cache *cache, span line, seqs *out)
{
    encode(t, cache, NULL, line, out);
}

void tokenizer_encode_dropout(const tokenizer *t, tokenizer_cache *cache, span line, double p, rng *draws,
                              seqs *out)
{
    coin c = {.from = draws, .threshold = (uint32_t)(p * 65536 + 0.5)};
    encode(t, cache, c.threshold ? &c : NULL, line, out);
}
