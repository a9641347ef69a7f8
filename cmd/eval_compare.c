#include "eval_compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "eval/compare.h"
#include "eval/report_html.h"
#include "eval/report_text.h"
#include "eval/segment.h"
#include "eval_input.h"

static bool is_same_file(const char *path, const char *other)
{
    struct stat a, b;
    return path && other && !stat(path, &a) && !stat(other, &b) && S_ISREG(a.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The page must not take the place of what it is made from. */
static int check_page(const eval_flags *f)
{
    const char *page = eval_flag_text(f, EVAL_HTML);
    const eval_words *hyps = &f->values[EVAL_INPUT];
    bool taken = is_same_file(page, eval_flag_text(f, EVAL_FREQ));
    for (int i = 0; i < f->n_refs; i++) taken |= is_same_file(page, f->refs[i]);
    for (int i = 0; i < hyps->n; i++) taken |= is_same_file(page, hyps->words[i]);
    return taken ? fail("--html %s: that is one of the texts; name another file for the page", page) : 0;
}

int eval_compare_check(const eval_flags *f)
{
    static const enum eval_key ours[] = {EVAL_HTML, EVAL_EXAMPLES, EVAL_FREQ};
    static const enum eval_key others[] = {EVAL_SENTENCE_LEVEL, EVAL_SCORE_ONLY, EVAL_CONFIDENCE};
    bool compare = eval_flag_on(f, EVAL_COMPARE);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!compare && f->given[ours[i]]) return fail("--%s goes with --compare", eval_rows[ours[i]].name);
    if (!compare) return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (eval_flag_on(f, others[i]))
            return fail("--%s and --compare: give one", eval_rows[others[i]].name);
    if (f->given[EVAL_INPUT] && f->values[EVAL_INPUT].n != COMPARE_SYSTEMS)
        return fail("--compare takes two systems: -i SYSTEM_A SYSTEM_B");
    if (f->given[EVAL_FORMAT] && strcmp(eval_flag_text(f, EVAL_FORMAT), "text") != 0)
        return fail("--format %s: --compare prints text, or a page with --html FILE",
                    eval_flag_text(f, EVAL_FORMAT));
    return check_page(f);
}

/* ----------------------------------------------------------------------------------- the texts */

/* Views of the input, which keeps all. */
typedef struct {
    span *hyps[COMPARE_SYSTEMS], *refs;
    const char **ref_names;
    long n;
} texts;

static void texts_free(texts *t)
{
    for (int s = 0; s < COMPARE_SYSTEMS; s++) free(t->hyps[s]);
    free(t->refs);
    free(t->ref_names);
}

static void take_texts(const eval_flags *f, const eval_input *in, texts *t)
{
    int n_refs = eval_input_refs(in);
    t->refs = xmalloc((size_t)t->n * (size_t)n_refs * sizeof *t->refs);
    t->ref_names = xmalloc((size_t)n_refs * sizeof *t->ref_names);
    for (int r = 0; r < n_refs; r++) t->ref_names[r] = f->refs[r < f->n_refs ? r : f->n_refs - 1];
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        t->hyps[s] = xmalloc((size_t)t->n * sizeof *t->hyps[s]);
        for (long i = 0; i < t->n; i++) t->hyps[s][i] = eval_input_hyp(in, i, s);
    }
    for (long i = 0; i < t->n; i++)
        for (int r = 0; r < n_refs; r++) t->refs[i * n_refs + r] = eval_input_ref(in, i, r);
}

static int read_texts(const eval_flags *f, eval_input *in, texts *t)
{
    if (eval_input_systems(in) != COMPARE_SYSTEMS)
        return fail("--compare takes two systems, but there %s %d: -i SYSTEM_A SYSTEM_B",
                    eval_input_systems(in) == 1 ? "is" : "are", eval_input_systems(in));
    long more;
    while ((more = eval_input_read(in)) > 0) t->n += more;
    if (more < 0) return -1;
    if (!t->n) return fail("%s has no lines: there is nothing to compare", eval_input_name(in, 0));
    take_texts(f, in, t);
    eval_input_note(in);
    return 0;
}

/* ------------------------------------------------------------------------------ the comparison */

/* Without -m all metrics: who compares wants to see where they disagree. */
static void choose_metrics(const eval_flags *f, compare_options *o)
{
    const eval_words *named = &f->values[EVAL_METRICS];
    for (const metric *m = metrics; m->key && o->n_metrics < COMPARE_METRICS; m++) {
        bool wanted = !f->given[EVAL_METRICS];
        for (int i = 0; i < named->n; i++) wanted |= strcmp(named->words[i], m->key) == 0;
        if (wanted) o->metrics[o->n_metrics++] = m;
    }
}

static compare_options options_of(const eval_flags *f, const metric_options *how, uint64_t seed)
{
    bool trials = eval_flag_on(f, EVAL_PAIRED_AR);
    compare_options o = {.options = *how,
                         .test = trials ? COMPARE_RANDOMIZATION : COMPARE_BOOTSTRAP,
                         .n_samples = eval_flag_draws(f, trials ? EVAL_PAIRED_AR_N : EVAL_PAIRED_BS_N),
                         .seed = seed,
                         .width = (int)eval_flag_int(f, EVAL_WIDTH),
                         .examples = (int)eval_flag_int(f, EVAL_EXAMPLES),
                         .word_source = eval_flag_text(f, EVAL_FREQ)};
    choose_metrics(f, &o);
    return o;
}

/* Counts the words of the text of --freq. Lines that are no text are left out, and it is said. */
static int count_words(const char *path, comparison *c)
{
    lines *in;
    span line;
    int more;
    if (lines_open(path, &in)) return -1;
    while ((more = lines_next(in, &line)) == 1)
        if (lines_valid(in)) comparison_count_words(c, line);
    if (!more) note_lines(path, lines_count(in), NULL, "left out");
    lines_close(in);
    return more;
}

static int write_report(const comparison *c, const char *path)
{
    str text = {0};
    output out;
    (path ? report_html : report_text)(c, &text);
    int result = output_open(path, &out);
    if (!result) {
        bool good = output_write(&out, str_span(&text)) == 0;
        result = output_close(&out, good) || !good ? -1 : 0;
    }
    str_free(&text);
    if (!result && path && strcmp(path, "-") != 0) note("%s: the comparison as a page for a browser", path);
    return result;
}

static int compare_texts_of(const eval_flags *f, const eval_input *in, const texts *t,
                            const compare_options *o)
{
    compare_texts all = {
        .ref_names = t->ref_names, .refs = t->refs, .n_refs = eval_input_refs(in), .n = t->n};
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        all.names[s] = eval_input_name(in, s);
        all.hyps[s] = t->hyps[s];
    }
    comparison *c = comparison_new(&all, o);
    int result = o->word_source ? count_words(o->word_source, c) : 0;
    if (!result) {
        comparison_run(c);
        result = write_report(c, eval_flag_text(f, EVAL_HTML));
    }
    comparison_free(c);
    return result;
}

int eval_compare(const eval_flags *f, const metric_options *how, uint64_t seed)
{
    compare_options o = options_of(f, how, seed);
    eval_input *in;
    texts t = {0};
    if (eval_input_open(f, true, &in)) return -1;
    int result = read_texts(f, in, &t);
    if (!result) result = compare_texts_of(f, in, &t, &o);
    texts_free(&t);
    eval_input_close(in);
    return result;
}
