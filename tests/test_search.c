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
    int layers;      /* of attention */
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

decoding *model_open(model *m, arena *memory, const decoding_room *room)
{
    decoding *d = arena_alloc(memory, sizeof *d);
    *d = (decoding){m, NULL, NULL, 0, room->rows, room->steps};
    d->rows = arena_alloc(memory, (size_t)room->rows * sizeof *d->rows);
    d->old = arena_alloc(memory, (size_t)room->rows * sizeof *d->old);
    return d;
}

void model_join(decoding *d, const seqs *src)
{
    BUG_IF(d->n + (int)src->n > d->max_rows);
    for (size_t i = 0; i < src->n; i++) d->rows[d->n++] = fake_start(seqs_at(src, i), seqs_len(src, i));
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
    BUG_IF(n > d->max_rows);
    memcpy(d->old, d->rows, (size_t)d->n * sizeof *d->rows);
    for (int i = 0; i < n; i++) {
        BUG_IF(from[i] < 0 || from[i] >= d->n);
        d->rows[i] = d->old[from[i]];
    }
    d->n = n;
}

attention_place model_attention_last(const model *m) { return (attention_place){m->layers, 1}; }

/* A word attends to place (word + its own place) of the source and to all others a little. */
static void sharp_attention(const seqs *src, const seqs *tgt, real *weights)
{
    for (size_t i = 0; i < src->n; i++) {
        size_t keys = seqs_len(src, i) + 1;
        for (size_t k = 0; k <= seqs_len(tgt, i); k++, weights += keys) {
            size_t word = k < seqs_len(tgt, i) ? (size_t)seqs_at(tgt, i)[k] : ID_EOS;
            for (size_t j = 0; j < keys; j++)
                weights[j] = (real)(((word + k) % keys == j ? 0.5 : 0) + 0.5 / (double)keys);
        }
    }
}

/* The second layer of it; in the first one every word attends to the first word alone, which tells nothing.
 */
void model_attention(model *m, tape *t, const seqs *src, const seqs *tgt, size_t total, real *weights)
{
    (void)t;
    BUG_IF(m->layers != 2);
    memset(weights, 0, total * sizeof *weights);
    sharp_attention(src, tgt, weights + total);
    for (size_t i = 0; i < src->n; i++)
        for (size_t k = 0; k <= seqs_len(tgt, i); k++, weights += seqs_len(src, i) + 1) weights[0] = 1;
}

/* ------------------------------------------- beam search, one sentence, written down plainly */
enum { MOST = 64, LONGEST = 64, DONE = MOST * LONGEST };

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

static bool has_probability(const search_options *o, int w)
{
    return w != ID_PAD && w != ID_BOS && !(o->forbid_unk && w == ID_UNK);
}

/* Whether the last `n` of `count` words stand together before. */
static bool repeats(const int *words, int count, int n)
{
    for (int i = 0; n && i + n < count; i++)
        if (!memcmp(words + i, words + count - n, (size_t)n * sizeof *words)) return true;
    return false;
}

/* Whether the last of these words may stand behind the others. */
static bool may_produce(const search_options *o, const int *words, int n)
{
    int w = words[n - 1];
    const search_request *r = o->requests;
    if (r && r->exact && (n == r->limit || w == ID_EOS)) return n == r->limit && w == ID_EOS;
    if (r && n <= r->n_prefix) return w == r->prefix[n - 1];
    for (int i = 0; i < o->n_never; i++)
        if (w == o->never[i]) return false;
    if (w == ID_EOS) return n > (r && r->min_len ? r->min_len : o->min_len);
    return has_probability(o, w) && !repeats(words, n, o->no_repeat_ngram);
}

static double plain_score(const search_options *o, double log_prob, int length)
{
    return log_prob / pow(o->penalty ? (5 + length) / 6.0 : length, o->length_penalty);
}

/* All extensions of the live hypotheses, best first. */
static int plain_extensions(const model *m, const search_options *o, const plain *live, int n, plain *all)
{
    int count = 0, vocab = m->config.tgt_vocab;
    for (int k = 0; k < n; k++) {
        fake_row state = fake_feed(live[k].state, live[k].n ? live[k].words[live[k].n - 1] : ID_BOS);
        double sum = 0;
        for (int w = 0; w < vocab; w++) sum += has_probability(o, w) ? exp(logit_of(m, state, w)) : 0;
        for (int w = 0; w < vocab; w++) {
            plain x = live[k];
            x.words[x.n++] = w;
            if (!may_produce(o, x.words, x.n)) continue;
            x.log_prob += logit_of(m, state, w) - log(sum);
            x.state = state;
            x.order = count;
            all[count++] = x;
        }
    }
    qsort(all, (size_t)count, sizeof *all, better_log_prob);
    return count;
}

