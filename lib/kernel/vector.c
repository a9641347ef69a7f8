#include "kernel/vector.h"

#include "base/error.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

typedef struct {
    real a;
    const real *x;
    real *y;
} xy;

static void add_block(long first, long end, void *context)
{
    const xy *c = context;
    loops()->vector->add(end - first, c->x + first, c->y + first);
}

void vec_add(long n, const real *x, real *y) { blocks_run(n, blocks_size(1), add_block, &(xy){0, x, y}); }

static void move_block(long first, long end, void *context)
{
    const xy *c = context;
    loops()->vector->move(end - first, (real *)c->x + first, c->y + first);
}

void vec_move(long n, real *x, real *y) { blocks_run(n, blocks_size(1), move_block, &(xy){0, x, y}); }

static void axpy_block(long first, long end, void *context)
{
    const xy *c = context;
    loops()->vector->axpy(end - first, c->a, c->x + first, c->y + first);
}

void vec_axpy(long n, real a, const real *x, real *y)
{
    blocks_run(n, blocks_size(1), axpy_block, &(xy){a, x, y});
}

static void scale_block(long first, long end, void *context)
{
    const xy *c = context;
    loops()->vector->scale(end - first, c->a, c->y + first);
}

void vec_scale(long n, real a, real *x) { blocks_run(n, blocks_size(1), scale_block, &(xy){a, x, x}); }

enum { PARTS = 256 };
typedef struct {
    long part;
    const real *x;
    double sums[PARTS];
} squares;

static void squares_block(long first, long end, void *context)
{
    squares *c = context;
    c->sums[first / c->part] = loops()->vector->sum_squares(end - first, c->x + first);
}

double vec_sum_squares(long n, const real *x)
{
    long least = (n + PARTS - 1) / PARTS, part = least > blocks_size(1) ? least : blocks_size(1);
    squares c = {.part = part, .x = x};
    blocks_run(n, part, squares_block, &c);
    double sum = 0;
    for (long i = 0; i * part < n; i++) sum += c.sums[i];
    return sum;
}

typedef struct {
    long rows, cols, ld;
    const real *x;
    real *out;
} columns;

enum { STRIP = 64 }; /* columns a task: a few cache lines of each row */

static void columns_block(long first, long end, void *context)
{
    const columns *c = context;
    loops()->vector->col_sum(c->rows, end - first, c->x + first, c->ld, c->out + first);
}

void col_sum(long rows, long cols, const real *x, long ld, real *out)
{
    columns c = {rows, cols, ld, x, out};
    long strip = (blocks_size(rows) + STRIP - 1) / STRIP * STRIP;
    if (rows > 0) blocks_run(cols, strip, columns_block, &c);
}

typedef struct {
    dropout_mask mask;
    const real *x, *residual;
    real *y;
} dropping;

dropout_mask dropout_mask_of(real p, uint64_t key, uint64_t place)
{
    BUG_IF(!(p >= 0 && p < 1));
    uint32_t threshold = (uint32_t)((double)p * 65536 + 0.5);
    if (threshold > 65535) threshold = 65535;
    return (dropout_mask){key, place, threshold, (real)(65536.0 / (65536.0 - threshold))};
}

static void dropout_block(long first, long end, void *context)
{
    const dropping *c = context;
    loops()->vector->dropout(&c->mask, first, end - first, c->x + first,
                             c->residual ? c->residual + first : NULL, c->y + first);
}

enum { DROPOUT_COST = 4 };

void dropout(long n, const real *x, const real *residual, real p, uint64_t key, uint64_t place, real *y)
{
    dropping c = {dropout_mask_of(p, key, place), x, residual, y};
    blocks_run(n, blocks_size(DROPOUT_COST), dropout_block, &c);
}

static void dropout_back_block(long first, long end, void *context)
{
    const dropping *c = context;
    loops()->vector->dropout_back(&c->mask, first, end - first, c->x + first, c->y + first);
}

void dropout_back(long n, const real *dy, real p, uint64_t key, uint64_t place, real *dx)
{
    dropping c = {dropout_mask_of(p, key, place), dy, NULL, dx};
    blocks_run(n, blocks_size(DROPOUT_COST), dropout_back_block, &c);
}
