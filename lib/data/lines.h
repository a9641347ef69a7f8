/* Lines of a text file, plain or gzip (if its name ends in .gz), or of standard input ("-", plain). Only '\n'
 * ends a line; a '\r' before it belongs to the line end, is removed and counted; a byte-order mark at the
 * start is removed and counted; a last line without '\n' counts. Lines may hold NUL and invalid UTF-8 and be
 * of any length. A line of a pipe is given as soon as it is whole. */
#ifndef TULK_DATA_LINES_H
#define TULK_DATA_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct lines lines;

/* Lines given so far, and of these: without a byte, with '\r' removed, with invalid UTF-8, with NUL. */
typedef struct {
    int64_t lines, empty, carriage_returns, byte_order_marks, invalid_utf8, nul;
} line_counts;

/* 0, or -1 with a message (missing file, a directory, no permission, not a gzip file). */
int lines_open(const char *path, lines **out);
void lines_close(lines *l); /* NULL is fine */
/* 1 and the next line (valid until the next call), 0 at the end, -1 with a message (damaged .gz, read error).
 */
int lines_next(lines *l, span *line);
bool lines_valid(const lines *l); /* the line given last is UTF-8 and holds no NUL */
const line_counts *lines_count(const lines *l);
const char *lines_path(const lines *l); /* for messages: "-" is called "standard input" */
/* About which share of the file was given, 0..1, also of a .gz; NaN where nobody knows (a pipe). */
double lines_share(const lines *l);
bool utf8_valid(span bytes); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */

#endif
