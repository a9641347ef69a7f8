#include "eval_flags.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/bleu.h"
#include "options/options.h"

enum flag_type { FLAG_SWITCH, FLAG_TEXT, FLAG_CHOICE, FLAG_INT, FLAG_REAL };

typedef struct {
    const char *name, *brief; /* without dashes; brief may be NULL */
    enum flag_type type;
    const char *group, *argument, *initial;
    const char *const *choices;
    double least, most;
    bool many; /* takes all words up to the next flag, as sacreBLEU's flag of that name does */
    const char *help;
} flag_row;

static const char *const metrics[] = {"bleu", NULL};
static const char *const tokenizers[] = {"13a", "none", NULL};
static const char *const smoothings[] = {"exp", "floor", "add-k", "none", NULL};
static const char *const formats[] = {"json", "text", NULL};

/* clang-format off */
static const flag_row rows[EVAL_KEYS] = {
    [EVAL_INPUT] = {"input", "i", FLAG_TEXT, "Files", "HYP", "-", .many = true,
        .help = "translations to score, a line each; - is standard input, .gz is fine"},
    [EVAL_METRICS] = {"metrics", "m", FLAG_CHOICE, "Metrics", "NAME", "bleu", metrics, .many = true,
        .help = "what to compute"},
    [EVAL_TOKENIZE] = {"tokenize", "tok", FLAG_CHOICE, "Metrics", "NAME", "13a", tokenizers,
        .help = "13a is mteval's; none: the text is tokenised already"},
    [EVAL_LOWERCASE] = {"lowercase", "lc", FLAG_SWITCH, "Metrics", .help = "compare without case"},
    [EVAL_SMOOTH_METHOD] = {"smooth-method", "s", FLAG_CHOICE, "Metrics", "NAME", "exp", smoothings,
        .help = "what stands for a precision without a match"},
    [EVAL_SMOOTH_VALUE] = {"smooth-value", "sv", FLAG_REAL, "Metrics", "X", NULL, .least = 0, .most = 1e9,
        .help = "of floor (default: 0.1) and add-k (default: 1)"},
    [EVAL_MAX_ORDER] = {"max-ngram-order", NULL, FLAG_INT, "Metrics", "N", "4", .least = 1, .most = BLEU_MAX_ORDER,
        .help = "longest n-gram that is counted"},
    [EVAL_FORCE] = {"force", NULL, FLAG_SWITCH, "Metrics",
        .help = "no warning when the translations look tokenised"},
    [EVAL_FORMAT] = {"format", "f", FLAG_CHOICE, "Output", "NAME", "json", formats,
        .help = "a JSON object, or one line; SACREBLEU_FORMAT in the environment wins"},
    [EVAL_SCORE_ONLY] = {"score-only", "b", FLAG_SWITCH, "Output", .help = "print the number alone"},
    [EVAL_WIDTH] = {"width", "w", FLAG_INT, "Output", "N", "1", .least = 0, .most = 40,
        .help = "digits after the point"},
    [EVAL_SHORT] = {"short", "sh", FLAG_SWITCH, "Output", .help = "short signature in the text format"},
    [EVAL_THREADS] = {"threads", NULL, FLAG_INT, "General", "N", NULL, .least = 1, .most = 1024,
        .help = "threads (default: all cores); figures do not depend on it"},
    [EVAL_SEED] = {"seed", NULL, FLAG_INT, "General", "N", "1", .least = 0, .most = 1e15,
        .help = "taken as by every command; BLEU draws no random numbers"},
    [EVAL_CONFIG] = {"config", NULL, FLAG_TEXT, "General", "FILE", NULL,
        .help = "read flags from lines `key = value`; the command line wins"},
    [EVAL_QUIET] = {"quiet", "q", FLAG_SWITCH, "General", .help = "errors only"},
    [EVAL_HELP] = {"help", "h", FLAG_SWITCH, "General", .help = "this text"},
    [EVAL_VERSION] = {"version", "V", FLAG_SWITCH, "General", .help = "the version"},
};
/* clang-format on */

/* ------------------------------------------------------------------------------------ values */

static int check_choice(const flag_row *row, const char *text, const char *origin)
{
    str known = {0};
    for (const char *const *c = row->choices; *c; c++) {
        if (strcmp(*c, text) == 0) {
            str_free(&known);
            return 0;
        }
        str_addf(&known, "%s%s", known.n ? ", " : "", *c);
    }
    fail("%s: %s is not known here; one of: %s%s", origin, text, str_text(&known),
         row->many ? ". References come before this flag" : "");
    str_free(&known);
    return -1;
}

static int check_number(const flag_row *row, const char *text, const char *origin)
{
    char *end;
    double x = strtod(text, &end);
    bool number = *text && !isspace((unsigned char)*text) && !*end && isfinite(x);
    bool whole = row->type == FLAG_INT;
    if (strspn(text, whole ? "+-0123456789" : "+-.eE0123456789") < strlen(text)) number = false;
    if (!number || (whole && x != floor(x)))
        return fail("%s: %s is not a %s", origin, text, whole ? "whole number" : "number");
    if (x < row->least || x > row->most)
        return fail("%s: %s is out of bounds, %.10g to %.10g", origin, text, row->least, row->most);
    return 0;
}

