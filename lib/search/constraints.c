/* What must or must not come next, whatever its probability. */
#include <math.h>
#include <string.h>

#include "base/ids.h"
#include "search/decode.h"

static void forbid(next_words *x, int w)
{
    int place = word_place(x, w);
    if (place >= 0) x->z[place] = -(real)INFINITY;
}

static void forbid_all_but(next_words *x, int w)
{
    int place = word_place(x, w);
    real z = x->z[place];
    for (int i = 0; i < x->n; i++) x->z[i] = -(real)INFINITY;
    x->z[place] = z;
}

/* --------------------------------------------------------------------- a length that is given */

static bool has_requests(const search_options *o) { return o->requests; }

static bool apply_length(const said *row, next_words *x)
{
    if (!row->request->exact) return false;
    bool last = row->n + 1 == row->request->limit;
    (last ? forbid_all_but : forbid)(x, ID_EOS);
    return last;
}

/* ------------------------------------------------------- a translation begins with given words */

static bool apply_prefix(const said *row, next_words *x)
{
    if (row->n >= row->request->n_prefix) return false;
    forbid_all_but(x, row->request->prefix[row->n]);
    return true;
}

/* ------------------------------------------------------------------------ words never produced */

static bool has_never(const search_options *o) { return o->n_never; }

static bool apply_never(const said *row, next_words *x)
{
    for (int i = 0; i < row->options->n_never; i++) forbid(x, row->options->never[i]);
    return false;
}

/* ------------------------------------------------------------------------------ minimum length */

static bool has_min_len(const search_options *o) { return o->min_len || o->requests; }

static bool apply_min_len(const said *row, next_words *x)
{
    if (row->n < row->request->min_len) forbid(x, ID_EOS);
    return false;
}

/* --------------------------------------------------------------------------- repeated n-grams */

static bool has_ngram(const search_options *o) { return o->no_repeat_ngram; }

/* Forbids what followed the last n - 1 words wherever they stood before (Paulus et al. 2018). */
static bool apply_ngram(const said *row, next_words *x)
{
    int before = row->options->no_repeat_ngram - 1;
    const int *last = row->words + row->n - before;
    for (int i = 0; i + before < row->n; i++)
        if (!before || !memcmp(row->words + i, last, (size_t)before * sizeof *last))
            forbid(x, row->words[i + before]);
    return false;
}

const constraint constraints[] = {
    {"length", has_requests, apply_length},      {"prefix", has_requests, apply_prefix},
    {"never", has_never, apply_never},           {"min-len", has_min_len, apply_min_len},
    {"no-repeat-ngram", has_ngram, apply_ngram}, {NULL, NULL, NULL}};

bool constraints_active(const search_options *o)
{
    for (const constraint *c = constraints; c->name; c++)
        if (c->active(o)) return true;
    return false;
}

void constraints_apply(const said *row, next_words *x)
{
    for (const constraint *c = constraints; c->name; c++)
        if (c->active(row->options) && c->apply(row, x)) return;
}
