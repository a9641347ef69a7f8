/* MODEL.tulk and VOCAB.tulk: an SQLite database that holds everything that makes a translation
 * reproducible. The only room that names sqlite3. Functions return 0 or -1 with a message that names the
 * file and the remedy. The schema is documented in store/schema.h; user_version is its version,
 * application_id its mark. */
#ifndef TULK_STORE_STORE_H
#define TULK_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seqs.h"
#include "base/str.h"
#include "text/tokenizer.h"

typedef struct store store;

enum store_mode {
    STORE_READ,   /* existing file, read-only. The reader sees one state of it from store_open to store_close,
                     and   keeps a writer from committing for so long: load and close */
    STORE_WRITE,  /* existing file; the only writer, readers are welcome. What a killed run left half saved is
                     undone */
    STORE_CREATE, /* must not exist. Nothing appears at `path` until the first store_commit: the file is made
                     beside it (path + ".part") and renamed, and removed by store_close if nothing was
                     committed. What a killed run left under that name is replaced, unless it is in use */
    STORE_REPLACE /* the same, but `path` may be a file of tulk that nobody writes: it stays as it is until
                     the first commit takes its place */
};

/* Refuses, with one sentence each: a missing file, a file that is not SQLite, a database that is not tulk's,
 * a newer version, a truncated or damaged file (SQLite's quick check on open where cheap), no permission. */
int store_open(const char *path, enum store_mode mode, store **out); /* *out is NULL after an error */
const char *store_path(const store *s);                              /* as given */
void store_close(store *s); /* rolls back what was not committed; NULL is fine */

/* Everything between begin and commit is there whole or not at all, whatever kills the process. If commit
 * fails (no space, a reader that does not end), all since begin is rolled back. No callback (fn below) is
 * running then. */
int store_begin(store *s);
int store_commit(store *s);
void store_rollback(store *s);

/* setting: key -> value. Keys that begin with "vocab." are the store's own and are not visited. Get appends
 * to `value` and returns 1 if the key exists, 0 if not, -1 on error. */
int store_set(store *s, const char *key, const char *value);
int store_get(store *s, const char *key, str *value);
/* Calls fn for each setting in key order. */
int store_each_setting(store *s, void (*fn)(const char *key, const char *value, void *context),
                       void *context);

/* Vocabularies. side: "joint", or "src" and "tgt". Load returns 1 if there is one, 0 if not, -1 on error. */
int store_save_vocab(store *s, const char *side, const vocab_data *v);
int store_load_vocab(store *s, const char *side, vocab_data *out);

/* The vocabulary shortlist (train/shortlist.h), n_src + 1 lists of ids below n_tgt. Saving replaces it, in a
 * transaction of the caller's. Load returns 1 if there is one, 0 if not, -1 on error. */
int store_save_shortlist(store *s, const seqs *lists);
int store_drop_shortlist(store *s);
int store_has_shortlist(store *s);
int store_load_shortlist(store *s, int n_src, int n_tgt, seqs *out);

/* A checkpoint is a set of named tensors with the numbers that training needs to go on. */
typedef struct {
    const char *name;
    int rows, cols;
    float *v; /* (rows, cols), contiguous */
} stored_tensor;

typedef struct {
    int64_t update;     /* optimizer updates done */
    int64_t epoch;      /* from 1 */
    double valid_score; /* what "best" is judged by, larger is better; NaN if not validated */
    char created[32];   /* ISO 8601, UTC */
} checkpoint_info;

/* Saves under `slot` ("last", "best", ...: the contract's --checkpoint names), replacing what was there, in
 * chunks of at most 16 MiB with a checksum. `state` (opaque text of the trainer) may be NULL. In a
 * transaction of the caller's. */
int store_save_checkpoint(store *s, const char *slot, const checkpoint_info *info, const char *state,
                          const stored_tensor *tensors, int n);
/* Makes slot `to` a copy of slot `from`; the tensors are not written again. */
int store_copy_checkpoint(store *s, const char *from, const char *to);
/* Takes a slot away, if it is there; its room in the file is used again. */
int store_drop_checkpoint(store *s, const char *slot);
/* 1 if there is one, 0 if not, -1. state may be NULL. */
int store_checkpoint(store *s, const char *slot, checkpoint_info *info, str *state);
int store_each_checkpoint(store *s, void (*fn)(const char *slot, const checkpoint_info *info, void *context),
                          void *context);
/* Fills the given tensors by name; a missing tensor, another shape, a wrong checksum is an error. */
int store_load_tensors(store *s, const char *slot, const stored_tensor *tensors, int n);
/* Visits all tensors of a slot in name order (by bytes); the tensor is valid during the call. */
int store_each_tensor(store *s, const char *slot, void (*fn)(const stored_tensor *t, void *context),
                      void *context);

/* One number of the training log, e.g. ("train.loss", update, value). */
int store_add_metric(store *s, int64_t update, const char *name, double value);
int store_each_metric(store *s, const char *name /* NULL: all */,
                      void (*fn)(int64_t update, const char *name, double value, void *context),
                      void *context);

#endif
