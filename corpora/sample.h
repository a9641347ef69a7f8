/* Drawing trees: what the files sample*.c share. */
#ifndef TULK_CORPORA_SAMPLE_H
#define TULK_CORPORA_SAMPLE_H

#include "sentence.h"

typedef struct {
    const lexicon *lex;
    rng *random;
    arena *memory;
    combinations *used;
} sampler;

/* How much a noun phrase may carry: SHORT: determiner, adjective; LONG: also one of PP, genitive, relative
 * clause. */
enum np_length { SHORT, LONG };

bool chance(sampler *s, int percent);
uint32_t below(sampler *s, int n);
/* An index below n, small ones more likely than large ones: tables begin with common words. */
int pick(sampler *s, int n);
/* An index into weights, which end with -1. */
int pick_weighted(sampler *s, const int *weights);

/* sample_np.c. Classes are letters of words/nouns.inc, one of which is chosen. */
np *sample_np(sampler *s, const char *classes, enum np_length length, bool subject);
np *sample_specific_np(sampler *s, const char *classes); /* a determiner that shows case and number */
np *sample_noun(sampler *s, const char *classes, enum determiner determiner, bool plural);
np *sample_name(sampler *s);
const adjective *sample_predicate(sampler *s, const np *subject);

/* sample_clause.c: a relative clause for the head, or NULL if no verb fits. */
clause *sample_relative(sampler *s, const np *head);

/* Notes that two words were used together; NULL (a pronoun, a name): nothing. */
void combine(sampler *s, const char *relation, const char *left, const char *right);
void combine_np(sampler *s, const char *relation, const np *n, const char *with);

#endif
