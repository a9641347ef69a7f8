/* Where a sentence ends: a full stop, exclamation or question mark with what closes behind it, and a blank
 * before something that can begin a sentence; in scripts without spaces the mark alone. */
#include <string.h>

#include "harvest.h"
#include "text/chars.h"

static bool is_lower(int c)
{
    if (c < 128) return c >= 'a' && c <= 'z';
    if (c < 0x100) return c >= 0xDF;
    if (c < 0x180) return c % 2 == 1; /* Latin Extended-A, nearly */
    return (c >= 0x3AC && c <= 0x3CE) || (c >= 0x430 && c <= 0x45F);
}

static bool is_wide_stop(int c) { return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF0E; }

static bool is_stop(int c) { return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x0964; }

static bool closes(int c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == 0x201D || c == 0x2019 || c == 0xBB ||
           c == 0x201C || c == 0x300D || c == 0x300F || c == 0xFF09;
}

/* What stands before a full stop that ends no sentence: a number, a letter alone, a short form. */
static bool is_short_form(span before)
{
    static const char *const forms[] = {"e.g", "i.e", "etc",  "vs",     "cf",   "Dr",   "Mr",   "Mrs", "St",
                                        "No",  "Nr",  "bzw",  "usw",    "ca",   "z.B",  "d.h",  "u.a", "evtl",
                                        "ggf", "vgl", "inkl", "max",    "min",  "bspw", "p.ex", "ex",  "fig",
                                        "Inc", "Ltd", "Co",   "approx", "resp", "Jr",   "incl", "sog", "engl",
                                        "Abb", "art", "pp",   "ver",    "vol",  "al",   "Sr",   NULL};
    size_t n = 0;
    while (n < before.n && before.p[before.n - 1 - n] != ' ' && before.p[before.n - 1 - n] != '(') n++;
    span word = {before.p + before.n - n, n};
    if (n == 0) return true;
    if (n == 1 && char_kind_ascii((unsigned char)*word.p) == CHAR_LETTER) return true;
    bool number = true;
    for (size_t i = 0; i < n; i++) number &= word.p[i] >= '0' && word.p[i] <= '9';
    if (number) return true;
    for (int i = 0; forms[i]; i++)
        if (strlen(forms[i]) == n && !strncasecmp(forms[i], word.p, n)) return true;
    return false;
}

/* May the sentence end at `stop`, with `rest` behind it and what closes? Sets how many blanks to skip. */
static bool ends_here(span before, int stop, span rest, size_t *blanks)
{
    *blanks = 0;
    while (*blanks < rest.n && rest.p[*blanks] == ' ') ++*blanks;
    if (is_wide_stop(stop)) return true;
    if (!*blanks) return false;
    int next;
    char_decode((span){rest.p + *blanks, rest.n - *blanks}, &next);
    if (is_lower(next) || next == '-' || next == ')') return false;
    return stop != '.' || !is_short_form(before);
}

int sentence_ends(span text, size_t *ends, int max)
{
    int n = 0, code, length;
    for (size_t at = 0; at < text.n && n < max - 1;) {
        size_t from = at, blanks;
        length = char_decode((span){text.p + at, text.n - at}, &code);
        at += (size_t)length;
        if (!is_stop(code) && !is_wide_stop(code)) continue;
        int stop = code;
        while (at < text.n && (length = char_decode((span){text.p + at, text.n - at}, &code)) &&
               (closes(code) || is_stop(code) || is_wide_stop(code)))
            at += (size_t)length;
        if (at < text.n && ends_here((span){text.p, from}, stop, (span){text.p + at, text.n - at}, &blanks))
            ends[n++] = at;
    }
    ends[n++] = text.n;
    return n;
}
