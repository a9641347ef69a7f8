#include "kernel/blocks.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

typedef struct {
    long n, block;
    void (*body)(long first, long end, void *context);
    void *context;
} cut;

static void cut_task(long i, void *context)
{
    const cut *c = context;
    long first = i * c->block, end = first + c->block;
    c->body(first, end < c->n ? end : c->n, c->context);
}

void blocks_run(long n, long block, void (*body)(long first, long end, void *context), void *context)
{
    if (n <= 0) return;
    if (n <= block) {
        body(0, n, context);
        return;
    }
    cut c = {n, block, body, context};
    team_run((n + block - 1) / block, cut_task, &c);
}

long blocks_size(long cost)
{
    enum { BLOCK = 1 << 15 };
    return cost >= BLOCK ? 1 : BLOCK / (cost < 1 ? 1 : cost);
}

/* By rank, not thread-local: a team that grows and shrinks would lose what its threads held. */
static struct {
    void *memory;
    size_t bytes;
} held[TEAM_MOST][SCRATCH_SLOTS];

void *scratch(enum scratch_slot slot, size_t bytes)
{
    int rank = team_rank();
    BUG_IF(rank >= TEAM_MOST);
    if (held[rank][slot].bytes < bytes) {
        size_t size = bytes + bytes / 2;
        free(held[rank][slot].memory);
        held[rank][slot].memory = pages_alloc(&size);
        held[rank][slot].bytes = size;
    }
    return held[rank][slot].memory;
}
