/* Drawing noun phrases. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "sample.h"

uint32_t below(sampler *s, int n) { return rng_below(s->random, (uint32_t)n); }

bool chance(sampler *s, int percent) { return below(s, 100) < (uint32_t)percent; }

/* Each halving of the table is tried with the same chance, which gives frequencies near Zipf's law. */
int pick(sampler *s, int n)
{
    while (n > 8 && chance(s, 88)) n = (n + 1) / 2;
    return (int)below(s, n);
}

int pick_weighted(sampler *s, const int *weights)
{
    int total = 0, i = 0;
    for (const int *w = weights; *w >= 0; w++) total += *w;
    int place = (int)below(s, total);
    for (; place >= weights[i]; i++) place -= weights[i];
    return i;
}

void combine(sampler *s, const char *relation, const char *left, const char *right)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s:%s:%s", relation, left, right);
    BUG_IF(s->used->n == COMBINATIONS || n >= (int)sizeof text);
    s->used->hash[s->used->n++] = hash64(text, (size_t)n);
}

void combine_np(sampler *s, const char *relation, const np *n, const char *with)
{
    if (!n) return;
    if (n->kind == NP_NOUN) combine(s, relation, n->noun->en[0], with);
    if (n->kind == NP_PAIR) {
        combine_np(s, relation, n->left, with);
        combine_np(s, relation, n->right, with);
    }
}

/* --- names --- */

static const char *format2(sampler *s, const char *left, const char *right)
{
    size_t n = strlen(left) + strlen(right) + 2;
    char *text = arena_alloc(s->memory, n);
    snprintf(text, n, "%s %s", left, right);
    return text;
}

np *sample_name(sampler *s)
{
    const phrases *first = &s->lex->first_names, *last = &s->lex->surnames;
    np *n = arena_zalloc(s->memory, sizeof *n);
    n->kind = NP_NAME;
    const char *given = first->row[below(s, first->n)].en, *family = last->row[below(s, last->n)].en;
    switch (pick_weighted(s, (const int[]){40, 35, 13, 12, -1})) {
    case 0: n->text = given; break;
    case 1: n->text = format2(s, given, family); break;
    case 2: n->text = format2(s, "Mr", family); break;
    default: n->text = format2(s, "Mrs", family);
    }
    return n;
}

static np *sample_pronoun(sampler *s)
{
    np *n = arena_zalloc(s->memory, sizeof *n);
    n->kind = NP_PRONOUN;
    n->pronoun = (enum pronoun)below(s, 6);
    return n;
}

/* --- nouns --- */

static int any_number(sampler *s)
{
    if (chance(s, 55)) return 2 + (int)below(s, 11);
    return chance(s, 75) ? 13 + (int)below(s, 87) : 100 + (int)below(s, 900);
}

static enum determiner possessive(sampler *s) { return (enum determiner)(DET_MY + (int)below(s, 6)); }

static enum determiner singular_determiner(sampler *s, bool subject)
{
    static const enum determiner by_weight[] = {DET_THE,   DET_A,     DET_MY, DET_THIS,
                                                DET_EVERY, DET_OWNER, DET_NO};
    int w = pick_weighted(s, (const int[]){42, 24, 15, 6, 4, 6, subject ? 3 : 0, -1});
    return by_weight[w] == DET_MY ? possessive(s) : by_weight[w];
}

static enum determiner plural_determiner(sampler *s)
{
    static const enum determiner by_weight[] = {DET_THE, DET_MY,   DET_THIS, DET_MANY, DET_SOME, DET_SEVERAL,
                                                DET_ALL, DET_BOTH, DET_MOST, DET_BARE, DET_COUNT};
    int w = pick_weighted(s, (const int[]){35, 14, 6, 6, 6, 4, 5, 3, 2, 7, 12, -1});
    return by_weight[w] == DET_MY ? possessive(s) : by_weight[w];
}

static enum determiner mass_determiner(sampler *s)
{
    static const enum determiner by_weight[] = {DET_THE, DET_BARE, DET_MY, DET_THIS};
    int w = pick_weighted(s, (const int[]){40, 40, 15, 5, -1});
    return by_weight[w] == DET_MY ? possessive(s) : by_weight[w];
}

