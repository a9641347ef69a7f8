/* Learning a vocabulary: count words, choose characters, merge pairs. */
#include "text/learn.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "text/bpe.h"
#include "text/chars.h"
#include "text/words.h"

/* With these bounds learning stays under 1 GB whatever the text. */
static const size_t MAX_WORDS = (size_t)2 << 20, MAX_BYTES = (size_t)24 << 20;

/* Characters get pieces until they cover this share of the text, and at most half of the room. Small
 * alphabets, those within a sixteenth of the room, are taken whole. */
static const double CHAR_COVERAGE = 0.9995;

typedef struct {
    uint64_t hash, count;
    uint32_t at, n; /* the word in learner.text */
} entry;

typedef struct {
    int code;
    uint64_t count;
} char_count;

/* Counts of characters. */
typedef struct {
    intmap index;
    char_count *chars;
    size_t n, capacity;
} char_table;

struct learner {
    enum normalization normalize;
    bool casefold;
    size_t max_words, max_bytes;
    entry *words; /* in order of first appearance */
    size_t n, capacity;
    str text;
    uint32_t *slots; /* hash table: place in words + 1, 0 if free */
    size_t n_slots;
    char_table dropped; /* characters of dropped words, which still count */
    uint64_t n_dropped; /* distinct words, as often as they were dropped */
    str normal, line;   /* scratch */
};

learner *learner_new(enum normalization how, bool casefold)
{
    learner *l = xcalloc(1, sizeof *l);
    l->normalize = how;
    l->casefold = casefold;
    learner_limit(l, MAX_WORDS, MAX_BYTES);
    return l;
}

void learner_limit(learner *l, size_t max_words, size_t max_bytes)
{
    l->max_words = max_words;
    l->max_bytes = max_bytes;
}

void learner_free(learner *l)
{
    if (!l) return;
    free(l->words);
    free(l->slots);
    free(l->dropped.chars);
    intmap_free(&l->dropped.index);
    str_free(&l->text);
    str_free(&l->normal);
    str_free(&l->line);
    free(l);
}

static span word_of(const learner *l, const entry *e) { return (span){l->text.p + e->at, e->n}; }

/* ---------------------------------------------------------------------------------- word table */

static void index_words(learner *l, size_t n_slots)
{
    free(l->slots);
    l->slots = xcalloc(n_slots, sizeof *l->slots);
    l->n_slots = n_slots;
    for (size_t i = 0; i < l->n; i++) {
        size_t slot = l->words[i].hash & (n_slots - 1);
        while (l->slots[slot]) slot = (slot + 1) & (n_slots - 1);
        l->slots[slot] = (uint32_t)i + 1;
    }
}

static void count_chars(char_table *t, span word, uint64_t times)
{
    for (size_t at = 0; at < word.n;) {
        int code, length = char_decode((span){word.p + at, word.n - at}, &code);
        at += (size_t)length;
        if (code < 0) continue;
        int i = intmap_get(&t->index, (uint64_t)code);
        if (i < 0) {
            t->chars = grow(t->chars, &t->capacity, t->n + 1, sizeof *t->chars);
            intmap_set(&t->index, (uint64_t)code, i = (int)t->n);
            t->chars[t->n++] = (char_count){code, 0};
        }
        t->chars[i].count += times;
    }
}

/* The smallest count such that the words above it fill at most half of the table. */
static uint64_t rare_count(const learner *l)
{
    for (uint64_t rare = 0, next;; rare = next) {
        size_t words = 0, bytes = 0;
        next = UINT64_MAX; /* the next count that occurs */
        for (size_t i = 0; i < l->n; i++) {
            if (l->words[i].count <= rare) continue;
            words++;
            bytes += l->words[i].n;
            if (l->words[i].count < next) next = l->words[i].count;
        }
        if (words <= l->max_words / 2 && bytes <= l->max_bytes / 2) return rare;
    }
}

static void drop_rare_words(learner *l)
{
    uint64_t rare = rare_count(l);
    size_t kept = 0, bytes = 0;
    for (size_t i = 0; i < l->n; i++) {
        entry e = l->words[i];
        if (e.count <= rare) {
            count_chars(&l->dropped, word_of(l, &e), e.count);
            continue;
        }
        memmove(l->text.p + bytes, l->text.p + e.at, e.n);
        e.at = (uint32_t)bytes;
        bytes += e.n;
        l->words[kept++] = e;
    }
    l->n_dropped += l->n - kept;
    l->n = kept;
    l->text.n = bytes;
    index_words(l, l->n_slots);
}

static void add_word(learner *l, span word, uint64_t hash)
{
    if (l->n >= l->max_words || l->text.n >= l->max_bytes) drop_rare_words(l);
    if (2 * (l->n + 1) > l->n_slots) index_words(l, l->n_slots ? 2 * l->n_slots : 1 << 14);
    size_t slot = hash & (l->n_slots - 1);
    while (l->slots[slot]) slot = (slot + 1) & (l->n_slots - 1);
    l->words = grow(l->words, &l->capacity, l->n + 1, sizeof *l->words);
    l->words[l->n] = (entry){hash, 1, (uint32_t)l->text.n, (uint32_t)word.n};
    str_add_span(&l->text, word);
    l->slots[slot] = (uint32_t)++l->n;
}

