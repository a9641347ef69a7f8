/* tulk-harvest: makes a parallel corpus of files that a list names. Used by corpora/debian and its like. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/lines.h"
#include "harvest.h"

static const char usage[] =
    "usage: tulk-harvest --pair SRC TGT --out DIR [--held N] [--gentle] < LIST\n"
    "Reads a list of sources, one a line, columns separated by a tab: what it is, a label, two paths (or "
    "columns):\n"
    "  descriptions LABEL FILE FILE      descriptions of packages, as apt keeps them\n"
    "  catalogue LABEL FILE FILE         .mo files; - stands for English, the language of the keys\n"
    "  help LABEL FOLDER FOLDER          LibreOffice's help\n"
    "  mallard LABEL FOLDER FOLDER       GNOME's help\n"
    "  manual LABEL FOLDER FOLDER        pages of man, one section\n"
    "  lines LABEL FILE FILE             parallel text\n"
    "  columns LABEL FILE N,M            columns N and M of a file with tabs\n"
    "  tmx LABEL FILE -                  a translation memory\n"
    "Writes train, valid and test (--held 2000 pairs for each of these two) in both languages into DIR, "
    "which must be\n"
    "there, and what was kept and left out to standard output. --gentle leaves out only what is broken, "
    "empty,\n"
    "over-long or there twice.\n";

typedef struct {
    const char *pair[2], *out;
    size_t held;
    enum harvest_care care;
} settings;

static int bad_usage(const char *what)
{
    fprintf(stderr, "tulk-harvest: %s\n%s", what, usage);
    return 2;
}

/* 0, 2 for wrong usage, 1 if --help was answered. */
static int read_settings(int argc, char **argv, settings *s)
{
    *s = (settings){.held = 2000};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help")) return fputs(usage, stdout) < 0 ? 2 : 1;
        if (!strcmp(argv[i], "--gentle"))
            s->care = CARE_GENTLE;
        else if (!strcmp(argv[i], "--pair") && i + 2 < argc) {
            s->pair[0] = argv[++i];
            s->pair[1] = argv[++i];
        } else if (!strcmp(argv[i], "--out") && i + 1 < argc)
            s->out = argv[++i];
        else if (!strcmp(argv[i], "--held") && i + 1 < argc)
            s->held = strtoul(argv[++i], NULL, 10);
        else
            return bad_usage(argv[i]);
    }
    return s->pair[0] && s->out ? 0 : bad_usage("--pair and --out are needed");
}

static int read_columns(harvest *h, int source, const char *path, const char *columns)
{
    int n, m;
    if (sscanf(columns, "%d,%d", &n, &m) != 2 || n < 1 || m < 1)
        return fail("%s: two columns are N,M", columns);
    return harvest_columns(h, source, path, n, m);
}

static int read_tmx(harvest *h, int source, const char *path, const char *none)
{
    (void)none;
    return harvest_tmx(h, source, path);
}

static const struct {
    const char *name;
    int (*read)(harvest *h, int source, const char *a, const char *b);
} readers[] = {{"descriptions", harvest_descriptions},
               {"catalogue", harvest_catalogue},
               {"help", harvest_help},
               {"mallard", harvest_mallard},
               {"manual", harvest_manual},
               {"lines", harvest_lines},
               {"columns", read_columns},
               {"tmx", read_tmx}};

/* One line of the list. */
static int read_source(harvest *h, char *line)
{
    char *word[4], *left = line;
    for (int i = 0; i < 4; i++)
        if (!(word[i] = strsep(&left, "\t"))) return fail("%s: a line of the list has four columns", line);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!strcmp(readers[i].name, word[0]))
            return readers[i].read(h, harvest_source_of(h, word[1]), word[2], word[3]);
    return fail("%s: no such kind of source", word[0]);
}

static int read_list(harvest *h)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int result = 0;
    while (!result && (n = getline(&line, &capacity, stdin)) > 0) {
        if (line[n - 1] == '\n') line[n - 1] = '\0';
        if (*line) result = read_source(h, line);
    }
    free(line);
    return result;
}

static void tell(const harvest *h, const harvest_parts *parts)
{
    printf("parts\n%10zu  train\n%10zu  valid\n%10zu  test\n\n", parts->train, parts->valid, parts->test);
    printf("sources: texts read, clean distinct pairs\n");
    for (int i = 0; i < h->n_sources; i++)
        printf("%10lld %10lld  %s\n", (long long)h->sources[i].read, (long long)h->sources[i].kept,
               h->sources[i].label);
    printf("\nleft out\n");
    for (int i = 1; i < FAULTS; i++) printf("%10lld  %s\n", (long long)h->faults[i], harvest_faults[i]);
}

static int run(const settings *s)
{
    harvest *h = harvest_new(s->pair[0], s->pair[1], s->care);
    harvest_parts parts;
    int result = read_list(h);
    if (!result) {
        harvest_finish(h);
        result = h->n ? harvest_write(h, s->out, s->held, &parts)
                      : fail("no pair of %s and %s was found", s->pair[0], s->pair[1]);
    }
    if (!result) tell(h, &parts);
    harvest_free(h);
    return result;
}

int main(int argc, char **argv)
{
    settings s;
    int code = read_settings(argc, argv, &s);
    if (code) return code == 1 ? 0 : 2;
    if (!run(&s) && !fflush(stdout)) return 0;
    fprintf(stderr, "tulk-harvest: %s\n", error_message());
    return 1;
}
