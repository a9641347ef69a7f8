/* Values as settings of a model file. */
#include "base/error.h"
#include "options/internal.h"

int options_save(const options *o, store *s)
{
    for (int i = 0; i < o->n; i++) {
        const option_row *row = &option_table[i];
        if (!row->in_model || !(row->commands & o->command) || !o->values[i].text) continue;
        if (store_set(s, row->key, o->values[i].text)) return -1;
    }
    return 0;
}

typedef struct {
    options *o;
    int result;
} loading;

static void load_setting(const char *key, const char *value, void *context)
{
    loading *l = context;
    const option_row *row = option_find(l->o->command, key);
    if (row && row->in_model && *value && !l->result) l->result = options_set(l->o, key, value);
}

int options_load(options *o, store *s)
{
    loading l = {o, 0};
    if (store_each_setting(s, load_setting, &l)) return -1;
    options_settle_arch(o); /* older files say --arch alone */
    return l.result ? fail("%s: %s", store_path(s), error_message()) : 0;
}
