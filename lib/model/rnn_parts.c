#include "model/rnn_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

double rnn_by_width(int n) { return 1 / sqrt(n); }

tensor *rnn_add(params *p, int rows, int cols, enum init_kind init, double gain, const char *format, ...)
{
    char name[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return params_add(p, name, rows, cols, init, gain);
}

recurrent_weights rnn_add_layer(params *p, const char *prefix, const char *suffix, int in, int H, int gates)
{
    double u = rnn_by_width(H);
    recurrent_weights w = {rnn_add(p, gates * H, in, INIT_UNIFORM, u, "%s.weight_ih_%s", prefix, suffix),
                           rnn_add(p, gates * H, 1, INIT_UNIFORM, u, "%s.bias_ih_%s", prefix, suffix),
                           rnn_add(p, gates * H, H, INIT_UNIFORM, u, "%s.weight_hh_%s", prefix, suffix),
                           rnn_add(p, gates * H, 1, INIT_UNIFORM, u, "%s.bias_hh_%s", prefix, suffix)};
    w.w_hh->stepwise = true;
    return w;
}

rnn_matrix rnn_add_matrix(params *p, const char *name, int out, int in)
{
    return (rnn_matrix){rnn_add(p, out, in, INIT_UNIFORM, rnn_by_width(in), "%s.weight", name),
                        rnn_add(p, out, 1, INIT_ZERO, 0, "%s.bias", name)};
}

const int *rnn_gather_ints(tape *t, const int *values, const int *index, int n)
{
    int *out = arena_alloc(t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) out[i] = values[index[i]];
    return out;
}

double rnn_dropout_emb(const net_config *c) { return c->dropout_emb < 0 ? c->dropout : c->dropout_emb; }

int rnn_check(const net_config *c, const char *side, int layers)
{
    if (!cell_find(c->cell)) return fail("--cell %s: there is no such cell", c->cell);
    if (c->d_emb < 1) return fail("--d-emb %d: must be at least 1", c->d_emb);
    if (layers > RNN_MAX_LAYERS)
        return fail("--%s-layers %d: at most %d for recurrent layers", side, layers, RNN_MAX_LAYERS);
    return 0;
}
