#include "kernel/gemm.h"
#include "kernel_suite.h"

/* A product with room to spare: rows are further apart than their columns, and what lies between is
 * NaN in A and B (reading it would show) and a mark in C (writing it would show). */
typedef struct {
    enum gemm_kind kind;
    long m, n, k, lda, ldb, ldc;
    real *a, *b, *c, *bias;
} product;

enum { MARK = 77 };

/* What the tests below multiply. */
static enum gemm_numbers numbers;

/* A test that is to pass with both. */
#define BOTH(test)                                                                                           \
    static void both_##test(void)                                                                            \
    {                                                                                                        \
        for (numbers = GEMM_FP32; numbers <= GEMM_BF16; numbers++) test();                                   \
        numbers = GEMM_FP32;                                                                                 \
    }

/* A number as it is multiplied. */
static double multiplied(real x)
{
    if (numbers == GEMM_FP32 || sizeof(real) != 4) return (double)x;
    int power;
    double part = frexp((double)x, &power); /* bfloat16 has 8 bits of it */
    return ldexp(nearbyint(ldexp(part, 8)), power - 8);
}

static long a_rows(const product *p) { return p->kind == GEMM_TN ? p->k : p->m; }
static long a_cols(const product *p) { return p->kind == GEMM_TN ? p->m : p->k; }
static long b_rows(const product *p) { return p->kind == GEMM_NT ? p->n : p->k; }
static long b_cols(const product *p) { return p->kind == GEMM_NT ? p->k : p->n; }

static void spoil(real *x, long rows, long cols, long ld, real value)
{
    for (long r = 0; r < rows; r++)
        for (long c = cols; c < ld; c++) x[r * ld + c] = value;
}

static product product_new(enum gemm_kind kind, long m, long n, long k)
{
    product p = {.kind = kind, .m = m, .n = n, .k = k, .ldc = n + 3};
    p.lda = a_cols(&p) + 5;
    p.ldb = b_cols(&p) + 2;
    p.a = random_reals((size_t)(a_rows(&p) * p.lda), 1, 1);
    p.b = random_reals((size_t)(b_rows(&p) * p.ldb), 1, 2);
    p.c = random_reals((size_t)(m * p.ldc), 1, 3);
    p.bias = random_reals((size_t)n, 1, 4);
    spoil(p.a, a_rows(&p), a_cols(&p), p.lda, (real)NAN);
    spoil(p.b, b_rows(&p), b_cols(&p), p.ldb, (real)NAN);
    spoil(p.c, m, n, p.ldc, MARK);
    return p;
}

static void product_free(product *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
}

