/* Sentence pairs for training: text files -> tokenised pairs -> length buckets -> token batches.
 *
 * The files are read once when the corpus is opened: to check them, to count, and to choose the pairs that
 * are held out. Then an epoch reads them window by window (a window is `window_pairs` pairs of lines),
 * shuffles the window, sorts by length into batches of at most batch_tokens (sentences x longest side, eos
 * counted), and gives the batches in shuffled order; all of it a function of (seed, epoch, window) alone.
 *
 * While one window is used, a thread of the corpus's own (base/worker.h) reads, tokenises and plans the next
 * one, of this epoch or the following; what it finds wrong is told when its window is asked for. Two windows
 * are in memory at most, 4 bytes a token and 32 a pair; a corpus of no more than two stays there and is never
 * read again. Files must be real ones: a pipe can be read only once. */
#ifndef TULK_DATA_CORPUS_H
#define TULK_DATA_CORPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seqs.h"
#include "text/tokenizer.h"

typedef struct {
    seqs src, tgt; /* same n */
} pair_batch;

typedef struct {
    const char *const *src_paths, *const *tgt_paths; /* n_files of each */
    int n_files;
    const tokenizer *src_tokenizer, *tgt_tokenizer;
    /* Pairs with a longer side (tokens) are left out and counted; so are pairs that exceed batch_tokens by
     * themselves. */
    int max_len;
    int batch_tokens;
    int64_t window_pairs;
    /* 0: none. Else this share of the pairs, at least one and at most hold_out_max, is held out for
     * validation: those with the smallest hashes of their text, with all their copies. */
    int hold_out_permille;
    int64_t hold_out_max;
    /* BPE dropout of both sides, 0: none. The corpus is then segmented anew each epoch. A pair that is too
     * long only because of it is taken without: which pairs are used does not change. */
    double bpe_dropout;
    /* (n_files) How often each pair of a file counts in an epoch: so many copies, and one more at random for
     * the fraction, drawn anew each epoch. NULL: once. */
    const double *weights;
    bool strict; /* a pair that would be left out is an error instead, which names its line */
    uint64_t seed;
} corpus_options;

/* Pairs: read = used + empty + too_long + invalid + held_out (copies of held-out pairs included). Then line
 * ends and files. `invalid`: a side is not UTF-8 or holds NUL. */
typedef struct {
    int64_t read, used, empty, too_long, invalid, held_out, carriage_returns, byte_order_marks;
} corpus_counts;

typedef struct corpus corpus;

/* Checks the files and reads the first window; corpus_next gives the first batch of epoch 1. -1 with a
 * message: a missing file, unequal line counts (naming both files and counts), nothing usable. */
int corpus_open(const corpus_options *o, corpus **out);
void corpus_close(corpus *c); /* also while it reads ahead; keeps the fail() message; NULL is fine */

/* Goes to the start of an epoch (from 1), or to the place batch `done` of it: after a resume. */
int corpus_seek(corpus *c, int64_t epoch, int64_t done); /* -1 also if the epoch has fewer batches */
/* 1 and the next batch (valid until the next call), 0 at the end of the epoch, -1 with a message. */
int corpus_next(corpus *c, const pair_batch **batch);
int64_t corpus_epoch(const corpus *c);
int64_t corpus_done(const corpus *c);    /* batches given in this epoch */
double corpus_progress(const corpus *c); /* share of the epoch, 0..1 */
/* What was found. used, too_long and held_out grow window by window through the first epoch, and are final at
 * once if there is one window. */
const corpus_counts *corpus_count(const corpus *c);
/* The held-out pairs, each once, in file order; none if not asked for. */
const pair_batch *corpus_held_out(const corpus *c);

/* A whole pair of files as it is, e.g. for validation: tokens, and the target lines as text for BLEU. Every
 * pair is kept, empty and invalid ones too. */
typedef struct {
    pair_batch ids;
    str tgt_text;      /* target lines behind each other */
    size_t *tgt_start; /* n + 1 */
} pair_text;
int pair_text_read(const char *src_path, const char *tgt_path, const tokenizer *src, const tokenizer *tgt,
                   pair_text *out);
void pair_text_free(pair_text *p);

#endif
