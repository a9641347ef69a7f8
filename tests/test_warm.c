/* A warm training loop asks for no memory: neither malloc nor, page by page, the system.
 *
 * The linker sends the program's own calls of malloc and its kin through the counters below (--wrap); what
 * libraries do inside is theirs. */
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "data/corpus.h"
#include "networks.h"
#include "scratch.h"
#include "suite.h"
#include "train/optimizer.h"
#include "train/shards.h"

/* ------------------------------------------------------------------------------------ counting */

static atomic_long calls;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    calls++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t size)
{
    calls++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    calls++;
    return __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    calls++;
    return __real_aligned_alloc(align, bytes);
}

static long page_faults(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

/* ------------------------------------------------------------------------------------ the loop */

enum { PAIRS = 150, COLD_EPOCHS = 3, WARM_EPOCHS = 3 };

static char text_path[1024];
static tokenizer *words;

static void set_up(void)
{
    str text = {0};
    learner *l = learner_new(NORMALIZE_NFC, false);
    vocab_data v = {0};
    for (int i = 0; i < PAIRS; i++) {
        size_t from = text.n;
        for (int k = 0; k < 1 + i * 7 % 15; k++) str_addf(&text, k ? " %d" : "%d", (i + k) % 10);
        learner_add(l, (span){text.p + from, text.n - from});
        str_add_char(&text, '\n');
    }
    snprintf(text_path, sizeof text_path, "%s", scratch_write("text", text.p, text.n));
    BUG_IF(learner_finish(l, 300, &v) < 0);
    words = tokenizer_new(&v);
    vocab_data_free(&v);
    learner_free(l);
    str_free(&text);
}

static corpus *open_corpus(void)
{
    const char *path = text_path;
    corpus_options o = {.src_paths = &path,
                        .tgt_paths = &path,
                        .n_files = 1,
                        .src_tokenizer = words,
                        .tgt_tokenizer = words,
                        .max_len = 50,
                        .batch_tokens = 1800,
                        .window_pairs = 1 << 20,
                        .seed = 1};
    corpus *c;
    BUG_IF(corpus_open(&o, &c) < 0);
    return c;
}

typedef struct {
    corpus *data;
    shards *shards;
    optimizer adam;
    long updates, several; /* and of these with more than one shard */
} loop;

/* As the trainer does. */
static void run_epochs(loop *l, int64_t from, int64_t n)
{
    const pair_batch *b;
    for (int64_t epoch = from; epoch < from + n; epoch++) {
        CU_ASSERT_EQUAL(corpus_seek(l->data, epoch, 0), 0);
        while (corpus_next(l->data, &b) == 1) {
            size_t total = seqs_total(&b->src) + b->src.n + seqs_total(&b->tgt) + b->tgt.n;
            gradient_settings how = {
                .seed = 1, .update = ++l->updates, .loss = {.smoothing = 0.1}, .dropout = 1};
            shards_gradients(l->shards, b, &how);
            optimizer_step(&l->adam, 0.001, clip_scale(optimizer_norm(&l->adam), 1), l->updates);
            l->several += shards_of(l->shards, total, b->src.n) > 1;
        }
    }
}

/* Of the warm epochs: calls of all, and of the one with the fewest; page faults. */
typedef struct {
    long calls, fewest, faults;
} asked;

static asked warm_epochs(loop *l)
{
    asked a = {.fewest = LONG_MAX};
    for (int64_t i = 0; i < WARM_EPOCHS; i++) {
        long calls_before = calls, faults_before = page_faults();
        run_epochs(l, 1 + COLD_EPOCHS + i, 1);
        long now = calls - calls_before;
        a.calls += now;
        a.faults += page_faults() - faults_before;
        if (now < a.fewest) a.fewest = now;
    }
    return a;
}

static asked measure(const net_config *c, int threads)
{
    team_set_threads(threads);
    arena *forever = arena_new();
    model *m = network_new(c, true);
    optimizer_settings adam = optimizer_defaults(OPTIMIZER_ADAM);
    loop l = {.data = open_corpus(),
              .shards = shards_new(m),
              .adam = optimizer_new(model_params(m), &adam, forever)};
    run_epochs(&l, 1, COLD_EPOCHS);
    asked a = warm_epochs(&l);
    CU_ASSERT(l.several > 0);
    corpus_close(l.data);
    shards_free(l.shards);
    model_free(m);
    arena_free(forever);
    return a;
}

/* One thread does the same in every epoch. Of several, one may get its first long sentence late, and with it
 * room that it has not had before; but nothing is asked for in every epoch. */
static void check(const net_config *given, const char *name, int most_threads)
{
    net_config c = *given;
    c.src_vocab = c.tgt_vocab = tokenizer_size(words);
    for (int threads = 1; threads <= most_threads; threads += 2) {
        asked a = measure(&c, threads);
        bool modest = threads == 1 ? a.calls == 0 && a.faults <= 40 : a.fewest == 0;
        if (!modest) printf("\n%s, %d threads: %ld calls, %ld faults ", name, threads, a.calls, a.faults);
        CU_ASSERT(modest);
    }
}

static void test_updates(void)
{
    for (networks w = networks_all(); networks_next(&w);)
        if (w.first == w.second || w.second < 0) check(&w.config, w.name, w.second < 0 ? 3 : 1);
}

static CU_TestInfo tests[] = {{"a warm update asks for no memory", test_updates}, CU_TEST_INFO_NULL};

int main(void)
{
    scratch_open();
    set_up();
    int status = suite_run("warm", tests);
    tokenizer_free(words);
    scratch_close();
    return status;
}
