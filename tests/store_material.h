/* What the suites of the store share: small models, ways to spoil them, and looking at what is there. */
#ifndef TULK_TESTS_STORE_MATERIAL_H
#define TULK_TESTS_STORE_MATERIAL_H

#include "suite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "scratch.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/store.h"

static inline bool says(const char *part)
{
    bool found = strstr(error_message(), part) != NULL;
    if (!found) fprintf(stderr, "\n    expected '%s' in: %s", part, error_message());
    return found;
}

static inline bool exists(const char *path) { return access(path, F_OK) == 0; }

static inline long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static inline const char *with(const char *path, const char *suffix)
{
    static char out[8][1100];
    static int next;
    char *p = out[next++ % 8];
    snprintf(p, sizeof out[0], "%s%s", path, suffix);
    return p;
}

static inline store *open_or_die(const char *path, enum store_mode mode)
{
    store *s;
    if (store_open(path, mode, &s) < 0) {
        fprintf(stderr, "\n    %s\n", error_message());
        CU_FAIL_FATAL("store_open");
    }
    return s;
}

/* A path that no other test uses. */
static inline const char *fresh_path(void)
{
    static int n;
    char name[32];
    snprintf(name, sizeof name, "m%d.tulk", n++);
    return scratch_path(name);
}

/* -------------------------------------------------------------------------------- test material */

static inline vocab_data small_vocab(void)
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

static inline bool same_vocab(const vocab_data *a, const vocab_data *b)
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

static inline tensors make_tensors(int rows, int cols, float start)
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

static inline void free_tensors(tensors *t)
{
    for (int i = 0; i < N_TENSORS; i++) free(t->list[i].v);
}

static inline bool same_tensors(const tensors *a, const tensors *b)
{
    for (int i = 0; i < N_TENSORS; i++) {
        size_t n = (size_t)a->list[i].rows * (size_t)a->list[i].cols;
        if (memcmp(a->list[i].v, b->list[i].v, n * sizeof(float)) != 0) return false;
    }
    return true;
}

static inline int save(store *s, const char *slot, const tensors *t, int64_t update, double score)
{
    checkpoint_info info = {
        .update = update, .epoch = 3, .valid_score = score, .created = "2026-01-31T12:00:00Z"};
    return store_save_checkpoint(s, slot, &info, "state\nof it", t->list, N_TENSORS);
}

/* Whether the slot holds tensors made with this start. */
static inline bool holds(store *s, const char *slot, int rows, int cols, float start)
{
    tensors expected = make_tensors(rows, cols, start), got = make_tensors(rows, cols, -1);
    bool good = store_load_tensors(s, slot, got.list, N_TENSORS) == 0 && same_tensors(&expected, &got);
    free_tensors(&expected);
    free_tensors(&got);
    return good;
}

static inline void write_model(const char *path)
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

static inline char *read_file(const char *path, size_t *n)
{
    *n = (size_t)size_of(path);
    char *bytes = xmalloc(*n);
    FILE *f = fopen(path, "rb");
    CU_ASSERT_FATAL(f && fread(bytes, 1, *n, f) == *n);
    fclose(f);
    return bytes;
}

/* A small whole model at a fresh path: a copy of one that is made once, since making waits for the disk. */
static inline const char *make_model(void)
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
static inline void forge(const char *path, const char *sql)
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

static inline void check_refused(const char *path, enum store_mode mode, const char *part)
{
    store *s;
    CU_ASSERT_EQUAL(store_open(path, mode, &s), -1);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT(says(part) && says(path));
}

#endif
