#include "nn/embedding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/vector.h"

enum { TABLE_ROWS = 2048, ROWS_A_TASK = 64, COLS_A_TASK = 32 };

struct positions {
    const position_kind *kind;
    int d;
    real *table; /* (TABLE_ROWS, d) */
};

static void sinusoidal_row(int d, int t, real *out)
{
    int half = d / 2;
    for (int i = 0; i < half; i++) {
        double f = half > 1 ? exp(-log(10000.0) * i / (half - 1)) : 1;
        out[i] = (real)sin(t * f);
        out[half + i] = (real)cos(t * f);
    }
    if (d % 2) out[d - 1] = 0;
}

static void interleaved_row(int d, int t, real *out)
{
    for (int i = 0; i < d; i++) {
        double angle = t * exp(-log(10000.0) * (i - i % 2) / d);
        out[i] = (real)(i % 2 ? cos(angle) : sin(angle));
    }
}

const position_kind position_kinds[] = {
    {"sinusoidal", sinusoidal_row}, {"learned", NULL}, {"interleaved", interleaved_row}, {NULL, NULL}};

const char *position_kind_name(int i) { return position_kinds[i].name; }

const position_kind *position_kind_find(const char *name)
{
    for (const position_kind *k = position_kinds; k->name; k++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}

positions *positions_new(const position_kind *kind, int d)
{
    positions *p = xmalloc(sizeof *p);
    p->kind = kind;
    p->d = d;
    p->table = xmalloc(TABLE_ROWS * (size_t)d * sizeof(real));
    for (int t = 0; t < TABLE_ROWS; t++) kind->row(d, t, p->table + (size_t)t * (size_t)d);
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
        p->kind->row(p->d, t, out);
        return;
    }
    memcpy(out, p->table + (size_t)t * (size_t)p->d, (size_t)p->d * sizeof(real));
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

static real *word(const embed_node *n, real *table, int r)
{
    return table + (size_t)n->ids[r] * (size_t)n->table->cols;
}

static void forward_task(long task, void *context)
{
    const embed_node *n = context;
    int d = n->table->cols, end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++) {
        real *y = n->y->v + (size_t)r * (size_t)d;
        if (n->p)
            positions_row(n->p, n->place[r], y);
        else
            memset(y, 0, (size_t)d * sizeof(real));
        vec_axpy(d, n->scale, word(n, n->table->v, r), y);
    }
}

/* Columns from .. to of all rows. Words lie far apart: asks for those of later rows in time. */
static void add_columns(const embed_node *n, int from, int to)
{
    enum { AHEAD = 8, LINE = 64 / sizeof(real) };
    int d = n->table->cols, rows = n->y->rows;
    for (int r = 0; r < rows; r++) {
        for (int i = from; r + AHEAD < rows && i < to; i += LINE)
            __builtin_prefetch(word(n, n->table->g, r + AHEAD) + i, 1);
        if (n->ids[r] != ID_PAD)
            vec_axpy(to - from, n->scale, n->y->g + (size_t)r * (size_t)d + from,
                     word(n, n->table->g, r) + from);
    }
}

/* Each task owns a stripe of columns and walks all rows, so that a word's gradients add in row order. */
static void backward_task(long task, void *context)
{
    const embed_node *n = context;
    int from = (int)task * COLS_A_TASK, to = from + COLS_A_TASK, d = n->table->cols;
    add_columns(n, from, to < d ? to : d);
}

static void backward(tape_node *self)
{
    embed_node *n = (embed_node *)self;
    int d = n->table->cols;
    if (!n->table->g) return;
    if (team_here() == 1)
        add_columns(n, 0, d);
    else
        team_run((d + COLS_A_TASK - 1) / COLS_A_TASK, backward_task, n);
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

/* --------------------------------------------------------------------------- learned positions */

typedef struct {
    tape_node node;
    const tensor *table;
    tensor *x, *y;
    const int *place;
} add_node;

static real *place_row(const add_node *n, real *table, int r)
{
    int last = n->table->rows - 1;
    return table + (size_t)(n->place[r] < last ? n->place[r] : last) * (size_t)n->table->cols;
}

static void add_task(long task, void *context)
{
    const add_node *n = context;
    int d = n->y->cols, end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++)
        vec_add(d, place_row(n, n->table->v, r), n->y->v + (size_t)r * (size_t)d);
}

/* A stripe of columns a task, as above. */
static void add_back_task(long task, void *context)
{
    const add_node *n = context;
    int d = n->y->cols, from = (int)task * COLS_A_TASK, to = from + COLS_A_TASK < d ? from + COLS_A_TASK : d;
    for (int r = 0; r < n->y->rows; r++)
        vec_add(to - from, n->y->g + (size_t)r * (size_t)d + from, place_row(n, n->table->g, r) + from);
}

static void add_back(tape_node *self)
{
    add_node *n = (add_node *)self;
    int d = n->y->cols;
    if (n->table->g) team_run((d + COLS_A_TASK - 1) / COLS_A_TASK, add_back_task, n);
    if (tape_hand_on(n->y, n->x)) return;
    bool add;
    real *dx = tape_gradient(n->x, &add);
    BUG_IF(!add);
    if (dx) vec_add((long)n->y->rows * d, n->y->g, dx);
}

tensor *nn_add_positions(tape *t, tensor *x, const tensor *table, const int *place)
{
    METER(METER_EMBEDDING);
    BUG_IF(x->cols != table->cols);
    add_node *n = TAPE_NODE(t, add_node);
    n->table = table;
    n->x = x;
    n->y = tape_same(t, x);
    n->place = place;
    team_run((x->rows + ROWS_A_TASK - 1) / ROWS_A_TASK, add_task, n);
    if (t->recording) tape_push_output(t, &n->node, n->y, add_back);
    return n->y;
}
