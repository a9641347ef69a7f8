/* BLEU (Papineni et al. 2002) as sacreBLEU 2.6 computes it, to the last digit. */
#ifndef TULK_EVAL_BLEU_H
#define TULK_EVAL_BLEU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { BLEU_MAX_ORDER = 16 };

typedef struct {
    const char *tokenize; /* "13a", "none": see eval/tokenize.h */
    bool lowercase;
    const char *smooth_method; /* exp floor add-k none */
    double smooth_value;       /* NaN: the method's default */
    int max_order;             /* 4 */
    bool effective_order;
} bleu_options;

bleu_options bleu_defaults(void); /* 13a, mixed case, exp, 4 */

/* Sums over a corpus; add segments one by one, memory does not grow. */
typedef struct {
    int64_t counts[BLEU_MAX_ORDER], totals[BLEU_MAX_ORDER]; /* clipped matches, n-grams; [n - 1] */
    int64_t sys_len, ref_len;
} bleu_stats;

/* Adds one segment with its references (n_refs >= 1). */
void bleu_add(bleu_stats *s, const bleu_options *o, span hyp, const span *refs, int n_refs);

typedef struct {
    double score, precisions[BLEU_MAX_ORDER], bp; /* percent; precisions after smoothing */
} bleu_score;
bleu_score bleu_compute(const bleu_stats *s, const bleu_options *o);

/* sacreBLEU's signature, e.g. nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0+tulk.0.1.0 */
void bleu_signature(const bleu_options *o, int n_refs, bool brief, str *out);

#endif
