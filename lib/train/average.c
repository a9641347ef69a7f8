#include "train/average.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

weight_mean weight_mean_new(params *p)
{
    return (weight_mean){.of = p, .sums = xcalloc(p->n_reals + 1, sizeof(double))};
}

void weight_mean_add(weight_mean *m)
{
    for (size_t i = 0; i < m->of->n_reals; i++) m->sums[i] += (double)m->of->v[i];
    m->n++;
}

void weight_mean_take(weight_mean *m)
{
    BUG_IF(m->n == 0);
    for (size_t i = 0; i < m->of->n_reals; i++) m->of->v[i] = (real)(m->sums[i] / m->n);
    params_changed(m->of);
}

void weight_mean_free(weight_mean *m)
{
    free(m->sums);
    *m = (weight_mean){0};
}
