/* A head of a sequence is a few small matrix products, done by the tiles of kernel/loops/gemm.c: their law
 * of rows makes a query independent of its neighbours, and what a causal query must not see is
 * multiplied by probabilities that are zero, which changes no sum. */
#include "kernel/attend.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

size_t attend_probs(const attend_shape *s)
{
    size_t n = 0;
    for (int i = 0; i < s->n_seqs; i++) n += (size_t)s->n_heads * (size_t)s->q_len[i] * (size_t)s->k_len[i];
    return n;
}

/* Queries that see the same keys: one sequence, or the hypotheses of a sentence. */
typedef struct {
    long q_start, q_len, k_start, k_len;
    long probs; /* where its probabilities begin */
} job;

typedef struct {
    const attend_shape *s;
    job *jobs;
    long n_jobs;
    const real *q, *k, *v, *probs_in, *dy;
    real *y, *probs, *dq, *dk, *dv;
    real scale;
    dropout_mask mask;
} attending;

/* Scratch memory of one head; padded: keys of a row, rounded up. */
typedef struct {
    long padded;
    real *scores, *dropped, *factors, *packed, *work;
} room;

static long round_up(long n, long unit) { return (n + unit - 1) / unit * unit; }

static room room_for(const job *j, long head_dim)
{
    const struct gemm_loops *g = loops()->gemm;
    room r = {.padded = round_up(j->k_len, SOFTMAX_PAD)};
    long rows = j->q_len, square = rows * r.padded, widest = j->k_len > head_dim ? j->k_len : head_dim;
    long deepest = rows > widest ? rows : widest;
    long packed = (deepest < g->depth ? deepest : g->depth) * round_up(widest, SOFTMAX_PAD);
    r.scores = scratch(SCRATCH_ATTEND, sizeof(real) * (size_t)(3 * square + packed + g->work));
    r.dropped = r.scores + square;
    r.factors = r.dropped + square;
    r.packed = r.factors + square;
    r.work = r.packed + packed;
    return r;
}

/* c(m, n) = or += a b for one head. With `wide`, columns up to the next half panel are written too. */
static void multiply(enum gemm_kind kind, long m, long n, long k, const real *a, long lda, const real *b,
                     long ldb, bool add, bool wide, real *c, long ldc, const room *r)
{
    const struct gemm_loops *g = loops()->gemm;
    bool direct = kind != GEMM_NT && n % g->half == 0;
    for (long p = 0; p < k; p += g->depth) {
        long depth = k - p < g->depth ? k - p : g->depth;
        const real *a_p = kind == GEMM_TN ? a + p * lda : a + p, *b_p = kind == GEMM_NT ? b + p : b + p * ldb;
        if (!direct) g->pack_b(kind, depth, n, b_p, ldb, r->packed);
        g->tile(kind, m, wide ? round_up(n, g->half) : n, depth, a_p, lda, direct ? b_p : r->packed,
                direct ? ldb : 0, NULL, add || p > 0, c, ldc, r->work);
    }
}

static long seen(const attending *a, const job *j, long t)
{
    long n = a->s->causal ? t + 1 + j->k_len - j->q_len : j->k_len;
    return n < 0 ? 0 : n;
}

static void attend_head(const attending *a, const job *j, int h)
{
    const attend_shape *s = a->s;
    long hd = s->head_dim, keys = j->k_len;
    room r = room_for(j, hd);
    const real *q = a->q + j->q_start * s->ldq + h * hd, *k = a->k + j->k_start * s->ldk + h * hd;
    const real *v = a->v + j->k_start * s->ldv + h * hd, *p = r.scores;
    long first = j->probs + h * j->q_len * keys, ldp = r.padded;
    multiply(GEMM_NT, j->q_len, keys, hd, q, s->ldq, k, s->ldk, false, true, r.scores, r.padded, &r);
    for (long t = 0; t < j->q_len; t++) {
        real *copy = a->probs ? a->probs + first + t * keys : s->dropout > 0 ? r.dropped + t * keys : NULL;
        loops()->softmax->attention(seen(a, j, t), r.padded, a->scale, r.scores + t * r.padded, keys, copy);
    }
    if (s->dropout > 0) {
        const real *plain = a->probs ? a->probs + first : r.dropped;
        loops()->vector->dropout(&a->mask, first, j->q_len * keys, plain, NULL, r.dropped);
        p = r.dropped;
        ldp = keys;
    }
    multiply(GEMM_NN, j->q_len, hd, keys, p, ldp, v, s->ldv, false, false,
             a->y + j->q_start * s->ldy + h * hd, s->ldy, &r);
}

/* With S = scale q k^T, P = softmax(S), D = dropout(P), y = D v:
 * dv = D^T dy, dD = dy v^T, dS from dP = mask dD, dq = dS k, dk = dS^T q. */
