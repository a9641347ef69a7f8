/* Element-wise kernels, reductions, softmax, normalisation, recurrent cells and optimizers against
 * straightforward formulas in double. */
#include "kernel/activation.h"
#include "kernel/cell.h"
#include "kernel/norm.h"
#include "kernel/optim.h"
#include "kernel/softmax.h"
#include "kernel/vector.h"
#include "kernel_suite.h"

static const long sizes[] = {1, 3, 7, 17, 33, 100, 100003}; /* the last is several blocks */
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ---- vectors ---- */

static void test_vectors(void)
{
    for (int s = 0; s < SIZES; s++) {
        size_t n = (size_t)sizes[s];
        real *x = random_reals(n, 1, 1), *y = random_reals(n, 1, 2), *z = copy_reals(y, n);
        bool add = true, axpy = true, scale = true;
        vec_add((long)n, x, z);
        for (size_t i = 0; i < n; i++) add = add && z[i] == y[i] + x[i];
        memcpy(z, y, n * sizeof *z);
        vec_axpy((long)n, (real)-0.7, x, z);
        for (size_t i = 0; i < n; i++)
            axpy = axpy && near((double)z[i], (double)y[i] + (double)(real)-0.7 * (double)x[i], 1, 1);
        memcpy(z, y, n * sizeof *z);
        vec_scale((long)n, (real)3.3, z);
        for (size_t i = 0; i < n; i++) scale = scale && z[i] == (real)3.3 * y[i];
        CU_ASSERT(add && axpy && scale);
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
        CU_ASSERT(fabs(vec_sum_squares((long)n, x) - sum) < 1e-12 * sum);
        x[n / 2] = (real)NAN;
        CU_ASSERT(isnan(vec_sum_squares((long)n, x)));
        x[n / 2] = (real)INFINITY;
        CU_ASSERT(isinf(vec_sum_squares((long)n, x)));
        free(x), free(y), free(z);
    }
    CU_ASSERT(vec_sum_squares(0, NULL) == 0);
}

static void test_col_sum(void)
{
    static const long shapes[][2] = {{1, 1}, {3, 7}, {17, 64}, {1000, 65}, {700, 330}, {0, 4}};
    for (int s = 0; s < 6; s++) {
        long rows = shapes[s][0], cols = shapes[s][1], ld = cols + 3;
        real *x = random_reals((size_t)(rows * ld), 1, 1), *out = random_reals((size_t)cols + 1, 1, 2),
             *old = copy_reals(out, (size_t)cols + 1);
        bool good = true;
        col_sum(rows, cols, x, ld, out);
        for (long c = 0; c < cols; c++) {
            double sum = (double)old[c];
            for (long r = 0; r < rows; r++) sum += (double)x[r * ld + c];
            good = good && near((double)out[c], sum, sqrt((double)rows) + 1, 8);
        }
        CU_ASSERT(good && out[cols] == old[cols]);
        free(x), free(out), free(old);
    }
}

