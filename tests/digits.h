/* Digit strings as toy languages that any sequence-to-sequence network must be able to learn (as in Sockeye's
 * system tests): the source is a random string, the target a copy of it, the string backwards, or its digits
 * in order.
 */
#ifndef TULK_TESTS_DIGITS_H
#define TULK_TESTS_DIGITS_H

#include <stddef.h>
#include <string.h>

#include "base/ids.h"
#include "base/rng.h"
#include "base/seqs.h"

enum { DIGITS = 10, DIGIT_VOCAB = ID_FIRST + DIGITS, DIGITS_MOST = 64 };

typedef struct {
    const char *name;
    void (*answer)(const int *in, int n, int *out);
} digit_task;

static inline void digits_copy(const int *in, int n, int *out) { memcpy(out, in, (size_t)n * sizeof *out); }

static inline void digits_reverse(const int *in, int n, int *out)
{
    for (int i = 0; i < n; i++) out[i] = in[n - 1 - i];
}

static inline void digits_sort(const int *in, int n, int *out)
{
    int at = 0;
    for (int d = ID_FIRST; d < DIGIT_VOCAB; d++)
        for (int i = 0; i < n; i++)
            if (in[i] == d) out[at++] = d;
}

static const digit_task digit_tasks[] = {
    {"copy", digits_copy}, {"reverse", digits_reverse}, {"sort", digits_sort}, {NULL, NULL}};

/* Adds n pairs of `shortest` to `longest` digits; the same ones for the same `stream`. */
static inline void digit_pairs(const digit_task *task, int n, int shortest, int longest, uint64_t stream,
                               seqs *src, seqs *tgt)
{
    rng r = rng_at(77, RNG_TEST, stream);
    for (int i = 0; i < n; i++) {
        int in[DIGITS_MOST], out[DIGITS_MOST];
        int len = shortest + (int)rng_below(&r, (uint32_t)(longest - shortest + 1));
        for (int k = 0; k < len; k++) in[k] = ID_FIRST + (int)rng_below(&r, DIGITS);
        task->answer(in, len, out);
        seqs_add(src, in, (size_t)len);
        seqs_add(tgt, out, (size_t)len);
    }
}

#endif
