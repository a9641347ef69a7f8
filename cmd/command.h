/* A subcommand: one row of commands[] in main.c and one file here. Only cmd/ prints and exits. */
#ifndef TULK_CMD_COMMAND_H
#define TULK_CMD_COMMAND_H

#include <stdio.h>

#include "data/lines.h"
#include "options/options.h"

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit code */
} command;

extern const command commands[]; /* ends with name NULL */

int cmd_train(int argc, char **argv);
int cmd_translate(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_vocab(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_detokenize(int argc, char **argv);
int cmd_average(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* Prints "tulk NAME: MESSAGE" (the message of the last fail()) to stderr and returns `code`. */
int command_failed(const char *name, int code);

/* ------------------------------------------------------------ what commands share (common.c) */

/* What --help prints around the options. */
typedef struct {
    unsigned command; /* FOR_TRAIN, ... */
    const char *usage, *summary, *example;
} command_help;

enum { COMMAND_GOES_ON = -1 };

/* Begins a command: reads argv, answers --help and --version, obeys --quiet (nobody hears notes) and
 * --threads. COMMAND_GOES_ON, or the exit code. The options are the caller's to free in either case. */
int command_start(const command_help *help, int argc, char **argv, options **o);
/* A whole command: begins it, then `check`s its options (what is wrong is wrong usage) and `run`s. Both give
 * 0, or -1 with a message. The exit code. */
int command_run(const command_help *help, int argc, char **argv, int (*check)(const options *o),
                int (*run)(const options *o));

/* 0, or -1 with a message if `key` has no value or `rest` words are left over. Wrong usage: exit 2. */
int command_needs(const options *o, const char *key);
int command_no_rest(const options *o);
/* The same unless the one word is a MODEL. */
int command_one_model(const options *o);
/* The same if --output names what would have to be compressed: it would not be read again under this name. */
int command_output(const options *o);

/* Prints `text` to stdout: 0, or -1 with a message. A closed pipe ends the program quietly. */
int print_out(span text);

/* JSON: a string with what it needs escaped, bytes that are no UTF-8 as U+FFFD; a number, null where it is
 * none.
 */
void json_span(span text, str *out);
void json_string(const char *text, str *out);
void json_number(double x, str *out);

/* Where a command writes its data: stdout ("-", NULL), or a file that is written beside `path` and takes its
 * place only when all is well. Devices and pipes are written directly. */
typedef struct {
    FILE *file;
    char *path, *part; /* part: NULL where the file is written directly */
} output;

int output_open(const char *path, output *out);
int output_write(output *out, span bytes); /* 0, or -1 with a message */
/* Ends the writing: with `good` the file appears, else nothing is left of it. 0, or -1 with a message. */
int output_close(output *out, bool good);

/* "s" where a count is not one. */
const char *plural(int64_t n);

/* One note on what was odd in a text, if anything was: "PATH: 12 lines: 2 empty, 1 not UTF-8 (kept as they
 * are),
 * ...". `path` may be NULL; `empty`, `invalid`: what was done with empty lines (NULL: nothing) and with lines
 * that are not text. */
void note_lines(const char *path, const line_counts *c, const char *empty, const char *invalid);
/* For --strict: -1 with a message naming file and line if the line just read was empty or no text; `before`:
 * the counts before it. */
int lines_fault(const lines *in, const line_counts *before);

/* The most memory of the process so far, in bytes; since it was told to forget, where the system can. */
double peak_memory(void);
void forget_peak_memory(void);

/* Notes go to stderr as they are. */
void listen_on_stderr(void);

#endif
