/* Greedy search: the best word at each step. The same as a beam of one, without its bookkeeping. */
#include <math.h>

#include "base/ids.h"
#include "base/memory.h"
#include "search/decode.h"

typedef struct {
    int *sentence;    /* (live) of each row */
    int *last;        /* (live) word of each row */
    int *from;        /* (live) where a row was before the step */
    double *log_prob; /* by sentence */
    int **words;      /* by sentence, (limit) */
    real *log_probs;  /* (live, vocab) */
    int vocab, live;
} greedy;

static greedy greedy_new(const batch *b)
{
    size_t n = b->src.n;
    greedy g = {.vocab = model_config(b->net)->tgt_vocab, .live = (int)n};
    g.sentence = arena_alloc(b->memory, n * sizeof(int));
    g.last = arena_alloc(b->memory, n * sizeof(int));
    g.from = arena_alloc(b->memory, n * sizeof(int));
    g.log_prob = arena_zalloc(b->memory, n * sizeof(double));
    g.words = arena_alloc(b->memory, n * sizeof(int *));
    g.log_probs = arena_alloc(b->memory, n * (size_t)g.vocab * sizeof(real));
    for (size_t i = 0; i < n; i++) {
        g.sentence[i] = (int)i;
        g.last[i] = ID_BOS;
        g.words[i] = arena_alloc(b->memory, (size_t)b->limit[i] * sizeof(int));
    }
    return g;
}

/* The first of the best, eos where there is no best (no number at all). */
static int best_word(const real *log_probs, int vocab)
{
    int best = ID_EOS;
    real top = -INFINITY;
    for (int w = 0; w < vocab; w++) {
        if (log_probs[w] > top) top = log_probs[w], best = w;
    }
    return best;
}

static void finish(const batch *b, const greedy *g, int sentence, int n)
{
    hyp_list *out = b->out[sentence];
    out->hyps = xmalloc(sizeof(hyp));
    out->hyps[0] = hyp_new(b, g->words[sentence], n, g->log_prob[sentence]);
    out->n = 1;
}

/* Appends to each row its best word; finished rows leave. Returns how many stay. */
static int extend(const batch *b, greedy *g, int step)
{
    int stay = 0;
    for (int row = 0; row < g->live; row++) {
        int s = g->sentence[row];
        const real *p = g->log_probs + (size_t)row * (size_t)g->vocab;
        int w = best_word(p, g->vocab);
        g->words[s][step] = w;
        g->log_prob[s] += p[w];
        if (w == ID_EOS || step + 1 == b->limit[s]) {
            finish(b, g, s, step + 1);
            continue;
        }
        g->sentence[stay] = s, g->last[stay] = w, g->from[stay] = row;
        stay++;
    }
    return stay;
}

void greedy_decode(const batch *b)
{
    greedy g = greedy_new(b);
    decoding *d = model_start(b->net, b->memory, &b->src, g.live, b->max_limit);
    for (int step = 0; g.live; step++) {
        step_log_probs(b, d, g.last, g.live, g.log_probs);
        int stay = extend(b, &g, step);
        if (stay && stay < g.live) model_select(d, g.from, stay);
        g.live = stay;
    }
}
