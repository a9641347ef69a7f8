/* The errors of exp, tanh, sigmoid and gelu, in units in the last place of the result, over all magnitudes:
 * the bounds that lib/kernel/loops/math.h states, which are those of the float functions. */
#include "kernel/activation.h"
#include "kernel/softmax.h"
#include "kernel_suite.h"

enum { N = 1 << 19 };

/* Half of the numbers evenly in -size .. size, half evenly in magnitude from 1e-30 on. */
static void spread(real *x, double size)
{
    for (int i = 0; i < N / 2; i++) x[i] = (real)(size * (4.0 * i / N - 1));
    for (int i = N / 2; i < N; i++) {
        double part = (double)(i - N / 2) / (N / 2);
        x[i] = (real)((i % 2 ? 1 : -1) * 1e-30 * pow(size * 1e30, part));
    }
}

/* Units in the last place of `want` between it and x. */
static double units(real x, double want)
{
    double size = fabs(want) < FLT_MIN ? FLT_MIN : fabs(want);
    int exponent;
    frexp(size, &exponent);
    return fabs((double)x - want) / (ldexp(EPSILON, exponent - 1));
}

typedef double (*reference)(double x);

static double worst(const real *x, const real *y, reference f, double *where)
{
    double most = 0;
    for (int i = 0; i < N; i++) {
        double off = units(y[i], f((double)x[i]));
        if (!(off <= most)) {
            most = off;
            *where = (double)x[i];
        }
    }
    return most;
}

static void check(const char *name, const real *x, const real *y, reference f, double bound)
{
    double where = 0, most = worst(x, y, f, &where);
    if (!(most <= bound)) printf("\n      [%s] %s(%.9g) is off by %.3f units", isa_name(), name, where, most);
    CU_ASSERT(most <= bound);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double gelu(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }

static void check_activation(const char *name, double size, reference f, double bound)
{
    real *x = xmalloc(N * sizeof *x), *y = xmalloc(N * sizeof *y);
    spread(x, size);
    activation_find(name)->forward(N, x, y);
    check(name, x, y, f, bound);
    free(x), free(y);
}

static void test_tanh(void) { check_activation("tanh", 12, tanh, 3); }
static void test_sigmoid(void) { check_activation("sigmoid", 80, sigmoid, 3); }
static void test_gelu(void) { check_activation("gelu", 5, gelu, 24); }

/* exp(z - 0) of numbers below 0, as the softmax of rows [0, z]. */
static void test_exp(void)
{
    real *x = xmalloc(N * sizeof *x), *y = zero_reals(2 * N), *max = zero_reals(N);
    int *target = xcalloc(N, sizeof *target);
    class_sums *s = xmalloc(N * sizeof *s);
    spread(x, 87);
    for (int i = 0; i < N; i++) x[i] = -(x[i] < 0 ? -x[i] : x[i]), y[2 * i + 1] = x[i];
    cross_entropy c = {.rows = N, .classes = 2, .targets = target, .s = s};
    cross_entropy_start(&c);
    cross_entropy_add(&c, 0, 2, y, 2, NULL, max);
    for (int i = 0; i < N; i++) y[i] = y[2 * i + 1];
    check("exp", x, y, exp, 1.5);
    free(x), free(y), free(max), free(target), free(s);
}

/* Far out: zero, not something small; NaN stays. */
static void test_ends(void)
{
    real z[] = {0, -90, -1000, -(real)INFINITY, (real)NAN}, max;
    int target = 0;
    class_sums s;
    cross_entropy c = {.rows = 1, .classes = 5, .targets = &target, .s = &s};
    cross_entropy_start(&c);
    cross_entropy_add(&c, 0, 4, z, 5, NULL, &max);
    CU_ASSERT(z[0] == 1 && (double)z[1] < 1e-38 && z[2] == 0 && z[3] == 0);
    cross_entropy_start(&c);
    cross_entropy_add(&c, 0, 5, z, 5, NULL, &max);
    CU_ASSERT(isnan(z[4]) && isnan(s.sum));
}

static CU_TestInfo tests[] = {
    {"exp", test_exp},   {"tanh", test_tanh}, {"sigmoid", test_sigmoid},
    {"gelu", test_gelu}, {"ends", test_ends}, CU_TEST_INFO_NULL,
};

int main(void) { return suite_run_isas("math", tests); }
