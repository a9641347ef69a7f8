/* The tokenizers of sacreBLEU that are built, by their names there. */
#ifndef TULK_EVAL_TOKENIZE_H
#define TULK_EVAL_TOKENIZE_H

#include "base/str.h"

typedef struct {
    const char *name;
    /* Appends the tokenised line to out. Tokens are what lies between white space (segment_token). */
    void (*run)(span line, str *out);
} eval_tokenizer;

extern const eval_tokenizer eval_tokenizers[]; /* ends with name NULL */

const eval_tokenizer *eval_tokenizer_find(const char *name); /* NULL if there is none of that name */

#endif
