/* tulk eval: scores translations against references. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/team.h"
#include "command.h"
#include "eval/result.h"
#include "eval/tokenize.h"
#include "eval_compare.h"
#include "eval_flags.h"
#include "eval_score.h"

enum { LOOKS_TOKENIZED = 100 }; /* lines, before it is said */

typedef struct {
    const eval_flags *flags;
    scoring scoring;
    eval_style style;
    enum eval_test test;
    metric_setting setting;
    long n_samples; /* of the bootstrap or the test; 0: none */
    uint64_t seed;
    char seed_text[32];
} evaluation;

/* ------------------------------------------------------------------------------------ what is wanted */

static bool wants_metric(const eval_flags *f, const char *key)
{
    for (int i = 0; i < f->values[EVAL_METRICS].n; i++)
        if (strcmp(f->values[EVAL_METRICS].words[i], key) == 0) return true;
    return false;
}

/* In the order of the table; a paired test shows them in the order given, as sacreBLEU does. */
static void choose_metrics(evaluation *e)
{
    scoring *s = &e->scoring;
    const eval_words *names = &e->flags->values[EVAL_METRICS];
    if (e->test == EVAL_NO_TEST) {
        for (const metric *m = metrics; m->key; m++)
            if (wants_metric(e->flags, m->key)) s->metrics[s->n_metrics++] = m;
        return;
    }
    for (int i = 0; i < names->n; i++) {
        const metric *m = metric_find(names->words[i]);
        int k = 0;
        while (k < s->n_metrics && s->metrics[k] != m) k++;
        if (k == s->n_metrics) s->metrics[s->n_metrics++] = m;
    }
}

/* "zh" of "en-zh"; "" without --language-pair. */
static const char *target_language(const eval_flags *f)
{
    const char *pair = eval_flag_text(f, EVAL_LANGUAGE_PAIR), *dash = pair ? strchr(pair, '-') : NULL;
    return dash ? dash + 1 : "";
}

/* The tokenizers that sacreBLEU takes for some languages. */
typedef struct {
    const char *language, *tokenizer, *name;
} usual_tokenizer;

static const usual_tokenizer *usual_for(const eval_flags *f)
{
    static const usual_tokenizer rows[] = {
        {"zh", "zh", "Chinese"}, {"ja", "ja-mecab", "Japanese"}, {"ko", "ko-mecab", "Korean"}};
    const char *language = target_language(f);
    size_t n = strcspn(language, "-");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].language) == n && strncmp(rows[i].language, language, n) == 0) return &rows[i];
    return NULL;
}

static const char *choose_tokenizer(const eval_flags *f)
{
    const usual_tokenizer *usual = usual_for(f);
    const char *wanted = eval_flag_text(f, EVAL_TOKENIZE);
    if (wanted && usual && strcmp(usual->tokenizer, wanted) != 0 && wants_metric(f, "bleu"))
        note("The tokenizer %s is the usual one for %s", usual->tokenizer, usual->name);
    return wanted ? wanted : usual ? usual->tokenizer : "13a";
}

static metric_options options_from(const eval_flags *f)
{
    metric_options o = metric_defaults();
    o.bleu.tokenize = choose_tokenizer(f);
    o.bleu.lowercase = eval_flag_on(f, EVAL_LOWERCASE);
    o.bleu.smooth_method = eval_flag_text(f, EVAL_SMOOTH_METHOD);
    o.bleu.smooth_value = eval_flag_real(f, EVAL_SMOOTH_VALUE);
    o.bleu.max_order = (int)eval_flag_int(f, EVAL_MAX_ORDER);
    o.bleu.effective_order = eval_flag_on(f, EVAL_SENTENCE_LEVEL);
    o.chrf.char_order = (int)eval_flag_int(f, EVAL_CHRF_CHAR_ORDER);
    o.chrf.word_order = (int)eval_flag_int(f, EVAL_CHRF_WORD_ORDER);
    o.chrf.beta = (int)eval_flag_int(f, EVAL_CHRF_BETA);
    o.chrf.whitespace = eval_flag_on(f, EVAL_CHRF_WHITESPACE);
    o.chrf.lowercase = eval_flag_on(f, EVAL_CHRF_LOWERCASE);
    o.chrf.eps_smoothing = eval_flag_on(f, EVAL_CHRF_EPS);
    o.ter.case_sensitive = eval_flag_on(f, EVAL_TER_CASE);
    o.ter.asian_support = eval_flag_on(f, EVAL_TER_ASIAN);
    o.ter.no_punct = eval_flag_on(f, EVAL_TER_NO_PUNCT);
    o.ter.normalized = eval_flag_on(f, EVAL_TER_NORMALIZED);
    return o;
}

