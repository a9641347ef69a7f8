/* Inside the store: the open file and SQL in few words. Not for other rooms. */
#ifndef TULK_STORE_DB_H
#define TULK_STORE_DB_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/store.h"

struct store {
    sqlite3 *db; /* NULL only after a failed store_commit */
    char *path;  /* as the user named it, for messages */
    char *file;  /* what is open now: path, or path.part until the first commit */
    enum store_mode mode;
    bool replaced; /* rows of tensor may have lost their checkpoint since begin */
    bool part;     /* still under its .part name */
    int lock;      /* descriptor that holds the writer's lock, -1 for readers */
    int old;       /* descriptor that locks the file that STORE_REPLACE will replace, or -1 */
    dev_t device;  /* the locked file */
    ino_t inode;
    store *next_writer; /* the other writers of this process */
};

/* ------------------------------------------------------------ SQL (db.c), 0 or -1 with a message */

/* How long to wait for a lock of another program, in milliseconds; for files opened from now on. */
extern int db_patience;

/* Opens s->file (flags: SQLITE_OPEN_...) and makes a hostile database harmless. After an error: db_close. */
int db_open(store *s, int flags);
void db_close(store *s);
/* Leaves the sentence for SQLite's last error; always -1. */
int db_fail(store *s);
/* "FILE: damaged (WHAT): ..."; always -1. */
int db_damaged(store *s, const char *what);
int db_exec(store *s, const char *sql);
/* Prepares and binds `types`, a letter a value: t const char * (may be NULL), i int64_t, f double (NaN
 * becomes NULL), b const void * and size_t. Text and bytes must outlive the use. To be ended by
 * sqlite3_finalize. */
int db_prepare(store *s, sqlite3_stmt **out, const char *sql, const char *types, ...);
/* Binds and runs a prepared statement that gives no rows. */
int db_put(store *s, sqlite3_stmt *statement, const char *types, ...);
/* Prepares, binds, runs and finalises one. */
int db_run(store *s, const char *sql, const char *types, ...);
/* 1: there is a row, and its columns are of these types: T text, t text or NULL, i integer, f real or NULL, b
 * blob; 0: no more rows; -1 with a message. */
int db_row(store *s, sqlite3_stmt *statement, const char *types);
/* A text column of the row; never NULL. */
const char *db_text(sqlite3_stmt *statement, int column);
/* The first column of the first row, which must be an integer. */
int db_number(store *s, const char *sql, int64_t *out);

/* Deletes tensors that belong to no checkpoint (checkpoint.c). */
int checkpoint_drop_unnamed(store *s);

/* -------------------------------------------------------------------- the file on disk (file.c), likewise */

/* What SQLite opens for this path of the user: never one of its special names. Owned. */
char *file_name(const char *path, const char *suffix);
/* Refuses what cannot be a database: missing, a folder, empty, a device. */
int file_check(const char *path);
/* Takes the lock that only one writer of a file may have. */
int file_lock(store *s);
/* Makes s->file an empty, locked path.part; what a killed run left under this name is emptied. */
int file_make_part(store *s);
/* Gives the closed path.part its final name. */
int file_publish(store *s);
/* Removes path.part, if it was not published, and gives the locks back. The database must be closed. */
void file_release(store *s);

#endif
