/* What metrics keep from segment to segment, so that a warm one asks for no memory. Private to lib/eval. */
#ifndef TULK_EVAL_WORK_H
#define TULK_EVAL_WORK_H

#include "eval/cut.h"
#include "eval/edits.h"
#include "eval/metric.h"
#include "eval/ngrams.h"
#include "eval/symbols.h"

struct metric_work {
    tokens hyp, ref;
    str hyp_without, ref_without;       /* tokens without punctuation */
    str joined;                         /* tokens with a space between */
    sequence hyp_symbols, *ref_symbols; /* [n_refs] */
    int n_refs;
    int64_t *matches; /* [order][n_refs] */
    double *all;      /* statistics by each reference */
    size_t matches_capacity, all_capacity;
    symbols symbols;
    ngrams ngrams;
    edits_work edits;
};

/* Makes room for so many references. */
void metric_work_refs(metric_work *w, int n_refs);

#endif
