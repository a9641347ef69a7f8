#include "eval_flags.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "options/options.h"

/* ------------------------------------------------------------------------------------ values */

/* sacreBLEU's tokenizers that need a dictionary or a model from elsewhere. */
static bool is_tokenizer_elsewhere(const char *name)
{
    static const char *const names[] = {"ja-mecab", "ko-mecab", "spm", "flores101", "flores200", "spBLEU-1K"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static int check_choice(const eval_row *row, const char *text, const char *origin)
{
    str known = {0};
    for (int i = 0; row->choice(i); i++) {
        if (strcmp(row->choice(i), text) == 0) {
            str_free(&known);
            return 0;
        }
        str_addf(&known, "%s%s", known.n ? ", " : "", row->choice(i));
    }
    bool elsewhere = row == &eval_rows[EVAL_TOKENIZE] && is_tokenizer_elsewhere(text);
    fail("%s: %s %s; one of: %s%s", origin, text,
         elsewhere ? "needs a model or dictionary that tulk does not carry" : "is not known here",
         str_text(&known), row->many ? ". References come before this flag" : "");
    str_free(&known);
    return -1;
}

static int check_number(const eval_row *row, const char *text, const char *origin)
{
    char *end;
    double x = strtod(text, &end);
    bool number = *text && !isspace((unsigned char)*text) && !*end && isfinite(x);
    bool whole = row->type == FLAG_INT;
    if (strspn(text, whole ? "+-0123456789" : "+-.eE0123456789") < strlen(text)) number = false;
    if (!number || (whole && x != floor(x)))
        return fail("%s: %s is not a %s", origin, text, whole ? "whole number" : "number");
    if (x < row->least || x > row->most)
        return fail("%s: %s is out of bounds, %.16g to %.16g", origin, text, row->least, row->most);
    return 0;
}

static int check(const eval_row *row, const char *text, const char *origin)
{
    if (row->type == FLAG_CHOICE) return check_choice(row, text, origin);
    if (row->type == FLAG_INT || row->type == FLAG_REAL) return check_number(row, text, origin);
    if (row->type == FLAG_SWITCH && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return fail("%s: %s is neither true nor false", origin, text);
    return *text ? 0 : fail("%s: the value is empty", origin);
}

static void clear(eval_words *words)
{
    for (int i = 0; i < words->n; i++) free(words->words[i]);
    free(words->words);
    *words = (eval_words){0};
}

static void append(eval_words *words, const char *text)
{
    words->words = xrealloc(words->words, (size_t)(words->n + 1) * sizeof *words->words);
    words->words[words->n++] = xstrdup(text);
}

/* Appends a checked value. */
static int put(eval_flags *f, enum eval_key key, const char *text, const char *origin)
{
    if (check(&eval_rows[key], text, origin)) return -1;
    append(&f->values[key], text);
    f->given[key] = true;
    return 0;
}

/* Sets a checked value; the last one wins. */
static int set(eval_flags *f, enum eval_key key, const char *text, const char *origin)
{
    clear(&f->values[key]);
    return put(f, key, text, origin);
}

/* ------------------------------------------------------------------------------------ command line */

typedef struct {
    eval_flags *f;
    char **argv;
    int argc, at; /* argv[at] is the next word */
} reader;

/* "-" and negative numbers are no flags. */
static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]) && word[1] != '.';
}

enum names { NAMES, BRIEFS };

static int find_key(const char *name, size_t n, enum names which)
{
    for (int key = 0; key < EVAL_KEYS; key++) {
        const char *known = which == NAMES ? eval_rows[key].name : eval_rows[key].brief;
        if (known && strlen(known) == n && memcmp(known, name, n) == 0) return key;
    }
    return -1;
}

static int unknown(const char *origin, const char *dashes, const char *name)
{
    const char *near = NULL;
    int near_distance = 4;
    for (int key = 0; key < EVAL_KEYS; key++) {
        int distance = word_distance(name, eval_rows[key].name);
        if (distance >= near_distance || 2 * distance > (int)strlen(name)) continue;
        near = eval_rows[key].name;
        near_distance = distance;
    }
    if (near)
        return fail("%sunknown option %s%s, did you mean %s%s?", origin, dashes, name, *dashes ? "--" : "",
                    near);
    return fail("%sunknown option %s%s, see tulk eval --help", origin, dashes, name);
}

