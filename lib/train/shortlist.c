#include "train/shortlist.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/memory.h"
#include "data/pairs.h"
#include "train/lexicon.h"

/* ------------------------------------------------------------------------------------------- text */

enum { MOST_PAIRS = 1000000, MOST_CELLS = 300000000, ITERATIONS = 5 };

/* Each step-th pair of the text, from the first on. */
typedef struct {
    seqs src, tgt;
    size_t cells;
    int64_t step, read; /* read: usable pairs so far */
} sample;

static size_t cells(size_t src, size_t tgt) { return (src + 1) * (tgt + 1); }

static void sample_free(sample *s)
{
    seqs_free(&s->src);
    seqs_free(&s->tgt);
}

static void add(sample *s, const seqs *src, const seqs *tgt, size_t i)
{
    seqs_add(&s->src, seqs_at(src, i), seqs_len(src, i));
    seqs_add(&s->tgt, seqs_at(tgt, i), seqs_len(tgt, i));
    s->cells += cells(seqs_len(src, i), seqs_len(tgt, i));
}

/* Every other pair goes, and will go from now on. */
static void thin(sample *s)
{
    sample half = {.step = 2 * s->step, .read = s->read};
    for (size_t i = 0; i < s->src.n; i += 2) add(&half, &s->src, &s->tgt, i);
    sample_free(s);
    *s = half;
}

static void take(sample *s, const seqs *src, const seqs *tgt, size_t max_len)
{
    size_t n = seqs_len(src, 0), m = seqs_len(tgt, 0);
    if (n == 0 || m == 0 || n > max_len || m > max_len) return;
    if (s->read++ % s->step) return;
    add(s, src, tgt, 0);
    while (s->src.n > 1 && (s->src.n > MOST_PAIRS || s->cells > MOST_CELLS)) thin(s);
}

static int read_sample(const shortlist_request *r, sample *s)
{
    pair_reader pairs = {.paths = {r->src_paths, r->tgt_paths}, .n_files = r->n_files};
    tokenizer_cache *src = tokenizer_cache_new(r->vocab->src), *tgt = tokenizer_cache_new(r->vocab->tgt);
    seqs one[2] = {{0}, {0}};
    text_pair p;
    int more;
    *s = (sample){.step = 1};
    while ((more = pairs_next(&pairs, &p)) == 1) {
        if (!p.valid) continue;
        seqs_clear(&one[0]);
        seqs_clear(&one[1]);
        tokenizer_encode(r->vocab->src, src, p.side[0], &one[0]);
        tokenizer_encode(r->vocab->tgt, tgt, p.side[1], &one[1]);
        take(s, &one[0], &one[1], (size_t)r->max_len);
    }
    pairs_close(&pairs);
    seqs_free(&one[0]);
    seqs_free(&one[1]);
    tokenizer_cache_free(src);
    tokenizer_cache_free(tgt);
    return more;
}

/* ------------------------------------------------------------------------------------------ lists */

typedef struct {
    size_t count;
    int word;
} frequency;

static int by_frequency(const void *a, const void *b)
{
    const frequency *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->word - y->word;
}

static int by_id(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* The most frequent words and eos; is_common (n_tgt) tells which. */
static seqs find_common(const seqs *tgt, int n_tgt, bool *is_common)
{
    frequency *all = xcalloc((size_t)n_tgt, sizeof *all);
    seqs common = {0};
    for (int w = 0; w < n_tgt; w++) all[w].word = w;
    for (size_t k = 0; k < seqs_total(tgt); k++) all[tgt->ids[k]].count++;
    qsort(all, (size_t)n_tgt, sizeof *all, by_frequency);
    seqs_add(&common, &(int){ID_EOS}, 1);
    for (int k = 0; k < n_tgt && k < SHORTLIST_COMMON && all[k].count; k++) seqs_push(&common, all[k].word);
    free(all);
    qsort(common.ids, seqs_total(&common), sizeof(int), by_id);
    for (size_t k = 0; k < seqs_total(&common); k++) is_common[common.ids[k]] = true;
    return common;
}

/* What is in no other list: the best of a source word, and itself. */
static void add_list(const lexicon *l, int s, int words, bool itself, const bool *is_common, seqs *out)
{
    int n = 0;
    bool there = !itself || s < ID_FIRST || is_common[s];
    seqs_add(out, NULL, 0);
    for (size_t k = l->start[s]; k < l->start[s + 1] && n < words; k++) {
        const lexicon_entry *e = &l->entries[k];
        if (e->p <= 0) break;
        if (is_common[e->word]) continue;
        seqs_push(out, e->word);
        there |= e->word == s;
        n++;
    }
    if (!there) seqs_push(out, s);
    size_t all = seqs_len(out, out->n - 1);
    if (all) qsort(seqs_at(out, out->n - 1), all, sizeof(int), by_id);
}

static void make_lists(const shortlist_request *r, const sample *s, seqs *out)
{
    int n_src = tokenizer_size(r->vocab->src), n_tgt = tokenizer_size(r->vocab->tgt);
    bool *is_common = xcalloc((size_t)n_tgt, sizeof *is_common);
    lexicon l = lexicon_learn(&s->src, &s->tgt, n_src, n_tgt, ITERATIONS);
    seqs common = find_common(&s->tgt, n_tgt, is_common);
    for (int i = 0; i < n_src; i++) add_list(&l, i, r->words, r->vocab->joint, is_common, out);
    seqs_add(out, common.ids, seqs_total(&common));
    seqs_free(&common);
    lexicon_free(&l);
    free(is_common);
}

int shortlist_learn(const shortlist_request *r, seqs *out, size_t *pairs)
{
    sample s;
    *out = (seqs){0};
    int result = read_sample(r, &s);
    *pairs = s.src.n;
    if (result == 0) make_lists(r, &s, out);
    sample_free(&s);
    return result;
}
