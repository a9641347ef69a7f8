#include "kernel/int8.h"
#include "kernel_suite.h"

/* A product with room to spare: what lies between rows is NaN in A and W (reading it would show) and a mark
 * in C (writing it would show). */
typedef struct {
    long m, n, k, lda, ldw, ldc;
    real *a, *w, *c, *bias;
    void *packed;
} product;

enum { MARK = 77 };

static void spoil(real *x, long rows, long cols, long ld, real value)
{
    for (long r = 0; r < rows; r++)
        for (long c = cols; c < ld; c++) x[r * ld + c] = value;
}

static void pack(product *p)
{
    size_t bytes = int8_packed_bytes(p->n, p->k);
    free(p->packed);
    p->packed = pages_alloc(&bytes);
    int8_pack(p->n, p->k, p->w, p->ldw, p->packed);
}

static product product_new(long m, long n, long k)
{
    product p = {.m = m, .n = n, .k = k, .lda = k + 5, .ldw = k + 2, .ldc = n + 3};
    p.a = random_reals((size_t)(m * p.lda), 3, 1);
    p.w = random_reals((size_t)(n * p.ldw), 0.2, 2);
    p.c = random_reals((size_t)(m * p.ldc), 1, 3);
    p.bias = random_reals((size_t)n, 1, 4);
    spoil(p.a, m, k, p.lda, (real)NAN);
    spoil(p.w, n, k, p.ldw, (real)NAN);
    spoil(p.c, m, n, p.ldc, MARK);
    pack(&p);
    return p;
}

static void product_free(product *p)
{
    free(p->a);
    free(p->w);
    free(p->c);
    free(p->bias);
    free(p->packed);
}

static real *row(real *of, long i, long ld) { return of + i * ld; }

/* Row i of x by the words of kernel/int8.h: whole numbers, and what they are multiplied with. */
static real quantised(long k, const real *x, int *q)
{
    real most = 0;
    for (long p = 0; p < k; p++) most = (real)fabs((double)x[p]) > most ? (real)fabs((double)x[p]) : most;
    for (long p = 0; p < k; p++) {
        real scaled = x[p] * (127 / most);
        q[p] = most > 0 ? (int)lrint((double)scaled) : 0;
    }
    return most > 0 ? most / 127 : 0;
}

static real *reference(product *p, bool add, bool bias)
{
    real *want = copy_reals(p->c, (size_t)(p->m * p->ldc));
    int *x = xmalloc(((size_t)p->k + 1) * sizeof *x), *w = xmalloc(((size_t)p->k + 1) * sizeof *w);
    for (long j = 0; j < p->n; j++) {
        real sw = quantised(p->k, row(p->w, j, p->ldw), w);
        for (long i = 0; i < p->m; i++) {
            real sx = quantised(p->k, row(p->a, i, p->lda), x), *to = want + i * p->ldc + j, scale = sx * sw;
            long long dot = 0;
            for (long q = 0; q < p->k; q++) dot += (long long)x[q] * w[q];
            real y = (real)dot * scale;
            *to = add ? *to + y : bias ? y + p->bias[j] : y;
        }
    }
    free(x);
    free(w);
    return want;
}

/* The bits of the definition, those of marks included, with every instruction set. */
static bool product_right(product *p, bool add, bool bias)
{
    size_t size = (size_t)(p->m * p->ldc);
    real *want = reference(p, add, bias), *got = copy_reals(p->c, size);
    int8_product(p->m, p->n, p->k, p->a, p->lda, p->packed, bias ? p->bias : NULL, add, got, p->ldc);
    bool good = same_bits(got, want, size);
    free(want);
    free(got);
    return good;
}

static void check_shape(long m, long n, long k)
{
    product p = product_new(m, n, k);
    CU_ASSERT(product_right(&p, false, false));
    CU_ASSERT(product_right(&p, true, false));
    CU_ASSERT(product_right(&p, false, true));
    product_free(&p);
}