static void add_adjectives(sampler *s, np *n)
{
    int class = n->noun->class, of_class = s->lex->n_adjectives_of[class];
    if (!of_class || n->determiner == DET_LABEL || !chance(s, 44)) return;
    int most = chance(s, 12) ? 2 : 1;
    for (int i = 0; i < most; i++) {
        const adjective *a = s->lex->adjectives_of[class][pick(s, of_class)];
        if (n->n_adjectives && n->adjectives[0] == a) return;
        n->adjectives[n->n_adjectives++] = a;
        combine(s, "adjective", a->en, n->noun->en[0]);
    }
    int too = 1; /* "a too old man" is not English */
    int d = pick(s, s->lex->degree.n);
    if (chance(s, 9) && d != too && !n->adjectives[0]->attributive) n->degree = &s->lex->degree.row[d];
}

np *sample_noun(sampler *s, const char *classes, enum determiner determiner, bool plural)
{
    np *n = arena_zalloc(s->memory, sizeof *n);
    int class = classes[below(s, (int)strlen(classes))];
    n->noun = s->lex->nouns_of[class][pick(s, s->lex->n_nouns_of[class])];
    n->plural = plural && !n->noun->mass;
    n->determiner = determiner == DET_A && n->noun->mass ? DET_THE : determiner;
    add_adjectives(s, n);
    return n;
}

static bool label(sampler *s, np *n)
{
    if (!n->noun->labels || n->plural || !chance(s, 12)) return false;
    n->determiner = DET_LABEL;
    n->count = 2 + (int)below(s, 398);
    return true;
}

static void choose_determiner(sampler *s, np *n, bool subject)
{
    n->plural = !n->noun->mass && chance(s, 35);
    if (label(s, n)) return;
    n->determiner = n->noun->mass ? mass_determiner(s)
                    : n->plural   ? plural_determiner(s)
                                  : singular_determiner(s, subject);
    if (n->determiner == DET_COUNT) n->count = any_number(s);
    if (n->determiner == DET_OWNER) n->text = s->lex->first_names.row[below(s, s->lex->first_names.n)].en;
}

np *sample_specific_np(sampler *s, const char *classes)
{
    static const enum determiner by_weight[] = {DET_THE, DET_A, DET_MY, DET_THIS};
    bool plural = chance(s, 25);
    int w = pick_weighted(s, (const int[]){50, plural ? 0 : 20, 20, 10, -1});
    return sample_noun(s, classes, by_weight[w] == DET_MY ? possessive(s) : by_weight[w], plural);
}

/* One of: from Berlin, of the king, with the hat, who sings. */
static void add_attribute(sampler *s, np *n)
{
    bool person = n->noun->class == 'p', the = n->determiner == DET_THE;
    switch (pick_weighted(s, (const int[]){66, person ? 5 : 0, the ? 16 : 0, person ? 6 : 2, 16, -1})) {
    case 1: n->home = &s->lex->cities.row[below(s, s->lex->cities.n)]; break;
    case 2: n->of = sample_specific_np(s, person ? "pb" : strchr("xe", n->noun->class) ? "pxt" : "pb"); break;
    case 3:
        n->with = sample_specific_np(s, person ? "coa" : "owg");
        n->without = chance(s, 30);
        break;
    case 4: n->relative = sample_relative(s, n); break;
    default: break;
    }
}

/* Anna and the old king. */
static np *sample_pair(sampler *s, const char *classes)
{
    np *n = arena_zalloc(s->memory, sizeof *n);
    n->kind = NP_PAIR;
    bool names = classes[0] == 'p';
    n->left = names && chance(s, 50) ? sample_name(s) : sample_specific_np(s, classes);
    n->right = names && chance(s, 40) ? sample_name(s) : sample_specific_np(s, classes);
    return n;
}

np *sample_np(sampler *s, const char *classes, enum np_length length, bool subject)
{
    bool person = strchr(classes, 'p');
    switch (pick_weighted(
        s, (const int[]){70, person ? 14 : 0, person ? subject ? 16 : 8 : 0, length == LONG ? 6 : 0, -1})) {
    case 1: return sample_name(s);
    case 2: return sample_pronoun(s);
    case 3: return sample_pair(s, classes);
    default: break;
    }
    np *n = sample_noun(s, classes, DET_THE, false);
    choose_determiner(s, n, subject);
    if (n->determiner == DET_LABEL) n->n_adjectives = 0, n->degree = NULL;
    if (length == LONG && n->determiner != DET_LABEL && n->determiner != DET_NO) add_attribute(s, n);
    return n;
}

const adjective *sample_predicate(sampler *s, const np *subject)
{
    const np *n = subject->kind == NP_PAIR ? subject->left : subject;
    int class = n->kind == NP_NOUN ? n->noun->class : 'p';
    const adjective *a;
    do a = s->lex->adjectives_of[class][pick(s, s->lex->n_adjectives_of[class])];
    while (a->attributive);
    combine_np(s, "adjective-of", subject, a->en); /* predicate */
    return a;
}
