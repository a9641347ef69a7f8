/* TER. Expected figures were computed with sacreBLEU's algorithm in its own form, apart from this program. */
#include <string.h>

#include "base/memory.h"
#include "eval/edits.h"
#include "segments.h"
#include "suite.h"

/* normalized, no_punct, asian_support, case_sensitive */
static void scores_of_a_corpus(void)
{
    static const struct {
        ter_options o;
        int n_refs;
        double score, edits, length;
    } cases[] = {
        {{false, false, false, false}, 1, 60.0, 12, 20.0},
        {{false, false, false, false}, 2, 50.0, 10, 20.0},
        {{true, false, false, false}, 1, 68.18181818181817, 15, 22.0},
        {{true, false, false, false}, 2, 50.0, 11, 22.0},
        {{false, true, false, false}, 1, 45.0, 9, 20.0},
        {{false, true, false, false}, 2, 30.0, 6, 20.0},
        {{true, false, true, false}, 1, 58.333333333333336, 14, 24.0},
        {{true, false, true, false}, 2, 42.5531914893617, 10, 23.5},
        {{false, false, false, true}, 1, 65.0, 13, 20.0},
        {{false, false, false, true}, 2, 55.00000000000001, 11, 20.0},
        {{true, true, true, true}, 1, 45.45454545454545, 10, 22.0},
        {{true, true, true, true}, 2, 32.55813953488372, 7, 21.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        metric_options o = {.ter = cases[i].o};
        double sums[METRIC_MAX_STATS];
        CU_ASSERT_TRUE(near(corpus_score("ter", &o, cases[i].n_refs, sums), cases[i].score));
        CU_ASSERT_EQUAL(sums[0], cases[i].edits);
        CU_ASSERT_TRUE(near(sums[1], cases[i].length));
    }
}

static void scores_of_segments(void)
{
    static const struct {
        segment text;
        int n_refs;
        bool normalized;
        double edits, length, score;
    } cases[] = {
        {{"a b c d", {"b c d a", ""}}, 1, false, 1, 4, 25},
        {{"a b", {"", ""}}, 1, false, 2, 0, 100}, /* nothing to divide by */
        {{"", {"a b", ""}}, 1, false, 2, 2, 100},
        {{"", {"", ""}}, 1, false, 0, 0, 0},
        {{"b a d c", {"a b c d", ""}}, 1, false, 2, 4, 50},
        {{"a b c", {"x y", "a c b d e"}}, 2, false, 3, 3.5, 85.71428571428571},
        {{"the dog 's .", {"the dog's.", ""}}, 1, false, 3, 2, 150},
        /* references are tokenised twice */
        {{"the dog 's , ran", {"the dog's, ran", ""}}, 1, true, 0, 5, 0},
        {{"the dog's, ran", {"the dog's, ran", ""}}, 1, true, 2, 5, 40},
    };
    const metric *m = metric_find("ter");
    metric_work *w = metric_work_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        metric_options o = {.ter = {.normalized = cases[i].normalized}};
        double sums[METRIC_MAX_STATS] = {0};
        add_segment(m, &o, w, &cases[i].text, cases[i].n_refs, sums);
        CU_ASSERT_EQUAL(sums[0], cases[i].edits);
        CU_ASSERT_EQUAL(sums[1], cases[i].length);
        CU_ASSERT_TRUE(near(m->score(&o, sums, METRIC_DOUBLE), cases[i].score));
    }
    metric_work_free(w);
}

/* ------------------------------------------------------------------------------------ edits */

typedef struct {
    uint32_t x;
} lcg;

static uint32_t below(lcg *r, uint32_t n)
{
    r->x = (r->x * 1103515245 + 12345) & 0x7FFFFFFF;
    return (r->x >> 16) % n;
}

/* Words by number, those of hyp first. */
static void number(const uint32_t *words, size_t n, uint32_t *numbers, uint32_t *next, sequence *out)
{
    sequence_clear(out, n);
    for (; out->n < n; out->n++) {
        if (next && !numbers[words[out->n]]) numbers[words[out->n]] = ++*next;
        out->at[out->n] = numbers[words[out->n]];
    }
}

enum { MOST = 4000, MOST_KINDS = 512 };