/* Element (i, j) of the product, and the sum of the absolute values of its terms. */
static double element(const product *p, long i, long j, double *size)
{
    double sum = 0;
    *size = 0;
    for (long q = 0; q < p->k; q++) {
        double term = multiplied(p->kind == GEMM_TN ? p->a[q * p->lda + i] : p->a[i * p->lda + q]) *
                      multiplied(p->kind == GEMM_NT ? p->b[j * p->ldb + q] : p->b[q * p->ldb + j]);
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

/* Does gemm write what it should? start: what is added, a bias or the old element. */
static bool product_right(product *p, bool add, bool bias)
{
    real *before = copy_reals(p->c, (size_t)(p->m * p->ldc));
    gemm(numbers, p->kind, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, bias ? p->bias : NULL, add, p->c,
         p->ldc);
    bool good = true;
    for (long i = 0; i < p->m && good; i++)
        for (long j = 0; j < p->ldc && good; j++) {
            double got = (double)p->c[i * p->ldc + j], old = (double)before[i * p->ldc + j], size;
            if (j >= p->n) {
                good = got == MARK;
                continue;
            }
            double start = add ? old : bias ? (double)p->bias[j] : 0, sum = element(p, i, j, &size);
            good = near(got, start + sum, fabs(start) + size, 8);
        }
    free(before);
    return good;
}

static void check_shape(long m, long n, long k)
{
    for (int kind = GEMM_NT; kind <= GEMM_TN; kind++) {
        product p = product_new((enum gemm_kind)kind, m, n, k);
        CU_ASSERT(product_right(&p, false, false));
        CU_ASSERT(product_right(&p, true, false));
        CU_ASSERT(product_right(&p, false, true));
        product_free(&p);
    }
}

static void test_shapes(void)
{
    static const long sizes[] = {1, 3, 7, 17, 33, 100};
    enum { N = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int l = 0; l < N; l++) check_shape(sizes[i], sizes[j], sizes[l]);
    check_shape(5, 6, 255);
    check_shape(6, 31, 256);
    check_shape(15, 64, 257);
    check_shape(90, 65, 600);
    check_shape(300, 130, 70);
    check_shape(66, 3000, 20); /* several tasks of every kind */
    check_shape(70, 33, 1500); /* and several chunks of k */
}

static void test_empty(void)
{
    check_shape(0, 5, 3);
    check_shape(4, 0, 3);
    check_shape(4, 5, 0);
}

/* Rows i .. i + rows and columns j .. j + cols of p, computed alone, have the bits they have in p->c. */
static bool part_equal(const product *p, long i, long rows, long j, long cols)
{
    const real *a = p->kind == GEMM_TN ? p->a + i : p->a + i * p->lda;
    const real *b = p->kind == GEMM_NT ? p->b + j * p->ldb : p->b + j;
    long ld = cols + rows % 3;
    real *c = zero_reals((size_t)(rows * ld));
    gemm(numbers, p->kind, rows, cols, p->k, a, p->lda, b, p->ldb, p->bias + j, false, c, ld);
    bool good = true;
    for (long r = 0; r < rows; r++)
        good = good && same_bits(c + r * ld, p->c + (i + r) * p->ldc + j, (size_t)cols);
    free(c);
    return good;
}

static void check_law_of_rows(enum gemm_kind kind, long n, long k)
{
    enum { ROWS = 256 };
    product p = product_new(kind, ROWS, n, k);
    team_set_threads(1); /* thousands of small products */
    gemm(numbers, kind, ROWS, n, k, p.a, p.lda, p.b, p.ldb, p.bias, false, p.c, p.ldc);
    bool alone = true, first = true, last = true, columns = true;
    for (long m = 1; m <= ROWS; m++) {
        alone = alone && part_equal(&p, m - 1, 1, 0, n);
        if (m < 200 || m % 8 == 3) first = first && part_equal(&p, 0, m, 0, n);
        if (m % 16 == 5) last = last && part_equal(&p, ROWS - m, m, 0, n);
    }
    for (long j = 0; j < n; j++)
        columns = columns && part_equal(&p, 7, 20, j, n - j) && part_equal(&p, 9, 99, 0, j + 1);
    CU_ASSERT(alone);
    CU_ASSERT(first);
    CU_ASSERT(last);
    CU_ASSERT(columns);
    team_set_threads(2);
    product_free(&p);
}

static void test_law_of_rows(void)
{
    check_law_of_rows(GEMM_NT, 67, 130);
    check_law_of_rows(GEMM_NT, 33, 300);
    check_law_of_rows(GEMM_NT, 3, 1100);
    check_law_of_rows(GEMM_NN, 45, 61);
    check_law_of_rows(GEMM_TN, 45, 61);
}

/* A packed B gives the bits of the B that was packed: with a bias, added, one row and many. */
static bool packed_equal(const product *p, long m, bool add)
{
    real *b = zero_reals(gemm_packed_reals(numbers, p->n, p->k));
    real *want = copy_reals(p->c, (size_t)(p->m * p->ldc)), *got = copy_reals(p->c, (size_t)(p->m * p->ldc));
    const real *bias = add ? NULL : p->bias;
    gemm_pack(numbers, p->kind, p->n, p->k, p->b, p->ldb, b);
    gemm_packed(numbers, m, p->n, p->k, p->a, p->lda, b, bias, add, got, p->ldc);
    gemm(numbers, p->kind, m, p->n, p->k, p->a, p->lda, p->b, p->ldb, bias, add, want, p->ldc);
    bool equal = same_bits(got, want, (size_t)(p->m * p->ldc));
    free(b);
    free(want);
    free(got);
    return equal;
}

static void test_packed(void)
{
    static const long sizes[][2] = {{1, 1}, {3, 1100}, {33, 300}, {67, 130}, {2100, 40}, {512, 0}};
    static const long rows[] = {0, 1, 2, 14, 57, 130};
    for (enum gemm_kind kind = GEMM_NT; kind <= GEMM_NN; kind++)
        for (int i = 0; i < 6; i++) {
            product p = product_new(kind, 130, sizes[i][0], sizes[i][1]);
            for (int j = 0; j < 6; j++) {
                CU_ASSERT(packed_equal(&p, rows[j], false));
                CU_ASSERT(packed_equal(&p, rows[j], true));
            }
            product_free(&p);
        }
}

/* Some columns of a packed B, and some of its rows. */
static void test_parts(void)
{
    product p = product_new(GEMM_NT, 40, 600, 700);
    real *b = zero_reals(gemm_packed_reals(numbers, p.n, p.k));
    real *want = zero_reals((size_t)(p.m * p.n)), *got = zero_reals((size_t)(p.m * p.n));
    gemm_pack(numbers, p.kind, p.n, p.k, p.b, p.ldb, b);
    gemm(numbers, p.kind, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, NULL, false, want, p.n);
    for (long j = 0; j < p.n; j += GEMM_PART) {
        long cols = p.n - j < GEMM_PART ? p.n - j : GEMM_PART;
        gemm_packed_columns(numbers, p.m, cols, p.k, p.a, p.lda, b, j, p.n, NULL, false, got + j, p.n);
    }
    CU_ASSERT(same_bits(got, want, (size_t)(p.m * p.n)));
    for (long q = 0; q < p.k; q += GEMM_PART) {
        long rows = p.k - q < GEMM_PART ? p.k - q : GEMM_PART;
        gemm_packed_rows(numbers, p.m, p.n, rows, p.a + q, p.lda, b, q, q > 0, got, p.n);
    }
    CU_ASSERT(same_bits(got, want, (size_t)(p.m * p.n)));
    free(b);
    free(want);
    free(got);
    product_free(&p);
}

/* Columns of B in another order and some of them twice, each packed by itself into what held other numbers.
 */
static void check_columns(long m, long n, long k)
{
    product p = product_new(GEMM_NT, m, n, k);
    long all = (n / GEMM_COLUMNS + 2) * GEMM_COLUMNS, used = all - GEMM_COLUMNS;
    real *b = random_reals((size_t)(all * k), 3, 9), *want = zero_reals((size_t)(m * n)),
         *got = zero_reals((size_t)(m * used));
    gemm(numbers, GEMM_NT, m, n, k, p.a, p.lda, p.b, p.ldb, NULL, false, want, n);
    gemm_clear_columns(all, k, 0, used, b);
    for (long j = 0; j < used; j++) gemm_pack_column(all, k, used - 1 - j, p.b + j * 7 % n * p.ldb, b);
    gemm_packed_columns(numbers, m, used, k, p.a, p.lda, b, 0, all, NULL, false, got, used);
    bool same = true;
    for (long i = 0; i < m; i++)
        for (long j = 0; j < used; j++)
            same = same && same_bits(got + i * used + used - 1 - j, want + i * n + j * 7 % n, 1);
    CU_ASSERT(same);
    free(b);
    free(want);
    free(got);
    product_free(&p);
}

/* What was packed comes out again, column by column. */
static void check_unpacked(long n, long k)
{
    product p = product_new(GEMM_NT, 1, n, k);
    real *packed = zero_reals(gemm_packed_reals(numbers, n, k)), *got = zero_reals((size_t)k);
    gemm_pack(numbers, GEMM_NT, n, k, p.b, p.ldb, packed);
    bool same = true;
    for (long j = 0; j < n; j++) {
        gemm_unpack_column(n, k, packed, j, got);
        same = same && same_bits(got, p.b + j * p.ldb, (size_t)k);
    }
    CU_ASSERT(same);
    free(packed);
    free(got);
    product_free(&p);
}

static void test_columns(void)
{
    static const long sizes[][3] = {{1, 1, 1}, {3, 70, 5}, {14, 130, 255}, {33, 64, 300}, {61, 200, 513}};
    for (int i = 0; i < 5; i++) check_columns(sizes[i][0], sizes[i][1], sizes[i][2]);
    for (int i = 0; i < 5; i++) check_unpacked(sizes[i][1], sizes[i][2]);
    for (long n = 1; n < 70; n += 5) check_unpacked(n, 40);
}

static void test_threads(void)
{
    static const int threads[] = {1, 2, 3, 7};
    for (int kind = GEMM_NT; kind <= GEMM_TN; kind++) {
        product p = product_new((enum gemm_kind)kind, 301, 137, 523);
        real *want = NULL;
        size_t size = (size_t)(p.m * p.ldc);
        for (int t = 0; t < 4; t++) {
            team_set_threads(threads[t]);
            real *c = copy_reals(p.c, size);
            gemm(numbers, p.kind, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, NULL, true, c, p.ldc);
            if (want) CU_ASSERT(same_bits(c, want, size));
            if (want)
                free(c);
            else
                want = c;
        }
        free(want);
        product_free(&p);
    }
    team_set_threads(2);
}

static void test_nan(void)
{
    product p = product_new(GEMM_NT, 20, 40, 30);
    p.a[3 * p.lda + 29] = (real)NAN;
    gemm(numbers, p.kind, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, NULL, false, p.c, p.ldc);
    bool good = true;
    for (long i = 0; i < p.m; i++)
        for (long j = 0; j < p.n; j++) good = good && isnan(p.c[i * p.ldc + j]) == (i == 3);
    CU_ASSERT(good);
    product_free(&p);
}

BOTH(test_shapes)
BOTH(test_empty)
BOTH(test_law_of_rows)
BOTH(test_packed)
BOTH(test_parts)
BOTH(test_threads)
BOTH(test_nan)

static CU_TestInfo tests[] = {
    {"shapes, transpositions, distances of rows", both_test_shapes},
    {"nothing to multiply", both_test_empty},
    {"a row has the same bits alone and among others", both_test_law_of_rows},
    {"a packed matrix gives the same bits", both_test_packed},
    {"parts of a packed matrix have the same bits", both_test_parts},
    {"columns that are packed by themselves have the same bits", test_columns},
    {"threads do not change a bit", both_test_threads},
    {"NaN comes through", both_test_nan},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("gemm", tests); }
