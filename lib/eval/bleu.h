/* BLEU (Papineni et al. 2002) as sacreBLEU 2.6 computes it, to the last digit. */
#ifndef TULK_EVAL_BLEU_H
#define TULK_EVAL_BLEU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "eval/cut.h"

enum { BLEU_MAX_ORDER = 32 };

typedef struct {
    const char *tokenize; /* "13a", "intl" ...: see eval/tokenize.h */
    bool lowercase;
    const char *smooth_method; /* exp floor add-k none */
    double smooth_value;       /* NaN: the method's default (bleu_smoothings) */
    int max_order;             /* 4 */
    bool effective_order;      /* leave out the orders for which the hypothesis is too short */
} bleu_options;

bleu_options bleu_defaults(void); /* 13a, mixed case, exp, 4 */

/* The smoothing methods (Chen and Cherry 2014) with their default values; NaN where a method takes none. */
typedef struct {
    const char *name;
    double value;
} bleu_smoothing;
extern const bleu_smoothing bleu_smoothings[]; /* ends with name NULL */

/* Sums over a corpus; add segments one by one, memory does not grow. {0} is the empty corpus. */
typedef struct {
    int64_t counts[BLEU_MAX_ORDER], totals[BLEU_MAX_ORDER]; /* clipped matches, n-grams; [n - 1] */
    int64_t sys_len, ref_len;                               /* ref_len: of the references closest in length */
} bleu_stats;

/* Adds one segment with its references (n_refs >= 1). Keeps nothing but the sums: may be called from many
 * threads, each with sums of its own. An unknown tokenizer is a bug of the caller. Whoever adds many segments
 * spares the search for memory with bleu_add_with (work: eval/metric.h). */
struct metric_work;
void bleu_add(bleu_stats *s, const bleu_options *o, span hyp, const span *refs, int n_refs);
void bleu_add_with(struct metric_work *w, bleu_stats *s, const bleu_options *o, span hyp, const span *refs,
                   int n_refs);
void bleu_merge(bleu_stats *s, const bleu_stats *other); /* s += other */

typedef struct {
    double score, precisions[BLEU_MAX_ORDER], bp; /* percent; precisions after smoothing */
} bleu_score;
bleu_score bleu_compute(const bleu_stats *s, const bleu_options *o);

/* The tokens of a line as BLEU counts them: lower case if asked, end stripped, tokenised. They are appended,
 * and are valid as long as line and *out are, and no other line has been cut into *out. */
void bleu_tokens(const bleu_options *o, span line, tokens *out);

/* What sacreBLEU prints behind the score: 65.9/39.3/26.1/18.0 (BP = 0.798 ratio = 0.816 hyp_len = 3 ref_len =
 * 4) */
void bleu_verbose(const bleu_stats *s, const bleu_options *o, const bleu_score *score, str *out);

#endif
