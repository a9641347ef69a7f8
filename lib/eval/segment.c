#include "eval/segment.h"

#include <stdint.h>
#include <utf8proc.h>

/* ------------------------------------------------------------------------------------ characters */

/* The character at p, its length in *n. A byte that starts no valid sequence is returned as -1 with length 1.
 */
static int32_t character_at(const char *p, const char *end, size_t *n)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)p, end - p, &c);
    *n = length > 0 ? (size_t)length : 1;
    return length > 0 ? c : -1;
}

static bool is_continuation(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

/* The character that ends just before `end`; `end` > `start`. */
static int32_t character_before(const char *start, const char *end, size_t *n)
{
    const char *p = end - 1;
    while (p > start && end - p < 4 && is_continuation(*p)) p--;
    int32_t c = character_at(p, end, n);
    if (c >= 0 && p + *n == end) return c;
    *n = 1;
    return -1;
}

/* str.isspace: bidirectional class WS, B or S, or general category Zs. Unlike C's isspace it has the four
 * information separators and unlike the Unicode property White_Space too. */
static bool is_space(int32_t c)
{
    if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Length of the white space character at p, 0 if there is none. */
static size_t space_at(const char *p, const char *end)
{
    unsigned char lead = (unsigned char)*p;
    if (lead < 0x80) return is_space(lead);
    if (lead != 0xC2 && lead != 0xE1 && lead != 0xE2 && lead != 0xE3) return 0; /* nothing there is a space */
    size_t n;
    return is_space(character_at(p, end, &n)) ? n : 0;
}

span segment_rstrip(span line)
{
    for (size_t n; line.n && is_space(character_before(line.p, line.p + line.n, &n));) line.n -= n;
    return line;
}

bool segment_token(span *rest, span *token)
{
    const char *p = rest->p, *end = p + rest->n;
    for (size_t n; p < end && (n = space_at(p, end));) p += n;
    const char *start = p;
    while (p < end && !space_at(p, end)) p++;
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
        int32_t c = character_before(start, end, &n);
        if (c < 0 || !is_case_ignorable(c)) return c >= 0 && is_cased(c);
    }
    return false;
}

static bool cased_after(const char *p, const char *end)
{
    for (size_t n; p < end; p += n) {
        int32_t c = character_at(p, end, &n);
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

void segment_lower(span line, str *out)
{
    const char *end = line.p + line.n;
    size_t n;
    for (const char *p = line.p; p < end; p += n) {
        int32_t c = character_at(p, end, &n);
        if (c < 0) {
            str_add_char(out, *p);
        } else if (c == CAPITAL_SIGMA) {
            bool final = cased_before(line.p, p) && !cased_after(p + n, end);
            add_character(out, final ? FINAL_SIGMA : SMALL_SIGMA);
        } else if (c == CAPITAL_I_DOT) { /* the one letter whose lower case is two */
            add_character(out, 'i');
            add_character(out, DOT_ABOVE);
        } else {
            add_character(out, utf8proc_tolower(c));
        }
    }
}
