#include "eval_input.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "data/lines.h"
#include "eval/segment.h"

/* A batch ends with so many segments, or with the one that fills so many bytes. Neither changes a figure. */
enum { BATCH = 2048, BATCH_BYTES = 16 << 20 };

/* A file and its columns. */
typedef struct {
    lines *file;
    int n_columns; /* 0: as many as the first line has */
    bool tabs;     /* split at tabs; else a tab is text */
    bool rest;     /* the last column keeps further tabs (references); else they are an error */
    str first;     /* the first line, where the columns had to be counted */
    bool has_first;
    bool marked; /* begins with a byte-order mark that is kept */
} source;

struct eval_input {
    source *sources; /* [n_sources]: systems, then references */
    int n_sources, n_systems, n_refs, n_columns;
    char **names; /* [n_systems] */
    bool keep;
    str text;     /* the segments behind each other */
    size_t *ends; /* (segments, n_columns): where each ends in text */
    size_t capacity;
    long first, n;             /* the batch */
    iconv_t to_utf8;           /* with `converts` */
    bool converts, drops_mark; /* a byte-order mark is no text (utf-8-sig) */
    const char *encoding;
    str converted, marked;
};

/* ------------------------------------------------------------------------------------ encoding */

/* Python writes latin_1 and utf8 where others write ISO-8859-1 and UTF-8: dashes do not count. */
static iconv_t open_encoding(const char *name)
{
    str plain = {0};
    for (const char *p = name; *p; p++)
        if (*p != '-' && *p != '_') str_add_char(&plain, *p);
    iconv_t result = iconv_open("UTF-8", name);
    if (result == (iconv_t)-1) result = iconv_open("UTF-8", str_text(&plain));
    str_free(&plain);
    return result;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcasecmp(name, *names)) names++;
    return *names;
}

static bool is_utf8_with_mark(const char *name)
{
    return is_one_of(name, (const char *const[]){"utf-8-sig", "utf_8_sig", "utf8-sig", NULL});
}

static bool is_utf8(const char *name)
{
    return is_one_of(name, (const char *const[]){"utf-8", "utf8", "utf_8", "u8", NULL}) ||
           is_utf8_with_mark(name);
}

/* Appends the line as UTF-8: 0, or -1 if it is not text in its encoding. */
static int convert(iconv_t to_utf8, span line, str *out)
{
    char buffer[4096], *from = (char *)(uintptr_t)line.p;
    size_t left = line.n;
    iconv(to_utf8, NULL, NULL, NULL, NULL);
    while (left) {
        char *to = buffer;
        size_t room = sizeof buffer;
        size_t result = iconv(to_utf8, &from, &left, &to, &room);
        str_add(out, buffer, sizeof buffer - room);
        if (result == (size_t)-1 && errno != E2BIG) return -1;
    }
    return 0;
}

/* Lines end with one byte in this encoding. */
static bool has_plain_lines(iconv_t to_utf8)
{
    str newline = {0};
    bool plain = !convert(to_utf8, span_of("\n"), &newline) && span_eq(str_span(&newline), span_of("\n"));
    str_free(&newline);
    return plain;
}

static int check_encoding(const char *name)
{
    if (is_utf8(name)) return 0;
    iconv_t to_utf8 = open_encoding(name);
    if (to_utf8 == (iconv_t)-1) return fail("--encoding %s: no such encoding, see iconv --list", name);
    bool plain = has_plain_lines(to_utf8);
    iconv_close(to_utf8);
    return plain ? 0
                 : fail("--encoding %s: lines of this encoding do not end in one byte; convert the files "
                        "with iconv",
                        name);
}

static void set_encoding(eval_input *in, const char *name)
{
    in->encoding = name;
    in->drops_mark = is_utf8_with_mark(name);
    if (is_utf8(name)) return;
    in->to_utf8 = open_encoding(name);
    BUG_IF(in->to_utf8 == (iconv_t)-1);
    in->converts = true;
}

/* ------------------------------------------------------------------------------------ lines */

static int not_text(const eval_input *in, const lines *file, bool nul)
{
    const char *path = lines_path(file);
    int64_t line = lines_count(file)->lines;
    if (nul)
        return fail("%s:%" PRId64 ": the line holds a NUL byte; repair the file, e.g. with tr -d '\\0'", path,
                    line);
    return fail("%s:%" PRId64 ": the line is not valid %s; repair the file, e.g. with iconv", path, line,
                in->converts ? in->encoding : "UTF-8");
}

/* A byte-order mark is a character for sacreBLEU: it is put back before the first line. */
static void keep_mark(eval_input *in, source *s, span *line)
{
    const line_counts *c = lines_count(s->file);
    if (in->drops_mark || c->lines != 1 || !c->byte_order_marks) return;
    s->marked = true;
    str_clear(&in->marked);
    str_addf(&in->marked, "\xef\xbb\xbf");
    str_add_span(&in->marked, *line);
    *line = str_span(&in->marked);
}

