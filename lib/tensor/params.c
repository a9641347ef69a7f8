#include "tensor/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "kernel/gemm.h"
#include "kernel/int8.h"
#include "kernel/vector.h"
#include "tensor/touched.h"

enum { MAX_PARAMS = sizeof((params *)0)->list / sizeof(param *), ALIGN_REALS = 16 };

const char *const precision_names[] = {"fp32", "int8", "bf16", NULL};

static size_t rounded(size_t n) { return (n + ALIGN_REALS - 1) / ALIGN_REALS * ALIGN_REALS; }

static size_t size_of(const param *q) { return (size_t)q->t.rows * (size_t)q->t.cols; }

params *params_new(void) { return xcalloc(1, sizeof(params)); }

void params_free(params *p)
{
    if (!p) return;
    for (int i = 0; i < p->n; i++) {
        touched_free(p->list[i]->t.touched);
        free(p->list[i]);
    }
    free(p->g_block);
    if (!p->shares) {
        free(p->v);
        free(p->packed);
    }
    free(p);
}

static param *declare(params *p, const char *name, int rows, int cols, enum init_kind init, double gain,
                      int blocks)
{
    BUG_IF(p->v || p->n == MAX_PARAMS || rows < 1 || cols < 1 || params_find(p, name));
    param *q = xcalloc(1, sizeof *q);
    BUG_IF(snprintf(q->name, sizeof q->name, "%s", name) >= (int)sizeof q->name);
    q->init = init;
    q->gain = gain;
    q->blocks = blocks;
    q->offset = p->n_reals;
    q->t = (tensor){.rows = rows, .cols = cols, .ld = cols};
    p->n_reals += rounded(size_of(q)); /* each starts on a cache line */
    p->list[p->n++] = q;
    return q;
}

tensor *params_add(params *p, const char *name, int rows, int cols, enum init_kind init, double gain)
{
    return &declare(p, name, rows, cols, init, gain, 1)->t;
}

tensor *params_add_stacked(params *p, const char *name, int rows, int cols, int blocks)
{
    return &declare(p, name, rows, cols, INIT_XAVIER, 1, blocks)->t;
}

tensor *params_add_table(params *p, const char *name, int rows, int cols, enum init_kind init, double gain)
{
    param *q = declare(p, name, rows, cols, init, gain, 1);
    q->table = true;
    return &q->t;
}

void params_look_up(params *p, const tensor *t)
{
    for (int i = 0; i < p->n; i++)
        if (&p->list[i]->t == t) p->list[i]->looked_up = true;
}

static real *block_of(size_t n)
{
    size_t bytes = n * sizeof(real);
    real *v = pages_alloc(&bytes);
    return memset(v, 0, bytes);
}

/* Gradients are a few cache lines off what values are aligned to, as are an optimizer's moments
 * (PAGES_APART): a loop over all of them would else want the same few places of the first-level cache for
 * each. */
static void gradients_alloc(params *p, size_t n)
{
    p->g_block = block_of(n + PAGES_APART / sizeof(real));
    p->g = p->g_block + PAGES_APART / sizeof(real);
}

static void place_values(params *p)
{
    for (int i = 0; i < p->n; i++) p->list[i]->t.v = p->v + p->list[i]->offset;
}

static bool is_sparse(const params *p, const param *q) { return p->shares && q->table; }

/* How many reals the gradients are. */
static size_t gradient_reals(const params *p)
{
    size_t n = 0;
    for (int i = 0; i < p->n; i++)
        if (!is_sparse(p, p->list[i])) n += rounded(size_of(p->list[i]));
    return n;
}

static void place_gradients(params *p)
{
    gradients_alloc(p, gradient_reals(p));
    real *g = p->g;
    for (int i = 0; i < p->n; i++) {
        param *q = p->list[i];
        if (is_sparse(p, q)) {
            q->t.touched = touched_new(q->t.rows, q->t.cols);
        } else {
            q->t.g = g;
            g += rounded(size_of(q));
        }
    }
}

void params_alloc(params *p, bool gradients)
{
    BUG_IF(p->v);
    p->v = block_of(p->n_reals);
    place_values(p);
    if (gradients) place_gradients(p);
}

static bool is_packed(const param *q) { return !q->table && q->t.cols > 1; }

enum { SMALL = 8 << 20 }; /* parameters of a network whose copies are worth their memory */

static size_t place_int8(tensor *t, const real *block)
{
    if (block) t->int8 = block;
    return rounded((int8_packed_bytes(t->rows, t->cols) + sizeof(real) - 1) / sizeof(real));
}

/* The room of the copies of one matrix, in reals; with `block`, they are placed there. */
static size_t place_packed(const params *p, tensor *t, const real *block)
{
    if (p->precision == PRECISION_INT8) return place_int8(t, block);
    size_t rows = rounded(gemm_packed_reals(t->numbers, t->rows, t->cols));
    bool back = !p->frozen && (t->stepwise || p->n_reals <= SMALL);
    size_t cols = back ? rounded(gemm_packed_reals(t->numbers, t->cols, t->rows)) : 0;
    if (block) {
        t->by_rows = block;
        t->by_cols = cols ? block + rows : NULL;
    }
    return rows + cols;
}

/* Room of all; with `block`, all are placed. */
static size_t place_all_packed(params *p, const real *block)
{
    size_t n = 0;
    for (int i = 0; i < p->n; i++)
        if (is_packed(p->list[i])) n += place_packed(p, &p->list[i]->t, block ? block + n : NULL);
    return n;
}

