/* BLEU and what is under it. The expected scores were computed from the definitions, apart from this program.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "eval/bleu.h"
#include "eval/metric.h"
#include "eval/ngrams.h"
#include "eval/result.h"
#include "eval/segment.h"
#include "eval/tokenize.h"
#include "suite.h"
#include "tokens.h"

/* ------------------------------------------------------------------------------------ segments */

static void white_space(void)
{
    /* All that Python counts as white space, and three that look like it and are not. */
    static const char spaces[] =
        "\t\n\v\f\r\x1C\x1D\x1E\x1F \xC2\x85\xC2\xA0\xE1\x9A\x80\xE2\x80\x80\xE2\x80\x8A"
        "\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAF\xE2\x81\x9F\xE3\x80\x80";
    span rest = SPAN(spaces), token;
    CU_ASSERT_FALSE(segment_token(&rest, &token));
    CU_ASSERT_EQUAL(segment_rstrip(SPAN(spaces)).n, 0);
    CU_ASSERT_TRUE(tokens_are("none",
                              SPAN("a\xE2\x80\x8B"
                                   "b \xE1\xA0\x8E \xEF\xBB\xBF"),
                              "a\xE2\x80\x8B"
                              "b \xE1\xA0\x8E \xEF\xBB\xBF"));
    CU_ASSERT_TRUE(tokens_are("none",
                              SPAN("x\xC2\xA0y\xE2\x80\x89z\xE3\x80\x80"
                                   "e\xCC\x81\x85"),
                              "x y z e\xCC\x81\x85")); /* the last byte is no UTF-8 and stays */
    CU_ASSERT_EQUAL(segment_rstrip(SPAN(" a b\xC2\xA0 \r")).n, 4);
    CU_ASSERT_EQUAL(segment_rstrip(SPAN("a\xA0")).n, 2);
    CU_ASSERT_EQUAL(segment_rstrip(SPAN("")).n, 0);
}

static void tokens_of_a_line_with_nul(void)
{
    span rest = SPAN("a\0b  c"), token;
    CU_ASSERT_TRUE(segment_token(&rest, &token));
    CU_ASSERT_TRUE(span_eq(token, SPAN("a\0b")));
    CU_ASSERT_TRUE(segment_token(&rest, &token));
    CU_ASSERT_TRUE(span_eq(token, SPAN("c")));
    CU_ASSERT_FALSE(segment_token(&rest, &token));
}

static void lower_case(void)
{
    static const text_case cases[] = {
        {"Grüße ÉCOLE Эй", "grüße école эй"},
        {"STRAẞE ǅ ΩK", "straße ǆ ωk"},             /* titlecase; Ohm and Kelvin signs */
        {"İI", "i\xCC\x87i"},                       /* the only letter that becomes two */
        {"ΟΔΟΣ ΣΑΣ Σ", "οδος σας σ"},               /* final only after a letter */
        {"ΑΣ.Α ΑΣ. ΑΣ' ΑΣ'Α", "ασ.α ας. ας' ασ'α"}, /* points inside words are looked through */
        {"ΑΣ\xCD\x85 Α\xCC\x81Σ 1Σ ⅣΣ", "ας\xCD\x85 α\xCC\x81ς 1σ ⅳς"},
        {"ΑΣΑ ΑΣ1 \xC2\xADΣ", "ασα ας1 \xC2\xADσ"},
        {"Ⓐ 𐐀", "ⓐ 𐐨"},
        {"A\xFF"
         "B\xC3",
         "a\xFF"
         "b\xC3"}, /* bytes that are no UTF-8 stay */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str out = {0};
        segment_lower(span_of(cases[i].in), &out);
        CU_ASSERT_STRING_EQUAL(str_text(&out), cases[i].out);
        str_free(&out);
    }
}

/* ------------------------------------------------------------------------------------ n-grams */

enum { MOST_SYMBOLS = 24, MOST_ORDER = 5 };

static bool has(const sequence *s, uint32_t symbol)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i] == symbol) return true;
    return false;
}

