/* tulk eval: scores translations against references. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/team.h"
#include "command.h"
#include "data/lines.h"
#include "eval/bleu.h"
#include "eval/result.h"
#include "eval/segment.h"
#include "eval_flags.h"

/* Segments are read in batches and a batch is scored by the team in tasks of a few segments. The sums are
 * whole numbers, so neither size changes a figure. */
enum { BATCH = 2048, TASK = 32, LOOKS_TOKENIZED = 100 };

typedef struct {
    lines **files; /* [n_files]: the hypotheses, then the references */
    int n_files;
    bleu_options options;
    str text;     /* the lines of the batch behind each other */
    size_t *ends; /* [BATCH][n_files] */
    long n;       /* segments in the batch */
    bleu_stats parts[BATCH / TASK], total;
    int64_t segments, tokenized; /* so far; of these, hypotheses that end in " ." */
} evaluation;

/* ------------------------------------------------------------------------------------ reading */

static int open_files(evaluation *e, const eval_flags *f)
{
    e->files = xcalloc((size_t)f->n_refs + 1, sizeof *e->files);
    e->ends = xmalloc(BATCH * ((size_t)f->n_refs + 1) * sizeof *e->ends);
    for (; e->n_files <= f->n_refs; e->n_files++)
        if (lines_open(e->n_files ? f->refs[e->n_files - 1] : f->values[EVAL_INPUT], &e->files[e->n_files]))
            return -1;
    return 0;
}

static void close_files(evaluation *e)
{
    for (int i = 0; i < e->n_files; i++) lines_close(e->files[i]);
    free(e->files);
    free(e->ends);
    str_free(&e->text);
}

/* Some files have ended and some have not: counts the rest and says so. */
static int unequal(evaluation *e)
{
    span line;
    for (int i = 0; i < e->n_files; i++)
        for (int more; (more = lines_next(e->files[i], &line));)
            if (more < 0) return -1;
    int64_t hyps = lines_count(e->files[0])->lines;
    int i = 1;
    while (lines_count(e->files[i])->lines == hyps) i++;
    return fail("%s has %" PRId64 " line%s, but %s has %" PRId64 ": line by line they must belong together",
                lines_path(e->files[0]), hyps, plural(hyps), lines_path(e->files[i]),
                lines_count(e->files[i])->lines);
}

static int not_text(const lines *file)
{
    const char *path = lines_path(file);
    int64_t line = lines_count(file)->lines;
    if (lines_count(file)->invalid_utf8)
        return fail("%s:%" PRId64 ": the line is not valid UTF-8; repair the file, e.g. with iconv", path,
                    line);
    return fail("%s:%" PRId64 ": the line holds a NUL byte; repair the file, e.g. with tr -d '\\0'", path,
                line);
}

/* Reads one segment of each file into the batch: 1, 0 at the end of all, -1 with a message. */
static int read_segment(evaluation *e)
{
    int ended = 0;
    for (int i = 0; i < e->n_files; i++) {
        span line;
        int more = lines_next(e->files[i], &line);
        if (more < 0) return -1;
        ended += !more;
        if (!more) continue;
        if (!lines_valid(e->files[i])) return not_text(e->files[i]);
        str_add_span(&e->text, segment_rstrip(line));
        e->ends[e->n * e->n_files + i] = e->text.n;
    }
    if (ended == e->n_files) return 0;
    return ended ? unequal(e) : 1;
}

