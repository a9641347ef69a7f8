/* Shows what lib/eval computes, in full, for scripts/check-metrics:
 *   eval-probe tokenize NAME mixed|lc   stdin: lines; stdout: the tokens of each, a space between
 *   eval-probe ter-words NPAC           the same for TER; N normalized, P no punctuation, A Asian support, C
 * cased,
 *                                       - for what is off
 *   eval-probe score                    stdin: one request a line, fields by tabs:
 *       METRIC OPTIONS corpus|lines N HYP REF...
 *   OPTIONS is a list of key=value with ; between, "-" for none; N the number of lines that count, 0 for all.
 * For a corpus the answer is a line of numbers, the score and the sums of the statistics, then lines with the
 * metric's name, its signature, the short signature, and what it prints behind the score. For lines the
 * answer is a line of numbers for each, and "." */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/metric.h"
#include "eval/segment.h"
#include "eval/tokenize.h"

enum { MOST_REFS = 16, MOST_FIELDS = 5 + MOST_REFS };

typedef struct {
    FILE *file;
    char *text;
    size_t capacity;
} source;

/* Lines end with '\n' alone. */
static bool next_line(source *s, span *line)
{
    ssize_t n = getline(&s->text, &s->capacity, s->file);
    if (n > 0 && s->text[n - 1] == '\n') n--;
    *line = (span){s->text, n > 0 ? (size_t)n : 0};
    return n >= 0;
}

/* ------------------------------------------------------------------------------------ tokens */

static void print_tokens(const tokens *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (i) putchar(' ');
        fwrite(t->at[i].p, 1, t->at[i].n, stdout); /* it may hold NUL */
    }
    putchar('\n');
}

static int tokenize(const char *name, bool lowercase)
{
    bleu_options o = {.tokenize = name, .lowercase = lowercase};
    if (!eval_tokenizer_find(name)) return 2;
    source in = {.file = stdin};
    tokens t = {0};
    for (span line; next_line(&in, &line); print_tokens(&t)) {
        t.n = 0;
        bleu_tokens(&o, line, &t);
    }
    tokens_free(&t);
    free(in.text);
    return 0;
}

static int print_ter_words(const char *flags)
{
    if (strlen(flags) != 4) return 2;
    ter_options o = {flags[0] != '-', flags[1] != '-', flags[2] != '-', flags[3] != '-'};
    source in = {.file = stdin};
    tokens t = {0};
    str without = {0};
    for (span line; next_line(&in, &line); print_tokens(&t)) ter_words(&o, line, &t, &without);
    tokens_free(&t);
    str_free(&without);
    free(in.text);
    return 0;
}

/* ------------------------------------------------------------------------------------ scores */

typedef struct {
    const metric *metric;
    metric_options options;
    bool lines;
    long n;
    char **paths; /* [n_paths] */
    int n_paths;
} request;

static bool set_number(metric_options *o, const char *key, const char *value)
{
    const struct {
        const char *key;
        int *number;
        bool *flag;
    } rows[] = {
        {"max_ngram_order", &o->bleu.max_order, NULL},
        {"char_order", &o->chrf.char_order, NULL},
        {"word_order", &o->chrf.word_order, NULL},
        {"beta", &o->chrf.beta, NULL},
        {"effective_order", NULL, &o->bleu.effective_order},
        {"whitespace", NULL, &o->chrf.whitespace},
        {"eps_smoothing", NULL, &o->chrf.eps_smoothing},
        {"normalized", NULL, &o->ter.normalized},
        {"no_punct", NULL, &o->ter.no_punct},
        {"asian_support", NULL, &o->ter.asian_support},
        {"case_sensitive", NULL, &o->ter.case_sensitive},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].key, key) != 0) continue;
        if (rows[i].number) *rows[i].number = atoi(value);
        if (rows[i].flag) *rows[i].flag = atoi(value) != 0;
        return true;
    }
    return false;
}

