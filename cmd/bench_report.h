/* What tulk bench measured, and how it is told. */
#ifndef TULK_CMD_BENCH_REPORT_H
#define TULK_CMD_BENCH_REPORT_H

#include "base/meter.h"
#include "base/str.h"

/* Reading, tokenising and batching one epoch of text, and what its updates take at the measured pace. */
typedef struct {
    double open;   /* seconds until the first batch of the first epoch can be had */
    double epoch;  /* for all batches of a later epoch */
    double update; /* seconds in which its updates are computed */
} input_times;

typedef struct {
    const char *name; /* of the network */
    int threads;
    size_t n_parameters;
    int vocab_size;
    long updates;
    const char *clock;                        /* "wall", "cpu" */
    double sentences, src_tokens, tgt_tokens; /* an update, eos counted: means */
    double seconds, best_seconds;             /* an update: median, least */
    double tgt_rate, all_rate, gflops; /* a second: medians. FLOPs: products over true lengths, times 3 */
    double flops;                      /* an update, mean */
    double peak;                       /* GFLOP/s of all threads in a loop of multiply-adds */
    double rss;                        /* peak, bytes */
    double last_loss;                  /* a target token */
    meter_sums spent;                  /* of all updates */
    double total_seconds;              /* of all updates */
    input_times input;                 /* open < 0: no text was given */
} bench_result;

/* Where time went, as the meter saw it. */
typedef struct {
    const char *of; /* one of `times`: "an update", ... */
    const meter_sums *sums;
    double total_seconds, times;
    int threads;
    double peak; /* GFLOP/s of all threads */
} bench_spent;

void bench_spent_report(const bench_spent *s, str *out);
/* Appends a key "operations" to an object; and one of a number. */
void bench_spent_json(const bench_spent *s, str *out);
void bench_json_number(const char *key, double x, str *out);

/* As a table for people; as one line of JSON. */
void bench_report(const bench_result *r, str *out);
void bench_json(const bench_result *r, str *out);

#endif
