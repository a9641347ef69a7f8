/* Which pieces of the target go with which of the source: IBM Model 1 (Brown et al. 1993, "The mathematics of
 * statistical machine translation", section 4.1) by expectation maximisation, with an empty source word. */
#ifndef TULK_TRAIN_LEXICON_H
#define TULK_TRAIN_LEXICON_H

#include "base/seqs.h"

typedef struct {
    int word; /* of the target */
    float p;  /* p(word | the list's source word) */
} lexicon_entry;

/* A list for each source word, and a last one for the empty word, most probable first, of equal ones the
 * smaller id. A list has at most LEXICON_MOST entries: those that are most probable after the first
 * iteration, when a probability is a share of what stands beside the word. */
enum { LEXICON_MOST = 256 };
typedef struct {
    lexicon_entry *entries; /* those of list i: start[i] .. start[i + 1] */
    size_t *start;          /* (n_src + 2) */
    int n_src, n_tgt;
} lexicon;

/* Learned from n pairs of sentences, ids below n_src and n_tgt. Takes some nanoseconds for each pair of words
 * that stand in one pair of sentences and each iteration (at least 1), and about 16 bytes a word. */
lexicon lexicon_learn(const seqs *src, const seqs *tgt, int n_src, int n_tgt, int iterations);
void lexicon_free(lexicon *l);

#endif
