/* Inside the check: one line looked at, the languages, the shift detector. */
#ifndef TULK_DATA_CHECK_INSIDE_H
#define TULK_DATA_CHECK_INSIDE_H

#include "data/check.h"
#include "text/chars.h"

/* ------------------------------------------------------------------------------------------- a line */

enum { LINE_WORDS = 64, SCRIPTS = SCRIPT_TIBETAN + 1 };

typedef struct {
    int64_t characters, words, letters, digits, blanks;
    int scripts[SCRIPTS]; /* letters of each */
    uint32_t
        word[LINE_WORDS]; /* hashes of the first words, ASCII case folded; a letter alone without spaces */
    int n_word;
    uint64_t
        anchors[2];   /* a set of what is often the same in both languages: numbers, words with a capital */
    unsigned faults;  /* bits of kinds that show in the line itself */
    bool spaced_stop; /* " ." or " ," */
} line_view;

/* Looks at a line; `utf8`: it is valid. */
void view_line(span line, bool utf8, line_view *out);

/* ---------------------------------------------------------------------------------------- languages */

enum { LANGUAGES = 20 };
typedef struct {
    const char *code, *name;
} language_row;
extern const language_row languages[LANGUAGES];

/* Bits of the languages in which the word is a function word. */
typedef struct {
    uint32_t *slots, *bits; /* FUNCTION_SLOTS */
} function_words;
function_words function_words_new(void);
void function_words_free(function_words *f);
uint32_t function_word(const function_words *f, uint32_t word);
uint32_t word_hash(span word); /* as in a line_view */

/* The language of a file by the end of its name (.de, .de.gz), NULL if there is none that is known. */
const char *language_of_name(const char *path);
/* The language that is written in this script alone, among those that are known; NULL if there are several.
 */
const char *language_of_script(enum char_script script);
const char *script_name(enum char_script script);
enum char_script script_group(enum char_script script); /* Han, kana and wide signs are one */

/* ------------------------------------------------------------------------------------------- shifts */

typedef struct shift_finder shift_finder;

/* log_ratio: mean and deviation of log target length / source length; spread: deviation of the log lengths.
 */
shift_finder *shift_new(double mean, double deviation, double spread);
void shift_free(shift_finder *f);
/* Lines in order, both sides as far as they go. */
void shift_add(shift_finder *f, int side, const line_view *v);
/* No more lines come: the regions, in order, at most CHECK_REGIONS. */
int shift_finish(shift_finder *f, check_region *out);

#endif
