#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

/* Moments decay geometrically where there is no gradient (rare words) and would end as subnormal
 * numbers, which many processors add a hundred times slower; they are far below what eps hides. */
static inline real no_subnormal(real x) { return real_abs(x) < (real)1e-30 ? 0 : x; }

static void adam_some(long n, real *p, const real *g, real *m, real *v, const adam_config *config)
{
    const double t = (double)config->step;
    const real b1 = config->beta1, b2 = config->beta2, eps = config->eps, scale = config->grad_scale;
    const real rate = (real)((double)config->lr / (1 - pow((double)b1, t)));
    const real root = (real)(1 / sqrt(1 - pow((double)b2, t)));
    const real decay = config->decoupled ? config->lr * config->weight_decay : 0;
    const real l2 = config->decoupled ? 0 : config->weight_decay;
#pragma omp simd
    for (long i = 0; i < n; i++) {
        real gradient = scale * g[i] + l2 * p[i];
        m[i] = no_subnormal(b1 * m[i] + (1 - b1) * gradient);
        v[i] = no_subnormal(b2 * v[i] + (1 - b2) * gradient * gradient);
        p[i] -= decay * p[i] + rate * m[i] / (real_sqrt(v[i]) * root + eps);
    }
}

const struct optim_loops LOOPS(optim) = {.adam = adam_some};
