/* What every network promises, at all the settings of networks.h: decoding step by step gives the logits of
 * the whole sequence, a translation does not depend on the other sentences, and results are the same bits
 * with any number of threads. */
#include "networks.h"

#include <math.h>
#include <stdlib.h>

#include "base/team.h"
#include "search/search.h"
#include "suite.h"

/* Runs check on all networks; it returns NULL or what is wrong. */
static void for_all_networks(const char *(*check)(const net_config *c))
{
    for (networks w = networks_all(); networks_next(&w);) {
        const char *wrong = check(&w.config);
        if (wrong) printf("\n    %s: %s", w.name, wrong);
        CU_ASSERT(wrong == NULL);
    }
}

/* ------------------------------------------------------------------ step by step, and all at once */

/* A decoding that is fed the words of tgt. Each sentence has two rows, which change places all the time;
 * sentences whose words are used up leave, and others join while the first ones are under way. */
enum { SENTENCES = 6, EARLY = 3, JOIN_AT = 2, MOST_SRC = 7, MOST_TGT = 9 };

typedef struct {
    decoding *d;
    const seqs *src, *tgt;
    int sentence[2 * SENTENCES], said[2 * SENTENCES], rows, vocab;
    real *logits;       /* (rows, vocab) */
    const tensor *want; /* (target rows, vocab) sentence-major */
    double worst, largest;
    int compared; /* steps of all together */
} stepping;

/* Sentences first .. first + n. */
static void join(stepping *s, int first, int n)
{
    int from[2 * SENTENCES], rows = s->rows;
    seqs part = seqs_part(s->src, (size_t)first, (size_t)n);
    model_join(s->d, &part);
    for (int r = 0; r < rows; r++) from[r] = r;
    for (int i = 0; i < 2 * n; i++, s->rows++) {
        from[s->rows] = rows + i / 2;
        s->sentence[s->rows] = first + i / 2;
        s->said[s->rows] = 0;
    }
    model_select(s->d, from, s->rows);
}

static void feed(stepping *s)
{
    int ids[2 * SENTENCES];
    for (int r = 0; r < s->rows; r++)
        ids[r] = s->said[r] ? seqs_at(s->tgt, (size_t)s->sentence[r])[s->said[r] - 1] : ID_BOS;
    model_step(s->d, ids, s->logits);
}

static void compare(stepping *s)
{
    for (int r = 0; r < s->rows; r++) {
        size_t first = s->tgt->start[s->sentence[r]] + (size_t)s->sentence[r]; /* an eos for each before it */
        const real *want = s->want->v + (first + (size_t)s->said[r]) * (size_t)s->vocab;
        for (int w = 0; w < s->vocab; w++) {
            double error = fabs((double)want[w] - (double)s->logits[r * s->vocab + w]);
            if (!(error <= s->worst)) s->worst = error;
            s->largest = fmax(s->largest, fabs((double)want[w]));
        }
    }
}

/* Rows whose sentence has more words, in reverse order. */
static void turn_rows(stepping *s)
{
    int from[2 * SENTENCES], sentence[2 * SENTENCES], said[2 * SENTENCES], n = 0;
    for (int r = s->rows - 1; r >= 0; r--) {
        if ((size_t)s->said[r] >= seqs_len(s->tgt, (size_t)s->sentence[r])) continue;
        sentence[n] = s->sentence[r];
        said[n] = s->said[r] + 1;
        from[n++] = r;
    }
    memcpy(s->sentence, sentence, sizeof sentence);
    memcpy(s->said, said, sizeof said);
    model_select(s->d, from, n);
    s->rows = n;
}

