#include "text/builder.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "text/chars.h"

static int add_piece(builder *b, const char *text, struct piece_shape shape)
{
    int id = b->data.n_pieces;
    BUG_IF(id >= b->size || !piece_index_add(&b->index, span_of(text), id));
    b->data.pieces[id] = (piece){xstrdup(text), 0};
    b->shapes[id] = shape;
    b->data.n_pieces++;
    return id;
}

void builder_init(builder *b, int size)
{
    *b = (builder){.size = size};
    alphabet_init(&b->chars);
    b->data.pieces = xcalloc((size_t)size, sizeof *b->data.pieces);
    b->shapes = xcalloc((size_t)size, sizeof *b->shapes);
    for (int id = 0; id < PIECE_FIRST; id++) {
        char name[8];
        fixed_piece_name(id, name);
        add_piece(b, name, (struct piece_shape){0, false});
    }
}

void builder_free(builder *b)
{
    vocab_data_free(&b->data);
    piece_index_free(&b->index);
    alphabet_free(&b->chars);
    free(b->shapes);
    str_free(&b->joined);
}

void builder_add_char(builder *b, int code)
{
    char text[8] = SPACE_MARK;
    enum char_script script;
    enum char_kind kind = char_classify(code, &script);
    if (code != ' ') text[char_encode(code, text)] = '\0';
    bool without_spaces = kind == CHAR_LETTER && script_without_spaces(script);
    alphabet_add(&b->chars, code, add_piece(b, text, (struct piece_shape){1, without_spaces}));
}

int builder_join(builder *b, int left, int right)
{
    const struct piece_shape *l = &b->shapes[left], *r = &b->shapes[right];
    struct piece_shape shape = {0, l->without_spaces || r->without_spaces};
    int chars = l->chars + r->chars;
    if (chars > (shape.without_spaces ? PIECE_MAX_CHARS_WITHOUT_SPACES : PIECE_MAX_CHARS)) return -1;
    shape.chars = (unsigned char)chars;
    str_clear(&b->joined);
    str_add_span(&b->joined, span_of(b->data.pieces[left].text));
    str_add_span(&b->joined, span_of(b->data.pieces[right].text));
    if (piece_index_taken(&b->index, str_span(&b->joined))) return -1;
    int id = add_piece(b, b->joined.p, shape);
    b->data.merges =
        grow(b->data.merges, &b->merges_capacity, (size_t)b->data.n_merges + 1, sizeof *b->data.merges);
    b->data.merges[b->data.n_merges++] = (merge){left, right, id};
    return id;
}
