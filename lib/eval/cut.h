/* Cuts a line into tokens by the rules that NIST's scoring scripts mteval-v13a and -v14 and Tercom share.
 * They are written there as substitutions, one after the other over the whole line; here each character has a
 * class and the line is read once. Tokens are pieces of the line, nothing is copied. */
#ifndef TULK_EVAL_CUT_H
#define TULK_EVAL_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The tokens of a line. {0} is an empty list; owned: tokens_free. */
typedef struct {
    span *at; /* [n], into the line or into `text` */
    size_t n, capacity;
    str text, lower; /* for those who have to change the line first */
} tokens;

void tokens_free(tokens *t);
void tokens_add(tokens *t, span token);
/* Appends what lies between white space: str.split(). */
void tokens_split(tokens *t, span line);

enum cut_class {
    CUT_WORD,  /* stays with its neighbours */
    CUT_SPACE, /* white space */
    CUT_ALONE, /* a token by itself */
    CUT_DIGIT,
    CUT_POINT,      /* punctuation that stays with its neighbours only between digits */
    CUT_HYPHEN,     /* goes apart after a digit */
    CUT_APOSTROPHE, /* with an s behind it, at the end of a word, it begins a token: the dog 's */
    CUT_WIDE        /* of a byte: the class is that of the whole character */
};

typedef struct {
    const uint8_t *bytes; /* [256]: class of each ASCII character, and of the bytes of longer ones */
    /* The class of a character whose first byte is CUT_WIDE; -1 is a byte that is no UTF-8. NULL: CUT_SPACE
     * if it is white space, else CUT_WORD. */
    uint8_t (*wide)(int32_t c);
    bool padded;     /* the line is taken as if it had a space at both ends: a point may go apart there */
    bool possessive; /* CUT_APOSTROPHE is not just CUT_WORD */
} cut_rules;

/* Appends the tokens of the line. */
void cut(const cut_rules *rules, span line, tokens *out);

/* The classes of mteval-v13a: symbols alone, "." and "," are points, "-" a hyphen, "'" an apostrophe. Beyond
 * ASCII only white space matters; or the whole character does, whatever it is. */
extern const uint8_t cut_13a[256], cut_13a_wide[256];

/* For tables of bytes, beyond ASCII: white space begins with one of four bytes; or any character is looked
 * at. */
#define CUT_BYTES_16(class)                                                                                  \
    class, class, class, class, class, class, class, class, class, class, class, class, class, class, class, \
        class
#define CUT_UPPER_SPACE                                                                                      \
    CUT_BYTES_16(CUT_WORD), CUT_BYTES_16(CUT_WORD), CUT_BYTES_16(CUT_WORD), CUT_BYTES_16(CUT_WORD),          \
        /* C0 .. */ CUT_WORD, CUT_WORD, CUT_WIDE, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD,          \
        CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD,                      \
        CUT_BYTES_16(CUT_WORD), /* E0 .. */ CUT_WORD, CUT_WIDE, CUT_WIDE, CUT_WIDE, CUT_WORD, CUT_WORD,      \
        CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD, CUT_WORD,  \
        CUT_BYTES_16(CUT_WORD)
#define CUT_UPPER_WIDE                                                                                       \
    CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE),          \
        CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE), CUT_BYTES_16(CUT_WIDE)

/* Replaces each `from` by `to`, which is no longer, from left to right and in place; returns the new length.
 */
size_t cut_replace(char *text, size_t n, const char *from, const char *to);
/* The same for &quot; &amp; &lt; &gt; and what they stand for, one after the other. */
size_t cut_unescape(char *text, size_t n);

#endif
