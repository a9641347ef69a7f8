/* Search written down plainly, against a made-up network whose next-word scores are a hash of everything it
 * was fed, so that any mix-up of rows, words or sentences shows. The network stands in for lib/model: one
 * test program has this file and no other network. */
#ifndef TULK_TESTS_PLAIN_SEARCH_H
#define TULK_TESTS_PLAIN_SEARCH_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/team.h"
#include "search/search.h"
#include "suite.h"

/* --------------------------------------------------------- the made-up network */
enum kind { HASHED, CONSTANT, BROKEN };

struct model {
    net_config config;
    enum kind kind;
    double eos_bias; /* added to the logit of eos for each word so far */
    int layers;      /* of attention */
    size_t bytes;
};

typedef struct {
    uint64_t hash; /* of the source and the words fed */
    int length;
} fake_row;

struct decoding {
    const model *m;
    fake_row *rows, *old;
    int n, max_rows, max_steps;
    int *words; /* of columns */
};

const net_config *model_config(const model *m) { return &m->config; }

size_t model_product_bytes(const model *m) { return m->bytes; }

static inline double logit_of(const model *m, fake_row r, int word)
{
    if (m->kind == CONSTANT) return 0;
    if (m->kind == BROKEN) return NAN;
    uint64_t h = hash64_mix(r.hash, (uint64_t)word * 0x9E3779B97F4A7C15u + 1);
    double x = (double)(h >> 11) / 9007199254740992.0;
    return 6 * x * x + (word == ID_EOS ? m->eos_bias * r.length : 0);
}

static inline fake_row fake_start(const int *ids, size_t n)
{
    return (fake_row){hash64(ids, n * sizeof *ids), 0};
}

static inline fake_row fake_feed(fake_row r, int id)
{
    return (fake_row){hash64_mix(r.hash, (uint64_t)id + 7), r.length + 1};
}

decoding *model_open(model *m, arena *memory, const decoding_room *room)
{
    decoding *d = arena_alloc(memory, sizeof *d);
    *d = (decoding){m, NULL, NULL, 0, room->rows, room->steps, NULL};
    d->words = room->some_words
                   ? arena_zalloc(memory, (size_t)(m->config.tgt_vocab + MODEL_COLUMNS) * sizeof(int))
                   : NULL;
    d->rows = arena_alloc(memory, (size_t)room->rows * sizeof *d->rows);
    d->old = arena_alloc(memory, (size_t)room->rows * sizeof *d->old);
    return d;
}

void model_join(decoding *d, const seqs *src)
{
    BUG_IF(d->n + (int)src->n > d->max_rows);
    for (size_t i = 0; i < src->n; i++) d->rows[d->n++] = fake_start(seqs_at(src, i), seqs_len(src, i));
}

/* words: of the columns; NULL: all of them. */
static inline void fake_step(decoding *d, const int *ids, const int *words, int columns, real *logits)
{
    for (int r = 0; r < d->n; r++) {
        d->rows[r] = fake_feed(d->rows[r], ids[r]);
        BUG_IF(d->rows[r].length > d->max_steps);
        for (int i = 0; i < columns; i++)
            logits[r * columns + i] = (real)logit_of(d->m, d->rows[r], words ? words[i] : i);
    }
}

void model_step(decoding *d, const int *ids, real *logits)
{
    fake_step(d, ids, NULL, d->m->config.tgt_vocab, logits);
}

void model_put_word(decoding *d, int column, int word)
{
    BUG_IF(column < 0 || column >= d->m->config.tgt_vocab || word < 0 || word >= d->m->config.tgt_vocab);
    d->words[column] = word;
}

