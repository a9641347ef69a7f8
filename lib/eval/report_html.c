#include "eval/report_html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/example.h"

static const char letters[COMPARE_SYSTEMS] = {'A', 'B'}, classes[COMPARE_SYSTEMS] = {'a', 'b'};

/* From this on a difference is called significant. */
static const double SIGNIFICANT = 0.05;

static void add_text(const char *text, str *out) { html_escape(span_of(text), out); }

static void add_key(int s, str *out)
{
    str_addf(out, "<span class=\"key %c\">%c</span>", classes[s], letters[s]);
}

static void section(const char *title, str *out) { str_addf(out, "<section>\n<h2>%s</h2>\n", title); }

static void end_section(str *out) { str_addf(out, "</section>\n"); }

/* Two cells, the better one bold, and the difference. */
static void add_two(double a, double b, int width, bool lower_is_better, str *out)
{
    bool first = lower_is_better ? a < b : a > b, second = lower_is_better ? b < a : b > a;
    str_addf(out, "<td%s>%.*f</td><td%s>%.*f</td><td>%+.*f</td>", first ? " class=\"best\"" : "", width, a,
             second ? " class=\"best\"" : "", width, b, width, b - a);
}

static void two_heads(str *out)
{
    str_addf(out, "<th>");
    add_key(0, out);
    str_addf(out, "</th><th>");
    add_key(1, out);
    str_addf(out, "</th><th>B − A</th>");
}

/* --------------------------------------------------------------------------------------- head */

static void add_head(const comparison *c, str *out)
{
    const compare_texts *t = &c->texts;
    str_addf(out,
             "<h1>Two translations compared</h1>\n<div class=\"soft\">%ld sentence%s, %d "
             "reference%s</div>\n<dl>\n",
             t->n, t->n == 1 ? "" : "s", t->n_refs, t->n_refs == 1 ? "" : "s");
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        str_addf(out, "<dt>");
        add_key(s, out);
        str_addf(out, "</dt><dd>");
        add_text(t->names[s], out);
        str_addf(out, "</dd>\n");
    }
    for (int r = 0; r < t->n_refs; r++) {
        str_addf(out, "<dt>ref</dt><dd>");
        add_text(t->ref_names[r], out);
        str_addf(out, "</dd>\n");
    }
    str_addf(out, "</dl>\n");
}

static void add_findings(const comparison *c, str *out)
{
    if (!c->findings.n) return;
    str_addf(out, "<section class=\"warn\">\n<h2>Look at this first</h2>\n<ul>\n");
    for (int i = 0; i < c->findings.n; i++) {
        str_addf(out, "<li>");
        add_text(c->findings.list[i], out);
        str_addf(out, "</li>\n");
    }
    str_addf(out, "</ul>\n");
    end_section(out);
}

/* ------------------------------------------------------------------------------------- scores */

static void add_verdict(const compared_score *s, str *out)
{
    if (s->better < 0)
        str_addf(out, "equal");
    else if (isnan(s->p_value))
        str_addf(out, "one sentence tells nothing");
    else if (s->p_value < SIGNIFICANT)
        add_key(s->better, out), str_addf(out, " is better");
    else
        str_addf(out, "may be chance");
}

static void add_score(const compared_score *s, int width, str *out)
{
    str_addf(out, "<tr><td>");
    add_text(s->name, out);
    str_addf(out, "%s</td>",
             s->metric->lower_is_better ? " <span class=\"note\">lower is better</span>" : "");
    add_two(s->score[0], s->score[1], width, s->metric->lower_is_better, out);
    if (isnan(s->p_value))
        str_addf(out, "<td>–</td>");
    else
        str_addf(out, "<td>%.4f</td>", s->p_value);
    str_addf(out, "<td class=\"text\">");
    add_verdict(s, out);
    str_addf(out, "</td></tr>\n");
}

