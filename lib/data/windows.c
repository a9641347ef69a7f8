#include "data/windows.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"

/* -------------------------------------------------------------------------------------- reading */

bool pair_is_too_long(const corpus_options *o, size_t src_tokens, size_t tgt_tokens)
{
    size_t longer = src_tokens > tgt_tokens ? src_tokens : tgt_tokens;
    return longer > (size_t)o->max_len || longer + 1 > (size_t)o->batch_tokens;
}

int strict_fault(const corpus_options *o, int file, int64_t line, const char *what)
{
    return fail("%s and %s, line %lld: %s (an error because of --strict)", o->src_paths[file],
                o->tgt_paths[file], (long long)line, what);
}

typedef struct {
    const int *ids[2];
    size_t n[2];
} token_pair;

/* BPE dropout made a pair too long: as it is without. */
static void encode_plain(window_stream *s, size_t i, token_pair *p)
{
    const tokenizer *tokenizers[2] = {s->o->src_tokenizer, s->o->tgt_tokenizer};
    for (int side = 0; side < 2; side++) {
        seqs_clear(&s->plain[side]);
        tokenizer_encode(tokenizers[side], NULL, block_text(s->block, side, i), &s->plain[side]);
        p->ids[side] = seqs_at(&s->plain[side], 0);
        p->n[side] = seqs_len(&s->plain[side], 0);
    }
}

/* What becomes of pair i of the block: NULL if it was counted by the first look, else its counter. */
static int64_t *sort_pair(window_stream *s, size_t i, corpus_counts *n, token_pair *p)
{
    span src = block_text(s->block, 0, i), tgt = block_text(s->block, 1, i);
    if (!s->block->valid[i] || src.n == 0 || tgt.n == 0) return NULL;
    for (int side = 0; side < 2; side++) p->ids[side] = block_ids(s->block, side, i, &p->n[side]);
    if (p->n[0] == 0 || p->n[1] == 0) return &n->empty; /* nothing was left by normalisation */
    if (s->o->bpe_dropout > 0 && pair_is_too_long(s->o, p->n[0], p->n[1])) encode_plain(s, i, p);
    if (pair_is_too_long(s->o, p->n[0], p->n[1])) return &n->too_long;
    return holdout_has(s->held_out, src, tgt) ? &n->held_out : &n->used;
}

/* How often pair i of the block is in this epoch. */
static int64_t copies(const window_stream *s, const window *w, size_t i)
{
    if (!s->o->weights) return 1;
    double weight = s->o->weights[s->block->file[i]], whole = floor(weight);
    uint64_t place = hash64_mix((uint64_t)w->epoch, (uint64_t)(s->block->first + (int64_t)i));
    rng draw = rng_at(s->o->seed, RNG_WEIGHT, place);
    return (int64_t)whole + (rng_uniform(&draw) < weight - whole);
}

static int use_block(window_stream *s, window *w)
{
    token_pair p;
    corpus_counts *n = &w->counts;
    for (size_t i = 0; i < s->block->n; i++) {
        int64_t *counter = sort_pair(s, i, n, &p);
        if (!counter) continue;
        ++*counter;
        for (int64_t left = counter == &n->used ? copies(s, w, i) : 0; left > 0; left--) {
            seqs_add(&w->src, p.ids[0], p.n[0]);
            seqs_add(&w->tgt, p.ids[1], p.n[1]);
        }
        if (s->o->strict && (counter == &n->empty || counter == &n->too_long))
            return strict_fault(s->o, s->block->file[i], s->block->line[i],
                                counter == &n->empty ? "an empty side"
                                                     : "longer than --max-len or --batch-tokens");
    }
    return 0;
}

int64_t window_size(const window_stream *s, int64_t number)
{
    int64_t left = s->n_pairs - number * s->o->window_pairs;
    return left < s->o->window_pairs ? left : s->o->window_pairs;
}

static int changed(const window_stream *s)
{
    return fail("%s and %s: changed while they are used for training: start again", s->o->src_paths[0],
                s->o->tgt_paths[0]);
}

/* Goes to the first pair of the window. */
static int go_to(window_stream *s, int64_t number)
{
    text_pair p;
    pair_reader *r = &s->reader;
    int64_t first = number * s->o->window_pairs;
    if (r->total > first || r->file == r->n_files) pairs_rewind(r);
    while (r->total < first && !atomic_load(&s->cancel)) {
        int more = pairs_next(r, &p);
        if (more < 0) return -1;
        if (more == 0) return changed(s);
    }
    return 0;
}

static int read_pairs(window_stream *s, window *w, int64_t number)
{
    int64_t left = window_size(s, number);
    if (!s->block) s->block = block_new(s->o->src_tokenizer, s->o->tgt_tokenizer);
    while (left > 0) {
        if (atomic_load(&s->cancel))
            return fail("the reading of window %lld was cancelled", (long long)number);
        int more = block_read(s->block, &s->reader, left);
        if (more < 0) return -1;
        if (more == 0) return changed(s);
        block_encode_dropout(s->block, &(bpe_dropout){s->o->bpe_dropout, s->o->seed, w->epoch});
        if (use_block(s, w) < 0) return -1;
        left -= (int64_t)s->block->n;
    }
    return 0;
}

