/* Shows what lib/eval computes, in full, for scripts/check-metrics:
 *   eval-probe tokenize NAME mixed|lc                                  stdin: lines; stdout: their tokens
 *   eval-probe bleu                                                    stdin: one request a line, fields by
 * tabs: NAME mixed|lc SMOOTH VALUE|default ORDER all|effective HYP REF... stdout: score bp sys_len ref_len,
 * then a line each of counts, totals, precisions */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bleu.h"
#include "eval/segment.h"
#include "eval/tokenize.h"

enum { MOST_REFS = 16 };

typedef struct {
    FILE *file;
    char *text;
    size_t capacity;
} source;

/* Lines end with '\n' alone and are stripped on the right, as sacreBLEU reads them. */
static bool next_line(source *s, span *line)
{
    ssize_t n = getline(&s->text, &s->capacity, s->file);
    if (n < 0) return false;
    *line = segment_rstrip((span){s->text, (size_t)n});
    return true;
}

static bool open_source(source *s, const char *path)
{
    *s = (source){.file = fopen(path, "r")};
    if (!s->file) perror(path);
    return s->file;
}

static void close_source(source *s)
{
    fclose(s->file);
    free(s->text);
}

static int tokenize(const char *name, bool lowercase)
{
    const eval_tokenizer *tokenizer = eval_tokenizer_find(name);
    if (!tokenizer) return 2;
    source in = {.file = stdin};
    str lower = {0}, tokens = {0};
    for (span line, word; next_line(&in, &line); putchar('\n')) {
        str_clear(&lower);
        str_clear(&tokens);
        if (lowercase) segment_lower(line, &lower);
        tokenizer->run(lowercase ? str_span(&lower) : line, &tokens);
        span rest = str_span(&tokens);
        for (bool first = true; segment_token(&rest, &word); first = false) {
            if (!first) putchar(' ');
            fwrite(word.p, 1, word.n, stdout); /* it may hold NUL */
        }
    }
    str_free(&lower);
    str_free(&tokens);
    free(in.text);
    return 0;
}

static void print_stats(const bleu_stats *s, const bleu_options *o)
{
    bleu_score r = bleu_compute(s, o);
    printf("%.17g %.17g %" PRId64 " %" PRId64 "\n", r.score, r.bp, s->sys_len, s->ref_len);
    for (int i = 0; i < o->max_order; i++) printf("%" PRId64 " ", s->counts[i]);
    putchar('\n');
    for (int i = 0; i < o->max_order; i++) printf("%" PRId64 " ", s->totals[i]);
    putchar('\n');
    for (int i = 0; i < o->max_order; i++) printf("%.17g ", r.precisions[i]);
    putchar('\n');
    fflush(stdout);
}

static int score_files(const bleu_options *o, char **paths, int n)
{
    source sources[MOST_REFS + 1];
    span lines[MOST_REFS + 1];
    for (int i = 0; i < n; i++)
        if (!open_source(&sources[i], paths[i])) return 1;
    bleu_stats stats = {0};
    for (;;) {
        bool more = true;
        for (int i = 0; i < n; i++) more &= next_line(&sources[i], &lines[i]);
        if (!more) break;
        bleu_add(&stats, o, lines[0], lines + 1, n - 1);
    }
    print_stats(&stats, o);
    for (int i = 0; i < n; i++) close_source(&sources[i]);
    return 0;
}

static int score_requests(void)
{
    source in = {.file = stdin};
    int failed = 0;
    for (span line; !failed && next_line(&in, &line);) {
        char *fields[6 + 1 + MOST_REFS];
        int n = 0;
        in.text[line.n] = '\0';
        for (char *p = strtok(in.text, "\t"); p && n < 6 + 1 + MOST_REFS; p = strtok(NULL, "\t"))
            fields[n++] = p;
        if (n < 8) return 2;
        bleu_options o = {.tokenize = fields[0],
                          .lowercase = strcmp(fields[1], "lc") == 0,
                          .smooth_method = fields[2],
                          .smooth_value =
                              strcmp(fields[3], "default") ? strtod(fields[3], NULL) : (double)NAN,
                          .max_order = atoi(fields[4]),
                          .effective_order = strcmp(fields[5], "effective") == 0};
        failed = score_files(&o, fields + 6, n - 6);
    }
    free(in.text);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "tokenize") == 0) return tokenize(argv[2], strcmp(argv[3], "lc") == 0);
    if (argc == 2 && strcmp(argv[1], "bleu") == 0) return score_requests();
    fprintf(stderr, "usage: eval-probe tokenize NAME mixed|lc, or eval-probe bleu\n");
    return 2;
}
