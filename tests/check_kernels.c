/* Cases of single kernels and small functions: activations, softmax and loss, layer norm, attention,
 * positions, optimizers, clipping, schedules. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernel/activation.h"
#include "kernel/attend.h"
#include "kernel/norm.h"
#include "kernel/softmax.h"
#include "kernel/vector.h"
#include "nn/embedding.h"
#include "nn/loss.h"
#include "tensor/params.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "vectors.h"

static real *reals(vec_case *c, long n) { return arena_zalloc(c->t->memory, (size_t)n * sizeof(real)); }

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* ------------------------------------------------------------------------------- activations */

static void check_activation(vec_case *c, const char *name, const tensor *x)
{
    char grad[64];
    const activation *f = activation_find(name);
    if (!f) {
        case_fault(c, "activation %s is not built", name);
        return;
    }
    real *y = reals(c, x->rows), *ones = reals(c, x->rows), *dx = reals(c, x->rows);
    for (int i = 0; i < x->rows; i++) ones[i] = 1;
    f->forward(x->rows, x->v, y);
    f->backward(x->rows, f->needs_input ? x->v : NULL, y, ones, false, dx);
    case_compare(c, name, y, x->rows);
    snprintf(grad, sizeof grad, "%s.grad", name);
    case_compare(c, grad, dx, x->rows);
}

/* x, and for each function NAME and NAME.grad. */
void activations_case(vec_case *c)
{
    tensor *x = case_weight(c, "x");
    for (int i = 0; i < c->file.n; i++) {
        const char *name = c->file.list[i].name;
        if (strcmp(name, "x") != 0 && !ends_with(name, ".grad")) check_activation(c, name, x);
    }
}

/* ----------------------------------------------------------------------------- cross entropy */

typedef struct {
    tensor *logits;    /* (rows, classes) of the rows that count */
    int *row, *target; /* (rows) place in the file; class */
    long rows, all_rows, classes;
} loss_rows;

/* Rows whose target is ignored never reach our loss. */
static loss_rows counted_rows(vec_case *c)
{
    const vec *x = case_vec(c, "logits", 2);
    loss_rows l = {.all_rows = x->dims[0], .classes = x->dims[1]};
    int *targets = case_ints(c, "targets", l.all_rows), ignore = (int)case_number(c, "ignore");
    tensor *all = case_input(c, "logits", l.all_rows, l.classes);
    l.row = arena_alloc(c->t->memory, (size_t)l.all_rows * sizeof(int));
    l.target = arena_alloc(c->t->memory, (size_t)l.all_rows * sizeof(int));
    for (long r = 0; r < l.all_rows; r++) {
        if (targets[r] == ignore) continue;
        l.row[l.rows] = (int)r;
        l.target[l.rows++] = targets[r];
    }
    l.logits = tape_tensor(c->t, (int)l.rows, (int)l.classes);
    for (long r = 0; r < l.rows; r++)
        memcpy(l.logits->v + r * l.classes, all->v + l.row[r] * l.classes, (size_t)l.classes * sizeof(real));
    return l;
}

/* Compares values of the counted rows, the others being 0. */
static void compare_rows(vec_case *c, const char *name, const loss_rows *l, const real *got, long cols)
{
    real *wide = reals(c, l->all_rows * cols);
    for (long r = 0; r < l->rows; r++)
        memcpy(wide + l->row[r] * cols, got + r * cols, (size_t)cols * sizeof(real));
    case_compare(c, name, wide, l->all_rows * cols);
}

static void compare_token_losses(vec_case *c, const loss_rows *l, real smoothing)
{
    double *loss = arena_alloc(c->t->memory, (size_t)l->rows * sizeof *loss);
    double *nll = arena_alloc(c->t->memory, (size_t)l->rows * sizeof *nll);
    real *a = reals(c, l->rows), *b = reals(c, l->rows), *z = reals(c, l->rows * l->classes);
    memcpy(z, l->logits->v, (size_t)(l->rows * l->classes) * sizeof(real));
    cross_entropy x = {.rows = l->rows, .classes = l->classes, .targets = l->target, .smoothing = smoothing};
    x.s = arena_alloc(c->t->memory, (size_t)l->rows * sizeof *x.s);
    cross_entropy_start(&x);
    cross_entropy_add(&x, 0, l->classes, z, l->classes, NULL, a);
    cross_entropy_loss(&x, loss, nll);
    for (long r = 0; r < l->rows; r++) a[r] = (real)loss[r], b[r] = (real)nll[r];
    compare_rows(c, "token_loss", l, a, 1);
    compare_rows(c, "token_nll", l, b, 1);
}

