/* What a store holds, and what it refuses to hold. */
#include "store_material.h"

#include "base/rng.h"

/* ----------------------------------------------------------------------------------- round trips */

static void collect_setting(const char *key, const char *value, void *context)
{
    str_addf(context, "%s=%s;", key, value);
}

static void test_settings(void)
{
    const char *path = fresh_path();
    str value = {0}, all = {0};
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(store_set(s, "b", "1") == 0 && store_set(s, "a", "\xC3\xB5 'x'; --") == 0 &&
              store_set(s, "b", "") == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    store_close(s);
    s = open_or_die(path, STORE_READ);
    CU_ASSERT_EQUAL(store_get(s, "a", &value), 1);
    CU_ASSERT_STRING_EQUAL(str_text(&value), "\xC3\xB5 'x'; --");
    CU_ASSERT_EQUAL(store_get(s, "none", &value), 0);
    CU_ASSERT_EQUAL(store_each_setting(s, collect_setting, &all), 0);
    CU_ASSERT_STRING_EQUAL(str_text(&all), "a=\xC3\xB5 'x'; --;b=;");
    store_close(s);
    str_free(&value);
    str_free(&all);
}

static void test_vocab(void)
{
    const char *path = make_model();
    vocab_data expected = small_vocab(), got;
    store *s = open_or_die(path, STORE_WRITE);
    CU_ASSERT_EQUAL_FATAL(store_load_vocab(s, "joint", &got), 1);
    CU_ASSERT(same_vocab(&expected, &got));
    vocab_data_free(&got);
    CU_ASSERT(store_load_vocab(s, "src", &got) == 0 && got.n_pieces == 0);
    free(expected.pieces[--expected.n_pieces].text); /* saving again replaces */
    expected.n_merges = 1;
    CU_ASSERT(store_begin(s) == 0 && store_save_vocab(s, "joint", &expected) == 0);
    CU_ASSERT(store_save_vocab(s, "src", &expected) == 0 && store_commit(s) == 0);
    CU_ASSERT(store_load_vocab(s, "joint", &got) == 1 && same_vocab(&expected, &got));
    vocab_data_free(&got);
    CU_ASSERT(store_load_vocab(s, "src", &got) == 1 && same_vocab(&expected, &got));
    vocab_data_free(&got);
    vocab_data_free(&expected);
    store_close(s);
}

/* Three lists, of pieces below 5; `from` chooses which. */
static seqs make_shortlist(int from)
{
    seqs lists = {0};
    seqs_add(&lists, (const int[]){from, 3}, 2);
    seqs_add(&lists, NULL, 0);
    seqs_add(&lists, (const int[]){0, 2, 4}, 3);
    return lists;
}

static void save_shortlist(store *s, int from)
{
    seqs lists = make_shortlist(from);
    CU_ASSERT(store_begin(s) == 0 && store_save_shortlist(s, &lists) == 0 && store_commit(s) == 0);
    seqs_free(&lists);
}

static bool loads_shortlist(store *s, int from)
{
    seqs want = make_shortlist(from), got;
    bool same = store_load_shortlist(s, 2, 5, &got) == 1 && got.n == 3;
    for (size_t i = 0; same && i < 3; i++) same = seqs_len(&got, i) == seqs_len(&want, i);
    same = same && !memcmp(got.ids, want.ids, 5 * sizeof(int));
    seqs_free(&want);
    seqs_free(&got);
    return same;
}

static void test_shortlist(void)
{
    store *s = open_or_die(make_model(), STORE_WRITE);
    seqs got;
    CU_ASSERT(store_load_shortlist(s, 2, 5, &got) == 0 && got.n == 0); /* files of long ago */
    CU_ASSERT_EQUAL(store_has_shortlist(s), 0);
    save_shortlist(s, 1);
    CU_ASSERT(loads_shortlist(s, 1));
    save_shortlist(s, 2); /* saving again replaces */
    CU_ASSERT(store_has_shortlist(s) == 1 && loads_shortlist(s, 2));
    CU_ASSERT(store_load_shortlist(s, 2, 4, &got) == -1 && says("does not exist") && got.n == 0);
    CU_ASSERT(store_load_shortlist(s, 1, 5, &got) == -1 && says("do not exist"));
    CU_ASSERT(store_load_shortlist(s, 3, 5, &got) == -1 && says("missing"));
    CU_ASSERT(store_begin(s) == 0 && store_drop_shortlist(s) == 0 && store_commit(s) == 0);
    CU_ASSERT(store_drop_shortlist(s) == 0 && store_load_shortlist(s, 2, 5, &got) == 0);
    store_close(s);
}

/* What a hostile file may hold in its place. */
static void test_damaged_shortlist(void)
{
    static const char *const wrong[][2] = {
        {"UPDATE shortlist SET words = x'0100000003' WHERE piece = 0", "cut off"},
        {"UPDATE shortlist SET words = x'01000000ffffffff' WHERE piece = 0", "checksum"},
        {"UPDATE shortlist SET words = 'text'", "wrong type"},
        {"UPDATE shortlist SET checksum = 1.5", "wrong type"},
        {"UPDATE shortlist SET checksum = 7", "checksum"},
        {"DELETE FROM shortlist WHERE piece = 1", "gaps"},
        {"DELETE FROM shortlist", "missing"},
        {"UPDATE shortlist SET piece = piece - 1", "gaps"},
        {"DROP TABLE shortlist; CREATE TABLE shortlist(a)", "damaged"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *path = make_model();
        store *s = open_or_die(path, STORE_WRITE);
        seqs got;
        save_shortlist(s, 1);
        store_close(s);
        forge(path, wrong[i][0]);
        s = open_or_die(path, STORE_READ);
        CU_ASSERT(store_load_shortlist(s, 2, 5, &got) == -1 && got.n == 0);
        CU_ASSERT(says(wrong[i][1]) && says(path));
        store_close(s);
    }
}

typedef struct {
    int64_t update[8];
    double value[8];
    str names;
    int n;
} metrics;

static void collect_metric(int64_t update, const char *name, double value, void *context)
{
    metrics *m = context;
    m->update[m->n] = update;
    m->value[m->n++] = value;
    str_addf(&m->names, "%s ", name);
}

static void test_metrics(void)
{
    const char *path = fresh_path();
    metrics m = {0}, only = {0};
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(store_add_metric(s, 2, "b", 0.1) == 0 && store_add_metric(s, 1, "a", NAN) == 0);
    CU_ASSERT(store_add_metric(s, 9000000000, "b", INFINITY) == 0 && store_add_metric(s, 9, "b", 3) == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    CU_ASSERT_EQUAL(store_each_metric(s, NULL, collect_metric, &m), 0);
    CU_ASSERT(m.n == 4 && m.value[0] == 0.1 && isnan(m.value[1]) && isinf(m.value[2]) && m.value[3] == 3);
    CU_ASSERT(m.update[2] == 9000000000 && strcmp(str_text(&m.names), "b a b b ") == 0);
    CU_ASSERT_EQUAL(store_each_metric(s, "b", collect_metric, &only), 0);
    CU_ASSERT(only.n == 3 && strcmp(str_text(&only.names), "b b b ") == 0);
    store_close(s);
    str_free(&m.names);
    str_free(&only.names);
}

static void collect_tensor(const stored_tensor *t, void *context)
{
    str_addf(context, "%s %d %d %g;", t->name, t->rows, t->cols, (double)t->v[t->rows * t->cols - 1]);
}

static void collect_slot(const char *slot, const checkpoint_info *info, void *context)
{
    str_addf(context, "%s %lld %lld %g %s;", slot, (long long)info->update, (long long)info->epoch,
             info->valid_score, info->created);
}

static void test_checkpoints(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_WRITE);
    checkpoint_info info;
    str state = {0}, all = {0}, slots = {0};
    CU_ASSERT_EQUAL(store_checkpoint(s, "best", &info, &state), 0);
    CU_ASSERT_EQUAL(store_checkpoint(s, "last", &info, &state), 1);
    CU_ASSERT(info.update == 50 && info.epoch == 3 && info.valid_score == 0.5);
    CU_ASSERT_STRING_EQUAL(info.created, "2026-01-31T12:00:00Z");
    CU_ASSERT_STRING_EQUAL(str_text(&state), "state\nof it");
    CU_ASSERT(holds(s, "last", 5, 7, 1));
    CU_ASSERT_FALSE(holds(s, "last", 5, 7, 2));
    CU_ASSERT_EQUAL(store_each_tensor(s, "last", collect_tensor, &all), 0);
    CU_ASSERT_STRING_EQUAL(str_text(&all),
                           "adam.m.enc.w 6 7 1.04004;dec.b 7 7 1.04688;enc.w 5 7 1.0332;"); /* by name */
    tensors t = make_tensors(2, 2, 9);
    CU_ASSERT(store_begin(s) == 0 && save(s, "best", &t, 60, NAN) == 0 && store_commit(s) == 0);
    CU_ASSERT(store_checkpoint(s, "best", &info, NULL) == 1 && isnan(info.valid_score));
    CU_ASSERT_EQUAL(store_each_checkpoint(s, collect_slot, &slots), 0);
    CU_ASSERT_STRING_EQUAL(str_text(&slots),
                           "best 60 3 nan 2026-01-31T12:00:00Z;last 50 3 0.5 2026-01-31T12:00:00Z;");
    free_tensors(&t);
    store_close(s);
    str_free(&state);
    str_free(&all);
    str_free(&slots);
}

static void test_copy(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_WRITE);
    checkpoint_info info;
    tensors t = make_tensors(5, 7, 2);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(store_copy_checkpoint(s, "last", "best") == 0 && save(s, "last", &t, 70, 0.7) == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    CU_ASSERT(holds(s, "best", 5, 7, 1) && holds(s, "last", 5, 7, 2));
    CU_ASSERT(store_checkpoint(s, "best", &info, NULL) == 1 && info.update == 50);
    CU_ASSERT(store_begin(s) == 0 && store_copy_checkpoint(s, "last", "best") == 0 && store_commit(s) == 0);
    CU_ASSERT(holds(s, "best", 5, 7, 2) && holds(s, "last", 5, 7, 2));
    CU_ASSERT(store_checkpoint(s, "best", &info, NULL) == 1 && info.update == 70);
    CU_ASSERT(store_begin(s) == 0 && store_copy_checkpoint(s, "ema", "best") == -1 && says("'ema'"));
    store_rollback(s);
    CU_ASSERT(store_copy_checkpoint(s, "last", "last") == 0 && holds(s, "last", 5, 7, 2));
    int64_t rows = 0; /* tensors of the first checkpoint are gone */
    CU_ASSERT(db_number(s, "SELECT count(*) FROM tensor", &rows) == 0 && rows == N_TENSORS);
    free_tensors(&t);
    store_close(s);
}

static void test_chunks(void) /* tensors at and over the size of a chunk, and empty ones */
{
    const char *path = fresh_path();
    const int rows[] = {STORE_CHUNK / 4096, STORE_CHUNK / 4096 + 1, 0};
    store *s = open_or_die(path, STORE_CREATE);
    checkpoint_info info = {.update = 1, .epoch = 1};
    stored_tensor t[3];
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"full", "more", "none"};
        t[i] = (stored_tensor){names[i], rows[i], 1024, xmalloc((size_t)rows[i] * 4096 + 1)};
        for (int k = 0; k < rows[i] * 1024; k++) t[i].v[k] = (float)(k % 77777);
    }
    CU_ASSERT(store_begin(s) == 0 && store_save_checkpoint(s, "last", &info, NULL, t, 3) == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    int64_t n = 0, largest = 0;
    CU_ASSERT(db_number(s, "SELECT count(*) FROM tensor", &n) == 0 && n == 4);
    CU_ASSERT(db_number(s, "SELECT max(length(data)) FROM tensor", &largest) == 0 && largest == STORE_CHUNK);
    for (int i = 0; i < 3; i++) memset(t[i].v, 0, (size_t)rows[i] * 4096);
    CU_ASSERT_EQUAL(store_load_tensors(s, "last", t, 3), 0);
    int wrong = 0;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < rows[i] * 1024; k++) wrong += t[i].v[k] != (float)(k % 77777);
    CU_ASSERT_EQUAL(wrong, 0);
    for (int i = 0; i < 3; i++) free(t[i].v);
    store_close(s);
}

