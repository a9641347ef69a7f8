/* The gradients of a batch, by a team of threads.
 *
 * A batch is cut into shards of whole sentences, as a function of the batch and the network alone. A thread
 * takes a shard through the network and back by itself: its matrices stay in the cache of one core, and
 * threads meet once a shard, not thousands of times an update. Gradients are added in the order of the
 * shards, so the sum has the same bits with any number of threads; as many copies of them exist as threads
 * work at once.
 *
 * Networks so large that such copies would hurt have one: shards go in pairs, one of which adds to the
 * network's own gradients and the other to the copy, which is added when both are done. Two threads take one
 * shard each; a larger team works inside of each product, and so does every team where a batch is one shard.
 *
 * How it grows: shards of about SHARD_WORDS words, so a batch of 4,096 target words keeps 8 threads busy and
 * one of 32 thousand 64; what is serial is the adding of gradients (three passes over the parameters a shard,
 * hidden behind the other threads' work). */
#ifndef TULK_TRAIN_SHARDS_H
#define TULK_TRAIN_SHARDS_H

#include "data/corpus.h"
#include "model/model.h"

typedef struct shards shards;

/* Networks that say together what of the target is soft (loss_settings); frozen, with the vocabulary of the
 * one that learns. */
typedef struct {
    model *const *nets;
    int n; /* 0: none */
} teachers;

/* How a batch's gradients are made, and what they depend on besides the network and the batch. */
typedef struct {
    uint64_t seed; /* and update: choose the dropout */
    int64_t update;
    loss_settings loss; /* without `soft` */
    teachers teachers;
    double dropout;  /* share of the network's dropout rates, 0 .. 1 (tape_dropout) */
    long mean_words; /* gradients are those of the sum of losses through this; 0: the batch's target words */
    bool recompute;  /* what layers keep is computed again backward (tape_checkpoint): the same bits in less
                        memory and more time */
} gradient_settings;

/* For a network with gradients, which must live longer. */
shards *shards_new(model *m);
/* The same as if the network was large or not. */
shards *shards_new_sized(model *m, bool large);
void shards_free(shards *s); /* NULL is fine */

/* Adds to the network's gradients those of the mean loss over the batch's target words (eos counted). The
 * gradients before the call must be zero, unless they are to be added to. */
model_sums shards_gradients(shards *s, const pair_batch *b, const gradient_settings *how);

/* Into how many shards batches of so many words (source and target, eos counted, each as often as it is
 * drawn) are cut. */
int shards_of(const shards *s, size_t words, size_t sentences);

/* Bytes held: of activations and of gradients beside the network's own. */
size_t shards_bytes(const shards *s);

#endif
