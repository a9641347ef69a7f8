/* German from the tree. A clause is a verbal bracket: the finite verb second (or first, or last) and the rest
 * of the verb at the end, with the middle field between them in one fixed order: subject, reflexive,
 * pronouns, time, frequency, dative, accusative, nicht, manner, place, governed, predicate. */
#include <string.h>

#include "base/error.h"
#include "inflect.h"
#include "sentence.h"

enum order { VERB_SECOND, VERB_FIRST, VERB_LAST };

static void write_clause(line *l, const clause *c, enum order order);
static void write_np(line *l, const np *n, enum gcase k, bool article_written);

/* --- noun phrases --- */

static enum gender np_gender(const np *n)
{
    if (n->kind == NP_NOUN) return n->plural ? PLURAL : n->noun->gender;
    return n->kind == NP_PAIR ? PLURAL : MASCULINE;
}

static const char *noun_form(const np *n, enum gcase k)
{
    const noun *w = n->noun;
    if (n->determiner == DET_LABEL) return w->de[0];
    if (n->plural) return k == DATIVE ? w->dative_plural : w->de[1];
    if (k == NOMINATIVE) return w->de[0];
    return k == GENITIVE ? w->genitive : w->oblique;
}

static void write_number(line *l, int count)
{
    static const char *const words[] = {"",       "",     "zwei", "drei", "vier", "fünf", "sechs",
                                        "sieben", "acht", "neun", "zehn", "elf",  "zwölf"};
    if (count <= 12)
        line_tagged(l, "Num", words[count]);
    else
        line_digits(l, count);
}

/* Stems and endings of what stands before a noun. */
static void write_determiner(line *l, const np *n, enum gcase k)
{
    static const char *const ein_words[] = {
        [DET_A] = "ein",    [DET_NO] = "kein", [DET_MY] = "mein",   [DET_YOUR] = "dein",
        [DET_HIS] = "sein", [DET_HER] = "ihr", [DET_OUR] = "unser", [DET_THEIR] = "ihr"};
    static const char *const der_words[] = {
        [DET_THIS] = "dies",      [DET_EVERY] = "jed", [DET_MANY] = "viel", [DET_SOME] = "einig",
        [DET_SEVERAL] = "mehrer", [DET_ALL] = "all",   [DET_BOTH] = "beid", [DET_WHICH] = "welch"};
    enum gender g = np_gender(n);
    switch (n->determiner) {
    case DET_THE: line_cased(l, "Det", k, definite_article(k, g)); return;
    case DET_BARE:
    case DET_LABEL: return;
    case DET_COUNT: write_number(l, n->count); return;
    case DET_OWNER:
        line_cased(l, "Name", GENITIVE, n->text);
        line_ending(l, "s");
        return;
    case DET_MOST:
        line_cased(l, "Det", k, definite_article(k, g));
        line_cased(l, "Adj", k, "meisten");
        return;
    case DET_THIS:
    case DET_EVERY:
    case DET_MANY:
    case DET_SOME:
    case DET_SEVERAL:
    case DET_ALL:
    case DET_BOTH:
    case DET_WHICH:
        line_cased(l, "Det", k, der_words[n->determiner]);
        line_ending(l, der_ending(k, g));
        return;
    case DET_WHOSE: return; /* written by the relative clause, whose head has the gender */
    default: line_cased(l, "Det", k, ein_words[n->determiner]); line_ending(l, ein_ending(k, g));
    }
}

static enum declension declension_after(enum determiner d)
{
    switch (d) {
    case DET_THE:
    case DET_THIS:
    case DET_EVERY:
    case DET_ALL:
    case DET_BOTH:
    case DET_MOST:
    case DET_WHICH: return WEAK;
    case DET_MANY:
    case DET_SOME:
    case DET_SEVERAL:
    case DET_BARE:
    case DET_COUNT:
    case DET_OWNER:
    case DET_WHOSE:
    case DET_LABEL: return STRONG;
    default: return MIXED;
    }
}

