/* The named parameters of a network, in one block of values and one block of gradients, so that an
 * optimizer, a checkpoint or an average is one loop over one array. */
#ifndef TULK_TENSOR_PARAMS_H
#define TULK_TENSOR_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/tensor.h"

/* How a parameter starts. */
enum init_kind {
    INIT_ZERO,
    INIT_ONE,
    INIT_XAVIER, /* uniform +- gain * sqrt(6 / (fan_in + fan_out)), Glorot and Bengio 2010 */
    INIT_NORMAL, /* normal, standard deviation `gain` */
    INIT_UNIFORM /* uniform +- gain */
};

typedef struct {
    char name[64];
    enum init_kind init;
    double gain;
    bool table;     /* rows are looked up and never multiplied: not packed */
    bool looked_up; /* a matrix whose rows are looked up, too */
    int blocks; /* INIT_XAVIER: this many matrices stacked by rows (q, k, v; gates), each drawn by itself */
    size_t offset; /* of its first real in the block */
    tensor t;      /* rows x cols; cols 1 for a vector; v and g are set by params_alloc */
} param;

/* What products with weights are computed in: real numbers, whole ones (kernel/int8.h), or bfloat16
 * (GEMM_BF16). */
enum precision { PRECISION_FP32, PRECISION_INT8, PRECISION_BF16 };
extern const char *const precision_names[]; /* "fp32", "int8", "bf16"; ends with NULL */

typedef struct {
    param *list[2048]; /* the deepest network that a model allows must fit */
    int n;
    size_t n_reals;
    real *v, *g;              /* (n_reals) */
    real *g_block;            /* memory of g */
    real *packed;             /* copies for products; NULL before the first params_pack */
    bool fresh;               /* they are those of the values */
    bool shares;              /* v and packed are another's, and g has no tables (params_share) */
    bool frozen;              /* see params_freeze */
    enum precision precision; /* of what is packed */
} params;

params *params_new(void);
void params_free(params *p); /* NULL is fine */

/* Declares a parameter; the tensor is usable after params_alloc. Names must be distinct. */
tensor *params_add(params *p, const char *name, int rows, int cols, enum init_kind init, double gain);
tensor *params_add_stacked(params *p, const char *name, int rows, int cols,
                           int blocks); /* INIT_XAVIER, gain 1 */
/* A table whose rows are looked up and never multiplied. */
tensor *params_add_table(params *p, const char *name, int rows, int cols, enum init_kind init, double gain);

/* Says of a matrix that its rows are looked up, too. */
void params_look_up(params *p, const tensor *t);

/* Allocates the values (zero) and, with `gradients`, the gradients (zero). */
void params_alloc(params *p, bool gradients);

/* The values and packed copies of `of`, which must have been packed once and live longer, with gradients of
 * its own (zero): of tables only those rows that are touched (tensor/touched.h), so that p->g is not laid out
 * as p->v is. The same parameters must have been declared. Usable while `of` is packed. */
void params_share(params *p, const params *of);
/* Adds the gradients of p, which shares those of `to`, to them, and makes them zero. */
void params_move_gradients(params *p, params *to);
size_t params_gradient_bytes(const params *p);
/* What products read, about. */
size_t params_product_bytes(const params *p);

/* Products forward and backward are of bfloat16 from now on; values, gradients and sums stay real numbers
 * (Micikevicius et al. 2018; bfloat16 has the range of floats, so that no loss need be scaled). Before
 * anything is packed or shared. */
void params_multiply_bf16(params *p);

/* Packs every matrix for products (tensor/weights.h), unless that was done since params_changed: for products
 * forward, which search makes a few rows at a time; for those backward too if the network is small or the
 * tensor `stepwise`. Without it products pack for themselves in each call, which costs the same where a
 * matrix is used once, and about two hundredths of the product where it has 256 rows. */
void params_pack(params *p);
/* Packs every matrix for products forward and gives back the memory of the plain values where nothing else
 * needs them: for a network that translates. From then on values can neither be read nor changed: weights are
 * what products use, vectors and tables stay. Without gradients; once.
 *
 * `precision`: not PRECISION_BF16. With PRECISION_INT8 every product of a layer, and that of the output, is
 * in whole numbers, in a quarter of the memory; attention's scores and sums, norms and what lies between stay
 * real ones. Rows that are looked up stay as they are, also where their matrix is the output layer's. */
void params_freeze(params *p, enum precision precision);
/* To be called when values have changed: what was packed is not used any more. */
void params_changed(params *p);

/* Draws every parameter by its init, a function of (seed, place in the list) alone. */
void params_init(params *p, uint64_t seed);

param *params_find(const params *p, const char *name); /* NULL if there is none */

#endif
