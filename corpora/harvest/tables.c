/* Corpora that somebody has made already: parallel lines, columns, translation memories. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "data/pairs.h"
#include "harvest.h"

int harvest_read_file(const char *path, str *out)
{
    gzFile f = gzopen(path, "rb");
    char buffer[1 << 16];
    int n;
    str_clear(out);
    if (!f) return fail("%s: cannot be read", path);
    while ((n = gzread(f, buffer, sizeof buffer)) > 0) str_add(out, buffer, (size_t)n);
    gzclose(f);
    return n < 0 ? fail("%s: is damaged, or a folder", path) : 0;
}

int harvest_lines(harvest *h, int source, const char *src_path, const char *tgt_path)
{
    const char *const paths[2] = {src_path, tgt_path};
    pair_reader in = {.paths = {&paths[0], &paths[1]}, .n_files = 1};
    text_pair p;
    int more;
    pairs_rewind(&in);
    while ((more = pairs_next(&in, &p)) == 1) harvest_offer(h, source, FORM_PLAIN, p.side[0], p.side[1]);
    pairs_close(&in);
    return more;
}

static span column_of(span line, int column)
{
    const char *end = line.p + line.n, *tab;
    for (; column > 1; column--) {
        if (!line.n || !(tab = memchr(line.p, '\t', line.n))) return (span){"", 0};
        line = (span){tab + 1, (size_t)(end - tab - 1)};
    }
    tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
    return tab ? (span){line.p, (size_t)(tab - line.p)} : line;
}

int harvest_columns(harvest *h, int source, const char *path, int src_column, int tgt_column)
{
    lines *in;
    span line;
    int more;
    if (lines_open(path, &in)) return -1;
    while ((more = lines_next(in, &line)) == 1)
        harvest_offer(h, source, FORM_PLAIN, column_of(line, src_column), column_of(line, tgt_column));
    lines_close(in);
    return more;
}

/* ---------------------------------------------------------------------------------------------- TMX */

static const char *find_in(span s, const char *what)
{
    return s.n ? memmem(s.p, s.n, what, strlen(what)) : NULL;
}

/* What stands between `open` (up to its '>') and `close`, from `at` on; moves `at` behind it. */
static bool element(span *at, const char *open, const char *close, span *tag, span *inside)
{
    const char *from = find_in(*at, open), *end = at->p + at->n, *body, *stop;
    if (!from || !(body = memchr(from, '>', (size_t)(end - from)))) return false;
    *tag = (span){from, (size_t)(body - from)};
    if (!(stop = find_in((span){body + 1, (size_t)(end - body - 1)}, close))) return false;
    *inside = (span){body + 1, (size_t)(stop - body - 1)};
    *at = (span){stop, (size_t)(end - stop)};
    return true;
}

/* xml:lang="de-DE" is German, lang="EN" English. */
static bool has_lang(span tag, const char *lang)
{
    const char *at = find_in(tag, "lang=");
    size_t n = strlen(lang);
    if (!at || (size_t)(tag.p + tag.n - at) < n + 7 || strncasecmp(at + 6, lang, n)) return false;
    return strchr("\"'-_", at[6 + n]) != NULL;
}

static void offer_unit(harvest *h, int source, span unit)
{
    span tag, variant, text[2] = {{0}, {0}};
    while (element(&unit, "<tuv", "</tuv>", &tag, &variant)) {
        span seg_tag, seg;
        if (!element(&variant, "<seg", "</seg>", &seg_tag, &seg)) continue;
        for (int side = 0; side < 2; side++)
            if (has_lang(tag, h->lang[side]) && !text[side].p) text[side] = seg;
    }
    if (text[0].p && text[1].p) harvest_offer(h, source, FORM_MARKUP, text[0], text[1]);
}

/* Offers the units that are whole and keeps the beginning of the next one. */
static void offer_units(harvest *h, int source, str *text)
{
    span tag, unit, left = str_span(text);
    while (element(&left, "<tu", "</tu>", &tag, &unit)) offer_unit(h, source, unit);
    const char *next = find_in(left, "<tu");
    size_t n = next ? (size_t)(left.p + left.n - next) : 0;
    if (n) memmove(text->p, next, n);
    text->n = n;
}

/* Lines are collected until a unit is whole, so that a memory of any size is read. */
int harvest_tmx(harvest *h, int source, const char *path)
{
    lines *in;
    span line;
    str text = {0};
    int more;
    if (lines_open(path, &in)) return -1;
    while ((more = lines_next(in, &line)) == 1) {
        if (text.n || find_in(line, "<tu ") || find_in(line, "<tu>")) {
            str_add_span(&text, line);
            str_add_char(&text, ' ');
        }
        if (find_in(line, "</tu>")) offer_units(h, source, &text);
    }
    str_free(&text);
    lines_close(in);
    return more;
}
