#include "nn/embedding.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/meter.h"
#include "base/team.h"

enum { TABLE_ROWS = 2048, ROWS_A_TASK = 64, COLS_A_TASK = 32 };

struct positions {
    int d;
    real *table; /* (TABLE_ROWS, d) */
};

static void compute_row(int d, int t, real *out)
{
    int half = d / 2;
    for (int i = 0; i < half; i++) {
        double f = half > 1 ? exp(-log(10000.0) * i / (half - 1)) : 1;
        out[i] = (real)sin(t * f);
        out[half + i] = (real)cos(t * f);
    }
    if (d % 2) out[d - 1] = 0;
}

positions *positions_new(int d)
{
    positions *p = xmalloc(sizeof *p);
    p->d = d;
    p->table = xmalloc(TABLE_ROWS * (size_t)d * sizeof(real));
    for (int t = 0; t < TABLE_ROWS; t++) compute_row(d, t, p->table + (size_t)t * (size_t)d);
    return p;
}

void positions_free(positions *p)
{
    if (!p) return;
    free(p->table);
    free(p);
}

void positions_row(const positions *p, int t, real *out)
{
    if (t >= TABLE_ROWS) {
        compute_row(p->d, t, out);
        return;
    }
    const real *row = p->table + (size_t)t * (size_t)p->d;
    for (int i = 0; i < p->d; i++) out[i] = row[i];
}

/* ------------------------------------------------------------------------------------- embed */

typedef struct {
    tape_node node;
    const tensor *table;
    tensor *y;
    const int *ids;
    const positions *p;
    const int *place;
    real scale;
} embed_node;

static void forward_task(long task, void *context)
{
    const embed_node *n = context;
    int d = n->table->cols, end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++) {
        real *y = n->y->v + (size_t)r * (size_t)d;
        const real *e = n->table->v + (size_t)n->ids[r] * (size_t)d;
        if (n->p)
            positions_row(n->p, n->place[r], y);
        else
            for (int i = 0; i < d; i++) y[i] = 0;
        for (int i = 0; i < d; i++) y[i] += n->scale * e[i];
    }
}

/* Each task owns a stripe of columns and walks all rows, so that a word's gradients add in row order. */
static void backward_task(long task, void *context)
{
    const embed_node *n = context;
    int d = n->table->cols, from = (int)task * COLS_A_TASK,
        to = from + COLS_A_TASK < d ? from + COLS_A_TASK : d;
    for (int r = 0; r < n->y->rows; r++) {
        if (n->ids[r] == ID_PAD) continue;
        const real *dy = n->y->g + (size_t)r * (size_t)d;
        real *de = n->table->g + (size_t)n->ids[r] * (size_t)d;
        for (int i = from; i < to; i++) de[i] += n->scale * dy[i];
    }
}

static void backward(tape_node *self)
{
    embed_node *n = (embed_node *)self;
    if (n->table->g) team_run((n->table->cols + COLS_A_TASK - 1) / COLS_A_TASK, backward_task, n);
}

tensor *nn_embed(tape *t, const tensor *table, const int *ids, int n, real scale, const positions *p,
                 const int *place)
{
    METER(METER_EMBEDDING);
    BUG_IF(p && p->d != table->cols);
    for (int i = 0; i < n; i++) BUG_IF(ids[i] < 0 || ids[i] >= table->rows);
    embed_node *node = TAPE_NODE(t, embed_node);
    *node = (embed_node){.table = table,
                         .y = tape_tensor(t, n, table->cols),
                         .ids = ids,
                         .p = p,
                         .place = place,
                         .scale = scale};
    team_run((n + ROWS_A_TASK - 1) / ROWS_A_TASK, forward_task, node);
    if (t->recording) tape_push_output(t, &node->node, node->y, backward);
    return node->y;
}
