/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011). A number is a function of a key and a place, so nothing
 * depends on the order of the draws or on threads, and there is no state to save but the place. */
#ifndef TULK_BASE_RNG_H
#define TULK_BASE_RNG_H

#include <stdint.h>

/* Four 32-bit numbers of the 128-bit counter (hi, lo) under the key. */
void philox(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4]);

/* A stream of draws at one place; `stream` separates uses of the same seed (see enum). */
typedef struct {
    uint64_t key, stream, next;
    uint32_t have[4];
    int left;
} rng;

/* Uses of the seed, so that two never draw the same numbers. */
enum rng_stream { RNG_INIT = 1, RNG_SHUFFLE, RNG_DROPOUT, RNG_SAMPLE, RNG_BPE, RNG_TEST, RNG_WEIGHT };

rng rng_at(uint64_t seed, enum rng_stream use, uint64_t place);
uint32_t rng_u32(rng *r);
uint32_t rng_below(rng *r, uint32_t n); /* 0 .. n - 1, unbiased; n >= 1 */
double rng_uniform(rng *r);             /* [0, 1) with 53 bits */
double rng_normal(rng *r);              /* mean 0, variance 1 */
void rng_shuffle(rng *r, uint32_t *items, uint32_t n);

#endif
