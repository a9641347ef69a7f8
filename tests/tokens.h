/* What the suites of tokenizers and metrics share: texts with what is expected of them. */
#ifndef TULK_TESTS_TOKENS_H
#define TULK_TESTS_TOKENS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "eval/tokenize.h"

/* Bytes with NUL inside. */
#define SPAN(literal) ((span){literal, sizeof literal - 1})

typedef struct {
    const char *in, *out;
} text_case;

/* The tokens with one space between them. */
static inline void join_tokens(const tokens *t, str *out)
{
    for (size_t i = 0; i < t->n; i++) {
        if (i) str_add_char(out, ' ');
        str_add_span(out, t->at[i]);
    }
}

static inline bool tokens_are(const char *tokenizer, span line, const char *expected)
{
    tokens t = {0};
    str joined = {0};
    eval_tokenizer_find(tokenizer)->run(line, &t);
    join_tokens(&t, &joined);
    bool same = strcmp(str_text(&joined), expected) == 0;
    if (!same) printf("\n    %s: [%s] expected [%s] ", tokenizer, str_text(&joined), expected);
    tokens_free(&t);
    str_free(&joined);
    return same;
}

#endif
