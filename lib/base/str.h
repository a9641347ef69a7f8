/* Bytes with a length: a view (span) and an owner that grows (str). Text may hold NUL. */
#ifndef TULK_BASE_STR_H
#define TULK_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

/* A view of bytes that somebody else owns. */
typedef struct {
    const char *p;
    size_t n;
} span;

span span_of(const char *text); /* of a C string */
bool span_eq(span a, span b);
int span_cmp(span a, span b); /* by bytes; a prefix comes first */

/* Growing bytes. {0} is an empty one. p[n] is always '\0' once something was added; p may be NULL
 * before. Owned: str_free. */
typedef struct {
    char *p;
    size_t n, capacity;
} str;

void str_free(str *s);
void str_clear(str *s); /* length 0, memory kept */
void str_add(str *s, const char *bytes, size_t n);
void str_add_span(str *s, span bytes);
void str_add_char(str *s, char c);
void str_addf(str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
span str_span(const str *s);
const char *str_text(const str *s); /* never NULL */

#endif
