/* The made corpus: what it promises to training and to the quickstart. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "corpus.h"
#include "inflect.h"
#include "suite.h"

enum { N_TRAIN = 4500, N_HELD = 200 };

static const long sizes[PARTS] = {N_TRAIN, N_HELD, N_HELD};

typedef struct {
    char *src, *tgt;
    combinations used;
    enum part part;
} kept;

typedef struct {
    kept *rows;
    int n;
} drawn;

static drawn draw_all(const task *t, uint64_t seed)
{
    corpus *c = corpus_new(t, seed, 0);
    drawn d = {xcalloc(N_TRAIN + 2 * N_HELD, sizeof(kept)), 0};
    pair p = {0};
    for (int part = TEST; part >= TRAIN; part--)
        for (long i = 0; i < sizes[part]; i++) {
            CU_ASSERT_EQUAL_FATAL(corpus_next(c, (enum part)part, &p), 0);
            d.rows[d.n++] = (kept){xstrdup(p.src.p), xstrdup(p.tgt.p), p.used, (enum part)part};
        }
    pair_free(&p);
    corpus_free(c);
    return d;
}

static void drawn_free(drawn *d)
{
    for (int i = 0; i < d->n; i++) {
        free(d->rows[i].src);
        free(d->rows[i].tgt);
    }
    free(d->rows);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_no_line_twice(const task *t)
{
    drawn d = draw_all(t, 1);
    for (int side = 0; side < (t->text ? 2 : 1); side++) {
        const char **text = xmalloc((size_t)d.n * sizeof *text);
        for (int i = 0; i < d.n; i++) text[i] = side ? d.rows[i].tgt : d.rows[i].src;
        qsort(text, (size_t)d.n, sizeof *text, by_text);
        int same = 0;
        for (int i = 1; i < d.n; i++) same += !strcmp(text[i], text[i - 1]);
        CU_ASSERT_EQUAL(same, 0);
        free(text);
    }
    drawn_free(&d);
}

static void no_line_twice(void)
{
    for (const task *t = tasks; t->name; t++) check_no_line_twice(t);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Every test line has a combination that no line of the other parts has. */
