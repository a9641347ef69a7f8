#include "kernel/cell.h"

#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

enum { TANH, RELU, GRU, LSTM, GATE_COST = 8 };

typedef struct {
    int row;
    long H, K, ldgx, ldgh;
    const real *gx, *gh, *h_prev, *c_prev;
    real *h, *c, *kept;
} forward_args;

static const real *row_of(const real *x, long r, long ld) { return x ? x + r * ld : NULL; }
static real *row_to(real *x, long r, long ld) { return x ? x + r * ld : NULL; }

static void forward_block(long first, long end, void *context)
{
    const forward_args *a = context;
    long H = a->H;
    for (long r = first; r < end; r++)
        loops()->cell->forward[a->row](H, a->gx + r * a->ldgx, a->gh + r * a->ldgh, row_of(a->h_prev, r, H),
                                       row_of(a->c_prev, r, H), a->h + r * H, row_to(a->c, r, H),
                                       row_to(a->kept, r, a->K * H));
}

static void forward_rows(long rows, const forward_args *a)
{
    blocks_run(rows, blocks_size(cells[a->row].gates * GATE_COST * a->H), forward_block, (void *)a);
}

typedef struct {
    int row;
    long H, K, lddgx, lddgh;
    const real *kept, *h, *h_prev, *c, *c_prev, *dh;
    real *dc, *dgx, *dgh, *dh_prev;
} backward_args;

static void backward_block(long first, long end, void *context)
{
    const backward_args *a = context;
    long H = a->H;
    for (long r = first; r < end; r++)
        loops()->cell->backward[a->row](H, row_of(a->kept, r, a->K * H), row_of(a->h, r, H),
                                        row_of(a->h_prev, r, H), row_of(a->c, r, H), row_of(a->c_prev, r, H),
                                        a->dh + r * H, row_to(a->dc, r, H), a->dgx + r * a->lddgx,
                                        row_to(a->dgh, r, a->lddgh), a->dh_prev + r * H);
}

static void backward_rows(long rows, const backward_args *a)
{
    blocks_run(rows, blocks_size(cells[a->row].gates * GATE_COST / 2 * a->H), backward_block, (void *)a);
}

/* The functions of a row of cells[]. */
#define CELL(name, row)                                                                                      \
    static void name(long rows, long H, const real *gx, long ldgx, const real *gh, long ldgh,                \
                     const real *h_prev, const real *c_prev, real *h, real *c, real *kept)                   \
    {                                                                                                        \
        forward_rows(                                                                                        \
            rows, &(forward_args){row, H, cells[row].kept, ldgx, ldgh, gx, gh, h_prev, c_prev, h, c, kept}); \
    }                                                                                                        \
    static void name##_back(long rows, long H, const real *kept, const real *h, const real *h_prev,          \
                            const real *c, const real *c_prev, const real *dh, real *dc, real *dgx,          \
                            long lddgx, real *dgh, long lddgh, real *dh_prev)                                \
    {                                                                                                        \
        backward_rows(rows, &(backward_args){row, H, cells[row].kept, lddgx, lddgh, kept, h, h_prev, c,      \
                                             c_prev, dh, dc, dgx, dgh, dh_prev});                            \
    }

CELL(plain_tanh, TANH)
CELL(plain_relu, RELU)
CELL(gru, GRU)
CELL(lstm, LSTM)

const cell cells[] = {
    {"tanh", 1, 0, false, false, plain_tanh, plain_tanh_back},
    {"relu", 1, 0, false, false, plain_relu, plain_relu_back},
    {"gru", 3, 4, false, true, gru, gru_back},
    {"lstm", 4, 5, true, false, lstm, lstm_back},
    {NULL, 0, 0, false, false, NULL, NULL},
};

const cell *cell_find(const char *name)
{
    for (const cell *c = cells; c->name; c++)
        if (!strcmp(c->name, name)) return c;
    return NULL;
}
