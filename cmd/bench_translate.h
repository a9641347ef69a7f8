/* tulk bench --translate: how fast a network translates. */
#ifndef TULK_CMD_BENCH_TRANSLATE_H
#define TULK_CMD_BENCH_TRANSLATE_H

#include "base/meter.h"
#include "base/str.h"
#include "bench_batches.h"
#include "model/model.h"

typedef struct {
    int beam;
    int batch_tokens;      /* decoded together */
    const seqs *shortlist; /* NULL: none */
    bool one_by_one;       /* each sentence is a call of its own, as if it had been typed */
    bool cpu_time;
    int passes;
    str *ids; /* gets the translations, lines of numbers; or NULL */
} translate_bench;

typedef struct {
    translate_bench how;
    size_t sentences;
    double src_tokens, tgt_tokens; /* eos counted */
    double seconds, best_seconds;  /* a pass: median, least */
    double words;           /* of the vocabulary, or of a sentence's shortlist, for each target token */
    double flops;           /* of a pass, products over true lengths */
    double metered_seconds; /* of one pass more, with the meter, which takes time itself */
    double rss;
    meter_sums spent; /* of that pass */
} translate_result;

/* Translates the sources of all pairs, `passes` times behind one to warm up: each translation is made as long
 * as the pair's target and holds no unk. */
void bench_translate(model *net, const batches *data, const translate_bench *how, translate_result *r);

/* What both kinds of bench tell of a network. */
typedef struct {
    const char *name;
    int threads;
    size_t n_parameters;
    int vocab_size;
    double peak; /* GFLOP/s of all threads in a loop of multiply-adds */
} bench_network;

void bench_translate_report(const bench_network *n, const translate_result *r, str *out);
void bench_translate_json(const bench_network *n, const translate_result *r, str *out);

/* Seconds of the clock, or of this thread's processor time. */
double bench_seconds(bool cpu_time);
/* Of n >= 1 values, which are sorted. */
double bench_median(double *values, long n);

#endif