static void check_combinations(const task *t)
{
    drawn d = draw_all(t, 2);
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

static void test_combinations_are_new(void)
{
    for (const task *t = tasks; t->name; t++) check_combinations(t);
}

/* Other seeds draw other sentences; of verbs there are not so many. */
static void check_seeds(const task *t)
{
    drawn a = draw_all(t, 3), b = draw_all(t, 3), c = draw_all(t, 4);
    int different = 0, shared = 0;
    for (int i = 0; i < a.n; i++) {
        different += strcmp(a.rows[i].src, b.rows[i].src) || strcmp(a.rows[i].tgt, b.rows[i].tgt);
        shared += !strcmp(a.rows[i].src, c.rows[i].src);
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT(shared < 100);
    drawn_free(&a);
    drawn_free(&b);
    drawn_free(&c);
}

static void same_seed_same_pairs(void)
{
    for (const task *t = tasks; t->name; t++) check_seeds(t);
}

static int words_of(const char *text)
{
    int n = 1;
    for (; *text; text++) n += *text == ' ';
    return n;
}

static void sentences_are_ten_words_long(void)
{
    drawn d = draw_all(tasks, 5);
    double en = 0, de = 0;
    for (int i = 0; i < d.n; i++) {
        en += words_of(d.rows[i].src);
        de += words_of(d.rows[i].tgt);
    }
    CU_ASSERT(en / d.n > 9 && en / d.n < 12);
    CU_ASSERT(de / d.n > 9 && de / d.n < 12);
    drawn_free(&d);
}

/* --- the other tasks --- */

static void each_word_has_a_tag(void)
{
    drawn d = draw_all(task_of("tags"), 6);
    int torn = 0;
    for (int i = 0; i < d.n; i++) torn += words_of(d.rows[i].src) != words_of(d.rows[i].tgt);
    CU_ASSERT_EQUAL(torn, 0);
    drawn_free(&d);
}

static bool listed(const lexicon *lex, const char *word, size_t n, int *polarity)
{
    for (int i = 0; i < lex->n_adjectives; i++) {
        *polarity = lex->adjectives[i].polarity;
        if (strlen(lex->adjectives[i].en) == n && !strncmp(lex->adjectives[i].en, word, n)) return true;
    }
    return false;
}

/* Of short sentences, which end with their predicate: the label is that of the adjective, turned round by not
 * or no. */
static void labels_follow_the_predicate(void)
{
    drawn d = draw_all(task_of("sentiment"), 7);
    lexicon *lex = lexicon_new();
    int wrong = 0, positive = 0, turned = 0, seen = 0, polarity;
    for (int i = 0; i < d.n; i++) {
        const char *text = d.rows[i].src, *last = strrchr(text, ' ') + 1;
        positive += !strcmp(d.rows[i].tgt, "positive");
        if (words_of(text) > 5 || !listed(lex, last, strlen(last) - 1, &polarity)) continue;
        bool not = strstr(text, " not ") || strstr(text, " no ") || starts_with(text, "No ");
        turned += not ;
        seen++;
        wrong += strcmp(d.rows[i].tgt, (polarity > 0) != not ? "positive" : "negative") != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(seen > 500 && turned > 100);
    CU_ASSERT(positive > d.n / 3 && positive < 2 * d.n / 3);
    lexicon_free(lex);
    drawn_free(&d);
}

static const char *const verbs[][2] = {
    {"anrufen", "rufe an, rufst an, ruft an, rufen an, rief an, angerufen, anzurufen"},
    {"mitarbeiten",
     "arbeite mit, arbeitest mit, arbeitet mit, arbeiten mit, arbeitete mit, mitgearbeitet, mitzuarbeiten"},
    {"abnehmen", "nehme ab, nimmst ab, nimmt ab, nehmen ab, nahm ab, abgenommen, abzunehmen"},
    {"aufhängen", "hänge auf, hängst auf, hängt auf, hängen auf, hängte auf, aufgehängt, aufzuhängen"}};

static void verbs_have_their_forms(void)
{
    drawn d = draw_all(task_of("verbs"), 8);
    int found = 0, n = sizeof verbs / sizeof *verbs;
    for (int i = 0; i < d.n; i++) {
        CU_ASSERT_PTR_NULL(strchr(d.rows[i].src, ' '));
        CU_ASSERT_EQUAL(words_of(d.rows[i].tgt), 12);
        for (int v = 0; v < n; v++) {
            if (strcmp(d.rows[i].src, verbs[v][0]) != 0) continue;
            CU_ASSERT_STRING_EQUAL(d.rows[i].tgt, verbs[v][1]);
            found++;
        }
    }
    CU_ASSERT(found > n / 2);
    drawn_free(&d);
}

static void sources_can_be_short(void)
{
    corpus *c = corpus_new(task_of("tags"), 9, 7);
    pair p = {0};
    int longest = 0;
    for (int i = 0; i < 500; i++) {
        CU_ASSERT_EQUAL_FATAL(corpus_next(c, i % 2 ? TRAIN : TEST, &p), 0);
        int n = words_of(p.src.p);
        if (n > longest) longest = n;
    }
    CU_ASSERT_EQUAL(longest, 7);
    pair_free(&p);
    corpus_free(c);
}

/* There are not infinitely many verbs. */
static void a_task_ends(void)
{
    corpus *c = corpus_new(task_of("verbs"), 1, 0);
    pair p = {0};
    int n = 0;
    while (n < 1000 && !corpus_next(c, TEST, &p)) n++;
    CU_ASSERT(n > 200 && n < 300);
    CU_ASSERT_PTR_NULL(task_of("nothing"));
    pair_free(&p);
    corpus_free(c);
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
    return strcmp(((const kept *)a)->src, ((const kept *)b)->src);
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
        german_sentence(&s, &de, NULL);
        rows[i].src = xstrdup(en.p);
        rows[i].tgt = xstrdup(de.p);
    }
    qsort(rows, DRAWS, sizeof *rows, by_english);
    int same = 0, torn = 0;
    for (int i = 1; i < DRAWS; i++) {
        if (strcmp(rows[i].src, rows[i - 1].src) != 0) continue;
        same++;
        torn += strcmp(rows[i].tgt, rows[i - 1].tgt) != 0;
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
    german_sentence(&s, &text, NULL);
    CU_ASSERT_STRING_EQUAL(text.p, de);
    str_free(&text);
}

static void check_tags(const clause *c, const char *de, const char *tags)
{
    sentence s = {(clause *)c, NULL, NULL};
    str text = {0}, classes = {0};
    german_sentence(&s, &text, &classes);
    CU_ASSERT_STRING_EQUAL(text.p, de);
    CU_ASSERT_STRING_EQUAL(classes.p, tags);
    str_free(&text);
    str_free(&classes);
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
    check_tags(&c, "Morgen wird sie den alten Jungen anrufen .",
               "Adv Aux PronNom DetAcc AdjAcc NounAcc Verb Punct");
    c.when = (phrase){"on 12 January", "am 12. Januar"};
    check_tags(&c, "Am 12. Januar wird sie den alten Jungen anrufen .",
               "Prep Num NounDat Aux PronNom DetAcc AdjAcc NounAcc Verb Punct");
    c.tense = PRESENT;
    c.when = (phrase){NULL, NULL};
    c.front = FRONT_SUBJECT;
    c.negated = true;
    c.mood = ASKS_WHETHER;
    check(&c, "Does she not call the old boy?", "Ruft sie den alten Jungen nicht an?");
    check_tags(&c, "Ruft sie den alten Jungen nicht an ?",
               "Verb PronNom DetAcc AdjAcc NounAcc Part Part Punct");
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
    check_tags(
        &c,
        "Weil meine Hunde , die den alten Jungen gesehen haben , schlafen , ruft sie den alten Jungen an .",
        "Sub DetNom NounNom Punct PronNom DetAcc AdjAcc NounAcc Verb Aux Punct Verb Punct Verb PronNom "
        "DetAcc AdjAcc NounAcc Part Punct");
    lexicon_free(lex);
}

static CU_TestInfo tests[] = {{"no line twice, on either side", no_line_twice},
                              {"combinations of the test part are new", test_combinations_are_new},
                              {"the same seed draws the same pairs", same_seed_same_pairs},
                              {"about ten words a sentence", sentences_are_ten_words_long},
                              {"1,500 lemmas a side and no homonyms", dictionary_is_large},
                              {"one translation a sentence", translation_is_a_function},
                              {"agreement, word order and tags", agreement_and_order},
                              {"a tag for each word", each_word_has_a_tag},
                              {"a label is the predicate's, or its opposite", labels_follow_the_predicate},
                              {"the forms of verbs", verbs_have_their_forms},
                              {"sources of a length that is given", sources_can_be_short},
                              {"a task says when it has no more lines", a_task_ends},
                              CU_TEST_INFO_NULL};

int main(void) { return suite_run("corpora", tests); }