/* Philox4x32-7, written plainly. */
static void philox7(uint64_t key, uint64_t hi, uint64_t lo, uint32_t c[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    c[0] = (uint32_t)lo, c[1] = (uint32_t)(lo >> 32), c[2] = (uint32_t)hi, c[3] = (uint32_t)(hi >> 32);
    for (int round = 0; round < 7; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        uint64_t p = (uint64_t)0xD2511F53u * c[0], q = (uint64_t)0xCD9E8D57u * c[2];
        c[0] = (uint32_t)(q >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)q;
        c[2] = (uint32_t)(p >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p;
    }
}

/* The mask as the header defines it. */
static bool kept(uint64_t key, uint64_t place, size_t i, uint32_t threshold)
{
    uint32_t words[4];
    philox7(key, place, i / 8, words);
    return (words[i % 8 / 2] >> (i % 2 * 16) & 0xFFFF) >= threshold;
}

static void test_dropout(void)
{
    const uint64_t key = 0x123456789abcdef0u, place = 0xfedcba9876543210u;
    for (int s = 0; s < SIZES; s++) {
        size_t n = (size_t)sizes[s];
        real *x = random_reals(n, 1, 1), *residual = random_reals(n, 1, 2), *y = zero_reals(n),
             *z = zero_reals(n), *dx = copy_reals(residual, n);
        dropout((long)n, x, NULL, (real)0.25, key, place, y);
        dropout((long)n, x, residual, (real)0.25, key, place, z);
        dropout_back((long)n, x, (real)0.25, key, place, dx);
        bool good = true;
        double mean = 0;
        for (size_t i = 0; i < n; i++) {
            bool keep = kept(key, place, i, 16384);
            double want = keep ? (double)x[i] / 0.75 : 0;
            mean += keep;
            good = good && near((double)y[i], want, 1, 1) &&
                   near((double)z[i], (double)residual[i] + want, 1, 2) && dx[i] == z[i];
        }
        CU_ASSERT(good);
        if (n > 1000) CU_ASSERT(fabs(mean / (double)n - 0.75) < 0.005);
        dropout((long)n, x, residual, 0, key, place, y);
        for (size_t i = 0; i < n; i++) good = good && y[i] == x[i] + residual[i];
        dropout((long)n, x, NULL, 0, key, place, x); /* in place */
        for (size_t i = 0; i < n; i++) good = good && x[i] + residual[i] == y[i];
        CU_ASSERT(good);
        free(x), free(residual), free(y), free(z), free(dx);
    }
}

/* ---- activations ---- */

/* Functions whose values are known here; those of others are compared with a framework's (check-vectors), and
 * their slopes by finite differences (test-gradients). */
static bool has_reference(const activation *f)
{
    static const char *const known[] = {"relu", "tanh", "sigmoid", "gelu"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(f->name, known[i])) return true;
    return false;
}

static double activation_reference(const char *name, double x)
{
    if (!strcmp(name, "relu")) return x > 0 ? x : 0;
    if (!strcmp(name, "tanh")) return tanh(x);
    if (!strcmp(name, "sigmoid")) return 1 / (1 + exp(-x));
    return 0.5 * x * erfc(-x / sqrt(2));
}

static double slope_reference(const char *name, double x)
{
    double y = activation_reference(name, x);
    if (!strcmp(name, "relu")) return x > 0;
    if (!strcmp(name, "tanh")) return 1 - y * y;
    if (!strcmp(name, "sigmoid")) return y * (1 - y);
    return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * acos(-1));
}

/* Forward and backward of a gated one are those of its function and a product. */
static void check_gate(const activation *f, long rows, long d)
{
    size_t n = (size_t)(rows * d);
    real *x = random_reals(2 * n, 2, 1), *y = zero_reals(n), *dy = random_reals(n, 1, 2);
    real *dx = random_reals(2 * n, 1, 3), *old = copy_reals(dx, 2 * n), *fresh = zero_reals(2 * n);
    activation_gate(f, rows, d, x, y);
    activation_gate_back(f, rows, d, x, dy, true, dx);
    activation_gate_back(f, rows, d, x, dy, false, fresh);
    bool good = true;
    for (long i = 0; i < rows * d; i++) {
        long at = i / d * 2 * d + i % d;
        real one = 1, value, slope;
        f->forward(1, x + at, &value);
        f->backward(1, x + at, &value, &one, false, &slope);
        double a = (double)dy[i] * (double)x[at + d] * (double)slope, b = (double)dy[i] * (double)value;
        good = good && near((double)y[i], (double)value * (double)x[at + d], 1, 4) &&
               near((double)fresh[at], a, 2, 4) && near((double)fresh[at + d], b, 2, 4) &&
               near((double)dx[at], (double)old[at] + a, 2, 4) &&
               near((double)dx[at + d], (double)old[at + d] + b, 2, 4);
    }
    CU_ASSERT(good);
    free(x), free(y), free(dy), free(dx), free(old), free(fresh);
}

static void check_activation(const activation *f, size_t n, double size)
{
    real *x = random_reals(n, size, 1), *y = zero_reals(n), *dy = random_reals(n, 1, 2),
         *dx = copy_reals(dy, n);
    f->forward((long)n, x, y);
    f->backward((long)n, f->needs_input ? x : NULL, y, dy, true, dx);
    real *over = copy_reals(dy, n);
    f->backward((long)n, f->needs_input ? x : NULL, y, over, false, over);
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        double at = (double)x[i], want = activation_reference(f->name, at),
               slope = slope_reference(f->name, at);
        good = good && near((double)y[i], want, at < -1 && !strcmp(f->name, "gelu") ? at * 0.1 : want, 6);
        good = good && near((double)dx[i], (double)dy[i] * (1 + slope), 1, 4) &&
               near((double)over[i], (double)dy[i] * slope, 1, 4);
    }
    CU_ASSERT(good);
    if (!f->needs_input) {
        f->forward((long)n, x, x);
        CU_ASSERT(same_bits(x, y, n));
    }
    free(x), free(y), free(dy), free(dx), free(over);
}

static void test_activations(void)
{
    for (const activation *f = activations; f->name; f++) {
        CU_ASSERT(activation_find(f->name) == f);
        for (int s = 1; s < SIZES && f->gated; s++) check_gate(f, 5, sizes[s]);
        if (!has_reference(f)) continue;
        for (int s = 0; s < SIZES; s++)
            for (int scale = -4; scale <= 1; scale++)
                check_activation(f, (size_t)sizes[s], 2 * pow(10, scale));
        real x[4] = {(real)NAN, 1000, -1000, (real)INFINITY}, y[4];
        f->forward(4, x, y);
        CU_ASSERT(isnan(y[0]));
        CU_ASSERT((double)y[1] == activation_reference(f->name, 1000));
        CU_ASSERT((double)y[2] == activation_reference(f->name, -1000));
        CU_ASSERT((double)y[3] == activation_reference(f->name, INFINITY));
    }
    CU_ASSERT(activation_find("none of these") == NULL);
}

/* ---- softmax ---- */

static void check_softmax(long rows, long cols, double size)
{
    long ld = cols + 3;
    real *x = random_reals((size_t)(rows * ld), size, 1), *p = copy_reals(x, (size_t)(rows * ld)),
         *l = copy_reals(x, (size_t)(rows * ld));
    softmax(rows, cols, p, ld);
    log_softmax(rows, cols, l, ld);
    bool good = true;
    for (long r = 0; r < rows; r++) {
        double sum = 0, most = -INFINITY;
        for (long c = 0; c < cols; c++) most = fmax(most, (double)x[r * ld + c]);
        for (long c = 0; c < cols; c++) sum += exp((double)x[r * ld + c] - most);
        for (long c = 0; c < cols; c++) {
            double want = (double)x[r * ld + c] - most - log(sum);
            good = good && near((double)p[r * ld + c], exp(want), exp(want) + 1e-30,
                                12 + fabs(want) + (double)cols / 400);
            good = good && near((double)l[r * ld + c], want, 1 + fabs(want), 4);
        }
        for (long c = cols; c < ld; c++)
            good = good && p[r * ld + c] == x[r * ld + c] && l[r * ld + c] == x[r * ld + c];
    }
    CU_ASSERT(good);
    free(x), free(p), free(l);
}

