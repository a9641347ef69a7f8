#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "scratch.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/store.h"

static bool says(const char *part)
{
    bool found = strstr(error_message(), part) != NULL;
    if (!found) fprintf(stderr, "\n    expected '%s' in: %s", part, error_message());
    return found;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

static long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static const char *with(const char *path, const char *suffix)
{
    static char out[8][1100];
    static int next;
    char *p = out[next++ % 8];
    snprintf(p, sizeof out[0], "%s%s", path, suffix);
    return p;
}

static store *open_or_die(const char *path, enum store_mode mode)
{
    store *s;
    if (store_open(path, mode, &s) < 0) {
        fprintf(stderr, "\n    %s\n", error_message());
        CU_FAIL_FATAL("store_open");
    }
    return s;
}

/* A path that no other test uses. */
static const char *fresh_path(void)
{
    static int n;
    char name[32];
    snprintf(name, sizeof name, "m%d.tulk", n++);
    return scratch_path(name);
}

/* -------------------------------------------------------------------------------- test material */

static vocab_data small_vocab(void)
{
    static const char *const texts[] = {"<pad>",
                                        "<unk>",
                                        "<bos>",
                                        "<eos>",
                                        "a",
                                        "\xE2\x96\x81"
                                        "b",
                                        "'",
                                        "\xFF\x01",
                                        ""};
    vocab_data v = {.normalize = NORMALIZE_NFKC, .casefold = true, .n_pieces = 9, .n_merges = 2};
    v.pieces = xcalloc(9, sizeof *v.pieces);
    v.merges = xcalloc(2, sizeof *v.merges);
    for (int i = 0; i < 9; i++) v.pieces[i] = (piece){xstrdup(texts[i]), (uint64_t)i * 1000000000000u};
    v.merges[0] = (merge){4, 5, 6};
    v.merges[1] = (merge){6, 6, 7};
    return v;
}

static bool same_vocab(const vocab_data *a, const vocab_data *b)
{
    bool same = a->normalize == b->normalize && a->casefold == b->casefold && a->n_pieces == b->n_pieces &&
                a->n_merges == b->n_merges &&
                memcmp(a->merges, b->merges, (size_t)a->n_merges * sizeof(merge)) == 0;
    for (int i = 0; same && i < a->n_pieces; i++)
        same = strcmp(a->pieces[i].text, b->pieces[i].text) == 0 && a->pieces[i].count == b->pieces[i].count;
    return same;
}

/* Tensors whose values all follow from a number. */
enum { N_TENSORS = 3 };

typedef struct {
    stored_tensor list[N_TENSORS];
} tensors;

static tensors make_tensors(int rows, int cols, float start)
{
    static const char *const names[N_TENSORS] = {"enc.w", "adam.m.enc.w", "dec.b"};
    tensors t;
    for (int i = 0; i < N_TENSORS; i++) {
        t.list[i] = (stored_tensor){names[i], rows + i, cols, NULL};
        size_t n = (size_t)(rows + i) * (size_t)cols;
        t.list[i].v = xmalloc(n * sizeof(float) + 1);
        for (size_t k = 0; k < n; k++) t.list[i].v[k] = start + (float)(k % 1000) / 1024;
    }
    return t;
}

static void free_tensors(tensors *t)
{
    for (int i = 0; i < N_TENSORS; i++) free(t->list[i].v);
}

static bool same_tensors(const tensors *a, const tensors *b)
{
    for (int i = 0; i < N_TENSORS; i++) {
        size_t n = (size_t)a->list[i].rows * (size_t)a->list[i].cols;
        if (memcmp(a->list[i].v, b->list[i].v, n * sizeof(float)) != 0) return false;
    }
    return true;
}

static int save(store *s, const char *slot, const tensors *t, int64_t update, double score)
{
    checkpoint_info info = {
        .update = update, .epoch = 3, .valid_score = score, .created = "2026-01-31T12:00:00Z"};
    return store_save_checkpoint(s, slot, &info, "state\nof it", t->list, N_TENSORS);
}

/* Whether the slot holds tensors made with this start. */
static bool holds(store *s, const char *slot, int rows, int cols, float start)
{
    tensors expected = make_tensors(rows, cols, start), got = make_tensors(rows, cols, -1);
    bool good = store_load_tensors(s, slot, got.list, N_TENSORS) == 0 && same_tensors(&expected, &got);
    free_tensors(&expected);
    free_tensors(&got);
    return good;
}

static void write_model(const char *path)
{
    store *s = open_or_die(path, STORE_CREATE);
    vocab_data v = small_vocab();
    tensors t = make_tensors(5, 7, 1);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(store_set(s, "arch", "rnn") == 0 && store_save_vocab(s, "joint", &v) == 0);
    CU_ASSERT(save(s, "last", &t, 50, 0.5) == 0 && store_add_metric(s, 50, "train.loss", 2.5) == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    store_close(s);
    vocab_data_free(&v);
    free_tensors(&t);
}

static char *read_file(const char *path, size_t *n)
{
    *n = (size_t)size_of(path);
    char *bytes = xmalloc(*n);
    FILE *f = fopen(path, "rb");
    CU_ASSERT_FATAL(f && fread(bytes, 1, *n, f) == *n);
    fclose(f);
    return bytes;
}

/* A small whole model at a fresh path: a copy of one that is made once, since making waits for the disk. */
static const char *make_model(void)
{
    static const char original[] = "original.tulk";
    size_t n;
    if (!exists(scratch_path(original))) write_model(scratch_path(original));
    char *bytes = read_file(scratch_path(original), &n);
    const char *path = fresh_path();
    scratch_write(strrchr(path, '/') + 1, bytes, n);
    free(bytes);
    return path;
}

/* Changes a file in a way that the store does not offer. */
static void forge(const char *path, const char *sql)
{
    sqlite3 *db;
    char *why = NULL;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fprintf(stderr, "\n    %s: %s", sql, why);
        CU_FAIL("forge");
    }
    sqlite3_free(why);
    sqlite3_close(db);
}

static void check_refused(const char *path, enum store_mode mode, const char *part)
{
    store *s;
    CU_ASSERT_EQUAL(store_open(path, mode, &s), -1);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT(says(part) && says(path));
}

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

/* -------------------------------------------------------------------------------- life of a file */

static void test_create(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT(!exists(path) && exists(with(path, ".part")));
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "1") == 0);
    store_rollback(s);
    CU_ASSERT(!exists(path));
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "2") == 0 && store_commit(s) == 0);
    CU_ASSERT(exists(path) && !exists(with(path, ".part")) && !exists(with(path, "-journal")));
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "3") == 0 && store_commit(s) == 0); /* goes on there */
    store_close(s);
    CU_ASSERT(exists(path) && !exists(with(path, ".part")) && !exists(with(path, "-journal")));
    check_refused(path, STORE_CREATE, "exists already");
    str value = {0};
    s = open_or_die(path, STORE_READ);
    CU_ASSERT(store_get(s, "a", &value) == 1 && strcmp(str_text(&value), "3") == 0);
    str_free(&value);
    store_close(s);
}