static bool has_word(const reader *r) { return r->at < r->argc && !is_flag(r->argv[r->at]); }

/* The words of a flag that takes them. */
static int take_words(reader *r, enum eval_key key, const char *origin)
{
    if (!has_word(r)) return fail("%s needs a value: %s", origin, eval_rows[key].argument);
    if (set(r->f, key, r->argv[r->at++], origin)) return -1;
    while (eval_rows[key].many && has_word(r))
        if (put(r->f, key, r->argv[r->at++], origin)) return -1;
    return 0;
}

enum { UNKNOWN = -1, SEVERAL = -2 };

/* The flag whose long name begins so. */
static int find_beginning(const char *name, size_t n)
{
    int found = UNKNOWN;
    for (int key = 0; key < EVAL_KEYS; key++)
        if (n && strncmp(eval_rows[key].name, name, n) == 0) found = found == UNKNOWN ? key : SEVERAL;
    return found;
}

/* "--name" or "-brief", without the value that may follow a "=". */
static int find_flag(const char *word, size_t n)
{
    if (word[1] != '-') return find_key(word + 1, n - 1, BRIEFS);
    int key = find_key(word + 2, n - 2, NAMES);
    return key == UNKNOWN ? find_beginning(word + 2, n - 2) : key;
}

/* "-w2": a short name of one letter with its value behind it. */
static int find_attached(const char *word, const char **value)
{
    int key = word[1] == '-' ? UNKNOWN : find_key(word + 1, 1, BRIEFS);
    if (key < 0 || eval_rows[key].type == FLAG_TEXT) return UNKNOWN;
    if (eval_rows[key].type == FLAG_SWITCH || eval_rows[key].type == FLAG_ELSEWHERE) return UNKNOWN;
    *value = word + 2 + (word[2] == '=');
    return check(&eval_rows[key], *value, "") ? UNKNOWN : key;
}

static int several(const char *beginning)
{
    str names = {0};
    for (int key = 0; key < EVAL_KEYS; key++)
        if (strncmp(eval_rows[key].name, beginning + 2, strlen(beginning) - 2) == 0)
            str_addf(&names, "%s--%s", names.n ? ", " : "", eval_rows[key].name);
    fail("%s may be one of %s: write more of it", beginning, str_text(&names));
    str_free(&names);
    return -1;
}

static int unknown_flag(const char *word)
{
    bool is_long = word[1] == '-';
    return unknown("", is_long ? "--" : "-", word + 1 + is_long);
}

static int take_value(reader *r, int key, const char *value, const char *origin)
{
    if (key == UNKNOWN) return unknown_flag(origin);
    if (key == SEVERAL) return several(origin);
    if (eval_rows[key].type == FLAG_ELSEWHERE) return fail("%s: %s", origin, eval_rows[key].help);
    if (value) return set(r->f, (enum eval_key)key, value, origin);
    if (eval_rows[key].type == FLAG_SWITCH) return set(r->f, (enum eval_key)key, "true", origin);
    return take_words(r, (enum eval_key)key, origin);
}

static int take_flag(reader *r)
{
    const char *word = r->argv[r->at++], *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    const char *value = equals ? equals + 1 : NULL;
    str origin = {0};
    str_add(&origin, word, equals ? (size_t)(equals - word) : strlen(word));
    int key = find_flag(word, origin.n);
    if (key == UNKNOWN) {
        key = find_attached(word, &value);
        if (key >= 0) origin.p[origin.n = 2] = '\0';
    }
    int result = take_value(r, key, value, str_text(&origin));
    str_free(&origin);
    return result;
}