static void add_scores(const comparison *c, str *out)
{
    bool bootstrap = c->options.test == COMPARE_BOOTSTRAP;
    section("Scores", out);
    str_addf(out, "<table class=\"big\">\n<tr><th></th>");
    two_heads(out);
    str_addf(out, "<th>p</th><th class=\"text\"></th></tr>\n");
    for (int m = 0; m < c->options.n_metrics; m++) add_score(&c->scores[m], c->options.width, out);
    str_addf(out,
             "</table>\n<p class=\"note\">p: how often a difference this large would come by chance, by the "
             "%s test "
             "(%ld %s, seed %" PRIu64 "). Below %.2f it is called better.</p>\n<dl>\n",
             bootstrap ? "paired bootstrap" : "paired approximate randomisation", c->options.n_samples,
             bootstrap ? "resamples" : "trials", c->options.seed, SIGNIFICANT);
    for (int m = 0; m < c->options.n_metrics; m++) {
        str_addf(out, "<dt>");
        add_text(c->scores[m].name, out);
        str_addf(out, "</dt><dd><code>");
        add_text(c->scores[m].signature, out);
        str_addf(out, "</code></dd>\n");
    }
    str_addf(out, "</dl>\n");
    end_section(out);
}

static void add_row(const char *name, double a, double b, int width, str *out)
{
    str_addf(out, "<tr><td>%s</td><td>%.*f</td><td>%.*f</td><td>%+.*f</td></tr>\n", name, width, a, width, b,
             width, b - a);
}

static void add_anatomy(const comparison *c, str *out)
{
    section("What BLEU is made of", out);
    str_addf(out, "<table>\n<tr><th></th>");
    two_heads(out);
    str_addf(out, "</tr>\n");
    for (int n = 0; n < c->options.options.bleu.max_order; n++) {
        str name = {0};
        str_addf(&name, "Precision of %d-grams, %%", n + 1);
        add_row(str_text(&name), c->bleu[0].precisions[n], c->bleu[1].precisions[n], 1, out);
        str_free(&name);
    }
    const bleu_stats *x = &c->bleu_sums[0], *y = &c->bleu_sums[1];
    add_row("Brevity penalty", c->bleu[0].bp, c->bleu[1].bp, 3, out);
    add_row("Length ratio", x->ref_len ? (double)x->sys_len / (double)x->ref_len : 0,
            y->ref_len ? (double)y->sys_len / (double)y->ref_len : 0, 3, out);
    add_row("Words", (double)x->sys_len, (double)y->sys_len, 0, out);
    add_row("Words of the reference", (double)x->ref_len, (double)y->ref_len, 0, out);
    str_addf(out, "</table>\n");
    end_section(out);
}

/* ------------------------------------------------------------------------------------- charts */

enum {
    CHART_WIDTH = 720,
    CHART_HEIGHT = 190,
    CHART_LEFT = 34,
    CHART_TOP = 10,
    CHART_BOTTOM = 26,
    MOST_GROUPS = 32
};

/* Groups of bars, one bar a series. */
typedef struct {
    const char *title;
    int groups, series;
    char labels[MOST_GROUPS][48];
    double values[MOST_GROUPS][COMPARE_SYSTEMS];
    const char *classes[MOST_GROUPS][COMPARE_SYSTEMS];
} chart;

/* The end of the scale: a round number, at least the largest value. */
static double scale_end(const chart *c)
{
    static const double round[] = {1, 2, 3, 4, 5, 6, 8};
    enum { ROUND = sizeof round / sizeof *round };
    double most = 0, power = 1e-3;
    for (int g = 0; g < c->groups; g++)
        for (int s = 0; s < c->series; s++) most = fmax(most, c->values[g][s]);
    for (;; power *= 10)
        for (int i = 0; i < ROUND; i++)
            if (round[i] * power >= most * (1 - 1e-9)) return round[i] * power;
}

