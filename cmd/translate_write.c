#include "translate_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"
#include "text/chars.h"

/* A translation of a whole line: one hypothesis of each part. */
typedef struct {
    const hyp **of_part;
    double log_prob;
    double score; /* mean of the parts', so that the best translation is the best of each part */
    int length;   /* pieces, ends of sentences counted */
} whole;

typedef struct {
    whole *list; /* best first */
    int n;
} wholes;

struct line_writer {
    void (*write)(line_writer *w, const translated *t, const wholes *all, str *out);
    bool scores, json, n_best, aligns;
    enum alignment_kind alignment;
    const tokenizer *src, *tgt;
    int most;      /* hypotheses kept of a line */
    arena *memory; /* of a line */
    str text;      /* scratch */
    str decoded;   /* the same, of add_text */
    int64_t blanked;
};

/* ------------------------------------------------------------------------------------- wholes */

static whole extended(const line_writer *w, const whole *x, int parts, const hyp *h)
{
    size_t before = (size_t)parts;
    whole y = {.of_part = arena_alloc(w->memory, (before + 1) * sizeof *y.of_part)};
    if (before) memcpy(y.of_part, x->of_part, before * sizeof *y.of_part);
    y.of_part[parts] = h;
    y.log_prob = x->log_prob + h->log_prob;
    y.score = (x->score * parts + h->score) / (parts + 1);
    y.length = x->length + h->length;
    return y;
}

/* Adds to the n best; of equal ones the earlier stays before. */
static void insert(wholes *a, int most, whole x)
{
    int at = a->n < most ? a->n++ : a->n;
    if (at == most && a->list[--at].score >= x.score) return;
    for (; at && a->list[at - 1].score < x.score; at--) a->list[at] = a->list[at - 1];
    a->list[at] = x;
}

/* The best translations of a line from those of its parts: of all ways to go on with a part the best stay. */
static wholes join(const line_writer *w, const translated *t)
{
    wholes all = {arena_zalloc(w->memory, sizeof(whole)), 1};
    for (int part = 0; part < t->parts; part++) {
        wholes next = {arena_alloc(w->memory, (size_t)w->most * sizeof(whole)), 0};
        for (int i = 0; i < all.n; i++)
            for (int k = 0; k < t->lists[part].n; k++)
                insert(&next, w->most, extended(w, &all.list[i], part, &t->lists[part].hyps[k]));
        all = next;
    }
    return all;
}

/* --------------------------------------------------------------------------------------- text */

/* Appends the text. A line is a line: what ends one inside a translation becomes a blank, and so does NUL,
 * that text does not hold. Bytes that networks put together to no UTF-8 become U+FFFD each: what reads
 * translations need not expect such. */
static void add_text(line_writer *w, const translated *t, const whole *x, str *out)
{
    str_clear(&w->decoded);
    for (int i = 0; i < t->parts; i++) {
        if (i) str_add_char(&w->decoded, ' ');
        tokenizer_decode(w->tgt, x->of_part[i]->ids, (size_t)x->of_part[i]->n, &w->decoded);
    }
    int n;
    for (span rest = str_span(&w->decoded); rest.n; rest.p += n, rest.n -= (size_t)n) {
        int c;
        n = char_decode(rest, &c);
        bool blank = c == '\n' || c == '\r' || c == 0;
        w->blanked += blank;
        str_add_span(out, blank ? span_of(" ") : c < 0 ? span_of("\uFFFD") : (span){rest.p, (size_t)n});
    }
}

/* Small losses do not print as -0. */
static void add_number(double x, str *out) { str_addf(out, "%.6f", x > -5e-7 && x < 5e-7 ? 0.0 : x); }

/* ---------------------------------------------------------------------------------- alignments */

/* Units of one side of a line: words separated by blanks, or pieces. */
typedef struct {
    int *of_piece; /* (pieces of the part) the unit of each, -1 for a piece of blanks */
    int n;         /* units of the line so far */
} units;

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* What a piece spells behind a letter, where a blank at its beginning counts. */
static span spelled(line_writer *w, const tokenizer *t, int id)
{
    str_clear(&w->text);
    tokenizer_decode(t, (const int[]){ID_FIRST + 'a', id}, 2, &w->text);
    return (span){w->text.p + 1, w->text.n - 1};
}

static void next_pieces(units *u, int n)
{
    for (int i = 0; i < n; i++) u->of_piece[i] = u->n++;
}

/* A part begins with a word of its own, since a blank stands before it. */
static void next_words_of(line_writer *w, const tokenizer *t, const int *ids, int n, units *u)
{
    bool inside = false;
    for (int i = 0; i < n; i++) {
        span s = spelled(w, t, ids[i]);
        u->of_piece[i] = -1;
        for (size_t k = 0; k < s.n; k++) {
            if (!is_blank(s.p[k]) && !inside) u->n++;
            inside = !is_blank(s.p[k]);
            if (inside && u->of_piece[i] < 0) u->of_piece[i] = u->n - 1;
        }
    }
}

