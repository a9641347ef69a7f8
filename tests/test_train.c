#include "training.h"

/* ---------------------------------------------------------------------------- small functions */

static void test_schedules(void)
{
    CU_ASSERT_EQUAL(schedule_find("inverse-sqrt"), SCHEDULE_INVERSE_SQRT);
    CU_ASSERT_EQUAL(schedule_find("noam"), SCHEDULE_NOAM);
    CU_ASSERT_EQUAL(schedule_find("constant"), SCHEDULE_CONSTANT);
    CU_ASSERT_EQUAL(schedule_find("steps"), -1);
    const struct {
        enum schedule_kind kind;
        long warmup, step;
        double lr;
    } cases[] = {
        {SCHEDULE_INVERSE_SQRT, 4, 1, 0.5},  {SCHEDULE_INVERSE_SQRT, 4, 4, 2},
        {SCHEDULE_INVERSE_SQRT, 4, 16, 1},   {SCHEDULE_INVERSE_SQRT, 0, 1, 2},
        {SCHEDULE_INVERSE_SQRT, 0, 4, 1},    {SCHEDULE_CONSTANT, 4, 1, 0.5},
        {SCHEDULE_CONSTANT, 4, 100, 2},      {SCHEDULE_CONSTANT, 0, 1, 2},
        {SCHEDULE_NOAM, 4, 1, 1.0 / 4 / 8},  {SCHEDULE_NOAM, 4, 4, 1.0 / 4 / 2},
        {SCHEDULE_NOAM, 4, 64, 1.0 / 4 / 8}, {SCHEDULE_LINEAR, 4, 1, 0.5},
        {SCHEDULE_LINEAR, 4, 4, 2},          {SCHEDULE_LINEAR, 4, 14, 14.0 / 17},
        {SCHEDULE_LINEAR, 4, 20, 2.0 / 17},  {SCHEDULE_LINEAR, 4, 100, 0},
        {SCHEDULE_COSINE, 4, 1, 0.5},        {SCHEDULE_COSINE, 4, 4, 2},
        {SCHEDULE_COSINE, 3, 12, 1},         {SCHEDULE_COSINE, 3, 9, 1.5},
        {SCHEDULE_COSINE, 4, 21, 0},         {SCHEDULE_COSINE, 4, 100, 0},
        {SCHEDULE_PLATEAU, 4, 1, 0.5},       {SCHEDULE_PLATEAU, 4, 100, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        schedule s = {cases[i].kind, 2, cases[i].warmup, 16, 20};
        CU_ASSERT_DOUBLE_EQUAL(schedule_lr(&s, cases[i].step), cases[i].lr, 1e-15);
    }
}

static void test_clipping(void)
{
    CU_ASSERT_DOUBLE_EQUAL(clip_scale(4, 1), 1 / (4 + 1e-6), 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(clip_scale(1, 1), 1 / (1 + 1e-6), 1e-15);
    CU_ASSERT_EQUAL(clip_scale(0.5, 1), 1);
    CU_ASSERT_EQUAL(clip_scale(0, 1), 1);
    CU_ASSERT_EQUAL(clip_scale(100, 0), 1);
}

static void test_state(void)
{
    train_state s = train_state_start(), back = {0};
    s.update = 123456789012;
    s.seconds = 1.0 / 3;
    s.patience_best = -1e-300;
    str text = {0};
    train_state_print(&s, &text);
    CU_ASSERT_EQUAL(train_state_parse(text.p, &back), 0);
    CU_ASSERT_EQUAL(back.update, s.update);
    CU_ASSERT_EQUAL(back.epoch, 1);
    CU_ASSERT_EQUAL(back.valid_update, -1);
    CU_ASSERT_EQUAL(back.seconds, s.seconds);
    CU_ASSERT_EQUAL(back.patience_best, s.patience_best);
    CU_ASSERT_TRUE(isnan(back.best));
    CU_ASSERT_EQUAL(back.lr_scale, 1);
    *strstr(text.p, "lr_bad ") = 'x'; /* a field that came later may be absent */
    CU_ASSERT_EQUAL(train_state_parse(text.p, &back), 0);
    *strstr(text.p, "bad ") = 'x';
    CU_ASSERT_EQUAL(train_state_parse(text.p, &back), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error_message(), "'bad'"));
    str_free(&text);
}

/* -------------------------------------------------------------------------------------- tests */

static void test_threads(void)
{
    static const int threads[] = {1, 2, 3, 7};
    set_up();
    train_settings s = settings(50);
    for (int i = 0; i < NETWORKS; i++) {
        char first[65] = "";
        for (int k = 0; k < 4; k++) {
            team_set_threads(threads[k]);
            const char *hash = hash_of_run(i, &s);
            if (k == 0) strcpy(first, hash);
            CU_ASSERT_EQUAL(strlen(hash), 64);
            CU_ASSERT_STRING_EQUAL(hash, first);
        }
        s.seed = 2;
        CU_ASSERT_STRING_NOT_EQUAL(hash_of_run(i, &s), first);
        s.seed = 1;
    }
    team_set_threads(1);
    tear_down();
}

/* 10 updates, then 10 more by another process, are 20 updates; wherever the epoch stands. */
static void test_resume(void)
{
    set_up();
    for (int i = 0; i < NETWORKS; i++) {
        train_settings s = settings(20), first = settings(10);
        s.valid_every = first.valid_every = i == 1 ? 4 : 0; /* 0: by epochs */
        const char *whole = hash_of_run(i, &s);
        train_result result;
        CU_ASSERT_STRING_NOT_EQUAL(hash_of_run(i, &first), whole);
        CU_ASSERT_EQUAL(run(i, &s, true, &result), 0);
        CU_ASSERT_EQUAL(result.end, END_UPDATES);
        CU_ASSERT_EQUAL(result.state.update, 20);
        CU_ASSERT_STRING_EQUAL(model_hash(), whole);
    }
    tear_down();
}

static void test_ema_formula(void)
{
    arena *memory = arena_new();
    params *p = params_new();
    tensor *w = params_add(p, "w", 3, 1, INIT_ZERO, 0);
    params_alloc(p, false);
    ema e = ema_new(p, 0.4, memory);
    double mean = 0;
    for (long step = 1; step <= 50; step++) {
        double decay = fmin(0.4, (1.0 + (double)step) / (10.0 + (double)step));
        w->v[1] = (real)step;
        ema_update(&e, step);
        mean = step == 1 ? 1 : decay * mean + (1 - decay) * (double)step;
        CU_ASSERT_DOUBLE_EQUAL(e.mean[1], mean, 1e-5 * mean);
    }
    ema_swap(&e);
    CU_ASSERT_DOUBLE_EQUAL(w->v[1], mean, 1e-5 * mean);
    CU_ASSERT_EQUAL(e.mean[1], 50);
    ema_swap(&e);
    CU_ASSERT_EQUAL(w->v[1], 50);
    params_free(p);
    arena_free(memory);
}

/* The mean changes no weights; it is saved, resumed, and what is best. */
static void test_ema(void)
{
    set_up();
    train_settings s = settings(20), first = settings(10);
    const char *without = hash_of_run(0, &s);
    s.ema = first.ema = 0.9;
    s.valid_every = first.valid_every = 5;
    s.metric = first.metric = METRIC_XENT;
    CU_ASSERT_STRING_EQUAL(hash_of_run(0, &s), without);
    const char *mean = slot_hash("ema");
    CU_ASSERT_STRING_NOT_EQUAL(mean, without);
    CU_ASSERT_STRING_EQUAL(slot_hash("best"), mean); /* this loss falls all the time */
    train_result result;
    hash_of_run(0, &first);
    CU_ASSERT_EQUAL(run(0, &s, true, &result), 0);
    CU_ASSERT_STRING_EQUAL(slot_hash("ema"), mean);
    CU_ASSERT_STRING_EQUAL(model_hash(), without);
    tear_down();
}

static void stop_at_7(const train_progress *p)
{
    if (p->event == TRAIN_UPDATED && p->update == 7) stop_flag = 1;
}

static void test_signal(void)
{
    set_up();
    train_settings s = settings(15);
    const char *whole = hash_of_run(0, &s);
    unlink(here.model);
    train_result result;
    watch = stop_at_7;
    CU_ASSERT_EQUAL(run(0, &s, false, &result), 0);
    CU_ASSERT_EQUAL(result.end, END_SIGNAL);
    CU_ASSERT_EQUAL(result.state.update, 7);
    CU_ASSERT_FALSE(result.validated);
    watch = NULL;
    stop_flag = 0;
    CU_ASSERT_EQUAL(run(0, &s, true, &result), 0);
    CU_ASSERT_STRING_EQUAL(model_hash(), whole);
    tear_down();
}

static bool contains(const char *text, const char *part) { return strstr(text, part) != NULL; }

static void test_divergence(void)
{
    set_up();
    train_settings s = settings(50);
    s.schedule.lr = 1e37;
    s.schedule.warmup = 0;
    s.clip_norm = 0;
    train_result result;
    CU_ASSERT_EQUAL(run(2, &s, false, &result), -1);
    CU_ASSERT_TRUE(contains(error_message(), "update") && contains(error_message(), "--lr"));
    CU_ASSERT_EQUAL(access(here.model, F_OK), -1); /* no checkpoint, no file */
    CU_ASSERT_EQUAL(rmdir(here.dir), -1);

    train_settings good = settings(5);
    const char *before = hash_of_run(2, &good);
    CU_ASSERT_EQUAL(run(2, &s, true, &result), -1);
    CU_ASSERT_TRUE(contains(error_message(), here.model));
    CU_ASSERT_STRING_EQUAL(model_hash(), before); /* the last good checkpoint stays */
    tear_down();
}

/* With a learning rate of nothing the first validation stays the best. */
static void test_patience(void)
{
    set_up();
    train_settings s = settings(0);
    s.schedule.lr = 0;
    s.valid_every = 2;
    s.patience = 3;
    s.metric = METRIC_XENT;
    train_result result;
    CU_ASSERT_EQUAL(run(0, &s, false, &result), 0);
    CU_ASSERT_EQUAL(result.end, END_PATIENCE);
    CU_ASSERT_EQUAL(result.state.update, 8);
    CU_ASSERT_EQUAL(result.state.best_update, 2);
    CU_ASSERT_DOUBLE_EQUAL(result.state.best, -result.last.xent, 1e-12);
    tear_down();
}

static void test_epochs(void)
{
    set_up();
    train_settings s = settings(0);
    s.epochs = 2;
    s.valid_every = 0;
    train_result result;
    CU_ASSERT_EQUAL(run(0, &s, false, &result), 0);
    CU_ASSERT_EQUAL(result.end, END_EPOCHS);
    CU_ASSERT_EQUAL(result.state.epoch, 3); /* two are done */
    CU_ASSERT_EQUAL(result.state.valid_update, result.state.update);
    tear_down();
}

static void count_metric(int64_t update, const char *name, double value, void *context)
{
    (void)update, (void)name;
    CU_ASSERT_TRUE(isfinite(value));
    ++*(int *)context;
}

/* All networks learn which words there are (to a cross entropy of about 2.2 from 5.7), the Transformer in
 * this short time also what a mirror does. */
static void test_learning(void)
{
    set_up();
    for (int i = 0; i < NETWORKS; i++) {
        train_settings s = settings(300);
        s.valid_every = 100;
        s.schedule.kind = SCHEDULE_CONSTANT;
        unlink(here.model);
        train_result result;
        CU_ASSERT_EQUAL(run(i, &s, false, &result), 0);
        CU_ASSERT_TRUE(result.validated);
        CU_ASSERT_TRUE(result.last.xent < (i == 2 ? 1.5 : 2.6));
        store *st;
        int n = 0;
        BUG_IF(store_open(here.model, STORE_READ, &st) < 0);
        CU_ASSERT_EQUAL(store_each_metric(st, "valid.bleu", count_metric, &n), 0);
        CU_ASSERT_EQUAL(n, 3);
        CU_ASSERT_EQUAL(store_checkpoint(st, "best", &(checkpoint_info){0}, NULL), 1);
        store_close(st);
        printf(" %.3f", result.last.xent);
    }
    tear_down();
}

static void test_overwrite(void)
{
    set_up();
    train_settings s = settings(3);
    const char *old = hash_of_run(0, &s);
    model_file *f;
    CU_ASSERT_EQUAL(model_file_create(here.model, false, &f), -1);
    CU_ASSERT_TRUE(contains(error_message(), "--resume") && contains(error_message(), "--overwrite"));
    CU_ASSERT_EQUAL(model_file_create(here.model, true, &f), 0);
    model_file_close(f); /* failed before the first checkpoint */
    CU_ASSERT_STRING_EQUAL(model_hash(), old);
    tear_down();
}

static void test_valid_sets(void)
{
    set_up();
    pair_text set;
    valid_from_pairs(&here.valid.ids, here.vocab.tgt, &set);
    CU_ASSERT_EQUAL(set.ids.src.n, VALID_PAIRS);
    CU_ASSERT_EQUAL(set.tgt_text.n, here.valid.tgt_text.n);
    CU_ASSERT_EQUAL(memcmp(set.tgt_text.p, here.valid.tgt_text.p, set.tgt_text.n), 0);
    size_t longer = 0;
    for (size_t i = 0; i < VALID_PAIRS; i++)
        longer += seqs_len(&set.ids.src, i) > 5 || seqs_len(&set.ids.tgt, i) > 5;
    CU_ASSERT_TRUE(longer > 0 && longer < VALID_PAIRS);
    CU_ASSERT_EQUAL(valid_limit(&set, 5), longer);
    CU_ASSERT_EQUAL(set.ids.src.n, VALID_PAIRS - longer);
    CU_ASSERT_EQUAL(set.tgt_start[set.ids.src.n], set.tgt_text.n);
    pair_text_free(&set);
    tear_down();
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"schedules", test_schedules},
        {"clipping", test_clipping},
        {"state as text", test_state},
        {"validation sets", test_valid_sets},
        {"same bits with any number of threads", test_threads},
        {"same bits when resumed", test_resume},
        {"a moving average of the weights", test_ema_formula},
        {"is validated, saved and resumed", test_ema},
        {"a signal ends with a checkpoint", test_signal},
        {"divergence is told, the last checkpoint stays", test_divergence},
        {"patience", test_patience},
        {"epochs", test_epochs},
        {"overwriting keeps the old file until the new one is there", test_overwrite},
        {"networks learn", test_learning},
        CU_TEST_INFO_NULL,
    };
    team_set_threads(1); /* tiny networks: more only where a test is about threads */
    return suite_run("train", tests);
}
