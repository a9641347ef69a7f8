/* Aids to training: each has its effect, the same bits with any number of threads, and the same when the run
 * was stopped and went on. */
#include "training.h"

/* ------------------------------------------------------------------------------- any of them */

static void dropout_rises(train_settings *s) { s->dropout_warmup = 15; }

static void adamw(train_settings *s) { s->optimizer = optimizer_defaults(OPTIMIZER_ADAMW); }
static void sgd(train_settings *s) { s->optimizer = optimizer_defaults(OPTIMIZER_SGD); }
static void weight_decay(train_settings *s) { s->optimizer.weight_decay = 0.1; }
static void betas(train_settings *s) { s->optimizer.beta1 = 0.8; }

static void drop_merges(train_settings *s)
{
    (void)s;
    bpe_dropout_here = 0.3;
}

static void weigh(train_settings *s)
{
    static const double weight = 1.4;
    (void)s;
    weights_here = &weight;
}

static void accumulate(train_settings *s) { s->accumulate = 3; }
static void linear(train_settings *s) { s->schedule.kind = SCHEDULE_LINEAR, s->schedule.total = 25; }
static void cosine(train_settings *s) { s->schedule.kind = SCHEDULE_COSINE, s->schedule.total = 25; }

/* BLEU gets no better so soon: a plateau at each second validation. */
static void plateau(train_settings *s)
{
    s->schedule.kind = SCHEDULE_PLATEAU;
    s->lr_patience = 1;
    s->lr_factor = 0.5;
}

static void plateau_of_means(train_settings *s)
{
    plateau(s);
    s->ema = 0.9;
}

static const struct {
    const char *name;
    void (*set)(train_settings *s);
} aids[] = {
    {"dropout-warmup", dropout_rises},
    {"adamw", adamw},
    {"sgd", sgd},
    {"weight-decay", weight_decay},
    {"beta1", betas},
    {"accumulate", accumulate},
    {"linear", linear},
    {"cosine", cosine},
    {"bpe-dropout", drop_merges},
    {"weight", weigh},
    {"plateau", plateau},
    {"plateau of means", plateau_of_means},
};
enum { AIDS = sizeof aids / sizeof *aids, UPDATES = 20 };

static train_settings with_aid(int k, int64_t updates)
{
    train_settings s = settings(updates);
    s.valid_every = 4;
    bpe_dropout_here = 0;
    weights_here = NULL;
    if (k >= 0) aids[k].set(&s);
    return s;
}

static void check_aid(int k, const char *plain)
{
    char first[65] = "";
    train_settings whole = with_aid(k, UPDATES), part = with_aid(k, 9);
    static const int threads[] = {1, 3};
    for (int i = 0; i < 2; i++) {
        team_set_threads(threads[i]);
        const char *hash = hash_of_run(2, &whole);
        if (i == 0) strcpy(first, hash);
        CU_ASSERT_STRING_EQUAL(hash, first);
    }
    team_set_threads(1);
    CU_ASSERT_STRING_NOT_EQUAL(first, plain);
    train_result result;
    hash_of_run(2, &part);
    CU_ASSERT_EQUAL(run(2, &whole, true, &result), 0);
    CU_ASSERT_STRING_EQUAL(model_hash(), first);
}

static void test_all(void)
{
    set_up();
    char plain[65];
    train_settings s = with_aid(-1, UPDATES);
    strcpy(plain, hash_of_run(2, &s));
    for (int k = 0; k < AIDS; k++) {
        unsigned before = CU_get_number_of_failures();
        check_aid(k, plain);
        if (CU_get_number_of_failures() > before) printf("\n    %s", aids[k].name);
    }
    bpe_dropout_here = 0;
    weights_here = NULL;
    tear_down();
}

/* ----------------------------------------------------------------------------------- dropout */

