/* A corpus of pairs of lines in three parts that share nothing: see corpus.c for the rule. */
#ifndef TULK_CORPORA_CORPUS_H
#define TULK_CORPORA_CORPUS_H

#include "sentence.h"

enum part { TRAIN, VALID, TEST, PARTS };
extern const char *const part_names[PARTS]; /* train, valid, test */

/* One drawn pair and the combinations of words in it. */
typedef struct {
    str src, tgt;
    combinations used;
} pair;

/* What is learned: a row of tasks.c, which says how a pair is drawn. */
typedef struct {
    const char *name;
    const char *src, *tgt; /* the endings of the files */
    bool text;             /* the target is text, too: no line of it comes twice, either */
    /* Draws a pair into `out`, which is empty; false if it is none of the task. */
    bool (*draw)(const lexicon *lex, rng *random, arena *a, pair *out);
} task;

extern const task tasks[];             /* the first one is translation; ends with a row without a name */
const task *task_of(const char *name); /* NULL if there is none */

typedef struct corpus corpus;

/* Sources have at most `longest` words; 0: any number. */
corpus *corpus_new(const task *t, uint64_t seed, long longest);
void corpus_free(corpus *c);
const lexicon *corpus_lexicon(const corpus *c);

/* Which part a combination of words is kept for: VALID and TEST have about one in 25 each. */
enum part combination_part(uint64_t combination);

/* Draws the next pair of a part that no part had before. Draw TEST and VALID before TRAIN: then more training
 * pairs with the same seed begin with the same pairs. -1 if there seem to be no more. */
int corpus_next(corpus *c, enum part part, pair *out);
void pair_free(pair *p);

/* Writes DIR/train.SRC, train.TGT, valid.SRC, ... with n[part] lines each. DIR is made if it is missing. */
int corpus_write(corpus *c, const char *dir, const long n[PARTS]);

#endif
