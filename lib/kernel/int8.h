/* Products in whole numbers of eight bits, for translating and scoring: C = A W^T + b with weights that were
 * quantised and packed once, and activations that are quantised row by row as they come.
 *
 * The scheme is symmetric, without zero points (Jacob et al. 2018, section 2, with Z = 0). Of a row x of A,
 * and of a row w of W, i.e. of one output,
 *
 *     q = round(x / s), s = max |x| / 127, -127 <= q <= 127;   y = s_x s_w (q_x . q_w) + b
 *
 * where `round` is to the nearest, of two the even one. The dot product is exact: no instruction used
 * saturates, and INT8_MOST_K products of 127 x 127 fit into 32 bits. So it is the same for every instruction
 * set, and since the rest is the same few operations in the same order, so is y: the same bits everywhere
 * (test-int8).
 *
 * Law of rows: a row of C depends on its row of A alone (its scale is its own), not on m, on its place, or on
 * the number of threads.
 *
 * How far off: an element of A is off by half of s_x at most, one of W by half of s_w, so that
 * |y - y_exact| <= s_x s_w / 2 (sum |q_x| + sum |q_w| + k / 2), up to the rounding of y itself.
 *
 * A row of A with a NaN or an infinity gives a row of NaN. Rows whose largest number is below 1e-36 count as
 * zero.
 *
 * The instructions, and why these.
 *
 * avx512vnni: vpdpbusd adds four products of unsigned by signed bytes to 32 bits at once and does not
 * saturate. Activations are stored with 128 added, which the sums start without: -128 sum(q_w), known since
 * weights were packed.
 *
 * avx512, avx2: vpmaddwd, two products of 16-bit numbers, exact. Weights are bytes in memory and widened as
 * they are loaded, once for all rows of a panel. vpmaddubsw multiplies twice as many, but saturates at 32,767
 * unless activations have seven bits: a quarter faster, half as exact (lib/README.md).
 *
 * c, neon: a dot product of 16-bit numbers, which compilers know how to make of vectors. */
#ifndef TULK_KERNEL_INT8_H
#define TULK_KERNEL_INT8_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/real.h"

enum { INT8_MOST_K = 1 << 17 };

/* Quantises W (n, k), rows ldw apart, into `out` of int8_packed_bytes(n, k) bytes, aligned to 64, as the
 * instruction set in use wants it. k <= INT8_MOST_K. */
size_t int8_packed_bytes(long n, long k);
void int8_pack(long n, long k, const real *w, long ldw, void *out);

/* The same column by column: columns from .. from + count (`from` a multiple of INT8_COLUMNS) are cleared,
 * that is zero, before they are written; then w(k) becomes column `column`, whatever it was, with the bits
 * that int8_pack gives it. */
enum { INT8_COLUMNS = 64 };
void int8_clear_columns(long n, long k, long from, long count, void *packed);
void int8_pack_column(long n, long k, long column, const real *w, void *packed);

/* C(m, n) = or += A(m, k) W^T, rows lda and ldc apart. `bias` (n) is added to each row, NULL for none (and
 * must be NULL with add). C must not overlap A. m, n, k may be 0. Parallel over a fixed grid of tiles; serial
 * inside a task. */
void int8_product(long m, long n, long k, const real *a, long lda, const void *packed, const real *bias,
                  bool add, real *c, long ldc);
/* The same with the first n of the `all` columns that were packed. */
void int8_product_columns(long m, long n, long k, const real *a, long lda, const void *packed, long all,
                          const real *bias, bool add, real *c, long ldc);

#endif
