/* An encoder-decoder network: settings, parameters, a loss for training and steps for search. Encoder and
 * decoder are chosen apart. Nobody above this room asks which they are: encoders[] and decoders[] are the
 * lists. */
#ifndef TULK_MODEL_MODEL_H
#define TULK_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seqs.h"
#include "nn/loss.h"
#include "tensor/params.h"
#include "tensor/tape.h"

/* What describes a network; the fields are the options of the same names. */
typedef struct {
    const char *enc, *dec; /* encoders[], decoders[]: "rnn", "transformer" */
    int src_vocab, tgt_vocab;
    bool shared_vocab; /* both sides use one vocabulary */
    int d_model;       /* rnn: hidden size */
    int d_emb;         /* of an rnn; a Transformer has one width */
    int enc_layers, dec_layers;
    const char
        *tie; /* "none", "tgt" (target embedding is the output layer), "all" (and the source embedding) */
    double dropout, dropout_attention, dropout_ff, dropout_emb;
    /* rnn */
    const char *cell;      /* cells[] */
    const char *attention; /* "none" or attentions[] */
    const char *context;   /* without attention: "init", "every-step" */
    const char *readout;   /* "deep", "attentional", "state"; NULL: as the decoder's context asks for */
    bool bidirectional, input_feeding, residual;
    int d_readout; /* rnn: width of the tanh layer before the output; 0: none. d_attention: of the energies */
    int d_attention;
    int attention_span; /* source words (eos counted) that an attention by place knows */
    /* transformer */
    int d_ff, n_heads;
    const char *positions;  /* position_kinds[]; NULL: sinusoidal */
    int max_positions;      /* learned: later words have the last one's */
    const char *norm_type;  /* norm_kinds[]; NULL: layer */
    const char *norm;       /* "pre", "post" */
    const char *activation; /* activations[] */
} net_config;

typedef struct model model;

/* 0, or -1 with a message that names the option: contradictions between values (d_model % n_heads,
 * tie and vocabularies, ...), unknown names. */
int net_config_check(const net_config *c);

/* "rnn", or "transformer encoder, rnn decoder"; in static memory. */
const char *net_config_kind(const net_config *c);

/* Whether the network of `c` uses the option of this name ("n-heads", "cell", ...); options that
 * describe no network are used. */
bool net_config_uses(const net_config *c, const char *option);

/* A network with all parameters zero; config must have passed net_config_check. Strings are kept by
 * pointer to static rows, so c may go. `gradients`: for training. */
model *model_new(const net_config *c, bool gradients);
/* A network with the values of `of` (which must live longer) and gradients of its own: for threads that work
 * on parts of a batch. */
model *model_sharing(const model *of);
void model_free(model *m); /* NULL is fine */
const net_config *model_config(const model *m);
params *model_params(model *m);
size_t model_product_bytes(const model *m); /* of its weights, see params_product_bytes */
void model_init(model *m, uint64_t seed);   /* draws the parameters */
/* FLOPs of the matrix products of one forward pass over sentences of these lengths (eos counted),
 * 2 per multiply-add. Training is three times that. */
double model_flops(const model *m, const seqs *src, const seqs *tgt);
/* The same of a search that keeps `rows` hypotheses of each sentence to the length of its target: the encoder
 * once, each word of each hypothesis once. */
double model_search_flops(const model *m, const seqs *src, const seqs *tgt, int rows);
double model_word_flops(const model *m); /* of them for each word of the vocabulary and row: its logit */

typedef struct {
    double loss; /* sum over target words (eos counted) of the cross entropy with all that the settings make
                    of it, natural log */
    double nll;  /* the cross entropy alone */
    long words;
} model_sums;

/* Whether products with one matrix run step by step, many times a batch. */
bool model_stepwise(const model *m);

/* The loss of sentence pairs; sequences without bos and eos, as the tokenizer gives them (empty ones are
 * fine). how->soft is by words, sentence by sentence, eos counted. Sums are means over the draws of a pair
 * (loss_draws). If the tape records, everything is ready for tape_backward, with d(scale * loss). */