/* The next line of the file as text: 1, 0 at the end, -1 with a message. */
static int next_line(eval_input *in, source *s, span *line)
{
    if (s->has_first) {
        s->has_first = false;
        *line = str_span(&s->first);
        return 1;
    }
    int more = lines_next(s->file, line);
    if (more <= 0) return more;
    bool nul = line->n && memchr(line->p, '\0', line->n);
    if (nul || (!in->converts && !lines_valid(s->file))) return not_text(in, s->file, nul);
    keep_mark(in, s, line);
    if (in->converts) {
        str_clear(&in->converted);
        if (convert(in->to_utf8, *line, &in->converted)) return not_text(in, s->file, false);
        *line = str_span(&in->converted);
    }
    return 1;
}

static int count_columns(span line)
{
    int n = 1;
    for (size_t i = 0; i < line.n; i++) n += line.p[i] == '\t';
    return n;
}

/* Standard input holds as many systems as its first line. */
static int read_first(eval_input *in, source *s)
{
    span line = {0};
    int more = next_line(in, s, &line);
    if (more < 0) return -1;
    s->n_columns = count_columns(segment_rstrip(line));
    if (more) str_add_span(&s->first, line);
    s->has_first = more;
    return 0;
}

/* ------------------------------------------------------------------------------------ opening */

static int add_source(eval_input *in, const char *path, source row)
{
    in->sources = xrealloc(in->sources, (size_t)(in->n_sources + 1) * sizeof *in->sources);
    if (lines_open(path, &row.file)) return -1;
    in->sources[in->n_sources++] = row;
    return 0;
}

static void add_name(eval_input *in, char *name)
{
    in->names = xrealloc(in->names, (size_t)(in->n_systems + 1) * sizeof *in->names);
    in->names[in->n_systems++] = name;
}

static int open_stdin(eval_input *in)
{
    if (add_source(in, "-", (source){.tabs = true}) || read_first(in, &in->sources[0])) return -1;
    for (int i = 0; i < in->sources[0].n_columns; i++) {
        str name = {0};
        str_addf(&name, "System %d", i + 1);
        add_name(in, name.p);
    }
    return 0;
}

static int open_systems(eval_input *in, const eval_flags *f)
{
    const eval_words *files = &f->values[EVAL_INPUT];
    if (!files->n) return open_stdin(in);
    for (int i = 0; i < files->n; i++) {
        const char *path = files->words[i];
        if (i && strcmp(path, files->words[0]) == 0) { /* in a paired test, see eval_input_check */
            note("%s is the baseline and not compared with itself", path);
            continue;
        }
        if (add_source(in, path, (source){.n_columns = 1})) return -1;
        add_name(in, xstrdup(path));
    }
    return 0;
}

static int open_refs(eval_input *in, const eval_flags *f)
{
    int n = (int)eval_flag_int(f, EVAL_NUM_REFS);
    for (int i = 0; i < f->n_refs; i++) {
        if (add_source(in, f->refs[i], (source){.n_columns = n, .tabs = n > 1, .rest = true})) return -1;
        in->n_refs += n;
    }
    return 0;
}

int eval_input_check(const eval_flags *f)
{
    const eval_words *files = &f->values[EVAL_INPUT];
    bool paired = eval_flag_on(f, EVAL_PAIRED_AR) || eval_flag_on(f, EVAL_PAIRED_BS);
    for (int i = 0; i < files->n; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(files->words[i], files->words[k]) == 0 && !(paired && k == 0))
                return fail("--input: %s is given twice; each system once", files->words[i]);
    return check_encoding(eval_flag_text(f, EVAL_ENCODING));
}

int eval_input_open(const eval_flags *f, bool keep, eval_input **out)
{
    eval_input *in = *out = xcalloc(1, sizeof *in);
    in->keep = keep;
    set_encoding(in, eval_flag_text(f, EVAL_ENCODING));
    if (open_systems(in, f) || open_refs(in, f)) return -1;
    in->n_columns = in->n_systems + in->n_refs;
    return 0;
}

void eval_input_close(eval_input *in)
{
    if (!in) return;
    for (int i = 0; i < in->n_sources; i++) {
        lines_close(in->sources[i].file);
        str_free(&in->sources[i].first);
    }
    for (int i = 0; i < in->n_systems; i++) free(in->names[i]);
    if (in->converts) iconv_close(in->to_utf8);
    free(in->sources);
    free(in->names);
    free(in->ends);
    str_free(&in->text);
    str_free(&in->converted);
    str_free(&in->marked);
    free(in);
}

int eval_input_systems(const eval_input *in) { return in->n_systems; }
int eval_input_refs(const eval_input *in) { return in->n_refs; }
const char *eval_input_name(const eval_input *in, int system) { return in->names[system]; }

