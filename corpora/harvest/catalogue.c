/* Catalogues of GNU gettext, as its manual describes the format of .mo files: a magic number that shows the
 * byte order, the number of strings, and two tables of lengths and offsets. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "harvest.h"
#include "text/intmap.h"

typedef struct {
    str file;
    bool swapped;
    uint32_t n, keys, texts; /* strings; offsets of the tables */
    intmap places;           /* hash of a key -> its number */
} catalogue;

static uint32_t number_at(const catalogue *c, size_t at)
{
    uint32_t x;
    if (at + 4 > c->file.n) return 0;
    memcpy(&x, c->file.p + at, 4);
    return c->swapped ? __builtin_bswap32(x) : x;
}

static span string_at(const catalogue *c, uint32_t table, uint32_t i)
{
    size_t n = number_at(c, table + 8 * (size_t)i), at = number_at(c, table + 8 * (size_t)i + 4);
    return at > c->file.n || n > c->file.n - at ? (span){"", 0} : (span){c->file.p + at, n};
}

static int open_catalogue(const char *path, catalogue *c)
{
    if (harvest_read_file(path, &c->file)) return -1;
    uint32_t magic = number_at(c, 0);
    c->swapped = magic == 0xDE120495u;
    if (magic != 0x950412DEu && !c->swapped) return fail("%s: not a catalogue of gettext (.mo)", path);
    c->n = number_at(c, 8);
    c->keys = number_at(c, 12);
    c->texts = number_at(c, 16);
    if (c->n > c->file.n / 16) return fail("%s: the catalogue is damaged", path);
    for (uint32_t i = 0; i < c->n; i++) {
        span key = string_at(c, c->keys, i);
        intmap_set(&c->places, hash64(key.p, key.n), (int)i);
    }
    return 0;
}

static void close_catalogue(catalogue *c)
{
    str_free(&c->file);
    intmap_free(&c->places);
}

/* The last of the forms of a plural, without the context before a byte 4. */
static span last_form(span s)
{
    const char *zero = memrchr(s.p, '\0', s.n), *context;
    if (zero) s = (span){zero + 1, (size_t)(s.p + s.n - zero - 1)};
    context = s.n ? memchr(s.p, 4, s.n) : NULL;
    return context ? (span){context + 1, (size_t)(s.p + s.n - context - 1)} : s;
}

/* The text of key i in this language; NULL stands for the language of the keys. */
static span text_of(const catalogue *c, span key)
{
    if (!c) return last_form(key);
    int place = intmap_get(&c->places, hash64(key.p, key.n));
    return place < 0 ? (span){"", 0} : last_form(string_at(c, c->texts, (uint32_t)place));
}

/* What programs read, not people: no word, or blocks of text that are set with blanks. */
static bool is_layout(span s)
{
    const char *line = s.n ? memchr(s.p, '\n', s.n) : NULL;
    if (!s.n || !s.p) return true;
    if (memmem(s.p, s.n, "   ", 3) || memchr(s.p, '\t', s.n)) return true;
    return line && line + 1 < s.p + s.n && memmem(line + 1, (size_t)(s.p + s.n - line - 1), "\n  ", 3);
}

/* "  -a, --all     lists all of it": what stands behind the option, if it is in one column. */
static span option_help(span s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] == ' ') i++;
    if (i + 1 >= s.n || s.p[i] != '-' || i == 0) return s;
    const char *gap = memmem(s.p + i, s.n - i, "  ", 2);
    if (!gap) return (span){s.p, 0};
    while (gap < s.p + s.n && (*gap == ' ' || *gap == '\n')) gap++;
    return (span){gap, (size_t)(s.p + s.n - gap)};
}

/* Single line breaks with indentation behind them are one blank in such a text. */
static void flow(span s, str *out)
{
    str_clear(out);
    for (size_t i = 0; i < s.n; i++) {
        bool blank = s.p[i] == ' ' || s.p[i] == '\n';
        if (blank && out->n && out->p[out->n - 1] == ' ') continue;
        str_add_char(out, blank ? ' ' : s.p[i]);
    }
}

static void offer(harvest *h, int source, span src, span tgt)
{
    str flows[2] = {{0}, {0}};
    span in[2] = {option_help(src), option_help(tgt)};
    bool option = in[0].p != src.p && in[1].p != tgt.p;
    for (int side = 0; side < 2 && option; side++) {
        flow(in[side], &flows[side]);
        in[side] = str_span(&flows[side]);
    }
    if (!option) in[0] = src, in[1] = tgt;
    if (in[0].n && in[1].n && !is_layout(in[0]) && !is_layout(in[1]))
        harvest_offer(h, source, FORM_INTERFACE, in[0], in[1]);
    str_free(&flows[0]);
    str_free(&flows[1]);
}

int harvest_catalogue(harvest *h, int source, const char *src_path, const char *tgt_path)
{
    const char *paths[2] = {src_path, tgt_path};
    catalogue c[2] = {0};
    int result = 0;
    for (int side = 0; side < 2 && !result; side++)
        if (strcmp(paths[side], "-")) result = open_catalogue(paths[side], &c[side]);
    const catalogue *src = strcmp(src_path, "-") ? &c[0] : NULL, *tgt = strcmp(tgt_path, "-") ? &c[1] : NULL;
    const catalogue *with_keys = src ? src : tgt;
    for (uint32_t i = 0; !result && i < with_keys->n; i++) {
        span key = string_at(with_keys, with_keys->keys, i);
        if (key.n) offer(h, source, text_of(src, key), text_of(tgt, key));
    }
    close_catalogue(&c[0]);
    close_catalogue(&c[1]);
    return result;
}
