/* Gradients against finite differences, in double precision: every operation of the tape, and whole networks
 * at all the settings of networks.h, with dropout, R-Drop and soft targets. */
#include <stdlib.h>

#include "base/team.h"
#include "kernel/softmax.h"
#include "networks.h"
#include "nn/attend.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "nn/loss.h"
#include "nn/recurrent.h"
#include "nn/rows.h"
#include "suite.h"

static const double TOLERANCE = 1e-6;

typedef double (*function)(void *context);

static double at_offset(function f, void *context, double *x, double offset)
{
    double before = *x;
    *x = before + offset;
    double y = f(context);
    *x = before;
    return y;
}

static double slope(function f, void *context, double *x, double h)
{
    return (at_offset(f, context, x, h) - at_offset(f, context, x, -h)) / (2 * h);
}

/* Whether `gradient` is the derivative of f by *x, within TOLERANCE of scale. One central difference tells,
 * as a rule; where it does not, a second one of fourth order, and a third at a distance so small that no kink
 * of a relu lies within: a wrong gradient is wrong at all of them. */
static bool agrees(function f, void *context, double *x, double gradient, double scale)
{
    double allowed = TOLERANCE * scale;
    if (fabs(slope(f, context, x, 2e-5) - gradient) <= allowed) return true;
    double fourth = (4 * slope(f, context, x, 1e-4) - slope(f, context, x, 2e-4)) / 3;
    return fabs(fourth - gradient) <= allowed || fabs(slope(f, context, x, 2e-6) - gradient) <= allowed;
}

/* ----------------------------------------------------------------------- operations of the tape */

enum { MAX_LEAVES = 12 };

/* An operation on leaves, and y = f(leaves), of which the loss is a fixed random sum. */
typedef struct operation {
    tensor *leaves[MAX_LEAVES];
    int n_leaves;
    tensor *(*run)(tape *t, const struct operation *o);
    const cell *cell;
    const attention *attention;
    const activation *activation;
    const norm_kind *norm;
    bool flag;
    bool on_demand; /* works with gradients on demand too */
    arena *memory;  /* of leaves */
    arena *work;    /* of a run */
} operation;

static double weight_of(int i) { return sin(1.7 * i + 0.3); }

/* Gives y the gradient of the loss. */
static double random_sum(tensor *y)
{
    bool add;
    double loss = 0, *g = tape_gradient(y, &add);
    for (int r = 0; r < y->rows; r++) {
        for (int c = 0; c < y->cols; c++) {
            double w = weight_of(r * y->cols + c);
            loss += w * y->v[r * y->ld + c];
            g[r * y->ld + c] = w + (add ? g[r * y->ld + c] : 0);
        }
    }
    return loss;
}

static double operation_loss(void *context, bool backward)
{
    operation *o = context;
    arena_reset(o->work);
    tape t = tape_new(o->work, true, true, 5, 2);
    t.on_demand = o->on_demand;
    double loss = random_sum(o->run(&t, o));
    if (backward) tape_backward(&t);
    return loss;
}

static double operation_value(void *context) { return operation_loss(context, false); }

static void clear(tensor *x) { memset(x->g, 0, (size_t)(x->rows * x->cols) * sizeof *x->g); }

static double largest(const double *v, int n)
{
    double top = 0;
    for (int i = 0; i < n; i++) top = fmax(top, fabs(v[i]));
    return top;
}

static void check_gradients(operation *o, const char *name)
{
    for (int i = 0; i < o->n_leaves; i++) clear(o->leaves[i]);
    operation_loss(o, true);
    for (int i = 0; i < o->n_leaves; i++) {
        tensor *x = o->leaves[i];
        int n = x->rows * x->cols, bad = 0;
        double top = largest(x->g, n);
        for (int k = 0; k < n; k++) {
            if (!agrees(operation_value, o, &x->v[k], x->g[k], fmax(top, 1e-3))) bad++;
        }
        if (bad) printf("\n    %s: input %d: %d of %d gradients are wrong", name, i, bad, n);
        CU_ASSERT(bad == 0);
    }
}

static void check_operation(operation *o, const char *name)
{
    bool twice = o->on_demand;
    check_gradients(o, name);
    o->on_demand = false;
    if (twice) check_gradients(o, name);
    arena_free(o->memory);
    arena_free(o->work);
}

static operation operation_new(tensor *(*run)(tape *t, const operation *o))
{
    return (operation){.run = run, .memory = arena_new(), .work = arena_new()};
}

