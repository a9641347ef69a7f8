#include "eval/compare.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "eval/counts.h"
#include "eval/segment.h"
#include "eval/significance.h"

enum { TASK = 32 }; /* segments */

/* --------------------------------------------------------------------------------- the words */

/* The words of a line as BLEU cuts them. */
static void fill_bag(tokens *b, const bleu_options *o, span line)
{
    b->n = 0;
    bleu_tokens(o, line, b);
}

static int by_text(const void *a, const void *b) { return span_cmp(*(const span *)a, *(const span *)b); }

static void sort_bag(tokens *b)
{
    if (b->n) qsort(b->at, b->n, sizeof *b->at, by_text);
}

typedef struct {
    bleu_stats at[LENGTH_BUCKETS][COMPARE_SYSTEMS];
} bleu_sums;

/* What stands behind the figures. */
struct comparing {
    metric_options sentence_options;                 /* for single sentences */
    int width[COMPARE_METRICS];                      /* statistics of a segment */
    double *stats[COMPARE_METRICS][COMPARE_SYSTEMS]; /* (n, width) */
    long *ref_words;                                 /* (n) of the first reference */
    bleu_sums *bleu;                                 /* one a thread: whole numbers, in any order */
    word_counts *counts;
    tokens scratch;
    bool counted_elsewhere;
    metric_work **memory; /* one a thread */
};

/* Words of the test set are known from the start, so that a text of any size can be counted in bounded
 * memory. */
static void know_line(comparison *c, span line)
{
    tokens *b = &c->work->scratch;
    fill_bag(b, &c->options.options.bleu, line);
    for (size_t i = 0; i < b->n; i++) word_counts_add(c->work->counts, b->at[i], 0);
}

static void know_words(comparison *c)
{
    const compare_texts *t = &c->texts;
    for (long i = 0; i < t->n * t->n_refs; i++) know_line(c, t->refs[i]);
    for (int s = 0; s < COMPARE_SYSTEMS; s++)
        for (long i = 0; i < t->n; i++) know_line(c, t->hyps[s][i]);
}

static void count_line(comparison *c, span line)
{
    tokens *b = &c->work->scratch;
    fill_bag(b, &c->options.options.bleu, line);
    for (size_t i = 0; i < b->n; i++) word_counts_meet(c->work->counts, b->at[i]);
}

void comparison_count_words(comparison *c, span line)
{
    c->work->counted_elsewhere = true;
    count_line(c, line);
}

/* ----------------------------------------------------------------------------- the statistics */

static const span *refs_of(const comparison *c, long i) { return c->texts.refs + i * c->texts.n_refs; }

static const long length_from[LENGTH_BUCKETS + 1] = {0, 10, 20, 30, 40, 50, 60, LONG_MAX};

static int length_bucket_of(long words)
{
    int b = 0;
    while (words >= length_from[b + 1]) b++;
    return b;
}

static void count_segment(const comparison *c, long i)
{
    const struct comparing *w = c->work;
    metric_work *memory = w->memory[team_rank()];
    bleu_stats *bleu = w->bleu[team_rank()].at[length_bucket_of(w->ref_words[i])];
    const metric_options *o = &c->options.options;
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        span hyp = c->texts.hyps[s][i];
        for (int m = 0; m < c->options.n_metrics; m++)
            c->options.metrics[m]->stats(o, memory, hyp, refs_of(c, i), c->texts.n_refs,
                                         w->stats[m][s] + i * w->width[m]);
        bleu_add_with(memory, &bleu[s], &o->bleu, hyp, refs_of(c, i), c->texts.n_refs);
    }
}

static void count_task(long task, void *context)
{
    const comparison *c = context;
    long end = (task + 1) * TASK < c->texts.n ? (task + 1) * TASK : c->texts.n;
    for (long i = task * TASK; i < end; i++) count_segment(c, i);
}

static void count_all(comparison *c)
{
    struct comparing *w = c->work;
    int threads = team_threads();
    w->memory = xcalloc((size_t)threads, sizeof *w->memory);
    w->bleu = xcalloc((size_t)threads, sizeof *w->bleu);
    for (int i = 0; i < threads; i++) w->memory[i] = metric_work_new();
    team_run((c->texts.n + TASK - 1) / TASK, count_task, c);
    for (int i = 0; i < threads; i++) metric_work_free(w->memory[i]);
    for (int i = 1; i < threads; i++)
        for (int b = 0; b < LENGTH_BUCKETS; b++)
            for (int s = 0; s < COMPARE_SYSTEMS; s++) bleu_merge(&w->bleu[0].at[b][s], &w->bleu[i].at[b][s]);
    free(w->memory);
    w->memory = NULL;
}

