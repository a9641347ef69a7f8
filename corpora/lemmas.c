/* What the dictionary holds: lemma counts and the search for homonyms. */
#include <stdlib.h>
#include <string.h>

#include "lexicon.h"

/* Words of the grammar itself: see english.c and german.c. */
static const char *const closed_en[] = {
    "the",  "a",        "this",    "every",  "no",    "many",       "some",    "several", "all", "both",
    "most", "my",       "your",    "his",    "her",   "our",        "their",   "I",       "you", "he",
    "she",  "we",       "they",    "who",    "which", "that",       "whose",   "and",     "but", "because",
    "if",   "although", "when",    "before", "while", "as soon as", "so that", "why",     "how", "where",
    "what", "be",       "have",    "do",     "will",  "can",        "must",    "should",  "may", "want",
    "not",  "with",     "without", "of",     "by",    "to",         "from",    "whether"};
static const char *const closed_de[] = {
    "der",    "ein",         "dieser", "jeder",   "kein",    "viele",  "einige", "mehrere", "alle",
    "beide",  "die meisten", "mein",   "dein",    "sein",    "ihr",    "unser",  "ich",     "du",
    "er",     "sie",         "wir",    "wer",     "und",     "aber",   "weil",   "wenn",    "dass",
    "obwohl", "als",         "bevor",  "während", "sobald",  "damit",  "warum",  "wie",     "wo",
    "was",    "haben",       "werden", "können",  "müssen",  "sollen", "dürfen", "wollen",  "nicht",
    "mit",    "ohne",        "von",    "zu",      "welcher", "sich"};

typedef struct {
    const char **word;
    int n, capacity;
} bag;

static void put(bag *b, const char *word)
{
    if (b->n == b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 1024;
        b->word = xrealloc(b->word, (size_t)b->capacity * sizeof *b->word);
    }
    b->word[b->n++] = word;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int count_distinct(bag *b)
{
    int n = 0;
    qsort(b->word, (size_t)b->n, sizeof *b->word, by_text);
    for (int i = 0; i < b->n; i++) n += i == 0 || strcmp(b->word[i], b->word[i - 1]) != 0;
    free(b->word);
    return n;
}

static int put_phrases(bag *en, bag *de, const phrases *list)
{
    for (int i = 0; i < list->n; i++) {
        put(en, list->row[i].en);
        put(de, list->row[i].de);
    }
    return list->n;
}

static int put_prepositions(bag *en, bag *de, const prepositions *list)
{
    for (int i = 0; i < list->n; i++) {
        put(en, list->row[i].en);
        put(de, list->row[i].de);
    }
    return list->n;
}

lemma_counts lexicon_count(const lexicon *lex)
{
    bag en = {0}, de = {0};
    lemma_counts c = {.nouns = lex->n_nouns, .adjectives = lex->n_adjectives, .verbs = lex->n_verbs};
    for (int i = 0; i < lex->n_nouns; i++) put(&en, lex->nouns[i].en[0]), put(&de, lex->nouns[i].de[0]);
    for (int i = 0; i < lex->n_adjectives; i++)
        put(&en, lex->adjectives[i].en), put(&de, lex->adjectives[i].de);
    for (int i = 0; i < lex->n_verbs; i++) {
        put(&en, lex->verbs[i].en_base);
        put(&de, lex->verbs[i].zu); /* tells anrufen from rufen */
    }
    const phrases *adverbs[] = {&lex->manner,  &lex->often,   &lex->degree, &lex->when[0],
                                &lex->when[1], &lex->when[2], &lex->when[3]};
    for (size_t i = 0; i < sizeof adverbs / sizeof *adverbs; i++)
        c.adverbs += put_phrases(&en, &de, adverbs[i]);
    const prepositions *preps[] = {&lex->places, &lex->directions, &lex->circumstances};
    for (size_t i = 0; i < 3; i++) c.prepositions += put_prepositions(&en, &de, preps[i]);
    c.closed = sizeof closed_en / sizeof *closed_en;
    for (int i = 0; i < c.closed; i++) put(&en, closed_en[i]);
    for (size_t i = 0; i < sizeof closed_de / sizeof *closed_de; i++) put(&de, closed_de[i]);
    c.en = count_distinct(&en);
    c.de = count_distinct(&de);
    return c;
}

/* The forms of one row, each once: "told" is past and participle of the same verb. */
static void put_row(bag *b, const char *const *form, int n)
{
    for (int i = 0; i < n; i++) {
        bool seen = false;
        for (int j = 0; j < i; j++) seen |= !strcmp(form[i], form[j]);
        if (!seen) put(b, form[i]);
    }
}

const char *lexicon_homonym(const lexicon *lex)
{
    bag b = {0};
    for (int i = 0; i < lex->n_nouns; i++) put_row(&b, lex->nouns[i].en, lex->nouns[i].mass ? 1 : 2);
    for (int i = 0; i < lex->n_adjectives; i++) put_row(&b, &lex->adjectives[i].en, 1);
    for (int i = 0; i < lex->n_verbs; i++) {
        const verb *v = &lex->verbs[i];
        put_row(&b, (const char *[]){v->en_base, v->en_third, v->en_past, v->en_participle}, 4);
    }
    const phrases *adverbs[] = {&lex->manner, &lex->often, &lex->degree};
    for (size_t i = 0; i < 3; i++)
        for (int j = 0; j < adverbs[i]->n; j++) put_row(&b, &adverbs[i]->row[j].en, 1);
    qsort(b.word, (size_t)b.n, sizeof *b.word, by_text);
    const char *found = NULL;
    for (int i = 1; i < b.n && !found; i++)
        if (!strcmp(b.word[i], b.word[i - 1])) found = b.word[i];
    free(b.word);
    return found;
}
