#include "eval/result.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/grid.h"

/* ------------------------------------------------------------------------------------ pieces */

static const char RED[] = "31", YELLOW[] = "33", CYAN[] = "36";

static void add_colored(str *out, const char *text, const char *color, bool on)
{
    if (on)
        str_addf(out, "\x1b[%sm%s\x1b[0m", color, text);
    else
        str_addf(out, "%s", text);
}

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

/* sacreBLEU shows a mean only if it is positive. */
static bool has_mean(const significance *v) { return v->mean > 0; }

static void add_mean(str *out, const significance *v, int width)
{
    str_addf(out, "μ = %.*f ± %.*f", width, v->mean, width, v->ci);
}

/* 38.5 (μ = 38.4 ± 1.2) */
static void add_score(str *out, const significance *v, const eval_style *style)
{
    str_addf(out, "%.*f", style->width, v->score);
    if (!has_mean(v)) return;
    str mean = {0};
    str_add_char(&mean, '(');
    add_mean(&mean, v, style->width);
    str_add_char(&mean, ')');
    str_add_char(out, ' ');
    add_colored(out, str_text(&mean), CYAN, style->color);
    str_free(&mean);
}

/* ------------------------------------------------------------------------------------ one system */

static void add_json(const eval_result *r, int width, str *out)
{
    str_addf(out, "{\n \"name\": \"%s\",\n \"score\": ", r->name);
    add_number(out, width, r->value.score);
    str_addf(out, ",\n \"signature\": \"%s\"", r->signature);
    if (has_mean(&r->value)) {
        str_addf(out, ",\n \"confidence_mean\": ");
        add_number(out, width, r->value.mean);
        str_addf(out, ",\n \"confidence_var\": ");
        add_number(out, width, r->value.ci);
        str_addf(out, ",\n \"confidence\": \"");
        add_mean(out, &r->value, width);
        str_add_char(out, '"');
    }
    if (*r->verbose) str_addf(out, ",\n \"verbose_score\": \"%s\"", r->verbose);
    add_signature_fields(out, r->signature);
    str_addf(out, "\n}");
}

static void add_text(const eval_result *r, const eval_style *style, str *out)
{
    if (!style->score_only) str_addf(out, "%s|%s = ", r->name, r->signature);
    add_score(out, &r->value, style);
    if (!style->score_only && *r->verbose) str_addf(out, " %s", r->verbose);
}

static void print_json(const eval_result *results, int n, const eval_style *style, str *out)
{
    if (n > 1) str_addf(out, "[\n");
    for (int i = 0; i < n; i++) {
        if (i) str_addf(out, ",\n");
        if (style->score_only)
            add_text(&results[i], style, out);
        else
            add_json(&results[i], style->width, out);
    }
    str_addf(out, n > 1 ? "\n]\n" : "\n");
}

/* Where the first equals sign stands; 0 without one. */
static size_t equals_at(const str *line)
{
    const char *equals = memchr(str_text(line), '=', line->n);
    return equals ? (size_t)(equals - line->p) : 0;
}

/* Lines with an equals sign are moved to the right until their first ones stand under each other. Where only
 * scores are printed, that is the sign of the mean. */
static void print_text(const eval_result *results, int n, const eval_style *style, str *out)
{
    str *lines = xcalloc((size_t)n, sizeof *lines);
    size_t widest = 0;
    for (int i = 0; i < n; i++) {
        add_text(&results[i], style, &lines[i]);
        if (equals_at(&lines[i]) > widest) widest = equals_at(&lines[i]);
    }
    for (int i = 0; i < n; i++) {
        size_t at = equals_at(&lines[i]);
        str_addf(out, "%*s%s\n", at ? (int)(widest - at) : 0, "", str_text(&lines[i]));
        str_free(&lines[i]);
    }
    free(lines);
}

void eval_print_system(const eval_result *results, int n, const eval_style *style, str *out)
{
    if (style->format == EVAL_JSON)
        print_json(results, n, style, out);
    else
        print_text(results, n, style, out);
}

void eval_print_sentence(const eval_result *result, const eval_style *style, str *out)
{
    add_text(result, style, out);
    str_add_char(out, '\n');
}

/* ------------------------------------------------------------------------------------ several systems */

static const significance *value_of(const eval_table *t, int m, int system)
{
    return &t->values[m * t->n_systems + system];
}

/* One character of text as a JSON string in ASCII shows it; a byte that is no UTF-8 as Python keeps it. */
static size_t add_json_character(const unsigned char *p, str *out)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) n = 0;
    uint32_t c = n ? *p & masks[n] : 0xdc00u + *p;
    for (size_t i = 1; i < n; i++) c = c << 6 | (p[i] & 0x3f);
    if (c == '"' || c == '\\')
        str_addf(out, "\\%c", (char)c);
    else if (c >= 0x20 && c < 0x7f)
        str_add_char(out, (char)c);
    else if (c < 0x10000)
        str_addf(out, "\\u%04x", (unsigned)c);
    else
        str_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)), (unsigned)(0xdc00 + (c & 0x3ff)));
    return n ? n : 1;
}

static void add_json_string(const char *text, str *out)
{
    str_add_char(out, '"');
    for (const char *p = text; *p;) p += add_json_character((const unsigned char *)p, out);
    str_add_char(out, '"');
}

static void add_json_number(const char *key, double x, str *out)
{
    str_addf(out, "            \"%s\": ", key);
    if (isnan(x))
        str_addf(out, "null");
    else
        add_repr(out, x);
}

