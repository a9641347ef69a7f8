#include "train/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* ------------------------------------------------------------------------------ cross entropy */

typedef struct {
    size_t len, i;
} by_length;

static int compare(const void *a, const void *b)
{
    const by_length *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

static size_t longer_side(const pair_batch *pairs, size_t i)
{
    size_t src = seqs_len(&pairs->src, i), tgt = seqs_len(&pairs->tgt, i);
    return 1 + (src > tgt ? src : tgt);
}

/* Sentences of like length run together. */
static by_length *sorted(const pair_batch *pairs)
{
    size_t n = pairs->src.n;
    by_length *order = xmalloc(n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = (by_length){longer_side(pairs, i), i};
    qsort(order, n, sizeof *order, compare);
    return order;
}

static void add_pair(pair_batch *to, const pair_batch *from, size_t i)
{
    seqs_add(&to->src, seqs_at(&from->src, i), seqs_len(&from->src, i));
    seqs_add(&to->tgt, seqs_at(&from->tgt, i), seqs_len(&from->tgt, i));
}

static double batch_nll(model *m, arena *memory, const pair_batch *batch, long *words)
{
    arena_reset(memory);
    tape t = tape_new(memory, false, false, 0, 0);
    model_sums sums = model_loss(m, &t, &batch->src, &batch->tgt, 0, 0);
    *words += sums.words;
    return sums.nll;
}

static double cross_entropy(model *m, const validation *v, arena *memory)
{
    const pair_batch *all = &v->pairs->ids;
    by_length *order = sorted(all);
    pair_batch batch = {0};
    double nll = 0;
    long words = 0;
    for (size_t i = 0; i < all->src.n;) {
        seqs_clear(&batch.src);
        seqs_clear(&batch.tgt);
        do add_pair(&batch, all, order[i++].i);
        while (i < all->src.n && (batch.src.n + 1) * order[i].len <= (size_t)v->batch_tokens);
        nll += batch_nll(m, memory, &batch, &words);
    }
    seqs_free(&batch.src);
    seqs_free(&batch.tgt);
    free(order);
    return nll / (double)(words ? words : 1);
}

/* --------------------------------------------------------------------------------------- BLEU */

static span reference(const pair_text *set, size_t i)
{
    return (span){str_text(&set->tgt_text) + set->tgt_start[i], set->tgt_start[i + 1] - set->tgt_start[i]};
}

static double translate_and_score(model *m, const validation *v)
{
    const seqs *src = &v->pairs->ids.src;
    hyp_list *lists = xcalloc(src->n, sizeof *lists);
    search(m, src, &v->search, lists);
    bleu_stats stats = {0};
    str text = {0};
    for (size_t i = 0; i < src->n; i++) {
        str_clear(&text);
        if (lists[i].n > 0)
            tokenizer_decode(v->tokenizer, lists[i].hyps[0].ids, (size_t)lists[i].hyps[0].n, &text);
        span ref = reference(v->pairs, i);
        bleu_add(&stats, &v->bleu, str_span(&text), &ref, 1);
    }
    str_free(&text);
    search_free(lists, src->n);
    free(lists);
    return bleu_compute(&stats, &v->bleu).score;
}

valid_scores validate(model *m, const validation *v, arena *memory)
{
    double from = clock_seconds(), xent = cross_entropy(m, v, memory);
    /* Translations of a network that computes no numbers any more mean nothing. */
    double bleu = isfinite(xent) ? translate_and_score(m, v) : 0;
    return (valid_scores){.xent = xent, .ppl = exp(xent), .bleu = bleu, .seconds = clock_seconds() - from};
}

/* ---------------------------------------------------------------------------- validation sets */

void valid_from_pairs(const pair_batch *pairs, const tokenizer *tgt, pair_text *out)
{
    *out = (pair_text){.tgt_start = xcalloc(pairs->src.n + 1, sizeof *out->tgt_start)};
    for (size_t i = 0; i < pairs->src.n; i++) {
        add_pair(&out->ids, pairs, i);
        tokenizer_decode(tgt, seqs_at(&pairs->tgt, i), seqs_len(&pairs->tgt, i), &out->tgt_text);
        out->tgt_start[i + 1] = out->tgt_text.n;
    }
}

size_t valid_limit(pair_text *set, int max_len)
{
    pair_text kept = {.tgt_start = xcalloc(set->ids.src.n + 1, sizeof *kept.tgt_start)};
    size_t n = set->ids.src.n;
    for (size_t i = 0; i < n; i++) {
        bool empty = seqs_len(&set->ids.src, i) == 0 || seqs_len(&set->ids.tgt, i) == 0;
        if (empty || longer_side(&set->ids, i) > (size_t)max_len + 1) continue;
        add_pair(&kept.ids, &set->ids, i);
        str_add_span(&kept.tgt_text, reference(set, i));
        kept.tgt_start[kept.ids.src.n] = kept.tgt_text.n;
    }
    pair_text_free(set);
    *set = kept;
    return n - kept.ids.src.n;
}
