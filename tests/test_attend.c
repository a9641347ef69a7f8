#include "kernel/attend.h"
#include "kernel/vector.h"
#include "kernel_suite.h"

/* ---- scaled dot-product attention ---- */

enum { MOST_SEQS = 4 };

typedef struct {
    attend_shape s;
    int q_start[MOST_SEQS], q_len[MOST_SEQS], k_start[MOST_SEQS], k_len[MOST_SEQS];
    long q_rows, k_rows, ld;
    size_t q_size, k_size, places; /* places: elements of the mask */
    real *q, *k, *v, *y;
} attention;

static size_t count_places(const attention *a)
{
    size_t n = 0;
    for (int i = 0; i < a->s.n_seqs; i++) n += (size_t)a->s.n_heads * attend_places(a->q_len[i], a->k_len[i]);
    return n;
}

/* Sequences of the given lengths (q < 0 ends) behind each other, rows 3 further apart than needed. */
static attention *attention_new(int n_heads, int head_dim, bool causal, real dropout, const int (*lens)[2])
{
    attention *a = xcalloc(1, sizeof *a);
    for (int i = 0; lens[i][0] >= 0; i++) {
        a->q_start[i] = (int)a->q_rows;
        a->k_start[i] = (int)a->k_rows;
        a->q_len[i] = lens[i][0];
        a->k_len[i] = lens[i][1];
        a->q_rows += lens[i][0];
        a->k_rows += lens[i][1];
        a->s.n_seqs++;
    }
    a->ld = n_heads * head_dim + 3;
    a->q_size = (size_t)(a->q_rows * a->ld);
    a->k_size = (size_t)(a->k_rows * a->ld);
    a->s = (attend_shape){a->s.n_seqs, n_heads, head_dim, a->q_start, a->q_len, a->k_start, a->k_len, causal,
                          a->ld,       a->ld,   a->ld,    a->ld,      dropout,  11,         5};
    a->places = count_places(a);
    a->q = random_reals(a->q_size, 1.5, 1);
    a->k = random_reals(a->k_size, 1.5, 2);
    a->v = random_reals(a->k_size, 1, 3);
    a->y = zero_reals(a->q_size);
    return a;
}

static void attention_free(attention *a)
{
    free(a->q);
    free(a->k);
    free(a->v);
    free(a->y);
    free(a);
}

/* What dropout multiplies probabilities by, by place. */
static double *factors(const attention *a)
{
    real *ones = zero_reals(a->places), *f = zero_reals(a->places);
    double *out = xmalloc((a->places + 1) * sizeof *out);
    for (size_t i = 0; i < a->places; i++) ones[i] = 1;
    dropout((long)a->places, ones, NULL, a->s.dropout, a->s.key, a->s.place, f);
    for (size_t i = 0; i < a->places; i++) out[i] = (double)f[i];
    free(ones);
    free(f);
    return out;
}

/* One query by the book: y (head_dim), f of its head. */
static void reference_query(const attention *a, int i, int h, int t, const double *f, double *y)
{
    int hd = a->s.head_dim, keys = a->k_len[i], see = a->s.causal ? t + 1 + keys - a->q_len[i] : keys;
    double sum = 0, p[200];
    for (int j = 0; j < keys; j++) {
        double dot = 0;
        for (int d = 0; d < hd; d++)
            dot += (double)a->q[(a->q_start[i] + t) * a->ld + h * hd + d] *
                   (double)a->k[(a->k_start[i] + j) * a->ld + h * hd + d];
        p[j] = j < see ? exp(dot / sqrt(hd)) : 0;
        sum += p[j];
    }
    memset(y, 0, sizeof *y * (size_t)hd);
    for (int j = 0; j < keys; j++) {
        p[j] = sum > 0 ? p[j] / sum : 0;
        for (int d = 0; d < hd; d++)
            y[d] += p[j] * f[attend_place(a->q_len[i], keys, t, j)] *
                    (double)a->v[(a->k_start[i] + j) * a->ld + h * hd + d];
    }
}

