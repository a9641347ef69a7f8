#include "eval/tokenize.h"

#include <string.h>

#include "eval/segment.h"
#include "eval/unicode.h"

/* ------------------------------------------------------------------------------------ 13a */

/* The trailing hyphen joins lines, should a segment hold several. "&amp;lt;" becomes "<". */
static span resolve(span line, str *text)
{
    str_clear(text);
    str_add_span(text, line);
    size_t n = cut_replace(text->p, text->n, "<skipped>", "");
    n = cut_replace(text->p, n, "-\n", "");
    n = cut_replace(text->p, n, "\n", " ");
    return (span){text->p, cut_unescape(text->p, n)};
}

static bool needs_resolving(span line)
{
    return memchr(line.p, '&', line.n) || memchr(line.p, '\n', line.n) || memchr(line.p, '<', line.n);
}

static void run_13a(span line, tokens *out)
{
    static const cut_rules rules = {.bytes = cut_13a, .padded = true};
    if (line.n && needs_resolving(line)) line = resolve(line, &out->text);
    cut(&rules, line, out);
}

/* ------------------------------------------------------------------------------------ intl */

enum { W = CUT_WORD, S = CUT_SPACE, A = CUT_ALONE, D = CUT_DIGIT, P = CUT_POINT };

/* clang-format off */
static const uint8_t bytes_intl[256] = {
    W, W, W, W, W, W, W, W, W, S, S, S, S, S, W, W, W, W, W, W, W, W, W, W, W, W, W, W, S, S, S, S,
    /*   ! " # $ % & ' ( ) * + , - . / 0 1 2 3 4 5 6 7 8 9 : ; < = > ? */
    S, P, P, P, A, P, P, P, P, P, P, A, P, P, P, P, D, D, D, D, D, D, D, D, D, D, P, P, A, A, A, P,
    /* @ A .. Z [ \ ] ^ _ */
    P, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, P, P, P, A, P,
    /* ` a .. z { | } ~ */
    A, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, P, A, P, A, W,
    CUT_UPPER_WIDE
};

static const uint8_t bytes_char[256] = {
    A, A, A, A, A, A, A, A, A, S, S, S, S, S, A, A, A, A, A, A, A, A, A, A, A, A, A, A, S, S, S, S,
    S, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    CUT_UPPER_WIDE
};
/* clang-format on */

static uint8_t wide_intl(int32_t c)
{
    if (unicode_is_space(c)) return CUT_SPACE;
    if (unicode_is_punctuation(c)) return CUT_POINT;
    if (unicode_is_symbol(c)) return CUT_ALONE;
    return unicode_is_number(c) ? CUT_DIGIT : CUT_WORD;
}

static void run_intl(span line, tokens *out)
{
    static const cut_rules rules = {.bytes = bytes_intl, .wide = wide_intl};
    cut(&rules, line, out);
}

/* ------------------------------------------------------------------------------------ zh */

/* What sacreBLEU takes as Chinese. Two of its ranges, meant for U+20000 and U+2F800, are strings of two
 * characters there and work as the ones below. */
static bool is_chinese(int32_t c)
{
    static const int32_t ranges[][2] = {
        {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F},
        {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x33FF}, {0x3400, 0x4DB5},
        {0x4E00, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F},
        {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};
    if (c < ranges[0][0]) return false;
    if (c >= 0x2F81 && c <= 0x2FA1) return true;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c <= ranges[i][1]) return c >= ranges[i][0];
    return false;
}

static uint8_t wide_zh(int32_t c)
{
    if (unicode_is_space(c)) return CUT_SPACE;
    return is_chinese(c) ? CUT_ALONE : CUT_WORD;
}

static span lstrip(span line)
{
    for (size_t n; line.n && (n = unicode_space_at(line.p, line.p + line.n));)
        line = (span){line.p + n, line.n - n};
    return line;
}

static void run_zh(span line, tokens *out)
{
    static const cut_rules rules = {.bytes = cut_13a_wide, .wide = wide_zh};
    cut(&rules, lstrip(line), out);
}

/* ------------------------------------------------------------------------------------ char, none */

static uint8_t wide_char(int32_t c) { return unicode_is_space(c) ? CUT_SPACE : CUT_ALONE; }

static void run_char(span line, tokens *out)
{
    static const cut_rules rules = {.bytes = bytes_char, .wide = wide_char};
    cut(&rules, line, out);
}

static void run_none(span line, tokens *out) { tokens_split(out, line); }

/* ------------------------------------------------------------------------------------ table */

const eval_tokenizer eval_tokenizers[] = {{"13a", run_13a},   {"intl", run_intl}, {"zh", run_zh},
                                          {"char", run_char}, {"none", run_none}, {NULL, NULL}};

const eval_tokenizer *eval_tokenizer_find(const char *name)
{
    for (const eval_tokenizer *t = eval_tokenizers; t->name; t++)
        if (strcmp(t->name, name) == 0) return t;
    return NULL;
}
