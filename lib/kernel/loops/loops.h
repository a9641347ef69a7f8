/* The inner loops of the kernels, compiled once per instruction set from the same source (loops/ *.c) and
 * reached through tables of functions. They are serial and never see threads; the files above cut
 * the work into blocks and call them. Internal to lib/kernel. */
#ifndef TULK_KERNEL_LOOPS_H
#define TULK_KERNEL_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/activation.h"
#include "kernel/attend.h"
#include "kernel/cell.h"
#include "kernel/gemm.h"
#include "kernel/optim.h"
#include "kernel/real.h"
#include "kernel/softmax.h"

/* Element i survives if its 16 bits of the numbers of (key, place, i / 8) are at least `threshold`
 * (loops/philox.h). */
typedef struct {
    uint64_t key, place;
    uint32_t threshold;
    real scale; /* of survivors */
} dropout_mask;

dropout_mask dropout_mask_of(real p, uint64_t key, uint64_t place); /* vector.c */

struct vector_loops {
    void (*add)(long n, const real *x, real *y);
    void (*move)(long n, real *x, real *y); /* y += x, x = 0 */
    void (*axpy)(long n, real a, const real *x, real *y);
    void (*scale)(long n, real a, real *x);
    void (*multiply)(long n, const real *x, const real *y, real *z); /* z = x y */
    double (*sum_squares)(long n, const real *x);
    void (*col_sum)(long rows, long cols, const real *x, long ld, real *out); /* out += */
    /* Elements first .. first + n of an array; pointers are to element `first`. */
    void (*dropout)(const dropout_mask *mask, long first, long n, const real *x, const real *residual,
                    real *y);
    void (*dropout_factors)(const dropout_mask *mask, long first, long n, real *factors); /* scale or 0 */
    void (*dropout_back)(const dropout_mask *mask, long first, long n, const real *dy, real *dx);
};

#define ACTIVATION_COUNT_ONE(name, function, needs_input, gated) +1
enum { ACTIVATION_COUNT = ACTIVATION_LIST(ACTIVATION_COUNT_ONE) };

struct activation_loops { /* by row of activations[] */
    void (*forward[ACTIVATION_COUNT])(long n, const real *x, real *y);
    void (*backward[ACTIVATION_COUNT])(long n, const real *x, const real *y, const real *dy, bool add,
                                       real *dx);
};

/* Two rows of R-Drop, kernel/softmax.h. */
typedef struct {
    real factor[2], expected[2], shift, weight;
} class_pair;

struct softmax_loops {
    void (*softmax)(long n, real *x);
    void (*softmax_back)(long n, const real *p, real *dp);
    void (*log_softmax)(long n, real *x);
    real (*tops)(long n, const real *x, real *top);    /* kernel/softmax.h, one row; the largest */
    double (*sum_exps)(long n, real m, const real *x); /* sum exp(x - m) */
    /* kernel/softmax.h, one row; returns the maximum that was subtracted. */
    real (*class_sums)(long n, real *z, const real *apart, class_sums *s);
    void (*class_gradient)(long n, real factor, real shift, real *z); /* z = factor z - shift */
    double (*expected)(long n, const real *p, const real *z);         /* sum p z */
    void (*pair_gradient)(long n, const class_pair *c, const real *apart, real *z, real *twin);
};

/* One head of one sequence; pointers are to its first row and column. */
typedef struct {
    long q_len, keys, head_dim, ldq, ldk, ldv, ldy;
    bool causal, add; /* add: to the gradients */
    real scale;
    const dropout_mask *mask; /* NULL for none; element (t, j) is */
    uint64_t first;           /* first + attend_place() */
    const real *q, *k, *v, *dy;
    real *y, *dq, *dk, *dv, *work;
} attend_head;

/* A query with all of its heads, see attend_rows: key j is row place[j], or row j if place is NULL. */
typedef struct {
    long keys, n_heads, head_dim, ldk, ldv;
    const int *place;
    const real *q, *k, *v;
    real scale, *y, *p; /* p (keys): scratch */
} attend_query;

struct attend_loops {
    long (*work)(long keys, long head_dim); /* reals of scratch memory that a head needs */
    void (*forward)(const attend_head *h);
    void (*backward)(const attend_head *h);
    void (*query)(const attend_query *a);
};

enum { NORM_KINDS = 2 };

struct norm_loops { /* by row of norm_kinds[]; those without bias and mean leave them alone */
    void (*forward[NORM_KINDS])(long d, const real *x, const real *gain, const real *bias, real eps, real *y,
                                real *mean, real *rstd);
    /* dx = or += ; without `add` it may be dy. */
    void (*backward[NORM_KINDS])(long d, const real *x, const real *gain, real mean, real rstd,
                                 const real *dy, bool add, real *dx, real *dgain, real *dbias);
};

/* One sentence's row of a cell_step. */
typedef struct {
    long H;
    real *gates, *own, *h, *c;
    const real *gh, *h_prev, *c_prev, *dh, *dc;
    real *dh_prev, *dc_prev;
} cell_row;

#define CELL_COUNT_ONE(name, gates, own, has_memory) +1
enum { CELL_COUNT = CELL_LIST(CELL_COUNT_ONE) };

struct cell_loops { /* by row of cells[] */
    void (*forward[CELL_COUNT])(const cell_row *s);
    void (*backward[CELL_COUNT])(const cell_row *s);
};

