#include "eval/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "eval/segment.h"
#include "text/chars.h"
#include "text/tokenizer.h"

void findings_add(findings *f, const char *format, ...)
{
    char text[2048]; /* a sentence or two, with the names of files */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->list = grow(f->list, &f->capacity, (size_t)f->n + 1, sizeof *f->list);
    f->list[f->n++] = xstrdup(text);
}

void findings_free(findings *f)
{
    for (int i = 0; i < f->n; i++) free(f->list[i]);
    free(f->list);
    *f = (findings){0};
}

/* ------------------------------------------------------------------------- what a line shows */

/* What a line may show: one row each, with how it is seen. */
enum trait {
    SPLIT,      /* a period or comma that stands alone */
    SUBWORDS,   /* marks that tokenizers leave: @@, U+2581 */
    ESCAPED,    /* &quot; and the like */
    CASED,      /* letters that have case */
    CAPITALS,   /* a capital letter */
    STARTS_BIG, /* the first cased letter is a capital */
    DECOMPOSED, /* not NFC */
    EMPTY,
    TRAITS
};

/* Signs that come in two kinds; texts that mix them differ for no good reason. */
typedef struct {
    const char *what, *fancy_name, *plain_name;
    const char *fancy[6], *plain[3];
} sign_pair;

static const sign_pair sign_pairs[] = {
    {"quotation marks",
     "typographic ones (\u201C\u201D\u201E\u00AB\u00BB)",
     "straight ones (\")",
     {"\u201C", "\u201D", "\u201E", "\u00AB", "\u00BB"},
     {"\"", "''"}},
    {"apostrophes", "typographic ones (\u2019)", "straight ones (')", {"\u2019", "\u2018"}, {"'"}},
    {"dots", "the ellipsis (\u2026)", "three periods (...)", {"\u2026"}, {"..."}},
    {"dashes",
     "long dashes (\u2013 \u2014)",
     "hyphens between blanks (-)",
     {"\u2013", "\u2014"},
     {" - ", " -- "}},
    {"punctuation",
     "full-width signs (\uFF0C\u3002\uFF01\uFF1F)",
     "ASCII signs",
     {"\uFF0C", "\u3002", "\uFF01", "\uFF1F", "\uFF1A"},
     {",", ".", "!"}},
};
enum { PAIRS = sizeof sign_pairs / sizeof *sign_pairs };

typedef struct {
    const char *name;
    long lines;
    long seen[TRAITS], first[TRAITS]; /* lines with a trait, and the first of them, from 1 */
    long fancy[PAIRS], plain[PAIRS];  /* lines with such a sign */
} portrait;

static bool holds(span line, const char *sign)
{
    return line.n && memmem(line.p, line.n, sign, strlen(sign)) != NULL;
}

static bool holds_any(span line, const char *const *signs, size_t n)
{
    for (size_t i = 0; i < n && signs[i]; i++)
        if (holds(line, signs[i])) return true;
    return false;
}

/* A period or comma behind a blank, not before a digit or another period (" .5", " ..."). */
static bool is_split(span line)
{
    bool first = true;
    for (span rest = line, token; segment_token(&rest, &token); first = false)
        if (!first && token.n == 1 && (token.p[0] == '.' || token.p[0] == ',')) return true;
    return holds(line, " @-@ ");
}

static bool is_escaped(span line)
{
    static const char *const escapes[] = {"&quot;", "&apos;", "&amp;", "&lt;",
                                          "&gt;",   "&#39;",  "&#91;", "&#124;"};
    return holds(line, "&") && holds_any(line, escapes, sizeof escapes / sizeof *escapes);
}

static bool has_subwords(span line)
{
    return holds(line, "\u2581") || holds(line, "@@ ") ||
           (line.n > 2 && memcmp(line.p + line.n - 2, "@@", 2) == 0);
}

static void see_case(span line, bool seen[TRAITS])
{
    int code;
    for (int n; (n = char_decode(line, &code)) && !seen[CAPITALS]; line.p += n, line.n -= (size_t)n) {
        bool upper = code >= 0 && utf8proc_tolower(code) != code;
        bool lower = code >= 0 && utf8proc_toupper(code) != code;
        if (upper && !seen[CASED]) seen[STARTS_BIG] = true;
        seen[CASED] |= upper || lower;
        seen[CAPITALS] |= upper;
    }
}

