#include "lexicon.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inflect.h"

typedef struct {
    char class;
    const char *words;
} word_table;

static const word_table noun_tables[] = {
#include "words/nouns.inc"
};

static const char verb_words[] =
#include "words/verbs.inc"
    ;

static const char adjective_words[] =
#include "words/adjectives.inc"
    ;

#include "words/others.inc"
#include "words/polarity.inc"

/* --- reading rows: fields by blanks, rows by semicolons --- */

enum { FIELDS = 6 };

/* Cuts `text` in place at any of the separators; returns the number of pieces, at most `most`. */
static int cut(char *text, char separator, char **pieces, int most)
{
    int n = 0;
    while (n < most) {
        pieces[n++] = text;
        text = strchr(text, separator);
        if (!text) return n;
        *text++ = '\0';
    }
    bug_("a row of a word table has too many fields", __FILE__, __LINE__);
}

static char *copy_text(arena *a, const char *text)
{
    size_t n = strlen(text);
    return memcpy(arena_alloc(a, n + 1), text, n + 1);
}

/* Takes the next row off *text and cuts it into fields; 0 at the end. Underscores become spaces. */
static int next_row(arena *a, const char **text, char **fields)
{
    *text += strspn(*text, "; ");
    size_t n = strcspn(*text, ";");
    if (n == 0) return 0;
    char *row = arena_alloc(a, n + 1);
    memcpy(row, *text, n);
    row[n] = '\0';
    *text += n;
    int count = cut(row, ' ', fields, FIELDS);
    for (size_t i = 0; i < n; i++)
        if (row[i] == '_') row[i] = ' ';
    return count;
}

static int count_rows(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == ';';
    return n;
}

/* --- nouns --- */

static enum gender gender_of(char letter)
{
    BUG_IF(!strchr("mwfn", letter));
    return letter == 'f' ? FEMININE : letter == 'n' ? NEUTER : MASCULINE;
}

static void decline(arena *a, noun *n, char kind, const char *plural, const char *genitive)
{
    n->de[1] = german_plural(a, n->de[0], plural);
    bool no_n = ends_with(n->de[1], "n") || ends_with(n->de[1], "s") || ends_with(n->de[1], "a");
    n->dative_plural = no_n ? n->de[1] : join(a, n->de[1], "n");
    n->oblique = kind == 'w' ? n->de[1] : n->de[0];
    if (genitive)
        n->genitive = genitive[0] == '-' ? n->de[0] : join(a, n->de[0], genitive);
    else if (kind == 'w' || kind == 'f')
        n->genitive = n->oblique;
    else
        n->genitive = german_genitive(a, n->de[0], plural);
}

static void read_noun(arena *a, noun *n, char class, char **field, int fields)
{
    char *en[2];
    *n = (noun){.class = class, .gender = gender_of(field[2][0])};
    int forms = cut(field[0], '/', en, 2);
    n->en[0] = en[0];
    n->en[1] = forms == 2 ? en[1] : english_s(a, en[0]);
    n->de[0] = field[1];
    n->mass = fields == 3;
    decline(a, n, field[2][0], n->mass ? "-" : field[3], fields > 4 ? field[4] : NULL);
}

static void read_nouns(lexicon *lex)
{
    arena *a = lex->memory;
    int total = 0;
    char *field[FIELDS];
    size_t tables = sizeof noun_tables / sizeof *noun_tables;
    for (size_t t = 0; t < tables; t++) total += count_rows(noun_tables[t].words);
    lex->nouns = arena_zalloc(a, (size_t)total * sizeof *lex->nouns);
    lex->labelled = arena_zalloc(a, (size_t)total * sizeof *lex->labelled);
    for (size_t t = 0; t < tables; t++) {
        const char *text = noun_tables[t].words;
        int class = noun_tables[t].class, fields;
        lex->nouns_of[class] = arena_alloc(a, (size_t)count_rows(text) * sizeof(noun *));
        while ((fields = next_row(a, &text, field)) > 0) {
            noun *n = &lex->nouns[lex->n_nouns++];
            read_noun(a, n, (char)class, field, fields);
            lex->nouns_of[class][lex->n_nouns_of[class]++] = n;
        }
    }
}

