/* What commands share: their beginning, output files, messages. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/team.h"
#include "command.h"
#include "kernel/isa.h"
#include "text/chars.h"

static void to_stderr(const char *line) { fprintf(stderr, "%s\n", line); }

void listen_on_stderr(void) { note_listener(to_stderr); }

int command_failed(const char *name, int code)
{
    fflush(stdout); /* what was made comes before the reason why there is no more */
    fprintf(stderr, "tulk%s%s: %s\n", *name ? " " : "", name, error_message());
    return code;
}

int print_out(span text)
{
    if (fwrite(text.p, 1, text.n, stdout) == text.n && !fflush(stdout)) return 0;
    return fail("cannot write standard output: %s", strerror(errno));
}

static int print_help(const command_help *h, const char *name)
{
    str out = {0};
    options_help(h->command, h->usage, h->summary, h->example, &out);
    int result = print_out(str_span(&out));
    str_free(&out);
    return result ? command_failed(name, EXIT_FAILED) : EXIT_GOOD;
}

int command_start(const command_help *help, int argc, char **argv, options **o)
{
    *o = options_new(help->command);
    if (options_parse(*o, argc, argv)) return command_failed(argv[0], EXIT_USAGE);
    if (options_flag(*o, "help")) return print_help(help, argv[0]);
    if (options_flag(*o, "version"))
        return print_out(span_of("tulk " TULK_VERSION "\n")) ? command_failed(argv[0], EXIT_FAILED)
                                                             : EXIT_GOOD;
    if (options_flag(*o, "quiet")) note_listener(NULL);
    const char *isa = option_find(help->command, "isa") ? options_text(*o, "isa") : NULL;
    if (isa && isa_choose(isa)) return command_failed(argv[0], EXIT_FAILED);
    if (options_given(*o, "threads")) team_set_threads((int)options_int(*o, "threads"));
    return COMMAND_GOES_ON;
}

int command_run(const command_help *help, int argc, char **argv, int (*check)(const options *o),
                int (*run)(const options *o))
{
    options *o;
    int code = command_start(help, argc, argv, &o);
    if (code == COMMAND_GOES_ON && check(o)) code = command_failed(argv[0], EXIT_USAGE);
    if (code == COMMAND_GOES_ON) code = run(o) ? command_failed(argv[0], EXIT_FAILED) : EXIT_GOOD;
    options_free(o);
    return code;
}

int command_needs(const options *o, const char *key)
{
    if (options_value(o, key)) return 0;
    const option_row *row = option_find(options_command(o), key);
    return row->letter ? fail("-%c %s is missing, see --help", row->letter, row->argument)
                       : fail("--%s %s is missing, see --help", key, row->argument);
}

int command_no_rest(const options *o)
{
    const char *const *words;
    return options_rest(o, &words) ? fail("%s: what is this? Options begin with -, see --help", words[0]) : 0;
}

int command_one_model(const options *o)
{
    int n = options_rest(o, NULL);
    if (n == 1) return 0;
    return n ? fail("one file at a time") : fail("MODEL is missing, see --help");
}

int command_output(const options *o)
{
    const char *path = options_text(o, "output");
    size_t n = strlen(path);
    if (n < 3 || strcmp(path + n - 3, ".gz")) return 0;
    return fail(
        "-o %s: text is written as it is, not compressed: choose a name without .gz, or pipe it through "
        "gzip",
        path);
}

/* The name beside `path` until all is well. What a killed run left under it is replaced; nobody else calls a
 * file so. */
static char *part_name(const char *path)
{
    str name = {0};
    str_addf(&name, "%s.tulk-part", path);
    return name.p;
}

int output_open(const char *path, output *out)
{
    *out = (output){.file = stdout};
    if (!path || !strcmp(path, "-")) return 0;
    struct stat old;
    bool there = !stat(path, &old);
    char *resolved = realpath(path, NULL); /* a link stays a link */
    out->path = xstrdup(resolved ? resolved : path);
    free(resolved);
    if (!there || S_ISREG(old.st_mode)) out->part = part_name(out->path); /* devices and pipes as they are */
    bool locked = there && access(path, W_OK);                            /* a rename would not ask */
    out->file = locked ? NULL : fopen(out->part ? out->part : out->path, "w");
    if (out->file) {
        if (there && out->part) fchmod(fileno(out->file), old.st_mode & 0777); /* who may read it stays */
        return 0;
    }
    fail("cannot write %s: %s", path, strerror(errno));
    free(out->path);
    free(out->part);
    *out = (output){0};
    return -1;
}

