/* Making a parallel corpus of what others have translated: readers take pairs of texts out of files, every
 * pair is tidied, cut into sentences where both sides agree, and judged; what is left is split into train,
 * valid and test. Order of use: harvest_new, readers, harvest_finish, harvest_write, harvest_free. The result
 * is a function of the files and their order alone. */
#ifndef TULK_CORPORA_HARVEST_H
#define TULK_CORPORA_HARVEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Why a pair is left out, in the order in which it is asked. */
enum harvest_fault {
    FAULT_NONE,
    FAULT_BROKEN,       /* no UTF-8, or controls */
    FAULT_EMPTY,        /* a side without letters */
    FAULT_LONG,         /* a side longer than HARVEST_MAX_BYTES */
    FAULT_UNTRANSLATED, /* both sides the same, or nearly */
    FAULT_SCRIPT,       /* a side in letters that its language is not written in */
    FAULT_PLACEHOLDERS, /* other placeholders, options, addresses */
    FAULT_DIGITS,       /* other digits */
    FAULT_WORDS,        /* words that stand together nowhere else */
    FAULT_RATIO,        /* lengths that do not go together */
    FAULT_DUPLICATE,    /* a pair that is there already */
    FAULTS
};
extern const char *const harvest_faults[FAULTS]; /* what they are called */

enum { HARVEST_MAX_BYTES = 1000, HARVEST_MAX_SOURCES = 1024 };

/* How much is asked of a pair. */
enum harvest_care {
    CARE_STRICT, /* everything: for texts of programs */
    CARE_GENTLE  /* only what is broken, empty, over-long or there twice: for corpora that others have made */
};

typedef struct {
    size_t src, tgt; /* where in `text`; each is n bytes and a '\0' */
    uint32_t n_src, n_tgt;
    int source;
} harvest_pair;

typedef struct {
    char *label;
    int64_t read, kept; /* pairs offered, sentences that stayed */
} harvest_source;

typedef struct {
    const char *lang[2]; /* "en", "pt_BR": decides which script is expected */
    enum harvest_care care;
    str text;
    harvest_pair *pairs;
    size_t n, capacity;
    harvest_source sources[HARVEST_MAX_SOURCES];
    int n_sources;
    int64_t faults[FAULTS];
    str work[4]; /* scratch */
} harvest;

harvest *harvest_new(const char *src_lang, const char *tgt_lang, enum harvest_care care);
void harvest_free(harvest *h); /* NULL is fine */

/* The number of the source of this name, which is made if it is new. */
int harvest_source_of(harvest *h, const char *label);

/* What offered text is. */
enum harvest_form { FORM_PLAIN, FORM_MARKUP, FORM_INTERFACE }; /* interface: mnemonics, perhaps markup */

/* One text in both languages. */
void harvest_offer(harvest *h, int source, enum harvest_form form, span src, span tgt);

/* Drops pairs of wild length, and doubles. */
void harvest_finish(harvest *h);

/* Writes PART.LANG for train, valid and test into the folder, which is there: `held` pairs for each of the
 * last two at most, a tenth of the corpus at most. No sentence of one part is in another on either side,
 * case, digits and punctuation aside; what is held out has at least four words. 0, or -1 with a message. */
typedef struct {
    size_t train, valid, test;
} harvest_parts;
int harvest_write(harvest *h, const char *folder, size_t held, harvest_parts *out);

/* ------------------------------------------------------------------------------------------ readers */

/* Descriptions of packages as apt keeps them (Translation-LANG): paragraphs of the same package and MD5. */
int harvest_descriptions(harvest *h, int source, const char *src_path, const char *tgt_path);
/* Catalogues of GNU gettext (.mo); a path "-" stands for the language of the keys, English. */
int harvest_catalogue(harvest *h, int source, const char *src_path, const char *tgt_path);
/* Pages of LibreOffice's help in two folders: paragraphs with the same id. */
int harvest_help(harvest *h, int source, const char *src_folder, const char *tgt_folder);
/* Pages of Mallard in two folders: paragraphs at the same place of pages of the same structure. */
int harvest_mallard(harvest *h, int source, const char *src_folder, const char *tgt_folder);
/* Pages of man in two folders: paragraphs at the same place of pages with the same macros. */
int harvest_manual(harvest *h, int source, const char *src_folder, const char *tgt_folder);
/* Lines of two files ("-" for neither). */
int harvest_lines(harvest *h, int source, const char *src_path, const char *tgt_path);
/* Columns, from 1, of a file with tabs between them. */
int harvest_columns(harvest *h, int source, const char *path, int src_column, int tgt_column);
/* Translation memory exchange: <tu> with a <tuv> of each language. */
int harvest_tmx(harvest *h, int source, const char *path);

/* ------------------------------------------------------------------------------- what the files share */

/* A whole file, plain or gzip. 0, or -1 with a message. */
int harvest_read_file(const char *path, str *out);

/* Each page of the first folder (and the folders in it, in the order of names) whose name ends so and that
 * the other folder has, too, goes to `join`. 0, or -1 with a message if there is none in the first. */
typedef void (*harvest_join)(harvest *h, int source, span src, span tgt);
int harvest_each_page(harvest *h, int source, const char *const folders[2], const char *suffix,
                      harvest_join join);

/* Appends the text of roff without what sets fonts and places, and with its glyphs as characters. false: it
 * holds what is no text. */
bool roff_text(span text, str *out);
/* The next word of a macro's line, or what stands between its quotation marks, which moves the line behind
 * it; false if there is none. */
bool roff_word(span *line, str *out);

/* Appends the text without tags and with entities as characters. */
void tidy_markup(span text, str *out);
/* Takes the marks of keyboard access (_F, ~F, &F, (_F)) out of both sides, if both have them; in place. */
void tidy_mnemonics(str *src, str *tgt);
/* Appends the text with each run of blanks as one, none at the ends. */
void tidy_blanks(span text, str *out);

/* Cuts where a sentence ends: writes the ends (bytes) of at most `max` and returns how many there are. */
int sentence_ends(span text, size_t *ends, int max);

/* The first fault of a pair, lengths and doubles aside. */
enum harvest_fault judge_pair(const harvest *h, span src, span tgt);
bool judge_broken(span text);
bool judge_same_digits(span a, span b);
/* For each pair: do at least this share of its words that are frequent enough to tell have a partner?
 * (agree.c) */
void harvest_agree(harvest *h, double least, bool *agrees);
/* Length in Latin letters, roughly: a letter of a script without spaces counts as two. */
double judge_length(span text);

#endif