static void test_create_leaves_nothing(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "1") == 0);
    store_close(s);
    CU_ASSERT(!exists(path) && !exists(with(path, ".part")) && !exists(with(path, ".part-journal")));
}

static void test_create_appears_meanwhile(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "1") == 0);
    scratch_write(strrchr(path, '/') + 1, "mine", 4);
    CU_ASSERT(store_commit(s) == -1 && says(".part"));
    CU_ASSERT(store_begin(s) == -1); /* an error, not a crash */
    store_close(s);
    CU_ASSERT_EQUAL(size_of(path), 4);
    CU_ASSERT(exists(with(path, ".part"))); /* what was saved is not lost */
}

static void test_leftover_part(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    check_refused(path, STORE_CREATE, "another tulk");
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "1") == 0 && store_commit(s) == 0);
    store_close(s);
    CU_ASSERT_EQUAL(rename(path, with(path, ".part")), 0); /* as a killed run leaves it */
    scratch_write(with(strrchr(path, '/') + 1, ".part-journal"), "xx", 2);
    s = open_or_die(path, STORE_CREATE);
    str value = {0};
    CU_ASSERT_EQUAL(store_get(s, "a", &value), 0);
    CU_ASSERT(store_begin(s) == 0 && store_commit(s) == 0);
    store_close(s);
    scratch_write("other.tulk.part", "a text of the user", 18);
    check_refused(scratch_path("other.tulk"), STORE_CREATE, "in the way");
    CU_ASSERT_EQUAL(size_of(scratch_path("other.tulk.part")), 18);
    str_free(&value);
}

