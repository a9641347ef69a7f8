/* Hashes: SHA-256 (FIPS 180-4) for what must be the same everywhere, a fast 64-bit one for tables. */
#ifndef TULK_BASE_HASH_H
#define TULK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t h[8];
    uint64_t total;
    unsigned char block[64];
} sha256;

void sha256_init(sha256 *s);
void sha256_add(sha256 *s, const void *bytes, size_t n);
void sha256_hex(sha256 *s, char out[65]); /* ends the hash; lower-case hex with '\0' */

uint64_t hash64(const void *bytes, size_t n); /* for tables and checksums; stable across machines */
uint64_t hash64_mix(uint64_t a, uint64_t b);  /* of two numbers */

#endif
