/* Texts as people read them: without tags, entities, marks of keyboard access and line breaks. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "harvest.h"
#include "text/chars.h"

/* ------------------------------------------------------------------------------------------- markup */

static const struct {
    const char *name, *text;
} entities[] = {{"amp", "&"},
                {"lt", "<"},
                {"gt", ">"},
                {"quot", "\""},
                {"apos", "'"},
                {"nbsp", "\xC2\xA0"},
                {"mdash", "\xE2\x80\x94"},
                {"ndash", "\xE2\x80\x93"},
                {"hellip", "\xE2\x80\xA6"},
                {"copy", "\xC2\xA9"},
                {NULL, NULL}};

static void add_code(long code, str *out)
{
    char bytes[4];
    if (code <= 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return;
    str_add(out, bytes, char_encode((int)code, bytes));
}

/* Bytes of the entity at the start, which is appended as text; 0 if it is none. */
static size_t add_entity(span at, str *out)
{
    const char *end = memchr(at.p, ';', at.n < 12 ? at.n : 12);
    if (!end || end - at.p < 3) return 0;
    size_t n = (size_t)(end - at.p) + 1;
    char name[16] = {0};
    memcpy(name, at.p + 1, n - 2);
    if (name[0] == '#') {
        bool hex = name[1] == 'x' || name[1] == 'X';
        add_code(strtol(name + (hex ? 2 : 1), NULL, hex ? 16 : 10), out);
        return n;
    }
    for (int i = 0; entities[i].name; i++)
        if (!strcmp(entities[i].name, name)) {
            str_add_span(out, span_of(entities[i].text));
            return n;
        }
    return 0;
}

/* Bytes of the tag at the start, 0 if it is none: <b>, </b>, <br/>, <a href="...">, but neither <FILE NAME>
 * nor a < b. */
static size_t tag_length(span at)
{
    static const char *const known[] = {"a",
                                        "b",
                                        "i",
                                        "u",
                                        "p",
                                        "br",
                                        "em",
                                        "tt",
                                        "li",
                                        "ul",
                                        "ol",
                                        "dd",
                                        "dt",
                                        "dl",
                                        "h1",
                                        "h2",
                                        "h3",
                                        "h4",
                                        "sub",
                                        "sup",
                                        "big",
                                        "div",
                                        "img",
                                        "pre",
                                        "kbd",
                                        "var",
                                        "qt",
                                        "html",
                                        "span",
                                        "code",
                                        "body",
                                        "font",
                                        "para",
                                        "link",
                                        "bold",
                                        "item",
                                        "emph",
                                        "small",
                                        "strong",
                                        "center",
                                        "filename",
                                        "nobr",
                                        "interface",
                                        "command",
                                        "title",
                                        "ahelp",
                                        "literal",
                                        "menuitem",
                                        "input",
                                        "defaultinline",
                                        "switchinline",
                                        "caseinline",
                                        "variable",
                                        "embedvar",
                                        "tspan",
                                        "table",
                                        "tr",
                                        "td",
                                        "th",
                                        "note",
                                        "icode",
                                        "application",
                                        "guilabel",
                                        "guimenu",
                                        "s",
                                        NULL};
    const char *end = memchr(at.p, '>', at.n);
    size_t i = 1, n = 0;
    if (!end) return 0;
    if (i < at.n && at.p[i] == '/') i++;
    while (i + n < at.n && isalnum((unsigned char)at.p[i + n])) n++;
    char after = i + n < at.n ? at.p[i + n] : '\0';
    if (n == 0 || !(after == '>' || after == '/' || after == ' ' || after == '\n')) return 0;
    for (int k = 0; known[k]; k++)
        if (strlen(known[k]) == n && !strncasecmp(known[k], at.p + i, n)) return (size_t)(end - at.p) + 1;
    return 0;
}

static bool is_break(span tag)
{
    return tag.n >= 4 &&
           (!strncasecmp(tag.p, "<br", 3) || !strncasecmp(tag.p, "<p", 2) || !strncasecmp(tag.p, "</p", 3));
}

void tidy_markup(span text, str *out)
{
    while (text.n) {
        size_t n = *text.p == '<' ? tag_length(text) : 0;
        if (n && is_break((span){text.p, n})) str_add_char(out, ' ');
        if (!n && *text.p == '&') n = add_entity(text, out);
        if (!n) str_add_char(out, *text.p), n = 1;
        text.p += n;
        text.n -= n;
    }
}

/* ----------------------------------------------------------------------------------------- mnemonics */

static bool is_word_byte(char c) { return isalnum((unsigned char)c) || (unsigned char)c >= 128; }

/* The place of the only mark before a letter or digit; -1 if there is none or more than one. */
static long mark_place(const str *s, char mark)
{
    long place = -1;
    for (size_t i = 0; i + 1 < s->n; i++)
        if (s->p[i] == mark) {
            if (place >= 0 || !is_word_byte(s->p[i + 1])) return -1;
            place = (long)i;
        }
    return place;
}

/* The word around a mark: a name such as max_size is the same on both sides. */
static span word_around(const str *s, long place)
{
    size_t from = (size_t)place, to = from + 1;
    while (from > 0 && is_word_byte(s->p[from - 1])) from--;
    while (to < s->n && is_word_byte(s->p[to])) to++;
    return (span){s->p + from, to - from};
}

static void cut(str *s, size_t from, size_t n)
{
    memmove(s->p + from, s->p + from + n, s->n - from - n + 1);
    s->n -= n;
}

/* (_F) with the blank before it, or the mark alone. */
static void take_mark(str *s, long place)
{
    size_t at = (size_t)place;
    bool apart = at > 0 && s->p[at - 1] == '(' && at + 2 < s->n && s->p[at + 2] == ')';
    if (!apart) {
        cut(s, at, 1);
        return;
    }
    size_t from = at - 1;
    while (from > 0 && s->p[from - 1] == ' ') from--;
    cut(s, from, at + 3 - from);
}

static bool starts_word(const str *s, long place)
{
    return place == 0 || s->p[place - 1] == ' ' || s->p[place - 1] == '(';
}

/* May the mark go, where the other side has none? Not in a name that stands there as it is. */
static bool is_lone_mark(const str *s, long place, const str *other)
{
    span word = word_around(s, place);
    char next = s->p[place + 1];
    if (starts_word(s, place)) return true;
    return next >= 'a' && next <= 'z' && !memmem(str_text(other), other->n, word.p, word.n);
}

void tidy_mnemonics(str *src, str *tgt)
{
    for (const char *mark = "_~&"; *mark; mark++) {
        long s = mark_place(src, *mark), t = mark_place(tgt, *mark);
        if (s >= 0 && t >= 0) {
            bool name = span_eq(word_around(src, s), word_around(tgt, t)) && !starts_word(src, s);
            if (!name) take_mark(src, s), take_mark(tgt, t);
        } else if (s >= 0 && is_lone_mark(src, s, tgt))
            take_mark(src, s);
        else if (t >= 0 && is_lone_mark(tgt, t, src))
            take_mark(tgt, t);
    }
}

/* ------------------------------------------------------------------------------------------- blanks */

static size_t blank_length(span at)
{
    if (!at.n) return 0;
    if (*at.p == ' ' || (*at.p >= '\t' && *at.p <= '\r')) return 1;
    return 0;
}

static size_t wide_blank_length(span at)
{
    if (at.n >= 2 && !memcmp(at.p, "\xC2\xA0", 2)) return 2;
    if (at.n >= 3 && (!memcmp(at.p, "\xE3\x80\x80", 3) || !memcmp(at.p, "\xEF\xBB\xBF", 3))) return 3;
    return blank_length(at);
}

void tidy_blanks(span text, str *out)
{
    size_t n, from = out->n;
    while ((n = wide_blank_length(text))) text.p += n, text.n -= n;
    while (text.n) {
        if (!(n = blank_length(text))) {
            str_add_char(out, *text.p++);
            text.n--;
            continue;
        }
        while ((n = blank_length(text))) text.p += n, text.n -= n;
        if (text.n) str_add_char(out, ' ');
    }
    for (bool more = true; more && out->n > from;) {
        more = out->p[out->n - 1] == ' ';
        n = more ? 1 : out->n - from >= 2 && !memcmp(out->p + out->n - 2, "\xC2\xA0", 2) ? 2 : 0;
        if (!n && out->n - from >= 3 && !memcmp(out->p + out->n - 3, "\xE3\x80\x80", 3)) n = 3;
        more = n > 0;
        out->n -= n;
    }
    if (out->p) out->p[out->n] = '\0';
}
