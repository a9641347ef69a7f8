#include "model/encoded.h"

#include "nn/rows.h"

tensor *encoded_by_sentence(tape *t, const encoded *m)
{
    return m->place ? nn_gather(t, m->states, m->place, m->states->rows) : m->states;
}

encoded encoded_summaries(tape *t, const encoded *m)
{
    encoded with = *m;
    if (m->layers) return with;
    with.h[0] = nn_mean(t, encoded_by_sentence(t, m), &m->p);
    with.layers = 1;
    with.rank = NULL;
    return with;
}

const int *encoded_rows(tape *t, const encoded *m, const int *sentence, int n)
{
    if (!m->rank) return sentence;
    int *rows = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) rows[i] = m->rank[sentence[i]];
    return rows;
}