static int write_failed(const output *out)
{
    return fail("cannot write %s: %s", out->path ? out->path : "standard output",
                strerror(errno ? errno : EIO));
}

int output_write(output *out, span bytes)
{
    errno = 0;
    return fwrite(bytes.p, 1, bytes.n, out->file) == bytes.n ? 0 : write_failed(out);
}

int output_close(output *out, bool good)
{
    if (!out->file) return 0;
    errno = 0;
    bool lost = fflush(out->file) || ferror(out->file);
    if (lost && good) write_failed(out);
    if (out->path) {
        if (fclose(out->file) && good && !lost) {
            lost = true;
            write_failed(out);
        }
        if (out->part && good && !lost && rename(out->part, out->path)) {
            lost = true;
            write_failed(out);
        }
        if (out->part && (!good || lost)) unlink(out->part);
    }
    free(out->path);
    free(out->part);
    *out = (output){0};
    return good && lost ? -1 : 0;
}

/* ----------------------------------------------------------------------------------------- JSON */

void json_span(span text, str *out)
{
    int code;
    str_add_char(out, '"');
    for (int n; (n = char_decode(text, &code)); text.p += n, text.n -= (size_t)n) {
        if (code == '"' || code == '\\')
            str_addf(out, "\\%c", code);
        else if (code < 0)
            str_addf(out, "\\ufffd");
        else if (code < 0x20 || code == 0x2028 || code == 0x2029)
            str_addf(out, "\\u%04x", (unsigned)code);
        else
            str_add(out, text.p, (size_t)n);
    }
    str_add_char(out, '"');
}

void json_string(const char *text, str *out) { json_span(span_of(text), out); }

void json_number(double x, str *out)
{
    if (isfinite(x))
        str_addf(out, "%.9g", x);
    else
        str_addf(out, "null");
}

/* ---------------------------------------------------------------------------------------- lines */

const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

static void add_count(str *out, int64_t n, const char *what, const char *done)
{
    if (n == 0) return;
    str_addf(out, "%s%" PRId64 " %s", out->n ? ", " : "", n, what);
    if (done) str_addf(out, " (%s)", done);
}

void note_lines(const char *path, const line_counts *c, const char *empty, const char *invalid)
{
    str odd = {0};
    add_count(&odd, c->empty, "empty", empty);
    add_count(&odd, c->invalid_utf8, "not UTF-8", invalid);
    add_count(&odd, c->nul, "with NUL", invalid);
    add_count(&odd, c->carriage_returns, "ended by carriage return and line feed", "carriage return removed");
    add_count(&odd, c->byte_order_marks, c->byte_order_marks == 1 ? "byte-order mark" : "byte-order marks",
              "removed");
    if (odd.n)
        note("%s%s%" PRId64 " line%s: %s", path ? path : "", path ? ": " : "", c->lines, plural(c->lines),
             str_text(&odd));
    str_free(&odd);
}

int lines_fault(const lines *in, const line_counts *before)
{
    const line_counts *now = lines_count(in);
    const char *what = now->invalid_utf8 > before->invalid_utf8 ? "not UTF-8"
                       : now->nul > before->nul                 ? "a NUL byte"
                       : now->empty > before->empty             ? "an empty line"
                                                                : NULL;
    if (!what) return 0;
    return fail("%s:%" PRId64 ": %s: mend the file, or leave out --strict", lines_path(in), now->lines, what);
}

/* --------------------------------------------------------------------------------------- memory */

/* Linux forgets the largest size of a process when it is told to. */
void forget_peak_memory(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f) return;
    fputs("5", f);
    fclose(f);
}

double peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double most = 1024.0 * (double)usage.ru_maxrss, kilobytes;
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lf kB", &kilobytes) == 1) most = 1024 * kilobytes;
    if (f) fclose(f);
    return most;
}
