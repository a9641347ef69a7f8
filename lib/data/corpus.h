/* Sentence pairs for training: text files -> tokenised pairs -> length buckets -> token batches.
 *
 * An epoch reads the files window by window (a window is at most `window_pairs` pairs, which bounds memory),
 * shuffles the window, sorts by length into batches of at most batch_tokens (sentences x longest side, eos
 * counted), and gives the batches in shuffled order; all of it a function of (seed, epoch, window) alone. A corpus that
 * fits in one window is read once and kept. */
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
    int max_len;       /* pairs with a longer side (tokens) are left out, counted */
    int batch_tokens;
    int64_t window_pairs;
    int hold_out_permille; /* 0: none. Else pairs whose hash falls into this share are held out for validation */
    int64_t hold_out_max;
    bool strict; /* any fault of the text is an error */
    uint64_t seed;
} corpus_options;

typedef struct {
    int64_t read, used, empty, too_long, invalid, held_out, carriage_returns, byte_order_marks;
} corpus_counts;

typedef struct corpus corpus;

/* Opens and reads the first window. -1 with a message: a missing file, unequal line counts (naming both files
 * and counts), nothing usable. */
int corpus_open(const corpus_options *o, corpus **out);
void corpus_close(corpus *c); /* NULL is fine */

/* Goes to the start of an epoch (from 1), or to the place batch `done` of it: after a resume. */
int corpus_seek(corpus *c, int64_t epoch, int64_t done);
/* 1 and the next batch (valid until the next call), 0 at the end of the epoch, -1 with a message. */
int corpus_next(corpus *c, const pair_batch **batch);
int64_t corpus_epoch(const corpus *c);
int64_t corpus_done(const corpus *c); /* batches given in this epoch */
double corpus_progress(const corpus *c); /* share of the epoch, 0..1 */
const corpus_counts *corpus_count(const corpus *c); /* of the first whole pass */
/* The held-out pairs, as text, in file order (if hold_out_permille). */
const pair_batch *corpus_held_out(const corpus *c);

/* Reads a whole pair of files as it is, e.g. for validation: tokens, and the target lines as text for BLEU. */
typedef struct {
    pair_batch ids;
    str tgt_text;      /* target lines behind each other */
    size_t *tgt_start; /* n + 1 */
} pair_text;
int pair_text_read(const char *src_path, const char *tgt_path, const tokenizer *src, const tokenizer *tgt,
                   pair_text *out);
void pair_text_free(pair_text *p);

#endif
