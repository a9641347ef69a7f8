/* tulk average: the mean of checkpoints, of one file or of several of the same network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "portable.h"
#include "train/average.h"
#include "train/checkpoint.h"

typedef struct {
    const options *o;
    loaded_model model; /* of the first file; its weights are loaded one after the other */
    weight_mean mean;
    bool many; /* files */
    checkpoint_info newest;
} averaging;

/* -------------------------------------------------------------------------------- which of a file */

/* Slots by name, in a list of its own. */
typedef struct {
    char **names;
    size_t n, capacity;
} slot_list;

static void slot_add(slot_list *l, const char *name, size_t n)
{
    l->names = grow(l->names, &l->capacity, l->n + 1, sizeof *l->names);
    l->names[l->n] = xmalloc(n + 1);
    memcpy(l->names[l->n], name, n);
    l->names[l->n++][n] = '\0';
}

static void slots_free(slot_list *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->names[i]);
    free(l->names);
}

/* "A,B,C" */
static void slots_split(const char *text, slot_list *out)
{
    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        if (n) slot_add(out, text, n);
    }
}

static int add_kept(store *s, long last, slot_list *out)
{
    kept_checkpoints kept;
    if (checkpoint_kept(s, &kept)) return -1;
    size_t from = last > 0 && (size_t)last < kept.n ? kept.n - (size_t)last : 0;
    for (size_t i = from; i < kept.n; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "%lld", (long long)kept.updates[i]);
        slot_add(out, name, (size_t)n);
    }
    size_t n = kept.n;
    free(kept.updates);
    if (n == 0)
        return fail(
            "%s keeps no checkpoints of single updates: train with --save-every, or name what there is "
            "by --checkpoints (see tulk info)",
            store_path(s));
    return last > (long)n
               ? fail("%s keeps %zu checkpoints, not %ld (--last), see tulk info", store_path(s), n, last)
               : 0;
}

/* Of several files that say nothing else, each gives the weights that it translates with. */
static int choose_slots(const averaging *a, store *s, slot_list *out)
{
    const char *given = options_text(a->o, "checkpoints");
    bool last = options_value(a->o, "last");
    if (given) slots_split(given, out);
    if (given && out->n == 0) return fail("--checkpoints %s: names no checkpoint", given);
    if (given) return 0;
    if (last || !a->many) return add_kept(s, last ? options_int(a->o, "last") : 0, out);
    int best = store_checkpoint(s, "best", &(checkpoint_info){0}, NULL);
    if (best < 0) return -1;
    slot_add(out, best ? "best" : "last", 4);
    return 0;
}

/* ------------------------------------------------------------------------------------ same network */

static int compare_setting(const option_row *row, const options *a, const options *b, const char *first,
                           const char *path)
{
    const char *x = options_value(a, row->key), *y = options_value(b, row->key);
    if ((!x && !y) || (x && y && !strcmp(x, y))) return 0;
    return fail("%s is another network than %s: --%s %s there, %s here", path, first, row->key,
                y ? y : "unset", x ? x : "unset");
}

static bool shapes_network(const option_row *row)
{
    return (row->commands & FOR_TRAIN) && row->in_model && !strcmp(row->group, "network") &&
           strcmp(row->key, "preset") && strncmp(row->key, "dropout", 7);
}

static int compare_networks(const options *a, store *s, const char *first)
{
    options *b = options_new(FOR_TRAIN);
    int result = options_load(b, s);
    for (const option_row *row = option_table; row->key && !result; row++)
        if (shapes_network(row)) result = compare_setting(row, a, b, first, store_path(s));
    options_free(b);
    return result;
}

static bool same_pieces(const tokenizer *a, const tokenizer *b)
{
    const vocab_data *x = tokenizer_data(a), *y = tokenizer_data(b);
    if (x->normalize != y->normalize || x->casefold != y->casefold || x->n_pieces != y->n_pieces ||
        x->n_merges != y->n_merges)
        return false;
    for (int i = 0; i < x->n_pieces; i++)
        if (strcmp(x->pieces[i].text, y->pieces[i].text)) return false;
    return !memcmp(x->merges, y->merges, (size_t)x->n_merges * sizeof *x->merges);
}

