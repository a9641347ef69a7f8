/* The flags of `tulk eval`: sacreBLEU's names, in a table of their own, since some mean other things
 * elsewhere
 * (-m is metrics here). A row feeds the command line, the config file and --help. */
#ifndef TULK_CMD_EVAL_FLAGS_H
#define TULK_CMD_EVAL_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum eval_key {
    EVAL_INPUT,
    EVAL_METRICS,
    EVAL_TOKENIZE,
    EVAL_LOWERCASE,
    EVAL_SMOOTH_METHOD,
    EVAL_SMOOTH_VALUE,
    EVAL_MAX_ORDER,
    EVAL_FORCE,
    EVAL_FORMAT,
    EVAL_SCORE_ONLY,
    EVAL_WIDTH,
    EVAL_SHORT,
    EVAL_THREADS,
    EVAL_SEED,
    EVAL_CONFIG,
    EVAL_QUIET,
    EVAL_HELP,
    EVAL_VERSION,
    EVAL_KEYS
};

typedef struct {
    char *values[EVAL_KEYS]; /* as text, checked; NULL: neither given nor a default */
    bool given[EVAL_KEYS];
    const char **refs; /* the words that are no flags, in argv */
    int n_refs;
} eval_flags;

/* Reads argv[1..], then the --config file for what argv leaves open. 0, or -1 with a message (exit 2). Free
 * the flags in either case. */
int eval_flags_parse(eval_flags *f, int argc, char **argv);
void eval_flags_free(eval_flags *f);

bool eval_flag_on(const eval_flags *f, enum eval_key key);
long eval_flag_int(const eval_flags *f, enum eval_key key);
double eval_flag_real(const eval_flags *f, enum eval_key key); /* NaN if unset */

void eval_flags_help(str *out);

#endif
