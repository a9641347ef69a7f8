/* Attention of one head. Everything is kept transposed, keys by queries, so that a vector holds the same key
 * for LANES queries: softmax needs no sum across lanes, and of five small products in backward only q and dy
 * are laid out anew, the rest is read where it lies. An element of a product is one chain of multiply-adds in
 * order from zero, whatever stands beside it (kernel/attend.h). */
#include <string.h>

#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"
#include "kernel/loops/transpose.h"

enum {
    QUERIES = ATTEND_QUERIES,
#if defined __AVX512F__
    HEIGHT = 8, /* sums in registers: HEIGHT rows of LANES */
#elif defined __AVX2__ || defined TULK_NEON
    HEIGHT = 6,
#else
    HEIGHT = 2,
#endif
};

static long least(long a, long b) { return a < b ? a : b; }
static long most(long a, long b) { return a > b ? a : b; }

/* ---- small products ---- */

/* c(rows, LANES) = or += a(rows, k) b(k, LANES). Element (i, p) of a is a[i * a_row + p * a_col]. */
LANES_INLINE void micro(const int rows, long k, const real *a, const long a_row, const long a_col,
                        const real *b, long ldb, bool add, real *c, long ldc)
{
    vector sum[HEIGHT][LANE_PARTS];
    LANES_UNROLL for (int i = 0; i < rows; i++) LANES_UNROLL for (int j = 0; j < LANE_PARTS; j++) sum[i][j] =
        (vector){0};
    for (long p = 0; p < k; p++, a += a_col, b += ldb) {
        lanes row = lanes_load(b);
        LANES_UNROLL for (int i = 0; i < rows; i++) LANES_UNROLL for (int j = 0; j < LANE_PARTS; j++)
            sum[i][j] += a[i * a_row] * row.part[j];
    }
    LANES_UNROLL for (int i = 0; i < rows; i++, c += ldc)
    {
        lanes to = {{{0}}};
        if (add) to = lanes_load(c);
        LANES_UNROLL for (int j = 0; j < LANE_PARTS; j++) to.part[j] =
            add ? to.part[j] + sum[i][j] : sum[i][j];
        lanes_store(c, to);
    }
}

typedef void micro_kernel(long k, const real *a, long lda, const real *b, long ldb, bool add, real *c,
                          long ldc);

/* a as it lies, and a transposed. */
#define MICRO(rows)                                                                                          \
    static void straight_##rows(long k, const real *a, long lda, const real *b, long ldb, bool add, real *c, \
                                long ldc)                                                                    \
    {                                                                                                        \
        micro(rows, k, a, lda, 1, b, ldb, add, c, ldc);                                                      \
    }                                                                                                        \
    static void crossed_##rows(long k, const real *a, long lda, const real *b, long ldb, bool add, real *c,  \
                               long ldc)                                                                     \
    {                                                                                                        \
        micro(rows, k, a, 1, lda, b, ldb, add, c, ldc);                                                      \
    }
#define MICRO_ROW(rows)                                                                                      \
    {                                                                                                        \
        straight_##rows, crossed_##rows                                                                      \
    }

MICRO(1)
MICRO(2)
#if defined __AVX2__ || defined TULK_NEON
MICRO(3)
MICRO(4)
MICRO(5)
MICRO(6)
#endif
#if defined __AVX512F__
MICRO(7)
MICRO(8)
#endif

static micro_kernel *const micros[HEIGHT][2] = {
    MICRO_ROW(1), MICRO_ROW(2),
#if defined __AVX2__ || defined TULK_NEON
    MICRO_ROW(3), MICRO_ROW(4), MICRO_ROW(5), MICRO_ROW(6),
#endif
#if defined __AVX512F__
    MICRO_ROW(7), MICRO_ROW(8),
#endif
};

/* Which products of a row are left out because one factor is zero: query t sees keys 0 .. t + later. */
enum { SEES_ALL = 1 << 30 };
enum side { KEYS_BY_QUERIES, QUERIES_BY_KEYS };

/* c(m, n) = or += a b for a (m, k), or (k, m) if its rows are queries, with what is zero left out. */
typedef struct {
    enum side side;
    long m, n, k, later;
    const real *a, *b;
    long lda, ldb, ldc;
    bool add;
    real *c, *spare;
} product;

