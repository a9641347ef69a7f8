#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void relu(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays */
}

static void relu_back(long n, const real *x, const real *y, const real *dy, real *dx)
{
    (void)x;
    for (long i = 0; i < n; i++) dx[i] += y[i] > 0 ? dy[i] : 0;
}

static void hyperbolic(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = real_tanh(x[i]);
}

static void hyperbolic_back(long n, const real *x, const real *y, const real *dy, real *dx)
{
    (void)x;
    for (long i = 0; i < n; i++) dx[i] += dy[i] * (1 - y[i] * y[i]);
}

static void sigmoid(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) y[i] = real_sigmoid(x[i]);
}

static void sigmoid_back(long n, const real *x, const real *y, const real *dy, real *dx)
{
    (void)x;
    for (long i = 0; i < n; i++) dx[i] += dy[i] * y[i] * (1 - y[i]);
}

static void gelu(long n, const real *x, real *y)
{
    for (long i = 0; i < n; i++) {
        real density;
        y[i] = x[i] * real_normal(x[i], &density);
    }
}

static void gelu_back(long n, const real *x, const real *y, const real *dy, real *dx)
{
    (void)y;
    for (long i = 0; i < n; i++) {
        real density, below = real_normal(x[i], &density);
        dx[i] += dy[i] * (below + x[i] * density);
    }
}

const struct activation_loops LOOPS(activation) = {
    .forward = {relu, hyperbolic, sigmoid, gelu},
    .backward = {relu_back, hyperbolic_back, sigmoid_back, gelu_back},
};
