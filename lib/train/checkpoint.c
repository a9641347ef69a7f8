#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* -------------------------------------------------------------------------------------- state */

train_state train_state_start(void)
{
    return (train_state){.epoch = 1, .valid_update = -1, .best = NAN, .patience_best = NAN, .lr_scale = 1};
}

/* The fields by name, for printing and reading: one of the two pointers is set. Those that came later may be
 * absent. */
typedef struct {
    const char *name;
    int64_t *whole;
    double *real;
    bool later;
} state_field;

enum { STATE_FIELDS = 14 };

static void state_fields(train_state *s, state_field out[STATE_FIELDS])
{
    const state_field fields[STATE_FIELDS] = {
        {"update", &s->update, NULL, false},
        {"epoch", &s->epoch, NULL, false},
        {"batches", &s->batches, NULL, false},
        {"best", NULL, &s->best, false},
        {"best_update", &s->best_update, NULL, false},
        {"valid_update", &s->valid_update, NULL, false},
        {"patience_best", NULL, &s->patience_best, false},
        {"bad", &s->bad, NULL, false},
        {"seconds", NULL, &s->seconds, false},
        {"loss", NULL, &s->loss, false},
        {"words", &s->words, NULL, false},
        {"lr_scale", NULL, &s->lr_scale, true},
        {"lr_bad", &s->lr_bad, NULL, true},
        {"restarted", &s->restarted, NULL, true},
    };
    memcpy(out, fields, sizeof fields);
}

void train_state_print(const train_state *s, str *out)
{
    train_state copy = *s;
    state_field fields[STATE_FIELDS];
    state_fields(&copy, fields);
    for (int i = 0; i < STATE_FIELDS; i++) {
        if (fields[i].whole)
            str_addf(out, "%s %lld\n", fields[i].name, (long long)*fields[i].whole);
        else
            str_addf(out, "%s %a\n", fields[i].name, *fields[i].real); /* hexadecimal: reads back exactly */
    }
}

static bool read_field(const char *text, const state_field *field)
{
    size_t n = strlen(field->name);
    for (; text && *text; text = strchr(text, '\n'), text += text ? 1 : 0) {
        if (strncmp(text, field->name, n) != 0 || text[n] != ' ') continue;
        char *end;
        if (field->whole)
            *field->whole = strtoll(text + n + 1, &end, 10);
        else
            *field->real = strtod(text + n + 1, &end);
        return end > text + n + 1 && *end == '\n';
    }
    return field->later;
}

int train_state_parse(const char *text, train_state *out)
{
    state_field fields[STATE_FIELDS];
    *out = train_state_start();
    state_fields(out, fields);
    for (int i = 0; i < STATE_FIELDS; i++)
        if (!read_field(text, &fields[i]))
            return fail("the training state has no readable '%s'", fields[i].name);
    return 0;
}

/* --------------------------------------------------------------------------------------- file */

struct model_file {
    store *s;
    char *path;
    bool begun; /* a transaction is open */
    bool saved;
};

int model_file_create(const char *path, bool overwrite, model_file **out)
{
    if (!overwrite && access(path, F_OK) == 0)
        return fail("%s exists already: go on with its training by --resume, or replace it by --overwrite",
                    path);
    model_file *f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    if (store_open(path, overwrite ? STORE_REPLACE : STORE_CREATE, &f->s) == 0 && store_begin(f->s) == 0) {
        f->begun = true;
        *out = f;
        return 0;
    }
    model_file_close(f);
    return -1;
}

static int nothing_to_resume(const char *path)
{
    return fail("%s holds no training to go on with (a vocabulary, or an exported copy): train anew with "
                "--overwrite",
                path);
}

int model_file_resume(const char *path, model_file **out)
{
    store *s;
    if (store_open(path, STORE_WRITE, &s) < 0) return -1;
    checkpoint_info info;
    int found = store_checkpoint(s, "last", &info, NULL);
    if (found != 1) {
        store_close(s);
        return found < 0 ? -1 : nothing_to_resume(path);
    }
    model_file *f = xcalloc(1, sizeof *f);
    *f = (model_file){.s = s, .path = xstrdup(path), .saved = true};
    *out = f;
    return 0;
}

