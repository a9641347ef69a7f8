/* Characters as Python sees them, because sacreBLEU's figures are made with its methods and its regular
 * expressions: which are white space, punctuation, symbols, numbers. A byte that is not part of valid UTF-8
 * is a character of its own that is nothing of this. */
#ifndef TULK_EVAL_UNICODE_H
#define TULK_EVAL_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at p < end, its length in *n. A byte that starts no valid sequence is -1 with length 1. */
int32_t unicode_at_wide(const char *p, const char *end, size_t *n);
static inline int32_t unicode_at(const char *p, const char *end, size_t *n)
{
    *n = 1;
    return (unsigned char)*p < 0x80 ? (unsigned char)*p : unicode_at_wide(p, end, n);
}

/* The character that ends just before `end`; `end` > `start`. */
int32_t unicode_before(const char *start, const char *end, size_t *n);

/* str.isspace: bidirectional class WS, B or S, or general category Zs. Unlike C's isspace it has the four
 * information separators and unlike the Unicode property White_Space too. */
bool unicode_is_space(int32_t c);

/* Length of the white space character at p < end, 0 if there is none. */
size_t unicode_space_wide(const char *p, const char *end);
static inline size_t unicode_space_at(const char *p, const char *end)
{
    unsigned char lead = (unsigned char)*p;
    if (lead <= ' ') return lead >= 0x1C || (lead >= 0x09 && lead <= 0x0D);
    if (lead < 0xC2 || lead > 0xE3) return 0; /* nothing there is a space */
    return unicode_space_wide(p, end);
}

/* General categories P, S and N, as the module regex has them. */
bool unicode_is_punctuation(int32_t c);
bool unicode_is_symbol(int32_t c);
bool unicode_is_number(int32_t c);

#endif
