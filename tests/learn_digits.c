/* learn-digits [LEARNER [TASK]]: trains small networks on the strings of digits.h, and holds them to the
 * thresholds of Sockeye's system tests: perplexity at most 1.02 and 98 % of unseen lines exactly right. One
 * line a training on stdout; exit 1 if one falls short. Learners are every attention of attentions[], the
 * Transformer, a Transformer encoder with a recurrent decoder, and a network without attention: that one is
 * only shown, with strings of 20, which is what attention was invented for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/team.h"
#include "digits.h"
#include "model/model.h"
#include "nn/attention.h"
#include "search/search.h"
#include "train/optimizer.h"
#include "train/schedule.h"

typedef struct {
    net_config net;
    const char *name;
    int shortest, longest; /* digits a string */
    long updates;
    double lr;
    bool must; /* reach the thresholds */
} learner;

static const double most_perplexity = 1.02, least_exact = 0.98;
enum { BATCH = 64, UNSEEN = 1000, VALID_STREAM = 1000000 };

static net_config network(const char *kind)
{
    return (net_config){.enc = kind,
                        .dec = kind,
                        .src_vocab = DIGIT_VOCAB,
                        .tgt_vocab = DIGIT_VOCAB,
                        .shared_vocab = true,
                        .d_model = 64,
                        .d_emb = 32,
                        .enc_layers = 1,
                        .dec_layers = 1,
                        .tie = "none",
                        .cell = "gru",
                        .attention = "none",
                        .context = "init",
                        .bidirectional = true,
                        .d_readout = 32,
                        .d_attention = 64,
                        .attention_span = 11,
                        .d_ff = 128,
                        .n_heads = 4,
                        .norm = "pre",
                        .activation = "relu"};
}

static learner attending(const attention *a)
{
    learner l = {network("rnn"), a->name, 1, 10, 1500, 0.005, true};
    l.net.attention = a->name;
    return l;
}

static learner transformer(void)
{
    learner l = {network("transformer"), "transformer", 1, 10, 2000, 0.002, true};
    l.net.enc_layers = l.net.dec_layers = 2;
    return l;
}

/* Chen et al. 2018 */
static learner hybrid(void)
{
    learner l = {network("transformer"), "hybrid", 1, 10, 2000, 0.002, true};
    l.net.enc_layers = 2;
    l.net.dec = "rnn";
    l.net.attention = "additive";
    return l;
}

static learner without_attention(void)
{
    learner l = {network("rnn"), "none", 20, 20, 3000, 0.005, false};
    l.net.d_model = 128;
    return l;
}

/* ----------------------------------------------------------------------------------- learning */

static void learn(const learner *l, model *m, const digit_task *task)
{
    arena *memory = arena_new(), *work = arena_new();
    optimizer_settings adam = optimizer_defaults(OPTIMIZER_ADAM);
    optimizer o = optimizer_new(model_params(m), &adam, memory);
    const schedule rate = {.kind = SCHEDULE_LINEAR, .lr = l->lr, .warmup = 100, .total = l->updates};
    for (long update = 1; update <= l->updates; update++) {
        seqs src = {0}, tgt = {0};
        digit_pairs(task, BATCH, l->shortest, l->longest, (uint64_t)update, &src, &tgt);
        arena_reset(work);
        tape t = tape_new(work, true, true, 1, (uint64_t)update);
        model_loss(m, &t, &src, &tgt, &(loss_settings){0}, 1 / (double)(seqs_total(&tgt) + tgt.n));
        tape_backward(&t);
        optimizer_step(&o, schedule_lr(&rate, update), clip_scale(optimizer_norm(&o), 1), update);
        params_changed(model_params(m));
        seqs_free(&src), seqs_free(&tgt);
    }
    arena_free(work);
    arena_free(memory);
}

static double perplexity(model *m, const seqs *src, const seqs *tgt)
{
    arena *work = arena_new();
    tape t = tape_new(work, false, false, 1, 1);
    model_sums s = model_loss(m, &t, src, tgt, &(loss_settings){0}, 1);
    arena_free(work);
    return exp(s.nll / (double)s.words);
}

/* Greedily: a network this sure of itself ends five wrong beginnings, one a step, before the right line is
 * complete, and a beam of five is then done by the rule of search.h. */
static double share_exact(model *m, const seqs *src, const seqs *tgt)
{
    const search_options o = {.beam = 1,
                              .length_penalty = 1,
                              .max_len_ratio = 1.5,
                              .max_len_extra = 5,
                              .n_best = 1,
                              .batch_tokens = 500};
    hyp_list *lists = xcalloc(src->n, sizeof *lists);
    int exact = 0;
    search(m, src, &o, lists);
    for (size_t i = 0; i < src->n; i++) {
        const hyp *best = &lists[i].hyps[0];
        size_t n = seqs_len(tgt, i);
        exact += (size_t)best->n == n && memcmp(best->ids, seqs_at(tgt, i), n * sizeof(int)) == 0;
    }
    search_free(lists, src->n);
    free(lists);
    return exact / (double)src->n;
}

/* Whether the network falls short. */
static bool falls_short(const learner *l, const digit_task *task)
{
    clock_t start = clock();
    model *m = model_new(&l->net, true);
    model_init(m, 1);
    learn(l, m, task);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    seqs src = {0}, tgt = {0};
    digit_pairs(task, UNSEEN, l->shortest, l->longest, VALID_STREAM, &src, &tgt);
    double ppl = perplexity(m, &src, &tgt), exact = share_exact(m, &src, &tgt);
    bool good = ppl <= most_perplexity && exact >= least_exact;
    printf("%-12s %-8s %2d..%2d digits  perplexity %.4f  exact %5.1f %%  %ld updates, %.0f s%s\n", l->name,
           task->name, l->shortest, l->longest, ppl, 100 * exact, l->updates, seconds,
           good      ? ""
           : l->must ? "  FALLS SHORT"
                     : "  (shown only)");
    fflush(stdout);
    seqs_free(&src), seqs_free(&tgt);
    model_free(m);
    return l->must && !good;
}

static bool wanted(int argc, char **argv, int i, const char *name)
{
    return argc <= i || strcmp(argv[i], name) == 0;
}

static int run(const learner *l, int argc, char **argv)
{
    int bad = 0;
    if (!wanted(argc, argv, 1, l->name)) return 0;
    for (const digit_task *task = digit_tasks; task->name; task++)
        if (wanted(argc, argv, 2, task->name) && (l->must || argc > 2 || task->answer == digits_reverse))
            bad += falls_short(l, task);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;
    team_set_threads(1);
    for (const attention *a = attentions; a->name; a++) {
        learner l = attending(a);
        bad += run(&l, argc, argv);
    }
    learner others[] = {transformer(), hybrid(), without_attention()};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) bad += run(&others[i], argc, argv);
    return bad ? 1 : 0;
}