static double chart_y(double value, double end)
{
    return CHART_TOP + (CHART_HEIGHT - CHART_TOP - CHART_BOTTOM) * (1 - value / end);
}

static void add_scale(double end, str *out)
{
    for (int i = 0; i <= 4; i++) {
        double y = chart_y(end * i / 4, end);
        str_addf(
            out,
            "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" "
            "text-anchor=\"end\">%g</text>\n",
            CHART_LEFT, CHART_WIDTH, y, y, CHART_LEFT - 6, y + 4, end * i / 4);
    }
}

static void add_chart(const chart *c, str *out)
{
    double end = scale_end(c), step = (double)(CHART_WIDTH - CHART_LEFT) / (c->groups ? c->groups : 1);
    double bar = step * 0.72 / c->series;
    str_addf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", CHART_WIDTH, CHART_HEIGHT,
             c->title);
    add_scale(end, out);
    for (int g = 0; g < c->groups; g++) {
        double left = CHART_LEFT + step * g + (step - bar * c->series) / 2;
        for (int s = 0; s < c->series; s++) {
            double y = chart_y(c->values[g][s], end);
            str_addf(out,
                     "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                     "rx=\"1.5\"><title>%s: %.4g</title></rect>\n",
                     c->classes[g][s], left + bar * s, y, bar - 1, chart_y(0, end) - y, c->labels[g],
                     c->values[g][s]);
        }
        str_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                 CHART_LEFT + step * (g + 0.5), CHART_HEIGHT - 8, c->labels[g]);
    }
    str_addf(out, "</svg>\n");
}

static void add_group(chart *c, const char *label, double a, double b)
{
    int g = c->groups++;
    memccpy(c->labels[g], label, '\0', sizeof c->labels[g]);
    c->values[g][0] = a;
    c->values[g][1] = b;
    c->classes[g][0] = "fa";
    c->classes[g][1] = "fb";
}

/* ------------------------------------------------------------------------------------ buckets */

static void add_lengths(const comparison *c, str *out)
{
    chart bars = {.title = "BLEU by length of the reference", .series = COMPARE_SYSTEMS};
    str rows = {0};
    for (int i = 0; i < LENGTH_BUCKETS; i++) {
        const length_bucket *b = &c->lengths[i];
        char label[48];
        if (!b->sentences) continue;
        add_group(&bars, bucket_label(b->from, b->to, label), b->bleu[0], b->bleu[1]);
        str_addf(&rows, "<tr><td>%s</td><td>%ld</td>", label, b->sentences);
        add_two(b->bleu[0], b->bleu[1], 1, false, &rows);
        str_addf(&rows, "</tr>\n");
    }
    section("BLEU by length of the reference", out);
    add_chart(&bars, out);
    str_addf(out, "<table>\n<tr><th>Words</th><th>Sentences</th>");
    two_heads(out);
    str_addf(out, "</tr>\n%s</table>\n", str_text(&rows));
    end_section(out);
    str_free(&rows);
}

static void add_word_row(const word_bucket *b, const char *label, str *rows)
{
    str_addf(rows, "<tr><td>%s</td><td>%" PRId64 "</td>", label, b->ref);
    for (int s = 0; s < COMPARE_SYSTEMS; s++)
        str_addf(rows, "<td>%.1f</td><td>%.1f</td>", 100 * bucket_precision(b, s), 100 * bucket_recall(b, s));
    add_two(100 * bucket_f1(b, 0), 100 * bucket_f1(b, 1), 1, false, rows);
    str_addf(rows, "</tr>\n");
}

static void add_invented(const word_bucket *b, bool elsewhere, str *out)
{
    if (b->ref || (!b->hyp[0] && !b->hyp[1])) return;
    str_addf(out,
             "<p class=\"note\">Words that %s: A has %" PRId64 ", B has %" PRId64
             ". None of them can match.</p>\n",
             elsewhere ? "were never counted there" : "no reference has", b->hyp[0], b->hyp[1]);
}