/* Nothing is read again once the whole corpus is in memory. */
static void drop_reader(window_stream *s)
{
    pairs_close(&s->reader);
    block_free(s->block);
    s->block = NULL;
}

/* Whether each epoch has pairs of its own, and is read anew. */
static bool anew(const window_stream *s) { return s->o->bpe_dropout > 0 || s->o->weights; }

static int load(window_stream *s, window *w, int64_t epoch, int64_t number)
{
    w->number = -1;
    w->epoch = epoch;
    w->counts = (corpus_counts){0};
    seqs_clear(&w->src);
    seqs_clear(&w->tgt);
    if (go_to(s, number) < 0 || read_pairs(s, w, number) < 0) return -1;
    w->number = number;
    if (s->n_windows == 1 && !anew(s)) drop_reader(s);
    return 0;
}

/* ----------------------------------------------------------------------------------- one ahead */

static bool holds(const window *w, int64_t epoch, int64_t number)
{
    return w->number == number && w->epoch == epoch;
}

/* Where the window is, or may be put: never where the window in use is. */
static window *place_of(window_stream *s, int64_t epoch, int64_t number)
{
    for (int i = 0; i < 2; i++)
        if (holds(&s->windows[i], epoch, number)) return &s->windows[i];
    return s->plans[s->now].pairs == &s->windows[0] ? &s->windows[1] : &s->windows[0];
}

/* Makes the plan that is not in use; its epoch and number are set. The caller does this, or the worker while
 * the caller uses the other plan. */
static int prepare(void *context)
{
    window_stream *s = context;
    planned_window *p = &s->plans[!s->now];
    int64_t epoch = anew(s) ? p->epoch : 0;
    window *w = place_of(s, epoch, p->number);
    p->pairs = NULL;
    if (!holds(w, epoch, p->number) && load(s, w, epoch, p->number) < 0) return -1;
    plan_batches(&p->batches, &w->src, &w->tgt, s->o->batch_tokens, s->o->seed, p->epoch, p->number);
    p->pairs = w;
    return 0;
}

/* Ends what the worker does; whole if it is of use. */
static int await(window_stream *s, bool of_use)
{
    if (!s->busy) return 0;
    atomic_store(&s->cancel, !of_use);
    int status = 0;
    if (of_use)
        status = worker_finish(s->ahead);
    else
        worker_discard(s->ahead); /* an error on the way here is what the user hears of */
    atomic_store(&s->cancel, false);
    s->busy = false;
    return status;
}

static bool is_for(const planned_window *p, int64_t epoch, int64_t number)
{
    return p->epoch == epoch && p->number == number;
}

/* Makes plans[!now] the one for the window. */
static int find(window_stream *s, int64_t epoch, int64_t number)
{
    planned_window *next = &s->plans[!s->now];
    bool asked = s->busy && is_for(next, epoch, number);
    int status = await(s, asked);
    if (asked || (next->pairs && is_for(next, epoch, number))) return status;
    next->epoch = epoch;
    next->number = number;
    return prepare(s);
}

int windows_take(window_stream *s, int64_t epoch, int64_t number, const planned_window **out)
{
    const planned_window *now = &s->plans[s->now];
    if (!now->pairs || !is_for(now, epoch, number)) {
        if (find(s, epoch, number) < 0) return -1;
        s->now = !s->now;
    }
    *out = &s->plans[s->now];
    return 0;
}

void windows_read_ahead(window_stream *s)
{
    const planned_window *now = &s->plans[s->now];
    planned_window *next = &s->plans[!s->now];
    bool last = now->number + 1 >= s->n_windows;
    int64_t epoch = now->epoch + last, number = last ? 0 : now->number + 1;
    if (is_for(next, epoch, number)) return;
    await(s, false);
    if (!s->ahead) s->ahead = worker_new();
    next->epoch = epoch;
    next->number = number;
    s->busy = true;
    worker_start(s->ahead, prepare, s);
}

/* ------------------------------------------------------------------------------- the beginning and the end
 */

void windows_open(window_stream *s, const corpus_options *o, const holdout *held_out)
{
    *s = (window_stream){.o = o, .held_out = held_out};
    s->reader = (pair_reader){.paths = {o->src_paths, o->tgt_paths}, .n_files = o->n_files};
    s->windows[0].number = s->windows[1].number = -1;
}

void windows_set_size(window_stream *s, int64_t n_pairs)
{
    s->n_pairs = n_pairs;
    s->n_windows = (n_pairs + s->o->window_pairs - 1) / s->o->window_pairs;
}

void windows_close(window_stream *s)
{
    await(s, false);
    worker_free(s->ahead);
    pairs_close(&s->reader);
    block_free(s->block);
    for (int i = 0; i < 2; i++) {
        seqs_free(&s->plain[i]);
        seqs_free(&s->windows[i].src);
        seqs_free(&s->windows[i].tgt);
        plan_free(&s->plans[i].batches);
    }
}