static bool attention_right(const attention *a)
{
    double y[300], *f = factors(a), *head = f;
    bool good = true;
    for (int i = 0; i < a->s.n_seqs; i++)
        for (int h = 0; h < a->s.n_heads; h++, head += attend_places(a->q_len[i], a->k_len[i]))
            for (int t = 0; t < a->q_len[i]; t++) {
                const real *got = a->y + (a->q_start[i] + t) * a->ld + h * a->s.head_dim;
                reference_query(a, i, h, t, head, y);
                good = good && all_near(got, y, (size_t)a->s.head_dim, 2, 16);
            }
    free(f);
    return good;
}

static const int self_lens[][2] = {{5, 5}, {1, 1}, {17, 17}, {33, 33}, {-1, -1}};
static const int cross_lens[][2] = {{5, 9}, {1, 40}, {17, 3}, {20, 16}, {-1, -1}};
static const int late_lens[][2] = {{1, 7}, {2, 7}, {0, 4}, {60, 100}, {-1, -1}}; /* new queries, older keys */

static const int long_lens[][2] = {{130, 130}, {70, 40}, {-1, -1}}; /* several blocks of queries */

static void test_attend(void)
{
    static const int dims[] = {1, 3, 8, 16, 17, 32, 64};
    for (int d = 0; d < 7; d++)
        for (int kind = 0; kind < 4; kind++)
            for (int causal = kind == 1 ? 0 : 1; causal >= 0; causal--) {
                attention *a =
                    attention_new(1 + d % 3, dims[d], causal, d % 2 ? (real)0.3 : 0,
                                  (const int(*[])[2]){self_lens, cross_lens, late_lens, long_lens}[kind]);
                attend(&a->s, a->q, a->k, a->v, a->y);
                CU_ASSERT(attention_right(a));
                attention_free(a);
            }
    attention *wide = attention_new(1, 300, true, 0, self_lens); /* deeper than a block of the products */
    attend(&wide->s, wide->q, wide->k, wide->v, wide->y);
    CU_ASSERT(attention_right(wide));
    attention_free(wide);
}

/* Query t alone with the keys up to it has the bits it has in the whole sequence. */
static void test_step_by_step(void)
{
    static const int lens[][2] = {{60, 60}, {7, 7}, {-1, -1}}, one[][2] = {{1, 1}, {-1, -1}};
    for (int dim = 15; dim <= 32; dim += 17) {
        attention *a = attention_new(2, dim, true, 0, lens);
        bool good = true;
        attend(&a->s, a->q, a->k, a->v, a->y);
        for (int i = 0; i < 2; i++)
            for (int t = 0; t < a->q_len[i]; t++) {
                attention *b = attention_new(2, dim, t % 2, 0, one);
                b->k_len[0] = t + 1;
                const real *k = a->k + a->k_start[i] * a->ld, *v = a->v + a->k_start[i] * a->ld;
                attend(&b->s, a->q + (a->q_start[i] + t) * a->ld, k, v, b->y);
                good = good && same_bits(b->y, a->y + (a->q_start[i] + t) * a->ld, (size_t)(2 * dim));
                attention_free(b);
            }
        CU_ASSERT(good);
        attention_free(a);
    }
}

/* Hypotheses that share the keys of their sentence. */
static void test_shared_keys(void)
{
    static const int lens[][2] = {{1, 20}, {1, 0}, {1, 0}, {1, 9}, {-1, -1}};
    attention *a = attention_new(2, 16, false, 0, lens), *b = attention_new(2, 16, false, 0, lens);
    for (int i = 0; i < 3; i++) a->k_len[i] = 20, a->k_start[i] = 0;
    attend(&a->s, a->q, a->k, a->v, a->y);
    for (int i = 0; i < 3; i++) {
        b->s.n_seqs = 1;
        attend(&b->s, a->q + i * a->ld, a->k, a->v, b->y);
        CU_ASSERT(same_bits(b->y, a->y + i * a->ld, 32));
    }
    a->places = count_places(a);
    CU_ASSERT(attention_right(a));
    attention_free(a);
    attention_free(b);
}

