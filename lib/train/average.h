/* The mean of several checkpoints' weights: what a training still wavers about cancels out (Vaswani et al.
 * 2017 average the last 5 or 20). Sums are in double precision, in the order of adding. */
#ifndef TULK_TRAIN_AVERAGE_H
#define TULK_TRAIN_AVERAGE_H

#include "tensor/params.h"

typedef struct {
    params *of;
    double *sums; /* (of->n_reals) */
    int n;
} weight_mean;

weight_mean weight_mean_new(params *p);
void weight_mean_add(weight_mean *m);  /* what the parameters are now */
void weight_mean_take(weight_mean *m); /* sets the parameters to the mean; at least one was added */
void weight_mean_free(weight_mean *m);

#endif
