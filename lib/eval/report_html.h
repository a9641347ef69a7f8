/* A comparison as one HTML page that needs nothing else: no script, font or picture from elsewhere. Light or
 * dark as the reader's system is. */
#ifndef TULK_EVAL_REPORT_HTML_H
#define TULK_EVAL_REPORT_HTML_H

#include "eval/compare.h"

void report_html(const comparison *c, str *out);

/* Text as HTML shows it: what has a meaning there is escaped, and what must not stand there (controls, bytes
 * that are no UTF-8) becomes U+FFFD. Fit for elements and for quoted attributes. */
void html_escape(span text, str *out);

/* The beginning and the end of the page, with its style and script; the title is escaped. */
void html_page_begin(const char *title, str *out);
void html_page_end(str *out);

#endif
