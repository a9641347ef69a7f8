/* Drawing clauses and sentences. Rules that keep the English side unambiguous stand here:
 * - nothing that could belong to two verbs follows an embedded clause,
 * - only "with", "without", "of" and "from CITY" belong to nouns; all other prepositions belong to verbs,
 * - negation only where its German place is certain. */
#include <stdio.h>
#include <string.h>

#include "inflect.h"
#include "sample.h"

/* --- choosing a verb --- */

static bool fits(const char *classes, int class) { return !class || strchr(classes, class); }

/* A verb of this kind whose subject and object may be of these classes (0: any); verb NULL if none was found.
 */
static usage pick_usage(sampler *s, int kind, int subject_class, int object_class)
{
    for (int tries = 0; tries < 40; tries++) {
        usage u = s->lex->usages[kind][pick(s, s->lex->n_usages[kind])];
        if (fits(u.frame->subject, subject_class) && fits(u.frame->object, object_class)) return u;
    }
    return (usage){NULL, NULL};
}

static clause *new_clause(sampler *s, usage u)
{
    clause *c = arena_zalloc(s->memory, sizeof *c);
    c->verb = u.verb;
    c->frame = u.frame;
    return c;
}

static const char *verb_name(const clause *c) { return c->verb->en_base; }

/* --- features of the verb --- */

static void choose_tense(sampler *s, clause *c)
{
    c->tense = (enum tense)pick_weighted(s, (const int[]){35, 26, 14, 4, 8, 13, -1});
    if (c->tense == MODAL) c->modal = (enum modal)below(s, HAD_TO + 1);
    if (!c->verb && c->tense == MODAL) c->tense = PRESENT;
}

static bool definite(const np *n)
{
    if (!n || n->kind != NP_NOUN) return true;
    enum determiner d = n->determiner;
    return d == DET_THE || d == DET_THIS || (d >= DET_MY && d <= DET_THEIR) || d == DET_OWNER ||
           d == DET_LABEL || d == DET_WHOSE;
}

/* "must not" is not "muss nicht", and "two dogs ... not" has two readings. */
static bool may_be_negated(const clause *c)
{
    bool odd_modal = c->tense == MODAL && (c->modal == MUST || c->modal == HAD_TO);
    bool object = definite(c->object);
    if (c->object && c->object->kind == NP_NOUN && c->frame && c->frame->kind != 'q' && !c->passive)
        object |= c->object->determiner == DET_A || c->object->determiner == DET_BARE;
    return !odd_modal && definite(c->subject) && object && !c->often;
}

static void choose_negation(sampler *s, clause *c, int percent)
{
    if (may_be_negated(c)) c->negated = chance(s, percent);
}

/* --- times --- */

static const char *print_int(sampler *s, const char *format, int a, int b)
{
    char *text = arena_alloc(s->memory, 48);
    snprintf(text, 48, format, a, b);
    return text;
}

static phrase year(sampler *s)
{
    int y = 1700 + (int)below(s, 320);
    return (phrase){print_int(s, "in %d", y, 0), print_int(s, "im Jahr %d", y, 0)};
}

static phrase hour(sampler *s)
{
    int h = 1 + (int)below(s, 23), m = (int)below(s, 60);
    return (phrase){print_int(s, "at %d:%02d", h, m), print_int(s, "um %d:%02d Uhr", h, m)};
}

