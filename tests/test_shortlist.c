/* Search with a vocabulary shortlist, against the plain one (plain_search.h). */
#include "plain_search.h"

/* For words below `vocab` some of the others each, in any order and not without pad and bos; `all`: every
 * word. */
static seqs make_lists(int vocab, bool all)
{
    seqs lists = {0};
    uint64_t h = 9;
    for (int s = 0; s <= vocab; s++) {
        seqs_add(&lists, NULL, 0);
        for (int w = vocab - 1; w >= 0; w--)
            if (all || (h = hash64_mix(h, 11)) % (uint64_t)vocab < 3) seqs_push(&lists, w);
    }
    return lists;
}

static void test_shortlist(void)
{
    seqs lists = make_lists(150, false);
    const int prefix[] = {140, 40, 140};
    for (int beam = 1; beam <= 6; beam++) {
        search_options o = options(beam);
        o.shortlist = &lists;
        check_all(network(HASHED, 150, 0.3), o);
        o.forbid_unk = true;
        o.never = (const int[]){4, 9, 30, 77};
        o.n_never = 4;
        o.no_repeat_ngram = 1;
        o.min_len = 4;
        check_all(network(HASHED, 150, 0.3), o);
    }
    model m = network(HASHED, 150, 0.5);
    for (int beam = 1; beam <= 5; beam += 2) {
        search_options o = options(beam);
        o.shortlist = &lists;
        check_request(&m, o, (search_request){.prefix = prefix, .n_prefix = 3});
    }
    seqs_free(&lists);
}

/* A list of all words is none. */
static void test_full_shortlist(void)
{
    model m = network(HASHED, 150, 0.3), other = network(HASHED, 150, 0.6);
    model *nets[] = {&m, &other};
    seqs lists = make_lists(150, true), src = sentences(30, 12);
    for (int beam = 1; beam <= 5; beam += 2) {
        search_options o = options(beam), some = o;
        hyp_list a[30], b[30];
        some.shortlist = &lists;
        search_ensemble(nets, 2, &src, &o, a);
        search_ensemble(nets, 2, &src, &some, b);
        for (int i = 0; i < 30; i++) {
            CU_ASSERT_EQUAL_FATAL(a[i].n, b[i].n);
            for (int k = 0; k < a[i].n; k++) {
                CU_ASSERT(same_ids(&a[i].hyps[k], b[i].hyps[k].ids, b[i].hyps[k].n));
                CU_ASSERT_DOUBLE_EQUAL(a[i].hyps[k].log_prob, b[i].hyps[k].log_prob, 1e-5);
            }
        }
        search_free(a, 30);
        search_free(b, 30);
    }
    seqs_free(&lists);
    seqs_free(&src);
}

static void test_shortlist_draws(void)
{
    model m = network(HASHED, WORDS, 0);
    seqs lists = make_lists(WORDS, false);
    search_options o = options(1);
    double share[WORDS];
    int count[WORDS];
    o.shortlist = &lists;
    o.temperature = 1;
    fill_list(&o, NULL, 0);
    plain_shares(&m, &o, share);
    count_draws(&m, o, count);
    for (int w = 0; w < WORDS; w++)
        CU_ASSERT(fabs(count[w] - DRAWS * share[w]) <= 4.5 * sqrt(DRAWS * share[w] * (1 - share[w])) + 1);
    seqs_free(&lists);
}

static void test_shortlist_alone(void)
{
    model m = network(HASHED, 150, 0.3);
    seqs lists = make_lists(150, false);
    for (int beam = 1; beam <= 5; beam += 2) {
        search_options o = options(beam);
        o.shortlist = &lists;
        check_independence(&m, o);
    }
    seqs_free(&lists);
}

int main(void)
{
    CU_TestInfo tests[] = {{"the rule, with words of a sentence's own", test_shortlist},
                           {"a list of all words", test_full_shortlist},
                           {"draws", test_shortlist_draws},
                           {"a sentence is independent of its batch", test_shortlist_alone},
                           CU_TEST_INFO_NULL};
    return suite_run("shortlist", tests);
}