/* A new file at the place of one that was removed without its journal is not spoilt by it. */
static void test_stray_journal(void)
{
    const char *path = make_model();
    char journal[1100];
    snprintf(journal, sizeof journal, "%s", with(path, "-journal"));
    store *s = open_or_die(path, STORE_WRITE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "arch", "changed") == 0);
    CU_ASSERT_EQUAL(db_exec(s, "PRAGMA cache_size = 1; UPDATE piece SET count = count + 1"), 0);
    FILE *from = fopen(journal, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(from);
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    store_close(s);
    CU_ASSERT_EQUAL(unlink(path), 0);
    scratch_write(strrchr(journal, '/') + 1, bytes, n);
    s = open_or_die(path, STORE_CREATE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "x", "y") == 0 && store_commit(s) == 0);
    store_close(s);
    str value = {0};
    s = open_or_die(path, STORE_READ);
    CU_ASSERT(store_get(s, "x", &value) == 1 && store_get(s, "arch", &value) == 0);
    store_close(s);
    str_free(&value);
}

static void test_replace(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_REPLACE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "arch", "new") == 0);
    store *reader = open_or_die(path, STORE_READ); /* the old one stands and can be read */
    CU_ASSERT(holds(reader, "last", 5, 7, 1));
    store_close(reader);
    check_refused(path, STORE_WRITE, "another tulk");
    store_close(s);
    CU_ASSERT(exists(path) && !exists(with(path, ".part")));
    s = open_or_die(path, STORE_REPLACE);
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "arch", "new") == 0 && store_commit(s) == 0);
    str value = {0};
    CU_ASSERT(store_get(s, "arch", &value) == 1 && strcmp(str_text(&value), "new") == 0);
    store_close(s);
    CU_ASSERT(!exists(with(path, ".part")));
    const char *text = scratch_write("thesis.txt", "years of work\n", 14);
    check_refused(text, STORE_REPLACE, "not made by tulk");
    CU_ASSERT_EQUAL(size_of(text), 14);
    check_refused(scratch_path(""), STORE_REPLACE, "folder");
    const char *none = fresh_path(); /* nothing there: as STORE_CREATE */
    s = open_or_die(none, STORE_REPLACE);
    CU_ASSERT(store_begin(s) == 0 && store_commit(s) == 0 && exists(none));
    store_close(s);
    str_free(&value);
}

static void test_relative_path(void)
{
    char before[1024];
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof before));
    CU_ASSERT_EQUAL_FATAL(chdir(scratch_folder), 0);
    const char *names[] = {":memory:", "file:x?mode=memory", "plain", "-m", "a b%20'\"\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        store *s = open_or_die(names[i], STORE_CREATE);
        CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "b") == 0 && store_commit(s) == 0);
        store_close(s);
        CU_ASSERT(exists(names[i]));
        store_close(open_or_die(names[i], STORE_WRITE));
        store_close(open_or_die(names[i], STORE_READ));
    }
    CU_ASSERT_EQUAL(chdir(before), 0);
}

/* A reader sees the state it opened, also while a writer works. */
static void test_reader_and_writer(void)
{
    const char *path = make_model();
    store *w = open_or_die(path, STORE_WRITE);
    tensors t = make_tensors(5, 7, 4);
    CU_ASSERT(store_begin(w) == 0 && save(w, "last", &t, 51, 1) == 0);
    store *r = open_or_die(path, STORE_READ);
    CU_ASSERT(holds(r, "last", 5, 7, 1));
    store_close(r);
    CU_ASSERT_EQUAL(store_commit(w), 0);
    r = open_or_die(path, STORE_READ);
    CU_ASSERT(holds(r, "last", 5, 7, 4));
    store_close(r);
    store_close(w);
    free_tensors(&t);
}

