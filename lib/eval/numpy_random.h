/* The random numbers of NumPy's `default_rng(seed)`, bit for bit, because sacreBLEU's intervals and p-values
 * are made with them: the seed is stirred by SeedSequence, the generator is PCG64 (O'Neill 2014, "PCG: A
 * Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation": a linear
 * congruential generator of 128 bits, output function XSL-RR), bounded numbers are drawn as Lemire 2019
 * ("Fast Random Integer Generation in an Interval"). Everything else in tulk draws from base/rng.h. */
#ifndef TULK_EVAL_NUMPY_RANDOM_H
#define TULK_EVAL_NUMPY_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 numpy_u128;

typedef struct {
    numpy_u128 state, increment;
    bool has_half; /* the upper half of the last number waits in `half` */
    uint32_t half;
} numpy_rng;

numpy_rng numpy_rng_new(uint64_t seed); /* numpy.random.default_rng(seed) */

uint64_t numpy_u64(numpy_rng *r);
uint32_t numpy_u32(numpy_rng *r); /* the lower half of a number, then its upper half */

/* Goes on as if `n` numbers of 64 bits had been drawn, in O(log n); a waiting half is dropped. */
void numpy_skip(numpy_rng *r, uint64_t n);

/* out[0 .. n - 1] = the next numbers of `choice(below, size=...)`, 0 .. below - 1. A draw with several
 * dimensions is these numbers row by row, in as many calls as one likes. below >= 1. */
void numpy_choice(numpy_rng *r, uint32_t below, uint32_t *out, size_t n);

#endif