static void read_labels(lexicon *lex)
{
    char *words[32];
    int n = cut(copy_text(lex->memory, label_words), ' ', words, 32);
    for (int i = 0; i < lex->n_nouns; i++)
        for (int w = 0; w < n; w++)
            if (!strcmp(lex->nouns[i].en[0], words[w])) {
                lex->nouns[i].labels = true;
                lex->labelled[lex->n_labelled++] = &lex->nouns[i];
            }
}

/* --- adjectives --- */

static void read_adjective(arena *a, adjective *adj, char **field)
{
    char *de[2];
    int forms = cut(field[1], '/', de, 2);
    size_t n = strlen(de[0]);
    char *stem = copy_text(a, de[0]);
    if (stem[n - 1] == 'e') stem[n - 1] = '\0'; /* müde: ein müder Mann */
    *adj = (adjective){.en = field[0], .de = de[0], .stem = forms == 2 ? de[1] : stem};
    adj->attributive = field[2][0] == '-';
    adj->classes = field[2][0] == '*' ? "pafmksocvbugtxehw" : field[2] + adj->attributive;
}

static void read_adjectives(lexicon *lex)
{
    arena *a = lex->memory;
    const char *text = adjective_words;
    char *field[FIELDS];
    int total = count_rows(text), fields;
    lex->adjectives = arena_zalloc(a, (size_t)total * sizeof *lex->adjectives);
    while ((fields = next_row(a, &text, field)) > 0) {
        BUG_IF(fields != 3);
        read_adjective(a, &lex->adjectives[lex->n_adjectives++], field);
    }
    for (int class = 0; class < 128; class ++) {
        if (!lex->n_nouns_of[class]) continue;
        lex->adjectives_of[class] = arena_alloc(a, (size_t)total * sizeof(adjective *));
        for (int i = 0; i < total; i++)
            if (strchr(lex->adjectives[i].classes, class))
                lex->adjectives_of[class][lex->n_adjectives_of[class]++] = &lex->adjectives[i];
    }
}

static void mark_polarity(lexicon *lex, const char *words, int polarity)
{
    char *field[FIELDS];
    while (next_row(lex->memory, &words, field) > 0) {
        int i = 0;
        while (i < lex->n_adjectives && strcmp(lex->adjectives[i].en, field[0]) != 0) i++;
        BUG_IF(i == lex->n_adjectives); /* not in the dictionary */
        lex->adjectives[i].polarity = polarity;
    }
}

/* --- verbs --- */

static enum gcase case_of(char letter)
{
    BUG_IF(!strchr("ADG", letter));
    return letter == 'A' ? ACCUSATIVE : letter == 'D' ? DATIVE : GENITIVE;
}

/* EN/DE/CASE of a verb with a prepositional object. */
static void read_governed(frame *f, char *text)
{
    char *part[3] = {NULL};
    BUG_IF(cut(text, '/', part, 3) != 3);
    f->en_prep = part[0][0] == '-' ? "" : part[0];
    f->de_prep = part[1];
    f->object_case = case_of(part[2][0]);
}

static void read_frame(frame *f, char *text)
{
    char *part[3] = {NULL};
    BUG_IF(text[1] != ':');
    *f =
        (frame){.kind = text[0] == 't' ? 'T' : text[0], .passive = text[0] == 'T', .object_case = ACCUSATIVE};
    int parts = cut(text + 2, '>', part, 3);
    f->subject = part[0];
    f->object = parts > 1 ? part[parts - 1] : "";
    if (parts == 3 && f->kind == 'q')
        read_governed(f, part[1]);
    else
        f->recipient = parts == 3 ? part[1] : "";
    if (f->kind == 'd') f->object_case = DATIVE;
}

static void read_english_verb(arena *a, verb *v, char *text)
{
    char *form[3] = {NULL}, *base[2];
    int forms = cut(text, ',', form, 3);
    bool doubles = cut(form[0], '+', base, 2) == 2;
    v->en_base = base[0];
    v->en_third = english_s(a, base[0]);
    v->en_past = forms == 3 ? form[1] : english_ed(a, base[0], doubles ? base[1][0] : '\0');
    v->en_participle = forms == 3 ? form[2] : v->en_past;
}

