/* Settings and files of a training, kept and compared. */
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

/* ----------------------------------------------------------------------------------- settings */

/* Options that name files which are read in each run, and the settings that tell what they held. */
static const char *const files_read[][2] = {
    {"train", "corpus.train"}, {"valid", "corpus.valid"}, {"teacher", "teachers"}};
enum { FILES_READ = sizeof files_read / sizeof *files_read };

static bool names_files(const option_row *row)
{
    for (int i = 0; i < FILES_READ; i++)
        if (!strcmp(row->key, files_read[i][0])) return true;
    return false;
}

static bool trains(const option_row *row) { return (row->commands & FOR_TRAIN) && row->in_model; }

static int compare(const option_row *row, const char *now, const char *was, const char *path)
{
    if (row->may_change || names_files(row)) return 0; /* files are compared by what they hold */
    if (was && now && !strcmp(was, now)) return 0;
    return fail("--%s %s: %s was begun with %s; leave it out to go on, or train anew with --overwrite",
                row->key, now, path, was ? was : "none");
}

static bool any_limit_given(const options *o)
{
    for (const option_row *row = option_table; row->key; row++)
        if (trains(row) && row->may_change && options_given(o, row->key)) return true;
    return false;
}

/* `was`: the options of the model file. */
static int take_over(options *o, const options *was, const char *path)
{
    bool new_limits = any_limit_given(o);
    for (const option_row *row = option_table; row->key; row++) {
        if (!trains(row)) continue;
        const char *value = options_value(was, row->key);
        int result = 0;
        if (options_given(o, row->key))
            result = compare(row, options_value(o, row->key), value, path);
        else if (value && !(row->may_change && new_limits))
            result = options_set(o, row->key, value);
        if (result) return -1;
    }
    return 0;
}

int resume_settings(options *o, store *s, const char *path)
{
    options *was = options_new(FOR_TRAIN);
    int result = options_load(was, s);
    if (result == 0) result = take_over(o, was, path);
    options_free(was);
    return result;
}

/* A limit that was forgotten is kept as empty text, which options_load passes by. */
static int save_limits(const options *o, store *s)
{
    for (const option_row *row = option_table; row->key; row++)
        if (trains(row) && row->may_change && !options_value(o, row->key) && store_set(s, row->key, ""))
            return -1;
    return options_save(o, s);
}

int resume_save(const options *o, store *s)
{
    if (store_begin(s)) return -1;
    if (save_limits(o, s) == 0) return store_commit(s);
    store_rollback(s);
    return -1;
}

/* ---------------------------------------------------------------------------------- fine-tuning */

static bool of_network(const option_row *row)
{
    return trains(row) && !strcmp(row->group, "network") && strcmp(row->key, "preset");
}

/* Rates of dropout may be others: they are the training's affair. */
static int take_network(options *o, const options *was, const char *path)
{
    for (const option_row *row = option_table; row->key; row++) {
        if (!of_network(row)) continue;
        const char *value = options_value(was, row->key), *now = options_value(o, row->key);
        if (!options_given(o, row->key)) {
            if (value && options_set(o, row->key, value)) return INIT_FAILED;
        } else if (strncmp(row->key, "dropout", 7) && (!value || strcmp(now, value))) {
            fail("--%s %s: the network of %s (--init) has %s; leave it out%s", row->key, now, path,
                 value ? value : "none", options_text(o, "preset") ? ", or the preset that says it" : "");
            return INIT_CONTRADICTED;
        }
    }
    return 0;
}

static int take_over_network(options *o, store *s, const char *path)
{
    char slot[8];
    if (init_slot(s, path, slot)) return INIT_FAILED;
    options *was = options_new(FOR_TRAIN);
    int result = options_load(was, s) ? INIT_FAILED : take_network(o, was, path);
    options_free(was);
    return result;
}

int init_slot(store *s, const char *path, char slot[8])
{
    strcpy(slot, "best");
    int found = store_checkpoint(s, slot, &(checkpoint_info){0}, NULL);
    if (found == 0) found = store_checkpoint(s, strcpy(slot, "last"), &(checkpoint_info){0}, NULL);
    return found > 0 ? 0 : found < 0 ? -1 : fail("%s holds no network to begin with (--init)", path);
}