static const char *check_steps(const net_config *c)
{
    model *m = network_new(c, false);
    arena *memory = arena_new(), *work = arena_new();
    tape t = tape_new(memory, false, false, 0, 0);
    seqs src = network_sentences(SENTENCES, 0, MOST_SRC, c->src_vocab, 3);
    seqs tgt = network_sentences(SENTENCES, 0, MOST_TGT, c->tgt_vocab, 4);
    decoding_room room = {.rows = 2 * SENTENCES,
                          .sentences = SENTENCES,
                          .steps = MOST_TGT + 1,
                          .said = 2 * SENTENCES * (MOST_TGT + 1),
                          .words = SENTENCES * (MOST_SRC + 1)};
    stepping s = {.src = &src, .tgt = &tgt, .vocab = c->tgt_vocab, .want = model_logits(m, &t, &src, &tgt)};
    s.logits = xcalloc(2 * SENTENCES * (size_t)s.vocab, sizeof *s.logits);
    s.d = model_open(m, work, &room);
    join(&s, 0, EARLY);
    for (int step = 0; s.rows; step++) {
        if (step == JOIN_AT) join(&s, EARLY, SENTENCES - EARLY);
        feed(&s);
        compare(&s);
        turn_rows(&s);
        s.compared += step > JOIN_AT;
    }
    free(s.logits);
    seqs_free(&src);
    seqs_free(&tgt);
    arena_free(work);
    arena_free(memory);
    model_free(m);
    if (!s.compared) return "nothing joined";
    return s.worst <= 1e-5 * s.largest ? NULL : "logits of single steps differ from those of the sequence";
}

static void test_steps(void) { for_all_networks(check_steps); }

/* --------------------------------------------------------------------------- with and without a record */

/* What nobody asks gradients of may take shorter ways: words that are the same once, layers that leave
 * nothing. */
static const char *check_record(const net_config *c)
{
    model *m = network_new(c, true);
    arena *memory = arena_new();
    seqs src = network_sentences(SENTENCES, 0, MOST_SRC, c->src_vocab, 3);
    seqs tgt = network_sentences(SENTENCES, 0, MOST_TGT, c->tgt_vocab, 4);
    const tensor *z[2];
    for (int recording = 0; recording < 2; recording++) {
        tape t = tape_new(memory, recording, false, 0, 0);
        z[recording] = model_logits(m, &t, &src, &tgt);
    }
    bool equal = !memcmp(z[0]->v, z[1]->v, (size_t)z[0]->rows * (size_t)z[0]->cols * sizeof(real));
    seqs_free(&src);
    seqs_free(&tgt);
    arena_free(memory);
    model_free(m);
    return equal ? NULL : "logits differ where gradients are recorded";
}

static void test_record(void) { for_all_networks(check_record); }

/* --------------------------------------------------------------------------- search, one or all */

static bool same(const hyp_list *a, const hyp_list *b)
{
    bool equal = a->n == b->n;
    for (int k = 0; equal && k < a->n; k++) {
        const hyp *x = &a->hyps[k], *y = &b->hyps[k];
        equal = x->n == y->n && (!x->n || !memcmp(x->ids, y->ids, (size_t)x->n * sizeof *x->ids)) &&
                memcmp(&x->score, &y->score, sizeof x->score) == 0 &&
                memcmp(&x->log_prob, &y->log_prob, sizeof x->log_prob) == 0;
    }
    return equal;
}

/* freeze: the sentences by themselves are translated with packed weights, which have the same bits. */
static bool search_is_independent(model *m, const seqs *src, int beam, bool freeze)
{
    enum { MOST = 64 };
    search_options o = {
        .beam = beam, .length_penalty = 1, .max_len_ratio = 1.5, .max_len_extra = 5, .n_best = beam};
    hyp_list all[MOST], one;
    bool equal = true;
    BUG_IF(src->n > MOST);
    o.batch_tokens = 100;
    team_set_threads(2);
    search(m, src, &o, all);
    team_set_threads(1);
    if (freeze) params_freeze(model_params(m), PRECISION_FP32);
    for (size_t i = 0; i < src->n && equal; i++) {
        seqs alone = {0};
        seqs_add(&alone, seqs_at(src, i), seqs_len(src, i));
        search(m, &alone, &o, &one);
        equal = same(&all[i], &one);
        search_free(&one, 1);
        seqs_free(&alone);
    }
    search_free(all, src->n);
    return equal;
}