void model_file_close(model_file *f)
{
    if (!f) return;
    if (f->s && f->begun) store_rollback(f->s);
    store_close(f->s);
    free(f->path);
    free(f);
}

store *model_file_store(model_file *f) { return f->s; }

const char *model_file_path(const model_file *f) { return f->path; }

bool model_file_saved(const model_file *f) { return f->saved; }

static int file_begin(model_file *f)
{
    if (f->begun) return 0;
    if (store_begin(f->s) < 0) return -1;
    f->begun = true;
    return 0;
}

static int file_commit(model_file *f)
{
    f->begun = false; /* after a failure too */
    if (store_commit(f->s) < 0) return -1;
    f->saved = true;
    return 0;
}

/* ------------------------------------------------------------------------------------ metrics */

void metric_add(metric_log *log, int64_t update, const char *name, double value)
{
    log->list = grow(log->list, &log->capacity, log->n + 1, sizeof *log->list);
    log->list[log->n++] = (metric){update, name, value};
}

static int save_metrics(store *s, const metric_log *log)
{
    for (size_t i = 0; i < log->n; i++)
        if (store_add_metric(s, log->list[i].update, log->list[i].name, log->list[i].value) < 0) return -1;
    return 0;
}

/* ------------------------------------------------------------------------------------ tensors */

typedef char tensor_name[80];

/* A list of what a slot holds: the weights, and with an optimizer its moments. */
typedef struct {
    stored_tensor *list;
    tensor_name *names; /* of the moments */
    int n;
} tensor_list;

static void list_block(tensor_list *l, const params *p, real *block, const char *prefix)
{
    for (int i = 0; i < p->n; i++) {
        const param *of = p->list[i];
        snprintf(l->names[l->n], sizeof l->names[l->n], "%s%s", prefix, of->name);
        l->list[l->n] = (stored_tensor){l->names[l->n], of->t.rows, of->t.cols, block + of->offset};
        l->n++;
    }
}

/* weights: p's own, or another block of the same layout. */
static tensor_list list_tensors(const params *p, real *weights, const optimizer *o)
{
    size_t n = (size_t)p->n * (1 + OPTIMIZER_MOMENTS);
    tensor_list l = {.list = xcalloc(n, sizeof *l.list), .names = xcalloc(n, sizeof *l.names)};
    list_block(&l, p, weights, "");
    for (int i = 0; o && o->row->moments[i]; i++) list_block(&l, p, o->moments[i], o->row->moments[i]);
    return l;
}

static void list_free(tensor_list *l)
{
    free(l->list);
    free(l->names);
}

/* o: with the moments, too; or NULL. */
static int save_slot(store *s, const char *slot, const params *p, real *weights, const optimizer *o,
                     const checkpoint_info *info, const char *state)
{
    tensor_list l = list_tensors(p, weights, o);
    int status = store_save_checkpoint(s, slot, info, state, l.list, l.n);
    list_free(&l);
    return status;
}

static bool all_digits(const char *text) { return *text && text[strspn(text, "0123456789")] == '\0'; }