static void test_shapes(void)
{
    static const long rows[] = {0, 1, 2, 3, 5, 13, 15}, cols[] = {0, 1, 15, 16, 17, 33, 100},
                      depths[] = {0, 1, 2, 3, 4, 7, 65, 130};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            for (int l = 0; l < 8; l++) check_shape(rows[i], cols[j], depths[l]);
    check_shape(130, 65, 600);
    check_shape(4, 3000, 20);
    check_shape(300, 130, 70);
    check_shape(3, 40, 2048);
}

/* Every product is +-127 x 127: instructions that saturate would show. */
static void check_extreme(long k, int sign_a, int sign_w, long period)
{
    product p = product_new(3, 33, k);
    for (long i = 0; i < p.m; i++)
        for (long q = 0; q < k; q++) row(p.a, i, p.lda)[q] = (real)((q % period ? 1 : sign_a) * 127);
    for (long j = 0; j < p.n; j++)
        for (long q = 0; q < k; q++) row(p.w, j, p.ldw)[q] = (real)((q % period ? 1 : sign_w) * 127);
    pack(&p);
    long rest = k - (k + period - 1) / period;
    double want = 127.0 * 127.0 * (double)(sign_a * sign_w * (k - rest) + rest);
    bool good = true;
    int8_product(p.m, p.n, k, p.a, p.lda, p.packed, NULL, false, p.c, p.ldc);
    for (long i = 0; i < p.m; i++)
        for (long j = 0; j < p.n; j++) good = good && row(p.c, i, p.ldc)[j] == (real)want;
    CU_ASSERT(good);
    product_free(&p);
}

static void test_extremes(void)
{
    static const long depths[] = {1, 2, 4, 63, 512, 4096, INT8_MOST_K};
    for (int i = 0; i < 7; i++)
        for (long period = 1; period <= 3; period++)
            for (int signs = 0; signs < 4; signs++)
                check_extreme(depths[i], signs & 1 ? 1 : -1, signs & 2 ? 1 : -1, period);
}

/* Rows first .. first + rows of p, computed alone. */
static bool rows_equal(product *p, const real *want, long first, long rows)
{
    real *c = zero_reals((size_t)(rows * p->n));
    int8_product(rows, p->n, p->k, row(p->a, first, p->lda), p->lda, p->packed, p->bias, false, c, p->n);
    bool good = true;
    for (long i = 0; i < rows; i++)
        good = good && same_bits(c + i * p->n, want + (first + i) * p->ldc, (size_t)p->n);
    free(c);
    return good;
}

static void test_law_of_rows(void)
{
    enum { ROWS = 200 };
    product p = product_new(ROWS, 67, 130);
    for (long i = 0; i < ROWS; i++) /* scales that differ */
        for (long q = 0; q < p.k; q++) row(p.a, i, p.lda)[q] *= (real)(i % 13 * 10 + 1);
    int8_product(ROWS, p.n, p.k, p.a, p.lda, p.packed, p.bias, false, p.c, p.ldc);
    bool alone = true, first = true, last = true;
    for (long m = 1; m <= ROWS; m++) {
        alone = alone && rows_equal(&p, p.c, m - 1, 1);
        first = first && rows_equal(&p, p.c, 0, m);
        last = last && rows_equal(&p, p.c, ROWS - m, m);
    }
    CU_ASSERT(alone);
    CU_ASSERT(first);
    CU_ASSERT(last);
    product_free(&p);
}

/* Outputs in another order and some of them twice, each packed by itself into what held other numbers. */
static void check_columns(long m, long n, long k)
{
    product p = product_new(m, n, k);
    long all = (n / INT8_COLUMNS + 2) * INT8_COLUMNS, used = all - INT8_COLUMNS;
    size_t bytes = int8_packed_bytes(all, k);
    void *packed = pages_alloc(&bytes);
    memset(packed, 0x55, bytes);
    real *c = zero_reals((size_t)(m * used));
    int8_product(m, n, k, p.a, p.lda, p.packed, NULL, false, p.c, p.ldc);
    int8_clear_columns(all, k, 0, used, packed);
    for (long j = 0; j < used; j++)
        int8_pack_column(all, k, used - 1 - j, row(p.w, j * 7 % n, p.ldw), packed);
    int8_product_columns(m, used, k, p.a, p.lda, packed, all, NULL, false, c, used);
    bool same = true;
    for (long i = 0; i < m; i++)
        for (long j = 0; j < used; j++)
            same = same && same_bits(c + i * used + used - 1 - j, p.c + i * p.ldc + j * 7 % n, 1);
    CU_ASSERT(same);
    free(packed);
    free(c);
    product_free(&p);
}

