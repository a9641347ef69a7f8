/* English from the tree: do-support, auxiliaries, inversion in questions. */
#include <string.h>

#include "inflect.h"
#include "sentence.h"

static void write_clause(line *l, const clause *c);

/* --- noun phrases --- */

static const char *const number_words[] = {"",      "",      "two",  "three", "four",   "five",  "six",
                                           "seven", "eight", "nine", "ten",   "eleven", "twelve"};

static void write_number(line *l, int count)
{
    if (count <= 12)
        line_word(l, number_words[count]);
    else
        line_digits(l, count);
}

/* The first word behind the article decides between a and an. */
static const char *next_to_article(const np *n)
{
    if (n->degree) return n->degree->en;
    return n->n_adjectives ? n->adjectives[0]->en : n->noun->en[0];
}

static void write_determiner(line *l, const np *n)
{
    static const char *const words[] = {
        [DET_THE] = "the",     [DET_EVERY] = "every",     [DET_NO] = "no",     [DET_MY] = "my",
        [DET_YOUR] = "your",   [DET_HIS] = "his",         [DET_HER] = "her",   [DET_OUR] = "our",
        [DET_THEIR] = "their", [DET_MANY] = "many",       [DET_SOME] = "some", [DET_ALL] = "all",
        [DET_BOTH] = "both",   [DET_SEVERAL] = "several", [DET_MOST] = "most", [DET_WHICH] = "which",
        [DET_WHOSE] = "whose"};
    switch (n->determiner) {
    case DET_BARE:
    case DET_LABEL: return;
    case DET_A: line_word(l, english_takes_an(next_to_article(n)) ? "an" : "a"); return;
    case DET_THIS: line_word(l, n->plural ? "these" : "this"); return;
    case DET_COUNT: write_number(l, n->count); return;
    case DET_OWNER:
        line_word(l, n->text);
        line_ending(l, "'s");
        return;
    default: line_word(l, words[n->determiner]);
    }
}

static void write_np(line *l, const np *n, bool object);

static void write_attributes(line *l, const np *n)
{
    if (n->determiner == DET_LABEL) line_digits(l, n->count);
    if (n->home) {
        line_word(l, "from");
        line_word(l, n->home->en);
    }
    if (n->of) {
        line_word(l, "of");
        write_np(l, n->of, true);
    }
    if (n->with) {
        line_word(l, n->without ? "without" : "with");
        write_np(l, n->with, true);
    }
}

/* who, whom, whose, that; a governed pronoun takes its preposition along: for whom, on which. */
static void write_relative(line *l, const np *head)
{
    const clause *c = head->relative;
    bool person = head->noun->class == 'p';
    if (c->gap == GAP_OBJECT && c->frame->kind == 'q' && c->frame->en_prep[0]) {
        line_word(l, c->frame->en_prep);
        line_word(l, person ? "whom" : "which");
    } else if (c->gap != GAP_OWNER) {
        line_word(l, !person ? "that" : c->gap == GAP_SUBJECT ? "who" : "whom");
    }
    write_clause(l, c);
}

static void write_noun(line *l, const np *n)
{
    write_determiner(l, n);
    if (n->degree) line_word(l, n->degree->en);
    for (int i = 0; i < n->n_adjectives; i++) line_word(l, n->adjectives[i]->en);
    line_word(l, n->noun->en[n->plural]);
    write_attributes(l, n);
    if (n->relative) write_relative(l, n);
}

static void write_np(line *l, const np *n, bool object)
{
    static const char *const pronouns[2][6] = {{"I", "you", "he", "she", "we", "they"},
                                               {"me", "you", "him", "her", "us", "them"}};
    switch (n->kind) {
    case NP_NOUN: write_noun(l, n); break;
    case NP_NAME: line_word(l, n->text); break;
    case NP_PRONOUN: line_word(l, pronouns[object][n->pronoun]); break;
    case NP_WHO: line_word(l, object ? "whom" : "who"); break;
    case NP_WHAT: line_word(l, "what"); break;
    case NP_PAIR:
        write_np(l, n->left, object);
        line_word(l, "and");
        write_np(l, n->right, object);
    }
}

/* --- the verb: a chain of words, the first of which agrees --- */

typedef struct {
    const char *word[6];
    int n;
    bool main_first; /* the chain is one full verb, which needs "do" in questions and with "not" */
} chain;

static void push(chain *v, const char *word) { v->word[v->n++] = word; }

static enum person agreement(const clause *c, const np *head)
{
    if (c->subject) return np_person(c->subject);
    return np_person(head);
}

static const char *be_present(enum person p, bool is_i) { return p == THIRD ? "is" : is_i ? "am" : "are"; }

static bool is_i(const np *n) { return n && n->kind == NP_PRONOUN && n->pronoun == PRO_I; }

/* The part that never changes: "see", "seen", "be seen", "be old". */
static const char *bare_form(const clause *c) { return c->verb && !c->passive ? c->verb->en_base : "be"; }
static const char *participle(const clause *c)
{
    return c->verb && !c->passive ? c->verb->en_participle : "been";
}

