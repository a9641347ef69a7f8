/* One hypothesis a row and no beam: the best word at each step, or a drawn one. The best words are those of a
 * beam of one, without its bookkeeping. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/rng.h"
#include "search/decode.h"

/* A translation in the making: one a sentence, or n_best drawn ones. */
typedef struct {
    int sentence, n;
    int *words; /* (limit) */
    double log_prob;
    rng draws;
} line;

typedef struct {
    const batch *b;
    line *lines; /* (sentences, each) */
    int *left;   /* (sentences) lines that go on */
    int tokens;  /* under way */
    int each;    /* lines of a sentence */
    int *of_row; /* (live) its line */
    int *last;   /* (live) word of each row */
    int *from;   /* (live) where a row was before the step */
    int live;
    bool constrained;
    drawing scratch;
} greedy;

/* The k-th translation of a sentence has numbers of its own, whatever else is drawn. */
static line line_new(const batch *b, int sentence, int k)
{
    const search_request *r = &b->request[sentence];
    line l = {.sentence = sentence, .words = arena_alloc(b->memory, (size_t)r->limit * sizeof(int))};
    if (b->options->sample) {
        const uint64_t place = k ? hash64_mix(r->draws, (uint64_t)k) : r->draws;
        l.draws = rng_at(b->options->seed, RNG_SAMPLE, place);
    }
    return l;
}

static greedy greedy_new(const batch *b, int max_rows)
{
    int each = rows_each(b->options);
    size_t rows = (size_t)max_rows;
    greedy g = {.b = b, .each = each, .constrained = constraints_active(b->options)};
    g.lines = arena_alloc(b->memory, b->src.n * (size_t)each * sizeof *g.lines);
    g.left = arena_alloc(b->memory, b->src.n * sizeof(int));
    g.of_row = arena_alloc(b->memory, rows * sizeof(int));
    g.last = arena_alloc(b->memory, rows * sizeof(int));
    g.from = arena_alloc(b->memory, rows * sizeof(int));
    if (b->options->sample) g.scratch = drawing_new(b->memory, b->vocab);
    return g;
}

static void begin_line(greedy *g, int sentence, int k)
{
    int at = sentence * g->each + k, row = g->live++;
    g->lines[at] = line_new(g->b, sentence, k);
    g->of_row[row] = at;
    g->last[row] = ID_BOS;
}

/* Sentences begin where there is room for them. */
static void take_in(greedy *g, prediction *p)
{
    size_t first = 0, n = batch_take(g->b, g->tokens, &first);
    if (!n) return;
    int before = g->live;
    predict_join(p, first, n);
    for (int row = 0; row < before; row++) g->from[row] = row;
    for (size_t i = first; i < first + n; i++) {
        g->left[i] = g->each;
        g->tokens += sentence_tokens(g->b, i);
        *g->b->out[i] = (hyp_list){xmalloc((size_t)g->each * sizeof(hyp)), 0};
        for (int k = 0; k < g->each; k++) {
            g->from[g->live] = before + (int)(i - first);
            begin_line(g, (int)i, k);
        }
    }
    predict_select(p, g->from, g->live, before + (int)n);
}

/* The place of the next word. */
static int choose(greedy *g, line *l, next_words *x)
{
    const search_options *o = g->b->options;
    if (g->constrained) constraints_apply(&(said){o, &g->b->request[l->sentence], l->words, l->n}, x);
    return o->sample ? draw_word(x, o, rng_uniform(&l->draws), &g->scratch) : best_word(x);
}

static bool same_words(const hyp *a, const hyp *b)
{
    return a->n == b->n && a->length == b->length &&
           (!a->n || !memcmp(a->ids, b->ids, (size_t)a->n * sizeof(int)));
}

/* Of drawn translations that are the same one is kept. */
static void finish(const greedy *g, const line *l)
{
    hyp_list *out = g->b->out[l->sentence];
    hyp h = hyp_new(g->b, l->words, l->n, l->log_prob);
    for (int i = 0; i < out->n; i++) {
        if (!same_words(&out->hyps[i], &h)) continue;
        free(h.ids);
        return;
    }
    out->hyps[out->n++] = h;
}

/* Appends a word to each row; finished rows leave. Returns how many stay. */
static int extend(greedy *g, const prediction *p)
{
    int stay = 0;
    bool probabilities = !g->b->options->words_only;
    for (int row = 0; row < g->live; row++) {
        line *l = &g->lines[g->of_row[row]];
        next_words x = predict_row(p, row);
        int place = choose(g, l, &x), w = word_id(&x, place);
        l->words[l->n++] = w;
        if (probabilities) l->log_prob += word_log_prob(&x, place);
        if (w == ID_EOS || l->n == g->b->request[l->sentence].limit) {
            finish(g, l);
            if (--g->left[l->sentence] == 0) g->tokens -= sentence_tokens(g->b, (size_t)l->sentence);
            continue;
        }
        g->of_row[stay] = g->of_row[row], g->last[stay] = w, g->from[stay] = row;
        stay++;
    }
    return stay;
}

void greedy_decode(const batch *b)
{
    prediction p = predict_open(b);
    greedy g = greedy_new(b, p.max_rows);
    for (take_in(&g, &p); g.live; take_in(&g, &p)) {
        predict_step(&p, g.last, g.live, !b->options->words_only);
        int stay = extend(&g, &p);
        predict_select(&p, g.from, stay, g.live);
        g.live = stay;
    }
}
