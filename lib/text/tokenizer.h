/* A reversible tokenizer: Unicode normalisation, pre-tokenisation, byte-pair encoding with byte fallback.
 *
 * detokenize(tokenize(x)) == normalize(x) for every line x; with normalisation "none" that is x byte for
 * byte, invalid bytes included. There is no unknown symbol: characters without a piece, controls, bytes that
 * are no UTF-8 and a literal U+2581 are spelled in bytes. A piece never crosses words (words.h); the space
 * before a word belongs to it, and a line whose script uses spaces starts as if one stood before it, which
 * decoding drops. Used from many threads at once: encoding and decoding do not change the tokenizer; a
 * per-thread cache is the caller's (tokenizer_cache). */
#ifndef TULK_TEXT_TOKENIZER_H
#define TULK_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/seqs.h"
#include "base/str.h"

enum normalization { NORMALIZE_NONE, NORMALIZE_NFC, NORMALIZE_NFKC };
extern const char *const normalizations[]; /* their names; ends with NULL */
int normalization_find(const char *name);  /* the one of this name, or -1 */

/* One entry of the vocabulary; its id is its place. Ids 0..3 are <pad> <unk> <bos> <eos>, then the 256
 * byte pieces, then characters and merged pieces. */
typedef struct {
    char *text;     /* as tokenize prints it: spaces as U+2581, bytes as <0xHH>; owned, NUL-terminated */
    uint64_t count; /* occurrences in the text it was learned from */
} piece;

/* Pieces `left` and `right` (ids) join to `result`; the rank is the place in the list. */
typedef struct {
    int left, right, result;
} merge;

/* All there is to a tokenizer: what the store saves and loads. */
typedef struct {
    enum normalization normalize;
    bool casefold;
    piece *pieces;
    int n_pieces;
    merge *merges;
    int n_merges;
} vocab_data;

void vocab_data_free(vocab_data *d);

typedef struct tokenizer tokenizer;

/* Takes over `data` (emptied). NULL with a message if the data contradict themselves (a merge of ids that
 * do not exist, pieces missing: a damaged file). */
tokenizer *tokenizer_new(vocab_data *data);
void tokenizer_free(tokenizer *t); /* NULL is fine */
const vocab_data *tokenizer_data(const tokenizer *t);
int tokenizer_size(const tokenizer *t); /* number of ids */

/* Words seen before, with their pieces: makes encoding fast. One a thread; NULL is allowed and slower. */
typedef struct tokenizer_cache tokenizer_cache;
tokenizer_cache *tokenizer_cache_new(const tokenizer *t);
void tokenizer_cache_free(tokenizer_cache *c);

/* Appends the ids of the line to out as one new sequence (no bos, no eos). Never fails. */
void tokenizer_encode(const tokenizer *t, tokenizer_cache *cache, span line, seqs *out);
/* BPE dropout (Provilkov, Emelianenko and Voita, ACL 2020): before each merge of a word every pair that could
 * be merged is left out with probability p, 0 <= p <= 1, drawn from `draws`; a word ends when all are. So the
 * same word is now and then spelled in smaller pieces. p is met to 1/65536; p = 0 is tokenizer_encode.
 * Decodes to the same text. */
void tokenizer_encode_dropout(const tokenizer *t, tokenizer_cache *cache, span line, double p, rng *draws,
                              seqs *out);
/* The inverse: appends text to out. Ids that are no text of a line (pad, bos, eos, the byte of a line
 * feed, out of range) add nothing; unk adds
 * U+FFFD. */
void tokenizer_decode(const tokenizer *t, const int *ids, size_t n, str *out);

/* The pieces of ids as one line, separated by one U+0020, as `tulk tokenize` prints it. */
void tokenizer_print(const tokenizer *t, const int *ids, size_t n, str *out);
/* Reads such a line. 0, or -1 with a message naming the piece that is not in the vocabulary. */
int tokenizer_parse(const tokenizer *t, span line, seqs *out);

/* Normalises a line as the tokenizer does before splitting: invalid UTF-8 sequences and NUL are kept as they
 * are. */
void normalize_line(enum normalization how, bool casefold, span line, str *out);

/* ------------------------------------------------------------------------------------ learning */

typedef struct learner learner;

/* Learning counts words, line by line, then merges the most frequent pair again and again (Sennrich et
 * al. 2016) with a heap of pairs and lists of the words that hold them. Memory is bounded by `max_words`
 * distinct words: beyond it rare ones are dropped, and it is said (note). */
learner *learner_new(enum normalization how, bool casefold);
void learner_free(learner *l);
void learner_add(learner *l, span line);
/* A vocabulary of exactly `size` ids, or fewer if no pair is left that occurs twice (said). It may be called
 * again with another size, and after more lines. `size` must be at least 4 + 256; characters seen in the text
 * come first, most frequent first, as far as a fixed share of the room allows; the rest are spelled in bytes.
 * 0, or -1 with a message. */
int learner_finish(learner *l, int size, vocab_data *out);

#endif
