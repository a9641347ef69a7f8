#include "data/corpus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/windows.h"

struct corpus {
    corpus_options o;
    char **paths[2]; /* what o's paths point to */
    double *weights; /* and its weights */
    holdout held_texts;
    pair_batch held;
    window_stream windows;
    const planned_window *window; /* in use; NULL before the first */
    uint32_t next;                /* batch of its plan */
    int64_t counted;              /* windows that are in `counts` */
    corpus_counts counts;
    int64_t epoch, done;
    pair_batch batch;
};

/* ------------------------------------------------------------------------------- the first look */

/* Counts a pair that cannot be used, whatever the tokenizer makes of it. 1: usable. */
static int look_at(corpus *c, const text_pair *p)
{
    bool empty = p->side[0].n == 0 || p->side[1].n == 0;
    c->counts.read++;
    if (p->valid && !empty) return 1;
    if (c->o.strict)
        return strict_fault(&c->o, c->windows.reader.file, c->windows.reader.line,
                            empty ? "an empty side" : "invalid UTF-8 or a zero byte");
    if (empty)
        c->counts.empty++;
    else
        c->counts.invalid++;
    return 0;
}

static int look_at_all(corpus *c)
{
    text_pair p;
    pair_reader *r = &c->windows.reader;
    int more, usable = 0;
    while ((more = pairs_next(r, &p)) == 1) {
        if ((usable = look_at(c, &p)) < 0) return -1;
        if (usable) holdout_show(&c->held_texts, r->total, p.side[0], p.side[1]);
    }
    c->counts.carriage_returns = r->carriage_returns;
    c->counts.byte_order_marks = r->byte_order_marks;
    return more;
}

/* At least one pair is held out if asked for, and at least one is left. */
static size_t held_out_size(const corpus *c)
{
    int64_t usable = c->counts.read - c->counts.empty - c->counts.invalid;
    int64_t n = usable / 1000 * c->o.hold_out_permille + usable % 1000 * c->o.hold_out_permille / 1000;
    if (n < 1) n = 1;
    if (n > c->o.hold_out_max) n = c->o.hold_out_max;
    return usable < 2 || c->o.hold_out_permille <= 0 ? 0 : (size_t)n;
}

