/* The file under the database: its lock, its .part name until the first commit, its final name.
 *
 * A writer locks one byte far behind the end of the file through a descriptor of its own (an "open file
 * description" lock, which also works across network file systems). SQLite's own locks come and go with
 * transactions and stay free for readers; this one stays, so that two trainings never take turns in writing
 * one file, and so that a .part file of a killed run is told from one in use. POSIX drops all of SQLite's
 * locks of a process when the process closes any descriptor of the file: that is why nothing here opens a
 * file that this process writes already (find_writer), and why a lock's descriptor is closed after the
 * database. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/schema.h"

static store *writers; /* of this process */

static char *joined(const char *a, const char *b, const char *c)
{
    str s = {0};
    str_addf(&s, "%s%s%s", a, b, c);
    return s.p;
}

char *file_name(const char *path, const char *suffix)
{
    return joined(path[0] == '/' ? "" : "./", path, suffix);
}

/* ------------------------------------------------------------------------------------- checks */

static int path_error(const char *path, int error)
{
    switch (error) {
    case ENOENT: return fail("%s: no such file", path);
    case EACCES: return fail("%s: no permission to open it", path);
    default: return fail("%s: cannot be opened: %s", path, strerror(error));
    }
}

int file_check(const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0) return path_error(path, errno);
    if (S_ISDIR(info.st_mode)) return fail("%s: is a folder, not a model or vocabulary file", path);
    if (!S_ISREG(info.st_mode)) return fail("%s: not a regular file, so it cannot hold a model", path);
    if (info.st_size == 0)
        return fail("%s: is empty, not a model or vocabulary of tulk (file is not a database)", path);
    return 0;
}

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Whether the open file may be emptied or replaced: it is tulk's, or there is nothing in it (a run that was
 * killed while it made the file leaves it empty or with a first page of zeros). */
static bool is_ours(int descriptor)
{
    unsigned char head[100] = {0};
    ssize_t n = pread(descriptor, head, sizeof head, 0);
    if (n == (ssize_t)sizeof head && memcmp(head, "SQLite format 3", 16) == 0)
        return big_endian(head + 68) == STORE_APPLICATION_ID; /* section 1.2 of SQLite's file format */
    for (size_t i = 0; i < sizeof head; i++)
        if (head[i]) return false;
    return n >= 0;
}

/* -------------------------------------------------------------------------------------- locks */

static bool find_writer(const char *file)
{
    struct stat info;
    if (stat(file, &info) < 0) return false;
    for (const store *s = writers; s; s = s->next_writer)
        if (s->device == info.st_dev && s->inode == info.st_ino) return true;
    return false;
}

static int in_use(const char *path)
{
    return fail("%s: another tulk is writing this file: wait until it is done, or end it", path);
}

static int lock_byte(int descriptor)
{
#ifdef F_OFD_SETLK
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)1 << 62, .l_len = 1};
    if (fcntl(descriptor, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES)) return -1;
#endif
    return 0; /* also where the file system knows no locks */
}

/* A descriptor of the file with the lock, or -1. Messages name `path`. */
static int open_locked(const char *file, int flags, const char *path)
{
    if (find_writer(file)) return in_use(path);
    int descriptor = open(file, O_RDWR | O_CLOEXEC | flags, 0666);
    if (descriptor < 0 && (errno == EACCES || errno == EROFS))
        return fail("%s: no permission to write the file or its folder", path);
    if (descriptor < 0 && errno == ENOENT) return fail("%s: its folder does not exist: make it first", path);
    if (descriptor < 0) return fail("%s: cannot be written: %s", path, strerror(errno));
    if (lock_byte(descriptor) == 0) return descriptor;
    close(descriptor);
    return in_use(path);
}

/* Remembers the lock of s->file. */
static void register_writer(store *s, int descriptor)
{
    struct stat info;
    BUG_IF(fstat(descriptor, &info) < 0);
    s->lock = descriptor;
    s->device = info.st_dev;
    s->inode = info.st_ino;
    s->next_writer = writers;
    writers = s;
}

