/* What the files of the room share. */
#ifndef TULK_OPTIONS_INTERNAL_H
#define TULK_OPTIONS_INTERNAL_H

#include "options/options.h"
#include "options/values.h"

struct options {
    unsigned command;
    int n;                /* rows of the table, also those of other commands */
    option_value *values; /* n */
    char **rest;
    size_t n_rest, rest_capacity;
};

/* The value of a row, to be set at this level; NULL if a higher level has set it. A list begins anew at a new
 * level. */
option_value *options_slot(options *o, const option_row *row, enum level level);
int options_put(options *o, const option_row *row, const char *text, enum level level, const char *origin);

/* The command line, the config file (parse.c, config.c). */
int parse_argv(options *o, int argc, char **argv);
int parse_config(options *o, const char *path);
/* fail() with the nearest option the command knows. `origin` begins the message ("", "my.conf:3: "). */
int unknown_option(unsigned command, const char *origin, const char *dashes, const char *name);
/* Gives --enc and --dec what --arch says; to be called after values were set (network.c). */
void options_settle_arch(options *o);
/* What contradicts itself, and a note on what the network does not use (network.c). */
int check_network(const options *o);

#endif
