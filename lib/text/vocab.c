#include "text/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "text/chars.h"

/* ---------------------------------------------------------------------------- index and alphabet */

int piece_index_find(const piece_index *x, const piece *pieces, span text)
{
    int id = intmap_get(&x->ids, hash64(text.p, text.n));
    return id >= 0 && span_eq(span_of(pieces[id].text), text) ? id : -1;
}

bool piece_index_taken(const piece_index *x, span text)
{
    return intmap_get(&x->ids, hash64(text.p, text.n)) >= 0;
}

bool piece_index_add(piece_index *x, span text, int id)
{
    if (piece_index_taken(x, text)) return false;
    intmap_set(&x->ids, hash64(text.p, text.n), id);
    return true;
}

void piece_index_free(piece_index *x) { intmap_free(&x->ids); }

void alphabet_init(alphabet *a)
{
    *a = (alphabet){0};
    for (int i = 0; i < 128; i++) a->ascii[i] = -1;
}

void alphabet_add(alphabet *a, int code, int id)
{
    if (code < 128)
        a->ascii[code] = id;
    else
        intmap_set(&a->others, (uint64_t)code, id);
}

void alphabet_free(alphabet *a) { intmap_free(&a->others); }

int alphabet_spell(const alphabet *a, span word, int *ids)
{
    int n = 0;
    for (size_t at = 0; at < word.n;) {
        int code, id = -1, length = char_decode((span){word.p + at, word.n - at}, &code);
        if (code >= 0) id = code < 128 ? a->ascii[code] : intmap_get(&a->others, (uint64_t)code);
        if (id >= 0) ids[n++] = id;
        for (int i = 0; id < 0 && i < length; i++)
            ids[n++] = BYTE_FIRST + (unsigned char)word.p[at + (size_t)i];
        at += (size_t)length;
    }
    return n;
}

/* ------------------------------------------------------------------------------ printed pieces */

void fixed_piece_name(int id, char out[8])
{
    static const char *const special[] = {"<pad>", "<unk>", "<bos>", "<eos>"};
    if (id < BYTE_FIRST)
        snprintf(out, 8, "%s", special[id]);
    else
        snprintf(out, 8, "<0x%02X>", (unsigned)(id - BYTE_FIRST) & 255);
}

static bool starts_with_mark(span text) { return text.n >= 3 && memcmp(text.p, SPACE_MARK, 3) == 0; }

void piece_append_text(span printed, str *out)
{
    while (printed.n) {
        size_t take = starts_with_mark(printed) ? 3 : 1;
        if (take == 3)
            str_add_char(out, ' ');
        else
            str_add_char(out, *printed.p);
        printed.p += take;
        printed.n -= take;
    }
}

int piece_single_char(span printed)
{
    int code, length = char_decode(printed, &code);
    if ((size_t)length != printed.n) return -1;
    return starts_with_mark(printed) ? ' ' : code;
}

/* ------------------------------------------------------------------------------------ checking */

static int damaged(const char *what, int id)
{
    return fail("damaged vocabulary: piece %d %s; take the file from a backup or learn the vocabulary again",
                id, what);
}

static int damaged_merge(const char *what, int rank)
{
    return fail("damaged vocabulary: merge %d %s; take the file from a backup or learn the vocabulary again",
                rank, what);
}

/* Valid UTF-8 of a bearable length, and nothing that would break a printed line. */
static int check_text(const char *text, int id)
{
    if (!text) return damaged("is missing", id);
    size_t n = strnlen(text, PIECE_MAX_BYTES + 1), at = 0;
    if (n == 0 || n > PIECE_MAX_BYTES) return damaged("is empty or too long", id);
    while (at < n) {
        int code, length = char_decode((span){text + at, n - at}, &code);
        if (code < 0) return damaged("is not UTF-8", id);
        if (code <= ' ' || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029)
            return damaged("holds a space or a control character", id);
        at += (size_t)length;
    }
    return 0;
}

static int check_pieces(tokenizer *t)
{
    const vocab_data *d = &t->data;
    if (d->n_pieces < PIECE_FIRST || d->n_pieces > VOCAB_MAX_SIZE || !d->pieces)
        return fail("damaged vocabulary: %d pieces, where %d to %d are possible", d->n_pieces, PIECE_FIRST,
                    VOCAB_MAX_SIZE);
    intmap_reserve(&t->index.ids, (size_t)d->n_pieces);
    for (int id = 0; id < d->n_pieces; id++) {
        char name[8];
        const char *text = d->pieces[id].text;
        if (check_text(text, id)) return -1;
        if (id < PIECE_FIRST) fixed_piece_name(id, name);
        if (id < PIECE_FIRST && strcmp(name, text) != 0) return damaged("is not what its number means", id);
        if (!piece_index_add(&t->index, span_of(text), id)) return damaged("has the text of another one", id);
    }
    return 0;
}

