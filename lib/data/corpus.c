#include "data/corpus.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/batches.h"
#include "data/holdout.h"
#include "data/pairs.h"

/* Window w is pairs w * window_pairs .. of the files, whatever of them is used. */
struct corpus {
    corpus_options o;
    char **paths[2]; /* what o's paths point to */
    pair_reader reader;
    pair_block *block;
    holdout held_texts;
    pair_batch held;
    seqs src, tgt;  /* the usable pairs of the window */
    int64_t window; /* which one is loaded; -1: none */
    int64_t n_windows;
    int64_t counted; /* windows that are in `counts` */
    corpus_counts counts;
    batch_plan plan; /* of the window, for `epoch` */
    uint32_t next;   /* batch of the plan */
    int64_t epoch, done;
    pair_batch batch;
};

/* ------------------------------------------------------------------------------- the first look */

static int fault(const corpus_options *o, int file, int64_t line, const char *what)
{
    return fail("%s and %s, line %lld: %s (an error because of --strict)", o->src_paths[file],
                o->tgt_paths[file], (long long)line, what);
}

/* Counts a pair that cannot be used, whatever the tokenizer makes of it. 1: usable. */
static int look_at(corpus *c, const text_pair *p)
{
    bool empty = p->side[0].n == 0 || p->side[1].n == 0;
    c->counts.read++;
    if (p->valid && !empty) return 1;
    if (c->o.strict)
        return fault(&c->o, c->reader.file, c->reader.line,
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
    int more, usable = 0;
    while ((more = pairs_next(&c->reader, &p)) == 1) {
        if ((usable = look_at(c, &p)) < 0) return -1;
        if (usable) holdout_show(&c->held_texts, c->reader.total, p.side[0], p.side[1]);
    }
    c->counts.carriage_returns = c->reader.carriage_returns;
    c->counts.byte_order_marks = c->reader.byte_order_marks;
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

typedef struct {
    const int *ids[2];
    size_t n[2];
} token_pair;

/* A pair must fit into max_len, and into a batch of its own. */
static bool is_too_long(const corpus_options *o, const token_pair *p)
{
    size_t longer = p->n[0] > p->n[1] ? p->n[0] : p->n[1];
    return longer > (size_t)o->max_len || longer + 1 > (size_t)o->batch_tokens;
}

static void add_pair(seqs *src, seqs *tgt, const token_pair *p)
{
    seqs_add(src, p->ids[0], p->n[0]);
    seqs_add(tgt, p->ids[1], p->n[1]);
}

/* What becomes of pair i of the block: NULL if it was counted by the first look, else its counter. */
static int64_t *sort_pair(corpus *c, size_t i, corpus_counts *n, token_pair *p)
{
    span src = block_text(c->block, 0, i), tgt = block_text(c->block, 1, i);
    if (!c->block->valid[i] || src.n == 0 || tgt.n == 0) return NULL;
    for (int side = 0; side < 2; side++) p->ids[side] = block_ids(c->block, side, i, &p->n[side]);
    if (p->n[0] == 0 || p->n[1] == 0) return &n->empty; /* nothing was left by normalisation */
    if (is_too_long(&c->o, p)) return &n->too_long;
    return holdout_has(&c->held_texts, src, tgt) ? &n->held_out : &n->used;
}

static int use_block(corpus *c, corpus_counts *n)
{
    token_pair p;
    for (size_t i = 0; i < c->block->n; i++) {
        int64_t *counter = sort_pair(c, i, n, &p);
        if (!counter) continue;
        ++*counter;
        if (counter == &n->used) add_pair(&c->src, &c->tgt, &p);
        if (c->o.strict && (counter == &n->empty || counter == &n->too_long))
            return fault(&c->o, c->block->file[i], c->block->line[i],
                         counter == &n->empty ? "an empty side" : "longer than --max-len or --batch-tokens");
    }
    return 0;
}

static int64_t window_size(const corpus *c, int64_t window)
{
    int64_t left = c->counts.read - window * c->o.window_pairs;
    return left < c->o.window_pairs ? left : c->o.window_pairs;
}

static int changed(const corpus *c)
{
    return fail("%s and %s: changed while they are used for training: start again", c->o.src_paths[0],
                c->o.tgt_paths[0]);
}

/* Goes to the first pair of the window. */
static int go_to(corpus *c, int64_t window)
{
    text_pair p;
    int64_t first = window * c->o.window_pairs;
    if (c->reader.total > first || c->reader.file == c->reader.n_files) pairs_rewind(&c->reader);
    while (c->reader.total < first) {
        int more = pairs_next(&c->reader, &p);
        if (more < 0) return -1;
        if (more == 0) return changed(c);
    }
    return 0;
}

static int read_window(corpus *c, int64_t window, corpus_counts *n)
{
    int64_t left = window_size(c, window);
    seqs_clear(&c->src);
    seqs_clear(&c->tgt);
    while (left > 0) {
        int more = block_read(c->block, &c->reader, left);
        if (more < 0) return -1;
        if (more == 0) return changed(c);
        block_encode(c->block);
        if (use_block(c, n) < 0) return -1;
        left -= (int64_t)c->block->n;
    }
    return 0;
}

static void count_window(corpus *c, const corpus_counts *n)
{
    c->counts.empty += n->empty;
    c->counts.too_long += n->too_long;
    c->counts.held_out += n->held_out;
    c->counts.used += n->used;
    c->counted++;
}

static int load_window(corpus *c, int64_t window)
{
    corpus_counts n = {0};
    if (c->window == window) return 0;
    c->window = -1;
    if (go_to(c, window) < 0 || read_window(c, window, &n) < 0) return -1;
    if (c->counted == window) count_window(c, &n);
    c->window = window;
    if (c->n_windows == 1) pairs_close(&c->reader);
    return 0;
}

/* Loads a window and plans its batches for the epoch. */
static int start_window(corpus *c, int64_t window)
{
    if (load_window(c, window) < 0) return -1;
    plan_batches(&c->plan, &c->src, &c->tgt, c->o.batch_tokens, c->o.seed, c->epoch, window);
    c->next = 0;
    return 0;
}

/* ------------------------------------------------------------------------------------- opening */

static void encode_held_out(corpus *c)
{
    const tokenizer *tokenizers[2] = {c->o.src_tokenizer, c->o.tgt_tokenizer};
    for (size_t i = 0; i < c->held_texts.n; i++) {
        seqs one[2] = {{0}, {0}};
        token_pair p;
        for (int side = 0; side < 2; side++) {
            tokenizer_encode(tokenizers[side], NULL, str_span(&c->held_texts.pairs[i].text[side]),
                             &one[side]);
            p.ids[side] = seqs_at(&one[side], 0);
            p.n[side] = seqs_len(&one[side], 0);
        }
        if (p.n[0] > 0 && p.n[1] > 0 && !is_too_long(&c->o, &p)) add_pair(&c->held.src, &c->held.tgt, &p);
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
    c->n_windows = (c->counts.read + c->o.window_pairs - 1) / c->o.window_pairs;
    if (c->n_windows == 0) return nothing_usable(c);
    if (corpus_seek(c, 1, 0) < 0) return -1;
    return c->n_windows == c->counted && c->counts.used == 0 ? nothing_usable(c) : 0;
}

int corpus_open(const corpus_options *o, corpus **out)
{
    BUG_IF(o->n_files < 1 || o->max_len < 1 || o->batch_tokens < 2);
    corpus *c = xcalloc(1, sizeof *c);
    c->o = *o;
    c->paths[0] = copy_paths(o->src_paths, o->n_files);
    c->paths[1] = copy_paths(o->tgt_paths, o->n_files);
    c->o.src_paths = (const char *const *)c->paths[0]; /* C adds no const below the first pointer by itself */
    c->o.tgt_paths = (const char *const *)c->paths[1];
    if (c->o.window_pairs < 1) c->o.window_pairs = 1;
    if (c->o.window_pairs > UINT32_MAX - 1)
        c->o.window_pairs = UINT32_MAX - 1; /* pairs have 32-bit numbers */
    c->reader = (pair_reader){.paths = {c->o.src_paths, c->o.tgt_paths}, .n_files = o->n_files};
    c->block = block_new(o->src_tokenizer, o->tgt_tokenizer);
    c->held_texts.max = o->hold_out_permille > 0 && o->hold_out_max > 0 ? (size_t)o->hold_out_max : 0;
    c->window = -1;
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
    pairs_close(&c->reader);
    block_free(c->block);
    holdout_free(&c->held_texts);
    free_batch(&c->held);
    free_batch(&c->batch);
    seqs_free(&c->src);
    seqs_free(&c->tgt);
    plan_free(&c->plan);
    free_paths(c->paths[0], c->o.n_files);
    free_paths(c->paths[1], c->o.n_files);
    free(c);
}

/* ------------------------------------------------------------------------------------- batches */

/* 1 if the epoch has another batch, of the loaded window; 0 if not. */
static int find_batch(corpus *c)
{
    while (c->next == c->plan.n) {
        if (c->window + 1 >= c->n_windows) return 0;
        if (start_window(c, c->window + 1) < 0) return -1;
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
        int64_t left = c->plan.n - c->next, step = done - c->done < left ? done - c->done : left;
        c->next += (uint32_t)step;
        c->done += step;
    }
    return 0;
}

int corpus_next(corpus *c, const pair_batch **batch)
{
    int more = find_batch(c);
    if (more != 1) return more;
    uint32_t b = c->plan.turn[c->next++];
    seqs_clear(&c->batch.src);
    seqs_clear(&c->batch.tgt);
    for (uint32_t i = c->plan.first[b]; i < c->plan.first[b + 1]; i++) {
        uint32_t pair = c->plan.pairs[i];
        seqs_add(&c->batch.src, seqs_at(&c->src, pair), seqs_len(&c->src, pair));
        seqs_add(&c->batch.tgt, seqs_at(&c->tgt, pair), seqs_len(&c->tgt, pair));
    }
    c->done++;
    *batch = &c->batch;
    return 1;
}

int64_t corpus_epoch(const corpus *c) { return c->epoch; }

int64_t corpus_done(const corpus *c) { return c->done; }

double corpus_progress(const corpus *c)
{
    double share = c->plan.n ? (double)c->next / c->plan.n : 1;
    double before = (double)c->window * (double)c->o.window_pairs;
    return (before + share * (double)window_size(c, c->window)) / (double)c->counts.read;
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
            token_pair p;
            for (int side = 0; side < 2; side++) p.ids[side] = block_ids(b, side, i, &p.n[side]);
            add_pair(&out->ids.src, &out->ids.tgt, &p);
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
