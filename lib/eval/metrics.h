/* The functions behind the rows of the table of metrics, those of a metric in its own file. Private to
 * lib/eval. */
#ifndef TULK_EVAL_METRICS_H
#define TULK_EVAL_METRICS_H

#include "eval/metric.h"

#define METRIC_FUNCTIONS(prefix)                                                                             \
    int prefix##_row_n_stats(const metric_options *o);                                                       \
    void prefix##_row_stats(const metric_options *o, metric_work *w, span hyp, const span *refs, int n_refs, \
                            double *out);                                                                    \
    double prefix##_row_score(const metric_options *o, const double *stats,                                  \
                              enum metric_precision precision);                                              \
    void prefix##_row_name(const metric_options *o, str *out);                                               \
    void prefix##_row_signature(const metric_options *o, const metric_setting *setting, str *out);           \
    void prefix##_row_verbose(const metric_options *o, const double *stats, str *out);

METRIC_FUNCTIONS(bleu)
METRIC_FUNCTIONS(chrf)
METRIC_FUNCTIONS(ter)

#endif
