/* Writing a sentence: blanks, commas, the capital at the start; the tags of its words. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sentence.h"

line line_begin(str *out, str *tags) { return (line){.out = out, .tags = tags, .start = out->n}; }

static void tag_words(str *tags, const char *tag, const char *words)
{
    for (; words; words = strchr(words + 1, ' ')) {
        if (tags->n) str_add_char(tags, ' ');
        str_add(tags, tag, strlen(tag));
    }
}

static void write_comma(line *l)
{
    if (!l->comma) return;
    l->comma = false;
    if (l->tags)
        line_tagged(l, "Punct", ",");
    else
        str_add_char(l->out, ',');
}

void line_tagged(line *l, const char *tag, const char *words)
{
    if (!words[0]) return;
    write_comma(l);
    if (l->out->n > l->start) str_add_char(l->out, ' ');
    str_add(l->out, words, strlen(words));
    if (l->tags) tag_words(l->tags, tag, words);
}

void line_cased(line *l, const char *tag, enum gcase k, const char *words)
{
    static const char *const names[] = {
        [NOMINATIVE] = "Nom", [ACCUSATIVE] = "Acc", [DATIVE] = "Dat", [GENITIVE] = "Gen"};
    char with_case[16];
    int n = snprintf(with_case, sizeof with_case, "%s%s", tag, names[k]);
    BUG_IF(n >= (int)sizeof with_case);
    line_tagged(l, with_case, words);
}

void line_word(line *l, const char *word)
{
    BUG_IF(l->tags);
    line_tagged(l, "", word);
}

void line_digits(line *l, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    line_tagged(l, "Num", digits);
}

void line_ending(line *l, const char *letters) { str_add(l->out, letters, strlen(letters)); }

void line_comma(line *l) { l->comma = l->out->n > l->start; }

void line_end(line *l, const char *mark)
{
    char *first = l->out->p + l->start;
    if (first[0] >= 'a' && first[0] <= 'z')
        first[0] = (char)(first[0] - 'a' + 'A');
    else if (first[0] == '\xc3' && (unsigned char)first[1] >= 0xa0 &&
             first[1] != '\xb7') /* ä, ö, ü in UTF-8 */
        first[1] = (char)(first[1] - 0x20);
    l->comma = false;
    if (l->tags)
        line_tagged(l, "Punct", mark);
    else
        line_ending(l, mark);
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
