/* What is wrong with a parallel corpus, before hours are spent on it.
 *
 * The files are read twice, line by line: once to learn what is usual in them (lengths, scripts, how often a
 * word stands on either side), once to find what is not; a third time if the pairs that pass are wanted.
 * Nothing is known of languages but a few function words of the most frequent ones. Memory does not grow with
 * the corpus: the words of a side are counted in 2^20 cells, and repeated pairs are found by 64-bit hashes in
 * a set of CHECK_PAIRS places; what comes when it is full is not compared, and that is said. */
#ifndef TULK_DATA_CHECK_H
#define TULK_DATA_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum check_kind {
    CHECK_NUL,
    CHECK_UTF8,
    CHECK_MARK,        /* byte-order mark */
    CHECK_RETURN,      /* carriage return */
    CHECK_CONTROL,     /* other control characters */
    CHECK_REPLACEMENT, /* U+FFFD: text that was lost before */
    CHECK_MOJIBAKE,    /* UTF-8 that was read as Latin-1 and encoded again */
    CHECK_EMPTY,       /* nothing, or blanks alone */
    CHECK_LONG,
    CHECK_MARKUP,     /* tags, entities */
    CHECK_DECOMPOSED, /* letters and marks that have one code together */
    CHECK_SYMBOLS,    /* no letter or digit, where the other side has words */
    CHECK_SCRIPT,
    CHECK_LANGUAGE,
    CHECK_VALID, /* the line is in the validation set, too */
    CHECK_TEST,
    CHECK_SIDES, /* kinds before this are counted for each side */
    CHECK_RATIO = CHECK_SIDES,
    CHECK_IDENTICAL, /* source and target are the same */
    CHECK_DUPLICATE, /* the pair stands above already */
    CHECK_SWAPPED,   /* the source is in the target's language, and the other way round */
    CHECK_SHIFTED,   /* lines that go with another line: in a region */
    CHECK_KINDS
};

typedef struct {
    const char *name; /* for programs */
    const char *what; /* for people: "a NUL byte", behind a count of lines */
    bool drops;       /* --clean leaves the pair out */
} check_row;
extern const check_row check_rows[CHECK_KINDS];

enum { CHECK_PLACES = 10, CHECK_REGIONS = 32, CHECK_PAIRS = 3 << 20, CHECK_SHIFT = 50 };

typedef struct {
    int64_t count;
    int64_t lines[CHECK_PLACES]; /* the first ones, from 1 */
    int64_t other[CHECK_PLACES]; /* duplicates: the line that is repeated; overlap: that of the other set */
} check_finding;

/* Source lines first .. last go with the target lines that stand `by` further down. */
typedef struct {
    int64_t first, last;
    int by;
    double score; /* natural logarithm of how much better they go together */
} check_region;

typedef struct {
    const char *paths[2];
    const char *valid[2], *test[2]; /* NULL: none */
    int max_words; /* longer lines are over-long; in scripts without spaces a letter is half a word */
} check_options;

typedef struct {
    int64_t lines[2], pairs;                /* pairs: of which the files have both sides */
    check_finding findings[CHECK_KINDS][2]; /* of pairs: [kind][0] */
    check_region regions[CHECK_REGIONS];
    int n_regions;
    double words[2], characters[2]; /* a line, means */
    double ratio;                   /* usual characters of the target a character of the source */
    const char *language[2];        /* code of the language that its function words tell, NULL: unknown */
    const char *script[2];
    const char *named[2]; /* the language that the file's name ends in, NULL: none that is known */
    bool tokenized[2];    /* blanks before full stops and commas */
    bool compared_all;    /* every pair was compared with those before it */
} check_report;

/* Reads the files. 0, or -1 with a message (a file that can not be read twice or at all). */
int check_corpus(const check_options *o, check_report *out);

/* Are the files the wrong way round, or not in the language that the name says? */
bool check_names_swapped(const check_report *r);
bool check_name_wrong(const check_report *r, int side);
/* Is anything wrong at all? */
bool check_found(const check_report *r);

/* Reads the files again and gives each pair to `take`: `faults` has bit 1 << kind for each reason to leave it
 * out. Stops where take returns -1. */
int check_each(const check_options *o, const check_report *r,
               int (*take)(int64_t line, unsigned faults, span src, span tgt, void *context), void *context);

#endif