static void test_load_errors(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_READ);
    float v[64];
    stored_tensor wrong_shape = {"enc.w", 7, 5, v}, missing = {"no.such", 1, 1, v},
                  larger = {"enc.w", 8, 8, v};
    CU_ASSERT(store_load_tensors(s, "last", &wrong_shape, 1) == -1 && says("enc.w is 5 x 7"));
    CU_ASSERT(store_load_tensors(s, "last", &larger, 1) == -1 && says("enc.w"));
    CU_ASSERT(store_load_tensors(s, "last", &missing, 1) == -1 && says("no.such") && says("missing"));
    CU_ASSERT(store_load_tensors(s, "best", &missing, 0) == -1 && says("'best'"));
    CU_ASSERT(store_each_tensor(s, "best", collect_tensor, NULL) == -1 && says("'best'"));
    store_close(s);
}

/* ------------------------------------------------------------------------------------ refused files */

static void test_not_a_store(void)
{
    char zeros[4096] = {0}, garbage[4096];
    for (int i = 0; i < 4096; i++) garbage[i] = (char)(i * 7 + i / 256);
    for (enum store_mode mode = STORE_READ; mode <= STORE_WRITE; mode++) {
        check_refused(scratch_path("none.tulk"), mode, "no such file");
        check_refused(scratch_path("no/folder.tulk"), mode, "no such file");
        check_refused(scratch_path(""), mode, "folder");
        check_refused("/dev/null", mode, "not a regular file");
        check_refused(scratch_write("empty", "", 0), mode, "file is not a database");
        check_refused(scratch_write("text", "hello\n", 6), mode, "file is not a database");
        check_refused(scratch_write("zeros", zeros, sizeof zeros), mode, "file is not a database");
        check_refused(scratch_write("garbage", garbage, sizeof garbage), mode, "file is not a database");
    }
    check_refused(scratch_path("no/folder.tulk"), STORE_CREATE, "folder does not exist");
    check_refused(scratch_path(""), STORE_CREATE, "exists already");
    store *s;
    CU_ASSERT(store_open("", STORE_READ, &s) == -1 && store_open("", STORE_CREATE, &s) == -1);
}

