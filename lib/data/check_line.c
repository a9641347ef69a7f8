/* One line looked at. */
#include <string.h>

#include "base/hash.h"
#include "data/check_inside.h"

static uint32_t fold_byte(uint32_t h, unsigned char c) { return (h ^ c) * 16777619u; } /* FNV-1a */

static const uint32_t FNV = 2166136261u;

static uint32_t hash_end(uint32_t h)
{
    h ^= h >> 15;
    h *= 0x85EBCA6Bu;
    return h ^ h >> 13;
}

uint32_t word_hash(span word)
{
    uint32_t h = FNV;
    for (size_t i = 0; i < word.n; i++) {
        unsigned char c = (unsigned char)word.p[i];
        h = fold_byte(h, is_ascii_letter(c) ? c | 32 : c);
    }
    return hash_end(h);
}

static void add_anchor(line_view *v, uint32_t hash)
{
    v->anchors[hash >> 6 & 1] |= (uint64_t)1 << (hash & 63);
}

static void end_word(line_view *v, span word, bool first)
{
    uint32_t hash = word_hash(word);
    unsigned char c = (unsigned char)*word.p;
    bool number = c >= '0' && c <= '9', capital = c >= 'A' && c <= 'Z';
    v->words++;
    if (v->n_word < LINE_WORDS) v->word[v->n_word++] = hash;
    if (number || (capital && !first && word.n > 1)) add_anchor(v, hash);
}

/* U+0080 .. U+00BF behind what begins the UTF-8 of Latin letters, and the start of a typographic sign. */
static bool is_mojibake(int before, int code)
{
    return ((before == 0xC2 || before == 0xC3) && code >= 0x80 && code <= 0xBF && code != 0xA0 &&
            code != 0xAB && code != 0xBB) ||
           (before == 0xE2 && (code == 0x20AC || code == 0x80));
}

static bool starts_entity(span at)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;", "&#", NULL};
    for (int i = 0; names[i]; i++)
        if (at.n >= strlen(names[i]) && !memcmp(at.p, names[i], strlen(names[i])))
            return names[i][1] != '#' || (at.n > 2 && at.p[2] >= '0' && at.p[2] <= '9');
    return false;
}

/* <b>, </a>, <br/>, <a href="..."> */
static bool starts_tag(span at)
{
    size_t i = 1;
    if (i < at.n && at.p[i] == '/') i++;
    if (i >= at.n || !is_ascii_letter((unsigned char)at.p[i])) return false;
    const char *end = memchr(at.p, '>', at.n < 200 ? at.n : 200);
    if (!end) return false;
    while (i < at.n && (is_ascii_letter((unsigned char)at.p[i]) || (at.p[i] >= '0' && at.p[i] <= '9'))) i++;
    return at.p[i] == '>' || (at.p[i] == '/' && at.p[i + 1] == '>') ||
           (at.p[i] == ' ' && memchr(at.p, '=', (size_t)(end - at.p)));
}

static void look_at_symbol(line_view *v, span at, int code)
{
    static const unsigned markup = 1u << CHECK_MARKUP;
    if ((code == '&' && starts_entity(at)) || (code == '<' && starts_tag(at))) v->faults |= markup;
}

static void look_at_raw(line_view *v, int code)
{
    if (code == 0xFEFF) v->faults |= 1u << CHECK_MARK;
    if (code == '\r') v->faults |= 1u << CHECK_RETURN;
    if (code == 0) v->faults |= 1u << CHECK_NUL;
    if ((code > 0 && code < ' ' && code != '\t' && code != '\r') || code == 127 ||
        (code >= 0x80 && code < 0xA0))
        v->faults |= 1u << CHECK_CONTROL;
}

/* A mark behind a Latin, Greek or Cyrillic letter for which both have one code, nearly always. */
static bool is_decomposed(enum char_script before, int code)
{
    bool letter = before == SCRIPT_LATIN || before == SCRIPT_GREEK || before == SCRIPT_CYRILLIC;
    bool common = code >= 0x300 && code <= 0x30C && code != 0x305 && code != 0x309;
    bool voiced =
        (code == 0x3099 || code == 0x309A) && (before == SCRIPT_HIRAGANA || before == SCRIPT_KATAKANA);
    return (letter && (common || code == 0x327 || code == 0x328)) || voiced;
}

void view_line(span line, bool utf8, line_view *out)
{
    span word = {0}, left = line;
    int before = 0;
    enum char_script letter = SCRIPT_ANY;
    memset(out, 0, sizeof *out);
    if (!utf8) out->faults |= 1u << CHECK_UTF8;
    for (character c; (c = char_at(left)).length; left.p += c.length, left.n -= (size_t)c.length) {
        bool is_letter = c.kind == CHAR_LETTER, digit = c.kind == CHAR_DIGIT,
             unspaced = is_letter && script_without_spaces(c.script);
        bool in_word = (is_letter || digit || c.kind == CHAR_MARK) && !unspaced;
        out->characters++;
        out->letters += is_letter;
        out->digits += digit;
        out->scripts[c.script] += is_letter;
        if (word.n && !in_word) {
            end_word(out, word, word.p == line.p);
            word.n = 0;
        }
        if (in_word) {
            if (!word.n) word.p = left.p;
            word.n += (size_t)c.length;
        } else if (unspaced)
            end_word(out, (span){left.p, (size_t)c.length}, true);
        else if (c.kind == CHAR_RAW && c.code != '\t')
            look_at_raw(out, c.code);
        else if (c.kind == CHAR_SYMBOL)
            look_at_symbol(out, left, c.code);
        else
            out->blanks++;
        if (c.code == 0xFEFF) out->faults |= 1u << CHECK_MARK;
        if (c.code == 0xFFFD) out->faults |= 1u << CHECK_REPLACEMENT;
        if (is_mojibake(before, c.code)) out->faults |= 1u << CHECK_MOJIBAKE;
        if (c.code >= 0x300 && is_decomposed(letter, c.code)) out->faults |= 1u << CHECK_DECOMPOSED;
        if (before == ' ' && (c.code == '.' || c.code == ',')) out->spaced_stop = true;
        letter = is_letter ? c.script : SCRIPT_ANY;
        before = c.code;
    }
    if (word.n) end_word(out, word, word.p == line.p);
    if (out->characters == out->blanks) out->faults |= 1u << CHECK_EMPTY;
}
