#include "kernel/additive.h"

#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

/* One argument block for the functions below; each uses what it needs. */
typedef struct {
    const query_keys *at;
    long width, ldq, lddq; /* A or C, and the distance of query or context rows */
    const real *query, *keys, *v, *p;
    real *e, *dquery, *dkeys, *dv_rows;
    const int *q_start, *q_len, *q_rows;
} ragged;

/* Rows a block. Lengths differ, so a row counts as a middling sentence. */
static long rows_a_block(long cost) { return blocks_size(16 * cost); }

enum { TANH_COST = 8 };

/* Reals before the first key of query i, and the places of its keys. */
static long first_key(const ragged *c, long i) { return c->at->place ? 0 : c->at->k_start[i] * c->width; }

static const int *places(const ragged *c, long i)
{
    return c->at->place ? c->at->place + c->at->k_start[i] : NULL;
}

static void energies_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->energies(c->at->k_len[i], places(c, i), c->width, c->query + i * c->ldq,
                                    c->keys + first_key(c, i), c->v, c->e + c->at->e_start[i]);
}

void additive_energies(const query_keys *at, long A, const real *query, long ldq, const real *keys,
                       const real *v, real *e)
{
    ragged c = {.at = at, .width = A, .ldq = ldq, .query = query, .keys = keys, .v = v, .e = e};
    blocks_run(at->rows, rows_a_block(TANH_COST * A), energies_block, &c);
}

static void energies_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->energies_back(c->at->k_len[i], places(c, i), c->width, c->query + i * c->ldq,
                                         c->keys + first_key(c, i), c->v, c->p + c->at->e_start[i],
                                         c->dquery + i * c->lddq, c->dkeys + first_key(c, i),
                                         c->dv_rows + i * c->width);
}

void additive_energies_back(const query_keys *at, long A, const real *query, long ldq, const real *keys,
                            const real *v, const real *de, real *dquery, long lddq, real *dkeys,
                            real *dv_rows)
{
    ragged c = {.at = at, .width = A, .ldq = ldq, .query = query, .keys = keys, .v = v, .p = de};
    c.dquery = dquery, c.lddq = lddq, c.dkeys = dkeys, c.dv_rows = dv_rows;
    blocks_run(at->rows, rows_a_block(2 * TANH_COST * A), energies_back_block, &c);
}

static void weighted_sum_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->weighted_sum(c->at->k_len[i], places(c, i), c->width, c->p + c->at->e_start[i],
                                        c->keys + first_key(c, i), c->dquery + i * c->ldq);
}

void weighted_sum(const query_keys *at, long C, const real *p, const real *values, real *context, long ldc)
{
    ragged c = {.at = at, .width = C, .ldq = ldc, .keys = values, .p = p, .dquery = context};
    blocks_run(at->rows, rows_a_block(C), weighted_sum_block, &c);
}

static void weighted_sum_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->additive->weighted_sum_back(c->at->k_len[i], places(c, i), c->width,
                                             c->keys + first_key(c, i), c->query + i * c->ldq,
                                             c->e + c->at->e_start[i]);
}

void weighted_sum_back(const query_keys *at, long C, const real *values, const real *dcontext, long ldc,
                       real *dp)
{
    ragged c = {.at = at, .width = C, .ldq = ldc, .query = dcontext, .keys = values, .e = dp};
    blocks_run(at->rows, rows_a_block(C), weighted_sum_back_block, &c);
}

static void values_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long k = first; k < end; k++) {
        const int *rows = c->q_rows + c->q_start[k], n = c->q_len[k];
        const real **p = scratch(SCRATCH_ATTEND, 2 * (size_t)n * sizeof *p), **dcontext = p + n;
        for (int t = 0; t < n; t++) {
            p[t] = c->p + c->at->e_start[rows[t]];
            dcontext[t] = c->query + rows[t] * c->ldq;
        }
        loops()->additive->values_back(c->at->k_len[k], places(c, k), c->width, n, p, dcontext,
                                       c->dkeys + first_key(c, k));
    }
}

void weighted_sum_values_back(const query_keys *at, int n, const int *start, const int *len, const int *rows,
                              long C, const real *p, const real *dcontext, long ldc, real *dvalues)
{
    ragged c = {.at = at, .width = C, .ldq = ldc, .query = dcontext, .p = p, .dkeys = dvalues};
    c.q_start = start, c.q_len = len, c.q_rows = rows;
    blocks_run(n, 1, values_back_block, &c);
}

static void softmax_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++) loops()->softmax->softmax(c->at->k_len[i], c->e + c->at->e_start[i]);
}

void ragged_softmax(const query_keys *at, real *e)
{
    ragged c = {.at = at, .e = e};
    blocks_run(at->rows, rows_a_block(4), softmax_block, &c);
}

static void softmax_back_block(long first, long end, void *context)
{
    const ragged *c = context;
    for (long i = first; i < end; i++)
        loops()->softmax->softmax_back(c->at->k_len[i], c->p + c->at->e_start[i], c->e + c->at->e_start[i]);
}

void ragged_softmax_back(const query_keys *at, const real *p, real *dp)
{
    ragged c = {.at = at, .p = p, .e = dp};
    blocks_run(at->rows, rows_a_block(4), softmax_back_block, &c);
}
