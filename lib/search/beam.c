/* Beam search by the rule of search.h. Rows of the decoding are the live hypotheses, those of a sentence
 * side by side, best first; sentences keep their order. Words hang together backwards in a growing array
 * of nodes, so that no hypothesis is ever copied. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"
#include "search/decode.h"

/* The last word of a prefix; the words before it are behind `before`, -1 at the beginning. */
typedef struct {
    int word;
    long before;
} node;

/* A hypothesis that goes on. */
typedef struct {
    long last; /* its node, -1 for none */
    double log_prob;
} prefix;

typedef struct {
    int row, word;
    double log_prob; /* of the prefix and the word */
} extension;

/* A sentence that still has rows first .. first + width - 1. */
typedef struct {
    int sentence, first, width;
} place;

typedef struct {
    const batch *b;
    int beam, vocab;
    place *places; /* (n_places) */
    int n_places;
    prefix *live, *next; /* (rows): of this step and of the next one */
    int rows;
    int *ids, *from; /* (rows) last words; old rows */
    real *log_probs; /* (rows, vocab) */
    extension *best; /* (2 beam) of the sentence at hand, best first */
    node *nodes;     /* (n_nodes) */
    size_t n_nodes;
    int *words; /* (max_limit) scratch for a result */
} beam_state;

static beam_state beam_new(const batch *b)
{
    arena *a = b->memory;
    beam_state s = {.b = b, .beam = b->options->beam, .vocab = model_config(b->net)->tgt_vocab};
    size_t rows = b->src.n * (size_t)s.beam;
    s.places = arena_alloc(a, b->src.n * sizeof *s.places);
    s.live = arena_alloc(a, rows * sizeof *s.live);
    s.next = arena_alloc(a, rows * sizeof *s.next);
    s.ids = arena_alloc(a, rows * sizeof *s.ids);
    s.from = arena_alloc(a, rows * sizeof *s.from);
    s.log_probs = arena_alloc(a, rows * (size_t)s.vocab * sizeof *s.log_probs);
    s.best = arena_alloc(a, 2 * (size_t)s.beam * sizeof *s.best);
    s.nodes = arena_alloc(a, rows * (size_t)b->max_limit * sizeof *s.nodes);
    s.words = arena_alloc(a, (size_t)b->max_limit * sizeof *s.words);
    s.rows = s.n_places = (int)b->src.n;
    for (int i = 0; i < s.rows; i++) {
        s.places[i] = (place){i, i, 1};
        s.live[i] = (prefix){-1, 0};
        s.ids[i] = ID_BOS;
        *b->out[i] = (hyp_list){xmalloc((size_t)s.beam * sizeof(hyp)), 0};
    }
    return s;
}

/* Puts x in its place among the n best (2 beam at most); the earlier of two equals stays before. Returns
 * the new n. */
static int insert(const beam_state *s, int n, extension x)
{
    int at = n < 2 * s->beam ? n : n - 1;
    for (; at && s->best[at - 1].log_prob < x.log_prob; at--) s->best[at] = s->best[at - 1];
    s->best[at] = x;
    return n < 2 * s->beam ? n + 1 : n;
}

static bool any_above(const real *x, int n, real floor)
{
    int hits = 0;
    for (int i = 0; i < n; i++) hits |= x[i] > floor;
    return hits;
}

enum { SCAN = 64 };

/* Adds the extensions of one row that belong to the n best so far. Most words lie below the worst of
 * those: blocks without a word above it are passed over in one sweep of comparisons. */
static int scan_row(const beam_state *s, int row, int n)
{
    const real *p = s->log_probs + (size_t)row * (size_t)s->vocab;
    double before = s->live[row].log_prob;
    for (int from = 0; from < s->vocab; from += SCAN) {
        int len = s->vocab - from < SCAN ? s->vocab - from : SCAN;
        double worst = n < 2 * s->beam ? -INFINITY : s->best[n - 1].log_prob;
        /* the sweep compares in reals, so its floor is a little low; insertion compares exactly */
        double slack = 1e-6 * (fabs(worst) + fabs(before) + 1);
        if (n == 2 * s->beam && !any_above(p + from, len, (real)(worst - before - slack))) continue;
        for (int w = from; w < from + len; w++) {
            double x = before + (double)p[w];
            worst = n < 2 * s->beam ? -INFINITY : s->best[n - 1].log_prob;
            if (x > worst) n = insert(s, n, (extension){row, w, x});
        }
    }
    return n;
}

