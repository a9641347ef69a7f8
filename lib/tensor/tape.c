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
                  .dropout = 1,
                  .seed = hash64_mix(hash64_mix(seed, RNG_DROPOUT), update)};
}

static size_t bytes_of(const tensor *x) { return (size_t)x->rows * (size_t)x->cols * sizeof(real); }

static tensor *with_values(tape *t, int rows, int cols, real *v)
{
    tensor *x = arena_alloc(t->memory, sizeof *x);
    *x = (tensor){.rows = rows, .cols = cols, .ld = cols, .v = v};
    if (t->recording && t->on_demand)
        x->lender = t;
    else if (t->recording)
        x->g = arena_zalloc(t->memory, bytes_of(x));
    return x;
}

tensor *tape_tensor(tape *t, int rows, int cols)
{
    return with_values(t, rows, cols, arena_alloc(t->memory, (size_t)rows * (size_t)cols * sizeof(real)));
}

tensor *tape_same(tape *t, const tensor *x)
{
    BUG_IF(x->ld != x->cols);
    return with_values(t, x->rows, x->cols, x->v);
}

/* ------------------------------------------------------------------------ gradients on demand */

/* The smallest spare memory that is large enough and not much larger; else new. */
static real *borrow(tape *t, size_t bytes)
{
    int best = -1;
    for (int i = 0; i < t->n_spare; i++)
        if (t->spare[i].bytes >= bytes && t->spare[i].bytes <= 2 * bytes &&
            (best < 0 || t->spare[i].bytes < t->spare[best].bytes))
            best = i;
    if (best < 0) return arena_alloc(t->gradients ? t->gradients : t->memory, bytes);
    real *memory = t->spare[best].memory;
    t->spare[best] = t->spare[--t->n_spare];
    return memory;
}

real *tape_gradient(tensor *x, bool *add)
{
    *add = x->g != NULL;
    if (!x->g && x->lender) x->g = borrow(x->lender, bytes_of(x));
    return x->g;
}

bool tape_hand_on(tensor *y, tensor *x)
{
    if (x->g || !x->lender || y->lender != x->lender) return false;
    BUG_IF(bytes_of(x) != bytes_of(y));
    x->g = y->g;
    y->g = NULL;
    return true;
}

real *tape_gradient_sum(tensor *x)
{
    bool add = true;
    if (!x) return NULL;
    real *g = tape_gradient(x, &add);
    if (g && !add) memset(g, 0, bytes_of(x));
    return g;
}

void tape_release(tensor *x)
{
    tape *t = x->lender;
    if (!t || !x->g) return;
    if (t->n_spare < TAPE_SPARES) {
        t->spare[t->n_spare].memory = x->g;
        t->spare[t->n_spare++].bytes = bytes_of(x);
    }
    x->g = NULL;
}

/* -------------------------------------------------------------------------------------- views */

static tensor *view(tape *t, const tensor *x, size_t skip, int rows, int cols)
{
    BUG_IF(x->lender);
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

void tape_push_output(tape *t, tape_node *node, tensor *output, void (*backward)(tape_node *self))
{
    node->output = output;
    tape_push(t, node, backward);
}

/* A tensor on demand without memory got no gradient, and so gives none. */
static bool has_nothing(const tensor *output) { return output && output->lender && !output->g; }

static void run_back(tape_node *last)
{
    for (tape_node *n = last; n; n = n->before) {
        if (has_nothing(n->output)) continue;
        meter_place before = meter_enter(meter_backward_of(n->kind));
        n->backward(n);
        meter_leave(before);
        if (n->output) tape_release(n->output);
    }
}

void tape_backward(tape *t)
{
    BUG_IF(!t->recording);
    run_back(t->last);
    t->last = NULL;
}

/* -------------------------------------------------------------------------------- computed again */

typedef struct {
    tape_node node;
    tensor *y;
    tape_part part;
    const void *context;
    uint64_t place; /* of its first dropout */
} part_node;

static void part_back(tape_node *self)
{
    part_node *n = (part_node *)self;
    tape *t = n->y->lender, before = *t;
    arena_mark mark = arena_save(t->memory);
    t->place = n->place;
    t->last = NULL;
    tensor *y = n->part(t, n->context);
    BUG_IF(y->lender != t || y->g);
    y->g = n->y->g;
    n->y->g = NULL;
    run_back(t->last);
    arena_restore(t->memory, mark);
    t->place = before.place;
    t->last = before.last;
}

/* Without recording; nothing but the result stays, in the place of what was computed first. */
static tensor *result_of(tape *t, tape_part part, const void *context)
{
    arena_mark mark = arena_save(t->memory);
    bool recording = t->recording;
    t->recording = false;
    tensor y = *part(t, context);
    t->recording = recording;
    BUG_IF(y.ld != y.cols);
    arena_restore(t->memory, mark);
    return with_values(t, y.rows, y.cols, memmove(arena_alloc(t->memory, bytes_of(&y)), y.v, bytes_of(&y)));
}

tensor *tape_checkpoint(tape *t, tape_part part, const void *context, size_t bytes)
{
    if (!t->recording) return result_of(t, part, context);
    if (!t->on_demand || !t->gradients) return part(t, context);
    part_node *n = TAPE_NODE(t, part_node);
    n->part = part;
    n->context = memcpy(arena_alloc(t->memory, bytes), context, bytes);
    n->place = t->place;
    n->y = result_of(t, part, n->context);
    tape_push_output(t, &n->node, n->y, part_back);
    return n->y;
}
