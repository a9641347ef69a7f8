#include "eval/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The shortest digits that read back as the same number, as Python's repr prints them: an exponent only below
 * 1e-4 and from 1e16, and always a sign that it is no integer. */
static void add_repr(str *out, double x)
{
    char digits[64], text[64];
    int precision = 0;
    do snprintf(digits, sizeof digits, "%.*e", precision, x);
    while (strtod(digits, NULL) != x && ++precision < 17);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent < -4 || exponent >= 16) {
        str_add_span(out, span_of(digits));
        return;
    }
    int decimals = precision > exponent ? precision - exponent : 0;
    snprintf(text, sizeof text, "%.*f", decimals ? decimals : 1, x);
    str_add_span(out, span_of(text));
}

static void add_number(str *out, int width, double x)
{
    str rounded = {0};
    str_addf(&rounded, "%.*f", width, x);
    add_repr(out, strtod(rounded.p, NULL));
    str_free(&rounded);
}

/* "nrefs:1|case:mixed" as two fields. The values that occur need no escapes. */
static void add_signature_fields(str *out, const char *signature)
{
    for (const char *p = signature; *p;) {
        size_t n = strcspn(p, "|"), key = strcspn(p, ":");
        BUG_IF(key >= n);
        str_addf(out, ",\n \"%.*s\": \"%.*s\"", (int)key, p, (int)(n - key - 1), p + key + 1);
        p += p[n] ? n + 1 : n;
    }
}

static void add_json(const eval_result *r, int width, str *out)
{
    str_addf(out, "{\n \"name\": \"%s\",\n \"score\": ", r->name);
    add_number(out, width, r->score);
    str_addf(out, ",\n \"signature\": \"%s\"", r->signature);
    if (*r->verbose) str_addf(out, ",\n \"verbose_score\": \"%s\"", r->verbose);
    add_signature_fields(out, r->signature);
    str_addf(out, "\n}");
}

void eval_result_print(const eval_result *r, enum eval_format format, int width, str *out)
{
    if (format == EVAL_JSON) {
        add_json(r, width, out);
        return;
    }
    if (format == EVAL_TEXT) str_addf(out, "%s|%s = ", r->name, r->signature);
    str_addf(out, "%.*f", width, r->score);
    if (format == EVAL_TEXT && *r->verbose) str_addf(out, " %s", r->verbose);
}

/* The first two numbers of the program's own version: a third one never changes a figure. */
void eval_add_version(str *out)
{
    size_t n = strcspn(TULK_VERSION, ".");
    n += 1 + strcspn(&TULK_VERSION[n + 1], ".");
    str_addf(out, "2.6.0+tulk.%.*s", (int)n, TULK_VERSION);
}