static void attend_head_back(const attending *a, const job *j, int h)
{
    const attend_shape *s = a->s;
    long hd = s->head_dim, keys = j->k_len, rows = j->q_len;
    room r = room_for(j, hd);
    long at_q = j->q_start * s->ldq + h * hd, at_k = j->k_start * s->ldk + h * hd;
    long at_v = j->k_start * s->ldv + h * hd, first = j->probs + h * rows * keys;
    const real *p = a->probs_in + first, *dy = a->dy + j->q_start * s->ldy + h * hd, *dropped = p;
    real *ds = r.scores;
    if (s->dropout > 0) {
        loops()->vector->dropout_factors(&a->mask, first, rows * keys, r.factors);
        loops()->vector->multiply(rows * keys, p, r.factors, r.dropped);
        dropped = r.dropped;
    }
    multiply(GEMM_TN, keys, hd, rows, dropped, keys, dy, s->ldy, true, false, a->dv + at_v, s->ldv, &r);
    multiply(GEMM_NT, rows, keys, hd, dy, s->ldy, a->v + at_v, s->ldv, false, true, ds, r.padded, &r);
    for (long t = 0; t < rows; t++)
        loops()->softmax->attention_back(keys, a->scale, p + t * keys,
                                         s->dropout > 0 ? r.factors + t * keys : NULL, ds + t * r.padded);
    multiply(GEMM_NN, rows, hd, keys, ds, r.padded, a->k + at_k, s->ldk, true, false, a->dq + at_q, s->ldq,
             &r);
    multiply(GEMM_TN, keys, hd, rows, ds, r.padded, a->q + at_q, s->ldq, true, false, a->dk + at_k, s->ldk,
             &r);
}

/* May the queries of sequence i join those of the job before it? Only where nothing tells them apart. */
static bool joins(const attending *a, const job *last, int i)
{
    const attend_shape *s = a->s;
    return !a->probs && !a->dy && s->dropout == 0 && last->k_start == s->k_start[i] &&
           last->k_len == s->k_len[i] && last->q_start + last->q_len == s->q_start[i] && !s->causal;
}

static void list_jobs(attending *a)
{
    const attend_shape *s = a->s;
    long probs = 0;
    a->jobs = scratch(SCRATCH_JOBS, sizeof(job) * (size_t)s->n_seqs);
    for (int i = 0; i < s->n_seqs; i++) {
        if (i > 0 && joins(a, &a->jobs[a->n_jobs - 1], i))
            a->jobs[a->n_jobs - 1].q_len += s->q_len[i];
        else
            a->jobs[a->n_jobs++] = (job){s->q_start[i], s->q_len[i], s->k_start[i], s->k_len[i], probs};
        probs += (long)s->n_heads * s->q_len[i] * s->k_len[i];
    }
}

/* The sum over no keys. */
static void no_keys(const attending *a, const job *j, int h)
{
    const attend_shape *s = a->s;
    for (long t = 0; !a->dy && t < j->q_len; t++)
        memset(a->y + (j->q_start + t) * s->ldy + h * s->head_dim, 0, (size_t)s->head_dim * sizeof(real));
}

static void heads_block(long first, long end, void *context)
{
    const attending *a = context;
    for (long i = first; i < end; i++) {
        const job *j = &a->jobs[i / a->s->n_heads];
        if (j->q_len == 0) continue;
        if (j->k_len == 0)
            no_keys(a, j, (int)(i % a->s->n_heads));
        else if (a->dy)
            attend_head_back(a, j, (int)(i % a->s->n_heads));
        else
            attend_head(a, j, (int)(i % a->s->n_heads));
    }
}

static void run(attending *a)
{
    const attend_shape *s = a->s;
    enum { WORK = 1 << 17 }; /* multiply-adds a task */
    long work = 0, tasks;
    list_jobs(a);
    for (long i = 0; i < a->n_jobs; i++) work += (a->jobs[i].q_len + 4) * a->jobs[i].k_len * s->head_dim * 2;
    tasks = a->n_jobs * s->n_heads;
    if (a->n_jobs) work /= a->n_jobs;
    a->scale = (real)(1 / sqrt((double)s->head_dim));
    blocks_run(tasks, work >= WORK ? 1 : WORK / (work + 1), heads_block, a);
}

void attend(const attend_shape *s, const real *q, const real *k, const real *v, real *y, real *probs)
{
    attending a = {.s = s, .q = q, .k = k, .v = v, .y = y, .probs = probs};
    a.mask = dropout_mask_of(s->dropout, s->key, s->place);
    run(&a);
}

void attend_back(const attend_shape *s, const real *q, const real *k, const real *v, const real *probs,
                 const real *dy, real *dq, real *dk, real *dv)
{
    attending a = {.s = s, .q = q, .k = k, .v = v, .probs_in = probs, .dy = dy, .dq = dq, .dk = dk, .dv = dv};
    a.mask = dropout_mask_of(s->dropout, s->key, s->place);
    run(&a);
}
