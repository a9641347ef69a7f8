#include "base/meter.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

const char *const meter_names[METER_KINDS] = {
    [METER_OTHER] = "other",
    [METER_WAITING] = "waiting",
    [METER_PACKING] = "weights packed",
    [METER_INPUT] = "input",
    [METER_EMBEDDING] = "embedding",
    [METER_LINEAR] = "linear",
    [METER_ATTENTION] = "attention",
    [METER_ACTIVATION] = "activation",
    [METER_DROPOUT] = "dropout, residual",
    [METER_NORM] = "norm",
    [METER_ROWS] = "rows moved",
    [METER_RECURRENT_PRODUCTS] = "recurrent products",
    [METER_CELL] = "recurrent cell",
    [METER_RECURRENT_ATTENTION] = "recurrent attention",
    [METER_LOSS] = "output layer, loss",
    [METER_GRADIENTS] = "gradients summed",
    [METER_OPTIMIZER] = "optimizer",
};

/* What one thread did. Kept for the life of the process: threads of a team stay, too. */
typedef struct counter {
    struct counter *next;
    long run; /* of meter_start that the numbers belong to */
    meter_place at;
    double since;
    meter_work of[METER_KINDS * 2];
} counter;

bool meter_is_on = false;

static _Atomic(counter *) counters = NULL;
static _Thread_local counter *mine = NULL;
static long run = 0;
static clockid_t clock_used = CLOCK_MONOTONIC;

static double now(void)
{
    struct timespec t;
    clock_gettime(clock_used, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static counter *new_counter(void)
{
    counter *c = xcalloc(1, sizeof *c);
    c->next = atomic_load(&counters);
    while (!atomic_compare_exchange_weak(&counters, &c->next, c)) {
    }
    return c;
}

/* This thread's counter, from zero if it is the first time in this run. */
static counter *own(void)
{
    if (!mine) mine = new_counter();
    if (mine->run != run) {
        memset(mine->of, 0, sizeof mine->of);
        mine->run = run;
        mine->at = METER_FORWARD(METER_WAITING);
        mine->since = now();
    }
    return mine;
}

meter_place meter_change(meter_place to)
{
    counter *c = own();
    meter_place before = c->at;
    double t = now();
    c->of[before].seconds += t - c->since;
    c->since = t;
    c->at = to;
    return before;
}

meter_place meter_here(void) { return own()->at; }

static enum meter_kind kind_of_product(meter_place at)
{
    enum meter_kind kind = (enum meter_kind)(at / 2);
    return kind == METER_CELL || kind == METER_RECURRENT_ATTENTION ? METER_RECURRENT_PRODUCTS : kind;
}

meter_place meter_change_to_product(double flops)
{
    counter *c = own();
    meter_place here = c->at, there = METER_FORWARD(kind_of_product(here)) + here % 2;
    c->of[there].flops += flops;
    return here == there ? METER_WAS_OFF : meter_change(there);
}

void meter_count_flops(double flops)
{
    counter *c = own();
    c->of[c->at].flops += flops;
}

void meter_start(enum meter_clock clock)
{
    clock_used = clock == METER_CPU ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    run++;
    meter_is_on = true;
    own()->at = METER_FORWARD(METER_OTHER);
}

void meter_stop(void)
{
    if (meter_is_on) meter_change(METER_FORWARD(METER_OTHER));
    meter_is_on = false;
}

static void add(meter_work *sum, const meter_work *w)
{
    sum->seconds += w->seconds;
    sum->flops += w->flops;
}

meter_sums meter_read(void)
{
    meter_sums sums = {.all = {0, 0}};
    for (const counter *c = atomic_load(&counters); c; c = c->next) {
        if (c->run != run) continue;
        for (int place = 0; place < METER_KINDS * 2; place++) {
            add(&sums.of[place / 2][place % 2], &c->of[place]);
            add(&sums.all, &c->of[place]);
        }
    }
    return sums;
}
