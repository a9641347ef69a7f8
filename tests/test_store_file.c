/* The file of a store: how it appears, who may use it, and what failures leave. */
#include "store_material.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/rng.h"

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
    int status = suite_run("store_file", tests);
    scratch_close();
    return status;
}
