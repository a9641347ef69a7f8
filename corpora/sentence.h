/* The abstract sentence that both languages are read off: a tree of clauses and noun phrases with features.
 * sample.c draws one; english.c and german.c write it. A tree lives in the arena that it was drawn in. */
#ifndef TULK_CORPORA_SENTENCE_H
#define TULK_CORPORA_SENTENCE_H

#include "base/rng.h"
#include "base/str.h"
#include "lexicon.h"

enum np_kind {
    NP_NOUN,
    NP_NAME,    /* text: Anna Weber */
    NP_PRONOUN, /* I, you, he, she, we, they */
    NP_PAIR,    /* left and right */
    NP_WHO,     /* the asked one */
    NP_WHAT
};

/* What stands before a noun; the order is that of the tables in english.c and german.c. */
enum determiner {
    DET_THE,
    DET_A,
    DET_THIS,
    DET_EVERY,
    DET_NO,
    DET_MY,
    DET_YOUR,
    DET_HIS,
    DET_HER,
    DET_OUR,
    DET_THEIR,
    DET_MANY,
    DET_SOME,
    DET_SEVERAL,
    DET_ALL,
    DET_BOTH,
    DET_MOST,
    DET_WHICH,
    DET_BARE,  /* nothing: old dogs, cold water */
    DET_COUNT, /* two dogs, 37 dogs */
    DET_OWNER, /* Anna's dog */
    DET_WHOSE, /* in a relative clause */
    DET_LABEL  /* room 214 */
};

enum pronoun { PRO_I, PRO_YOU, PRO_HE, PRO_SHE, PRO_WE, PRO_THEY };

typedef struct np np;
typedef struct clause clause;

struct np {
    enum np_kind kind;
    const noun *noun;
    bool plural;
    enum determiner determiner;
    int count;        /* of DET_COUNT and DET_LABEL */
    const char *text; /* a name; the owner of DET_OWNER */
    enum pronoun pronoun;
    const adjective *adjectives[2];
    int n_adjectives;
    const phrase *degree; /* very, before the first adjective */
    np *left, *right;     /* of a pair */
    np *of;               /* the roof of the house */
    np *with;             /* the man with the hat */
    bool without;
    const phrase *home; /* the man from Berlin */
    clause *relative;
};

enum tense { PRESENT, PAST, PERFECT, PLUPERFECT, FUTURE, MODAL };
enum modal { CAN, COULD, MUST, SHOULD, MAY, WANTS, WANTED, HAD_TO };
enum mood { STATEMENT, ASKS_WHETHER, ASKS_ADVERB, ASKS_SUBJECT, ASKS_OBJECT };
enum front { FRONT_SUBJECT, FRONT_WHEN, FRONT_PLACE };
enum gap {
    NO_GAP,
    GAP_SUBJECT,
    GAP_OBJECT,
    GAP_OWNER
}; /* of a relative clause: what its pronoun stands for */
enum complement { NO_COMPLEMENT, THAT, TO };

struct clause {
    np *subject; /* NULL: the head of a relative clause; TO: the subject above, in `controller` */
    const np *controller;
    const verb *verb; /* NULL: "is" with the adjective in `predicate` */
    const frame *frame;
    const adjective *predicate;
    const phrase *degree; /* of the predicate */
    enum tense tense;
    enum modal modal;
    bool negated, passive;
    np *object,
        *recipient; /* an object of frame q is governed by its preposition; passive: object is the agent */
    const phrase *often, *manner;
    const preposition *place_prep; /* place, direction or circumstance */
    np *place;
    const phrase *city; /* instead of place: in Berlin, to Berlin */
    bool to_city;
    phrase when; /* en NULL: none */
    enum front front;
    enum mood mood;
    phrase asked; /* ASKS_ADVERB: why, when, where, how */
    enum complement complement;
    clause *embedded; /* the complement */
    const phrase *conjunction;
    clause *adjunct; /* because ..., in front of the clause if adjunct_first */
    bool adjunct_first;
    enum gap gap;
};

typedef struct {
    clause *first;
    const phrase *link; /* and, but; NULL: one clause */
    clause *second;
} sentence;

/* Two words that stand together: subject and verb, verb and object, adjective and noun. Hashed. */
enum { COMBINATIONS = 48 };
typedef struct {
    uint64_t hash[COMBINATIONS];
    int n;
} combinations;

/* Draws a sentence; everything in it lives in `a`. */
sentence sample_sentence(const lexicon *lex, rng *random, arena *a, combinations *used);
/* One clause that says what its subject is like, often negated: The film was not boring yesterday. */
sentence sample_judgement(const lexicon *lex, rng *random, arena *a, combinations *used);

void english_sentence(const sentence *s, str *out);
/* With tags (or NULL), punctuation marks are words of their own, and each word gets a tag: its class and, of
 * nouns, names, determiners, adjectives before a noun and pronouns, its case: "Die Katze schläft ." is
 * "DetNom NounNom Verb Punct". The classes: Noun, Name, Det, Adj, Pron; Num, Verb, Aux, Adv, Prep, Conj (and,
 * but), Sub (because, that), Part (nicht, zu, a separated prefix), Punct. */
void german_sentence(const sentence *s, str *out, str *tags);

enum person np_person(const np *n); /* THIRD or MANY for nouns, FIRST and SECOND for I and you */
bool np_is_pronoun(const np *n);

/* A line of words: a blank before each but the first, commas where they belong. */
typedef struct {
    str *out, *tags;
    bool comma; /* before the next word */
    size_t start;
} line;
line line_begin(str *out, str *tags);
/* One word, or several, each of which gets the tag; "" writes nothing. */
void line_tagged(line *l, const char *tag, const char *words);
void line_cased(line *l, const char *tag, enum gcase k, const char *words);
void line_word(line *l, const char *word); /* of a line without tags */
void line_digits(line *l, int number);
void line_ending(line *l, const char *letters); /* glued to the last word */
void line_comma(line *l);
void line_end(line *l, const char *mark); /* capital first letter, mark at the end */

#endif