static void test_softmax(void)
{
    for (int s = 0; s < SIZES - 1; s++)
        for (int scale = 0; scale < 3; scale++)
            check_softmax(sizes[SIZES - 2 - s], sizes[s], pow(10, scale) * 2);
    check_softmax(50, 8191, 3);
    real x[5] = {1, (real)-INFINITY, 2, (real)-INFINITY, 0};
    softmax(1, 5, x, 5);
    CU_ASSERT(x[1] == 0 && x[3] == 0 && near((double)x[2], exp(2) / (1 + exp(1) + exp(2)), 1, 2));
    x[4] = (real)NAN;
    softmax(1, 5, x, 5);
    CU_ASSERT(isnan(x[0]));
    real y[3] = {(real)-INFINITY, 3, 3};
    log_softmax(1, 3, y, 3);
    CU_ASSERT(isinf(y[0]) && near((double)y[1], -log(2), 1, 2));
}

static void check_tops(long rows, long cols, double size)
{
    long ld = cols + 3, blocks = pick_blocks(cols);
    real *x = random_reals((size_t)(rows * ld), size, 1), *tops = random_reals((size_t)(rows * blocks), 1, 2);
    double *log_sums = xcalloc((size_t)rows + 1, sizeof *log_sums);
    pick_tops(rows, cols, x, ld, tops, log_sums);
    bool good = true;
    for (long r = 0; r < rows && cols; r++) {
        const real *row = x + r * ld;
        double sum = 0;
        for (long c = 0; c < cols; c++) sum += exp((double)row[c] - (double)row[0]);
        good = good && near(log_sums[r], (double)row[0] + log(sum), 1 + fabs(log_sums[r]), 8);
        for (long b = 0; b < blocks; b++) {
            long end = b * PICK_BLOCK + PICK_BLOCK < cols ? b * PICK_BLOCK + PICK_BLOCK : cols;
            real most = row[b * PICK_BLOCK];
            for (long c = b * PICK_BLOCK; c < end; c++) most = row[c] > most ? row[c] : most;
            good = good && tops[r * blocks + b] == most;
        }
    }
    CU_ASSERT(good);
    free(x), free(tops), free(log_sums);
}

static void test_tops(void)
{
    for (int s = 0; s < SIZES - 1; s++) check_tops(sizes[SIZES - 2 - s], sizes[s], 2);
    check_tops(50, 8191, 20);
    real y[3] = {(real)-INFINITY, 3, 3}, top;
    double log_sum;
    pick_tops(1, 3, y, 3, &top, &log_sum);
    CU_ASSERT(top == 3 && near(log_sum, 3 + log(2), 4, 2));
}

/* Classes in parts of at most `most`; the logits become gradients. With R-Drop the part's differences lie in
 * rows of ld too. */
static void cross_entropy_in(long most, cross_entropy *c, real *z, long ld, double *loss, double *nll)
{
    size_t parts = (size_t)((c->classes + most - 1) / most), all = (size_t)c->rows;
    real *max = xmalloc((parts * all + 1) * sizeof *max), *apart = NULL;
    if (c->r_drop > 0) apart = zero_reals(all * (size_t)ld);
    c->s = xmalloc((all + 1) * sizeof *c->s);
    cross_entropy_start(c);
    for (size_t k = 0; k < parts; k++) {
        long first = (long)k * most, n = c->classes - first < most ? c->classes - first : most;
        real *d = apart ? apart + first : NULL;
        if (d) cross_entropy_apart(c, n, z + first, ld, d);
        cross_entropy_add(c, first, n, z + first, ld, d, max + k * all);
    }
    cross_entropy_loss(c, loss, nll);
    for (size_t k = 0; k < parts; k++) {
        long first = (long)k * most, n = c->classes - first < most ? c->classes - first : most;
        cross_entropy_gradient(c, first, n, z + first, ld, apart ? apart + first : NULL, max + k * all);
    }
    free(max), free(apart), free(c->s);
}

static void check_cross_entropy(long rows, long classes, double size, real smoothing)
{
    long ld = classes + 2;
    real *z = random_reals((size_t)(rows * ld), size, 1), *g = copy_reals(z, (size_t)(rows * ld));
    int *targets = xmalloc(sizeof *targets * (size_t)rows);
    double *loss = xmalloc(sizeof *loss * (size_t)rows), *nll = xmalloc(sizeof *nll * (size_t)rows);
    double *again = xmalloc(sizeof *again * (size_t)rows);
    bool good = true;
    for (long r = 0; r < rows; r++) targets[r] = (int)((r * 7919) % classes);
    cross_entropy x = {rows, classes, targets, smoothing, 0, (real)0.5, NULL, NULL, 0};
    cross_entropy_in(classes, &x, g, ld, loss, nll);
    for (long r = 0; r < rows; r++) {
        const real *row = z + r * ld;
        double most = -INFINITY, sum = 0, want = 0, mass = (double)smoothing / (double)classes;
        for (long c = 0; c < classes; c++) most = fmax(most, (double)row[c]);
        for (long c = 0; c < classes; c++) sum += exp((double)row[c] - most);
        for (long c = 0; c < classes; c++) {
            double target = mass + (c == targets[r] ? 1 - (double)smoothing : 0);
            double log_p = (double)row[c] - most - log(sum);
            want -= target * log_p;
            good = good && near((double)g[r * ld + c], 0.5 * (exp(log_p) - target), 1, 8);
        }
        double plain = -((double)row[targets[r]] - most - log(sum));
        good = good && near(loss[r], want, 1 + want, 32) && near(nll[r], plain, 1 + plain, 32);
        good = good && g[r * ld + classes] == row[classes];
    }
    CU_ASSERT(good);
    cross_entropy_in(100, &x, z, ld, again, nll);
    for (long r = 0; r < rows; r++) {
        good = good && near(again[r], loss[r], 1 + loss[r], 32);
        for (long k = 0; k < ld; k++) good = good && near((double)z[r * ld + k], (double)g[r * ld + k], 1, 8);
    }
    CU_ASSERT(good);
    free(z), free(g), free(targets), free(loss), free(nll), free(again);
}

