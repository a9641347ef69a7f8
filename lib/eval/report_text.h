/* A comparison as plain text, for a terminal. */
#ifndef TULK_EVAL_REPORT_TEXT_H
#define TULK_EVAL_REPORT_TEXT_H

#include "eval/compare.h"

void report_text(const comparison *c, str *out);

#endif
