/* tulk score: how probable a model finds given translations, window by window. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "data/pairs.h"
#include "loader.h"
#include "search/score.h"
#include "text/chars.h"
#include "text/parts.h"

static const command_help help = {
    FOR_SCORE,
    "tulk score -m MODEL.tulk [-m MORE.tulk ...] -t SRC TGT [-o FILE] [--words | --summary [--json]]",
    "Tells how probable the model finds each line of TGT as the translation of the same line of SRC: the\n"
    "natural logarithm of its probability, a tab, and the number of its pieces, the end of the sentence\n"
    "(eos) counted. Nothing is divided by the length. With --summary, one report of all lines instead:\n"
    "cross-entropy (nats, bits) and perplexity per piece, and per word, character and byte of TGT as it\n"
    "stands in the file, so that models with different vocabularies can be compared; the end of each line\n"
    "counts as one of each.",
    "tulk score -m en-de.tulk -t test.en test.de --summary"};

/* A window is scored at once, which keeps batches full and memory bounded. */
enum { WINDOW_LINES = 2048, WINDOW_BYTES = 1 << 20 };

/* What the summary counts; the end of a line is one of each. */
enum unit { UNIT_TOKEN, UNIT_WORD, UNIT_CHARACTER, UNIT_BYTE, UNITS };
static const char *const unit_names[UNITS] = {"token", "word", "character", "byte"};

typedef struct {
    double log_prob;
    int64_t count[UNITS];
} totals;

typedef struct {
    loaded_models models;
    tokenizer_cache *caches[2];
    int batch_tokens;
    bool strict, words, summary, json;
    pair_reader in;
    line_counts counts[2]; /* of the lines read so far, of each side */
    output out;
    int parts[WINDOW_LINES]; /* of each line of the window, one behind the other in `pairs` */
    int n_lines;
    seqs pairs[2];
    double *log_probs; /* of the words of pairs[1], eos counted */
    size_t capacity;
    str text;
    totals total;
    int64_t cut_lines, cut_parts;
} scoring;

/* ---------------------------------------------------------------------------------------- read */

static bool is_blank(character c)
{
    return c.kind == CHAR_SPACE || c.kind == CHAR_BLANK || (c.code >= '\t' && c.code <= '\r');
}

static void count_units(span line, int64_t count[UNITS])
{
    bool in_word = false;
    count[UNIT_BYTE] += (int64_t)line.n + 1;
    count[UNIT_CHARACTER]++;
    count[UNIT_WORD]++;
    for (character c; (c = char_at(line)).length; line.p += c.length, line.n -= (size_t)c.length) {
        bool blank = is_blank(c);
        count[UNIT_CHARACTER]++;
        count[UNIT_WORD] += !blank && !in_word;
        in_word = !blank;
    }
}

/* The source as tulk translate reads it: blanks at its ends do not count. */
static int add_source(scoring *s, span line)
{
    int parts =
        encode_parts(s->models.list[0].vocab.src, s->caches[0], line, s->models.max_len, &s->pairs[0]);
    if (!parts) seqs_add(&s->pairs[0], NULL, 0);
    return parts ? parts : 1;
}

/* The target to the last blank, unless it must be cut. */
static int add_target(scoring *s, span line)
{
    seqs *tgt = &s->pairs[1], whole = {0};
    tokenizer_encode(s->models.list[0].vocab.tgt, s->caches[1], line, &whole);
    int parts = 1;
    if (seqs_len(&whole, 0) <= (size_t)s->models.max_len)
        seqs_add(tgt, seqs_at(&whole, 0), seqs_len(&whole, 0));
    else if (!(parts = encode_parts(s->models.list[0].vocab.tgt, s->caches[1], line, s->models.max_len, tgt)))
        seqs_add(tgt, NULL, 0), parts = 1;
    seqs_free(&whole);
    return parts;
}

static int too_long(const scoring *s)
{
    return fail("%s and %s, line %" PRId64
                ": more than %d pieces (--max-len of the training): cut the line, or leave out --strict",
                lines_path(s->in.in[0]), lines_path(s->in.in[1]), s->in.line, s->models.max_len);
}

/* Part k of the target is scored as the translation of part k of the source; where one side has fewer parts,
 * the rest of the other stands beside nothing. */
