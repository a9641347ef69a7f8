#include "kernel/attend.h"

#include <math.h>

#include "base/team.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

static void dropout_at(long first, long n, const real *x, const real *residual, real p, uint64_t key,
                       uint64_t place, real *y)
{
    uint32_t threshold = (uint32_t)((double)p * 65536 + 0.5);
    dropout_mask mask = {key, place, threshold, (real)(65536.0 / (65536.0 - threshold))};
    loops()->vector->dropout(&mask, first, n, x, residual, y);
}

size_t attend_probs(const attend_shape *s)
{
    size_t n = 0;
    for (int i = 0; i < s->n_seqs; i++) n += (size_t)s->n_heads * (size_t)s->q_len[i] * (size_t)s->k_len[i];
    return n;
}

/* One sequence and head. */
typedef struct {
    int t_len, j_len, hd;
    bool causal;
    const real *q, *k, *v;
    long first; /* of its probabilities */
} head;

static head head_of(const attend_shape *s, long task, const real *q, const real *k, const real *v)
{
    int i = (int)(task / s->n_heads), h = (int)(task % s->n_heads);
    head r = {s->q_len[i], s->k_len[i], s->head_dim, s->causal, NULL, NULL, NULL, 0};
    r.q = q + s->q_start[i] * s->ldq + h * r.hd;
    r.k = k + s->k_start[i] * s->ldk + h * r.hd;
    r.v = v + s->k_start[i] * s->ldv + h * r.hd;
    for (int b = 0; b < i; b++) r.first += (long)s->n_heads * s->q_len[b] * s->k_len[b];
    r.first += (long)h * r.t_len * r.j_len;
    return r;
}

static int visible(const head *r, int t) { return r->causal ? t + 1 + r->j_len - r->t_len : r->j_len; }

typedef struct {
    const attend_shape *s;
    const real *q, *k, *v, *probs_in, *dy;
    real *y, *probs, *dq, *dk, *dv;
} attending;

static void probs_of_row(const attend_shape *s, const head *r, int t, real *p)
{
    int seen = visible(r, t);
    for (int j = 0; j < r->j_len; j++) {
        p[j] = 0;
        for (int d = 0; j < seen && d < r->hd; d++) p[j] += r->q[t * s->ldq + d] * r->k[j * s->ldk + d];
    }
    for (int j = 0; j < seen; j++) p[j] *= 1 / (real)sqrt((double)r->hd);
    loops()->softmax->softmax(seen, p);
}

static void attend_task(long task, void *context)
{
    const attending *a = context;
    const attend_shape *s = a->s;
    head r = head_of(s, task, a->q, a->k, a->v);
    int i = (int)(task / s->n_heads);
    real *y = a->y + s->q_start[i] * s->ldy + task % s->n_heads * r.hd;
    real *p = scratch(SCRATCH_ATTEND, sizeof(real) * 2 * (size_t)r.j_len), *dropped = p + r.j_len;
    for (int t = 0; t < r.t_len; t++) {
        long at = r.first + (long)t * r.j_len;
        probs_of_row(s, &r, t, p);
        for (int j = 0; a->probs && j < r.j_len; j++) a->probs[at + j] = p[j];
        dropout_at(at, r.j_len, p, NULL, s->dropout, s->key, s->place, dropped);
        for (int d = 0; d < r.hd; d++) {
            real sum = 0;
            for (int j = 0; j < visible(&r, t); j++) sum += dropped[j] * r.v[j * s->ldv + d];
            y[t * s->ldy + d] = sum;
        }
    }
}

void attend(const attend_shape *s, const real *q, const real *k, const real *v, real *y, real *probs)
{
    attending a = {.s = s, .q = q, .k = k, .v = v, .y = y, .probs = probs};
    team_run((long)s->n_seqs * s->n_heads, attend_task, &a);
}

static void back_row(const attending *a, const head *r, int i, int h, int t, real *dp, real *dropped)
{
    const attend_shape *s = a->s;
    long at = r->first + (long)t * r->j_len, k0 = s->k_start[i];
    const real *dy = a->dy + (s->q_start[i] + t) * s->ldy + h * r->hd, *p = a->probs_in + at;
    real scale = 1 / (real)sqrt((double)r->hd);
    dropout_at(at, r->j_len, p, NULL, s->dropout, s->key, s->place, dropped);
    for (int j = 0; j < r->j_len; j++) {
        dp[j] = 0;
        for (int d = 0; d < r->hd; d++) {
            dp[j] += dy[d] * r->v[j * s->ldv + d];
            a->dv[(k0 + j) * s->ldv + h * r->hd + d] += dropped[j] * dy[d];
        }
    }
    dropout_at(at, r->j_len, dp, NULL, s->dropout, s->key, s->place, dp);
    loops()->softmax->softmax_back(r->j_len, p, dp);
    for (int j = 0; j < r->j_len; j++)
        for (int d = 0; d < r->hd; d++) {
            a->dq[(s->q_start[i] + t) * s->ldq + h * r->hd + d] += dp[j] * scale * r->k[j * s->ldk + d];
            a->dk[(k0 + j) * s->ldk + h * r->hd + d] += dp[j] * scale * r->q[t * s->ldq + d];
        }
}

static void back_task(long task, void *context)
{
    const attending *a = context;
    head r = head_of(a->s, task, a->q, a->k, a->v);
    real *dp = scratch(SCRATCH_ATTEND, sizeof(real) * 2 * (size_t)r.j_len);
    for (int t = 0; t < r.t_len; t++)
        back_row(a, &r, (int)(task / a->s->n_heads), (int)(task % a->s->n_heads), t, dp, dp + r.j_len);
}

void attend_back(const attend_shape *s, const real *q, const real *k, const real *v, const real *probs,
                 const real *dy, real *dq, real *dk, real *dv)
{
    attending a = {.s = s, .q = q, .k = k, .v = v, .probs_in = probs, .dy = dy, .dq = dq, .dk = dk, .dv = dv};
    team_run((long)s->n_seqs * s->n_heads, back_task, &a);
}
