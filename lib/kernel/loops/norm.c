#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void layer_norm(long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                       real *mean, real *rstd)
{
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (long i = 0; i < d; i++) sum += x[i];
    real m = sum / (real)d;
#pragma omp simd reduction(+ : squares)
    for (long i = 0; i < d; i++) squares += (x[i] - m) * (x[i] - m);
    real r = 1 / real_sqrt(squares / (real)d + eps);
    for (long i = 0; i < d; i++) y[i] = (x[i] - m) * r * gain[i] + bias[i];
    *mean = m;
    *rstd = r;
}

/* With n = (x - mean) rstd and g = dy gain: dx = rstd (g - mean(g) - n mean(g n)). */
static void layer_norm_back(long d, const real *x, const real *gain, real mean, real rstd, const real *dy,
                            real *dx, real *dgain, real *dbias)
{
    real sum = 0, along = 0;
#pragma omp simd reduction(+ : sum, along)
    for (long i = 0; i < d; i++) {
        real n = (x[i] - mean) * rstd, g = dy[i] * gain[i];
        sum += g;
        along += g * n;
        dgain[i] += dy[i] * n;
        dbias[i] += dy[i];
    }
    sum /= (real)d;
    along /= (real)d;
#pragma omp simd
    for (long i = 0; i < d; i++) dx[i] += rstd * (dy[i] * gain[i] - sum - (x[i] - mean) * rstd * along);
}

const struct norm_loops LOOPS(norm) = {.layer_norm = layer_norm, .layer_norm_back = layer_norm_back};
