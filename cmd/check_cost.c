#include "check_cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "command.h"
#include "data/batches.h"
#include "data/pairs.h"
#include "store/store.h"
#include "text/vocab.h"
#include "train/optimizer.h"
#include "train/shards.h"
#include "train/vocabulary.h"

/* Pairs of the sample that stands for the corpus, pairs that a vocabulary is learned from; updates that are
 * timed. */
enum { SAMPLE = 20000, LEARN = 20000, UPDATES = 3 };

typedef struct {
    const check_options *o;
    check_cost *cost;
    vocab_pair vocab;
    options *settings; /* of the training that the preset describes */
    seqs sample[2];
    int64_t stride, usable;
    double totals[2], bytes[2];
} survey;

/* -------------------------------------------------------------------------------------- vocabulary */

static int load_vocabulary(survey *s, const char *path)
{
    store *file;
    if (store_open(path, STORE_READ, &file)) return -1;
    int result = vocab_pair_load(file, path, &s->vocab);
    store_close(file);
    return result;
}

/* From pairs spread over the whole corpus; all of it for a small one. */
static int learn_vocabulary(survey *s, int64_t pairs)
{
    pair_reader in = {.paths = {&s->o->paths[0], &s->o->paths[1]}, .n_files = 1};
    learner *l = learner_new(NORMALIZE_NFC, false);
    vocab_data data = {0};
    text_pair p;
    int64_t stride = pairs / LEARN + 1;
    int more;
    pairs_rewind(&in);
    while ((more = pairs_next(&in, &p)) == 1)
        for (int side = 0; side < 2 && p.valid && in.total % stride == 0; side++)
            learner_add(l, p.side[side]);
    pairs_close(&in);
    if (!more) more = learner_finish(l, (int)options_int(s->settings, "vocab-size"), &data);
    learner_free(l);
    if (more) return -1;
    s->vocab = (vocab_pair){.src = tokenizer_new(&data), .joint = true};
    s->vocab.tgt = s->vocab.src;
    return s->vocab.src ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------ reading */

static void look_for_bytes(survey *s, int side, const int *ids, size_t n, int64_t line)
{
    check_finding *f = &s->cost->unknown[side];
    int64_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += ids[i] >= BYTE_FIRST && ids[i] < PIECE_FIRST;
    s->totals[side] += (double)n;
    s->bytes[side] += (double)bytes;
    if (!bytes) return;
    if (f->count < CHECK_PLACES) f->lines[f->count] = line;
    f->count++;
}

static void take_block(survey *s, const pair_block *b)
{
    for (size_t i = 0; i < b->n; i++) {
        size_t n[2];
        const int *ids[2];
        for (int side = 0; side < 2; side++) {
            ids[side] = block_ids(b, side, i, &n[side]);
            look_for_bytes(s, side, ids[side], n[side], b->line[i]);
        }
        s->cost->pairs++;
        if (!b->valid[i] || !n[0] || !n[1]) continue;
        bool too_long = n[0] > (size_t)s->cost->max_len || n[1] > (size_t)s->cost->max_len;
        s->cost->too_long += too_long;
        if (too_long || s->usable++ % s->stride) continue;
        for (int side = 0; side < 2; side++) seqs_add(&s->sample[side], ids[side], n[side]);
    }
}

static int read_pairs(survey *s)
{
    pair_reader in = {.paths = {&s->o->paths[0], &s->o->paths[1]}, .n_files = 1};
    pair_block *b = block_new(s->vocab.src, s->vocab.tgt);
    int more;
    pairs_rewind(&in);
    while ((more = block_read(b, &in, INT64_MAX)) == 1) {
        block_encode(b);
        take_block(s, b);
    }
    pairs_close(&in);
    block_free(b);
    for (int side = 0; side < 2; side++) {
        s->cost->pieces[side] = s->totals[side] / fmax(1, (double)s->cost->pairs);
        s->cost->spelled[side] = s->bytes[side] / fmax(1, s->totals[side]);
    }
    return more;
}

/* ---------------------------------------------------------------------------------------- training */

typedef struct {
    model *net;
    arena *memory;
    optimizer adam;
    shards *shards;
    uint64_t seed;
} trial;

static void trial_start(trial *t, const net_config *c)
{
    optimizer_settings adam = optimizer_defaults(OPTIMIZER_ADAM);
    t->net = model_new(c, true);
    model_init(t->net, t->seed);
    t->memory = arena_new();
    t->adam = optimizer_new(model_params(t->net), &adam, t->memory);
    t->shards = shards_new(t->net);
}

static void trial_end(trial *t)
{
    shards_free(t->shards);
    arena_free(t->memory);
    model_free(t->net);
}

/* Batch b of the plan; its ids belong to the caller. */
static pair_batch batch_of(const survey *s, const batch_plan *plan, uint32_t b)
{
    pair_batch batch = {{0}, {0}};
    for (uint32_t i = plan->first[b]; i < plan->first[b + 1]; i++) {
        uint32_t pair = plan->pairs[i];
        seqs_add(&batch.src, seqs_at(&s->sample[0], pair), seqs_len(&s->sample[0], pair));
        seqs_add(&batch.tgt, seqs_at(&s->sample[1], pair), seqs_len(&s->sample[1], pair));
    }
    return batch;
}

static double words_of(const pair_batch *b)
{
    return (double)(seqs_total(&b->src) + b->src.n + seqs_total(&b->tgt) + b->tgt.n);
}

/* Seconds a word, by a few updates after one that warms up. */
static double time_updates(const survey *s, trial *t, const batch_plan *plan)
{
    double seconds = 0, words = 0;
    for (int i = 0; i <= UPDATES; i++) {
        pair_batch batch = batch_of(s, plan, plan->turn[(uint32_t)i % plan->n]);
        gradient_settings how = {.seed = t->seed, .update = i, .loss.smoothing = 0.1, .dropout = 1};
        double from = clock_seconds();
        shards_gradients(t->shards, &batch, &how);
        optimizer_step(&t->adam, 1e-4, clip_scale(optimizer_norm(&t->adam), 1), i + 1);
        if (i) seconds += clock_seconds() - from, words += words_of(&batch);
        seqs_free(&batch.src);
        seqs_free(&batch.tgt);
    }
    return seconds / words;
}

/* What training holds of the corpus: two windows of pairs and their ids. */
static double window_bytes(const survey *s)
{
    double pairs = fmin((double)s->usable, 2.0 * (double)options_int(s->settings, "window-pairs"));
    return pairs * (32 + 4 * (s->cost->pieces[0] + s->cost->pieces[1]));
}

static int try_training(survey *s, net_config c)
{
    check_cost *cost = s->cost;
    trial t = {.seed = 1};
    batch_plan plan = {0};
    c.src_vocab = tokenizer_size(s->vocab.src);
    c.tgt_vocab = tokenizer_size(s->vocab.tgt);
    c.shared_vocab = s->vocab.joint;
    if (net_config_check(&c)) return -1;
    if (!s->sample[0].n)
        return fail("no pair of %s and %s could be trained on", s->o->paths[0], s->o->paths[1]);
    plan_batches(&plan, &s->sample[0], &s->sample[1], cost->batch_tokens, t.seed, 1, 0);
    double part = (double)s->usable / (double)s->sample[0].n, words = 0;
    for (int side = 0; side < 2; side++) words += (double)(seqs_total(&s->sample[side]) + s->sample[side].n);
    forget_peak_memory();
    double before = peak_memory();
    trial_start(&t, &c);
    cost->parameters = model_params(t.net)->n_reals;
    cost->seconds = time_updates(s, &t, &plan) * words * part;
    cost->bytes = peak_memory() - before + window_bytes(s);
    cost->updates = ceil(plan.n * part);
    cost->threads = team_threads();
    trial_end(&t);
    plan_free(&plan);
    return 0;
}

int check_measure(const check_options *o, const char *vocab, const char *preset, const check_report *r,
                  check_cost *out)
{
    survey s = {.o = o, .cost = out, .settings = options_new(FOR_TRAIN)};
    *out = (check_cost){.model = vocab, .preset = preset};
    if (preset) options_preset(s.settings, preset);
    out->max_len = (int)options_int(s.settings, "max-len");
    out->batch_tokens = (int)options_int(s.settings, "batch-tokens");
    s.stride = r->pairs / SAMPLE + 1;
    int result = vocab ? load_vocabulary(&s, vocab) : learn_vocabulary(&s, r->pairs);
    if (!result) {
        out->vocab_size[0] = tokenizer_size(s.vocab.src);
        out->vocab_size[1] = tokenizer_size(s.vocab.tgt);
        result = read_pairs(&s);
    }
    if (!result && preset) result = try_training(&s, options_network(s.settings));
    for (int side = 0; side < 2; side++) seqs_free(&s.sample[side]);
    vocab_pair_free(&s.vocab);
    options_free(s.settings);
    return result;
}
