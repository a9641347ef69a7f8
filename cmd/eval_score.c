#include "eval_score.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/team.h"
#include "eval/segment.h"

enum { TASK = 16 }; /* segments */

static size_t stats_of(const scoring *s, int m) { return (size_t)s->metrics[m]->n_stats(&s->options); }

size_t scoring_place(const scoring *s, int system, int m)
{
    size_t all = 0, before = 0;
    for (int i = 0; i < s->n_metrics; i++) {
        all += stats_of(s, i);
        before += i < m ? stats_of(s, i) : 0;
    }
    return (size_t)system * all + before;
}

segment_stats scoring_stats(const scoring *s, int system, int m)
{
    return (segment_stats){s->metrics[m], &s->options, s->rows + scoring_place(s, system, m), s->row,
                           s->segments};
}

const double *scoring_sums(const scoring *s, int system, int m)
{
    return s->sums + scoring_place(s, system, m);
}

typedef struct {
    scoring *s;
    long n; /* segments in the batch */
    double *rows;
    int n_systems, n_refs;
    metric_work **work; /* [threads] */
} team_work;

static void score_segment(const team_work *w, long segment, const span *refs)
{
    const scoring *s = w->s;
    double *row = w->rows + (size_t)segment * s->row;
    long place = eval_input_first(s->input) + segment;
    for (int i = 0; i < w->n_systems; i++)
        for (int m = 0; m < s->n_metrics; m++) {
            s->metrics[m]->stats(&s->options, w->work[team_rank()], eval_input_hyp(s->input, place, i), refs,
                                 w->n_refs, row);
            row += stats_of(s, m);
        }
}

static void score_task(long task, void *context)
{
    const team_work *w = context;
    span *refs = xmalloc((size_t)w->n_refs * sizeof *refs);
    long end = (task + 1) * TASK < w->n ? (task + 1) * TASK : w->n;
    for (long i = task * TASK; i < end; i++) {
        for (int r = 0; r < w->n_refs; r++)
            refs[r] = eval_input_ref(w->s->input, eval_input_first(w->s->input) + i, r);
        score_segment(w, i, refs);
    }
    free(refs);
}

static bool looks_tokenized(span line)
{
    line = segment_rstrip(line);
    return line.n >= 2 && memcmp(line.p + line.n - 2, " .", 2) == 0;
}

/* Sums are added in the order of the segments, so that fractions come out as with one thread. */
static void add_up(scoring *s, const team_work *w)
{
    long first = eval_input_first(s->input);
    for (long i = 0; i < w->n; i++) {
        for (size_t k = 0; k < s->row; k++) s->sums[k] += w->rows[(size_t)i * s->row + k];
        for (int system = 0; system < w->n_systems; system++)
            s->tokenized[system] += looks_tokenized(eval_input_hyp(s->input, first + i, system));
    }
    s->segments += w->n;
}

static void score_batch(scoring *s, team_work *w, size_t *capacity)
{
    size_t before = s->keep ? (size_t)s->segments * s->row : 0;
    s->rows = grow(s->rows, capacity, before + (size_t)w->n * s->row, sizeof *s->rows);
    w->rows = s->rows + before;
    team_run((w->n + TASK - 1) / TASK, score_task, w);
    add_up(s, w);
}

int scoring_run(scoring *s, int (*batch)(const scoring *s, long first, long n, void *context), void *context)
{
    int threads = team_threads(), result = 0;
    team_work w = {.s = s, .n_systems = eval_input_systems(s->input), .n_refs = eval_input_refs(s->input)};
    size_t capacity = 0;
    s->row = scoring_place(s, w.n_systems, 0);
    s->sums = xcalloc(s->row, sizeof *s->sums);
    s->tokenized = xcalloc((size_t)w.n_systems, sizeof *s->tokenized);
    w.work = xmalloc((size_t)threads * sizeof *w.work);
    for (int i = 0; i < threads; i++) w.work[i] = metric_work_new();
    while (!result && (w.n = eval_input_read(s->input)) > 0) {
        long first = s->keep ? s->segments : 0;
        score_batch(s, &w, &capacity);
        if (batch) result = batch(s, first, w.n, context);
    }
    for (int i = 0; i < threads; i++) metric_work_free(w.work[i]);
    free(w.work);
    return result || w.n < 0 ? -1 : 0;
}

void scoring_free(scoring *s)
{
    free(s->rows);
    free(s->sums);
    free(s->tokenized);
    s->rows = s->sums = NULL;
    s->tokenized = NULL;
}
