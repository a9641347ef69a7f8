#include "eval/chrf.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/metrics.h"
#include "eval/segment.h"
#include "eval/signature.h"
#include "eval/unicode.h"
#include "eval/work.h"

chrf_options chrf_defaults(void) { return (chrf_options){.char_order = 6, .beta = 2}; }

/* Statistics: for each order, first of characters, then of words. */
enum { HYP, REF, MATCH, PARTS };

static int orders(const chrf_options *o) { return o->char_order + o->word_order; }

int chrf_row_n_stats(const metric_options *o) { return PARTS * orders(&o->chrf); }

/* ------------------------------------------------------------------------------------ score */

/* A quotient of two statistics, which sacreBLEU computes in their type. */
static double quotient(double a, double b, enum metric_precision precision)
{
    return precision == METRIC_SINGLE ? (double)(float)(a / b) : a / b;
}

/* The order of the operations is sacreBLEU's, so that the last bit is: references are chosen by it. */
static double f_score(const chrf_options *o, const double *stats, enum metric_precision precision)
{
    const double eps = 1e-16, factor = (double)o->beta * o->beta;
    double score = 0, mean_prec = 0, mean_rec = 0;
    int effective = 0;
    for (const double *s = stats; s < stats + PARTS * orders(o); s += PARTS) {
        double prec = s[HYP] > 0 ? quotient(s[MATCH], s[HYP], precision) : eps;
        double rec = s[REF] > 0 ? quotient(s[MATCH], s[REF], precision) : eps;
        double denominator = factor * prec + rec;
        score += denominator > 0 ? (1 + factor) * prec * rec / denominator : eps;
        if (s[HYP] <= 0 || s[REF] <= 0) continue;
        mean_prec += prec;
        mean_rec += rec;
        effective++;
    }
    if (o->eps_smoothing) return 100 * score / orders(o);
    if (!effective) return 0;
    mean_prec /= effective;
    mean_rec /= effective;
    if (mean_prec + mean_rec == 0) return 0;
    score = (1 + factor) * mean_prec * mean_rec;
    return 100 * (score / (factor * mean_prec + mean_rec));
}

double chrf_row_score(const metric_options *o, const double *stats, enum metric_precision precision)
{
    return f_score(&o->chrf, stats, precision);
}

/* ------------------------------------------------------------------------------------ statistics */

static bool is_ascii_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static bool is_one_character(span word)
{
    size_t n;
    unicode_at(word.p, word.p + word.n, &n);
    return n == word.n;
}

/* Words as chrF++ sees them: a punctuation mark at the end goes apart, or else one at the start. */
static void words_of(span line, tokens *out)
{
    out->n = 0;
    for (span word; segment_token(&line, &word);) {
        bool single = is_one_character(word);
        if (!single && is_ascii_punctuation(word.p[word.n - 1])) {
            tokens_add(out, (span){word.p, word.n - 1});
            tokens_add(out, (span){word.p + word.n - 1, 1});
        } else if (!single && is_ascii_punctuation(word.p[0])) {
            tokens_add(out, (span){word.p, 1});
            tokens_add(out, (span){word.p + 1, word.n - 1});
        } else {
            tokens_add(out, word);
        }
    }
}

static span cased(const chrf_options *o, span line, str *lower)
{
    if (!o->lowercase) return line;
    str_clear(lower);
    segment_lower(line, lower);
    return str_span(lower);
}

/* Fills the statistics of `n` orders of one reference. An order that the reference does not have says nothing
 * of the hypothesis. */
static void fill(const metric_work *w, int r, int n_refs, int n, double *out)
{
    for (int i = 0; i < n; i++, out += PARTS) {
        out[REF] = (double)ngrams_total(w->ref_symbols[r].n, i + 1);
        out[HYP] = out[REF] > 0 ? (double)ngrams_total(w->hyp_symbols.n, i + 1) : 0;
        out[MATCH] = (double)w->matches[i * n_refs + r];
    }
}

