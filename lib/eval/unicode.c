#include "eval/unicode.h"

#include <utf8proc.h>

int32_t unicode_at_wide(const char *p, const char *end, size_t *n)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t most = end - p < 4 ? end - p : 4;
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)p, most, &c);
    *n = length > 0 ? (size_t)length : 1;
    return length > 0 ? c : -1;
}

static bool is_continuation(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

int32_t unicode_before(const char *start, const char *end, size_t *n)
{
    const char *p = end - 1;
    while (p > start && end - p < 4 && is_continuation(*p)) p--;
    int32_t c = unicode_at(p, end, n);
    if (c >= 0 && p + *n == end) return c;
    *n = 1;
    return -1;
}

bool unicode_is_space(int32_t c)
{
    if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

size_t unicode_space_wide(const char *p, const char *end)
{
    unsigned char lead = (unsigned char)*p;
    if (lead != 0xC2 && lead < 0xE1) return 0;
    size_t n;
    return unicode_is_space(unicode_at_wide(p, end, &n)) ? n : 0;
}

bool unicode_is_punctuation(int32_t c)
{
    if (c < 0) return false;
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool unicode_is_symbol(int32_t c)
{
    if (c < 0) return false;
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
}

bool unicode_is_number(int32_t c)
{
    if (c < 0) return false;
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}
