/* The translation edit rate (Snover et al. 2006) as sacreBLEU 2.6 computes it, which follows Tercom. */
#ifndef TULK_EVAL_TER_H
#define TULK_EVAL_TER_H

#include <stdbool.h>

#include "base/str.h"
#include "eval/cut.h"

typedef struct {
    bool normalized;     /* entities are resolved and punctuation goes apart from words */
    bool no_punct;       /* punctuation is removed */
    bool asian_support;  /* the above for Asian scripts too, and their characters become words */
    bool case_sensitive; /* otherwise all is lower case */
} ter_options;

ter_options ter_defaults(void); /* all false */

/* The words of a line as TER compares them. They lie in the line, in *out and in *without, and replace what
 * was in *out and *without before. */
void ter_words(const ter_options *o, span line, tokens *out, str *without);

#endif
