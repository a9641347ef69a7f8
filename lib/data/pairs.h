/* Pairs of parallel files, one by one as text, or block by block with their tokens. */
#ifndef TULK_DATA_PAIRS_H
#define TULK_DATA_PAIRS_H

#include "base/seqs.h"
#include "base/str.h"
#include "data/lines.h"
#include "text/tokenizer.h"

/* Two text files, or several pairs of them behind each other, read as one. */
typedef struct {
    const char *const *paths[2]; /* source, target; n_files of each */
    int n_files;
    int file;                                   /* the one that is read */
    lines *in[2];                               /* NULL between files */
    int64_t line;                               /* pairs given of this file */
    int64_t total;                              /* and of all */
    int64_t carriage_returns, byte_order_marks; /* of files that were read to the end */
} pair_reader;

typedef struct {
    span side[2];
    bool valid; /* both sides are UTF-8 without NUL */
} text_pair;

/* Starts, or starts again, at the first pair; {.paths, .n_files} are set. */
void pairs_rewind(pair_reader *r);
/* 1 and the next pair (valid until the next call), 0 at the end of all files, -1 with a message, e.g. if one
 * file of a pair has more lines than the other. */
int pairs_next(pair_reader *r, text_pair *p);
void pairs_close(pair_reader *r);

/* BPE dropout: a function of seed, epoch, a pair's place in the corpus and its side. */
typedef struct {
    double p; /* 0: none */
    uint64_t seed;
    int64_t epoch;
} bpe_dropout;

/* Pairs that are tokenised together, by all threads. */
enum { BLOCK_PAIRS = 8192, BLOCK_BYTES = 16 << 20, PART_PAIRS = 128, BLOCK_PARTS = BLOCK_PAIRS / PART_PAIRS };

typedef struct {
    const tokenizer *tokenizers[2];
    tokenizer_cache *(*caches)[2]; /* one pair a thread */
    int n_caches;
    str text[2];
    size_t start[2][BLOCK_PAIRS + 1];
    bool valid[BLOCK_PAIRS];
    size_t n;
    int64_t first;             /* place of its first pair in the corpus */
    int file[BLOCK_PAIRS];     /* where a pair is */
    int64_t line[BLOCK_PAIRS]; /* from 1 */
    seqs parts[BLOCK_PARTS][2];
    bpe_dropout dropout;
} pair_block;

pair_block *block_new(const tokenizer *src, const tokenizer *tgt);
void block_free(pair_block *b); /* NULL is fine */
/* Reads up to `limit` pairs. 1, 0 at the end of all files, -1 with a message. */
int block_read(pair_block *b, pair_reader *r, int64_t limit);
/* Tokenises all pairs. Results do not depend on the number of threads. */
void block_encode(pair_block *b);
void block_encode_dropout(pair_block *b, const bpe_dropout *dropout);
span block_text(const pair_block *b, int side, size_t i);
/* The tokens of a side of pair i. */
const int *block_ids(const pair_block *b, int side, size_t i, size_t *n);

#endif
