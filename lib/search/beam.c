/* Beam search by the rule of search.h. Rows of the decoding are the live hypotheses, those of a sentence
 * side by side, best first; sentences keep their order. Words hang together backwards in a growing array
 * of nodes, so that no hypothesis is ever copied. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"
#include "kernel/softmax.h"
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
    int length; /* words of its hypotheses after this step, eos counted */
} place;

typedef struct {
    const batch *b;
    int beam;
    bool constrained;
    place *places; /* (n_places) */
    int n_places;
    prefix *live, *next; /* (rows): of this step and of the next one */
    int rows, tokens;    /* under way */
    int *ids, *from;     /* (rows) last words; old rows */
    extension *best;     /* (2 beam) of the sentence at hand, best first */
    node *nodes;         /* (n_nodes) */
    size_t n_nodes;
    int *words; /* (max_limit) scratch for the words of a hypothesis */
} beam_state;

static beam_state beam_new(const batch *b, int max_rows)
{
    arena *a = b->memory;
    beam_state s = {.b = b, .beam = b->options->beam, .constrained = constraints_active(b->options)};
    size_t rows = (size_t)max_rows, words = 0;
    for (size_t i = 0; i < b->src.n; i++) words += (size_t)b->request[i].limit;
    s.places = arena_alloc(a, rows * sizeof *s.places);
    s.live = arena_alloc(a, rows * sizeof *s.live);
    s.next = arena_alloc(a, rows * sizeof *s.next);
    s.ids = arena_alloc(a, rows * sizeof *s.ids);
    s.from = arena_alloc(a, rows * sizeof *s.from);
    s.best = arena_alloc(a, 2 * (size_t)s.beam * sizeof *s.best);
    s.words = arena_alloc(a, (size_t)b->max_limit * sizeof *s.words);
    s.nodes = arena_alloc(a, words * (size_t)s.beam * sizeof *s.nodes); /* touched as they are used */
    return s;
}

/* Sentences begin where there is room for them. */
static void take_in(beam_state *s, prediction *p)
{
    size_t first = 0, n = batch_take(s->b, s->tokens, &first);
    if (!n) return;
    predict_join(p, first, n);
    for (size_t i = first; i < first + n; i++) {
        s->tokens += sentence_tokens(s->b, i);
        *s->b->out[i] = (hyp_list){xmalloc((size_t)s->beam * sizeof(hyp)), 0};
        s->live[s->rows] = (prefix){-1, 0};
        s->ids[s->rows] = ID_BOS;
        s->places[s->n_places++] = (place){(int)i, s->rows++, 1, 1};
    }
}

/* The first n words of a hypothesis into s->words, from its node backwards. */
static const int *words_of(const beam_state *s, long last, int n)
{
    for (int i = n - 1; i >= 0; i--, last = s->nodes[last].before) s->words[i] = s->nodes[last].word;
    return s->words;
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

/* Adds the extensions of one row that belong to the n best so far. Most words lie below the worst of those:
 * blocks of words are passed over by the largest of them. */
static int scan_row(const beam_state *s, const next_words *x, int row, int n)
{
    double before = s->live[row].log_prob, worst = n < 2 * s->beam ? -INFINITY : s->best[n - 1].log_prob;
    for (int from = 0; from < x->n; from += PICK_BLOCK) {
        if (!(before + ((double)x->tops[from / PICK_BLOCK] - x->log_sum) > worst)) continue;
        int end = from + PICK_BLOCK < x->n ? from + PICK_BLOCK : x->n;
        for (int w = from; w < end; w++) {
            double sum = before + word_log_prob(x, w);
            if (!(sum > worst)) continue;
            n = insert(s, n, (extension){row, word_id(x, w), sum});
            if (n == 2 * s->beam) worst = s->best[n - 1].log_prob;
        }
    }
    return n;
}

/* The best extensions of a sentence into s->best; returns their number, 2 beam where there are as many. */
static int best_extensions(const beam_state *s, const prediction *p, const place *at)
{
    int n = 0, length = at->length;
    for (int row = at->first; row < at->first + at->width; row++) {
        next_words x = predict_row(p, row);
        const search_request *r = &s->b->request[at->sentence];
        if (s->constrained)
            constraints_apply(
                &(said){s->b->options, r, words_of(s, s->live[row].last, length - 1), length - 1}, &x);
        n = scan_row(s, &x, row, n);
    }
    return n;
}

/* The last of the worst. */
static int worst_of(const hyp_list *l)
{
    int worst = 0;
    for (int i = 1; i < l->n; i++)
        if (l->hyps[i].score <= l->hyps[worst].score) worst = i;
    return worst;
}

/* Keeps a finished hypothesis, the prefix of the extension and its word, where there is room for it: made by
 * a worse one if the search is exact. */
static void finish(beam_state *s, int sentence, const extension *x, int length)
{
    hyp_list *out = s->b->out[sentence];
    if (out->n == s->beam) {
        int worst = worst_of(out);
        bool better = search_score(s->b->options, x->log_prob, length) > out->hyps[worst].score;
        if (s->b->options->stop == STOP_FINISHED || !better) return;
        hyp_list_drop(out, worst);
    }
    words_of(s, s->live[x->row].last, length - 1);
    s->words[length - 1] = x->word;
    out->hyps[out->n++] = hyp_new(s->b, s->words, length, x->log_prob);
}

/* Whether the finished hypotheses of a sentence stand, when the best that goes on has this log p. */
static bool is_done(const beam_state *s, int sentence, double log_prob)
{
    const search_options *o = s->b->options;
    const hyp_list *out = s->b->out[sentence];
    if (o->stop == STOP_FINISHED) return out->n == s->beam;
    double most = search_score(o, log_prob, s->b->request[sentence].limit);
    int stand = 0;
    for (int i = 0; i < out->n; i++) stand += out->hyps[i].score >= most;
    return stand >= o->n_best;
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
static int extend_sentence(beam_state *s, const prediction *p, const place *at, int first)
{
    int length = at->length;
    bool last = length == s->b->request[at->sentence].limit;
    int n = best_extensions(s, p, at), width = 0;
    for (int k = 0; k < n && k < s->beam; k++)
        if (last || s->best[k].word == ID_EOS) finish(s, at->sentence, &s->best[k], length);
    if (last) return 0;
    for (int k = 0; k < n && width < s->beam; k++) {
        if (s->best[k].word == ID_EOS) continue;
        if (!width && is_done(s, at->sentence, s->best[k].log_prob)) return 0;
        go_on(s, &s->best[k], first + width++);
    }
    return width;
}

/* One step of all sentences; done ones leave. Returns the number of rows that go on. */
static int extend(beam_state *s, const prediction *p)
{
    int rows = 0, stay = 0;
    for (int i = 0; i < s->n_places; i++) {
        const place at = s->places[i];
        int width = extend_sentence(s, p, &at, rows);
        if (!width) {
            s->tokens -= sentence_tokens(s->b, (size_t)at.sentence);
            continue;
        }
        s->places[stay++] = (place){at.sentence, rows, width, at.length + 1};
        rows += width;
    }
    s->n_places = stay;
    prefix *old = s->live;
    s->live = s->next, s->next = old;
    return rows;
}

void beam_decode(const batch *b)
{
    prediction p = predict_open(b);
    beam_state s = beam_new(b, p.max_rows);
    for (take_in(&s, &p); s.rows; take_in(&s, &p)) {
        predict_step(&p, s.ids, s.rows, true);
        int rows = extend(&s, &p);
        predict_select(&p, s.from, rows, s.rows);
        s.rows = rows;
    }
}