/* A file is read once to be checked and once an epoch. */
static int check_path(const char *path)
{
    struct stat info;
    if (strcmp(path, "-") != 0 && (stat(path, &info) < 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
        return 0; /* lines_open tells what is wrong with it */
    return fail("%s: can be read only once, but training reads its text again and again: give a file", path);
}

static int check_paths(const corpus_options *o)
{
    for (int i = 0; i < o->n_files; i++)
        if (check_path(o->src_paths[i]) < 0 || check_path(o->tgt_paths[i]) < 0) return -1;
    return 0;
}

/* -------------------------------------------------------------------------------------- windows */

static void count_window(corpus *c, const corpus_counts *n)
{
    c->counts.empty += n->empty;
    c->counts.too_long += n->too_long;
    c->counts.held_out += n->held_out;
    c->counts.used += n->used;
    c->counted++;
}

/* Goes to the first batch of a window in this epoch. */
static int start_window(corpus *c, int64_t number)
{
    if (windows_take(&c->windows, c->epoch, number, &c->window) < 0) return -1;
    if (c->counted == number) count_window(c, &c->window->pairs->counts);
    c->next = 0;
    return 0;
}

/* ------------------------------------------------------------------------------------- opening */

static void encode_held_out(corpus *c)
{
    const tokenizer *tokenizers[2] = {c->o.src_tokenizer, c->o.tgt_tokenizer};
    for (size_t i = 0; i < c->held_texts.n; i++) {
        seqs one[2] = {{0}, {0}};
        for (int side = 0; side < 2; side++)
            tokenizer_encode(tokenizers[side], NULL, str_span(&c->held_texts.pairs[i].text[side]),
                             &one[side]);
        size_t n[2] = {seqs_len(&one[0], 0), seqs_len(&one[1], 0)};
        if (n[0] > 0 && n[1] > 0 && !pair_is_too_long(&c->o, n[0], n[1])) {
            seqs_add(&c->held.src, seqs_at(&one[0], 0), n[0]);
            seqs_add(&c->held.tgt, seqs_at(&one[1], 0), n[1]);
        }
        seqs_free(&one[0]);
        seqs_free(&one[1]);
    }
}

static char **copy_paths(const char *const *paths, int n)
{
    char **copy = xcalloc((size_t)n + 1, sizeof *copy);
    for (int i = 0; i < n; i++) copy[i] = xstrdup(paths[i]);
    return copy;
}

static double *copy_weights(const double *weights, int n)
{
    double *copy = xcalloc((size_t)n + 1, sizeof *copy);
    memcpy(copy, weights, (size_t)n * sizeof *copy);
    return copy;
}

static int nothing_usable(const corpus *c)
{
    const corpus_counts *n = &c->counts;
    return fail(
        "%s and %s: no usable pair of sentences (read %lld: empty %lld, not UTF-8 %lld, too long %lld, held "
        "out %lld)",
        c->o.src_paths[0], c->o.tgt_paths[0], (long long)n->read, (long long)n->empty, (long long)n->invalid,
        (long long)n->too_long, (long long)n->held_out);
}

static int look_and_load(corpus *c)
{
    if (check_paths(&c->o) < 0 || look_at_all(c) < 0) return -1;
    holdout_finish(&c->held_texts, held_out_size(c));
    encode_held_out(c);
    windows_set_size(&c->windows, c->counts.read);
    if (c->windows.n_windows == 0) return nothing_usable(c);
    if (corpus_seek(c, 1, 0) < 0) return -1;
    return c->windows.n_windows == c->counted && c->counts.used == 0 ? nothing_usable(c) : 0;
}

int corpus_open(const corpus_options *o, corpus **out)
{
    BUG_IF(o->n_files < 1 || o->max_len < 1 || o->batch_tokens < 2);
    corpus *c = xcalloc(1, sizeof *c);
    c->o = *o;
    if (o->weights) c->o.weights = c->weights = copy_weights(o->weights, o->n_files);
    c->paths[0] = copy_paths(o->src_paths, o->n_files);
    c->paths[1] = copy_paths(o->tgt_paths, o->n_files);
    c->o.src_paths = (const char *const *)c->paths[0]; /* C adds no const below the first pointer by itself */
    c->o.tgt_paths = (const char *const *)c->paths[1];
    if (c->o.window_pairs < 1) c->o.window_pairs = 1;
    if (c->o.window_pairs > UINT32_MAX - 1)
        c->o.window_pairs = UINT32_MAX - 1; /* pairs have 32-bit numbers */
    windows_open(&c->windows, &c->o, &c->held_texts);
    c->held_texts.max = o->hold_out_permille > 0 && o->hold_out_max > 0 ? (size_t)o->hold_out_max : 0;
    *out = c;
    if (look_and_load(c) == 0) return 0;
    corpus_close(c);
    *out = NULL;
    return -1;
}

static void free_paths(char **paths, int n)
{
    for (int i = 0; i < n; i++) free(paths[i]);
    free(paths);
}

static void free_batch(pair_batch *b)
{
    seqs_free(&b->src);
    seqs_free(&b->tgt);
}

void corpus_close(corpus *c)
{
    if (!c) return;
    windows_close(&c->windows);
    holdout_free(&c->held_texts);
    free_batch(&c->held);
    free_batch(&c->batch);
    free(c->weights);
    free_paths(c->paths[0], c->o.n_files);
    free_paths(c->paths[1], c->o.n_files);
    free(c);
}

/* ------------------------------------------------------------------------------------- batches */

/* 1 if the epoch has another batch, of the loaded window; 0 if not. */
static int find_batch(corpus *c)
{
    while (c->next == c->window->batches.n) {
        if (c->window->number + 1 >= c->windows.n_windows) return 0;
        if (start_window(c, c->window->number + 1) < 0) return -1;
    }
    return 1;
}

int corpus_seek(corpus *c, int64_t epoch, int64_t done)
{
    c->epoch = epoch;
    c->done = 0;
    if (start_window(c, 0) < 0) return -1;
    while (c->done < done) {
        int more = find_batch(c);
        if (more < 0) return -1;
        if (more == 0)
            return fail(
                "%s and %s: epoch %lld has only %lld batches, but training goes on after batch %lld: not "
                "the text or the settings that it began with",
                c->o.src_paths[0], c->o.tgt_paths[0], (long long)epoch, (long long)c->done, (long long)done);
        int64_t left = c->window->batches.n - c->next, step = done - c->done < left ? done - c->done : left;
        c->next += (uint32_t)step;
        c->done += step;
    }
    return 0;
}

int corpus_next(corpus *c, const pair_batch **batch)
{
    int more = find_batch(c);
    if (more != 1) return more;
    windows_read_ahead(&c->windows); /* now that the window is really used */
    const batch_plan *plan = &c->window->batches;
    const seqs *src = &c->window->pairs->src, *tgt = &c->window->pairs->tgt;
    uint32_t b = plan->turn[c->next++];
    seqs_clear(&c->batch.src);
    seqs_clear(&c->batch.tgt);
    for (uint32_t i = plan->first[b]; i < plan->first[b + 1]; i++) {
        uint32_t pair = plan->pairs[i];
        seqs_add(&c->batch.src, seqs_at(src, pair), seqs_len(src, pair));
        seqs_add(&c->batch.tgt, seqs_at(tgt, pair), seqs_len(tgt, pair));
    }
    c->done++;
    *batch = &c->batch;
    return 1;
}

int64_t corpus_epoch(const corpus *c) { return c->epoch; }

int64_t corpus_done(const corpus *c) { return c->done; }

double corpus_progress(const corpus *c)
{
    const planned_window *w = c->window;
    double share = w->batches.n ? (double)c->next / w->batches.n : 1;
    double before = (double)w->number * (double)c->o.window_pairs;
    return (before + share * (double)window_size(&c->windows, w->number)) / (double)c->counts.read;
}

const corpus_counts *corpus_count(const corpus *c) { return &c->counts; }

const pair_batch *corpus_held_out(const corpus *c) { return &c->held; }

/* ------------------------------------------------------------------------------ validation sets */

static void add_text(pair_text *p, size_t *capacity, span line)
{
    p->tgt_start = grow(p->tgt_start, capacity, p->ids.src.n + 1, sizeof *p->tgt_start);
    str_add_span(&p->tgt_text, line);
    p->tgt_start[p->ids.src.n] = p->tgt_text.n;
}

static int read_all(pair_reader *r, pair_block *b, pair_text *out)
{
    size_t capacity = 0;
    int more;
    out->tgt_start = grow(NULL, &capacity, 1, sizeof *out->tgt_start);
    out->tgt_start[0] = 0;
    while ((more = block_read(b, r, BLOCK_PAIRS)) == 1) {
        block_encode(b);
        for (size_t i = 0; i < b->n; i++) {
            for (int side = 0; side < 2; side++) {
                size_t n;
                const int *ids = block_ids(b, side, i, &n);
                seqs_add(side ? &out->ids.tgt : &out->ids.src, ids, n);
            }
            add_text(out, &capacity, block_text(b, 1, i));
        }
    }
    return more;
}

int pair_text_read(const char *src_path, const char *tgt_path, const tokenizer *src, const tokenizer *tgt,
                   pair_text *out)
{
    pair_reader r = {.paths = {&src_path, &tgt_path}, .n_files = 1};
    pair_block *b = block_new(src, tgt);
    *out = (pair_text){0};
    int status = read_all(&r, b, out);
    pairs_close(&r);
    block_free(b);
    if (status < 0) pair_text_free(out);
    return status;
}

void pair_text_free(pair_text *p)
{
    free_batch(&p->ids);
    str_free(&p->tgt_text);
    free(p->tgt_start);
    *p = (pair_text){0};
}