/* all: [n_refs][orders][PARTS] */
static void add_characters(const chrf_options *o, metric_work *w, span hyp, const span *refs, int n_refs,
                           double *all)
{
    symbols_number_codes(&w->symbols, cased(o, hyp, &w->hyp.lower), o->whitespace, &w->hyp_symbols);
    for (int r = 0; r < n_refs; r++)
        symbols_find_codes(&w->symbols, cased(o, refs[r], &w->ref.lower), o->whitespace, &w->ref_symbols[r]);
    ngrams_match(&w->ngrams, &w->hyp_symbols, w->ref_symbols, n_refs, o->char_order, w->matches, NULL);
    for (int r = 0; r < n_refs; r++) fill(w, r, n_refs, o->char_order, all + r * PARTS * orders(o));
}

static void add_words(const chrf_options *o, metric_work *w, span hyp, const span *refs, int n_refs,
                      double *all)
{
    words_of(cased(o, hyp, &w->hyp.lower), &w->hyp);
    symbols_number_words(&w->symbols, &w->hyp, &w->hyp_symbols);
    for (int r = 0; r < n_refs; r++) {
        words_of(cased(o, refs[r], &w->ref.lower), &w->ref);
        symbols_find_words(&w->symbols, &w->ref, &w->ref_symbols[r]);
    }
    ngrams_match(&w->ngrams, &w->hyp_symbols, w->ref_symbols, n_refs, o->word_order, w->matches, NULL);
    for (int r = 0; r < n_refs; r++)
        fill(w, r, n_refs, o->word_order, all + PARTS * (r * orders(o) + o->char_order));
}

/* The reference with the best score, the first one of several. */
static int best_ref(const chrf_options *o, int n_refs, const double *all)
{
    int best = 0;
    double best_score = -1;
    for (int r = 0; r < n_refs; r++) {
        double now = f_score(o, all + r * PARTS * orders(o), METRIC_DOUBLE);
        if (now > best_score) {
            best = r;
            best_score = now;
        }
    }
    return best;
}

void chrf_row_stats(const metric_options *options, metric_work *w, span hyp, const span *refs, int n_refs,
                    double *out)
{
    const chrf_options *o = &options->chrf;
    BUG_IF(n_refs < 1 || orders(o) < 1 || o->char_order < 0 || o->char_order > CHRF_MAX_ORDER ||
           o->word_order < 0 || o->word_order > CHRF_MAX_ORDER);
    size_t n = (size_t)(PARTS * orders(o));
    metric_work_refs(w, n_refs);
    w->all = grow(w->all, &w->all_capacity, (size_t)n_refs * n, sizeof *w->all);
    add_characters(o, w, hyp, refs, n_refs, w->all);
    if (o->word_order) add_words(o, w, hyp, refs, n_refs, w->all);
    memcpy(out, w->all + (size_t)best_ref(o, n_refs, w->all) * n, n * sizeof *out);
}

/* ------------------------------------------------------------------------------------ text */

void chrf_row_name(const metric_options *o, str *out)
{
    str_addf(out, "chrF%d", o->chrf.beta);
    for (int i = 0; i < o->chrf.word_order; i++) str_add_char(out, '+');
}

void chrf_row_signature(const metric_options *options, const metric_setting *s, str *out)
{
    const chrf_options *o = &options->chrf;
    signature_begin(s, out);
    signature_add(s, "case", "c", signature_case(o->lowercase), out);
    signature_add(s, "eff", "e", signature_yes(!o->eps_smoothing), out);
    signature_add_number(s, "nc", "nc", o->char_order, out);
    signature_add_number(s, "nw", "nw", o->word_order, out);
    signature_add(s, "space", "s", signature_yes(o->whitespace), out);
    signature_end(s, out);
}

void chrf_row_verbose(const metric_options *o, const double *stats, str *out)
{
    (void)o;
    (void)stats;
    (void)out;
}