static int take_pair(scoring *s, const text_pair *p)
{
    int src = add_source(s, p->side[0]), tgt = add_target(s, p->side[1]);
    int parts = src > tgt ? src : tgt;
    for (; src < parts; src++) seqs_add(&s->pairs[0], NULL, 0);
    for (; tgt < parts; tgt++) seqs_add(&s->pairs[1], NULL, 0);
    s->parts[s->n_lines++] = parts;
    count_units(p->side[1], s->total.count);
    if (parts == 1) return 0;
    s->cut_lines++;
    s->cut_parts += parts;
    return s->strict ? too_long(s) : 0;
}

static int count_lines(scoring *s)
{
    for (int side = 0; side < 2; side++) {
        if (s->strict && lines_fault(s->in.in[side], &s->counts[side])) return -1;
        s->counts[side] = *lines_count(s->in.in[side]);
    }
    return 0;
}

/* 1 with a window of at least one line, 0 at the end, -1 with a message. */
static int read_window(scoring *s)
{
    text_pair p;
    size_t bytes = 0;
    int more = 1;
    s->n_lines = 0;
    for (int side = 0; side < 2; side++) seqs_clear(&s->pairs[side]);
    while (s->n_lines < WINDOW_LINES && bytes < WINDOW_BYTES && (more = pairs_next(&s->in, &p)) == 1) {
        bytes += p.side[0].n + p.side[1].n;
        if (count_lines(s) || take_pair(s, &p)) return -1;
    }
    return more < 0 ? -1 : s->n_lines > 0;
}

/* --------------------------------------------------------------------------------------- write */

/* Small losses do not print as -0. */
static void add_log_prob(double x, const char *before, str *out)
{
    str_addf(out, "%s%.6f", before, fabs(x) < 5e-7 ? 0.0 : x);
}

static double sum_of(const double *log_probs, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += log_probs[i];
    return sum;
}

static void add_line(scoring *s, const double *log_probs, size_t n)
{
    double log_prob = sum_of(log_probs, n);
    s->total.log_prob += log_prob;
    s->total.count[UNIT_TOKEN] += (int64_t)n;
    if (s->summary) return;
    add_log_prob(log_prob, "", &s->text);
    str_addf(&s->text, "\t%zu", n);
    for (size_t i = 0; s->words && i < n; i++) add_log_prob(log_probs[i], i ? " " : "\t", &s->text);
    str_add_char(&s->text, '\n');
}

static int write_window(scoring *s)
{
    const size_t *start = s->pairs[1].start;
    str_clear(&s->text);
    for (size_t i = 0, at = 0; i < (size_t)s->n_lines; i++) {
        size_t end = at + (size_t)s->parts[i];
        add_line(s, s->log_probs + start[at] + at, start[end] + end - start[at] - at);
        at = end;
    }
    if (s->summary) return 0;
    if (output_write(&s->out, str_span(&s->text))) return -1;
    return fflush(s->out.file) ? fail("cannot write the scores: %s", strerror(errno)) : 0;
}

static int score_window(scoring *s)
{
    size_t words = seqs_total(&s->pairs[1]) + s->pairs[1].n;
    s->log_probs = grow(s->log_probs, &s->capacity, words, sizeof *s->log_probs);
    score_pairs_ensemble(s->models.nets, s->models.n, &s->pairs[0], &s->pairs[1], s->batch_tokens,
                         s->log_probs);
    return write_window(s);
}

/* ------------------------------------------------------------------------------------- summary */

/* Without a line there is nothing to divide by, and the result is no number. */
static double nats_of(const totals *t, enum unit u) { return (0 - t->log_prob) / (double)t->count[u]; }

static const double LN2 = 0.69314718055994530942;

static void summary_text(const scoring *s, str *out)
{
    const totals *t = &s->total;
    str_addf(out, "%" PRId64 " sentence%s, log-probability ", s->in.total, plural(s->in.total));
    add_log_prob(t->log_prob, "", out);
    str_addf(out, "\n%-10s%12s%12s%12s%14s\n", "per", "count", "nats", "bits", "perplexity");
    for (enum unit u = 0; u < UNITS; u++) {
        double nats = nats_of(t, u);
        str_addf(out, "%-10s%12" PRId64, unit_names[u], t->count[u]);
        if (t->count[u])
            str_addf(out, "%12.4f%12.4f%14.4f\n", nats, nats / LN2, exp(nats));
        else
            str_addf(out, "%12s%12s%14s\n", "-", "-", "-");
    }
}

