#include "train/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/meter.h"
#include "base/team.h"
#include "kernel/optim.h"
#include "kernel/vector.h"

double clip_scale(double norm, double max_norm)
{
    double scale = max_norm / (norm + 1e-6);
    return max_norm > 0 && scale < 1 ? scale : 1;
}

optimizer optimizer_new(params *p, arena *memory)
{
    size_t bytes = p->n_reals * sizeof(real);
    return (optimizer){.of = p, .m = arena_zalloc(memory, bytes), .v = arena_zalloc(memory, bytes)};
}

enum { CLEAR_BLOCK = 1 << 16 };

static void clear_block(long i, void *context)
{
    params *p = context;
    size_t from = (size_t)i * CLEAR_BLOCK, n = p->n_reals - from;
    memset(p->g + from, 0, (n < CLEAR_BLOCK ? n : CLEAR_BLOCK) * sizeof(real));
}

void optimizer_clear(optimizer *o)
{
    METER(METER_GRADIENTS);
    team_run((long)((o->of->n_reals + CLEAR_BLOCK - 1) / CLEAR_BLOCK), clear_block, o->of);
}

double optimizer_norm(const optimizer *o)
{
    METER(METER_GRADIENTS);
    return sqrt(vec_sum_squares((long)o->of->n_reals, o->of->g));
}

void optimizer_step(optimizer *o, double lr, double grad_scale, long step)
{
    METER(METER_OPTIMIZER);
    adam_config config = {.lr = (real)lr,
                          .beta1 = (real)0.9,
                          .beta2 = (real)0.98,
                          .eps = (real)1e-9,
                          .grad_scale = (real)grad_scale,
                          .step = step};
    adam((long)o->of->n_reals, o->of->v, o->of->g, o->m, o->v, &config);
    params_changed(o->of);
}
