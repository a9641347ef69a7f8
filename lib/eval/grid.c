#include "eval/grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What a line of the table is made of: its left end, the stuff between, the crossings, its right end. */
typedef struct {
    const char *left, *line, *cross, *right;
} rule;

static const rule top = {"╒", "═", "╤", "╕"}, under_titles = {"╞", "═", "╪", "╡"};
static const rule between = {"├", "─", "┼", "┤"}, bottom = {"╘", "═", "╧", "╛"};

/* Line number `line` of the text; empty if it has fewer. */
static span line_of(span text, int line)
{
    for (;; line--) {
        const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
        size_t n = end ? (size_t)(end - text.p) : text.n;
        if (!line) return (span){text.p, n};
        if (!end) return (span){text.p, 0};
        text = (span){text.p + n + 1, text.n - n - 1};
    }
}

static int lines_of(span text)
{
    int n = 1;
    for (size_t i = 0; i < text.n; i++) n += text.p[i] == '\n';
    return n;
}

/* Characters of UTF-8, without the escape sequences that set colours. */
static int width_of(span line)
{
    int width = 0;
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '\x1b')
            while (i + 1 < line.n && line.p[i] != 'm') i++;
        else
            width += ((unsigned char)line.p[i] & 0xc0) != 0x80;
    }
    return width;
}

/* A title has a blank on either side more than its text needs. */
static int *column_widths(const str *cells, int n_rows, int n_columns)
{
    int *widths = xcalloc((size_t)n_columns, sizeof *widths);
    for (int i = 0; i < n_rows * n_columns; i++) {
        span cell = str_span(&cells[i]);
        for (int k = 0; k < lines_of(cell); k++) {
            int width = width_of(line_of(cell, k)) + (i < n_columns ? 2 : 0);
            if (width > widths[i % n_columns]) widths[i % n_columns] = width;
        }
    }
    return widths;
}

static void add_blanks(str *out, int n)
{
    for (; n > 0; n--) str_add_char(out, ' ');
}

/* One line of a cell with the blanks around it. */
static void add_cell(span line, int column, int width, void (*add)(str *out, span text), str *out)
{
    int room = width - width_of(line), before = column ? room / 2 : room;
    add_blanks(out, 1 + before);
    add(out, line);
    add_blanks(out, room - before + 1);
}

/* ------------------------------------------------------------------------------------ with lines */

static void add_rule(const rule *r, const int *widths, int n_columns, str *out)
{
    for (int c = 0; c < n_columns; c++) {
        str_addf(out, "%s", c ? r->cross : r->left);
        for (int i = 0; i < widths[c] + 2; i++) str_addf(out, "%s", r->line);
    }
    str_addf(out, "%s\n", r->right);
}

static void draw_row(const str *row, const int *widths, int n_columns, str *out)
{
    int height = 1;
    for (int c = 0; c < n_columns; c++)
        if (lines_of(str_span(&row[c])) > height) height = lines_of(str_span(&row[c]));
    for (int k = 0; k < height; k++) {
        for (int c = 0; c < n_columns; c++) {
            str_addf(out, "│");
            add_cell(line_of(str_span(&row[c]), k), c, widths[c], str_add_span, out);
        }
        str_addf(out, "│\n");
    }
}

void grid_draw(const str *cells, int n_rows, int n_columns, str *out)
{
    int *widths = column_widths(cells, n_rows, n_columns);
    for (int r = 0; r < n_rows; r++) {
        add_rule(r == 0 ? &top : r == 1 ? &under_titles : &between, widths, n_columns, out);
        draw_row(cells + r * n_columns, widths, n_columns, out);
    }
    add_rule(&bottom, widths, n_columns, out);
    free(widths);
}

/* ------------------------------------------------------------------------------------ LaTeX */

static const char *latex_escape(char c)
{
    switch (c) {
    case '&': return "\\&";
    case '%': return "\\%";
    case '$': return "\\$";
    case '#': return "\\#";
    case '_': return "\\_";
    case '{': return "\\{";
    case '}': return "\\}";
    case '^': return "\\^{}";
    case '~': return "\\textasciitilde{}";
    case '\\': return "\\textbackslash{}";
    case '<': return "\\ensuremath{<}";
    case '>': return "\\ensuremath{>}";
    default: return NULL;
    }
}

static void add_latex(str *out, span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char *escape = latex_escape(text.p[i]);
        if (escape)
            str_addf(out, "%s", escape);
        else
            str_add_char(out, text.p[i]);
    }
}

void grid_latex(const str *cells, int n_rows, int n_columns, str *out)
{
    int *widths = column_widths(cells, n_rows, n_columns);
    str_addf(out, "\\begin{tabular}{r");
    for (int c = 1; c < n_columns; c++) str_add_char(out, 'c');
    str_addf(out, "}\n\\toprule\n");
    for (int r = 0; r < n_rows; r++) {
        for (int c = 0; c < n_columns; c++) {
            if (c) str_add_char(out, '&');
            add_cell(str_span(&cells[r * n_columns + c]), c, widths[c], add_latex, out);
        }
        str_addf(out, "\\\\\n%s", r ? "" : "\\midrule\n");
    }
    str_addf(out, "\\bottomrule\n\\end{tabular}\n");
    free(widths);
}