model_sums model_loss(model *m, tape *t, const seqs *src, const seqs *tgt, const loss_settings *how,
                      double scale);

/* Gives the logits (n, tgt_vocab) of every target position to `take`, some rows at a time, to change at will.
 * place[i]: where row i stands, counted sentence by sentence, eos counted. */
typedef void (*logits_taker)(int n, const int *place, real *logits, void *context);
void model_each_logits(model *m, tape *t, const seqs *src, const seqs *tgt, logits_taker take, void *context);

/* All of them as one matrix (target rows, tgt_vocab), sentence by sentence: for tests, since it is large. */
tensor *model_logits(model *m, tape *t, const seqs *src, const seqs *tgt);

/* What n networks with one vocabulary say together: the mean of their logits (target words, tgt_vocab), eos
 * counted, sentence by sentence; in `memory`. */
real *model_mean_logits(model *const *nets, int n, arena *memory, const seqs *src, const seqs *tgt);

/* Where a network attends to the source: head 1 .. heads of layer 1 .. layers. */
typedef struct {
    int layer, head;
} attention_place;

attention_place model_attention_last(const model *m); /* the last ones; {0, 0} if it has no attention */
/* The attention of every target word to the words of its source, eos counted on both sides, at all places,
 * heads of a layer behind each other: (layers * heads, total). The `total` numbers of a place are, sentence
 * by sentence, matrices (target words, source words); every row adds up to one. */
void model_attention(model *m, tape *t, const seqs *src, const seqs *tgt, size_t total, real *weights);

/* Decoding sentences, one word of every row a step. A row is a hypothesis; a sentence begins as one row, and
 * is gone when it has none. */
typedef struct decoding decoding;

/* The most that there will be at a time. */
typedef struct {
    int rows, sentences;
    int steps;       /* words of a hypothesis, eos counted */
    int said;        /* words of all hypotheses together */
    int words;       /* of all sources together, eos counted; sentences that come as others go need more, see
                      * model_join */
    bool some_words; /* logits of some words alone: model_step_some */
} decoding_room;

/* No rows yet. Memory comes from `memory` and lives until the caller resets it. */
decoding *model_open(model *m, arena *memory, const decoding_room *room);

/* Encodes src; its sentences join those that are there, as rows behind the last. The words of a sentence lie
 * together in the room for words; if longer sentences come before shorter ones, room for twice as many as
 * there ever are and for the longest once more is enough. */
void model_join(decoding *d, const seqs *src);

/* Feeds ids[row] (bos at first) and writes logits of the next word, (rows, tgt_vocab). */
void model_step(decoding *d, const int *ids, real *logits);

/* The same for some words alone, each in a column of its own: logits (rows, columns), `columns` a multiple of
 * MODEL_COLUMNS and at most the vocabulary's size, rounded up to one. A word has the bits that model_step
 * gives it, whatever stands in the other columns; columns without a word have anything. For a decoding with
 * some_words, of a network whose parameters are plain or were frozen after model_keep_output. */
enum { MODEL_COLUMNS = 64 };
void model_put_word(decoding *d, int column, int word);
void model_step_some(decoding *d, const int *ids, int columns, real *logits);
void model_keep_output(model *m);

/* From now on there are n rows, and row i continues the old row from[i] (any order, repeats allowed:
 * this is how a beam is opened, reordered and how finished hypotheses leave). */
void model_select(decoding *d, const int *from, int n);

/* The lists of encoders and decoders (model/classes.h); a network is any pair. They end with NULL. */
typedef struct encoder_class encoder_class;
typedef struct decoder_class decoder_class;
extern const encoder_class *const encoders[];
extern const decoder_class *const decoders[];

/* The i-th name of a list, NULL behind the last; of those in both lists, for --arch. */
const char *encoder_name(int i);
const char *decoder_name(int i);
const char *arch_name(int i);

#endif
