/* Vocabularies: tables piece and merge, and the settings vocab.SIDE.*. */
#include "store/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/db.h"

/* A vocabulary that differs in one bit makes other translations: all of it is under one checksum. */
static uint64_t checksum(const vocab_data *v)
{
    uint64_t h = hash64_mix((uint64_t)v->normalize, v->casefold);
    for (int i = 0; i < v->n_pieces; i++) {
        h = hash64_mix(h, hash64(v->pieces[i].text, strlen(v->pieces[i].text)));
        h = hash64_mix(h, v->pieces[i].count);
    }
    for (int i = 0; i < v->n_merges; i++) {
        const merge *m = &v->merges[i];
        h = hash64_mix(h, hash64_mix((uint64_t)m->left, (uint64_t)m->right));
        h = hash64_mix(h, (uint64_t)m->result);
    }
    return h;
}

/* ------------------------------------------------------------------------------------- saving */

static int set(store *s, const char *side, const char *what, const char *value)
{
    char key[64];
    snprintf(key, sizeof key, "vocab.%s.%s", side, what);
    return store_set(s, key, value);
}

static int save_settings(store *s, const char *side, const vocab_data *v)
{
    char sum[17];
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)checksum(v));
    return set(s, side, "normalize", normalizations[v->normalize]) < 0 ||
                   set(s, side, "casefold", v->casefold ? "1" : "0") < 0 || set(s, side, "checksum", sum) < 0
               ? -1
               : 0;
}

static int save_pieces(store *s, const char *side, const vocab_data *v)
{
    sqlite3_stmt *insert;
    if (db_prepare(s, &insert, "INSERT INTO piece(side, id, text, count) VALUES(?, ?, ?, ?)", "") < 0)
        return -1;
    int status = 0;
    for (int i = 0; i < v->n_pieces && status == 0; i++)
        status = db_put(s, insert, "titi", side, (int64_t)i, v->pieces[i].text, (int64_t)v->pieces[i].count);
    sqlite3_finalize(insert);
    return status;
}

static int save_merges(store *s, const char *side, const vocab_data *v)
{
    sqlite3_stmt *insert;
    if (db_prepare(s, &insert, "INSERT INTO merge(side, rank, left, right, result) VALUES(?, ?, ?, ?, ?)",
                   "") < 0)
        return -1;
    int status = 0;
    for (int i = 0; i < v->n_merges && status == 0; i++) {
        const merge *m = &v->merges[i];
        status = db_put(s, insert, "tiiii", side, (int64_t)i, (int64_t)m->left, (int64_t)m->right,
                        (int64_t)m->result);
    }
    sqlite3_finalize(insert);
    return status;
}

int store_save_vocab(store *s, const char *side, const vocab_data *v)
{
    if (db_run(s, "DELETE FROM piece WHERE side = ?", "t", side) < 0 ||
        db_run(s, "DELETE FROM merge WHERE side = ?", "t", side) < 0)
        return -1;
    return save_settings(s, side, v) < 0 || save_pieces(s, side, v) < 0 || save_merges(s, side, v) < 0 ? -1
                                                                                                       : 0;
}

/* ------------------------------------------------------------------------------------ loading */

static int get(store *s, const char *side, const char *what, str *value)
{
    char key[64];
    snprintf(key, sizeof key, "vocab.%s.%s", side, what);
    str_clear(value);
    int found = store_get(s, key, value);
    return found == 0 ? db_damaged(s, "a setting of the vocabulary is missing") : found;
}

static int load_settings(store *s, const char *side, vocab_data *v, uint64_t *sum)
{
    str value = {0};
    int status = get(s, side, "normalize", &value), known = normalization_find(str_text(&value));
    if (status > 0 && known < 0) status = db_damaged(s, "an unknown normalisation");
    if (status > 0) v->normalize = (enum normalization)known;
    if (status > 0) status = get(s, side, "casefold", &value);
    if (status > 0) v->casefold = strcmp(str_text(&value), "1") == 0;
    if (status > 0) status = get(s, side, "checksum", &value);
    if (status > 0) *sum = strtoull(str_text(&value), NULL, 16);
    str_free(&value);
    return status < 0 ? -1 : 0;
}

static int add_piece(store *s, sqlite3_stmt *row, vocab_data *v, size_t *capacity)
{
    const char *text = db_text(row, 1);
    if (sqlite3_column_int64(row, 0) != v->n_pieces || v->n_pieces == INT_MAX)
        return db_damaged(s, "the numbers of the pieces have gaps");
    if (strlen(text) != (size_t)sqlite3_column_bytes(row, 1))
        return db_damaged(s, "a piece holds a zero byte");
    v->pieces = grow(v->pieces, capacity, (size_t)v->n_pieces + 1, sizeof *v->pieces);
    v->pieces[v->n_pieces++] = (piece){xstrdup(text), (uint64_t)sqlite3_column_int64(row, 2)};
    return 0;
}

static int load_pieces(store *s, const char *side, vocab_data *v)
{
    sqlite3_stmt *rows;
    size_t capacity = 0;
    int row;
    if (db_prepare(s, &rows, "SELECT id, text, count FROM piece WHERE side = ? ORDER BY id", "t", side) < 0)
        return -1;
    while ((row = db_row(s, rows, "iTi")) == 1)
        if ((row = add_piece(s, rows, v, &capacity)) < 0) break;
    sqlite3_finalize(rows);
    return row;
}

static bool read_id(sqlite3_stmt *row, int column, int limit, int *out)
{
    int64_t id = sqlite3_column_int64(row, column);
    *out = (int)id;
    return id >= 0 && id < limit;
}

static int add_merge(store *s, sqlite3_stmt *row, vocab_data *v, size_t *capacity)
{
    merge m;
    if (sqlite3_column_int64(row, 0) != v->n_merges || v->n_merges == INT_MAX)
        return db_damaged(s, "the numbers of the merges have gaps");
    if (!read_id(row, 1, v->n_pieces, &m.left) || !read_id(row, 2, v->n_pieces, &m.right) ||
        !read_id(row, 3, v->n_pieces, &m.result))
        return db_damaged(s, "a merge of pieces that do not exist");
    v->merges = grow(v->merges, capacity, (size_t)v->n_merges + 1, sizeof *v->merges);
    v->merges[v->n_merges++] = m;
    return 0;
}

static int load_merges(store *s, const char *side, vocab_data *v)
{
    sqlite3_stmt *rows;
    size_t capacity = 0;
    int row;
    if (db_prepare(s, &rows, "SELECT rank, left, right, result FROM merge WHERE side = ? ORDER BY rank", "t",
                   side) < 0)
        return -1;
    while ((row = db_row(s, rows, "iiii")) == 1)
        if ((row = add_merge(s, rows, v, &capacity)) < 0) break;
    sqlite3_finalize(rows);
    return row;
}

static int load(store *s, const char *side, vocab_data *v)
{
    uint64_t sum = 0;
    if (load_pieces(s, side, v) < 0) return -1;
    if (v->n_pieces == 0) return 0;
    if (load_settings(s, side, v, &sum) < 0 || load_merges(s, side, v) < 0) return -1;
    return sum == checksum(v) ? 1 : db_damaged(s, "the checksum of the vocabulary is wrong");
}

int store_load_vocab(store *s, const char *side, vocab_data *out)
{
    *out = (vocab_data){0};
    int found = load(s, side, out);
    if (found < 0) vocab_data_free(out);
    return found;
}
