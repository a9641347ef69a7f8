/* The split. Each pair of words that stand together (subject and verb, verb and object, adjective and noun,
 * prefix and verb) is kept for one part by its hash, whatever the seed: a test line has at least one
 * combination that is kept for the test part, and no training or validation line has any of those. A network
 * that does well on the test part has learned words and rules, not sentences. */
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
    const task *task;
    lexicon *lex;
    arena *memory; /* of one pair */
    uint64_t seed, drawn[PARTS];
    long longest;
    hash_set seen;
};

corpus *corpus_new(const task *t, uint64_t seed, long longest)
{
    corpus *c = xcalloc(1, sizeof *c);
    c->task = t;
    c->lex = lexicon_new();
    c->memory = arena_new();
    c->seed = seed;
    c->longest = longest;
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
    str_free(&p->src);
    str_free(&p->tgt);
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

/* The two sides share one set: a line of one that is also a line of the other is left out, too. */
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

static long words_of(const str *text)
{
    long n = 1;
    for (size_t i = 0; i < text->n; i++) n += text->p[i] == ' ';
    return n;
}

static bool draw(corpus *c, enum part part, pair *out)
{
    rng random = rng_at(c->seed, RNG_SAMPLE, ((uint64_t)part << 48) + c->drawn[part]++);
    arena_reset(c->memory);
    str_clear(&out->src);
    str_clear(&out->tgt);
    return c->task->draw(c->lex, &random, c->memory, out) && part_of(&out->used) == part &&
           (!c->longest || words_of(&out->src) <= c->longest);
}

int corpus_next(corpus *c, enum part part, pair *out)
{
    enum { TRIES = 200000 }; /* a pair of the test part is one draw in a few hundred */
    for (int i = 0; i < TRIES; i++) {
        if (!draw(c, part, out)) continue;
        uint64_t src = text_hash(&out->src), tgt = text_hash(&out->tgt);
        if (has(&c->seen, src) || (c->task->text && has(&c->seen, tgt))) continue;
        add(&c->seen, src);
        if (c->task->text) add(&c->seen, tgt);
        return 0;
    }
    return fail("the task %s has no more lines for %s; ask for fewer", c->task->name, part_names[part]);
}

/* --- files --- */

static FILE *open_line_file(const char *dir, enum part part, const char *ending)
{
    str path = {0};
    str_addf(&path, "%s/%s.%s", dir, part_names[part], ending);
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
    FILE *src = open_line_file(dir, part, c->task->src),
         *tgt = src ? open_line_file(dir, part, c->task->tgt) : NULL;
    bool enough = true;
    for (long i = 0; tgt && i < n; i++) {
        enough = !corpus_next(c, part, &p);
        if (!enough) break;
        fprintf(src, "%s\n", p.src.p);
        fprintf(tgt, "%s\n", p.tgt.p);
    }
    pair_free(&p);
    int first = close_file(src, dir), second = close_file(tgt, dir);
    return first || second || !enough ? -1 : 0;
}

int corpus_write(corpus *c, const char *dir, const long n[PARTS])
{
    if (mkdir(dir, 0777) && errno != EEXIST)
        return fail("%s: cannot be made (%s); choose another --out", dir, strerror(errno));
    for (int part = TEST; part >= TRAIN; part--)
        if (write_part(c, dir, (enum part)part, n[part])) return -1;
    return 0;
}
