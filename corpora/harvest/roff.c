/* The text that roff would set: escapes as the groff manual describes them (groff(7), groff_char(7)). */
#include <stdlib.h>
#include <string.h>

#include "harvest.h"
#include "text/chars.h"

/* \(XX and \[XX]; strings \*(XX that every page may use have the same names, or are the last rows. */
static const struct {
    const char *name, *text;
} glyphs[] = {
    {"aq", "'"},   {"dq", "\""},  {"lq", "“"},  {"rq", "”"},  {"oq", "‘"},  {"cq", "’"}, {"Bq", "„"},
    {"bq", "‚"},   {"Fo", "«"},   {"Fc", "»"},  {"em", "—"},  {"en", "–"},  {"hy", "-"}, {"mi", "−"},
    {"bu", "•"},   {"co", "©"},   {"rg", "®"},  {"tm", "™"},  {"rs", "\\"}, {"ha", "^"}, {"ti", "~"},
    {"ga", "`"},   {"aa", "´"},   {"at", "@"},  {"sh", "#"},  {"Do", "$"},  {"Po", "£"}, {"Eu", "€"},
    {"sc", "§"},   {"de", "°"},   {"mc", "µ"},  {"mu", "×"},  {"pl", "+"},  {"+-", "±"}, {"<=", "≤"},
    {">=", "≥"},   {"!=", "≠"},   {"eq", "="},  {"->", "→"},  {"<-", "←"},  {"sl", "/"}, {"ba", "|"},
    {"or", "|"},   {"lB", "["},   {"rB", "]"},  {"lC", "{"},  {"rC", "}"},  {"la", "⟨"}, {"ra", "⟩"},
    {"ss", "ß"},   {":a", "ä"},   {":o", "ö"},  {":u", "ü"},  {"'e", "é"},  {"`e", "è"}, {"Aq", "'"},
    {"L\"", "\""}, {"R\"", "\""}, {"C`", "\""}, {"C'", "\""}, {"--", "—"},  {"R", "®"}};

/* Escapes of one character, and what stands for it; NULL: it sets no text. */
static const struct {
    char name;
    const char *text;
} singles[] = {{'-', "-"}, {'e', "\\"}, {'\\', "\\"},      {'.', "."},        {'\'', "´"},
               {'`', "`"}, {'_', "_"},  {' ', "\xC2\xA0"}, {'~', "\xC2\xA0"}, {'0', " "},
               {'&', ""},  {'|', ""},   {'^', ""},         {'/', ""},         {',', ""},
               {':', ""},  {'%', ""},   {')', ""},         {'{', ""},         {'c', ""}};

/* The name behind an escape: X, (XX or [XXX], which moves the text behind it. */
static bool take_name(span *at, span *name)
{
    size_t skip = 0, n = 1, close = 0;
    if (at->n && *at->p == '(') skip = 1, n = 2;
    if (at->n && *at->p == '[') {
        const char *end = memchr(at->p, ']', at->n);
        if (!end) return false;
        skip = close = 1;
        n = (size_t)(end - at->p) - 1;
    }
    if (at->n < skip + n + close) return false;
    *name = (span){at->p + skip, n};
    *at = (span){at->p + skip + n + close, at->n - skip - n - close};
    return true;
}

/* uXXXX: a code point. */
static bool add_code(span name, str *out)
{
    char digits[8] = {0}, bytes[4], *end;
    if (name.n < 5 || name.n > 7 || *name.p != 'u') return false;
    memcpy(digits, name.p + 1, name.n - 1);
    long code = strtol(digits, &end, 16);
    if (*end || code < ' ' || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    str_add(out, bytes, char_encode((int)code, bytes));
    return true;
}

static bool add_glyph(span *at, str *out)
{
    span name;
    if (!take_name(at, &name)) return false;
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++)
        if (span_eq(name, span_of(glyphs[i].name))) {
            str_add_span(out, span_of(glyphs[i].text));
            return true;
        }
    return add_code(name, out);
}

/* \s-1, \s+2, \s0, \s10: digits are read as roff does, one, or two that begin with 1 to 3. */
static bool skip_size(span *at)
{
    size_t n = at->n && (*at->p == '-' || *at->p == '+'), sign = n;
    if (n >= at->n || at->p[n] < '0' || at->p[n] > '9') return false;
    bool two = !sign && at->p[n] >= '1' && at->p[n] <= '3' && n + 1 < at->n;
    n += two && at->p[n + 1] >= '0' && at->p[n + 1] <= '9' ? 2 : 1;
    *at = (span){at->p + n, at->n - n};
    return true;
}

/* The escape whose backslash is behind us. */
static bool add_escape(span *at, str *out)
{
    span name;
    if (!at->n) return true;
    char c = *at->p;
    if (c == '(' || c == '[') return add_glyph(at, out);
    *at = (span){at->p + 1, at->n - 1};
    if (c == '*') return add_glyph(at, out);
    if (c == 'f' || c == 'm') return take_name(at, &name);
    if (c == 's') return skip_size(at);
    if (c == '"' || c == '#') at->n = 0; /* the rest is a comment */
    if (c == '"' || c == '#') return true;
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (singles[i].name == c) {
            str_add_span(out, span_of(singles[i].text));
            return true;
        }
    return false;
}

bool roff_text(span text, str *out)
{
    while (text.n) {
        char c = *text.p;
        text = (span){text.p + 1, text.n - 1};
        if (c != '\\')
            str_add_char(out, c);
        else if (!add_escape(&text, out))
            return false;
    }
    return true;
}

bool roff_word(span *line, str *out)
{
    span s = *line;
    str_clear(out);
    while (s.n && (*s.p == ' ' || *s.p == '\t')) s.p++, s.n--;
    bool some = s.n, quoted = some && *s.p == '"';
    if (quoted) s.p++, s.n--;
    while (s.n) {
        bool doubled = quoted && s.n > 1 && s.p[0] == '"' && s.p[1] == '"';
        bool escape = s.n > 1 && s.p[0] == '\\';
        if (!doubled && (quoted ? *s.p == '"' : *s.p == ' ')) break;
        if (escape && s.p[1] == '"') s.n = 0; /* a comment */
        if (!s.n) break;
        str_add(out, s.p, escape ? 2 : 1);
        s = (span){s.p + 1 + (doubled || escape), s.n - 1 - (doubled || escape)};
    }
    if (quoted && s.n) s.p++, s.n--;
    *line = s;
    return some;
}
