#include "eval/ter.h"

#include <string.h>

#include "base/error.h"
#include "eval/edits.h"
#include "eval/metrics.h"
#include "eval/segment.h"
#include "eval/signature.h"
#include "eval/unicode.h"
#include "eval/work.h"

ter_options ter_defaults(void) { return (ter_options){0}; }

/* ------------------------------------------------------------------------------------ words */

/* What Tercom takes as Asian punctuation, East Asian and full-width. */
static bool is_asian_punctuation(int32_t c)
{
    static const int32_t ranges[][2] = {{0x3001, 0x3002}, {0x3008, 0x3011}, {0x3014, 0x301F},
                                        {0x30FB, 0x30FB}, {0xFF01, 0xFF02}, {0xFF08, 0xFF09},
                                        {0xFF0C, 0xFF0C}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1B},
                                        {0xFF1F, 0xFF1F}, {0xFF61, 0xFF65}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c <= ranges[i][1]) return c >= ranges[i][0];
    return false;
}

/* What becomes a word by itself: ideographs, their parts and forms, and that punctuation. Kana would, too, in
 * lines that have nothing else; but sacreBLEU has put spaces around the line by then, and so never. */
static uint8_t wide_asian(int32_t c)
{
    if (unicode_is_space(c)) return CUT_SPACE;
    bool alone = (c >= 0x2E80 && c <= 0x2EFF) || (c >= 0x31C0 && c <= 0x31EF) ||
                 (c >= 0x3200 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
                 (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F);
    return alone || is_asian_punctuation(c) ? CUT_ALONE : CUT_WORD;
}

static const cut_rules western = {.bytes = cut_13a, .padded = true, .possessive = true};
static const cut_rules asian = {
    .bytes = cut_13a_wide, .wide = wide_asian, .padded = true, .possessive = true};

/* "\n-" joins lines, should a segment hold several. */
static span resolve(span line, str *text)
{
    str_clear(text);
    str_add_span(text, line);
    size_t n = cut_replace(text->p, text->n, "\n-", "");
    n = cut_replace(text->p, n, "\n", " ");
    return (span){text->p, cut_unescape(text->p, n)};
}

static bool is_removed(int32_t c, bool asian_support)
{
    if (c <= 0) return false;
    return c < 0x80 ? strchr(".,?:;!\"()", c) != NULL : asian_support && is_asian_punctuation(c);
}

/* Takes the punctuation out of the token, which may be nothing then. */
static void remove_punctuation(span *token, bool asian_support, str *text)
{
    size_t start = text->n, n;
    for (const char *p = token->p, *end = p + token->n; p < end; p += n)
        if (!is_removed(unicode_at(p, end, &n), asian_support)) str_add(text, p, n);
    *token = (span){NULL, text->n - start}; /* where it is, is known when the text grows no more */
}

static void remove_all_punctuation(const ter_options *o, str *text, tokens *t)
{
    size_t kept = 0, at = 0;
    str_clear(text);
    for (size_t i = 0; i < t->n; i++) {
        remove_punctuation(&t->at[i], o->asian_support, text);
        if (t->at[i].n) t->at[kept++] = t->at[i];
    }
    t->n = kept;
    for (size_t i = 0; i < kept; at += t->at[i++].n) t->at[i].p = text->p + at;
}

void ter_words(const ter_options *o, span line, tokens *t, str *without)
{
    t->n = 0;
    line = segment_rstrip(line);
    if (!o->case_sensitive) {
        str_clear(&t->lower);
        segment_lower(line, &t->lower);
        line = str_span(&t->lower);
    }
    if (o->normalized) {
        if (line.n && (memchr(line.p, '&', line.n) || memchr(line.p, '\n', line.n)))
            line = resolve(line, &t->text);
        cut(o->asian_support ? &asian : &western, line, t);
    } else {
        tokens_split(t, line);
    }
    if (o->no_punct) remove_all_punctuation(o, without, t);
}

/* ------------------------------------------------------------------------------------ statistics */

enum { EDITS, REF_LENGTH, N_STATS };

int ter_row_n_stats(const metric_options *o)
{
    (void)o;
    return N_STATS;
}

/* sacreBLEU tokenises references twice, which makes a difference where the rules are not stable: "dog's,"
 * becomes "dog's ,", and that "dog 's ,". */
static void ref_words(const ter_options *o, span line, metric_work *w)
{
    ter_words(o, line, &w->ref, &w->ref_without);
    if (!o->normalized) return; /* all else is stable */
    str_clear(&w->joined);
    for (size_t i = 0; i < w->ref.n; i++) {
        if (i) str_add_char(&w->joined, ' ');
        str_add_span(&w->joined, w->ref.at[i]);
    }
    ter_words(o, str_span(&w->joined), &w->ref, &w->ref_without);
}

/* The fewest edits to any reference, and the mean length of the references. */
void ter_row_stats(const metric_options *options, metric_work *w, span hyp, const span *refs, int n_refs,
                   double *out)
{
    const ter_options *o = &options->ter;
    long best = 0;
    int64_t length = 0;
    BUG_IF(n_refs < 1);
    metric_work_refs(w, 1);
    ter_words(o, hyp, &w->hyp, &w->hyp_without);
    symbols_number_words(&w->symbols, &w->hyp, &w->hyp_symbols);
    for (int r = 0; r < n_refs; r++) {
        ref_words(o, refs[r], w);
        symbols_find_words(&w->symbols, &w->ref, &w->ref_symbols[0]);
        long edits = edits_count(&w->edits, &w->hyp_symbols, &w->ref_symbols[0]);
        if (r == 0 || edits < best) best = edits;
        length += (int64_t)w->ref.n;
    }
    out[EDITS] = (double)best;
    out[REF_LENGTH] = (double)length / n_refs;
}

double ter_row_score(const metric_options *o, const double *s, enum metric_precision precision)
{
    (void)o;
    if (s[REF_LENGTH] <= 0) return s[EDITS] > 0 ? 100 : 0;
    double rate = s[EDITS] / s[REF_LENGTH];
    return 100 * (precision == METRIC_SINGLE ? (double)(float)rate : rate);
}

/* ------------------------------------------------------------------------------------ text */

void ter_row_name(const metric_options *o, str *out)
{
    (void)o;
    str_add_span(out, span_of("TER"));
}

void ter_row_signature(const metric_options *options, const metric_setting *s, str *out)
{
    const ter_options *o = &options->ter;
    signature_begin(s, out);
    signature_add(s, "case", "c", signature_case(!o->case_sensitive), out);
    signature_add(s, "tok", "t", "tercom", out);
    signature_add(s, "norm", "nr", signature_yes(o->normalized), out);
    signature_add(s, "punct", "pn", signature_yes(!o->no_punct), out);
    signature_add(s, "asian", "as", signature_yes(o->asian_support), out);
    signature_end(s, out);
}

void ter_row_verbose(const metric_options *o, const double *stats, str *out)
{
    (void)o;
    (void)stats;
    (void)out;
}
