/* Writing a sentence: blanks, commas, the capital at the start. */
#include <stdio.h>
#include <string.h>

#include "sentence.h"

line line_begin(str *out) { return (line){.out = out, .start = out->n}; }

void line_word(line *l, const char *word)
{
    if (!word[0]) return;
    if (l->comma) str_add_char(l->out, ',');
    l->comma = false;
    if (l->out->n > l->start) str_add_char(l->out, ' ');
    str_add(l->out, word, strlen(word));
}

void line_digits(line *l, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    line_word(l, digits);
}

void line_ending(line *l, const char *letters) { str_add(l->out, letters, strlen(letters)); }

void line_comma(line *l) { l->comma = l->out->n > l->start; }

void line_end(line *l, char mark)
{
    char *first = l->out->p + l->start;
    if (first[0] >= 'a' && first[0] <= 'z')
        first[0] = (char)(first[0] - 'a' + 'A');
    else if (first[0] == '\xc3' && (unsigned char)first[1] >= 0xa0 &&
             first[1] != '\xb7') /* ä, ö, ü in UTF-8 */
        first[1] = (char)(first[1] - 0x20);
    l->comma = false;
    str_add_char(l->out, mark);
}

bool np_is_pronoun(const np *n) { return n && n->kind == NP_PRONOUN; }

enum person np_person(const np *n)
{
    switch (n->kind) {
    case NP_PRONOUN:
        return n->pronoun == PRO_I     ? FIRST
               : n->pronoun == PRO_YOU ? SECOND
               : n->pronoun <= PRO_SHE ? THIRD
                                       : MANY;
    case NP_PAIR: return MANY;
    case NP_NOUN: return n->plural ? MANY : THIRD;
    default: return THIRD;
    }
}
