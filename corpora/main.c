/* tulk-grammar: writes the corpus that the project makes itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "corpus.h"

static const char usage_text[] =
    "usage: tulk-grammar --pairs N --out DIR [--task NAME] [--seed S] [--longest N] [--valid N] [--test N]\n"
    "       tulk-grammar --stats [--pairs N] [--task NAME] [--seed S] [--longest N]\n"
    "Writes an English-German corpus made by a synchronous grammar: DIR/train.en, train.de, valid.en, "
    "valid.de,\n"
    "test.en and test.de. The same seed gives the same files; no two parts share a sentence, and every test\n"
    "sentence has a combination of words that does not occur in training (see corpora/README.md).\n"
    "  --task NAME what to learn: translation (the default), or, with files that end in .src and .tgt:\n"
    "              sentiment: an English sentence -> positive or negative\n"
    "              tags: a German sentence -> class and case of each word\n"
    "              verbs: a German infinitive -> its forms\n"
    "  --pairs N   pairs to train on (20000)\n"
    "  --valid N   pairs for validation (500)\n"
    "  --test N    pairs for the test (500)\n"
    "  --longest N words a source has at most; 0: any number (0)\n"
    "  --seed S    whole number from 0 (1)\n"
    "  --out DIR   folder to write into; made if it is missing\n"
    "  --stats     instead of writing, print counts of lemmas, words and lengths of the pairs to train on\n";

typedef struct {
    long pairs[PARTS];
    long seed, longest;
    const char *out;
    const task *task;
    bool stats, help;
} settings;

static int read_number(const char *option, const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = text ? strtol(text, &end, 10) : -1;
    if (!text || end == text || *end || errno || *value < 0)
        return fail("%s needs a whole number from 0", option);
    return 0;
}

/* Reads one option at argv[0]; the number of words it took, or -1. */
static int read_option(settings *s, char **argv)
{
    const struct {
        const char *name;
        long *value;
    } numbers[] = {{"--pairs", &s->pairs[TRAIN]},
                   {"--valid", &s->pairs[VALID]},
                   {"--test", &s->pairs[TEST]},
                   {"--seed", &s->seed},
                   {"--longest", &s->longest}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(argv[0], numbers[i].name))
            return read_number(argv[0], argv[1], numbers[i].value) ? -1 : 2;
    if (!strcmp(argv[0], "--stats")) return s->stats = true, 1;
    if (!strcmp(argv[0], "--help")) return s->help = true, 1;
    if (!strcmp(argv[0], "--out") && argv[1]) return s->out = argv[1], 2;
    if (!strcmp(argv[0], "--task") && argv[1]) {
        s->task = task_of(argv[1]);
        return s->task ? 2 : fail("--task %s: there is no such task; see --help", argv[1]);
    }
    return fail("%s: unknown option or missing value; see --help", argv[0]);
}

static int read_arguments(settings *s, char **argv)
{
    for (int taken = 0; *argv; argv += taken)
        if ((taken = read_option(s, argv)) < 0) return -1;
    if (!s->out && !s->stats && !s->help) return fail("--out DIR is missing; see --help");
    return 0;
}

/* --- statistics --- */

typedef struct {
    long words, types;
    uint64_t *slot; /* hashes of the words seen; 0 is empty */
    size_t capacity;
} word_count;

static void count_word(word_count *c, uint64_t hash)
{
    size_t i = (hash |= 1) & (c->capacity - 1);
    while (c->slot[i] && c->slot[i] != hash) i = (i + 1) & (c->capacity - 1);
    c->words++;
    if (c->slot[i]) return;
    c->slot[i] = hash;
    c->types++;
}

static void count_line(word_count *c, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        count_word(c, hash64(text, n));
        text += n + (text[n] == ' ');
    }
}

static void print_lemmas(const lexicon *lex)
{
    lemma_counts c = lexicon_count(lex);
    printf(
        "rows: %d nouns, %d adjectives, %d verbs, %d adverbs and times, %d prepositions, %d grammar words\n",
        c.nouns, c.adjectives, c.verbs, c.adverbs, c.prepositions, c.closed);
    printf("lemmas: %d English, %d German (names, cities and numbers not counted)\n", c.en, c.de);
}

static int print_statistics(corpus *c, const task *t, long pairs)
{
    word_count src = {.capacity = 1 << 20},
               tgt = {.capacity = 1 << 20}; /* ample: forms of 2,000 lemmas, names, numbers */
    src.slot = xcalloc(src.capacity, sizeof *src.slot);
    tgt.slot = xcalloc(tgt.capacity, sizeof *tgt.slot);
    pair p = {0};
    long n = 0;
    while (n < pairs && !corpus_next(c, TRAIN, &p)) {
        count_line(&src, p.src.p);
        count_line(&tgt, p.tgt.p);
        n++;
    }
    print_lemmas(corpus_lexicon(c));
    double lines = n ? (double)n : 1;
    printf("pairs: %ld; words a line: %.2f %s, %.2f %s; word forms: %ld %s, %ld %s\n", n,
           (double)src.words / lines, t->src, (double)tgt.words / lines, t->tgt, src.types, t->src, tgt.types,
           t->tgt);
    pair_free(&p);
    free(src.slot);
    free(tgt.slot);
    return n < pairs ? -1 : 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    settings s = {.pairs = {20000, 500, 500}, .task = tasks, .seed = 1};
    if (read_arguments(&s, argv + 1)) {
        fprintf(stderr, "tulk-grammar: %s\n", error_message());
        return 2;
    }
    if (s.help) return fputs(usage_text, stdout) < 0;
    corpus *c = corpus_new(s.task, (uint64_t)s.seed, s.longest);
    int failed = s.stats ? print_statistics(c, s.task, s.pairs[TRAIN]) : corpus_write(c, s.out, s.pairs);
    if (failed) fprintf(stderr, "tulk-grammar: %s\n", error_message());
    corpus_free(c);
    return failed ? 1 : 0;
}
