#include "data/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

enum { BUFFER = 1 << 18 };

struct lines {
    char *path;
    int fd;    /* of plain text; -1 if gz is used */
    gzFile gz; /* of a .gz */
    char *buffer;
    size_t at, end;  /* what of the buffer was not given yet */
    double from, to; /* where it begins and ends in the file, compressed or not */
    double size;     /* of the file; 0 if nobody knows */
    bool ended;      /* the source has no more */
    str joined;      /* a line that reaches over the end of the buffer */
    bool valid;
    line_counts counts;
};

/* ------------------------------------------------------------------------------------------ UTF-8 */

/* Bytes of the character at p (n >= 1 bytes are there), 0 if it is not one. RFC 3629, section 4: the
 * second byte has narrower bounds after E0 (overlong), ED (surrogates), F0 (overlong), F4 (over U+10FFFF). */
static size_t utf8_char(const unsigned char *p, size_t n)
{
    unsigned char lead = p[0], low = 0x80, high = 0xBF;
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    size_t len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (n < len) return 0;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return len;
}

bool utf8_valid(span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t i = 0, n = bytes.n;
    while (i < n) {
        uint64_t eight;
        if (n - i >= sizeof eight) { /* eight ASCII bytes at once */
            memcpy(&eight, p + i, sizeof eight);
            if (!(eight & 0x8080808080808080u)) {
                i += sizeof eight;
                continue;
            }
        }
        size_t len = utf8_char(p + i, n - i);
        if (!len) return false;
        i += len;
    }
    return true;
}

/* --------------------------------------------------------------------------------------- the source */

static bool is_gz_name(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

/* Fills the empty buffer. 0 also at the end of the source; -1 with a message. */
static int fill(lines *l)
{
    ssize_t got;
    if (l->gz) {
        int code = Z_OK;
        got = gzread(l->gz, l->buffer, BUFFER);
        const char *why = gzerror(l->gz, &code);
        if (code == Z_BUF_ERROR) return fail("%s: the compressed file is cut off; fetch it again", l->path);
        if (got < 0 && code == Z_ERRNO) return fail("%s: cannot be read: %s", l->path, strerror(errno));
        if (got < 0) return fail("%s: the compressed file is damaged (%s); fetch it again", l->path, why);
    } else {
        do got = read(l->fd, l->buffer, BUFFER);
        while (got < 0 && errno == EINTR);
        if (got < 0) return fail("%s: cannot be read: %s", l->path, strerror(errno));
    }
    l->at = 0;
    l->end = (size_t)got;
    l->from = l->to;
    l->to = l->gz ? (double)gzoffset(l->gz) : l->to + (double)got;
    l->ended = got == 0;
    return 0;
}

/* A short first read (a pipe) may hold only a part of a byte-order mark: reads on until it is decided. */
static int drop_byte_order_mark(lines *l)
{
    static const char mark[3] = {'\xEF', '\xBB', '\xBF'};
    while (l->end < 3 && !l->gz && memcmp(l->buffer, mark, l->end) == 0) {
        ssize_t got = read(l->fd, l->buffer + l->end, 3 - l->end);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail("%s: cannot be read: %s", l->path, strerror(errno));
        if (got == 0) break;
        l->end += (size_t)got;
    }
    if (l->end < 3 || memcmp(l->buffer, mark, 3) != 0) return 0;
    l->at = 3;
    l->counts.byte_order_marks++;
    return 0;
}

static int open_error(const char *path, int error)
{
    if (error == ENOENT) return fail("%s: no such file", path);
    if (error == EACCES) return fail("%s: no permission to read it", path);
    return fail("%s: cannot be opened: %s", path, strerror(error));
}

/* Turns the open descriptor into a .gz reader. */
static int start_gz(lines *l)
{
    l->gz = gzdopen(l->fd, "rb");
    if (!l->gz) return fail("%s: cannot be opened as a gzip file", l->path);
    l->fd = -1;                  /* the gzFile owns it now */
    gzbuffer(l->gz, BUFFER / 2); /* reads of twice this pass by zlib's own: gzoffset is where ours ends */
    if (gzdirect(l->gz)) return fail("%s: its name ends in .gz, but it is not a gzip file", l->path);
    return 0;
}

static int open_source(lines *l, const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0) {
        l->fd = STDIN_FILENO;
        return 0;
    }
    l->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0) return open_error(path, errno);
    if (fstat(l->fd, &info) != 0) return open_error(path, errno);
    if (S_ISDIR(info.st_mode)) return fail("%s: is a directory; name a text file in it", path);
    l->size = S_ISREG(info.st_mode) ? (double)info.st_size : 0;
    return is_gz_name(path) ? start_gz(l) : 0;
}

int lines_open(const char *path, lines **out)
{
    lines *l = xcalloc(1, sizeof *l);
    *out = NULL;
    l->fd = -1;
    l->path = xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
    l->valid = true;
    if (open_source(l, path) < 0) {
        lines_close(l);
        return -1;
    }
    *out = l;
    return 0;
}

void lines_close(lines *l)
{
    if (!l) return;
    if (l->gz) gzclose(l->gz);
    if (l->fd > STDIN_FILENO) close(l->fd);
    str_free(&l->joined);
    free(l->buffer);
    free(l->path);
    free(l);
}

/* ------------------------------------------------------------------------------------------- lines */

/* The first read; a file that is not opened for its lines is not read at all. */
static int start(lines *l)
{
    l->buffer = xmalloc(BUFFER);
    if (fill(l) < 0) return -1;
    if (!l->gz && l->end >= 3 && memcmp(l->buffer, "\x1F\x8B\x08", 3) == 0)
        note("%s begins like a gzip file, but its name does not end in .gz: it is read as text", l->path);
    return drop_byte_order_mark(l);
}

static void finish_line(lines *l, span *line, bool newline)
{
    if (newline && line->n && line->p[line->n - 1] == '\r') {
        line->n--;
        l->counts.carriage_returns++;
    }
    bool utf8 = utf8_valid(*line), nul = line->n && memchr(line->p, '\0', line->n);
    l->counts.lines++;
    l->counts.empty += line->n == 0;
    l->counts.invalid_utf8 += !utf8;
    l->counts.nul += nul;
    l->valid = utf8 && !nul;
}

/* Takes what is up to the next '\n' out of the buffer; *newline says whether there was one. */
static span take(lines *l, bool *newline)
{
    const char *p = l->buffer + l->at;
    size_t left = l->end - l->at;
    const char *stop = left ? memchr(p, '\n', left) : NULL;
    span part = {p, stop ? (size_t)(stop - p) : left};
    *newline = stop != NULL;
    l->at += part.n + (stop != NULL);
    return part;
}

int lines_next(lines *l, span *line)
{
    bool newline;
    if (!l->buffer && start(l) < 0) return -1;
    *line = take(l, &newline);
    if (!newline) {
        str_clear(&l->joined);
        while (!newline && !l->ended) {
            str_add_span(&l->joined, *line);
            if (fill(l) < 0) return -1;
            *line = take(l, &newline);
        }
        str_add_span(&l->joined, *line);
        if (!newline && l->joined.n == 0) return 0;
        *line = str_span(&l->joined);
    }
    finish_line(l, line, newline);
    return 1;
}

bool lines_valid(const lines *l) { return l->valid; }

const line_counts *lines_count(const lines *l) { return &l->counts; }

double lines_share(const lines *l)
{
    double given = l->end ? (double)l->at / (double)l->end : 1;
    return l->size > 0 ? fmin((l->from + (l->to - l->from) * given) / l->size, 1) : NAN;
}

const char *lines_path(const lines *l) { return l->path; }