static bool is_join(span left, span right, span result)
{
    return result.n == left.n + right.n && memcmp(result.p, left.p, left.n) == 0 &&
           memcmp(result.p + left.n, right.p, right.n) == 0;
}

static int check_merge(const vocab_data *d, int rank)
{
    const merge *m = &d->merges[rank];
    const int ids[] = {m->left, m->right, m->result};
    for (int i = 0; i < 3; i++)
        if (ids[i] < PIECE_FIRST || ids[i] >= d->n_pieces)
            return damaged_merge("names a piece that cannot be", rank);
    if (!is_join(span_of(d->pieces[m->left].text), span_of(d->pieces[m->right].text),
                 span_of(d->pieces[m->result].text)))
        return damaged_merge("does not give its piece", rank);
    return 0;
}

static int check_merges(tokenizer *t)
{
    const vocab_data *d = &t->data;
    if (d->n_merges < 0 || d->n_merges > VOCAB_MAX_SIZE || (d->n_merges && !d->merges))
        return fail("damaged vocabulary: %d merges, where 0 to %d are possible", d->n_merges, VOCAB_MAX_SIZE);
    intmap_reserve(&t->merges, (size_t)d->n_merges);
    for (int rank = 0; rank < d->n_merges; rank++) {
        if (check_merge(d, rank)) return -1;
        uint64_t key = intmap_pair(d->merges[rank].left, d->merges[rank].right);
        if (intmap_get(&t->merges, key) >= 0) return damaged_merge("repeats an earlier one", rank);
        intmap_set(&t->merges, key, rank);
    }
    return 0;
}

/* Each piece is a character or made by a merge. */
static int check_reachable(tokenizer *t)
{
    const vocab_data *d = &t->data;
    bool *made = xcalloc((size_t)d->n_pieces, sizeof *made);
    for (int rank = 0; rank < d->n_merges; rank++) made[d->merges[rank].result] = true;
    int bad = 0;
    for (int id = PIECE_FIRST; id < d->n_pieces && !bad; id++) {
        int code = piece_single_char(span_of(d->pieces[id].text));
        if (code >= 0)
            alphabet_add(&t->chars, code, id);
        else if (!made[id])
            bad = id;
    }
    free(made);
    return bad ? damaged("is made by no merge", bad) : 0;
}

static int check_settings(const vocab_data *d)
{
    int how = (int)d->normalize;
    if (how != NORMALIZE_NONE && how != NORMALIZE_NFC && how != NORMALIZE_NFKC)
        return fail("damaged vocabulary: normalisation %d is unknown", how);
    return 0;
}

/* ------------------------------------------------------------------------------- tokenizer itself */

void vocab_data_free(vocab_data *d)
{
    for (int id = 0; d->pieces && id < d->n_pieces; id++) free(d->pieces[id].text);
    free(d->pieces);
    free(d->merges);
    *d = (vocab_data){0};
}

static void append_id_text(const vocab_data *d, int id, str *out)
{
    if (id == ID_UNK) str_add(out, "\xEF\xBF\xBD", 3);
    if (id < BYTE_FIRST) return;
    if (id == BYTE_FIRST + '\n') return; /* no line holds one, and a model must not break its line */
    if (id < PIECE_FIRST)
        str_add_char(out, (char)(unsigned char)(id - BYTE_FIRST));
    else
        piece_append_text(span_of(d->pieces[id].text), out);
}

static void fill_texts(tokenizer *t)
{
    t->text_at = xmalloc(((size_t)t->data.n_pieces + 1) * sizeof *t->text_at);
    for (int id = 0; id < t->data.n_pieces; id++) {
        t->text_at[id] = (uint32_t)t->text.n;
        append_id_text(&t->data, id, &t->text);
    }
    t->text_at[t->data.n_pieces] = (uint32_t)t->text.n;
}

tokenizer *tokenizer_new(vocab_data *data)
{
    tokenizer *t = xcalloc(1, sizeof *t);
    t->data = *data;
    *data = (vocab_data){0};
    alphabet_init(&t->chars);
    if (check_settings(&t->data) || check_pieces(t) || check_merges(t) || check_reachable(t)) {
        tokenizer_free(t);
        return NULL;
    }
    fill_texts(t);
    return t;
}

void tokenizer_free(tokenizer *t)
{
    if (!t) return;
    vocab_data_free(&t->data);
    str_free(&t->text);
    free(t->text_at);
    alphabet_free(&t->chars);
    intmap_free(&t->merges);
    piece_index_free(&t->index);
    free(t);
}

const vocab_data *tokenizer_data(const tokenizer *t) { return &t->data; }

int tokenizer_size(const tokenizer *t) { return t->data.n_pieces; }
