/* Checkpoints: tables checkpoint and tensor. A checkpoint's tensors are the rows with its `content` number; a
 * copy of a checkpoint is a second name of the same rows. Rows that lost their name are deleted at the end of
 * the transaction: so new ones take pages that were free before it, which need no journal, and each
 * checkpoint is written once. */
#include "store/store.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/db.h"
#include "store/schema.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are stored little-endian");
_Static_assert(sizeof(float) == 4, "tensors are stored as 32-bit floats");

static size_t tensor_bytes(const stored_tensor *t)
{
    BUG_IF(t->rows < 0 || t->cols < 0);
    return (size_t)t->rows * (size_t)t->cols * sizeof(float);
}

/* ------------------------------------------------------------------------------------- saving */

static int64_t sum_of(const void *bytes, size_t n)
{
    uint64_t sum = hash64(bytes, n);
    int64_t same_bits;
    memcpy(&same_bits, &sum, sizeof sum);
    return same_bits;
}

static int save_tensor(store *s, sqlite3_stmt *insert, int64_t content, const stored_tensor *t)
{
    size_t bytes = tensor_bytes(t), at = 0;
    int64_t chunk = 0;
    do {
        const char *from = (const char *)t->v + at;
        size_t n = bytes - at < STORE_CHUNK ? bytes - at : STORE_CHUNK;
        if (db_put(s, insert, "itiiiib", content, t->name, chunk++, (int64_t)t->rows, (int64_t)t->cols,
                   sum_of(from, n), (const void *)from, n) < 0)
            return -1;
        at += n;
    } while (at < bytes);
    return 0;
}

static int save_tensors(store *s, int64_t content, const stored_tensor *tensors, int n)
{
    sqlite3_stmt *insert;
    int status = db_prepare(s, &insert,
                            "INSERT INTO tensor(content, name, chunk, rows, cols, checksum, data) "
                            "VALUES(?, ?, ?, ?, ?, ?, ?)",
                            "");
    for (int i = 0; i < n && status == 0; i++) status = save_tensor(s, insert, content, &tensors[i]);
    sqlite3_finalize(insert);
    return status;
}

int checkpoint_drop_unnamed(store *s)
{
    return db_run(s, "DELETE FROM tensor WHERE content NOT IN (SELECT content FROM checkpoint)", "");
}

int store_save_checkpoint(store *s, const char *slot, const checkpoint_info *info, const char *state,
                          const stored_tensor *tensors, int n)
{
    int64_t content = 0;
    if (db_number(s, "SELECT coalesce(max(content), 0) + 1 FROM tensor", &content) < 0 ||
        save_tensors(s, content, tensors, n) < 0)
        return -1;
    s->replaced = true;
    return db_run(
        s,
        "INSERT OR REPLACE INTO checkpoint(slot, content, updates, epoch, valid_score, created, state) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)",
        "tiiiftt", slot, content, info->update, info->epoch, info->valid_score, info->created, state);
}

static int no_slot(store *s, const char *slot)
{
    return fail("%s: holds no checkpoint '%s' (see tulk info)", s->path, slot);
}

int store_copy_checkpoint(store *s, const char *from, const char *to)
{
    if (strcmp(from, to) == 0) return 0;
    if (db_run(
            s,
            "INSERT OR REPLACE INTO checkpoint(slot, content, updates, epoch, valid_score, created, state) "
            "SELECT ?2, content, updates, epoch, valid_score, created, state FROM checkpoint WHERE slot = ?1",
            "tt", from, to) < 0)
        return -1;
    s->replaced = true;
    return sqlite3_changes(s->db) == 0 ? no_slot(s, from) : 0;
}

int store_drop_checkpoint(store *s, const char *slot)
{
    s->replaced = true;
    return db_run(s, "DELETE FROM checkpoint WHERE slot = ?", "t", slot);
}

/* ---------------------------------------------------------------------------------- what there is */

/* Columns updates, epoch, valid_score, created from `first` on. */
static void read_info(sqlite3_stmt *row, int first, checkpoint_info *info)
{
    bool scored = sqlite3_column_type(row, first + 2) != SQLITE_NULL;
    *info = (checkpoint_info){.update = sqlite3_column_int64(row, first),
                              .epoch = sqlite3_column_int64(row, first + 1),
                              .valid_score = scored ? sqlite3_column_double(row, first + 2) : NAN};
    snprintf(info->created, sizeof info->created, "%s", db_text(row, first + 3));
}

int store_checkpoint(store *s, const char *slot, checkpoint_info *info, str *state)
{
    sqlite3_stmt *rows;
    if (db_prepare(s, &rows,
                   "SELECT updates, epoch, valid_score, created, state FROM checkpoint WHERE slot = ?", "t",
                   slot) < 0)
        return -1;
    int row = db_row(s, rows, "iifTt");
    if (row == 1) read_info(rows, 0, info);
    if (row == 1 && state) str_add(state, db_text(rows, 4), strlen(db_text(rows, 4)));
    sqlite3_finalize(rows);
    return row;
}

int store_each_checkpoint(store *s, void (*fn)(const char *slot, const checkpoint_info *info, void *context),
                          void *context)
{
    sqlite3_stmt *rows;
    int row;
    if (db_prepare(s, &rows,
                   "SELECT slot, updates, epoch, valid_score, created FROM checkpoint ORDER BY slot", "") < 0)
        return -1;
    while ((row = db_row(s, rows, "TiifT")) == 1) {
        checkpoint_info info;
        read_info(rows, 1, &info);
        fn(db_text(rows, 0), &info, context);
    }
    sqlite3_finalize(rows);
    return row;
}

