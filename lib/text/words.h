/* Cuts a normalised line into words, the units that byte-pair encoding works in: no piece crosses them.
 *
 * A space belongs to the word after it. Letters of one script with their marks are a word, also with an
 * apostrophe between them; numbers are; a sign stands alone or with up to three copies of itself. Japanese is
 * cut before Han and katakana, so that endings in hiragana stay with what they end. Words are bounded, hence
 * work a line is linear. */
#ifndef TULK_TEXT_WORDS_H
#define TULK_TEXT_WORDS_H

#include "base/str.h"

enum {
    WORD_SOFT_CHARS = 64, /* a word longer than this is cut at the next character that is no mark */
    WORD_MAX_CHARS = 80,  /* and here in any case */
    WORD_MAX_SYMBOLS = 4 * (WORD_MAX_CHARS + 2) /* all in bytes, with the space and a last apostrophe */
};

/* Bytes of the first word; 0 at the end of the text. */
size_t word_length(span text);

/* The rule that lets the first word share pieces with the others: a line that starts with a space, or with a
 * character before which a space is usual, is cut as if one more space stood there. Decoding drops one space
 * at the start, if there is one. As a line without the extra space never starts with a space, this is exact.
 * Appends the space, if any, and the normalised line. */
void words_prepare(span line, str *out);

#endif