/* The fused loss with an output layer that changes nothing: the identity. */
static void compare_fused(vec_case *c, loss_rows *l, double smoothing, bool mean)
{
    double count = l->rows ? (double)l->rows : 1;
    tensor *eye = tape_tensor(c->t, (int)l->classes, (int)l->classes);
    memset(eye->v, 0, (size_t)(l->classes * l->classes) * sizeof(real));
    for (long i = 0; i < l->classes; i++) eye->v[i * l->classes + i] = 1;
    memset(l->logits->g, 0, (size_t)(l->rows * l->classes) * sizeof(real));
    loss_settings how = {.smoothing = smoothing};
    loss_sums s =
        nn_loss(c->t, l->logits, eye, NULL, &(loss_targets){l->target, NULL}, &how, mean ? 1 / count : 1);
    case_compare_number(c, mean ? "loss_mean" : "loss_sum", mean ? s.loss / count : s.loss, 0);
    compare_rows(c, mean ? "grad_mean.logits" : "grad_sum.logits", l, l->logits->g, l->classes);
}

void cross_entropy_case(vec_case *c)
{
    loss_rows l = counted_rows(c);
    double smoothing = case_number(c, "smoothing");
    tensor *all = case_input(c, "logits", l.all_rows, l.classes);
    log_softmax(l.all_rows, l.classes, all->v, l.classes);
    case_compare(c, "log_softmax", all->v, l.all_rows * l.classes);
    compare_token_losses(c, &l, (real)smoothing);
    l = counted_rows(c);
    compare_fused(c, &l, smoothing, false);
    compare_fused(c, &l, smoothing, true);
}

/* -------------------------------------------------------------------------------- layer norm */

void layernorm_case(vec_case *c)
{
    const vec *shape = case_vec(c, "x", 2);
    long rows = shape->dims[0], d = shape->dims[1];
    tensor *x = case_input(c, "x", rows, d), *dy = case_input(c, "dy", rows, d);
    tensor *gain = case_input(c, "w.weight", d, 1), *bias = case_input(c, "w.bias", d, 1);
    tensor *y = tape_tensor(c->t, (int)rows, (int)d);
    real *mean = reals(c, rows), *rstd = reals(c, rows);
    double loss = 0, scale = 0;
    norm_rows(&norm_kinds[0], rows, d, x->v, gain->v, bias->v, (real)case_number(c, "eps"), y->v, mean, rstd);
    case_compare(c, "y", y->v, rows * d);
    case_incoming(c, y, dy, &loss, &scale);
    case_compare_number(c, "loss", loss, scale);
    norm_rows_back(&norm_kinds[0], rows, d, x->v, gain->v, mean, rstd, y->g, true, x->g, gain->g, bias->g);
    case_compare_gradient(c, "x", x);
    case_compare_gradient(c, "w.weight", gain);
    case_compare_gradient(c, "w.bias", bias);
}

/* --------------------------------------------------------------------------------- embedding */

void embedding_case(vec_case *c)
{
    const vec *shape = case_vec(c, "ids", 2);
    tensor *table = case_weight(c, "w.weight");
    long n = shape->n, d = table->cols;
    tensor *y = nn_embed(c->t, table, case_ints(c, "ids", n), (int)n, 1, NULL, NULL);
    case_compare(c, "y", y->v, n * d);
    tensor *dy = case_input(c, "dy", n, d);
    memcpy(y->g, dy->v, (size_t)(n * d) * sizeof(real));
    tape_backward(c->t);
    case_compare_gradient(c, "w.weight", table);
}

static void compare_positions(vec_case *c, const char *name, const char *kind)
{
    if (!case_has(c, name)) return;
    const vec *want = case_vec(c, name, 2);
    long steps = want->dims[0], d = want->dims[1];
    positions *p = positions_new(position_kind_find(kind), (int)d);
    real *got = reals(c, steps * d);
    for (long t = 0; t < steps; t++) positions_row(p, (int)t, got + t * d);
    positions_free(p);
    case_compare(c, name, got, steps * d);
}

void positions_case(vec_case *c)
{
    compare_positions(c, "half_half", "sinusoidal");
    compare_positions(c, "interleaved", "interleaved");
}

/* --------------------------------------------------------------------------------- attention */

typedef struct {
    int batch, heads, queries, keys, d; /* q (batch, heads, queries, d); k, v (.., keys, d) */
    bool causal;
    const int *len;                          /* (batch) keys that are there */
    real *q, *k, *v, *dy, *y, *dq, *dk, *dv; /* rows (batch, time), columns (head, d) */
    real *p;                                 /* (batch, heads, queries, keys) */
} sdpa;