/* An object of a genitive preposition or a genitive attribute is a np in the genitive; names take "von". */
static void write_attributes(line *l, const np *n)
{
    if (n->determiner == DET_LABEL) line_digits(l, n->count);
    if (n->home) {
        line_tagged(l, "Prep", "aus");
        line_cased(l, "Name", DATIVE, n->home->de);
    }
    if (n->of) write_np(l, n->of, GENITIVE, false);
    if (n->with) {
        line_tagged(l, "Prep", n->without ? "ohne" : "mit");
        write_np(l, n->with, n->without ? ACCUSATIVE : DATIVE, false);
    }
}

static void write_relative(line *l, const np *head)
{
    const clause *c = head->relative;
    enum gcase k = NOMINATIVE;
    if (c->gap == GAP_OWNER) k = GENITIVE;
    line_comma(l);
    if (c->gap == GAP_OBJECT) {
        k = c->frame->object_case;
        if (c->frame->kind == 'q') line_tagged(l, "Prep", c->frame->de_prep);
    }
    line_cased(l, "Pron", k, relative_pronoun(k, np_gender(head)));
    write_clause(l, c, VERB_LAST);
    line_comma(l);
}

static void write_noun(line *l, const np *n, enum gcase k, bool article_written)
{
    if (!article_written) write_determiner(l, n, k);
    const char *ending = adjective_ending(declension_after(n->determiner), k, np_gender(n));
    if (n->degree) line_tagged(l, "Adv", n->degree->de);
    for (int i = 0; i < n->n_adjectives; i++) {
        line_cased(l, "Adj", k, n->adjectives[i]->stem);
        line_ending(l, ending);
    }
    line_cased(l, "Noun", k, noun_form(n, k));
    write_attributes(l, n);
    if (n->relative) write_relative(l, n);
}

static void write_np(line *l, const np *n, enum gcase k, bool article_written)
{
    static const char *const pronouns[3][6] = {{"ich", "du", "er", "sie", "wir", "sie"},
                                               {"mich", "dich", "ihn", "sie", "uns", "sie"},
                                               {"mir", "dir", "ihm", "ihr", "uns", "ihnen"}};
    static const char *const who[3] = {"wer", "wen", "wem"};
    switch (n->kind) {
    case NP_NOUN: write_noun(l, n, k, article_written); break;
    case NP_NAME: {
        bool mister = starts_with(n->text, "Mr ");
        line_cased(l, "Noun", k,
                   mister                         ? (k == NOMINATIVE ? "Herr" : "Herrn")
                   : starts_with(n->text, "Mrs ") ? "Frau"
                                                  : "");
        const char *space = strchr(n->text, ' ');
        line_cased(l, "Name", k, starts_with(n->text, "Mr") && space ? space + 1 : n->text);
        break;
    }
    case NP_PRONOUN: line_cased(l, "Pron", k, pronouns[k][n->pronoun]); break;
    case NP_WHO: line_cased(l, "Pron", k, who[k]); break;
    case NP_WHAT: line_cased(l, "Pron", k, "was"); break;
    case NP_PAIR:
        write_np(l, n->left, k, article_written);
        line_tagged(l, "Conj", "und");
        write_np(l, n->right, k, false);
    }
}

/* im, am, vom, zum, ins, ans, zur; the preposition may have several words: bis zum. */
static const char *contraction(const char *word, const char *article)
{
    static const char *const table[][3] = {
        {"in", "dem", "im"},          {"an", "dem", "am"},  {"von", "dem", "vom"},
        {"zu", "dem", "zum"},         {"zu", "der", "zur"}, {"bis zu", "dem", "bis zum"},
        {"bis zu", "der", "bis zur"}, {"in", "das", "ins"}, {"an", "das", "ans"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i][0], word) && !strcmp(table[i][1], article)) return table[i][2];
    return NULL;
}

static void write_governed(line *l, const char *word, const np *n, enum gcase k)
{
    const np *first = n->kind == NP_PAIR ? n->left : n;
    const char *one_word = NULL;
    if (first->kind == NP_NOUN && first->determiner == DET_THE)
        one_word = contraction(word, definite_article(k, np_gender(first)));
    line_tagged(l, "Prep", one_word ? one_word : word);
    write_np(l, n, k, one_word != NULL);
}

