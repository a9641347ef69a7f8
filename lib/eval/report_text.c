#include "eval/report_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "eval/example.h"
#include "eval/segment.h"
#include "text/chars.h"

static const char letters[COMPARE_SYSTEMS] = {'A', 'B'};

/* From this on a difference is called significant. */
static const double SIGNIFICANT = 0.05;

static void heading(const char *text, str *out) { str_addf(out, "\n%s\n", text); }

/* Paragraphs as wide as a terminal. */
static void add_wrapped(const char *first, const char *next, const char *text, str *out)
{
    enum { WIDTH = 100 };
    size_t column = strlen(first);
    str_addf(out, "%s", first);
    for (span rest = span_of(text), word; segment_token(&rest, &word);) {
        bool start = column == strlen(first) || column == strlen(next);
        if (!start && column + 1 + word.n > WIDTH) {
            str_addf(out, "\n%s", next);
            column = strlen(next);
            start = true;
        }
        if (!start) str_add_char(out, ' ');
        str_add_span(out, word);
        column += word.n + !start;
    }
    str_add_char(out, '\n');
}

/* ------------------------------------------------------------------------------------- scores */

static void add_texts(const comparison *c, str *out)
{
    const compare_texts *t = &c->texts;
    for (int s = 0; s < COMPARE_SYSTEMS; s++) str_addf(out, "%c    %s\n", letters[s], t->names[s]);
    for (int r = 0; r < t->n_refs; r++) str_addf(out, "ref  %s\n", t->ref_names[r]);
    str_addf(out, "%ld sentence%s\n", t->n, t->n == 1 ? "" : "s");
}

static void add_findings(const comparison *c, str *out)
{
    if (!c->findings.n) return;
    heading("Look at this first", out);
    for (int i = 0; i < c->findings.n; i++) add_wrapped("  ! ", "    ", c->findings.list[i], out);
}

static void add_scores(const comparison *c, str *out)
{
    int w = c->options.width;
    bool any = false;
    heading("Scores", out);
    str_addf(out, "  %-10s%12s%12s%12s%12s\n", "", "A", "B", "B - A", "p");
    for (int m = 0; m < c->options.n_metrics; m++) {
        const compared_score *s = &c->scores[m];
        bool sure = s->p_value < SIGNIFICANT;
        any |= sure;
        str_addf(out, "  %-10s%12.*f%12.*f%+12.*f", s->name, w, s->score[0], w, s->score[1], w,
                 s->difference);
        if (isnan(s->p_value))
            str_addf(out, "%12s", "-");
        else
            str_addf(out, "%12.4f%s", s->p_value, sure ? " *" : "  ");
        str_addf(out, "%s\n", s->metric->lower_is_better ? "  lower is better" : "");
    }
    bool bootstrap = c->options.test == COMPARE_BOOTSTRAP;
    str_addf(out, "  p: %s, %ld %s, seed %" PRIu64 "%s\n",
             bootstrap ? "paired bootstrap" : "paired approximate randomisation", c->options.n_samples,
             bootstrap ? "resamples" : "trials", c->options.seed, any ? "; * below 0.05" : "");
    for (int m = 0; m < c->options.n_metrics; m++)
        str_addf(out, "  %-10s%s\n", c->scores[m].name, c->scores[m].signature);
}

static void add_anatomy(const comparison *c, str *out)
{
    heading("What BLEU is made of", out);
    str_addf(out, "  %-26s%12s%12s%12s\n", "", "A", "B", "B - A");
    for (int n = 0; n < c->options.options.bleu.max_order; n++) {
        double a = c->bleu[0].precisions[n], b = c->bleu[1].precisions[n];
        str_addf(out, "  precision of %2d-grams     %12.1f%12.1f%+12.1f\n", n + 1, a, b, b - a);
    }
    const bleu_stats *x = &c->bleu_sums[0], *y = &c->bleu_sums[1];
    str_addf(out, "  %-26s%12.3f%12.3f%+12.3f\n", "brevity penalty", c->bleu[0].bp, c->bleu[1].bp,
             c->bleu[1].bp - c->bleu[0].bp);
    double a = x->ref_len ? (double)x->sys_len / (double)x->ref_len : 0;
    double b = y->ref_len ? (double)y->sys_len / (double)y->ref_len : 0;
    str_addf(out, "  %-26s%12.3f%12.3f%+12.3f\n", "length ratio", a, b, b - a);
    str_addf(out, "  %-26s%12" PRId64 "%12" PRId64 "%+12" PRId64 "\n", "words", x->sys_len, y->sys_len,
             y->sys_len - x->sys_len);
    str_addf(out, "  %-26s%12" PRId64 "%12" PRId64 "\n", "words of the reference", x->ref_len, y->ref_len);
}

