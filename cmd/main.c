/* tulk: dispatch to the subcommands. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "command.h"
#include "options/options.h"

const command commands[] = {
    {"train", "learns to translate from parallel text", cmd_train},
    {"translate", "translates text", cmd_translate},
    {"score", "how probable given translations are", cmd_score},
    {"vocab", "learns a tokenizer and its vocabulary from text", cmd_vocab},
    {"tokenize", "text to pieces", cmd_tokenize},
    {"detokenize", "pieces to text", cmd_detokenize},
    {"average", "the mean of checkpoints: better than any of them", cmd_average},
    {"export", "a copy of a model that can only translate", cmd_export},
    {"info", "what a file is, how it was trained, how far it got", cmd_info},
    {"eval", "score translations against references", cmd_eval},
    {"check", "what is wrong with a corpus, before hours are spent on it", cmd_check},
    {"bench", "how fast this machine trains, and where the time goes", cmd_bench},
    {"help", "this list, or the help of a command", cmd_help},
    {NULL, NULL, NULL},
};

static const command *find(const char *name)
{
    for (const command *c = commands; c->name; c++)
        if (!strcmp(c->name, name)) return c;
    return NULL;
}

static const char *nearest(const char *name)
{
    const char *best = NULL;
    int best_distance = 4;
    for (const command *c = commands; c->name; c++) {
        int distance = word_distance(name, c->name);
        if (distance < best_distance && distance < (int)strlen(c->name)) {
            best = c->name;
            best_distance = distance;
        }
    }
    return best;
}

static int unknown(const char *name)
{
    const char *near = nearest(name);
    if (near)
        fprintf(stderr, "tulk: unknown command %s, did you mean %s?\n", name, near);
    else
        fprintf(stderr, "tulk: unknown command %s, see tulk help\n", name);
    return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    char help[] = "help";
    if (argc < 2) {
        fprintf(stderr, "Usage: tulk COMMAND [OPTION...], see tulk help\n");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        argv[1] = help;
        return cmd_help(argc - 1, argv + 1);
    }
    if (!strcmp(name, "--version")) {
        char text[] = "tulk " TULK_VERSION "\n";
        return print_out(span_of(text)) ? command_failed("", EXIT_FAILED) : EXIT_GOOD;
    }
    if (name[0] == '-') {
        fprintf(stderr, "tulk: a command comes before options like %s, see tulk help\n", name);
        return EXIT_USAGE;
    }
    const command *c = find(name);
    return c ? c->run(argc - 1, argv + 1) : unknown(name);
}

/* What a full disk or a lost device has swallowed shows at the latest here. */
static int close_stdout(int code)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return code;
    if (code == EXIT_GOOD) /* else the reason has been told */
        fprintf(stderr, "tulk: cannot write standard output: %s\n", strerror(errno ? errno : EIO));
    return code == EXIT_GOOD ? EXIT_FAILED : code;
}

/* Where a standard stream is closed, the next file to be opened would become that stream, and notes would be
 * written into a model. Its place is taken by what can not be read or written either. */
static void hold_standard_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", stream ? O_RDONLY : O_WRONLY) < 0) return;
}

/* GNU's OpenMP lets threads that wait spin for milliseconds: on a machine that does anything else, two
 * threads are then slower than one. It reads its settings before main, so a short spin needs a second start.
 * A user's own settings, or a system where this fails, are left as they are; threads that are to be bound
 * must not start twice, since the second start would find itself bound to the place of the first thread
 * alone. */
static void wait_shortly(char **argv)
{
    static const char *const settings[] = {"OMP_WAIT_POLICY",   "GOMP_SPINCOUNT", "OMP_PROC_BIND",
                                           "GOMP_CPU_AFFINITY", "OMP_PLACES",     NULL};
    for (int i = 0; settings[i]; i++)
        if (getenv(settings[i])) return;
    char path[4096]; /* by its own name: by that of the link, the system would call the program "exe" */
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0 || setenv("GOMP_SPINCOUNT", "10000", 1)) return;
    path[n] = '\0';
    execv(path, argv);
}

int main(int argc, char **argv)
{
    wait_shortly(argv);
    hold_standard_streams();
    signal(SIGPIPE, SIG_DFL); /* a closed pipe ends quietly, also where the parent ignores the signal */
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told as what cannot be written */
    listen_on_stderr();
    return close_stdout(dispatch(argc, argv));
}