/* sum of y dy by the book, as a function of q, k and v */
static double attention_objective(const attention *a, const real *dy, const double *f)
{
    double y[300], sum = 0;
    for (int i = 0; i < a->s.n_seqs; i++)
        for (int h = 0; h < a->s.n_heads; h++, f += attend_places(a->q_len[i], a->k_len[i]))
            for (int t = 0; t < a->q_len[i]; t++) {
                reference_query(a, i, h, t, f, y);
                for (int d = 0; d < a->s.head_dim; d++)
                    sum += y[d] * (double)dy[(a->q_start[i] + t) * a->ld + h * a->s.head_dim + d];
            }
    return sum;
}

/* Some elements of grad (which holds 1 more than the gradient) against central differences in x. */
static bool differences_right(const attention *a, const real *dy, real *x, const real *grad, size_t n)
{
    const double step = sizeof(real) == 4 ? 1.0 / 256 : 1e-5;
    double *f = factors(a);
    bool good = true;
    for (size_t i = 0; i < n; i += 1 + n / 40) {
        if ((long)i % a->ld >= a->ld - 3) continue; /* between the rows */
        real old = x[i];
        x[i] = old + (real)step;
        double up = attention_objective(a, dy, f), at_up = (double)x[i];
        x[i] = old - (real)step;
        double slope = (up - attention_objective(a, dy, f)) / (at_up - (double)x[i]);
        x[i] = old;
        bool fine = fabs((double)grad[i] - 1 - slope) < (sizeof(real) == 4 ? 2e-4 : 1e-8);
        if (!fine) printf("\n      gradient %g, not %g", (double)grad[i] - 1, slope);
        good = good && fine;
    }
    free(f);
    return good;
}

/* Without `add` gradients are written whatever was there, and nothing beside them. */
static void check_written(const attention *a, const real *dy)
{
    real *old[3] = {random_reals(a->q_size, 1, 4), random_reals(a->k_size, 1, 5),
                    random_reals(a->k_size, 1, 6)};
    real *zero[3] = {zero_reals(a->q_size), zero_reals(a->k_size), zero_reals(a->k_size)};
    attend_back(&a->s, a->q, a->k, a->v, dy, true, zero[0], zero[1], zero[2]);
    for (int i = 0; i < 3; i++) {
        size_t n = i ? a->k_size : a->q_size;
        real *was = copy_reals(old[i], n);
        for (size_t j = 0; j < n; j++)
            if ((long)j % a->ld < a->ld - 3) old[i][j] = (real)NAN;
        if (i == 2) attend_back(&a->s, a->q, a->k, a->v, dy, false, old[0], old[1], old[2]);
        for (size_t j = 0; j < n; j++)
            if ((long)j % a->ld >= a->ld - 3) zero[i][j] = was[j];
        free(was);
    }
    for (int i = 0; i < 3; i++) {
        size_t n = i ? a->k_size : a->q_size;
        bool good = true;
        for (size_t j = 0; j < n; j++) good = good && old[i][j] == zero[i][j];
        CU_ASSERT(good);
        free(old[i]), free(zero[i]);
    }
}

static void check_attend_back(attention *a)
{
    real *dy = random_reals(a->q_size, 1, 9),
         *d[3] = {random_reals(a->q_size, 0, 1), random_reals(a->k_size, 0, 1),
                  random_reals(a->k_size, 0, 1)};
    for (size_t i = 0; i < a->q_size; i++) d[0][i] = 1;
    for (size_t i = 0; i < a->k_size; i++) d[1][i] = d[2][i] = 1;
    attend(&a->s, a->q, a->k, a->v, a->y);
    attend_back(&a->s, a->q, a->k, a->v, dy, true, d[0], d[1], d[2]);
    CU_ASSERT(differences_right(a, dy, a->q, d[0], a->q_size));
    CU_ASSERT(differences_right(a, dy, a->k, d[1], a->k_size));
    CU_ASSERT(differences_right(a, dy, a->v, d[2], a->k_size));
    check_written(a, dy);
    for (int i = 0; i < 3; i++) free(d[i]);
    free(dy);
    attention_free(a);
}

