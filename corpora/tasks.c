/* What can be learned from the corpus: translation, and other shapes of sequence to sequence, whose targets
 * are known since the grammar made the source. */
#include <string.h>

#include "corpus.h"
#include "inflect.h"
#include "sample.h"

static bool draw_translation(const lexicon *lex, rng *random, arena *a, pair *out)
{
    sentence s = sample_sentence(lex, random, a, &out->used);
    english_sentence(&s, &out->src);
    german_sentence(&s, &out->tgt, NULL);
    return true;
}

/* --- N to 1: is the subject praised or blamed? --- */

/* What an adjective says is turned round by "not" and by a subject with "no". */
static int polarity(const clause *c)
{
    bool none = c->subject->kind == NP_NOUN && c->subject->determiner == DET_NO;
    return none != c->negated ? -c->predicate->polarity : c->predicate->polarity;
}

/* "never boring" and "too good" are other stories. */
static bool draw_sentiment(const lexicon *lex, rng *random, arena *a, pair *out)
{
    sentence s = sample_judgement(lex, random, a, &out->used);
    int p = polarity(s.first);
    bool too = s.first->degree && !strcmp(s.first->degree->en, "too");
    if (!p || too || s.first->often) return false;
    english_sentence(&s, &out->src);
    str_addf(&out->tgt, "%s", p > 0 ? "positive" : "negative");
    return true;
}

/* --- N to N: a tag for each word --- */

static bool draw_tags(const lexicon *lex, rng *random, arena *a, pair *out)
{
    sentence s = sample_sentence(lex, random, a, &out->used);
    german_sentence(&s, &out->src, &out->tgt);
    return true;
}

/* --- 1 to N: the forms of a verb --- */

/* Verbs of one infinitive may have other forms (hängte, hing): the first one in the dictionary counts. */
static const verb *first_like(const lexicon *lex, const verb *v)
{
    const verb *first = lex->verbs;
    while (strcmp(first->infinitive, v->infinitive) != 0) first++;
    return first;
}

/* Some of these verbs no dictionary has, but every German knows their forms: fort + bellen. */
static bool draw_verb(const lexicon *lex, rng *random, arena *a, pair *out)
{
    sampler s = {lex, random, a, &out->used};
    const verb *v = first_like(lex, &lex->verbs[below(&s, lex->n_verbs)]);
    const char *prefix = lex->prefixes.row[below(&s, lex->prefixes.n)].en;
    const char *participle = v->participle + strlen(v->de_prefix);
    out->used.n = 0;
    if (v->reflexive || !starts_with(participle, "ge")) return false; /* vor + erzählen */
    combine(&s, "prefix", prefix, v->infinitive);
    str_addf(&out->src, "%s%s", prefix, v->infinitive);
    for (int p = FIRST; p <= MANY; p++) str_addf(&out->tgt, "%s %s, ", v->present[p], prefix);
    str_addf(&out->tgt, "%s %s, %s%s, %szu%s", v->preterite[FIRST], prefix, prefix, participle, prefix,
             v->infinitive);
    return true;
}

const task tasks[] = {{"translation", "en", "de", true, draw_translation},
                      {"sentiment", "src", "tgt", false, draw_sentiment},
                      {"tags", "src", "tgt", false, draw_tags},
                      {"verbs", "src", "tgt", true, draw_verb},
                      {NULL, NULL, NULL, false, NULL}};

const task *task_of(const char *name)
{
    for (const task *t = tasks; t->name; t++)
        if (!strcmp(t->name, name)) return t;
    return NULL;
}
