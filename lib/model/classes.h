/* What an encoder and a decoder are to the model that joins them. An encoder leaves an `encoded` source:
 * states of every source word; a decoder reads it, whoever made it. Adding one is a file and its row in
 * encoders[] or decoders[] (model.c). Internal to model/, but for the lists of names in model.h. */
#ifndef TULK_MODEL_CLASSES_H
#define TULK_MODEL_CLASSES_H

#include "model/encoded.h"
#include "model/model.h"
#include "model/words.h"

/* How a table of word embeddings is declared. */
typedef struct {
    const char *name; /* of the parameter */
    int width;
    double sigma; /* of the normal distribution that it is drawn from */
} table_spec;

/* The output layer: weights (tgt_vocab, width), drawn by `init` unless it is tied to the embeddings. */
typedef struct {
    int width;
    enum init_kind init;
    double gain;
    bool bias;
} output_spec;

/* The rows of a decoding, as the model keeps them. */
typedef struct {
    int n;
    int *said;       /* (n) words that the row was fed before this step */
    int *source;     /* (n) first of the places of its sentence's words among room->words, */
    int *source_len; /* (n) and how many they are */
} decoding_rows;

struct encoder_class {
    const char *name;
    bool stepwise;              /* see model_stepwise */
    const char *const *options; /* names of the network options it uses beside those of all; ends with NULL */
    int (*check)(const net_config *c);
    table_spec (*table)(const net_config *c);
    encoded_shape (*shape)(const net_config *c); /* of what it leaves */
    /* Declares parameters; the encoder's own struct, from malloc. */
    void *(*build)(const net_config *c, params *p, const tensor *table);
    /* Declares what stands behind the decoder's layers in the order of parameters; may be NULL. Their place
     * decides what they are drawn as, and checkpoints of long ago have them there. */
    void (*build_last)(void *encoder, params *p);
    encoded (*encode)(const void *encoder, tape *t, const words *src);
    double (*flops)(const void *encoder, const seqs *src);
    void (*free)(void *encoder);
};

struct decoder_class {
    const char *name;
    bool stepwise;
    const char *const *options;
    /* Whether an option of that list counts beside the others' values; NULL: all of them do. */
    bool (*counts)(const net_config *c, const char *option);
    int (*check)(const net_config *c);
    table_spec (*table)(const net_config *c);
    output_spec (*output)(const net_config *c);
    /* For memories of this shape. */
    void *(*build)(const net_config *c, params *p, const tensor *table, const encoded_shape *source);
    void (*build_last)(void *decoder, params *p); /* behind that of the encoder; may be NULL */
    /* The last hidden layer (target rows, width) before the output layer, rows in the decoder's own order;
     * target_of (target rows) gets for each of them the place of its word in the sentence-major order, or
     * NULL if that is the order. */
    tensor *(*hidden)(const void *decoder, tape *t, const encoded *source, const words *tgt,
                      const int **target_of);
    /* See model_attention; the row of target word i, counted sentence by sentence, goes to rows[i], that of
     * the next place `total` behind it, and so on. */
    attention_place (*attention_last)(const void *decoder);
    void (*attention)(const void *decoder, tape *t, const encoded *source, const words *tgt, size_t total,
                      real *const *rows);
    /* Decoding word by word, see model_open; the state lives in t->memory. */
    void *(*open)(const void *decoder, tape *t, const decoding_room *room);
    /* The sentences of `source` are rows first .. of `rows`; t's memory lasts for the call alone. */
    void (*join)(const void *decoder, tape *t, void *state, const encoded *source, const decoding_rows *rows,
                 int first);
    tensor *(*step)(const void *decoder, tape *t, void *state, const int *ids, const decoding_rows *rows);
    /* rows: those before. */
    void (*select)(const void *decoder, void *state, const decoding_rows *rows, const int *from, int n);
    /* Without the output layer. rows 0: of the whole sequence at once; else of a search with so many
     * hypotheses a sentence, which keeps what it has computed. */
    double (*flops)(const void *decoder, const seqs *src, const seqs *tgt, int rows);
    void (*free)(void *decoder);
};

#endif
