/* What the tokenizer knows of a character: its kind, its script, how it is cut into words. */
#ifndef TULK_TEXT_CHARS_H
#define TULK_TEXT_CHARS_H

#include <stdbool.h>

#include "base/str.h"

enum char_kind {
    CHAR_RAW,    /* controls, separators of lines and paragraphs, bytes that are no UTF-8 */
    CHAR_SPACE,  /* U+0020 */
    CHAR_BLANK,  /* other spaces */
    CHAR_LETTER, /* of a script */
    CHAR_DIGIT,  /* and other numbers */
    CHAR_MARK,   /* what clings to the character before: combining marks, joiners, the long-vowel sign of kana
                  */
    CHAR_SYMBOL  /* punctuation and the rest */
};

/* Scripts that matter for cutting; those from SCRIPT_HAN on are written without spaces. */
enum char_script {
    SCRIPT_ANY, /* joins with any: marks */
    SCRIPT_OTHER,
    SCRIPT_LATIN,
    SCRIPT_GREEK,
    SCRIPT_CYRILLIC,
    SCRIPT_HEBREW,
    SCRIPT_ARABIC,
    SCRIPT_DEVANAGARI,
    SCRIPT_HANGUL,
    SCRIPT_HAN,
    SCRIPT_HIRAGANA,
    SCRIPT_KATAKANA,
    SCRIPT_WIDE, /* East Asian punctuation and full-width signs */
    SCRIPT_THAI,
    SCRIPT_LAO,
    SCRIPT_KHMER,
    SCRIPT_MYANMAR,
    SCRIPT_TIBETAN
};

static inline bool script_without_spaces(enum char_script s) { return s >= SCRIPT_HAN; }

typedef struct {
    int code;   /* code point, or -1 for a byte that is no UTF-8 */
    int length; /* bytes; 0 at the end of the text */
    enum char_kind kind;
    enum char_script script;
} character;

/* Decodes one code point at the start of the text: its length in bytes, 0 at the end; `code` is -1 for a byte
 * that starts no valid sequence (length 1). Overlong forms and surrogates are invalid. */
int char_decode(span text, int *code);

/* Writes the code point as UTF-8 and returns its length. */
size_t char_encode(int code, char out[4]);

static inline bool is_ascii_letter(unsigned char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static inline enum char_kind char_kind_ascii(unsigned char c)
{
    if (is_ascii_letter(c)) return CHAR_LETTER;
    if (c == ' ') return CHAR_SPACE;
    if (c >= '0' && c <= '9') return CHAR_DIGIT;
    return c < ' ' || c == 127 ? CHAR_RAW : CHAR_SYMBOL;
}

character char_at_wide(span text); /* char_at beyond ASCII */

/* The first character; length 0 at the end. */
static inline character char_at(span text)
{
    if (text.n == 0) return (character){.code = -1};
    unsigned char first = (unsigned char)text.p[0];
    if (first >= 128) return char_at_wide(text);
    return (character){first, 1, char_kind_ascii(first), SCRIPT_LATIN};
}

/* The kind alone; `script` may be NULL. */
enum char_kind char_classify(int code, enum char_script *script);

/* May a vocabulary hold the character? Not: controls, invisible format characters but joiners, and U+2581,
 * which stands for the space. They are spelled in bytes. */
bool char_may_be_piece(int code);

#endif
