/* Additive attention against the formulas in double. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/additive.h"
#include "kernel_suite.h"

enum { ROWS = 4, KEYS = 1 + 17 + 40, ENERGIES = 64 };
static const int k_start[ROWS] = {0, 1, 1, 18}, k_len[ROWS] = {1, 17, 0, 40}, e_start[ROWS] = {2, 4, 21, 22};
static const query_keys as_they_are = {ROWS, k_start, k_len, e_start, NULL};

/* Keys in another order: key j of all lies in row place[j]. */
static const int *places(void)
{
    static int place[KEYS];
    for (int j = 0; j < KEYS; j++) place[j] = (j * 7 + 3) % KEYS;
    return place;
}

static real *moved(const real *rows, long width)
{
    real *out = xmalloc(KEYS * (size_t)width * sizeof *out);
    for (int j = 0; j < KEYS; j++)
        memcpy(out + places()[j] * width, rows + j * width, (size_t)width * sizeof *out);
    return out;
}

static void test_additive(void)
{
    static const long widths[] = {1, 7, 33, 64, 100};
    for (int w = 0; w < 5; w++) {
        long A = widths[w], ld = A + 2;
        real *query = random_reals((size_t)(ROWS * ld), 2, 1), *keys = random_reals((size_t)(KEYS * A), 2, 2);
        real *v = random_reals((size_t)A, 1, 3), *e = zero_reals(ENERGIES),
             *de = random_reals(ENERGIES, 1, 4);
        real *dquery = zero_reals((size_t)(ROWS * ld)), *dkeys = zero_reals((size_t)(KEYS * A)),
             *dv = zero_reals((size_t)(ROWS * A));
        double *want_dq = xcalloc((size_t)(ROWS * A), sizeof(double)),
               *want_dv = xcalloc((size_t)(ROWS * A), sizeof(double));
        additive_energies(&as_they_are, A, query, ld, keys, v, e);
        additive_energies_back(&as_they_are, A, query, ld, keys, v, de, dquery, ld, dkeys, dv);
        bool good = true;
        for (int i = 0; i < ROWS; i++) {
            for (int j = 0; j < k_len[i]; j++) {
                double sum = 0, d = (double)de[e_start[i] + j];
                for (long a = 0; a < A; a++) {
                    long at = (k_start[i] + j) * A + a;
                    double t = tanh((double)query[i * ld + a] + (double)keys[at]),
                           inner = d * (double)v[a] * (1 - t * t);
                    sum += (double)v[a] * t;
                    want_dq[i * A + a] += inner;
                    want_dv[i * A + a] += d * t;
                    good = good && near((double)dkeys[at], inner, 1, 8);
                }
                good = good && near((double)e[e_start[i] + j], sum, 10, 8);
            }
            good = good && all_near(dquery + i * ld, want_dq + i * A, (size_t)A, 10, 8) &&
                   all_near(dv + i * A, want_dv + i * A, (size_t)A, 10, 8);
        }
        CU_ASSERT(good);
        CU_ASSERT(e[0] == 0 && e[3] == 0 && dquery[A] == 0); /* nothing written beside */
        free(query), free(keys), free(v), free(e), free(de), free(dquery), free(dkeys), free(dv);
        free(want_dq), free(want_dv);
    }
}

static void check_weighted_sum(long C)
{
    long ld = C + 3;
    real *p = random_reals(ENERGIES, 1, 1), *values = random_reals((size_t)(KEYS * C), 1, 2),
         *context = zero_reals((size_t)(ROWS * ld));
    real *dcontext = random_reals((size_t)(ROWS * ld), 1, 3), *dp = zero_reals(ENERGIES);
    bool good = true;
    weighted_sum(&as_they_are, C, p, values, context, ld);
    weighted_sum_back(&as_they_are, C, values, dcontext, ld, dp);
    for (int i = 0; i < ROWS; i++) {
        for (long c = 0; c < C; c++) {
            double sum = 0;
            for (int j = 0; j < k_len[i]; j++)
                sum += (double)p[e_start[i] + j] * (double)values[(k_start[i] + j) * C + c];
            good = good && near((double)context[i * ld + c], sum, 10, 8);
        }
        for (int j = 0; j < k_len[i]; j++) {
            double sum = 0;
            for (long c = 0; c < C; c++)
                sum += (double)dcontext[i * ld + c] * (double)values[(k_start[i] + j) * C + c];
            good = good && near((double)dp[e_start[i] + j], sum, 10, 8);
        }
    }
    CU_ASSERT(good);
    CU_ASSERT(dp[0] == 0 && dp[3] == 0 && context[C] == 0);
    free(p), free(values), free(context), free(dcontext), free(dp);
}

/* Sequences of three queries, none and one. */
static void check_values_back(long C)
{
    enum { SEQUENCES = 3, QUERIES = 4 };
    static const int starts[] = {0, 5, 10}, lens[] = {5, 3, 7}, q_start[] = {0, 3, 3}, q_len[] = {3, 0, 1};
    static const int rows[QUERIES] = {3, 0, 2, 1}, e_at[QUERIES] = {7, 30, 0, 20};
    long ld = C + 1;
    real *p = random_reals(40, 1, 1), *dcontext = random_reals((size_t)(QUERIES * ld), 1, 2);
    real *dvalues = random_reals((size_t)(17 * C), 1, 3), *old = copy_reals(dvalues, (size_t)(17 * C));
    const query_keys at = {QUERIES, starts, lens, e_at, NULL};
    bool good = true;
    weighted_sum_values_back(&at, SEQUENCES, q_start, q_len, rows, C, p, dcontext, ld, dvalues);
    for (int k = 0; k < SEQUENCES; k++)
        for (long i = 0; i < lens[k] * C; i++) {
            long place = starts[k] * C + i, j = i / C, c = i % C;
            double sum = (double)old[place];
            for (int t = q_start[k]; t < q_start[k] + q_len[k]; t++)
                sum += (double)p[e_at[rows[t]] + j] * (double)dcontext[rows[t] * ld + c];
            good = good && near((double)dvalues[place], sum, 4, 4);
        }
    CU_ASSERT(good);
    free(p), free(dcontext), free(dvalues), free(old);
}

