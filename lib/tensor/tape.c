#include "tensor/tape.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/meter.h"
#include "base/rng.h"

tape tape_new(arena *memory, bool recording, bool training, uint64_t seed, uint64_t update)
{
    return (tape){.memory = memory,
                  .recording = recording,
                  .training = training,
                  .seed = hash64_mix(hash64_mix(seed, RNG_DROPOUT), update)};
}

tensor *tape_tensor(tape *t, int rows, int cols)
{
    size_t bytes = (size_t)rows * (size_t)cols * sizeof(real);
    tensor *x = arena_alloc(t->memory, sizeof *x);
    *x = (tensor){.rows = rows, .cols = cols, .ld = cols, .v = arena_alloc(t->memory, bytes)};
    if (t->recording) x->g = arena_zalloc(t->memory, bytes);
    return x;
}

static tensor *view(tape *t, const tensor *x, size_t skip, int rows, int cols)
{
    tensor *y = arena_alloc(t->memory, sizeof *y);
    *y = (tensor){.rows = rows, .cols = cols, .ld = x->ld, .v = x->v + skip, .g = x->g ? x->g + skip : NULL};
    return y;
}

tensor *tape_cols(tape *t, tensor *x, int from, int cols)
{
    BUG_IF(from < 0 || cols < 0 || from + cols > x->cols);
    return view(t, x, (size_t)from, x->rows, cols);
}

tensor *tape_rows(tape *t, tensor *x, int from, int rows)
{
    BUG_IF(from < 0 || rows < 0 || from + rows > x->rows);
    return view(t, x, (size_t)from * (size_t)x->ld, rows, x->cols);
}

void tape_push(tape *t, tape_node *node, void (*backward)(tape_node *self))
{
    node->backward = backward;
    node->kind = meter_now();
    node->before = t->last;
    t->last = node;
}

void tape_backward(tape *t)
{
    BUG_IF(!t->recording);
    for (tape_node *n = t->last; n; n = n->before) {
        meter_place before = meter_enter(meter_backward_of(n->kind));
        n->backward(n);
        meter_leave(before);
    }
    t->last = NULL;
}