static int compare_vocabularies(const vocab_pair *a, store *s, const char *first)
{
    vocab_pair b;
    if (vocab_pair_load(s, store_path(s), &b)) return -1;
    bool same = a->joint == b.joint && same_pieces(a->src, b.src) && same_pieces(a->tgt, b.tgt);
    vocab_pair_free(&b);
    return same ? 0
                : fail("%s has another vocabulary than %s: their mean would mean nothing", store_path(s),
                       first);
}

/* -------------------------------------------------------------------------------------------- mean */

static int add_slot(averaging *a, store *s, const char *slot)
{
    checkpoint_info info;
    int found = store_checkpoint(s, slot, &info, NULL);
    if (found < 0) return -1;
    if (!found) return fail("%s holds no checkpoint '%s', see tulk info", store_path(s), slot);
    if (checkpoint_load_weights(s, slot, a->mean.of)) return -1;
    weight_mean_add(&a->mean);
    if (info.update >= a->newest.update) a->newest = info;
    note("  %s: checkpoint %s, update %lld", store_path(s), slot, (long long)info.update);
    return 0;
}

static int add_slots(averaging *a, store *s)
{
    slot_list slots = {0};
    int result = choose_slots(a, s, &slots);
    for (size_t i = 0; i < slots.n && !result; i++) result = add_slot(a, s, slots.names[i]);
    slots_free(&slots);
    return result;
}

static int add_file(averaging *a, const char *path, const char *first)
{
    store *s;
    if (store_open(path, STORE_READ, &s)) return -1;
    int result = path == first ? 0 : compare_networks(a->model.settings, s, first);
    if (!result && path != first) result = compare_vocabularies(&a->model.vocab, s, first);
    if (!result) result = add_slots(a, s);
    store_close(s);
    return result;
}

/* Into the model's own file, as slot "average". */
static int save_slot(const averaging *a, const char *path)
{
    store *s;
    if (store_open(path, STORE_WRITE, &s)) return -1;
    bool good = !store_begin(s) && !checkpoint_save_weights(s, "average", a->mean.of, &a->model.info) &&
                !store_commit(s);
    store_close(s);
    return good ? 0 : -1;
}

static int save(averaging *a, const char *path)
{
    const char *to = options_text(a->o, "output");
    weight_mean_take(&a->mean);
    a->model.info = a->newest;
    a->model.info.valid_score = NAN;
    clock_iso8601(a->model.info.created);
    int result = to ? portable_save(&a->model, to, options_flag(a->o, "overwrite")) : save_slot(a, path);
    if (result) return -1;
    if (to)
        note("mean of %d checkpoints: tulk translate -m %s", a->mean.n, to);
    else
        note("mean of %d checkpoints: tulk translate -m %s --checkpoint average", a->mean.n, path);
    return 0;
}

static int run(const options *o)
{
    const char *const *paths;
    int n = options_rest(o, &paths);
    averaging a = {.o = o, .many = n > 1};
    const char *to = options_text(o, "output");
    if (to && portable_check(to, options_flag(o, "overwrite"))) return -1;
    if (model_load(paths[0], NULL, &a.model)) return -1;
    a.mean = weight_mean_new(model_params(a.model.net));
    int result = 0;
    for (int i = 0; i < n && !result; i++) result = add_file(&a, paths[i], paths[0]);
    if (!result) result = save(&a, paths[0]);
    weight_mean_free(&a.mean);
    model_unload(&a.model);
    return result;
}

static int check_usage(const options *o)
{
    int n = options_rest(o, NULL);
    if (n == 0) return fail("MODEL is missing, see --help");
    if (n > 1 && !options_value(o, "output"))
        return fail("-o OUT is missing: the mean of several files needs a file of its own");
    return options_value(o, "last") && options_value(o, "checkpoints")
               ? fail("--last and --checkpoints contradict each other, give one")
               : 0;
}

int cmd_average(int argc, char **argv)
{
    static const command_help help = {
        FOR_AVERAGE, "tulk average MODEL [MODEL...] [-o OUT] [--last N | --checkpoints A,B,C]",
        "The mean of checkpoints' weights: those that --save-every kept, or of several files of one network "
        "those they translate with. Without -o it is checkpoint average of MODEL.",
        "tulk average en-de.tulk --last 5 -o en-de.mean.tulk"};
    return command_run(&help, argc, argv, check_usage, run);
}
