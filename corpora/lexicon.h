/* The bilingual dictionary of the made corpus, read once from the tables in words/. Every English form of a
 * word has one German counterpart, so that translation is a function of the English sentence. */
#ifndef TULK_CORPORA_LEXICON_H
#define TULK_CORPORA_LEXICON_H

#include <stdbool.h>

#include "base/memory.h"

enum gender { MASCULINE, FEMININE, NEUTER, PLURAL }; /* columns of the German tables of endings */
enum gcase { NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE };
enum person {
    FIRST,
    SECOND,
    THIRD,
    MANY
}; /* ich, du, er, wir or sie; MANY in English: any plural, and I, you */

typedef struct {
    const char *en[2];                    /* singular, plural */
    const char *de[2];                    /* nominative singular, plural */
    const char *oblique;                  /* accusative and dative singular */
    const char *genitive, *dative_plural; /* singular, plural */
    enum gender gender;
    char class;  /* see words/nouns.inc */
    bool mass;   /* no plural, no "a" */
    bool labels; /* may carry a number: room 214 */
} noun;

typedef struct {
    const char *en, *de, *stem; /* de stands in the predicate, stem takes endings */
    const char *classes;        /* of nouns it goes with */
    bool attributive;           /* never in the predicate */
    int polarity;               /* 1 praises, -1 blames, 0 neither: words/polarity.inc */
} adjective;

/* What a verb goes with: kind is one letter of words/verbs.inc. */
typedef struct {
    char kind;
    bool passive;
    const char *subject, *recipient, *object; /* noun classes */
    const char *en_prep, *de_prep;            /* kind q; en_prep may be "" */
    enum gcase object_case;
} frame;

enum { FRAMES = 4 };

typedef struct {
    const char *en_base, *en_third, *en_past, *en_participle;
    const char *de_prefix;  /* separable, "" for none */
    const char *infinitive; /* without the prefix */
    const char *present[4], *preterite[4], *participle, *zu;
    bool sein, reflexive;
    frame frames[FRAMES];
    int n_frames;
} verb;

typedef struct {
    const char *en, *de;
} phrase;

typedef struct {
    const char *en, *de;
    enum gcase object_case;
    const char *classes;
} preposition;

/* Lists of pointers or rows; n of them. */
typedef struct {
    phrase *row;
    int n;
} phrases;
typedef struct {
    preposition *row;
    int n;
} prepositions;
typedef struct {
    const verb *verb;
    const frame *frame;
} usage;

enum when_kind { WHEN_PAST, WHEN_NOW, WHEN_COMING, WHEN_ANY, WHEN_KINDS };

typedef struct {
    arena *memory;
    noun *nouns;
    adjective *adjectives;
    verb *verbs;
    int n_nouns, n_adjectives, n_verbs;
    const noun **nouns_of[128]; /* by class letter */
    int n_nouns_of[128];
    const adjective **adjectives_of[128]; /* by noun class, commonest first */
    int n_adjectives_of[128];
    usage *usages[128]; /* by kind of frame; T and t share 'T' */
    int n_usages[128];
    const noun **labelled; /* nouns that may carry a number */
    int n_labelled;
    phrases manner, often, degree, when[WHEN_KINDS], first_names, surnames, cities, prefixes;
    prepositions places, directions, circumstances;
} lexicon;

/* Reads the tables; a malformed row is a bug and aborts. */
lexicon *lexicon_new(void);
void lexicon_free(lexicon *lex);

/* Distinct dictionary forms of each side: nouns, adjectives, verbs, adverbs and times, prepositions, and the
 * closed words of the grammar (articles, pronouns, ...); names, cities and numbers are not counted. A word
 * that stands in two classes is counted once. */
typedef struct {
    int nouns, adjectives, verbs, adverbs, prepositions, closed; /* rows */
    int en, de;                                                  /* distinct lemmas */
} lemma_counts;
lemma_counts lexicon_count(const lexicon *lex);

/* The first English form that belongs to two rows (a homonym), or NULL: dog, dogs, see, sees, saw, seen, old
 * ... */
const char *lexicon_homonym(const lexicon *lex);

#endif
