#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

/* Moments decay geometrically where there is no gradient (rare words) and would end as subnormal
 * numbers, which many processors add a hundred times slower; they are far below what eps hides. */
static inline real no_subnormal(real x) { return real_abs(x) < (real)1e-30 ? 0 : x; }

static void adam_some(long n, real *p, real *g, real *m, real *v, const adam_config *config)
{
    const double t = (double)config->step;
    const real b1 = (real)config->beta1, b2 = (real)config->beta2;
    const real new1 = (real)(1 - config->beta1), new2 = (real)(1 - config->beta2);
    const real eps = (real)config->eps, scale = (real)config->grad_scale;
    const real rate = (real)(config->lr / (1 - pow(config->beta1, t)));
    const real root = (real)(1 / sqrt(1 - pow(config->beta2, t)));
    const real decay = (real)(config->decoupled ? config->lr * config->weight_decay : 0);
    const real l2 = (real)(config->decoupled ? 0 : config->weight_decay);
#pragma omp simd
    for (long i = 0; i < n; i++) {
        real gradient = scale * g[i] + l2 * p[i];
        g[i] = 0;
        m[i] = no_subnormal(b1 * m[i] + new1 * gradient);
        v[i] = no_subnormal(b2 * v[i] + new2 * gradient * gradient);
        p[i] -= decay * p[i] + rate * m[i] / (real_sqrt(v[i]) * root + eps);
    }
}

static void sgd_some(long n, real *p, real *g, real *b, const sgd_config *config)
{
    const real lr = (real)config->lr, momentum = (real)config->momentum, l2 = (real)config->weight_decay;
    const real scale = (real)config->grad_scale;
#pragma omp simd
    for (long i = 0; i < n; i++) {
        b[i] = no_subnormal(momentum * b[i] + scale * g[i] + l2 * p[i]);
        g[i] = 0;
        p[i] -= lr * b[i];
    }
}

const struct optim_loops LOOPS(optim) = {.adam = adam_some, .sgd = sgd_some};
