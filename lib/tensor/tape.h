/* The tape: about twenty layer-sized operations record how to run backward. Without recording the same
 * functions compute the same values and record nothing, so search and training are one implementation.
 *
 * Writing an operation (see nn/linear.c for a short one): allocate the output with tape_tensor, compute
 * it, and if tape_recording(t), fill a struct that starts with a tape_node and push it. Its
 * backward ADDS to the gradients of its inputs that are not NULL, or, better, asks tape_gradient() where
 * they go and whether to add: then it also works for gradients on demand. METER(kind) as its first line tells
 * where its time goes, forward and backward (base/meter.h). */
#ifndef TULK_TENSOR_TAPE_H
#define TULK_TENSOR_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "tensor/tensor.h"

typedef struct tape_node {
    void (*backward)(struct tape_node *self);
    struct tape_node *before;
    int kind;       /* where its time goes: base/meter.h */
    tensor *output; /* gradient on demand: no longer needed after this node's backward; NULL if it may be */
} tape_node;

enum { TAPE_SPARES = 16 };

typedef struct tape {
    arena *memory;  /* holds tensors and nodes; the owner resets it after the update */
    bool recording; /* gradients will be asked for */
    bool training;  /* dropout is on */
    double dropout; /* share of every dropout rate that is in force: 1 from tape_new, see tape_dropout */
    uint64_t seed;  /* of dropout: mixed from the run's seed and the update */
    uint64_t place; /* the next dropout's place on this tape */
    tape_node *last;
    /* Gradients on demand: the gradient of a tensor of this tape has memory only from the first operation
     * that gives it something, which writes it, to the end of the operation that made the tensor. So few
     * exist at a time, in memory that is still in the cache, and none is cleared. For networks all of whose
     * operations use tape_gradient(); a tensor and its views cannot both be used then. Set it before the
     * first tensor. */
    bool on_demand;
    struct {
        real *memory;
        size_t bytes;
    } spare[TAPE_SPARES];
    int n_spare;
    /* On demand: where gradients lie, if not in `memory`; the owner resets it, too. With it, what
     * tape_checkpoint is given is computed again backward. */
    arena *gradients;
} tape;

/* A tape over an arena. `update` makes dropout differ from update to update. */
tape tape_new(arena *memory, bool recording, bool training, uint64_t seed, uint64_t update);

/* What a dropout rate of the network is on this tape: nothing where it does not train. */
static inline double tape_dropout(const tape *t, double p) { return t->training ? p * t->dropout : 0; }

/* A new rows x cols tensor, contiguous; values not set, gradients zero (NULL if not recording or on demand).
 */
tensor *tape_tensor(tape *t, int rows, int cols);
/* A new tensor with the values of x, in the same place, and a gradient of its own: for results that overwrite
 * what they came from. */
tensor *tape_same(tape *t, const tensor *x);
/* A view of columns from .. from + cols of x. */
tensor *tape_cols(tape *t, tensor *x, int from, int cols);
/* A view of rows from .. from + rows of x. */
tensor *tape_rows(tape *t, tensor *x, int from, int rows);

/* Pushes a node with its backward; node must live in t->memory. */
void tape_push(tape *t, tape_node *node, void (*backward)(tape_node *self));
#define TAPE_NODE(t, type) ((type *)arena_zalloc((t)->memory, sizeof(type)))

/* Pushes a node that made `output` and is the only one to read its gradient. */
void tape_push_output(tape *t, tape_node *node, tensor *output, void (*backward)(tape_node *self));

/* Where the gradient of x goes, with x's leading dimension; NULL if nobody wants it. *add: add to what is
 * there; otherwise every element must be written. Not between arena_save and arena_restore of the memory that
 * gradients have: it stays. */
real *tape_gradient(tensor *x, bool *add);
/* Makes the memory of y's gradient that of x, which must be as large, if both are on demand and x has none
 * yet. Then y's gradient is gone and true is returned: for y = x + ..., where it is the same. */
bool tape_hand_on(tensor *y, tensor *x);

/* The gradient for one who adds to parts of it: cleared if it is new. NULL if nobody wants it or x is NULL.
 */
real *tape_gradient_sum(tensor *x);
/* The gradient of x, if on demand, is needed no more: for operations that make more than one tensor. */
void tape_release(tensor *x);

/* y = part(t, context), an operation on the tape like any other, whose inputs are tensors that the context
 * points to. It must make a new, contiguous tensor, leave its inputs as they are, and do the same each time
 * it is called with this context.
 *
 * Nothing but y is kept of it on a tape that does not record, or that has gradients on demand in memory of
 * their own: backward it is then computed again from its inputs, with the same dropout, and then run in
 * reverse, so that the memory of a deep network is that of its parts' outputs and of one part (Chen et al.
 * 2016, Training Deep Nets with Sublinear Memory Cost). The gradients have the same bits. `bytes` of the
 * context are copied; what it points to must live as long as the tape. */
typedef tensor *(*tape_part)(tape *t, const void *context);
tensor *tape_checkpoint(tape *t, tape_part part, const void *context, size_t bytes);

/* Runs the nodes in reverse. The gradients of the outputs must have been set (nn/loss.h does). */
void tape_backward(tape *t);

#endif
