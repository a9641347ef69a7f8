#include "harvest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "text/intmap.h"

harvest *harvest_new(const char *src_lang, const char *tgt_lang, enum harvest_care care)
{
    harvest *h = xcalloc(1, sizeof *h);
    h->lang[0] = src_lang;
    h->lang[1] = tgt_lang;
    h->care = care;
    return h;
}

void harvest_free(harvest *h)
{
    if (!h) return;
    for (int i = 0; i < h->n_sources; i++) free(h->sources[i].label);
    for (int i = 0; i < 4; i++) str_free(&h->work[i]);
    str_free(&h->text);
    free(h->pairs);
    free(h);
}

int harvest_source_of(harvest *h, const char *label)
{
    for (int i = 0; i < h->n_sources; i++)
        if (!strcmp(h->sources[i].label, label)) return i;
    if (h->n_sources == HARVEST_MAX_SOURCES) return HARVEST_MAX_SOURCES - 1;
    h->sources[h->n_sources].label = xstrdup(label);
    return h->n_sources++;
}

/* -------------------------------------------------------------------------------------------- offers */

static size_t keep_text(harvest *h, span s)
{
    size_t at = h->text.n;
    str_add_span(&h->text, s);
    str_add_char(&h->text, '\0');
    return at;
}

static void keep(harvest *h, int source, span src, span tgt)
{
    enum harvest_fault fault = judge_pair(h, src, tgt);
    h->faults[fault]++;
    if (fault) return;
    h->pairs = grow(h->pairs, &h->capacity, h->n + 1, sizeof *h->pairs);
    harvest_pair *p = &h->pairs[h->n++];
    p->source = source;
    p->n_src = (uint32_t)src.n;
    p->n_tgt = (uint32_t)tgt.n;
    p->src = keep_text(h, src);
    p->tgt = keep_text(h, tgt);
}

static span trim(const char *from, const char *to)
{
    while (from < to && *from == ' ') from++;
    while (from < to && to[-1] == ' ') to--;
    return (span){from, (size_t)(to - from)};
}

static bool lengths_agree(span a, span b)
{
    double ratio = (judge_length(a) + 15) / (judge_length(b) + 15);
    return ratio > 0.45 && ratio < 2.2;
}

enum { MAX_SENTENCES = 64 };

/* Both sides have as many sentences, and each goes with its other one. */
static int agreed_ends(span src, span tgt, size_t ends[2][MAX_SENTENCES])
{
    int n = sentence_ends(src, ends[0], MAX_SENTENCES);
    if (n != sentence_ends(tgt, ends[1], MAX_SENTENCES) || n == 1) return 1;
    for (int i = 0; i < n; i++) {
        span a = trim(src.p + (i ? ends[0][i - 1] : 0), src.p + ends[0][i]);
        span b = trim(tgt.p + (i ? ends[1][i - 1] : 0), tgt.p + ends[1][i]);
        if (!lengths_agree(a, b) || !judge_same_digits(a, b)) return 1;
    }
    return n;
}

static void offer_sentences(harvest *h, int source, span src, span tgt)
{
    size_t ends[2][MAX_SENTENCES];
    int n = h->care == CARE_STRICT ? agreed_ends(src, tgt, ends) : 1;
    if (n == 1) {
        keep(h, source, src, tgt);
        return;
    }
    for (int i = 0; i < n; i++)
        keep(h, source, trim(src.p + (i ? ends[0][i - 1] : 0), src.p + ends[0][i]),
             trim(tgt.p + (i ? ends[1][i - 1] : 0), tgt.p + ends[1][i]));
}

void harvest_offer(harvest *h, int source, enum harvest_form form, span src, span tgt)
{
    span in[2] = {src, tgt};
    h->sources[source].read++;
    for (int side = 0; side < 2; side++) {
        str *raw = &h->work[side];
        str_clear(raw);
        if (form == FORM_PLAIN)
            str_add_span(raw, in[side]);
        else
            tidy_markup(in[side], raw);
    }
    if (form == FORM_INTERFACE) tidy_mnemonics(&h->work[0], &h->work[1]);
    for (int side = 0; side < 2; side++) {
        str_clear(&h->work[2 + side]);
        tidy_blanks(str_span(&h->work[side]), &h->work[2 + side]);
    }
    offer_sentences(h, source, str_span(&h->work[2]), str_span(&h->work[3]));
}

/* -------------------------------------------------------------------------------------------- finish */

static span side_of(const harvest *h, size_t i, int side)
{
    const harvest_pair *p = &h->pairs[i];
    return side ? (span){h->text.p + p->tgt, p->n_tgt} : (span){h->text.p + p->src, p->n_src};
}

static double log_ratio(const harvest *h, size_t i)
{
    return log((judge_length(side_of(h, i, 1)) + 15) / (judge_length(side_of(h, i, 0)) + 15));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The usual ratio of this pair of languages. */
static double median_ratio(const harvest *h)
{
    double *ratios = xmalloc((h->n + 1) * sizeof *ratios), middle;
    for (size_t i = 0; i < h->n; i++) ratios[i] = log_ratio(h, i);
    qsort(ratios, h->n, sizeof *ratios, by_value);
    middle = h->n ? ratios[h->n / 2] : 0;
    free(ratios);
    return middle;
}

static uint64_t pair_key(const harvest *h, size_t i)
{
    span s = side_of(h, i, 0), t = side_of(h, i, 1);
    return hash64_mix(hash64(s.p, s.n), hash64(t.p, t.n));
}

/* Leaves the pairs out for which `fault` gives a reason. */
static void sift(harvest *h, enum harvest_fault (*fault)(harvest *h, size_t i, void *context), void *context)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        enum harvest_fault why = fault(h, i, context);
        h->faults[why] += why != FAULT_NONE;
        if (!why) h->pairs[n++] = h->pairs[i];
    }
    h->n = n;
}

static enum harvest_fault length_fault(harvest *h, size_t i, void *context)
{
    const double widest = 0.7; /* twice as long, or half */
    return fabs(log_ratio(h, i) - *(double *)context) > widest ? FAULT_RATIO : FAULT_NONE;
}

static enum harvest_fault double_fault(harvest *h, size_t i, void *context)
{
    intmap *seen = context;
    if (intmap_get(seen, pair_key(h, i)) >= 0) return FAULT_DUPLICATE;
    intmap_set(seen, pair_key(h, i), 1);
    return FAULT_NONE;
}

static enum harvest_fault words_fault(harvest *h, size_t i, void *context)
{
    (void)h;
    return ((bool *)context)[i] ? FAULT_NONE : FAULT_WORDS;
}

/* Too few words of a small corpus occur often enough to tell. */
enum { JUDGED_BY_WORDS = 20000 };

void harvest_finish(harvest *h)
{
    double usual = median_ratio(h);
    intmap seen = {0};
    if (h->care == CARE_STRICT) sift(h, length_fault, &usual);
    sift(h, double_fault, &seen);
    intmap_free(&seen);
    if (h->care == CARE_STRICT && h->n >= JUDGED_BY_WORDS) {
        bool *agrees = xmalloc(h->n * sizeof *agrees);
        harvest_agree(h, 0.34, agrees);
        sift(h, words_fault, agrees);
        free(agrees);
    }
    for (size_t i = 0; i < h->n; i++) h->sources[h->pairs[i].source].kept++;
    h->faults[FAULT_NONE] = (int64_t)h->n;
}
