#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/db.h"
#include "store/schema.h"

/* ---------------------------------------------------------------------------- what the file is */

/* Every column that is read, once: a file without one of them is refused before anything is believed. */
static int check_columns(store *s)
{
    static const char *const selects[] = {
        "SELECT key, value FROM setting",
        "SELECT side, id, text, count FROM piece",
        "SELECT side, rank, left, right, result FROM merge",
        "SELECT slot, content, updates, epoch, valid_score, created, state FROM checkpoint",
        "SELECT content, name, chunk, rows, cols, checksum, data FROM tensor",
        "SELECT updates, name, value FROM metric",
    };
    for (size_t i = 0; i < sizeof selects / sizeof *selects; i++) {
        sqlite3_stmt *statement;
        if (db_prepare(s, &statement, selects[i], "") < 0) return -1;
        sqlite3_finalize(statement);
    }
    return 0;
}

/* SQLite's check of the small tables; tensors have checksums of their own. */
static int check_pages(store *s)
{
    static const char *const checks[] = {"PRAGMA quick_check(setting)", "PRAGMA quick_check(piece)",
                                         "PRAGMA quick_check(merge)", "PRAGMA quick_check(checkpoint)",
                                         "PRAGMA quick_check(metric)"};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        sqlite3_stmt *statement;
        if (db_prepare(s, &statement, checks[i], "") < 0) return -1;
        int row = db_row(s, statement, "T");
        if (row == 1 && strcmp(db_text(statement, 0), "ok") != 0) row = db_damaged(s, db_text(statement, 0));
        sqlite3_finalize(statement);
        if (row < 0) return -1;
    }
    return 0;
}

static int check_mark(store *s)
{
    int64_t mark = 0, version = 0;
    if (db_number(s, "PRAGMA application_id", &mark) < 0) return -1;
    if (mark != STORE_APPLICATION_ID)
        return fail("%s: an SQLite database, but not a model or vocabulary of tulk", s->path);
    if (db_number(s, "PRAGMA user_version", &version) < 0) return -1;
    if (version > STORE_VERSION)
        return fail(
            "%s: written by a newer tulk (file version %lld, this program reads up to %d): update tulk",
            s->path, (long long)version, STORE_VERSION);
    return version < 1 ? db_damaged(s, "its version is missing") : 0;
}

/* SQLite itself does not miss the end of the last page. */
static int check_size(store *s)
{
    struct stat info;
    int64_t pages = 0, page = 0;
    if (db_number(s, "PRAGMA page_count", &pages) < 0 || db_number(s, "PRAGMA page_size", &page) < 0)
        return -1;
    return stat(s->file, &info) == 0 && info.st_size < pages * page ? db_damaged(s, "its end is missing") : 0;
}

