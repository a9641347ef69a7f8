/* Two translations of one test set side by side: scores with their difference and its significance, what BLEU
 * is made of, BLEU by the length of the sentence, words by how frequent they are, the sentences that differ
 * most, and what looks like a mistake of the evaluation. Everything is computed once and then shown by
 * report_text.h or report_html.h. */
#ifndef TULK_EVAL_COMPARE_H
#define TULK_EVAL_COMPARE_H

#include "eval/metric.h"
#include "eval/mistakes.h"

enum { COMPARE_SYSTEMS = 2, COMPARE_METRICS = 8 };

/* The texts, as views that must live as long as the comparison. White space at the ends of lines
 * counts only where chrF is asked to count it. */
typedef struct {
    const char *names[COMPARE_SYSTEMS]; /* how the user calls the systems: their files */
    const span *hyps[COMPARE_SYSTEMS];  /* (n) each */
    const char *const *ref_names;       /* (n_refs) */
    const span *refs;                   /* (n, n_refs) */
    int n_refs;                         /* >= 1 */
    long n;                             /* >= 1 */
} compare_texts;

enum compare_test { COMPARE_BOOTSTRAP, COMPARE_RANDOMIZATION };

typedef struct {
    const metric *metrics[COMPARE_METRICS]; /* the chosen ones, at least one */
    int n_metrics;
    metric_options options;
    enum compare_test test;
    long n_samples; /* resamples or trials of the test */
    uint64_t seed;
    int width;               /* digits of scores behind the point */
    int examples;            /* sentences shown of each system's best */
    const char *word_source; /* where words were counted, if not in the references: for the report */
} compare_options;

typedef struct {
    const metric *metric;
    char *name, *signature;
    double score[COMPARE_SYSTEMS];
    double difference; /* second minus first */
    double p_value;    /* two-sided, of the difference; NaN where there is none, or only one segment */
    int better;        /* the system with the better score; -1 for equal scores */
} compared_score;

/* Sentences whose first reference has from .. to words. */
typedef struct {
    long from, to; /* to: LONG_MAX in the last one */
    long sentences;
    double bleu[COMPARE_SYSTEMS];
} length_bucket;

/* Words that occur from .. to times in the references, or in the text where they were counted. Words of the
 * translations are matched with those of the first reference, sentence by sentence, without order. */
typedef struct {
    int64_t from, to; /* to: INT64_MAX in the last one */
    int64_t ref;      /* words of the first reference */
    int64_t hyp[COMPARE_SYSTEMS], match[COMPARE_SYSTEMS];
} word_bucket;

enum { LENGTH_BUCKETS = 7, WORD_BUCKETS = 9, DIFFERENCE_BARS = 21 };

typedef struct comparison {
    compare_texts texts;
    compare_options options;

    compared_score scores[COMPARE_METRICS];
    bleu_stats bleu_sums[COMPARE_SYSTEMS];
    bleu_score bleu[COMPARE_SYSTEMS];
    length_bucket lengths[LENGTH_BUCKETS];
    word_bucket words[WORD_BUCKETS];
    findings findings;

    const metric *judge; /* of single sentences: chrF if it was chosen, else the first metric */
    int judge_index;     /* its place in options.metrics */
    long better[COMPARE_SYSTEMS], equal; /* sentences that the judge finds better in one system */
    long identical;                      /* sentences that are the same in both */
    long *examples[COMPARE_SYSTEMS];     /* sentences (from 0) where one system is ahead the most */
    int n_examples[COMPARE_SYSTEMS];
    /* How many sentences the judge finds better by how much: the middle bar is no difference (less than half
     * a bar), those on its right are better in the second system. A bar is bar_width points wide; the outer
     * ones hold all beyond. */
    long bars[DIFFERENCE_BARS];
    double bar_width;

    struct comparing *work; /* of compare.c */
} comparison;

/* Begins: the words of the texts are known. Owned: comparison_free. */
comparison *comparison_new(const compare_texts *texts, const compare_options *options);
/* A line of the text in which words are counted instead of in the references; call it before comparison_run,
 * as often as needed. */
void comparison_count_words(comparison *c, span line);
/* Computes everything. Runs on the team; results do not depend on the number of threads. */
void comparison_run(comparison *c);
void comparison_free(comparison *c); /* NULL is fine */

/* The score of one sentence: of options.metrics[metric], in one of the systems. */
double comparison_sentence(const comparison *c, int metric, int system, long sentence);

/* Precision, recall and their harmonic mean, 0 .. 1; 0 where there is nothing to divide by. */
double bucket_precision(const word_bucket *b, int system);
double bucket_recall(const word_bucket *b, int system);
double bucket_f1(const word_bucket *b, int system);
const char *bucket_label(int64_t from, int64_t to, char out[48]); /* "5-9", "4", "60+"; returns out */

#endif