static void test_columns(void)
{
    static const long sizes[][3] = {{1, 1, 1}, {3, 70, 5}, {14, 130, 255}, {33, 64, 300}, {61, 200, 513}};
    for (int i = 0; i < 5; i++) check_columns(sizes[i][0], sizes[i][1], sizes[i][2]);
}

static void test_threads(void)
{
    static const int threads[] = {1, 2, 3, 7};
    product p = product_new(301, 537, 223);
    for (int t = 0; t < 4; t++) {
        team_set_threads(threads[t]);
        CU_ASSERT(product_right(&p, false, true));
    }
    team_set_threads(2);
    product_free(&p);
}

/* The bound of kernel/int8.h against the product of the numbers before they were quantised. */
static void test_error(void)
{
    product p = product_new(5, 40, 300);
    int x[300], w[300];
    int8_product(p.m, p.n, p.k, p.a, p.lda, p.packed, NULL, false, p.c, p.ldc);
    bool within = true, differs = false;
    for (long i = 0; i < p.m; i++)
        for (long j = 0; j < p.n; j++) {
            const real *a = row(p.a, i, p.lda), *b = row(p.w, j, p.ldw);
            double s = (double)quantised(p.k, a, x) * (double)quantised(p.k, b, w), exact = 0;
            double sum = (double)p.k / 2, got = (double)row(p.c, i, p.ldc)[j];
            for (long q = 0; q < p.k; q++) {
                exact += (double)a[q] * (double)b[q];
                sum += abs(x[q]) + abs(w[q]);
            }
            within = within && fabs(got - exact) <= s / 2 * sum * (1 + 100 * EPSILON);
            differs = differs || fabs(got - exact) > 1e-5;
        }
    CU_ASSERT(within);
    CU_ASSERT(differs);
    product_free(&p);
}

/* Rows that have no largest number, or one that is as good as none, and what they leave of the others. */
static void test_odd_rows(void)
{
    product p = product_new(20, 40, 37);
    row(p.a, 3, p.lda)[36] = (real)NAN;
    row(p.a, 4, p.lda)[0] = (real)INFINITY;
    row(p.a, 5, p.lda)[17] = (real)-NAN;
    for (long q = 0; q < p.k; q++) row(p.a, 6, p.lda)[q] = 0;
    for (long q = 0; q < p.k; q++) row(p.a, 7, p.lda)[q] = (real)1e-40;
    for (long q = 0; q < p.k; q++) row(p.a, 8, p.lda)[q] = (real)(q % 2 ? 1e37 : -1e37);
    int8_product(p.m, p.n, p.k, p.a, p.lda, p.packed, p.bias, false, p.c, p.ldc);
    bool none = true, zero = true, others = true;
    for (long j = 0; j < p.n; j++) {
        for (long i = 3; i < 6; i++) none = none && isnan(row(p.c, i, p.ldc)[j]);
        for (long i = 6; i < 8; i++) zero = zero && row(p.c, i, p.ldc)[j] == p.bias[j];
        for (long i = 8; i < p.m; i++) others = others && isfinite(row(p.c, i, p.ldc)[j]);
    }
    CU_ASSERT(none);
    CU_ASSERT(zero);
    CU_ASSERT(others);
    product_free(&p);
}

static CU_TestInfo tests[] = {
    {"shapes: the bits of the definition", test_shapes},
    {"nothing saturates", test_extremes},
    {"a row has the same bits alone and among others", test_law_of_rows},
    {"columns that are packed by themselves have the same bits", test_columns},
    {"threads do not change a bit", test_threads},
    {"errors are within their bound", test_error},
    {"NaN, infinity, nothing, very large and very small", test_odd_rows},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("int8", tests); }
