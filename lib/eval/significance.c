#include "eval/significance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "eval/numpy_random.h"

/* Sums are made in blocks of this many statistics, so that they stay in registers; rows are padded. */
enum { LANES = 8 };

static int padded(const segment_stats *s)
{
    return (s->metric->n_stats(s->options) + LANES - 1) / LANES * LANES;
}

double significance_score(const segment_stats *s)
{
    double sums[METRIC_MAX_STATS] = {0};
    int n = s->metric->n_stats(s->options);
    for (long i = 0; i < s->n_segments; i++)
        for (int k = 0; k < n; k++) sums[k] += s->stats[(size_t)i * s->stride + (size_t)k];
    return s->metric->score(s->options, sums, METRIC_DOUBLE);
}

/* ------------------------------------------------------------------------------------ mean and interval */

/* The sum as NumPy makes it: eight sums side by side up to 128 numbers, halves of more. */
static double pairwise_sum(const double *x, long n)
{
    if (n < 8) {
        double sum = 0;
        for (long i = 0; i < n; i++) sum += x[i];
        return sum;
    }
    if (n > 128) {
        long half = n / 2 / 8 * 8;
        return pairwise_sum(x, half) + pairwise_sum(x + half, n - half);
    }
    double r[8];
    memcpy(r, x, sizeof r);
    long i = 8;
    for (; i < n / 8 * 8; i += 8)
        for (int k = 0; k < 8; k++) r[k] += x[i + k];
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++) sum += x[i];
    return sum;
}

static double mean_of(const double *x, long n) { return pairwise_sum(x, n) / (double)n; }

/* The mean as Python's `statistics` makes it: exact, and rounded once. What rounding takes off the sum is
 * kept beside it (Knuth's sum of two numbers). */
