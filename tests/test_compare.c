/* Two systems side by side: words and their marks, the classic mistakes, what a comparison says, and that a
 * page shows any text as text. */
#include "eval/compare.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "eval/counts.h"
#include "eval/example.h"
#include "eval/report_html.h"
#include "eval/report_text.h"
#include "suite.h"

/* --------------------------------------------------------------------------------------- words */

static void test_counts(void)
{
    enum { WORDS = 5000 };
    word_counts *w = word_counts_new();
    char word[16];
    for (int i = 0; i < WORDS; i++) {
        snprintf(word, sizeof word, "w%d", i);
        word_counts_add(w, span_of(word), i % 3);
    }
    word_counts_meet(w, span_of("w7"));
    word_counts_meet(w, span_of("unknown"));
    word_counts_add(w, span_of(""), 4);
    int wrong = 0;
    for (int i = 0; i < WORDS; i++) {
        snprintf(word, sizeof word, "w%d", i);
        wrong += word_counts_of(w, span_of(word)) != i % 3 + (i == 7);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(word_counts_of(w, span_of("unknown")), 0);
    CU_ASSERT_EQUAL(word_counts_of(w, span_of("")), 4);
    word_counts_free(w);
}

/* The line with a letter for each word: = match, ~ moved, ! other. */
static void marks(const marked_line *l, char *out)
{
    for (size_t i = 0; i < l->n; i++) *out++ = "=~!"[l->words[i].mark];
    *out = '\0';
}

static bool marked(const char *hyp, const char *ref, bool lowercase, const char *hyp_marks,
                   const char *ref_marks)
{
    marked_line h, r;
    char got_hyp[64], got_ref[64];
    marking_of(span_of(hyp), span_of(ref), lowercase, &h, &r);
    marks(&h, got_hyp);
    marks(&r, got_ref);
    str joined = {0};
    for (size_t i = 0; i < h.n; i++) str_add_span(&joined, h.words[i].text);
    bool good = !strcmp(got_hyp, hyp_marks) && !strcmp(got_ref, ref_marks) &&
                span_eq(str_span(&joined), span_of(hyp));
    if (!good) printf("\n    %s (%s) | %s (%s)", hyp, got_hyp, ref, got_ref);
    str_free(&joined);
    marked_line_free(&h);
    marked_line_free(&r);
    return good;
}

static void test_marking(void)
{
    CU_ASSERT(marked("the cat sat.", "the cat sat.", false, "====", "===="));
    CU_ASSERT(marked("a cat sat", "the cat sat", false, "!==", "!=="));
    CU_ASSERT(marked("sat the cat", "the cat sat", false, "~==", "==~"));
    CU_ASSERT(marked("the the the", "the cat", false, "=!!", "=!"));
    CU_ASSERT(marked("The Cat", "the cat", false, "!!", "!!"));
    CU_ASSERT(marked("The Cat", "the cat", true, "==", "=="));
    CU_ASSERT(marked("", "the cat", false, "", "!!"));
    CU_ASSERT(marked("the cat", "", false, "!!", ""));
    CU_ASSERT(marked(" \xFF  a ", "a", false, "!!!=!", "="));
}

/* Too long for a table of lengths: words count without order. */
static void test_long_marking(void)
{
    enum { WORDS = 6000 };
    str a = {0}, b = {0};
    for (int i = 0; i < WORDS; i++) {
        str_addf(&a, "%sx%d", i ? " " : "", i);
        str_addf(&b, "%sx%d", i ? " " : "", WORDS - i);
    }
    marked_line h, r;
    marking_of(str_span(&a), str_span(&b), false, &h, &r);
    size_t moved = 0, other = 0;
    for (size_t i = 0; i < h.n; i++) {
        moved += h.words[i].mark == MARK_MOVED;
        other += h.words[i].mark == MARK_OTHER;
    }
    CU_ASSERT(moved >= WORDS - 1 && other <= 1 + h.n - WORDS);
    marked_line_free(&h);
    marked_line_free(&r);
    str_free(&a);
    str_free(&b);
}

/* ------------------------------------------------------------------------------------ mistakes */

enum { LINES = 12 };

/* The findings about LINES copies of both lines: what the first says, or "". */
static const char *found(const char *hyp, const char *ref, bool tokenized, bool caseless)
{
    static char text[1024];
    span hyps[LINES], refs[LINES];
    for (int i = 0; i < LINES; i++) {
        hyps[i] = span_of(hyp);
        refs[i] = span_of(ref);
    }
    text_side h = {"HYP", hyps, LINES, 1}, r = {"REF", refs, LINES, 1};
    findings f = {0};
    mistakes_find(&h, &r, tokenized, caseless, &f);
    snprintf(text, sizeof text, "%s", f.n ? f.list[0] : "");
    findings_free(&f);
    return text;
}

static void test_mistakes(void)
{
    const char *plain = "The \"old\" man's dog, at 3.5 km, barks.";
    CU_ASSERT_STRING_EQUAL(found(plain, plain, false, false), "");
    CU_ASSERT_STRING_EQUAL(found("He said ... .5", "It is ... .5", false, false), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(found("The dog , barks .", plain, false, false), "12 of 12 lines"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("The dog&apos;s tail", plain, false, false), "Detokenise"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("A dog .", "A cat .", false, false), "both look tokenised"));
    CU_ASSERT_STRING_EQUAL(found("A dog .", "A cat .", true, false), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(found("The do@@ g barks.", plain, false, false), "subwords"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("\u2581The \u2581dog barks.", plain, false, false), "subwords"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("the dog barks.", plain, false, false), "HYP looks lower-cased"));
    CU_ASSERT_STRING_EQUAL(found("the dog barks.", plain, false, true), "");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(found(plain, "the dog barks.", false, false), "The reference looks lower-cased"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("dogs of Berlin", "Dogs of Berlin", false, false), "truecased"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("Cafe\u0301 au lait", "Caf\u00E9 au lait", false, false), "NFC"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(found("Caf\u00E9 au lait", "Cafe\u0301 au lait", false, false), "REF has 12 lines"));
}

static void test_signs(void)
{
    const char *curly = "\u201CNo,\u201D he said.", *straight = "\"No,\" he said.";
    CU_ASSERT_PTR_NOT_NULL(strstr(found(straight, curly, false, false), "quotation marks"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found(curly, straight, false, false), "quotation marks"));
    CU_ASSERT_STRING_EQUAL(found(curly, curly, false, false), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(found("It's", "It\u2019s", false, false), "apostrophes"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("So...", "So\u2026", false, false), "dots"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found("", "So it is", false, false), "12 empty lines"));
}

/* ----------------------------------------------------------------------------------- comparison */

enum { SENTENCES = 90 };

typedef struct {
    str text;
    span hyps[COMPARE_SYSTEMS][SENTENCES], refs[2 * SENTENCES];
    compare_texts texts;
} material;

static void add_sentence(str *out, uint64_t place, double noise)
{
    static const char *const words[] = {"der",   "Hund", "sieht",      "eine", "rote",
                                        "Katze", "und",  "l\u00E4uft", "weg"};
    rng order = rng_at(1, RNG_TEST, place), spoil = rng_at(2, RNG_TEST, place);
    int n = 1 + (int)rng_below(&order, 33);
    for (int i = 0; i < n; i++) {
        const char *word = words[rng_below(&order, 9)];
        if (rng_uniform(&spoil) < noise)
            str_addf(out, "%sx%d", i ? " " : "", (int)rng_below(&spoil, 50));
        else
            str_addf(out, "%s%s", i ? " " : "", word);
    }
    str_addf(out, ".");
}

/* A makes more mistakes than B. */
static material *make_material(void)
{
    static const double noise[] = {0.4, 0.2, 0, 0.1};
    material *m = xcalloc(1, sizeof *m);
    size_t ends[4 * SENTENCES + 1] = {0};
    for (int i = 0; i < 4 * SENTENCES; i++) {
        add_sentence(&m->text, (uint64_t)i / 4, i >= 4 * (SENTENCES - 5) ? 0 : noise[i % 4]);
        ends[i + 1] = m->text.n;
    }
    for (int i = 0; i < 4 * SENTENCES; i++) {
        span line = {m->text.p + ends[i], ends[i + 1] - ends[i]};
        int at = i / 4, which = i % 4;
        if (which < 2)
            m->hyps[which][at] = line;
        else
            m->refs[2 * at + which - 2] = line;
    }
    static const char *const ref_names[] = {"ref <1>", "ref2"};
    m->texts =
        (compare_texts){{"sys&a", "sys'b"}, {m->hyps[0], m->hyps[1]}, ref_names, m->refs, 2, SENTENCES};
    return m;
}

static void free_material(material *m)
{
    str_free(&m->text);
    free(m);
}

static compare_options all_metrics(void)
{
    compare_options o = {
        .options = metric_defaults(), .n_samples = 100, .seed = 12345, .width = 1, .examples = 7};
    for (const metric *m = metrics; m->key; m++) o.metrics[o.n_metrics++] = m;
    return o;
}

static comparison *compare(const compare_texts *texts, const compare_options *o)
{
    comparison *c = comparison_new(texts, o);
    comparison_run(c);
    return c;
}

/* The score of some sentences of a system, by the metric alone. */
static double score_of(const material *m, const metric *k, int system, long from, long to)
{
    metric_options o = metric_defaults();
    metric_work *w = metric_work_new();
    double sums[METRIC_MAX_STATS] = {0}, row[METRIC_MAX_STATS];
    for (long i = from; i < to; i++) {
        k->stats(&o, w, m->hyps[system][i], m->refs + 2 * i, 2, row);
        for (int j = 0; j < k->n_stats(&o); j++) sums[j] += row[j];
    }
    metric_work_free(w);
    return k->score(&o, sums, METRIC_DOUBLE);
}

static void test_scores(void)
{
    material *m = make_material();
    compare_options o = all_metrics();
    comparison *c = compare(&m->texts, &o);
    for (int k = 0; k < o.n_metrics; k++) {
        const compared_score *s = &c->scores[k];
        for (int system = 0; system < COMPARE_SYSTEMS; system++)
            CU_ASSERT_DOUBLE_EQUAL(s->score[system], score_of(m, o.metrics[k], system, 0, SENTENCES), 1e-9);
        CU_ASSERT_EQUAL(s->better, 1);
        CU_ASSERT(s->p_value < 0.05);
        CU_ASSERT_DOUBLE_EQUAL(s->difference, s->score[1] - s->score[0], 1e-12);
        CU_ASSERT_EQUAL(s->difference < 0, o.metrics[k]->lower_is_better);
    }
    CU_ASSERT_DOUBLE_EQUAL(c->bleu[0].score, score_of(m, metric_find("bleu"), 0, 0, SENTENCES), 1e-9);
    CU_ASSERT_STRING_EQUAL(c->judge->key, "chrf");
    comparison_free(c);
    free_material(m);
}

static void test_buckets(void)
{
    material *m = make_material();
    compare_options o = all_metrics();
    m->texts.n_refs = 1; /* every second reference: the rows are (n, n_refs) */
    for (int i = 0; i < SENTENCES; i++) m->refs[i] = m->refs[2 * i];
    comparison *c = compare(&m->texts, &o);
    long sentences = 0;
    int64_t words = 0, matches = 0;
    for (int b = 0; b < LENGTH_BUCKETS; b++) sentences += c->lengths[b].sentences;
    for (int b = 0; b < WORD_BUCKETS; b++) {
        const word_bucket *w = &c->words[b];
        words += w->ref;
        matches += w->match[1];
        for (int s = 0; s < COMPARE_SYSTEMS; s++)
            CU_ASSERT(w->match[s] <= w->ref && w->match[s] <= w->hyp[s]);
        double p = bucket_precision(w, 1), r = bucket_recall(w, 1);
        if (p + r > 0) CU_ASSERT_DOUBLE_EQUAL(bucket_f1(w, 1), 2 * p * r / (p + r), 1e-12);
    }
    CU_ASSERT_EQUAL(sentences, SENTENCES);
    CU_ASSERT_EQUAL(words, c->bleu_sums[0].ref_len);
    CU_ASSERT_EQUAL(matches, c->bleu_sums[1].counts[0]);                        /* clipped unigrams */
    CU_ASSERT(c->words[0].ref == 0 && c->words[0].hyp[0] > c->words[0].hyp[1]); /* invented words */
    CU_ASSERT(c->lengths[0].sentences > 0 && c->lengths[3].sentences > 0 && c->lengths[5].sentences == 0);
    comparison_free(c);
    free_material(m);
}

/* Words counted in another text. */
static void test_other_counts(void)
{
    material *m = make_material();
    compare_options o = all_metrics();
    o.word_source = "train";
    comparison *c = comparison_new(&m->texts, &o);
    for (int i = 0; i < 3; i++) comparison_count_words(c, span_of("der der Hund, unrelated"));
    comparison_run(c);
    CU_ASSERT(c->words[3].ref > 0);                          /* Hund: 3 */
    CU_ASSERT(c->words[5].from == 5 && c->words[5].ref > 0); /* der: 6 */
    CU_ASSERT(c->words[0].ref > 0);                          /* the others */
    comparison_free(c);
    free_material(m);
}

static void test_sentences(void)
{
    material *m = make_material();
    compare_options o = all_metrics();
    comparison *c = compare(&m->texts, &o);
    CU_ASSERT_EQUAL(c->better[0] + c->better[1] + c->equal, SENTENCES);
    CU_ASSERT(c->better[1] > c->better[0] && c->identical >= 5 && c->equal >= c->identical);
    long bars = 0;
    for (int i = 0; i < DIFFERENCE_BARS; i++) bars += c->bars[i];
    CU_ASSERT_EQUAL(bars, SENTENCES);
    CU_ASSERT_EQUAL(c->n_examples[1], o.examples);
    for (int s = 0; s < COMPARE_SYSTEMS; s++)
        for (int k = 1; k < c->n_examples[s]; k++) {
            double lead[2];
            for (int j = 0; j < 2; j++) {
                long i = c->examples[s][k - j];
                lead[j] = comparison_sentence(c, c->judge_index, s, i) -
                          comparison_sentence(c, c->judge_index, !s, i);
            }
            CU_ASSERT(lead[0] > 0 && lead[1] >= lead[0]);
        }
    comparison_free(c);
    free_material(m);
}

/* The reports are functions of the figures: equal reports, equal figures. */
static void reports(const compare_texts *texts, const compare_options *o, str *out)
{
    comparison *c = compare(texts, o);
    report_text(c, out);
    report_html(c, out);
    comparison_free(c);
}

static void test_threads(void)
{
    int threads = team_threads();
    material *m = make_material();
    compare_options o = all_metrics();
    str one = {0}, three = {0};
    team_set_threads(1);
    reports(&m->texts, &o, &one);
    team_set_threads(3);
    reports(&m->texts, &o, &three);
    team_set_threads(threads);
    CU_ASSERT(one.n > 1000 && span_eq(str_span(&one), str_span(&three)));
    str_free(&one);
    str_free(&three);
    free_material(m);
}

/* The smallest test set: one sentence, with nothing in it. */
static void test_smallest(void)
{
    static const char *const lines[] = {"", "a"};
    compare_options o = all_metrics();
    for (int h = 0; h < 2; h++)
        for (int r = 0; r < 2; r++) {
            span hyp = span_of(lines[h]), ref = span_of(lines[r]), other = span_of("a b");
            const char *name = "ref";
            compare_texts t = {{"a", "b"}, {&hyp, &other}, &name, &ref, 1, 1};
            str out = {0};
            reports(&t, &o, &out);
            CU_ASSERT(out.n > 500 && !strstr(out.p, "nan") && !strstr(out.p, "inf"));
            str_free(&out);
        }
}

/* --------------------------------------------------------------------------------------- pages */

static void test_escape(void)
{
    str out = {0};
    html_escape((span){"<a href='x'>&\"\t\x01\x7F\xFF\xC2\x85", 20}, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\t\uFFFD\uFFFD\uFFFD\uFFFD");
    str_free(&out);
}

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
    return n;
}

/* Every element that is opened is closed, and nothing is fetched from elsewhere. */
static void test_page(void)
{
    static const char *const elements[] = {"html", "head",   "body",    "main", "section", "table",
                                           "tr",   "td",     "th",      "dl",   "dt",      "dd",
                                           "svg",  "rect",   "span",    "p",    "ul",      "li",
                                           "h2",   "header", "article", "b",    "code",    "button"};
    material *m = make_material();
    m->hyps[1][3] = span_of("</p><script>alert('x')</script> <img src=http://x onerror=y>");
    compare_options o = all_metrics();
    o.examples = SENTENCES;
    comparison *c = compare(&m->texts, &o);
    str out = {0};
    report_html(c, &out);
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        char open[32], with[32], close[32];
        snprintf(open, sizeof open, "<%s>", elements[i]);
        snprintf(with, sizeof with, "<%s ", elements[i]);
        snprintf(close, sizeof close, "</%s>", elements[i]);
        int opened = count_of(out.p, open) + count_of(out.p, with), closed = count_of(out.p, close);
        if (opened != closed || !opened) printf("\n    %s: %d, %d", elements[i], opened, closed);
        CU_ASSERT(opened == closed);
    }
    CU_ASSERT_EQUAL(count_of(out.p, "<script>"), 1);
    CU_ASSERT_EQUAL(count_of(out.p, "<img"), 0);
    CU_ASSERT_EQUAL(count_of(out.p, "<link"), 0);
    CU_ASSERT_EQUAL(count_of(out.p, "url("), 0);
    CU_ASSERT_EQUAL(count_of(out.p, "@import"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.p, "&lt;/p&gt;&lt;script&gt;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.p, "<dd>sys&amp;a</dd>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.p, "<dd>ref &lt;1&gt;</dd>"));
    str_free(&out);
    comparison_free(c);
    free_material(m);
}

