/* Sentences as the networks read them: packed, sentence by sentence, with bos or eos. Internal to model/. */
#ifndef TULK_MODEL_WORDS_H
#define TULK_MODEL_WORDS_H

#include "base/seqs.h"
#include "nn/attend.h"
#include "tensor/tape.h"

typedef struct {
    packed p;
    int rows;         /* words of all sentences */
    const int *ids;   /* (rows) */
    const int *place; /* (rows) position in the sentence, from 0 */
} words;

/* In the tape's memory. */
words words_with_eos(tape *t, const seqs *s); /* source; target as it is predicted */
words words_with_bos(tape *t, const seqs *s); /* target as it is read */

#endif
