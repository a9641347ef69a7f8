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

/* The place asked for, or 0, the default, for what the network does not have. */
static attention_place place_in(const model *m, attention_place at)
{
    attention_place last = model_attention_last(m);
    return (attention_place){at.layer > last.layer ? 0 : at.layer, at.head > last.head ? 0 : at.head};
}

/* The mean over the networks that attend; NULL if none does. */
static const real *mean_attention(const batch *b, const hyp_pairs *p)
{
    int n = 0;
    real *sum = NULL, *one = NULL;
    for (int i = 0; i < b->n_nets; i++) {
        model *m = b->nets[i];
        if (!model_attention_last(m).layer) continue;
        tape t = tape_new(b->memory, false, false, 0, 0);
        one = arena_alloc(b->memory, p->weights * sizeof *one);
        model_attention(m, &t, &p->src, &p->tgt, place_in(m, b->options->place), one);
        if (n++)
            vec_add((long)p->weights, one, sum);
        else
            sum = one;
    }
    if (n > 1) vec_scale((long)p->weights, (real)1 / (real)n, sum);
    return sum;
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
