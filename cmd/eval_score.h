/* Scoring for `tulk eval`: every metric on every system in one pass over the files. */
#ifndef TULK_CMD_EVAL_SCORE_H
#define TULK_CMD_EVAL_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/metric.h"
#include "eval/significance.h"
#include "eval_input.h"

enum { EVAL_MAX_METRICS = 8 };

typedef struct {
    eval_input *input;
    const metric *metrics[EVAL_MAX_METRICS]; /* [n_metrics] */
    int n_metrics;
    metric_options options;
    bool keep; /* the statistics of each segment, for draws; else only their sums, and memory does not grow */

    /* Filled by scoring_run. A row holds the statistics of one segment: system by system, metric by metric.
     */
    double *rows;   /* (segments kept or of the batch, row) */
    double *sums;   /* [row] */
    size_t row;     /* numbers in a row */
    long segments;  /* so far */
    int *tokenized; /* [systems] of these, translations that end in " ." */
} scoring;

/* Scores all segments; `batch`, if given, is called with the number of the first row and of the rows behind
 * each batch: 0, or -1 with a message. */
int scoring_run(scoring *s, int (*batch)(const scoring *s, long first, long n, void *context), void *context);
void scoring_free(scoring *s); /* what scoring_run has filled */

/* Where the statistics of a metric stand in a row. */
size_t scoring_place(const scoring *s, int system, int m);
/* Views of rows and sums. */
segment_stats scoring_stats(const scoring *s, int system, int m); /* with `keep` */
const double *scoring_sums(const scoring *s, int system, int m);

#endif