static void test_dropout_warmup(void)
{
    static const struct {
        long warmup, step;
        double share;
    } cases[] = {{0, 1, 1}, {0, 7, 1}, {4, 1, 0}, {4, 2, 0.25}, {4, 4, 0.75}, {4, 5, 1}, {4, 100, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_EQUAL(warmup_share(cases[i].warmup, cases[i].step), cases[i].share);
}

/* The first update is one without dropout; with a warm-up that is over at once nothing changes. */
static void test_dropout_first(void)
{
    set_up();
    char warm[65], plain[65];
    train_settings s = settings(1);
    strcpy(plain, hash_of_run(2, &s));
    s.dropout_warmup = 1000;
    strcpy(warm, hash_of_run(2, &s));
    no_dropout = true;
    CU_ASSERT_STRING_EQUAL(hash_of_run(2, &s), warm);
    no_dropout = false;
    CU_ASSERT_STRING_NOT_EQUAL(plain, warm);
    tear_down();
}

/* ------------------------------------------------------------------------------- optimizers */

/* The rows are found by their names, and what they use is theirs. */
static void test_optimizers(void)
{
    for (int i = 0; optimizers[i].name; i++) {
        CU_ASSERT_EQUAL(optimizer_find(optimizers[i].name), i);
        CU_ASSERT_EQUAL(optimizer_defaults((enum optimizer_kind)i).kind, i);
        for (const char *const *option = optimizers[i].options; *option; option++)
            CU_ASSERT_TRUE(optimizer_uses((enum optimizer_kind)i, *option));
        for (const char *const *moment = optimizers[i].moments; *moment; moment++)
            CU_ASSERT_FALSE(checkpoint_is_weight(*moment));
    }
    CU_ASSERT_EQUAL(optimizer_find("adamax"), -1);
    CU_ASSERT_FALSE(optimizer_uses(OPTIMIZER_ADAM, "momentum"));
    CU_ASSERT_FALSE(optimizer_uses(OPTIMIZER_SGD, "beta2"));
    CU_ASSERT_TRUE(optimizer_uses(OPTIMIZER_SGD, "weight-decay"));
    CU_ASSERT_TRUE(checkpoint_is_weight("enc.0.ffn.a"));
}

/* ---------------------------------------------------------------------------- plateaus, batches */

/* The weights of a slot, without moments. */
static int load_slot(const char *slot, params *p)
{
    store *s;
    if (store_open(here.model, STORE_READ, &s) < 0) return -1;
    int status = checkpoint_load_weights(s, slot, p);
    store_close(s);
    return status;
}

/* The largest difference of two sets of weights, and the largest weight. */
static double difference(const params *a, const params *b, double *size)
{
    double off = 0;
    *size = 0;
    for (size_t i = 0; i < a->n_reals; i++) {
        off = fmax(off, fabs((double)a->v[i] - (double)b->v[i]));
        *size = fmax(*size, fabs((double)a->v[i]));
    }
    return off;
}

static void keep_state(train_state *to)
{
    store *s;
    str text = {0};
    checkpoint_info info;
    BUG_IF(store_open(here.model, STORE_READ, &s) < 0);
    CU_ASSERT_EQUAL(store_checkpoint(s, "last", &info, &text), 1);
    CU_ASSERT_EQUAL(train_state_parse(str_text(&text), to), 0);
    str_free(&text);
    store_close(s);
}

/* Validations at updates 2, 4 and 6, of which the first is the best: two plateaus. */
static void test_plateau(void)
{
    set_up();
    net_config c = network(0);
    model *last = model_new(&c, false), *best = model_new(&c, false);
    train_settings s = settings(6);
    plateau(&s);
    s.schedule.lr = -0.01; /* up the hill */
    s.schedule.warmup = 0;
    s.metric = METRIC_XENT;
    s.valid_every = 2;
    hash_of_run(0, &s);
    train_state state;
    keep_state(&state);
    CU_ASSERT_EQUAL(state.best_update, 2);
    CU_ASSERT_EQUAL(state.lr_scale, 0.25);
    CU_ASSERT_EQUAL(state.restarted, 6);
    CU_ASSERT_EQUAL(state.bad, 2);
    CU_ASSERT_EQUAL(load_slot("last", model_params(last)), 0);
    CU_ASSERT_EQUAL(load_slot("best", model_params(best)), 0);
    double size;
    CU_ASSERT_EQUAL(difference(model_params(last), model_params(best), &size), 0);
    s.updates = 7; /* Adam begins anew: the step is the rate, whatever the gradient */
    train_result result;
    CU_ASSERT_EQUAL(run(0, &s, true, &result), 0);
    CU_ASSERT_EQUAL(load_slot("last", model_params(last)), 0);
    CU_ASSERT_DOUBLE_EQUAL(difference(model_params(last), model_params(best), &size), 0.01 * 0.25, 1e-6);
    model_free(last);
    model_free(best);
    tear_down();
}

/* All batches of an epoch in one update are as one batch of all pairs. */
static void test_accumulate(void)
{
    set_up();
    no_dropout = true;
    for (int i = 0; i < NETWORKS; i++) {
        net_config c = network(i);
        model *parts = model_new(&c, false), *whole = model_new(&c, false);
        train_settings s = settings(1);
        s.schedule = (schedule){.kind = SCHEDULE_CONSTANT, .lr = 1};
        s.optimizer = optimizer_defaults(OPTIMIZER_SGD);
        s.accumulate = 1000;
        hash_of_run(i, &s);
        CU_ASSERT_EQUAL(load_slot("last", model_params(parts)), 0);
        s.accumulate = 1;
        batch_tokens = window_pairs = 1000000;
        hash_of_run(i, &s);
        CU_ASSERT_EQUAL(load_slot("last", model_params(whole)), 0);
        batch_tokens = 200, window_pairs = 90;
        double size, off = difference(model_params(whole), model_params(parts), &size);
        CU_ASSERT_TRUE(off < 1e-5 * size);
        model_free(parts);
        model_free(whole);
    }
    no_dropout = false;
    tear_down();
}

/* The last update of an epoch has the batches that are left. */
static void test_accumulate_epochs(void)
{
    set_up();
    train_settings s = settings(0);
    train_result one, three;
    s.epochs = 2;
    s.valid_every = 0;
    CU_ASSERT_EQUAL(run(0, &s, false, &one), 0);
    unlink(here.model);
    s.accumulate = 3;
    CU_ASSERT_EQUAL(run(0, &s, false, &three), 0);
    CU_ASSERT_EQUAL(three.state.update, 2 * ((one.state.update / 2 + 2) / 3));
    tear_down();
}

/* ------------------------------------------------------------------------------ text of epochs */

typedef struct {
    int64_t pairs, src, tgt; /* of an epoch: sentences and pieces */
    uint64_t text;           /* hash of the target text, order aside */
} epoch_sums;

static epoch_sums sums_of(corpus *c, int64_t epoch)
{
    epoch_sums s = {.pairs = 0};
    const pair_batch *b;
    str text = {0};
    CU_ASSERT_EQUAL(corpus_seek(c, epoch, 0), 0);
    while (corpus_next(c, &b) == 1) {
        s.pairs += (int64_t)b->src.n;
        s.src += (int64_t)seqs_total(&b->src);
        s.tgt += (int64_t)seqs_total(&b->tgt);
        for (size_t i = 0; i < b->tgt.n; i++) {
            str_clear(&text);
            tokenizer_decode(here.vocab.tgt, seqs_at(&b->tgt, i), seqs_len(&b->tgt, i), &text);
            s.text += hash64(text.p, text.n);
        }
    }
    str_free(&text);
    return s;
}

static epoch_sums epoch_with(double dropout, const double *weight, int64_t epoch)
{
    bpe_dropout_here = dropout;
    weights_here = weight;
    corpus *c = open_corpus(1);
    epoch_sums s = sums_of(c, epoch);
    corpus_close(c);
    bpe_dropout_here = 0;
    weights_here = NULL;
    return s;
}

/* More pieces, other ones in each epoch, the same text; the windows it is read in do not matter. */
static void test_bpe_dropout(void)
{
    set_up();
    epoch_sums plain = epoch_with(0, NULL, 1);
    for (int windows = 0; windows < 2; windows++) {
        window_pairs = windows ? 1000 : 90;
        epoch_sums first = epoch_with(0.2, NULL, 1), second = epoch_with(0.2, NULL, 2);
        CU_ASSERT_TRUE(first.src > plain.src && first.tgt > plain.tgt && first.src != first.tgt);
        CU_ASSERT_TRUE(first.src != second.src || first.tgt != second.tgt);
        CU_ASSERT_TRUE(first.pairs == plain.pairs && first.text == plain.text && second.text == plain.text);
        static epoch_sums before;
        if (windows) CU_ASSERT_EQUAL(memcmp(&first, &before, sizeof first), 0);
        before = first;
    }
    window_pairs = 90;
    tear_down();
}

static void test_weights(void)
{
    static const double three = 3, half = 0.5;
    set_up();
    epoch_sums plain = epoch_with(0, NULL, 1), thrice = epoch_with(0, &three, 1);
    CU_ASSERT_TRUE(thrice.pairs == 3 * plain.pairs && thrice.text == 3 * plain.text);
    epoch_sums first = epoch_with(0, &half, 1), second = epoch_with(0, &half, 2);
    CU_ASSERT_TRUE(first.pairs > 70 && first.pairs < 130);
    CU_ASSERT_TRUE(first.text != second.text); /* other halves */
    tear_down();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every aid: its effect, threads, resuming", test_all},
        {"optimizers", test_optimizers},
        {"a plateau turns back", test_plateau},
        {"many batches in one update are one large batch", test_accumulate},
        {"and what is left at the end of the epoch", test_accumulate_epochs},
        {"BPE dropout: other pieces of the same text", test_bpe_dropout},
        {"corpora with weights", test_weights},
        {"dropout's warm-up", test_dropout_warmup},
        {"which begins without dropout", test_dropout_first},
        CU_TEST_INFO_NULL,
    };
    team_set_threads(1);
    return suite_run("aids", tests);
}
