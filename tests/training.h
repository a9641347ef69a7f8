/* Whole trainings for tests: a made-up language and its mirror image, small networks, runs of the trainer as
 * processes would make them, hashes of what they leave. */
#ifndef TULK_TESTS_TRAINING_H
#define TULK_TESTS_TRAINING_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "suite.h"
#include "train/trainer.h"
#include "train/vocabulary.h"

enum { PAIRS = 200, VALID_PAIRS = 20, MAX_LEN = 20 };

/* Text of a made-up language and its mirror image, in a folder of its own. */
static struct {
    char dir[32], src[64], tgt[64], model[64];
    vocab_pair vocab;
    pair_text valid;
} here;

static inline void write_pair(rng *r, FILE *src, FILE *tgt)
{
    static const char *const words[] = {"ada", "bo", "cil", "du", "ewe", "fa", "go", "hu"};
    int n = 1 + (int)rng_below(r, 6), line[8];
    for (int i = 0; i < n; i++) line[i] = (int)rng_below(r, 8);
    for (int i = 0; i < n; i++) fprintf(src, "%s%s", i ? " " : "", words[line[i]]);
    for (int i = n; i-- > 0;) fprintf(tgt, "%s%s", words[line[i]], i ? " " : "");
    fputc('\n', src);
    fputc('\n', tgt);
}

static inline void write_text(const char *src_path, const char *tgt_path, int n, uint64_t place)
{
    FILE *src = fopen(src_path, "w"), *tgt = fopen(tgt_path, "w");
    rng r = rng_at(1, RNG_TEST, place);
    for (int i = 0; i < n; i++) write_pair(&r, src, tgt);
    fclose(src);
    fclose(tgt);
}

static inline void make_vocabulary(void)
{
    const char *src = here.src, *tgt = here.tgt;
    vocab_request r = {
        .src_paths = &src, .tgt_paths = &tgt, .n_files = 1, .normalize = NORMALIZE_NFC, .size = 300};
    BUG_IF(vocab_pair_learn(&r, &here.vocab) < 0);
}

static inline void set_up(void)
{
    strcpy(here.dir, "/tmp/tulk-train-XXXXXX");
    BUG_IF(!mkdtemp(here.dir));
    snprintf(here.src, sizeof here.src, "%s/src", here.dir);
    snprintf(here.tgt, sizeof here.tgt, "%s/tgt", here.dir);
    snprintf(here.model, sizeof here.model, "%s/model.tulk", here.dir);
    write_text(here.src, here.tgt, PAIRS, 0);
    make_vocabulary();
    write_text(here.src, here.tgt, VALID_PAIRS, 1);
    BUG_IF(pair_text_read(here.src, here.tgt, here.vocab.src, here.vocab.tgt, &here.valid) < 0);
    write_text(here.src, here.tgt, PAIRS, 0);
}

static inline void tear_down(void)
{
    pair_text_free(&here.valid);
    vocab_pair_free(&here.vocab);
    unlink(here.src);
    unlink(here.tgt);
    unlink(here.model);
    CU_ASSERT_EQUAL(rmdir(here.dir), 0); /* nothing else was left */
}

static bool no_dropout; /* for network() */

/* The three networks of the house, tiny, with dropout. */
static inline net_config network(int i)
{
    net_config c = {.enc = i == 2 ? "transformer" : "rnn",
                    .dec = i == 2 ? "transformer" : "rnn",
                    .src_vocab = tokenizer_size(here.vocab.src),
                    .tgt_vocab = tokenizer_size(here.vocab.tgt),
                    .shared_vocab = here.vocab.joint,
                    .d_model = 16,
                    .d_emb = 12,
                    .enc_layers = 1,
                    .dec_layers = 1,
                    .tie = i == 2 ? "all" : "none",
                    .dropout = 0.2,
                    .dropout_attention = 0.1,
                    .dropout_ff = 0.1,
                    .dropout_emb = 0.2,
                    .cell = "gru",
                    .attention = i == 0 ? "none" : "additive",
                    .context = "init",
                    .bidirectional = i == 1,
                    .d_readout = i == 1 ? 12 : 0,
                    .d_attention = 12,
                    .attention_span = 20,
                    .d_ff = 24,
                    .n_heads = 2,
                    .norm = "pre",
                    .activation = "relu"};
    if (no_dropout) c.dropout = c.dropout_attention = c.dropout_ff = c.dropout_emb = 0;
    return c;
}