/* The finished hypotheses, best first. Exact: it goes on to the limit, and keeps them all. */
static int plain_search(const model *m, const search_options *o, const int *src, int n, int limit,
                        plain *done)
{
    int n_done = 0, n_live = 1, beam = o->beam;
    plain *all = xcalloc((size_t)(beam * m->config.tgt_vocab), sizeof *all);
    plain live[MOST] = {{.state = fake_start(src, (size_t)n)}};
    bool exact = o->stop == STOP_EXACT;
    for (int length = 1; n_live && (exact || n_done < beam); length++) {
        int count = plain_extensions(m, o, live, n_live, all);
        n_live = 0;
        for (int i = 0; i < count && i < 2 * beam; i++) {
            bool ends = all[i].words[length - 1] == ID_EOS;
            if (i < beam && (exact || n_done < beam) && (ends || length == limit)) {
                done[n_done] = all[i];
                done[n_done].score = plain_score(o, all[i].log_prob, length);
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
    return (model){{.src_vocab = vocab, .tgt_vocab = vocab}, kind, eos_bias, 0};
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
    static plain want[DONE];
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

/* A sentence by itself, with what is asked of it. */
static void check_request(const model *m, search_options o, search_request r)
{
    seqs src = {0};
    seqs_add(&src, (const int[]){7, 4, 4, 11}, 4);
    hyp_list got;
    o.requests = &r;
    search((model *)m, &src, &o, &got);
    check_sentence(m, &o, &src, 0, &got);
    for (int i = 0; i < r.n_prefix; i++) CU_ASSERT_EQUAL(got.hyps[0].ids[i], r.prefix[i]);
    CU_ASSERT(got.hyps[0].n >= r.min_len);
    if (r.exact)
        for (int k = 0; k < got.n; k++)
            CU_ASSERT(got.hyps[k].n + 1 == r.limit && got.hyps[k].length == r.limit);
    search_free(&got, 1);
    seqs_free(&src);
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

enum { DRAWS = 20000, WORDS = 100 };

/* How often each word is drawn first, behind an empty source. */
static void count_draws(const model *m, search_options o, int count[WORDS])
{
    seqs src = {0};
    search_request *requests = xcalloc(DRAWS, sizeof *requests);
    hyp_list *got = xcalloc(DRAWS, sizeof *got);
    for (int i = 0; i < DRAWS; i++) {
        seqs_add(&src, NULL, 0);
        requests[i] = (search_request){.limit = 1, .draws = (uint64_t)i};
    }
    memset(count, 0, WORDS * sizeof *count);
    o.sample = true;
    o.requests = requests;
    o.batch_tokens = 1000;
    search((model *)m, &src, &o, got);
    for (int i = 0; i < DRAWS; i++) count[got[i].hyps[0].n ? got[i].hyps[0].ids[0] : ID_EOS]++;
    search_free(got, DRAWS);
    free(got);
    free(requests);
    seqs_free(&src);
}

static int more_probable(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0] ? -1 : 1) : x[1] < y[1] ? -1 : 1;
}

/* The shares that the definition gives. */
static void plain_shares(const model *m, const search_options *o, double share[WORDS])
{
    double words[WORDS][2], sum = 0, kept = 0;
    int n = 0, k = 0;
    fake_row state = fake_feed(fake_start(NULL, 0), ID_BOS);
    for (int w = 0; w < WORDS; w++) {
        share[w] = 0;
        if (!has_probability(o, w)) continue;
        words[n][0] = exp(logit_of(m, state, w) / o->temperature);
        words[n++][1] = w;
    }
    qsort(words, (size_t)n, sizeof *words, more_probable);
    if (o->top_k && o->top_k < n) n = o->top_k;
    for (int i = 0; i < n; i++) sum += words[i][0];
    for (; k < n && (k == 0 || !o->top_p || kept < o->top_p * sum); k++) kept += words[k][0];
    for (int i = 0; i < k; i++) share[(int)words[i][1]] = words[i][0] / kept;
}

static void check_draws(double temperature, int top_k, double top_p)
{
    model m = network(HASHED, WORDS, 0);
    search_options o = options(1);
    double share[WORDS];
    int count[WORDS];
    o.temperature = temperature;
    o.top_k = top_k;
    o.top_p = top_p;
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
