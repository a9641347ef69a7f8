/* Clipping and Adam over the parameters of a network, in one pass over memory. */
#ifndef TULK_TRAIN_OPTIMIZER_H
#define TULK_TRAIN_OPTIMIZER_H

#include "base/memory.h"
#include "tensor/params.h"

/* What gradients of this norm are multiplied by: max_norm / (norm + 1e-6) if that is below 1, else 1
 * (Pascanu et al. 2013; the rule of torch.nn.utils.clip_grad_norm_). max_norm 0: no clipping. */
double clip_scale(double norm, double max_norm);

/* Adam with the constants of Vaswani et al. 2017: beta 0.9 and 0.98, eps 1e-9. */
typedef struct {
    params *of;
    real *m, *v; /* (of->n_reals) first and second moments */
} optimizer;

/* Moments of zero, in `memory`, which must live as long. `p` must have gradients. */
optimizer optimizer_new(params *p, arena *memory);
/* The Euclidean norm of all gradients; inf and NaN come through. */
double optimizer_norm(const optimizer *o);
/* The update number `step` (from 1) with gradients times grad_scale, which are zero afterwards. */
void optimizer_step(optimizer *o, double lr, double grad_scale, long step);

#endif
