/* The command line. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "options/internal.h"

typedef struct {
    options *o;
    char **argv;
    int argc, at; /* argv[at] is the next word */
} reader;

static const option_row *find_letter(unsigned command, char letter)
{
    for (const option_row *row = option_table; row->key; row++)
        if (row->letter == letter && row->commands & command) return row;
    return NULL;
}

/* The row that "--no-x" negates, or NULL. */
static const option_row *find_negated(unsigned command, const char *name)
{
    if (strncmp(name, "no-", 3)) return NULL;
    const option_row *row = option_find(command, name + 3);
    return row && row->type == OPTION_FLAG ? row : NULL;
}

static const option_row *nearest_option(unsigned command, const char *name)
{
    const option_row *best = NULL;
    int best_distance = 1 + (strlen(name) < 4 ? 1 : strlen(name) < 8 ? 2 : 3);
    for (const option_row *row = option_table; row->key; row++) {
        if (!(row->commands & command)) continue;
        int distance = word_distance(name, row->key);
        size_t n = strlen(name); /* a beginning is as good as one slip */
        if (n >= 3 && distance > 1 && !strncmp(row->key, name, n)) distance = 1;
        if (distance < best_distance) {
            best = row;
            best_distance = distance;
        }
    }
    return best;
}

int unknown_option(unsigned command, const char *origin, const char *dashes, const char *name)
{
    if (option_find(FOR_ALL, name)) return fail("%sthis command has no option %s%s", origin, dashes, name);
    const option_row *near = nearest_option(command, name);
    if (near)
        return fail("%sunknown option %s%s, did you mean %s%s?", origin, dashes, name, dashes, near->key);
    return fail("%sunknown option %s%s, see --help", origin, dashes, name);
}

/* Whether a word is an option, and so not the value of the one before it. */
static bool looks_like_option(const reader *r, const char *word)
{
    if (word[0] != '-' || !word[1]) return false;
    if (word[1] != '-') return find_letter(r->o->command, word[1]);
    size_t n = strcspn(word + 2, "=");
    str name = {0};
    str_add(&name, word + 2, n);
    bool known =
        !n || option_find(r->o->command, str_text(&name)) || find_negated(r->o->command, str_text(&name));
    str_free(&name);
    return known;
}

/* Words of a list: `first` (glued to the option) or NULL, then those that follow. */
static int read_list(reader *r, const option_row *row, const char *first, const char *origin)
{
    const char **words = xmalloc((size_t)(r->argc + 1) * sizeof *words);
    int n = 0;
    if (first) words[n++] = first;
    while ((row->values < 0 || n < row->values) && r->at < r->argc && !looks_like_option(r, r->argv[r->at]))
        words[n++] = r->argv[r->at++];
    option_value *v = options_slot(r->o, row, LEVEL_ARGV);
    int result = value_add_words(v, row, words, n, origin);
    free(words);
    return result;
}

static bool next_is_choice(const reader *r, const option_row *row)
{
    for (int i = 0; r->at < r->argc && option_choice(row, i); i++)
        if (!strcmp(r->argv[r->at], option_choice(row, i))) return true;
    return false;
}

/* The value of an option: `glued` ("--key=VALUE", "-kVALUE") or the next word. */
static int read_value(reader *r, const option_row *row, const char *glued, const char *origin)
{
    if (row->type == OPTION_LIST) return read_list(r, row, glued, origin);
    if (!glued && row->implied && !next_is_choice(r, row)) glued = row->implied;
    if (!glued) {
        if (r->at == r->argc || looks_like_option(r, r->argv[r->at]))
            return fail("%s needs %s", origin, row->argument);
        glued = r->argv[r->at++];
    }
    bool again = r->o->values[row - option_table].level == LEVEL_ARGV;
    if (again && row->type == OPTION_TEXT && row->most == 1)
        return fail("%s %s: given a second time, but there can be one %s alone", origin, glued,
                    row->argument);
    return options_put(r->o, row, glued, LEVEL_ARGV, origin);
}

static int read_long(reader *r, const char *word)
{
    str name = {0}, origin = {0};
    size_t n = strcspn(word + 2, "=");
    const char *glued = word[2 + n] ? word + 2 + n + 1 : NULL;
    str_add(&name, word + 2, n);
    str_addf(&origin, "--%s", str_text(&name));
    const option_row *row = option_find(r->o->command, str_text(&name));
    const option_row *negated = row ? NULL : find_negated(r->o->command, str_text(&name));
    int result;
    if (negated && glued)
        result = fail("%s takes no value", str_text(&origin));
    else if (negated)
        result = options_put(r->o, negated, "false", LEVEL_ARGV, str_text(&origin));
    else if (!row)
        result = unknown_option(r->o->command, "", "--", str_text(&name));
    else if (row->type == OPTION_FLAG && !glued)
        result = options_put(r->o, row, "true", LEVEL_ARGV, str_text(&origin));
    else
        result = read_value(r, row, glued, str_text(&origin));
    str_free(&name);
    str_free(&origin);
    return result;
}

/* "-k VALUE", "-kVALUE"; flags may stand together. */
static int read_short(reader *r, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const option_row *row = find_letter(r->o->command, *c);
        char origin[] = {'-', *c, '\0'};
        if (!row) return fail("unknown option %s, see --help", word);
        if (row->type != OPTION_FLAG) return read_value(r, row, c[1] ? c + 1 : NULL, origin);
        if (options_put(r->o, row, "true", LEVEL_ARGV, origin)) return -1;
    }
    return 0;
}

static void add_rest(options *o, const char *word)
{
    o->rest = grow(o->rest, &o->rest_capacity, o->n_rest + 1, sizeof *o->rest);
    o->rest[o->n_rest++] = xstrdup(word);
}

/* --help and --version end everything: what follows may be wrong. */
static bool stops(const options *o) { return options_flag(o, "help") || options_flag(o, "version"); }

int parse_argv(options *o, int argc, char **argv)
{
    reader r = {o, argv, argc, 1};
    while (r.at < argc && !stops(o)) {
        const char *word = argv[r.at++];
        if (!strcmp(word, "--")) break;
        int result = 0;
        if (word[0] != '-' || !word[1])
            add_rest(o, word);
        else
            result = word[1] == '-' ? read_long(&r, word) : read_short(&r, word);
        if (result) return -1;
    }
    while (r.at < argc) add_rest(o, argv[r.at++]);
    return 0;
}

void options_preset(options *o, const char *name)
{
    const preset_row *preset = presets;
    while (strcmp(preset->name, name)) preset++; /* a choice: it is there */
    for (const char *const *kv = preset->values; *kv; kv += 2) {
        const option_row *row = option_find(o->command, kv[0]);
        BUG_IF(!option_find(FOR_TRAIN, kv[0]));
        if (row && row->in_model) BUG_IF(options_put(o, row, kv[1], LEVEL_PRESET, kv[0]));
    }
    options_settle_arch(o);
}

/* Where there can be one. */
static void apply_preset(options *o)
{
    const option_row *row = option_find(o->command, "preset");
    if (row && row->type == OPTION_CHOICE && options_text(o, "preset"))
        options_preset(o, options_text(o, "preset"));
}

int options_parse(options *o, int argc, char **argv)
{
    if (parse_argv(o, argc, argv)) return -1;
    if (stops(o)) return 0;
    if (options_text(o, "config") && parse_config(o, options_text(o, "config"))) return -1;
    apply_preset(o);
    options_settle_arch(o);
    return o->command & FOR_TRAIN ? check_network(o) : 0;
}
