/* The made corpus: what it promises to training and to the quickstart. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "corpus.h"
#include "suite.h"

enum { N_TRAIN = 6000, N_HELD = 300 };

static const long sizes[PARTS] = {N_TRAIN, N_HELD, N_HELD};

typedef struct {
    char *en, *de;
    combinations used;
    enum part part;
} kept;

typedef struct {
    kept *rows;
    int n;
} drawn;

static drawn draw_all(uint64_t seed)
{
    corpus *c = corpus_new(seed);
    drawn d = {xcalloc(N_TRAIN + 2 * N_HELD, sizeof(kept)), 0};
    pair p = {0};
    for (int part = TEST; part >= TRAIN; part--)
        for (long i = 0; i < sizes[part]; i++) {
            corpus_next(c, (enum part)part, &p);
            d.rows[d.n++] = (kept){xstrdup(p.en.p), xstrdup(p.de.p), p.used, (enum part)part};
        }
    pair_free(&p);
    corpus_free(c);
    return d;
}

static void drawn_free(drawn *d)
{
    for (int i = 0; i < d->n; i++) {
        free(d->rows[i].en);
        free(d->rows[i].de);
    }
    free(d->rows);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void no_line_twice(void)
{
    drawn d = draw_all(1);
    for (int side = 0; side < 2; side++) {
        const char **text = xmalloc((size_t)d.n * sizeof *text);
        for (int i = 0; i < d.n; i++) text[i] = side ? d.rows[i].de : d.rows[i].en;
        qsort(text, (size_t)d.n, sizeof *text, by_text);
        int same = 0;
        for (int i = 1; i < d.n; i++) same += !strcmp(text[i], text[i - 1]);
        CU_ASSERT_EQUAL(same, 0);
        free(text);
    }
    drawn_free(&d);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Every test sentence has a combination that no sentence of the other parts has. */
static void test_combinations_are_new(void)
{
    drawn d = draw_all(2);
    uint64_t *seen = xmalloc((size_t)d.n * COMBINATIONS * sizeof *seen);
    size_t n = 0;
    for (int i = 0; i < d.n; i++)
        for (int j = 0; d.rows[i].part != TEST && j < d.rows[i].used.n; j++)
            seen[n++] = d.rows[i].used.hash[j];
    qsort(seen, n, sizeof *seen, by_hash);
    int without = 0, held_back = 0;
    for (int i = 0; i < d.n; i++) {
        bool fresh = false;
        for (int j = 0; j < d.rows[i].used.n; j++) {
            uint64_t h = d.rows[i].used.hash[j];
            bool known = bsearch(&h, seen, n, sizeof *seen, by_hash);
            fresh |= combination_part(h) == TEST && !known;
            held_back += combination_part(h) == TEST && known;
        }
        without += d.rows[i].part == TEST && !fresh;
    }
    CU_ASSERT_EQUAL(without, 0);
    CU_ASSERT_EQUAL(held_back, 0);
    free(seen);
    drawn_free(&d);
}

