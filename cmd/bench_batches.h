/* What tulk bench computes with: batches that are made up, read as numbers, or cut from text. */
#ifndef TULK_CMD_BENCH_BATCHES_H
#define TULK_CMD_BENCH_BATCHES_H

#include "data/corpus.h"
#include "train/vocabulary.h"

/* Lengths of made-up sentences, in pieces: gamma distributed on the source side, and the target's a normally
 * distributed multiple of them. */
typedef struct {
    const char *name;
    int shape;            /* of the gamma distribution */
    double mean;          /* of the source */
    double ratio, spread; /* target by source: mean, standard deviation */
} length_kind;

extern const length_kind length_kinds[]; /* captions as in Multi30k, newswire; ends with name NULL */

typedef struct {
    pair_batch *list;
    size_t n, capacity;
    bool given; /* cut by whoever made the file, not by --batch-tokens */
} batches;

void batches_free(batches *b);

/* `n` batches of random pieces. */
void batches_make_up(const length_kind *lengths, int vocab_size, int batch_tokens, size_t n, uint64_t seed,
                     batches *out);
/* A vocabulary shortlist (train/shortlist.h): random pieces, as many as leave a sentence about what text
 * does. */
seqs shortlist_make_up(int vocab_size, uint64_t seed);
/* The pairs of two files of numbers, below `vocab_size`. Where both have an empty line a batch ends; with no
 * such line they are cut as a training cuts them, or, with batch_tokens 0, are one batch as they stand. 0, or
 * -1 with a message. */
int batches_read(const char *src_path, const char *tgt_path, int vocab_size, int batch_tokens, uint64_t seed,
                 batches *out);
/* One epoch of a corpus. 0, or -1 with a message. */
int batches_of_corpus(corpus *c, batches *out);

#endif