/* Into the copies that have been placed; whoever only multiplies must not write there. */
static void pack(const tensor *t)
{
    if (t->by_rows) gemm_pack(t->numbers, GEMM_NT, t->rows, t->cols, t->v, t->ld, (real *)t->by_rows);
    if (t->by_cols) gemm_pack(t->numbers, GEMM_NN, t->cols, t->rows, t->v, t->ld, (real *)t->by_cols);
    if (t->int8) int8_pack(t->rows, t->cols, t->v, t->ld, (void *)t->int8);
}

void params_multiply_bf16(params *p)
{
    BUG_IF(p->packed || p->frozen);
    p->precision = PRECISION_BF16;
    for (int i = 0; i < p->n; i++)
        if (is_packed(p->list[i])) p->list[i]->t.numbers = GEMM_BF16;
}

void params_pack(params *p)
{
    BUG_IF(p->shares);
    if (p->fresh) return;
    if (!p->packed) p->packed = block_of(place_all_packed(p, NULL));
    place_all_packed(p, p->packed);
    for (int i = 0; i < p->n; i++)
        if (is_packed(p->list[i])) pack(&p->list[i]->t);
    p->fresh = true;
}

/* Rows that are looked up can be read from what is packed for products, if that is real numbers. This is
 * slower, and worth it where they are many. */
static bool stays(const params *p, const param *q)
{
    enum { LARGE = 1 << 23 };
    return !is_packed(q) || (q->looked_up && (p->precision == PRECISION_INT8 || size_of(q) < LARGE));
}

/* Values that stay, moved to a block of their own. */
static void keep_values(params *p)
{
    size_t n = 0;
    for (int i = 0; i < p->n; i++) {
        p->list[i]->offset = n;
        if (stays(p, p->list[i])) n += rounded(size_of(p->list[i]));
    }
    real *all = p->v;
    p->v = block_of(n);
    for (int i = 0; i < p->n; i++) {
        const param *q = p->list[i];
        tensor *t = &p->list[i]->t;
        real *to = stays(p, q) ? p->v + q->offset : NULL;
        if (to) memcpy(to, t->v, size_of(q) * sizeof(real));
        t->v = to;
    }
    free(all);
}

/* Matrix by matrix, so that there is never more than one of them twice. */
void params_freeze(params *p, enum precision precision)
{
    BUG_IF(p->shares || p->g || p->packed || precision == PRECISION_BF16);
    p->frozen = p->fresh = true;
    p->precision = precision;
    size_t bytes = place_all_packed(p, NULL) * sizeof(real);
    p->packed = pages_alloc(&bytes);
    place_all_packed(p, p->packed);
    for (int i = 0; i < p->n; i++) {
        const param *q = p->list[i];
        if (is_packed(q)) pack(&q->t);
        if (!stays(p, q)) pages_release(q->t.v, size_of(q) * sizeof(real));
    }
    keep_values(p);
}

size_t params_product_bytes(const params *p)
{
    return p->n_reals * (p->precision == PRECISION_INT8 ? 1 : sizeof(real));
}

void params_changed(params *p)
{
    BUG_IF(p->frozen);
    p->fresh = false;
    for (int i = 0; i < p->n; i++) p->list[i]->t.by_rows = p->list[i]->t.by_cols = NULL;
}

void params_share(params *p, const params *of)
{
    BUG_IF(p->v || !of->packed || of->frozen || p->n != of->n || p->n_reals != of->n_reals);
    if (of->precision == PRECISION_BF16) params_multiply_bf16(p);
    p->v = of->v;
    p->packed = of->packed;
    p->shares = true;
    place_values(p);
    place_gradients(p);
    place_all_packed(p, p->packed);
}

void params_move_gradients(params *p, params *to)
{
    BUG_IF(!p->shares || p->n != to->n);
    for (int i = 0; i < p->n; i++) {
        param *q = p->list[i], *r = to->list[i];
        if (q->t.touched)
            touched_move(q->t.touched, r->t.g);
        else
            vec_move((long)size_of(q), q->t.g, r->t.g);
    }
}

size_t params_gradient_bytes(const params *p)
{
    size_t bytes = gradient_reals(p) * sizeof(real);
    for (int i = 0; i < p->n; i++) bytes += touched_bytes(p->list[i]->t.touched);
    return bytes;
}

static double draw(const param *q, rng *r)
{
    double fan_out = q->t.rows / q->blocks, fan_in = q->t.cols;
    switch (q->init) {
    case INIT_ZERO: return 0;
    case INIT_ONE: return 1;
    case INIT_XAVIER: return q->gain * sqrt(6 / (fan_in + fan_out)) * (2 * rng_uniform(r) - 1);
    case INIT_NORMAL: return q->gain * rng_normal(r);
    case INIT_UNIFORM: return q->gain * (2 * rng_uniform(r) - 1);
    }
    return 0;
}

void params_init(params *p, uint64_t seed)
{
    params_changed(p);
    for (int i = 0; i < p->n; i++) {
        param *q = p->list[i];
        rng r = rng_at(seed, RNG_INIT, (uint64_t)i);
        for (size_t j = 0; j < size_of(q); j++) q->t.v[j] = (real)draw(q, &r);
    }
}

param *params_find(const params *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->list[i]->name, name) == 0) return p->list[i];
    return NULL;
}
