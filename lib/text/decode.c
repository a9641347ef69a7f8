/* Ids back to text, and to and from their printed form. */
#include <string.h>

#include "base/error.h"
#include "text/vocab.h"

static bool in_range(const tokenizer *t, int id) { return id >= 0 && id < t->data.n_pieces; }

void tokenizer_decode(const tokenizer *t, const int *ids, size_t n, str *out)
{
    bool started = false; /* a space at the very start is the one that words_prepare put there */
    for (size_t i = 0; i < n; i++) {
        if (!in_range(t, ids[i])) continue;
        span text = {t->text.p + t->text_at[ids[i]], t->text_at[ids[i] + 1] - t->text_at[ids[i]]};
        if (text.n == 0) continue;
        size_t skip = !started && text.p[0] == ' ';
        started = true;
        str_add(out, text.p + skip, text.n - skip);
    }
}

void tokenizer_print(const tokenizer *t, const int *ids, size_t n, str *out)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (!in_range(t, ids[i])) continue;
        if (!first) str_add_char(out, ' ');
        first = false;
        str_add_span(out, span_of(t->data.pieces[ids[i]].text));
    }
}

int tokenizer_parse(const tokenizer *t, span line, seqs *out)
{
    seqs_add(out, NULL, 0);
    while (line.n) {
        const char *space = memchr(line.p, ' ', line.n);
        span word = {line.p, space ? (size_t)(space - line.p) : line.n};
        if (word.n) {
            int id = piece_index_find(&t->index, t->data.pieces, word);
            if (id < 0) {
                out->n--; /* the sequence begun above */
                return fail("\"%.*s\" is no piece of this vocabulary; was the line made with another one?",
                            word.n < 60 ? (int)word.n : 60, word.p);
            }
            seqs_push(out, id);
        }
        size_t used = word.n + (space ? 1 : 0);
        line.p += used;
        line.n -= used;
    }
    return 0;
}
