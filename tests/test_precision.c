/* Networks whose products are in whole numbers: what they say hangs on the sentence alone, and is close to
 * what they say in floating point. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/team.h"
#include "networks.h"
#include "search/score.h"
#include "search/search.h"
#include "suite.h"

enum { SENTENCES = 24 };

static const search_options usual = {
    .beam = 3, .length_penalty = 1, .max_len_ratio = 2, .max_len_extra = 3, .n_best = 1, .batch_tokens = 60};

static model *network_in(const net_config *c, enum precision p)
{
    model *m = network_new(c, false);
    model_keep_output(m); /* for shortlists */
    params_freeze(model_params(m), p);
    return m;
}

/* Wide enough that sums have some terms. */
static bool wide_pair(int i, net_config *c)
{
    if (!network_pair(i, c)) return false;
    c->src_vocab = c->tgt_vocab = 90;
    c->d_model = c->d_emb = c->d_readout = 32;
    c->d_ff = 70;
    return true;
}

static bool same_hyp(const hyp *a, const hyp *b)
{
    return a->n == b->n && a->log_prob == b->log_prob && !memcmp(a->ids, b->ids, (size_t)a->n * sizeof(int));
}

/* The same sentences, the last one first. */
static seqs reversed(const seqs *s)
{
    seqs r = {0};
    for (size_t i = s->n; i-- > 0;) seqs_add(&r, seqs_at(s, i), seqs_len(s, i));
    return r;
}

static bool translates_alike(model *m, const seqs *src, search_options o, const hyp_list *want,
                             int batch_tokens, bool turn)
{
    hyp_list got[SENTENCES] = {{0}};
    seqs turned = reversed(src);
    bool alike = true;
    o.batch_tokens = batch_tokens;
    search(m, turn ? &turned : src, &o, got);
    for (int i = 0; i < SENTENCES; i++)
        alike = alike && same_hyp(&want[i].hyps[0], &got[turn ? SENTENCES - 1 - i : i].hyps[0]);
    search_free(got, SENTENCES);
    seqs_free(&turned);
    return alike;
}

static void check_independent(model *m, const seqs *src, search_options o)
{
    static const int threads[] = {1, 2, 7}, batches[] = {1, 5000, 60};
    hyp_list want[SENTENCES] = {{0}};
    search(m, src, &o, want);
    for (int t = 0; t < 3; t++) {
        team_set_threads(threads[t]);
        CU_ASSERT(translates_alike(m, src, o, want, batches[t], false));
        CU_ASSERT(translates_alike(m, src, o, want, batches[t], true));
    }
    team_set_threads(2);
    search_free(want, SENTENCES);
}

/* For every piece a few words. */
static seqs make_lists(int vocab)
{
    seqs lists = {0};
    for (int s = 0; s <= vocab; s++) seqs_add(&lists, (const int[]){s * 7 % vocab, s * 3 % vocab, 5}, 3);
    return lists;
}

static void test_independent(void)
{
    net_config c;
    for (int i = 0; wide_pair(i, &c); i++) {
        model *m = network_in(&c, PRECISION_INT8), *fp32 = network_in(&c, PRECISION_FP32);
        seqs src = network_sentences(SENTENCES, 0, 9, c.src_vocab, 5), lists = make_lists(c.src_vocab);
        search_options some = usual;
        some.shortlist = &lists;
        check_independent(m, &src, usual);
        check_independent(m, &src, some);
        check_independent(fp32, &src, some);
        seqs_free(&src);
        seqs_free(&lists);
        model_free(m);
        model_free(fp32);
    }
}

/* The logits of words in columns of their own are those of all words, bit by bit. */
static void check_some(model *m)
{
    enum { ROWS = 3, COLUMNS = 2 * MODEL_COLUMNS };
    int vocab = model_config(m)->tgt_vocab, ids[ROWS] = {4, 7, 9};
    arena *a = arena_new();
    seqs src = network_sentences(ROWS, 1, 9, model_config(m)->src_vocab, 5);
    decoding_room room = {
        .rows = ROWS, .sentences = ROWS, .steps = 9, .said = 99, .words = 99, .some_words = true};
    decoding *all = model_open(m, a, &room), *some = model_open(m, a, &room);
    real *x = arena_alloc(a, sizeof *x * (size_t)(ROWS * vocab)),
         *y = arena_alloc(a, sizeof *y * ROWS * COLUMNS);
    model_join(all, &src);
    model_join(some, &src);
    bool same = true;
    for (int round = 0; round < 4; round++) { /* a few columns, then more, then other words in them */
        int n = round ? 80 : 9;
        for (int k = 0; k < n; k++) model_put_word(some, n - 1 - k, (k * 7 + round) % vocab);
        int columns = (n + MODEL_COLUMNS - 1) / MODEL_COLUMNS * MODEL_COLUMNS;
        model_step(all, ids, x);
        model_step_some(some, ids, columns, y);
        for (int r = 0; r < ROWS; r++)
            for (int k = 0; k < n; k++)
                same = same && !memcmp(&y[r * columns + n - 1 - k], &x[r * vocab + (k * 7 + round) % vocab],
                                       sizeof *x);
    }
    CU_ASSERT(same);
    seqs_free(&src);
    arena_free(a);
}

static void test_some(void)
{
    net_config c;
    for (int i = 0; wide_pair(i, &c); i++) {
        model *plain = network_new(&c, false), *fp32 = network_in(&c, PRECISION_FP32),
              *int8 = network_in(&c, PRECISION_INT8);
        check_some(plain);
        check_some(fp32);
        check_some(int8);
        model_free(plain);
        model_free(fp32);
        model_free(int8);
    }
}

/* Log-probabilities of made-up targets. */
static double *scores(model *m, const seqs *src, const seqs *tgt)
{
    double *p = xmalloc((seqs_total(tgt) + tgt->n) * sizeof *p);
    score_pairs(m, src, tgt, 100, p);
    return p;
}

static void test_close(void)
{
    net_config c;
    for (int i = 0; wide_pair(i, &c); i++) {
        model *exact = network_in(&c, PRECISION_FP32), *whole = network_in(&c, PRECISION_INT8);
        seqs src = network_sentences(SENTENCES, 1, 9, c.src_vocab, 5),
             tgt = network_sentences(SENTENCES, 1, 9, c.src_vocab, 6);
        double *a = scores(exact, &src, &tgt), *b = scores(whole, &src, &tgt), off = 0;
        size_t n = seqs_total(&tgt) + tgt.n;
        for (size_t k = 0; k < n; k++) off += fabs(a[k] - b[k]) / (double)n;
        CU_ASSERT(off > 1e-5); /* else nothing was quantised */
        CU_ASSERT(off < 0.1);
        free(a);
        free(b);
        seqs_free(&src);
        seqs_free(&tgt);
        model_free(exact);
        model_free(whole);
    }
}

static CU_TestInfo tests[] = {
    {"a translation depends on its sentence alone", test_independent},
    {"logits of some words are those of all", test_some},
    {"close to floating point", test_close},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run("precision", tests); }