static const char *check_search(const net_config *c)
{
    model *m = network_new(c, false);
    seqs src = network_sentences(14, 0, 9, c->src_vocab, 5);
    bool equal = search_is_independent(m, &src, 1, false) && search_is_independent(m, &src, 4, true);
    seqs_free(&src);
    model_free(m);
    return equal ? NULL : "a translation depends on the other sentences";
}

static void test_search(void)
{
    int threads = team_threads();
    for_all_networks(check_search);
    team_set_threads(threads);
}

/* ------------------------------------------------------------------------------------- attention */

/* The matrices of all pairs at all places, one behind the other. */
static real *attention_of(model *m, const seqs *src, const seqs *tgt, size_t *total)
{
    attention_place last = model_attention_last(m);
    *total = 0;
    for (size_t i = 0; i < src->n; i++) *total += (seqs_len(src, i) + 1) * (seqs_len(tgt, i) + 1);
    real *p = xcalloc(*total * (size_t)(last.layer * last.head), sizeof *p);
    arena *memory = arena_new();
    tape t = tape_new(memory, false, false, 0, 0);
    model_attention(m, &t, src, tgt, *total, p);
    arena_free(memory);
    return p;
}

static const char *check_rows(const seqs *src, const seqs *tgt, const real *p)
{
    for (size_t i = 0; i < src->n; i++) {
        for (size_t k = 0; k <= seqs_len(tgt, i); k++) {
            double sum = 0;
            for (size_t j = 0; j <= seqs_len(src, i); j++, p++) {
                if (!(*p >= 0)) return "attention is negative";
                sum += (double)*p;
            }
            if (fabs(sum - 1) > 1e-5) return "attention does not add up to one";
        }
    }
    return NULL;
}

static const char *check_places(model *m, const seqs *src, const seqs *tgt)
{
    attention_place last = model_attention_last(m);
    seqs last_src = seqs_part(src, src->n - 1, 1), last_tgt = seqs_part(tgt, tgt->n - 1, 1);
    const char *wrong = NULL;
    size_t n, one;
    real *all = attention_of(m, src, tgt, &n), *alone = attention_of(m, &last_src, &last_tgt, &one);
    for (size_t i = 0; i < (size_t)(last.layer * last.head) && !wrong; i++) {
        wrong = check_rows(src, tgt, all + i * n);
        if (memcmp(alone + i * one, all + (i + 1) * n - one, one * sizeof *alone))
            wrong = "attention depends on the other pairs";
        if (i && !memcmp(alone + i * one, alone + (i - 1) * one, one * sizeof *alone) && one > 9)
            wrong = "two heads are the same";
    }
    free(all), free(alone);
    return wrong;
}

static const char *check_attention(const net_config *c)
{
    model *m = network_new(c, false);
    seqs src = network_sentences(6, 0, 9, c->src_vocab, 5), tgt = network_sentences(6, 0, 8, c->tgt_vocab, 7);
    const char *wrong = model_attention_last(m).layer ? check_places(m, &src, &tgt) : NULL;
    seqs_free(&src);
    seqs_free(&tgt);
    model_free(m);
    return wrong;
}

static void test_attention(void) { for_all_networks(check_attention); }

/* Widths and a vocabulary at which products take their fast ways. */
static net_config wide(net_config c)
{
    c.src_vocab = c.tgt_vocab = 700;
    c.d_model = 72;
    c.d_emb = 40;
    c.d_ff = 136;
    c.d_attention = 65;
    c.d_readout = 48;
    c.n_heads = 4;
    return c;
}

