/* The config file: lines `key = value`, comments from '#' on, blank lines. */
#include <string.h>

#include "base/error.h"
#include "data/lines.h"
#include "options/internal.h"

/* The line without comment and blanks around; '#' inside "..." is text. */
static char *trim(char *line)
{
    bool quoted = false;
    for (char *c = line; *c; c++) {
        if (*c == '"') quoted = !quoted;
        if (*c == '#' && !quoted) *c = '\0';
        if (!*c) break;
    }
    line += strspn(line, " \t");
    size_t n = strlen(line);
    while (n && strchr(" \t", line[n - 1])) line[--n] = '\0';
    return line;
}

typedef int config_put(const char *key, const char *value, const char *place, void *context);

static int config_line(char *line, const char *place, config_put *put, void *context)
{
    char *key = trim(line), *equals = strchr(key, '=');
    if (!*key) return 0;
    if (!equals) return fail("%s: expected `key = value`, found `%s`", place, key);
    *equals = '\0';
    char *value = trim(equals + 1);
    key = trim(key);
    if (!strcmp(key, "config") || !strcmp(key, "help") || !strcmp(key, "version"))
        return fail("%s: %s belongs on the command line", place, key);
    return put(key, value, place, context);
}

int config_read(const char *path, config_put *put, void *context)
{
    lines *in;
    span line;
    str text = {0}, place = {0};
    int result = lines_open(path, &in), more = 0;
    while (!result && (more = lines_next(in, &line)) == 1) {
        str_clear(&text);
        str_clear(&place);
        str_add_span(&text, line);
        str_addf(&place, "%s:%lld", lines_path(in), (long long)lines_count(in)->lines);
        result = lines_valid(in) ? config_line(text.p, str_text(&place), put, context)
                                 : fail("%s: not a line of text (UTF-8)", str_text(&place));
    }
    str_free(&place);
    str_free(&text);
    lines_close(in);
    return result || more < 0 ? -1 : 0;
}

const char *config_text(const char *value, str *word)
{
    return value[0] == '"' && next_word(value, word) ? str_text(word) : value;
}

/* Lists take quotes apart themselves. */
static int put_value(options *o, const option_row *row, const char *value, const char *origin)
{
    str word = {0};
    const char *text = row->type == OPTION_LIST ? value : config_text(value, &word);
    int result = options_put(o, row, text, LEVEL_CONFIG, origin);
    str_free(&word);
    return result;
}

/* Keys of other commands are passed over, so that one file can serve several. */
static int put_option(const char *key, const char *value, const char *place, void *context)
{
    options *o = context;
    const option_row *row = option_find(o->command, key);
    if (!row && option_find(FOR_ALL, key)) return 0;
    str origin = {0};
    str_addf(&origin, "%s: %s", place, row ? key : "");
    int result = row ? put_value(o, row, value, str_text(&origin))
                     : unknown_option(o->command, str_text(&origin), "", key);
    str_free(&origin);
    return result;
}

int parse_config(options *o, const char *path) { return config_read(path, put_option, o); }
