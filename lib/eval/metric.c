#include "eval/metric.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/metrics.h"
#include "eval/work.h"

metric_options metric_defaults(void)
{
    return (metric_options){bleu_defaults(), chrf_defaults(), ter_defaults()};
}

metric_work *metric_work_new(void) { return xcalloc(1, sizeof(metric_work)); }

void metric_work_free(metric_work *w)
{
    if (!w) return;
    tokens_free(&w->hyp);
    tokens_free(&w->ref);
    str_free(&w->hyp_without);
    str_free(&w->ref_without);
    str_free(&w->joined);
    sequence_free(&w->hyp_symbols);
    for (int i = 0; i < w->n_refs; i++) sequence_free(&w->ref_symbols[i]);
    free(w->ref_symbols);
    free(w->matches);
    free(w->all);
    symbols_free(&w->symbols);
    ngrams_free(&w->ngrams);
    edits_free(&w->edits);
    free(w);
}

void metric_work_refs(metric_work *w, int n_refs)
{
    w->matches = grow(w->matches, &w->matches_capacity, (size_t)n_refs * CHRF_MAX_ORDER, sizeof *w->matches);
    if (n_refs <= w->n_refs) return;
    w->ref_symbols = xrealloc(w->ref_symbols, (size_t)n_refs * sizeof *w->ref_symbols);
    memset(w->ref_symbols + w->n_refs, 0, (size_t)(n_refs - w->n_refs) * sizeof *w->ref_symbols);
    w->n_refs = n_refs;
}

#define ROW(key, prefix, lower_is_better)                                                                    \
    {                                                                                                        \
        key, lower_is_better, prefix##_row_n_stats, prefix##_row_stats, prefix##_row_score,                  \
            prefix##_row_name, prefix##_row_signature, prefix##_row_verbose                                  \
    }

const metric metrics[] = {
    ROW("bleu", bleu, false), ROW("chrf", chrf, false), ROW("ter", ter, true), {.key = NULL}};

const metric *metric_find(const char *key)
{
    for (const metric *m = metrics; m->key; m++)
        if (strcmp(m->key, key) == 0) return m;
    return NULL;
}
