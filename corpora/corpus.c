/* The split. Each pair of words that stand together (subject and verb, verb and object, adjective and noun)
 * is kept for one part by its hash, whatever the seed: a test sentence has at least one combination that is
 * kept for the test part, and no training or validation sentence has any of those. A network that does well
 * on the test part has learned words and rules, not sentences. */
#include "corpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"

const char *const part_names[PARTS] = {"train", "valid", "test"};

/* A set of 64-bit hashes, open addressing; 0 is the empty slot. */
typedef struct {
    uint64_t *slot;
    size_t n, capacity;
} hash_set;

struct corpus {
    lexicon *lex;
    arena *memory; /* of one sentence */
    uint64_t seed, drawn[PARTS];
    hash_set seen;
};

corpus *corpus_new(uint64_t seed)
{
    corpus *c = xcalloc(1, sizeof *c);
    c->lex = lexicon_new();
    c->memory = arena_new();
    c->seed = seed;
    return c;
}

void corpus_free(corpus *c)
{
    if (!c) return;
    lexicon_free(c->lex);
    arena_free(c->memory);
    free(c->seen.slot);
    free(c);
}

const lexicon *corpus_lexicon(const corpus *c) { return c->lex; }

void pair_free(pair *p)
{
    str_free(&p->en);
    str_free(&p->de);
}

/* --- what was drawn --- */

static size_t place_of(const hash_set *set, uint64_t hash)
{
    size_t i = hash & (set->capacity - 1);
    while (set->slot[i] && set->slot[i] != hash) i = (i + 1) & (set->capacity - 1);
    return i;
}

static bool has(const hash_set *set, uint64_t hash)
{
    return set->capacity && set->slot[place_of(set, hash)];
}

static void make_room(hash_set *set)
{
    if (2 * set->n < set->capacity) return;
    hash_set larger = {.capacity = set->capacity ? 2 * set->capacity : 1 << 14, .n = set->n};
    larger.slot = xcalloc(larger.capacity, sizeof *larger.slot);
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slot[i]) larger.slot[place_of(&larger, set->slot[i])] = set->slot[i];
    free(set->slot);
    *set = larger;
}

static void add(hash_set *set, uint64_t hash)
{
    make_room(set);
    set->slot[place_of(set, hash)] = hash;
    set->n++;
}

/* The two languages share one set: a line of one that is also a line of the other is left out, too. */
static uint64_t text_hash(const str *text) { return hash64(text->p, text->n) | 1; }

/* --- the parts --- */

enum part combination_part(uint64_t combination)
{
    uint64_t place = hash64_mix(combination, 25) % 25;
    return place == 0 ? TEST : place == 1 ? VALID : TRAIN;
}

static enum part part_of(const combinations *used)
{
    enum part part = TRAIN;
    for (int i = 0; i < used->n; i++) {
        enum part p = combination_part(used->hash[i]);
        if (p > part) part = p;
    }
    return part;
}

static void draw(corpus *c, enum part part, pair *out)
{
    rng random = rng_at(c->seed, RNG_SAMPLE, ((uint64_t)part << 48) + c->drawn[part]++);
    arena_reset(c->memory);
    str_clear(&out->en);
    str_clear(&out->de);
    sentence s = sample_sentence(c->lex, &random, c->memory, &out->used);
    if (part_of(&out->used) != part) return;
    english_sentence(&s, &out->en);
    german_sentence(&s, &out->de);
}

void corpus_next(corpus *c, enum part part, pair *out)
{
    for (;;) {
        draw(c, part, out);
        if (!out->en.n) continue;
        uint64_t en = text_hash(&out->en), de = text_hash(&out->de);
        if (has(&c->seen, en) || has(&c->seen, de)) continue;
        add(&c->seen, en);
        add(&c->seen, de);
        return;
    }
}

/* --- files --- */

static FILE *open_line_file(const char *dir, enum part part, const char *language)
{
    str path = {0};
    str_addf(&path, "%s/%s.%s", dir, part_names[part], language);
    FILE *file = fopen(str_text(&path), "w");
    if (!file) fail("%s: cannot be written (%s); choose another --out", str_text(&path), strerror(errno));
    str_free(&path);
    return file;
}

/* fclose tells of a full disk. */
static int close_file(FILE *file, const char *dir)
{
    if (!file) return -1;
    bool bad = ferror(file);
    if (fclose(file) || bad) return fail("%s: cannot be written (%s)", dir, strerror(errno));
    return 0;
}

static int write_part(corpus *c, const char *dir, enum part part, long n)
{
    pair p = {0};
    FILE *en = open_line_file(dir, part, "en"), *de = en ? open_line_file(dir, part, "de") : NULL;
    for (long i = 0; de && i < n; i++) {
        corpus_next(c, part, &p);
        fprintf(en, "%s\n", p.en.p);
        fprintf(de, "%s\n", p.de.p);
    }
    pair_free(&p);
    int first = close_file(en, dir), second = close_file(de, dir);
    return first || second ? -1 : 0;
}

int corpus_write(corpus *c, const char *dir, const long n[PARTS])
{
    if (mkdir(dir, 0777) && errno != EEXIST)
        return fail("%s: cannot be made (%s); choose another --out", dir, strerror(errno));
    for (int part = TEST; part >= TRAIN; part--)
        if (write_part(c, dir, (enum part)part, n[part])) return -1;
    return 0;
}
