#include "options/values.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void value_free(option_value *v)
{
    for (size_t i = 0; i < v->n_words; i++) free(v->words[i]);
    free(v->words);
    free(v->text);
    *v = (option_value){.number = NAN};
}

/* '.' is the decimal point whatever the locale of a program that uses the library. */
static locale_t c_locale(void)
{
    static locale_t c;
    if (!c) c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return c;
}

/* A plain decimal number: no blanks, no hexadecimal, no nan, no inf. */
static bool read_number(const char *text, const char **end, double *x)
{
    if (!isdigit((unsigned char)text[0]) && !strchr("+-.", text[0])) return false;
    if (text[0] == '\0' || strspn(text, "0123456789+-.eE") == 0) return false;
    size_t n = strspn(text, "+-");
    if (n > 1 || (text[n] == '0' && (text[n + 1] == 'x' || text[n + 1] == 'X'))) return false;
    if (!isdigit((unsigned char)text[n]) && text[n] != '.') return false;
    char *after;
    *x = strtod_l(text, &after, c_locale());
    *end = after;
    return after != text && isfinite(*x);
}

/* A short decimal that reads back as x. */
static void print_number(double x, str *out)
{
    locale_t before = uselocale(c_locale());
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    uselocale(before);
    str_add_span(out, span_of(text));
}

static int check_bounds(const option_row *row, double x, const char *text, const char *origin)
{
    if (x >= row->least && x <= row->most) return 0;
    str least = {0}, most = {0};
    print_number(row->least, &least);
    print_number(row->most, &most);
    if (row->most >= 1e9 && x < row->least)
        fail("%s %s: out of range, must be at least %s", origin, text, str_text(&least));
    else
        fail("%s %s: out of range, must be from %s to %s", origin, text, str_text(&least), str_text(&most));
    str_free(&least);
    str_free(&most);
    return -1;
}

static void keep(option_value *v, double x, const char *text)
{
    v->number = x;
    char *copy = xstrdup(text);
    free(v->text);
    v->text = copy;
}

static int set_flag(option_value *v, const char *text, const char *origin)
{
    bool on = !strcmp(text, "true");
    if (!on && strcmp(text, "false")) return fail("%s %s: write true or false", origin, text);
    keep(v, on, text);
    return 0;
}

static int set_int(option_value *v, const option_row *row, const char *text, const char *origin)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return fail("%s %s: not a whole number", origin, text);
    errno = 0;
    long x = strtol(text, NULL, 10);
    if (errno) return fail("%s %s: out of range", origin, text);
    if (check_bounds(row, (double)x, text, origin)) return -1;
    char canonical[32];
    snprintf(canonical, sizeof canonical, "%ld", x);
    keep(v, (double)x, canonical);
    return 0;
}

static void keep_number(option_value *v, double x)
{
    str canonical = {0};
    print_number(x + 0.0, &canonical); /* -0 becomes 0 */
    keep(v, x + 0.0, str_text(&canonical));
    str_free(&canonical);
}

static int set_real(option_value *v, const option_row *row, const char *text, const char *origin)
{
    const char *end;
    double x;
    if (!read_number(text, &end, &x) || *end) return fail("%s %s: not a number", origin, text);
    if (check_bounds(row, x, text, origin)) return -1;
    keep_number(v, x);
    return 0;
}

static double unit_seconds(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    default: return 0;
    }
}

/* 90s, 45m, 2h, 1h30m; a number alone is seconds. */
static bool read_time(const char *text, double *seconds)
{
    *seconds = 0;
    double last_unit = INFINITY; /* units come from large to small, each once */
    do {
        const char *end;
        double x;
        if (!read_number(text, &end, &x)) return false;
        if (!*end && last_unit == INFINITY) {
            *seconds = x;
            return true;
        }
        double unit = unit_seconds(*end);
        if (unit == 0 || unit >= last_unit) return false;
        *seconds += x * unit;
        last_unit = unit;
        text = end + 1;
    } while (*text);
    return true;
}

static int set_time(option_value *v, const option_row *row, const char *text, const char *origin)
{
    double seconds;
    if (!read_time(text, &seconds))
        return fail("%s %s: not a time, write 90s, 45m, 2h or 1h30m", origin, text);
    if (check_bounds(row, seconds, text, origin)) return -1;
    keep_number(v, seconds);
    return 0;
}

