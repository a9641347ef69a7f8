/* Matrix products. All matrices are row-major; ld is the distance between rows in elements.
 *
 * Law of rows: an element of C is the sum over k in one fixed order that depends on k alone, not on m,
 * n, the element's place, the leading dimensions, or the number of threads. So a row of a product has
 * the same bits whether it is computed alone or among hundreds of others (test-gemm proves it), which is
 * what makes a translation independent of its batch. */
#ifndef TULK_KERNEL_GEMM_H
#define TULK_KERNEL_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/real.h"

enum gemm_kind {
    GEMM_NT, /* C(m,n) = A(m,k)   B(n,k)^T   forward of a linear layer, weights [out][in] */
    GEMM_NN, /* C(m,n) = A(m,k)   B(k,n)     gradient by the input */
    GEMM_TN  /* C(m,n) = A(k,m)^T B(k,n)     gradient by the weights */
};

/* What the numbers of A and B are multiplied as. GEMM_BF16: each is rounded to bfloat16, the 16 high bits of
 * a float, to the nearest, of two the even one (an error of at most 2^-9 of it; Kalamkar et al. 2019); sums
 * are floats. A processor with AVX512-BF16 makes twice as many such products at a time; elsewhere they are
 * made of floats, no faster than GEMM_FP32. Law of rows: as above. Different instruction sets may round sums
 * differently. Where `real` is double (tests) it is as GEMM_FP32. */
enum gemm_numbers { GEMM_FP32, GEMM_BF16 };

/* Whether the instruction set in use multiplies bfloat16 itself. */
bool gemm_has_bf16(void);

/* C = A.B, or C += A.B with `add`. `bias` (n) is added to each row, NULL for none (and must be NULL
 * with add). C must not overlap A or B. Any of m, n, k may be 0 (k = 0: C = bias or 0, or unchanged).
 * Parallel over a fixed grid of tiles; serial inside a task. */
void gemm(enum gemm_numbers numbers, enum gemm_kind kind, long m, long n, long k, const real *a, long lda,
          const real *b, long ldb, const real *bias, bool add, real *c, long ldc);

/* A matrix B that many products share, e.g. weights during an update, packed once in the order in which the
 * micro-kernel reads it. B is (n, k) for GEMM_NT and (k, n) for GEMM_NN, as above. */
size_t gemm_packed_reals(enum gemm_numbers numbers, long n, long k); /* room that `out` needs */
void gemm_pack(enum gemm_numbers numbers, enum gemm_kind kind, long n, long k, const real *b, long ldb,
               real *out);

/* C(m,n) = or += A(m,k) by a B that was packed for the same numbers: the same bits as gemm() with the B
 * that was packed. */
void gemm_packed(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                 const real *packed, const real *bias, bool add, real *c, long ldc);

/* The same with a part of a packed B: its columns from .. from + n of `all`, `from` a multiple of GEMM_PART,
 * to c(m, n) and bias(n); or its rows from .. from + k, `from` a multiple of GEMM_PART, with a(m, k). */
enum { GEMM_PART = 256 };
void gemm_packed_columns(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                         const real *packed, long from, long all, const real *bias, bool add, real *c,
                         long ldc);
void gemm_packed_rows(enum gemm_numbers numbers, long m, long n, long k, const real *a, long lda,
                      const real *packed, long from, bool add, real *c, long ldc);

/* What follows is of GEMM_FP32. b(k): column `column` of a packed B of n columns, whatever product it was
 * packed for. */
void gemm_unpack_column(long n, long k, const real *packed, long column, real *b);

/* A packed B that is made column by column. `all`, its columns, is a multiple of GEMM_COLUMNS, and so are
 * those that products take of it (gemm_packed_columns). Columns are cleared, that is zero, before they are
 * written: from .. from + n, both multiples of GEMM_COLUMNS; b(k) then becomes column `column`, whatever it
 * was. */
enum { GEMM_COLUMNS = 64 };
void gemm_clear_columns(long all, long k, long from, long n, real *packed);
void gemm_pack_column(long all, long k, long column, const real *b, real *packed);

/* A loop of nothing but multiply-adds on the calling thread, to measure what the processor can do at most
 * with the instruction set in use. Returns the number of floating-point operations. */
double gemm_peak(enum gemm_numbers numbers, long rounds);

#endif