static void next_part(line_writer *w, const tokenizer *t, const int *ids, int n, units *u)
{
    u->of_piece = arena_alloc(w->memory, (size_t)n * sizeof(int));
    if (w->alignment == ALIGN_PIECES)
        next_pieces(u, n);
    else
        next_words_of(w, t, ids, n, u);
}

/* The piece that a row of attention points at; ends of sentences aside. */
static int strongest(const real *weights, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (weights[i] > weights[best]) best = i;
    return best;
}

/* Links of a part as a table (source units of the part, target units), printed by source. */
static void add_links(line_writer *w, const units before[2], const units u[2], int pieces[2],
                      const real *attention, bool *any, str *out)
{
    int rows = u[0].n - before[0].n, cols = u[1].n - before[1].n;
    bool *linked = arena_zalloc(w->memory, (size_t)rows * (size_t)cols + 1);
    for (int i = 0; i < pieces[1] && pieces[0]; i++) {
        int from = u[0].of_piece[strongest(attention + i * (pieces[0] + 1), pieces[0])],
            to = u[1].of_piece[i];
        if (from >= 0 && to >= 0) linked[(from - before[0].n) * cols + to - before[1].n] = true;
    }
    for (int i = 0; i < rows * cols; i++) {
        if (!linked[i]) continue;
        if (*any) str_addf(out, w->json ? ", " : " ");
        str_addf(out, w->json ? "[%d, %d]" : "%d-%d", before[0].n + i / cols, before[1].n + i % cols);
        *any = true;
    }
}

/* 0-0 1-1, or [0, 0], [1, 1] for JSON. */
static void add_hard(line_writer *w, const translated *t, const whole *x, str *out)
{
    units u[2] = {{0}};
    bool any = false;
    for (int i = 0; i < t->parts; i++) {
        const hyp *h = x->of_part[i];
        units before[2] = {u[0], u[1]};
        int pieces[2] = {(int)seqs_len(t->src, t->first + (size_t)i), h->n};
        next_part(w, w->src, seqs_at(t->src, t->first + (size_t)i), pieces[0], &u[0]);
        next_part(w, w->tgt, h->ids, h->n, &u[1]);
        if (h->attention) add_links(w, before, u, pieces, h->attention, &any, out);
    }
}

/* A row of the matrix: a number for each piece of the source and its end. */
static void add_row(const real *weights, int n, const char *between, str *out)
{
    for (int i = 0; i < n; i++) str_addf(out, "%s%.4g", i ? between : "", (double)weights[i]);
}

static void add_soft(const translated *t, const whole *x, str *out)
{
    for (int i = 0, rows = 0; i < t->parts; i++) {
        const hyp *h = x->of_part[i];
        int n = (int)seqs_len(t->src, t->first + (size_t)i) + 1;
        for (int k = 0; h->attention && k <= h->n; k++) {
            if (rows++) str_add_char(out, ' ');
            add_row(h->attention + k * n, n, ",", out);
        }
    }
}

/* What stands behind a text. */
static void add_alignment(line_writer *w, const translated *t, const whole *x, str *out)
{
    if (!w->aligns) return;
    str_addf(out, " ||| ");
    if (w->alignment == ALIGN_SOFT)
        add_soft(t, x, out);
    else
        add_hard(w, t, x, out);
}

/* --------------------------------------------------------------------------------------- lines */

static void write_plain(line_writer *w, const translated *t, const wholes *all, str *out)
{
    if (w->scores) {
        add_number(all->list[0].score, out);
        str_add_char(out, '\t');
    }
    add_text(w, t, &all->list[0], out);
    add_alignment(w, t, &all->list[0], out);
    str_add_char(out, '\n');
}

/* Different pieces may spell the same text: of those the best is kept. */
static wholes distinct(line_writer *w, const translated *t, const wholes *all, span *texts)
{
    wholes kept = {arena_alloc(w->memory, (size_t)all->n * sizeof(whole)), 0};
    for (int i = 0; i < all->n; i++) {
        str_clear(&w->text);
        add_text(w, t, &all->list[i], &w->text);
        bool seen = false;
        for (int k = 0; k < kept.n && !seen; k++) seen = span_eq(texts[k], str_span(&w->text));
        if (seen) continue;
        char *copy = arena_alloc(w->memory, w->text.n + 1);
        if (w->text.n) memcpy(copy, w->text.p, w->text.n);
        texts[kept.n] = (span){copy, w->text.n};
        kept.list[kept.n++] = all->list[i];
    }
    return kept;
}

/* As Moses writes them. */
static void write_n_best(line_writer *w, const translated *t, const wholes *all, str *out)
{
    span *texts = arena_alloc(w->memory, (size_t)all->n * sizeof *texts);
    wholes kept = distinct(w, t, all, texts);
    for (int i = 0; i < kept.n; i++) {
        str_addf(out, "%" PRId64 " ||| ", t->id);
        str_add_span(out, texts[i]);
        str_addf(out, " ||| logprob= ");
        add_number(kept.list[i].log_prob, out);
        str_addf(out, " length= %d ||| ", kept.list[i].length);
        add_number(kept.list[i].score, out);
        add_alignment(w, t, &kept.list[i], out);
        str_add_char(out, '\n');
    }
}