/* ------------------------------------------------------------------------------------- scores */

static char *text_of(str *s) /* empties s */
{
    char *text = xstrdup(str_text(s));
    str_free(s);
    *s = (str){0};
    return text;
}

static void test_difference(const comparison *c, int m, significance out[COMPARE_SYSTEMS])
{
    const struct comparing *w = c->work;
    segment_stats systems[COMPARE_SYSTEMS];
    for (int s = 0; s < COMPARE_SYSTEMS; s++)
        systems[s] = (segment_stats){c->options.metrics[m], &c->options.options, w->stats[m][s],
                                     (size_t)w->width[m], c->texts.n};
    if (c->options.test == COMPARE_BOOTSTRAP)
        significance_paired_bootstrap(systems, COMPARE_SYSTEMS, c->options.n_samples, c->options.seed, out);
    else
        significance_paired_ar(systems, COMPARE_SYSTEMS, c->options.n_samples, c->options.seed, out);
}

static int better_of(const metric *m, double a, double b)
{
    if (a == b || isnan(a) || isnan(b)) return -1;
    return (b > a) != m->lower_is_better;
}

static void compare_scores(comparison *c, int m)
{
    const metric *k = c->options.metrics[m];
    const metric_options *o = &c->options.options;
    compared_score *out = &c->scores[m];
    significance found[COMPARE_SYSTEMS];
    test_difference(c, m, found);
    metric_setting setting = {.n_refs = c->texts.n_refs};
    str name = {0}, signature = {0};
    k->name(o, &name);
    k->signature(o, &setting, &signature);
    *out = (compared_score){.metric = k, .name = text_of(&name), .signature = text_of(&signature)};
    for (int s = 0; s < COMPARE_SYSTEMS; s++) out->score[s] = found[s].score;
    out->difference = out->score[1] - out->score[0];
    out->p_value = c->texts.n > 1 && out->difference != 0 ? found[1].p_value : NAN;
    out->better = better_of(k, out->score[0], out->score[1]);
}

double comparison_sentence(const comparison *c, int m, int system, long sentence)
{
    const struct comparing *w = c->work;
    return c->options.metrics[m]->score(&w->sentence_options, w->stats[m][system] + sentence * w->width[m],
                                        METRIC_DOUBLE);
}

/* ------------------------------------------------------------------------------------ buckets */

static const int64_t count_from[WORD_BUCKETS + 1] = {0, 1, 2, 3, 4, 5, 10, 100, 1000, INT64_MAX};

static void compare_lengths(comparison *c)
{
    const struct comparing *w = c->work;
    const bleu_options *o = &c->options.options.bleu;
    for (long i = 0; i < c->texts.n; i++) c->lengths[length_bucket_of(w->ref_words[i])].sentences++;
    for (int b = 0; b < LENGTH_BUCKETS; b++) {
        bool last = b == LENGTH_BUCKETS - 1;
        c->lengths[b].from = length_from[b];
        c->lengths[b].to = last ? LONG_MAX : length_from[b + 1] - 1;
        for (int s = 0; s < COMPARE_SYSTEMS; s++) {
            c->lengths[b].bleu[s] = bleu_compute(&w->bleu[0].at[b][s], o).score;
            bleu_merge(&c->bleu_sums[s], &w->bleu[0].at[b][s]);
        }
    }
    for (int s = 0; s < COMPARE_SYSTEMS; s++) c->bleu[s] = bleu_compute(&c->bleu_sums[s], o);
}

static word_bucket *bucket_of(comparison *c, span word)
{
    int64_t count = word_counts_of(c->work->counts, word);
    int b = 0;
    while (count >= count_from[b + 1]) b++;
    return &c->words[b];
}

/* Words of a translation x and its reference y, sorted: those that both have, each as often as in the one
 * that has it less often. */