static void test_commit_locked(void) /* a reader that does not end */
{
    const char *path = make_model();
    db_patience = 50;
    store *w = open_or_die(path, STORE_WRITE), *r = open_or_die(path, STORE_READ);
    CU_ASSERT(store_begin(w) == 0 && store_set(w, "arch", "x") == 0);
    CU_ASSERT(store_commit(w) == -1 && says("locked"));
    store_close(r);
    CU_ASSERT(store_begin(w) == 0 && store_set(w, "arch", "y") == 0 && store_commit(w) == 0);
    store_close(w);
    db_patience = 10000;
}

static long live_ratio_percent(store *s)
{
    int64_t pages = 0, unused = 0;
    CU_ASSERT(db_number(s, "PRAGMA page_count", &pages) == 0 &&
              db_number(s, "PRAGMA freelist_count", &unused) == 0);
    return (long)(100 * pages / (pages - unused));
}

static void test_size(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    tensors t = make_tensors(60, 1000, 0);
    long largest = 0;
    for (int i = 0; i < 12; i++) { /* 'best' and 'ema' follow 'last' now and then, in all ways */
        CU_ASSERT(store_begin(s) == 0 && save(s, "last", &t, i, i) == 0);
        if (i % 3 == 0) CU_ASSERT_EQUAL(store_copy_checkpoint(s, "last", "best"), 0);
        if (i == 7) CU_ASSERT_EQUAL(save(s, "best", &t, i, i), 0);
        if (i % 5 == 0) CU_ASSERT_EQUAL(store_copy_checkpoint(s, "best", "ema"), 0);
        CU_ASSERT_EQUAL(store_commit(s), 0);
        long ratio = live_ratio_percent(s);
        if (ratio > largest) largest = ratio;
    }
    CU_ASSERT(largest <= 220);
    CU_ASSERT(holds(s, "last", 60, 1000, 0) && holds(s, "ema", 60, 1000, 0));
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(store_copy_checkpoint(s, "last", "best") == 0 && store_copy_checkpoint(s, "last", "ema") == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    CU_ASSERT(live_ratio_percent(s) <= 220);
    store_close(s);
    CU_ASSERT(size_of(path) <= (long)(2.2 * 3 * 61 * 1000 * 4) + 64 * STORE_PAGE);
    free_tensors(&t);
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

/* -------------------------------------------------------------------------------- failing machines */

static void test_full_disk(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_WRITE);
    tensors t = make_tensors(500, 1000, 2);
    CU_ASSERT_EQUAL(db_exec(s, "PRAGMA max_page_count = 60"), 0);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT(save(s, "last", &t, 60, 1) == -1 && says("no space") && says(path));
    store_rollback(s);
    CU_ASSERT(holds(s, "last", 5, 7, 1)); /* what was there is whole, and the store can be used */
    CU_ASSERT_EQUAL(db_exec(s, "PRAGMA max_page_count = 100000"), 0);
    CU_ASSERT(store_begin(s) == 0 && save(s, "last", &t, 60, 1) == 0 && store_commit(s) == 0);
    store_close(s);
    s = open_or_die(path, STORE_READ);
    CU_ASSERT(holds(s, "last", 500, 1000, 2));
    store_close(s);
    free_tensors(&t);
}

/* In a child process: what it finds wrong is its exit code. */
static int in_child(int (*fn)(const char *path), const char *path)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(fn(path));
    CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int as_another_user(const char *path)
{
    store *s;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 0; /* cannot be tried here */
    if (store_open(path, STORE_WRITE, &s) != -1 || !says("no permission")) return 1;
    if (store_open(with(path, ".new"), STORE_CREATE, &s) != -1 || !says("no permission")) return 2;
    if (store_open(path, STORE_READ, &s) != 0 || !holds(s, "last", 5, 7, 1)) return 3;
    store_close(s);
    chmod(path, 0);
    return 0;
}

static int read_forbidden(const char *path)
{
    store *s;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 0;
    return store_open(path, STORE_READ, &s) == -1 && says(path) ? 0 : 1;
}

static void test_read_only_folder(void)
{
    const char *path = make_model();
    chmod(path, 0444);
    chmod(scratch_folder, 0555);
    CU_ASSERT_EQUAL(in_child(as_another_user, path), 0);
    chmod(path, 0);
    CU_ASSERT_EQUAL(in_child(read_forbidden, path), 0);
    chmod(scratch_folder, 0755);
    chmod(path, 0644);
}

static int writes_elsewhere(const char *path)
{
    store *s;
    if (store_open(path, STORE_WRITE, &s) != -1 || !says("another tulk")) return 1;
    if (store_open(path, STORE_REPLACE, &s) != -1 || !says("another tulk")) return 2;
    if (store_open(path, STORE_READ, &s) != 0) return 3;
    store_close(s);
    return 0;
}

static int creates_elsewhere(const char *path)
{
    store *s;
    return store_open(path, STORE_CREATE, &s) == -1 && says("another tulk") ? 0 : 1;
}

static void test_two_writers(void)
{
    const char *path = make_model();
    store *s = open_or_die(path, STORE_WRITE), *second;
    CU_ASSERT_EQUAL(in_child(writes_elsewhere, path), 0);
    CU_ASSERT(store_open(path, STORE_WRITE, &second) == -1 && says("another tulk")); /* nor in this process */
    CU_ASSERT(store_begin(s) == 0 && store_set(s, "a", "b") == 0 && store_commit(s) == 0);
    store_close(s);
    store_close(open_or_die(path, STORE_WRITE)); /* the lock ends with the store */
    path = fresh_path();
    s = open_or_die(path, STORE_CREATE);
    CU_ASSERT_EQUAL(in_child(creates_elsewhere, path), 0);
    CU_ASSERT(store_begin(s) == 0 && store_commit(s) == 0);
    CU_ASSERT_EQUAL(in_child(writes_elsewhere, path), 0); /* the lock goes with the file to its new name */
    store_close(s);
}

static int locked_by_sqlite(const char *path)
{
    store *s;
    db_patience = 20;
    return store_open(path, STORE_READ, &s) == -1 && says("locked by another program") ? 0 : 1;
}

static void test_locked(void)
{
    const char *path = make_model();
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(in_child(locked_by_sqlite, path), 0);
    sqlite3_close(db);
}

/* ------------------------------------------------------------------------------------- kill -9 */

enum {
    KILL_ROWS = 300,
    KILL_COLS = 1000
}; /* larger than SQLite's cache: the file changes before the commit */

/* Saves checkpoint after checkpoint, whose values all follow from the update. A byte in the pipe tells that
 * it begins. */
_Noreturn static void save_forever(const char *path, int ready)
{
    store *s;
    checkpoint_info info;
    if (store_open(path, STORE_WRITE, &s) < 0) _exit(3);
    if (store_checkpoint(s, "last", &info, NULL) != 1 || write(ready, "", 1) != 1) _exit(4);
    for (int64_t update = info.update + 1;; update++) {
        tensors t = make_tensors(KILL_ROWS, KILL_COLS, (float)update);
        if (store_begin(s) < 0 || save(s, "last", &t, update, 0) < 0 ||
            (update % 3 == 0 && store_copy_checkpoint(s, "last", "best") < 0) ||
            store_add_metric(s, update, "train.loss", (double)update) < 0 || store_commit(s) < 0)
            _exit(5);
        free_tensors(&t);
    }
}

/* Lets it save for a while, and kills it. */
static void save_and_kill(const char *path, useconds_t microseconds)
{
    int ends[2], status;
    char byte;
    CU_ASSERT_FATAL(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) save_forever(path, ends[1]);
    close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    usleep(microseconds);
    kill(child, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFSIGNALED(status)); /* else it failed by itself */
}

/* Whether checkpoint and log are those of one update; leaves it in *update. */
static bool is_whole(const char *path, enum store_mode mode, int64_t *update)
{
    store *s = open_or_die(path, mode);
    checkpoint_info last, best;
    int64_t logged = 0;
    bool whole = store_checkpoint(s, "last", &last, NULL) == 1 &&
                 holds(s, "last", KILL_ROWS, KILL_COLS, (float)last.update) &&
                 db_number(s, "SELECT max(updates) FROM metric", &logged) == 0 && logged == last.update;
    if (whole && store_checkpoint(s, "best", &best, NULL) == 1)
        whole = best.update % 3 == 0 && holds(s, "best", KILL_ROWS, KILL_COLS, (float)best.update);
    *update = last.update;
    store_close(s);
    return whole;
}

static const char *make_large_model(void)
{
    const char *path = fresh_path();
    store *s = open_or_die(path, STORE_CREATE);
    tensors t = make_tensors(KILL_ROWS, KILL_COLS, 0);
    CU_ASSERT(store_begin(s) == 0 && save(s, "last", &t, 0, 0) == 0 &&
              store_add_metric(s, 0, "train.loss", 0) == 0);
    CU_ASSERT_EQUAL(store_commit(s), 0);
    store_close(s);
    free_tensors(&t);
    return path;
}

static void test_killed(void)
{
    double begin = clock_seconds();
    const char *path = make_large_model();
    rng r = rng_at((uint64_t)getpid(), RNG_TEST, 0);
    uint32_t a_save =
        10000 + (uint32_t)(1e6 * (clock_seconds() - begin)); /* microseconds that it takes here */
    int64_t update = 0, before;
    int hot = 0; /* times that it died in the middle of saving */
    for (int round = 0; round < 200; round++) {
        double spent = clock_seconds() - begin;
        if (spent > 20 || (spent > 1 && update > 0 && hot > 0)) break; /* a slow machine gets its time */
        save_and_kill(path, rng_below(&r, 3 * a_save));
        hot += exists(with(path, "-journal"));
        before = update;
        CU_ASSERT(
            is_whole(path, round % 2 ? STORE_READ : STORE_WRITE, &update)); /* a reader repairs as well */
        CU_ASSERT(update >= before);
    }
    CU_ASSERT(update > 0 && hot > 0);
}

/* Killed before the first checkpoint: nothing but a .part, which the next run replaces. */
static void test_killed_at_the_start(void)
{
    const char *path = fresh_path();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        store *s;
        if (store_open(path, STORE_CREATE, &s) < 0 || store_begin(s) < 0) _exit(1);
        store_set(s, "a", "b");
        raise(SIGKILL);
    }
    int status;
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CU_ASSERT(!exists(path) && exists(with(path, ".part")));
    store *s = open_or_die(path, STORE_CREATE);
    CU_ASSERT(store_begin(s) == 0 && store_commit(s) == 0);
    store_close(s);
    CU_ASSERT(exists(path) && !exists(with(path, ".part")) && !exists(with(path, ".part-journal")));
}