/* A hypothesis of random words, and a reference that has most of them, turned around. */
static void random_pair(lcg *r, uint32_t most_hyp, uint32_t most, uint32_t kinds, sequence *hyp,
                        sequence *ref)
{
    static uint32_t words[MOST], others[MOST];
    uint32_t numbers[MOST_KINDS] = {0}, next = 0, n = below(r, most_hyp);
    for (uint32_t i = 0; i < n; i++) words[i] = below(r, kinds);
    uint32_t n_ref = below(r, most), by = below(r, most);
    for (uint32_t j = 0; j < n_ref; j++)
        others[j] = n && below(r, 4) ? words[(j + by) % n] : below(r, kinds + 3);
    number(words, n, numbers, &next, hyp);
    number(others, n_ref, numbers, NULL, ref);
}

static void edits_of_random_words(void)
{
    static const struct {
        uint32_t seed, trials, most, kinds;
        long edits;
    } cases[] = {
        {1, 300, 12, 4, 1478}, {2, 200, 30, 10, 2483}, {3, 100, 30, 40, 1184},
        {4, 30, 90, 30, 1266}, {5, 20, 90, 100, 876},  {6, 40, 70, 3, 1303},
    };
    const edits_engine *const engines[] = {&edits_window, &edits_beam};
    edits_work w = {0};
    sequence hyp = {0}, ref = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lcg r = {cases[i].seed};
        long sum = 0;
        for (uint32_t t = 0; t < cases[i].trials; t++) {
            random_pair(&r, cases[i].most, cases[i].most, cases[i].kinds, &hyp, &ref);
            sum += edits_count(&w, &hyp, &ref);
        }
        CU_ASSERT_EQUAL(sum, cases[i].edits);
    }
    /* Both engines, where lengths are far apart and the beam is too narrow. */
    int wrong = 0;
    for (uint32_t t = 0; t < 400; t++) {
        lcg r = {t};
        long edits[2];
        random_pair(&r, t % 4 ? 150 : 5, 150, 3 + t % 7 * 40, &hyp, &ref);
        if (ref.n > 49 * hyp.n) continue;
        for (int e = 0; e < 2; e++) edits[e] = edits_count_by(engines[e], &w, &hyp, &ref);
        wrong += edits[0] != edits[1];
    }
    CU_ASSERT_EQUAL(wrong, 0);
    edits_free(&w);
    sequence_free(&hyp);
    sequence_free(&ref);
}

/* References so much longer than the hypothesis that the equal words at the start lie outside the beam, and
 * lines longer than a window's masks. */
static void odd_lengths(void)
{
    static const struct {
        size_t n_hyp, n_ref;
        long edits;
    } cases[] = {{1, 200, 200},  {2, 300, 300},    {200, 1, 199},
                 {300, 290, 10}, {5000, 4990, 10}, {3, 1000, 1000}};
    edits_work w = {0};
    sequence hyp = {0}, ref = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sequence_clear(&hyp, cases[i].n_hyp);
        sequence_clear(&ref, cases[i].n_ref);
        for (; hyp.n < cases[i].n_hyp; hyp.n++) hyp.at[hyp.n] = (uint32_t)hyp.n + 1;
        for (; ref.n < cases[i].n_ref; ref.n++)
            ref.at[ref.n] = ref.n < hyp.n ? (uint32_t)ref.n + 1 : SYMBOL_NONE;
        CU_ASSERT_EQUAL(edits_count(&w, &hyp, &ref), cases[i].edits);
    }
    edits_free(&w);
    sequence_free(&hyp);
    sequence_free(&ref);
}

static void signatures(void)
{
    metric_options o = metric_defaults();
    metric_setting s = {.n_refs = 1};
    signature_is("ter", &o, &s, "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0+tulk.");
    o.ter = (ter_options){true, true, true, true};
    s = (metric_setting){.n_refs = 3, .n_trials = 10000, .seed = "none", .brief = true};
    signature_is("ter", &o, &s, "#:3|ar:10000|rs:none|c:mixed|t:tercom|nr:yes|pn:no|as:yes|v:2.6.0+tulk.");
    CU_ASSERT_TRUE(metric_find("ter")->lower_is_better);
}

int main(void)
{
    CU_TestInfo tests[] = {{"scores of a corpus", scores_of_a_corpus},
                           {"scores of segments", scores_of_segments},
                           {"edits of random words", edits_of_random_words},
                           {"odd lengths", odd_lengths},
                           {"signatures", signatures},
                           CU_TEST_INFO_NULL};
    return suite_run("ter", tests);
}
