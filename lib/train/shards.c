#include "train/shards.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/meter.h"
#include "base/team.h"
#include "kernel/softmax.h"

enum {
    SHARD_WORDS = 1024,     /* source and target words a shard, about */
    LARGE_REALS = 24 << 20, /* parameters from which on there is one copy of gradients */
    SPARE_REALS = 10 << 20, /* parameters up to which threads get a copy of gradients more than they are */
    TIDY = 8                /* more shards than this come in multiples of it, fewer in powers of two */
};

struct shards {
    model *m;
    bool large;
    int threads;
    model **copies; /* (slots) with gradients of their own */
    int slots;
    arena **memory;    /* (threads) */
    arena **gradients; /* (threads) those on demand, where layers are computed again */
    /* the batch at work */
    const pair_batch *batch;
    gradient_settings how;
    double scale;
    size_t *first;    /* (n + 1) sentences */
    model_sums *sums; /* (n) */
    size_t capacity;
};

shards *shards_new(model *m) { return shards_new_sized(m, model_params(m)->n_reals >= LARGE_REALS); }

shards *shards_new_sized(model *m, bool large)
{
    shards *s = xcalloc(1, sizeof *s);
    size_t n = model_params(m)->n_reals;
    s->m = m;
    params_pack(model_params(m)); /* before copies share it */
    s->large = large;
    s->threads = large && team_threads() != 2 ? 1 : team_threads();
    /* One thread adds in the same order, through one copy. */
    s->slots = large ? 1 : s->threads + (s->threads > 1 && n <= SPARE_REALS);
    s->copies = xcalloc((size_t)s->slots, sizeof *s->copies);
    s->memory = xcalloc((size_t)s->threads, sizeof *s->memory);
    for (int i = 0; i < s->slots; i++) s->copies[i] = model_sharing(m);
    s->gradients = xcalloc((size_t)s->threads, sizeof *s->gradients);
    for (int i = 0; i < s->threads; i++) {
        s->memory[i] = arena_new();
        s->gradients[i] = arena_new();
    }
    return s;
}

void shards_free(shards *s)
{
    if (!s) return;
    for (int i = 0; i < s->slots; i++) model_free(s->copies[i]);
    for (int i = 0; i < s->threads; i++) {
        arena_free(s->memory[i]);
        arena_free(s->gradients[i]);
    }
    free(s->copies);
    free(s->memory);
    free(s->gradients);
    free(s->first);
    free(s->sums);
    free(s);
}

size_t shards_bytes(const shards *s)
{
    size_t bytes = 0;
    for (int i = 0; i < s->slots; i++) bytes += params_gradient_bytes(model_params(s->copies[i]));
    for (int i = 0; i < s->threads; i++) bytes += arena_bytes(s->memory[i]) + arena_bytes(s->gradients[i]);
    return bytes;
}

int shards_of(const shards *s, size_t words, size_t sentences)
{
    size_t n = (words + SHARD_WORDS / 2) / SHARD_WORDS, tidy = 1;
    while (tidy < n) tidy = tidy < TIDY ? 2 * tidy : tidy + TIDY;
    if (s->large && n > 1) tidy = (n + 1) / 2 * 2;
    if (tidy > sentences) tidy = sentences;
    return tidy ? (int)tidy : 1;
}

/* ---------------------------------------------------------------------------------- cutting */

static size_t words_of(const pair_batch *b, size_t i)
{
    return seqs_len(&b->src, i) + seqs_len(&b->tgt, i) + 2;
}

/* Shard k ends where k + 1 of n parts of the words are reached; every shard has a sentence. */
static void cut(shards *s, int n, size_t words)
{
    const pair_batch *b = s->batch;
    size_t sentence = 0, done = 0;
    for (int k = 0; k < n; k++) {
        s->first[k] = sentence;
        size_t last = b->src.n - (size_t)(n - 1 - k); /* the shards after it need one each */
        size_t goal = words * (size_t)(k + 1) / (size_t)n;
        do {
            done += words_of(b, sentence++);
        } while (sentence < last && done + words_of(b, sentence) / 2 <= goal);
    }
    s->first[n] = b->src.n;
}