static void same_seed_same_pairs(void)
{
    drawn a = draw_all(3), b = draw_all(3), c = draw_all(4);
    int different = 0, shared = 0;
    for (int i = 0; i < a.n; i++) {
        different += strcmp(a.rows[i].en, b.rows[i].en) || strcmp(a.rows[i].de, b.rows[i].de);
        shared += !strcmp(a.rows[i].en, c.rows[i].en);
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT(shared < 10);
    drawn_free(&a);
    drawn_free(&b);
    drawn_free(&c);
}

static int words_of(const char *text)
{
    int n = 1;
    for (; *text; text++) n += *text == ' ';
    return n;
}

static void sentences_are_ten_words_long(void)
{
    drawn d = draw_all(5);
    double en = 0, de = 0;
    for (int i = 0; i < d.n; i++) {
        en += words_of(d.rows[i].en);
        de += words_of(d.rows[i].de);
    }
    CU_ASSERT(en / d.n > 9 && en / d.n < 12);
    CU_ASSERT(de / d.n > 9 && de / d.n < 12);
    drawn_free(&d);
}

static void dictionary_is_large(void)
{
    lexicon *lex = lexicon_new();
    lemma_counts c = lexicon_count(lex);
    CU_ASSERT(c.en >= 1500);
    CU_ASSERT(c.de >= 1500);
    const char *homonym = lexicon_homonym(lex);
    CU_ASSERT_PTR_NULL(homonym);
    if (homonym) printf("homonym: %s\n", homonym);
    lexicon_free(lex);
}

static int by_english(const void *a, const void *b)
{
    return strcmp(((const kept *)a)->en, ((const kept *)b)->en);
}

/* The same English is never translated in two ways: drawn without regard to what was drawn before. */
static void translation_is_a_function(void)
{
    enum { DRAWS = 60000 };
    lexicon *lex = lexicon_new();
    arena *memory = arena_new();
    kept *rows = xcalloc(DRAWS, sizeof *rows);
    str en = {0}, de = {0};
    for (int i = 0; i < DRAWS; i++) {
        rng r = rng_at(6, RNG_SAMPLE, (uint64_t)i);
        arena_reset(memory);
        sentence s = sample_sentence(lex, &r, memory, &rows[i].used);
        str_clear(&en), str_clear(&de);
        english_sentence(&s, &en);
        german_sentence(&s, &de);
        rows[i].en = xstrdup(en.p);
        rows[i].de = xstrdup(de.p);
    }
    qsort(rows, DRAWS, sizeof *rows, by_english);
    int same = 0, torn = 0;
    for (int i = 1; i < DRAWS; i++) {
        if (strcmp(rows[i].en, rows[i - 1].en) != 0) continue;
        same++;
        torn += strcmp(rows[i].de, rows[i - 1].de) != 0;
    }
    CU_ASSERT(same > 0); /* short sentences do come twice */
    CU_ASSERT_EQUAL(torn, 0);
    drawn all = {rows, DRAWS};
    drawn_free(&all);
    str_free(&en), str_free(&de);
    arena_free(memory);
    lexicon_free(lex);
}

/* --- grammar: sentences built by hand, so that each rule is seen to work --- */

static const noun *noun_of(const lexicon *lex, const char *en)
{
    for (int i = 0; i < lex->n_nouns; i++)
        if (!strcmp(lex->nouns[i].en[0], en)) return &lex->nouns[i];
    abort();
}

static usage verb_of(const lexicon *lex, const char *en, int kind)
{
    for (int i = 0; i < lex->n_usages[kind]; i++)
        if (!strcmp(lex->usages[kind][i].verb->en_base, en)) return lex->usages[kind][i];
    abort();
}

static const adjective *adjective_of(const lexicon *lex, const char *en)
{
    for (int i = 0; i < lex->n_adjectives; i++)
        if (!strcmp(lex->adjectives[i].en, en)) return &lex->adjectives[i];
    abort();
}

static void check(const clause *c, const char *en, const char *de)
{
    sentence s = {(clause *)c, NULL, NULL};
    str text = {0};
    english_sentence(&s, &text);
    CU_ASSERT_STRING_EQUAL(text.p, en);
    str_clear(&text);
    german_sentence(&s, &text);
    CU_ASSERT_STRING_EQUAL(text.p, de);
    str_free(&text);
}

static void agreement_and_order(void)
{
    lexicon *lex = lexicon_new();
    usage call = verb_of(lex, "call", 'T'), see = verb_of(lex, "see", 'T'),
          sleep = verb_of(lex, "sleep", 'i');
    np boy = {.kind = NP_NOUN,
              .noun = noun_of(lex, "boy"),
              .determiner = DET_THE,
              .n_adjectives = 1,
              .adjectives = {adjective_of(lex, "old")}};
    np dogs = {.kind = NP_NOUN, .noun = noun_of(lex, "dog"), .plural = true, .determiner = DET_A};
    dogs.determiner = DET_MY;
    np she = {.kind = NP_PRONOUN, .pronoun = PRO_SHE};
    clause relative = {
        .verb = see.verb, .frame = see.frame, .object = &boy, .tense = PERFECT, .gap = GAP_SUBJECT};
    clause c = {.subject = &she, .verb = call.verb, .frame = call.frame, .object = &boy, .tense = PAST};
    check(&c, "She called the old boy.", "Sie rief den alten Jungen an.");
    c.tense = FUTURE;
    c.when = (phrase){"tomorrow", "morgen"};
    c.front = FRONT_WHEN;
    check(&c, "Tomorrow she will call the old boy.", "Morgen wird sie den alten Jungen anrufen.");
    c.tense = PRESENT;
    c.when = (phrase){NULL, NULL};
    c.front = FRONT_SUBJECT;
    c.negated = true;
    c.mood = ASKS_WHETHER;
    check(&c, "Does she not call the old boy?", "Ruft sie den alten Jungen nicht an?");
    clause below = {.subject = &dogs, .verb = sleep.verb, .frame = sleep.frame, .tense = PRESENT};
    static const phrase because = {"because", "weil"};
    c.mood = STATEMENT;
    c.negated = false;
    c.adjunct = &below;
    c.conjunction = &because;
    c.adjunct_first = true;
    dogs.relative = &relative;
    relative.controller = &dogs;
    check(&c, "Because my dogs that have seen the old boy sleep, she calls the old boy.",
          "Weil meine Hunde, die den alten Jungen gesehen haben, schlafen, ruft sie den alten Jungen an.");
    lexicon_free(lex);
}

static CU_TestInfo tests[] = {{"no line twice, on either side", no_line_twice},
                              {"combinations of the test part are new", test_combinations_are_new},
                              {"the same seed draws the same pairs", same_seed_same_pairs},
                              {"about ten words a sentence", sentences_are_ten_words_long},
                              {"1,500 lemmas a side and no homonyms", dictionary_is_large},
                              {"one translation a sentence", translation_is_a_function},
                              {"agreement and word order", agreement_and_order},
                              CU_TEST_INFO_NULL};

int main(void) { return suite_run("corpora", tests); }
