#include "eval/bleu.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "eval/metrics.h"
#include "eval/segment.h"
#include "eval/signature.h"
#include "eval/tokenize.h"
#include "eval/work.h"

const bleu_smoothing bleu_smoothings[] = {
    {"exp", NAN}, {"floor", 0.1}, {"add-k", 1}, {"none", NAN}, {NULL, NAN}};

bleu_options bleu_defaults(void)
{
    return (bleu_options){.tokenize = "13a", .smooth_method = "exp", .smooth_value = NAN, .max_order = 4};
}

/* ------------------------------------------------------------------------------------ counting */

void bleu_tokens(const bleu_options *o, span line, tokens *out)
{
    const eval_tokenizer *tokenizer = eval_tokenizer_find(o->tokenize);
    BUG_IF(!tokenizer);
    if (o->lowercase) {
        str_clear(&out->lower);
        segment_lower(line, &out->lower);
        line = str_span(&out->lower);
    }
    tokenizer->run(segment_rstrip(line), out);
}

/* The reference length closest to the hypothesis, the shorter one of two that are equally close. */
static size_t closer_len(size_t hyp_len, size_t best, size_t len)
{
    size_t best_off = best > hyp_len ? best - hyp_len : hyp_len - best;
    size_t off = len > hyp_len ? len - hyp_len : hyp_len - len;
    return off < best_off || (off == best_off && len < best) ? len : best;
}

/* The references as symbols; returns the reference length. */
static size_t read_refs(metric_work *w, const bleu_options *o, const span *refs, int n_refs)
{
    size_t hyp_len = w->hyp.n, ref_len = 0;
    metric_work_refs(w, n_refs);
    for (int i = 0; i < n_refs; i++) {
        w->ref.n = 0;
        bleu_tokens(o, refs[i], &w->ref);
        symbols_find_words(&w->symbols, &w->ref, &w->ref_symbols[i]);
        ref_len = i ? closer_len(hyp_len, ref_len, w->ref.n) : w->ref.n;
    }
    return ref_len;
}

void bleu_add_with(metric_work *w, bleu_stats *s, const bleu_options *o, span hyp, const span *refs,
                   int n_refs)
{
    BUG_IF(n_refs < 1 || o->max_order < 1 || o->max_order > BLEU_MAX_ORDER);
    int64_t clipped[BLEU_MAX_ORDER];
    w->hyp.n = 0;
    bleu_tokens(o, hyp, &w->hyp);
    symbols_number_words(&w->symbols, &w->hyp, &w->hyp_symbols);
    s->sys_len += (int64_t)w->hyp.n;
    s->ref_len += (int64_t)read_refs(w, o, refs, n_refs);
    ngrams_match(&w->ngrams, &w->hyp_symbols, w->ref_symbols, n_refs, o->max_order, NULL, clipped);
    for (int i = 0; i < o->max_order; i++) {
        s->counts[i] += clipped[i];
        s->totals[i] += ngrams_total(w->hyp.n, i + 1);
    }
}

void bleu_add(bleu_stats *s, const bleu_options *o, span hyp, const span *refs, int n_refs)
{
    metric_work *w = metric_work_new();
    bleu_add_with(w, s, o, hyp, refs, n_refs);
    metric_work_free(w);
}

void bleu_merge(bleu_stats *s, const bleu_stats *other)
{
    for (int i = 0; i < BLEU_MAX_ORDER; i++) {
        s->counts[i] += other->counts[i];
        s->totals[i] += other->totals[i];
    }
    s->sys_len += other->sys_len;
    s->ref_len += other->ref_len;
}

/* ------------------------------------------------------------------------------------ score */

static double smooth_value(const bleu_options *o)
{
    if (!isnan(o->smooth_value)) return o->smooth_value;
    const bleu_smoothing *m = bleu_smoothings;
    while (m->name && strcmp(m->name, o->smooth_method) != 0) m++;
    BUG_IF(!m->name);
    return m->value;
}

static bool smooths(const bleu_options *o, const char *method)
{
    return strcmp(o->smooth_method, method) == 0;
}

static double brevity_penalty(const bleu_stats *s)
{
    if (s->sys_len >= s->ref_len) return 1;
    return s->sys_len > 0 ? exp(1 - (double)s->ref_len / (double)s->sys_len) : 0;
}

static bool any_match(const bleu_stats *s, int orders)
{
    for (int i = 0; i < orders; i++)
        if (s->counts[i]) return true;
    return false;
}

/* The sum of a statistic and add-k's k, in the type that sacreBLEU's statistics have. */
static double added(double statistic, double k, enum metric_precision precision)
{
    double sum = statistic + k;
    if (precision == METRIC_SINGLE) return (double)(float)sum;
    return precision == METRIC_WHOLE ? trunc(sum) : sum;
}