static int check(const flag_row *row, const char *text, const char *origin)
{
    if (row->type == FLAG_CHOICE) return check_choice(row, text, origin);
    if (row->type == FLAG_INT || row->type == FLAG_REAL) return check_number(row, text, origin);
    if (row->type == FLAG_SWITCH && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return fail("%s: %s is neither true nor false", origin, text);
    return *text ? 0 : fail("%s: the value is empty", origin);
}

/* Sets a checked value; the last one wins. */
static int put(eval_flags *f, enum eval_key key, const char *text, const char *origin)
{
    if (check(&rows[key], text, origin)) return -1;
    char *copy = xstrdup(text); /* `text` may be the old value */
    free(f->values[key]);
    f->values[key] = copy;
    f->given[key] = true;
    return 0;
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
        const char *known = which == NAMES ? rows[key].name : rows[key].brief;
        if (known && strlen(known) == n && memcmp(known, name, n) == 0) return key;
    }
    return -1;
}

static int unknown(const char *origin, const char *dashes, const char *name)
{
    const char *near = NULL;
    int near_distance = 4;
    for (int key = 0; key < EVAL_KEYS; key++) {
        int distance = word_distance(name, rows[key].name);
        if (distance >= near_distance || 2 * distance > (int)strlen(name)) continue;
        near = rows[key].name;
        near_distance = distance;
    }
    if (near)
        return fail("%sunknown option %s%s, did you mean %s%s?", origin, dashes, name, *dashes ? "--" : "",
                    near);
    return fail("%sunknown option %s%s, see tulk eval --help", origin, dashes, name);
}

static bool has_word(const reader *r) { return r->at < r->argc && !is_flag(r->argv[r->at]); }

/* The words of a flag that takes them. One hypothesis and one metric are built, so they must agree. */
static int take_words(reader *r, enum eval_key key, const char *origin)
{
    if (!has_word(r)) return fail("%s needs a value: %s", origin, rows[key].argument);
    const char *first = r->argv[r->at++];
    if (put(r->f, key, first, origin)) return -1;
    while (rows[key].many && has_word(r)) {
        const char *word = r->argv[r->at++];
        if (check(&rows[key], word, origin)) return -1;
        if (strcmp(word, first) != 0)
            return fail("%s takes one %s, found also %s. References come before this flag", origin,
                        rows[key].argument, word);
    }
    return 0;
}

/* "--name" or "-brief", without the value that may follow a "=". */
static int find_flag(const char *word, size_t n)
{
    if (word[1] == '-') return find_key(word + 2, n - 2, NAMES);
    return find_key(word + 1, n - 1, BRIEFS);
}

static int unknown_flag(const char *word)
{
    bool is_long = word[1] == '-';
    return unknown("", is_long ? "--" : "-", word + 1 + is_long);
}

static int take_flag(reader *r)
{
    const char *word = r->argv[r->at++], *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    str origin = {0};
    str_add(&origin, word, equals ? (size_t)(equals - word) : strlen(word));
    int key = find_flag(word, origin.n), result;
    if (key < 0)
        result = unknown_flag(str_text(&origin));
    else if (equals)
        result = put(r->f, (enum eval_key)key, equals + 1, str_text(&origin));
    else if (rows[key].type == FLAG_SWITCH)
        result = put(r->f, (enum eval_key)key, "true", str_text(&origin));
    else
        result = take_words(r, (enum eval_key)key, str_text(&origin));
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

static int put_text(eval_flags *f, enum eval_key key, const char *value, const char *place)
{
    str origin = {0}, word = {0};
    str_addf(&origin, "%s: %s", place, rows[key].name);
    int result = put(f, key, config_text(value, &word), str_text(&origin));
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
    if (!stops && f->given[EVAL_CONFIG] && parse_config(f, f->values[EVAL_CONFIG])) return -1;
    for (int key = 0; key < EVAL_KEYS; key++)
        if (!f->values[key] && rows[key].initial) f->values[key] = xstrdup(rows[key].initial);
    return 0;
}

void eval_flags_free(eval_flags *f)
{
    for (int key = 0; key < EVAL_KEYS; key++) free(f->values[key]);
    free(f->refs);
    *f = (eval_flags){0};
}

bool eval_flag_on(const eval_flags *f, enum eval_key key)
{
    return f->values[key] && strcmp(f->values[key], "true") == 0;
}

long eval_flag_int(const eval_flags *f, enum eval_key key)
{
    BUG_IF(rows[key].type != FLAG_INT || !f->values[key]);
    return (long)strtod(f->values[key], NULL);
}

double eval_flag_real(const eval_flags *f, enum eval_key key)
{
    return f->values[key] ? strtod(f->values[key], NULL) : (double)NAN;
}

/* ------------------------------------------------------------------------------------ help */

enum { HELP_COLUMN = 34 };

static void add_help(const flag_row *row, str *out)
{
    str left = {0};
    str_addf(&left, "  ");
    if (row->brief) str_addf(&left, "-%s, ", row->brief);
    str_addf(&left, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    str_addf(out, "%-*s%s", HELP_COLUMN, str_text(&left), row->help);
    for (int i = 0; row->choices && row->choices[i]; i++)
        str_addf(out, "%s%s", i ? ", " : ": ", row->choices[i]);
    if (row->initial) str_addf(out, " (default: %s)", row->initial);
    str_add_char(out, '\n');
    str_free(&left);
}

void eval_flags_help(str *out)
{
    str_addf(out, "Usage: tulk eval REF [REF...] [-i HYP] [OPTION...]\n\n"
                  "Scores translations against references with sacreBLEU's figures, flags and output.\n");
    const char *group = "";
    for (int key = 0; key < EVAL_KEYS; key++) {
        if (strcmp(group, rows[key].group) != 0) str_addf(out, "\n%s:\n", rows[key].group);
        group = rows[key].group;
        add_help(&rows[key], out);
    }
    str_addf(out, "\nExample:\n  tulk translate -m model.tulk -i test.en | tulk eval test.de -f text -w 2\n");
}