static bool is_ascii(span line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] >= 128) return false;
    return true;
}

static bool is_decomposed(span line, str *scratch)
{
    if (is_ascii(line)) return false;
    str_clear(scratch);
    normalize_line(NORMALIZE_NFC, false, line, scratch);
    return !span_eq(str_span(scratch), line);
}

static void see_line(portrait *p, span line, str *scratch)
{
    line = segment_rstrip(line); /* blanks alone are an empty line */
    bool seen[TRAITS] = {[SPLIT] = is_split(line),
                         [SUBWORDS] = has_subwords(line),
                         [ESCAPED] = is_escaped(line),
                         [DECOMPOSED] = is_decomposed(line, scratch),
                         [EMPTY] = line.n == 0};
    see_case(line, seen);
    p->lines++;
    for (int t = 0; t < TRAITS; t++) {
        if (seen[t] && !p->seen[t]) p->first[t] = p->lines;
        p->seen[t] += seen[t];
    }
    for (int i = 0; i < PAIRS; i++) {
        p->fancy[i] += holds_any(line, sign_pairs[i].fancy, 6);
        p->plain[i] += holds_any(line, sign_pairs[i].plain, 3);
    }
}

static portrait portrait_of(const text_side *side)
{
    portrait p = {.name = side->name};
    str scratch = {0};
    for (long i = 0; i < side->n; i++) see_line(&p, side->lines[i * side->stride], &scratch);
    str_free(&scratch);
    return p;
}

static double share(const portrait *p, enum trait t)
{
    return p->lines ? (double)p->seen[t] / (double)p->lines : 0;
}

/* --------------------------------------------------------------------------------- the rules */

typedef struct {
    const portrait *hyp, *ref;
    bool tokenized, caseless;
    findings *out;
} beside;

/* From this share of its lines on, a text is taken to be tokenised. */
static const double MANY = 0.1;

static bool looks_tokenized(const portrait *p) { return share(p, SPLIT) + share(p, ESCAPED) >= MANY; }

static void rule_tokenized(const beside *b)
{
    const portrait *h = b->hyp, *r = b->ref;
    if (!looks_tokenized(h)) return;
    long lines = h->seen[SPLIT] > h->seen[ESCAPED] ? h->seen[SPLIT] : h->seen[ESCAPED];
    long first = h->seen[SPLIT] ? h->first[SPLIT] : h->first[ESCAPED];
    if (!looks_tokenized(r))
        findings_add(
            b->out,
            "%s looks tokenised: %ld of %ld lines hold a period or comma that stands alone, or an escape "
            "like &apos; (the first is line %ld); the reference is plain text (%ld such lines). Detokenise "
            "the translations before they are scored.",
            h->name, lines, h->lines, first, r->seen[SPLIT]);
    else if (!b->tokenized)
        findings_add(
            b->out,
            "%s and the reference both look tokenised (%ld and %ld of %ld lines, the first is line %ld). "
            "Scores of tokenised text cannot be compared with other people's: take plain text on both "
            "sides, or say --tokenize none if it is meant so.",
            h->name, lines, r->seen[SPLIT], h->lines, first);
}

static void rule_subwords(const beside *b)
{
    const portrait *h = b->hyp;
    if (h->seen[SUBWORDS] > b->ref->seen[SUBWORDS])
        findings_add(
            b->out,
            "%s holds marks of subwords (@@ or \u2581) in %ld of %ld lines, the first is line %ld: join the "
            "pieces to words before scoring.",
            h->name, h->seen[SUBWORDS], h->lines, h->first[SUBWORDS]);
}

/* Among lines with cased letters. */
static double cased_share(const portrait *p, enum trait t)
{
    return p->seen[CASED] ? (double)p->seen[t] / (double)p->seen[CASED] : 0;
}