/* A terminal must not obey what a translation holds. */
static void test_controls(void)
{
    material *m = make_material();
    m->hyps[1][3] = span_of("\x1B[2J \x9B wiped \xC2\x9B");
    compare_options o = all_metrics();
    o.examples = SENTENCES;
    comparison *c = compare(&m->texts, &o);
    str out = {0};
    report_text(c, &out);
    report_html(c, &out);
    CU_ASSERT_PTR_NULL(strchr(out.p, 0x1B));
    CU_ASSERT_PTR_NULL(strstr(out.p, "\xC2\x9B"));
    CU_ASSERT(count_of(out.p, "wiped") >= 2);
    str_free(&out);
    comparison_free(c);
    free_material(m);
}

static void test_labels(void)
{
    char out[48];
    CU_ASSERT_STRING_EQUAL(bucket_label(5, 9, out), "5-9");
    CU_ASSERT_STRING_EQUAL(bucket_label(4, 4, out), "4");
    CU_ASSERT_STRING_EQUAL(bucket_label(60, LONG_MAX, out), "60+");
}

int main(void)
{
    CU_TestInfo tests[] = {{"words are counted", test_counts},
                           {"words are marked", test_marking},
                           {"words of long lines are marked", test_long_marking},
                           {"classic mistakes are seen", test_mistakes},
                           {"other signs are seen", test_signs},
                           {"scores are those of the metrics", test_scores},
                           {"buckets add up", test_buckets},
                           {"words counted elsewhere", test_other_counts},
                           {"sentences that differ", test_sentences},
                           {"the same with any number of threads", test_threads},
                           {"one sentence, and empty ones", test_smallest},
                           {"escapes", test_escape},
                           {"the page is whole", test_page},
                           {"controls are not obeyed", test_controls},
                           {"labels", test_labels},
                           CU_TEST_INFO_NULL};
    return suite_run("compare", tests);
}
