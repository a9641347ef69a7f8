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
#include "tensor/touched.h"
#include "tensor/weights.h"

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

/* ------------------------------------------------------------------------ gradients of tables */

typedef void add_to_table(const void *node, int from, int to);

typedef struct {
    add_to_table *add;
    const void *node;
    int d, width;
} stripes;

static void stripe_task(long task, void *context)
{
    const stripes *s = context;
    int from = (int)task * s->width, to = from + s->width;
    s->add(s->node, from, to < s->d ? to : s->d);
}

/* Each task owns a stripe of columns and walks all rows of the node, so that a word's gradients add in their
 * order. */
static void add_by_columns(const tensor *table, add_to_table *add, const void *node)
{
    if (!table_has_gradient(table)) return;
    bool alone = team_here() == 1 || table->touched;
    stripes s = {add, node, table->cols, alone ? table->cols : COLS_A_TASK};
    team_run((s.d + s.width - 1) / s.width, stripe_task, &s);
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
        if (n->p)
            positions_row(n->p, n->place[r], y);
        else
            memset(y, 0, (size_t)d * sizeof(real));
        vec_axpy(d, n->scale, weights_row(n->table, n->ids[r]), y);
    }
}

/* Words of a whole table lie far apart: asks for the columns of a later row in time. */
static void ask_ahead(const embed_node *n, int r, int from, int to)
{
    enum { AHEAD = 8, LINE = 64 / sizeof(real) };
    if (n->table->touched || r + AHEAD >= n->y->rows) return;
    const real *g = table_gradient(n->table, n->ids[r + AHEAD]);
    for (int i = from; i < to; i += LINE) __builtin_prefetch(g + i, 1);
}

/* Columns from .. to of all rows. */
static void add_columns(const void *node, int from, int to)
{
    const embed_node *n = node;
    int d = n->table->cols;
    for (int r = 0; r < n->y->rows; r++) {
        ask_ahead(n, r, from, to);
        if (n->ids[r] != ID_PAD)
            vec_axpy(to - from, n->scale, n->y->g + (size_t)r * (size_t)d + from,
                     table_gradient(n->table, n->ids[r]) + from);
    }
}

static void backward(tape_node *self)
{
    embed_node *n = (embed_node *)self;
    add_by_columns(n->table, add_columns, n);
}

/* A text says the same words again and again. */
static void tell_apart(tape *t, const embed_node *n, int vocab)
{
    int *which = arena_alloc(t->memory, (size_t)n->y->rows * sizeof *which), count = 0;
    int *seen =
        arena_zalloc(t->memory, (size_t)vocab * sizeof *seen); /* of each word: where it is, from 1 on */
    tensor *distinct = tape_tensor(t, n->y->rows, n->y->cols);
    size_t d = (size_t)n->y->cols;
    for (int r = 0; r < n->y->rows; r++) {
        int *at = &seen[n->ids[r]];
        if (!*at) {
            memcpy(distinct->v + (size_t)count * d, n->y->v + (size_t)r * d, d * sizeof(real));
            *at = ++count;
        }
        which[r] = *at - 1;
    }
    distinct->rows = count;
    n->y->distinct = distinct;
    n->y->which = which;
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
    if (t->recording)
        tape_push_output(t, &node->node, node->y, backward);
    else if (!p)
        tell_apart(t, node, table->rows);
    return node->y;
}

/* --------------------------------------------------------------------------- learned positions */

typedef struct {
    tape_node node;
    const tensor *table;
    tensor *x, *y;
    const int *place;
} add_node;

static int place_at(const add_node *n, int r)
{
    int last = n->table->rows - 1;
    return n->place[r] < last ? n->place[r] : last;
}

static void add_task(long task, void *context)
{
    const add_node *n = context;
    int d = n->y->cols, end = (int)(task + 1) * ROWS_A_TASK;
    for (int r = (int)task * ROWS_A_TASK; r < end && r < n->y->rows; r++)
        vec_add(d, n->table->v + (size_t)place_at(n, r) * (size_t)d, n->y->v + (size_t)r * (size_t)d);
}

static void add_back_columns(const void *node, int from, int to)
{
    const add_node *n = node;
    for (int r = 0; r < n->y->rows; r++)
        vec_add(to - from, n->y->g + (size_t)r * (size_t)n->y->cols + from,
                table_gradient(n->table, place_at(n, r)) + from);
}

static void add_back(tape_node *self)
{
    add_node *n = (add_node *)self;
    add_by_columns(n->table, add_back_columns, n);
    if (tape_hand_on(n->y, n->x)) return;
    bool add;
    real *dx = tape_gradient(n->x, &add);
    BUG_IF(!add);
    if (dx) vec_add((long)n->y->rows * n->y->cols, n->y->g, dx);
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
