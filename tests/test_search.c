/* Search against a made-up network and beam search written down plainly (plain_search.h). */
#include "plain_search.h"

static void test_rule(void)
{
    for (int beam = 1; beam <= 6; beam++) {
        for (double bias = 0; bias < 1; bias += 0.3) check_all(network(HASHED, 23, bias), options(beam));
    }
    check_all(network(HASHED, 150, 1), options(12));
}

static void test_options(void)
{
    model m = network(HASHED, 23, 0.5);
    search_options o = options(5);
    o.length_penalty = 0;
    check_all(m, o);
    o.length_penalty = 2.5;
    o.n_best = 2;
    check_all(m, o);
    o.forbid_unk = true;
    check_all(m, o);
    o.max_len_ratio = 0;
    o.max_len_extra = 1;
    check_all(m, o);
    o.beam = o.n_best = 1;
    check_all(m, o);
}

static void test_length_penalties(void)
{
    model m = network(HASHED, 23, 0.5);
    search_options o = options(5);
    o.penalty = 1;
    CU_ASSERT_STRING_EQUAL(length_penalties[1].name, "wu");
    check_all(m, o);
    o.length_penalty = 0.6;
    check_all(m, o);
}

/* Stopping early must not cost a hypothesis of the list. */
static void test_exact(void)
{
    for (double bias = 0; bias < 1; bias += 0.3) {
        for (int beam = 2; beam <= 6; beam += 2) {
            search_options o = options(beam);
            o.stop = STOP_EXACT;
            check_all(network(HASHED, 23, bias), o);
            o.length_penalty = 0.4;
            o.n_best = 1;
            check_all(network(HASHED, 23, bias), o);
            o.length_penalty = 0;
            check_all(network(HASHED, 23, bias), o);
            o.penalty = 1;
            o.length_penalty = 0.8;
            check_all(network(HASHED, 23, bias), o);
        }
    }
}

/* They change what is chosen, and no probability. */
static void test_constraints(void)
{
    model m = network(HASHED, 12, 0.5);
    for (int beam = 1; beam <= 5; beam += 2) {
        search_options o = options(beam);
        o.min_len = 8;
        check_all(m, o);
        o.no_repeat_ngram = 2;
        check_all(m, o);
        o.no_repeat_ngram = 1;
        o.min_len = 0;
        check_all(m, o);
        o = options(beam);
        o.never = (const int[]){4, 9, ID_UNK};
        o.n_never = 3;
        check_all(m, o);
    }
}

static void test_requests(void)
{
    model m = network(HASHED, 12, 0.5);
    const int prefix[] = {10, 10, 10, 9};
    for (int beam = 1; beam <= 5; beam += 2) {
        search_options o = options(beam);
        check_request(&m, o, (search_request){.prefix = prefix, .n_prefix = 4});
        check_request(&m, o, (search_request){.prefix = prefix, .n_prefix = 1});
        check_request(&m, o, (search_request){.min_len = 9});
        check_request(&m, o, (search_request){.exact = true, .limit = 1});
        check_request(&m, o, (search_request){.exact = true, .limit = 7});
        check_request(&m, o, (search_request){.exact = true, .limit = 9, .prefix = prefix, .n_prefix = 4});
        o.no_repeat_ngram = 1; /* what is demanded may repeat itself */
        check_request(&m, o, (search_request){.prefix = prefix, .n_prefix = 4});
    }
}

/* Prefixes and lengths that ask for more than the limit get it. */
static void test_room(void)
{
    model m = network(HASHED, 12, 0.5);
    const int prefix[] = {10, 10, 10, 9};
    search_options o = options(3);
    seqs src = sentences(1, 0);
    hyp_list got;
    o.max_len_ratio = 0;
    o.max_len_extra = 1;
    o.requests = &(search_request){.prefix = prefix, .n_prefix = 4};
    search(&m, &src, &o, &got);
    CU_ASSERT(got.hyps[0].n >= 4 && got.hyps[0].n <= 5);
    search_free(&got, 1);
    o.requests = NULL;
    o.min_len = 6;
    search(&m, &src, &o, &got);
    CU_ASSERT(got.hyps[0].n >= 6 && got.hyps[0].n <= 7);
    search_free(&got, 1);
    seqs_free(&src);
}