/* The best extensions of a sentence into s->best; returns their number, 2 beam where there are as many. */
static int best_extensions(const beam_state *s, const place *at)
{
    int n = 0;
    for (int row = at->first; row < at->first + at->width; row++) n = scan_row(s, row, n);
    return n;
}

/* Keeps a finished hypothesis: the prefix of the extension, and its word. */
static void finish(beam_state *s, int sentence, const extension *x, int length)
{
    long at = s->live[x->row].last;
    s->words[length - 1] = x->word;
    for (int i = length - 2; i >= 0; i--, at = s->nodes[at].before) s->words[i] = s->nodes[at].word;
    hyp_list *out = s->b->out[sentence];
    out->hyps[out->n++] = hyp_new(s->b, s->words, length, x->log_prob);
}

/* The row `to` of the next step. */
static void go_on(beam_state *s, const extension *x, int to)
{
    s->nodes[s->n_nodes] = (node){x->word, s->live[x->row].last};
    s->next[to] = (prefix){(long)s->n_nodes++, x->log_prob};
    s->ids[to] = x->word;
    s->from[to] = x->row;
}

/* Ends and continues the hypotheses of one sentence; its next rows start at `first`. Returns how many
 * they are, 0 if it is done. */
static int extend_sentence(beam_state *s, const place *at, int length, int first)
{
    bool last = length == s->b->limit[at->sentence];
    const hyp_list *out = s->b->out[at->sentence];
    int n = best_extensions(s, at), width = 0;
    for (int k = 0; k < n && k < s->beam; k++) {
        if ((last || s->best[k].word == ID_EOS) && out->n < s->beam)
            finish(s, at->sentence, &s->best[k], length);
    }
    if (last || out->n == s->beam) return 0;
    for (int k = 0; k < n && width < s->beam; k++) {
        if (s->best[k].word != ID_EOS) go_on(s, &s->best[k], first + width++);
    }
    return width;
}

/* One step of all sentences; done ones leave. Returns the number of rows that go on. */
static int extend(beam_state *s, int length)
{
    int rows = 0, stay = 0;
    for (int i = 0; i < s->n_places; i++) {
        int width = extend_sentence(s, &s->places[i], length, rows);
        if (!width) continue;
        s->places[stay++] = (place){s->places[i].sentence, rows, width};
        rows += width;
    }
    s->n_places = stay;
    prefix *old = s->live;
    s->live = s->next, s->next = old;
    return rows;
}

static bool is_identity(const int *from, int n)
{
    for (int i = 0; i < n; i++) {
        if (from[i] != i) return false;
    }
    return true;
}

/* Best first; of equal ones the first that finished. */
static void sort_hyps(hyp_list *l)
{
    for (int i = 1; i < l->n; i++) {
        hyp x = l->hyps[i];
        int at = i;
        for (; at && l->hyps[at - 1].score < x.score; at--) l->hyps[at] = l->hyps[at - 1];
        l->hyps[at] = x;
    }
}

/* Sorts a result and drops what is beyond n_best. Where nothing finished (the network gave no numbers)
 * the result is the empty sentence, impossible but there. */
static void close_list(const batch *b, hyp_list *l)
{
    if (!l->n) l->hyps[l->n++] = hyp_new(b, (const int[]){ID_EOS}, 1, -INFINITY);
    sort_hyps(l);
    while (l->n > b->options->n_best) free(l->hyps[--l->n].ids);
}

void beam_decode(const batch *b)
{
    beam_state s = beam_new(b);
    decoding *d = model_start(b->net, b->memory, &b->src, (int)b->src.n * s.beam, b->max_limit);
    for (int length = 1; s.rows; length++) {
        step_log_probs(b, d, s.ids, s.rows, s.log_probs);
        int rows = extend(&s, length);
        if (rows && (rows != s.rows || !is_identity(s.from, rows))) model_select(d, s.from, rows);
        s.rows = rows;
    }
    for (size_t i = 0; i < b->src.n; i++) close_list(b, b->out[i]);
}