static void add_leaf(operation *o, int rows, int cols)
{
    tape t = tape_new(o->memory, true, false, 0, 0);
    rng r = rng_at(9, RNG_TEST, (uint64_t)o->n_leaves);
    tensor *x = tape_tensor(&t, rows, cols);
    for (int i = 0; i < rows * cols; i++) x->v[i] = rng_normal(&r);
    o->leaves[o->n_leaves++] = x;
}

/* A value that an operation may overwrite, made from leaf i. */
static tensor *copy_of(tape *t, const operation *o, int i)
{
    static const int order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    return nn_gather(t, o->leaves[i], order, o->leaves[i]->rows);
}

static tensor *run_linear(tape *t, const operation *o)
{
    tensor *y = nn_linear(t, o->leaves[0], o->leaves[1], o->leaves[2]);
    return nn_linear_add(t, y, o->leaves[3], o->leaves[4]);
}

static void test_linear(void)
{
    operation o = operation_new(run_linear);
    o.on_demand = true;
    add_leaf(&o, 5, 3);
    add_leaf(&o, 4, 3);
    add_leaf(&o, 4, 1);
    add_leaf(&o, 5, 2);
    add_leaf(&o, 4, 2);
    check_operation(&o, "linear");
}

static tensor *run_embed(tape *t, const operation *o)
{
    static const int ids[] = {4, 1, 4, 5, 1}, place[] = {0, 1, 2, 0, 1};
    static positions *p;
    if (!p) p = positions_new(&position_kinds[0], 6);
    tensor *x = nn_embed(t, o->leaves[0], ids, 5, 1.5, p, place);
    return o->flag ? nn_add_positions(t, x, o->leaves[1], place) : x;
}

static void test_embed(void)
{
    for (int learned = 0; learned < 2; learned++) {
        operation o = operation_new(run_embed);
        o.on_demand = true;
        o.flag = learned;
        add_leaf(&o, 7, 6);
        if (learned) add_leaf(&o, 2, 6); /* fewer positions than words */
        check_operation(&o, "embed");
    }
}

static tensor *run_rows(tape *t, const operation *o)
{
    static const int repeats[] = {2, 0, 2, 3, 1, 2};
    tensor *a = nn_gather(t, o->leaves[0], repeats, 6), *b = tape_cols(t, o->leaves[1], 1, 4);
    tensor *y = nn_concat(t, a, b);
    return o->on_demand ? nn_concat(t, y, nn_gather_cols(t, y, 2, 3, repeats, 6)) : tape_rows(t, y, 1, 5);
}

static tensor *run_mean(tape *t, const operation *o)
{
    static const int start[] = {2, 0, 3}, len[] = {1, 2, 3}, order[] = {2, 1, 0, 2};
    static const packed p = {3, start, len};
    return nn_gather(t, nn_mean(t, o->leaves[0], &p), order, 4);
}

static void test_rows(void)
{
    operation o = operation_new(run_rows);
    o.on_demand = true;
    add_leaf(&o, 4, 3);
    add_leaf(&o, 6, 6);
    check_operation(&o, "gather and concat");
    o = operation_new(run_mean);
    o.on_demand = true;
    add_leaf(&o, 6, 3);
    check_operation(&o, "mean");
}

static tensor *run_activate(tape *t, const operation *o)
{
    return nn_activate(t, copy_of(t, o, 0), o->activation);
}

static void test_activations(void)
{
    for (const activation *f = activations; f->name; f++) {
        operation o = operation_new(run_activate);
        o.on_demand = true;
        o.activation = f;
        add_leaf(&o, 5, 8);
        check_operation(&o, f->name);
    }
}

static tensor *run_dropout(tape *t, const operation *o)
{
    tensor *x = nn_dropout_over(t, copy_of(t, o, 0), 0.2), *y = nn_dropout(t, x, 0.3);
    x = nn_residual(t, x, nn_dropout_over(t, copy_of(t, o, 1), 0.1), 0.4);
    return nn_residual(t, x, y, 0.4);
}

static void test_dropout(void)
{
    operation o = operation_new(run_dropout);
    o.on_demand = true;
    add_leaf(&o, 9, 5);
    add_leaf(&o, 9, 5);
    check_operation(&o, "dropout");
}

static tensor *norm_bias(const operation *o, int i) { return o->norm->has_bias ? o->leaves[i] : NULL; }

static tensor *run_norm(tape *t, const operation *o)
{
    return nn_norm(t, o->norm, o->leaves[0], o->leaves[1], norm_bias(o, 2));
}

