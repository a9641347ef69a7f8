#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

span span_of(const char *text) { return (span){text, strlen(text)}; }

bool span_eq(span a, span b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

int span_cmp(span a, span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

void str_free(str *s)
{
    free(s->p);
    *s = (str){0};
}

static void reserve(str *s, size_t extra) { s->p = grow(s->p, &s->capacity, s->n + extra + 1, 1); }

void str_clear(str *s)
{
    s->n = 0;
    if (s->p) s->p[0] = '\0';
}

void str_add(str *s, const char *bytes, size_t n)
{
    reserve(s, n);
    if (n) memcpy(s->p + s->n, bytes, n);
    s->n += n;
    s->p[s->n] = '\0';
}

void str_add_span(str *s, span bytes) { str_add(s, bytes.p, bytes.n); }

void str_add_char(str *s, char c) { str_add(s, &c, 1); }

void str_addf(str *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    BUG_IF(n < 0);
    reserve(s, (size_t)n);
    va_start(args, format);
    vsnprintf(s->p + s->n, (size_t)n + 1, format, args);
    va_end(args);
    s->n += (size_t)n;
}

span str_span(const str *s) { return (span){s->p, s->n}; }

const char *str_text(const str *s) { return s->p ? s->p : ""; }