enum { NETWORKS = 3 };

static inline train_settings settings(int64_t updates)
{
    return (train_settings){.seed = 1,
                            .optimizer = optimizer_defaults(OPTIMIZER_ADAM),
                            .schedule = {.kind = SCHEDULE_INVERSE_SQRT, .lr = 0.01, .warmup = 5},
                            .loss.smoothing = 0.1,
                            .clip_norm = 1,
                            .valid_every = 1000000,
                            .updates = updates};
}

static int batch_tokens = 200, window_pairs = 90; /* several windows an epoch */

static double bpe_dropout_here;    /* of the text */
static const double *weights_here; /* of its one file */

static inline corpus *open_corpus(uint64_t seed)
{
    const char *src = here.src, *tgt = here.tgt;
    corpus_options o = {.src_paths = &src,
                        .tgt_paths = &tgt,
                        .n_files = 1,
                        .src_tokenizer = here.vocab.src,
                        .tgt_tokenizer = here.vocab.tgt,
                        .max_len = MAX_LEN,
                        .batch_tokens = batch_tokens,
                        .window_pairs = window_pairs,
                        .bpe_dropout = bpe_dropout_here,
                        .weights = weights_here,
                        .seed = seed};
    corpus *c;
    BUG_IF(corpus_open(&o, &c) < 0);
    return c;
}

static inline validation validation_here(void)
{
    return (validation){.pairs = &here.valid,
                        .tokenizer = here.vocab.tgt,
                        .search = {.beam = 1,
                                   .length_penalty = 1,
                                   .max_len_ratio = 2,
                                   .max_len_extra = 5,
                                   .n_best = 1,
                                   .batch_tokens = 500},
                        .bleu = bleu_defaults()};
}

/* Called after every update by the trainer, if a test wants to look or to meddle. */
static void (*watch)(const train_progress *p);

static inline void on_report(const train_progress *p, void *context)
{
    (void)context;
    if (watch) watch(p);
}

static volatile sig_atomic_t stop_flag;

/* A whole training run of network i; files are opened and closed as a process would. */
static inline int run(int i, const train_settings *s, bool resume, train_result *out)
{
    net_config c = network(i);
    BUG_IF(net_config_check(&c) < 0);
    train_job job = {.net = model_new(&c, true),
                     .data = open_corpus(s->seed),
                     .valid = validation_here(),
                     .resume = resume,
                     .stop = &stop_flag,
                     .report = on_report};
    if (!resume) model_init(job.net, s->seed);
    int status =
        resume ? model_file_resume(here.model, &job.file) : model_file_create(here.model, false, &job.file);
    if (status == 0 && !resume) status = vocab_pair_save(model_file_store(job.file), &here.vocab);
    if (status == 0) status = train_run(&job, s, out);
    model_file_close(job.file);
    corpus_close(job.data);
    model_free(job.net);
    return status;
}

static inline void hash_tensor(const stored_tensor *t, void *context)
{
    sha256_add(context, t->name, strlen(t->name));
    sha256_add(context, t->v, (size_t)t->rows * (size_t)t->cols * sizeof *t->v);
}

/* SHA-256 of a slot, with the optimizer's moments if it has them; "" if there is none. */
static inline const char *slot_hash(const char *slot)
{
    static char hex[8][65];
    static int next;
    char *out = hex[next++ % 8];
    sha256 h;
    sha256_init(&h);
    store *s;
    out[0] = '\0';
    if (store_open(here.model, STORE_READ, &s) < 0) return out;
    int status = store_each_tensor(s, slot, hash_tensor, &h);
    store_close(s);
    if (status == 0) sha256_hex(&h, out);
    return out;
}

static inline const char *model_hash(void) { return slot_hash("last"); }

static inline const char *hash_of_run(int i, const train_settings *s)
{
    train_result result;
    unlink(here.model);
    int status = run(i, s, false, &result);
    if (status < 0) printf("\n    %s\n", error_message());
    CU_ASSERT_EQUAL(status, 0);
    return model_hash();
}

#endif