static void rows_times(const product *g, const real *b, long ldb, bool add, real *c, long ldc)
{
    long groups = (g->m + HEIGHT - 1) / HEIGHT;
    for (long t = 0; t < groups; t++) {
        long i = t * g->m / groups, end = (t + 1) * g->m / groups, from = 0, to = g->k;
        if (g->side == QUERIES_BY_KEYS)
            to = least(g->k, end + g->later);
        else
            from = least(g->k, most(0, i - g->later));
        const real *a = g->side == QUERIES_BY_KEYS ? g->a + i : g->a + i * g->lda + from;
        micros[end - i - 1][g->side](to - from, a, g->lda, b + from * ldb, ldb, add, c + i * ldc, ldc);
    }
}

/* The last columns, fewer than LANES. */
static void last_columns(const product *g, long j)
{
    long n = g->n - j;
    size_t bytes = (size_t)n * sizeof(real);
    real *b = g->spare, *c = b + g->k * LANES;
    for (long p = 0; p < g->k; p++) {
        memset(b + p * LANES, 0, LANES * sizeof(real));
        memcpy(b + p * LANES, g->b + p * g->ldb + j, bytes);
    }
    for (long i = 0; g->add && i < g->m; i++) {
        memset(c + i * LANES, 0, LANES * sizeof(real));
        memcpy(c + i * LANES, g->c + i * g->ldc + j, bytes);
    }
    rows_times(g, b, LANES, g->add, c, LANES);
    for (long i = 0; i < g->m; i++) memcpy(g->c + i * g->ldc + j, c + i * LANES, bytes);
}

static void multiply(const product *g)
{
    long j = 0;
    for (; j + LANES <= g->n; j += LANES) rows_times(g, g->b + j, g->ldb, g->add, g->c + j, g->ldc);
    if (j < g->n) last_columns(g, j);
}

/* ---- a block of queries ---- */

typedef struct {
    long first, n, width; /* queries first .. first + n, n rounded up to LANES */
    long later;           /* query `first` + t sees keys 0 .. t + later */
    real *q, *dy;         /* (head_dim, width) transposed */
    real *p, *dropped;    /* (keys, width) probabilities, before and after dropout */
    real *ds;             /* (keys, width) */
    real *spare;
} block;

static long work(long keys, long head_dim)
{
    long longest = most(keys, QUERIES);
    return (3 * keys + 2 * head_dim) * QUERIES + 2 * longest * LANES;
}

static block block_at(const attend_head *h, long first)
{
    block b = {.first = first, .n = least(QUERIES, h->q_len - first), .q = h->work};
    b.width = (b.n + LANES - 1) / LANES * LANES;
    b.later = h->causal ? h->keys - h->q_len + first : SEES_ALL;
    b.dy = b.q + h->head_dim * QUERIES;
    b.p = b.dy + h->head_dim * QUERIES;
    b.ds = b.p + h->keys * QUERIES;
    b.dropped = h->mask ? b.ds + h->keys * QUERIES : b.p;
    b.spare = b.ds + 2 * h->keys * QUERIES;
    return b;
}

/* Keys that the queries before `end` of the block see. */
static long keys_seen(const attend_head *h, const block *b, long end)
{
    return most(0, least(h->keys, end + b->later));
}

/* x (n, head_dim) to out (head_dim, width). Lanes past the last query repeat it or are zero: nobody reads
 * what becomes of them. */
static void turn(const block *b, long head_dim, const real *x, long ld, real *out)
{
    enum { FEW = 2 };
    if (b->n <= FEW) {
        memset(out, 0, sizeof(real) * (size_t)(head_dim * b->width));
        for (long t = 0; t < b->n; t++)
            for (long c = 0; c < head_dim; c++) out[c * b->width + t] = x[t * ld + c];
        return;
    }
    for (long t = 0; t < b->width; t += PART) {
        const real *rows[PART];
        for (long i = 0; i < PART; i++) rows[i] = x + least(t + i, b->n - 1) * ld;
        transpose_rows(head_dim, rows, out + t, b->width);
    }
}

/* x (keys, head_dim) times `turned`, for keys that are seen by a panel of LANES queries from t. */
static void panel_product(const attend_head *h, const block *b, long t, const real *x, long ld,
                          const real *turned, real *out)
{
    multiply(&(product){.side = KEYS_BY_QUERIES,
                        .m = keys_seen(h, b, t + LANES),
                        .n = LANES,
                        .k = h->head_dim,
                        .later = SEES_ALL,
                        .a = x,
                        .lda = ld,
                        .b = turned + t,
                        .ldb = b->width,
                        .c = out + t,
                        .ldc = b->width});
}

/* What a query of the panel must not see becomes -inf. */
static void hide(const block *b, long t, long seen, real *p)
{
    real hidden[LANES];
    for (int l = 0; l < LANES; l++) hidden[l] = -(real)INFINITY;
    for (long j = most(0, t + b->later + 1); j < seen; j++)
        lanes_store_some(p + j * b->width, j - b->later - t, lanes_load(hidden));
}