/* 1 and the content number of a slot; a slot that is not there is an error. */
static int find_content(store *s, const char *slot, int64_t *content)
{
    sqlite3_stmt *rows;
    if (db_prepare(s, &rows, "SELECT content FROM checkpoint WHERE slot = ?", "t", slot) < 0) return -1;
    int row = db_row(s, rows, "i");
    if (row == 1) *content = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    return row == 0 ? no_slot(s, slot) : row;
}

/* ------------------------------------------------------------------------------------ loading */

static int damaged_tensor(store *s, const char *name, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "tensor %s: %s", name, what);
    return db_damaged(s, text);
}

/* Copies one chunk (columns chunk, rows, cols, checksum, data) to its place and moves *at behind it. */
static int load_chunk(store *s, sqlite3_stmt *row, const stored_tensor *t, int64_t chunk, size_t *at)
{
    size_t n = (size_t)sqlite3_column_bytes(row, 4), bytes = tensor_bytes(t);
    const void *data = sqlite3_column_blob(row, 4);
    if (sqlite3_column_int64(row, 1) != t->rows || sqlite3_column_int64(row, 2) != t->cols)
        return fail("%s: tensor %s is %lld x %lld, but the settings ask for %d x %d: the file is damaged",
                    s->path, t->name, (long long)sqlite3_column_int64(row, 1),
                    (long long)sqlite3_column_int64(row, 2), t->rows, t->cols);
    if (sqlite3_column_int64(row, 0) != chunk || n > bytes - *at)
        return damaged_tensor(s, t->name, "wrong size");
    if (sum_of(n ? data : "", n) != sqlite3_column_int64(row, 3))
        return damaged_tensor(s, t->name, "wrong checksum");
    if (n) memcpy((char *)t->v + *at, data, n);
    *at += n;
    return 0;
}

static int load_tensor(store *s, sqlite3_stmt *rows, int64_t content, const stored_tensor *t)
{
    size_t at = 0;
    int64_t chunk = 0;
    int row;
    sqlite3_reset(rows);
    if (sqlite3_bind_int64(rows, 1, content) != SQLITE_OK ||
        sqlite3_bind_text(rows, 2, t->name, -1, SQLITE_STATIC) != SQLITE_OK)
        return db_fail(s);
    while ((row = db_row(s, rows, "iiiib")) == 1)
        if (load_chunk(s, rows, t, chunk++, &at) < 0) return -1;
    if (row < 0) return -1;
    if (chunk == 0) return damaged_tensor(s, t->name, "missing");
    return at == tensor_bytes(t) ? 0 : damaged_tensor(s, t->name, "a part is missing");
}

static int prepare_chunks(store *s, sqlite3_stmt **rows)
{
    return db_prepare(s, rows,
                      "SELECT chunk, rows, cols, checksum, data FROM tensor WHERE content = ? AND name = ? "
                      "ORDER BY chunk",
                      "");
}

int store_load_tensors(store *s, const char *slot, const stored_tensor *tensors, int n)
{
    int64_t content = 0;
    sqlite3_stmt *rows;
    if (find_content(s, slot, &content) < 0 || prepare_chunks(s, &rows) < 0) return -1;
    int status = 0;
    for (int i = 0; i < n && status == 0; i++) status = load_tensor(s, rows, content, &tensors[i]);
    sqlite3_finalize(rows);
    return status;
}

/* The tensor of a row (name, rows, cols, bytes of data that are there) with memory for its values. A size
 * is believed only if so much data is there. */
static int make_tensor(store *s, sqlite3_stmt *row, stored_tensor *t)
{
    int64_t r = sqlite3_column_int64(row, 1), c = sqlite3_column_int64(row, 2),
            bytes = sqlite3_column_int64(row, 3);
    if (r < 0 || c < 0 || r > INT_MAX || c > INT_MAX || bytes < 0 || r * c != bytes / (int64_t)sizeof(float))
        return damaged_tensor(s, db_text(row, 0), "wrong size");
    *t = (stored_tensor){db_text(row, 0), (int)r, (int)c, xmalloc((size_t)bytes + 1)};
    return 0;
}

static int visit_tensors(store *s, sqlite3_stmt *names, sqlite3_stmt *chunks, int64_t content,
                         void (*fn)(const stored_tensor *t, void *context), void *context)
{
    int row;
    while ((row = db_row(s, names, "Tiii")) == 1) {
        stored_tensor t;
        if (make_tensor(s, names, &t) < 0) return -1;
        int status = load_tensor(s, chunks, content, &t);
        if (status == 0) fn(&t, context);
        free(t.v);
        if (status < 0) return -1;
    }
    return row;
}

int store_each_tensor(store *s, const char *slot, void (*fn)(const stored_tensor *t, void *context),
                      void *context)
{
    int64_t content = 0;
    sqlite3_stmt *names, *chunks = NULL;
    if (find_content(s, slot, &content) < 0 ||
        db_prepare(s, &names,
                   "SELECT name, rows, cols, sum(length(data)) FROM tensor WHERE content = ? "
                   "GROUP BY name ORDER BY name",
                   "i", content) < 0)
        return -1;
    int status = prepare_chunks(s, &chunks);
    if (status == 0) status = visit_tensors(s, names, chunks, content, fn, context);
    sqlite3_finalize(names);
    sqlite3_finalize(chunks);
    return status;
}