/* KL(p, q) and log p, log q of two rows of logits. */
static double divergence(long n, const real *a, const real *b, double *log_p, double *log_q)
{
    double p_sum = 0, q_sum = 0, kl = 0;
    for (long i = 0; i < n; i++) p_sum += exp((double)a[i]), q_sum += exp((double)b[i]);
    for (long i = 0; i < n; i++) {
        log_p[i] = (double)a[i] - log(p_sum), log_q[i] = (double)b[i] - log(q_sum);
        kl += exp(log_p[i]) * (log_p[i] - log_q[i]);
    }
    return kl;
}

/* R-Drop adds to the loss and to the gradient what it says. */
static void check_r_drop(long rows, long classes, long most)
{
    const double alpha = 3, scale = 0.5;
    size_t n = (size_t)(rows * classes);
    real *z = random_reals(n, 3, 1), *plain = copy_reals(z, n), *g = copy_reals(z, n);
    int *targets = xmalloc(sizeof *targets * (size_t)rows);
    double *loss[2], *nll = xmalloc(sizeof *nll * (size_t)rows), *p = xmalloc(sizeof *p * (size_t)classes),
                     *q = xmalloc(sizeof *q * (size_t)classes);
    for (int i = 0; i < 2; i++) loss[i] = xmalloc(sizeof *nll * (size_t)rows);
    for (long r = 0; r < rows; r++) targets[r] = (int)((r * 7919) % classes);
    cross_entropy c = {rows, classes, targets, (real)0.1, 0, (real)scale, NULL, NULL, 0};
    cross_entropy_in(classes, &c, plain, classes, loss[0], nll);
    c.r_drop = (real)alpha;
    cross_entropy_in(most, &c, g, classes, loss[1], nll);
    bool good = true;
    for (long r = 0; r < rows; r++) {
        const real *own = z + r * classes, *other = z + (r ^ 1) * classes;
        double kl = divergence(classes, own, other, p, q);
        good = good && near(loss[1][r], loss[0][r] + alpha / 2 * kl, 1 + loss[1][r], 64);
        for (long i = 0; i < classes; i++) {
            double more = exp(p[i]) * (p[i] - q[i] - kl) + exp(p[i]) - exp(q[i]);
            double want = (double)plain[r * classes + i] + scale * alpha / 2 * more;
            good = good && near((double)g[r * classes + i], want, 4, 32);
        }
    }
    CU_ASSERT(good);
    free(z), free(plain), free(g), free(targets), free(loss[0]), free(loss[1]), free(nll), free(p), free(q);
}

/* Soft targets take their share of the loss and of the gradient, and leave R-Drop alone. */
static void check_soft(long rows, long classes, long most, double r_drop)
{
    const double share = 0.3, scale = 0.5;
    size_t n = (size_t)(rows * classes), all = (size_t)rows;
    real *z = random_reals(n, 3, 1), *plain = copy_reals(z, n), *g = copy_reals(z, n), *p = copy_reals(z, n);
    real *soft = random_reals(n, 3, 2);
    const real **soft_rows = xmalloc(sizeof *soft_rows * all);
    int *targets = xmalloc(sizeof *targets * all);
    double *loss[2] = {xmalloc(sizeof **loss * all), xmalloc(sizeof **loss * all)},
           *nll = xmalloc(sizeof *nll * all);
    softmax(rows, classes, soft, classes);
    log_softmax(rows, classes, p, classes);
    for (long r = 0; r < rows; r++)
        targets[r] = (int)((r * 7919) % classes), soft_rows[r] = soft + r * classes;
    cross_entropy c = {rows, classes, targets, (real)0.1, (real)r_drop, (real)scale, NULL, NULL, 0};
    cross_entropy_in(classes, &c, plain, classes, loss[0], nll);
    c.soft = soft_rows;
    c.soft_share = (real)share;
    cross_entropy_in(most, &c, g, classes, loss[1], nll);
    bool good = true;
    for (long r = 0; r < rows; r++) {
        double more = 0;
        for (long i = 0; i < classes; i++) {
            long at = r * classes + i;
            double hard = 0.1 / (double)classes + (i == targets[r] ? 0.9 : 0),
                   apart = (double)soft[at] - hard;
            more -= share * apart * (double)p[at];
            good = good && near((double)g[at], (double)plain[at] - scale * share * apart, 4, 32);
        }
        good = good && near(loss[1][r], loss[0][r] + more, 1 + fabs(loss[1][r]) + fabs(more), 64);
    }
    CU_ASSERT(good);
    free(z), free(plain), free(g), free(p), free(soft), free(soft_rows), free(targets);
    free(loss[0]), free(loss[1]), free(nll);
}