static void add_kept(const char *slot, const checkpoint_info *info, void *context)
{
    kept_checkpoints *k = context;
    if (!all_digits(slot)) return;
    k->updates = grow(k->updates, &k->capacity, k->n + 1, sizeof *k->updates);
    k->updates[k->n++] = info->update;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int checkpoint_kept(store *s, kept_checkpoints *out)
{
    *out = (kept_checkpoints){0};
    int status = store_each_checkpoint(s, add_kept, out);
    if (out->n) qsort(out->updates, out->n, sizeof *out->updates, by_number);
    return status;
}

/* The newest ones stay. */
static int drop_kept(store *s, int64_t keep)
{
    kept_checkpoints k;
    int status = checkpoint_kept(s, &k);
    for (size_t i = 0; status == 0 && (int64_t)(k.n - i) > keep; i++) {
        char slot[32];
        snprintf(slot, sizeof slot, "%lld", (long long)k.updates[i]);
        status = store_drop_checkpoint(s, slot);
    }
    free(k.updates);
    return status;
}

int checkpoint_save_weights(store *s, const char *slot, params *p, const checkpoint_info *info)
{
    return save_slot(s, slot, p, p->v, NULL, info, NULL);
}

/* The weights of an update, not their mean: means are made of them. */
static int keep_slot(store *s, params *p, const checkpoint_info *info, int64_t keep)
{
    char slot[32];
    snprintf(slot, sizeof slot, "%lld", (long long)info->update);
    return checkpoint_save_weights(s, slot, p, info) < 0 ? -1 : drop_kept(s, keep);
}

static int save_slots(store *s, const optimizer *o, const ema *mean, const train_state *state,
                      const checkpoint_rank *rank)
{
    checkpoint_info info = {.update = state->update, .epoch = state->epoch, .valid_score = rank->score};
    clock_iso8601(info.created);
    const params *p = o->of;
    real *judged = mean ? mean->mean : p->v;
    str text = {0};
    train_state_print(state, &text);
    int status = save_slot(s, "last", p, p->v, o, &info, text.p);
    if (status == 0 && mean) status = save_slot(s, "ema", p, judged, NULL, &info, NULL);
    if (status == 0 && rank->best) status = save_slot(s, "best", p, judged, NULL, &info, NULL);
    if (status == 0 && rank->turning) status = save_slot(s, "plateau", p, judged, NULL, &info, NULL);
    if (status == 0 && rank->keep) status = keep_slot(s, o->of, &info, rank->keep);
    str_free(&text);
    return status;
}

int checkpoint_save(model_file *f, const optimizer *o, const ema *mean, const train_state *s,
                    const checkpoint_rank *rank, metric_log *log)
{
    if (file_begin(f) < 0) return -1;
    if (save_slots(f->s, o, mean, s, rank) == 0 && save_metrics(f->s, log) == 0 && file_commit(f) == 0) {
        log->n = 0;
        return 0;
    }
    if (f->begun) store_rollback(f->s);
    f->begun = false;
    return -1;
}

/* o: with the moments, too; or NULL. */
static int load_tensors(store *s, const char *slot, params *p, real *weights, const optimizer *o)
{
    tensor_list l = list_tensors(p, weights, o);
    int status = store_load_tensors(s, slot, l.list, l.n);
    list_free(&l);
    params_changed(p);
    return status;
}

int checkpoint_load(model_file *f, optimizer *o, ema *mean, train_state *s)
{
    checkpoint_info info;
    str text = {0};
    int found = store_checkpoint(f->s, "last", &info, &text);
    int status = found < 0 ? -1 : 0;
    if (found == 0 || (found == 1 && text.n == 0)) status = nothing_to_resume(f->path);
    if (status == 0 && train_state_parse(text.p, s) < 0) status = fail("%s: %s", f->path, error_message());
    str_free(&text);
    if (status < 0) return -1;
    if (mean && load_tensors(f->s, "ema", o->of, mean->mean, NULL) < 0) return -1;
    return load_tensors(f->s, "last", o->of, o->of->v, o);
}

int checkpoint_turn_back(model_file *f, optimizer *o, ema *mean)
{
    const params *p = o->of;
    if (load_tensors(f->s, "plateau", o->of, o->of->v, NULL) < 0) return -1;
    if (mean) memcpy(mean->mean, p->v, p->n_reals * sizeof(real));
    for (int i = 0; o->row->moments[i]; i++) memset(o->moments[i], 0, p->n_reals * sizeof(real));
    return 0;
}

int checkpoint_load_weights(store *s, const char *slot, params *p)
{
    return load_tensors(s, slot, p, p->v, NULL);
}

bool checkpoint_is_weight(const char *name)
{
    for (const optimizer_row *row = optimizers; row->name; row++)
        for (const char *const *moment = row->moments; *moment; moment++)
            if (strncmp(name, *moment, strlen(*moment)) == 0) return false;
    return true;
}
