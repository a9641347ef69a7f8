/* How tulk check tells what it found. */
#ifndef TULK_CMD_CHECK_REPORT_H
#define TULK_CMD_CHECK_REPORT_H

#include "check_cost.h"
#include "data/check.h"

/* As text for people; as one line of JSON. `cost`: NULL if neither a model nor a preset was given. */
void check_tell(const check_options *o, const check_report *r, const check_cost *cost, str *out);
void check_json(const check_options *o, const check_report *r, const check_cost *cost, str *out);

#endif