static bool set_option(metric_options *o, const char *key, const char *value)
{
    if (strcmp(key, "lowercase") == 0)
        o->bleu.lowercase = o->chrf.lowercase = atoi(value) != 0;
    else if (strcmp(key, "tokenize") == 0)
        o->bleu.tokenize = value;
    else if (strcmp(key, "smooth_method") == 0)
        o->bleu.smooth_method = value;
    else if (strcmp(key, "smooth_value") == 0)
        o->bleu.smooth_value = strtod(value, NULL);
    else
        return set_number(o, key, value);
    return true;
}

static bool set_options(metric_options *o, char *list)
{
    for (char *p, *rest = list; (p = strtok_r(rest, ";", &rest));) {
        char *value = strchr(p, '=');
        if (!value) return strcmp(p, "-") == 0;
        *value = '\0';
        if (!set_option(o, p, value + 1)) return false;
    }
    return true;
}

static bool parse_request(char *text, request *r, char **fields)
{
    int n = 0;
    for (char *p = strtok(text, "\t"); p && n < MOST_FIELDS; p = strtok(NULL, "\t")) fields[n++] = p;
    if (n < 6 || !(r->metric = metric_find(fields[0]))) return false;
    r->options = metric_defaults();
    r->lines = strcmp(fields[2], "lines") == 0;
    r->n = atol(fields[3]);
    r->paths = fields + 4;
    r->n_paths = n - 4;
    return set_options(&r->options, fields[1]);
}

static void print_numbers(const request *r, const double *stats)
{
    printf("%.17g", r->metric->score(&r->options, stats, METRIC_DOUBLE));
    for (int i = 0; i < r->metric->n_stats(&r->options); i++) printf(" %.17g", stats[i]);
    putchar('\n');
}

static void print_corpus(const request *r, const double *sums)
{
    metric_setting setting = {.n_refs = r->n_paths - 1}, brief = {.n_refs = r->n_paths - 1, .brief = true};
    str text = {0};
    print_numbers(r, sums);
    r->metric->name(&r->options, &text);
    str_add_char(&text, '\n');
    r->metric->signature(&r->options, &setting, &text);
    str_add_char(&text, '\n');
    r->metric->signature(&r->options, &brief, &text);
    str_add_char(&text, '\n');
    r->metric->verbose(&r->options, sums, &text);
    puts(str_text(&text));
    str_free(&text);
}

static void score_lines(const request *r, source *sources)
{
    metric_work *w = metric_work_new();
    span lines[MOST_REFS + 1];
    double stats[METRIC_MAX_STATS], sums[METRIC_MAX_STATS] = {0};
    for (long n = 0; n < r->n || !r->n; n++) {
        bool more = true;
        for (int i = 0; i < r->n_paths; i++) more &= next_line(&sources[i], &lines[i]);
        if (!more) break;
        r->metric->stats(&r->options, w, lines[0], lines + 1, r->n_paths - 1, stats);
        if (r->lines) print_numbers(r, stats);
        for (int i = 0; i < r->metric->n_stats(&r->options); i++) sums[i] += stats[i];
    }
    if (r->lines)
        puts(".");
    else
        print_corpus(r, sums);
    fflush(stdout);
    metric_work_free(w);
}

static int answer(const request *r)
{
    source sources[MOST_REFS + 1] = {{0}};
    for (int i = 0; i < r->n_paths; i++) {
        if ((sources[i].file = fopen(r->paths[i], "r"))) continue;
        perror(r->paths[i]);
        return 1;
    }
    score_lines(r, sources);
    for (int i = 0; i < r->n_paths; i++) {
        fclose(sources[i].file);
        free(sources[i].text);
    }
    return 0;
}

static int score(void)
{
    source in = {.file = stdin};
    int failed = 0;
    for (span line; !failed && next_line(&in, &line);) {
        char *fields[MOST_FIELDS];
        request r = {0};
        in.text[line.n] = '\0';
        failed = parse_request(in.text, &r, fields) ? answer(&r) : 2;
    }
    free(in.text);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "tokenize") == 0) return tokenize(argv[2], strcmp(argv[3], "lc") == 0);
    if (argc == 3 && strcmp(argv[1], "ter-words") == 0) return print_ter_words(argv[2]);
    if (argc == 2 && strcmp(argv[1], "score") == 0) return score();
    fprintf(stderr, "usage: eval-probe tokenize NAME mixed|lc | ter-words NPAC | score\n");
    return 2;
}
