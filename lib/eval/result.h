/* How sacreBLEU prints scores: of one system, of single sentences, and of several systems with a test. */
#ifndef TULK_EVAL_RESULT_H
#define TULK_EVAL_RESULT_H

#include <stdbool.h>

#include "base/str.h"
#include "eval/significance.h"

enum eval_format {
    EVAL_JSON,  /* an object, one field a line; the fields of the signature follow the others */
    EVAL_TEXT,  /* BLEU|SIGNATURE = SCORE VERBOSE, or a table */
    EVAL_LATEX, /* the same, but the table is for LaTeX */
};

typedef struct {
    enum eval_format format;
    int width;       /* digits after the point */
    bool score_only; /* the number alone, of one system */
    bool color;      /* for a terminal */
} eval_style;

typedef struct {
    const char *name;      /* BLEU */
    significance value;    /* mean and ci: NaN for none */
    const char *signature; /* key:value|key:value */
    const char *verbose;   /* what follows the score; "" for nothing */
} eval_result;

/* Appends the scores of one system by n >= 1 metrics, and a newline: a list of them in JSON, equals signs
 * under each other in text. */
void eval_print_system(const eval_result *results, int n, const eval_style *style, str *out);

/* Appends the line of one sentence, always as text. */
void eval_print_sentence(const eval_result *result, const eval_style *style, str *out);

enum eval_test { EVAL_NO_TEST, EVAL_TEST_BS, EVAL_TEST_AR };

/* Several systems; the first is the baseline of the test. */
typedef struct {
    const char *const *systems; /* [n_systems] as they are called */
    int n_systems;
    const char *const *metrics, *const *signatures; /* [n_metrics] */
    int n_metrics;
    const significance *values; /* (n_metrics, n_systems) */
    enum eval_test test;
    long n_samples; /* resamples or trials of the test */
} eval_table;

/* Appends a list of objects in JSON, else a table with signatures and, where there was a test, how to read
 * it. */
void eval_print_table(const eval_table *table, const eval_style *style, str *out);

/* Appends the version field of signatures, which names what is computed and who computed it: 2.6.0+tulk.0.1
 */
void eval_add_version(str *out);

#endif
