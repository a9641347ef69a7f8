/* Shortlists: the words that a sentence may say, and where their logits are.
 *
 * A word that some sentence under way may say has a column of the output layer, which the networks have
 * packed by itself (model_put_word): one product gives the logits of all rows in all columns, and each row
 * takes those of its own sentence out of it. So what is chosen among, and what probabilities add up over,
 * hangs on the sentence alone. A column that no sentence uses any more is given to the next word that has
 * none, lowest first, and the product ends with the last that is used. */
#include <stdint.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/memory.h"
#include "base/meter.h"
#include "search/decode.h"

/* Of a sentence under way. */
typedef struct {
    int n, rows;
    int *ids, *columns; /* (n), in the order of ids; one block of memory */
} word_set;

struct shortlisting {
    const batch *b;
    word_set *sets;     /* (src.n) */
    int *of_row, *next; /* (rows) sentences; next: to select into */
    int rows;
    int *column_of;     /* (vocab) of a word, -1: none */
    int *word, *users;  /* (vocab) of a column: its word, -1 for none; sentences that have it */
    int columns, first; /* columns in use end there; none before it is free */
    uint64_t *marks;    /* (vocab / 64 + 1) a bit a word; zero but while a set is made */
};

static int *minus_ones(arena *memory, int n)
{
    int *x = arena_alloc(memory, (size_t)n * sizeof *x);
    for (int i = 0; i < n; i++) x[i] = -1;
    return x;
}

shortlisting *shortlist_open(const batch *b, int max_rows)
{
    arena *a = b->memory;
    shortlisting *s = arena_zalloc(a, sizeof *s);
    s->b = b;
    s->sets = arena_zalloc(a, b->src.n * sizeof *s->sets);
    s->of_row = arena_alloc(a, (size_t)max_rows * sizeof(int));
    s->next = arena_alloc(a, (size_t)max_rows * sizeof(int));
    s->column_of = minus_ones(a, b->vocab);
    s->word = minus_ones(a, b->vocab);
    s->users = arena_zalloc(a, (size_t)b->vocab * sizeof(int));
    s->marks = arena_zalloc(a, ((size_t)b->vocab / 64 + 1) * sizeof *s->marks);
    return s;
}

/* --------------------------------------------------------------------------- words of a sentence */

static void mark(shortlisting *s, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) s->marks[ids[i] / 64] |= (uint64_t)1 << ids[i] % 64;
}

static void unmark(shortlisting *s, int id) { s->marks[id / 64] &= ~((uint64_t)1 << id % 64); }

static void mark_all(shortlisting *s, size_t sentence)
{
    const seqs *lists = s->b->options->shortlist, *src = &s->b->src;
    const search_request *r = &s->b->request[sentence];
    const int *words = seqs_at(src, sentence);
    for (size_t i = 0; i < seqs_len(src, sentence); i++)
        mark(s, seqs_at(lists, (size_t)words[i]), seqs_len(lists, (size_t)words[i]));
    mark(s, seqs_at(lists, lists->n - 1), seqs_len(lists, lists->n - 1));
    unmark(s, ID_PAD);
    unmark(s, ID_BOS);
    if (s->b->options->forbid_unk) unmark(s, ID_UNK);
    mark(s, &(int){ID_EOS}, 1);
    if (r->n_prefix) mark(s, r->prefix, (size_t)r->n_prefix);
}

/* What is marked, which then is no more. */
static word_set collect(shortlisting *s)
{
    size_t blocks = (size_t)s->b->vocab / 64 + 1, n = 0;
    for (size_t i = 0; i < blocks; i++) n += (size_t)__builtin_popcountll(s->marks[i]);
    word_set x = {.ids = xmalloc(2 * n * sizeof(int))};
    x.columns = x.ids + n;
    for (size_t i = 0; i < blocks; i++) {
        for (uint64_t bits = s->marks[i]; bits; bits &= bits - 1)
            x.ids[x.n++] = (int)i * 64 + __builtin_ctzll(bits);
        s->marks[i] = 0;
    }
    return x;
}

/* --------------------------------------------------------------------------------------- columns */

static void use(shortlisting *s, int column)
{
    s->users[column]++;
    if (column >= s->columns) s->columns = column + 1;
}

/* The first column that is free, for a word that has none. There are as many as words. */
static int take_column(shortlisting *s, int word)
{
    while (s->users[s->first]) s->first++;
    int column = s->first;
    if (s->word[column] >= 0) s->column_of[s->word[column]] = -1;
    s->word[column] = word;
    s->column_of[word] = column;
    return column;
}

/* Words that have a column keep it, also one that nobody uses now; the others get theirs when all of those
 * are known. */
static void take_columns(shortlisting *s, word_set *x, decoding *const *nets)
{
    for (int i = 0; i < x->n; i++) {
        x->columns[i] = s->column_of[x->ids[i]];
        if (x->columns[i] >= 0) use(s, x->columns[i]);
    }
    for (int i = 0; i < x->n; i++) {
        if (x->columns[i] >= 0) continue;
        x->columns[i] = take_column(s, x->ids[i]);
        use(s, x->columns[i]);
        for (int k = 0; k < s->b->n_nets; k++) model_put_word(nets[k], x->columns[i], x->ids[i]);
    }
}

static void leave(shortlisting *s, word_set *x)
{
    for (int i = 0; i < x->n; i++) {
        int column = x->columns[i];
        if (--s->users[column] == 0 && column < s->first) s->first = column;
    }
    while (s->columns && !s->users[s->columns - 1]) s->columns--;
    free(x->ids);
    *x = (word_set){0};
}

/* ------------------------------------------------------------------------------------------ rows */

void shortlist_join(shortlisting *s, decoding *const *nets, size_t first, size_t n)
{
    METER(METER_PACKING);
    for (size_t i = first; i < first + n; i++) {
        mark_all(s, i);
        s->sets[i] = collect(s);
        take_columns(s, &s->sets[i], nets);
        s->sets[i].rows = 1;
        s->of_row[s->rows++] = (int)i;
    }
}

void shortlist_select(shortlisting *s, const int *from, int rows)
{
    for (int i = 0; i < rows; i++) {
        s->next[i] = s->of_row[from[i]];
        s->sets[s->next[i]].rows++;
    }
    for (int i = 0; i < s->rows; i++) {
        word_set *x = &s->sets[s->of_row[i]];
        if (--x->rows == 0) leave(s, x);
    }
    int *old = s->of_row;
    s->of_row = s->next, s->next = old;
    s->rows = rows;
}

int shortlist_columns(const shortlisting *s)
{
    return (s->columns + MODEL_COLUMNS - 1) / MODEL_COLUMNS * MODEL_COLUMNS;
}

const int *shortlist_ids(const shortlisting *s, int row, int *n)
{
    const word_set *x = &s->sets[s->of_row[row]];
    *n = x->n;
    return x->ids;
}

void shortlist_pick(const shortlisting *s, int row, const real *columns, real *z)
{
    const word_set *x = &s->sets[s->of_row[row]];
    for (int i = 0; i < x->n; i++) z[i] = columns[x->columns[i]];
}
