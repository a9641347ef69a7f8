#include "text/bpe.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct {
    int left, right;
    uint64_t count;       /* occurrences in the text */
    uint32_t *words;      /* that hold it or held it once */
    uint32_t n, capacity; /* capacity 0: the list lies in bpe.first_lists and never grows */
} pair;

/* The count that a pair had when it was put on the heap; pairs only lose occurrences after that, so the entry
 * is a bound, and is corrected when it comes up. */
typedef struct {
    uint64_t count;
    int pair;
} heap_entry;

/* Of the merge at hand: the pair that a neighbour makes with one of its three symbols. */
typedef struct {
    int pair, step; /* valid if step is the current one */
} neighbour;

typedef struct {
    bpe_words *words;
    builder *b;
    pair *pairs;
    size_t n_pairs, pairs_capacity;
    intmap index; /* of pairs, by ids */
    uint32_t *first_lists;
    heap_entry *heap;
    size_t heap_n, heap_capacity;
    neighbour *before_old, *before_new, *after_old, *after_new; /* by id of the neighbour */
    int step;
    int left, right, joined; /* the merge at hand */
} bpe;

static bool may_pair(int left, int right) { return left >= PIECE_FIRST && right >= PIECE_FIRST; }

/* ---------------------------------------------------------------------------------------- heap */