static void count_word(learner *l, span word)
{
    uint64_t hash = hash64(word.p, word.n);
    for (size_t slot = hash; l->n_slots && l->slots[slot &= l->n_slots - 1]; slot++) {
        entry *e = &l->words[l->slots[slot] - 1];
        if (e->hash == hash && span_eq(word_of(l, e), word)) {
            e->count++;
            return;
        }
    }
    add_word(l, word, hash);
}

void learner_add(learner *l, span line)
{
    str_clear(&l->normal);
    str_clear(&l->line);
    normalize_line(l->normalize, l->casefold, line, &l->normal);
    words_prepare(str_span(&l->normal), &l->line);
    for (span left = str_span(&l->line); left.n;) {
        size_t n = word_length(left);
        count_word(l, (span){left.p, n});
        left.p += n;
        left.n -= n;
    }
}

/* ------------------------------------------------------------------------------------ alphabet */

static int by_count(const void *a, const void *b)
{
    const char_count *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

/* All characters that may be pieces, most frequent first. */
static char_table chars_of(const learner *l)
{
    char_table all = {0};
    for (size_t i = 0; i < l->n; i++) count_chars(&all, word_of(l, &l->words[i]), l->words[i].count);
    for (size_t i = 0; i < l->dropped.n; i++) {
        char text[4];
        size_t n = char_encode(l->dropped.chars[i].code, text);
        count_chars(&all, (span){text, n}, l->dropped.chars[i].count);
    }
    size_t kept = 0;
    for (size_t i = 0; i < all.n; i++)
        if (char_may_be_piece(all.chars[i].code)) all.chars[kept++] = all.chars[i];
    all.n = kept;
    if (kept) qsort(all.chars, kept, sizeof *all.chars, by_count);
    return all;
}

static void choose_chars(const learner *l, builder *b)
{
    char_table all = chars_of(l);
    double total = 0, covered = 0;
    for (size_t i = 0; i < all.n; i++) total += (double)all.chars[i].count;
    size_t room = (size_t)(b->size - PIECE_FIRST + 1) / 2;
    for (size_t i = 0; i < all.n && i < room; i++) {
        if (i >= room / 8 && covered >= CHAR_COVERAGE * total) break;
        builder_add_char(b, all.chars[i].code);
        covered += (double)all.chars[i].count;
    }
    free(all.chars);
    intmap_free(&all.index);
}

/* -------------------------------------------------------------------------------------- finish */

static bpe_words spell_words(const learner *l, const alphabet *chars)
{
    size_t capacity = 0, used = 0;
    bpe_words w = {.n = l->n};
    w.count = xmalloc(l->n * sizeof *w.count);
    w.start = xmalloc(l->n * sizeof *w.start);
    w.length = xmalloc(l->n * sizeof *w.length);
    for (size_t i = 0; i < l->n; i++) {
        w.symbols = grow(w.symbols, &capacity, used + WORD_MAX_SYMBOLS, sizeof *w.symbols);
        int n = alphabet_spell(chars, word_of(l, &l->words[i]), w.symbols + used);
        w.count[i] = l->words[i].count;
        w.start[i] = (uint32_t)used;
        w.length[i] = (uint16_t)n;
        used += (size_t)n;
    }
    return w;
}

static void count_pieces(const bpe_words *w, piece *pieces)
{
    for (size_t i = 0; i < w->n; i++)
        for (int j = 0; j < w->length[i]; j++)
            pieces[w->symbols[w->start[i] + (size_t)j]].count += w->count[i];
}

static void words_free(bpe_words *w)
{
    free(w->count);
    free(w->start);
    free(w->length);
    free(w->symbols);
}

int learner_finish(learner *l, int size, vocab_data *out)
{
    *out = (vocab_data){0};
    if (size < PIECE_FIRST || size > VOCAB_MAX_SIZE)
        return fail("a vocabulary of %d pieces is not possible; choose %d to %d", size, PIECE_FIRST,
                    VOCAB_MAX_SIZE);
    builder b;
    builder_init(&b, size);
    choose_chars(l, &b);
    bpe_words w = spell_words(l, &b.chars);
    bpe_learn(&w, &b);
    count_pieces(&w, b.data.pieces);
    words_free(&w);
    *out = b.data;
    out->normalize = l->normalize;
    out->casefold = l->casefold;
    b.data = (vocab_data){0};
    builder_free(&b);
    if (l->n_dropped)
        note("The text has more different words than are counted at a time (%zu): a rare one was left out of "
             "the "
             "statistics %llu times.",
             l->max_words, (unsigned long long)l->n_dropped);
    if (out->n_pieces < size)
        note("The text holds no more pairs of pieces that occur twice: the vocabulary has %d pieces instead "
             "of %d.",
             out->n_pieces, size);
    return 0;
}
