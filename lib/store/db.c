#include "store/db.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/schema.h"

int db_patience = 10000;

/* ------------------------------------------------------------------------------------- errors */

static const char *system_reason(store *s)
{
    int error = sqlite3_system_errno(s->db);
    return error ? strerror(error) : sqlite3_errmsg(s->db);
}

int db_damaged(store *s, const char *what)
{
    return fail("%s: damaged (%s): restore it from a copy, or train it again", s->path, what);
}

int db_fail(store *s)
{
    const char *path = s->path;
    switch (sqlite3_errcode(s->db) & 0xFF) {
    case SQLITE_FULL:
        return fail("%s: no space left on its disk: free some; what was saved before is whole", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail("%s: locked by another program: wait until it is done, or end it", path);
    case SQLITE_READONLY:
    case SQLITE_PERM: return fail("%s: no permission to write the file or its folder", path);
    case SQLITE_AUTH: return fail("%s: no permission to use it", path);
    case SQLITE_CANTOPEN:
        return fail("%s: the file, or its journal beside it, cannot be opened: %s", path, system_reason(s));
    case SQLITE_IOERR:
        return fail("%s: cannot be read or written (%s): check its disk", path, system_reason(s));
    case SQLITE_NOTADB: return fail("%s: not a model or vocabulary of tulk (file is not a database)", path);
    case SQLITE_NOMEM: return fail("%s: out of memory", path);
    default: return db_damaged(s, sqlite3_errmsg(s->db));
    }
}

/* --------------------------------------------------------------------------------------- file */

/* A database is input like any other: its views, triggers and functions in its schema are not run, and no
 * row is larger than what the store writes. */
static void harden(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 4 * STORE_CHUNK);
}

int db_open(store *s, int flags)
{
    int code = sqlite3_open_v2(s->file, &s->db, flags, NULL);
    if (!s->db) return fail("%s: out of memory", s->path);
    sqlite3_extended_result_codes(s->db, 1);
    if (code != SQLITE_OK) return db_fail(s);
    harden(s->db);
    sqlite3_busy_timeout(s->db, db_patience);
    /* Debian's SQLite overwrites deleted pages with zeros unless told not to: twice the work for each
     * checkpoint. */
    return db_exec(s, "PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY;"
                      "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
}

void db_close(store *s)
{
    BUG_IF(sqlite3_close(s->db) != SQLITE_OK); /* a statement was not finalised */
    s->db = NULL;
}

/* ---------------------------------------------------------------------------------- statements */

int db_exec(store *s, const char *sql)
{
    if (!s->db) return fail("%s: closed after an earlier error", s->path);
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(s);
}

static int bind_one(sqlite3_stmt *statement, int at, char type, va_list *args)
{
    if (type == 't') {
        const char *text = va_arg(*args, const char *);
        return sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    }
    if (type == 'i') return sqlite3_bind_int64(statement, at, va_arg(*args, int64_t));
    if (type == 'f') return sqlite3_bind_double(statement, at, va_arg(*args, double));
    BUG_IF(type != 'b');
    const void *bytes = va_arg(*args, const void *);
    size_t n = va_arg(*args, size_t);
    return sqlite3_bind_blob64(statement, at, n ? bytes : "", n, SQLITE_STATIC);
}

static int bind_all(store *s, sqlite3_stmt *statement, const char *types, va_list *args)
{
    for (int i = 0; types[i]; i++)
        if (bind_one(statement, i + 1, types[i], args) != SQLITE_OK) return db_fail(s);
    return 0;
}

static int prepare(store *s, sqlite3_stmt **out, const char *sql)
{
    *out = NULL;
    if (!s->db) return fail("%s: closed after an earlier error", s->path);
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK ? 0 : db_fail(s);
}

int db_prepare(store *s, sqlite3_stmt **out, const char *sql, const char *types, ...)
{
    if (prepare(s, out, sql) < 0) return -1;
    va_list args;
    va_start(args, types);
    int status = bind_all(s, *out, types, &args);
    va_end(args);
    if (status == 0) return 0;
    sqlite3_finalize(*out);
    *out = NULL;
    return -1;
}

static int put(store *s, sqlite3_stmt *statement, const char *types, va_list *args)
{
    if (bind_all(s, statement, types, args) < 0) return -1;
    if (sqlite3_step(statement) != SQLITE_DONE) return db_fail(s);
    sqlite3_reset(statement);
    return 0;
}

int db_put(store *s, sqlite3_stmt *statement, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int status = put(s, statement, types, &args);
    va_end(args);
    return status;
}

int db_run(store *s, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    if (prepare(s, &statement, sql) < 0) return -1;
    va_list args;
    va_start(args, types);
    int status = put(s, statement, types, &args);
    va_end(args);
    sqlite3_finalize(statement);
    return status;
}

static bool column_fits(sqlite3_stmt *statement, int at, char type)
{
    int is = sqlite3_column_type(statement, at);
    switch (type) {
    case 't': return is == SQLITE_TEXT || is == SQLITE_NULL;
    case 'T': return is == SQLITE_TEXT;
    case 'i': return is == SQLITE_INTEGER;
    case 'f': return is == SQLITE_FLOAT || is == SQLITE_NULL;
    case 'b': return is == SQLITE_BLOB;
    default: BUG_IF("unknown column type"); return false;
    }
}

int db_row(store *s, sqlite3_stmt *statement, const char *types)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return 0;
    if (code != SQLITE_ROW) return db_fail(s);
    for (int i = 0; types[i]; i++)
        if (!column_fits(statement, i, types[i]))
            return db_damaged(s, "a table holds a value of a wrong type");
    return 1;
}

const char *db_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? text : "";
}

int db_number(store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement;
    if (db_prepare(s, &statement, sql, "") < 0) return -1;
    int row = db_row(s, statement, "i");
    if (row == 1) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return row == 1 ? 0 : row < 0 ? -1 : db_damaged(s, "a number is missing");
}