static phrase day_of_month(sampler *s)
{
    static const char *const en[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
    static const char *const de[] = {"Januar", "Februar", "März",      "April",   "Mai",      "Juni",
                                     "Juli",   "August",  "September", "Oktober", "November", "Dezember"};
    int day = 1 + (int)below(s, 28), month = (int)below(s, 12);
    return (phrase){join(s->memory, print_int(s, "on %d ", day, 0), en[month]),
                    join(s->memory, print_int(s, "am %d. ", day, 0), de[month])};
}

static enum when_kind when_of(const clause *c)
{
    switch (c->tense) {
    case PAST:
    case PLUPERFECT: return WHEN_PAST;
    case FUTURE: return WHEN_COMING;
    case MODAL:
        return c->modal == COULD || c->modal == WANTED || c->modal == HAD_TO ? WHEN_PAST : WHEN_COMING;
    default: return WHEN_NOW;
    }
}

static phrase sample_when(sampler *s, const clause *c)
{
    enum when_kind kind = when_of(c);
    switch (pick_weighted(s, (const int[]){45, 34, kind == WHEN_PAST ? 9 : 0, 7, 7, -1})) {
    case 1: kind = WHEN_ANY; break;
    case 2: return year(s);
    case 3: return hour(s);
    case 4: return day_of_month(s);
    default: break;
    }
    const phrases *list = &s->lex->when[kind];
    return list->row[pick(s, list->n)];
}

/* --- places and other adverbials --- */

static void choose_place(sampler *s, clause *c, const prepositions *list)
{
    c->place_prep = &list->row[pick(s, list->n)];
    c->place = sample_specific_np(s, c->place_prep->classes);
}

static void choose_direction(sampler *s, clause *c)
{
    if (chance(s, 20)) {
        c->city = &s->lex->cities.row[below(s, s->lex->cities.n)];
        c->to_city = true;
    } else {
        choose_place(s, c, &s->lex->directions);
    }
}

/* In the garden, in Berlin, despite the storm. */
static void maybe_place(sampler *s, clause *c)
{
    switch (pick_weighted(s, (const int[]){64, 21, 6, 9, -1})) {
    case 1: choose_place(s, c, &s->lex->places); break;
    case 2: c->city = &s->lex->cities.row[below(s, s->lex->cities.n)]; break;
    case 3: choose_place(s, c, &s->lex->circumstances); break;
    default: break;
    }
}

static bool ends_open(const np *n)
{
    if (!n) return false;
    if (n->kind == NP_PAIR) return ends_open(n->right);
    return n->relative || n->with || n->of;
}

/* What follows an object with a clause of its own could belong to either verb. */
static void add_adverbials(sampler *s, clause *c)
{
    bool open = ends_open(c->object) || ends_open(c->recipient);
    int kind = c->frame ? c->frame->kind : 'c';
    if (c->tense != PERFECT && chance(s, 28)) c->when = sample_when(s, c);
    if (chance(s, 9)) c->often = &s->lex->often.row[pick(s, s->lex->often.n)];
    if (open) return;
    if (strchr("iTm", kind) && !c->passive && chance(s, 14))
        c->manner = &s->lex->manner.row[pick(s, s->lex->manner.n)];
    if (kind == 'm')
        choose_direction(s, c);
    else if (strchr("iTcb", kind))
        maybe_place(s, c);
}

/* --- participants --- */

static void add_objects(sampler *s, clause *c, enum np_length length)
{
    const frame *f = c->frame;
    if (f->kind == 'b') {
        c->recipient = sample_np(s, f->recipient, SHORT, false);
        c->object = sample_specific_np(s, f->object);
    } else if (f->object[0]) {
        c->object = sample_np(s, f->object, length, false);
        bool phrasal = strchr(c->verb->en_base, ' ');
        if (phrasal && np_is_pronoun(c->object)) c->object = sample_specific_np(s, f->object);
    }
    combine_np(s, "object", c->object, verb_name(c));
}

static void make_passive(sampler *s, clause *c, enum np_length length)
{
    c->passive = true;
    c->subject = sample_np(s, c->frame->object, length, true);
    if (chance(s, 35)) c->object = sample_specific_np(s, c->frame->subject);
    combine_np(s, "object", c->subject, verb_name(c));
    combine_np(s, "subject", c->object, verb_name(c));
}

static void add_participants(sampler *s, clause *c, enum np_length subject, enum np_length object)
{
    if (c->frame->passive && chance(s, 14)) {
        make_passive(s, c, subject);
        return;
    }
    c->subject = sample_np(s, c->frame->subject, subject, true);
    combine_np(s, "subject", c->subject, verb_name(c));
    add_objects(s, c, object);
}

/* She is very old. */
static clause *sample_copula(sampler *s, enum np_length length)
{
    clause *c = new_clause(s, (usage){NULL, NULL});
    c->subject = sample_np(s, "ppppoxtbaevfgcnwu", length, true);
    c->predicate = sample_predicate(s, c->subject);
    if (chance(s, 35)) c->degree = &s->lex->degree.row[pick(s, s->lex->degree.n)];
    return c;
}

/* A clause without embedded complement: the head and one of its noun phrases may be long. */
static clause *sample_simple(sampler *s, enum np_length length)
{
    static const char kinds[] = "cidbmqT";
    int kind = kinds[pick_weighted(s, (const int[]){12, 20, 8, 9, 9, 14, 40, -1})];
    clause *c;
    if (kind == 'c') {
        c = sample_copula(s, length);
    } else {
        c = new_clause(s, pick_usage(s, kind, 0, 0));
        bool object = chance(s, 50);
        add_participants(s, c, object ? SHORT : length, object ? length : SHORT);
    }
    choose_tense(s, c);
    add_adverbials(s, c);
    choose_negation(s, c, 11);
    return c;
}

static void choose_front(sampler *s, clause *c)
{
    bool direction = c->frame && c->frame->kind == 'm';
    if (c->when.en && chance(s, 40))
        c->front = FRONT_WHEN;
    else if ((c->place || c->city) && !direction && chance(s, 25))
        c->front = FRONT_PLACE;
}

/* --- relative clauses --- */

static void relative_details(sampler *s, clause *c)
{
    c->tense = (enum tense)pick_weighted(s, (const int[]){45, 30, 14, 3, 4, 4, -1});
    if (c->tense == MODAL) c->modal = (enum modal)below(s, HAD_TO + 1);
    if (!c->verb) c->tense = chance(s, 50) ? PRESENT : PAST;
    int kind = c->frame ? c->frame->kind : 'c';
    if (kind == 'm')
        choose_direction(s, c);
    else if (kind == 'i' && chance(s, 50))
        choose_place(s, c, &s->lex->places);
}

/* The man who sings, who sees the dog, who is old. */
static clause *subject_relative(sampler *s, const np *head)
{
    static const char kinds[] = "idmTqc";
    int kind = kinds[pick_weighted(s, (const int[]){25, 8, 10, 35, 10, 12, -1})];
    clause *c = new_clause(s, (usage){NULL, NULL});
    if (kind != 'c') {
        usage u = pick_usage(s, kind, head->noun->class, 0);
        if (!u.verb) return NULL;
        c = new_clause(s, u);
        add_objects(s, c, SHORT);
        combine_np(s, "subject", head, verb_name(c));
    } else {
        c->predicate = sample_predicate(s, head);
        if (chance(s, 40)) c->degree = &s->lex->degree.row[pick(s, s->lex->degree.n)];
    }
    c->gap = GAP_SUBJECT;
    return c;
}

/* The man whom the dog sees, whom Anna helps, for whom we wait. */
static clause *object_relative(sampler *s, const np *head)
{
    int kind = "Tdq"[pick_weighted(s, (const int[]){70, 12, 18, -1})];
    usage u = pick_usage(s, kind, 0, head->noun->class);
    if (!u.verb) return NULL;
    clause *c = new_clause(s, u);
    c->subject = sample_np(s, u.frame->subject, SHORT, true);
    combine_np(s, "subject", c->subject, verb_name(c));
    combine_np(s, "object", head, verb_name(c));
    c->gap = GAP_OBJECT;
    return c;
}

/* The man whose old dog sleeps. */
static clause *owner_relative(sampler *s)
{
    np *owned = sample_noun(s, "papo", DET_WHOSE, chance(s, 30));
    usage u = pick_usage(s, chance(s, 50) ? 'i' : 'T', owned->noun->class, 0);
    clause *c = new_clause(s, u);
    c->subject = owned;
    if (u.verb) {
        combine_np(s, "subject", owned, verb_name(c));
        add_objects(s, c, SHORT);
    } else {
        c->predicate = sample_predicate(s, owned);
    }
    c->gap = GAP_OWNER;
    return c;
}

clause *sample_relative(sampler *s, const np *head)
{
    clause *c;
    switch (pick_weighted(s, (const int[]){50, 35, head->noun->class == 'p' ? 15 : 0, -1})) {
    case 0: c = subject_relative(s, head); break;
    case 1: c = object_relative(s, head); break;
    default: c = owner_relative(s);
    }
    if (!c) return NULL;
    c->controller = head;
    relative_details(s, c);
    return c;
}

/* --- sentences --- */

static sentence sample_statement(sampler *s)
{
    clause *c = sample_simple(s, LONG);
    choose_front(s, c);
    return (sentence){c, NULL, NULL};
}

static enum tense past_or_present(const clause *c) { return when_of(c) == WHEN_PAST ? PAST : PRESENT; }

/* Because, if, although ...: the clause below is in the past if the one above is. */
static sentence sample_with_adjunct(sampler *s)
{
    static const phrase any[] = {{"because", "weil"},
                                 {"although", "obwohl"},
                                 {"while", "während"},
                                 {"before", "bevor"},
                                 {"until", "bis"}};
    static const phrase present[] = {{"if", "wenn"}, {"as soon as", "sobald"}, {"so that", "damit"}};
    static const phrase past[] = {{"when", "als"}, {"after", "nachdem"}};
    clause *c = sample_simple(s, SHORT), *below_it = sample_simple(s, SHORT);
    bool is_past = past_or_present(c) == PAST;
    if (below_it->tense != PAST || !is_past) {
        below_it->tense = past_or_present(c);
        below_it->when = (phrase){NULL, NULL};
    }
    c->adjunct = below_it;
    c->conjunction = chance(s, 60) ? &any[pick(s, 5)] : is_past ? &past[pick(s, 2)] : &present[pick(s, 3)];
    if (!strcmp(c->conjunction->en, "after")) below_it->tense = PLUPERFECT;
    c->adjunct_first = chance(s, 35);
    if (!c->adjunct_first) choose_front(s, c);
    return (sentence){c, NULL, NULL};
}

/* Anna says that ...; nothing but the time in front may stand beside the complement. */
static sentence sample_that(sampler *s)
{
    clause *c = new_clause(s, pick_usage(s, 's', 0, 0));
    c->subject = sample_np(s, c->frame->subject, SHORT, true);
    combine_np(s, "subject", c->subject, verb_name(c));
    c->tense = (enum tense)pick_weighted(s, (const int[]){50, 32, 12, 3, 3, -1});
    c->complement = THAT;
    c->embedded = sample_simple(s, chance(s, 30) ? LONG : SHORT);
    if (c->tense != PERFECT && chance(s, 15)) {
        c->when = sample_when(s, c);
        c->front = FRONT_WHEN;
    }
    return (sentence){c, NULL, NULL};
}

static clause *sample_to(sampler *s, const np *controller)
{
    clause *c =
        new_clause(s, pick_usage(s, "idmT"[pick_weighted(s, (const int[]){20, 12, 18, 50, -1})], 'p', 0));
    c->controller = controller;
    add_objects(s, c, SHORT);
    combine_np(s, "subject", controller, verb_name(c));
    add_adverbials(s, c);
    c->often = NULL;
    c->when = (phrase){NULL, NULL};
    return c;
}

/* Anna tries to ... */
static sentence sample_try(sampler *s)
{
    clause *c = new_clause(s, pick_usage(s, 'z', 0, 0));
    c->subject = sample_np(s, c->frame->subject, LONG, true);
    combine_np(s, "subject", c->subject, verb_name(c));
    c->tense = (enum tense)pick_weighted(s, (const int[]){46, 34, 12, 3, 5, -1});
    c->complement = TO;
    c->embedded = sample_to(s, c->subject);
    if (c->tense != PERFECT && chance(s, 20)) {
        c->when = sample_when(s, c);
        c->front = FRONT_WHEN;
    }
    return (sentence){c, NULL, NULL};
}

static sentence sample_two(sampler *s)
{
    static const phrase links[] = {{"and", "und"}, {"but", "aber"}};
    clause *first = sample_simple(s, SHORT), *second = sample_simple(s, SHORT);
    choose_front(s, first);
    return (sentence){first, &links[below(s, 2)], second};
}

/* Why, when, where, how; what is asked for is not in the clause. */
static void ask_adverb(sampler *s, clause *c)
{
    static const phrase words[] = {{"why", "warum"}, {"when", "wann"}, {"where", "wo"}, {"how", "wie"}};
    bool goes = c->frame && c->frame->kind == 'm', acts = c->verb && !c->manner;
    int w = pick_weighted(
        s, (const int[]){40, c->when.en ? 0 : 25, c->place || c->city || goes ? 0 : 20, acts ? 15 : 0, -1});
    c->mood = ASKS_ADVERB;
    c->asked = words[w];
    c->often = NULL;
}

static void ask_subject(sampler *s, clause *c)
{
    bool person = c->verb && !c->passive && strchr(c->frame->subject, 'p');
    if (!person) {
        c->mood = ASKS_WHETHER;
        return;
    }
    if (chance(s, 60)) {
        c->subject = arena_zalloc(s->memory, sizeof *c->subject);
        c->subject->kind = NP_WHO;
    } else {
        c->subject = sample_noun(s, "p", DET_WHICH, chance(s, 25));
        combine_np(s, "subject", c->subject, verb_name(c));
    }
    c->negated = false;
    c->mood = ASKS_SUBJECT;
}

static void ask_object(sampler *s, clause *c)
{
    bool thing = c->object && c->frame->kind == 'T' && !c->passive;
    if (!thing) {
        c->mood = ASKS_WHETHER;
        return;
    }
    bool person = strchr(c->frame->object, 'p');
    c->object = arena_zalloc(s->memory, sizeof *c->object);
    c->object->kind = person ? NP_WHO : NP_WHAT;
    c->negated = false;
    c->mood = ASKS_OBJECT;
}

static sentence sample_question(sampler *s)
{
    clause *c = sample_simple(s, LONG);
    if (c->subject->kind == NP_NOUN && c->subject->determiner == DET_NO) c->subject->determiner = DET_THE;
    switch (pick_weighted(s, (const int[]){40, 32, 14, 14, -1})) {
    case 0: c->mood = ASKS_WHETHER; break;
    case 1: ask_adverb(s, c); break;
    case 2: ask_subject(s, c); break;
    default: ask_object(s, c);
    }
    return (sentence){c, NULL, NULL};
}

sentence sample_judgement(const lexicon *lex, rng *random, arena *a, combinations *used)
{
    sampler s = {lex, random, a, used};
    used->n = 0;
    clause *c = sample_copula(&s, LONG);
    choose_tense(&s, c);
    add_adverbials(&s, c);
    choose_negation(&s, c, 50);
    choose_front(&s, c);
    return (sentence){c, NULL, NULL};
}

sentence sample_sentence(const lexicon *lex, rng *random, arena *a, combinations *used)
{
    sampler s = {lex, random, a, used};
    used->n = 0;
    switch (pick_weighted(&s, (const int[]){48, 12, 10, 9, 8, 13, -1})) {
    case 0: return sample_statement(&s);
    case 1: return sample_with_adjunct(&s);
    case 2: return sample_that(&s);
    case 3: return sample_try(&s);
    case 4: return sample_two(&s);
    default: return sample_question(&s);
    }
}
