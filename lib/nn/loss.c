#include "nn/loss.h"

#include "base/error.h"
#include "base/meter.h"
#include "kernel/gemm.h"
#include "kernel/softmax.h"
#include "kernel/vector.h"
#include "tensor/weights.h"

/* Rows at a time, so that the weights and their gradient come from memory seldom, and classes at a time, so
 * that the logits of a part are in the cache when their exponentials are taken, and again when their gradient
 * is used. Parts lie behind each other. */
enum { ROWS = 256, CLASSES = 4 * GEMM_PART };

typedef struct {
    const tensor *x, *w, *b;
    cross_entropy c; /* of the rows at work */
    real *z;         /* (parts, rows, CLASSES) */
    real *apart;     /* (parts, rows / 2, CLASSES), or NULL */
    real *max;       /* (parts, rows) */
    /* of the rows at work */
    int words[ROWS];
    const real *soft[ROWS];
} block;

static long part_size(const block *k, long first)
{
    long left = k->w->rows - first;
    return left < CLASSES ? left : CLASSES;
}

static real *logits(const block *k, long first) { return k->z + first * ROWS; }
static real *differences(const block *k, long first)
{
    return k->apart ? k->apart + first * (ROWS / 2) : NULL;
}
static real *maxima(const block *k, long first) { return k->max + first / CLASSES * ROWS; }

static void forward(const block *k, const real *x)
{
    cross_entropy_start(&k->c);
    for (long first = 0; first < k->w->rows; first += CLASSES) {
        long n = part_size(k, first);
        real *z = logits(k, first), *apart = differences(k, first);
        weights_forward_part(k->w, first, n, k->c.rows, x, k->x->ld, k->b ? k->b->v : NULL, z, CLASSES);
        if (apart) cross_entropy_apart(&k->c, n, z, CLASSES, apart);
        cross_entropy_add(&k->c, first, n, z, CLASSES, apart, maxima(k, first));
    }
}

static void backward(const block *k, const real *x, bool add, real *dx)
{
    METER_BACK(METER_LOSS);
    for (long first = 0; first < k->w->rows; first += CLASSES) {
        long n = part_size(k, first);
        real *z = logits(k, first);
        cross_entropy_gradient(&k->c, first, n, z, CLASSES, differences(k, first), maxima(k, first));
        weights_backward_part(k->w, first, n, k->c.rows, z, CLASSES, add || first > 0, dx, k->x->ld);
        weights_gradient_part(k->w, first, n, k->c.rows, z, CLASSES, x, k->x->ld);
        if (k->b) col_sum(k->c.rows, n, z, CLASSES, k->b->g + first);
    }
}

static void add_losses(const block *k, loss_sums *sums)
{
    double loss[ROWS], nll[ROWS];
    cross_entropy_loss(&k->c, loss, nll);
    for (long i = 0; i < k->c.rows; i++) {
        sums->loss += loss[i];
        sums->nll += nll[i];
    }
}

static void allocate(block *k, arena *memory)
{
    size_t parts = (size_t)(k->w->rows + CLASSES - 1) / CLASSES;
    k->z = arena_alloc(memory, sizeof(real) * parts * ROWS * CLASSES);
    k->max = arena_alloc(memory, sizeof(real) * parts * ROWS);
    k->c.s = arena_alloc(memory, sizeof *k->c.s * ROWS);
    if (k->c.r_drop > 0) k->apart = arena_alloc(memory, sizeof(real) * parts * (ROWS / 2) * CLASSES);
}

/* Rows from .. from + c.rows. */
static void set_targets(block *k, const loss_targets *targets, const loss_settings *how, int from)
{
    for (int i = 0; i < k->c.rows; i++) {
        int word = targets->place ? targets->place[from + i] : from + i;
        k->words[i] = targets->words[word];
        BUG_IF(k->words[i] < 0 || k->words[i] >= k->w->rows);
        if (how->soft) k->soft[i] = how->soft + (size_t)word * (size_t)k->w->rows;
    }
}

loss_sums nn_loss(tape *t, tensor *x, const tensor *w, const tensor *b, const loss_targets *targets,
                  const loss_settings *how, double scale)
{
    METER(METER_LOSS);
    BUG_IF(x->cols != w->cols || (b && b->rows != w->rows) || x->rows % loss_draws(how));
    loss_sums sums = {0, 0};
    bool add;
    if (t->recording) BUG_IF(!tape_gradient(x, &add));
    arena_mark mark = arena_save(t->memory);
    block k = {.x = x, .w = w, .b = b, .c = {.classes = w->rows}};
    k.c.smoothing = (real)how->smoothing;
    k.c.r_drop = (real)how->r_drop;
    k.c.scale = (real)scale;
    k.c.targets = k.words;
    if (how->soft) {
        k.c.soft = k.soft;
        k.c.soft_share = (real)how->soft_share;
    }
    allocate(&k, t->memory);
    for (int from = 0; from < x->rows; from += ROWS) {
        size_t at = (size_t)from * (size_t)x->ld;
        k.c.rows = x->rows - from < ROWS ? x->rows - from : ROWS;
        set_targets(&k, targets, how, from);
        forward(&k, x->v + at);
        add_losses(&k, &sums);
        if (t->recording) backward(&k, x->v + at, add, x->g + at);
    }
    arena_restore(t->memory, mark);
    return sums;
}
