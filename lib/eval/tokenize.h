/* The tokenizers of sacreBLEU that are built, by their names there. */
#ifndef TULK_EVAL_TOKENIZE_H
#define TULK_EVAL_TOKENIZE_H

#include "base/str.h"
#include "eval/cut.h"

typedef struct {
    const char *name;
    /* Appends the tokens of a line whose end is stripped (segment_rstrip). Uses out->text, so one line at a
     * time: tokens of a line that ran before are gone. */
    void (*run)(span line, tokens *out);
} eval_tokenizer;

extern const eval_tokenizer eval_tokenizers[]; /* ends with name NULL */

const eval_tokenizer *eval_tokenizer_find(const char *name); /* NULL if there is none of that name */

#endif
