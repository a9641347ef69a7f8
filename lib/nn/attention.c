#include "nn/attention.h"

#include <string.h>

/* e = v . tanh(query + keys): the query is W q + b of the state, the keys U h of the encoder states,
 * both computed as linear layers. */
static void additive(const attention_step *s, const recurrent_attention *a, real *e)
{
    additive_energies(&s->at, s->A, s->query, s->ldq, a->keys->v, a->v->v, e);
}

static void additive_back(const attention_step *s, const recurrent_attention *a, const real *de, real *dquery,
                          long lddq, real *dv_rows)
{
    additive_energies_back(&s->at, s->A, s->query, s->ldq, a->keys->v, a->v->v, de, dquery, lddq, a->keys->g,
                           dv_rows);
}

const attention attentions[] = {
    {"additive", additive, additive_back},
    {NULL, NULL, NULL},
};

const attention *attention_find(const char *name)
{
    for (const attention *a = attentions; a->name; a++)
        if (strcmp(a->name, name) == 0) return a;
    return NULL;
}
