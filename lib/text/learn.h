/* Inside of the learner, for its tests. */
#ifndef TULK_TEXT_LEARN_H
#define TULK_TEXT_LEARN_H

#include "text/tokenizer.h"

/* Bounds the table of words: when it is full, the rarest are dropped until half is free. */
void learner_limit(learner *l, size_t max_words, size_t max_bytes);

#endif
