/* tulk eval --compare: two systems side by side. */
#ifndef TULK_CMD_EVAL_COMPARE_H
#define TULK_CMD_EVAL_COMPARE_H

#include "eval/metric.h"
#include "eval_flags.h"

/* Whether the flags go together; 0, or -1 with a message (exit 2). */
int eval_compare_check(const eval_flags *f);

/* Reads the files that the flags name and prints the report, or writes the page of --html. 0, or -1 with a
 * message. `seed`: of the draws. */
int eval_compare(const eval_flags *f, const metric_options *options, uint64_t seed);

#endif
