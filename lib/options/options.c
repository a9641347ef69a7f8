#include "options/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "options/internal.h"

static int table_size(void)
{
    int n = 0;
    while (option_table[n].key) n++;
    return n;
}

const char *option_choice(const option_row *row, int i)
{
    return row->choice_at ? row->choice_at(i) : row->choices ? row->choices[i] : NULL;
}

const option_row *option_find(unsigned command, const char *key)
{
    for (const option_row *row = option_table; row->key; row++)
        if (row->commands & command && !strcmp(row->key, key)) return row;
    return NULL;
}

options *options_new(unsigned command)
{
    options *o = xcalloc(1, sizeof *o);
    o->command = command;
    o->n = table_size();
    o->values = xcalloc((size_t)o->n, sizeof *o->values);
    for (int i = 0; i < o->n; i++) {
        const option_row *row = &option_table[i];
        o->values[i].number = NAN;
        const char *initial = row->type == OPTION_FLAG && !row->initial ? "false" : row->initial;
        if (initial) BUG_IF(value_set(&o->values[i], row, initial, row->key));
    }
    return o;
}

void options_free(options *o)
{
    if (!o) return;
    for (int i = 0; i < o->n; i++) value_free(&o->values[i]);
    free(o->values);
    for (size_t i = 0; i < o->n_rest; i++) free(o->rest[i]);
    free(o->rest);
    free(o);
}

unsigned options_command(const options *o) { return o->command; }

option_value *options_slot(options *o, const option_row *row, enum level level)
{
    option_value *v = &o->values[row - option_table];
    if (v->level > level) return NULL;
    if (v->level < level && row->type == OPTION_LIST) value_free(v);
    v->level = level;
    return v;
}

int options_put(options *o, const option_row *row, const char *text, enum level level, const char *origin)
{
    option_value *v = options_slot(o, row, level);
    return v ? value_set(v, row, text, origin) : 0;
}

static const option_value *value_of(const options *o, const char *key, unsigned types)
{
    const option_row *row = option_find(o->command, key);
    BUG_IF(!row);
    BUG_IF(!(types & 1u << row->type));
    return &o->values[row - option_table];
}

enum { ANY_TYPE = ~0 };

bool options_flag(const options *o, const char *key)
{
    return value_of(o, key, 1u << OPTION_FLAG)->number == 1;
}

long options_int(const options *o, const char *key)
{
    const option_value *v = value_of(o, key, 1u << OPTION_INT);
    BUG_IF(!v->text); /* ask options_value first where there is no default */
    return (long)v->number;
}

double options_real(const options *o, const char *key)
{
    return value_of(o, key, 1u << OPTION_REAL | 1u << OPTION_TIME)->number;
}

const char *options_text(const options *o, const char *key)
{
    return value_of(o, key, 1u << OPTION_TEXT | 1u << OPTION_CHOICE)->text;
}

int options_choice(const options *o, const char *key)
{
    const char *text = value_of(o, key, 1u << OPTION_CHOICE)->text;
    int i = 0;
    BUG_IF(!text);
    while (strcmp(option_choice(option_find(o->command, key), i), text)) i++;
    return i;
}

int options_list(const options *o, const char *key, const char *const **words)
{
    const option_value *v = value_of(o, key, 1u << OPTION_LIST);
    if (words) *words = (const char *const *)v->words;
    return (int)v->n_words;
}

bool options_given(const options *o, const char *key)
{
    return value_of(o, key, (unsigned)ANY_TYPE)->level > LEVEL_DEFAULT;
}

const char *options_value(const options *o, const char *key)
{
    return value_of(o, key, (unsigned)ANY_TYPE)->text;
}

int options_set(options *o, const char *key, const char *value)
{
    const option_row *row = option_find(o->command, key);
    if (!row) return fail("%s: unknown setting", key);
    option_value *v = &o->values[row - option_table];
    if (row->type == OPTION_LIST) value_free(v);
    v->level = LEVEL_ARGV;
    return value_set(v, row, value, key);
}

int options_rest(const options *o, const char *const **words)
{
    if (words) *words = (const char *const *)o->rest;
    return (int)o->n_rest;
}
