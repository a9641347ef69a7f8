/* exp, tanh, sigmoid and the normal distribution as straight-line code that compilers vectorise.
 * Float: own polynomials, within these units in the last place of the exact result (tests/test_math.c holds
 * them to it): exp 1.5, tanh and sigmoid 3, gelu 24 on -5 .. 5 (it is tiny where it is least exact); double:
 * the C library. All saturate at the ends and hand NaN through, so that a NaN in a layer is a NaN in the
 * loss. */
#ifndef TULK_KERNEL_LOOPS_MATH_H
#define TULK_KERNEL_LOOPS_MATH_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "kernel/real.h"

#ifdef TULK_DOUBLE

#define REAL_MOST DBL_MAX

static inline real real_exp(real x) { return exp(x); }
static inline real real_tanh(real x) { return tanh(x); }
static inline real real_sigmoid(real x) { return 1 / (1 + exp(-x)); }
static inline real real_sqrt(real x) { return sqrt(x); }
static inline real real_abs(real x) { return fabs(x); }

/* Phi(x), the normal distribution, and *density its derivative. */
static inline real real_normal(real x, real *density)
{
    *density = 0.39894228040143267794 * exp(-0.5 * x * x);
    return 0.5 * erfc(x * -0.70710678118654752440);
}

#else

#define REAL_MOST FLT_MAX

static inline real real_sqrt(real x) { return sqrtf(x); }
static inline real real_abs(real x) { return fabsf(x); }

static inline float float_of_bits(uint32_t bits)
{
    union {
        uint32_t u;
        float f;
    } v = {bits};
    return v.f;
}

static inline uint32_t bits_of_float(float f)
{
    union {
        float f;
        uint32_t u;
    } v = {f};
    return v.u;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2. Returns (e^r - 1 - r) / r^2 and leaves n in the low bits of a shifter's.
 */
static inline float exp_reduce(float x, float *r, uint32_t *n)
{
    const float shifter = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
    float t = x * 1.44269504f + shifter;
    *n = bits_of_float(t);
    float k = t - shifter;
    float s = x - k * 0.693359375f; /* exact: the constant has 9 bits */
    s = s - k * -2.12194440e-4f;
    *r = s;
    float q = 1.3814596e-3f;
    q = q * s + 8.3687175e-3f;
    q = q * s + 4.1668389e-2f;
    q = q * s + 1.66665211e-1f;
    return q * s + 4.99999940e-1f;
}

/* 2^n from exp_reduce's bits, -126 <= n <= 128: the shift leaves nothing of the shifter. */
static inline float two_to(uint32_t n) { return float_of_bits((n << 23) + 0x3F800000u); }

/* Zero below -87.3, where results would be subnormal; infinite from 128 ln 2 on. */
static inline float real_exp(float x)
{
    float r;
    uint32_t n;
    float high = x > 89.0f ? 89.0f : x;
    float q = exp_reduce(high, &r, &n);
    float y = (r * (r * q + 1.0f) + 1.0f) * two_to(n);
    return x < -87.3f ? 0.0f : y;
}

/* tanh(|x|) = e / (e + 2) with e = exp(2 |x|) - 1, which costs no digits near 0. */
static inline float real_tanh(float x)
{
    float r, a = fabsf(x + x);
    uint32_t n;
    a = a > 20.0f ? 20.0f : a;
    float q = exp_reduce(a, &r, &n);
    float scale = two_to(n);
    float e = scale * (r + r * r * q) + (scale - 1.0f);
    float y = e / (e + 2.0f);
    return copysignf(y, x);
}

static inline float real_sigmoid(float x) { return 1.0f / (1.0f + real_exp(-x)); }

/* Phi(x), the normal distribution, and *density its derivative. With t = 1 / (1 + |x| / 4), the ratio
 * Phi(-|x|) / exp(-x^2 / 2) is t times a polynomial in t (own minimax fit, 4e-8 relative). */
static inline float real_normal(float x, float *density)
{
    float a = fabsf(x), e = real_exp(-0.5f * x * x), t = 1.0f / (1.0f + 0.25f * a);
    float p = 1.9782048e-2f;
    p = p * t + -8.0877485e-2f;
    p = p * t + 9.5597357e-2f;
    p = p * t + -3.1717762e-2f;
    p = p * t + 6.3699223e-2f;
    p = p * t + 5.8975119e-2f;
    p = p * t + 8.1603110e-2f;
    p = p * t + 9.3466356e-2f;
    p = p * t + 9.9736430e-2f;
    p = p * t + 9.9735565e-2f;
    float tail = p * t * e;
    *density = 0.39894228f * e;
    return x < 0.0f ? tail : 1.0f - tail;
}

#endif

#endif