static tensor *run_residual_norm(tape *t, const operation *o)
{
    tensor *x = copy_of(t, o, 0), *y = nn_activate(t, nn_linear(t, x, o->leaves[1], NULL), o->activation);
    for (int i = 0; i < 2; i++) {
        y = nn_linear(t, y, o->leaves[1], NULL);
        x = nn_residual_norm(t, o->norm, x, nn_linear_add(t, y, x, o->leaves[1]), 0.3, o->leaves[2],
                             norm_bias(o, 3));
        y = nn_activate(t, nn_linear(t, x, o->leaves[1], NULL), o->activation);
    }
    y = nn_linear(t, y, o->leaves[1], NULL);
    return nn_residual_norm(t, o->norm, x, y, o->flag ? 0.3 : 0, o->leaves[2], norm_bias(o, 3));
}

/* Tensors that several operations read. */
static void test_residual_norm(void)
{
    for (int i = 0; norm_kind_name(i / 2); i++) {
        operation o = operation_new(run_residual_norm);
        int flag = i % 2;
        o.norm = &norm_kinds[i / 2];
        o.activation = activation_find(flag ? "tanh" : "gelu");
        o.flag = flag;
        o.on_demand = true;
        add_leaf(&o, 4, 7);
        add_leaf(&o, 7, 7);
        add_leaf(&o, 7, 1);
        if (o.norm->has_bias) add_leaf(&o, 7, 1);
        check_operation(&o, o.norm->name);
    }
}

static void test_norm(void)
{
    for (const norm_kind *k = norm_kinds; k->name; k++) {
        operation o = operation_new(run_norm);
        o.norm = k;
        o.on_demand = true;
        add_leaf(&o, 4, 7);
        add_leaf(&o, 7, 1);
        if (k->has_bias) add_leaf(&o, 7, 1);
        check_operation(&o, k->name);
    }
}

static const int q_start[] = {0, 3, 4}, q_len[] = {3, 1, 4}, k_start[] = {0, 2, 5}, k_len[] = {2, 3, 1};
static const packed queries = {3, q_start, q_len}, keys = {3, k_start, k_len};

/* flag: causal, of one sequence with itself; else queries and keys of different lengths. */
static tensor *run_attend(tape *t, const operation *o)
{
    tensor *kv = copy_of(t, o, 1), *q = o->flag ? kv : copy_of(t, o, 0);
    return nn_attend(t, q, kv, &queries, o->flag ? &queries : &keys, 2, o->flag, 0.25);
}

static void test_attend(void)
{
    for (int causal = 0; causal < 2; causal++) {
        operation o = operation_new(run_attend);
        o.on_demand = true;
        o.flag = causal;
        add_leaf(&o, 8, 6);
        add_leaf(&o, causal ? 8 : 6, causal ? 18 : 12);
        check_operation(&o, causal ? "causal attention" : "attention");
    }
}

static void add_weights(operation *o, const cell *c, int in, int hidden, int query)
{
    add_leaf(o, c->gates * hidden, in);
    add_leaf(o, c->gates * hidden, 1);
    add_leaf(o, c->gates * hidden + query, hidden);
    add_leaf(o, c->gates * hidden + query, 1);
}

static recurrent_weights weights_of(const operation *o)
{
    return (recurrent_weights){o->leaves[1], o->leaves[2], o->leaves[3], o->leaves[4]};
}

/* Leaves: input, weights, then h0 and c0 unless it starts from zero. flag: in reverse, and into the columns
 * of a wider tensor. */
static tensor *run_recurrent(tape *t, const operation *o)
{
    const time_major *m = time_major_new(t, &queries);
    recurrent_weights w = weights_of(o);
    tensor *h0 = o->n_leaves > 5 ? o->leaves[5] : NULL, *c0 = o->n_leaves > 6 ? o->leaves[6] : NULL;
    const recurrent_place columns = {o->flag ? tape_tensor(t, 8, 9) : NULL, 3};
    for (int i = 0; o->flag && i < 8 * 9; i++) columns.h->v[i] = 0;
    recurrent_states s =
        nn_recurrent(t, o->cell, m, o->flag, copy_of(t, o, 0), &w, h0, c0, NULL, o->flag ? &columns : NULL);
    return s.c ? nn_concat(t, s.h, s.c) : s.h;
}

static void check_recurrent(const cell *c, bool reverse, bool from_zero)
{
    operation o = operation_new(run_recurrent);
    o.on_demand = true;
    o.cell = c;
    o.flag = reverse;
    add_leaf(&o, 8, 3);
    add_weights(&o, c, 3, 4, 0);
    if (!from_zero) add_leaf(&o, 3, 4);
    if (!from_zero && c->has_memory) add_leaf(&o, 3, 4);
    check_operation(&o, c->name);
}