static int read_batch(evaluation *e)
{
    int more = 1;
    str_clear(&e->text);
    for (e->n = 0; e->n < BATCH && (more = read_segment(e)) > 0;) e->n++;
    return more < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------------------------ scoring */

static span batch_line(const evaluation *e, long segment, int file)
{
    long i = segment * e->n_files + file;
    size_t start = i ? e->ends[i - 1] : 0;
    return (span){str_text(&e->text) + start, e->ends[i] - start};
}

static void score_task(long task, void *context)
{
    evaluation *e = context;
    span *refs = xmalloc((size_t)e->n_files * sizeof *refs);
    long end = (task + 1) * TASK < e->n ? (task + 1) * TASK : e->n;
    e->parts[task] = (bleu_stats){0};
    for (long i = task * TASK; i < end; i++) {
        for (int r = 1; r < e->n_files; r++) refs[r - 1] = batch_line(e, i, r);
        bleu_add(&e->parts[task], &e->options, batch_line(e, i, 0), refs, e->n_files - 1);
    }
    free(refs);
}

static bool looks_tokenized(span line) { return line.n >= 2 && memcmp(line.p + line.n - 2, " .", 2) == 0; }

static void score_batch(evaluation *e)
{
    long tasks = (e->n + TASK - 1) / TASK;
    team_run(tasks, score_task, e);
    for (long i = 0; i < tasks; i++) bleu_merge(&e->total, &e->parts[i]);
    for (long i = 0; i < e->n; i++) e->tokenized += looks_tokenized(batch_line(e, i, 0));
    e->segments += e->n;
}

static int score_files(evaluation *e)
{
    do {
        if (read_batch(e)) return -1;
        score_batch(e);
    } while (e->n == BATCH);
    return e->segments ? 0 : fail("%s has no lines: there is nothing to score", lines_path(e->files[0]));
}

/* ------------------------------------------------------------------------------------ report */

static void note_input(const evaluation *e, const eval_flags *f)
{
    for (int i = 0; i < e->n_files; i++)
        note_lines(lines_path(e->files[i]), lines_count(e->files[i]), "scored as they are", NULL);
    if (e->tokenized < LOOKS_TOKENIZED || eval_flag_on(f, EVAL_FORCE)) return;
    note("%" PRId64
         " translations end in a tokenised period (' .'): was the text not detokenised? That hurts the "
         "score. If it is meant so, --force silences this",
         e->tokenized);
}

/* sacreBLEU lets its environment variable overrule the flag. */
static enum eval_format output_format(const eval_flags *f)
{
    const char *environment = getenv("SACREBLEU_FORMAT"), *format = f->values[EVAL_FORMAT];
    if (environment && (strcasecmp(environment, "json") == 0 || strcasecmp(environment, "text") == 0))
        format = environment;
    if (eval_flag_on(f, EVAL_SCORE_ONLY)) return EVAL_NUMBER;
    return strcasecmp(format, "json") == 0 ? EVAL_JSON : EVAL_TEXT;
}

static int print_score(const evaluation *e, const eval_flags *f)
{
    bleu_score score = bleu_compute(&e->total, &e->options);
    enum eval_format format = output_format(f);
    bool brief = eval_flag_on(f, EVAL_SHORT) && format != EVAL_JSON; /* JSON needs the names as keys */
    str signature = {0}, verbose = {0}, out = {0};
    bleu_signature(&e->options, e->n_files - 1, brief, &signature);
    bleu_verbose(&e->total, &e->options, &score, &verbose);
    eval_result result = {"BLEU", score.score, str_text(&signature), str_text(&verbose)};
    eval_result_print(&result, format, (int)eval_flag_int(f, EVAL_WIDTH), &out);
    str_add_char(&out, '\n');
    int printed = print_out(str_span(&out));
    str_free(&signature);
    str_free(&verbose);
    str_free(&out);
    return printed;
}

/* ------------------------------------------------------------------------------------ command */

static int check_usage(const eval_flags *f)
{
    if (!f->n_refs) return fail("name a reference: tulk eval REF [REF...] [-i HYP], see --help");
    int stdins = strcmp(f->values[EVAL_INPUT], "-") == 0;
    for (int i = 0; i < f->n_refs; i++) stdins += strcmp(f->refs[i], "-") == 0;
    return stdins > 1 ? fail("standard input (-) can be only one of the files; name the translations with -i")
                      : 0;
}

static bleu_options options_from(const eval_flags *f)
{
    bleu_options o = bleu_defaults();
    o.tokenize = f->values[EVAL_TOKENIZE];
    o.lowercase = eval_flag_on(f, EVAL_LOWERCASE);
    o.smooth_method = f->values[EVAL_SMOOTH_METHOD];
    o.smooth_value = eval_flag_real(f, EVAL_SMOOTH_VALUE);
    o.max_order = (int)eval_flag_int(f, EVAL_MAX_ORDER);
    bool takes_value = strcmp(o.smooth_method, "floor") == 0 || strcmp(o.smooth_method, "add-k") == 0;
    if (f->given[EVAL_SMOOTH_VALUE] && !takes_value)
        note("--smooth-value is not used by --smooth-method %s", o.smooth_method);
    return o;
}

static int print_help(void)
{
    str out = {0};
    eval_flags_help(&out);
    int printed = print_out(str_span(&out));
    str_free(&out);
    return printed;
}

static int evaluate(const eval_flags *f)
{
    evaluation *e = xcalloc(1, sizeof *e);
    e->options = options_from(f);
    int result = open_files(e, f);
    if (!result) result = score_files(e);
    if (!result) {
        note_input(e, f);
        result = print_score(e, f);
    }
    close_files(e);
    free(e);
    return result;
}

static int run(const eval_flags *f)
{
    if (eval_flag_on(f, EVAL_HELP)) return print_help();
    if (eval_flag_on(f, EVAL_VERSION)) return print_out(span_of("tulk " TULK_VERSION "\n"));
    if (eval_flag_on(f, EVAL_QUIET)) note_listener(NULL);
    if (f->given[EVAL_THREADS]) team_set_threads((int)eval_flag_int(f, EVAL_THREADS));
    return evaluate(f);
}

int cmd_eval(int argc, char **argv)
{
    eval_flags f;
    bool stops, wrong = eval_flags_parse(&f, argc, argv);
    stops = !wrong && (eval_flag_on(&f, EVAL_HELP) || eval_flag_on(&f, EVAL_VERSION));
    if (!wrong && !stops) wrong = check_usage(&f);
    int code = wrong ? command_failed(argv[0], EXIT_USAGE) : EXIT_GOOD;
    if (!wrong && run(&f)) code = command_failed(argv[0], EXIT_FAILED);
    eval_flags_free(&f);
    return code;
}