static void add_json_value(const significance *v, str *out)
{
    str_addf(out, "{\n");
    add_json_number("score", v->score, out);
    str_addf(out, ",\n");
    add_json_number("p_value", v->p_value, out);
    str_addf(out, ",\n");
    add_json_number("mean", v->mean, out);
    str_addf(out, ",\n");
    add_json_number("ci", v->ci, out);
    str_addf(out, "\n        }");
}

static void print_json_table(const eval_table *t, int width, str *out)
{
    str_addf(out, "[\n");
    for (int i = 0; i < t->n_systems; i++) {
        str_addf(out, "    {\n        \"system\": ");
        add_json_string(t->systems[i], out);
        for (int m = 0; m < t->n_metrics; m++) {
            str_addf(out, ",\n        \"%s\": ", t->metrics[m]);
            if (t->test == EVAL_NO_TEST)
                str_addf(out, "\"%.*f\"", width, value_of(t, m, i)->score);
            else
                add_json_value(value_of(t, m, i), out);
        }
        str_addf(out, "\n    }%s\n", i + 1 < t->n_systems ? "," : "");
    }
    str_addf(out, "]\n");
}

/* 40.1 (40.0 ± 1.1) and, on a line of its own where there is room, (p = 0.0010)* */
static void add_cell(const significance *v, const eval_style *style, str *cell)
{
    str_addf(cell, "%.*f", style->width, v->score);
    if (!isnan(v->mean)) str_addf(cell, " (%.*f ± %.*f)", style->width, v->mean, style->width, v->ci);
    if (isnan(v->p_value)) return;
    str p = {0};
    str_addf(&p, "(p = %.4f)", v->p_value);
    str_add_char(cell, style->format == EVAL_TEXT ? '\n' : ' ');
    if (v->p_value > 0.05)
        add_colored(cell, str_text(&p), RED, style->color);
    else
        str_addf(cell, "%s*", str_text(&p));
    str_free(&p);
}

static void fill_cells(const eval_table *t, const eval_style *style, str *cells)
{
    int n_columns = t->n_metrics + 1;
    add_colored(&cells[0], "System", CYAN, style->color);
    for (int m = 0; m < t->n_metrics; m++) {
        str title = {0};
        str_addf(&title, "%s%s", t->metrics[m], t->test == EVAL_TEST_BS ? " (μ ± 95% CI)" : "");
        add_colored(&cells[m + 1], str_text(&title), CYAN, style->color);
        str_free(&title);
    }
    for (int i = 0; i < t->n_systems; i++) {
        str *row = cells + (i + 1) * n_columns;
        bool baseline = i == 0 && t->test != EVAL_NO_TEST && style->color;
        add_colored(&row[0], t->systems[i], YELLOW, baseline);
        for (int m = 0; m < t->n_metrics; m++) {
            str cell = {0};
            add_cell(value_of(t, m, i), style, &cell);
            add_colored(&row[m + 1], str_text(&cell), YELLOW, baseline);
            str_free(&cell);
        }
    }
}

static void print_cells(const eval_table *t, const eval_style *style, str *out)
{
    int n_rows = t->n_systems + 1, n_columns = t->n_metrics + 1;
    str *cells = xcalloc((size_t)(n_rows * n_columns), sizeof *cells);
    fill_cells(t, style, cells);
    if (style->format == EVAL_LATEX)
        grid_latex(cells, n_rows, n_columns, out);
    else
        grid_draw(cells, n_rows, n_columns, out);
    for (int i = 0; i < n_rows * n_columns; i++) str_free(&cells[i]);
    free(cells);
    str_add_char(out, '\n');
}

static void add_heading(const char *text, str *out)
{
    str line = {0};
    for (size_t i = 0; i < strlen(text); i++) str_add_char(&line, '-');
    str_addf(out, "%s\n%s\n%s\n", str_text(&line), text, str_text(&line));
    str_free(&line);
}

static void explain_test(const eval_table *t, str *out)
{
    bool bs = t->test == EVAL_TEST_BS;
    str heading = {0};
    str_addf(&heading, "Paired %s test with %ld %s",
             bs ? "bootstrap resampling" : "approximate randomization", t->n_samples,
             bs ? "resampling trials" : "trials");
    add_heading(str_text(&heading), out);
    str_free(&heading);
    str_addf(out, " - Every other system is tested against %s.\n", t->systems[0]);
    if (bs)
        str_addf(out, " - In brackets: the mean of the resamples' scores and half their 95%% interval.\n");
    str_addf(
        out,
        " - p is how often a difference in score at least as large would come by chance if both systems\n"
        "   were equally good (the null hypothesis). Marked * where it is 0.05 or less: the difference is\n"
        "   then called significant.\n"
        " - A significant difference is one that other test sets would likely show too. It need not be\n"
        "   large, nor one that readers notice.\n\n");
}

void eval_print_table(const eval_table *t, const eval_style *style, str *out)
{
    if (style->format == EVAL_JSON) {
        print_json_table(t, style->width, out);
        return;
    }
    print_cells(t, style, out);
    if (t->test != EVAL_NO_TEST) explain_test(t, out);
    add_heading("Metric signatures", out);
    for (int m = 0; m < t->n_metrics; m++) str_addf(out, " - %-10s %s\n", t->metrics[m], t->signatures[m]);
}

/* ------------------------------------------------------------------------------------ version */

/* The first two numbers of the program's own version: a third one never changes a figure. */
void eval_add_version(str *out)
{
    size_t n = strcspn(TULK_VERSION, ".");
    n += 1 + strcspn(&TULK_VERSION[n + 1], ".");
    str_addf(out, "2.6.0+tulk.%.*s", (int)n, TULK_VERSION);
}
