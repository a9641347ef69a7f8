/* Clipping and the optimizers over the parameters of a network, each in one pass over memory. An optimizer is
 * a row of optimizers[]. */
#ifndef TULK_TRAIN_OPTIMIZER_H
#define TULK_TRAIN_OPTIMIZER_H

#include <stdbool.h>

#include "base/memory.h"
#include "tensor/params.h"

/* What gradients of this norm are multiplied by: max_norm / (norm + 1e-6) if that is below 1, else 1
 * (Pascanu et al. 2013; the rule of torch.nn.utils.clip_grad_norm_). max_norm 0: no clipping. */
double clip_scale(double norm, double max_norm);

enum optimizer_kind {
    OPTIMIZER_ADAM,  /* Kingma and Ba 2015, with bias correction; weight decay is L2: g += wd p */
    OPTIMIZER_ADAMW, /* Loshchilov and Hutter 2019: weight decay is decoupled from the gradient, p -= lr wd p
                      */
    OPTIMIZER_SGD    /* gradient descent with momentum, b = momentum b + g, p -= lr b; weight decay is L2 */
};

/* Weight decay is that of all parameters, biases and norms too, as in PyTorch, and is applied after clipping.
 */
typedef struct {
    enum optimizer_kind kind;
    double weight_decay;
    double beta1, beta2, eps; /* of adam and adamw */
    double momentum;          /* of sgd; 0 for none */
} optimizer_settings;

typedef struct optimizer optimizer;

enum { OPTIMIZER_MOMENTS = 2 }; /* at most */

typedef struct {
    const char *name;                           /* as --optimizer names it */
    const char *moments[OPTIMIZER_MOMENTS + 1]; /* what it keeps for each parameter: the names of tensors in a
                                                   checkpoint begin with it ("adam.m."); ends with NULL */
    double weight_decay;                        /* where none is given */
    const char *const *options;                 /* those of its own; ends with NULL */
    void (*step)(optimizer *o, double lr, double grad_scale, long step);
} optimizer_row;

extern const optimizer_row optimizers[]; /* by optimizer_kind; ends with name NULL */

/* The optimizer of this name, or -1. */
int optimizer_find(const char *name);

/* Whether it uses the option of this name ("momentum", ...); options of no optimizer are used. */
bool optimizer_uses(enum optimizer_kind kind, const char *option);

/* The row's weight decay, beta 0.9 and 0.98 and eps 1e-9 (Vaswani et al. 2017), momentum 0.9. */
optimizer_settings optimizer_defaults(enum optimizer_kind kind);

struct optimizer {
    const optimizer_row *row;
    optimizer_settings set;
    params *of;
    real *moments[OPTIMIZER_MOMENTS]; /* (of->n_reals) each, in the order of the row; then NULL */
};

/* Moments of zero, in `memory`, which must live as long. `p` must have gradients. */
optimizer optimizer_new(params *p, const optimizer_settings *settings, arena *memory);
/* The Euclidean norm of all gradients; inf and NaN come through. */
double optimizer_norm(const optimizer *o);
/* The update number `step` (from 1) with gradients times grad_scale, which are zero afterwards. */
void optimizer_step(optimizer *o, double lr, double grad_scale, long step);

#endif
