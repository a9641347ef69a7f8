#include "kernel/loops/lanes.h"
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void layer_norm(long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                       real *mean, real *rstd)
{
    real m = sum_of(d, x) / (real)d, squares = squares_around(d, m, x);
    real r = 1 / real_sqrt(squares / (real)d + eps);
    for (long i = 0; i < d; i++) y[i] = (x[i] - m) * r * gain[i] + bias[i];
    *mean = m;
    *rstd = r;
}

/* With n = (x - mean) rstd and g = dy gain: dx = rstd (g - mean(g) - n mean(g n)). */
static void layer_norm_back(long d, const real *x, const real *gain, real mean, real rstd, const real *dy,
                            bool add, real *dx, real *dgain, real *dbias)
{
    lanes sum = {{{0}}}, along = {{{0}}};
    long i = 0;
    for (; i + LANES <= d; i += LANES) {
        lanes n = lanes_subtract(lanes_load(x + i), mean), y = lanes_load(dy + i), w = lanes_load(gain + i);
        lanes to_gain = lanes_load(dgain + i), to_bias = lanes_load(dbias + i);
        LANES_UNROLL for (int p = 0; p < LANE_PARTS; p++)
        {
            n.part[p] *= rstd;
            w.part[p] *= y.part[p];
        }
        sum = lanes_add(sum, w);
        along = lanes_add_product(along, w, n);
        lanes_store(dgain + i, lanes_add_product(to_gain, y, n));
        lanes_store(dbias + i, lanes_add(to_bias, y));
    }
    real rest = 0, rest_along = 0;
    for (; i < d; i++) {
        real n = (x[i] - mean) * rstd, g = dy[i] * gain[i];
        rest += g;
        rest_along += g * n;
        dgain[i] += dy[i] * n;
        dbias[i] += dy[i];
    }
    real mean_g = (lanes_sum(sum) + rest) / (real)d, mean_gn = (lanes_sum(along) + rest_along) / (real)d;
    if (add)
#pragma omp simd
        for (long c = 0; c < d; c++)
            dx[c] += rstd * (dy[c] * gain[c] - mean_g - (x[c] - mean) * rstd * mean_gn);
    else
#pragma omp simd
        for (long c = 0; c < d; c++)
            dx[c] = rstd * (dy[c] * gain[c] - mean_g - (x[c] - mean) * rstd * mean_gn);
}

static void rms_norm(long d, const real *x, const real *gain, const real *bias, real eps, real *y, real *mean,
                     real *rstd)
{
    real r = 1 / real_sqrt(squares_around(d, 0, x) / (real)d + eps);
    for (long i = 0; i < d; i++) y[i] = x[i] * r * gain[i];
    (void)bias;
    (void)mean;
    *rstd = r;
}

/* With n = x rstd and g = dy gain: dx = rstd (g - n mean(g n)). */
static void rms_norm_back(long d, const real *x, const real *gain, real mean, real rstd, const real *dy,
                          bool add, real *dx, real *dgain, real *dbias)
{
    lanes along = {{{0}}};
    real rest = 0;
    long i = 0;
    for (; i + LANES <= d; i += LANES) {
        lanes n = lanes_load(x + i), y = lanes_load(dy + i), w = lanes_load(gain + i);
        lanes to_gain = lanes_load(dgain + i);
        LANES_UNROLL for (int p = 0; p < LANE_PARTS; p++)
        {
            n.part[p] *= rstd;
            w.part[p] *= y.part[p];
        }
        along = lanes_add_product(along, w, n);
        lanes_store(dgain + i, lanes_add_product(to_gain, y, n));
    }
    for (; i < d; i++) {
        real n = x[i] * rstd;
        rest += dy[i] * gain[i] * n;
        dgain[i] += dy[i] * n;
    }
    (void)mean;
    (void)dbias;
    real mean_gn = (lanes_sum(along) + rest) / (real)d;
    if (add)
#pragma omp simd
        for (long c = 0; c < d; c++) dx[c] += rstd * (dy[c] * gain[c] - x[c] * rstd * mean_gn);
    else
#pragma omp simd
        for (long c = 0; c < d; c++) dx[c] = rstd * (dy[c] * gain[c] - x[c] * rstd * mean_gn);
}

/* By row of norm_kinds[]. */
const struct norm_loops LOOPS(norm) = {.forward = {layer_norm, rms_norm},
                                       .backward = {layer_norm_back, rms_norm_back}};
