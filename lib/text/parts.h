/* Cutting an over-long line into parts that a network can translate one by one. */
#ifndef TULK_TEXT_PARTS_H
#define TULK_TEXT_PARTS_H

#include "base/seqs.h"
#include "base/str.h"
#include "text/tokenizer.h"

/* Encodes a line as one or more sequences of at most max_len ids, appended to `out`, and returns how many. A
 * cut lies behind the end of a sentence if there is one in the second half of what fits, else at a blank,
 * else between two characters (a part cut there may encode to a few ids more). A line of nothing but blanks
 * has no part. Blanks at a cut are dropped. */
int encode_parts(const tokenizer *t, tokenizer_cache *cache, span line, int max_len, seqs *out);

#endif
