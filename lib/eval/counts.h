/* How often words occur: a table from word to number. */
#ifndef TULK_EVAL_COUNTS_H
#define TULK_EVAL_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct word_counts word_counts;

word_counts *word_counts_new(void);
void word_counts_free(word_counts *w); /* NULL is fine */

/* Adds `n` to the word, which is copied if it is new. */
void word_counts_add(word_counts *w, span word, int64_t n);
/* Adds one to a word that is there, and nothing to others: the table does not grow. */
void word_counts_meet(word_counts *w, span word);
int64_t word_counts_of(const word_counts *w, span word); /* 0 for a word that is not there */

#endif
