/* A vocabulary in the making: special, byte and character pieces, then one piece a merge. */
#ifndef TULK_TEXT_BUILDER_H
#define TULK_TEXT_BUILDER_H

#include "text/vocab.h"

/* Longest learned pieces, in characters: longer ones would learn sentences by heart. */
enum { PIECE_MAX_CHARS = 32, PIECE_MAX_CHARS_WITHOUT_SPACES = 16 };

typedef struct {
    vocab_data data;
    int size; /* room: pieces wanted */
    piece_index index;
    alphabet chars;
    struct piece_shape {
        unsigned char chars;
        bool without_spaces; /* holds a letter of a script that is written so */
    } * shapes;
    size_t merges_capacity;
    str joined; /* scratch */
} builder;

void builder_init(builder *b, int size); /* with the pieces that every vocabulary has */
void builder_free(builder *b);
void builder_add_char(builder *b, int code);
/* The new id of the joined piece, recorded as a merge; -1 if there must be no such piece: too long, or its
 * text is taken, be it by another way to cut it or by a special piece. */
int builder_join(builder *b, int left, int right);

#endif