/* Symbols of a reference that the hypothesis does not have are SYMBOL_NONE. */
static void random_symbols(rng *r, sequence *s, const sequence *hyp)
{
    size_t n = rng_below(r, MOST_SYMBOLS);
    sequence_clear(s, MOST_SYMBOLS);
    for (; s->n < n; s->n++) {
        uint32_t symbol = (uint32_t)rng_below(r, 3) + 1;
        s->at[s->n] = !hyp || has(hyp, symbol) ? symbol : SYMBOL_NONE;
    }
}

static int occurrences(const sequence *s, size_t n, const uint32_t *gram, int order)
{
    int found = 0;
    for (size_t i = 0; i + (size_t)order <= n; i++)
        found += memcmp(s->at + i, gram, (size_t)order * sizeof *gram) == 0;
    return found;
}

/* The definition: for each distinct n-gram of hyp, the smaller of its counts there and in its best reference.
 */
static int shared_ngrams(const sequence *hyp, const sequence *refs, int n_refs, int order)
{
    int sum = 0;
    for (size_t i = 0; i + (size_t)order <= hyp->n; i++) {
        const uint32_t *gram = hyp->at + i;
        if (occurrences(hyp, i + (size_t)order - 1, gram, order)) continue; /* seen before */
        int best = 0, in_hyp = occurrences(hyp, hyp->n, gram, order);
        for (int r = 0; r < n_refs; r++) {
            int in_ref = occurrences(&refs[r], refs[r].n, gram, order);
            best = in_ref > best ? in_ref : best;
        }
        sum += in_hyp < best ? in_hyp : best;
    }
    return sum;
}

