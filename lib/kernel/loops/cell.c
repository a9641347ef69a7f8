/* The recurrent cells' equations, see kernel/cell.h. Arrays of a row lie gate by gate, H apart. */
#include "kernel/loops/loops.h"
#include "kernel/loops/math.h"

static void tanh_forward(const cell_row *s)
{
    const real *gates = s->gates, *gh = s->gh;
    real *h = s->h;
#pragma omp simd
    for (long j = 0; j < s->H; j++) h[j] = real_tanh(gates[j] + gh[j]);
}

static void tanh_backward(const cell_row *s)
{
    const real *h = s->h, *dh = s->dh;
    real *gates = s->gates;
#pragma omp simd
    for (long j = 0; j < s->H; j++) gates[j] = dh[j] * (1 - h[j] * h[j]);
}

static void relu_forward(const cell_row *s)
{
    const real *gates = s->gates, *gh = s->gh;
    real *h = s->h;
#pragma omp simd
    for (long j = 0; j < s->H; j++) {
        real a = gates[j] + gh[j];
        h[j] = a < 0 ? 0 : a;
    }
}

static void relu_backward(const cell_row *s)
{
    const real *h = s->h, *dh = s->dh;
    real *gates = s->gates;
#pragma omp simd
    for (long j = 0; j < s->H; j++) gates[j] = h[j] > 0 ? dh[j] : 0;
}

/* Left in gates: r, z, n; in own: gh_n. */
static void gru_forward(const cell_row *s)
{
    const long H = s->H;
    real *gate_r = s->gates, *gate_z = gate_r + H, *gate_n = gate_z + H, *own = s->own, *h = s->h;
    const real *gh_r = s->gh, *gh_z = gh_r + H, *gh_n = gh_z + H, *h_prev = s->h_prev;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real r = real_sigmoid(gate_r[j] + gh_r[j]), z = real_sigmoid(gate_z[j] + gh_z[j]), side = gh_n[j];
        real n = real_tanh(gate_n[j] + r * side);
        gate_r[j] = r;
        gate_z[j] = z;
        gate_n[j] = n;
        own[j] = side;
        h[j] = n + z * (h_prev[j] - n);
    }
}

static void gru_backward(const cell_row *s)
{
    const long H = s->H;
    real *gate_r = s->gates, *gate_z = gate_r + H, *gate_n = gate_z + H, *own = s->own, *dh_prev = s->dh_prev;
    const real *h_prev = s->h_prev, *dh = s->dh;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real r = gate_r[j], z = gate_z[j], n = gate_n[j], d = dh[j];
        real dn = d * (1 - z) * (1 - n * n);
        gate_r[j] = dn * own[j] * r * (1 - r);
        gate_z[j] = d * (h_prev[j] - n) * z * (1 - z);
        gate_n[j] = dn;
        own[j] = dn * r;
        dh_prev[j] += d * z;
    }
}

/* Left in gates: i, f, g, o. */
static void lstm_forward(const cell_row *s)
{
    const long H = s->H;
    real *gate_i = s->gates, *gate_f = gate_i + H, *gate_g = gate_f + H, *gate_o = gate_g + H;
    const real *gh_i = s->gh, *gh_f = gh_i + H, *gh_g = gh_f + H, *gh_o = gh_g + H, *c_prev = s->c_prev;
    real *h = s->h, *c = s->c;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real i = real_sigmoid(gate_i[j] + gh_i[j]), f = real_sigmoid(gate_f[j] + gh_f[j]);
        real g = real_tanh(gate_g[j] + gh_g[j]), o = real_sigmoid(gate_o[j] + gh_o[j]);
        real memory = f * c_prev[j] + i * g;
        gate_i[j] = i;
        gate_f[j] = f;
        gate_g[j] = g;
        gate_o[j] = o;
        c[j] = memory;
        h[j] = o * real_tanh(memory);
    }
}

/* tanh(c') is computed again: keeping it would cost another H reals a row. */
static void lstm_backward(const cell_row *s)
{
    const long H = s->H;
    real *gate_i = s->gates, *gate_f = gate_i + H, *gate_g = gate_f + H, *gate_o = gate_g + H;
    const real *c = s->c, *c_prev = s->c_prev, *dh = s->dh, *dc = s->dc;
    real *dc_prev = s->dc_prev;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real i = gate_i[j], f = gate_f[j], g = gate_g[j], o = gate_o[j], out = real_tanh(c[j]);
        real d = dc[j] + dh[j] * o * (1 - out * out);
        gate_i[j] = d * g * i * (1 - i);
        gate_f[j] = d * c_prev[j] * f * (1 - f);
        gate_g[j] = d * i * (1 - g * g);
        gate_o[j] = dh[j] * out * o * (1 - o);
        dc_prev[j] += d * f;
    }
}

/* Left in gates: g, n. */
static void ugrnn_forward(const cell_row *s)
{
    const long H = s->H;
    real *gate_g = s->gates, *gate_n = gate_g + H, *h = s->h;
    const real *gh_g = s->gh, *gh_n = gh_g + H, *h_prev = s->h_prev;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real g = real_sigmoid(gate_g[j] + gh_g[j]), n = real_tanh(gate_n[j] + gh_n[j]);
        gate_g[j] = g;
        gate_n[j] = n;
        h[j] = n + g * (h_prev[j] - n);
    }
}

static void ugrnn_backward(const cell_row *s)
{
    const long H = s->H;
    real *gate_g = s->gates, *gate_n = gate_g + H, *dh_prev = s->dh_prev;
    const real *h_prev = s->h_prev, *dh = s->dh;
#pragma omp simd
    for (long j = 0; j < H; j++) {
        real g = gate_g[j], n = gate_n[j], d = dh[j];
        gate_g[j] = d * (h_prev[j] - n) * g * (1 - g);
        gate_n[j] = d * (1 - g) * (1 - n * n);
        dh_prev[j] += d * g;
    }
}

#define CELL_FORWARD(name, gates, own, has_memory)  name##_forward,
#define CELL_BACKWARD(name, gates, own, has_memory) name##_backward,
const struct cell_loops LOOPS(cell) = {
    .forward = {CELL_LIST(CELL_FORWARD)},
    .backward = {CELL_LIST(CELL_BACKWARD)},
};
