/* tulk translate: lines in, lines out, window by window. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "data/lines.h"
#include "loader.h"
#include "text/parts.h"

static const command_help help = {
    FOR_TRANSLATE, "tulk translate -m MODEL.tulk [-i FILE] [-o FILE] [OPTION...]",
    "Translates text line by line: as many lines come out as go in, in their order.",
    "tulk translate -m en-de.tulk -i test.en -o test.de"};

/* A window is translated at once, which keeps batches full and memory bounded. */
enum { WINDOW_LINES = 2048, WINDOW_BYTES = 1 << 20 };

typedef struct {
    loaded_model model;
    tokenizer_cache *cache;
    search_options search;
    bool strict;
    int max_len;
    int max_lines; /* of a window */
    lines *in;
    output out;
    int parts[WINDOW_LINES]; /* of each line of the window, one behind the other in src */
    int n_lines;
    seqs src;
    str text; /* scratch */
    int64_t cut_lines, cut_parts, line_feeds, blank;
} translation;

/* ---------------------------------------------------------------------------------------- read */

static int too_long(const translation *t)
{
    return fail("%s:%" PRId64
                ": more than %d pieces (--max-len of the training): cut the line, or leave out --strict",
                lines_path(t->in), lines_count(t->in)->lines, t->max_len);
}

static int take_line(translation *t, span line)
{
    int parts = encode_parts(t->model.vocab.src, t->cache, line, t->max_len, &t->src);
    t->parts[t->n_lines++] = parts;
    t->blank += parts == 0 && line.n > 0;
    if (parts <= 1) return 0;
    t->cut_lines++;
    t->cut_parts += parts;
    return t->strict ? too_long(t) : 0;
}

/* 1 with a window of at least one line, 0 at the end, -1 with a message. */
static int read_window(translation *t)
{
    span line;
    size_t bytes = 0;
    int more = 1;
    t->n_lines = 0;
    seqs_clear(&t->src);
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

/* --------------------------------------------------------------------------------------- write */

/* A line is a line: what ends one inside a translation becomes a blank. */
static void one_line(translation *t)
{
    for (size_t i = 0; i < t->text.n; i++) {
        if (t->text.p[i] != '\n' && t->text.p[i] != '\r') continue;
        t->text.p[i] = ' ';
        t->line_feeds++;
    }
}

static int write_line(translation *t, const hyp_list *lists, int parts)
{
    str_clear(&t->text);
    for (int i = 0; i < parts; i++) {
        if (i > 0) str_add_char(&t->text, ' ');
        if (lists[i].n == 0) continue;
        tokenizer_decode(t->model.vocab.tgt, lists[i].hyps[0].ids, (size_t)lists[i].hyps[0].n, &t->text);
    }
    one_line(t);
    str_add_char(&t->text, '\n');
    return output_write(&t->out, str_span(&t->text));
}

static int write_window(translation *t, const hyp_list *lists)
{
    size_t at = 0;
    for (int i = 0; i < t->n_lines; i++) {
        if (write_line(t, lists + at, t->parts[i])) return -1;
        at += (size_t)t->parts[i];
    }
    if (fflush(t->out.file)) return fail("cannot write the translations: %s", strerror(errno));
    return 0;
}

static int translate_window(translation *t)
{
    hyp_list *lists = xcalloc(t->src.n, sizeof *lists);
    search(t->model.net, &t->src, &t->search, lists);
    int result = write_window(t, lists);
    search_free(lists, t->src.n);
    free(lists);
    return result;
}

/* ----------------------------------------------------------------------------------------- run */

/* Somebody who types a line waits for its translation. */
static int window_lines(const char *input)
{
    return !strcmp(input, "-") && isatty(STDIN_FILENO) ? 1 : WINDOW_LINES;
}

static int open_all(const options *o, translation *t)
{
    const char *input = options_text(o, "input");
    if (model_load(options_text(o, "model"), options_text(o, "checkpoint"), &t->model)) return -1;
    t->cache = tokenizer_cache_new(t->model.vocab.src);
    t->search = options_search(o);
    t->strict = options_flag(o, "strict");
    t->max_len = (int)options_int(t->model.settings, "max-len");
    t->max_lines = window_lines(input);
    if (lines_open(input, &t->in)) return -1;
    return output_open(options_text(o, "output"), &t->out);
}

static int translate_all(translation *t)
{
    int more;
    while ((more = read_window(t)) == 1)
        if (translate_window(t)) return -1;
    return more;
}

static void tell_end(const translation *t, double seconds)
{
    const line_counts *c = lines_count(t->in);
    char took[32];
    note_lines(NULL, c, NULL, "bytes kept");
    if (t->blank) note("%" PRId64 " line%s of blanks alone came out empty", t->blank, plural(t->blank));
    if (t->cut_lines)
        note("%" PRId64 " over-long line%s (more than %d pieces) translated in %" PRId64 " parts",
             t->cut_lines, plural(t->cut_lines), t->max_len, t->cut_parts);
    if (t->line_feeds)
        note("%" PRId64 " line end%s inside translations written as blanks", t->line_feeds,
             plural(t->line_feeds));
    note("%" PRId64 " line%s translated in %s (checkpoint %s, update %" PRId64 ")", c->lines,
         plural(c->lines), clock_human(seconds, took), t->model.slot, t->model.info.update);
}

static void translation_free(translation *t)
{
    lines_close(t->in);
    if (t->cache) tokenizer_cache_free(t->cache);
    model_unload(&t->model);
    seqs_free(&t->src);
    str_free(&t->text);
    free(t);
}

static int run(const options *o, const char *name)
{
    translation *t = xcalloc(1, sizeof *t);
    double from = clock_seconds();
    bool good = open_all(o, t) == 0 && translate_all(t) == 0;
    good = output_close(&t->out, good) == 0 && good;
    if (good) tell_end(t, clock_seconds() - from);
    int code = good ? EXIT_GOOD : command_failed(name, EXIT_FAILED);
    translation_free(t);
    return code;
}

int cmd_translate(int argc, char **argv)
{
    options *o;
    int code = command_start(&help, argc, argv, &o);
    if (code == COMMAND_GOES_ON && (command_no_rest(o) || command_needs(o, "model") || command_output(o)))
        code = command_failed(argv[0], EXIT_USAGE);
    if (code == COMMAND_GOES_ON) code = run(o, argv[0]);
    options_free(o);
    return code;
}
