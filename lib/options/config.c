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

/* Text may be quoted as a whole; lists take quotes apart themselves. */
static int put_value(options *o, const option_row *row, char *value, const char *origin)
{
    str word = {0};
    const char *after = row->type == OPTION_LIST || value[0] != '"' ? NULL : next_word(value, &word);
    int result = options_put(o, row, after ? str_text(&word) : value, LEVEL_CONFIG, origin);
    str_free(&word);
    return result;
}

static int config_line(options *o, char *line, const char *place)
{
    char *key = trim(line), *equals = strchr(key, '=');
    if (!*key) return 0;
    if (!equals) return fail("%s: expected `key = value`, found `%s`", place, key);
    *equals = '\0';
    char *value = trim(equals + 1);
    key = trim(key);
    str origin = {0};
    str_addf(&origin, "%s: ", place);
    const option_row *row = option_find(o->command, key);
    bool once = !strcmp(key, "config") || !strcmp(key, "help") || !strcmp(key, "version");
    int result = 0;
    if (once || (!row && !option_find(FOR_ALL, key))) {
        result = once ? fail("%s%s belongs on the command line", str_text(&origin), key)
                      : unknown_option(o->command, str_text(&origin), "", key);
    } else if (row) { /* else another command's */
        str_addf(&origin, "%s", key);
        result = put_value(o, row, value, str_text(&origin));
    }
    str_free(&origin);
    return result;
}

int parse_config(options *o, const char *path)
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
        result = lines_valid(in) ? config_line(o, text.p, str_text(&place))
                                 : fail("%s: not a line of text (UTF-8)", str_text(&place));
    }
    str_free(&place);
    str_free(&text);
    lines_close(in);
    return result || more < 0 ? -1 : 0;
}