/* Without log-probabilities the words are the same. */
static void test_words_only(void)
{
    model m = network(HASHED, 150, 0.3);
    search_options o = options(1), words = o;
    seqs src = sentences(30, 12);
    hyp_list a[30], b[30];
    words.words_only = true;
    search(&m, &src, &o, a);
    search(&m, &src, &words, b);
    for (int i = 0; i < 30; i++) {
        CU_ASSERT(same_ids(&a[i].hyps[0], b[i].hyps[0].ids, b[i].hyps[0].n));
        CU_ASSERT(b[i].hyps[0].log_prob == 0);
    }
    search_free(a, 30);
    search_free(b, 30);
    seqs_free(&src);
}

/* ---------------------------------------------------------------------------------- sampling */

static void check_draws(double temperature, int top_k, double top_p)
{
    model m = network(HASHED, WORDS, 0);
    search_options o = options(1);
    double share[WORDS];
    int count[WORDS];
    o.temperature = temperature;
    o.top_k = top_k;
    o.top_p = top_p;
    fill_list(&o, NULL, 0);
    plain_shares(&m, &o, share);
    count_draws(&m, o, count);
    for (int w = 0; w < WORDS; w++) {
        double sigma = sqrt(DRAWS * share[w] * (1 - share[w]));
        CU_ASSERT(fabs(count[w] - DRAWS * share[w]) <= 4.5 * sigma + 1);
    }
}

static void test_draws(void)
{
    check_draws(1, 0, 1);
    check_draws(0.5, 0, 1);
    check_draws(3, 0, 0);
    check_draws(1, 7, 1);
    check_draws(1, 0, 0.6);
    check_draws(2, 80, 0.9);
    check_draws(1, 1, 1);
    check_draws(0.7, 1000, 0.01);
}

/* A sentence's draws are its own: beside others, in any batch, with any number of threads; other numbers,
 * other words. */
static void test_draws_alone(void)
{
    enum { N = 40, KEPT = 3 };
    model m = network(HASHED, 23, 0.3);
    seqs src = sentences(N, 12);
    search_request requests[N];
    search_options o = options(1);
    hyp_list all[N], one;
    int threads = team_threads(), differ = 0;
    for (int i = 0; i < N; i++) requests[i] = (search_request){.draws = (uint64_t)i};
    o.sample = true;
    o.temperature = 1;
    o.n_best = KEPT;
    o.seed = 5;
    o.requests = requests;
    team_set_threads(3);
    search(&m, &src, &o, all);
    team_set_threads(1);
    for (int i = 0; i < N; i++) {
        seqs alone = seqs_part(&src, (size_t)i, 1);
        search_options again = o;
        again.requests = requests + i;
        search(&m, &alone, &again, &one);
        CU_ASSERT(same_list(&one, &all[i]));
        CU_ASSERT(one.n >= 1 && one.n <= KEPT);
        for (int k = 1; k < one.n; k++) CU_ASSERT(one.hyps[k - 1].score >= one.hyps[k].score);
        search_free(&one, 1);
        again.seed = 6;
        search(&m, &alone, &again, &one);
        differ += !same_list(&one, &all[i]);
        search_free(&one, 1);
    }
    CU_ASSERT(differ > N / 2);
    team_set_threads(threads);
    search_free(all, N);
    seqs_free(&src);
}

/* ----------------------------------------------------------------------- ensembles, attention */

