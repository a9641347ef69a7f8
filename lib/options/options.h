/* ONE table of options (options/table.c): a row feeds argv, --help, the config file, the model file and the
 * man page. Adding an option is adding a row. */
#ifndef TULK_OPTIONS_OPTIONS_H
#define TULK_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/model.h"
#include "search/search.h"
#include "store/store.h"

enum option_type {
    OPTION_FLAG, /* --x; in a config file x = true|false */
    OPTION_INT,  /* bounds inclusive */
    OPTION_REAL, /* '.' is the decimal point whatever the locale */
    OPTION_TEXT,
    OPTION_CHOICE, /* one of `choices` */
    OPTION_LIST,   /* text, may be given again; a row may take `values` words each time (-t SRC TGT: 2) */
    OPTION_TIME    /* 90s, 45m, 2h, or seconds; value in seconds */
};

/* Commands that know an option: bits, so that a row can name several. */
enum {
    FOR_TRAIN = 1,
    FOR_TRANSLATE = 2,
    FOR_VOCAB = 4,
    FOR_TOKENIZE = 8,
    FOR_DETOKENIZE = 16,
    FOR_INFO = 32,
    FOR_SCORE = 64,
    FOR_BENCH = 128,
    FOR_AVERAGE = 256,
    FOR_EXPORT = 512,
    FOR_CHECK = 1024,
    FOR_ALL = 0xffff
};

typedef struct {
    const char *key; /* long name without dashes; the name in config and model file */
    char letter;     /* short name, 0 for none */
    enum option_type type;
    unsigned commands;
    const char
        *group; /* heading in --help: "network", "training", "text", "search", "output", "general", "files" */
    const char *initial;        /* the default, as text; NULL: unset */
    const char *implied;        /* of a choice: the value of the option alone; NULL: it needs one */
    double least, most;         /* bounds of numbers; most = 1: a text or list that is given once */
    const char *const *choices; /* NULL-terminated */
    const char *(*choice_at)(
        int i);           /* instead of `choices`: the i-th name of a table, NULL behind the last */
    int values;           /* words an occurrence takes (lists); VALUES_ALL: all up to the next option */
    const char *argument; /* "N", "FILE", "SRC TGT" in --help */
    const char *help;
    bool in_model;   /* stored as a setting: describes the network, the text or the training */
    bool may_change; /* a resumed training may give another value */
} option_row;

enum { VALUES_ALL = -1 };

extern const option_row option_table[]; /* ends with key NULL */

typedef struct options options;

options *options_new(unsigned command); /* all defaults */
void options_free(options *o);

/* Reads argv[1..] of a subcommand (argv[0] is its name), then the --config file for what argv did not set,
 * then the
 * --preset row for what neither set. Written --key VALUE, --key=VALUE, -k VALUE, -kVALUE; a flag --key or
 * --no-key; behind
 * "--" and for "-" alone no options. Words that are no options go to `rest`. 0, or -1 with a message (exit
 * 2): unknown flag (with the nearest known one), missing value, out of bounds, not a choice, contradiction.
 * --help and --version are reported by options_flag, and end the reading where they stand.
 * The config file is shared by commands: a key that another command knows is skipped. */
int options_parse(options *o, int argc, char **argv);
int options_rest(const options *o, const char *const **words);

unsigned options_command(const options *o); /* FOR_... it was made for */

/* Reads a config file and calls `put` for each `key = value`; `place` is FILE:LINE; the value
 * may be quoted, see config_text. A key that belongs on the command line (config, help,
 * version) is an error, and so is a line that is no text. Stops at the first -1. 0, or -1 with a message. */
int config_read(const char *path,
                int (*put)(const char *key, const char *value, const char *place, void *context),
                void *context);
/* The value without the quotes that stand around all of it, if they do; `word` holds the text. */
const char *config_text(const char *value, str *word);

/* Number of single edits (insert, delete, replace, swap neighbours) between two words: for "did you mean". */
int word_distance(const char *a, const char *b);

/* The row of this name that the command knows, or NULL. */
const option_row *option_find(unsigned command, const char *key);
/* The i-th choice of a row, NULL behind the last. */
const char *option_choice(const option_row *row, int i);

/* Values; a wrong key or type is a bug (BUG_IF). */
bool options_flag(const options *o, const char *key);
long options_int(const options *o, const char *key);
double options_real(const options *o, const char *key);      /* also OPTION_TIME; NaN if unset */
const char *options_text(const options *o, const char *key); /* NULL if unset */
int options_choice(const options *o, const char *key); /* the place of a choice in its list; it must be set */
int options_list(const options *o, const char *key, const char *const **words); /* number of words */
bool options_given(const options *o, const char *key); /* by argv, config or preset */
int options_set(options *o, const char *key,
                const char *value); /* as if given; for values from a model file */
/* The value as text, canonical, as it is stored in the model file; NULL if unset. Words of a list are
 * separated by one space, and quoted if they hold blanks; options_set reads what this gives. */
const char *options_value(const options *o, const char *key);

void options_help(unsigned command, const char *usage, const char *summary, const char *example, str *out);

/* The rows with in_model as settings of a model file, and back: after options_load the values are those the
 * model was trained with, for options_network. Settings that are no options are left alone. 0, or -1 with a
 * message. */
int options_save(const options *o, store *s);
int options_load(options *o, store *s);

/* The network that the values describe (vocabulary sizes left 0). */
net_config options_network(const options *o);
/* One note on everything that was asked for and that this network does not use. */
void options_note_unused(const options *o, const net_config *c);
/* What becomes of over-long lines, as --long names it. */
enum long_way { LONG_SPLIT, LONG_CUT, LONG_SKIP };

/* What is written of alignments, as --alignment names it. */
enum alignment_kind { ALIGN_WORDS, ALIGN_PIECES, ALIGN_SOFT };

/* The search that the values describe. 0, or -1 with a message: what contradicts itself (exit 2). */
search_options options_search(const options *o);
int options_check_search(const options *o);

/* A preset is a row of option values, nothing more. */
typedef struct {
    const char *name, *summary;
    const char *const *values; /* key, value, key, value, ..., NULL */
} preset_row;
extern const preset_row presets[];

/* Sets what the preset of this name, which must exist, says of what a model file holds, for options that
 * neither argv nor the config file set and that the command knows. options_parse does it where --preset is a
 * choice; a command that takes a list of presets reads argv anew for each. */
void options_preset(options *o, const char *name);

#endif
