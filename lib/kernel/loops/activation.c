#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

/* dx may be dy; an element depends on no other. */
#define BACKWARD(value)                                                                                      \
    if (add)                                                                                                 \
        _Pragma("omp simd") for (long i = 0; i < n; i++) dx[i] += value;                                     \
    else                                                                                                     \
        _Pragma("omp simd") for (long i = 0; i < n; i++) dx[i] = value;

static void relu(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays */
}

/* Both are read in any case, or compilers do not vectorise. */
static inline real if_positive(real y, real x) { return y > 0 ? x : 0; }

static void relu_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)
{
    (void)x;
    BACKWARD(if_positive(y[i], dy[i]))
}

static void hyperbolic(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = real_tanh(x[i]);
}

static void hyperbolic_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)
{
    (void)x;
    BACKWARD(dy[i] * (1 - y[i] * y[i]))
}

static void sigmoid(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = real_sigmoid(x[i]);
}

static void sigmoid_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)
{
    (void)x;
    BACKWARD(dy[i] * y[i] * (1 - y[i]))
}

static void gelu(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) {
        real density;
        y[i] = x[i] * real_normal(x[i], &density);
    }
}

static inline real gelu_slope(real x)
{
    real density, below = real_normal(x, &density);
    return below + x * density;
}

static void gelu_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)
{
    (void)y;
    BACKWARD(dy[i] * gelu_slope(x[i]))
}

static void swish(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = x[i] * real_sigmoid(x[i]);
}

static inline real swish_slope(real x)
{
    real s = real_sigmoid(x);
    return s + x * s * (1 - s);
}

static void swish_back(long n, const real *x, const real *y, const real *dy, bool add, real *dx)
{
    (void)y;
    BACKWARD(dy[i] * swish_slope(x[i]))
}

#define ACTIVATION_FORWARD(name, function, needs_input, gated)  function,
#define ACTIVATION_BACKWARD(name, function, needs_input, gated) function##_back,
const struct activation_loops LOOPS(activation) = {
    .forward = {ACTIVATION_LIST(ACTIVATION_FORWARD)},
    .backward = {ACTIVATION_LIST(ACTIVATION_BACKWARD)},
};