static double exact_mean(const double *x, long n)
{
    double sum = 0, lost = 0;
    for (long i = 0; i < n; i++) {
        double next = sum + x[i], added = next - sum;
        lost += (sum - (next - added)) + (x[i] - added);
        sum = next;
    }
    double mean = sum / (double)n;
    return mean + (fma(-mean, (double)n, sum) + lost) / (double)n;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the scores. */
static void estimate(double *scores, long n, double (*mean)(const double *x, long n), significance *out)
{
    qsort(scores, (size_t)n, sizeof *scores, ascending);
    long lower = n / 40; /* 2.5 % on either side are left out */
    out->mean = mean(scores, n);
    out->ci = 0.5 * (scores[n - lower - 1] - scores[lower]);
}

/* One is added so that p is never 0: the system as it is counts as one of the shuffles. */
static double p_value(long exceeding, long n) { return (double)(exceeding + 1) / (double)(n + 1); }

/* ------------------------------------------------------------------------------------ bootstrap */

/* Indices of so many segments are drawn before the team sums them up. */
static const long DRAWN = 1L << 24;

typedef struct {
    const segment_stats *systems;
    int n_systems;
    long n_samples, first; /* resample `first` is the first one of those drawn */
    float **rows;          /* [n_systems] (n_segments, padded) */
    uint32_t *draws;       /* (samples drawn, n_segments) */
    double *scores;        /* (n_systems, n_samples) */
} bootstrap;

static float *single_rows(const segment_stats *s)
{
    int n = s->metric->n_stats(s->options), width = padded(s);
    float *rows = xcalloc((size_t)s->n_segments * (size_t)width, sizeof *rows);
    for (long i = 0; i < s->n_segments; i++)
        for (int k = 0; k < n; k++)
            rows[(size_t)i * (size_t)width + (size_t)k] = (float)s->stats[(size_t)i * s->stride + (size_t)k];
    return rows;
}

static void sum_rows(const float *rows, int width, const uint32_t *draws, long n, double *sums)
{
    for (int block = 0; block < width; block += LANES) {
        float sum[LANES] = {0};
        for (long i = 0; i < n; i++) {
            const float *row = rows + (size_t)draws[i] * (size_t)width + block;
            for (int k = 0; k < LANES; k++) sum[k] += row[k];
        }
        for (int k = 0; k < LANES; k++) sums[block + k] = (double)sum[k];
    }
}

static void resample(long task, void *context)
{
    bootstrap *b = context;
    long n = b->systems[0].n_segments;
    double sums[METRIC_MAX_STATS + LANES];
    for (int i = 0; i < b->n_systems; i++) {
        const segment_stats *s = &b->systems[i];
        sum_rows(b->rows[i], padded(s), b->draws + task * n, n, sums);
        b->scores[i * b->n_samples + b->first + task] = s->metric->score(s->options, sums, METRIC_SINGLE);
    }
}

/* Scores each system on each resample. */
static void run_bootstrap(bootstrap *b, uint64_t seed)
{
    long n = b->systems[0].n_segments, at_once = n < DRAWN ? DRAWN / n : 1;
    if (at_once > b->n_samples) at_once = b->n_samples;
    numpy_rng rng = numpy_rng_new(seed);
    b->draws = xmalloc((size_t)(at_once * n) * sizeof *b->draws);
    b->rows = xmalloc((size_t)b->n_systems * sizeof *b->rows);
    b->scores = xmalloc((size_t)(b->n_systems * b->n_samples) * sizeof *b->scores);
    for (int i = 0; i < b->n_systems; i++) b->rows[i] = single_rows(&b->systems[i]);
    for (b->first = 0; b->first < b->n_samples; b->first += at_once) {
        long left = b->n_samples - b->first, now = left < at_once ? left : at_once;
        numpy_choice(&rng, (uint32_t)n, b->draws, (size_t)(now * n));
        team_run(now, resample, b);
    }
    for (int i = 0; i < b->n_systems; i++) free(b->rows[i]);
    free(b->rows);
    free(b->draws);
}

/* How surprising is the difference of the scores, when the differences of resamples are moved so that their
 * mean is 0, as if the systems were equally good? */
static double bootstrap_p_value(const double *baseline, const double *system, long n, double difference)
{
    double *apart = xmalloc((size_t)n * sizeof *apart);
    long exceeding = 0;
    for (long i = 0; i < n; i++) apart[i] = fabs(system[i] - baseline[i]);
    double mean = mean_of(apart, n);
    for (long i = 0; i < n; i++) exceeding += apart[i] - mean > difference;
    free(apart);
    return p_value(exceeding, n);
}

static void check(const segment_stats *systems, int n_systems, long n_samples)
{
    BUG_IF(n_systems < 1 || n_samples < 1 || systems[0].n_segments < 1 || systems[0].n_segments > UINT32_MAX);
    for (int i = 1; i < n_systems; i++) BUG_IF(systems[i].n_segments != systems[0].n_segments);
}

void significance_paired_bootstrap(const segment_stats *systems, int n_systems, long n_samples, uint64_t seed,
                                   significance *out)
{
    check(systems, n_systems, n_samples);
    bootstrap b = {.systems = systems, .n_systems = n_systems, .n_samples = n_samples};
    run_bootstrap(&b, seed);
    for (int i = 0; i < n_systems; i++) {
        out[i] = (significance){.score = significance_score(&systems[i]), .p_value = (double)NAN};
        if (i)
            out[i].p_value = bootstrap_p_value(b.scores, b.scores + i * n_samples, n_samples,
                                               fabs(out[0].score - out[i].score));
    }
    for (int i = 0; i < n_systems; i++) estimate(b.scores + i * n_samples, n_samples, mean_of, &out[i]);
    free(b.scores);
}

significance significance_bootstrap(const segment_stats *s, long n_samples, uint64_t seed)
{
    check(s, 1, n_samples);
    bootstrap b = {.systems = s, .n_systems = 1, .n_samples = n_samples};
    significance out = {.score = significance_score(s), .p_value = (double)NAN};
    run_bootstrap(&b, seed);
    estimate(b.scores, n_samples, exact_mean, &out);
    free(b.scores);
    return out;
}

/* ------------------------------------------------------------------------------------ randomisation */

/* A trial gives the translation of each segment to one or the other of two made-up systems by a coin. With D
 * the sum of baseline - system over the segments that fell heads, their sums are system + D and baseline - D.
 * That is exact for whole numbers. Fractions (TER's mean reference length) are added as sacreBLEU adds them,
 * heads and tails apart: trials that tie with the real difference are common, and the last bit decides them.
 */
typedef struct {
    long n_segments, n_trials;
    numpy_rng rng; /* at the first coin */
    const segment_stats *baseline;
    bool whole; /* all statistics are whole numbers */
    double
        *rows[2]; /* (n_segments, padded): of baseline and system; if whole, their difference and nothing */
    double sums[2][METRIC_MAX_STATS]; /* of baseline and system */
    double difference;                /* of the real scores */
    long *exceeding;                  /* [tasks] */
} randomisation;

enum { TRIALS = 64 }; /* a task's */

/* The coins of one trial, one a bit. NumPy takes 32 from each number and does not start anew with a trial. */
static void toss(const randomisation *r, long trial, uint64_t *coins)
{
    uint64_t first = (uint64_t)trial * (uint64_t)r->n_segments;
    numpy_rng rng = r->rng;
    numpy_skip(&rng, first / 64);
    uint64_t now = numpy_u64(&rng);
    unsigned shift = first % 64;
    for (long i = 0; i < r->n_segments; i += 64) {
        uint64_t next = numpy_u64(&rng);
        *coins++ = shift ? now >> shift | next << (64 - shift) : now;
        now = next;
    }
}

enum side { HEADS, TAILS };

/* The sum of the rows whose coins show one side. */
static void sum_side(const randomisation *r, const double *rows, const uint64_t *coins, enum side side,
                     double *sums)
{
    long n = r->n_segments;
    int width = padded(r->baseline);
    for (int block = 0; block < width; block += LANES) {
        double sum[LANES] = {0};
        for (long first = 0; first < n; first += 64) {
            uint64_t tossed = n - first < 64 ? ((uint64_t)1 << (n - first)) - 1 : UINT64_MAX;
            uint64_t chosen = (side == HEADS ? coins[first / 64] : ~coins[first / 64]) & tossed;
            for (; chosen; chosen &= chosen - 1) {
                const double *row = rows + (first + __builtin_ctzll(chosen)) * width + block;
                for (int k = 0; k < LANES; k++) sum[k] += row[k];
            }
        }
        memcpy(sums + block, sum, sizeof sum);
    }
}

typedef double padded_sums[METRIC_MAX_STATS + LANES];

static void shuffle_whole(const randomisation *r, const uint64_t *coins, double *a, double *b)
{
    padded_sums gain;
    sum_side(r, r->rows[0], coins, HEADS, gain);
    for (int k = 0; k < padded(r->baseline); k++) {
        a[k] = r->sums[1][k] + gain[k];
        b[k] = r->sums[0][k] - gain[k];
    }
}

static void shuffle_fractions(const randomisation *r, const uint64_t *coins, double *a, double *b)
{
    padded_sums rest;
    sum_side(r, r->rows[0], coins, HEADS, a);
    sum_side(r, r->rows[1], coins, TAILS, rest);
    for (int k = 0; k < padded(r->baseline); k++) a[k] += rest[k];
    sum_side(r, r->rows[0], coins, TAILS, b);
    sum_side(r, r->rows[1], coins, HEADS, rest);
    for (int k = 0; k < padded(r->baseline); k++) b[k] += rest[k];
}

static bool trial_exceeds(const randomisation *r, long trial, uint64_t *coins)
{
    const segment_stats *s = r->baseline;
    padded_sums a, b;
    toss(r, trial, coins);
    (r->whole ? shuffle_whole : shuffle_fractions)(r, coins, a, b);
    double score_a = s->metric->score(s->options, a, METRIC_WHOLE);
    double score_b = s->metric->score(s->options, b, METRIC_WHOLE);
    return fabs(score_a - score_b) > r->difference;
}

static void run_trials(long task, void *context)
{
    randomisation *r = context;
    uint64_t *coins = xmalloc((size_t)(r->n_segments / 64 + 1) * sizeof *coins);
    long end = (task + 1) * TRIALS < r->n_trials ? (task + 1) * TRIALS : r->n_trials;
    r->exceeding[task] = 0;
    for (long trial = task * TRIALS; trial < end; trial++)
        r->exceeding[task] += trial_exceeds(r, trial, coins);
    free(coins);
}

/* Fills rows and sums of the baseline (0) or the system (1). */
static void take_rows(randomisation *r, int which, const segment_stats *s)
{
    int n = s->metric->n_stats(s->options), width = padded(s);
    memset(r->sums[which], 0, sizeof r->sums[which]);
    for (size_t i = 0; i < (size_t)r->n_segments; i++)
        for (int k = 0; k < n; k++) {
            double x = s->stats[i * s->stride + (size_t)k];
            r->whole = r->whole && x == floor(x);
            r->sums[which][k] += x;
            r->rows[which][i * (size_t)width + (size_t)k] = x;
        }
}

static void take_systems(randomisation *r, const segment_stats *system)
{
    r->whole = true;
    take_rows(r, 0, r->baseline);
    take_rows(r, 1, system);
    size_t all = (size_t)r->n_segments * (size_t)padded(system);
    for (size_t i = 0; r->whole && i < all; i++) r->rows[0][i] -= r->rows[1][i];
}

void significance_paired_ar(const segment_stats *systems, int n_systems, long n_trials, uint64_t seed,
                            significance *out)
{
    check(systems, n_systems, n_trials);
    long tasks = (n_trials + TRIALS - 1) / TRIALS, n = systems[0].n_segments;
    randomisation r = {
        .n_segments = n, .n_trials = n_trials, .rng = numpy_rng_new(seed), .baseline = systems};
    for (int i = 0; i < 2; i++) r.rows[i] = xcalloc((size_t)n * (size_t)padded(systems), sizeof *r.rows[i]);
    r.exceeding = xmalloc((size_t)tasks * sizeof *r.exceeding);
    for (int i = 0; i < n_systems; i++) {
        out[i] = (significance){significance_score(&systems[i]), (double)NAN, (double)NAN, (double)NAN};
        if (i == 0) continue;
        long exceeding = 0;
        r.difference = fabs(out[0].score - out[i].score);
        take_systems(&r, &systems[i]);
        team_run(tasks, run_trials, &r);
        for (long t = 0; t < tasks; t++) exceeding += r.exceeding[t];
        out[i].p_value = p_value(exceeding, n_trials);
    }
    for (int i = 0; i < 2; i++) free(r.rows[i]);
    free(r.exceeding);
}
