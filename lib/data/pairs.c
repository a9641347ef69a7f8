#include "data/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"

/* ------------------------------------------------------------------------------------- reading */

void pairs_close(pair_reader *r)
{
    for (int side = 0; side < 2; side++) {
        lines_close(r->in[side]);
        r->in[side] = NULL;
    }
}

void pairs_rewind(pair_reader *r)
{
    pairs_close(r);
    *r = (pair_reader){.paths = {r->paths[0], r->paths[1]}, .n_files = r->n_files};
}

static int open_file(pair_reader *r)
{
    const char *src = r->paths[0][r->file], *tgt = r->paths[1][r->file];
    if (strcmp(src, "-") == 0 && strcmp(tgt, "-") == 0)
        return fail("standard input cannot be both source and target: give a file for one of them");
    r->line = 0;
    return lines_open(src, &r->in[0]) < 0 || lines_open(tgt, &r->in[1]) < 0 ? -1 : 0;
}

static void next_file(pair_reader *r)
{
    for (int side = 0; side < 2; side++) {
        r->carriage_returns += lines_count(r->in[side])->carriage_returns;
        r->byte_order_marks += lines_count(r->in[side])->byte_order_marks;
    }
    pairs_close(r);
    r->file++;
}

/* One file has ended and the other has not: counts the lines that are left, for the message. */
static int unequal(pair_reader *r, lines *longer)
{
    span line;
    int more;
    while ((more = lines_next(longer, &line)) == 1) continue;
    if (more < 0) return -1;
    long long src = lines_count(r->in[0])->lines, tgt = lines_count(r->in[1])->lines;
    return fail(
        "%s has %lld line%s, but %s has %lld: line n of one must be the translation of line n of the other",
        lines_path(r->in[0]), src, src == 1 ? "" : "s", lines_path(r->in[1]), tgt);
}

/* 1 and a pair, 0 at the end of this file. */
static int next_of_file(pair_reader *r, text_pair *p)
{
    int more[2];
    for (int side = 0; side < 2; side++)
        if ((more[side] = lines_next(r->in[side], &p->side[side])) < 0) return -1;
    if (more[0] != more[1]) return unequal(r, r->in[more[0] ? 0 : 1]);
    p->valid = lines_valid(r->in[0]) && lines_valid(r->in[1]);
    r->line += more[0];
    r->total += more[0];
    return more[0];
}

int pairs_next(pair_reader *r, text_pair *p)
{
    for (; r->file < r->n_files; next_file(r)) {
        if (!r->in[0] && open_file(r) < 0) return -1;
        int more = next_of_file(r, p);
        if (more != 0) return more;
    }
    return 0;
}

/* -------------------------------------------------------------------------------------- blocks */

pair_block *block_new(const tokenizer *src, const tokenizer *tgt)
{
    pair_block *b = xcalloc(1, sizeof *b);
    b->tokenizers[0] = src;
    b->tokenizers[1] = tgt;
    return b;
}

static bool one_tokenizer(const pair_block *b) { return b->tokenizers[0] == b->tokenizers[1]; }

void block_free(pair_block *b)
{
    if (!b) return;
    for (int i = 0; i < b->n_caches; i++) {
        tokenizer_cache_free(b->caches[i][0]);
        if (!one_tokenizer(b)) tokenizer_cache_free(b->caches[i][1]);
    }
    for (int i = 0; i < BLOCK_PARTS; i++)
        for (int side = 0; side < 2; side++) seqs_free(&b->parts[i][side]);
    str_free(&b->text[0]);
    str_free(&b->text[1]);
    free(b->caches);
    free(b);
}

static void add_text(pair_block *b, const pair_reader *r, const text_pair *p)
{
    b->file[b->n] = r->file;
    b->line[b->n] = r->line;
    b->valid[b->n++] = p->valid;
    for (int side = 0; side < 2; side++) {
        str_add_span(&b->text[side], p->side[side]);
        b->start[side][b->n] = b->text[side].n;
    }
}

static bool has_room(const pair_block *b, int64_t limit)
{
    return b->n < BLOCK_PAIRS && (int64_t)b->n < limit && b->text[0].n + b->text[1].n < BLOCK_BYTES;
}

int block_read(pair_block *b, pair_reader *r, int64_t limit)
{
    text_pair p;
    int more = 1;
    b->n = 0;
    b->first = r->total;
    str_clear(&b->text[0]);
    str_clear(&b->text[1]);
    while (has_room(b, limit) && (more = pairs_next(r, &p)) == 1) add_text(b, r, &p);
    return more < 0 ? -1 : b->n > 0;
}

span block_text(const pair_block *b, int side, size_t i)
{
    const size_t *start = b->start[side];
    return (span){str_text(&b->text[side]) + start[i], start[i + 1] - start[i]};
}

static void encode_pair_side(const pair_block *b, tokenizer_cache *cache, int side, size_t i, seqs *out)
{
    const bpe_dropout *d = &b->dropout;
    uint64_t place = hash64_mix((uint64_t)d->epoch, (uint64_t)(b->first + (int64_t)i) << 1 | (uint64_t)side);
    rng draws = rng_at(d->seed, RNG_BPE, place);
    tokenizer_encode_dropout(b->tokenizers[side], cache, block_text(b, side, i), d->p, &draws, out);
}

/* Rank is for scratch memory only: a cache makes encoding faster, never different. */
static void encode_part(long part, void *context)
{
    pair_block *b = context;
    tokenizer_cache **caches = b->caches[team_rank()];
    size_t first = (size_t)part * PART_PAIRS;
    for (int side = 0; side < 2; side++) {
        seqs *out = &b->parts[part][side];
        seqs_clear(out);
        for (size_t i = first; i < first + PART_PAIRS && i < b->n; i++)
            encode_pair_side(b, caches[side], side, i, out);
    }
}

static void make_caches(pair_block *b)
{
    if (b->n_caches >= team_threads()) return;
    b->caches = xrealloc(b->caches, (size_t)team_threads() * sizeof *b->caches);
    for (; b->n_caches < team_threads(); b->n_caches++) {
        tokenizer_cache **of = b->caches[b->n_caches];
        of[0] = tokenizer_cache_new(b->tokenizers[0]);
        of[1] = one_tokenizer(b) ? of[0] : tokenizer_cache_new(b->tokenizers[1]);
    }
}

void block_encode(pair_block *b) { block_encode_dropout(b, &(bpe_dropout){.p = 0}); }

void block_encode_dropout(pair_block *b, const bpe_dropout *dropout)
{
    b->dropout = *dropout;
    make_caches(b);
    team_run((long)((b->n + PART_PAIRS - 1) / PART_PAIRS), encode_part, b);
}

const int *block_ids(const pair_block *b, int side, size_t i, size_t *n)
{
    const seqs *part = &b->parts[i / PART_PAIRS][side];
    *n = seqs_len(part, i % PART_PAIRS);
    return seqs_at(part, i % PART_PAIRS);
}
