#include "eval/tokenize.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void run_none(span line, str *out) { str_add_span(out, line); }

/* ------------------------------------------------------------------------------------ 13a
 *
 * NIST's mteval-v13a: entities are resolved, then four rewritings follow each other, each from left to right
 * over the whole line. All characters that they look for are ASCII, so they may look at bytes: a byte of a
 * longer character is what the rules call "not a digit". No rewriting makes more than three bytes of one. */

enum { MOST_GROWTH = 3 };

typedef struct {
    const char *from, *to;
} replacement;

/* In this order: "&amp;lt;" becomes "<". The trailing hyphen joins lines, should a segment hold several. */
static const replacement replacements[] = {{"<skipped>", ""}, {"-\n", ""},   {"\n", " "},  {"&quot;", "\""},
                                           {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"}};

/* Replaces in place, since no replacement is longer than what it replaces; returns the new length. */
static size_t replace_all(char *text, size_t n, const replacement *r)
{
    size_t from = strlen(r->from), to = strlen(r->to), length = 0;
    if (!memmem(text, n, r->from, from)) return n;
    for (size_t i = 0; i < n;) {
        if (n - i >= from && memcmp(text + i, r->from, from) == 0) {
            memcpy(text + length, r->to, to);
            length += to;
            i += from;
        } else {
            text[length++] = text[i++];
        }
    }
    return length;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_point(char c) { return c == '.' || c == ','; }
static bool is_symbol(char c)
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* Each rewriting writes the new line to `out`, which has room, and returns its length. */
typedef size_t rewriting(const char *in, size_t n, char *out);

static size_t part_symbols(const char *in, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        bool symbol = is_symbol(in[i]);
        if (symbol) *o++ = ' ';
        *o++ = in[i];
        if (symbol) *o++ = ' ';
    }
    return (size_t)(o - out);
}

/* A point or comma goes apart from what precedes it, unless that is a digit. */
static size_t part_points_before(const char *in, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        *o++ = in[i];
        if (i + 1 == n || is_digit(in[i]) || !is_point(in[i + 1])) continue;
        *o++ = ' ';
        *o++ = in[++i];
        *o++ = ' ';
    }
    return (size_t)(o - out);
}

/* A point or comma goes apart from what follows it, unless that is a digit. */
static size_t part_points_after(const char *in, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        if (i + 1 == n || !is_point(in[i]) || is_digit(in[i + 1])) {
            *o++ = in[i];
            continue;
        }
        *o++ = ' ';
        *o++ = in[i++];
        *o++ = ' ';
        *o++ = in[i];
    }
    return (size_t)(o - out);
}

/* A hyphen goes apart from a digit before it. */
static size_t part_hyphens(const char *in, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        *o++ = in[i];
        if (i + 1 == n || !is_digit(in[i]) || in[i + 1] != '-') continue;
        *o++ = ' ';
        *o++ = in[++i];
        *o++ = ' ';
    }
    return (size_t)(o - out);
}

static void run_13a(span line, str *out)
{
    static rewriting *const rewritings[] = {part_symbols, part_points_before, part_points_after,
                                            part_hyphens};
    char *text = xmalloc(line.n + 2);
    text[0] = ' '; /* the rules see a space at both ends */
    if (line.n) memcpy(text + 1, line.p, line.n);
    size_t n = line.n;
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        n = replace_all(text + 1, n, &replacements[i]);
    text[n + 1] = ' ';
    n += 2;
    for (size_t i = 0; i < sizeof rewritings / sizeof *rewritings; i++) {
        char *next = xmalloc(MOST_GROWTH * n);
        n = rewritings[i](text, n, next);
        free(text);
        text = next;
    }
    str_add(out, text, n);
    free(text);
}

/* ------------------------------------------------------------------------------------ table */

const eval_tokenizer eval_tokenizers[] = {{"13a", run_13a}, {"none", run_none}, {NULL, NULL}};

const eval_tokenizer *eval_tokenizer_find(const char *name)
{
    for (const eval_tokenizer *t = eval_tokenizers; t->name; t++)
        if (strcmp(t->name, name) == 0) return t;
    return NULL;
}
