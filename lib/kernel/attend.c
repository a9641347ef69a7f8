#include "kernel/attend.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/meter.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

/* Keys by queries, so that queries lie beside each other, for ATTEND_QUERIES at a time; the last ones are
 * rounded up to whole vectors of any processor. */
enum { UNIT = 16 };

static int round_up(int n) { return (n + UNIT - 1) / UNIT * UNIT; }

size_t attend_places(int q_len, int k_len) { return (size_t)round_up(q_len) * (size_t)k_len; }

size_t attend_place(int q_len, int k_len, int t, int j)
{
    int first = t / ATTEND_QUERIES * ATTEND_QUERIES, rest = q_len - first;
    int width = rest < ATTEND_QUERIES ? round_up(rest) : ATTEND_QUERIES;
    return (size_t)first * (size_t)k_len + (size_t)j * (size_t)width + (size_t)(t - first);
}

/* Queries that see the same keys: one sequence, or the hypotheses of a sentence. */
typedef struct {
    int q_start, q_len, k_start, k_len;
    uint64_t place; /* of its first head in the mask */
} job;

typedef struct {
    const attend_shape *s;
    job *jobs;
    long n_jobs;
    const real *q, *k, *v, *dy;
    real *y, *dq, *dk, *dv;
    bool add;
    real scale;
    dropout_mask mask;
} attending;

/* Sums over no keys or no queries. */
static void clear(long rows, long cols, real *x, long ld)
{
    for (long r = 0; r < rows; r++) memset(x + r * ld, 0, (size_t)cols * sizeof(real));
}

static void nothing_to_see(const attend_head *h)
{
    if (!h->dy) {
        clear(h->q_len, h->head_dim, h->y, h->ldy);
    } else if (!h->add) {
        clear(h->q_len, h->head_dim, h->dq, h->ldq);
        clear(h->keys, h->head_dim, h->dk, h->ldk);
        clear(h->keys, h->head_dim, h->dv, h->ldv);
    }
}

static void one_head(const attending *a, const job *j, int head)
{
    const attend_shape *s = a->s;
    const struct attend_loops *l = loops()->attend;
    long col = (long)head * s->head_dim, at_q = j->q_start * s->ldq + col, at_k = j->k_start * s->ldk + col;
    long at_v = j->k_start * s->ldv + col, at_y = j->q_start * s->ldy + col;
    attend_head h = {.q_len = j->q_len, .keys = j->k_len, .head_dim = s->head_dim, .causal = s->causal};
    h.ldq = s->ldq, h.ldk = s->ldk, h.ldv = s->ldv, h.ldy = s->ldy, h.add = a->add, h.scale = a->scale;
    h.mask = s->dropout > 0 ? &a->mask : NULL;
    h.first = j->place + (uint64_t)head * attend_places(j->q_len, j->k_len);
    h.q = a->q + at_q, h.k = a->k + at_k, h.v = a->v + at_v;
    h.work = scratch(SCRATCH_ATTEND, sizeof(real) * (size_t)l->work(h.keys, h.head_dim));
    if (a->dy)
        h.dy = a->dy + at_y, h.dq = a->dq + at_q, h.dk = a->dk + at_k, h.dv = a->dv + at_v;
    else
        h.y = a->y + at_y;
    if (h.q_len == 0 || h.keys == 0)
        nothing_to_see(&h);
    else if (a->dy)
        l->backward(&h);
    else
        l->forward(&h);
}

/* Sentences are short and their rows far apart: asks for those of the next one in time. Inline, since
 * compilers leave out calls that do nothing else. */
#define INLINE static inline __attribute__((always_inline))

INLINE void fetch(const real *x, long rows, long cols, long ld)
{
    enum { LINE = 64 / sizeof(real), SECOND_LEVEL = 2 };
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < cols; c += LINE) __builtin_prefetch(x + r * ld + c, 0, SECOND_LEVEL);
}

/* Part h of n_heads of what job j reads and, backward, writes. */
INLINE void fetch_job(const attending *a, const job *j, long h)
{
    const attend_shape *s = a->s;
    long parts = s->n_heads, d = parts * s->head_dim;
    long q = j->q_len * h / parts, n_q = j->q_len * (h + 1) / parts - q, at_q = j->q_start + q;
    long k = j->k_len * h / parts, n_k = j->k_len * (h + 1) / parts - k, at_k = j->k_start + k;
    fetch(a->q + at_q * s->ldq, n_q, d, s->ldq);
    fetch(a->k + at_k * s->ldk, n_k, d, s->ldk);
    fetch(a->v + at_k * s->ldv, n_k, d, s->ldv);
    if (!a->dy) fetch(a->y + at_q * s->ldy, n_q, d, s->ldy);
    if (!a->dy) return;
    fetch(a->dy + at_q * s->ldy, n_q, d, s->ldy);
    fetch(a->dq + at_q * s->ldq, n_q, d, s->ldq);
    fetch(a->dk + at_k * s->ldk, n_k, d, s->ldk);
    fetch(a->dv + at_k * s->ldv, n_k, d, s->ldv);
}

static void heads_block(long first, long end, void *context)
{
    const attending *a = context;
    long heads = a->s->n_heads;
    for (long i = first; i < end; i++) {
        const job *j = &a->jobs[i / heads];
        if (j + 1 < a->jobs + a->n_jobs) fetch_job(a, j + 1, i % heads);
        one_head(a, j, (int)(i % heads));
    }
}

