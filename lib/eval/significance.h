/* How sure a score is, and whether two systems differ, as sacreBLEU 2.6 computes it with NumPy 1.24, from the
 * statistics of the segments:
 *
 *  - a confidence interval by bootstrap resampling (Efron and Tibshirani 1993; Koehn 2004): the test set is
 *    drawn again and again from its segments, with replacement, and scored each time;
 *  - the paired bootstrap test (Koehn 2004) and approximate randomisation (Noreen 1989; Riezler and Maxwell
 *    2005) of systems against a baseline: how often would a difference at least as large come by chance?
 *
 * Draws are those of numpy.random.default_rng(seed), the same for each system and metric. Sums of resamples
 * are made in single precision, segment after segment, because sacreBLEU does so: the last digits depend on
 * it. Sums of shuffles are made row after row too. NumPy leaves those to its BLAS, and where statistics are
 * fractions (TER with three references, say) the p of sacreBLEU itself may depend on the processor.
 * Runs on the team; results do not depend on the number of threads. */
#ifndef TULK_EVAL_SIGNIFICANCE_H
#define TULK_EVAL_SIGNIFICANCE_H

#include <stddef.h>
#include <stdint.h>

#include "eval/metric.h"

/* What one metric says of each segment of one system. Views: owned by the caller. */
typedef struct {
    const metric *metric;
    const metric_options *options;
    const double *stats; /* (n_segments, stride): the first n_stats() numbers of each row */
    size_t stride;
    long n_segments; /* 1 .. 2^32 - 1; the same for all systems that are compared */
} segment_stats;

/* NaN where a number is not computed. */
typedef struct {
    double score;
    double p_value; /* two-sided; of the baseline: NaN */
    double mean;    /* of the scores of the resamples */
    double ci;      /* half the width of their 95 % interval */
} significance;

/* The score alone, without draws. */
double significance_score(const segment_stats *s);

/* Score, mean and interval from n_samples >= 1 resamples. The mean is the exact one, rounded once; those of
 * paired tests are sums in NumPy's order, divided: sacreBLEU takes the one here and the other there. */
significance significance_bootstrap(const segment_stats *s, long n_samples, uint64_t seed);

/* out[0] is the baseline systems[0] against which all others are tested; n_systems >= 1. */
void significance_paired_bootstrap(const segment_stats *systems, int n_systems, long n_samples, uint64_t seed,
                                   significance *out);
/* The same by approximate randomisation with n_trials shuffles; no means and intervals. */
void significance_paired_ar(const segment_stats *systems, int n_systems, long n_trials, uint64_t seed,
                            significance *out);

#endif