static int check_file(store *s)
{
    return check_mark(s) < 0 || check_size(s) < 0 || check_columns(s) < 0 || check_pages(s) < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------------------------ opening */

/* From here to store_close the reader sees one state of the file. */
static int open_snapshot(store *s)
{
    int64_t ignored;
    if (db_open(s, SQLITE_OPEN_READONLY) < 0 || db_exec(s, "BEGIN") < 0) return -1;
    return db_number(s, "PRAGMA schema_version", &ignored);
}

/* A run that was killed while it saved leaves a journal, which only a program that may write can play back.
 */
static int recover(store *s)
{
    int64_t ignored;
    int status = db_open(s, SQLITE_OPEN_READWRITE);
    if (status == 0) status = db_number(s, "PRAGMA schema_version", &ignored);
    db_close(s);
    if (status == 0) return 0;
    return fail(
        "%s: a killed run left it in the middle of saving: to bring back what was saved before, use it "
        "once with permission to write the file and its folder",
        s->path);
}

static int open_read(store *s)
{
    if (file_check(s->path) < 0) return -1;
    if (open_snapshot(s) < 0) {
        if (sqlite3_extended_errcode(s->db) != SQLITE_READONLY_ROLLBACK) return -1;
        db_close(s);
        if (recover(s) < 0 || open_snapshot(s) < 0) return -1;
    }
    return check_file(s);
}

static int open_database(store *s)
{
    if (db_open(s, SQLITE_OPEN_READWRITE) < 0) return -1;
    return sqlite3_db_readonly(s->db, "main") == 1
               ? fail("%s: no permission to write the file or its folder", s->path)
               : 0;
}

static int open_write(store *s)
{
    if (file_check(s->path) < 0 || file_lock(s) < 0 || open_database(s) < 0 || check_file(s) < 0) return -1;
    return db_exec(s, "PRAGMA journal_mode = DELETE"); /* if somebody changed it: one file is one file */
}

static int make_tables(store *s)
{
    str sql = {0};
    str_addf(
        &sql,
        "PRAGMA page_size = %d; PRAGMA journal_mode = DELETE; BEGIN;"
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d; PRAGMA user_version = %d;" STORE_SCHEMA
        "COMMIT",
        STORE_PAGE, STORE_APPLICATION_ID, STORE_VERSION);
    int status = db_exec(s, sql.p);
    str_free(&sql);
    return status;
}

/* Brings an old file with a journal to the state that was saved: it must stay usable until it is replaced. */
static void settle_old(store *s)
{
    store old = *s;
    int64_t ignored;
    old.file = file_name(s->path, "");
    if (db_open(&old, SQLITE_OPEN_READWRITE) == 0) db_number(&old, "PRAGMA schema_version", &ignored);
    db_close(&old);
    free(old.file);
}

static int open_new(store *s)
{
    if (file_make_part(s) < 0) return -1;
    if (s->old >= 0) settle_old(s);
    return open_database(s) < 0 ? -1 : make_tables(s);
}

static int open_as(store *s)
{
    switch (s->mode) {
    case STORE_READ: return open_read(s);
    case STORE_WRITE: return open_write(s);
    case STORE_CREATE:
    case STORE_REPLACE: return open_new(s);
    }
    return -1;
}

int store_open(const char *path, enum store_mode mode, store **out)
{
    store *s = xcalloc(1, sizeof *s);
    *s = (store){.path = xstrdup(path), .file = file_name(path, ""), .mode = mode, .lock = -1, .old = -1};
    *out = NULL;
    if (open_as(s) < 0) {
        store_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

const char *store_path(const store *s) { return s->path; }

void store_close(store *s)
{
    if (!s) return;
    db_close(s); /* rolls back */
    file_release(s);
    free(s->path);
    free(s->file);
    free(s);
}

/* ------------------------------------------------------------------------------- transactions */

int store_begin(store *s)
{
    BUG_IF(s->mode == STORE_READ);
    return db_exec(s, "BEGIN IMMEDIATE");
}

/* Pages of replaced checkpoints are used again; if more lie free than the next checkpoint can use, the file
 * is cut to twice its live data. */
static int trim(store *s)
{
    int64_t pages = 0, unused = 0;
    if (db_number(s, "PRAGMA page_count", &pages) < 0 || db_number(s, "PRAGMA freelist_count", &unused) < 0)
        return -1;
    int64_t live = pages - unused;
    if (unused < live + live / 10) return 0;
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%lld)", (long long)(unused - live));
    return db_exec(s, sql);
}

/* SQLite finds the journal by the name under which the database was opened: close, rename, open. */
static int publish(store *s)
{
    db_close(s);
    if (file_publish(s) < 0) return -1;
    if (open_database(s) == 0) return 0;
    db_close(s);
    return -1;
}

int store_commit(store *s)
{
    if ((s->replaced && checkpoint_drop_unnamed(s) < 0) || trim(s) < 0 || db_exec(s, "COMMIT") < 0) {
        store_rollback(s);
        return -1;
    }
    s->replaced = false;
    return s->part ? publish(s) : 0;
}

void store_rollback(store *s)
{
    if (s->db && !sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}
