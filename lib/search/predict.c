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

/* The most words that translations of a sentence may have for each of its tokens. */
static double words_a_token(const batch *b)
{
    double most = 0;
    for (size_t i = 0; i < b->src.n; i++)
        most = fmax(most, (double)b->request[i].limit / sentence_tokens(b, i));
    return most;
}

/* Room for what may be decoded together. */
static decoding_room room_of(const batch *b, int rows_each)
{
    int longest = (int)seqs_len(&b->src, 0) + 1, tokens = b->options->batch_tokens;
    if (tokens < longest) tokens = longest;
    size_t sentences = (size_t)tokens / SHORT_TOKENS + 1;
    if (sentences > b->src.n) sentences = b->src.n;
    return (decoding_room){.rows = (int)sentences * rows_each,
                           .sentences = (int)sentences,
                           .steps = b->max_limit,
                           .said = ((int)ceil(words_a_token(b) * tokens) + 1) * rows_each,
                           .words = 2 * tokens + longest};
}

prediction predict_open(const batch *b, int rows_each)
{
    arena *a = b->memory;
    decoding_room room = room_of(b, rows_each);
    size_t rows = (size_t)room.rows, logits = rows * (size_t)b->vocab;
    prediction p = {.b = b, .blocks = pick_blocks(b->vocab)};
    p.nets = arena_alloc(a, (size_t)b->n_nets * sizeof *p.nets);
    p.z = arena_alloc(a, logits * sizeof *p.z);
    if (b->n_nets > 1) p.more = arena_alloc(a, logits * sizeof *p.more);
    p.tops = arena_alloc(a, rows * (size_t)p.blocks * sizeof *p.tops);
    p.log_sums = arena_zalloc(a, rows * sizeof *p.log_sums);
    p.max_rows = room.rows;
    for (int i = 0; i < b->n_nets; i++) p.nets[i] = model_open(b->nets[i], a, &room);
    return p;
}

void predict_join(prediction *p, size_t first, size_t n)
{
    seqs some = seqs_part(&p->b->src, first, n);
    for (int i = 0; i < p->b->n_nets; i++) model_join(p->nets[i], &some);
}

void predict_step(prediction *p, const int *ids, int rows, bool probabilities)
{
    const batch *b = p->b;
    long n = (long)rows * b->vocab;
    model_step(p->nets[0], ids, p->z);
    for (int i = 1; i < b->n_nets; i++) {
        model_step(p->nets[i], ids, p->more);
        vec_add(n, p->more, p->z);
    }
    if (b->n_nets > 1) vec_scale(n, (real)1 / (real)b->n_nets, p->z);
    words_mask(rows, b->vocab, b->options->forbid_unk, p->z);
    pick_tops(rows, b->vocab, p->z, b->vocab, p->tops, probabilities ? p->log_sums : NULL);
}

next_words predict_row(const prediction *p, int row)
{
    return (next_words){p->z + (size_t)row * (size_t)p->b->vocab, p->tops + row * p->blocks, p->log_sums[row],
                        p->b->vocab};
}

void predict_select(prediction *p, const int *from, int rows, int old_rows)
{
    bool same = rows == old_rows;
    for (int i = 0; i < rows && same; i++) same = from[i] == i;
    for (int i = 0; i < p->b->n_nets && !same; i++) model_select(p->nets[i], from, rows);
}

int best_word(const next_words *x)
{
    int best = ID_EOS;
    real top = -(real)INFINITY;
    for (int from = 0; from < x->vocab; from += PICK_BLOCK) {
        if (!(x->tops[from / PICK_BLOCK] > top)) continue;
        int end = from + PICK_BLOCK < x->vocab ? from + PICK_BLOCK : x->vocab;
        for (int w = from; w < end; w++)
            if (x->z[w] > top) top = x->z[w], best = w;
    }
    return best;
}
