/* Settings and the training log: the two tables of plain values. */
#include "store/store.h"

#include <math.h>
#include <string.h>

#include "store/db.h"

/* Settings of the store's own (vocab.c) lie in the same table. */
static bool is_own(const char *key) { return strncmp(key, "vocab.", 6) == 0; }

int store_set(store *s, const char *key, const char *value)
{
    return db_run(s, "INSERT OR REPLACE INTO setting(key, value) VALUES(?, ?)", "tt", key, value);
}

int store_get(store *s, const char *key, str *value)
{
    sqlite3_stmt *statement;
    if (db_prepare(s, &statement, "SELECT value FROM setting WHERE key = ?", "t", key) < 0) return -1;
    int row = db_row(s, statement, "T");
    if (row == 1) str_add(value, db_text(statement, 0), strlen(db_text(statement, 0)));
    sqlite3_finalize(statement);
    return row;
}

int store_each_setting(store *s, void (*fn)(const char *key, const char *value, void *context), void *context)
{
    sqlite3_stmt *statement;
    int row;
    if (db_prepare(s, &statement, "SELECT key, value FROM setting ORDER BY key", "") < 0) return -1;
    while ((row = db_row(s, statement, "TT")) == 1)
        if (!is_own(db_text(statement, 0))) fn(db_text(statement, 0), db_text(statement, 1), context);
    sqlite3_finalize(statement);
    return row;
}

int store_add_metric(store *s, int64_t update, const char *name, double value)
{
    return db_run(s, "INSERT INTO metric(updates, name, value) VALUES(?, ?, ?)", "itf", update, name, value);
}

static double column_real(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL ? NAN
                                                                 : sqlite3_column_double(statement, column);
}

int store_each_metric(store *s, const char *name,
                      void (*fn)(int64_t update, const char *name, double value, void *context),
                      void *context)
{
    sqlite3_stmt *statement;
    int row;
    if (db_prepare(s, &statement,
                   "SELECT updates, name, value FROM metric WHERE ?1 IS NULL OR name = ?1 ORDER BY rowid",
                   "t", name) < 0)
        return -1;
    while ((row = db_row(s, statement, "iTf")) == 1)
        fn(sqlite3_column_int64(statement, 0), db_text(statement, 1), column_real(statement, 2), context);
    sqlite3_finalize(statement);
    return row;
}
