/* Aids to training: each has its effect, the same bits with any number of threads, and the same when the run
 * was stopped and went on. */
#include "training.h"

/* ------------------------------------------------------------------------------- any of them */

static void dropout_rises(train_settings *s) { s->dropout_warmup = 15; }

static void adamw(train_settings *s) { s->optimizer = optimizer_defaults(OPTIMIZER_ADAMW); }
static void sgd(train_settings *s) { s->optimizer = optimizer_defaults(OPTIMIZER_SGD); }
static void weight_decay(train_settings *s) { s->optimizer.weight_decay = 0.1; }
static void betas(train_settings *s) { s->optimizer.beta1 = 0.8; }

static const struct {
    const char *name;
    void (*set)(train_settings *s);
} aids[] = {
    {"dropout-warmup", dropout_rises}, {"adamw", adamw}, {"sgd", sgd},
    {"weight-decay", weight_decay},    {"beta1", betas},
};
enum { AIDS = sizeof aids / sizeof *aids, UPDATES = 20 };

static train_settings with_aid(int k, int64_t updates)
{
    train_settings s = settings(updates);
    s.valid_every = 4;
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

int main(void)
{
    CU_TestInfo tests[] = {
        {"every aid: its effect, threads, resuming", test_all},
        {"optimizers", test_optimizers},
        {"dropout's warm-up", test_dropout_warmup},
        {"which begins without dropout", test_dropout_first},
        CU_TEST_INFO_NULL,
    };
    team_set_threads(1);
    return suite_run("aids", tests);
}