static void ngrams_follow_the_definition(void)
{
    rng r = rng_at(7, RNG_TEST, 0);
    ngrams g = {0};
    sequence hyp = {0}, refs[2] = {{0}};
    int wrong = 0, matched = 0;
    for (int trial = 0; trial < 500; trial++) {
        int64_t matches[2 * MOST_ORDER], clipped[MOST_ORDER];
        random_symbols(&r, &hyp, NULL);
        for (int i = 0; i < 2; i++) random_symbols(&r, &refs[i], &hyp);
        ngrams_match(&g, &hyp, refs, 2, MOST_ORDER, matches, clipped);
        for (int order = 1; order <= MOST_ORDER; order++) {
            int expected = shared_ngrams(&hyp, refs, 2, order);
            matched += expected;
            wrong += clipped[order - 1] != expected;
            for (int i = 0; i < 2; i++)
                wrong += matches[2 * (order - 1) + i] != shared_ngrams(&hyp, &refs[i], 1, order);
            wrong += ngrams_total(hyp.n, order) != (hyp.n >= (size_t)order ? (int64_t)hyp.n - order + 1 : 0);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(matched > 1000);
    ngrams_free(&g);
    sequence_free(&hyp);
    for (int i = 0; i < 2; i++) sequence_free(&refs[i]);
}

/* ------------------------------------------------------------------------------------ corpus scores */

typedef struct {
    const char *hyp, *refs[2];
} segment;

static const segment corpus[] = {
    {"The boat costs $2,499.99 - i.e. 50% off!",
     {"The boat costs $2,499.99, i.e. 50% less!", "That boat is $2,499.99: 50% off."}},
    {"&quot;Salt &amp; Pepper&quot; opened in 1999-2001.",
     {"\"Salt & Pepper\" opened from 1999-2001.", "\"Salt and Pepper\" was open 1999-2001"}},
    {"", {"Nobody answered.", "No answer"}},
    {"Hello there", {"", ""}},
    {"the the the cat", {"The cat sat on the mat", "the cat"}},
    {"ΟΔΟΣ\xC2\xA0İZMIR\xE2\x80\x89x", {"οδος i\xCC\x87zmir x", "Οδος İzmir X"}},
};
enum { CORPUS = sizeof corpus / sizeof *corpus };

static void add_segment(bleu_stats *s, const bleu_options *o, const segment *g, int n_refs)
{
    span refs[2] = {span_of(g->refs[0]), span_of(n_refs > 1 ? g->refs[1] : "")};
    bleu_add(s, o, span_of(g->hyp), refs, n_refs);
}

static bleu_stats add_segments(const bleu_options *o, const segment *segments, int n, int n_refs)
{
    bleu_stats s = {0};
    for (int i = 0; i < n; i++) add_segment(&s, o, &segments[i], n_refs);
    return s;
}

/* As near as two ways through the same formula may come. */
static bool near(double a, double b) { return fabs(a - b) <= 1e-13 * fabs(b); }

static void check_sums(const bleu_stats *s, const int64_t *counts, const int64_t *totals, int sys_len,
                       int ref_len)
{
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(s->counts[i], counts[i]);
        CU_ASSERT_EQUAL(s->totals[i], totals[i]);
    }
    CU_ASSERT_EQUAL(s->sys_len, sys_len);
    CU_ASSERT_EQUAL(s->ref_len, ref_len);
}

static void sums_of_a_corpus(void)
{
    bleu_options o = bleu_defaults();
    bleu_stats s = add_segments(&o, corpus, CORPUS, 2);
    check_sums(&s, (int64_t[]){26, 19, 14, 9}, (int64_t[]){34, 29, 24, 20}, 34, 32);
    s = add_segments(&o, corpus, CORPUS, 1);
    check_sums(&s, (int64_t[]){25, 17, 13, 9}, (int64_t[]){34, 29, 24, 20}, 34, 37);
    o.lowercase = true;
    s = add_segments(&o, corpus, CORPUS, 2);
    check_sums(&s, (int64_t[]){29, 21, 15, 9}, (int64_t[]){34, 29, 24, 20}, 34, 32);
    o.tokenize = "none";
    s = add_segments(&o, corpus, CORPUS, 2);
    check_sums(&s, (int64_t[]){13, 6, 2, 0}, (int64_t[]){23, 18, 13, 9}, 23, 20);
}

static void scores_of_a_corpus(void)
{
    static const struct {
        const char *tokenize, *smooth;
        double value;
        bool lowercase;
        int order, n_refs;
        double score;
    } cases[] = {
        {"13a", "exp", NAN, false, 4, 2, 60.22056633221108},
        {"13a", "exp", NAN, true, 4, 2, 64.5592129497919},
        {"none", "exp", NAN, false, 4, 2, 14.254794085962168},
        {"13a", "floor", NAN, false, 4, 2, 60.22056633221108},
        {"13a", "none", NAN, false, 4, 2, 60.22056633221108},
        {"13a", "add-k", NAN, false, 4, 2, 61.77799111375074},
        {"13a", "exp", NAN, false, 2, 2, 70.78235647270871},
        {"none", "add-k", 0.5, true, 4, 2, 20.975023010386334},
        {"13a", "exp", NAN, false, 4, 1, 52.12475882109567},
        {"none", "exp", NAN, false, 4, 1, 12.701174864966298},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bleu_options o = {.tokenize = cases[i].tokenize,
                          .smooth_method = cases[i].smooth,
                          .smooth_value = cases[i].value,
                          .lowercase = cases[i].lowercase,
                          .max_order = cases[i].order};
        bleu_stats s = add_segments(&o, corpus, CORPUS, cases[i].n_refs);
        CU_ASSERT_TRUE(near(bleu_compute(&s, &o).score, cases[i].score));
    }
}

static void smoothing(void)
{
    static const struct {
        const char *method;
        double value, score, precisions[4];
    } cases[] = {
        {"exp", NAN, 14.058533129758727, {60, 12.5, 100. / 12, 6.25}},
        {"floor", NAN, 7.071067811865475, {60, 2.5, 10. / 3, 5}},
        {"floor", 0.4, 20, {60, 10, 40. / 3, 20}},
        {"none", NAN, 0, {60, 0, 0, 0}},
    };
    segment one = {"a b c d e", {"a x b y c", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bleu_options o = bleu_defaults();
        o.smooth_method = cases[i].method;
        o.smooth_value = cases[i].value;
        bleu_stats s = add_segments(&o, &one, 1, 1);
        bleu_score score = bleu_compute(&s, &o);
        CU_ASSERT_TRUE(near(score.score, cases[i].score));
        for (int n = 0; n < 4; n++) CU_ASSERT_TRUE(near(score.precisions[n], cases[i].precisions[n]));
    }
}

/* Segments too short for an n-gram of the longest order. */
static void short_segments(void)
{
    static const segment two[] = {{"one two", {"one two three", NULL}}, {"four five", {"six five", NULL}}};
    for (const bleu_smoothing *m = bleu_smoothings; m->name; m++) {
        bleu_options o = bleu_defaults();
        o.smooth_method = m->name;
        bleu_stats s = add_segments(&o, two, 2, 1);
        bool adds = strcmp(m->name, "add-k") == 0;
        bleu_score score = bleu_compute(&s, &o);
        CU_ASSERT_TRUE(near(score.bp, 0.7788007830714049));
        CU_ASSERT_TRUE(near(score.score, adds ? 65.48907866815301 : 0));
        CU_ASSERT_TRUE(near(score.precisions[2], adds ? 100 : 0));
        o.effective_order = true;
        CU_ASSERT_TRUE(near(bleu_compute(&s, &o).score, adds ? 65.48907866815301 : 47.69161324512283));
    }
}

/* Without any match the score is zero whatever the smoothing; the brevity penalty is still told. */
static void no_match(void)
{
    static const struct {
        segment text;
        double bp;
    } cases[] = {{{"a b", {"c d e", NULL}}, 0.6065306597126334},
                 {{"", {"c d e", NULL}}, 0},
                 {{"", {"", NULL}}, 1},
                 {{"a", {"", NULL}}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (const bleu_smoothing *m = bleu_smoothings; m->name; m++) {
            bleu_options o = bleu_defaults();
            o.smooth_method = m->name;
            bleu_stats s = add_segments(&o, &cases[i].text, 1, 1);
            bleu_score score = bleu_compute(&s, &o);
            CU_ASSERT_EQUAL(score.score, 0);
            CU_ASSERT_EQUAL(score.precisions[0], 0);
            CU_ASSERT_TRUE(near(score.bp, cases[i].bp));
        }
    }
    bleu_stats nothing = {0};
    bleu_options o = bleu_defaults();
    CU_ASSERT_EQUAL(bleu_compute(&nothing, &o).score, 0);
}

static void closest_reference_length(void)
{
    static const struct {
        const char *hyp, *refs[3];
        int n_refs, expected;
    } cases[] = {
        {"a b c", {"a b", "a b c d"}, 2, 2}, /* equally close: the shorter one, in either order */
        {"a b c", {"a b c d", "a b"}, 2, 2},
        {"a b c", {"a", "a b c d", "a b c d e"}, 3, 4},
        {"a b c", {"", "a b c d e f g"}, 2, 0}, /* an empty reference is one like any other */
        {"", {"a b", "a"}, 2, 1},
    };
    bleu_options o = bleu_defaults();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        span refs[3];
        for (int r = 0; r < cases[i].n_refs; r++) refs[r] = span_of(cases[i].refs[r]);
        bleu_stats s = {0};
        bleu_add(&s, &o, span_of(cases[i].hyp), refs, cases[i].n_refs);
        CU_ASSERT_EQUAL(s.ref_len, cases[i].expected);
    }
}

static void sums_merge(void)
{
    bleu_options o = bleu_defaults();
    bleu_stats whole = add_segments(&o, corpus, CORPUS, 2), parts = {0};
    for (int i = CORPUS - 1; i >= 0; i--) {
        bleu_stats one = add_segments(&o, &corpus[i], 1, 2);
        bleu_merge(&parts, &one);
    }
    CU_ASSERT_EQUAL(memcmp(&whole, &parts, sizeof whole), 0);
}

/* A segment far longer than any buffer, equal to its reference but for one word. */
static void long_segment(void)
{
    enum { WORDS = 20000 };
    str hyp = {0}, ref = {0};
    for (int i = 0; i < WORDS; i++) {
        str_addf(&hyp, "w%d ", i % 9000);
        str_addf(&ref, "w%d ", i == 10000 ? 9999 : i % 9000);
    }
    bleu_options o = bleu_defaults();
    bleu_stats s = {0};
    span refs[1] = {str_span(&ref)};
    bleu_add(&s, &o, str_span(&hyp), refs, 1);
    for (int n = 1; n <= 4; n++) {
        CU_ASSERT_EQUAL(s.totals[n - 1], WORDS - n + 1);
        CU_ASSERT_EQUAL(s.counts[n - 1], WORDS - n + 1 - n);
    }
    str_free(&hyp);
    str_free(&ref);
}

/* ------------------------------------------------------------------------------------ text */

static void signature_is(const bleu_options *o, int n_refs, bool brief, const char *expected)
{
    str out = {0}, want = {0};
    str_addf(&want, "%s", expected);
    eval_add_version(&want);
    metric_options all = {.bleu = *o};
    metric_setting setting = {.n_refs = n_refs, .brief = brief};
    metric_find("bleu")->signature(&all, &setting, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), str_text(&want));
    str_free(&out);
    str_free(&want);
}

static void signatures(void)
{
    bleu_options o = bleu_defaults();
    signature_is(&o, 1, false, "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:");
    signature_is(&o, 1, true, "#:1|c:mixed|e:no|tok:13a|s:exp|v:");
    o = (bleu_options){"none", true, "floor", NAN, 4, true};
    signature_is(&o, 3, false, "nrefs:3|case:lc|eff:yes|tok:none|smooth:floor[0.10]|version:");
    signature_is(&o, 3, true, "#:3|c:lc|e:yes|tok:none|s:floor[0.10]|v:");
    o.smooth_method = "add-k";
    signature_is(&o, 3, true, "#:3|c:lc|e:yes|tok:none|s:add-k[1.00]|v:");
    o.smooth_value = 0.125;
    signature_is(&o, 3, true, "#:3|c:lc|e:yes|tok:none|s:add-k[0.12]|v:");
    o.smooth_method = "none"; /* takes no value, whatever was given */
    signature_is(&o, 3, true, "#:3|c:lc|e:yes|tok:none|s:none|v:");
    str version = {0};
    eval_add_version(&version);
    int major, minor, n = 0;
    CU_ASSERT_TRUE(sscanf(str_text(&version), "2.6.0+tulk.%d.%d%n", &major, &minor, &n) == 2 &&
                   (size_t)n == version.n);
    str_free(&version);
}

static void verbose_text(void)
{
    bleu_options o = bleu_defaults();
    bleu_stats s = add_segments(&o, corpus, CORPUS, 1);
    bleu_score score = bleu_compute(&s, &o);
    str out = {0};
    bleu_verbose(&s, &o, &score, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out),
                           "73.5/58.6/54.2/45.0 (BP = 0.916 ratio = 0.919 hyp_len = 34 ref_len = 37)");
    str_clear(&out);
    o.max_order = 2;
    bleu_stats nothing = {0};
    score = bleu_compute(&nothing, &o);
    bleu_verbose(&nothing, &o, &score, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), "0.0/0.0 (BP = 1.000 ratio = 0.000 hyp_len = 0 ref_len = 0)");
    str_free(&out);
}

int main(void)
{
    CU_TestInfo tests[] = {{"white space", white_space},
                           {"tokens of a line with NUL", tokens_of_a_line_with_nul},
                           {"lower case", lower_case},
                           {"n-grams follow the definition", ngrams_follow_the_definition},
                           {"sums of a corpus", sums_of_a_corpus},
                           {"scores of a corpus", scores_of_a_corpus},
                           {"smoothing", smoothing},
                           {"short segments", short_segments},
                           {"no match", no_match},
                           {"closest reference length", closest_reference_length},
                           {"sums merge", sums_merge},
                           {"long segment", long_segment},
                           {"signatures", signatures},
                           {"verbose text", verbose_text},
                           CU_TEST_INFO_NULL};
    return suite_run("eval", tests);
}