void model_step_some(decoding *d, const int *ids, int columns, real *logits)
{
    BUG_IF(columns % MODEL_COLUMNS || columns >= d->m->config.tgt_vocab + MODEL_COLUMNS);
    fake_step(d, ids, d->words, columns, logits);
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
static inline void sharp_attention(const seqs *src, const seqs *tgt, real *weights)
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

static inline int better_log_prob(const void *a, const void *b)
{
    const plain *x = a, *y = b;
    if (x->log_prob != y->log_prob) return x->log_prob > y->log_prob ? -1 : 1;
    return x->order - y->order;
}

static inline int better_score(const void *a, const void *b)
{
    const plain *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->order - y->order;
}

/* The words of the sentence at hand, if there is a shortlist. */
static bool in_list[200];

static inline void fill_list(const search_options *o, const int *src, int n)
{
    const seqs *lists = o->shortlist;
    for (int w = 0; w < 200; w++) in_list[w] = !lists || w == ID_EOS;
    for (int i = 0; lists && i <= n; i++) {
        size_t list = i < n ? (size_t)src[i] : lists->n - 1;
        for (size_t k = 0; k < seqs_len(lists, list); k++) in_list[seqs_at(lists, list)[k]] = true;
    }
    for (int i = 0; o->requests && i < o->requests->n_prefix; i++) in_list[o->requests->prefix[i]] = true;
}

static inline bool has_probability(const search_options *o, int w)
{
    return in_list[w] && w != ID_PAD && w != ID_BOS && !(o->forbid_unk && w == ID_UNK);
}

/* Whether the last `n` of `count` words stand together before. */
static inline bool repeats(const int *words, int count, int n)
{
    for (int i = 0; n && i + n < count; i++)
        if (!memcmp(words + i, words + count - n, (size_t)n * sizeof *words)) return true;
    return false;
}

/* Whether the last of these words may stand behind the others. */
static inline bool may_produce(const search_options *o, const int *words, int n)
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

static inline double plain_score(const search_options *o, double log_prob, int length)
{
    return log_prob / pow(o->penalty ? (5 + length) / 6.0 : length, o->length_penalty);
}

/* All extensions of the live hypotheses, best first. */
static inline int plain_extensions(const model *m, const search_options *o, const plain *live, int n,
                                   plain *all)
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
static inline int plain_search(const model *m, const search_options *o, const int *src, int n, int limit,
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
static inline model network(enum kind kind, int vocab, double eos_bias)
{
    return (model){{.src_vocab = vocab, .tgt_vocab = vocab}, kind, eos_bias, 0, 0};
}

static inline search_options options(int beam)
{
    return (search_options){.beam = beam,
                            .length_penalty = 1,
                            .max_len_ratio = 1.5,
                            .max_len_extra = 10,
                            .n_best = beam,
                            .batch_tokens = 40};
}

/* n sentences of 0 to `longest` words. */
static inline seqs sentences(int n, int longest)
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

static inline bool same_ids(const hyp *a, const int *ids, int n)
{
    return a->n == n && (!n || !memcmp(a->ids, ids, (size_t)n * sizeof *ids));
}

static inline bool same_list(const hyp_list *a, const hyp_list *b)
{
    if (a->n != b->n) return false;
    for (int k = 0; k < a->n; k++) {
        if (!same_ids(&a->hyps[k], b->hyps[k].ids, b->hyps[k].n)) return false;
        if (a->hyps[k].log_prob != b->hyps[k].log_prob || a->hyps[k].score != b->hyps[k].score) return false;
    }
    return true;
}

static inline void check_sentence(const model *m, const search_options *o, const seqs *src, size_t i,
                                  const hyp_list *got)
{
    static plain want[DONE];
    int len = (int)seqs_len(src, i), limit = (int)(o->max_len_ratio * (len + 1) + o->max_len_extra);
    fill_list(o, seqs_at(src, i), len);
    int n = plain_search(m, o, seqs_at(src, i), len, limit, want);
    if (n > o->n_best) n = o->n_best;
    CU_ASSERT_EQUAL_FATAL(got->n, n);
    for (int k = 0; k < n; k++) {
        CU_ASSERT(same_ids(&got->hyps[k], want[k].words, want[k].n));
        CU_ASSERT_DOUBLE_EQUAL(got->hyps[k].log_prob, want[k].log_prob, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL(got->hyps[k].score, want[k].score, 1e-4);
    }
}

static inline void check_all(model m, search_options o)
{
    seqs src = sentences(30, 12);
    hyp_list lists[30];
    search(&m, &src, &o, lists);
    for (size_t i = 0; i < src.n; i++) check_sentence(&m, &o, &src, i, &lists[i]);
    search_free(lists, src.n);
    seqs_free(&src);
}

/* A sentence by itself, with what is asked of it. */
static inline void check_request(const model *m, search_options o, search_request r)
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

enum { DRAWS = 20000, WORDS = 100 };

/* How often each word is drawn first, behind an empty source. */
static inline void count_draws(const model *m, search_options o, int count[WORDS])
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

static inline int more_probable(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0] ? -1 : 1) : x[1] < y[1] ? -1 : 1;
}

/* The shares that the definition gives. */
static inline void plain_shares(const model *m, const search_options *o, double share[WORDS])
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

/* The first sentence that differs between one call for all and one call each, or -1. */
static inline int first_difference(model *m, const seqs *src, search_options o, int threads, int batch_tokens)
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

/* Alone, in small batches and in one, with any number of threads. */
static inline void check_independence(model *m, search_options o)
{
    seqs src = sentences(60, 20);
    int threads = team_threads();
    CU_ASSERT_EQUAL(first_difference(m, &src, o, 1, 1), -1);
    CU_ASSERT_EQUAL(first_difference(m, &src, o, 2, 64), -1);
    CU_ASSERT_EQUAL(first_difference(m, &src, o, 3, 1000000000), -1);
    m->bytes = m->bytes ? 0 : (size_t)1 << 30; /* one that is large, or small, by what suits it */
    CU_ASSERT_EQUAL(first_difference(m, &src, o, 2, 0), -1);
    team_set_threads(threads);
    seqs_free(&src);
}

#endif