/* Does a come up before b? */
static bool precedes(const bpe *s, heap_entry a, heap_entry b)
{
    if (a.count != b.count) return a.count > b.count;
    const pair *p = &s->pairs[a.pair], *q = &s->pairs[b.pair];
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static void heap_push(bpe *s, int pair_id)
{
    heap_entry entry = {s->pairs[pair_id].count, pair_id};
    if (entry.count < PAIR_MIN_COUNT) return;
    s->heap = grow(s->heap, &s->heap_capacity, s->heap_n + 1, sizeof *s->heap);
    size_t i = s->heap_n++;
    for (; i > 0 && precedes(s, entry, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = entry;
}

static heap_entry heap_pop(bpe *s)
{
    heap_entry top = s->heap[0], last = s->heap[--s->heap_n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < s->heap_n; i = child) {
        if (child + 1 < s->heap_n && precedes(s, s->heap[child + 1], s->heap[child])) child++;
        if (!precedes(s, s->heap[child], last)) break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return top;
}

/* --------------------------------------------------------------------------------------- pairs */

/* Place of the pair in s->pairs, which may move. */
static int pair_at(bpe *s, int left, int right)
{
    uint64_t key = intmap_pair(left, right);
    int id = intmap_get(&s->index, key);
    if (id >= 0) return id;
    s->pairs = grow(s->pairs, &s->pairs_capacity, s->n_pairs + 1, sizeof *s->pairs);
    s->pairs[s->n_pairs] = (pair){.left = left, .right = right};
    intmap_set(&s->index, key, (int)s->n_pairs);
    return (int)s->n_pairs++;
}

static void list_word(pair *p, uint32_t word)
{
    if (p->n && p->words[p->n - 1] == word) return;
    if (p->n == p->capacity) {
        p->capacity = p->capacity ? p->capacity + p->capacity / 2 : 4;
        p->words = xrealloc(p->words, p->capacity * sizeof *p->words);
    }
    p->words[p->n++] = word;
}

/* Calls visit for each pair of neighbours in all words. */
static void each_pair(bpe *s, void (*visit)(bpe *s, int left, int right, uint32_t word))
{
    for (uint32_t w = 0; w < s->words->n; w++) {
        const int *symbols = s->words->symbols + s->words->start[w];
        for (int i = 0; i + 1 < s->words->length[w]; i++)
            if (may_pair(symbols[i], symbols[i + 1])) visit(s, symbols[i], symbols[i + 1], w);
    }
}

static void count_pair(bpe *s, int left, int right, uint32_t word)
{
    int id = pair_at(s, left, right);
    pair *p = &s->pairs[id];
    p->count += s->words->count[word];
    p->n++; /* room for the list */
}

static void list_pair(bpe *s, int left, int right, uint32_t word)
{
    int id = pair_at(s, left, right);
    pair *p = &s->pairs[id];
    if (p->n == 0 || p->words[p->n - 1] != word) p->words[p->n++] = word;
}

/* Counts and lists of the words as they are spelled; the lists in one block of just the right size. */
static void first_pairs(bpe *s)
{
    each_pair(s, count_pair);
    size_t total = 0;
    for (size_t i = 0; i < s->n_pairs; i++) total += s->pairs[i].n;
    uint32_t *room = s->first_lists = xmalloc(total * sizeof *room);
    for (size_t i = 0; i < s->n_pairs; i++) {
        s->pairs[i].words = room;
        room += s->pairs[i].n;
        s->pairs[i].n = 0;
    }
    each_pair(s, list_pair);
    for (size_t i = 0; i < s->n_pairs; i++) heap_push(s, (int)i);
}

/* --------------------------------------------------------------------------------------- merge */

/* The pair (left, right), looked up once a merge for each neighbour. */
static pair *pair_of(bpe *s, neighbour *known, int left, int right)
{
    if (known->step != s->step) *known = (neighbour){pair_at(s, left, right), s->step};
    return &s->pairs[known->pair];
}

static void lose(bpe *s, neighbour *known, int left, int right, uint64_t count)
{
    if (!may_pair(left, right)) return;
    pair *p = pair_of(s, known, left, right);
    BUG_IF(p->count < count);
    p->count -= count;
}

static void gain(bpe *s, neighbour *known, int left, int right, uint32_t word)
{
    if (!may_pair(left, right)) return;
    pair *p = pair_of(s, known, left, right);
    p->count += s->words->count[word];
    list_word(p, word);
}

/* Joins the pair at hand wherever it stands in the word, from the left, and moves the counts of its
 * neighbours. */
static void merge_in_word(bpe *s, uint32_t word)
{
    int *symbols = s->words->symbols + s->words->start[word];
    int length = s->words->length[word], n = 0;
    uint64_t count = s->words->count[word];
    for (int i = 0; i < length; i++) {
        if (i + 1 == length || symbols[i] != s->left || symbols[i + 1] != s->right) {
            symbols[n++] = symbols[i];
            continue;
        }
        if (n > 0) {
            int before = symbols[n - 1];
            lose(s, &s->before_old[before], before, s->left, count);
            gain(s, &s->before_new[before], before, s->joined, word);
        }
        symbols[n++] = s->joined;
        if (++i + 1 < length) {
            int after = symbols[i + 1];
            lose(s, &s->after_old[after], s->right, after, count);
            gain(s, &s->after_new[after], s->joined, after, word);
        }
    }
    s->words->length[word] = (uint16_t)n;
}

static void merge_pair(bpe *s, int pair_id)
{
    pair *p = &s->pairs[pair_id];
    uint32_t *words = p->words, n = p->n;
    bool own = p->capacity > 0;
    p->words = NULL; /* s->pairs may move */
    p->n = p->capacity = 0;
    s->step++;
    size_t first_new = s->n_pairs;
    for (uint32_t i = 0; i < n; i++) merge_in_word(s, words[i]);
    s->pairs[pair_id].count = 0;
    if (own) free(words);
    for (size_t i = first_new; i < s->n_pairs; i++) heap_push(s, (int)i);
}

static void merge_all(bpe *s)
{
    while (s->b->data.n_pieces < s->b->size && s->heap_n) {
        heap_entry top = heap_pop(s);
        const pair *p = &s->pairs[top.pair];
        if (p->count != top.count) {
            heap_push(s, top.pair);
            continue;
        }
        s->left = p->left;
        s->right = p->right;
        s->joined = builder_join(s->b, p->left, p->right);
        if (s->joined >= 0) merge_pair(s, top.pair);
    }
}

void bpe_learn(bpe_words *w, builder *b)
{
    bpe s = {.words = w, .b = b};
    neighbour *rooms = xcalloc((size_t)b->size * 4, sizeof *rooms);
    s.before_old = rooms;
    s.before_new = rooms + b->size;
    s.after_old = rooms + 2 * (size_t)b->size;
    s.after_new = rooms + 3 * (size_t)b->size;
    first_pairs(&s);
    merge_all(&s);
    for (size_t i = 0; i < s.n_pairs; i++)
        if (s.pairs[i].capacity) free(s.pairs[i].words);
    free(s.pairs);
    free(s.first_lists);
    free(s.heap);
    free(rooms);
    intmap_free(&s.index);
}
