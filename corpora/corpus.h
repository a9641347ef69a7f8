/* A corpus of sentence pairs in three parts that share nothing: see corpus.c for the rule. */
#ifndef TULK_CORPORA_CORPUS_H
#define TULK_CORPORA_CORPUS_H

#include "sentence.h"

enum part { TRAIN, VALID, TEST, PARTS };
extern const char *const part_names[PARTS]; /* train, valid, test */

/* One drawn pair and the combinations of words in it. */
typedef struct {
    str en, de;
    combinations used;
} pair;

typedef struct corpus corpus;

corpus *corpus_new(uint64_t seed);
void corpus_free(corpus *c);
const lexicon *corpus_lexicon(const corpus *c);

/* Which part a combination of words is kept for: VALID and TEST have about one in 25 each. */
enum part combination_part(uint64_t combination);

/* Draws the next pair of a part that no part had before, on either side. Draw TEST and VALID before TRAIN:
 * then more training pairs with the same seed begin with the same pairs. */
void corpus_next(corpus *c, enum part part, pair *out);
void pair_free(pair *p);

/* Writes DIR/train.en, train.de, valid.en, ... with n[part] lines each. DIR is made if it is missing. */
int corpus_write(corpus *c, const char *dir, const long n[PARTS]);

#endif
