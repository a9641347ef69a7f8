/* An exponential moving average of the weights (Polyak and Juditsky 1992): better than any single update of a
 * training whose learning rate is still high, at the price of one pass over memory. */
#ifndef TULK_TRAIN_EMA_H
#define TULK_TRAIN_EMA_H

#include "base/memory.h"
#include "tensor/params.h"

typedef struct {
    params *of;
    real *mean; /* (of->n_reals) */
    double decay;
} ema;

/* The mean starts as the weights are when ema_update is first called. Memory lives in `memory`. */
ema ema_new(params *p, double decay, arena *memory);

/* After update number `step` (from 1): mean = d mean + (1 - d) weights, where d is min(decay, (1 + step) /
 * (10
 * + step)), so that the beginning is soon forgotten. */
void ema_update(ema *e, long step);

/* Exchanges the mean and the weights: the network then computes with the mean. A second call undoes it. */
void ema_swap(ema *e);

#endif