static void test_foreign(void)
{
    const char *path = fresh_path();
    forge(path, "CREATE TABLE setting(key, value); INSERT INTO setting VALUES(1, 2)");
    check_refused(path, STORE_READ, "not a model or vocabulary");
    check_refused(path, STORE_WRITE, "not a model or vocabulary");
    check_refused(path, STORE_REPLACE, "not made by tulk");
    path = make_model();
    forge(path, "PRAGMA user_version = 2");
    check_refused(path, STORE_READ, "newer tulk");
    check_refused(path, STORE_WRITE, "update tulk");
    forge(path, "PRAGMA user_version = 0");
    check_refused(path, STORE_READ, "damaged");
}

/* 1 if everything in the file can be read, 0 if something is refused. */
static int read_everything(const char *path)
{
    store *s;
    str seen = {0};
    metrics m = {0};
    vocab_data v = {0};
    checkpoint_info info;
    if (store_open(path, STORE_READ, &s) < 0) return 0;
    bool good = store_each_setting(s, collect_setting, &seen) == 0;
    good &= store_load_vocab(s, "joint", &v) == 1;
    good &= store_each_metric(s, NULL, collect_metric, &m) == 0;
    good &=
        store_each_checkpoint(s, collect_slot, &seen) == 0 && store_checkpoint(s, "last", &info, &seen) == 1;
    good &= store_each_tensor(s, "last", collect_tensor, &seen) == 0 && holds(s, "last", 5, 7, 1);
    store_close(s);
    vocab_data_free(&v);
    str_free(&seen);
    str_free(&m.names);
    return good;
}

