#include "inflect.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *join(arena *a, const char *left, const char *right)
{
    size_t n = strlen(left), m = strlen(right);
    char *text = arena_alloc(a, n + m + 1);
    memcpy(text, left, n);
    memcpy(text + n, right, m + 1);
    return text;
}

bool ends_with(const char *word, const char *ending)
{
    size_t n = strlen(word), m = strlen(ending);
    return n >= m && !strcmp(word + n - m, ending);
}

bool starts_with(const char *word, const char *beginning)
{
    return !strncmp(word, beginning, strlen(beginning));
}

static bool any_end(const char *word, const char *const *endings)
{
    for (; *endings; endings++)
        if (ends_with(word, *endings)) return true;
    return false;
}

static const char *first_bytes(arena *a, const char *text, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

/* --- English --- */

static bool is_vowel(char c) { return c && strchr("aeiou", c); }

/* y after a consonant turns into i before an ending. */
static bool soft_y(const char *word)
{
    size_t n = strlen(word);
    return n > 1 && word[n - 1] == 'y' && !is_vowel(word[n - 2]);
}

static const char *s_form(arena *a, const char *word)
{
    if (soft_y(word)) return join(a, first_bytes(a, word, strlen(word) - 1), "ies");
    bool hiss = any_end(word, (const char *[]){"s", "x", "z", "ch", "sh", NULL}) || !strcmp(word, "go");
    return join(a, word, hiss ? "es" : "s");
}

static const char *ed_form(arena *a, const char *word, char double_this)
{
    if (soft_y(word)) return join(a, first_bytes(a, word, strlen(word) - 1), "ied");
    if (ends_with(word, "e")) return join(a, word, "d");
    if (!double_this) return join(a, word, "ed");
    return join(a, join(a, word, (char[]){double_this, '\0'}), "ed");
}

const char *english_s(arena *a, const char *word)
{
    const char *space = strchr(word, ' ');
    if (!space) return s_form(a, word);
    return join(a, s_form(a, first_bytes(a, word, (size_t)(space - word))), space);
}

const char *english_ed(arena *a, const char *word, char double_this)
{
    const char *space = strchr(word, ' ');
    if (!space) return ed_form(a, word, double_this);
    return join(a, ed_form(a, first_bytes(a, word, (size_t)(space - word)), double_this), space);
}

bool english_takes_an(const char *word)
{
    static const char *const spoken_vowel[] = {"hon", "heir", "hour"}, *const spoken_j[] = {
                                                                           "uni", "use", "Eu", "eu", "one"};
    for (size_t i = 0; i < sizeof spoken_vowel / sizeof *spoken_vowel; i++)
        if (starts_with(word, spoken_vowel[i])) return true;
    for (size_t i = 0; i < sizeof spoken_j / sizeof *spoken_j; i++)
        if (starts_with(word, spoken_j[i])) return false;
    return strchr("aeiouAEIOU", word[0]);
}

/* --- German nouns --- */

/* Replaces the last a, o, u (or au) of the word by its umlaut. */
static const char *umlaut(arena *a, const char *word)
{
    static const char plain[] = "aouAOU";
    static const char *const turned[] = {"ä", "ö", "ü", "Ä", "Ö", "Ü"};
    for (size_t i = strlen(word); i-- > 0;) {
        const char *hit = strchr(plain, word[i]);
        if (!word[i] || !hit) continue;
        bool diphthong = word[i] == 'u' && i > 0 && (word[i - 1] == 'a' || word[i - 1] == 'A');
        if (diphthong) hit = strchr(plain, word[i - 1]);
        const char *tail = join(a, diphthong ? "u" : "", word + i + 1);
        return join(a, join(a, first_bytes(a, word, diphthong ? i - 1 : i), turned[hit - plain]), tail);
    }
    bug_("umlaut: no vowel to turn", __FILE__, __LINE__);
}

const char *german_plural(arena *a, const char *singular, const char *rule)
{
    if (rule[0] == '-') return join(a, singular, rule + 1);
    if (rule[0] == '^') return join(a, umlaut(a, singular), rule + 1);
    return rule;
}

static bool german_vowel(const char *p) { return strchr("aeiouyAEIOUY", *p) || starts_with(p, "\xc3"); }

/* Groups of vowels, each about one syllable. */
static int syllables(const char *word)
{
    int n = 0;
    for (bool was = false; *word; word += *word == '\xc3' ? 2 : 1) {
        bool is = german_vowel(word) && !starts_with(word, "ß");
        n += is && !was;
        was = is;
    }
    return n;
}

const char *german_genitive(arena *a, const char *singular, const char *plural_rule)
{
    static const char *const hiss[] = {"s", "ß", "x", "z", "st", "zt", "sch", NULL};
    static const char *const light[] = {"el", "er", "en", "a", "e", "i", "o", "u", "ie", NULL};
    if (!strcmp(plural_rule, "-se")) return join(a, singular, "ses");
    if (any_end(singular, hiss)) return join(a, singular, "es");
    bool heavy = syllables(singular) == 1 && !any_end(singular, light) && strcmp(plural_rule, "-s") != 0;
    return join(a, singular, heavy ? "es" : "s");
}

/* --- German verbs --- */

/* t and d, and m and n after a consonant that cannot stand before them, take an e: arbeitet, öffnet, atmet.
 */
static bool needs_e(const char *stem)
{
    size_t n = strlen(stem);
    if (n < 2) return false;
    char last = stem[n - 1], before = stem[n - 2];
    if (last == 't' || last == 'd') return true;
    if (last != 'm' && last != 'n') return false;
    if (before == 'h') return n > 2 && stem[n - 3] == 'c';
    return strchr("bcdfgkpstz", before);
}

/* Hissing stems swallow the s of -st. */
static bool hisses(const char *stem) { return any_end(stem, (const char *[]){"s", "ß", "z", "x", NULL}); }

static const char *with_st(arena *a, const char *stem, bool e)
{
    return join(a, stem, e ? "est" : hisses(stem) ? "t" : "st");
}

static void present(arena *a, verb *v, const char *stem, const char *du_stem)
{
    const char *strong = du_stem[0] ? du_stem : NULL;
    bool e = !strong && needs_e(stem);
    bool swallow = ends_with(v->infinitive, "eln"); /* ich lächle */
    v->present[FIRST] = swallow ? join(a, first_bytes(a, stem, strlen(stem) - 2), "le") : join(a, stem, "e");
    v->present[SECOND] = with_st(a, strong ? strong : stem, e);
    bool t_is_there = strong && ends_with(strong, "t");
    v->present[THIRD] = t_is_there ? strong : join(a, strong ? strong : stem, e ? "et" : "t");
    v->present[MANY] = v->infinitive;
}

static void preterite(arena *a, verb *v, const char *stem, const char *strong)
{
    const char *form = strong[0] ? strong : join(a, stem, needs_e(stem) ? "ete" : "te");
    bool in_e = ends_with(form, "e");
    v->preterite[FIRST] = v->preterite[THIRD] = form;
    v->preterite[SECOND] =
        in_e ? join(a, form, "st") : join(a, form, hisses(form) || needs_e(form) ? "est" : "st");
    v->preterite[MANY] = join(a, form, in_e ? "n" : "en");
}

/* Prefixes that are never separated, and verbs in -ieren, take no ge-. */
static bool takes_ge(const char *infinitive)
{
    static const char *const fixed[] = {"be", "ver", "er", "ent", "emp", "zer", "ge", NULL};
    for (int i = 0; fixed[i]; i++)
        if (starts_with(infinitive, fixed[i])) return false;
    return !ends_with(infinitive, "ieren") || !strcmp(infinitive, "frieren");
}

void german_conjugate(arena *a, verb *v, const char *infinitive, const char *du_stem, const char *strong,
                      const char *participle)
{
    const char *bar = strchr(infinitive, '|');
    v->de_prefix = bar ? first_bytes(a, infinitive, (size_t)(bar - infinitive)) : "";
    v->infinitive = bar ? bar + 1 : infinitive;
    size_t ending = ends_with(v->infinitive, "en") ? 2 : 1;
    const char *stem = first_bytes(a, v->infinitive, strlen(v->infinitive) - ending);
    present(a, v, stem, du_stem);
    preterite(a, v, stem, strong);
    if (!participle[0]) {
        participle = join(a, stem, needs_e(stem) ? "et" : "t");
        if (takes_ge(v->infinitive)) participle = join(a, "ge", participle);
    }
    v->participle = join(a, v->de_prefix, participle);
    v->zu = bar ? join(a, join(a, v->de_prefix, "zu"), v->infinitive) : join(a, "zu ", v->infinitive);
}

/* --- German endings: rows are cases, columns masculine, feminine, neuter, plural --- */

const char *definite_article(enum gcase c, enum gender g)
{
    static const char *const table[4][4] = {{"der", "die", "das", "die"},
                                            {"den", "die", "das", "die"},
                                            {"dem", "der", "dem", "den"},
                                            {"des", "der", "des", "der"}};
    return table[c][g];
}

const char *der_ending(enum gcase c, enum gender g)
{
    static const char *const table[4][4] = {
        {"er", "e", "es", "e"}, {"en", "e", "es", "e"}, {"em", "er", "em", "en"}, {"es", "er", "es", "er"}};
    return table[c][g];
}

const char *ein_ending(enum gcase c, enum gender g)
{
    static const char *const table[4][4] = {
        {"", "e", "", "e"}, {"en", "e", "", "e"}, {"em", "er", "em", "en"}, {"es", "er", "es", "er"}};
    return table[c][g];
}

const char *adjective_ending(enum declension d, enum gcase c, enum gender g)
{
    static const char *const weak[2][4] = {{"e", "e", "e", "en"}, {"en", "e", "e", "en"}};
    static const char *const mixed[2][4] = {{"er", "e", "es", "en"}, {"en", "e", "es", "en"}};
    static const char *const strong[4][4] = {
        {"er", "e", "es", "e"}, {"en", "e", "es", "e"}, {"em", "er", "em", "en"}, {"en", "er", "en", "er"}};
    if (d == STRONG) return strong[c][g];
    if (c >= DATIVE) return "en";
    return d == WEAK ? weak[c][g] : mixed[c][g];
}

const char *relative_pronoun(enum gcase c, enum gender g)
{
    if (c == DATIVE && g == PLURAL) return "denen";
    if (c == GENITIVE) return g == FEMININE || g == PLURAL ? "deren" : "dessen";
    return definite_article(c, g);
}
