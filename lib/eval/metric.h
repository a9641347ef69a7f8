/* The metrics, one row each, so that who evaluates never asks which one it is.
 *
 * A metric turns a segment with its references into a few numbers, its sufficient statistics; the statistics
 * of a corpus, of a single sentence or of a resample are the sums over their segments, and the score is a
 * function of the sums:
 *
 *     const metric *m = metric_find("chrf");
 *     int n = m->n_stats(&options);
 *     for each segment: m->stats(&options, work, hyp, refs, n_refs, out); add out[0 .. n - 1] to sums
 *     score = m->score(&options, sums, METRIC_DOUBLE);
 *
 * All statistics but TER's mean reference length are whole numbers, so their sums do not depend on the order.
 */
#ifndef TULK_EVAL_METRIC_H
#define TULK_EVAL_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/ter.h"

typedef struct {
    bleu_options bleu;
    chrf_options chrf;
    ter_options ter;
} metric_options;

metric_options metric_defaults(void);

/* Memory that is used again from segment to segment; each thread needs its own. It grows with the longest
 * segment and serves all metrics and options. */
typedef struct metric_work metric_work;
metric_work *metric_work_new(void);
void metric_work_free(metric_work *w); /* NULL is fine */

/* sacreBLEU adds up resamples in single precision and divides some of the sums in it, so that the last digits
 * of means and intervals depend on it. With METRIC_SINGLE the sums are floats (their caller adds them up as
 * such) and the same divisions are rounded. */
enum metric_precision {
    METRIC_DOUBLE,
    METRIC_SINGLE,
    METRIC_WHOLE /* sums of shuffles, which it keeps as integers: what BLEU's add-k adds is cut to one */
};

/* What signatures tell of the evaluation, beside the metric's own options. */
typedef struct {
    int n_refs;       /* nrefs: */
    long n_bootstrap; /* bs: resamples; 0: the field is left out */
    long n_trials;    /* ar: trials of approximate randomisation; 0: left out */
    const char *seed; /* seed:, a number or "none"; NULL: left out */
    bool brief;       /* the short names of the fields: #:1|c:mixed|... */
} metric_setting;

typedef struct {
    const char *key;                         /* "bleu", "chrf", "ter": how commands name it */
    bool lower_is_better;                    /* of two scores */
    int (*n_stats)(const metric_options *o); /* at most METRIC_MAX_STATS */
    /* Writes the statistics of one segment to out[n_stats]. n_refs >= 1; an empty line is a line like any
     * other. Many threads may call it at once, each with its own work. An unknown tokenizer or smoothing
     * method, or an order out of bounds, is a bug of the caller. */
    void (*stats)(const metric_options *o, metric_work *w, span hyp, const span *refs, int n_refs,
                  double *out);
    /* The score, 0 .. 100 for most, from the sums of statistics. For one sentence sacreBLEU's command scores
     * BLEU with effective_order set; nothing else differs. */
    double (*score)(const metric_options *o, const double *stats, enum metric_precision precision);
    void (*name)(const metric_options *o, str *out); /* appends BLEU, chrF2, chrF2++, TER */
    /* Appends e.g. nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0+tulk.0.1 */
    void (*signature)(const metric_options *o, const metric_setting *setting, str *out);
    /* Appends what sacreBLEU prints behind the score; nothing for most metrics. */
    void (*verbose)(const metric_options *o, const double *stats, str *out);
} metric;

enum { METRIC_MAX_STATS = 256 };

extern const metric metrics[];              /* in sacreBLEU's order; ends with key NULL */
const metric *metric_find(const char *key); /* NULL if there is none of that name */

#endif