static void test_truncated(void)
{
    size_t n;
    const char *path = make_model();
    CU_ASSERT_EQUAL(read_everything(path), 1);
    char *bytes = read_file(path, &n);
    const size_t sizes[] = {1, 15, 16, 99, 100, 511, 512, 5000, STORE_PAGE, n / 2, n - STORE_PAGE, n - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *cut = scratch_write("cut.tulk", bytes, sizes[i]);
        store *s;
        CU_ASSERT_EQUAL(store_open(cut, STORE_READ, &s), -1);
        CU_ASSERT_EQUAL(store_open(cut, STORE_WRITE, &s), -1);
        CU_ASSERT(says(cut));
    }
    free(bytes);
}

/* Any damage is found or does no harm: never a crash, never a hang. */
static void test_damaged_bytes(void)
{
    size_t n;
    char *bytes = read_file(make_model(), &n);
    int found = 0;
    for (uint32_t i = 0; i < 150; i++) {
        rng r = rng_at(1, RNG_TEST, i);
        char *copy = xmalloc(n);
        memcpy(copy, bytes, n);
        for (size_t k = 0; k < n / 4000; k++) copy[rng_below(&r, (uint32_t)n)] = (char)rng_u32(&r);
        found += read_everything(scratch_write("damaged.tulk", copy, n)) == 0;
        free(copy);
    }
    CU_ASSERT(found > 50);
    free(bytes);
}

