/* Search against a made-up network whose next-word scores are a hash of everything it was fed, so that any
 * mix-up of rows, words or sentences shows, and against beam search written down plainly. */
#include "search/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/team.h"
#include "suite.h"

/* --------------------------------------------------------- the made-up network */
enum kind { HASHED, CONSTANT, BROKEN };

struct model {
    net_config config;
    enum kind kind;
    double eos_bias; /* added to the logit of eos for each word so far */
};

typedef struct {
    uint64_t hash; /* of the source and the words fed */
    int length;
} fake_row;

struct decoding {
    const model *m;
    fake_row *rows, *old;
    int n, max_rows, max_steps;
};

const net_config *model_config(const model *m) { return &m->config; }

static double logit_of(const model *m, fake_row r, int word)
{
    if (m->kind == CONSTANT) return 0;
    if (m->kind == BROKEN) return NAN;
    uint64_t h = hash64_mix(r.hash, (uint64_t)word * 0x9E3779B97F4A7C15u + 1);
    double x = (double)(h >> 11) / 9007199254740992.0;
    return 6 * x * x + (word == ID_EOS ? m->eos_bias * r.length : 0);
}

static fake_row fake_start(const int *ids, size_t n) { return (fake_row){hash64(ids, n * sizeof *ids), 0}; }

static fake_row fake_feed(fake_row r, int id)
{
    return (fake_row){hash64_mix(r.hash, (uint64_t)id + 7), r.length + 1};
}

decoding *model_start(model *m, arena *memory, const seqs *src, int max_rows, int max_steps)
{
    decoding *d = arena_alloc(memory, sizeof *d);
    *d = (decoding){m, NULL, NULL, (int)src->n, max_rows, max_steps};
    BUG_IF(d->n > max_rows);
    d->rows = arena_alloc(memory, (size_t)max_rows * sizeof *d->rows);
    d->old = arena_alloc(memory, (size_t)max_rows * sizeof *d->old);
    for (size_t i = 0; i < src->n; i++) d->rows[i] = fake_start(seqs_at(src, i), seqs_len(src, i));
    return d;
}

void model_step(decoding *d, const int *ids, real *logits)
{
    int vocab = d->m->config.tgt_vocab;
    for (int r = 0; r < d->n; r++) {
        d->rows[r] = fake_feed(d->rows[r], ids[r]);
        BUG_IF(d->rows[r].length > d->max_steps);
        for (int w = 0; w < vocab; w++) logits[r * vocab + w] = (real)logit_of(d->m, d->rows[r], w);
    }
}

void model_select(decoding *d, const int *from, int n)
{
    BUG_IF(n < 1 || n > d->max_rows);
    memcpy(d->old, d->rows, (size_t)d->n * sizeof *d->rows);
    for (int i = 0; i < n; i++) {
        BUG_IF(from[i] < 0 || from[i] >= d->n);
        d->rows[i] = d->old[from[i]];
    }
    d->n = n;
}

/* ------------------------------------------- beam search, one sentence, written down plainly */
enum { MOST = 64, LONGEST = 64 };

typedef struct {
    int words[LONGEST], n;
    double log_prob, score;
    fake_row state; /* before its last word */
    int order;      /* among equals */
} plain;

static int better_log_prob(const void *a, const void *b)
{
    const plain *x = a, *y = b;
    if (x->log_prob != y->log_prob) return x->log_prob > y->log_prob ? -1 : 1;
    return x->order - y->order;
}

static int better_score(const void *a, const void *b)
{
    const plain *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->order - y->order;
}

static bool may_produce(const search_options *o, int w)
{
    return w != ID_PAD && w != ID_BOS && !(o->forbid_unk && w == ID_UNK);
}

/* All extensions of the live hypotheses, best first. */
static int plain_extensions(const model *m, const search_options *o, const plain *live, int n, plain *all)
{
    int count = 0, vocab = m->config.tgt_vocab;
    for (int k = 0; k < n; k++) {
        fake_row state = fake_feed(live[k].state, live[k].n ? live[k].words[live[k].n - 1] : ID_BOS);
        double sum = 0;
        for (int w = 0; w < vocab; w++) sum += may_produce(o, w) ? exp(logit_of(m, state, w)) : 0;
        for (int w = 0; w < vocab; w++) {
            if (!may_produce(o, w)) continue;
            plain x = live[k];
            x.log_prob += logit_of(m, state, w) - log(sum);
            x.words[x.n++] = w;
            x.state = state;
            x.order = count;
            all[count++] = x;
        }
    }
    qsort(all, (size_t)count, sizeof *all, better_log_prob);
    return count;
}