static void note_unused(const eval_flags *f)
{
    const char *method = eval_flag_text(f, EVAL_SMOOTH_METHOD);
    bool takes_value = strcmp(method, "floor") == 0 || strcmp(method, "add-k") == 0;
    if (f->given[EVAL_SMOOTH_VALUE] && !takes_value)
        note("--smooth-value is not used by --smooth-method %s", method);
}

/* sacreBLEU lets its environment variable overrule the flag. */
static enum eval_format choose_format(const eval_flags *f)
{
    static const char *const names[] = {[EVAL_JSON] = "json", [EVAL_TEXT] = "text", [EVAL_LATEX] = "latex"};
    const char *environment = getenv("SACREBLEU_FORMAT");
    int format = -1;
    for (int i = EVAL_JSON; i <= EVAL_LATEX; i++)
        if (environment && strcasecmp(environment, names[i]) == 0) format = i;
    for (int i = EVAL_JSON; format < 0; i++)
        if (strcmp(eval_flag_text(f, EVAL_FORMAT), names[i]) == 0) format = i;
    return format == EVAL_JSON && eval_flag_on(f, EVAL_DETAIL) ? EVAL_TEXT : (enum eval_format)format;
}

static eval_style style_from(const eval_flags *f)
{
    const char *no_color = getenv("NO_COLOR");
    eval_style style = {choose_format(f), (int)eval_flag_int(f, EVAL_WIDTH), eval_flag_on(f, EVAL_SCORE_ONLY),
                        false};
    style.color = style.format != EVAL_JSON && !eval_flag_on(f, EVAL_NO_COLOR) && !(no_color && *no_color) &&
                  isatty(STDOUT_FILENO);
    return style;
}

/* ------------------------------------------------------------------------------------ seed */

static int random_seed(uint64_t *seed)
{
    int file = open("/dev/urandom", O_RDONLY);
    bool got = file >= 0 && read(file, seed, sizeof *seed) == (ssize_t)sizeof *seed;
    if (file >= 0) close(file);
    return got ? 0 : fail("SACREBLEU_SEED=none: cannot read /dev/urandom; give a --seed");
}

/* The seed that the environment names. */
static int read_seed(const char *text, uint64_t *seed)
{
    errno = 0;
    *seed = strtoull(text, NULL, 10);
    if (!*text || strspn(text, "0123456789") < strlen(text) || errno)
        return fail("SACREBLEU_SEED=%s: a seed is a whole number from 0 to 18446744073709551615, or none",
                    text);
    return 0;
}

/* --seed, else SACREBLEU_SEED, else sacreBLEU's own. */
static int choose_seed(evaluation *e)
{
    const char *environment = getenv("SACREBLEU_SEED");
    bool given = eval_flag_text(e->flags, EVAL_SEED) != NULL;
    if (!given && environment && strcasecmp(environment, "none") == 0) {
        snprintf(e->seed_text, sizeof e->seed_text, "none");
        return random_seed(&e->seed);
    }
    e->seed = given ? (uint64_t)eval_flag_int(e->flags, EVAL_SEED) : 12345;
    if (!given && environment && read_seed(environment, &e->seed)) return -1;
    snprintf(e->seed_text, sizeof e->seed_text, "%" PRIu64, e->seed);
    return 0;
}

/* Which draws are wanted, and what signatures say of them. */
static int plan_draws(evaluation *e)
{
    const eval_flags *f = e->flags;
    bool bs = e->test == EVAL_TEST_BS, ar = e->test == EVAL_TEST_AR;
    if (bs || ar) e->n_samples = eval_flag_draws(f, ar ? EVAL_PAIRED_AR_N : EVAL_PAIRED_BS_N);
    if (eval_flag_on(f, EVAL_CONFIDENCE)) e->n_samples = eval_flag_int(f, EVAL_CONFIDENCE_N);
    if (e->test == EVAL_NO_TEST && e->n_samples < 2) e->n_samples = 0; /* one resample has no interval */
    e->setting.n_bootstrap = ar ? 0 : e->n_samples;
    e->setting.n_trials = ar ? e->n_samples : 0;
    e->setting.seed = e->n_samples ? e->seed_text : NULL;
    return e->n_samples ? choose_seed(e) : 0;
}

