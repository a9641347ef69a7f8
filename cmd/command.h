/* A subcommand: one row of commands[] in main.c and one file here. Only cmd/ prints and exits. */
#ifndef TULK_CMD_COMMAND_H
#define TULK_CMD_COMMAND_H

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit code */
} command;

int cmd_train(int argc, char **argv);
int cmd_translate(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_vocab(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_detokenize(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* Prints "tulk NAME: MESSAGE" (the message of the last fail()) to stderr and returns `code`. */
int command_failed(const char *name, int code);

#endif