static void test_recurrent(void)
{
    for (const cell *c = cells; c->name; c++)
        for (int i = 0; i < 4; i++) check_recurrent(c, i & 1, i & 2);
}

/* Values twice as wide as states; fewer positions than the longest source has words. */
static const int asking[] = {[WIDTH_CHOSEN] = 5, [WIDTH_STATE] = 4, [WIDTH_VALUES] = 8, [WIDTH_SPAN] = 2};

/* Leaves: input, weights, h0, values, w_ctx, then those that the cell and the attention have: c0, keys, v,
 * w_in. flag: keys lie in another order. */
static tensor *run_attention(tape *t, const operation *o)
{
    static const int places[] = {4, 0, 5, 3, 1, 2};
    const time_major *m = time_major_new(t, &queries);
    static int start[3], len[3];
    for (int r = 0; r < 3; r++) start[r] = k_start[m->order[r]], len[r] = k_len[m->order[r]];
    const attention *k = o->attention;
    int next = 8;
    tensor *c0 = o->cell->has_memory ? o->leaves[next++] : NULL;
    recurrent_attention a = {.kind = k,
                             .w_ctx = o->leaves[7],
                             .values = o->leaves[6],
                             .memory = {3, start, len},
                             .place = o->flag ? places : NULL,
                             .width = asking[k->width]};
    if (k->keys != KEYS_NONE) a.keys = k->keys == KEYS_VALUES ? a.values : o->leaves[next++];
    if (k->vector) a.v = o->leaves[next++];
    if (k->query == QUERY_LINEAR_INPUT) a.w_in = o->leaves[next++];
    recurrent_weights w = weights_of(o);
    recurrent_states s = nn_recurrent(t, o->cell, m, false, copy_of(t, o, 0), &w, o->leaves[5], c0, &a, NULL);
    return nn_concat(t, s.h, s.ctx);
}

static void check_attention(const cell *c, const attention *a, bool elsewhere)
{
    operation o = operation_new(run_attention);
    int A = asking[a->width], C = asking[WIDTH_VALUES], H = asking[WIDTH_STATE];
    o.on_demand = true;
    o.cell = c;
    o.attention = a;
    o.flag = elsewhere;
    add_leaf(&o, 8, 3);
    add_weights(&o, c, 3, H, attention_query_rows(a, A));
    add_leaf(&o, 3, H);
    add_leaf(&o, 6, C);
    add_leaf(&o, c->gates * H, C);
    if (c->has_memory) add_leaf(&o, 3, H);
    if (a->keys == KEYS_LINEAR) add_leaf(&o, 6, A);
    if (a->vector) add_leaf(&o, A, 1);
    if (a->query == QUERY_LINEAR_INPUT) add_leaf(&o, A, 3);
    check_operation(&o, a->name);
}

static void test_attention(void)
{
    for (const attention *a = attentions; a->name; a++) {
        for (const cell *c = cells; c->name; c++) {
            check_attention(c, a, false);
            check_attention(c, a, true);
        }
    }
}

/* The loss starts backward itself: its value is the sum that it returns. */
typedef struct {
    tensor *x, *w, *b;
    loss_settings how;
    arena *work;
} loss_layer;

static const double loss_scale = 0.7;

enum { WORDS = 6, CLASSES = 7 };
static const int target_words[WORDS] = {4, 0, 2, 2, 6, 6}, places[WORDS] = {3, 2, 0, 1, 5, 4};
static const loss_targets targets = {target_words, places};

/* A distribution for each word. */
static const real *soft_targets(void)
{
    static real soft[WORDS * CLASSES];
    for (int i = 0; i < WORDS * CLASSES; i++) soft[i] = (real)(i * 13 % 17);
    softmax(WORDS, CLASSES, soft, CLASSES);
    return soft;
}

static double loss_value(void *context)
{
    loss_layer *l = context;
    arena_reset(l->work);
    tape t = tape_new(l->work, false, false, 0, 0);
    return loss_scale * nn_loss(&t, l->x, l->w, l->b, &targets, &l->how, 1).loss;
}

static void check_loss(operation *o, bool with_bias, const loss_settings *how)
{
    loss_layer l = {o->leaves[0], o->leaves[1], with_bias ? o->leaves[2] : NULL, *how, o->work};
    tape t = tape_new(o->work, true, false, 0, 0);
    for (int i = 0; i < 3; i++) clear(o->leaves[i]);
    nn_loss(&t, l.x, l.w, l.b, &targets, how, loss_scale);
    for (int i = 0; i < (with_bias ? 3 : 2); i++) {
        tensor *x = o->leaves[i];
        for (int k = 0; k < x->rows * x->cols; k++) CU_ASSERT(agrees(loss_value, &l, &x->v[k], x->g[k], 1));
    }
}