/* ------------------------------------------------------------------------------------ usage */

static int check_files(const eval_flags *f)
{
    if (!f->n_refs) return fail("name a reference: tulk eval REF [REF...] [-i HYP], see --help");
    int stdins = f->values[EVAL_INPUT].n == 0;
    for (int i = 0; i < f->values[EVAL_INPUT].n; i++)
        stdins += strcmp(f->values[EVAL_INPUT].words[i], "-") == 0;
    for (int i = 0; i < f->n_refs; i++) {
        if (!*f->refs[i]) return fail("reference %d has no name: the word is empty", i + 1);
        stdins += strcmp(f->refs[i], "-") == 0;
    }
    if (stdins > 1)
        return fail("standard input (-) can be only one of the files; name the translations with -i");
    if (f->n_refs > 1 && eval_flag_int(f, EVAL_NUM_REFS) != 1)
        return fail("--num-refs is for one file of references side by side; there are %d files", f->n_refs);
    return eval_input_check(f);
}

static int check_language(const eval_flags *f)
{
    const char *pair = eval_flag_text(f, EVAL_LANGUAGE_PAIR);
    if (pair && !*target_language(f))
        return fail("--language-pair %s: write source and target, e.g. en-de", pair);
    const usual_tokenizer *usual = usual_for(f);
    if (eval_flag_text(f, EVAL_TOKENIZE) || !usual || !wants_metric(f, "bleu")) return 0;
    if (eval_tokenizer_find(usual->tokenizer)) return 0;
    return fail(
        "--language-pair %s: sacreBLEU's tokenizer for %s, %s, needs a dictionary that tulk does not carry; "
        "choose one with --tokenize",
        pair, usual->name, usual->tokenizer);
}

static int check_modes(const eval_flags *f)
{
    bool ar = eval_flag_on(f, EVAL_PAIRED_AR), bs = eval_flag_on(f, EVAL_PAIRED_BS);
    bool confidence = eval_flag_on(f, EVAL_CONFIDENCE);
    if (ar && bs) return fail("--paired-ar and --paired-bs: choose one");
    if (wants_metric(f, "chrf") && !eval_flag_int(f, EVAL_CHRF_CHAR_ORDER))
        if (!eval_flag_int(f, EVAL_CHRF_WORD_ORDER))
            return fail("--chrf-char-order 0 and --chrf-word-order 0: there is nothing to count");
    if (!eval_flag_on(f, EVAL_SENTENCE_LEVEL)) return 0;
    if (confidence || ar || bs)
        return fail("--sentence-level: a single sentence has no %s",
                    confidence ? "confidence interval" : "paired test");
    for (int i = 1; i < f->values[EVAL_METRICS].n; i++)
        if (strcmp(f->values[EVAL_METRICS].words[i], f->values[EVAL_METRICS].words[0]) != 0)
            return fail("--sentence-level takes one metric at a time");
    return 0;
}

static int check_usage(const eval_flags *f)
{
    return check_files(f) || check_language(f) || check_modes(f) || eval_compare_check(f) ? -1 : 0;
}

/* What depends on the number of systems, which standard input tells only by its first line. */
static int check_systems(const evaluation *e)
{
    int n = eval_input_systems(e->scoring.input);
    if (n > 1 && eval_flag_on(e->flags, EVAL_SENTENCE_LEVEL))
        return fail("--sentence-level takes one system at a time");
    if (n > 1 && eval_flag_on(e->flags, EVAL_CONFIDENCE))
        return fail("--confidence is for one system; compare several with --paired-bs");
    if (n == 1 && e->test != EVAL_NO_TEST)
        return fail("a paired test compares several systems: name them with -i");
    return 0;
}

/* ------------------------------------------------------------------------------------ notes */

static void note_tokenized(const evaluation *e)
{
    if (eval_flag_on(e->flags, EVAL_FORCE) || !wants_metric(e->flags, "bleu")) return;
    for (int i = 0; i < eval_input_systems(e->scoring.input); i++)
        if (e->scoring.tokenized[i] >= LOOKS_TOKENIZED)
            note("%s: %d translations end in a tokenised period (' .'): was the text not detokenised? That "
                 "hurts the score. If it is meant so, --force silences this",
                 eval_input_name(e->scoring.input, i), e->scoring.tokenized[i]);
}