static void largest(long n, const real *x, long ld, real m[LANES])
{
    for (int l = 0; l < LANES; l++) m[l] = -REAL_MOST; /* not -inf, for queries that see nothing */
    lanes top = lanes_load(m);
    for (long j = 0; j < n; j++) top = lanes_max(top, lanes_load(x + j * ld));
    lanes_store(m, top);
}

static void scale_rows(long n, real *x, long ld, lanes factor)
{
    for (long j = 0; j < n; j++) lanes_store(x + j * ld, lanes_multiply(lanes_load(x + j * ld), factor));
}

/* Columns of scores to probabilities, `seen` rows; the rest becomes zero. */
static void softmax_panel(const attend_head *h, const block *b, long seen, real *p)
{
    const real scale = h->scale;
    real m[LANES], sums[LANES], factor[LANES];
    largest(seen, p, b->width, m);
    lanes sum = {{{0}}};
    for (long j = 0; j < seen; j++) {
        real *row = p + j * b->width;
        for (int l = 0; l < LANES; l++) row[l] = real_exp(scale * (row[l] - m[l]));
    }
    for (long j = 0; j < seen; j++) sum = lanes_add(sum, lanes_load(p + j * b->width));
    lanes_store(sums, sum);
    for (int l = 0; l < LANES; l++) factor[l] = sums[l] == 0 ? 0 : 1 / sums[l];
    scale_rows(seen, p, b->width, lanes_load(factor));
    for (long j = seen; j < h->keys; j++) memset(p + j * b->width, 0, LANES * sizeof(real));
}

static void drop(const attend_head *h, const block *b)
{
    long n = h->keys * b->width;
    uint64_t first = h->first + (uint64_t)(h->keys * b->first);
    LOOPS(vector).dropout_factors(h->mask, (long)first, n, b->dropped);
    for (long i = 0; i < n; i++) b->dropped[i] *= b->p[i];
}

static void probabilities(const attend_head *h, const block *b)
{
    turn(b, h->head_dim, h->q + b->first * h->ldq, h->ldq, b->q);
    for (long t = 0; t < b->width; t += LANES) {
        long seen = keys_seen(h, b, t + LANES);
        panel_product(h, b, t, h->k, h->ldk, b->q, b->p);
        hide(b, t, seen, b->p + t);
        softmax_panel(h, b, seen, b->p + t);
    }
    if (h->mask) drop(h, b);
}

/* c (queries of the block, head_dim) = or += a^T x, x (keys, head_dim) */
static void to_queries(const attend_head *h, const block *b, const real *a, const real *x, long ldx, bool add,
                       real *c, long ldc)
{
    multiply(&(product){.side = QUERIES_BY_KEYS,
                        .m = b->n,
                        .n = h->head_dim,
                        .k = h->keys,
                        .later = b->later,
                        .a = a,
                        .lda = b->width,
                        .b = x,
                        .ldb = ldx,
                        .add = add,
                        .c = c + b->first * ldc,
                        .ldc = ldc,
                        .spare = b->spare});
}

/* c (keys, head_dim) = or += a x, x (queries, head_dim). Blocks of queries add up. */
static void to_keys(const attend_head *h, const block *b, const real *a, const real *x, long ldx, real *c,
                    long ldc)
{
    multiply(&(product){.side = KEYS_BY_QUERIES,
                        .m = h->keys,
                        .n = h->head_dim,
                        .k = b->n,
                        .later = b->later,
                        .a = a,
                        .lda = b->width,
                        .b = x + b->first * ldx,
                        .ldb = ldx,
                        .add = h->add || b->first > 0,
                        .c = c,
                        .ldc = ldc,
                        .spare = b->spare});
}

static void forward(const attend_head *h)
{
    for (long first = 0; first < h->q_len; first += QUERIES) {
        block b = block_at(h, first);
        probabilities(h, &b);
        to_queries(h, &b, b.dropped, h->v, h->ldv, false, h->y, h->ldy);
    }
}

