/* tulk check: what is wrong with a parallel corpus. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "check_report.h"
#include "command.h"

static const command_help help = {FOR_CHECK,
                                  "tulk check SRC TGT [--valid SRC TGT] [--test SRC TGT] [--model MODEL] "
                                  "[--preset NAME] [--json] [--clean OUT]",
                                  "Looks for what spoils a training: line counts, lines that are no text, "
                                  "empty, over-long, repeated, in another\n"
                                  "script or language, of lengths that do not go together, swapped or "
                                  "shifted against the other side, or in the\n"
                                  "validation or test set. Each finding with its count and first lines. With "
                                  "--model, how its vocabulary covers the\n"
                                  "text; with --preset, batches, time and memory of an epoch on this "
                                  "machine. Exit 0 whatever is found, 1 with\n"
                                  "--strict. --clean OUT writes the pairs that pass, and OUT.dropped with "
                                  "line, reasons and text of the others.",
                                  "tulk check train.en train.de --test test.en test.de --clean clean"};

enum { MAX_WORDS = 200 };

/* ------------------------------------------------------------------------------------------- clean */

typedef struct {
    output sides[2], dropped;
    str line;
    int64_t kept, left_out;
} cleaner;

/* train.en.gz is written as OUT.en; files of one name, or without an ending, as OUT.src and OUT.tgt. */
static char *ending_of(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    size_t n = strlen(name);
    if (n > 3 && !strcmp(name + n - 3, ".gz")) n -= 3;
    const char *dot = memrchr(name, '.', n);
    if (!dot || dot == name || dot + 1 == name + n) return xstrdup("");
    char *ending = xstrdup(dot + 1);
    ending[name + n - dot - 1] = '\0';
    return ending;
}

static int open_clean(const check_options *o, const char *out, cleaner *c)
{
    char *endings[2] = {ending_of(o->paths[0]), ending_of(o->paths[1])};
    bool usable = *endings[0] && *endings[1] && strcmp(endings[0], endings[1]) &&
                  strcmp(endings[0], "dropped") && strcmp(endings[1], "dropped");
    int result = 0;
    for (int i = 0; i < 3 && !result; i++) {
        str path = {0};
        str_addf(&path, "%s.%s", out, i == 2 ? "dropped" : usable ? endings[i] : i ? "tgt" : "src");
        result = output_open(path.p, i == 2 ? &c->dropped : &c->sides[i]);
        for (int side = 0; side < 2 && !result; side++)
            if (!strcmp(path.p, o->paths[side]))
                result = fail("--clean %s: %s would be written over what is read", out, path.p);
        str_free(&path);
    }
    free(endings[0]);
    free(endings[1]);
    return result;
}

static void add_reasons(unsigned faults, str *out)
{
    bool first = true;
    for (int kind = 0; kind < CHECK_KINDS; kind++)
        if (faults & 1u << kind) {
            str_addf(out, "%s%s", first ? "" : ",", check_rows[kind].name);
            first = false;
        }
}

static int take_pair(int64_t line, unsigned faults, span src, span tgt, void *context)
{
    cleaner *c = context;
    span sides[2] = {src, tgt};
    str_clear(&c->line);
    if (faults) {
        c->left_out++;
        str_addf(&c->line, "%" PRId64 "\t", line);
        add_reasons(faults, &c->line);
        for (int side = 0; side < 2; side++) {
            str_add_char(&c->line, '\t');
            str_add_span(&c->line, sides[side]);
        }
        str_add_char(&c->line, '\n');
        return output_write(&c->dropped, str_span(&c->line));
    }
    c->kept++;
    for (int side = 0; side < 2; side++)
        if (output_write(&c->sides[side], sides[side]) || output_write(&c->sides[side], (span){"\n", 1}))
            return -1;
    return 0;
}

static int write_clean(const check_options *o, const check_report *r, const char *out)
{
    cleaner c = {0};
    int result = open_clean(o, out, &c) ? -1 : check_each(o, r, take_pair, &c);
    for (int i = 0; i < 3; i++)
        if (output_close(i == 2 ? &c.dropped : &c.sides[i], !result)) result = -1;
    str_free(&c.line);
    if (!result)
        note("%s: %" PRId64 " pair%s kept, %" PRId64 " left out, see %s.dropped", out, c.kept, plural(c.kept),
             c.left_out, out);
    return result;
}

/* ----------------------------------------------------------------------------------------- command */

static int tell(const options *o, const check_options *c, const check_report *r, const check_cost *cost)
{
    str out = {0};
    (options_flag(o, "json") ? check_json : check_tell)(c, r, cost, &out);
    int result = print_out(str_span(&out));
    str_free(&out);
    return result;
}

static int check_usage(const options *o)
{
    return options_rest(o, NULL) == 2 ? 0 : fail("SRC and TGT are two files, see --help");
}

static check_options read_options(const options *o)
{
    check_options c = {.max_words = MAX_WORDS};
    const char *const *words;
    options_rest(o, &words);
    memcpy(c.paths, words, sizeof c.paths);
    if (options_list(o, "valid", &words)) memcpy(c.valid, words, sizeof c.valid);
    if (options_list(o, "test", &words)) memcpy(c.test, words, sizeof c.test);
    return c;
}

static int run(const options *o)
{
    check_options c = read_options(o);
    const char *vocab = options_text(o, "model"), *preset = options_text(o, "preset"),
               *clean = options_text(o, "clean");
    check_report r;
    check_cost cost;
    if (check_corpus(&c, &r)) return -1;
    bool measured = (vocab || preset) && r.lines[0] == r.lines[1];
    if (measured && check_measure(&c, vocab, preset, &r, &cost)) return -1;
    if (tell(o, &c, &r, measured ? &cost : NULL) || (clean && write_clean(&c, &r, clean))) return -1;
    return options_flag(o, "strict") && check_found(&r)
               ? fail("%s and %s: something is wrong (--strict)", c.paths[0], c.paths[1])
               : 0;
}

int cmd_check(int argc, char **argv)
{
    return command_run(&help, argc, argv, check_usage, run);
}
