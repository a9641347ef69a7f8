#include "eval/segment.h"

#include <stdint.h>
#include <utf8proc.h>

#include "eval/unicode.h"

span segment_rstrip(span line)
{
    for (size_t n; line.n && unicode_is_space(unicode_before(line.p, line.p + line.n, &n));) line.n -= n;
    return line;
}

bool segment_token(span *rest, span *token)
{
    const char *p = rest->p, *end = p + rest->n;
    for (size_t n; p < end && (n = unicode_space_at(p, end));) p += n;
    const char *start = p;
    while (p < end && !unicode_space_at(p, end)) p++;
    *token = (span){start, (size_t)(p - start)};
    *rest = (span){p, (size_t)(end - p)};
    return token->n > 0;
}

/* ------------------------------------------------------------------------------------ lower case */

/* Case_Ignorable (Unicode 3.13, D136): marks, formats, modifiers, and the punctuation inside words. */
static bool is_case_ignorable(int32_t c)
{
    static const int32_t inside_words[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                           0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                           0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
    for (size_t i = 0; i < sizeof inside_words / sizeof *inside_words; i++)
        if (c == inside_words[i]) return true;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return false;
    }
}

/* Cased (D135), as far as it is not ignorable: letters with case, ordinal indicators, Roman numerals, letters
 * in circles and squares. */
static bool is_cased(int32_t c)
{
    static const int32_t others[][2] = {{0xAA, 0xAA},      {0xBA, 0xBA},       {0x2160, 0x217F},
                                        {0x24B6, 0x24E9},  {0x1F130, 0x1F149}, {0x1F150, 0x1F169},
                                        {0x1F170, 0x1F189}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c >= others[i][0] && c <= others[i][1]) return true;
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT;
}

static bool cased_before(const char *start, const char *end)
{
    for (size_t n; end > start; end -= n) {
        int32_t c = unicode_before(start, end, &n);
        if (c < 0 || !is_case_ignorable(c)) return c >= 0 && is_cased(c);
    }
    return false;
}

static bool cased_after(const char *p, const char *end)
{
    for (size_t n; p < end; p += n) {
        int32_t c = unicode_at(p, end, &n);
        if (c < 0 || !is_case_ignorable(c)) return c >= 0 && is_cased(c);
    }
    return false;
}

static void add_character(str *out, int32_t c)
{
    utf8proc_uint8_t bytes[4];
    str_add(out, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
}

enum {
    CAPITAL_SIGMA = 0x3A3,
    SMALL_SIGMA = 0x3C3,
    FINAL_SIGMA = 0x3C2,
    CAPITAL_I_DOT = 0x130,
    DOT_ABOVE = 0x307
};

/* Appends the lower case of the character beyond ASCII at p. */
static void lower_wide(span line, const char *p, str *out, size_t *n)
{
    const char *end = line.p + line.n;
    int32_t c = unicode_at_wide(p, end, n);
    if (c < 0) {
        str_add_char(out, *p);
    } else if (c == CAPITAL_SIGMA) {
        bool final = cased_before(line.p, p) && !cased_after(p + *n, end);
        add_character(out, final ? FINAL_SIGMA : SMALL_SIGMA);
    } else if (c == CAPITAL_I_DOT) { /* the one letter whose lower case is two */
        add_character(out, 'i');
        add_character(out, DOT_ABOVE);
    } else {
        add_character(out, utf8proc_tolower(c));
    }
}

/* Appends the lower case of the bytes up to the first one beyond ASCII; returns their number. */
static size_t lower_ascii(const char *p, size_t n, str *out)
{
    size_t ascii = 0;
    while (ascii < n && (unsigned char)p[ascii] < 0x80) ascii++;
    str_add(out, p, ascii);
    for (char *q = out->p + out->n - ascii, *end = out->p + out->n; q < end; q++)
        *q = (char)(*q | ((*q >= 'A' && *q <= 'Z') << 5));
    return ascii;
}

void segment_lower(span line, str *out)
{
    const char *p = line.p, *end = p + line.n;
    while (p < end) {
        size_t n = lower_ascii(p, (size_t)(end - p), out);
        if (!n) lower_wide(line, p, out, &n);
        p += n;
    }
}