static void add_words(const comparison *c, str *out)
{
    chart bars = {.title = "F1 of words by frequency", .series = COMPARE_SYSTEMS};
    str rows = {0};
    for (int i = 0; i < WORD_BUCKETS; i++) {
        const word_bucket *b = &c->words[i];
        char label[48];
        if (!b->ref) continue;
        add_group(&bars, bucket_label(b->from, b->to, label), 100 * bucket_f1(b, 0), 100 * bucket_f1(b, 1));
        add_word_row(b, label, &rows);
    }
    section("Words by how frequent they are", out);
    str_addf(out,
             "<p class=\"note\">F1 of words (precision and recall, without their order), by how often a word "
             "occurs in ");
    add_text(c->options.word_source ? c->options.word_source : "the references", out);
    str_addf(out, ".</p>\n");
    add_chart(&bars, out);
    str_addf(out, "<table>\n<tr><th>Times</th><th>In the reference</th><th>A prec.</th><th>rec.</th>"
                  "<th>B prec.</th><th>rec.</th>");
    two_heads(out);
    str_addf(out, "</tr>\n%s</table>\n", str_text(&rows));
    add_invented(&c->words[0], c->options.word_source != NULL, out);
    end_section(out);
    str_free(&rows);
}

/* --------------------------------------------------------------------------------- sentences */

static void add_differences(const comparison *c, str *out)
{
    chart bars = {.title = "Sentences by difference", .series = 1};
    for (int i = 0; i < DIFFERENCE_BARS; i++) {
        char label[48] = "";
        int from_middle = i - DIFFERENCE_BARS / 2;
        if (from_middle % 5 == 0) snprintf(label, sizeof label, "%+g", from_middle * c->bar_width);
        add_group(&bars, from_middle ? label : "0", (double)c->bars[i], 0);
        bars.classes[i][0] = from_middle < 0 ? "fa" : from_middle > 0 ? "fb" : "fg";
    }
    section("How sentences differ", out);
    str_addf(out, "<p class=\"note\">Sentences by how far ");
    add_key(1, out);
    str_addf(out, " is ahead (right) or ");
    add_key(0, out);
    str_addf(out, " (left), in points of ");
    add_text(c->scores[c->judge_index].name, out);
    str_addf(
        out,
        " of the sentence. The grey bar holds those less than %g apart, the outer bars all beyond.</p>\n",
        c->bar_width / 2);
    add_chart(&bars, out);
    str_addf(out, "<p>");
    add_key(0, out);
    str_addf(out, " is ahead in <b>%ld</b>, ", c->better[0]);
    add_key(1, out);
    str_addf(out, " in <b>%ld</b>; <b>%ld</b> are equal, of which %ld are the same text.</p>\n", c->better[1],
             c->equal, c->identical);
    end_section(out);
}

/* Runs of words with the same mark in one element. */
static void add_marked(const marked_line *l, const example *ref_of, str *out)
{
    static const char *const open[] = {"", "<span class=\"m\">", "<span class=\"x\">"};
    enum word_mark at = MARK_MATCH;
    size_t shown = l->n < EXAMPLE_WORDS ? l->n : EXAMPLE_WORDS;
    for (size_t i = 0; i < shown; i++) {
        enum word_mark mark = ref_of ? example_ref_mark(ref_of, i) : l->words[i].mark;
        span word = l->words[i].text;
        if (ref_of && mark == MARK_MOVED) mark = MARK_MATCH;
        if (mark != at) {
            if (at != MARK_MATCH) str_addf(out, "</span>");
            if (word.n && word.p[0] == ' ') {
                str_add_char(out, ' ');
                word = (span){word.p + 1, word.n - 1};
            }
            str_addf(out, "%s", open[mark]);
        }
        html_escape(word, out);
        at = mark;
    }
    if (at != MARK_MATCH) str_addf(out, "</span>");
    if (shown < l->n) str_addf(out, " <span class=\"soft\">… %zu more words</span>", l->n - shown);
    if (!l->n) str_addf(out, "<span class=\"soft\">(empty)</span>");
}