/* Fills the precisions up to the first order of which the hypothesis has no n-gram; returns how many. The
 * order of the operations is sacreBLEU's, so that the last bit is. */
static int smoothed_precisions(const bleu_stats *s, const bleu_options *o, enum metric_precision precision,
                               double *precisions)
{
    double k = smooth_value(o), halvings = 1;
    for (int i = 0; i < o->max_order; i++) {
        double count = (double)s->counts[i], total = (double)s->totals[i];
        if (smooths(o, "add-k") && i > 0) {
            count = added(count, k, precision);
            total = added(total, k, precision);
        }
        if (total == 0) return i;
        if (count != 0) {
            precisions[i] = 100. * count / total;
        } else if (smooths(o, "exp")) {
            halvings *= 2;
            precisions[i] = 100. / (halvings * total);
        } else if (smooths(o, "floor")) {
            precisions[i] = 100. * k / total;
        }
    }
    return o->max_order;
}

/* A precision of zero stands for a very small one, and the score comes out as zero. */
static double floored_log(double x) { return x == 0 ? -9999999999. : log(x); }

static bleu_score compute(const bleu_stats *s, const bleu_options *o, enum metric_precision precision)
{
    bleu_score r = {.bp = brevity_penalty(s)};
    if (!any_match(s, o->max_order)) return r;
    int known = smoothed_precisions(s, o, precision, r.precisions);
    int orders = o->effective_order ? known : o->max_order;
    double sum = 0;
    for (int i = 0; i < orders; i++) sum += floored_log(r.precisions[i]);
    r.score = r.bp * exp(sum / orders);
    return r;
}

bleu_score bleu_compute(const bleu_stats *s, const bleu_options *o) { return compute(s, o, METRIC_DOUBLE); }

/* ------------------------------------------------------------------------------------ row of the table
 *
 * Statistics: lengths of hypothesis and reference, then counts, then totals of each order. */

enum { SYS_LEN, REF_LEN, COUNTS };

int bleu_row_n_stats(const metric_options *o) { return COUNTS + 2 * o->bleu.max_order; }

void bleu_row_stats(const metric_options *o, metric_work *w, span hyp, const span *refs, int n_refs,
                    double *out)
{
    bleu_stats s = {0};
    int orders = o->bleu.max_order;
    bleu_add_with(w, &s, &o->bleu, hyp, refs, n_refs);
    out[SYS_LEN] = (double)s.sys_len;
    out[REF_LEN] = (double)s.ref_len;
    for (int i = 0; i < orders; i++) {
        out[COUNTS + i] = (double)s.counts[i];
        out[COUNTS + orders + i] = (double)s.totals[i];
    }
}

static bleu_stats stats_of(const bleu_options *o, const double *stats)
{
    bleu_stats s = {.sys_len = (int64_t)stats[SYS_LEN], .ref_len = (int64_t)stats[REF_LEN]};
    for (int i = 0; i < o->max_order; i++) {
        s.counts[i] = (int64_t)stats[COUNTS + i];
        s.totals[i] = (int64_t)stats[COUNTS + o->max_order + i];
    }
    return s;
}

double bleu_row_score(const metric_options *o, const double *stats, enum metric_precision precision)
{
    bleu_stats s = stats_of(&o->bleu, stats);
    return compute(&s, &o->bleu, precision).score;
}

/* ------------------------------------------------------------------------------------ text */

void bleu_row_name(const metric_options *o, str *out)
{
    (void)o;
    str_add_span(out, span_of("BLEU"));
}

void bleu_row_signature(const metric_options *options, const metric_setting *s, str *out)
{
    const bleu_options *o = &options->bleu;
    signature_begin(s, out);
    signature_add(s, "case", "c", signature_case(o->lowercase), out);
    signature_add(s, "eff", "e", signature_yes(o->effective_order), out);
    signature_add(s, "tok", "tok", o->tokenize, out);
    signature_add(s, "smooth", "s", o->smooth_method, out);
    if (smooths(o, "floor") || smooths(o, "add-k")) str_addf(out, "[%.2f]", smooth_value(o));
    signature_end(s, out);
}

void bleu_verbose(const bleu_stats *s, const bleu_options *o, const bleu_score *score, str *out)
{
    for (int i = 0; i < o->max_order; i++) str_addf(out, i ? "/%.1f" : "%.1f", score->precisions[i]);
    double ratio = s->ref_len ? (double)s->sys_len / (double)s->ref_len : 0;
    str_addf(out, " (BP = %.3f ratio = %.3f hyp_len = %" PRId64 " ref_len = %" PRId64 ")", score->bp, ratio,
             s->sys_len, s->ref_len);
}

void bleu_row_verbose(const metric_options *o, const double *stats, str *out)
{
    bleu_stats s = stats_of(&o->bleu, stats);
    bleu_score r = bleu_compute(&s, &o->bleu);
    bleu_verbose(&s, &o->bleu, &r, out);
}
