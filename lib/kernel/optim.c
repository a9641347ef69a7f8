#include "kernel/optim.h"

#include "base/error.h"
#include "kernel/blocks.h"
#include "kernel/loops/loops.h"

typedef struct {
    real *p, *g, *m, *v;
    const adam_config *config;
} update;

enum { COST = 4 };

static void adam_block(long first, long end, void *context)
{
    const update *c = context;
    loops()->optim->adam(end - first, c->p + first, c->g + first, c->m + first, c->v + first, c->config);
}

void adam(long n, real *p, real *g, real *m, real *v, const adam_config *config)
{
    BUG_IF(config->step < 1);
    blocks_run(n, blocks_size(COST), adam_block, &(update){p, g, m, v, config});
}

typedef struct {
    real *p, *g, *b;
    const sgd_config *config;
} descent;

static void sgd_block(long first, long end, void *context)
{
    const descent *c = context;
    loops()->optim->sgd(end - first, c->p + first, c->g + first, c->b + first, c->config);
}

void sgd(long n, real *p, real *g, real *b, const sgd_config *config)
{
    blocks_run(n, blocks_size(COST), sgd_block, &(descent){p, g, b, config});
}
