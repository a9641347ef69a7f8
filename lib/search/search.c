#include "search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/team.h"
#include "kernel/softmax.h"
#include "search/decode.h"

void step_log_probs(const batch *b, decoding *d, const int *ids, int rows, real *log_probs)
{
    int vocab = model_config(b->net)->tgt_vocab;
    model_step(d, ids, log_probs);
    for (int r = 0; r < rows; r++) {
        real *z = log_probs + (size_t)r * (size_t)vocab;
        z[ID_PAD] = z[ID_BOS] = -INFINITY;
        if (b->options->forbid_unk) z[ID_UNK] = -INFINITY;
    }
    log_softmax(rows, vocab, log_probs, vocab);
}

hyp hyp_new(const batch *b, const int *words, int n, double log_prob)
{
    hyp h = {.n = n && words[n - 1] == ID_EOS ? n - 1 : n, .log_prob = log_prob};
    h.score = log_prob / pow(n, b->options->length_penalty);
    h.ids = xmalloc((size_t)h.n * sizeof(int));
    if (h.n) memcpy(h.ids, words, (size_t)h.n * sizeof(int));
    return h;
}

/* What all batches of a call share. */
typedef struct {
    model *net;
    const seqs *src;
    const search_options *options;
    hyp_list *lists;
    size_t *order; /* sentences, longest first */
    size_t *cut;   /* (n_batches + 1) batch i is order[cut[i]] .. order[cut[i + 1] - 1] */
    size_t n_batches;
    arena **arenas; /* one a thread */
} search_call;

typedef struct {
    size_t length, sentence;
} ranked;

/* Longest first; equal lengths in the order of the text. */
static int by_length(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->length != y->length) return x->length > y->length ? -1 : 1;
    return x->sentence < y->sentence ? -1 : 1;
}

static void sort_by_length(search_call *c)
{
    size_t n = c->src->n;
    ranked *r = xmalloc(n * sizeof *r);
    for (size_t i = 0; i < n; i++) r[i] = (ranked){seqs_len(c->src, i), i};
    qsort(r, n, sizeof *r, by_length);
    c->order = xmalloc(n * sizeof *c->order);
    for (size_t i = 0; i < n; i++) c->order[i] = r[i].sentence;
    free(r);
}

/* A batch takes sentences while their number times its longest (eos counted) stays within batch_tokens.
 * Short ones count as if they had SHORT tokens, since each costs its rows of logits all the same. */
enum { SHORT = 8 };

static void cut_batches(search_call *c)
{
    size_t n = c->src->n, tokens = c->options->batch_tokens > 0 ? (size_t)c->options->batch_tokens : 1;
    c->cut = xmalloc((n + 1) * sizeof *c->cut);
    for (size_t i = 0; i < n; c->n_batches++) {
        size_t length = seqs_len(c->src, c->order[i]) + 1;
        size_t take = tokens / (length < SHORT ? SHORT : length);
        c->cut[c->n_batches] = i;
        i += take < 1 ? 1 : take < n - i ? take : n - i;
    }
    c->cut[c->n_batches] = n;
}

static int limit_of(const search_call *c, size_t sentence)
{
    const search_options *o = c->options;
    if (o->limits) return o->limits[sentence] < 1 ? 1 : o->limits[sentence];
    double words = o->max_len_ratio * (double)(seqs_len(c->src, sentence) + 1) + o->max_len_extra;
    return words < 1 ? 1 : (int)words;
}

/* The sentences of the batch behind each other. */
static seqs gather(const search_call *c, const size_t *sentences, size_t n, arena *memory)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += seqs_len(c->src, sentences[i]);
    seqs s = {.n = n, .ids = arena_alloc(memory, total * sizeof(int))};
    s.start = arena_alloc(memory, (n + 1) * sizeof *s.start);
    s.start[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = seqs_len(c->src, sentences[i]);
        if (len) memcpy(s.ids + s.start[i], seqs_at(c->src, sentences[i]), len * sizeof(int));
        s.start[i + 1] = s.start[i] + len;
    }
    return s;
}

static void run_batch(long index, void *context)
{
    search_call *c = context;
    const size_t *sentences = c->order + c->cut[index];
    size_t n = c->cut[index + 1] - c->cut[index];
    arena *memory = c->arenas[team_rank()];
    int *limit = arena_alloc(memory, n * sizeof *limit);
    hyp_list **out = arena_alloc(memory, n * sizeof *out);
    batch b = {c->net, c->options, memory, gather(c, sentences, n, memory), limit, 0, out};
    for (size_t i = 0; i < n; i++) {
        limit[i] = limit_of(c, sentences[i]);
        if (limit[i] > b.max_limit) b.max_limit = limit[i];
        out[i] = &c->lists[sentences[i]];
    }
    if (b.options->beam > 1)
        beam_decode(&b);
    else
        greedy_decode(&b);
    arena_reset(memory);
}

void search(model *m, const seqs *src, const search_options *o, hyp_list *lists)
{
    BUG_IF(o->beam < 1 || o->n_best < 1 || o->n_best > o->beam);
    if (!src->n) return;
    search_call c = {.net = m, .src = src, .options = o, .lists = lists};
    sort_by_length(&c);
    cut_batches(&c);
    int threads = team_threads();
    c.arenas = xmalloc((size_t)threads * sizeof *c.arenas);
    for (int i = 0; i < threads; i++) c.arenas[i] = arena_new();
    team_run((long)c.n_batches, run_batch, &c);
    for (int i = 0; i < threads; i++) arena_free(c.arenas[i]);
    free(c.arenas);
    free(c.cut);
    free(c.order);
}

void search_free(hyp_list *lists, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < lists[i].n; k++) free(lists[i].hyps[k].ids);
        free(lists[i].hyps);
        lists[i] = (hyp_list){0};
    }
}