static int check_choice(const option_row *row, const char *text, const char *origin)
{
    str known = {0};
    for (int i = 0; option_choice(row, i); i++) {
        if (!strcmp(option_choice(row, i), text)) {
            str_free(&known);
            return 0;
        }
        str_addf(&known, "%s%s",
                 i == 0                      ? ""
                 : option_choice(row, i + 1) ? ", "
                                             : " or ",
                 option_choice(row, i));
    }
    fail("%s %s: unknown, choose %s", origin, text, str_text(&known));
    str_free(&known);
    return -1;
}

static int set_choice(option_value *v, const option_row *row, const char *text, const char *origin)
{
    if (check_choice(row, text, origin)) return -1;
    keep(v, NAN, text);
    return 0;
}

static void quote_word(const char *word, str *out)
{
    bool plain = *word && !strpbrk(word, " \t\"\\#");
    if (!plain) str_add_char(out, '"');
    for (const char *c = word; *c; c++) {
        if (*c == '"' || *c == '\\') str_add_char(out, '\\');
        str_add_char(out, *c);
    }
    if (!plain) str_add_char(out, '"');
}

const char *next_word(const char *text, str *word)
{
    str_clear(word);
    text += strspn(text, " \t");
    if (!*text) return NULL;
    bool quoted = false;
    for (; *text && (quoted || !strchr(" \t", *text)); text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (*text == '\\' && quoted && text[1])
            str_add_char(word, *++text);
        else
            str_add_char(word, *text);
    }
    return text;
}

static void rebuild_list_text(option_value *v)
{
    str text = {0};
    for (size_t i = 0; i < v->n_words; i++) {
        if (i) str_add_char(&text, ' ');
        quote_word(v->words[i], &text);
    }
    keep(v, NAN, str_text(&text));
    str_free(&text);
}

int value_add_words(option_value *v, const option_row *row, const char *const *words, int n,
                    const char *origin)
{
    if (n == 0 || (row->values > 0 && n % row->values)) return fail("%s needs %s", origin, row->argument);
    v->occurrences += row->values > 0 ? n / row->values : 1;
    if (row->most > 0 && v->occurrences > row->most) return fail("%s given more than once", origin);
    for (int i = 0; i < n; i++)
        if (!*words[i]) return fail("%s needs %s", origin, row->argument);
    for (int i = 0; i < n && option_choice(row, 0); i++)
        if (check_choice(row, words[i], origin)) return -1;
    v->words = grow(v->words, &v->capacity, v->n_words + (size_t)n, sizeof *v->words);
    for (int i = 0; i < n; i++) v->words[v->n_words++] = xstrdup(words[i]);
    rebuild_list_text(v);
    return 0;
}

/* A list as text: words by blanks. */
static int set_list(option_value *v, const option_row *row, const char *text, const char *origin)
{
    char **words = NULL;
    size_t n = 0, capacity = 0;
    str word = {0};
    while ((text = next_word(text, &word))) {
        words = grow(words, &capacity, n + 1, sizeof *words);
        words[n++] = xstrdup(str_text(&word));
    }
    str_free(&word);
    int result = value_add_words(v, row, (const char *const *)words, (int)n, origin);
    for (size_t i = 0; i < n; i++) free(words[i]);
    free(words);
    return result;
}

int value_set(option_value *v, const option_row *row, const char *text, const char *origin)
{
    switch (row->type) {
    case OPTION_FLAG: return set_flag(v, text, origin);
    case OPTION_INT: return set_int(v, row, text, origin);
    case OPTION_REAL: return set_real(v, row, text, origin);
    case OPTION_TIME: return set_time(v, row, text, origin);
    case OPTION_CHOICE: return set_choice(v, row, text, origin);
    case OPTION_LIST: return set_list(v, row, text, origin);
    case OPTION_TEXT: break;
    }
    if (!*text) return fail("%s needs %s", origin, row->argument);
    keep(v, NAN, text);
    return 0;
}

static int least_of(int a, int b) { return a < b ? a : b; }

/* Damerau's distance with adjacent swaps only (optimal string alignment), three rows of the table at a time.
 */
int word_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++) rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            now[j] = least_of(before[j - 1] + (a[i - 1] != b[j - 1]), least_of(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least_of(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}