static void test_soft(void)
{
    for (int s = 0; s < SIZES - 1; s++) check_soft(sizes[SIZES - 2 - s], sizes[s], 100, 0);
    check_soft(20, 8001, 1024, 0);
    check_soft(20, 300, 100, 3);
}

static void test_r_drop(void)
{
    for (int s = 0; s < SIZES - 1; s++) check_r_drop(2 * sizes[SIZES - 2 - s], sizes[s], 100);
    check_r_drop(20, 8001, 1024);
}

static void test_cross_entropy(void)
{
    for (int s = 0; s < SIZES - 1; s++)
        for (int smooth = 0; smooth < 2; smooth++) {
            check_cross_entropy(sizes[SIZES - 2 - s], sizes[s], 3, (real)0.1 * (real)smooth);
            check_cross_entropy(sizes[s], sizes[s], 200, (real)0.1 * (real)smooth);
        }
    check_cross_entropy(40, 8001, 5, (real)0.1);
    real z[4] = {1, (real)NAN, 2, 3};
    int target = 0;
    double loss, nll;
    cross_entropy c = {1, 4, &target, 0, 0, 1, NULL, NULL, 0};
    cross_entropy_in(4, &c, z, 4, &loss, &nll);
    CU_ASSERT(isnan(loss) && isnan(nll) && isnan(z[3]));
}

/* ---- normalisation ---- */

static void check_norm(const norm_kind *kind, long rows, long d, double offset)
{
    size_t n = (size_t)(rows * d);
    real *x = random_reals(n, 1, 1), *gain = random_reals((size_t)d, 1, 2),
         *bias = random_reals((size_t)d, 1, 3), *y = zero_reals(n);
    real *mean = zero_reals((size_t)rows), *rstd = zero_reals((size_t)rows), *dy = random_reals(n, 1, 4),
         *dx = random_reals(n, 1, 5);
    real *old = copy_reals(dx, n), *dgain = zero_reals((size_t)d), *dbias = zero_reals((size_t)d);
    double *want_dgain = xcalloc((size_t)d, sizeof(double)), *want_dbias = xcalloc((size_t)d, sizeof(double));
    for (size_t i = 0; i < n; i++) x[i] += (real)offset;
    const double eps = (double)(real)1e-5, slack = 8 + 4 * fabs(offset);
    if (!kind->has_bias) memset(bias, 0, (size_t)d * sizeof *bias);
    norm_rows(kind, rows, d, x, gain, kind->has_bias ? bias : NULL, (real)1e-5, y, mean, rstd);
    norm_rows_back(kind, rows, d, x, gain, mean, rstd, dy, true, dx, dgain, kind->has_bias ? dbias : NULL);
    bool good = true, centred = strcmp(kind->name, "rms") != 0;
    for (long r = 0; r < rows; r++) {
        const real *at = x + r * d, *dy_r = dy + r * d;
        double m = 0, v = 0, g_sum = 0, gn_sum = 0;
        for (long i = 0; i < d && centred; i++) m += (double)at[i] / (double)d;
        for (long i = 0; i < d; i++) v += ((double)at[i] - m) * ((double)at[i] - m) / (double)d;
        double s = 1 / sqrt(v + eps);
        good = good && near((double)mean[r], m, 1 + fabs(m), 4) && near((double)rstd[r], s, s, slack);
        for (long i = 0; i < d; i++) {
            double norm = ((double)at[i] - m) * s, g = (double)dy_r[i] * (double)gain[i];
            good = good && near((double)y[r * d + i], norm * (double)gain[i] + (double)bias[i], 2 + s, slack);
            want_dgain[i] += (double)dy_r[i] * norm;
            want_dbias[i] += kind->has_bias ? (double)dy_r[i] : 0;
            g_sum += centred ? g / (double)d : 0;
            gn_sum += g * norm / (double)d;
        }
        for (long i = 0; i < d; i++) {
            double norm = ((double)at[i] - m) * s, g = (double)dy_r[i] * (double)gain[i];
            good = good && near((double)dx[r * d + i] - (double)old[r * d + i],
                                s * (g - g_sum - norm * gn_sum), 4 + s * s, 2 * slack);
        }
    }
    CU_ASSERT(good);
    CU_ASSERT(all_near(dgain, want_dgain, (size_t)d, 2 * sqrt((double)rows) + 1, slack));
    CU_ASSERT(all_near(dbias, want_dbias, (size_t)d, sqrt((double)rows) + 1, slack));
    free(x), free(gain), free(bias), free(y), free(mean), free(rstd), free(dy), free(dx), free(old),
        free(dgain), free(dbias);
    free(want_dgain), free(want_dbias);
}

static void test_norm(void)
{
    for (const norm_kind *k = norm_kinds; k->name; k++) {
        for (int s = 1; s < SIZES - 1; s++) {
            check_norm(k, sizes[SIZES - 2 - s], sizes[s], 0);
            check_norm(k, 5, sizes[s], 100);
        }
        check_norm(k, 1000, 130, 0);
        check_norm(k, 40, 1, 0);
        CU_ASSERT(norm_kind_find(k->name) == k);
    }
    CU_ASSERT(norm_kind_find("none of these") == NULL);
}