static void test_ensemble(void)
{
    model m = network(HASHED, 23, 0.3), other = network(HASHED, 23, 0.9), mean = network(HASHED, 23, 0.6);
    model *same[] = {&m, &m}, *two[] = {&m, &other};
    seqs src = sentences(20, 12);
    for (int beam = 1; beam <= 4; beam += 3) {
        search_options o = options(beam);
        hyp_list a[20], b[20];
        search(&m, &src, &o, a);
        search_ensemble(same, 2, &src, &o, b);
        for (int i = 0; i < 20; i++) CU_ASSERT(same_list(&a[i], &b[i]));
        search_free(b, 20);
        search_ensemble(two, 2, &src, &o, b); /* the mean of two biases is a network of the mean bias */
        for (size_t i = 0; i < 20; i++) check_sentence(&mean, &o, &src, i, &b[i]);
        search_free(a, 20);
        search_free(b, 20);
    }
    seqs_free(&src);
}

static double plain_coverage(const hyp *h, size_t keys)
{
    double sum = 0;
    for (size_t j = 0; j < keys; j++) {
        double got = 0;
        for (size_t k = 0; k <= (size_t)h->n; k++) {
            size_t word = k < (size_t)h->n ? (size_t)h->ids[k] : ID_EOS;
            got += ((word + k) % keys == j ? 0.5 : 0) + 0.5 / (double)keys;
        }
        sum += log(got < 1 ? got : 1);
    }
    return sum;
}

static void test_attention(void)
{
    model m = network(HASHED, 23, 0.3);
    m.layers = 2;
    seqs src = sentences(20, 12);
    search_options o = options(4);
    hyp_list got[20];
    o.attention = true;
    o.coverage = 0.3;
    o.n_best = 3;
    search(&m, &src, &o, got);
    for (size_t i = 0; i < 20; i++) {
        size_t keys = seqs_len(&src, i) + 1;
        for (int k = 0; k < got[i].n; k++) {
            const hyp *h = &got[i].hyps[k];
            double want = 0.3 * plain_coverage(h, keys);
            CU_ASSERT_DOUBLE_EQUAL(h->coverage, want, 1e-4);
            CU_ASSERT_DOUBLE_EQUAL(h->score, h->log_prob / h->length + want, 1e-4);
            CU_ASSERT_PTR_NOT_NULL_FATAL(h->attention);
            double sum = 0;
            for (size_t j = 0; j < keys; j++) sum += (double)h->attention[(size_t)h->n * keys + j];
            CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-5);
            if (k) CU_ASSERT(h[-1].score >= h->score);
        }
    }
    search_free(got, 20);
    o.place.layer = 1;
    search(&m, &src, &o, got);
    for (size_t i = 0; i < 20; i++) CU_ASSERT(got[i].hyps[0].attention[0] == 1);
    search_free(got, 20);
    o.place.layer = 2;
    search(&m, &src, &o, got);
    for (size_t i = 0; i < 20; i++) CU_ASSERT(seqs_len(&src, i) == 0 || got[i].hyps[0].attention[0] < 1);
    search_free(got, 20);
    m.layers = 0;
    search(&m, &src, &o, got);
    CU_ASSERT(got[3].hyps[0].attention == NULL && got[3].hyps[0].coverage == 0);
    search_free(got, 20);
    seqs_free(&src);
}

/* Fewer words than the beam wants: eos and two others. */
static void test_small_vocabulary(void)
{
    search_options o = options(5);
    o.forbid_unk = true;
    check_all(network(HASHED, 6, 0.2), o);
    check_all(network(HASHED, 4, 0), o);
}

static void test_n_best(void)
{
    model m = network(HASHED, 23, 0.3);
    search_options o = options(6);
    seqs src = sentences(20, 12);
    hyp_list lists[20];
    search(&m, &src, &o, lists);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(lists[i].n, 6);
        for (int a = 0; a < lists[i].n; a++) {
            const hyp *x = &lists[i].hyps[a];
            for (int b = 0; b < a; b++) CU_ASSERT(!same_ids(x, lists[i].hyps[b].ids, lists[i].hyps[b].n));
            if (a) CU_ASSERT(x[-1].score >= x->score);
            for (int k = 0; k < x->n; k++)
                CU_ASSERT(x->ids[k] != ID_PAD && x->ids[k] != ID_BOS && x->ids[k] != ID_EOS);
        }
    }
    search_free(lists, src.n);
    seqs_free(&src);
}

