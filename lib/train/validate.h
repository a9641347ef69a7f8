/* Validation: how well a network does on pairs it does not learn from. */
#ifndef TULK_TRAIN_VALIDATE_H
#define TULK_TRAIN_VALIDATE_H

#include "data/corpus.h"
#include "eval/bleu.h"
#include "model/model.h"
#include "search/search.h"
#include "text/tokenizer.h"

typedef struct {
    const pair_text *pairs;
    const tokenizer *tokenizer; /* of the target side */
    search_options search;      /* how translations for BLEU are searched; its batches are scored, too */
    bleu_options bleu;
} validation;

typedef struct {
    double xent; /* nats a target word, eos counted, without smoothing */
    double ppl;  /* exp(xent) */
    double bleu; /* percent, of real translations */
    double seconds;
} valid_scores;

valid_scores validate(model *m, const validation *v);

/* Held-out pairs as a validation set; their target text is what the tokenizer gives back. */
void valid_from_pairs(const pair_batch *pairs, const tokenizer *tgt, pair_text *out);
/* Takes pairs with a side of more than max_len tokens, or with an empty side, out of the set; returns how
 * many. */
size_t valid_limit(pair_text *set, int max_len);

#endif
