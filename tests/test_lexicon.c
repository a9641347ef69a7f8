/* IBM Model 1 and the shortlists made of it, on made-up languages. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "scratch.h"
#include "suite.h"
#include "train/lexicon.h"
#include "train/shortlist.h"

enum { WORDS = 40, PAIRS = 600 };

/* Sentences of 1 to 8 words; word s is said as 3 s + 1 modulo WORDS, in another order, and each sentence has
 * a word 0, which stands for no word of the source. */
static void make_pairs(seqs *src, seqs *tgt)
{
    rng r = rng_at(1, RNG_TEST, 0);
    for (int i = 0; i < PAIRS; i++) {
        int n = 1 + (int)rng_below(&r, 8);
        seqs_add(src, NULL, 0);
        seqs_add(tgt, &(int){0}, 1);
        for (int k = 0; k < n; k++) seqs_push(src, 1 + (int)rng_below(&r, WORDS - 1));
        for (int k = n - 1; k >= 0; k--)
            seqs_push(tgt, 1 + (3 * seqs_at(src, (size_t)i)[k] + 1) % (WORDS - 1));
    }
}

static void test_found(void)
{
    seqs src = {0}, tgt = {0};
    make_pairs(&src, &tgt);
    lexicon l = lexicon_learn(&src, &tgt, WORDS, WORDS, 5);
    CU_ASSERT(l.start[1] == l.start[0]); /* word 0 is in no source */
    for (int s = 1; s < WORDS; s++) {
        CU_ASSERT_FATAL(l.start[s + 1] > l.start[s]);
        CU_ASSERT_EQUAL(l.entries[l.start[s]].word, 1 + (3 * s + 1) % (WORDS - 1));
        CU_ASSERT(l.entries[l.start[s]].p > 0.7F);
        for (size_t k = l.start[s] + 1; k < l.start[s + 1]; k++)
            CU_ASSERT(l.entries[k].p <= l.entries[k - 1].p && l.entries[k].p >= 0);
    }
    CU_ASSERT_EQUAL(l.entries[l.start[WORDS]].word, 0); /* of the empty word */
    CU_ASSERT(l.start[WORDS + 1] - l.start[WORDS] <= LEXICON_MOST);
    lexicon_free(&l);
    seqs_free(&src);
    seqs_free(&tgt);
}

/* Brown et al.'s equations on two pairs, worked out by hand: "a b | x y" and "a | x", with the empty word. */
static void test_equations(void)
{
    seqs src = {0}, tgt = {0};
    seqs_add(&src, (const int[]){0, 1}, 2);
    seqs_add(&tgt, (const int[]){0, 1}, 2);
    seqs_add(&src, (const int[]){0}, 1);
    seqs_add(&tgt, (const int[]){0}, 1);
    lexicon l = lexicon_learn(&src, &tgt, 2, 2, 1);
    /* counts: c(x|a) = 1/3 + 1/2, c(y|a) = 1/3, c(x|b) = c(y|b) = 1/3 */
    CU_ASSERT_DOUBLE_EQUAL((double)l.entries[l.start[0]].p, (5 / 6.0) / (7 / 6.0), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)l.entries[l.start[1]].p, 0.5, 1e-6);
    lexicon_free(&l);
    l = lexicon_learn(&src, &tgt, 2, 2, 2);
    /* then p(x|a) = p(x|0) = 5/7, p(.|b) = 1/2: c(x|b) = (1/2) / (10/7 + 1/2), c(y|b) = (1/2) / (4/7 + 1/2)
     */
    double x = 0.5 / (10 / 7.0 + 0.5), y = 0.5 / (4 / 7.0 + 0.5);
    CU_ASSERT_EQUAL(l.entries[l.start[1]].word, 1);
    CU_ASSERT_DOUBLE_EQUAL((double)l.entries[l.start[1]].p, y / (x + y), 1e-6);
    lexicon_free(&l);
    seqs_free(&src);
    seqs_free(&tgt);
}

