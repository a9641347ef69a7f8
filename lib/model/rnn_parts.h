/* What recurrent encoders and decoders share: how their matrices are declared, and their limits. Internal to
 * model/. */
#ifndef TULK_MODEL_RNN_PARTS_H
#define TULK_MODEL_RNN_PARTS_H

#include "model/encoded.h"
#include "model/model.h"
#include "nn/recurrent.h"

enum { RNN_MAX_LAYERS = MAX_SUMMARIES };

typedef struct {
    tensor *w, *b;
} rnn_matrix;

/* As PyTorch starts them: a linear layer by its input width, a recurrent one by its state width. */
double rnn_by_width(int n);

/* A parameter with a formatted name. */
tensor *rnn_add(params *p, int rows, int cols, enum init_kind init, double gain, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* PREFIX.weight_ih_SUFFIX and so on, of a layer of hidden size H. */
recurrent_weights rnn_add_layer(params *p, const char *prefix, const char *suffix, int in, int H, int gates);

/* NAME.weight (out, in), NAME.bias. */
rnn_matrix rnn_add_matrix(params *p, const char *name, int out, int in);

/* values[index[i]], i < n, in the tape's memory. */
const int *rnn_gather_ints(tape *t, const int *values, const int *index, int n);

/* Dropout of embeddings: negative means as --dropout. */
double rnn_dropout_emb(const net_config *c);

/* The options that both sides check; 0, or -1 with a message. */
int rnn_check(const net_config *c, const char *side, int layers);

#endif