static void rule_case(const beside *b)
{
    const portrait *h = b->hyp, *r = b->ref;
    if (b->caseless || !h->seen[CASED] || !r->seen[CASED]) return;
    double hyp = cased_share(h, CAPITALS), ref = cased_share(r, CAPITALS);
    if (hyp <= 0.1 && ref >= 0.5)
        findings_add(
            b->out,
            "%s looks lower-cased: %ld of %ld lines hold a capital letter, %ld of the reference. Restore the "
            "case, or score both without it (--lowercase) and say so.",
            h->name, h->seen[CAPITALS], h->lines, r->seen[CAPITALS]);
    else if (ref <= 0.1 && hyp >= 0.5)
        findings_add(
            b->out,
            "The reference looks lower-cased: %ld of %ld lines hold a capital letter, %ld of %s. Take the "
            "original reference, or score both without case (--lowercase) and say so.",
            r->seen[CAPITALS], r->lines, h->seen[CAPITALS], h->name);
    else if (cased_share(h, STARTS_BIG) <= 0.1 && cased_share(r, STARTS_BIG) >= 0.5)
        findings_add(
            b->out,
            "%s begins with a capital letter in %ld of %ld lines, the reference in %ld: was it truecased? "
            "Restore the capitals at the beginning of sentences.",
            h->name, h->seen[STARTS_BIG], h->lines, r->seen[STARTS_BIG]);
}

static void rule_normalization(const beside *b)
{
    const portrait *h = b->hyp, *r = b->ref;
    if (!h->seen[DECOMPOSED] == !r->seen[DECOMPOSED]) return;
    const portrait *odd = h->seen[DECOMPOSED] ? h : r;
    findings_add(
        b->out,
        "%s has %ld line%s whose characters are not in Unicode's composed form (NFC), the first is line "
        "%ld; %s has none. What looks the same is counted as different: bring both to NFC, e.g. with uconv "
        "-x nfc.",
        odd->name, odd->seen[DECOMPOSED], odd->seen[DECOMPOSED] == 1 ? "" : "s", odd->first[DECOMPOSED],
        odd == h ? "the reference" : h->name);
}

/* Both sides have these signs in a line of a hundred at least, and most of them are of different kinds. */
static void rule_signs(const beside *b)
{
    const portrait *h = b->hyp, *r = b->ref;
    for (int i = 0; i < PAIRS; i++) {
        long hyp = h->fancy[i] + h->plain[i], ref = r->fancy[i] + r->plain[i];
        if (hyp < 2 || ref < 2 || 100 * hyp < h->lines || 100 * ref < r->lines) continue;
        double gap = (double)h->fancy[i] / (double)hyp - (double)r->fancy[i] / (double)ref;
        if (gap < 0.5 && gap > -0.5) continue;
        const sign_pair *s = &sign_pairs[i];
        findings_add(
            b->out,
            "Other %s: %s writes %s in %ld and %s in %ld lines, the reference in %ld and %ld. If that is a "
            "habit of the preprocessing, undo it.",
            s->what, h->name, s->fancy_name, h->fancy[i], s->plain_name, h->plain[i], r->fancy[i],
            r->plain[i]);
    }
}

static void rule_empty(const beside *b)
{
    const portrait *h = b->hyp;
    if (h->seen[EMPTY] > b->ref->seen[EMPTY])
        findings_add(b->out,
                     "%s has %ld empty line%s (the first is line %ld), the reference %ld. Each counts as a "
                     "translation of no words: did the translation run through?",
                     h->name, h->seen[EMPTY], h->seen[EMPTY] == 1 ? "" : "s", h->first[EMPTY],
                     b->ref->seen[EMPTY]);
}

void mistakes_find(const text_side *hyp, const text_side *ref, bool tokenized, bool caseless, findings *out)
{
    static void (*const rules[])(const beside *) = {rule_tokenized,     rule_subwords, rule_case,
                                                    rule_normalization, rule_signs,    rule_empty};
    portrait h = portrait_of(hyp), r = portrait_of(ref);
    beside b = {&h, &r, tokenized, caseless, out};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) rules[i](&b);
}

void mistakes_find_in_reference(const text_side *ref, bool tokenized, findings *out)
{
    portrait r = portrait_of(ref);
    if (looks_tokenized(&r) && !tokenized)
        findings_add(
            out,
            "The reference %s looks tokenised: %ld of %ld lines hold a period or comma that stands alone, "
            "%ld an escape like &apos;. Take the plain text as it was published.",
            r.name, r.seen[SPLIT], r.lines, r.seen[ESCAPED]);
    if (r.seen[SUBWORDS])
        findings_add(out, "The reference %s holds marks of subwords (@@ or \u2581) in %ld line%s.", r.name,
                     r.seen[SUBWORDS], r.seen[SUBWORDS] == 1 ? "" : "s");
}
