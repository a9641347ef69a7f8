#include "train/ema.h"

#include <math.h>
#include <string.h>

#include "base/team.h"

enum { BLOCK = 1 << 15 };

typedef struct {
    const ema *e;
    real share; /* of the weights */
} pass;

static long blocks(const ema *e) { return (long)((e->of->n_reals + BLOCK - 1) / BLOCK); }

static size_t block_end(const ema *e, long i)
{
    size_t end = (size_t)(i + 1) * BLOCK;
    return end < e->of->n_reals ? end : e->of->n_reals;
}

static void update_block(long i, void *context)
{
    const pass *p = context;
    const real *w = p->e->of->v;
    real *mean = p->e->mean, share = p->share;
    for (size_t k = (size_t)i * BLOCK, end = block_end(p->e, i); k < end; k++)
        mean[k] += share * (w[k] - mean[k]);
}

static void swap_block(long i, void *context)
{
    const ema *e = context;
    for (size_t k = (size_t)i * BLOCK, end = block_end(e, i); k < end; k++) {
        real w = e->of->v[k];
        e->of->v[k] = e->mean[k];
        e->mean[k] = w;
    }
}

ema ema_new(params *p, double decay, arena *memory)
{
    return (ema){.of = p, .mean = arena_zalloc(memory, p->n_reals * sizeof(real)), .decay = decay};
}

void ema_update(ema *e, long step)
{
    double decay = step == 1 ? 0 : fmin(e->decay, (double)(1 + step) / (double)(10 + step));
    team_run(blocks(e), update_block, &(pass){e, (real)(1 - decay)});
}

void ema_swap(ema *e)
{
    team_run(blocks(e), swap_block, e);
    params_changed(e->of);
}
