/* A folder for the files of a suite: made by scratch_open, removed with all that is in it by scratch_close.
 */
#ifndef TULK_TESTS_SCRATCH_H
#define TULK_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[512];

static inline void scratch_open(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(scratch_folder, sizeof scratch_folder, "%s/tulk-test-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(scratch_folder)) {
        perror(scratch_folder);
        exit(2);
    }
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void scratch_close(void) { nftw(scratch_folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS); }

/* The path of a file in the folder; valid for the next 15 calls. */
static inline const char *scratch_path(const char *name)
{
    static char paths[16][1024];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/* Writes a file and returns its path. */
static inline const char *scratch_write(const char *name, const void *bytes, size_t n)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        exit(2);
    }
    return path;
}

#endif
