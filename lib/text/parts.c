#include "text/parts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"

static span trim(span s)
{
    while (s.n && strchr(" \t", s.p[0]) && s.p[0]) s = (span){s.p + 1, s.n - 1};
    while (s.n && strchr(" \t", s.p[s.n - 1]) && s.p[s.n - 1]) s.n--;
    return s;
}

static bool is_continuation(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* Whether a sentence seems to end right before byte i, where a blank is. */
static bool ends_sentence(span s, size_t i)
{
    return i > 0 && s.p[i] == ' ' && strchr(".!?", s.p[i - 1]) && s.p[i - 1];
}

/* The ideographic full stop and its relatives end a sentence without a blank behind them. */
static bool ends_ideographic(span s, size_t i)
{
    static const char *const marks[] = {"\u3002", "\uFF01", "\uFF1F"};
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++)
        if (i >= 3 && memcmp(s.p + i - 3, marks[m], 3) == 0) return true;
    return false;
}

/* The best place to cut within the first `fits` bytes. */
static size_t find_cut(span s, size_t fits)
{
    for (size_t i = fits; i > fits / 2; i--)
        if (ends_sentence(s, i) || ends_ideographic(s, i)) return i;
    for (size_t i = fits; i > 0; i--)
        if (s.p[i] == ' ') return i;
    size_t i = fits;
    while (i > 1 && is_continuation(s.p[i])) i--;
    return i > 1 ? i : fits;
}

/* A long line: its normalised text, and where in it each id of its encoding ends. */
typedef struct {
    str text;
    size_t *end; /* (n) */
    size_t n;
} long_line;

/* Bytes that an id stands for in the middle of a line: behind a letter. (At the start a blank is left out.)
 */
static size_t bytes_inside(const tokenizer *t, int id, str *scratch)
{
    str_clear(scratch);
    tokenizer_decode(t, (const int[]){ID_FIRST + 'a', id}, 2, scratch);
    return scratch->n - 1;
}

static long_line long_line_new(const tokenizer *t, const seqs *whole)
{
    const int *ids = seqs_at(whole, 0);
    str scratch = {0};
    long_line l = {.n = seqs_len(whole, 0)};
    l.end = xmalloc(l.n * sizeof *l.end);
    tokenizer_decode(t, ids, 1, &l.text);
    l.end[0] = l.text.n;
    for (size_t i = 1; i < l.n; i++) l.end[i] = l.end[i - 1] + bytes_inside(t, ids[i], &scratch);
    str_clear(&l.text);
    tokenizer_decode(t, ids, l.n, &l.text);
    str_free(&scratch);
    return l;
}

/* Bytes from `at` on that max_len ids stand for; *id is the first one that ends behind `at`. */
static size_t bytes_of(const long_line *l, size_t at, size_t max_len, size_t *id)
{
    while (*id < l->n && l->end[*id] <= at) ++*id;
    size_t last = *id + max_len - 1;
    return last < l->n ? l->end[last] - at : l->text.n - at;
}

static int cut_line(const tokenizer *t, tokenizer_cache *cache, const long_line *l, int max_len, seqs *out)
{
    int parts = 0;
    size_t at = 0, id = 0;
    while (at < l->text.n) {
        span rest = {l->text.p + at, l->text.n - at};
        size_t fits = bytes_of(l, at, (size_t)max_len, &id);
        size_t cut = fits < rest.n ? find_cut(rest, fits) : rest.n;
        span part = trim((span){rest.p, cut});
        if (part.n) tokenizer_encode(t, cache, part, out);
        parts += part.n > 0;
        at += cut;
    }
    return parts;
}

int encode_parts(const tokenizer *t, tokenizer_cache *cache, span line, int max_len, seqs *out)
{
    line = trim(line);
    if (!line.n) return 0;
    seqs whole = {0};
    tokenizer_encode(t, cache, line, &whole);
    int parts = 1;
    if (seqs_len(&whole, 0) <= (size_t)max_len) {
        seqs_add(out, seqs_at(&whole, 0), seqs_len(&whole, 0));
    } else {
        long_line l = long_line_new(t, &whole);
        parts = cut_line(t, cache, &l, max_len, out);
        str_free(&l.text);
        free(l.end);
    }
    seqs_free(&whole);
    return parts;
}
