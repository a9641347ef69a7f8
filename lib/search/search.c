#include "search/search.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/team.h"
#include "search/batching.h"
#include "search/decode.h"

/* ---------------------------------------------------------------------------------- hypotheses */

static double by_power(int length, double a) { return pow(length, a); }

/* Wu et al. 2016, eq. 14 */
static double by_wu(int length, double a) { return pow((5 + length) / 6.0, a); }

const length_penalty length_penalties[] = {{"power", by_power}, {"wu", by_wu}, {NULL, NULL}};

const char *const beam_stops[] = {[STOP_FINISHED] = "finished", [STOP_EXACT] = "exact", NULL};

double search_score(const search_options *o, double log_prob, int length)
{
    if (!length) return 0;
    return log_prob / length_penalties[o->penalty].divisor(length, o->length_penalty);
}

hyp hyp_new(const batch *b, const int *words, int n, double log_prob)
{
    hyp h = {.n = n && words[n - 1] == ID_EOS ? n - 1 : n, .length = n, .log_prob = log_prob};
    h.score = search_score(b->options, log_prob, n);
    h.ids = xmalloc((size_t)h.n * sizeof(int));
    if (h.n) memcpy(h.ids, words, (size_t)h.n * sizeof(int));
    return h;
}

static void free_hyp(hyp *h)
{
    free(h->ids);
    free(h->attention);
}

void hyp_list_drop(hyp_list *l, int at)
{
    free_hyp(&l->hyps[at]);
    l->n--;
    memmove(l->hyps + at, l->hyps + at + 1, (size_t)(l->n - at) * sizeof *l->hyps);
}

/* Best first; of equal ones that which stood first. */
static void sort(hyp_list *l)
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
    sort(l);
    while (l->n > b->options->n_best) hyp_list_drop(l, l->n - 1);
}

/* --------------------------------------------------------------------------------------- calls */

/* Sentences wait in the order in which they lie; whoever has room takes the next ones. */
struct queue {
    _Atomic size_t next;
    int threads;
};

/* What all threads of a call share. */
typedef struct {
    batch shared; /* of each thread's batch, but for its memory */
    batching batches;
    arena **arenas; /* one a thread */
} search_call;

int sentence_tokens(const batch *b, size_t sentence)
{
    int words = (int)seqs_len(&b->src, sentence) + 1;
    return words < SHORT_TOKENS ? SHORT_TOKENS : words;
}

/* How many of those that wait from `first` on fit into `room` tokens; at the end threads share what is left.
 */
static size_t how_many(const batch *b, size_t first, int room, bool must)
{
    size_t rest = b->src.n - first, most = (rest + (size_t)b->queue->threads - 1) / (size_t)b->queue->threads;
    size_t n = 0;
    for (; n < most; n++) {
        int tokens = sentence_tokens(b, first + n);
        if (tokens > room && !(must && n == 0)) break;
        room -= tokens;
    }
    return n;
}

size_t batch_take(const batch *b, int tokens, size_t *first)
{
    int all = b->options->batch_tokens, room = all - tokens;
    if (tokens && room < all / 4) return 0; /* few at a time are slow to encode */
    for (size_t at = b->queue->next; at < b->src.n;) {
        size_t n = how_many(b, at, room, tokens == 0);
        if (n == 0) return 0;
        *first = at;
        if (atomic_compare_exchange_weak(&b->queue->next, &at, at + n)) return n;
    }
    return 0;
}

static int at_least(int a, int b) { return a < b ? b : a; }

/* What is asked of a sentence, with what holds for all filled in. There is always room for a prefix and for
 * min_len words, and for eos behind them. */
static search_request request_of(const search_options *o, const seqs *src, size_t sentence)
{
    search_request r = o->requests ? o->requests[sentence] : (search_request){0};
    if (!r.min_len) r.min_len = o->min_len;
    if (r.limit) return r;
    double words = o->max_len_ratio * (double)(seqs_len(src, sentence) + 1) + o->max_len_extra;
    r.limit = at_least(words < 1 ? 1 : (int)words, at_least(r.n_prefix, r.min_len) + 1);
    return r;
}

static void decode(long task, void *context)
{
    const search_call *c = context;
    batch b = c->shared;
    (void)task;
    b.memory = c->arenas[team_rank()];
    if (b.options->beam > 1 && !b.options->sample)
        beam_decode(&b);
    else
        greedy_decode(&b);
    arena_reset(b.memory);
}

