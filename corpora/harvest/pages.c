/* Folders of pages in two languages: a page and its translation have the same name. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "harvest.h"

typedef struct {
    const char *suffix;
    char **list;
    size_t n, capacity;
} page_names;

static page_names names; /* nftw has no context */

static int see_page(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)at;
    size_t n = strlen(path), n_suffix = strlen(names.suffix);
    if (type != FTW_F || n < n_suffix || strcmp(path + n - n_suffix, names.suffix)) return 0;
    names.list = grow(names.list, &names.capacity, names.n + 1, sizeof *names.list);
    names.list[names.n++] = xstrdup(path);
    return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int list_pages(const char *folder, const char *suffix)
{
    names = (page_names){.suffix = suffix};
    if (nftw(folder, see_page, 16, FTW_PHYS) || !names.n)
        return fail("%s: no pages (*%s) in this folder", folder, suffix);
    qsort(names.list, names.n, sizeof *names.list, by_name);
    return 0;
}

static void free_pages(void)
{
    for (size_t i = 0; i < names.n; i++) free(names.list[i]);
    free(names.list);
    names = (page_names){0};
}

/* Some pages are in one language alone; a link might lead anywhere. */
static bool is_page(const char *path)
{
    struct stat info;
    return !lstat(path, &info) && S_ISREG(info.st_mode);
}

int harvest_each_page(harvest *h, int source, const char *const folders[2], const char *suffix,
                      harvest_join join)
{
    str files[2] = {{0}, {0}}, other = {0};
    int result = list_pages(folders[0], suffix);
    for (size_t i = 0; i < names.n && !result; i++) {
        str_clear(&other);
        str_addf(&other, "%s%s", folders[1], names.list[i] + strlen(folders[0]));
        if (!is_page(other.p) || harvest_read_file(other.p, &files[1])) continue;
        result = harvest_read_file(names.list[i], &files[0]);
        if (!result) join(h, source, str_span(&files[0]), str_span(&files[1]));
    }
    str_free(&files[0]);
    str_free(&files[1]);
    str_free(&other);
    free_pages();
    return result;
}
