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

static bool translates_alike(model *m, const seqs *src, const hyp_list *want, int batch_tokens, bool turn)
{
    hyp_list got[SENTENCES] = {{0}};
    search_options o = usual;
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

static void test_independent(void)
{
    static const int threads[] = {1, 2, 7}, batches[] = {1, 5000, 60};
    net_config c;
    for (int i = 0; wide_pair(i, &c); i++) {
        model *m = network_in(&c, PRECISION_INT8);
        seqs src = network_sentences(SENTENCES, 0, 9, c.src_vocab, 5);
        hyp_list want[SENTENCES] = {{0}};
        search(m, &src, &usual, want);
        for (int t = 0; t < 3; t++) {
            team_set_threads(threads[t]);
            CU_ASSERT(translates_alike(m, &src, want, batches[t], false));
            CU_ASSERT(translates_alike(m, &src, want, batches[t], true));
        }
        team_set_threads(2);
        search_free(want, SENTENCES);
        seqs_free(&src);
        model_free(m);
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
    {"close to floating point", test_close},
    CU_TEST_INFO_NULL,
};

int main(void) { return suite_run("precision", tests); }
