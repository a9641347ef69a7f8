#include "eval/numpy_random.h"

/* ------------------------------------------------------------------------------------ SeedSequence */

/* The constants of O'Neill's seed_seq_fe ("Developing a seed_seq Alternative", 2015) as NumPy uses it. */
enum { POOL = 4 };
static const uint32_t INIT_A = 0x43b0d7e5, MULT_A = 0x931e8875, INIT_B = 0x8b51f9dd, MULT_B = 0x58f38ded,
                      MIX_LEFT = 0xca01f9dd, MIX_RIGHT = 0x4973f715;

static uint32_t fold(uint32_t x) { return x ^ x >> 16; }

static uint32_t stir(uint32_t value, uint32_t *constant, uint32_t factor)
{
    value ^= *constant;
    *constant *= factor;
    return fold(value * *constant);
}

static uint32_t mix(uint32_t x, uint32_t y) { return fold(MIX_LEFT * x - MIX_RIGHT * y); }

/* The pool of a seed of up to 64 bits, which fills at most two of its words. */
static void fill_pool(uint64_t seed, uint32_t pool[POOL])
{
    uint32_t constant = INIT_A;
    for (int i = 0; i < POOL; i++) pool[i] = stir(i < 2 ? (uint32_t)(seed >> 32 * i) : 0, &constant, MULT_A);
    for (int from = 0; from < POOL; from++)
        for (int to = 0; to < POOL; to++)
            if (from != to) pool[to] = mix(pool[to], stir(pool[from], &constant, MULT_A));
}

static void seed_words(uint64_t seed, uint64_t *out, int n)
{
    uint32_t pool[POOL], constant = INIT_B;
    fill_pool(seed, pool);
    for (int i = 0; i < n; i++) {
        uint64_t low = stir(pool[2 * i % POOL], &constant, MULT_B);
        out[i] = low | (uint64_t)stir(pool[(2 * i + 1) % POOL], &constant, MULT_B) << 32;
    }
}

/* ------------------------------------------------------------------------------------ PCG64 */

static numpy_u128 u128(uint64_t high, uint64_t low) { return (numpy_u128)high << 64 | low; }

static numpy_u128 multiplier(void) { return u128(2549297995355413924u, 4865540595714422341u); }

static void step(numpy_rng *r) { r->state = r->state * multiplier() + r->increment; }

numpy_rng numpy_rng_new(uint64_t seed)
{
    uint64_t words[4];
    seed_words(seed, words, 4);
    numpy_rng r = {.increment = u128(words[2], words[3]) << 1 | 1};
    step(&r);
    r.state += u128(words[0], words[1]);
    step(&r);
    return r;
}

uint64_t numpy_u64(numpy_rng *r)
{
    step(r);
    uint64_t folded = (uint64_t)(r->state >> 64) ^ (uint64_t)r->state;
    unsigned turn = (unsigned)(r->state >> 122);
    return folded >> turn | folded << (-turn & 63);
}

uint32_t numpy_u32(numpy_rng *r)
{
    if (r->has_half) {
        r->has_half = false;
        return r->half;
    }
    uint64_t x = numpy_u64(r);
    r->has_half = true;
    r->half = (uint32_t)(x >> 32);
    return (uint32_t)x;
}

/* n steps x -> a x + c are one step of the same form, found by squaring (Brown 1994). */
void numpy_skip(numpy_rng *r, uint64_t n)
{
    numpy_u128 a = multiplier(), c = r->increment, all_a = 1, all_c = 0;
    for (; n; n >>= 1) {
        if (n & 1) {
            all_a *= a;
            all_c = all_c * a + c;
        }
        c *= a + 1;
        a *= a;
    }
    r->state = r->state * all_a + all_c;
    r->has_half = false;
}

/* ------------------------------------------------------------------------------------ bounded */

void numpy_choice(numpy_rng *r, uint32_t below, uint32_t *out, size_t n)
{
    uint32_t too_low = below ? -below % below : 0; /* 2^32 mod below: the products that would favour some */
    for (size_t i = 0; i < n; i++) {
        uint64_t product = 0;
        if (below > 1) /* NumPy draws nothing where there is no choice */
            do product = (uint64_t)numpy_u32(r) * below;
            while ((uint32_t)product < too_low);
        out[i] = (uint32_t)(product >> 32);
    }
}
