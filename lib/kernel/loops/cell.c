/* The recurrent cells' equations, see kernel/cell.h. Arrays of a row lie gate by gate, H apart. */
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void tanh_forward(long H, const real *gx, const real *gh, const real *h_prev, const real *c_prev,
                         real *h, real *c, real *kept)
{
    (void)h_prev, (void)c_prev, (void)c, (void)kept;
#pragma omp simd
    for (long j = 0; j < H; j++) h[j] = real_tanh(gx[j] + gh[j]);
}

static void tanh_backward(long H, const real *kept, const real *h, const real *h_prev, const real *c,
                          const real *c_prev, const real *dh, real *dc, real *dgx, real *dgh, real *dh_prev)
{
    (void)kept, (void)h_prev, (void)c, (void)c_prev, (void)dc, (void)dgh;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        dgx[j] = dh[j] * (1 - h[j] * h[j]);
        dh_prev[j] = 0;
    }
}

static void relu_forward(long H, const real *gx, const real *gh, const real *h_prev, const real *c_prev,
                         real *h, real *c, real *kept)
{
    (void)h_prev, (void)c_prev, (void)c, (void)kept;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real a = gx[j] + gh[j];
        h[j] = a < 0 ? 0 : a;
    }
}

static void relu_backward(long H, const real *kept, const real *h, const real *h_prev, const real *c,
                          const real *c_prev, const real *dh, real *dc, real *dgx, real *dgh, real *dh_prev)
{
    (void)kept, (void)h_prev, (void)c, (void)c_prev, (void)dc, (void)dgh;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        dgx[j] = h[j] > 0 ? dh[j] : 0;
        dh_prev[j] = 0;
    }
}

/* kept: r, z, n, gh_n */
static void gru_forward(long H, const real *gx, const real *gh, const real *h_prev, const real *c_prev,
                        real *h, real *c, real *kept)
{
    (void)c_prev, (void)c;
    if (!kept) {
#pragma omp simd
        for (long j = 0; j < H; j++) {
            real r = real_sigmoid(gx[j] + gh[j]), z = real_sigmoid(gx[H + j] + gh[H + j]);
            real n = real_tanh(gx[2 * H + j] + r * gh[2 * H + j]);
            h[j] = n + z * (h_prev[j] - n);
        }
        return;
    }
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real r = real_sigmoid(gx[j] + gh[j]), z = real_sigmoid(gx[H + j] + gh[H + j]);
        real n = real_tanh(gx[2 * H + j] + r * gh[2 * H + j]);
        kept[j] = r;
        kept[H + j] = z;
        kept[2 * H + j] = n;
        kept[3 * H + j] = gh[2 * H + j];
        h[j] = n + z * (h_prev[j] - n);
    }
}

static void gru_backward(long H, const real *kept, const real *h, const real *h_prev, const real *c,
                         const real *c_prev, const real *dh, real *dc, real *dgx, real *dgh, real *dh_prev)
{
    (void)h, (void)c, (void)c_prev, (void)dc;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real r = kept[j], z = kept[H + j], n = kept[2 * H + j], gh_n = kept[3 * H + j];
        real dn = dh[j] * (1 - z) * (1 - n * n);
        real dz = dh[j] * (h_prev[j] - n) * z * (1 - z), dr = dn * gh_n * r * (1 - r);
        dgx[j] = dr;
        dgh[j] = dr;
        dgx[H + j] = dz;
        dgh[H + j] = dz;
        dgx[2 * H + j] = dn;
        dgh[2 * H + j] = dn * r;
        dh_prev[j] = dh[j] * z;
    }
}

/* kept: i, f, g, o, tanh(c') */
static void lstm_forward(long H, const real *gx, const real *gh, const real *h_prev, const real *c_prev,
                         real *h, real *c, real *kept)
{
    (void)h_prev;
    if (!kept) {
#pragma omp simd
        for (long j = 0; j < H; j++) {
            real i = real_sigmoid(gx[j] + gh[j]), f = real_sigmoid(gx[H + j] + gh[H + j]);
            real g = real_tanh(gx[2 * H + j] + gh[2 * H + j]),
                 o = real_sigmoid(gx[3 * H + j] + gh[3 * H + j]);
            c[j] = f * c_prev[j] + i * g;
            h[j] = o * real_tanh(c[j]);
        }
        return;
    }
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real i = real_sigmoid(gx[j] + gh[j]), f = real_sigmoid(gx[H + j] + gh[H + j]);
        real g = real_tanh(gx[2 * H + j] + gh[2 * H + j]), o = real_sigmoid(gx[3 * H + j] + gh[3 * H + j]);
        real memory = f * c_prev[j] + i * g, out = real_tanh(memory);
        kept[j] = i;
        kept[H + j] = f;
        kept[2 * H + j] = g;
        kept[3 * H + j] = o;
        kept[4 * H + j] = out;
        c[j] = memory;
        h[j] = o * out;
    }
}

static void lstm_backward(long H, const real *kept, const real *h, const real *h_prev, const real *c,
                          const real *c_prev, const real *dh, real *dc, real *dgx, real *dgh, real *dh_prev)
{
    (void)h, (void)h_prev, (void)c, (void)dgh;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real i = kept[j], f = kept[H + j], g = kept[2 * H + j], o = kept[3 * H + j], out = kept[4 * H + j];
        real d = dc[j] + dh[j] * o * (1 - out * out);
        dgx[j] = d * g * i * (1 - i);
        dgx[H + j] = d * c_prev[j] * f * (1 - f);
        dgx[2 * H + j] = d * i * (1 - g * g);
        dgx[3 * H + j] = dh[j] * out * o * (1 - o);
        dc[j] = d * f;
        dh_prev[j] = 0;
    }
}

const struct cell_loops LOOPS(cell) = {
    .forward = {tanh_forward, relu_forward, gru_forward, lstm_forward},
    .backward = {tanh_backward, relu_backward, gru_backward, lstm_backward},
};
