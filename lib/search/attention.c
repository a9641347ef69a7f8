/* The attention of hypotheses, from one more pass of the networks over all of them as whole sequences: search
 * itself need not carry it from step to step. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/vector.h"
#include "search/decode.h"

/* Every hypothesis beside its source. */
typedef struct {
    seqs src, tgt;
    size_t weights; /* of all pairs together */
} hyp_pairs;

static hyp_pairs pairs_of(const batch *b)
{
    hyp_pairs p = {.weights = 0};
    for (size_t i = 0; i < b->src.n; i++) {
        for (int k = 0; k < b->out[i]->n; k++) {
            const hyp *h = &b->out[i]->hyps[k];
            size_t n = seqs_len(&b->src, i);
            seqs_add(&p.src, seqs_at(&b->src, i), n);
            seqs_add(&p.tgt, h->ids, (size_t)h->n);
            p.weights += (n + 1) * ((size_t)h->n + 1);
        }
    }
    return p;
}

/* The mutual information of target and source words when a target word is taken at random and a source word
 * by the attention p (tgt, src) of it, in nats: 0 where all target words attend to the same, whether to one
 * word or to all; log n for n words that go with one each. */
static double information(const real *p, size_t tgt, size_t src)
{
    double sum = 0;
    for (size_t j = 0; j < src; j++) {
        double all = 0, own = 0;
        for (size_t i = 0; i < tgt; i++) {
            double x = (double)p[i * src + j];
            all += x;
            if (x > 0) own += x * log(x);
        }
        if (all > 0) sum += own - all * log(all / (double)tgt);
    }
    return sum / (double)tgt;
}

/* Of the places asked for, that whose attention tells most of which word goes with which. */
static const real *best_place(const model *m, attention_place asked, const real *weights, size_t total,
                              size_t tgt, size_t src)
{
    attention_place last = model_attention_last(m);
    const real *best = NULL;
    double most = 0;
    for (int layer = 1; layer <= last.layer; layer++) {
        for (int head = 1; head <= last.head; head++, weights += total) {
            if (asked.layer && asked.layer <= last.layer && asked.layer != layer) continue;
            if (asked.head && asked.head <= last.head && asked.head != head) continue;
            double x = information(weights, tgt, src);
            if (!best || x > most) best = weights, most = x;
        }
    }
    return best;
}

/* Adds to `sum` the attention of one network in each pair. */
static void add_attention(const batch *b, model *m, const hyp_pairs *p, real *sum)
{
    attention_place last = model_attention_last(m);
    arena_mark mark = arena_save(b->memory);
    tape t = tape_new(b->memory, false, false, 0, 0);
    real *all = arena_alloc(b->memory, (size_t)(last.layer * last.head) * p->weights * sizeof *all),
         *at = all;
    model_attention(m, &t, &p->src, &p->tgt, p->weights, all);
    for (size_t i = 0; i < p->src.n; i++) {
        size_t tgt = seqs_len(&p->tgt, i) + 1, src = seqs_len(&p->src, i) + 1;
        vec_add((long)(tgt * src), best_place(m, b->options->place, at, p->weights, tgt, src), sum);
        at += tgt * src;
        sum += tgt * src;
    }
    arena_restore(b->memory, mark);
}

/* The mean over the networks that attend; NULL if none does. */
static const real *mean_attention(const batch *b, const hyp_pairs *p)
{
    int n = 0;
    real *sum = arena_zalloc(b->memory, p->weights * sizeof *sum);
    for (int i = 0; i < b->n_nets; i++) {
        if (!model_attention_last(b->nets[i]).layer) continue;
        add_attention(b, b->nets[i], p, sum);
        n++;
    }
    if (n > 1) vec_scale((long)p->weights, (real)1 / (real)n, sum);
    return n ? sum : NULL;
}

/* sum over source words of log min(1, what all target words gave it); what got none counts as LEAST. */
static double coverage(const real *weights, size_t tgt, size_t src)
{
    static const double LEAST = 1e-10;
    double penalty = 0;
    for (size_t j = 0; j < src; j++) {
        double sum = 0;
        for (size_t i = 0; i < tgt; i++) sum += (double)weights[i * src + j];
        penalty += log(fmin(1, fmax(sum, LEAST)));
    }
    return penalty;
}

static void give(const search_options *o, hyp *h, const real *weights, size_t tgt, size_t src)
{
    if (o->coverage > 0) {
        h->coverage = o->coverage * coverage(weights, tgt, src);
        h->score += h->coverage;
    }
    if (!o->attention) return;
    h->attention = xmalloc(tgt * src * sizeof *h->attention);
    memcpy(h->attention, weights, tgt * src * sizeof *h->attention);
}

void attention_add(const batch *b)
{
    hyp_pairs p = pairs_of(b);
    const real *weights = p.src.n ? mean_attention(b, &p) : NULL;
    for (size_t i = 0; weights && i < b->src.n; i++) {
        for (int k = 0; k < b->out[i]->n; k++) {
            hyp *h = &b->out[i]->hyps[k];
            size_t tgt = (size_t)h->n + 1, src = seqs_len(&b->src, i) + 1;
            give(b->options, h, weights, tgt, src);
            weights += tgt * src;
        }
    }
    seqs_free(&p.src);
    seqs_free(&p.tgt);
}