static void test_independence(void)
{
    model m = network(HASHED, 23, 0.3);
    for (int beam = 1; beam <= 5; beam += 2) check_independence(&m, options(beam));
}

static void test_ties(void)
{
    model m = network(CONSTANT, 9, 0);
    seqs src = {0};
    seqs_add(&src, (const int[]){4, 5}, 2);
    for (int beam = 1; beam <= 3; beam += 2) {
        search_options o = options(beam);
        o.requests = &(search_request){.limit = 2};
        hyp_list got;
        search(&m, &src, &o, &got);
        /* The words 1 3 4 5 .. are equally likely, so the best are the first: 1 at first, then with a beam of
         * three "" (eos in second place), "1 1" and "1 eos". */
        if (beam == 1) CU_ASSERT(got.n == 1 && same_ids(&got.hyps[0], (const int[]){1, 1}, 2));
        if (beam == 3) {
            CU_ASSERT_EQUAL_FATAL(got.n, 3);
            CU_ASSERT(same_ids(&got.hyps[0], NULL, 0));
            CU_ASSERT(same_ids(&got.hyps[1], (const int[]){1, 1}, 2));
            CU_ASSERT(same_ids(&got.hyps[2], (const int[]){1}, 1));
        }
        search_free(&got, 1);
    }
    seqs_free(&src);
}

/* A network whose weights went wrong still yields one (empty) hypothesis a sentence. */
static void test_not_a_number(void)
{
    model m = network(BROKEN, 9, 0);
    seqs src = sentences(3, 5);
    for (int beam = 1; beam <= 4; beam += 3) {
        search_options o = options(beam);
        hyp_list got[3];
        search(&m, &src, &o, got);
        for (int i = 0; i < 3; i++) CU_ASSERT(got[i].n == 1 && got[i].hyps[0].n == 0);
        search_free(got, 3);
    }
    seqs_free(&src);
}

static void test_long_source(void)
{
    model m = network(HASHED, 23, -1);
    search_options o = options(2);
    seqs src = sentences(3, 5);
    int *ids = xcalloc(20000, sizeof *ids);
    seqs_add(&src, ids, 20000);
    hyp_list got[4];
    search(&m, &src, &o, got);
    CU_ASSERT_EQUAL(got[3].hyps[0].n, (int)(1.5 * 20001 + 10));
    search_free(got, 4);
    seqs_free(&src);
    free(ids);
}

static void test_nothing(void)
{
    model m = network(HASHED, 23, 0);
    seqs none = {0};
    search_options o = options(5);
    search(&m, &none, &o, NULL);
    CU_PASS("no sentences, no work");
}

int main(void)
{
    CU_TestInfo tests[] = {{"the rule", test_rule},
                           {"options", test_options},
                           {"length penalties", test_length_penalties},
                           {"exact stopping", test_exact},
                           {"constraints", test_constraints},
                           {"requests", test_requests},
                           {"room for a prefix and a length", test_room},
                           {"words without log-probabilities", test_words_only},
                           {"draws", test_draws},
                           {"draws of a sentence", test_draws_alone},
                           {"ensembles", test_ensemble},
                           {"attention and coverage", test_attention},
                           {"small vocabulary", test_small_vocabulary},
                           {"n-best lists", test_n_best},
                           {"a sentence is independent of its batch", test_independence},
                           {"ties", test_ties},
                           {"not a number", test_not_a_number},
                           {"very long source", test_long_source},
                           {"no sentences", test_nothing},
                           CU_TEST_INFO_NULL};
    return suite_run("search", tests);
}
