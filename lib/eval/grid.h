/* A table of text with lines around its cells, or for LaTeX. Laid out as sacreBLEU's tables are: the first
 * column to the right, the others in the middle. */
#ifndef TULK_EVAL_GRID_H
#define TULK_EVAL_GRID_H

#include "base/str.h"

/* Appends the table with its last newline. `cells` (n_rows, n_columns), the first row holds the titles. A
 * cell may hold several lines; colours of terminals take no room. */
void grid_draw(const str *cells, int n_rows, int n_columns, str *out);

/* The same as a LaTeX tabular with the rules of the package booktabs; a cell is one line. */
void grid_latex(const str *cells, int n_rows, int n_columns, str *out);

#endif
