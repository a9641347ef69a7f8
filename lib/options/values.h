/* Values of options as text and back. Inside the room only. */
#ifndef TULK_OPTIONS_VALUES_H
#define TULK_OPTIONS_VALUES_H

#include <stdbool.h>

#include "base/str.h"
#include "options/options.h"

/* Who set a value: a higher one is never overwritten by a lower one. */
enum level { LEVEL_DEFAULT, LEVEL_PRESET, LEVEL_CONFIG, LEVEL_ARGV };

typedef struct {
    enum level level;
    double number; /* flags 0 or 1, counts, reals, times in seconds, NaN if unset */
    char *text;    /* canonical; NULL if unset */
    char **words;  /* lists */
    size_t n_words, capacity;
    int occurrences;
} option_value;

void value_free(option_value *v);
/* Reads `text` as a value of the row. `origin` ("--lr", "my.conf:3: lr") begins the message. Lists: adds one
 * word. */
int value_set(option_value *v, const option_row *row, const char *text, const char *origin);
/* Adds an occurrence of n words to a list. */
int value_add_words(option_value *v, const option_row *row, const char *const *words, int n,
                    const char *origin);

/* Reads one word of `text` (blanks separate, "..." holds blanks) into `word`; the rest, or NULL at the end.
 */
const char *next_word(const char *text, str *word);

#endif
