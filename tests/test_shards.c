/* Batches in shards: whole, in order, and with the same bits at any number of threads. */
#include "train/shards.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/team.h"
#include "networks.h"
#include "suite.h"

/* --------------------------------------------------------------------------------- in order */

enum { TASKS = 100, SLOTS = 4 };

typedef struct {
    int held[SLOTS];      /* by a task that is not committed */
    long value[SLOTS];    /* what the task left there */
    long order[TASKS], n; /* commits */
    bool wrong;
} ordered_run;

static void leave(long i, int slot, void *context)
{
    ordered_run *r = context;
    volatile long busy = 0;
    for (long k = 0; k < (i * 7919) % 20000; k++) busy += k; /* tasks end out of order */
    if (r->held[slot]++) r->wrong = true;
    r->value[slot] = i;
}

static void collect(long i, int slot, void *context)
{
    ordered_run *r = context;
    if (r->value[slot] != i || r->n != i) r->wrong = true;
    r->order[r->n++] = i;
    r->held[slot]--;
}

static void check_order(int threads, int slots)
{
    static ordered_run r;
    memset(&r, 0, sizeof r);
    team_set_threads(threads);
    team_run_ordered(TASKS, slots, leave, collect, &r);
    CU_ASSERT(r.n == TASKS && !r.wrong);
}

static void test_order(void)
{
    static const int threads[] = {1, 2, 3, 7};
    for (int i = 0; i < 4; i++)
        for (int slots = 1; slots <= SLOTS; slots++) check_order(threads[i], slots);
    ordered_run none = {.wrong = false};
    team_run_ordered(0, 2, leave, collect, &none);
    CU_ASSERT(none.n == 0);
    team_set_threads(2);
}

/* -------------------------------------------------------------------------------- gradients */

static pair_batch random_batch(int sentences, int longest, uint64_t seed)
{
    return (pair_batch){network_sentences(sentences, 0, longest, 11, seed),
                        network_sentences(sentences, 0, longest, 11, seed + 1)};
}

static void batch_free(pair_batch *b)
{
    seqs_free(&b->src);
    seqs_free(&b->tgt);
}

typedef struct {
    int threads;
    bool large; /* as networks are that have one copy of gradients */
    bool recompute;
    bool bf16;
    int teachers; /* 0 .. 2 */
} ways;

typedef struct {
    double loss;
    size_t bytes; /* of memory */
} gradient_cost;

static model *teacher_new(const net_config *c, uint64_t seed)
{
    model *m = model_new(c, false);
    model_init(m, seed);
    params_freeze(model_params(m), PRECISION_FP32);
    return m;
}

/* Gradients of the batch with so many threads, copied out of the network. */
static real *gradients_by(const net_config *c, const pair_batch *b, const ways *w, gradient_cost *cost)
{
    team_set_threads(w->threads);
    model *m = model_new(c, true);
    params *p = model_params(m);
    model_init(m, 3);
    if (w->bf16) params_multiply_bf16(p);
    shards *s = shards_new_sized(m, w->large);
    model *others[] = {teacher_new(c, 8), teacher_new(c, 9)};
    gradient_settings how = {.seed = 5, .update = 7, .dropout = 1, .recompute = w->recompute};
    how.loss = (loss_settings){.smoothing = 0.1, .r_drop = 1, .soft_share = 0.5};
    how.teachers = (teachers){others, w->teachers};
    model_sums sums = shards_gradients(s, b, &how);
    CU_ASSERT(sums.words == (long)(seqs_total(&b->tgt) + b->tgt.n));
    *cost = (gradient_cost){sums.loss, shards_bytes(s)};
    real *g = xmalloc(p->n_reals * sizeof *g);
    memcpy(g, p->g, p->n_reals * sizeof *g);
    shards_free(s);
    model_free(m);
    for (int i = 0; i < 2; i++) model_free(others[i]);
    team_set_threads(2);
    return g;
}

static real *gradients_of(const net_config *c, const pair_batch *b, const ways *w, double *loss)
{
    gradient_cost cost;
    real *g = gradients_by(c, b, w, &cost);
    *loss = cost.loss;
    return g;
}

static size_t size_of(const net_config *c)
{
    model *m = model_new(c, false);
    size_t n = model_params(m)->n_reals;
    model_free(m);
    return n;
}

static void check_threads(const net_config *c, const pair_batch *b, ways w)
{
    static const int threads[] = {2, 3, 7};
    double loss, other;
    w.threads = 1;
    real *want = gradients_of(c, b, &w, &loss);
    for (int i = 0; i < 3; i++) {
        w.threads = threads[i];
        real *got = gradients_of(c, b, &w, &other);
        CU_ASSERT(memcmp(got, want, size_of(c) * sizeof *got) == 0);
        CU_ASSERT(other == loss);
        free(got);
    }
    free(want);
}

/* Batches of one shard, of a few, and of more than threads and slots. */
static void test_threads(void)
{
    static const int sentences[] = {1, 20, 100, 900};
    net_config c;
    for (int pair = 0; network_pair(pair, &c); pair++)
        for (int i = 0; i < 4; i++) {
            pair_batch b = random_batch(sentences[i], 18, 11 + (uint64_t)i);
            check_threads(&c, &b, (ways){0});
            check_threads(&c, &b, (ways){.large = true});
            check_threads(&c, &b, (ways){.bf16 = true});
            check_threads(&c, &b, (ways){.teachers = 2});
            batch_free(&b);
        }
}

