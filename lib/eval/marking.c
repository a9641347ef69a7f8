#include "eval/marking.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/segment.h"
#include "text/words.h"

/* ---------------------------------------------------------------------------------------- words */

static marked_line cut(span line)
{
    marked_line l = {0};
    size_t capacity = 0;
    for (size_t length; (length = word_length(line)); line.p += length, line.n -= length) {
        l.words = grow(l.words, &capacity, l.n + 1, sizeof *l.words);
        l.words[l.n++] = (marked_word){{line.p, length}, MARK_OTHER};
    }
    return l;
}

/* Words to compare: without the blank before them, and without case if wanted. */
typedef struct {
    span *keys;
    str text; /* of keys in lower case */
} keys;

static span without_blank(span word)
{
    while (word.n && word.p[0] == ' ') word = (span){word.p + 1, word.n - 1};
    return word;
}

static keys keys_of(const marked_line *l, bool lowercase)
{
    keys k = {.keys = xmalloc((l->n + 1) * sizeof *k.keys)};
    size_t *ends = xmalloc((l->n + 1) * sizeof *ends);
    for (size_t i = 0; i < l->n; i++) {
        k.keys[i] = without_blank(l->words[i].text);
        if (lowercase) segment_lower(k.keys[i], &k.text);
        ends[i] = k.text.n;
    }
    for (size_t i = 0; lowercase && i < l->n; i++) {
        size_t start = i ? ends[i - 1] : 0;
        k.keys[i] = (span){str_text(&k.text) + start, ends[i] - start};
    }
    free(ends);
    return k;
}

static void keys_free(keys *k)
{
    free(k->keys);
    str_free(&k->text);
}

/* ------------------------------------------------------------------------------------ alignment */

/* Lines whose table of lengths would be larger are compared as bags of words alone. */
enum { MOST_CELLS = 16 << 20 };

/* Marks a longest common subsequence, by the table of lengths of the tails. */
static void mark_in_order(marked_line *a, const span *x, marked_line *b, const span *y)
{
    size_t n = a->n, m = b->n, width = m + 1;
    if (!n || !m || n >= MOST_CELLS / width) return;
    uint32_t *length = xcalloc((n + 1) * width, sizeof *length);
    for (size_t i = n; i-- > 0;)
        for (size_t j = m; j-- > 0;) {
            uint32_t down = length[(i + 1) * width + j], right = length[i * width + j + 1];
            length[i * width + j] = span_eq(x[i], y[j]) ? 1 + length[(i + 1) * width + j + 1]
                                    : down > right      ? down
                                                        : right;
        }
    for (size_t i = 0, j = 0; i < n && j < m;) {
        if (span_eq(x[i], y[j]))
            a->words[i++].mark = b->words[j++].mark = MARK_MATCH;
        else if (length[(i + 1) * width + j] >= length[i * width + j + 1])
            i++;
        else
            j++;
    }
    free(length);
}

typedef struct {
    span key;
    size_t at;
} placed;

static int by_key(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    int order = span_cmp(x->key, y->key);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* The words that are left, sorted. */
static placed *unmatched(const marked_line *l, const span *k, size_t *n)
{
    placed *p = xmalloc((l->n + 1) * sizeof *p);
    *n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->words[i].mark == MARK_OTHER) p[(*n)++] = (placed){k[i], i};
    qsort(p, *n, sizeof *p, by_key);
    return p;
}

/* Of what is left, pairs of equal words are moved ones. */
static void mark_moved(marked_line *a, const span *x, marked_line *b, const span *y)
{
    size_t n, m;
    placed *p = unmatched(a, x, &n), *q = unmatched(b, y, &m);
    for (size_t i = 0, j = 0; i < n && j < m;) {
        int order = span_cmp(p[i].key, q[j].key);
        if (order == 0) a->words[p[i].at].mark = b->words[q[j].at].mark = MARK_MOVED;
        i += order <= 0;
        j += order >= 0;
    }
    free(p);
    free(q);
}

void marking_of(span hyp, span ref, bool lowercase, marked_line *hyp_out, marked_line *ref_out)
{
    *hyp_out = cut(hyp);
    *ref_out = cut(ref);
    keys x = keys_of(hyp_out, lowercase), y = keys_of(ref_out, lowercase);
    mark_in_order(hyp_out, x.keys, ref_out, y.keys);
    mark_moved(hyp_out, x.keys, ref_out, y.keys);
    keys_free(&x);
    keys_free(&y);
}

void marked_line_free(marked_line *l)
{
    free(l->words);
    *l = (marked_line){0};
}

size_t marked_matches(const marked_line *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) n += l->words[i].mark == MARK_MATCH;
    return n;
}
