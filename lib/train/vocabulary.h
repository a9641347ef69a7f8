/* The tokenizers of both sides: learned from training text, or loaded from a file. */
#ifndef TULK_TRAIN_VOCABULARY_H
#define TULK_TRAIN_VOCABULARY_H

#include <stdbool.h>

#include "store/store.h"
#include "text/tokenizer.h"

typedef struct {
    tokenizer *src, *tgt; /* the same one if joint */
    bool joint;
} vocab_pair;

typedef struct {
    const char *const *src_paths, *const *tgt_paths;
    int n_files;
    enum normalization normalize;
    bool casefold;
    bool separate; /* one vocabulary a side */
    int size;      /* of each */
} vocab_request;

/* Learns from all pairs of the files that hold text (no pair with a line that is not UTF-8). 0, or -1 with a
 * message; unequal line counts are told before the learning, which takes longer than the reading. */
int vocab_pair_learn(const vocab_request *r, vocab_pair *out);
/* Loads what a vocabulary or model file holds; `path` is for messages. */
int vocab_pair_load(store *s, const char *path, vocab_pair *out);
int vocab_pair_save(store *s, const vocab_pair *v);
/* Whether they make the same pieces of the same numbers, of any text. */
bool vocab_pairs_equal(const vocab_pair *a, const vocab_pair *b);
void vocab_pair_free(vocab_pair *v);

#endif
