/* Drawing the next word: softmax(z / temperature) of all words, of the top_k most probable (Fan et al. 2018),
 * and of these the fewest whose probabilities reach top_p (Holtzman et al. 2020). */
#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "kernel/softmax.h"
#include "search/decode.h"

drawing drawing_new(arena *memory, int vocab)
{
    return (drawing){arena_alloc(memory, (size_t)vocab * sizeof(int)),
                     arena_alloc(memory, (size_t)vocab * sizeof(double))};
}

/* Whether word a comes behind word b: less probable, or of equal ones the later. */
static bool behind(const real *z, int a, int b) { return z[a] < z[b] || (z[a] == z[b] && a > b); }

/* The heap has the last of the words in front. */
static void sink(const real *z, int *heap, int n, int at)
{
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && behind(z, heap[child + 1], heap[child])) child++;
        if (behind(z, heap[at], heap[child])) return;
        int kept = heap[at];
        heap[at] = heap[child], heap[child] = kept;
    }
}

/* The k best words, best first; returns how many there are. Once there are k, blocks of words without one
 * above the last of them are passed over. */
static int best_words(const next_words *x, int k, int *words)
{
    int n = 0;
    for (int from = 0; from < x->n; from += PICK_BLOCK) {
        int end = from + PICK_BLOCK < x->n ? from + PICK_BLOCK : x->n;
        if (n == k && !(x->tops[from / PICK_BLOCK] > x->z[words[0]])) continue;
        for (int w = from; w < end; w++) {
            if (!(x->z[w] > -(real)INFINITY)) continue;
            if (n < k) {
                words[n++] = w;
                for (int i = n / 2 - 1; n == k && i >= 0; i--) sink(x->z, words, n, i);
            } else if (x->z[w] > x->z[words[0]]) {
                words[0] = w;
                sink(x->z, words, n, 0);
            }
        }
    }
    for (int i = n / 2 - 1; n < k && i >= 0; i--) sink(x->z, words, n, i);
    for (int last = n - 1; last > 0; last--) {
        int kept = words[0];
        words[0] = words[last], words[last] = kept;
        sink(x->z, words, last, 0);
    }
    return n;
}

static double weight(const next_words *x, int w, double top, double temperature)
{
    return exp(((double)x->z[w] - top) / temperature);
}

/* Weights of the n words; their sum. */
static double weigh(const next_words *x, int n, double top, double temperature, drawing *d)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += d->weights[i] = weight(x, d->words[i], top, temperature);
    return sum;
}

/* Every word that may come, in the order of ids. */
static int all_words(const next_words *x, int *words)
{
    int n = 0;
    for (int w = 0; w < x->n; w++)
        if (x->z[w] > -(real)INFINITY) words[n++] = w;
    return n;
}

/* How many of n words, best first, reach the share of `sum`, which becomes theirs; 0 if all together do not.
 */
static int nucleus(const double *weights, int n, double share, double *sum)
{
    double enough = share * *sum, reached = 0;
    for (int i = 0; i < n; i++) {
        reached += weights[i];
        if (reached < enough) continue;
        *sum = reached;
        return i + 1;
    }
    return 0;
}

/* The words to draw from and their weights into d; *sum of them. */
static int candidates(const next_words *x, const search_options *o, double top, drawing *d, double *sum)
{
    enum { FIRST = 64 };
    int most = o->top_k && o->top_k < x->n ? o->top_k : x->n;
    int n = most < x->n ? best_words(x, most, d->words) : all_words(x, d->words);
    *sum = weigh(x, n, top, o->temperature, d);
    if (o->top_p <= 0 || o->top_p >= 1) return n;
    for (int k = most < FIRST ? most : FIRST;; k = k < most / 4 ? 4 * k : most) {
        n = best_words(x, k, d->words);
        weigh(x, n, top, o->temperature, d);
        int kept = nucleus(d->weights, n, o->top_p, sum);
        if (kept || k == most) return kept ? kept : n; /* all of them where rounding falls short */
    }
}

int draw_word(const next_words *x, const search_options *o, double u, drawing *d)
{
    int best = best_word(x), last = best;
    double top = (double)x->z[best], sum;
    if (!(top > -INFINITY)) return best;
    int n = candidates(x, o, top, d, &sum);
    double left = u * sum;
    for (int i = 0; i < n; i++) {
        if (d->weights[i] <= 0) continue;
        last = d->words[i];
        if ((left -= d->weights[i]) < 0) break;
    }
    return last;
}