/* --- the verb --- */

static const char *const sein_present[4] = {"bin", "bist", "ist", "sind"};
static const char *const sein_past[4] = {"war", "warst", "war", "waren"};
static const char *const haben_present[4] = {"habe", "hast", "hat", "haben"};
static const char *const haben_past[4] = {"hatte", "hattest", "hatte", "hatten"};
static const char *const werden_present[4] = {"werde", "wirst", "wird", "werden"};
static const char *const werden_past[4] = {"wurde", "wurdest", "wurde", "wurden"};
static const char *const modals[8][4] = {[CAN] = {"kann", "kannst", "kann", "können"},
                                         [COULD] = {"konnte", "konntest", "konnte", "konnten"},
                                         [MUST] = {"muss", "musst", "muss", "müssen"},
                                         [SHOULD] = {"sollte", "solltest", "sollte", "sollten"},
                                         [MAY] = {"darf", "darfst", "darf", "dürfen"},
                                         [WANTS] = {"will", "willst", "will", "wollen"},
                                         [WANTED] = {"wollte", "wolltest", "wollte", "wollten"},
                                         [HAD_TO] = {"musste", "musstest", "musste", "mussten"}};

/* The finite verb, its separated prefix, and what closes the bracket: up to two words. */
typedef struct {
    const char *finite, *prefix, *tail[2];
    const char *content; /* tag of tail[0], or of the finite verb if there is none; all else is auxiliary */
} bracket;

static bracket simple_bracket(const clause *c, enum person p)
{
    bool past = c->tense == PAST;
    bracket b = {"", "", {"", ""}, ""};
    if (!c->verb) {
        b.finite = (past ? sein_past : sein_present)[p];
    } else if (c->passive) {
        b.finite = (past ? werden_past : werden_present)[p];
        b.tail[0] = c->verb->participle;
    } else {
        b.finite = (past ? c->verb->preterite : c->verb->present)[p];
        b.prefix = c->verb->de_prefix;
    }
    return b;
}

static bracket perfect_bracket(const clause *c, enum person p)
{
    bool past = c->tense == PLUPERFECT, sein = !c->verb || c->passive || c->verb->sein;
    const char *const *auxiliary =
        sein ? (past ? sein_past : sein_present) : (past ? haben_past : haben_present);
    bracket b = {auxiliary[p], "", {"", ""}, ""};
    b.tail[0] = c->verb ? c->verb->participle : "gewesen";
    if (c->passive) b.tail[1] = "worden";
    return b;
}

/* FUTURE and MODAL: an infinitive closes the bracket; its prefix is put before it when it is written. */
static bracket infinitive_bracket(const clause *c, enum person p)
{
    bracket b = {c->tense == FUTURE ? werden_present[p] : modals[c->modal][p], "", {"", ""}, ""};
    if (!c->verb) {
        b.tail[0] = "sein";
    } else if (c->passive) {
        b.tail[0] = c->verb->participle;
        b.tail[1] = "werden";
    } else {
        b.prefix = c->verb->de_prefix;
        b.tail[0] = c->verb->infinitive;
    }
    return b;
}

static bracket make_bracket(const clause *c, enum person p)
{
    bracket b = c->tense == PRESENT || c->tense == PAST         ? simple_bracket(c, p)
                : c->tense == PERFECT || c->tense == PLUPERFECT ? perfect_bracket(c, p)
                                                                : infinitive_bracket(c, p);
    b.content = c->verb ? "Verb" : "Aux";
    return b;
}

static void write_first(line *l, const bracket *b)
{
    line_tagged(l, b->tail[0][0] ? "Aux" : b->content, b->finite);
}

/* A prefix is glued to the word behind it: an + rufen. */
static void write_glued(line *l, const bracket *b, const char *word)
{
    if (!b->prefix[0]) {
        line_tagged(l, b->content, word);
        return;
    }
    line_tagged(l, word[0] ? b->content : "Part", b->prefix);
    line_ending(l, word);
}

