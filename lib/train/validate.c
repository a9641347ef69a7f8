#include "train/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "search/score.h"

static double cross_entropy(model *m, const validation *v)
{
    const pair_batch *pairs = &v->pairs->ids;
    size_t words = seqs_total(&pairs->tgt) + pairs->tgt.n;
    double *log_probs = xmalloc((words + 1) * sizeof *log_probs), sum = 0;
    score_pairs(m, &pairs->src, &pairs->tgt, v->search.batch_tokens, log_probs);
    for (size_t i = 0; i < words; i++) sum += log_probs[i];
    free(log_probs);
    return words ? -sum / (double)words : 0;
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

valid_scores validate(model *m, const validation *v)
{
    double from = clock_seconds(), xent = cross_entropy(m, v);
    /* Translations of a network that computes no numbers any more mean nothing. */
    double bleu = isfinite(xent) ? translate_and_score(m, v) : 0;
    return (valid_scores){.xent = xent, .ppl = exp(xent), .bleu = bleu, .seconds = clock_seconds() - from};
}

/* ---------------------------------------------------------------------------- validation sets */

static void add_pair(pair_batch *to, const pair_batch *from, size_t i)
{
    seqs_add(&to->src, seqs_at(&from->src, i), seqs_len(&from->src, i));
    seqs_add(&to->tgt, seqs_at(&from->tgt, i), seqs_len(&from->tgt, i));
}

static size_t longer_side(const pair_batch *pairs, size_t i)
{
    size_t src = seqs_len(&pairs->src, i), tgt = seqs_len(&pairs->tgt, i);
    return 1 + (src > tgt ? src : tgt);
}

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