static void summary_json(const scoring *s, str *out)
{
    str_addf(out, "{\"sentences\": %" PRId64 ", \"log_prob\": ", s->in.total);
    json_number(s->total.log_prob, out);
    if (s->models.n > 1)
        str_addf(out, ", \"models\": %d", s->models.n);
    else
        str_addf(out, ", \"checkpoint\": \"%s\", \"update\": %" PRId64, s->models.list[0].slot,
                 s->models.list[0].info.update);
    for (enum unit u = 0; u < UNITS; u++) {
        double nats = nats_of(&s->total, u);
        str_addf(out, ",\n \"%s\": {\"count\": %" PRId64 ", \"nats\": ", unit_names[u], s->total.count[u]);
        json_number(nats, out);
        str_addf(out, ", \"bits\": ");
        json_number(nats / LN2, out);
        str_addf(out, ", \"perplexity\": ");
        json_number(exp(nats), out);
        str_add_char(out, '}');
    }
    str_addf(out, "}\n");
}

static int write_summary(scoring *s)
{
    str_clear(&s->text);
    (s->json ? summary_json : summary_text)(s, &s->text);
    if (tokenizer_data(s->models.list[0].vocab.tgt)->casefold)
        note("the model folds upper and lower case: the figures are those of folded text");
    return output_write(&s->out, str_span(&s->text));
}

/* ----------------------------------------------------------------------------------------- run */

static int open_all(const options *o, scoring *s)
{
    const char *const *paths;
    int n = options_list(o, "model", &paths);
    enum precision precision = (enum precision)options_choice(o, "precision");
    if (models_load(paths, n, options_text(o, "checkpoint"), precision, false, &s->models)) return -1;
    options_list(o, "text", &paths);
    s->in = (pair_reader){.paths = {paths, paths + 1}, .n_files = 1};
    pairs_rewind(&s->in);
    s->caches[0] = tokenizer_cache_new(s->models.list[0].vocab.src);
    s->caches[1] = tokenizer_cache_new(s->models.list[0].vocab.tgt);
    s->batch_tokens = (int)options_int(o, "batch-tokens");
    s->strict = options_flag(o, "strict");
    s->words = options_flag(o, "words");
    s->summary = options_flag(o, "summary");
    s->json = options_flag(o, "json");
    return output_open(options_text(o, "output"), &s->out);
}

static int score_all(scoring *s)
{
    int more;
    while ((more = read_window(s)) == 1)
        if (score_window(s)) return -1;
    return more < 0 ? -1 : s->summary ? write_summary(s) : 0;
}

static void tell_end(const scoring *s, double seconds)
{
    char took[32];
    for (int side = 0; side < 2; side++) {
        const char *path = s->in.paths[side][0];
        note_lines(strcmp(path, "-") ? path : "standard input", &s->counts[side], "scored as empty",
                   "bytes kept");
    }
    if (s->cut_lines)
        note("%" PRId64 " over-long line%s (a side of more than %d pieces) scored in %" PRId64 " parts",
             s->cut_lines, plural(s->cut_lines), s->models.max_len, s->cut_parts);
    note("%" PRId64 " line%s scored in %s (%s)", s->in.total, plural(s->in.total), clock_human(seconds, took),
         models_name(&s->models));
}

static void scoring_free(scoring *s)
{
    pairs_close(&s->in);
    for (int side = 0; side < 2; side++) {
        if (s->caches[side]) tokenizer_cache_free(s->caches[side]);
        seqs_free(&s->pairs[side]);
    }
    models_unload(&s->models);
    str_free(&s->text);
    free(s->log_probs);
    free(s);
}

static int run(const options *o)
{
    scoring *s = xcalloc(1, sizeof *s);
    double from = clock_seconds();
    bool good = open_all(o, s) == 0 && score_all(s) == 0;
    good = output_close(&s->out, good) == 0 && good;
    if (good) tell_end(s, clock_seconds() - from);
    scoring_free(s);
    return good ? 0 : -1;
}

static int check_usage(const options *o)
{
    if (command_no_rest(o) || command_needs(o, "model") || command_needs(o, "text") || command_output(o))
        return -1;
    if (options_flag(o, "words") && options_flag(o, "summary"))
        return fail("--words and --summary: give one");
    if (options_flag(o, "json") && !options_flag(o, "summary"))
        return fail("--json: goes with --summary, say both");
    return 0;
}

int cmd_score(int argc, char **argv)
{
    return command_run(&help, argc, argv, check_usage, run);
}
