/* Scoring given translations: the same bits in any company, and the numbers that search gives. */
#include "search/score.h"

#include <stdlib.h>

#include "base/team.h"
#include "networks.h"
#include "search/search.h"
#include "suite.h"

enum { PAIRS = 40 };

typedef struct {
    model *m;
    seqs src, tgt;
} material;

static material make(const net_config *c)
{
    return (material){network_new(c, false), network_sentences(PAIRS, 0, 14, c->src_vocab, 3),
                      network_sentences(PAIRS, 0, 17, c->tgt_vocab, 4)};
}

static void drop(material *x)
{
    model_free(x->m);
    seqs_free(&x->src);
    seqs_free(&x->tgt);
}

static double *scores(model *m, const seqs *src, const seqs *tgt, int batch_tokens, int threads)
{
    double *log_probs = xcalloc(seqs_total(tgt) + tgt->n, sizeof *log_probs);
    team_set_threads(threads);
    score_pairs(m, src, tgt, batch_tokens, log_probs);
    return log_probs;
}

static void for_all_networks(void (*check)(material *x, const char *name))
{
    int threads = team_threads();
    for (networks w = networks_all(); networks_next(&w);) {
        material x = make(&w.config);
        check(&x, w.name);
        drop(&x);
    }
    team_set_threads(threads);
}

/* ------------------------------------------------------------------------------------- company */

static bool alone_the_same(material *x, const double *all)
{
    bool equal = true;
    for (size_t i = 0; i < x->src.n && equal; i++) {
        seqs src = {0}, tgt = {0};
        seqs_add(&src, seqs_at(&x->src, i), seqs_len(&x->src, i));
        seqs_add(&tgt, seqs_at(&x->tgt, i), seqs_len(&x->tgt, i));
        double *one = scores(x->m, &src, &tgt, 1, 1);
        equal = memcmp(one, all + x->tgt.start[i] + i, (seqs_len(&tgt, 0) + 1) * sizeof *one) == 0;
        free(one);
        seqs_free(&src);
        seqs_free(&tgt);
    }
    return equal;
}

static void check_company(material *x, const char *name)
{
    size_t rows = seqs_total(&x->tgt) + x->tgt.n;
    double *all = scores(x->m, &x->src, &x->tgt, 1000, 1);
    bool equal = alone_the_same(x, all);
    static const int batches[] = {1, 30, 64, 100000}, teams[] = {2, 3, 1, 7};
    for (int i = 0; i < 4 && equal; i++) {
        double *other = scores(x->m, &x->src, &x->tgt, batches[i], teams[i]);
        equal = memcmp(all, other, rows * sizeof *all) == 0;
        free(other);
    }
    if (!equal) printf("\n    %s: scores depend on batch, threads or the other sentences", name);
    CU_ASSERT(equal);
    free(all);
}

static void test_company(void) { for_all_networks(check_company); }

/* Widths and a vocabulary at which products take their fast ways. */
static void test_wide_company(void)
{
    int threads = team_threads();
    net_config c;
    for (int i = 0; network_pair(i, &c); i++) {
        c.src_vocab = c.tgt_vocab = 700;
        c.d_model = 72;
        c.d_emb = 40;
        c.d_ff = 136;
        c.d_attention = 65;
        c.d_readout = 48;
        c.n_heads = 4;
        material x = make(&c);
        check_company(&x, net_config_kind(&c));
        drop(&x);
    }
    team_set_threads(threads);
}

/* --------------------------------------------------------------------------------------- search */

/* Hypotheses that ended before their limit, as target sentences for their sources. */
static void add_finished(const hyp_list *list, const int *src, size_t n, int limit, seqs *pairs,
                         double *log_probs)
{
    for (int k = 0; k < list->n; k++) {
        const hyp *h = &list->hyps[k];
        if (h->n >= limit) continue; /* cut: eos is not in its score */
        log_probs[pairs[0].n] = h->log_prob;
        seqs_add(&pairs[0], src, n);
        seqs_add(&pairs[1], h->ids, (size_t)h->n);
    }
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

static size_t compared; /* not every network ends its sentences */

static void check_search(material *x, const char *name)
{
    enum { BEAM = 4, LIMIT = 24 };
    search_options o = {.beam = BEAM, .length_penalty = 1, .n_best = BEAM, .batch_tokens = 200};
    search_request requests[PAIRS];
    for (int i = 0; i < PAIRS; i++) requests[i] = (search_request){.limit = LIMIT};
    o.requests = requests;
    hyp_list lists[PAIRS];
    double want[PAIRS * BEAM], worst = 0;
    seqs pairs[2] = {{0}};
    search(x->m, &x->src, &o, lists);
    for (size_t i = 0; i < PAIRS; i++)
        add_finished(&lists[i], seqs_at(&x->src, i), seqs_len(&x->src, i), LIMIT, pairs, want);
    double *got = scores(x->m, &pairs[0], &pairs[1], 300, 2);
    for (size_t i = 0; i < pairs[1].n; i++) {
        double sum = sum_of(got + pairs[1].start[i] + i, seqs_len(&pairs[1], i) + 1);
        double error = fabs(sum - want[i]);
        if (!(error <= worst)) worst = error;
    }
    if (!(worst < 1e-4)) printf("\n    %s: off by %g", name, worst);
    CU_ASSERT(worst < 1e-4);
    compared += pairs[1].n;
    free(got);
    search_free(lists, PAIRS);
    seqs_free(&pairs[0]);
    seqs_free(&pairs[1]);
}

static void test_search(void)
{
    for_all_networks(check_search);
    CU_ASSERT(compared > 1000);
}

/* All words that may follow have probabilities that add up to one; pad and bos have none. */
static void check_sum(material *x, const char *name)
{
    int vocab = model_config(x->m)->tgt_vocab;
    seqs src = {0}, tgt = {0};
    for (int w = 0; w < vocab; w++) {
        seqs_add(&src, (const int[]){5, 7}, 2);
        seqs_add(&tgt, &w, 1);
    }
    double *log_probs = scores(x->m, &src, &tgt, 64, 1), sum = 0;
    for (int w = 0; w < vocab; w++) sum += exp(log_probs[2 * w]);
    if (!(fabs(sum - 1) < 1e-5)) printf("\n    %s: probabilities add up to %g", name, sum);
    CU_ASSERT(fabs(sum - 1) < 1e-5);
    CU_ASSERT(isinf(log_probs[2 * ID_PAD]) && isinf(log_probs[2 * ID_BOS]));
    free(log_probs);
    seqs_free(&src);
    seqs_free(&tgt);
}

static void test_sum(void) { for_all_networks(check_sum); }

int main(void)
{
    CU_TestInfo tests[] = {{"a score is independent of its batch", test_company},
                           {"the same in wide networks", test_wide_company},
                           {"the numbers of search", test_search},
                           {"probabilities add up to one", test_sum},
                           CU_TEST_INFO_NULL};
    return suite_run("score", tests);
}
