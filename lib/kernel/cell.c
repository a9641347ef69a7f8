#include "kernel/cell.h"

#include <string.h>

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

#define CELL_ROW(name, gates, own, has_memory) {#name, gates, own, has_memory},
const cell cells[] = {CELL_LIST(CELL_ROW){NULL, 0, 0, false}};

const cell *cell_find(const char *name)
{
    for (const cell *c = cells; c->name; c++)
        if (!strcmp(c->name, name)) return c;
    return NULL;
}

enum { GATE_COST = 8 };

typedef struct {
    const cell_step *s;
    void (*loop)(const cell_row *row);
} row_loop;

static const real *row_of(const real *x, long r, long ld) { return x ? x + r * ld : NULL; }
static real *row_to(real *x, long r, long ld) { return x ? x + r * ld : NULL; }

static void block(long first, long end, void *context)
{
    const row_loop *a = context;
    const cell_step *s = a->s;
    for (long r = first; r < end; r++) {
        cell_row row = {.H = s->H,
                        .gates = row_to(s->gates, r, s->ld_gates),
                        .own = row_to(s->own, r, s->ld_own),
                        .gh = row_of(s->gh, r, s->ld_gh),
                        .h = row_to(s->h, r, s->ld_h),
                        .c = row_to(s->c, r, s->H),
                        .h_prev = row_of(s->h_prev, r, s->ld_prev),
                        .c_prev = row_of(s->c_prev, r, s->H),
                        .dh = row_of(s->dh, r, s->ld_h),
                        .dc = row_of(s->dc, r, s->H),
                        .dh_prev = row_to(s->dh_prev, r, s->ld_prev),
                        .dc_prev = row_to(s->dc_prev, r, s->H)};
        a->loop(&row);
    }
}

void cell_forward(const cell *kind, const cell_step *s)
{
    row_loop a = {s, loops()->cell->forward[kind - cells]};
    blocks_run(s->rows, blocks_size(kind->gates * GATE_COST * s->H), block, &a);
}

void cell_backward(const cell *kind, const cell_step *s)
{
    row_loop a = {s, loops()->cell->backward[kind - cells]};
    blocks_run(s->rows, blocks_size(kind->gates * GATE_COST / 2 * s->H), block, &a);
}