static void test_weighted_sum(void)
{
    static const long widths[] = {1, 7, 33, 64, 100, 130};
    for (int w = 0; w < 6; w++) {
        check_weighted_sum(widths[w]);
        check_values_back(widths[w]);
    }
}

static void test_ragged_softmax(void)
{
    real *e = random_reals(ENERGIES, 5, 1), *p = copy_reals(e, ENERGIES), *dp = random_reals(ENERGIES, 1, 2),
         *d = copy_reals(dp, ENERGIES);
    ragged_softmax(&as_they_are, p);
    ragged_softmax_back(&as_they_are, p, d);
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, along = 0;
        for (int j = e_start[i]; j < e_start[i] + k_len[i]; j++) sum += exp((double)e[j]);
        for (int j = e_start[i]; j < e_start[i] + k_len[i]; j++)
            along += exp((double)e[j]) / sum * (double)dp[j];
        for (int j = e_start[i]; j < e_start[i] + k_len[i]; j++) {
            double want = exp((double)e[j]) / sum;
            CU_ASSERT(near((double)p[j], want, 1, 4));
            CU_ASSERT(near((double)d[j], want * ((double)dp[j] - along), 1, 4));
        }
    }
    CU_ASSERT(p[0] == e[0] && p[3] == e[3]);
    free(e), free(p), free(dp), free(d);
}

/* Keys and values elsewhere, and the gradient of the query over the query: the same bits. */
static void test_places(void)
{
    enum { A = 150 };
    static const int rows[ROWS] = {0, 1, 2, 3}, lens[ROWS] = {1, 1, 1, 1};
    const query_keys elsewhere = {ROWS, k_start, k_len, e_start, places()};
    real *query = random_reals(ROWS * A, 2, 1), *keys = random_reals(KEYS * A, 2, 2), *keys2 = moved(keys, A);
    real *v = random_reals(A, 1, 3), *de = random_reals(ENERGIES, 1, 4), *old = random_reals(KEYS * A, 1, 5);
    real *e[2], *context[2], *dkeys[2], *dp[2], *dv[2],
        *dq[2] = {zero_reals(ROWS * A), copy_reals(query, ROWS * A)};
    for (int i = 0; i < 2; i++) {
        const query_keys *at = i ? &elsewhere : &as_they_are;
        const real *k = i ? keys2 : keys;
        e[i] = zero_reals(ENERGIES), dp[i] = zero_reals(ENERGIES), context[i] = zero_reals(ROWS * A);
        dv[i] = zero_reals(ROWS * A), dkeys[i] = i ? moved(old, A) : copy_reals(old, KEYS * A);
        additive_energies(at, A, query, A, k, v, e[i]);
        weighted_sum(at, A, e[i], k, context[i], A);
        additive_energies_back(at, A, i ? dq[1] : query, A, k, v, de, dq[i], A, dkeys[i], dv[i]);
        weighted_sum_back(at, A, k, context[i], A, dp[i]);
        weighted_sum_values_back(at, ROWS, rows, lens, rows, A, e[i], context[i], A, dkeys[i]);
    }
    real *want = moved(dkeys[0], A);
    CU_ASSERT(same_bits(e[0], e[1], ENERGIES) && same_bits(context[0], context[1], ROWS * A));
    CU_ASSERT(same_bits(dq[0], dq[1], ROWS * A) && same_bits(dv[0], dv[1], ROWS * A));
    CU_ASSERT(same_bits(dp[0], dp[1], ENERGIES) && same_bits(want, dkeys[1], KEYS * A));
    for (int i = 0; i < 2; i++)
        free(e[i]), free(dp[i]), free(context[i]), free(dv[i]), free(dkeys[i]), free(dq[i]);
    free(query), free(keys), free(keys2), free(v), free(de), free(old), free(want);
}

/* A row's result does not depend on the rows beside it. */
static void test_additive_rows(void)
{
    enum { A = 45 };
    real *query = random_reals(ROWS * A, 2, 1), *keys = random_reals(KEYS * A, 2, 2),
         *v = random_reals(A, 1, 3);
    real *e = zero_reals(ENERGIES), *one = zero_reals(ENERGIES), *context = zero_reals(ROWS * A),
         *one_context = zero_reals(A);
    additive_energies(&as_they_are, A, query, A, keys, v, e);
    weighted_sum(&as_they_are, A, e, keys, context, A);
    for (int i = 0; i < ROWS; i++) {
        const int zero = 0;
        const query_keys alone = {1, k_start + i, k_len + i, &zero, NULL};
        additive_energies(&alone, A, query + i * A, A, keys, v, one);
        weighted_sum(&alone, A, one, keys, one_context, A);
        CU_ASSERT(same_bits(one, e + e_start[i], (size_t)k_len[i]));
        CU_ASSERT(same_bits(one_context, context + i * A, A));
    }
    free(query), free(keys), free(v), free(e), free(one), free(context), free(one_context);
}

static CU_TestInfo tests[] = {
    {"energies and their gradients", test_additive},
    {"weighted sums and their gradients", test_weighted_sum},
    {"softmax over ragged rows", test_ragged_softmax},
    {"keys elsewhere", test_places},
    {"rows are independent", test_additive_rows},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("additive", tests); }