static void match_bags(comparison *c, int system, const tokens *x, const tokens *y)
{
    for (size_t i = 0; i < x->n; i++) bucket_of(c, x->at[i])->hyp[system]++;
    for (size_t i = 0, k = 0; i < x->n && k < y->n;) {
        int order = span_cmp(x->at[i], y->at[k]);
        if (order == 0) bucket_of(c, x->at[i])->match[system]++;
        i += order <= 0;
        k += order >= 0;
    }
}

static void compare_words(comparison *c)
{
    const bleu_options *o = &c->options.options.bleu;
    tokens hyp = {0}, ref = {0};
    for (int b = 0; b < WORD_BUCKETS; b++) {
        c->words[b].from = count_from[b];
        c->words[b].to = b == WORD_BUCKETS - 1 ? INT64_MAX : count_from[b + 1] - 1;
    }
    for (long i = 0; i < c->texts.n; i++) {
        fill_bag(&ref, o, *refs_of(c, i));
        sort_bag(&ref);
        c->work->ref_words[i] = (long)ref.n;
        for (size_t k = 0; k < ref.n; k++) bucket_of(c, ref.at[k])->ref++;
        for (int s = 0; s < COMPARE_SYSTEMS; s++) {
            fill_bag(&hyp, o, c->texts.hyps[s][i]);
            sort_bag(&hyp);
            match_bags(c, s, &hyp, &ref);
        }
    }
    tokens_free(&hyp);
    tokens_free(&ref);
}

static double ratio(int64_t part, int64_t whole) { return whole ? (double)part / (double)whole : 0; }

double bucket_precision(const word_bucket *b, int system) { return ratio(b->match[system], b->hyp[system]); }

double bucket_recall(const word_bucket *b, int system) { return ratio(b->match[system], b->ref); }

double bucket_f1(const word_bucket *b, int system)
{
    return ratio(2 * b->match[system], b->hyp[system] + b->ref);
}

const char *bucket_label(int64_t from, int64_t to, char out[48])
{
    if (from == to)
        snprintf(out, 48, "%" PRId64, from);
    else if (to == INT64_MAX || to == LONG_MAX)
        snprintf(out, 48, "%" PRId64 "+", from);
    else
        snprintf(out, 48, "%" PRId64 "-%" PRId64, from, to);
    return out;
}

/* ---------------------------------------------------------------------------------- sentences */

typedef struct {
    double lead; /* of the second system, in points of the judge */
    long sentence;
} lead;

static int by_lead(const void *a, const void *b)
{
    const lead *x = a, *y = b;
    if (x->lead != y->lead) return x->lead < y->lead ? -1 : 1;
    return x->sentence < y->sentence ? -1 : x->sentence > y->sentence;
}

static lead *leads_of(const comparison *c)
{
    lead *all = xmalloc((size_t)c->texts.n * sizeof *all);
    for (long i = 0; i < c->texts.n; i++) {
        double x =
            comparison_sentence(c, c->judge_index, 1, i) - comparison_sentence(c, c->judge_index, 0, i);
        all[i] = (lead){c->judge->lower_is_better ? -x : x, i};
    }
    return all;
}

/* A round width, so that all but one sentence in fifty lie within the bars. `sorted` by lead. */
static double width_of_bars(const lead *sorted, long n)
{
    static const double widths[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50};
    enum { WIDTHS = sizeof widths / sizeof *widths };
    double low = fabs(sorted[n / 100].lead), high = fabs(sorted[n - 1 - n / 100].lead);
    double most = low > high ? low : high;
    int i = 0;
    while (i < WIDTHS - 1 && widths[i] * DIFFERENCE_BARS / 2 < most) i++;
    return widths[i];
}

static int bar_of(double x, double width)
{
    double at = floor(x / width + 0.5) + DIFFERENCE_BARS / 2;
    return at < 0 ? 0 : at >= DIFFERENCE_BARS ? DIFFERENCE_BARS - 1 : (int)at;
}

static void choose_examples(comparison *c, const lead *sorted)
{
    long n = c->texts.n;
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        long most = c->better[s] < c->options.examples ? c->better[s] : c->options.examples;
        c->examples[s] = xmalloc((size_t)(most + 1) * sizeof *c->examples[s]);
        for (long i = 0; i < most; i++) c->examples[s][i] = sorted[s ? n - 1 - i : i].sentence;
        c->n_examples[s] = (int)most;
    }
}