static void test_attend_back(void)
{
    check_attend_back(attention_new(2, 5, true, 0, self_lens));
    check_attend_back(attention_new(1, 16, true, (real)0.25, self_lens));
    check_attend_back(attention_new(2, 8, false, (real)0.25, cross_lens));
    check_attend_back(attention_new(1, 3, true, 0, late_lens));
    check_attend_back(attention_new(1, 32, false, 0, cross_lens));
    check_attend_back(attention_new(1, 16, true, (real)0.25, late_lens));
    check_attend_back(attention_new(1, 5, true, 0, long_lens));
    check_attend_back(attention_new(1, 16, false, (real)0.25, long_lens));
}

static void test_attend_threads(void)
{
    static const int threads[] = {1, 2, 3, 7};
    attention *a = attention_new(4, 32, true, (real)0.1, self_lens);
    real *first = NULL, *dq = zero_reals(a->q_size), *dk = zero_reals(a->k_size), *dv = zero_reals(a->k_size);
    for (int i = 0; i < 4; i++) {
        team_set_threads(threads[i]);
        memset(dk, 0, a->k_size * sizeof *dk);
        attend(&a->s, a->q, a->k, a->v, a->y);
        attend_back(&a->s, a->q, a->k, a->v, a->y, true, dq, dk, dv);
        if (first) CU_ASSERT(same_bits(dk, first, a->k_size));
        if (!first) first = copy_reals(dk, a->k_size);
    }
    team_set_threads(2);
    free(first);
    free(dq);
    free(dk);
    free(dv);
    attention_free(a);
}

/* Single queries, with keys where they are and with keys in any order. */
static void test_rows(void)
{
    static const int dims[] = {1, 3, 16, 17, 32, 40, 64, 80, 145},
                     lens[][2] = {{1, 5}, {1, 0}, {1, 40}, {1, 17}, {-1, -1}};
    for (int d = 0; d < 9; d++) {
        attention *a = attention_new(2, dims[d], false, 0, lens);
        attend_rows_shape s = {4, 2, dims[d], a->k_start, a->k_len, NULL, a->ld, a->ld, a->ld, a->ld};
        int place[62];
        real *k = zero_reals(a->k_size), *v = zero_reals(a->k_size), *y = zero_reals(a->q_size);
        for (int j = 0; j < 62; j++) {
            place[j] = (j * 23 + 7) % 62;
            memcpy(k + place[j] * a->ld, a->k + j * a->ld, (size_t)a->ld * sizeof *k);
            memcpy(v + place[j] * a->ld, a->v + j * a->ld, (size_t)a->ld * sizeof *v);
        }
        attend_rows(&s, a->q, a->k, a->v, a->y);
        s.place = place;
        attend_rows(&s, a->q, k, v, y);
        CU_ASSERT(attention_right(a));
        CU_ASSERT(same_bits(a->y, y, a->q_size));
        for (int r = 0; r < 4; r++) { /* alone */
            attend_rows_shape one = s;
            one.rows = 1;
            one.start += r, one.len += r;
            memset(y, 0, a->q_size * sizeof *y);
            attend_rows(&one, a->q + r * a->ld, k, v, y);
            CU_ASSERT(same_bits(a->y + r * a->ld, y, (size_t)(2 * dims[d])));
        }
        free(k), free(v), free(y);
        attention_free(a);
    }
}

static CU_TestInfo tests[] = {
    {"single queries", test_rows},
    {"attention against the formula", test_attend},
    {"one query has the bits of the whole sequence", test_step_by_step},
    {"sequences that share keys", test_shared_keys},
    {"gradients of attention", test_attend_back},
    {"threads do not change a bit", test_attend_threads},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("attend", tests); }
