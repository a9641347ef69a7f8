/* How sacreBLEU prints the score of one metric. */
#ifndef TULK_EVAL_RESULT_H
#define TULK_EVAL_RESULT_H

#include "base/str.h"

typedef struct {
    const char *name; /* BLEU */
    double score;
    const char *signature; /* key:value|key:value */
    const char *verbose;   /* what follows the score; "" for nothing */
} eval_result;

enum eval_format {
    EVAL_JSON,  /* an object, one field a line; the fields of the signature follow the others */
    EVAL_TEXT,  /* BLEU|SIGNATURE = SCORE VERBOSE */
    EVAL_NUMBER /* the number */
};

/* Appends the result without a newline at the end; `width` digits after the point. */
void eval_result_print(const eval_result *r, enum eval_format format, int width, str *out);

/* Appends the version field of signatures, which names what is computed and who computed it: 2.6.0+tulk.0.1
 */
void eval_add_version(str *out);

#endif