/* (batch, heads, steps, d) to rows (batch, step) of columns (head, d), or back. */
static real *swap_heads(vec_case *c, const sdpa *s, const real *from, int steps, bool back)
{
    real *to = reals(c, (long)s->batch * s->heads * steps * s->d);
    for (long b = 0; b < s->batch; b++) {
        for (long h = 0; h < s->heads; h++) {
            for (long t = 0; t < steps; t++) {
                long file = ((b * s->heads + h) * steps + t) * s->d,
                     ours = ((b * steps + t) * s->heads + h) * s->d;
                memcpy(to + (back ? file : ours), from + (back ? ours : file), (size_t)s->d * sizeof(real));
            }
        }
    }
    return to;
}

static real *sdpa_input(vec_case *c, const sdpa *s, const char *name, int steps)
{
    tensor *x = case_input(c, name, (long)s->batch * s->heads * steps, s->d);
    return swap_heads(c, s, x->v, steps, false);
}

static int minimum(int a, int b) { return a < b ? a : b; }

/* Keys that the queries of sentence b may see at most. */
static int keys_seen(const sdpa *s, int b) { return s->causal ? minimum(s->len[b], s->queries) : s->len[b]; }

/* Probabilities of the group: values that are 1 at one key and one column pick them out, s->d keys at a time.
 */
static void pick_probs(vec_case *c, const sdpa *s, const attend_shape *a)
{
    long ld = a->ldv, k_rows = (long)s->batch * s->keys;
    real *y = reals(c, (long)s->batch * s->queries * ld);
    for (int from = 0; from < s->keys; from += s->d) {
        int n = minimum(s->d, s->keys - from);
        real *v = reals(c, k_rows * ld);
        for (long r = 0; r < k_rows; r++) {
            int column = (int)(r % s->keys) - from;
            for (int h = 0; column >= 0 && column < n && h < s->heads; h++) v[r * ld + h * s->d + column] = 1;
        }
        attend(a, s->q, s->k, v, y);
        for (int b = 0; b < s->batch; b++) {
            for (int h = 0; h < s->heads; h++) {
                for (int row = a->q_start[b]; row < a->q_start[b] + a->q_len[b]; row++) {
                    long to = (((long)b * s->heads + h) * s->queries + row - b * s->queries) * s->keys + from;
                    memcpy(s->p + to, y + row * ld + h * s->d, (size_t)n * sizeof(real));
                }
            }
        }
    }
}

/* Our causal attention lines up the last query with the last key. The file's queries beyond the keys that are
 * there see all of those: they are a second group, without a mask. */
static void attend_group(vec_case *c, const sdpa *s, bool causal, bool beyond)
{
    int *at = arena_alloc(c->t->memory, 4 * (size_t)s->batch * sizeof(int)), n = s->batch;
    for (int b = 0; b < n; b++) {
        int keys = keys_seen(s, b), split = s->causal ? keys : s->queries;
        at[b] = b * s->queries + (beyond ? split : 0);
        at[n + b] = beyond ? s->queries - split : split;
        at[2 * n + b] = b * s->keys;
        at[3 * n + b] = keys;
    }
    long ld = (long)s->heads * s->d;
    attend_shape a = {n, s->heads, s->d, at, at + n, at + 2 * n, at + 3 * n, causal, ld, ld, ld, ld, 0, 0, 0};
    attend(&a, s->q, s->k, s->v, s->y);
    attend_back(&a, s->q, s->k, s->v, s->dy, true, s->dq, s->dk, s->dv);
    pick_probs(c, s, &a);
}

static sdpa sdpa_read(vec_case *c)
{
    const vec *q = case_vec(c, "q", 4), *k = case_vec(c, "k", 4);
    sdpa s = {(int)q->dims[0],
              (int)q->dims[1],
              (int)q->dims[2],
              (int)k->dims[2],
              (int)q->dims[3],
              case_number(c, "causal") != 0,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL};
    s.len = case_ints(c, "lengths", s.batch);
    for (int b = 0; b < s.batch; b++) {
        if (s.len[b] > s.keys) case_stop(c, "a length is beyond the keys");
    }
    long n_q = (long)s.batch * s.heads * s.queries * s.d, n_k = (long)s.batch * s.heads * s.keys * s.d;
    s.q = sdpa_input(c, &s, "q", s.queries), s.dy = sdpa_input(c, &s, "dy", s.queries);
    s.k = sdpa_input(c, &s, "k", s.keys), s.v = sdpa_input(c, &s, "v", s.keys);
    s.y = reals(c, n_q), s.dq = reals(c, n_q);
    s.dk = reals(c, n_k), s.dv = reals(c, n_k);
    s.p = reals(c, (long)s.batch * s.heads * s.queries * s.keys);
    return s;
}

static void compare_heads(vec_case *c, const sdpa *s, const char *name, const real *got, int steps)
{
    case_compare(c, name, swap_heads(c, s, got, steps, true), (long)s->batch * s->heads * steps * s->d);
}

