/* Which words of a translation a reference has: for showing both to a reader. */
#ifndef TULK_EVAL_MARKING_H
#define TULK_EVAL_MARKING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum word_mark {
    MARK_MATCH, /* the reference has it, in the same order: on a longest common subsequence */
    MARK_MOVED, /* the reference has it elsewhere, as often */
    MARK_OTHER  /* the reference does not have it, or not as often */
};

/* A line as words, each with the blank before it, so that the words one after the other are the line. */
typedef struct {
    span text; /* of the word, with its blank: a view of the line */
    enum word_mark
        mark; /* of a translation: against the reference; of a reference: against the translation */
} marked_word;

typedef struct {
    marked_word *words;
    size_t n;
} marked_line;

/* Words of both lines with their marks; `lowercase`: compared without case. Owned: marked_line_free. */
void marking_of(span hyp, span ref, bool lowercase, marked_line *hyp_out, marked_line *ref_out);
void marked_line_free(marked_line *l);

size_t marked_matches(const marked_line *l); /* words with MARK_MATCH */

#endif
