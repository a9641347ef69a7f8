/* One sentence of a comparison as a reader sees it: the reference and both translations, cut into words that
 * are marked by what matches. */
#ifndef TULK_EVAL_EXAMPLE_H
#define TULK_EVAL_EXAMPLE_H

#include "eval/compare.h"
#include "eval/marking.h"

typedef struct {
    int ref;                           /* the reference shown: the one that both match best together */
    marked_line hyps[COMPARE_SYSTEMS]; /* against that reference */
    marked_line refs[COMPARE_SYSTEMS]; /* the reference against each system */
} example;

/* Of sentence i, from 0. Views of the comparison's texts. Owned: example_free. */
example example_new(const comparison *c, long i);
void example_free(example *e);

/* What a word of the reference is to both systems together: MARK_OTHER if neither has it. */
enum word_mark example_ref_mark(const example *e, size_t word);

/* Whether a character can be shown: no control that a terminal or a page would obey, no byte outside UTF-8
 * (-1). U+FFFD is shown instead. */
bool example_shows(int code);

/* Words shown of a line; there is no point in reading more. */
enum { EXAMPLE_WORDS = 400 };

#endif
