/* The classic mistakes of an evaluation: text that is tokenised, cased or encoded otherwise than what it is
 * compared with. Each finding is a sentence or two: what was seen, in how many lines, and what to do. */
#ifndef TULK_EVAL_MISTAKES_H
#define TULK_EVAL_MISTAKES_H

#include <stdbool.h>

#include "base/str.h"

/* One file. Line i is lines[i * stride]. Views: owned by the caller. */
typedef struct {
    const char *name; /* how the user calls it */
    const span *lines;
    long n, stride;
} text_side;

typedef struct {
    char **list; /* sentences, most important first */
    int n;
    size_t capacity;
} findings;

/* Looks for mistakes in the translations, by themselves and beside the reference; `tokenized` and `caseless`:
 * the metrics take the text as tokens between blanks, or without case, so that it may be so. */
void mistakes_find(const text_side *hyp, const text_side *ref, bool tokenized, bool caseless, findings *out);
/* The same for the reference alone. */
void mistakes_find_in_reference(const text_side *ref, bool tokenized, findings *out);

void findings_add(findings *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void findings_free(findings *f);

#endif
