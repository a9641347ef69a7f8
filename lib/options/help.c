/* --help from the table: grouped, with choices, bounds and defaults. */
#include <string.h>

#include "options/internal.h"

enum { INDENT = 30, WIDTH = 100 };

static const char *const groups[] = {"files", "text", "network", "training", "search", "output", "general"};

static void add_wrapped(const char *text, size_t column, str *out)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > INDENT && column + 1 + n > WIDTH) {
            str_addf(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            str_add_char(out, ' ');
            column++;
        }
        str_add(out, text, n);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    str_add_char(out, '\n');
}

static void describe(const option_row *row, str *text)
{
    str_addf(text, "%s", row->help);
    for (int i = 0; option_choice(row, i); i++)
        str_addf(text, "%s%s", i ? ", " : ": ", option_choice(row, i));
    bool shown = row->initial && strcmp(row->initial, "-");
    if (shown) str_addf(text, " (default: %s)", row->initial);
}

static void add_option(const option_row *row, str *out)
{
    str left = {0}, text = {0};
    if (row->letter)
        str_addf(&left, "  -%c, --%s", row->letter, row->key);
    else
        str_addf(&left, "      --%s", row->key);
    if (row->argument) str_addf(&left, " %s", row->argument);
    describe(row, &text);
    str_add_span(out, str_span(&left));
    if (left.n + 2 > INDENT)
        str_addf(out, "\n%*s", INDENT, "");
    else
        str_addf(out, "%*s", (int)(INDENT - left.n), "");
    add_wrapped(str_text(&text), INDENT, out);
    str_free(&left);
    str_free(&text);
}

static void add_group(unsigned command, const char *group, str *out)
{
    bool any = false;
    for (const option_row *row = option_table; row->key; row++) {
        if (!(row->commands & command) || strcmp(row->group, group)) continue;
        if (!any) str_addf(out, "\n%c%s:\n", group[0] - 'a' + 'A', group + 1);
        any = true;
        add_option(row, out);
    }
}

static void add_presets(str *out)
{
    str_addf(out, "\nPresets:\n");
    for (const preset_row *p = presets; p->name; p++) {
        str_addf(out, "  %-12s%s\n", p->name, p->summary);
        str values = {0};
        for (const char *const *kv = p->values; *kv; kv += 2)
            str_addf(&values, "%s%s=%s", kv == p->values ? "" : " ", kv[0], kv[1]);
        str_addf(out, "%*s", INDENT, "");
        add_wrapped(str_text(&values), INDENT, out);
        str_free(&values);
    }
}

void options_help(unsigned command, const char *usage, const char *summary, const char *example, str *out)
{
    str_addf(out, "Usage: %s\n\n%s\n", usage, summary);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) add_group(command, groups[i], out);
    if (option_find(command, "preset")) add_presets(out);
    str_addf(out, "\nA flag is undone by --no-FLAG. Example:\n  %s\n", example);
}