static void close_bracket(line *l, const bracket *b, enum order order)
{
    if (order == VERB_LAST && !b->tail[0][0]) {
        write_glued(l, b, b->finite);
        return;
    }
    write_glued(l, b, b->tail[0]);
    line_tagged(l, "Aux", b->tail[1]);
    if (order == VERB_LAST) write_first(l, b);
}

/* --- the middle field --- */

static const np *subject_of(const clause *c) { return c->subject ? c->subject : c->controller; }

static void write_reflexive(line *l, const clause *c)
{
    static const char *const own[4] = {"mich", "dich", "sich", "sich"};
    if (!c->verb || !c->verb->reflexive) return;
    const np *s = subject_of(c);
    bool we = s->kind == NP_PRONOUN && s->pronoun == PRO_WE;
    line_cased(l, "Pron", ACCUSATIVE, we ? "uns" : own[np_person(s)]);
}

/* The subject in the middle field; sich goes before it unless it is a pronoun: weil sich der Mann beeilt. */
static void write_subject(line *l, const clause *c)
{
    bool full = !np_is_pronoun(c->subject);
    if (full) write_reflexive(l, c);
    write_np(l, c->subject, NOMINATIVE, false);
    if (!full) write_reflexive(l, c);
}

static bool governed(const clause *c) { return c->frame && c->frame->kind == 'q'; }

/* An indefinite object takes the negation into its article: "does not buy a car", "kauft kein Auto". */
static bool negates_object(const clause *c)
{
    const np *o = c->object;
    if (!c->negated || c->passive || !o || o->kind != NP_NOUN || governed(c) || c->mood == ASKS_OBJECT)
        return false;
    return o->determiner == DET_A || o->determiner == DET_BARE;
}

static void write_object(line *l, const clause *c)
{
    if (!c->object || governed(c) || c->passive || c->mood == ASKS_OBJECT) return;
    np copy = *c->object;
    if (negates_object(c)) copy.determiner = DET_NO;
    write_np(l, &copy, c->frame->object_case, false);
}

static void write_place(line *l, const clause *c)
{
    if (c->city) {
        line_tagged(l, "Prep", c->to_city ? "nach" : "in");
        line_cased(l, "Name", DATIVE, c->city->de);
    } else if (c->place) {
        write_governed(l, c->place_prep->de, c->place, c->place_prep->object_case);
    }
}

/* --- times: am 12. Januar, letzte Woche --- */

static bool one_of(const char *const *words, const char *word)
{
    while (*words && strcmp(*words, word) != 0) words++;
    return *words;
}

static const char *const time_prepositions[] = {"in", "im", "am", "an", "um", NULL};

static void write_time_word(line *l, const char *word, enum gcase k)
{
    static const char *const determiners[] = {"der", "jeden", "jede", "jedes", "diese", NULL};
    static const char *const adjectives[] = {"letzte",   "letzten",  "letztes", "nächste",
                                             "nächsten", "nächstes", NULL};
    bool digits = word[0] >= '0' && word[0] <= '9', capital = word[0] >= 'A' && word[0] <= 'Z';
    if (one_of(time_prepositions, word))
        line_tagged(l, "Prep", word);
    else if (one_of(determiners, word))
        line_cased(l, "Det", k, word);
    else if (one_of(adjectives, word))
        line_cased(l, "Adj", k, word);
    else if (capital)
        line_cased(l, "Noun", k, word);
    else
        line_tagged(l, digits || !strcmp(word, "hundert") ? "Num" : "Adv", word);
}

/* A noun is in the dative after in, am and an; alone and after um in the accusative. */
static void write_time(line *l, const char *text)
{
    enum gcase k = ACCUSATIVE;
    char word[32];
    for (size_t n; *text; text += n + (text[n] == ' ')) {
        n = strcspn(text, " ");
        BUG_IF(n >= sizeof word);
        memcpy(word, text, n);
        word[n] = '\0';
        if (one_of(time_prepositions, word) && strcmp(word, "um") != 0) k = DATIVE;
        write_time_word(l, word, k);
    }
}

