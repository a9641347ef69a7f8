#include "model/words.h"

#include <string.h>

#include "base/ids.h"

static int *ints(tape *t, size_t n) { return arena_alloc(t->memory, n * sizeof(int)); }

static words pack(tape *t, const seqs *s, int first, int last)
{
    size_t rows = seqs_total(s) + s->n;
    int *ids = ints(t, rows), *place = ints(t, rows), *start = ints(t, s->n), *len = ints(t, s->n);
    int row = 0;
    for (size_t i = 0; i < s->n; i++) {
        int n = (int)seqs_len(s, i), skip = first >= 0;
        start[i] = row;
        len[i] = n + 1;
        if (skip) ids[row] = first;
        if (n) memcpy(ids + row + skip, seqs_at(s, i), (size_t)n * sizeof(int));
        if (last >= 0) ids[row + n] = last;
        for (int k = 0; k <= n; k++) place[row + k] = k;
        row += n + 1;
    }
    return (words){{(int)s->n, start, len}, row, ids, place};
}

words words_with_eos(tape *t, const seqs *s) { return pack(t, s, -1, ID_EOS); }

words words_with_bos(tape *t, const seqs *s) { return pack(t, s, ID_BOS, -1); }
