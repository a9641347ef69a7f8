/* Inside the data room: the windows of a corpus, tokenised and cut into batches, one of them prepared ahead
 * by a thread of its own while the caller uses the one before.
 *
 * Window w is the pairs w * window_pairs .. of the files, whatever of them is used. At most two windows are
 * in memory; a corpus that has no more stays there, and only the plans of its batches are made anew. */
#ifndef TULK_DATA_WINDOWS_H
#define TULK_DATA_WINDOWS_H

#include <stdatomic.h>

#include "base/worker.h"
#include "data/batches.h"
#include "data/corpus.h"
#include "data/holdout.h"
#include "data/pairs.h"

/* A pair must fit into max_len, and into a batch of its own. */
bool pair_is_too_long(const corpus_options *o, size_t src_tokens, size_t tgt_tokens);
/* fail() for a pair that may not be there: its line and what is wrong with it. */
int strict_fault(const corpus_options *o, int file, int64_t line, const char *what);

typedef struct {
    int64_t number;       /* -1: none is loaded */
    int64_t epoch;        /* whose pairs these are, if epochs differ (BPE dropout, weights); else 0 */
    seqs src, tgt;        /* its usable pairs */
    corpus_counts counts; /* what became of its pairs that the first look did not count */
} window;

/* A window and the order of its batches in an epoch. */
typedef struct {
    int64_t epoch, number;
    const window *pairs;
    batch_plan batches;
} planned_window;

typedef struct {
    const corpus_options *o;
    const holdout *held_out;
    int64_t n_pairs, n_windows; /* of the corpus */
    pair_reader reader;
    pair_block *block;
    window windows[2];
    planned_window plans[2];
    int now;            /* the plan that was given last; the other one is the reader's */
    worker *ahead;      /* NULL before the first use */
    bool busy;          /* a task was started and not yet waited for */
    atomic_bool cancel; /* asks the task to end */
    seqs plain[2];      /* scratch: a pair without BPE dropout */
} window_stream;

/* `o` and `held_out` stay the caller's and must outlive the stream. The caller may use the reader until it
 * sets the size. */
void windows_open(window_stream *s, const corpus_options *o, const holdout *held_out);
/* How many pairs there are, before the first of the calls below. */
void windows_set_size(window_stream *s, int64_t n_pairs);
/* Waits for the reader, but not for a window that it has only begun. */
void windows_close(window_stream *s);

/* The window for the epoch, valid until the next call; from the thread that reads ahead if it was asked for
 * this one. -1 with a message: a file that changed or is damaged, a pair that may not be there (strict). */
int windows_take(window_stream *s, int64_t epoch, int64_t number, const planned_window **out);
/* Has the window that follows the one given last, in this epoch or the next, prepared beside the caller.
 * Costs nothing when it is already being prepared. */
void windows_read_ahead(window_stream *s);
/* Pairs of the files in a window. */
int64_t window_size(const window_stream *s, int64_t number);

#endif
