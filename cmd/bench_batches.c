#include "bench_batches.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/batches.h"
#include "data/lines.h"

const length_kind length_kinds[] = {
    {"captions", 9, 14.3, 1.03, 0.19},
    {"newswire", 3, 25, 1.03, 0.12},
    {NULL, 0, 0, 0, 0},
};

enum { SHORTEST = 3, LONGEST = 100, MADE_UP_PAIRS = 20000 };

static void add_pair(pair_batch *to, const seqs *src, const seqs *tgt, size_t i)
{
    seqs_add(&to->src, seqs_at(src, i), seqs_len(src, i));
    seqs_add(&to->tgt, seqs_at(tgt, i), seqs_len(tgt, i));
}

static pair_batch *new_batch(batches *b)
{
    b->list = grow(b->list, &b->capacity, b->n + 1, sizeof *b->list);
    b->list[b->n] = (pair_batch){{0}, {0}};
    return &b->list[b->n++];
}

static void free_pairs(pair_batch *p)
{
    seqs_free(&p->src);
    seqs_free(&p->tgt);
}

void batches_free(batches *b)
{
    for (size_t i = 0; i < b->n; i++) free_pairs(&b->list[i]);
    free(b->list);
    *b = (batches){0};
}

/* At most n batches (0: all), as a training would be given them. */
static void cut(const pair_batch *pairs, int batch_tokens, uint64_t seed, size_t n, batches *out)
{
    batch_plan plan = {0};
    plan_batches(&plan, &pairs->src, &pairs->tgt, batch_tokens, seed, 1, 0);
    if (n == 0 || n > plan.n) n = plan.n;
    for (size_t k = 0; k < n; k++) {
        uint32_t b = plan.turn[k];
        pair_batch *batch = new_batch(out);
        for (uint32_t i = plan.first[b]; i < plan.first[b + 1]; i++)
            add_pair(batch, &pairs->src, &pairs->tgt, plan.pairs[i]);
    }
    plan_free(&plan);
}

/* ------------------------------------------------------------------------------------- made up */

static int length(double x)
{
    long n = lround(x);
    return n < SHORTEST ? SHORTEST : n > LONGEST ? LONGEST : (int)n;
}

/* A sum of `shape` exponentially distributed numbers. */
static double draw_gamma(rng *r, int shape, double mean)
{
    double sum = 0;
    for (int i = 0; i < shape; i++) sum -= log1p(-rng_uniform(r));
    return sum * mean / shape;
}

static void make_up_sentence(rng *r, int n, int vocab_size, seqs *out)
{
    seqs_add(out, NULL, 0);
    for (int i = 0; i < n; i++)
        seqs_push(out, ID_FIRST + (int)rng_below(r, (uint32_t)(vocab_size - ID_FIRST)));
}

void batches_make_up(const length_kind *lengths, int vocab_size, int batch_tokens, size_t n, uint64_t seed,
                     batches *out)
{
    pair_batch pairs = {{0}, {0}};
    rng r = rng_at(seed, RNG_TEST, 0);
    for (int i = 0; i < MADE_UP_PAIRS; i++) {
        int src = length(draw_gamma(&r, lengths->shape, lengths->mean));
        int tgt = length(src * (lengths->ratio + lengths->spread * rng_normal(&r)));
        make_up_sentence(&r, src, vocab_size, &pairs.src);
        make_up_sentence(&r, tgt, vocab_size, &pairs.tgt);
    }
    cut(&pairs, batch_tokens, seed, n, out);
    free_pairs(&pairs);
}

seqs shortlist_make_up(int vocab_size, uint64_t seed)
{
    enum { OF_PIECE = 20, COMMON = 100 };
    seqs lists = {0};
    rng r = rng_at(seed, RNG_TEST, 1);
    for (int i = 0; i <= vocab_size; i++)
        make_up_sentence(&r, i < vocab_size ? OF_PIECE : COMMON, vocab_size, &lists);
    return lists;
}

/* ---------------------------------------------------------------------------------------- read */

static int parse_ids(const lines *in, span line, int vocab_size, seqs *out)
{
    long long at = (long long)lines_count(in)->lines;
    seqs_add(out, NULL, 0);
    str text = {0};
    str_add_span(&text, line);
    const char *c = str_text(&text);
    int status = 0;
    for (c += strspn(c, " "); *c && status == 0; c += strspn(c, " ")) {
        char *end;
        errno = 0;
        long id = strtol(c, &end, 10);
        if (end == c || (*end && *end != ' ') || errno)
            status = fail("%s:%lld: not a line of whole numbers", lines_path(in), at);
        else if (id < 0 || id >= vocab_size)
            status = fail("%s:%lld: piece %ld is not in a vocabulary of %d, see --vocab-size", lines_path(in),
                          at, id, vocab_size);
        else
            seqs_push(out, (int)id);
        c = end;
    }
    str_free(&text);
    return status;
}

/* 1 with a pair more in `out`, 0 at the end of both files, -1. */
static int read_pair(lines *const in[2], int vocab_size, pair_batch *out)
{
    span line[2];
    int more[2];
    for (int side = 0; side < 2; side++)
        if ((more[side] = lines_next(in[side], &line[side])) < 0) return -1;
    if (more[0] != more[1])
        return fail("%s has more lines than %s", lines_path(in[more[0] ? 0 : 1]),
                    lines_path(in[more[0] ? 1 : 0]));
    if (!more[0]) return 0;
    return parse_ids(in[0], line[0], vocab_size, &out->src) ||
                   parse_ids(in[1], line[1], vocab_size, &out->tgt)
               ? -1
               : 1;
}

static bool ends_batch(const pair_batch *p, size_t i)
{
    return seqs_len(&p->src, i) + seqs_len(&p->tgt, i) == 0;
}

static void take_as_given(const pair_batch *pairs, batches *out)
{
    pair_batch *batch = NULL;
    for (size_t i = 0; i < pairs->src.n; i++) {
        if (ends_batch(pairs, i)) {
            batch = NULL;
            continue;
        }
        if (!batch) batch = new_batch(out);
        add_pair(batch, &pairs->src, &pairs->tgt, i);
    }
}

static int read_pairs(const char *const paths[2], int vocab_size, pair_batch *out, bool *cut_already)
{
    lines *in[2] = {NULL, NULL};
    int more = lines_open(paths[0], &in[0]) || lines_open(paths[1], &in[1]) ? -1 : 1;
    while (more == 1 && (more = read_pair(in, vocab_size, out)) == 1)
        *cut_already |= ends_batch(out, out->src.n - 1);
    lines_close(in[0]);
    lines_close(in[1]);
    return more;
}

int batches_read(const char *src_path, const char *tgt_path, int vocab_size, int batch_tokens, uint64_t seed,
                 batches *out)
{
    pair_batch pairs = {{0}, {0}};
    const char *const paths[2] = {src_path, tgt_path};
    int status = read_pairs(paths, vocab_size, &pairs, &out->given);
    if (status == 0 && (out->given || batch_tokens == 0))
        take_as_given(&pairs, out);
    else if (status == 0)
        cut(&pairs, batch_tokens, seed, 0, out);
    free_pairs(&pairs);
    if (status == 0 && out->n == 0) status = fail("%s and %s hold no pair", src_path, tgt_path);
    return status;
}

int batches_of_corpus(corpus *c, batches *out)
{
    const pair_batch *b;
    int more;
    while ((more = corpus_next(c, &b)) == 1) {
        pair_batch *copy = new_batch(out);
        for (size_t i = 0; i < b->src.n; i++) add_pair(copy, &b->src, &b->tgt, i);
    }
    return more;
}