/* ------------------------------------------------------------------------------------ buckets */

static void add_lengths(const comparison *c, str *out)
{
    heading("BLEU by length of the reference", out);
    str_addf(out, "  %-14s%12s%12s%12s%12s\n", "words", "sentences", "A", "B", "B - A");
    for (int i = 0; i < LENGTH_BUCKETS; i++) {
        const length_bucket *b = &c->lengths[i];
        char label[48];
        if (b->sentences)
            str_addf(out, "  %-14s%12ld%12.1f%12.1f%+12.1f\n", bucket_label(b->from, b->to, label),
                     b->sentences, b->bleu[0], b->bleu[1], b->bleu[1] - b->bleu[0]);
    }
}

static void add_words(const comparison *c, str *out)
{
    const char *source = c->options.word_source;
    str_addf(out, "\nWords by how often they occur in %s: F1, in percent\n",
             source ? source : "the references");
    str_addf(out, "  %-14s%12s%12s%12s%12s\n", "times", "in reference", "A", "B", "B - A");
    for (int i = 0; i < WORD_BUCKETS; i++) {
        const word_bucket *b = &c->words[i];
        char label[48];
        if (!b->ref && !b->hyp[0] && !b->hyp[1]) continue;
        str_addf(out, "  %-14s%12" PRId64, bucket_label(b->from, b->to, label), b->ref);
        if (b->ref)
            str_addf(out, "%12.1f%12.1f%+12.1f\n", 100 * bucket_f1(b, 0), 100 * bucket_f1(b, 1),
                     100 * (bucket_f1(b, 1) - bucket_f1(b, 0)));
        else
            str_addf(out, "  none of them is right: A has %" PRId64 ", B has %" PRId64 "\n", b->hyp[0],
                     b->hyp[1]);
    }
}

/* ----------------------------------------------------------------------------------- examples */

static void add_visible(span text, str *out)
{
    int code;
    for (int n; (n = char_decode(text, &code)); text.p += n, text.n -= (size_t)n)
        str_add_span(out, example_shows(code) ? (span){text.p, (size_t)n} : span_of("\uFFFD"));
}

/* Words with brackets around what is not in the reference, braces around what is elsewhere in it. */
static void add_marked(const char *label, const marked_line *l, bool plain, str *out)
{
    static const char *const open[] = {"", "{", "["}, *const close[] = {"", "}", "]"};
    enum word_mark at = MARK_MATCH;
    size_t shown = l->n < EXAMPLE_WORDS ? l->n : EXAMPLE_WORDS;
    str_addf(out, "  %-4s ", label);
    for (size_t i = 0; i < shown; i++) {
        enum word_mark mark = plain ? MARK_MATCH : l->words[i].mark;
        span word = l->words[i].text;
        if (mark != at) str_addf(out, "%s", close[at]);
        if (mark != at && word.n && word.p[0] == ' ') {
            str_add_char(out, ' ');
            word = (span){word.p + 1, word.n - 1};
        }
        if (mark != at) str_addf(out, "%s", open[mark]);
        add_visible(word, out);
        at = mark;
    }
    str_addf(out, "%s", close[at]);
    if (shown < l->n) str_addf(out, " ... (%zu more words)", l->n - shown);
    str_add_char(out, '\n');
}

static void add_example(const comparison *c, long i, str *out)
{
    str_addf(out, "\n  line %ld:", i + 1);
    for (int m = 0; m < c->options.n_metrics; m++)
        str_addf(out, "  %s %.1f, %.1f", c->scores[m].name, comparison_sentence(c, m, 0, i),
                 comparison_sentence(c, m, 1, i));
    str_add_char(out, '\n');
    example e = example_new(c, i);
    add_marked("ref", &e.refs[0], true, out);
    add_marked("A", &e.hyps[0], false, out);
    add_marked("B", &e.hyps[1], false, out);
    example_free(&e);
}

static void add_examples(const comparison *c, str *out)
{
    const char *judge = c->scores[c->judge_index].name;
    str_addf(out, "\nSentences by %s: A is ahead in %ld, B in %ld, equal are %ld (the same text: %ld)\n",
             judge, c->better[0], c->better[1], c->equal, c->identical);
    for (int s = COMPARE_SYSTEMS; s-- > 0;) {
        if (!c->n_examples[s]) continue;
        str_addf(out, "\nWhere %c is ahead the most ([not in the reference], {elsewhere in it})\n",
                 letters[s]);
        for (int k = 0; k < c->n_examples[s]; k++) add_example(c, c->examples[s][k], out);
    }
}

void report_text(const comparison *c, str *out)
{
    add_texts(c, out);
    add_findings(c, out);
    add_scores(c, out);
    add_anatomy(c, out);
    add_lengths(c, out);
    add_words(c, out);
    add_examples(c, out);
}