int init_settings(options *o)
{
    store *s;
    const char *path = options_text(o, "init");
    if (store_open(path, STORE_READ, &s)) return INIT_FAILED;
    int result = take_over_network(o, s, path);
    store_close(s);
    return result;
}

/* --------------------------------------------------------------------------------------- files */

enum { BLOCK = 1 << 20 };

static int hash_stream(FILE *f, const char *path, uint64_t *hash, uint64_t *size)
{
    char *block = xmalloc(BLOCK);
    size_t n;
    while ((n = fread(block, 1, BLOCK, f)) > 0) {
        *hash = hash64_mix(*hash, hash64(block, n));
        *size += n;
    }
    free(block);
    return ferror(f) ? fail("cannot read %s: %s", path, strerror(errno)) : 0;
}

static int check_path(const char *path)
{
    struct stat st;
    if (!strcmp(path, "-")) return fail("-: it is read again and again: give a file, not standard input");
    if (stat(path, &st)) return fail("%s: %s", path, errno == ENOENT ? "no such file" : strerror(errno));
    if (!S_ISREG(st.st_mode)) return fail("%s is no regular file, and it is read again and again", path);
    return access(path, R_OK) ? fail("cannot read %s: %s", path, strerror(errno)) : 0;
}

/* Appends SIZE:HASH. */
static int fingerprint(const char *path, str *out)
{
    if (check_path(path)) return -1;
    FILE *f = fopen(path, "rb");
    if (!f) return fail("cannot read %s: %s", path, strerror(errno));
    uint64_t hash = 0, size = 0;
    int result = hash_stream(f, path, &hash, &size);
    fclose(f);
    str_addf(out, "%s%llu:%016llx", out->n ? " " : "", (unsigned long long)size, (unsigned long long)hash);
    return result;
}

static int fingerprints(const options *o, const char *key, str *out)
{
    const char *const *paths;
    int n = options_list(o, key, &paths);
    for (int i = 0; i < n; i++)
        if (fingerprint(paths[i], out)) return -1;
    return 0;
}

int files_exist(const options *o)
{
    for (int i = 0; i < FILES_READ; i++) {
        const char *const *paths;
        int n = options_list(o, files_read[i][0], &paths);
        for (int k = 0; k < n; k++)
            if (check_path(paths[k])) return -1;
    }
    return 0;
}

int files_save(const options *o, store *s)
{
    int result = 0;
    for (int i = 0; i < FILES_READ && result == 0; i++) {
        str text = {0};
        result = fingerprints(o, files_read[i][0], &text);
        if (result == 0 && text.n) result = store_set(s, files_read[i][1], str_text(&text));
        str_free(&text);
    }
    return result;
}

/* The first file whose fingerprint differs, or NULL. */
static const char *first_difference(const options *o, const char *key, const char *now, const char *was)
{
    const char *const *paths;
    int n = options_list(o, key, &paths);
    for (int i = 0; i < n; i++) {
        size_t word = strcspn(now, " ");
        if (strcspn(was, " ") != word || strncmp(now, was, word)) return paths[i];
        now += word + (now[word] != 0);
        was += word + (was[word] != 0);
    }
    return NULL;
}

static int compare_files(const options *o, const char *key, const char *now, const char *was,
                         const char *path)
{
    if (!strcmp(now, was)) return 0;
    const char *file = first_difference(o, key, now, was);
    if (!file)
        return fail("--%s: %s was begun with more files; give them all, or train anew with --overwrite", key,
                    path);
    return fail("%s does not hold what %s was begun with (--%s); give that, or train anew with --overwrite",
                file, path, key);
}

int files_check(const options *o, store *s, const char *path)
{
    int result = 0;
    for (int i = 0; i < FILES_READ && result == 0; i++) {
        str now = {0}, was = {0};
        result = fingerprints(o, files_read[i][0], &now);
        if (result == 0 && store_get(s, files_read[i][1], &was) < 0) result = -1;
        if (result == 0) result = compare_files(o, files_read[i][0], str_text(&now), str_text(&was), path);
        str_free(&now);
        str_free(&was);
    }
    return result;
}
