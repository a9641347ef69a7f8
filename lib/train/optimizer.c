#include "train/optimizer.h"

#include <math.h>

#include "base/meter.h"
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

double optimizer_norm(const optimizer *o)
{
    METER(METER_GRADIENTS);
    return sqrt(vec_sum_squares((long)o->of->n_reals, o->of->g));
}

void optimizer_step(optimizer *o, double lr, double grad_scale, long step)
{
    METER(METER_OPTIMIZER);
    adam_config config = {
        .lr = lr, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-9, .grad_scale = grad_scale, .step = step};
    adam((long)o->of->n_reals, o->of->v, o->of->g, o->m, o->v, &config);
    params_changed(o->of);
}
