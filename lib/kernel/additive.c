#include "kernel/additive.h"

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

/* One argument block for the functions below; each uses what it needs. */
typedef struct {
    long width, ldq, lddq; /* A or C, and the distance of query or context rows */
    const real *query, *keys, *v, *p;
    const int *k_start, *k_len, *e_start;
    real *e, *dquery, *dkeys, *dv_rows;
} ragged;

/* Rows a block. Lengths differ, so a row counts as a middling sentence. */
static long rows_a_block(long cost) { return blocks_size(16 * cost); }

enum { TANH_COST = 8 };

static void energies_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->energies(c->k_len[i], c->width, c->query + i * c->ldq,
                                    c->keys + c->k_start[i] * c->width, c->v, c->e + c->e_start[i]);
}

void additive_energies(long rows, long A, const real *query, long ldq, const real *keys, const real *v,
                       const int *k_start, const int *k_len, const int *e_start, real *e)
{
    ragged c = {.width = A, .ldq = ldq, .query = query, .keys = keys, .v = v};
    c.k_start = k_start, c.k_len = k_len, c.e_start = e_start, c.e = e;
    blocks_run(rows, rows_a_block(TANH_COST * A), energies_block, &c);
}

static void energies_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    long A = c->width;
    for (long i = first; i < end; i++)
        loops()->additive->energies_back(c->k_len[i], A, c->query + i * c->ldq, c->keys + c->k_start[i] * A,
                                         c->v, c->p + c->e_start[i], c->dquery + i * c->lddq,
                                         c->dkeys + c->k_start[i] * A, c->dv_rows + i * A);
}

void additive_energies_back(long rows, long A, const real *query, long ldq, const real *keys, const real *v,
                            const int *k_start, const int *k_len, const int *e_start, const real *de,
                            real *dquery, long lddq, real *dkeys, real *dv_rows)
{
    ragged c = {.width = A, .ldq = ldq, .query = query, .keys = keys, .v = v, .p = de};
    c.k_start = k_start, c.k_len = k_len, c.e_start = e_start;
    c.dquery = dquery, c.lddq = lddq, c.dkeys = dkeys, c.dv_rows = dv_rows;
    blocks_run(rows, rows_a_block(2 * TANH_COST * A), energies_back_block, &c);
}

static void weighted_sum_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->weighted_sum(c->k_len[i], c->width, c->p + c->e_start[i],
                                        c->keys + c->k_start[i] * c->width, c->dquery + i * c->ldq);
}

void weighted_sum(long rows, long C, const real *p, const int *e_start, const real *values,
                  const int *k_start, const int *k_len, real *context, long ldc)
{
    ragged c = {.width = C, .ldq = ldc, .keys = values, .p = p, .dquery = context};
    c.k_start = k_start, c.k_len = k_len, c.e_start = e_start;
    blocks_run(rows, rows_a_block(C), weighted_sum_block, &c);
}

static void weighted_sum_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    long C = c->width;
    for (long i = first; i < end; i++)
        loops()->additive->weighted_sum_back(c->k_len[i], C, c->p + c->e_start[i],
                                             c->keys + c->k_start[i] * C, c->query + i * c->ldq,
                                             c->e + c->e_start[i], c->dkeys + c->k_start[i] * C);
}

void weighted_sum_back(long rows, long C, const real *p, const int *e_start, const real *values,
                       const int *k_start, const int *k_len, const real *dcontext, long ldc, real *dp,
                       real *dvalues)
{
    ragged c = {.width = C, .ldq = ldc, .query = dcontext, .keys = values, .p = p, .e = dp, .dkeys = dvalues};
    c.k_start = k_start, c.k_len = k_len, c.e_start = e_start;
    blocks_run(rows, rows_a_block(2 * C), weighted_sum_back_block, &c);
}

static void softmax_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++) loops()->softmax->softmax(c->k_len[i], c->e + c->e_start[i]);
}

void ragged_softmax(long rows, const int *e_start, const int *k_len, real *e)
{
    ragged c = {.e_start = e_start, .k_len = k_len, .e = e};
    blocks_run(rows, rows_a_block(4), softmax_block, &c);
}

static void softmax_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->softmax->softmax_back(c->k_len[i], c->p + c->e_start[i], c->e + c->e_start[i]);
}

void ragged_softmax_back(long rows, const int *e_start, const int *k_len, const real *p, real *dp)
{
    ragged c = {.e_start = e_start, .k_len = k_len, .p = p, .e = dp};
    blocks_run(rows, rows_a_block(4), softmax_back_block, &c);
}
