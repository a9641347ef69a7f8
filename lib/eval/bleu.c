#include "eval/bleu.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "eval/ngrams.h"
#include "eval/result.h"
#include "eval/segment.h"
#include "eval/tokenize.h"

const bleu_smoothing bleu_smoothings[] = {
    {"exp", NAN}, {"floor", 0.1}, {"add-k", 1}, {"none", NAN}, {NULL, NAN}};

bleu_options bleu_defaults(void)
{
    return (bleu_options){.tokenize = "13a", .smooth_method = "exp", .smooth_value = NAN, .max_order = 4};
}

/* ------------------------------------------------------------------------------------ counting */

/* Appends the line as tokens between white space. */
static void prepare(const bleu_options *o, span line, str *out)
{
    const eval_tokenizer *tokenizer = eval_tokenizer_find(o->tokenize);
    BUG_IF(!tokenizer);
    str lower = {0};
    if (o->lowercase) {
        segment_lower(line, &lower);
        line = str_span(&lower);
    }
    tokenizer->run(segment_rstrip(line), out);
    str_free(&lower);
}

/* The reference length closest to the hypothesis, the shorter one of two that are equally close. */
static size_t closer_len(size_t hyp_len, size_t best, size_t len)
{
    size_t best_off = best > hyp_len ? best - hyp_len : hyp_len - best;
    size_t off = len > hyp_len ? len - hyp_len : hyp_len - len;
    return off < best_off || (off == best_off && len < best) ? len : best;
}

void bleu_add(bleu_stats *s, const bleu_options *o, span hyp, const span *refs, int n_refs)
{
    BUG_IF(n_refs < 1 || o->max_order < 1 || o->max_order > BLEU_MAX_ORDER);
    str tokens = {0}, ref_tokens = {0};
    prepare(o, hyp, &tokens);
    ngrams *g = ngrams_new(str_span(&tokens), o->max_order);
    size_t hyp_len = ngrams_hyp_len(g), ref_len = 0;
    for (int i = 0; i < n_refs; i++) {
        str_clear(&ref_tokens);
        prepare(o, refs[i], &ref_tokens);
        size_t len = ngrams_add_ref(g, str_span(&ref_tokens));
        ref_len = i ? closer_len(hyp_len, ref_len, len) : len;
    }
    ngrams_count(g, s->counts, s->totals);
    s->sys_len += (int64_t)hyp_len;
    s->ref_len += (int64_t)ref_len;
    ngrams_free(g);
    str_free(&tokens);
    str_free(&ref_tokens);
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

/* Fills the precisions up to the first order of which the hypothesis has no n-gram; returns how many. The
 * order of the operations is sacreBLEU's, so that the last bit is. */
static int smoothed_precisions(const bleu_stats *s, const bleu_options *o, double *precisions)
{
    double k = smooth_value(o), halvings = 1;
    for (int i = 0; i < o->max_order; i++) {
        double count = (double)s->counts[i], total = (double)s->totals[i];
        if (smooths(o, "add-k") && i > 0) {
            count += k;
            total += k;
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

bleu_score bleu_compute(const bleu_stats *s, const bleu_options *o)
{
    bleu_score r = {.bp = brevity_penalty(s)};
    if (!any_match(s, o->max_order)) return r;
    int known = smoothed_precisions(s, o, r.precisions);
    int orders = o->effective_order ? known : o->max_order;
    double sum = 0;
    for (int i = 0; i < orders; i++) sum += floored_log(r.precisions[i]);
    r.score = r.bp * exp(sum / orders);
    return r;
}

/* ------------------------------------------------------------------------------------ text */

void bleu_signature(const bleu_options *o, int n_refs, bool brief, str *out)
{
    str_addf(out, brief ? "#:%d|c:%s|e:%s|tok:%s|s:%s" : "nrefs:%d|case:%s|eff:%s|tok:%s|smooth:%s", n_refs,
             o->lowercase ? "lc" : "mixed", o->effective_order ? "yes" : "no", o->tokenize, o->smooth_method);
    if (smooths(o, "floor") || smooths(o, "add-k")) str_addf(out, "[%.2f]", smooth_value(o));
    str_add_span(out, span_of(brief ? "|v:" : "|version:"));
    eval_add_version(out);
}

void bleu_verbose(const bleu_stats *s, const bleu_options *o, const bleu_score *score, str *out)
{
    for (int i = 0; i < o->max_order; i++) str_addf(out, i ? "/%.1f" : "%.1f", score->precisions[i]);
    double ratio = s->ref_len ? (double)s->sys_len / (double)s->ref_len : 0;
    str_addf(out, " (BP = %.3f ratio = %.3f hyp_len = %" PRId64 " ref_len = %" PRId64 ")", score->bp, ratio,
             s->sys_len, s->ref_len);
}
