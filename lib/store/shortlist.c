/* Vocabulary shortlists: table shortlist, which is only in files that have one. */
#include "store/store.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/db.h"
#include "store/schema.h"

static int64_t sum_of(const void *bytes, size_t n)
{
    uint64_t sum = hash64(bytes, n);
    int64_t same_bits;
    memcpy(&same_bits, &sum, sizeof sum);
    return same_bits;
}

int store_drop_shortlist(store *s) { return db_exec(s, "DROP TABLE IF EXISTS shortlist"); }

int store_save_shortlist(store *s, const seqs *lists)
{
    sqlite3_stmt *insert;
    if (store_drop_shortlist(s) < 0 || db_exec(s, STORE_SHORTLIST_SCHEMA) < 0 ||
        db_prepare(s, &insert, "INSERT INTO shortlist(piece, words, checksum) VALUES(?, ?, ?)", "") < 0)
        return -1;
    int status = 0;
    for (size_t i = 0; i < lists->n && status == 0; i++) {
        size_t bytes = seqs_len(lists, i) * sizeof(int);
        const void *words = seqs_at(lists, i);
        status = db_put(s, insert, "ibi", (int64_t)i, words, bytes, sum_of(bytes ? words : "", bytes));
    }
    sqlite3_finalize(insert);
    return status;
}

/* 1 if the list is one of the words 0 .. n_tgt - 1, or -1. */
static int add_list(store *s, sqlite3_stmt *row, int n_tgt, seqs *out)
{
    const void *words = sqlite3_column_blob(row, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(row, 1);
    if (sqlite3_column_int64(row, 0) != (int64_t)out->n)
        return db_damaged(s, "the lists of the shortlist have gaps");
    if (bytes % sizeof(int32_t)) return db_damaged(s, "a list of the shortlist is cut off");
    if (sqlite3_column_int64(row, 2) != sum_of(bytes ? words : "", bytes))
        return db_damaged(s, "a checksum of the shortlist is wrong");
    seqs_add(out, NULL, 0);
    for (size_t k = 0; k < bytes / sizeof(int32_t); k++) {
        int32_t word;
        memcpy(&word, (const char *)words + k * sizeof word, sizeof word);
        if (word < 0 || word >= n_tgt)
            return db_damaged(s, "the shortlist names a piece that does not exist");
        seqs_push(out, word);
    }
    return 1;
}

static int load(store *s, int n_src, int n_tgt, seqs *out)
{
    sqlite3_stmt *rows;
    int row;
    if (db_prepare(s, &rows, "SELECT piece, words, checksum FROM shortlist ORDER BY piece", "") < 0)
        return -1;
    while ((row = db_row(s, rows, "ibi")) == 1) {
        if (out->n > (size_t)n_src)
            row = db_damaged(s, "the shortlist has lists for pieces that do not exist");
        if (row < 0 || (row = add_list(s, rows, n_tgt, out)) < 0) break;
    }
    sqlite3_finalize(rows);
    if (row < 0) return -1;
    return out->n == (size_t)n_src + 1 ? 1 : db_damaged(s, "lists of the shortlist are missing");
}

int store_has_shortlist(store *s)
{
    int64_t n = 0;
    static const char sql[] =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'shortlist'";
    return db_number(s, sql, &n) < 0 ? -1 : n > 0;
}

int store_load_shortlist(store *s, int n_src, int n_tgt, seqs *out)
{
    int found = store_has_shortlist(s);
    *out = (seqs){0};
    if (found == 1) found = load(s, n_src, n_tgt, out);
    if (found < 0) seqs_free(out);
    return found;
}
