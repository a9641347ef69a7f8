/* Inside of the tokenizer: the vocabulary with the tables that make it quick to use. */
#ifndef TULK_TEXT_VOCAB_H
#define TULK_TEXT_VOCAB_H

#include "base/ids.h"
#include "text/intmap.h"
#include "text/tokenizer.h"

enum {
    BYTE_FIRST = ID_FIRST,          /* <0x00> */
    PIECE_FIRST = BYTE_FIRST + 256, /* the first id that is no byte */
    PIECE_MAX_BYTES = 255,          /* of the printed form */
    VOCAB_MAX_SIZE = 1 << 22
};

#define SPACE_MARK "\xE2\x96\x81" /* U+2581, how a space is printed in a piece */

/* Ids of printed pieces, found by the hash of the text. Two texts of one hash cannot both be in (64 bits:
 * never met by chance). */
typedef struct {
    intmap ids;
} piece_index;

int piece_index_find(const piece_index *x, const piece *pieces, span text); /* id or -1 */
bool piece_index_taken(const piece_index *x, span text); /* by it or by another one of the same hash */
/* False if it is taken. */
bool piece_index_add(piece_index *x, span text, int id);
void piece_index_free(piece_index *x);

/* Single characters that are pieces. */
typedef struct {
    int ascii[128]; /* id, or -1 */
    intmap others;
} alphabet;

void alphabet_init(alphabet *a);
void alphabet_add(alphabet *a, int code, int id);
void alphabet_free(alphabet *a);
/* Ids of the word's characters, in bytes where one is no piece; ids has room for WORD_MAX_SYMBOLS. Their
 * number. */
int alphabet_spell(const alphabet *a, span word, int *ids);

/* The text that the printed form of a piece (id >= PIECE_FIRST) stands for. */
void piece_append_text(span printed, str *out);
/* Printed form of the ids that every vocabulary has, 0 .. PIECE_FIRST - 1. */
void fixed_piece_name(int id, char out[8]);
/* The only character of a printed piece, ' ' for the space mark; -1 if it has several. */
int piece_single_char(span printed);

struct tokenizer {
    vocab_data data;
    str text;          /* what the ids stand for, one behind the other */
    uint32_t *text_at; /* of each id in `text`, and the end */
    alphabet chars;
    intmap merges; /* pair of ids -> place in data.merges */
    piece_index index;
};

#endif
