#include "portable.h"

#include <unistd.h>

#include "base/error.h"
#include "train/checkpoint.h"

int portable_check(const char *path, bool overwrite)
{
    if (overwrite || access(path, F_OK)) return 0;
    return fail("%s exists already: replace it by --overwrite, or choose another name", path);
}

/* Files are named by texts and lists: those stay behind. */
static bool travels(const option_row *row)
{
    return (row->commands & FOR_TRAIN) && row->in_model && row->type != OPTION_LIST &&
           row->type != OPTION_TEXT;
}

static int save_settings(const options *o, store *s)
{
    for (const option_row *row = option_table; row->key; row++) {
        const char *value = travels(row) ? options_value(o, row->key) : NULL;
        if (value && store_set(s, row->key, value)) return -1;
    }
    return 0;
}

static int save_shortlist(const seqs *lists, store *s)
{
    return lists->n ? store_save_shortlist(s, lists) : 0;
}

int portable_save(const loaded_model *m, const char *path, bool overwrite)
{
    store *s;
    if (portable_check(path, overwrite)) return -1;
    if (store_open(path, overwrite ? STORE_REPLACE : STORE_CREATE, &s)) return -1;
    bool good = !store_begin(s) && !save_settings(m->settings, s) && !vocab_pair_save(s, &m->vocab) &&
                !save_shortlist(&m->shortlist, s) &&
                !checkpoint_save_weights(s, "best", model_params(m->net), &m->info) && !store_commit(s);
    store_close(s);
    return good ? 0 : -1;
}
