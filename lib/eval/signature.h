/* sacreBLEU's signatures: key:value|key:value, in one order for all metrics. */
#ifndef TULK_EVAL_SIGNATURE_H
#define TULK_EVAL_SIGNATURE_H

#include "eval/metric.h"

/* Appends what comes before a metric's own fields: nrefs, bs, ar, seed. */
void signature_begin(const metric_setting *s, str *out);
/* Appends one field, under its long or its short name. */
void signature_add(const metric_setting *s, const char *key, const char *brief_key, const char *value,
                   str *out);
void signature_add_number(const metric_setting *s, const char *key, const char *brief_key, long value,
                          str *out);
/* Appends the version, which comes last. */
void signature_end(const metric_setting *s, str *out);

static inline const char *signature_yes(bool b) { return b ? "yes" : "no"; }
static inline const char *signature_case(bool lowercase) { return lowercase ? "lc" : "mixed"; }

#endif
