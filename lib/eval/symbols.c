#include "eval/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "eval/unicode.h"

void sequence_free(sequence *s)
{
    free(s->at);
    *s = (sequence){0};
}

void sequence_clear(sequence *s, size_t room)
{
    s->at = grow(s->at, &s->capacity, room, sizeof *s->at);
    s->n = 0;
}

void symbols_free(symbols *s)
{
    free(s->slots);
    free(s->codes);
    free(s->used);
    *s = (symbols){0};
}

/* ------------------------------------------------------------------------------------ words */

struct word_slot {
    uint32_t generation, number;
    uint64_t hash;
    span word;
};

enum { FEWEST_SLOTS = 256 };

/* Room for so many words at most half of the slots. */
static void empty_slots(symbols *s, size_t words)
{
    size_t wanted = FEWEST_SLOTS;
    while (wanted < 2 * words) wanted *= 2;
    if (wanted > s->mask + 1 || !s->slots || s->generation == UINT32_MAX) {
        free(s->slots);
        s->slots = xcalloc(wanted, sizeof *s->slots);
        s->mask = wanted - 1;
        s->generation = 0;
    }
    s->generation++;
    s->n_words = 0;
}

/* Most words are shorter than two machine words; those are hashed without a loop over bytes. */
static uint64_t word_hash(span w)
{
    uint64_t a = 0, b = 0;
    if (w.n > 16) return hash64(w.p, w.n);
    if (w.n >= 8) {
        memcpy(&a, w.p, 8);
        memcpy(&b, w.p + w.n - 8, 8);
    } else if (w.n >= 4) {
        uint32_t first, last;
        memcpy(&first, w.p, 4);
        memcpy(&last, w.p + w.n - 4, 4);
        a = first | (uint64_t)last << 32;
    } else {
        for (size_t i = 0; i < w.n; i++) a = a << 8 | (unsigned char)w.p[i];
    }
    uint64_t h = (a ^ w.n) * 0x9E3779B97F4A7C15u + b;
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}

/* The slot of the word, or the empty one where it belongs. */
static word_slot *find_slot(const symbols *s, span word, uint64_t hash)
{
    size_t i = hash & s->mask;
    while (s->slots[i].generation == s->generation &&
           (s->slots[i].hash != hash || !span_eq(s->slots[i].word, word)))
        i = (i + 1) & s->mask;
    return &s->slots[i];
}

void symbols_number_words(symbols *s, const tokens *words, sequence *out)
{
    BUG_IF(words->n >= UINT32_MAX / 2);
    empty_slots(s, words->n);
    sequence_clear(out, words->n);
    for (size_t i = 0; i < words->n; i++) {
        uint64_t hash = word_hash(words->at[i]);
        word_slot *slot = find_slot(s, words->at[i], hash);
        if (slot->generation != s->generation)
            *slot = (word_slot){s->generation, (uint32_t)++s->n_words, hash, words->at[i]};
        out->at[out->n++] = slot->number;
    }
}

void symbols_find_words(const symbols *s, const tokens *words, sequence *out)
{
    sequence_clear(out, words->n);
    for (size_t i = 0; i < words->n; i++) {
        const word_slot *slot = find_slot(s, words->at[i], word_hash(words->at[i]));
        out->at[out->n++] = slot->generation == s->generation ? slot->number : SYMBOL_NONE;
    }
}

/* ------------------------------------------------------------------------------------ characters */

enum { CODES = 0x110000, BYTES = 256 }; /* bytes that are no UTF-8 stand behind the code points */

static void forget_codes(symbols *s, size_t most)
{
    if (!s->codes) s->codes = xcalloc(CODES + BYTES, sizeof *s->codes);
    for (size_t i = 0; i < s->n_used; i++) s->codes[s->used[i]] = SYMBOL_NONE;
    s->n_used = 0;
    s->used = grow(s->used, &s->used_capacity, most < CODES + BYTES ? most : CODES + BYTES, sizeof *s->used);
}

/* The index of the character at *p, which moves behind it; -1 for white space. */
static int32_t next_code(const char **p, const char *end)
{
    size_t n;
    int32_t c = unicode_at(*p, end, &n);
    if (c < 0) c = CODES + (unsigned char)**p;
    bool space = c <= 0x3000 && unicode_space_at(*p, end);
    *p += n;
    return space ? -1 - c : c;
}

void symbols_number_codes(symbols *s, span line, bool spaces, sequence *out)
{
    forget_codes(s, line.n);
    sequence_clear(out, line.n);
    for (const char *p = line.p, *end = p + line.n; p < end;) {
        int32_t c = next_code(&p, end);
        if (c < 0 && !spaces) continue;
        if (c < 0) c = -1 - c;
        if (s->codes[c] == SYMBOL_NONE) {
            s->used[s->n_used++] = (uint32_t)c;
            s->codes[c] = (uint32_t)s->n_used;
        }
        out->at[out->n++] = s->codes[c];
    }
}

void symbols_find_codes(const symbols *s, span line, bool spaces, sequence *out)
{
    sequence_clear(out, line.n);
    for (const char *p = line.p, *end = p + line.n; p < end;) {
        int32_t c = next_code(&p, end);
        if (c >= 0 || spaces) out->at[out->n++] = s->codes[c >= 0 ? c : -1 - c];
    }
}