struct additive_loops { /* one query; key j is row place[j], or j if place is NULL */
    void (*energies)(long keys_n, const int *place, long A, const real *query, const real *keys,
                     const real *v, real *e);
    void (*energies_back)(long keys_n, const int *place, long A, const real *query, const real *keys,
                          const real *v, const real *de, real *dquery, real *dkeys, real *dv);
    void (*weighted_sum)(long keys_n, const int *place, long C, const real *p, const real *values,
                         real *context);
    void (*weighted_sum_back)(long keys_n, const int *place, long C, const real *values, const real *dcontext,
                              real *dp);
    /* All queries of a sequence, p[t] and dcontext[t] of each. */
    void (*values_back)(long keys_n, const int *place, long C, long queries, const real *const *p,
                        const real *const *dcontext, real *dvalues);
};

struct optim_loops {
    void (*adam)(long n, real *p, real *g, real *m, real *v, const adam_config *config);
    void (*sgd)(long n, real *p, real *g, real *b, const sgd_config *config);
};

struct gemm_loops {
    int height, width, half; /* of the micro-kernel; a last panel of B may be half as wide */
    int depth;               /* most of k at once */
    int per;                 /* of k, in what is packed in the room of a real number */
    int work;                /* reals of scratch memory that tile() needs */
    /* b (k, n), k <= depth, into panels: (k / per rounded up) * (n rounded up to half) reals. */
    void (*pack_b)(enum gemm_kind kind, long k, long n, const real *b, long ldb, real *out);
    /* c(m, n) = or += a b (+ bias), k <= depth. b is packed if ldb is 0; else, for GEMM_NN and GEMM_TN and n
     * a multiple of half and per 1, it is b as it lies. work: `work` reals. */
    void (*tile)(enum gemm_kind kind, long m, long n, long k, const real *a, long lda, const real *b,
                 long ldb, const real *bias, bool add, real *c, long ldc, real *work);
    double (*peak)(long rounds);
    bool native; /* the processor multiplies such numbers itself */
};

/* Quantised activations lie in blocks of k: INT8_BLOCK bytes of each row, rows a constant INT8_ROW apart, so
 * that the micro-kernel needs one register for all of them; and a line more than a block, so that they spread
 * over the cache. */
enum { INT8_BLOCK = 512, INT8_ROW = INT8_BLOCK + 64 };

/* Rows 0 .. m - 1 of quantised activations by the first n columns of some panels of weights. */
typedef struct {
    long m, n, k;
    const char *a;       /* (m) rows of the first block */
    long block;          /* bytes to the next one */
    const real *factors; /* (m) */
    const int8_t *w;     /* panels of `width` columns, `panel` bytes apart */
    size_t panel;
    const int32_t *sums; /* of each column's weights, up to the end of the last panel */
    const real *scales;  /* of each column, as many */
    const real *bias;    /* NULL for none */
    bool add;
    real *c; /* (m, n) */
    long ldc;
} int8_tile;

struct int8_loops {
    int height, width;                  /* of the micro-kernel */
    int group;                          /* k is rounded up to a multiple, with zeros */
    int activation_bytes, weight_bytes; /* of a number */
    /* Rows of k numbers; both return s of the row (kernel/int8.h). */
    real (*quantise)(long k, const real *x, int16_t *out);
    real (*quantise_row)(long k, const real *x, char *out, long block); /* as tile() reads them */
    void (*pack)(long k, const int16_t *row, long column, void *panel);
    void (*tile)(const int8_tile *t);
};

struct loops {
    const char *name;
    const struct vector_loops *vector;
    const struct activation_loops *activation;
    const struct softmax_loops *softmax;
    const struct attend_loops *attend;
    const struct norm_loops *norm;
    const struct cell_loops *cell;
    const struct additive_loops *additive;
    const struct optim_loops *optim;
    const struct gemm_loops *gemm, *bf16;
    const struct int8_loops *int8;
};

/* Those of the instruction set in use (isa.c). */
const struct loops *loops(void);

/* A file of loops defines `const struct ROOM_loops LOOPS(ROOM)`: ROOM_loops_avx2 or so. */
#define LOOPS_PASTE(room, isa) room##_loops_##isa
#define LOOPS_NAME(room, isa)  LOOPS_PASTE(room, isa)
#define LOOPS(room)            LOOPS_NAME(room, TULK_ISA)

#define LOOPS_DECLARE(isa)                                                                                   \
    extern const struct vector_loops vector_loops_##isa;                                                     \
    extern const struct activation_loops activation_loops_##isa;                                             \
    extern const struct softmax_loops softmax_loops_##isa;                                                   \
    extern const struct attend_loops attend_loops_##isa;                                                     \
    extern const struct norm_loops norm_loops_##isa;                                                         \
    extern const struct cell_loops cell_loops_##isa;                                                         \
    extern const struct additive_loops additive_loops_##isa;                                                 \
    extern const struct optim_loops optim_loops_##isa;                                                       \
    extern const struct gemm_loops gemm_loops_##isa, bf16_loops_##isa;                                       \
    extern const struct int8_loops int8_loops_##isa;

LOOPS_DECLARE(c)
LOOPS_DECLARE(avx2)
LOOPS_DECLARE(avx512)
LOOPS_DECLARE(neon)
extern const struct gemm_loops bf16_loops_avx512bf16;
extern const struct int8_loops int8_loops_avx512vnni;

#endif
