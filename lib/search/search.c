#include "search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/team.h"
#include "kernel/softmax.h"
#include "search/batching.h"
#include "search/decode.h"

void word_log_probs(int rows, int vocab, bool forbid_unk, real *z)
{
    for (int r = 0; r < rows; r++) {
        real *row = z + (size_t)r * (size_t)vocab;
        row[ID_PAD] = row[ID_BOS] = -INFINITY;
        if (forbid_unk) row[ID_UNK] = -INFINITY;
    }
    log_softmax(rows, vocab, z, vocab);
}

void step_log_probs(const batch *b, decoding *d, const int *ids, int rows, real *log_probs)
{
    model_step(d, ids, log_probs);
    word_log_probs(rows, model_config(b->net)->tgt_vocab, b->options->forbid_unk, log_probs);
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
    batching batches;
    arena **arenas; /* one a thread */
} search_call;

static int limit_of(const search_call *c, size_t sentence)
{
    const search_options *o = c->options;
    if (o->limits) return o->limits[sentence] < 1 ? 1 : o->limits[sentence];
    double words = o->max_len_ratio * (double)(seqs_len(c->src, sentence) + 1) + o->max_len_extra;
    return words < 1 ? 1 : (int)words;
}

static void run_batch(long index, void *context)
{
    search_call *c = context;
    const size_t *cut = c->batches.cut + index, *sentences = c->batches.order + cut[0];
    size_t n = cut[1] - cut[0];
    arena *memory = c->arenas[team_rank()];
    int *limit = arena_alloc(memory, n * sizeof *limit);
    hyp_list **out = arena_alloc(memory, n * sizeof *out);
    batch b = {c->net, c->options, memory, batching_gather(c->src, sentences, n, memory), limit, 0, out};
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

static batching cut_batches(const seqs *src, const search_options *o)
{
    size_t *lengths = xmalloc(src->n * sizeof *lengths);
    for (size_t i = 0; i < src->n; i++) lengths[i] = seqs_len(src, i) + 1;
    batching b = batching_new(lengths, src->n, o->batch_tokens);
    free(lengths);
    return b;
}

void search(model *m, const seqs *src, const search_options *o, hyp_list *lists)
{
    BUG_IF(o->beam < 1 || o->n_best < 1 || o->n_best > o->beam);
    if (!src->n) return;
    search_call c = {m, src, o, lists, cut_batches(src, o), arenas_new()};
    team_run((long)c.batches.n, run_batch, &c);
    arenas_free(c.arenas);
    batching_free(&c.batches);
}

void search_free(hyp_list *lists, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < lists[i].n; k++) free(lists[i].hyps[k].ids);
        free(lists[i].hyps);
        lists[i] = (hyp_list){0};
    }
}
