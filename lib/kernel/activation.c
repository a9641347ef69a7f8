#include "kernel/activation.h"

#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

enum { RELU, TANH, SIGMOID, GELU, COST = 8 };

typedef struct {
    int row;
    const real *x, *y, *dy;
    bool add;
    real *out;
} piece;

static void forward_block(long first, long end, void *context)
{
    const piece *c = context;
    loops()->activation->forward[c->row](end - first, c->x + first, c->out + first);
}

static void backward_block(long first, long end, void *context)
{
    const piece *c = context;
    const real *x = c->x ? c->x + first : NULL;
    loops()->activation->backward[c->row](end - first, x, c->y + first, c->dy + first, c->add,
                                          c->out + first);
}

/* The rows of the table: a pair of functions for each row of the loops. */
#define ACTIVATION(name, kind)                                                                               \
    static void name(long n, const real *x, real *y)                                                         \
    {                                                                                                        \
        blocks_run(n, blocks_size(COST), forward_block, &(piece){.row = kind, .x = x, .out = y});            \
    }                                                                                                        \
    static void name##_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)        \
    {                                                                                                        \
        blocks_run(n, blocks_size(COST), backward_block, &(piece){kind, x, y, dy, add, dx});                 \
    }

ACTIVATION(relu, RELU)
ACTIVATION(hyperbolic, TANH)
ACTIVATION(sigmoid, SIGMOID)
ACTIVATION(gelu, GELU)

const activation activations[] = {
    {"relu", relu, relu_back, 0},
    {"tanh", hyperbolic, hyperbolic_back, 0},
    {"sigmoid", sigmoid, sigmoid_back, 0},
    {"gelu", gelu, gelu_back, 1},
    {NULL, NULL, NULL, 0},
};

const activation *activation_find(const char *name)
{
    for (const activation *a = activations; a->name; a++)
        if (!strcmp(a->name, name)) return a;
    return NULL;
}
