/* Words and characters as numbers: those of a first sequence are 1, 2, 3 ... in the order of their first
 * occurrence, those of later ones have the number that they have there, or none. */
#ifndef TULK_EVAL_SYMBOLS_H
#define TULK_EVAL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "eval/cut.h"

enum { SYMBOL_NONE = 0 };

/* A sequence of symbols. {0} is an empty one; owned: sequence_free. */
typedef struct {
    uint32_t *at; /* [n] */
    size_t n, capacity;
} sequence;

void sequence_free(sequence *s);
void sequence_clear(sequence *s, size_t room); /* length 0, room for so many */

/* The numbers in use. {0} is none; owned: symbols_free. Memory is kept from one first sequence to the next.
 */
typedef struct word_slot word_slot;
typedef struct {
    word_slot *slots; /* [mask + 1], a hash table of words */
    size_t mask, n_words;
    uint32_t generation; /* what earlier ones left in the slots is empty */
    uint32_t *codes;     /* the number of each character, SYMBOL_NONE without one */
    uint32_t *used;      /* [n_used]: characters that have one */
    size_t n_used, used_capacity;
} symbols;

void symbols_free(symbols *s);

/* Numbers the words anew. They must live as long as the numbers are used. */
void symbols_number_words(symbols *s, const tokens *words, sequence *out);
void symbols_find_words(const symbols *s, const tokens *words, sequence *out);

/* The same for the characters of a line, without white space unless `spaces`. Words keep their numbers. */
void symbols_number_codes(symbols *s, span line, bool spaces, sequence *out);
void symbols_find_codes(const symbols *s, span line, bool spaces, sequence *out);

#endif
