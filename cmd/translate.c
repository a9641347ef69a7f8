/* tulk translate: lines in, lines out, window by window. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "data/lines.h"
#include "live.h"
#include "loader.h"
#include "text/parts.h"
#include "translate_write.h"

static const command_help help = {
    FOR_TRANSLATE, "tulk translate -m MODEL.tulk [-m MORE.tulk ...] [-i FILE] [-o FILE] [OPTION...]",
    "Translates text line by line: as many lines come out as go in, in their order.",
    "tulk translate -m en-de.tulk -i test.en -o test.de"};

/* A window is translated at once, which keeps batches full and memory bounded. */
enum { WINDOW_LINES = 2048, WINDOW_BYTES = 1 << 20 };

/* Files beside the text, with a line for each of its lines. */
enum beside { PREFIX, LENGTH, BESIDE };
static const char *const beside_options[] = {[PREFIX] = "prefix", [LENGTH] = "force-length"};

/* What ends a line and what text does not hold is never produced: the pieces of single bytes lie in their
 * order behind the ids that mean something else. */
static const int never[] = {ID_FIRST + '\0', ID_FIRST + '\n', ID_FIRST + '\r'};

typedef struct {
    loaded_models models;
    tokenizer_cache *caches[2]; /* of source and target */
    search_options search;
    enum long_way long_way;
    bool strict;
    int max_lines;              /* of a window */
    lines *in, *beside[BESIDE]; /* NULL: not asked for; */
    seqs beside_ids[BESIDE];    /* their lines, of the first part of each line of the text */
    output out;
    line_writer *writer;
    int parts[WINDOW_LINES]; /* of each line of the window, one behind the other in src */
    int n_lines;
    int64_t before;           /* lines of earlier windows */
    seqs src;                 /* the parts */
    search_request *requests; /* of each part */
    size_t requests_capacity;
    str source; /* the lines of the window, if the writer takes them, */
    size_t source_end[WINDOW_LINES];
    str text; /* scratch */
    int64_t long_lines, long_parts, blank;
    live_line live; /* how far it is, */
    bool told;      /* if somebody looks */
    double from;    /* clock at the start */
} translation;

/* ---------------------------------------------------------------------------------------- read */

static int too_long(const translation *t)
{
    return fail("%s:%" PRId64
                ": more than %d pieces (--max-len of the training): cut the line, or leave out --strict",
                lines_path(t->in), lines_count(t->in)->lines, t->models.max_len);
}

/* Takes the last parts of the window away. */
static void drop_parts(seqs *s, int n) { s->n -= (size_t)n; }

/* What --long says of a line of so many parts; how many stay. */
static int keep_parts(translation *t, int parts)
{
    static const int most[] = {[LONG_SPLIT] = 1 << 30, [LONG_CUT] = 1, [LONG_SKIP] = 0};
    int kept = parts <= 1 || parts < most[t->long_way] ? parts : most[t->long_way];
    drop_parts(&t->src, parts - kept);
    t->long_lines += parts > 1;
    t->long_parts += parts > 1 ? parts : 0;
    return kept;
}