static void test_wide_search(void)
{
    int threads = team_threads();
    net_config base;
    for (int i = 0; network_pair(i, &base); i++) {
        net_config c = wide(base);
        model *m = network_new(&c, false);
        seqs src = network_sentences(40, 0, 25, c.src_vocab, 6);
        CU_ASSERT(search_is_independent(m, &src, 5, true));
        seqs_free(&src);
        model_free(m);
    }
    team_set_threads(threads);
}

/* ------------------------------------------------------------------------------------------ depth */

/* The deepest network that passes the check can be made. */
static void test_depth(void)
{
    net_config c;
    for (int i = 0; network_pair(i, &c); i++) {
        c.bidirectional = true;
        for (c.enc_layers = c.dec_layers = 256; net_config_check(&c); c.enc_layers--) c.dec_layers--;
        CU_ASSERT(c.enc_layers > 1);
        model *m = model_new(&c, false);
        CU_ASSERT(model_params(m)->n > c.enc_layers + c.dec_layers);
        model_free(m);
    }
}

/* ---------------------------------------------------------------------------- number of threads */

typedef struct {
    model_sums sums;
    real *gradients; /* (n) */
    size_t n;
} outcome;

static outcome learn(const net_config *c, const seqs *src, const seqs *tgt, int threads)
{
    team_set_threads(threads);
    model *m = network_new(c, true);
    params *p = model_params(m);
    arena *memory = arena_new();
    tape t = tape_new(memory, true, true, 13, 4);
    outcome o = {.sums = model_loss(m, &t, src, tgt, &(loss_settings){.smoothing = 0.1}, 1), .n = p->n_reals};
    tape_backward(&t);
    o.gradients = xcalloc(o.n, sizeof *o.gradients);
    memcpy(o.gradients, p->g, o.n * sizeof *o.gradients);
    arena_free(memory);
    model_free(m);
    return o;
}

static bool same_outcome(const outcome *a, const outcome *b)
{
    return memcmp(&a->sums.loss, &b->sums.loss, sizeof(double)) == 0 &&
           memcmp(&a->sums.nll, &b->sums.nll, sizeof(double)) == 0 && a->n == b->n &&
           memcmp(a->gradients, b->gradients, a->n * sizeof *a->gradients) == 0;
}

static const char *learns_the_same(const net_config *c, int sentences)
{
    static const int teams[] = {2, 3, 7};
    seqs src = network_sentences(sentences, 0, 12, c->src_vocab, 7);
    seqs tgt = network_sentences(sentences, 0, 12, c->tgt_vocab, 8);
    outcome one = learn(c, &src, &tgt, 1);
    bool equal = isfinite(one.sums.loss) && one.sums.words > sentences;
    for (size_t i = 0; i < sizeof teams / sizeof *teams && equal; i++) {
        outcome other = learn(c, &src, &tgt, teams[i]);
        equal = same_outcome(&one, &other);
        free(other.gradients);
    }
    free(one.gradients);
    seqs_free(&src);
    seqs_free(&tgt);
    return equal ? NULL : "loss or gradients depend on the number of threads";
}

static const char *check_threads(const net_config *c) { return learns_the_same(c, 50); }

static void test_threads(void)
{
    int threads = team_threads();
    for_all_networks(check_threads);
    net_config base;
    for (int i = 0; network_pair(i, &base); i++) {
        net_config c = wide(base);
        CU_ASSERT_PTR_NULL(learns_the_same(&c, 90));
    }
    team_set_threads(threads);
}

int main(void)
{
    CU_TestInfo tests[] = {{"step by step as the whole sequence", test_steps},
                           {"with and without a record", test_record},
                           {"a translation is independent of its batch", test_search},
                           {"the same in wide networks", test_wide_search},
                           {"attention", test_attention},
                           {"the deepest network can be made", test_depth},
                           {"the same bits with 1, 2, 3 and 7 threads", test_threads},
                           CU_TEST_INFO_NULL};
    return suite_run("networks", tests);
}