/* ------------------------------------------------------------------------------------ report */

/* What a metric's score is printed with; owned texts. */
typedef struct {
    str name, signature, verbose;
} labels;

static labels labels_of(const evaluation *e, int m, const double *sums)
{
    const metric *row = e->scoring.metrics[m];
    labels l = {{0}, {0}, {0}};
    row->name(&e->scoring.options, &l.name);
    row->signature(&e->scoring.options, &e->setting, &l.signature);
    row->verbose(&e->scoring.options, sums, &l.verbose);
    return l;
}

static void labels_free(labels *l)
{
    str_free(&l->name);
    str_free(&l->signature);
    str_free(&l->verbose);
}

static significance value_of(const evaluation *e, int system, int m)
{
    const metric *row = e->scoring.metrics[m];
    double score = row->score(&e->scoring.options, scoring_sums(&e->scoring, system, m), METRIC_DOUBLE);
    return (significance){score, (double)NAN, (double)NAN, (double)NAN};
}

static int print_and_free(str *out)
{
    int printed = print_out(str_span(out));
    str_free(out);
    return printed;
}

static int print_system(const evaluation *e)
{
    const scoring *s = &e->scoring;
    eval_result results[EVAL_MAX_METRICS];
    labels l[EVAL_MAX_METRICS];
    str out = {0};
    for (int m = 0; m < s->n_metrics; m++) {
        segment_stats stats = e->n_samples ? scoring_stats(s, 0, m) : (segment_stats){0};
        l[m] = labels_of(e, m, scoring_sums(s, 0, m));
        results[m] = (eval_result){str_text(&l[m].name),
                                   e->n_samples ? significance_bootstrap(&stats, e->n_samples, e->seed)
                                                : value_of(e, 0, m),
                                   str_text(&l[m].signature), str_text(&l[m].verbose)};
    }
    eval_print_system(results, s->n_metrics, &e->style, &out);
    if (eval_flag_on(e->flags, EVAL_DETAIL))
        str_addf(&out, "No original languages are known: there are no scores by them.\n");
    for (int m = 0; m < s->n_metrics; m++) labels_free(&l[m]);
    return print_and_free(&out);
}

/* Each batch of sentences is printed at once. */
static int print_sentences(const scoring *s, long first, long n, void *context)
{
    const evaluation *e = context;
    str out = {0};
    for (long i = first; i < first + n; i++) {
        const double *stats = s->rows + (size_t)i * s->row;
        labels l = labels_of(e, 0, stats);
        double score = s->metrics[0]->score(&s->options, stats, METRIC_DOUBLE);
        eval_result result = {str_text(&l.name),
                              {score, (double)NAN, (double)NAN, (double)NAN},
                              str_text(&l.signature),
                              str_text(&l.verbose)};
        eval_print_sentence(&result, &e->style, &out);
        labels_free(&l);
    }
    return print_and_free(&out);
}

/* How the systems are called in a table; owned. */
static char **system_names(const evaluation *e)
{
    const eval_input *in = e->scoring.input;
    bool files = e->flags->values[EVAL_INPUT].n > 0, paired = e->test != EVAL_NO_TEST;
    int n = eval_input_systems(in);
    char **names = xmalloc((size_t)n * sizeof *names);
    for (int i = 0; i < n; i++) {
        str name = {0};
        if (paired && !files)
            str_addf(&name, i ? "System %d" : "Baseline", i);
        else
            str_addf(&name, "%s%s", paired && i == 0 ? "Baseline: " : "", eval_input_name(in, i));
        names[i] = name.p;
    }
    return names;
}

/* Fills values[systems] of one metric. */
static void compare_systems(const evaluation *e, int m, significance *values)
{
    int n = eval_input_systems(e->scoring.input);
    if (e->test == EVAL_NO_TEST) {
        for (int i = 0; i < n; i++) values[i] = value_of(e, i, m);
        return;
    }
    segment_stats *systems = xmalloc((size_t)n * sizeof *systems);
    for (int i = 0; i < n; i++) systems[i] = scoring_stats(&e->scoring, i, m);
    if (e->test == EVAL_TEST_BS)
        significance_paired_bootstrap(systems, n, e->n_samples, e->seed, values);
    else
        significance_paired_ar(systems, n, e->n_samples, e->seed, values);
    free(systems);
}