int file_lock(store *s)
{
    int descriptor = open_locked(s->file, 0, s->path);
    if (descriptor < 0) return -1;
    register_writer(s, descriptor);
    return 0;
}

/* -------------------------------------------------------------------------------------- .part */

static void remove_journal(const char *file)
{
    char *journal = joined(file, "-journal", "");
    unlink(journal);
    free(journal);
}

/* STORE_CREATE: nothing may be there. STORE_REPLACE: only a file of ours, which nobody writes. */
static int check_place(store *s)
{
    struct stat info;
    if (lstat(s->path, &info) < 0) return errno == ENOENT ? 0 : path_error(s->path, errno);
    if (s->mode == STORE_CREATE) return fail("%s: exists already: remove it or choose another name", s->path);
    if (S_ISDIR(info.st_mode)) return fail("%s: is a folder: choose another name", s->path);
    if (!S_ISREG(info.st_mode)) return fail("%s: not a regular file: choose another name", s->path);
    char *file = file_name(s->path, "");
    s->old = open_locked(file, 0, s->path);
    free(file);
    if (s->old < 0) return -1;
    if (is_ours(s->old)) return 0;
    return fail("%s: not made by tulk, so it is not overwritten: choose another name", s->path);
}

/* Whether the descriptor is still what the name means: between opening and locking, the former holder of the
 * lock may have given the file its final name. */
static bool still_named(int descriptor, const char *file)
{
    struct stat by_name, open_one;
    return lstat(file, &by_name) == 0 && fstat(descriptor, &open_one) == 0 &&
           by_name.st_dev == open_one.st_dev && by_name.st_ino == open_one.st_ino;
}

static int empty_part(store *s, int descriptor)
{
    if (!still_named(descriptor, s->file)) return in_use(s->path);
    if (!is_ours(descriptor))
        return fail("%s.part: in the way, and not made by tulk: remove it or choose another name", s->path);
    if (ftruncate(descriptor, 0) < 0) return fail("%s: cannot be written: %s", s->path, strerror(errno));
    remove_journal(s->file);
    return 0;
}

int file_make_part(store *s)
{
    if (!s->path[0]) return fail("the name of the file to write is empty");
    if (check_place(s) < 0) return -1;
    free(s->file);
    s->file = file_name(s->path, ".part");
    int descriptor = open_locked(s->file, O_CREAT | O_NOFOLLOW, s->path);
    if (descriptor < 0) return -1;
    if (empty_part(s, descriptor) < 0) {
        close(descriptor);
        return -1;
    }
    register_writer(s, descriptor);
    s->part = true;
    return 0;
}

/* Makes the new name last through a power failure. Not all file systems can; then there is no more to do. */
static void sync_folder(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder = joined(file, "", "");
    folder[slash - file + 1] = '\0';
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (access(to, F_OK) == 0) { /* a file system without RENAME_NOREPLACE */
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

int file_publish(store *s)
{
    char *final = file_name(s->path, "");
    remove_journal(final); /* of a file that is gone: SQLite would play it back into the new one */
    int status = s->old >= 0 ? rename(s->file, final) : rename_new(s->file, final);
    s->part = false; /* what was committed is kept whatever happens */
    if (status < 0) {
        status =
            fail("%s: cannot take its name (%s): what was saved is in %s", s->path, strerror(errno), s->file);
        free(final);
        return status;
    }
    sync_folder(final);
    free(s->file);
    s->file = final;
    if (s->old >= 0) close(s->old);
    s->old = -1;
    return 0;
}

void file_release(store *s)
{
    if (s->part) {
        unlink(s->file);
        remove_journal(s->file);
    }
    for (store **at = &writers; *at; at = &(*at)->next_writer)
        if (*at == s) {
            *at = s->next_writer;
            break;
        }
    if (s->lock >= 0) close(s->lock);
    if (s->old >= 0) close(s->old);
}
