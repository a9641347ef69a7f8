/* A tensor is a matrix view: rows x cols reals, row-major, `ld` apart; values and, when somebody will
 * ask for them, gradients at the same places. Who allocated it owns it (an arena or a params block). */
#ifndef TULK_TENSOR_TENSOR_H
#define TULK_TENSOR_TENSOR_H

#include <stdbool.h>

#include "kernel/gemm.h"

typedef struct tensor {
    int rows, cols, ld;
    real *v;                 /* (rows, cols) */
    real *g;                 /* (rows, cols), or NULL: no gradient wanted, or none yet */
    struct touched *touched; /* a table's gradients, in place of g (tensor/touched.h) */
    /* Row i is row which[i] of `distinct`, for who would compute the same for each of them; NULL: nobody
     * knows. */
    const struct tensor *distinct;
    const int *which;
    struct tape *lender; /* of memory for g while backward needs it (tape_gradient); NULL: g stays */
    /* Weights that were packed for products (tensor/params.h): by rows, by columns. NULL: not packed. */
    const real *by_rows, *by_cols;
    const void
        *int8; /* or for products forward in whole numbers (kernel/int8.h): then they alone are there */
    enum gemm_numbers numbers; /* weights: what products with them are made of, packed or not */
    bool stepwise; /* weights: gradients go back through them step by step, so that by_cols is worth its
                      memory */
} tensor;

#endif
