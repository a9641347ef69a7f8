/* What a vocabulary makes of a corpus, and what training on it will take on this machine. */
#ifndef TULK_CMD_CHECK_COST_H
#define TULK_CMD_CHECK_COST_H

#include "data/check.h"
#include "options/options.h"

typedef struct {
    const char *model; /* the file of the vocabulary; NULL: learned from a sample of the text */
    int vocab_size[2], max_len;
    int64_t pairs, too_long; /* read; with more than max_len pieces on a side, left out by training */
    double pieces[2];        /* a line, eos not counted: means */
    double spelled[2]; /* share of the pieces that are bytes: characters that the vocabulary does not have */
    check_finding unknown[2]; /* lines with such pieces */
    /* with a preset; updates = 0 without */
    const char *preset;
    double updates; /* an epoch */
    double seconds; /* an epoch, estimated by a few updates */
    double bytes;   /* of memory */
    size_t parameters;
    int threads, batch_tokens;
} check_cost;

/* `vocab`, `preset`: NULL if not given, one of them is. 0, or -1 with a message. */
int check_measure(const check_options *o, const char *vocab, const char *preset, const check_report *r,
                  check_cost *out);

#endif