static void test_nothing(void)
{
    seqs none = {0};
    lexicon l = lexicon_learn(&none, &none, 5, 5, 3);
    CU_ASSERT_EQUAL(l.start[6], 0);
    lexicon_free(&l);
}

/* ------------------------------------------------------------------------------------ shortlists */

static void write_text(const char *path, bool target)
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (int i = 0; i < 2000; i++) {
        int a = i % 37, b = i % 53;
        if (target)
            fprintf(f, "T%c%cX the T%c%cX\n", 'a' + b / 8, 'a' + b % 8, 'a' + a / 8, 'a' + a % 8);
        else
            fprintf(f, "s%c%cy s%c%cy\n", 'a' + a / 8, 'a' + a % 8, 'a' + b / 8, 'a' + b % 8);
    }
    fclose(f);
}

static bool holds(const seqs *lists, size_t list, int word)
{
    for (size_t k = 0; k < seqs_len(lists, list); k++)
        if (seqs_at(lists, list)[k] == word) return true;
    return false;
}

static bool same_lists(const seqs *a, const seqs *b)
{
    if (a->n != b->n || seqs_total(a) != seqs_total(b)) return false;
    return !memcmp(a->start, b->start, (a->n + 1) * sizeof *a->start) &&
           !memcmp(a->ids, b->ids, seqs_total(a) * sizeof *a->ids);
}

static void test_learn(void)
{
    const char *src = scratch_path("s"), *tgt = scratch_path("t");
    write_text(src, false);
    write_text(tgt, true);
    vocab_request v = {.src_paths = &src, .tgt_paths = &tgt, .n_files = 1, .size = 600};
    vocab_pair vocab;
    CU_ASSERT_EQUAL_FATAL(vocab_pair_learn(&v, &vocab), 0);
    shortlist_request r = {
        .src_paths = &src, .tgt_paths = &tgt, .n_files = 1, .vocab = &vocab, .max_len = 50, .words = 5};
    seqs lists, again;
    size_t pairs;
    int threads = team_threads();
    CU_ASSERT_EQUAL_FATAL(shortlist_learn(&r, &lists, &pairs), 0);
    CU_ASSERT_EQUAL(pairs, 2000);
    CU_ASSERT_EQUAL_FATAL(lists.n, (size_t)tokenizer_size(vocab.src) + 1);
    for (size_t s = 0; s < lists.n; s++) {
        size_t n = seqs_len(&lists, s);
        if (s + 1 < lists.n) CU_ASSERT(n <= 6); /* and itself */
        for (size_t k = 0; k < n; k++) {
            CU_ASSERT(seqs_at(&lists, s)[k] >= 0 && seqs_at(&lists, s)[k] < tokenizer_size(vocab.tgt));
            if (k) CU_ASSERT(seqs_at(&lists, s)[k] > seqs_at(&lists, s)[k - 1]);
        }
        if (s >= ID_FIRST && s + 1 < lists.n)
            CU_ASSERT(holds(&lists, s, (int)s) || holds(&lists, lists.n - 1, (int)s));
    }
    CU_ASSERT(holds(&lists, lists.n - 1, ID_EOS));
    team_set_threads(3);
    CU_ASSERT_EQUAL_FATAL(shortlist_learn(&r, &again, &pairs), 0);
    CU_ASSERT(same_lists(&lists, &again));
    team_set_threads(threads);
    seqs_free(&again);
    unlink(tgt);
    CU_ASSERT(shortlist_learn(&r, &again, &pairs) < 0);
    unlink(src);
    seqs_free(&lists);
    seqs_free(&again);
    vocab_pair_free(&vocab);
}

static CU_TestInfo tests[] = {
    {"a made-up lexicon is found", test_found},
    {"the equations", test_equations},
    {"no text", test_nothing},
    {"lists of a text", test_learn},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    scratch_open();
    int failed = suite_run("lexicon", tests);
    scratch_close();
    return failed;
}
