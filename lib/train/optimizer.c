#include "train/optimizer.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/meter.h"
#include "kernel/optim.h"
#include "kernel/vector.h"

double clip_scale(double norm, double max_norm)
{
    double scale = max_norm / (norm + 1e-6);
    return max_norm > 0 && scale < 1 ? scale : 1;
}

static void adam_step(optimizer *o, double lr, double grad_scale, long step)
{
    adam_config config = {.lr = lr,
                          .beta1 = o->set.beta1,
                          .beta2 = o->set.beta2,
                          .eps = o->set.eps,
                          .weight_decay = o->set.weight_decay,
                          .decoupled = o->set.kind == OPTIMIZER_ADAMW,
                          .grad_scale = grad_scale,
                          .step = step};
    adam((long)o->of->n_reals, o->of->v, o->of->g, o->moments[0], o->moments[1], &config);
}

static void sgd_step(optimizer *o, double lr, double grad_scale, long step)
{
    (void)step;
    sgd_config config = {
        .lr = lr, .momentum = o->set.momentum, .weight_decay = o->set.weight_decay, .grad_scale = grad_scale};
    sgd((long)o->of->n_reals, o->of->v, o->of->g, o->moments[0], &config);
}

static const char *const adam_options[] = {"beta1", "beta2", "adam-eps", NULL};
static const char *const sgd_options[] = {"momentum", NULL};

const optimizer_row optimizers[] = {
    [OPTIMIZER_ADAM] = {"adam", {"adam.m.", "adam.v."}, 0, adam_options, adam_step},
    [OPTIMIZER_ADAMW] = {"adamw", {"adam.m.", "adam.v."}, 0.01, adam_options, adam_step},
    [OPTIMIZER_SGD] = {"sgd", {"sgd.b."}, 0, sgd_options, sgd_step},
    {.name = NULL},
};

int optimizer_find(const char *name)
{
    for (int i = 0; optimizers[i].name; i++)
        if (strcmp(optimizers[i].name, name) == 0) return i;
    return -1;
}

static bool listed(const char *const *list, const char *option)
{
    for (; *list; list++)
        if (strcmp(*list, option) == 0) return true;
    return false;
}

bool optimizer_uses(enum optimizer_kind kind, const char *option)
{
    bool of_any = false;
    for (const optimizer_row *row = optimizers; row->name; row++) of_any |= listed(row->options, option);
    return !of_any || listed(optimizers[kind].options, option);
}

optimizer_settings optimizer_defaults(enum optimizer_kind kind)
{
    return (optimizer_settings){.kind = kind,
                                .weight_decay = optimizers[kind].weight_decay,
                                .beta1 = 0.9,
                                .beta2 = 0.98,
                                .eps = 1e-9,
                                .momentum = 0.9};
}

/* Memory of the k-th of the arrays that a step reads, values and gradients being the first. */
static real *moment_alloc(size_t n, size_t k, arena *memory)
{
    enum { PAGE = 4096 };
    char *base = arena_zalloc(memory, n * sizeof(real) + PAGE + k * PAGES_APART);
    return (real *)(void *)(base + (PAGE - (uintptr_t)base % PAGE) % PAGE + k * PAGES_APART);
}

optimizer optimizer_new(params *p, const optimizer_settings *settings, arena *memory)
{
    optimizer o = {.row = &optimizers[settings->kind], .set = *settings, .of = p};
    for (size_t i = 0; o.row->moments[i]; i++) o.moments[i] = moment_alloc(p->n_reals, i + 2, memory);
    return o;
}

double optimizer_norm(const optimizer *o)
{
    METER(METER_GRADIENTS);
    return sqrt(vec_sum_squares((long)o->of->n_reals, o->of->g));
}

void optimizer_step(optimizer *o, double lr, double grad_scale, long step)
{
    METER(METER_OPTIMIZER);
    o->row->step(o, lr, grad_scale, step);
    params_changed(o->of);
}