/* The attention of some sentences at a time. */
static void add_attention(long index, void *context)
{
    const search_call *c = context;
    const size_t *cut = c->batches.cut + index;
    batch b = c->shared;
    b.memory = c->arenas[team_rank()];
    b.src = seqs_part(&b.src, cut[0], cut[1] - cut[0]);
    b.request += cut[0];
    b.out += cut[0];
    attention_add(&b);
    arena_reset(b.memory);
}

int rows_each(const search_options *o) { return o->sample ? o->n_best : o->beam; }

/* What few rows say stays in the caches, where a small network's weights lie too; those of a large one are
 * read from further away in each step, for many rows: as many as memory is worth, since each row of a beam
 * keeps what it said. */
static int tokens_together(model *const *nets, int n, const search_options *o)
{
    enum { LARGE = 24 << 20, FEW = 256, MANY = 2048, MANY_OF_BEAMS = 1024, LEAST = 128 };
    int each = rows_each(o), many = each > 1 ? MANY_OF_BEAMS : MANY;
    if (o->batch_tokens) return o->batch_tokens;
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += model_product_bytes(nets[i]);
    return at_least((bytes < LARGE ? FEW : many) / each, LEAST);
}

/* No more than there are, and than may be said: words that are said have numbers, and memory. */
static int bounded_tokens(batch *b)
{
    enum { MOST_SAID = 1 << 16 };
    double all = 0;
    for (size_t i = 0; i < b->src.n; i++) {
        int tokens = sentence_tokens(b, i);
        all += tokens;
        b->words_a_token = fmax(b->words_a_token, (double)b->request[i].limit / tokens);
    }
    double most = fmin(all, MOST_SAID / (b->words_a_token * rows_each(b->options)));
    return (int)fmax(1, fmin(most, b->options->batch_tokens));
}

static batching cut_batches(const seqs *src, const search_options *o)
{
    size_t *lengths = xmalloc(src->n * sizeof *lengths);
    for (size_t i = 0; i < src->n; i++) lengths[i] = seqs_len(src, i) + 1;
    batching b = batching_new(lengths, src->n, o->batch_tokens);
    free(lengths);
    return b;
}

/* All sentences of a call in the order in which they are begun, with what is asked of them. */
static void gather(batch *b, const seqs *src, const batching *order, hyp_list *lists, arena *memory)
{
    search_request *requests = arena_alloc(memory, src->n * sizeof *requests);
    hyp_list **out = arena_alloc(memory, src->n * sizeof *out);
    b->src = batching_gather(src, order->order, src->n, memory);
    for (size_t i = 0; i < src->n; i++) {
        requests[i] = request_of(b->options, src, order->order[i]);
        b->max_limit = at_least(b->max_limit, requests[i].limit);
        out[i] = &lists[order->order[i]];
    }
    b->request = requests;
    b->out = out;
}

void search_ensemble(model *const *nets, int n, const seqs *src, const search_options *o, hyp_list *lists)
{
    BUG_IF(n < 1 || o->beam < 1 || o->n_best < 1 || (!o->sample && o->n_best > o->beam));
    BUG_IF(o->coverage > 0 && o->stop == STOP_EXACT);
    for (int i = 1; i < n; i++) BUG_IF(model_config(nets[i])->tgt_vocab != model_config(nets[0])->tgt_vocab);
    BUG_IF(o->shortlist && o->shortlist->n != (size_t)model_config(nets[0])->src_vocab + 1);
    if (!src->n) return;
    search_options chosen = *o;
    chosen.batch_tokens = tokens_together(nets, n, o);
    int threads = team_here() < (int)src->n ? team_here() : (int)src->n;
    struct queue waiting = {0, threads};
    search_call c = {.batches = cut_batches(src, &chosen), .arenas = arenas_new()};
    c.shared = (batch){.nets = nets,
                       .n_nets = n,
                       .vocab = model_config(nets[0])->tgt_vocab,
                       .options = &chosen,
                       .queue = &waiting};
    gather(&c.shared, src, &c.batches, lists, arenas_common(c.arenas));
    chosen.batch_tokens = bounded_tokens(&c.shared);
    team_run(threads, decode, &c);
    if (o->coverage > 0 || o->attention) team_run((long)c.batches.n, add_attention, &c);
    for (size_t i = 0; i < src->n; i++) close_list(&c.shared, c.shared.out[i]);
    arenas_free(c.arenas);
    batching_free(&c.batches);
}

void search(model *m, const seqs *src, const search_options *o, hyp_list *lists)
{
    search_ensemble(&m, 1, src, o, lists);
}

void search_free(hyp_list *lists, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < lists[i].n; k++) free_hyp(&lists[i].hyps[k]);
        free(lists[i].hyps);
        lists[i] = (hyp_list){0};
    }
}