/* ds = scale p (dD - sum over keys of p dD), where ds holds v dy^T and dD is it after dropout. */
static void scores_gradient(const attend_head *h, const block *b, long t)
{
    const real scale = h->scale;
    long seen = keys_seen(h, b, t + LANES), w = b->width;
    real *ds = b->ds + t, sums[LANES];
    const real *p = b->p + t, *dropped = b->dropped + t;
    lanes sum = {{{0}}};
    for (long j = 0; j < seen; j++)
        sum = lanes_add_product(sum, lanes_load(dropped + j * w), lanes_load(ds + j * w));
    lanes_store(sums, sum);
    for (long j = 0; j < seen; j++)
        for (int l = 0; l < LANES; l++)
            ds[j * w + l] = scale * (dropped[j * w + l] * ds[j * w + l] - p[j * w + l] * sums[l]);
    for (long j = seen; j < h->keys; j++) memset(ds + j * w, 0, LANES * sizeof(real));
}

/* With S = scale q k^T, P = softmax(S), D = dropout(P), y = D v:
 * dv = D^T dy, dD = dy v^T, dS from dP = mask dD, dq = dS k, dk = dS^T q. */
static void backward(const attend_head *h)
{
    for (long first = 0; first < h->q_len; first += QUERIES) {
        block b = block_at(h, first);
        probabilities(h, &b);
        to_keys(h, &b, b.dropped, h->dy, h->ldy, h->dv, h->ldv);
        turn(&b, h->head_dim, h->dy + first * h->ldy, h->ldy, b.dy);
        for (long t = 0; t < b.width; t += LANES) {
            panel_product(h, &b, t, h->v, h->ldv, b.dy, b.ds);
            scores_gradient(h, &b, t);
        }
        to_queries(h, &b, b.ds, h->k, h->ldk, h->add, h->dq, h->ldq);
        to_keys(h, &b, b.ds, h->q, h->ldq, h->dk, h->ldk);
    }
}

/* ---- one query ---- */

LANES_INLINE long row_of(const attend_query *a, long j) { return a->place ? a->place[j] : j; }

/* p[j] = scale q . k[j] of a head whose columns begin at c. */
static void scores(const attend_query *a, long c)
{
    const long whole = a->head_dim / LANES * LANES, rest = a->head_dim - whole;
    const real *q = a->q + c;
    for (long j = 0; j < a->keys; j++) {
        const real *k = a->k + row_of(a, j) * a->ldk + c;
        lanes sum = {{{0}}};
        for (long i = 0; i < whole; i += LANES)
            sum = lanes_add_product(sum, lanes_load(q + i), lanes_load(k + i));
        if (rest)
            sum = lanes_add_product(sum, lanes_load_some(q + whole, rest), lanes_load_some(k + whole, rest));
        a->p[j] = a->scale * lanes_sum(sum);
    }
}

/* y = sum p[j] v[j] for n vectors of columns from c on. */
LANES_INLINE void mix(const attend_query *a, const int n, long c)
{
    enum { MOST = 4 };
    lanes sum[MOST];
    LANES_UNROLL for (int i = 0; i < n; i++) sum[i] = (lanes){{{0}}};
    for (long j = 0; j < a->keys; j++) {
        const real *v = a->v + row_of(a, j) * a->ldv + c, p = a->p[j];
        LANES_UNROLL for (int i = 0; i < n; i++)
        {
            lanes x = lanes_load(v + i * LANES);
            LANES_UNROLL for (int k = 0; k < LANE_PARTS; k++) sum[i].part[k] += p * x.part[k];
        }
    }
    LANES_UNROLL for (int i = 0; i < n; i++) lanes_store(a->y + c + i * LANES, sum[i]);
}

/* The same for the last columns, fewer than LANES. */
static void mix_some(const attend_query *a, long n, long c)
{
    lanes sum = {{{0}}};
    for (long j = 0; j < a->keys; j++) {
        lanes x = lanes_load_some(a->v + row_of(a, j) * a->ldv + c, n);
        LANES_UNROLL for (int k = 0; k < LANE_PARTS; k++) sum.part[k] += a->p[j] * x.part[k];
    }
    lanes_store_some(a->y + c, n, sum);
}

static void mix_head(const attend_query *a, long c)
{
    const long end = c + a->head_dim;
    for (; c + 4 * LANES <= end; c += 4 * LANES) mix(a, 4, c);
    for (; c + 2 * LANES <= end; c += 2 * LANES) mix(a, 2, c);
    for (; c + LANES <= end; c += LANES) mix(a, 1, c);
    if (c < end) mix_some(a, end - c, c);
}

static void query(const attend_query *a)
{
    for (long h = 0; h < a->n_heads; h++) {
        scores(a, h * a->head_dim);
        LOOPS(softmax).softmax(a->keys, a->p);
        mix_head(a, h * a->head_dim);
    }
}

const struct attend_loops LOOPS(attend) = {
    .work = work, .forward = forward, .backward = backward, .query = query};