static int print_systems(const evaluation *e)
{
    int n = eval_input_systems(e->scoring.input), n_metrics = e->scoring.n_metrics;
    significance *values = xmalloc((size_t)(n * n_metrics) * sizeof *values);
    labels l[EVAL_MAX_METRICS];
    const char *names[EVAL_MAX_METRICS], *signatures[EVAL_MAX_METRICS];
    char **systems = system_names(e);
    for (int m = 0; m < n_metrics; m++) {
        compare_systems(e, m, values + m * n);
        l[m] = labels_of(e, m, scoring_sums(&e->scoring, 0, m));
        names[m] = str_text(&l[m].name);
        signatures[m] = str_text(&l[m].signature);
    }
    eval_table table = {
        (const char *const *)systems, n, names, signatures, n_metrics, values, e->test, e->n_samples};
    str out = {0};
    eval_print_table(&table, &e->style, &out);
    for (int m = 0; m < n_metrics; m++) labels_free(&l[m]);
    for (int i = 0; i < n; i++) free(systems[i]);
    free(systems);
    free(values);
    return print_and_free(&out);
}

/* ------------------------------------------------------------------------------------ command */

static int score_and_print(evaluation *e)
{
    bool sentences = eval_flag_on(e->flags, EVAL_SENTENCE_LEVEL);
    int result = scoring_run(&e->scoring, sentences ? print_sentences : NULL, e);
    if (result) return result;
    eval_input_note(e->scoring.input);
    note_tokenized(e);
    if (sentences) return 0;
    return eval_input_systems(e->scoring.input) == 1 ? print_system(e) : print_systems(e);
}

/* The exit code. */
static int evaluate(const eval_flags *f)
{
    evaluation e = {.flags = f, .scoring = {.options = options_from(f)}, .style = style_from(f)};
    if (eval_flag_on(f, EVAL_PAIRED_AR)) e.test = EVAL_TEST_AR;
    if (eval_flag_on(f, EVAL_PAIRED_BS)) e.test = EVAL_TEST_BS;
    choose_metrics(&e);
    note_unused(f);
    bool compare = eval_flag_on(f, EVAL_COMPARE);
    if (compare ? choose_seed(&e) : plan_draws(&e)) return EXIT_USAGE;
    if (compare) return eval_compare(f, &e.scoring.options, e.seed) ? EXIT_FAILED : EXIT_GOOD;
    e.scoring.keep = e.n_samples > 0;
    int code = eval_input_open(f, false, &e.scoring.input) ? EXIT_FAILED : EXIT_GOOD;
    if (!code && check_systems(&e)) code = EXIT_USAGE;
    if (!code) {
        /* JSON needs the names as keys */
        bool json = e.style.format == EVAL_JSON && eval_input_systems(e.scoring.input) == 1 &&
                    !eval_flag_on(f, EVAL_SENTENCE_LEVEL);
        e.setting.brief = eval_flag_on(f, EVAL_SHORT) && !json;
        e.setting.n_refs = eval_input_refs(e.scoring.input);
        code = score_and_print(&e) ? EXIT_FAILED : EXIT_GOOD;
    }
    scoring_free(&e.scoring);
    eval_input_close(e.scoring.input);
    return code;
}

static int print_help(void)
{
    str out = {0};
    eval_flags_help(&out);
    return print_and_free(&out) ? EXIT_FAILED : EXIT_GOOD;
}

static int run(const eval_flags *f)
{
    if (eval_flag_on(f, EVAL_HELP)) return print_help();
    if (eval_flag_on(f, EVAL_VERSION))
        return print_out(span_of("tulk " TULK_VERSION "\n")) ? EXIT_FAILED : EXIT_GOOD;
    if (eval_flag_on(f, EVAL_QUIET)) note_listener(NULL);
    long jobs = f->given[EVAL_PAIRED_JOBS] ? eval_flag_int(f, EVAL_PAIRED_JOBS) : 0;
    if (jobs) team_set_threads((int)jobs);
    if (f->given[EVAL_THREADS]) team_set_threads((int)eval_flag_int(f, EVAL_THREADS));
    return check_usage(f) ? EXIT_USAGE : evaluate(f);
}

int cmd_eval(int argc, char **argv)
{
    eval_flags f;
    int code = eval_flags_parse(&f, argc, argv) ? EXIT_USAGE : run(&f);
    if (code) command_failed(argv[0], code);
    eval_flags_free(&f);
    return code;
}