static void test_loss(void)
{
    operation o = operation_new(NULL);
    add_leaf(&o, WORDS, 3);
    add_leaf(&o, CLASSES, 3);
    add_leaf(&o, CLASSES, 1);
    check_loss(&o, true, &(loss_settings){.smoothing = 0.1});
    check_loss(&o, false, &(loss_settings){0});
    check_loss(&o, true, &(loss_settings){.smoothing = 0.1, .r_drop = 3});
    check_loss(&o, true, &(loss_settings){.smoothing = 0.1, .soft = soft_targets(), .soft_share = 0.4});
    check_loss(&o, true, &(loss_settings){.r_drop = 2, .soft = soft_targets(), .soft_share = 1});
    arena_free(o.memory);
    arena_free(o.work);
}

/* ------------------------------------------------------------------------------ whole networks */

typedef struct {
    model *m;
    seqs src, tgt;
    loss_settings how;
    arena *work, *soft;
    bool training;
} training;

static double network_loss(training *n, bool backward)
{
    arena_reset(n->work);
    tape t = tape_new(n->work, backward, n->training, 7, 1);
    double loss = model_loss(n->m, &t, &n->src, &n->tgt, &n->how, 1).loss;
    if (backward) tape_backward(&t);
    return loss;
}

static double network_value(void *context) { return network_loss(context, false); }

/* Some places of every parameter. */
static int wrong_gradients(training *n, const char **first)
{
    enum { PLACES = 3 };
    params *p = model_params(n->m);
    rng r = rng_at(11, RNG_TEST, 0);
    double top = largest(p->g, (int)p->n_reals);
    int bad = 0;
    for (int i = 0; i < p->n; i++) {
        tensor *x = &p->list[i]->t;
        int size = x->rows * x->cols;
        double scale = fmax(largest(x->g, size), 1e-3 * top);
        for (int k = 0; k < PLACES; k++) {
            uint32_t at = rng_below(&r, (uint32_t)size);
            if (agrees(network_value, n, &x->v[at], x->g[at], scale)) continue;
            if (!bad++) *first = p->list[i]->name;
        }
    }
    return bad;
}

/* Soft targets: what the network says now. */
static void learn_from_itself(training *n)
{
    n->soft = arena_new();
    long words = (long)(seqs_total(&n->tgt) + n->tgt.n), vocab = model_config(n->m)->tgt_vocab;
    real *soft = model_mean_logits(&n->m, 1, n->soft, &n->src, &n->tgt);
    softmax(words, vocab, soft, vocab);
    n->how.soft = soft;
    n->how.soft_share = 0.3;
}

static void check_network(const networks *w, bool dropout)
{
    training n = {.m = network_new(&w->config, true), .work = arena_new(), .training = dropout};
    n.how = (loss_settings){.smoothing = 0.1, .r_drop = dropout ? 2 : 0};
    const char *first = NULL;
    n.src = network_sentences(4, 0, 4, w->config.src_vocab, 1);
    n.tgt = network_sentences(4, 0, 4, w->config.tgt_vocab, 2);
    if (dropout) learn_from_itself(&n);
    network_loss(&n, true);
    int bad = wrong_gradients(&n, &first);
    if (bad) printf("\n    %s: %d gradients are wrong, first %s", w->name, bad, first);
    CU_ASSERT(bad == 0);
    seqs_free(&n.src);
    seqs_free(&n.tgt);
    arena_free(n.work);
    arena_free(n.soft);
    model_free(n.m);
}

static void test_networks(void)
{
    int count = 0;
    for (networks w = networks_all(); networks_next(&w); count++) check_network(&w, w.second >= 0);
    CU_ASSERT(count > 60);
}

int main(void)
{
    team_set_threads(1); /* the networks are too small to share */
    CU_TestInfo tests[] = {{"linear", test_linear},
                           {"embedding", test_embed},
                           {"gather, mean, concat, views", test_rows},
                           {"activations", test_activations},
                           {"dropout and residual", test_dropout},
                           {"residual and norm", test_residual_norm},
                           {"norms", test_norm},
                           {"attention over packed sequences", test_attend},
                           {"recurrent layers", test_recurrent},
                           {"recurrent layers with attention", test_attention},
                           {"output layer and loss", test_loss},
                           {"whole networks", test_networks},
                           CU_TEST_INFO_NULL};
    return suite_run("gradients", tests);
}