static span trimmed(span s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* The next line of a file beside the text, for the first part of the line at hand. */
static int take_beside(translation *t, enum beside which, int parts)
{
    span line;
    lines *file = t->beside[which];
    if (!file) return 0;
    int more = lines_next(file, &line);
    if (more < 0) return -1;
    if (more == 0)
        return fail("%s ends before line %" PRId64 " of %s: there must be a line for each, it may be empty",
                    lines_path(file), lines_count(t->in)->lines, lines_path(t->in));
    line = trimmed(line);
    for (int i = 0; i < parts; i++) {
        if (i == 0 && line.n)
            tokenizer_encode(t->models.list[0].vocab.tgt, t->caches[1], line, &t->beside_ids[which]);
        else
            seqs_add(&t->beside_ids[which], NULL, 0);
    }
    return 0;
}

static int take_line(translation *t, span line)
{
    int parts = encode_parts(t->models.list[0].vocab.src, t->caches[0], line, t->models.max_len, &t->src);
    if (parts > 1 && t->strict) return too_long(t);
    t->blank += parts == 0 && line.n > 0;
    parts = keep_parts(t, parts);
    for (int i = 0; i < BESIDE; i++)
        if (take_beside(t, i, parts)) return -1;
    if (line_writer_takes_source(t->writer)) str_add_span(&t->source, line);
    t->source_end[t->n_lines] = t->source.n;
    t->parts[t->n_lines++] = parts;
    return 0;
}

static void clear_window(translation *t)
{
    t->before += t->n_lines;
    t->n_lines = 0;
    seqs_clear(&t->src);
    for (int i = 0; i < BESIDE; i++) seqs_clear(&t->beside_ids[i]);
    str_clear(&t->source);
}

/* 1 with a window of at least one line, 0 at the end, -1 with a message. */
static int read_window(translation *t)
{
    span line;
    size_t bytes = 0;
    int more = 1;
    clear_window(t);
    while (t->n_lines < t->max_lines && bytes < WINDOW_BYTES) {
        line_counts before = *lines_count(t->in);
        more = lines_next(t->in, &line);
        if (more <= 0) break;
        bytes += line.n;
        if (t->strict && lines_fault(t->in, &before)) return -1;
        if (take_line(t, line)) return -1;
    }
    return more < 0 ? -1 : t->n_lines > 0;
}

/* ---------------------------------------------------------------------------------- translate */

/* Pieces from the first part of a line up to part k. */
static size_t pieces_before(const translation *t, size_t first, int k)
{
    size_t n = 0;
    for (int i = 0; i < k; i++) n += seqs_len(&t->src, first + (size_t)i);
    return n;
}

/* The parts of a line share its length as they share its pieces. */
static int length_of_part(const translation *t, size_t first, int parts, int k)
{
    size_t length = seqs_len(&t->beside_ids[LENGTH], first), all = pieces_before(t, first, parts);
    return (int)(length * pieces_before(t, first, k + 1) / all - length * pieces_before(t, first, k) / all);
}

static search_request request_of(const translation *t, int line, size_t first, int k)
{
    uint64_t number = (uint64_t)(t->before + line);
    search_request r = {.draws = k ? hash64_mix(number, (uint64_t)k) : number};
    if (t->beside[PREFIX]) {
        r.prefix = seqs_at(&t->beside_ids[PREFIX], first + (size_t)k);
        r.n_prefix = (int)seqs_len(&t->beside_ids[PREFIX], first + (size_t)k);
    }
    if (t->beside[LENGTH]) {
        r.exact = true;
        r.limit = length_of_part(t, first, t->parts[line], k) + 1;
    }
    return r;
}

/* What is asked of each part: what the files beside the text say, and random numbers by the number of its
 * line and its place there. */
static void make_requests(translation *t)
{
    t->search.requests = NULL;
    if (!t->beside[PREFIX] && !t->beside[LENGTH] && !t->search.sample) return;
    t->requests = grow(t->requests, &t->requests_capacity, t->src.n, sizeof *t->requests);
    size_t at = 0;
    for (int i = 0; i < t->n_lines; at += (size_t)t->parts[i++])
        for (int k = 0; k < t->parts[i]; k++) t->requests[at + (size_t)k] = request_of(t, i, at, k);
    t->search.requests = t->requests;
}

static int write_window(translation *t, const hyp_list *lists)
{
    size_t at = 0;
    for (int i = 0; i < t->n_lines; i++) {
        size_t from = i ? t->source_end[i - 1] : 0;
        translated line = {
            .id = t->before + i, .lists = lists + at, .src = &t->src, .first = at, .parts = t->parts[i]};
        if (t->source.n) line.source = (span){t->source.p + from, t->source_end[i] - from};
        str_clear(&t->text);
        line_writer_add(t->writer, &line, &t->text);
        if (output_write(&t->out, str_span(&t->text))) return -1;
        at += (size_t)t->parts[i];
    }
    if (fflush(t->out.file)) return fail("cannot write the translations: %s", strerror(errno));
    return 0;
}

static int translate_window(translation *t)
{
    hyp_list *lists = xcalloc(t->src.n, sizeof *lists);
    make_requests(t);
    search_ensemble(t->models.nets, t->models.n, &t->src, &t->search, lists);
    int result = write_window(t, lists);
    search_free(lists, t->src.n);
    free(lists);
    return result;
}

/* ----------------------------------------------------------------------------------------- run */

/* Somebody who types a line waits for its translation. */
static bool is_typed(const options *o)
{
    return options_flag(o, "interactive") || (!strcmp(options_text(o, "input"), "-") && isatty(STDIN_FILENO));
}

/* Translations on the screen tell themselves how far it is. */
static bool is_told(const options *o)
{
    bool shown = !strcmp(options_text(o, "output"), "-") && isatty(STDOUT_FILENO);
    return !options_flag(o, "quiet") && !shown && !is_typed(o);
}

static int open_models(const options *o, translation *t)
{
    const char *const *paths;
    int n = options_list(o, "model", &paths);
    enum precision precision = (enum precision)options_choice(o, "precision");
    if (models_load(paths, n, options_text(o, "checkpoint"), precision, options_flag(o, "shortlist"),
                    &t->models))
        return -1;
    t->caches[0] = tokenizer_cache_new(t->models.list[0].vocab.src);
    t->caches[1] = tokenizer_cache_new(t->models.list[0].vocab.tgt);
    return 0;
}

/* Whether there is the attention that was asked for. */
static int check_attention(const translation *t)
{
    attention_place at = t->search.place, last = {0, 0};
    for (int i = 0; i < t->models.n; i++) {
        attention_place here = model_attention_last(t->models.nets[i]);
        if (here.layer > last.layer) last.layer = here.layer;
        if (here.head > last.head) last.head = here.head;
    }
    if (at.layer > last.layer) return fail("--alignment-layer %d: the decoder has %d", at.layer, last.layer);
    if (at.head > last.head) return fail("--alignment-head %d: each layer has %d", at.head, last.head);
    if (last.layer) return 0;
    if (t->search.attention)
        return fail("--alignment: this network has no attention to read alignments from");
    if (t->search.coverage > 0) note("not used by this network, which has no attention: --coverage-penalty");
    return 0;
}

static int open_all(const options *o, translation *t)
{
    if (open_models(o, t)) return -1;
    t->search = options_search(o);
    if (options_flag(o, "shortlist")) t->search.shortlist = &t->models.list[0].shortlist;
    t->search.never = never;
    t->search.n_never = sizeof never / sizeof *never;
    t->long_way = (enum long_way)options_choice(o, "long");
    t->strict = options_flag(o, "strict");
    t->max_lines = is_typed(o) ? 1 : WINDOW_LINES;
    t->live = live_new();
    t->live.told = t->from;
    t->told = is_told(o);
    t->writer = line_writer_new(o, t->models.list[0].vocab.src, t->models.list[0].vocab.tgt, &t->search);
    t->search.attention = line_writer_takes_attention(t->writer);
    if (check_attention(t)) return -1;
    t->search.words_only = !line_writer_takes_scores(t->writer);
    if (lines_open(options_text(o, "input"), &t->in)) return -1;
    for (int i = 0; i < BESIDE; i++) {
        const char *path = options_text(o, beside_options[i]);
        if (path && lines_open(path, &t->beside[i])) return -1;
    }
    return output_open(options_text(o, "output"), &t->out);
}

/* The files beside the text end where it does. */
static int check_ends(const translation *t)
{
    span line;
    for (int i = 0; i < BESIDE; i++) {
        int more = t->beside[i] ? lines_next(t->beside[i], &line) : 0;
        if (more < 0) return -1;
        if (more)
            return fail("%s has more lines than %s, which has %" PRId64 ": there must be one for each",
                        lines_path(t->beside[i]), lines_path(t->in), lines_count(t->in)->lines);
    }
    return 0;
}

static void tell_progress(translation *t)
{
    if (!t->told || !live_due(&t->live)) return;
    double seconds = clock_seconds() - t->from, share = lines_share(t->in);
    int64_t n = lines_count(t->in)->lines;
    char took[32], left[32];
    str line = {0};
    if (!isnan(share)) str_addf(&line, "%.0f %%  ", 100 * share);
    str_addf(&line, "%" PRId64 " lines  %.0f lines/s  %s", n, (double)n / seconds,
             clock_human(seconds, took));
    if (share > 0) str_addf(&line, "  %s left", clock_human(seconds * (1 - share) / share, left));
    live_tell(&t->live, &line);
    str_free(&line);
}

static int translate_all(translation *t)
{
    int more;
    while ((more = read_window(t)) == 1) {
        if (translate_window(t)) return -1;
        tell_progress(t);
    }
    live_end(&t->live);
    return more < 0 ? -1 : check_ends(t);
}

static void tell_long(const translation *t)
{
    if (!t->long_lines) return;
    str done = {0};
    static const char *const ways[] = {
        [LONG_SPLIT] = "translated", [LONG_CUT] = "cut to the first part", [LONG_SKIP] = "came out empty"};
    str_addf(&done, "%s", ways[t->long_way]);
    if (t->long_way == LONG_SPLIT) str_addf(&done, " in %" PRId64 " parts", t->long_parts);
    note("%" PRId64 " over-long line%s (more than %d pieces) %s", t->long_lines, plural(t->long_lines),
         t->models.max_len, str_text(&done));
    str_free(&done);
}

static void tell_end(const translation *t, double seconds)
{
    const line_counts *c = lines_count(t->in);
    int64_t blanked = line_writer_blanked(t->writer);
    char took[32];
    note_lines(NULL, c, NULL, "bytes kept");
    if (t->blank) note("%" PRId64 " line%s of blanks alone came out empty", t->blank, plural(t->blank));
    tell_long(t);
    if (blanked)
        note("%" PRId64 " line end%s or NUL inside translations written as blanks", blanked, plural(blanked));
    note("%" PRId64 " line%s translated in %s (%s)", c->lines, plural(c->lines), clock_human(seconds, took),
         models_name(&t->models));
}

static void translation_free(translation *t)
{
    lines_close(t->in);
    for (int i = 0; i < BESIDE; i++) {
        lines_close(t->beside[i]);
        seqs_free(&t->beside_ids[i]);
    }
    for (int i = 0; i < 2; i++)
        if (t->caches[i]) tokenizer_cache_free(t->caches[i]);
    models_unload(&t->models);
    line_writer_free(t->writer);
    seqs_free(&t->src);
    free(t->requests);
    str_free(&t->source);
    str_free(&t->text);
    free(t);
}

static int run(const options *o)
{
    translation *t = xcalloc(1, sizeof *t);
    t->from = clock_seconds();
    bool good = open_all(o, t) == 0 && translate_all(t) == 0;
    good = output_close(&t->out, good) == 0 && good;
    if (good) tell_end(t, clock_seconds() - t->from);
    translation_free(t);
    return good ? 0 : -1;
}

/* Standard input can be one of the files. */
static int check_stdin(const options *o)
{
    bool taken = !strcmp(options_text(o, "input"), "-");
    const char *by = "the text";
    for (int i = 0; i < BESIDE; i++) {
        const char *path = options_text(o, beside_options[i]);
        if (!path || strcmp(path, "-")) continue;
        if (taken) return fail("--%s -: standard input is %s already, name a file", beside_options[i], by);
        taken = true;
        by = "that of --prefix";
    }
    return 0;
}

static int check_usage(const options *o)
{
    if (command_no_rest(o) || command_needs(o, "model") || command_output(o) || options_check_search(o))
        return -1;
    return check_stdin(o);
}

int cmd_translate(int argc, char **argv)
{
    return command_run(&help, argc, argv, check_usage, run);
}