/* ------------------------------------------------------------------------------------ reading */

/* Some files have ended and some have not: counts the rest and says so. */
static int unequal(eval_input *in)
{
    span line;
    for (int i = 0; i < in->n_sources; i++)
        for (int more; (more = lines_next(in->sources[i].file, &line));)
            if (more < 0) return -1;
    const lines *one = in->sources[0].file, *other = one;
    for (int i = 1; lines_count(other)->lines == lines_count(one)->lines; i++) other = in->sources[i].file;
    int64_t n = lines_count(one)->lines;
    return fail("%s has %" PRId64 " line%s, but %s has %" PRId64 ": line by line they must belong together",
                lines_path(one), n, plural(n), lines_path(other), lines_count(other)->lines);
}

static int wrong_columns(const source *s, span line)
{
    int found = count_columns(line);
    if (s->rest)
        return fail("%s:%" PRId64 ": %d column%s between tabs, but --num-refs says %d", lines_path(s->file),
                    lines_count(s->file)->lines, found, plural(found), s->n_columns);
    return fail("%s:%" PRId64 ": %d column%s between tabs, but the first line has %d; each is a system; -i - "
                "reads standard input as one, with its tabs",
                lines_path(s->file), lines_count(s->file)->lines, found, plural(found), s->n_columns);
}

static void add_segment(eval_input *in, span segment, size_t *at)
{
    str_add_span(&in->text, segment);
    in->ends[(*at)++] = in->text.n;
}

/* Adds the columns of a line. A line that is one segment keeps the blanks at its end, tabs too: they matter
 * to one figure alone, chrF with its white space, which is that of sacreBLEU's library; its command takes
 * them off. */
static int add_columns(eval_input *in, const source *s, span line, size_t *at)
{
    span whole = segment_rstrip(line), last = whole;
    if (s->n_columns > 1) line = whole;
    for (int i = 1; i < s->n_columns; i++) {
        const char *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
        if (!tab) return wrong_columns(s, whole);
        span segment = {line.p, (size_t)(tab - line.p)};
        add_segment(in, s->rest ? segment : segment_rstrip(segment), at);
        last = line = (span){tab + 1, line.n - segment.n - 1};
    }
    if (s->tabs && !s->rest && last.n && memchr(last.p, '\t', last.n)) return wrong_columns(s, whole);
    add_segment(in, line, at);
    return 0;
}

/* Reads one segment of each column into the batch: 1, 0 at the end of all, -1 with a message. */
static int read_segment(eval_input *in)
{
    size_t at = (size_t)(in->first + in->n) * (size_t)in->n_columns, start = in->text.n;
    in->ends = grow(in->ends, &in->capacity, at + (size_t)in->n_columns, sizeof *in->ends);
    int ended = 0;
    for (int i = 0; i < in->n_sources; i++) {
        span line;
        int more = next_line(in, &in->sources[i], &line);
        if (more < 0) return -1;
        ended += !more;
        if (more && !ended && add_columns(in, &in->sources[i], line, &at)) return -1;
    }
    if (ended) in->text.n = start;
    if (ended == in->n_sources) return 0;
    return ended ? unequal(in) : 1;
}

long eval_input_read(eval_input *in)
{
    int more = 1;
    in->first = in->keep ? in->first + in->n : 0;
    if (!in->keep) str_clear(&in->text);
    size_t start = in->text.n;
    for (in->n = 0; in->n < BATCH && in->text.n - start < BATCH_BYTES && (more = read_segment(in)) > 0;)
        in->n++;
    if (more < 0) return -1;
    if (!in->n && !lines_count(in->sources[0].file)->lines)
        return fail("%s has no lines: there is nothing to score", lines_path(in->sources[0].file));
    return in->n;
}

long eval_input_first(const eval_input *in) { return in->first; }

static span column(const eval_input *in, long segment, int i)
{
    size_t at = (size_t)segment * (size_t)in->n_columns + (size_t)i;
    size_t start = at ? in->ends[at - 1] : 0;
    return (span){str_text(&in->text) + start, in->ends[at] - start};
}

span eval_input_hyp(const eval_input *in, long segment, int system) { return column(in, segment, system); }

span eval_input_ref(const eval_input *in, long segment, int ref)
{
    return column(in, segment, in->n_systems + ref);
}

void eval_input_note(const eval_input *in)
{
    for (int i = 0; i < in->n_sources; i++) {
        const source *s = &in->sources[i];
        line_counts counts = *lines_count(s->file);
        if (in->converts) counts.invalid_utf8 = 0;
        if (s->marked) counts.byte_order_marks = 0;
        note_lines(lines_path(s->file), &counts, "scored as they are", NULL);
        if (s->marked)
            note("%s begins with a byte-order mark, which is scored as a character, as sacreBLEU does; "
                 "--encoding utf-8-sig leaves it out",
                 lines_path(s->file));
    }
}