/* May the queries of sequence i join those of the job before it? Only where nothing tells them apart. */
static bool joins(const attending *a, const job *last, int i)
{
    const attend_shape *s = a->s;
    return !a->dy && s->dropout == 0 && last->k_start == s->k_start[i] && last->k_len == s->k_len[i] &&
           last->q_start + last->q_len == s->q_start[i] && !s->causal;
}

static void list_jobs(attending *a)
{
    const attend_shape *s = a->s;
    uint64_t place = 0;
    a->jobs = scratch(SCRATCH_JOBS, sizeof(job) * (size_t)s->n_seqs);
    for (int i = 0; i < s->n_seqs; i++) {
        if (i > 0 && joins(a, &a->jobs[a->n_jobs - 1], i))
            a->jobs[a->n_jobs - 1].q_len += s->q_len[i];
        else
            a->jobs[a->n_jobs++] = (job){s->q_start[i], s->q_len[i], s->k_start[i], s->k_len[i], place};
        place += (uint64_t)s->n_heads * attend_places(s->q_len[i], s->k_len[i]);
    }
}

static void run(attending *a)
{
    const attend_shape *s = a->s;
    enum { WORK = 1 << 17 }; /* multiply-adds a task */
    long work = 0, tasks;
    list_jobs(a);
    for (long i = 0; i < a->n_jobs; i++)
        work += (long)(a->jobs[i].q_len + 4) * a->jobs[i].k_len * s->head_dim * 2;
    tasks = a->n_jobs * s->n_heads;
    if (a->n_jobs) work /= a->n_jobs;
    a->scale = (real)(1 / sqrt((double)s->head_dim));
    a->mask = dropout_mask_of(s->dropout, s->key, s->place);
    blocks_run(tasks, work >= WORK ? 1 : WORK / (work + 1), heads_block, a);
}

/* Of q k^T and p v, without what a mask hides from them being taken off. */
static double products(const attend_shape *s)
{
    double pairs = 0;
    for (int i = 0; i < s->n_seqs; i++) pairs += (double)s->q_len[i] * s->k_len[i];
    return 4 * pairs * s->n_heads * s->head_dim;
}

void attend(const attend_shape *s, const real *q, const real *k, const real *v, real *y)
{
    if (meter_is_on) meter_flops(products(s));
    run(&(attending){.s = s, .q = q, .k = k, .v = v, .y = y});
}

/* ---- queries by themselves ---- */

typedef struct {
    const attend_rows_shape *s;
    const real *q, *k, *v;
    real *y, scale;
} asking;

/* Keys of query r, and their rows. */
static const int *place_of(const attend_rows_shape *s, long r)
{
    return s->place ? s->place + s->start[r] : NULL;
}

static long first_of(const attend_rows_shape *s, long r) { return s->place ? 0 : s->start[r]; }

/* Of keys and values that the query does not share with the one before it. */
INLINE void fetch_keys(const asking *a, long r)
{
    const attend_rows_shape *s = a->s;
    const int *place = place_of(s, r);
    long d = (long)s->n_heads * s->head_dim, first = first_of(s, r);
    if (!place && first == s->start[r - 1]) return;
    for (long j = 0; j < s->len[r]; j++) {
        long row = place ? place[j] : first + j;
        fetch(a->k + row * s->ldk, 1, d, s->ldk);
        fetch(a->v + row * s->ldv, 1, d, s->ldv);
    }
}

static void rows_block(long first, long end, void *context)
{
    const asking *a = context;
    const attend_rows_shape *s = a->s;
    for (long r = first; r < end; r++) {
        if (r + 1 < end) fetch_keys(a, r + 1);
        attend_query one = {.keys = s->len[r], .n_heads = s->n_heads, .head_dim = s->head_dim};
        one.ldk = s->ldk, one.ldv = s->ldv, one.scale = a->scale, one.place = place_of(s, r);
        one.q = a->q + r * s->ldq, one.y = a->y + r * s->ldy;
        one.k = a->k + first_of(s, r) * s->ldk, one.v = a->v + first_of(s, r) * s->ldv;
        one.p = scratch(SCRATCH_ATTEND, sizeof(real) * (size_t)(one.keys + 1));
        loops()->attend->query(&one);
    }
}

void attend_rows(const attend_rows_shape *s, const real *q, const real *k, const real *v, real *y)
{
    long keys = 0, d = (long)s->n_heads * s->head_dim;
    for (int r = 0; r < s->rows; r++) keys += s->len[r];
    if (meter_is_on) meter_flops(4.0 * (double)keys * (double)d);
    asking a = {.s = s, .q = q, .k = k, .v = v, .y = y, .scale = (real)(1 / sqrt((double)s->head_dim))};
    if (s->rows) blocks_run(s->rows, blocks_size(2 * (keys / s->rows + 1) * d), rows_block, &a);
}

void attend_back(const attend_shape *s, const real *q, const real *k, const real *v, const real *dy, bool add,
                 real *dq, real *dk, real *dv)
{
    if (meter_is_on) meter_flops(2 * products(s)); /* what is computed again is not counted */
    run(&(attending){.s = s, .q = q, .k = k, .v = v, .dy = dy, .dq = dq, .dk = dk, .dv = dv, .add = add});
}
