#include "kernel/activation.h"

#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

enum { COST = 8 };

#define ACTIVATION_ROW(name, function, needs_input, gated) ROW_##name,
enum { ACTIVATION_LIST(ACTIVATION_ROW) ROWS };

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
#define ACTIVATION_FUNCTIONS(name, function, needs_input, gated)                                             \
    static void name##_forward(long n, const real *x, real *y)                                               \
    {                                                                                                        \
        blocks_run(n, blocks_size(COST), forward_block, &(piece){.row = ROW_##name, .x = x, .out = y});      \
    }                                                                                                        \
    static void name##_backward(long n, const real *x, const real *y, const real *dy, bool add, real *dx)    \
    {                                                                                                        \
        blocks_run(n, blocks_size(COST), backward_block, &(piece){ROW_##name, x, y, dy, add, dx});           \
    }
ACTIVATION_LIST(ACTIVATION_FUNCTIONS)

#define ACTIVATION_ENTRY(name, function, needs_input, gated)                                                 \
    {#name, name##_forward, name##_backward, needs_input, gated},
const activation activations[] = {ACTIVATION_LIST(ACTIVATION_ENTRY){NULL, NULL, NULL, false, false}};

const char *activation_name(int i) { return activations[i].name; }

const activation *activation_find(const char *name)
{
    for (const activation *a = activations; a->name; a++)
        if (!strcmp(a->name, name)) return a;
    return NULL;
}

/* -------------------------------------------------------------------------------------- gated */

enum { PIECE = 256 }; /* columns at a time: what is between stays in the nearest cache */

typedef struct {
    int row;
    long d;
    const real *x, *dy;
    bool add;
    real *out; /* y, or dx */
} gate;

static void gate_block(long first, long end, void *context)
{
    const gate *g = context;
    for (long r = first; r < end; r++) {
        const real *a = g->x + 2 * r * g->d;
        real *y = g->out + r * g->d;
        loops()->activation->forward[g->row](g->d, a, y);
        loops()->vector->multiply(g->d, y, a + g->d, y);
    }
}

void activation_gate(const activation *f, long rows, long d, const real *x, real *y)
{
    gate g = {.row = (int)(f - activations), .d = d, .x = x, .out = y};
    blocks_run(rows, blocks_size(COST * d), gate_block, &g);
}

/* n columns: db = dy f(a), da = dy b f'(a). */
static void gate_piece_back(const gate *g, long n, const real *a, const real *dy, real *da)
{
    const struct activation_loops *l = loops()->activation;
    real fa[PIECE], work[PIECE];
    l->forward[g->row](n, a, fa);
    loops()->vector->multiply(n, dy, fa, g->add ? work : da + g->d);
    if (g->add) loops()->vector->add(n, work, da + g->d);
    loops()->vector->multiply(n, dy, a + g->d, work);
    l->backward[g->row](n, a, fa, work, g->add, da);
}

static void gate_back_block(long first, long end, void *context)
{
    const gate *g = context;
    for (long r = first; r < end; r++)
        for (long i = 0; i < g->d; i += PIECE) {
            long at = 2 * r * g->d + i, n = g->d - i < PIECE ? g->d - i : PIECE;
            gate_piece_back(g, n, g->x + at, g->dy + r * g->d + i, g->out + at);
        }
}

void activation_gate_back(const activation *f, long rows, long d, const real *x, const real *dy, bool add,
                          real *dx)
{
    gate g = {(int)(f - activations), d, x, dy, add, dx};
    blocks_run(rows, blocks_size(2 * COST * d), gate_back_block, &g);
}
