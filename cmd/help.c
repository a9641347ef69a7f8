/* tulk help: the commands, or the help of one. */
#include <string.h>

#include "command.h"

static const char topics[] =
    "\n`tulk help COMMAND` or `tulk COMMAND --help` lists the options of a command.\n";

static int list_commands(void)
{
    str out = {0};
    str_addf(&out, "tulk " TULK_VERSION ": learns to translate from examples\n\n"
                   "Usage: tulk COMMAND [OPTION...]\n\nCommands:\n");
    for (const command *c = commands; c->name; c++) str_addf(&out, "  %-12s%s\n", c->name, c->summary);
    str_addf(&out, "%s", topics);
    int result = print_out(str_span(&out));
    str_free(&out);
    return result ? command_failed("help", EXIT_FAILED) : EXIT_GOOD;
}

int cmd_help(int argc, char **argv)
{
    char flag[] = "--help";
    if (argc > 1 && !strcmp(argv[1], "--version"))
        return print_out(span_of("tulk " TULK_VERSION "\n")) ? command_failed("help", EXIT_FAILED)
                                                             : EXIT_GOOD;
    if (argc < 2 || argv[1][0] == '-') return list_commands();
    for (const command *c = commands; c->name; c++) {
        char *words[] = {argv[1], flag, NULL};
        if (!strcmp(c->name, argv[1]) && c->run != cmd_help) return c->run(2, words);
    }
    if (!strcmp(argv[1], "help")) return list_commands();
    fprintf(stderr, "tulk help: no command %s, see tulk help\n", argv[1]);
    return EXIT_USAGE;
}
