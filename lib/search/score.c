#include "search/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/team.h"
#include "kernel/softmax.h"
#include "search/batching.h"
#include "search/decode.h"

typedef struct {
    model *const *nets;
    int n_nets;
    const seqs *src, *tgt;
    batching batches;
    arena **arenas;
    double *log_probs;
} score_call;

/* The words of a batch, by their place in it. */
typedef struct {
    int vocab;
    const int *ids;
    double *log_probs;
} target_words;

/* Each word as it is predicted: eos behind each sentence. */
static target_words words_of(const seqs *tgt, int vocab, arena *memory)
{
    size_t rows = seqs_total(tgt) + tgt->n;
    int *ids = arena_alloc(memory, rows * sizeof *ids), *at = ids;
    for (size_t i = 0; i < tgt->n; i++) {
        size_t n = seqs_len(tgt, i);
        if (n) memcpy(at, seqs_at(tgt, i), n * sizeof *at);
        at[n] = ID_EOS;
        at += n + 1;
    }
    return (target_words){vocab, ids, arena_alloc(memory, rows * sizeof(double))};
}

static void take_words(int n, const int *place, real *logits, void *context)
{
    const target_words *w = context;
    words_mask(n, w->vocab, false, logits);
    log_softmax(n, w->vocab, logits, w->vocab);
    for (int i = 0; i < n; i++)
        w->log_probs[place[i]] = (double)logits[(size_t)i * (size_t)w->vocab + (size_t)w->ids[place[i]]];
}

static void score_together(const score_call *c, arena *memory, const seqs *src, const seqs *tgt,
                           target_words *w)
{
    int rows = (int)(seqs_total(tgt) + tgt->n), *place = arena_alloc(memory, (size_t)rows * sizeof(int));
    for (int i = 0; i < rows; i++) place[i] = i;
    take_words(rows, place, model_mean_logits(c->nets, c->n_nets, memory, src, tgt), w);
}

static void run_batch(long index, void *context)
{
    const score_call *c = context;
    const size_t *cut = c->batches.cut + index, *sentences = c->batches.order + cut[0];
    size_t n = cut[1] - cut[0];
    arena *memory = c->arenas[team_rank()];
    seqs src = batching_gather(c->src, sentences, n, memory),
         tgt = batching_gather(c->tgt, sentences, n, memory);
    tape t = tape_new(memory, false, false, 0, 0);
    target_words w = words_of(&tgt, model_config(c->nets[0])->tgt_vocab, memory);
    if (c->n_nets > 1)
        score_together(c, memory, &src, &tgt, &w);
    else
        model_each_logits(c->nets[0], &t, &src, &tgt, take_words, &w);
    for (size_t i = 0; i < n; i++) /* to the sentence's place in the call */
        memcpy(c->log_probs + c->tgt->start[sentences[i]] + sentences[i], w.log_probs + tgt.start[i] + i,
               (seqs_len(&tgt, i) + 1) * sizeof(double));
    arena_reset(memory);
}

static batching cut_batches(const seqs *src, const seqs *tgt, int tokens)
{
    size_t *lengths = xmalloc(src->n * sizeof *lengths);
    for (size_t i = 0; i < src->n; i++) {
        size_t s = seqs_len(src, i), t = seqs_len(tgt, i);
        lengths[i] = 1 + (s > t ? s : t);
    }
    batching b = batching_new(lengths, src->n, tokens);
    free(lengths);
    return b;
}

void score_pairs_ensemble(model *const *nets, int n, const seqs *src, const seqs *tgt, int batch_tokens,
                          double *log_probs)
{
    BUG_IF(src->n != tgt->n || n < 1);
    if (!src->n) return;
    score_call c = {nets, n, src, tgt, cut_batches(src, tgt, batch_tokens), arenas_new(), log_probs};
    team_run((long)c.batches.n, run_batch, &c);
    arenas_free(c.arenas);
    batching_free(&c.batches);
}

void score_pairs(model *m, const seqs *src, const seqs *tgt, int batch_tokens, double *log_probs)
{
    score_pairs_ensemble(&m, 1, src, tgt, batch_tokens, log_probs);
}