/* The sum, the norm and the mask in one pass are those of the single steps, forward and backward. */
static void check_residual_norm(const norm_kind *kind, long rows, long d, real p)
{
    size_t n = (size_t)(rows * d), size = (size_t)d, all = (size_t)rows;
    const uint64_t key = 5, place = 6;
    const real eps = (real)1e-5;
    real *x = random_reals(n, 1, 1), *f = random_reals(n, 1, 2), *gain = random_reals(size, 1, 3),
         *bias = random_reals(size, 1, 4), *sum = zero_reals(n), *y = zero_reals(n), *want_y = zero_reals(n),
         *mean = zero_reals(all), *rstd = zero_reals(all), *dy = random_reals(n, 1, 5),
         *dx = random_reals(n, 1, 6);
    real *dgain = zero_reals(2 * size), *want_dgain = zero_reals(2 * size), *dsum = zero_reals(n),
         *df = random_reals(n, 1, 7), *want_df = copy_reals(df, n), *want_dx = copy_reals(dx, n);
    dropout((long)n, f, x, p, key, place, sum);
    norm_rows(kind, rows, d, sum, gain, bias, eps, want_y, mean, rstd);
    residual_norm(kind, rows, d, x, f, p, key, place, gain, bias, eps, y, mean, rstd);
    CU_ASSERT(same_bits(f, sum, n) && same_bits(y, want_y, n));
    norm_rows_back(kind, rows, d, sum, gain, mean, rstd, dy, false, dsum, want_dgain, want_dgain + size);
    dropout_back((long)n, dsum, p, key, place, want_df);
    vec_add((long)n, dsum, want_dx);
    residual_norm_back(kind, rows, d, sum, gain, mean, rstd, dy, p, key, place, true, df, dx, dgain,
                       dgain + size);
    CU_ASSERT(same_bits(dy, dsum, n) && same_bits(df, want_df, n) && same_bits(dx, want_dx, n));
    for (size_t i = 0; i < 2 * size; i++)
        CU_ASSERT(near((double)dgain[i], (double)want_dgain[i], 2 * sqrt((double)rows) + 1, 8));
    free(x), free(f), free(gain), free(bias), free(sum), free(y), free(want_y), free(mean), free(rstd),
        free(dy);
    free(dx), free(dgain), free(want_dgain), free(dsum), free(df), free(want_df), free(want_dx);
}

static void test_residual_norm(void)
{
    for (const norm_kind *k = norm_kinds; k->name; k++) {
        check_residual_norm(k, 1, 1, (real)0.3);
        check_residual_norm(k, 5, 33, 0);
        check_residual_norm(k, 7, 100, (real)0.1);
        check_residual_norm(k, 700, 130, (real)0.1);
        check_residual_norm(k, 3, 512, (real)0.5);
    }
}

/* ---- recurrent cells ---- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One unit of a cell by the book: gates gx, gh, old states h, c; returns the new h, *new_c the new c. NaN for
 * a cell that has no formula here: its gradients are held to its values by test_gradients.c alone. */
static double cell_reference(const char *name, const double *gx, const double *gh, double h, double c,
                             double *new_c)
{
    if (!strcmp(name, "tanh")) return tanh(gx[0] + gh[0]);
    if (!strcmp(name, "relu")) return fmax(gx[0] + gh[0], 0);
    if (!strcmp(name, "gru")) {
        double r = sigmoid(gx[0] + gh[0]), z = sigmoid(gx[1] + gh[1]), n = tanh(gx[2] + r * gh[2]);
        return (1 - z) * n + z * h;
    }
    if (!strcmp(name, "ugrnn")) {
        double g = sigmoid(gx[0] + gh[0]);
        return (1 - g) * tanh(gx[1] + gh[1]) + g * h;
    }
    if (strcmp(name, "lstm")) return NAN;
    *new_c = sigmoid(gx[1] + gh[1]) * c + sigmoid(gx[0] + gh[0]) * tanh(gx[2] + gh[2]);
    return sigmoid(gx[3] + gh[3]) * tanh(*new_c);
}

/* A step whose rows all lie at other distances. `in` and `out`: before and after forward and backward. */
typedef struct {
    cell_step in, out;
} cell_case;

static cell_step random_step(const cell *f, long rows, long H)
{
    long G = f->gates * H;
    cell_step s = {.rows = rows, .H = H, .ld_gates = G + 2, .ld_own = f->own * H + 1};
    s.ld_gh = G + 3, s.ld_h = H + 1, s.ld_prev = H + 2;
    size_t n = (size_t)(rows * H), wide = (size_t)(rows * s.ld_h), prev = (size_t)(rows * s.ld_prev);
    s.gates = random_reals((size_t)(rows * s.ld_gates), 2, 1),
    s.gh = random_reals((size_t)(rows * s.ld_gh), 2, 2);
    s.h_prev = random_reals(prev, 1, 3), s.dh = random_reals(wide, 1, 5),
    s.dh_prev = random_reals(prev, 1, 7);
    s.h = zero_reals(wide), s.own = f->own ? zero_reals((size_t)(rows * s.ld_own)) : NULL;
    if (!f->has_memory) return s;
    s.c_prev = random_reals(n, 1, 4), s.dc = random_reals(n, 1, 6), s.dc_prev = random_reals(n, 1, 8);
    s.c = zero_reals(n);
    return s;
}

static void step_free(cell_step *s)
{
    real *all[] = {s->gates, s->own, s->h, s->c, s->dh_prev, s->dc_prev};
    const real *given[] = {s->gh, s->h_prev, s->c_prev, s->dh, s->dc};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) free((real *)given[i]);
}

static cell_case cell_case_new(const cell *f, long rows, long H)
{
    cell_case k = {random_step(f, rows, H), random_step(f, rows, H)};
    cell_forward(f, &k.out);
    cell_backward(f, &k.out);
    return k;
}

