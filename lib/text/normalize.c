/* Normalisation of lines that may hold anything: the valid stretches go through utf8proc, the rest stays. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "text/chars.h"
#include "text/tokenizer.h"

/* Code points with NFC_Quick_Check = Yes and combining class 0 (UAX #15): text of these alone is in NFC. Only
 * the blocks that are worth the saved work. */
static const struct {
    int first, last;
} NFC_SAFE[] = {{0x0000, 0x02FF}, {0x0400, 0x0482}, {0x048A, 0x0590}, {0x05D0, 0x05EA}, {0x0621, 0x064A},
                {0x2010, 0x2027}, {0x202F, 0x205E}, {0x20A0, 0x20C0}, {0x3000, 0x3029}, {0x3041, 0x3096},
                {0x30A0, 0x30FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xAC00, 0xD7A3}, {0xFF01, 0xFFEF}};

static bool nfc_safe(int code)
{
    for (size_t i = 0; i < sizeof NFC_SAFE / sizeof *NFC_SAFE; i++)
        if (code <= NFC_SAFE[i].last) return code >= NFC_SAFE[i].first;
    return false;
}

static size_t ascii_prefix(span text)
{
    size_t i = 0;
    while (i < text.n && (unsigned char)text.p[i] < 128) i++;
    return i;
}

/* Does normalisation leave the line as it is, as far as a quick look tells? */
static bool is_normal(enum normalization how, span line)
{
    if (how == NORMALIZE_NONE) return true;
    size_t i = ascii_prefix(line);
    if (how == NORMALIZE_NFKC) return i == line.n;
    while (i < line.n) {
        int code, length = char_decode((span){line.p + i, line.n - i}, &code);
        if (code >= 0 && !nfc_safe(code)) return false;
        i += (size_t)length;
    }
    return true;
}

static utf8proc_option_t utf8proc_options(enum normalization how, bool casefold)
{
    int options = 0;
    if (how != NORMALIZE_NONE) options |= UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (how == NORMALIZE_NFKC) options |= UTF8PROC_COMPAT;
    if (casefold) options |= UTF8PROC_CASEFOLD;
    return (utf8proc_option_t)options;
}

static void normalize_valid(utf8proc_option_t options, span text, str *out)
{
    utf8proc_uint8_t *result = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, &result, options);
    if (n < 0)
        str_add_span(out, text); /* longer than utf8proc can count: better as it is than lost */
    else
        str_add(out, (const char *)result, (size_t)n);
    free(result);
}

/* Length of the longest valid UTF-8 at the start. */
static size_t valid_prefix(span text)
{
    size_t i = 0;
    while (i < text.n) {
        int code, length = char_decode((span){text.p + i, text.n - i}, &code);
        if (code < 0) break;
        i += (size_t)length;
    }
    return i;
}

const char *const normalizations[] = {
    [NORMALIZE_NONE] = "none", [NORMALIZE_NFC] = "nfc", [NORMALIZE_NFKC] = "nfkc", NULL};

int normalization_find(const char *name)
{
    for (int i = 0; normalizations[i]; i++)
        if (!strcmp(normalizations[i], name)) return i;
    return -1;
}

void normalize_line(enum normalization how, bool casefold, span line, str *out)
{
    if (!casefold && is_normal(how, line)) {
        str_add_span(out, line);
        return;
    }
    utf8proc_option_t options = utf8proc_options(how, casefold);
    while (line.n) {
        size_t valid = valid_prefix(line);
        if (valid)
            normalize_valid(options, (span){line.p, valid}, out);
        else
            str_add(out, line.p, valid = 1);
        line.p += valid;
        line.n -= valid;
    }
}
