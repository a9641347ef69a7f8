/* What the networks say of the next words. Logits stay logits: choosing needs their order, and the logarithm
 * of their sum where probabilities are asked for, but never a log-softmax of every word. */
#include <math.h>

#include "base/ids.h"
#include "base/memory.h"
#include "kernel/softmax.h"
#include "kernel/vector.h"
#include "search/batching.h"
#include "search/decode.h"

void words_mask(int rows, int vocab, bool forbid_unk, real *z)
{
    for (int r = 0; r < rows; r++) {
        real *row = z + (size_t)r * (size_t)vocab;
        row[ID_PAD] = row[ID_BOS] = -INFINITY;
        if (forbid_unk) row[ID_UNK] = -INFINITY;
    }
}

/* Room for what may be decoded together. */
static decoding_room room_of(const batch *b)
{
    int longest = (int)seqs_len(&b->src, 0) + 1, tokens = b->options->batch_tokens;
    int each = rows_each(b->options);
    if (tokens < longest) tokens = longest;
    size_t sentences = (size_t)tokens / SHORT_TOKENS + 1;
    if (sentences > b->src.n) sentences = b->src.n;
    return (decoding_room){.rows = (int)sentences * each,
                           .sentences = (int)sentences,
                           .steps = b->max_limit,
                           .said = ((int)ceil(b->words_a_token * tokens) + 1) * each,
                           .words = 2 * tokens + longest,
                           .some_words = b->options->shortlist};
}

prediction predict_open(const batch *b)
{
    arena *a = b->memory;
    decoding_room room = room_of(b);
    size_t rows = (size_t)room.rows, logits = rows * (size_t)(b->vocab + MODEL_COLUMNS);
    prediction p = {.b = b, .blocks = pick_blocks(b->vocab)};
    p.nets = arena_alloc(a, (size_t)b->n_nets * sizeof *p.nets);
    p.z = arena_alloc(a, logits * sizeof *p.z);
    if (b->n_nets > 1) p.more = arena_alloc(a, logits * sizeof *p.more);
    p.tops = arena_alloc(a, rows * (size_t)p.blocks * sizeof *p.tops);
    p.log_sums = arena_zalloc(a, rows * sizeof *p.log_sums);
    p.max_rows = room.rows;
    if (b->options->shortlist) {
        p.some = shortlist_open(b, room.rows);
        p.all = arena_alloc(a, logits * sizeof *p.all);
    }
    for (int i = 0; i < b->n_nets; i++) p.nets[i] = model_open(b->nets[i], a, &room);
    return p;
}

void predict_join(prediction *p, size_t first, size_t n)
{
    seqs some = seqs_part(&p->b->src, first, n);
    for (int i = 0; i < p->b->n_nets; i++) model_join(p->nets[i], &some);
    if (p->some) shortlist_join(p->some, p->nets, first, n);
}

static void step(const prediction *p, int net, const int *ids, int columns, real *z)
{
    if (p->some)
        model_step_some(p->nets[net], ids, columns, z);
    else
        model_step(p->nets[net], ids, z);
}

/* The mean of all networks' logits, (rows, columns). */
static void mean_logits(prediction *p, const int *ids, int rows, int columns, real *z)
{
    const int n_nets = p->b->n_nets;
    long n = (long)rows * columns;
    step(p, 0, ids, columns, z);
    for (int i = 1; i < n_nets; i++) {
        step(p, i, ids, columns, p->more);
        vec_add(n, p->more, z);
    }
    if (n_nets > 1) vec_scale(n, (real)1 / (real)n_nets, z);
}

/* Each row has words of its own. */
static void step_some(prediction *p, const int *ids, int rows, bool probabilities)
{
    int columns = shortlist_columns(p->some);
    mean_logits(p, ids, rows, columns, p->all);
    for (int row = 0; row < rows; row++) {
        int n;
        real *z = p->z + (size_t)row * (size_t)p->b->vocab;
        shortlist_ids(p->some, row, &n);
        shortlist_pick(p->some, row, p->all + (size_t)row * (size_t)columns, z);
        pick_tops(1, n, z, n, p->tops + row * p->blocks, probabilities ? p->log_sums + row : NULL);
    }
}

void predict_step(prediction *p, const int *ids, int rows, bool probabilities)
{
    const batch *b = p->b;
    if (p->some) {
        step_some(p, ids, rows, probabilities);
        return;
    }
    mean_logits(p, ids, rows, b->vocab, p->z);
    words_mask(rows, b->vocab, b->options->forbid_unk, p->z);
    pick_tops(rows, b->vocab, p->z, b->vocab, p->tops, probabilities ? p->log_sums : NULL);
}

next_words predict_row(const prediction *p, int row)
{
    int vocab = p->b->vocab;
    next_words x = {p->z + (size_t)row * (size_t)vocab, p->tops + row * p->blocks, p->log_sums[row], vocab,
                    NULL};
    if (p->some) x.ids = shortlist_ids(p->some, row, &x.n);
    return x;
}

void predict_select(prediction *p, const int *from, int rows, int old_rows)
{
    bool same = rows == old_rows;
    for (int i = 0; i < rows && same; i++) same = from[i] == i;
    for (int i = 0; i < p->b->n_nets && !same; i++) model_select(p->nets[i], from, rows);
    if (p->some && !same) shortlist_select(p->some, from, rows);
}

int word_place(const next_words *x, int id)
{
    if (!x->ids) return id;
    int low = 0, high = x->n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (x->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < x->n && x->ids[low] == id ? low : -1;
}

int best_word(const next_words *x)
{
    int best = -1;
    real top = -(real)INFINITY;
    for (int from = 0; from < x->n; from += PICK_BLOCK) {
        if (!(x->tops[from / PICK_BLOCK] > top)) continue;
        int end = from + PICK_BLOCK < x->n ? from + PICK_BLOCK : x->n;
        for (int w = from; w < end; w++)
            if (x->z[w] > top) top = x->z[w], best = w;
    }
    return best < 0 ? word_place(x, ID_EOS) : best;
}
