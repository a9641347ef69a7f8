#include "tensor/touched.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/vector.h"

struct touched {
    int rows, cols;
    int *place; /* (rows) of a row among those touched, from 1; 0: not touched */
    int *ids;   /* (n) rows in the order in which they were touched */
    real *g;    /* (n, cols) */
    int n;
    size_t capacity_ids, capacity_g;
};

touched *touched_new(int rows, int cols)
{
    touched *t = xcalloc(1, sizeof *t);
    t->rows = rows;
    t->cols = cols;
    t->place = xcalloc((size_t)rows, sizeof *t->place);
    return t;
}

void touched_free(touched *t)
{
    if (!t) return;
    free(t->place);
    free(t->ids);
    free(t->g);
    free(t);
}

bool table_has_gradient(const tensor *table) { return table->g || table->touched; }

static real *row_at(const touched *t, int place) { return t->g + (size_t)(place - 1) * (size_t)t->cols; }

static void touch(touched *t, int row)
{
    t->ids = grow(t->ids, &t->capacity_ids, (size_t)t->n + 1, sizeof *t->ids);
    t->g = grow(t->g, &t->capacity_g, (size_t)(t->n + 1) * (size_t)t->cols, sizeof *t->g);
    t->ids[t->n++] = row;
    t->place[row] = t->n;
    memset(row_at(t, t->n), 0, (size_t)t->cols * sizeof(real));
}

real *table_gradient(const tensor *table, int row)
{
    touched *t = table->touched;
    if (!t) return table->g + (size_t)row * (size_t)table->ld;
    if (!t->place[row]) touch(t, row);
    return row_at(t, t->place[row]);
}

size_t touched_bytes(const touched *t)
{
    if (!t) return 0;
    return ((size_t)t->rows + t->capacity_ids) * sizeof(int) + t->capacity_g * sizeof(real);
}

void touched_move(touched *t, real *g)
{
    for (int i = 0; i < t->n; i++) {
        vec_add(t->cols, row_at(t, i + 1), g + (size_t)t->ids[i] * (size_t)t->cols);
        t->place[t->ids[i]] = 0;
    }
    t->n = 0;
}
