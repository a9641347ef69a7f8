/* A command that turns lines into lines with a vocabulary: tokenize, detokenize. */
#ifndef TULK_CMD_FILTER_H
#define TULK_CMD_FILTER_H

#include "command.h"
#include "data/lines.h"
#include "train/vocabulary.h"

typedef struct filter filter;
struct filter {
    bool ids, strict;
    vocab_pair vocab;
    const tokenizer *tokenizer; /* the side's */
    tokenizer_cache *cache;
    lines *in;
    output out;
    seqs pieces; /* scratch */
    str text;
    /* Turns `line` into f->text, without '\n'. 0, or -1 with a message. */
    int (*turn)(filter *f, span line);
};

/* What command_run asks of such a command. 0, or -1 with a message. */
int filter_check(const options *o);
int filter_run(const options *o, int (*turn)(filter *f, span line));

#endif