static void compare_sentences(comparison *c)
{
    lead *all = leads_of(c);
    long n = c->texts.n;
    for (long i = 0; i < n; i++) {
        c->equal += all[i].lead == 0;
        c->better[0] += all[i].lead < 0;
        c->better[1] += all[i].lead > 0;
        c->identical += span_eq(c->texts.hyps[0][i], c->texts.hyps[1][i]);
    }
    qsort(all, (size_t)n, sizeof *all, by_lead);
    c->bar_width = width_of_bars(all, n);
    for (long i = 0; i < n; i++) c->bars[bar_of(all[i].lead, c->bar_width)]++;
    choose_examples(c, all);
    free(all);
}

/* ----------------------------------------------------------------------------------- findings */

/* Translations that are much shorter or longer than the reference. */
static void find_lengths(comparison *c)
{
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        double r = ratio(c->bleu_sums[s].sys_len, c->bleu_sums[s].ref_len);
        if (c->bleu_sums[s].ref_len && (r < 0.85 || r > 1.15))
            findings_add(&c->findings,
                         "%s is %s than the reference (%.2f words for one of it): were the files of the same "
                         "sentences, and did every translation end?",
                         c->texts.names[s], r < 1 ? "much shorter" : "much longer", r);
    }
}

static void find_mistakes(comparison *c)
{
    const compare_texts *t = &c->texts;
    const bleu_options *o = &c->options.options.bleu;
    bool tokenized = strcmp(o->tokenize, "none") == 0;
    if (c->identical == t->n) findings_add(&c->findings, "Both systems gave the same translations.");
    find_lengths(c);
    for (int r = 0; r < t->n_refs; r++) {
        text_side ref = {t->ref_names[r], t->refs + r, t->n, t->n_refs};
        mistakes_find_in_reference(&ref, tokenized, &c->findings);
    }
    text_side first = {t->ref_names[0], t->refs, t->n, t->n_refs};
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        text_side hyp = {t->names[s], t->hyps[s], t->n, 1};
        mistakes_find(&hyp, &first, tokenized, o->lowercase, &c->findings);
    }
}

/* ----------------------------------------------------------------------------------- the whole */

static void choose_judge(comparison *c)
{
    for (int m = c->options.n_metrics - 1; m >= 0; m--)
        if (m == 0 || strcmp(c->options.metrics[m]->key, "chrf") == 0) {
            c->judge = c->options.metrics[m];
            c->judge_index = m;
            return;
        }
}

comparison *comparison_new(const compare_texts *texts, const compare_options *options)
{
    BUG_IF(texts->n < 1 || texts->n_refs < 1 || options->n_metrics < 1);
    comparison *c = xcalloc(1, sizeof *c);
    struct comparing *w = c->work = xcalloc(1, sizeof *w);
    size_t n = (size_t)texts->n;
    c->texts = *texts;
    c->options = *options;
    w->sentence_options = options->options;
    w->sentence_options.bleu.effective_order = true;
    for (int m = 0; m < options->n_metrics; m++)
        w->width[m] = options->metrics[m]->n_stats(&options->options);
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        for (int m = 0; m < options->n_metrics; m++)
            w->stats[m][s] = xcalloc(n * (size_t)w->width[m], sizeof(double));
    }
    w->ref_words = xcalloc(n, sizeof *w->ref_words);
    w->counts = word_counts_new();
    know_words(c);
    choose_judge(c);
    return c;
}

void comparison_run(comparison *c)
{
    const compare_texts *t = &c->texts;
    for (long i = 0; !c->work->counted_elsewhere && i < t->n * t->n_refs; i++) count_line(c, t->refs[i]);
    compare_words(c);
    count_all(c); /* by length, which is known now */
    compare_lengths(c);
    for (int m = 0; m < c->options.n_metrics; m++) compare_scores(c, m);
    compare_sentences(c);
    find_mistakes(c);
}

void comparison_free(comparison *c)
{
    if (!c) return;
    struct comparing *w = c->work;
    for (int m = 0; m < c->options.n_metrics; m++) {
        free(c->scores[m].name);
        free(c->scores[m].signature);
        for (int s = 0; s < COMPARE_SYSTEMS; s++) free(w->stats[m][s]);
    }
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        free(c->examples[s]);
    }
    free(w->ref_words);
    free(w->bleu);
    word_counts_free(w->counts);
    tokens_free(&w->scratch);
    free(w);
    findings_free(&c->findings);
    free(c);
}
