/* chrF, chrF+ and chrF++ (Popović 2015, 2017) as sacreBLEU 2.6 computes them: the F-score of n-grams of
 * characters and of words, precision and recall averaged over the orders. */
#ifndef TULK_EVAL_CHRF_H
#define TULK_EVAL_CHRF_H

#include <stdbool.h>

#include "base/str.h"

enum { CHRF_MAX_ORDER = 32 };

typedef struct {
    int char_order; /* 6; 0 .. CHRF_MAX_ORDER */
    int word_order; /* 0: chrF, 1: chrF+, 2: chrF++; at most CHRF_MAX_ORDER; not both are 0 */
    int beta;       /* 2: recall weighs beta times as much as precision */
    bool lowercase;
    bool whitespace; /* the n-grams of characters run over the white space, also that at the ends of a line */
    bool eps_smoothing; /* the F-score of each order by itself, as chrF++.py, NLTK and Moses have it, instead
                           of leaving out orders without n-grams */
} chrf_options;

chrf_options chrf_defaults(void);

#endif