static int parse_argv(eval_flags *f, int argc, char **argv)
{
    reader r = {f, argv, argc, 1};
    f->refs = xcalloc((size_t)argc + 1, sizeof *f->refs);
    while (r.at < argc) {
        if (strcmp(argv[r.at], "--") == 0) { /* what follows are references */
            while (++r.at < argc) f->refs[f->n_refs++] = argv[r.at];
        } else if (!is_flag(argv[r.at])) {
            f->refs[f->n_refs++] = argv[r.at++];
        } else if (take_flag(&r)) {
            return -1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ config file */

typedef struct {
    eval_flags *f;
    bool in_argv[EVAL_KEYS]; /* given on the command line, which wins */
} config_reader;

/* A list of choices stands on one line; file names may hold blanks, so there is one. */
static int put_config(eval_flags *f, enum eval_key key, const char *text, const char *origin)
{
    const eval_row *row = &eval_rows[key];
    if (row->type == FLAG_ELSEWHERE) return fail("%s: %s", origin, row->help);
    if (!row->many || row->type != FLAG_CHOICE) return set(f, key, text, origin);
    str words = {0};
    int result = 0;
    char *rest = NULL;
    str_addf(&words, "%s", text);
    clear(&f->values[key]);
    for (char *w = strtok_r(words.p, " \t", &rest); w && !result; w = strtok_r(NULL, " \t", &rest))
        result = put(f, key, w, origin);
    if (!result && !f->values[key].n) result = put(f, key, "", origin);
    str_free(&words);
    return result;
}

static int put_text(eval_flags *f, enum eval_key key, const char *value, const char *place)
{
    str origin = {0}, word = {0};
    str_addf(&origin, "%s: %s", place, eval_rows[key].name);
    int result = put_config(f, key, config_text(value, &word), str_text(&origin));
    str_free(&word);
    str_free(&origin);
    return result;
}

/* Keys of other commands are passed over, so that one file can serve several. */
static int config_put(const char *name, const char *value, const char *place, void *context)
{
    config_reader *r = context;
    int key = find_key(name, strlen(name), NAMES);
    if (key >= 0) return r->in_argv[key] ? 0 : put_text(r->f, (enum eval_key)key, value, place);
    if (option_find(FOR_ALL, name)) return 0;
    str origin = {0};
    str_addf(&origin, "%s: ", place);
    unknown(str_text(&origin), "", name);
    str_free(&origin);
    return -1;
}

static int parse_config(eval_flags *f, const char *path)
{
    config_reader r = {.f = f};
    memcpy(r.in_argv, f->given, sizeof r.in_argv);
    return config_read(path, config_put, &r);
}

/* ------------------------------------------------------------------------------------ interface */

int eval_flags_parse(eval_flags *f, int argc, char **argv)
{
    *f = (eval_flags){0};
    if (parse_argv(f, argc, argv)) return -1;
    bool stops = eval_flag_on(f, EVAL_HELP) || eval_flag_on(f, EVAL_VERSION);
    if (!stops && f->given[EVAL_CONFIG] && parse_config(f, eval_flag_text(f, EVAL_CONFIG))) return -1;
    for (int key = 0; key < EVAL_KEYS; key++)
        if (!f->values[key].n && eval_rows[key].initial) append(&f->values[key], eval_rows[key].initial);
    return 0;
}

void eval_flags_free(eval_flags *f)
{
    for (int key = 0; key < EVAL_KEYS; key++) clear(&f->values[key]);
    free(f->refs);
    *f = (eval_flags){0};
}

const char *eval_flag_text(const eval_flags *f, enum eval_key key)
{
    return f->values[key].n ? f->values[key].words[0] : NULL;
}

bool eval_flag_on(const eval_flags *f, enum eval_key key)
{
    const char *text = eval_flag_text(f, key);
    return text && strcmp(text, "true") == 0;
}

long eval_flag_int(const eval_flags *f, enum eval_key key)
{
    BUG_IF(eval_rows[key].type != FLAG_INT || !f->values[key].n);
    return (long)strtod(f->values[key].words[0], NULL);
}

long eval_flag_draws(const eval_flags *f, enum eval_key key)
{
    long n = eval_flag_int(f, key);
    return n ? n : strtol(eval_rows[key].initial, NULL, 10);
}

double eval_flag_real(const eval_flags *f, enum eval_key key)
{
    return f->values[key].n ? strtod(f->values[key].words[0], NULL) : (double)NAN;
}