static void write_objects(line *l, const clause *c)
{
    bool pronoun = np_is_pronoun(c->object);
    if (np_is_pronoun(c->recipient)) write_np(l, c->recipient, DATIVE, false);
    if (pronoun) write_object(l, c);
    if (c->when.de && c->front != FRONT_WHEN) write_time(l, c->when.de);
    if (c->often) line_tagged(l, "Adv", c->often->de);
    if (c->recipient && !np_is_pronoun(c->recipient)) write_np(l, c->recipient, DATIVE, false);
    if (!pronoun) write_object(l, c);
    if (c->passive && c->object) write_governed(l, "von", c->object, DATIVE);
}

static void write_middle(line *l, const clause *c)
{
    write_objects(l, c);
    if (c->negated && !negates_object(c)) line_tagged(l, "Part", "nicht");
    if (c->manner) line_tagged(l, "Adv", c->manner->de);
    if (c->front != FRONT_PLACE) write_place(l, c);
    if (governed(c) && c->gap != GAP_OBJECT)
        write_governed(l, c->frame->de_prep, c->object, c->frame->object_case);
    if (c->verb) return;
    if (c->degree) line_tagged(l, "Adv", c->degree->de);
    line_tagged(l, "Adj", c->predicate->de);
}

/* --- clauses --- */

static void write_adjunct(line *l, const clause *c)
{
    line_comma(l);
    line_tagged(l, "Sub", c->conjunction->de);
    write_clause(l, c->adjunct, VERB_LAST);
    line_comma(l);
}

static void write_infinitive(line *l, const clause *c)
{
    write_reflexive(l, c);
    write_middle(l, c);
    const char *apart = strchr(c->verb->zu, ' '); /* zu rufen, but anzurufen */
    if (apart) line_tagged(l, "Part", "zu");
    line_tagged(l, "Verb", apart ? apart + 1 : c->verb->zu);
}

static void write_complement(line *l, const clause *c)
{
    if (c->complement == NO_COMPLEMENT) return;
    line_comma(l);
    if (c->complement == THAT) {
        line_tagged(l, "Sub", "dass");
        write_clause(l, c->embedded, VERB_LAST);
    } else {
        write_infinitive(l, c->embedded);
    }
    line_comma(l);
}

/* What stands before the finite verb in second place; true if it was the subject. */
static bool write_front(line *l, const clause *c)
{
    if (c->mood == ASKS_ADVERB) {
        line_tagged(l, "Adv", c->asked.de);
    } else if (c->mood == ASKS_OBJECT) {
        write_np(l, c->object, c->frame->object_case, false);
    } else if (c->adjunct && c->adjunct_first) {
        write_adjunct(l, c);
    } else if (c->front == FRONT_WHEN) {
        write_time(l, c->when.de);
    } else if (c->front == FRONT_PLACE) {
        write_place(l, c);
    } else {
        write_np(l, c->subject, NOMINATIVE, false);
        return true;
    }
    return false;
}

static void write_clause(line *l, const clause *c, enum order order)
{
    bracket b = make_bracket(c, np_person(subject_of(c)));
    bool subject_done = !c->subject;
    if (order == VERB_SECOND) subject_done = write_front(l, c);
    if (order != VERB_LAST) write_first(l, &b);
    if (subject_done)
        write_reflexive(l, c);
    else
        write_subject(l, c);
    write_middle(l, c);
    close_bracket(l, &b, order);
    write_complement(l, c);
    if (c->adjunct && !c->adjunct_first) write_adjunct(l, c);
}

void german_sentence(const sentence *s, str *out, str *tags)
{
    line l = line_begin(out, tags);
    bool whether = s->first->mood == ASKS_WHETHER;
    write_clause(&l, s->first, whether ? VERB_FIRST : VERB_SECOND);
    if (s->link) {
        if (!strcmp(s->link->de, "aber")) line_comma(&l);
        line_tagged(&l, "Conj", s->link->de);
        write_clause(&l, s->second, VERB_SECOND);
    }
    line_end(&l, s->first->mood == STATEMENT ? "." : "?");
}
