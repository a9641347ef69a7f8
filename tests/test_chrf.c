/* chrF. Expected figures were computed with sacreBLEU's formulas, apart from this program. */
#include <string.h>

#include "segments.h"
#include "suite.h"

/* char_order, word_order, beta, lowercase, whitespace, eps_smoothing */
static void scores_of_a_corpus(void)
{
    static const struct {
        chrf_options o;
        int n_refs;
        double score;
        const char *name;
    } cases[] = {
        {{6, 0, 2, false, false, false}, 1, 44.995498264734415, "chrF2"},
        {{6, 0, 2, false, false, false}, 2, 50.32676630259605, "chrF2"},
        {{6, 1, 2, false, false, false}, 1, 46.64691265250292, "chrF2+"},
        {{6, 1, 2, false, false, false}, 2, 51.51053906588623, "chrF2+"},
        {{6, 2, 2, false, false, false}, 1, 43.28846171148839, "chrF2++"},
        {{6, 2, 2, false, false, false}, 2, 48.5570158154824, "chrF2++"},
        {{6, 0, 2, true, false, false}, 1, 54.82076319753637, "chrF2"},
        {{6, 0, 2, true, false, false}, 2, 58.310845343426976, "chrF2"},
        {{6, 0, 2, false, true, false}, 1, 52.02094950380477, "chrF2"},
        {{6, 0, 2, false, true, false}, 2, 54.80251545890283, "chrF2"},
        {{6, 2, 2, true, true, false}, 1, 55.94594424066498, "chrF2++"},
        {{6, 2, 2, true, true, false}, 2, 57.64495936872611, "chrF2++"},
        {{6, 0, 1, false, false, false}, 1, 45.91640395333004, "chrF1"},
        {{6, 0, 1, false, false, false}, 2, 50.92486172550823, "chrF1"},
        {{6, 2, 3, false, false, false}, 1, 43.076486246679664, "chrF3++"},
        {{6, 2, 3, false, false, false}, 2, 48.483209612306325, "chrF3++"},
        {{3, 0, 2, false, false, false}, 1, 62.100917420355884, "chrF2"},
        {{3, 0, 2, false, false, false}, 2, 66.9883322359627, "chrF2"},
        {{10, 4, 2, false, false, false}, 1, 26.119889458379888, "chrF2++++"},
        {{10, 4, 2, false, false, false}, 2, 34.68180863261141, "chrF2++++"},
        {{6, 0, 2, false, false, true}, 1, 44.99371330589464, "chrF2"},
        {{6, 0, 2, false, false, true}, 2, 53.968883602905066, "chrF2"},
        {{6, 2, 2, false, false, true}, 1, 43.27760763388322, "chrF2++"},
        {{6, 2, 2, false, false, true}, 2, 51.54234286832625, "chrF2++"},
        {{0, 2, 2, false, false, false}, 1, 38.1342144126555, "chrF2++"},
        {{0, 2, 2, false, false, false}, 2, 43.59887137802988, "chrF2++"},
        {{6, 0, 0, false, false, false}, 1, 47.53797320802931, "chrF0"},
        {{6, 0, 0, false, false, false}, 2, 51.95391650580991, "chrF0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        metric_options o = {.chrf = cases[i].o};
        double sums[METRIC_MAX_STATS];
        str name = {0};
        CU_ASSERT_TRUE(near(corpus_score("chrf", &o, cases[i].n_refs, sums), cases[i].score));
        metric_find("chrf")->name(&o, &name);
        CU_ASSERT_STRING_EQUAL(str_text(&name), cases[i].name);
        str_free(&name);
    }
}

/* n-grams of the hypothesis, of the better reference, of both: for each order of characters, then of words.
 */
static void statistics_of_a_segment(void)
{
    static const double expected[] = {20, 18, 17, 19, 17, 14, 18, 16, 11, 17, 15, 8,
                                      16, 14, 5,  15, 13, 2,  6,  5,  3,  5,  4,  0};
    metric_options o = metric_defaults();
    o.chrf.word_order = 2;
    metric_work *w = metric_work_new();
    double sums[METRIC_MAX_STATS] = {0};
    add_segment(metric_find("chrf"), &o, w, &corpus[0], 2, sums);
    CU_ASSERT_EQUAL(metric_find("chrf")->n_stats(&o), 24);
    CU_ASSERT_EQUAL(memcmp(sums, expected, sizeof expected), 0);
    metric_work_free(w);
}

/* Of two references that are equally good the first one counts: here they differ in length alone. */
static void the_first_of_equal_references(void)
{
    metric_options o = metric_defaults();
    metric_work *w = metric_work_new();
    double sums[METRIC_MAX_STATS] = {0};
    segment g = {"abc", {"xyz", "uvwxyz"}};
    add_segment(metric_find("chrf"), &o, w, &g, 2, sums);
    CU_ASSERT_EQUAL(sums[1], 3);
    metric_work_free(w);
}

/* In single precision the quotients are rounded. */
static void single_precision(void)
{
    metric_options o = metric_defaults();
    double sums[METRIC_MAX_STATS];
    double exact = corpus_score("chrf", &o, 1, sums);
    double single = metric_find("chrf")->score(&o, sums, METRIC_SINGLE);
    CU_ASSERT_NOT_EQUAL(single, exact);
    CU_ASSERT_TRUE(fabs(single - exact) < 1e-4);
    CU_ASSERT_EQUAL(metric_find("chrf")->score(&o, sums, METRIC_WHOLE), exact);
}

/* A line that is too long for the small tables, equal to its reference but for one character. */
static void long_line(void)
{
    enum { LENGTH = 200000 };
    metric_options o = metric_defaults();
    metric_work *w = metric_work_new();
    str hyp = {0}, ref = {0};
    uint32_t x = 1;
    for (int i = 0; i < LENGTH; i++) {
        x = x * 1664525 + 1013904223;
        str_add_char(&hyp, (char)('a' + (x >> 16) % 26));
        str_add_char(&ref, i == LENGTH / 2 ? '!' : hyp.p[i]);
    }
    double stats[METRIC_MAX_STATS];
    span refs[1] = {str_span(&ref)};
    metric_find("chrf")->stats(&o, w, str_span(&hyp), refs, 1, stats);
    for (int n = 6; n >= 5; n--) { /* nearly all of these are unique */
        CU_ASSERT_EQUAL(stats[3 * n - 3], LENGTH - n + 1);
        CU_ASSERT_TRUE(stats[3 * n - 1] >= LENGTH - n + 1 - n && stats[3 * n - 1] < LENGTH - n + 1);
    }
    str_free(&hyp);
    str_free(&ref);
    metric_work_free(w);
}

static void signatures(void)
{
    metric_options o = metric_defaults();
    metric_setting s = {.n_refs = 2};
    signature_is("chrf", &o, &s, "nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0+tulk.");
    o.chrf = (chrf_options){4, 2, 3, true, true, true};
    s = (metric_setting){.n_refs = 1, .n_bootstrap = 1000, .seed = "12345"};
    signature_is("chrf", &o, &s,
                 "nrefs:1|bs:1000|seed:12345|case:lc|eff:no|nc:4|nw:2|space:yes|version:2.6.0+tulk.");
    s.brief = true;
    signature_is("chrf", &o, &s, "#:1|bs:1000|rs:12345|c:lc|e:no|nc:4|nw:2|s:yes|v:2.6.0+tulk.");
}

int main(void)
{
    CU_TestInfo tests[] = {{"scores of a corpus", scores_of_a_corpus},
                           {"statistics of a segment", statistics_of_a_segment},
                           {"the first of equal references", the_first_of_equal_references},
                           {"single precision", single_precision},
                           {"long line", long_line},
                           {"signatures", signatures},
                           CU_TEST_INFO_NULL};
    return suite_run("chrf", tests);
}
