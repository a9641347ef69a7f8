/* Do the words of a pair go together anywhere else? A word is supported if a word of the other side stands
 * beside it in other pairs more often than chance has it: the pointwise mutual information (Church and Hanks
 * 1990) of the two, this pair itself left out. Of a pair that was keyed wrongly, or translated as something
 * else, few words are. */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "harvest.h"
#include "text/chars.h"

/* Words of a side that are looked at; cells of counts; how often a word must occur to be judged; how often
 * more than by chance it must meet its partner. */
enum { WORDS = 40, CELLS = 1 << 25, WORD_CELLS = 1 << 20, LEAST = 5 };
static const double LIFT = 4;

typedef struct {
    uint32_t hash[WORDS];
    int n;
} words;

typedef struct {
    uint16_t *together; /* CELLS: pairs that hold both words */
    uint32_t *alone[2]; /* WORD_CELLS: pairs that hold the word */
} tallies;

static void add_word(words *w, span text)
{
    char folded[48];
    size_t n = text.n < sizeof folded ? text.n : sizeof folded;
    for (size_t i = 0; i < n; i++)
        folded[i] = (char)(is_ascii_letter((unsigned char)text.p[i]) ? text.p[i] | 32 : text.p[i]);
    uint32_t hash = (uint32_t)(hash64(folded, n) >> 20);
    for (int i = 0; i < w->n; i++)
        if (w->hash[i] == hash) return;
    if (w->n < WORDS) w->hash[w->n++] = hash;
}

/* Letters together are a word, and runs of katakana; a character of Han or hiragana is one together with the
 * next. */
static void cut_words(span text, words *out)
{
    span word = {0};
    enum char_script of = SCRIPT_ANY;
    out->n = 0;
    for (character c; (c = char_at(text)).length; text.p += c.length, text.n -= (size_t)c.length) {
        bool letter = c.kind == CHAR_LETTER || (c.kind == CHAR_MARK && word.n);
        bool single = letter && script_without_spaces(c.script) && c.script != SCRIPT_KATAKANA;
        bool goes_on = word.n && letter && !single && (c.script == of || c.kind == CHAR_MARK);
        if (word.n && !goes_on) {
            add_word(out, word);
            word.n = 0;
        }
        if (single) {
            character next = char_at((span){text.p + c.length, text.n - (size_t)c.length});
            bool joined = next.kind == CHAR_LETTER && script_without_spaces(next.script);
            add_word(out, (span){text.p, (size_t)(c.length + (joined ? next.length : 0))});
        } else if (letter) {
            if (!word.n) word.p = text.p, of = c.script;
            word.n += (size_t)c.length;
        }
    }
    if (word.n) add_word(out, word);
}

static void cut_pair(const harvest *h, size_t i, words out[2])
{
    const harvest_pair *p = &h->pairs[i];
    cut_words((span){h->text.p + p->src, p->n_src}, &out[0]);
    cut_words((span){h->text.p + p->tgt, p->n_tgt}, &out[1]);
}

static size_t cell(uint32_t a, uint32_t b) { return hash64_mix(a, b) & (CELLS - 1); }

static void count_pair(tallies *t, const words w[2])
{
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < w[side].n; i++) t->alone[side][w[side].hash[i] % WORD_CELLS]++;
    for (int i = 0; i < w[0].n; i++)
        for (int k = 0; k < w[1].n; k++) {
            uint16_t *n = &t->together[cell(w[0].hash[i], w[1].hash[k])];
            *n += *n < UINT16_MAX;
        }
}

/* Words with a partner, and words that occur often enough to tell. */
static double support(const tallies *t, const words w[2], double pairs, int *known)
{
    int supported = 0;
    *known = 0;
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < w[side].n; i++) {
            double n = t->alone[side][w[side].hash[i] % WORD_CELLS];
            bool found = false;
            if (n < LEAST) continue;
            for (int k = 0; k < w[1 - side].n && !found; k++) {
                uint32_t a = side ? w[0].hash[k] : w[0].hash[i], b = side ? w[1].hash[i] : w[1].hash[k];
                double other = t->alone[1 - side][w[1 - side].hash[k] % WORD_CELLS],
                       both = t->together[cell(a, b)] - 1.0;
                found = both >= 2 && both * pairs > LIFT * n * other;
            }
            supported += found;
            ++*known;
        }
    return *known ? (double)supported / *known : 1;
}

void harvest_agree(harvest *h, double least, bool *agrees)
{
    tallies t = {xcalloc(CELLS, sizeof *t.together),
                 {xcalloc(WORD_CELLS, sizeof(uint32_t)), xcalloc(WORD_CELLS, sizeof(uint32_t))}};
    words w[2];
    int known;
    for (size_t i = 0; i < h->n; i++) {
        cut_pair(h, i, w);
        count_pair(&t, w);
    }
    for (size_t i = 0; i < h->n; i++) {
        cut_pair(h, i, w);
        double share = support(&t, w, (double)h->n, &known);
        agrees[i] = known < 2 || share >= least;
    }
    free(t.together);
    free(t.alone[0]);
    free(t.alone[1]);
}