static void push_modal(chain *v, const clause *c, enum person p, bool split)
{
    static const char *const plain[] = {"can", "could", "must", "should", "may"};
    if (c->modal <= MAY) {
        push(v, plain[c->modal]);
    } else if (split) { /* does not want to, did not want to */
        push(v, c->modal == WANTS ? p == THIRD ? "does" : "do" : "did");
        push(v, c->modal == HAD_TO ? "have to" : "want to");
    } else {
        push(v, c->modal == HAD_TO   ? "had to"
                : c->modal == WANTED ? "wanted to"
                : p == THIRD         ? "wants to"
                                     : "want to");
    }
    push(v, bare_form(c));
}

static void push_simple(chain *v, const clause *c, enum person p, bool split, bool i)
{
    bool past = c->tense == PAST;
    if (!c->verb || c->passive) {
        push(v, past ? p == THIRD || i ? "was" : "were" : be_present(p, i));
    } else if (split) {
        push(v, past ? "did" : p == THIRD ? "does" : "do");
        push(v, c->verb->en_base);
    } else {
        push(v, past ? c->verb->en_past : p == THIRD ? c->verb->en_third : c->verb->en_base);
        v->main_first = true;
    }
}

/* `split`: the first word must be an auxiliary. */
static chain verb_chain(const clause *c, enum person p, bool split, bool i)
{
    chain v = {0};
    switch (c->tense) {
    case PRESENT:
    case PAST: push_simple(&v, c, p, split, i); break;
    case PERFECT: push(&v, p == THIRD ? "has" : "have"), push(&v, participle(c)); break;
    case PLUPERFECT: push(&v, "had"), push(&v, participle(c)); break;
    case FUTURE: push(&v, "will"), push(&v, bare_form(c)); break;
    case MODAL: push_modal(&v, c, p, split); break;
    }
    if (c->passive) push(&v, c->verb->en_participle);
    return v;
}

/* Writes the chain without its first word if that went before the subject. */
static void write_chain(line *l, const clause *c, const chain *v, bool inverted)
{
    if (v->main_first && c->often) line_word(l, c->often->en);
    if (!inverted) line_word(l, v->word[0]);
    if (c->negated) line_word(l, "not");
    if (!v->main_first && c->often) line_word(l, c->often->en);
    for (int i = 1; i < v->n; i++) line_word(l, v->word[i]);
}

/* --- clauses --- */

static void write_place(line *l, const clause *c)
{
    if (c->city) {
        line_word(l, c->to_city ? "to" : "in");
        line_word(l, c->city->en);
    } else if (c->place) {
        line_word(l, c->place_prep->en);
        write_np(l, c->place, true);
    }
}

static void write_objects(line *l, const clause *c)
{
    if (c->recipient) write_np(l, c->recipient, true);
    bool asked = c->mood == ASKS_OBJECT, governed = c->frame && c->frame->kind == 'q';
    bool pied = governed && c->gap == GAP_OBJECT;
    if (governed && !pied) line_word(l, c->frame->en_prep);
    if (!c->object || asked) return;
    if (c->passive) line_word(l, "by");
    write_np(l, c->object, true);
}

static void write_predicate(line *l, const clause *c)
{
    if (c->verb) return;
    if (c->degree) line_word(l, c->degree->en);
    line_word(l, c->predicate->en);
}

static void write_complement(line *l, const clause *c)
{
    if (c->complement == NO_COMPLEMENT) return;
    line_word(l, c->complement == THAT ? "that" : "to");
    write_clause(l, c->embedded);
}

static void write_adjunct(line *l, const clause *c)
{
    line_word(l, c->conjunction->en);
    write_clause(l, c->adjunct);
}

static void write_rest(line *l, const clause *c)
{
    write_predicate(l, c);
    write_objects(l, c);
    if (c->manner) line_word(l, c->manner->en);
    if (c->front != FRONT_PLACE) write_place(l, c);
    if (c->when.en && c->front != FRONT_WHEN) line_word(l, c->when.en);
    write_complement(l, c);
    if (c->adjunct && !c->adjunct_first) write_adjunct(l, c);
}

static void write_front(line *l, const clause *c)
{
    if (c->adjunct && c->adjunct_first) {
        write_adjunct(l, c);
        line_comma(l);
    }
    if (c->front == FRONT_WHEN) line_word(l, c->when.en);
    if (c->front == FRONT_PLACE) write_place(l, c);
    if (c->mood == ASKS_ADVERB) line_word(l, c->asked.en);
    if (c->mood == ASKS_OBJECT) write_np(l, c->object, true);
}

static void write_finite(line *l, const clause *c, enum person p, bool i)
{
    bool inverted = c->mood != STATEMENT && c->mood != ASKS_SUBJECT;
    chain v = verb_chain(c, p, inverted || c->negated, i);
    write_front(l, c);
    if (inverted) line_word(l, v.word[0]);
    if (c->subject) write_np(l, c->subject, false);
    write_chain(l, c, &v, inverted);
    write_rest(l, c);
}

static void write_clause(line *l, const clause *c)
{
    if (!c->subject && c->controller && c->gap == NO_GAP) { /* to see the dog */
        line_word(l, c->verb->en_base);
        write_rest(l, c);
        return;
    }
    write_finite(l, c, agreement(c, c->controller), is_i(c->subject));
}

void english_sentence(const sentence *s, str *out)
{
    line l = line_begin(out, NULL);
    write_clause(&l, s->first);
    if (s->link) {
        line_comma(&l);
        line_word(&l, s->link->en);
        write_clause(&l, s->second);
    }
    line_end(&l, s->first->mood == STATEMENT ? "." : "?");
}