static void read_german_verb(arena *a, verb *v, char *text, const char *auxiliary)
{
    char *part[4] = {"", "", "", ""};
    cut(text, ',', part, 4);
    german_conjugate(a, v, part[0], part[1], part[2], part[3]);
    v->sein = auxiliary[0] == 's';
    v->reflexive = auxiliary[1] == 'r';
}

static void read_verbs(lexicon *lex)
{
    arena *a = lex->memory;
    const char *text = verb_words;
    char *field[FIELDS], *frames[FRAMES];
    int total = count_rows(text), fields;
    lex->verbs = arena_zalloc(a, (size_t)total * sizeof *lex->verbs);
    while ((fields = next_row(a, &text, field)) > 0) {
        BUG_IF(fields != 4);
        verb *v = &lex->verbs[lex->n_verbs++];
        read_english_verb(a, v, field[0]);
        read_german_verb(a, v, field[1], field[2]);
        v->n_frames = cut(field[3], ',', frames, FRAMES);
        for (int i = 0; i < v->n_frames; i++) read_frame(&v->frames[i], frames[i]);
    }
}

static void index_usages(lexicon *lex)
{
    for (const char *kind = "iTdbmqsz"; *kind; kind++) {
        int k = *kind;
        lex->usages[k] = arena_alloc(lex->memory, (size_t)lex->n_verbs * FRAMES * sizeof(usage));
        for (int i = 0; i < lex->n_verbs; i++)
            for (int f = 0; f < lex->verbs[i].n_frames; f++)
                if (lex->verbs[i].frames[f].kind == k)
                    lex->usages[k][lex->n_usages[k]++] = (usage){&lex->verbs[i], &lex->verbs[i].frames[f]};
    }
}

/* --- the rest --- */

static phrases read_phrases(arena *a, const char *text)
{
    char *field[FIELDS];
    int fields;
    phrases list = {arena_alloc(a, (size_t)count_rows(text) * sizeof(phrase)), 0};
    while ((fields = next_row(a, &text, field)) > 0)
        list.row[list.n++] = (phrase){field[0], fields > 1 ? field[1] : field[0]};
    return list;
}

static prepositions read_prepositions(arena *a, const char *text)
{
    char *field[FIELDS];
    prepositions list = {arena_alloc(a, (size_t)count_rows(text) * sizeof(preposition)), 0};
    while (next_row(a, &text, field) > 0)
        list.row[list.n++] = (preposition){field[0], field[1], case_of(field[2][0]), field[3]};
    return list;
}

lexicon *lexicon_new(void)
{
    lexicon *lex = xcalloc(1, sizeof *lex);
    arena *a = lex->memory = arena_new();
    read_nouns(lex);
    read_labels(lex);
    read_adjectives(lex);
    mark_polarity(lex, positive_words, 1);
    mark_polarity(lex, negative_words, -1);
    read_verbs(lex);
    index_usages(lex);
    lex->manner = read_phrases(a, manner_words);
    lex->often = read_phrases(a, often_words);
    lex->degree = read_phrases(a, degree_words);
    const char *const when[WHEN_KINDS] = {when_past_words, when_now_words, when_coming_words, when_any_words};
    for (int i = 0; i < WHEN_KINDS; i++) lex->when[i] = read_phrases(a, when[i]);
    lex->first_names = read_phrases(a, first_names_words);
    lex->surnames = read_phrases(a, surnames_words);
    lex->cities = read_phrases(a, cities_words);
    lex->prefixes = read_phrases(a, prefix_words);
    lex->places = read_prepositions(a, static_preps_words);
    lex->directions = read_prepositions(a, direction_preps_words);
    lex->circumstances = read_prepositions(a, circumstance_preps_words);
    return lex;
}

void lexicon_free(lexicon *lex)
{
    if (!lex) return;
    arena_free(lex->memory);
    free(lex);
}