static CU_TestInfo tests[] = {
    {"settings", test_settings},
    {"vocabularies", test_vocab},
    {"metrics", test_metrics},
    {"checkpoints", test_checkpoints},
    {"copies of checkpoints", test_copy},
    {"chunks", test_chunks},
    {"errors of loading", test_load_errors},
    {"create", test_create},
    {"create leaves nothing", test_create_leaves_nothing},
    {"create: name taken meanwhile", test_create_appears_meanwhile},
    {"create: .part of a killed run", test_leftover_part},
    {"create: journal of a removed file", test_stray_journal},
    {"replace", test_replace},
    {"odd names", test_relative_path},
    {"reader and writer", test_reader_and_writer},
    {"commit while locked", test_commit_locked},
    {"size of the file", test_size},
    {"not a store", test_not_a_store},
    {"foreign and newer", test_foreign},
    {"truncated", test_truncated},
    {"damaged bytes", test_damaged_bytes},
    {"checksums", test_checksums},
    {"hostile", test_hostile},
    {"full disk", test_full_disk},
    {"read-only folder", test_read_only_folder},
    {"two writers", test_two_writers},
    {"locked", test_locked},
    {"killed", test_killed},
    {"killed at the start", test_killed_at_the_start},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    scratch_open();
    int status = suite_run("store", tests);
    scratch_close();
    return status;
}