/* Each teacher is heard. */
static void test_teachers(void)
{
    net_config c;
    network_pair(0, &c);
    pair_batch b = random_batch(20, 18, 41);
    double loss[3];
    for (int n = 0; n < 3; n++) free(gradients_of(&c, &b, &(ways){.threads = 2, .teachers = n}, &loss[n]));
    CU_ASSERT(loss[0] != loss[1] && loss[1] != loss[2] && loss[0] != loss[2]);
    batch_free(&b);
}

/* Every network there is. */
static void test_networks(void)
{
    pair_batch b = random_batch(80, 18, 31);
    for (networks w = networks_all(); networks_next(&w);)
        if (w.first == w.second) check_threads(&w.config, &b, (ways){0});
    batch_free(&b);
}

/* Products of bfloat16 give other gradients, but not much. */
static void test_bf16(void)
{
    net_config c;
    pair_batch b = random_batch(100, 18, 51);
    for (int pair = 0; network_pair(pair, &c); pair++) {
        c.d_model = c.d_readout = c.d_attention = c.d_ff = 64;
        double loss, other, size = 0, off = 0;
        real *want = gradients_of(&c, &b, &(ways){.threads = 2}, &loss);
        real *got = gradients_of(&c, &b, &(ways){.threads = 2, .bf16 = true}, &other);
        for (size_t i = 0, n = size_of(&c); i < n; i++) {
            size += (double)want[i] * (double)want[i];
            off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        }
        off = sqrt(off / size);
        CU_ASSERT(off > 1e-3 && off < 0.02);
        CU_ASSERT(other != loss && fabs(other - loss) < 0.002 * loss);
        free(want);
        free(got);
    }
    batch_free(&b);
}

/* Layers computed again give the same bits, and in less memory for networks that have such. */
static void check_recompute(const net_config *c, const pair_batch *b, int threads)
{
    gradient_cost kept, again;
    real *want = gradients_by(c, b, &(ways){.threads = threads, .recompute = false}, &kept);
    real *got = gradients_by(c, b, &(ways){.threads = threads, .recompute = true}, &again);
    CU_ASSERT(memcmp(got, want, size_of(c) * sizeof *got) == 0);
    CU_ASSERT(again.loss == kept.loss);
    if (threads == 1) /* two share the work as it comes */
        CU_ASSERT((again.bytes < kept.bytes) == net_config_uses(c, "recompute"));
    free(want);
    free(got);
}

static void test_recompute(void)
{
    net_config c;
    pair_batch b = random_batch(100, 18, 41);
    for (int pair = 0; network_pair(pair, &c); pair++) {
        c.enc_layers = c.dec_layers = 3;
        check_recompute(&c, &b, 1);
        check_recompute(&c, &b, 2);
    }
    batch_free(&b);
}

/* The gradient of the parts is that of the whole. */
static void check_whole(const net_config *c, const pair_batch *b, bool large)
{
    double loss, size = 0, off = 0;
    real *parts = gradients_of(c, b, &(ways){.threads = 2, .large = large}, &loss);
    model *m = model_new(c, true);
    arena *memory = arena_new();
    params *p = model_params(m);
    model_init(m, 3);
    tape t = tape_new(memory, true, true, 5, 7);
    double scale = 1 / (double)(seqs_total(&b->tgt) + b->tgt.n);
    model_sums sums = model_loss(m, &t, &b->src, &b->tgt, &(loss_settings){.smoothing = 0.1}, scale);
    tape_backward(&t);
    for (size_t i = 0; i < p->n_reals; i++) {
        size = fmax(size, fabs((double)p->g[i]));
        off = fmax(off, fabs((double)p->g[i] - (double)parts[i]));
    }
    CU_ASSERT(fabs(sums.loss - loss) < 1e-4 * loss);
    CU_ASSERT(size > 1e-4 && off < 1e-4 * size);
    arena_free(memory);
    model_free(m);
    free(parts);
}

static void test_whole(void)
{
    net_config c;
    for (int i = 0; network_pair(i, &c); i++) {
        c.dropout = c.dropout_attention = c.dropout_ff = c.dropout_emb = 0; /* shards draw their own */
        pair_batch b = random_batch(400, 18, 17);
        check_whole(&c, &b, false);
        check_whole(&c, &b, true);
        batch_free(&b);
    }
}

static void test_number(void)
{
    net_config c = network_base("transformer", "transformer");
    model *m = model_new(&c, true);
    shards *s = shards_new(m);
    CU_ASSERT(shards_of(s, 2, 1) == 1 && shards_of(s, 100000, 1) == 1);
    CU_ASSERT(shards_of(s, 100000, 3) == 3);
    int last = 1;
    for (size_t words = 1; words < 100000; words += 100) { /* never fewer for more words */
        int n = shards_of(s, words, words);
        CU_ASSERT(n >= last && (n <= 8 ? (n & (n - 1)) == 0 : n % 8 == 0));
        last = n;
    }
    CU_ASSERT(last > 64);
    shards_free(s);
    model_free(m);
}

static CU_TestInfo tests[] = {
    {"tasks end in any order and are committed in theirs", test_order},
    {"gradients have the same bits at any number of threads", test_threads},
    {"and those of every network", test_networks},
    {"each teacher is heard", test_teachers},
    {"those of bfloat16 are close", test_bf16},
    {"layers computed again give the same bits in less memory", test_recompute},
    {"the parts of a batch give the gradient of the whole", test_whole},
    {"more words, more shards", test_number},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run("shards", tests); }