void sdpa_case(vec_case *c)
{
    sdpa s = sdpa_read(c);
    attend_group(c, &s, s.causal, false);
    if (s.causal) attend_group(c, &s, false, true);
    double loss = 0, scale = 0;
    for (long i = 0; i < (long)s.batch * s.heads * s.queries * s.d; i++) {
        double product = (double)s.y[i] * (double)s.dy[i];
        loss += product;
        scale += product < 0 ? -product : product;
    }
    case_compare_number(c, "loss", loss, scale);
    case_compare(c, "p", s.p, (long)s.batch * s.heads * s.queries * s.keys);
    compare_heads(c, &s, "y", s.y, s.queries);
    compare_heads(c, &s, "grad.q", s.dq, s.queries);
    compare_heads(c, &s, "grad.k", s.dk, s.keys);
    compare_heads(c, &s, "grad.v", s.dv, s.keys);
}

/* -------------------------------------------------------------------------------- optimizers */

static optimizer_settings optimizer_read(vec_case *c)
{
    optimizer_settings s = {.kind = OPTIMIZER_ADAM};
    const char *name = c->name + strlen("optim_");
    size_t longest = 0;
    for (int i = 0; optimizers[i].name; i++) {
        size_t n = strlen(optimizers[i].name);
        if (n < longest || strncmp(name, optimizers[i].name, n) != 0) continue;
        s.kind = (enum optimizer_kind)i;
        longest = n;
    }
    s.weight_decay = case_number(c, "weight_decay");
    if (case_has(c, "momentum")) s.momentum = case_number(c, "momentum");
    if (case_has(c, "beta1")) s.beta1 = case_number(c, "beta1"), s.beta2 = case_number(c, "beta2");
    if (case_has(c, "eps")) s.eps = case_number(c, "eps");
    return s;
}

/* p (steps, n): the parameters after each step with grads[step]; m and v of Adam, if the file has them. */
void optimizer_case(vec_case *c)
{
    const vec *shape = case_vec(c, "grads", 2);
    long n = shape->dims[1], steps = shape->dims[0];
    size_t bytes = (size_t)n * sizeof(real);
    tensor *p0 = case_input(c, "p0", 1, n), *grads = case_input(c, "grads", steps, n);
    real *p = reals(c, steps * n), *m = reals(c, steps * n), *v = reals(c, steps * n);
    optimizer_settings settings = optimizer_read(c);
    params *of = params_new();
    tensor *w = params_add(of, "w", 1, (int)n, INIT_ZERO, 0);
    params_alloc(of, true);
    optimizer o = optimizer_new(of, &settings, c->t->memory);
    double lr = case_number(c, "lr");
    memcpy(w->v, p0->v, bytes);
    for (long s = 0; s < steps; s++) {
        memcpy(w->g, grads->v + s * n, bytes);
        optimizer_step(&o, lr, 1, s + 1);
        memcpy(p + s * n, w->v, bytes);
        memcpy(m + s * n, o.moments[0], bytes);
        if (o.moments[1]) memcpy(v + s * n, o.moments[1], bytes);
    }
    params_free(of);
    case_compare(c, "p", p, steps * n);
    if (case_has(c, "m")) case_compare(c, "m", m, steps * n);
    if (case_has(c, "v")) case_compare(c, "v", v, steps * n);
}

/* grad0, grad1 .. are the gradients of one network: one block. */
void clip_case(vec_case *c)
{
    char name[32];
    double squares = 0;
    tensor *g[64];
    int n = 0;
    for (; n < 64; n++) {
        snprintf(name, sizeof name, "grad%d", n);
        if (!case_has(c, name)) break;
        const vec *x = vec_find(&c->file, name);
        g[n] = case_input(c, name, 1, x->n);
        squares += vec_sum_squares(x->n, g[n]->v);
    }
    double norm = sqrt(squares), by = clip_scale(norm, case_number(c, "max_norm"));
    case_compare_number(c, "norm", norm, 0);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "clipped%d", i);
        vec_scale(g[i]->cols, (real)by, g[i]->v);
        case_compare(c, name, g[i]->v, g[i]->cols);
    }
}

static void compare_schedule(vec_case *c, const char *name, enum schedule_kind kind)
{
    const vec *steps = case_vec(c, "steps", 1);
    real *got = reals(c, steps->n);
    schedule s = {.kind = kind,
                  .lr = case_number(c, "lr"),
                  .warmup = (long)case_number(c, "warmup"),
                  .d_model = (int)case_number(c, "d")};
    for (long i = 0; i < steps->n; i++) got[i] = (real)schedule_lr(&s, (long)steps->v[i]);
    case_compare(c, name, got, steps->n);
}

void schedules_case(vec_case *c)
{
    compare_schedule(c, "noam", SCHEDULE_NOAM);
    compare_schedule(c, "inverse_sqrt", SCHEDULE_INVERSE_SQRT);
}