static void cell_case_free(cell_case *k)
{
    step_free(&k->in);
    step_free(&k->out);
}

/* The gradient that came out for input i of unit (r, j): 0-3 gx, 4-7 gh, 8 h, 9 c. */
static double gradient_of(const cell *f, const cell_case *k, long r, long j, int i)
{
    const cell_step *s = &k->out;
    long gate = i % 4, first_own = f->gates - f->own, prev = r * s->ld_prev + j;
    if (i == 8) return (double)s->dh_prev[prev] - (double)k->in.dh_prev[prev];
    if (i == 9) return (double)s->dc_prev[r * s->H + j] - (double)k->in.dc_prev[r * s->H + j];
    if (i >= 4 && gate >= first_own) return (double)s->own[r * s->ld_own + (gate - first_own) * s->H + j];
    return (double)s->gates[r * s->ld_gates + gate * s->H + j];
}

/* One unit: outputs, and gradients against central differences of the reference. */
static bool unit_right(const cell *f, const cell_case *k, long r, long j)
{
    const double step = 1e-5;
    const cell_step *s = &k->in;
    double in[10] = {0}, dh = (double)s->dh[r * s->ld_h + j]; /* gx, gh, h, c */
    long c_at = r * s->H + j;
    double dc = f->has_memory ? (double)s->dc[c_at] : 0;
    for (int g = 0; g < f->gates; g++) {
        in[g] = (double)s->gates[r * s->ld_gates + g * s->H + j];
        in[4 + g] = (double)s->gh[r * s->ld_gh + g * s->H + j];
    }
    in[8] = (double)s->h_prev[r * s->ld_prev + j];
    in[9] = f->has_memory ? (double)s->c_prev[c_at] : 0;
    double c = 0, h = cell_reference(f->name, in, in + 4, in[8], in[9], &c);
    if (isnan(h)) return true;
    bool good = near((double)k->out.h[r * s->ld_h + j], h, 1, 8);
    good = good && (!f->has_memory || near((double)k->out.c[c_at], c, 1, 8));
    for (int i = 0; i < 10; i++) {
        if ((i < 8 && i % 4 >= f->gates) || (i == 9 && !f->has_memory)) continue;
        double value[2], old = in[i];
        for (int side = 0; side < 2; side++) {
            in[i] = old + (side ? -step : step);
            double new_c = 0, new_h = cell_reference(f->name, in, in + 4, in[8], in[9], &new_c);
            value[side] = new_h * dh + new_c * dc;
        }
        in[i] = old;
        good = good && fabs(gradient_of(f, k, r, j, i) - (value[0] - value[1]) / (2 * step)) < 4e-6;
    }
    return good;
}

/* In place: the same bits. */
static bool in_place_right(const cell *f, const cell_case *k)
{
    cell_step s = random_step(f, k->in.rows, k->in.H), t = s;
    real *h = copy_reals(s.h_prev, (size_t)(s.rows * s.ld_prev)), *c = NULL;
    if (f->has_memory) c = copy_reals(s.c_prev, (size_t)(s.rows * s.H));
    t.h = h, t.h_prev = h, t.c = c, t.c_prev = c, t.ld_h = t.ld_prev;
    cell_forward(f, &t);
    bool good = !c || same_bits(c, k->out.c, (size_t)(s.rows * s.H));
    for (long r = 0; r < s.rows; r++)
        good = good && same_bits(h + r * t.ld_h, k->out.h + r * k->out.ld_h, (size_t)s.H);
    free(h), free(c);
    step_free(&s);
    return good;
}

static void test_cells(void)
{
    for (const cell *f = cells; f->name; f++) {
        for (int s = 0; s < SIZES - 1; s++) {
            cell_case k = cell_case_new(f, sizes[SIZES - 2 - s], sizes[s]);
            bool good = true;
            for (long r = 0; r < k.in.rows; r++)
                for (long j = 0; j < k.in.H; j++) good = good && unit_right(f, &k, r, j);
            CU_ASSERT(good && in_place_right(f, &k));
            cell_case_free(&k);
        }
        CU_ASSERT(cell_find(f->name) == f);
    }
    CU_ASSERT(cell_find("none of these") == NULL);
}

/* ---- optimizers ---- */

static void check_adam(size_t n, bool decoupled)
{
    adam_config config = {.lr = 0.01,
                          .beta1 = 0.9,
                          .beta2 = 0.98,
                          .eps = 1e-9,
                          .weight_decay = 0.1,
                          .decoupled = decoupled,
                          .grad_scale = 0.5};
    bool cleared = true;
    real *p = random_reals(n, 1, 1), *m = zero_reals(n), *v = zero_reals(n);
    double *want = xmalloc(n * sizeof *want), *wm = xcalloc(n, sizeof *wm), *wv = xcalloc(n, sizeof *wv);
    for (size_t i = 0; i < n; i++) want[i] = (double)p[i];
    for (config.step = 1; config.step <= 5; config.step++) {
        real *g = random_reals(n, 1, 10 + (uint64_t)config.step);
        for (size_t i = 0; i < n; i++) {
            double grad = 0.5 * (double)g[i] + (decoupled ? 0 : 0.1 * want[i]);
            wm[i] = 0.9 * wm[i] + 0.1 * grad;
            wv[i] = 0.98 * wv[i] + 0.02 * grad * grad;
            if (decoupled) want[i] -= 0.01 * 0.1 * want[i];
            want[i] -= 0.01 * wm[i] / (1 - pow(0.9, (double)config.step)) /
                       (sqrt(wv[i] / (1 - pow(0.98, (double)config.step))) + 1e-9);
        }
        adam((long)n, p, g, m, v, &config);
        for (size_t i = 0; i < n; i++) cleared = cleared && g[i] == 0;
        free(g);
    }
    CU_ASSERT(cleared);
    CU_ASSERT(all_near(p, want, n, 1, 8));
    CU_ASSERT(all_near(m, wm, n, 1, 4));
    CU_ASSERT(all_near(v, wv, n, 1, 4));
    free(p), free(m), free(v), free(want), free(wm), free(wv);
}

