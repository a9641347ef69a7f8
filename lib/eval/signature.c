#include "eval/signature.h"

#include "eval/result.h"

void signature_begin(const metric_setting *s, str *out)
{
    str_addf(out, s->brief ? "#:%d" : "nrefs:%d", s->n_refs);
    if (s->n_bootstrap) signature_add_number(s, "bs", "bs", s->n_bootstrap, out);
    if (s->n_trials) signature_add_number(s, "ar", "ar", s->n_trials, out);
    if (s->seed) signature_add(s, "seed", "rs", s->seed, out);
}

void signature_add(const metric_setting *s, const char *key, const char *brief_key, const char *value,
                   str *out)
{
    str_addf(out, "|%s:%s", s->brief ? brief_key : key, value);
}

void signature_add_number(const metric_setting *s, const char *key, const char *brief_key, long value,
                          str *out)
{
    str_addf(out, "|%s:%ld", s->brief ? brief_key : key, value);
}

void signature_end(const metric_setting *s, str *out)
{
    str_add_span(out, span_of(s->brief ? "|v:" : "|version:"));
    eval_add_version(out);
}
