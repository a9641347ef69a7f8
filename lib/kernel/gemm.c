#include "kernel/gemm.h"

static real element(enum gemm_kind kind, long i, long j, long k, const real *a, long lda, const real *b,
                    long ldb)
{
    real sum = 0;
    for (long p = 0; p < k; p++)
        sum += (kind == GEMM_TN ? a[p * lda + i] : a[i * lda + p]) *
               (kind == GEMM_NT ? b[j * ldb + p] : b[p * ldb + j]);
    return sum;
}

void gemm(enum gemm_kind kind, long m, long n, long k, const real *a, long lda, const real *b, long ldb,
          const real *bias, bool add, real *c, long ldc)
{
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            real sum = element(kind, i, j, k, a, lda, b, ldb);
            c[i * ldc + j] = sum + (add ? c[i * ldc + j] : bias ? bias[j] : 0);
        }
}
