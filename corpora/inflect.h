/* Word forms: English plurals and verb forms, German declension and conjugation. Strings live in the arena.
 */
#ifndef TULK_CORPORA_INFLECT_H
#define TULK_CORPORA_INFLECT_H

#include "lexicon.h"

const char *join(arena *a, const char *left, const char *right);
bool ends_with(const char *word, const char *ending);
bool starts_with(const char *word, const char *beginning);

/* English regular forms; the ending goes on the first word of "look for". */
const char *english_s(arena *a, const char *word);                    /* dogs, boxes, cities; looks for */
const char *english_ed(arena *a, const char *word, char double_this); /* walked, loved, tried, stopped */
bool english_takes_an(const char *word);

/* The German plural described by -x (append), ^x (append with umlaut) or written out. */
const char *german_plural(arena *a, const char *singular, const char *rule);
const char *german_genitive(arena *a, const char *singular, const char *plural_rule);
/* Fills the German forms from the infinitive ("an|rufen") and the strong parts, each "" when regular. */
void german_conjugate(arena *a, verb *v, const char *infinitive, const char *du_stem, const char *preterite,
                      const char *participle);

/* Endings. Articles: der-words (der, dieser, jeder) and ein-words (ein, kein, mein). Adjectives: weak after
 * der-words, mixed after ein-words, strong with nothing before. */
enum declension { WEAK, MIXED, STRONG };
const char *definite_article(enum gcase c, enum gender g);
const char *der_ending(enum gcase c, enum gender g);
const char *ein_ending(enum gcase c, enum gender g);
const char *adjective_ending(enum declension d, enum gcase c, enum gender g);
const char *relative_pronoun(enum gcase c, enum gender g);

#endif
