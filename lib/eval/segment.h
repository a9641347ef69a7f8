/* A segment (one line of text) as Python's str methods see it, because sacreBLEU's figures are made with
 * them: which characters are white space, where tokens end, what the lower case of a text is. Bytes that are
 * not UTF-8 are characters of their own that are neither space nor letter. */
#ifndef TULK_EVAL_SEGMENT_H
#define TULK_EVAL_SEGMENT_H

#include <stdbool.h>

#include "base/str.h"

/* The segment without the white space at its end: str.rstrip(). */
span segment_rstrip(span line);

/* Takes the next token, as str.split() cuts them, off the front of *rest. False if there is none. */
bool segment_token(span *rest, span *token);

/* Appends the lower case of the line: str.lower(), i.e. the full mapping of Unicode with the rule of the
 * final sigma and without any language's own rules. */
void segment_lower(span line, str *out);

#endif