/* --------------------------------------------------------------------------------------- JSON */

static void json_field(const char *before, double x, str *out)
{
    str_addf(out, "%s", before);
    json_number(x, out);
}

static void json_ids(const tokenizer *t, const int *ids, int n, const char *before, str *out)
{
    for (int i = 0; i < n; i++) {
        str_addf(out, "%s", i ? ", " : before);
        json_string(tokenizer_data(t)->pieces[ids[i]].text, out);
    }
}

static void json_pieces(const line_writer *w, const translated *t, const whole *x, str *out)
{
    int n = 0;
    str_add_char(out, '[');
    for (int i = 0; i < t->parts; n += x->of_part[i++]->n)
        json_ids(w->tgt, x->of_part[i]->ids, x->of_part[i]->n, n ? ", " : "", out);
    str_add_char(out, ']');
}

/* The matrix of a part, with the pieces of its columns and rows. */
static void json_matrix(const line_writer *w, const seqs *src, size_t sentence, const hyp *h, str *out)
{
    int n = (int)seqs_len(src, sentence) + 1;
    str_addf(out, "{\"source\": [");
    json_ids(w->src, seqs_at(src, sentence), n - 1, "", out);
    str_addf(out, "], \"target\": [");
    json_ids(w->tgt, h->ids, h->n, "", out);
    str_addf(out, "], \"weights\": [");
    for (int k = 0; h->attention && k <= h->n; k++) {
        str_addf(out, k ? ", [" : "[");
        add_row(h->attention + k * n, n, ", ", out);
        str_add_char(out, ']');
    }
    str_addf(out, "]}");
}

static void json_alignment(line_writer *w, const translated *t, const whole *x, str *out)
{
    str_addf(out, ", \"alignment\": [");
    add_hard(w, t, x, out);
    str_add_char(out, ']');
    if (w->alignment != ALIGN_SOFT) return;
    str_addf(out, ", \"attention\": [");
    for (int i = 0; i < t->parts; i++) {
        if (i) str_addf(out, ", ");
        json_matrix(w, t->src, t->first + (size_t)i, x->of_part[i], out);
    }
    str_add_char(out, ']');
}

/* The fields of a translation, without the braces. */
static void json_whole(line_writer *w, const translated *t, const whole *x, span text, str *out)
{
    str_addf(out, "\"translation\": ");
    json_span(text, out);
    json_field(", \"score\": ", x->score, out);
    json_field(", \"log_prob\": ", x->log_prob, out);
    str_addf(out, ", \"tokens\": %d, \"pieces\": ", x->length);
    json_pieces(w, t, x, out);
    if (w->aligns) json_alignment(w, t, x, out);
}

static void write_json(line_writer *w, const translated *t, const wholes *all, str *out)
{
    span *texts = arena_alloc(w->memory, (size_t)all->n * sizeof *texts);
    wholes kept = distinct(w, t, all, texts);
    str_addf(out, "{\"id\": %" PRId64 ", \"source\": ", t->id);
    json_span(t->source, out);
    str_addf(out, ", \"parts\": %d, ", t->parts);
    json_whole(w, t, &kept.list[0], texts[0], out);
    if (w->n_best) str_addf(out, ", \"n_best\": [");
    for (int i = 0; w->n_best && i < kept.n; i++) {
        str_addf(out, i ? ", {" : "{");
        json_whole(w, t, &kept.list[i], texts[i], out);
        str_add_char(out, '}');
    }
    str_addf(out, w->n_best ? "]}\n" : "}\n");
}

/* ------------------------------------------------------------------------------------- writer */

line_writer *line_writer_new(const options *o, const tokenizer *src, const tokenizer *tgt,
                             const search_options *search)
{
    line_writer *w = xcalloc(1, sizeof *w);
    w->n_best = options_given(o, "n-best");
    w->json = options_flag(o, "json");
    w->scores = options_flag(o, "scores") || w->n_best || w->json;
    w->write = w->json ? write_json : w->n_best ? write_n_best : write_plain;
    w->aligns = options_value(o, "alignment");
    if (w->aligns) w->alignment = (enum alignment_kind)options_choice(o, "alignment");
    w->src = src;
    w->tgt = tgt;
    w->most = search->n_best;
    w->memory = arena_new();
    return w;
}

void line_writer_free(line_writer *w)
{
    if (!w) return;
    arena_free(w->memory);
    str_free(&w->text);
    str_free(&w->decoded);
    free(w);
}

bool line_writer_takes_scores(const line_writer *w) { return w->scores; }

bool line_writer_takes_attention(const line_writer *w) { return w->aligns; }

bool line_writer_takes_source(const line_writer *w) { return w->json; }

void line_writer_add(line_writer *w, const translated *t, str *text)
{
    wholes all = join(w, t);
    w->write(w, t, &all, text);
    arena_reset(w->memory);
}

int64_t line_writer_blanked(const line_writer *w) { return w->blanked; }