static void test_adam(void)
{
    for (int s = 0; s < SIZES; s++) {
        check_adam((size_t)sizes[s], false);
        check_adam((size_t)sizes[s], true);
    }
    adam_config config = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-9, .grad_scale = 1, .step = 1};
    real p[2] = {1, 1}, g[2] = {(real)NAN, 0}, m[2] = {0, (real)1e-30}, v[2] = {0, 0};
    adam(2, p, g, m, v, &config);
    CU_ASSERT(isnan(p[0]));
    CU_ASSERT(m[1] == 0); /* on its way to the subnormal numbers */
}

static void test_sgd(void)
{
    const sgd_config config = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .grad_scale = 2};
    enum { N = 33 };
    real *p = random_reals(N, 1, 1), *g = random_reals(N, 1, 2), *b = random_reals(N, 1, 3);
    real *p0 = copy_reals(p, N), *g0 = copy_reals(g, N), *b0 = copy_reals(b, N);
    sgd(N, p, g, b, &config);
    for (int i = 0; i < N; i++) {
        double want = 0.9 * (double)b0[i] + 2 * (double)g0[i] + 0.01 * (double)p0[i];
        CU_ASSERT(near((double)b[i], want, 1, 4) && near((double)p[i], (double)p0[i] - 0.1 * want, 1, 4));
        CU_ASSERT(g[i] == 0);
    }
    free(p), free(g), free(b), free(p0), free(g0), free(b0);
}

/* ---- laws ---- */

/* Everything that is cut into blocks, once. Returns all results behind each other. */
static real *everything(size_t *n)
{
    enum { ROWS = 700, D = 130, SIZE = ROWS * D };
    real *out = random_reals(8 * SIZE, 1, 1), *x = random_reals(SIZE, 2, 2), *rows = zero_reals(4 * ROWS);
    int *targets = xcalloc(ROWS, sizeof *targets);
    double *loss = xmalloc(2 * ROWS * sizeof *loss);
    *n = 8 * SIZE;
    vec_axpy(SIZE, (real)0.3, x, out);
    dropout(SIZE, x, NULL, (real)0.1, 3, 4, out + SIZE);
    activation_find("gelu")->forward(SIZE, x, out + 2 * SIZE);
    softmax(ROWS, D, out + 3 * SIZE, D);
    cross_entropy c = {ROWS, D, targets, (real)0.1, 0, 1, NULL, NULL, 0};
    cross_entropy_in(D, &c, out + 4 * SIZE, D, loss, loss + ROWS);
    norm_rows(&norm_kinds[0], ROWS, D, x, x, x, (real)1e-5, out + 5 * SIZE, rows, rows + ROWS);
    norm_rows_back(&norm_kinds[0], ROWS, D, x, x, rows, rows + ROWS, x, true, out + 6 * SIZE, out + 7 * SIZE,
                   out + 7 * SIZE + D);
    col_sum(ROWS, D, x, D, out + 7 * SIZE + 2 * D);
    out[7 * SIZE + 3 * D] = (real)vec_sum_squares(SIZE, x);
    free(x), free(rows), free(targets), free(loss);
    return out;
}

static void test_threads(void)
{
    static const int threads[] = {1, 2, 3, 7};
    real *first = NULL;
    for (int i = 0; i < 4; i++) {
        size_t n;
        team_set_threads(threads[i]);
        real *now = everything(&n);
        if (first) CU_ASSERT(same_bits(now, first, n));
        if (first)
            free(now);
        else
            first = now;
    }
    team_set_threads(2);
    free(first);
}

/* An element has the same bits wherever it lies: in a vector or in the rest of an array. */
static void test_places(void)
{
    enum { N = 100 };
    real *x = random_reals(N, 3, 1), *whole = zero_reals(N), *part = zero_reals(N);
    bool good = true;
    for (const activation *f = activations; f->name; f++) {
        f->forward(N, x, whole);
        for (long i = 0; i < N; i++)
            for (long n = 1; n <= 20 && i + n <= N; n++) {
                f->forward(n, x + i, part);
                good = good && same_bits(part, whole + i, (size_t)n);
            }
    }
    CU_ASSERT(good);
    free(x), free(whole), free(part);
}

static CU_TestInfo tests[] = {
    {"vectors", test_vectors},
    {"sums of columns", test_col_sum},
    {"dropout", test_dropout},
    {"activations", test_activations},
    {"softmax", test_softmax},
    {"the largest of many", test_tops},
    {"cross entropy", test_cross_entropy},
    {"R-Drop", test_r_drop},
    {"soft targets", test_soft},
    {"layer normalisation", test_norm},
    {"residual and layer normalisation", test_residual_norm},
    {"recurrent cells", test_cells},
    {"Adam", test_adam},
    {"gradient descent", test_sgd},
    {"threads do not change a bit", test_threads},
    {"places do not change a bit", test_places},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("kernel", tests); }