/* ---------------------------------------------------------------------------------- computing */

/* What the teachers say of each word, or NULL. */
static const real *soft_targets(const shards *s, arena *memory, const seqs *src, const seqs *tgt)
{
    const teachers *t = &s->how.teachers;
    if (!t->n) return NULL;
    long words = (long)(seqs_total(tgt) + tgt->n), vocab = model_config(s->m)->tgt_vocab;
    real *soft = model_mean_logits(t->nets, t->n, memory, src, tgt);
    softmax(words, vocab, soft, vocab);
    return soft;
}

static void run_shard(shards *s, long k, model *m, int rank)
{
    const pair_batch *b = s->batch;
    size_t from = s->first[k], n = s->first[k + 1] - from;
    seqs src = seqs_part(&b->src, from, n), tgt = seqs_part(&b->tgt, from, n);
    arena_reset(s->memory[rank]);
    arena_reset(s->gradients[rank]);
    tape t = tape_new(s->memory[rank], true, true, s->how.seed, (uint64_t)s->how.update << 20 | (uint64_t)k);
    t.dropout = s->how.dropout;
    if (s->how.recompute) t.gradients = s->gradients[rank];
    loss_settings loss = s->how.loss;
    loss.soft = soft_targets(s, s->memory[rank], &src, &tgt);
    s->sums[k] = model_loss(m, &t, &src, &tgt, &loss, s->scale);
    tape_backward(&t);
}

static void task(long k, int slot, void *context)
{
    shards *s = context;
    run_shard(s, k, s->copies[slot], team_rank());
}

static void commit(long k, int slot, void *context)
{
    METER(METER_GRADIENTS);
    shards *s = context;
    (void)k;
    params_move_gradients(model_params(s->copies[slot]), model_params(s->m));
}

/* ------------------------------------------------------ in pairs: large networks, single shards */

typedef struct {
    shards *s;
    long first;
} pair;

/* The first of two adds to the network's own gradients, the other one to the copy. */
static void one_of_pair(long i, void *context)
{
    const pair *p = context;
    run_shard(p->s, p->first + i, i ? p->s->copies[0] : p->s->m, team_rank());
}

/* Two threads take one shard each; of any other team all work inside of the one and then of the other. */
static void run_pair(shards *s, long first)
{
    pair p = {s, first};
    if (s->threads == 2)
        team_run(2, one_of_pair, &p);
    else
        for (long i = 0; i < 2; i++) one_of_pair(i, &p);
    commit(first + 1, 0, s);
}

static void run_pairs(shards *s, long n)
{
    for (long k = 0; k + 1 < n; k += 2) run_pair(s, k);
    if (n % 2) run_shard(s, n - 1, s->m, 0);
}

static model_sums total(const shards *s, int n)
{
    model_sums all = {0, 0, 0};
    for (int k = 0; k < n; k++) {
        all.loss += s->sums[k].loss;
        all.nll += s->sums[k].nll;
        all.words += s->sums[k].words;
    }
    return all;
}

model_sums shards_gradients(shards *s, const pair_batch *b, const gradient_settings *how)
{
    size_t tgt_words = seqs_total(&b->tgt) + b->tgt.n, words = seqs_total(&b->src) + b->src.n + tgt_words;
    int n = shards_of(s, words * (size_t)loss_draws(&how->loss), b->src.n);
    s->batch = b;
    s->how = *how;
    s->scale = 1 / (double)(how->mean_words ? (size_t)how->mean_words : tgt_words);
    size_t held = s->capacity;
    s->first = grow(s->first, &held, (size_t)n + 1, sizeof *s->first);
    s->sums = grow(s->sums, &s->capacity, (size_t)n + 1, sizeof *s->sums);
    cut(s, n, words);
    if (n > 1 || model_stepwise(s->m)) params_pack(model_params(s->m));
    if (n == 1 || s->large)
        run_pairs(s, n);
    else
        team_run_ordered(n, s->slots, task, commit, s);
    return total(s, n);
}
