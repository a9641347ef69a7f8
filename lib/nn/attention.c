#include "nn/attention.h"

#include <math.h>
#include <string.h>

#include "kernel/vector.h"

/* Bahdanau, Cho and Bengio 2015: e = v . tanh(query + key). */
static void additive(const attention_step *s, const recurrent_attention *a, real *e)
{
    additive_energies(&s->at, s->A, s->query, s->ldq, a->keys->v, a->v->v, e);
}

static void additive_back(const attention_step *s, const recurrent_attention *a, real *de, real *dquery,
                          long lddq, real *dv_rows)
{
    additive_energies_back(&s->at, s->A, s->query, s->ldq, a->keys->v, a->v->v, de, dquery, lddq, a->keys->g,
                           dv_rows);
}

/* Luong, Pham and Manning 2015: e = query . key, of the state itself and an encoder state; a state of two
 * directions is compared half by half, s . (forward + backward). */
static void dot(const attention_step *s, const recurrent_attention *a, real *e)
{
    weighted_sum_back(&s->at, s->A, a->keys->v, s->query, s->ldq, e);
}

/* dquery = sum_j de[j] key[j] */
static void dot_back(const attention_step *s, const recurrent_attention *a, real *de, real *dquery, long lddq,
                     real *dv_rows)
{
    (void)dv_rows;
    weighted_sum(&s->at, s->A, de, a->keys->v, dquery, lddq);
}

static void scale(const attention_step *s, real *e)
{
    for (long r = 0; r < s->at.rows; r++)
        vec_scale(s->at.k_len[r], 1 / (real)sqrt((double)s->A), e + s->at.e_start[r]);
}

/* Vaswani et al. 2017, one head: e = query . key / sqrt(A), both linear layers of their own. */
static void scaled_dot(const attention_step *s, const recurrent_attention *a, real *e)
{
    dot(s, a, e);
    scale(s, e);
}

static void scaled_dot_back(const attention_step *s, const recurrent_attention *a, real *de, real *dquery,
                            long lddq, real *dv_rows)
{
    scale(s, de);
    dot_back(s, a, de, dquery, lddq, dv_rows);
}

/* By place, known from tutorials: a linear layer on the input and the state before gives the energy of the
 * first, second .. source word, whatever the word is. Words behind the A-th get no weight. */
static void concat(const attention_step *s, const recurrent_attention *a, real *e)
{
    static const real nothing = (real)-1e30; /* its exponential is 0 beside any other */
    (void)a;
    for (long r = 0; r < s->at.rows; r++)
        for (long j = 0; j < s->at.k_len[r]; j++)
            e[s->at.e_start[r] + j] = j < s->A ? s->query[r * s->ldq + j] : nothing;
}

static void concat_back(const attention_step *s, const recurrent_attention *a, real *de, real *dquery,
                        long lddq, real *dv_rows)
{
    (void)a, (void)dv_rows;
    for (long r = 0; r < s->at.rows; r++)
        for (long j = 0; j < s->A; j++)
            dquery[r * lddq + j] = j < s->at.k_len[r] ? de[s->at.e_start[r] + j] : 0;
}

const attention attentions[] = {
    {"additive", QUERY_LINEAR, KEYS_LINEAR, WIDTH_CHOSEN, true, false, additive, additive_back},
    {"dot", QUERY_STATE, KEYS_VALUES, WIDTH_VALUES, false, true, dot, dot_back},
    {"general", QUERY_STATE, KEYS_LINEAR, WIDTH_STATE, false, true, dot,
     dot_back}, /* s . W h, the same paper */
    {"scaled-dot", QUERY_LINEAR, KEYS_LINEAR, WIDTH_CHOSEN, false, true, scaled_dot, scaled_dot_back},
    {"concat", QUERY_LINEAR_INPUT, KEYS_NONE, WIDTH_SPAN, false, false, concat, concat_back},
    {.name = NULL},
};

const attention *attention_find(const char *name)
{
    for (const attention *a = attentions; a->name; a++)
        if (strcmp(a->name, name) == 0) return a;
    return NULL;
}

int attention_query_rows(const attention *a, int A) { return a->query == QUERY_STATE ? 0 : A; }