static void add_example(const comparison *c, long i, int ahead, str *out)
{
    example e = example_new(c, i);
    const char *judge = c->scores[c->judge_index].name;
    double a = comparison_sentence(c, c->judge_index, 0, i), b = comparison_sentence(c, c->judge_index, 1, i);
    str_addf(out,
             "<article data-ahead=\"%c\" data-lead=\"%.3f\" data-line=\"%ld\" "
             "data-words=\"%zu\">\n<header><b>line "
             "%ld</b><span>",
             letters[ahead], fabs(b - a), i + 1, e.refs[0].n, i + 1);
    add_key(ahead, out);
    str_addf(out, " ahead by %.1f ", fabs(b - a));
    add_text(judge, out);
    str_addf(out, "</span>");
    for (int m = 0; m < c->options.n_metrics; m++) {
        str_addf(out, "<span>");
        add_text(c->scores[m].name, out);
        str_addf(out, " %.1f | %.1f</span>", comparison_sentence(c, m, 0, i),
                 comparison_sentence(c, m, 1, i));
    }
    str_addf(out, "</header>\n<div class=\"s\"><span class=\"ref\">ref</span><p dir=\"auto\">");
    add_marked(&e.refs[0], &e, out);
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        str_addf(out, "</p>\n");
        add_key(s, out);
        str_addf(out, "<p dir=\"auto\">");
        add_marked(&e.hyps[s], NULL, out);
    }
    str_addf(out, "</p></div>\n</article>\n");
    example_free(&e);
}

static void add_buttons(str *out)
{
    static const char *const buttons[][3] = {{"show", "all", "all"},      {"show", "A", "A ahead"},
                                             {"show", "B", "B ahead"},    {"sort", "lead", "by difference"},
                                             {"sort", "line", "by line"}, {"sort", "words", "by length"}};
    str_addf(out, "<div class=\"bar\">");
    for (size_t i = 0; i < sizeof buttons / sizeof *buttons; i++)
        str_addf(out, "<button type=\"button\" data-what=\"%s\" data-to=\"%s\">%s</button>\n", buttons[i][0],
                 buttons[i][1], buttons[i][2]);
    str_addf(out, "</div>\n");
}

static void add_examples(const comparison *c, str *out)
{
    section("The sentences that differ most", out);
    str_addf(
        out,
        "<p class=\"note\"><span class=\"x\">Marked words</span> of a translation are not in the reference, "
        "<span class=\"m\">underlined ones</span> are elsewhere in it; <span class=\"x\">marked words</span> "
        "of the reference are in neither translation.</p>\n");
    add_buttons(out);
    str_addf(out, "<div id=\"list\">\n");
    for (int s = COMPARE_SYSTEMS; s-- > 0;)
        for (int k = 0; k < c->n_examples[s]; k++) add_example(c, c->examples[s][k], s, out);
    str_addf(out, "</div>\n");
    if (!c->n_examples[0] && !c->n_examples[1]) str_addf(out, "<p>There are none.</p>\n");
    end_section(out);
}

void report_html(const comparison *c, str *out)
{
    str title = {0};
    str_addf(&title, "%s and %s", c->texts.names[0], c->texts.names[1]);
    html_page_begin(str_text(&title), out);
    str_free(&title);
    add_head(c, out);
    add_findings(c, out);
    add_scores(c, out);
    add_anatomy(c, out);
    add_lengths(c, out);
    add_words(c, out);
    add_differences(c, out);
    add_examples(c, out);
    str_addf(out, "<p class=\"note\">Made by tulk " TULK_VERSION ".</p>\n");
    html_page_end(out);
}