static void test_checksums(void)
{
    const char *path = make_model();
    forge(path, "UPDATE tensor SET data = zeroblob(length(data)) WHERE name = 'dec.b'");
    store *s = open_or_die(path, STORE_READ);
    tensors t = make_tensors(5, 7, 0);
    CU_ASSERT(store_load_tensors(s, "last", t.list, N_TENSORS) == -1 && says("dec.b") && says("checksum") &&
              says(path));
    str seen = {0};
    CU_ASSERT(store_each_tensor(s, "last", collect_tensor, &seen) == -1 && says("checksum"));
    str_free(&seen);
    free_tensors(&t);
    store_close(s);
    path = make_model();
    forge(path, "UPDATE piece SET text = 'b' WHERE id = 4");
    s = open_or_die(path, STORE_READ);
    vocab_data v;
    CU_ASSERT(store_load_vocab(s, "joint", &v) == -1 && says("checksum") && v.n_pieces == 0);
    store_close(s);
}

static void test_hostile(void)
{
    static const char *const attacks[] = {
        "UPDATE tensor SET rows = -5",
        "UPDATE tensor SET rows = 2147483647, cols = 2147483647",
        "UPDATE tensor SET rows = 1152921504606846976, cols = 16",
        "UPDATE tensor SET rows = 9223372036854775807",
        "UPDATE tensor SET rows = 'many'",
        "UPDATE tensor SET cols = 0",
        "UPDATE tensor SET cols = 2.5",
        "UPDATE tensor SET chunk = 7",
        "UPDATE tensor SET data = 'text'",
        "UPDATE tensor SET data = 17",
        "UPDATE tensor SET data = x''",
        "UPDATE tensor SET data = substr(data, 1, 13)",
        "UPDATE tensor SET data = zeroblob(50000000)",
        "UPDATE tensor SET checksum = 'x'",
        "UPDATE tensor SET name = x'00FF' WHERE name = 'dec.b'",
        "UPDATE tensor SET content = 99",
        "INSERT INTO tensor SELECT content, name, chunk + 1, rows, cols, checksum, data FROM tensor",
        "UPDATE checkpoint SET updates = 'x'",
        "UPDATE checkpoint SET created = x'00'",
        "UPDATE checkpoint SET content = 'x'",
        "UPDATE checkpoint SET state = x'0102'",
        "UPDATE checkpoint SET slot = NULL",
        "UPDATE piece SET id = id + 1000000000000 WHERE id = 8",
        "UPDATE piece SET id = 2147483648 WHERE id = 8",
        "UPDATE piece SET id = -1 WHERE id = 0",
        "UPDATE piece SET id = 'x' WHERE id = 0",
        "UPDATE piece SET text = CAST(x'610062' AS TEXT) WHERE id = 5",
        "UPDATE piece SET text = x'61' WHERE id = 5",
        "UPDATE piece SET count = 'x'",
        "DELETE FROM piece WHERE id = 3",
        "UPDATE merge SET left = -1",
        "UPDATE merge SET right = 4294967296",
        "UPDATE merge SET result = 9",
        "UPDATE merge SET left = 'x'",
        "UPDATE merge SET rank = rank + 1 WHERE rank = 1",
        "DELETE FROM setting WHERE key = 'vocab.joint.normalize'",
        "UPDATE setting SET value = 'nfd' WHERE key = 'vocab.joint.normalize'",
        "UPDATE setting SET value = x'FF'",
        "UPDATE metric SET value = 'x'",
        "UPDATE metric SET updates = 1.5",
        "DROP TABLE metric",
        "DROP TABLE piece; CREATE VIEW piece AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM "
        "n) "
        "SELECT 'joint' AS side, i AS id, 'x' AS text, 1 AS count FROM n",
        "ALTER TABLE tensor RENAME COLUMN data TO date",
    };
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        const char *path = make_model();
        forge(path, attacks[i]);
        bool refused = read_everything(path) == 0;
        if (!refused) fprintf(stderr, "\n    accepted: %s", attacks[i]);
        CU_ASSERT(refused);
        unlink(path);
    }
}

static CU_TestInfo tests[] = {
    {"settings", test_settings},
    {"vocabularies", test_vocab},
    {"metrics", test_metrics},
    {"checkpoints", test_checkpoints},
    {"copies of checkpoints", test_copy},
    {"chunks", test_chunks},
    {"errors of loading", test_load_errors},
    {"not a store", test_not_a_store},
    {"foreign and newer", test_foreign},
    {"truncated", test_truncated},
    {"damaged bytes", test_damaged_bytes},
    {"shortlists", test_shortlist},
    {"damaged shortlists", test_damaged_shortlist},
    {"checksums", test_checksums},
    {"hostile", test_hostile},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    scratch_open();
    int status = suite_run("store", tests);
    scratch_close();
    return status;
}
