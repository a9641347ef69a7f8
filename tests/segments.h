/* What the suites of chrF and TER share: a small corpus and what is asked of a metric on it. */
#ifndef TULK_TESTS_SEGMENTS_H
#define TULK_TESTS_SEGMENTS_H

#include <math.h>
#include <string.h>

#include "eval/metric.h"
#include "suite.h"

typedef struct {
    const char *hyp, *refs[2];
} segment;

static const segment corpus[] = {
    {"The dog's tail, wagged!", {"The dogs tail wagged.", "A tail was wagged"}},
    {"(hi) there", {"'hi' there!", "hi (there)"}},
    {"", {"nothing", ""}},
    {"a", {"b", "a a"}},
    {"ΟΔΟΣ Straße  x", {"οδος STRASSE x", "οδός strasse"}},
    {"the cat sat on the mat", {"on the mat sat the cat", "the mat the cat sat on"}},
    {"same", {"same", "sam e"}},
    {"中文 字符 abc", {"中文字 abc", "文中 abcd"}},
};
enum { CORPUS = sizeof corpus / sizeof *corpus };

/* Adds the statistics of a segment to sums. */
static inline void add_segment(const metric *m, const metric_options *o, metric_work *w, const segment *g,
                               int n_refs, double *sums)
{
    span refs[2] = {span_of(g->refs[0]), span_of(g->refs[1])};
    double stats[METRIC_MAX_STATS];
    m->stats(o, w, span_of(g->hyp), refs, n_refs, stats);
    for (int i = 0; i < m->n_stats(o); i++) sums[i] += stats[i];
}

static inline double corpus_score(const char *key, const metric_options *o, int n_refs, double *sums)
{
    const metric *m = metric_find(key);
    metric_work *w = metric_work_new();
    memset(sums, 0, METRIC_MAX_STATS * sizeof *sums);
    for (int i = 0; i < CORPUS; i++) add_segment(m, o, w, &corpus[i], n_refs, sums);
    metric_work_free(w);
    return m->score(o, sums, METRIC_DOUBLE);
}

/* As near as two ways through the same formula may come. */
static inline bool near(double a, double b) { return fabs(a - b) <= 1e-13 * fabs(b); }

static inline void signature_is(const char *key, const metric_options *o, const metric_setting *s,
                                const char *expected)
{
    str out = {0};
    metric_find(key)->signature(o, s, &out);
    CU_ASSERT_EQUAL(strncmp(str_text(&out), expected, strlen(expected)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&out), "2.6.0+tulk."));
    str_free(&out);
}

#endif