/* The finished hypotheses, best first. */
static int plain_search(const model *m, const search_options *o, const int *src, int n, int limit,
                        plain *done)
{
    int n_done = 0, n_live = 1, beam = o->beam;
    plain *all = xcalloc((size_t)(beam * m->config.tgt_vocab), sizeof *all);
    plain live[MOST] = {{.state = fake_start(src, (size_t)n)}};
    for (int length = 1; n_live && n_done < beam; length++) {
        int count = plain_extensions(m, o, live, n_live, all);
        n_live = 0;
        for (int i = 0; i < count && i < 2 * beam; i++) {
            bool ends = all[i].words[length - 1] == ID_EOS;
            if (i < beam && n_done < beam && (ends || length == limit)) {
                done[n_done] = all[i];
                done[n_done].score = all[i].log_prob / pow(length, o->length_penalty);
                done[n_done].n -= ends;
                done[n_done].order = n_done;
                n_done++;
            }
            if (!ends && n_live < beam && length < limit) live[n_live++] = all[i];
        }
    }
    free(all);
    qsort(done, (size_t)n_done, sizeof *done, better_score);
    return n_done;
}

/* ------------------------------------------------------------------------ tests */
static model network(enum kind kind, int vocab, double eos_bias)
{
    return (model){{.src_vocab = vocab, .tgt_vocab = vocab}, kind, eos_bias};
}

static search_options options(int beam)
{
    return (search_options){.beam = beam,
                            .length_penalty = 1,
                            .max_len_ratio = 1.5,
                            .max_len_extra = 10,
                            .n_best = beam,
                            .batch_tokens = 40};
}

/* n sentences of 0 to `longest` words. */
static seqs sentences(int n, int longest)
{
    seqs s = {0};
    int ids[1000];
    uint64_t h = 1;
    for (int i = 0; i < n; i++) {
        int len = (int)((h = hash64_mix(h, 3)) % (uint64_t)(longest + 1));
        for (int k = 0; k < len; k++) ids[k] = ID_FIRST + (int)((h = hash64_mix(h, 5)) % 20);
        seqs_add(&s, ids, (size_t)len);
    }
    return s;
}

static bool same_ids(const hyp *a, const int *ids, int n)
{
    return a->n == n && (!n || !memcmp(a->ids, ids, (size_t)n * sizeof *ids));
}

static bool same_list(const hyp_list *a, const hyp_list *b)
{
    if (a->n != b->n) return false;
    for (int k = 0; k < a->n; k++) {
        if (!same_ids(&a->hyps[k], b->hyps[k].ids, b->hyps[k].n)) return false;
        if (a->hyps[k].log_prob != b->hyps[k].log_prob || a->hyps[k].score != b->hyps[k].score) return false;
    }
    return true;
}

static void check_sentence(const model *m, const search_options *o, const seqs *src, size_t i,
                           const hyp_list *got)
{
    plain want[MOST];
    int len = (int)seqs_len(src, i), limit = (int)(o->max_len_ratio * (len + 1) + o->max_len_extra);
    int n = plain_search(m, o, seqs_at(src, i), len, limit, want);
    if (n > o->n_best) n = o->n_best;
    CU_ASSERT_EQUAL_FATAL(got->n, n);
    for (int k = 0; k < n; k++) {
        CU_ASSERT(same_ids(&got->hyps[k], want[k].words, want[k].n));
        CU_ASSERT_DOUBLE_EQUAL(got->hyps[k].log_prob, want[k].log_prob, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL(got->hyps[k].score, want[k].score, 1e-4);
    }
}

static void check_all(model m, search_options o)
{
    seqs src = sentences(30, 12);
    hyp_list lists[30];
    search(&m, &src, &o, lists);
    for (size_t i = 0; i < src.n; i++) check_sentence(&m, &o, &src, i, &lists[i]);
    search_free(lists, src.n);
    seqs_free(&src);
}

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

/* The first sentence that differs between one call for all and one call each, or -1. */
static int first_difference(model *m, const seqs *src, search_options o, int threads, int batch_tokens)
{
    hyp_list all[60], one;
    int found = -1;
    o.batch_tokens = batch_tokens;
    team_set_threads(threads);
    search(m, src, &o, all);
    for (size_t i = 0; i < src->n && found < 0; i++) {
        seqs alone = {0};
        seqs_add(&alone, seqs_at(src, i), seqs_len(src, i));
        search(m, &alone, &o, &one);
        if (!same_list(&one, &all[i])) found = (int)i;
        search_free(&one, 1);
        seqs_free(&alone);
    }
    search_free(all, src->n);
    return found;
}

static void test_independence(void)
{
    model m = network(HASHED, 23, 0.3);
    seqs src = sentences(60, 20);
    int threads = team_threads();
    for (int beam = 1; beam <= 5; beam += 2) {
        CU_ASSERT_EQUAL(first_difference(&m, &src, options(beam), 1, 1), -1);
        CU_ASSERT_EQUAL(first_difference(&m, &src, options(beam), 2, 64), -1);
        CU_ASSERT_EQUAL(first_difference(&m, &src, options(beam), 3, 100000), -1);
    }
    team_set_threads(threads);
    seqs_free(&src);
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
