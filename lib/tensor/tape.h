/* The tape: about twenty layer-sized operations record how to run backward. Without recording the same
 * functions compute the same values and record nothing, so search and training are one implementation.
 *
 * Writing an operation (see nn/linear.c for a short one): allocate the output with tape_tensor, compute
 * it, and if tape_recording(t), fill a struct that starts with a tape_node and push it. Its
 * backward ADDS to the gradients of its inputs that are not NULL. METER(kind) as its first line tells where
 * its time goes, forward and backward (base/meter.h). */
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
    int kind; /* where its time goes: base/meter.h */
} tape_node;

typedef struct {
    arena *memory;  /* holds tensors and nodes; the owner resets it after the update */
    bool recording; /* gradients will be asked for */
    bool training;  /* dropout is on */
    uint64_t seed;  /* of dropout: mixed from the run's seed and the update */
    uint64_t place; /* the next dropout's place on this tape */
    tape_node *last;
} tape;

/* A tape over an arena. `update` makes dropout differ from update to update. */
tape tape_new(arena *memory, bool recording, bool training, uint64_t seed, uint64_t update);

/* A new rows x cols tensor, contiguous; values not set, gradients zero (NULL if not recording). */
tensor *tape_tensor(tape *t, int rows, int cols);
/* A view of columns from .. from + cols of x. */
tensor *tape_cols(tape *t, tensor *x, int from, int cols);
/* A view of rows from .. from + rows of x. */
tensor *tape_rows(tape *t, tensor *x, int from, int rows);

/* Pushes a node with its backward; node must live in t->memory. */
void tape_push(tape *t, tape_node *node, void (*backward)(tape_node *self));
#define TAPE_NODE(t, type) ((type *)arena_zalloc((t)->memory, sizeof(type)))

/* Runs the nodes in reverse. The gradients of the outputs must have been set (nn/loss.h does). */
void tape_backward(tape *t);

#endif
