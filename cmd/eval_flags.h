/* The flags of `tulk eval`: sacreBLEU's names, in a table of their own, since some mean other things
 * elsewhere (-m is metrics here). A row of eval_rows[] feeds the command line, the config file and --help. */
#ifndef TULK_CMD_EVAL_FLAGS_H
#define TULK_CMD_EVAL_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum eval_key {
    EVAL_INPUT,
    EVAL_NUM_REFS,
    EVAL_ENCODING,
    EVAL_LANGUAGE_PAIR,
    EVAL_METRICS,
    EVAL_SENTENCE_LEVEL,
    EVAL_SMOOTH_METHOD,
    EVAL_SMOOTH_VALUE,
    EVAL_TOKENIZE,
    EVAL_LOWERCASE,
    EVAL_FORCE,
    EVAL_MAX_ORDER,
    EVAL_CHRF_CHAR_ORDER,
    EVAL_CHRF_WORD_ORDER,
    EVAL_CHRF_BETA,
    EVAL_CHRF_WHITESPACE,
    EVAL_CHRF_LOWERCASE,
    EVAL_CHRF_EPS,
    EVAL_TER_CASE,
    EVAL_TER_ASIAN,
    EVAL_TER_NO_PUNCT,
    EVAL_TER_NORMALIZED,
    EVAL_CONFIDENCE,
    EVAL_CONFIDENCE_N,
    EVAL_PAIRED_AR,
    EVAL_PAIRED_BS,
    EVAL_PAIRED_AR_N,
    EVAL_PAIRED_BS_N,
    EVAL_PAIRED_JOBS,
    EVAL_SEED,
    EVAL_COMPARE,
    EVAL_HTML,
    EVAL_EXAMPLES,
    EVAL_FREQ,
    EVAL_FORMAT,
    EVAL_SCORE_ONLY,
    EVAL_WIDTH,
    EVAL_SHORT,
    EVAL_DETAIL,
    EVAL_NO_COLOR,
    EVAL_THREADS,
    EVAL_CONFIG,
    EVAL_QUIET,
    EVAL_HELP,
    EVAL_VERSION,
    EVAL_TEST_SET, /* from here on: what tulk leaves to sacreBLEU */
    EVAL_LIST,
    EVAL_DOWNLOAD,
    EVAL_ECHO,
    EVAL_ORIGLANG,
    EVAL_SUBSET,
    EVAL_CITATION,
    EVAL_CITE,
    EVAL_KEYS
};

enum eval_flag_type {
    FLAG_SWITCH,
    FLAG_TEXT,
    FLAG_CHOICE,
    FLAG_INT,
    FLAG_REAL,
    FLAG_ELSEWHERE /* known and refused: `help` says why */
};

typedef struct {
    const char *name, *brief; /* without dashes; brief may be NULL */
    enum eval_flag_type type;
    const char *group, *argument, *initial;
    const char *(*choice)(int i); /* the i-th choice, NULL behind the last */
    double least, most;
    bool many; /* takes all words up to the next flag, as sacreBLEU's flag of that name does */
    const char *help;
} eval_row;

extern const eval_row eval_rows[EVAL_KEYS];

typedef struct {
    char **words; /* [n] as text, checked */
    int n;
} eval_words;

typedef struct {
    eval_words values[EVAL_KEYS]; /* n = 0: neither given nor a default */
    bool given[EVAL_KEYS];
    const char **refs; /* [n_refs] the words that are no flags, in argv */
    int n_refs;
} eval_flags;

/* Reads argv[1..], then the --config file for what argv leaves open. Long names may be cut short while they
 * stay clear, as sacreBLEU's may. 0, or -1 with a message (exit 2). Free the flags in either case. */
int eval_flags_parse(eval_flags *f, int argc, char **argv);
void eval_flags_free(eval_flags *f);

bool eval_flag_on(const eval_flags *f, enum eval_key key);
const char *eval_flag_text(const eval_flags *f, enum eval_key key); /* the first word; NULL if unset */
long eval_flag_int(const eval_flags *f, enum eval_key key);
/* Of a flag that says how often something is drawn: 0 stands for the default, as in sacreBLEU. */
long eval_flag_draws(const eval_flags *f, enum eval_key key);
double eval_flag_real(const eval_flags *f, enum eval_key key); /* NaN if unset */

void eval_flags_help(str *out);

#endif
