/* Reference vectors: files of named tensors as text, and how a case compares with them.
 *
 * One tensor a line: `name ndim d1 .. dn v1 .. vN`, fields separated by one blank, N the product of the
 * dimensions (1 for a number, ndim 0), row-major; lines that begin with `#` are comments. Inputs and weights
 * are exact in single precision; results were computed in double precision from them. */
#ifndef TULK_TESTS_VECTORS_H
#define TULK_TESTS_VECTORS_H

#include <setjmp.h>
#include <stdbool.h>

#include "base/seqs.h"
#include "nn/attend.h"
#include "tensor/tape.h"

enum { MAX_DIMS = 8 };

typedef struct {
    char *name;
    int n_dims;
    long dims[MAX_DIMS];
    long n;
    double *v; /* (n) */
} vec;

typedef struct {
    char *comment; /* the first comment line */
    vec *list;
    int n;
} vec_file;

/* 0, or -1 with a message. Memory is the process's: a case runs in its own. */
int vec_file_read(const char *path, vec_file *f);
const vec *vec_find(const vec_file *f, const char *name); /* NULL if there is none */

/* A case that runs. What a case function allocates lives in the tape's arena. */
typedef struct {
    const char *name; /* of the file, without .txt */
    vec_file file;
    tape *t;             /* recording, without dropout */
    double tolerance;    /* of the largest magnitude in a tensor */
    double max_gradient; /* largest magnitude among all gradients of the file */
    double worst;        /* largest error so far, relative to the tolerance's magnitude */
    int compared;
    char fault[256]; /* what is wrong first; "" if nothing */
    jmp_buf stop;
} vec_case;

/* Notes what is wrong (the first fault counts). */
void case_fault(vec_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and ends the case. */
_Noreturn void case_stop(vec_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tensors of the file; one that is missing ends the case. */
bool case_has(const vec_case *c, const char *name);
const vec *case_vec(vec_case *c, const char *name, int n_dims);
double case_number(vec_case *c, const char *name);
int *case_ints(vec_case *c, const char *name, long n); /* n values; n -1: as many as there are */
/* A matrix for the tape (values exact in single precision, gradient zero); the file must hold rows x cols
 * values. */
tensor *case_input(vec_case *c, const char *name, long rows, long cols);
/* A weight: rows and cols are those of the file; a vector is a column. */
tensor *case_weight(vec_case *c, const char *name);

/* Compares n results with the tensor of this name. A tensor that begins with "grad" may also be off by
 * rounding of the case's largest gradient. */
void case_compare(vec_case *c, const char *name, const real *got, long n);
/* A number, with errors measured against `scale` where that is larger (sums that cancel). */
void case_compare_number(vec_case *c, const char *name, double got, double scale);
/* grad.NAME with the gradient of an input or a weight. */
void case_compare_gradient(vec_case *c, const char *name, const tensor *x);
/* Ids, exactly. */
void case_compare_ids(vec_case *c, const char *name, const int *got, long n);

/* ---------------------------------------------------------------- padded and packed sequences */

/* n sequences of up to `steps`; packed they lie behind each other without padding. */
typedef struct {
    packed at;
    int steps, rows;
    int *start, *len; /* (n) what `at` points to */
} sequences;

sequences case_sequences(vec_case *c, int n, int steps, const int *len);
/* The valid rows of NAME[n][steps][cols]. */
tensor *case_packed(vec_case *c, const char *name, const sequences *s, long cols);
/* Compares a packed matrix (ld apart) with NAME[n][steps][cols], where padding is 0. */
void case_compare_packed(vec_case *c, const char *name, const sequences *s, const real *got, long cols,
                         long ld);
/* Sets the gradients of y from NAME, and compares `loss`, the sum of y * dy over all calls so far, if the
 * caller asks for it with case_compare_loss. */
void case_incoming(vec_case *c, tensor *y, const tensor *dy, double *loss, double *scale);

/* ------------------------------------------------------------------------------------ the table */

typedef struct {
    const char *prefix; /* of the file's name; the longest that fits counts */
    void (*run)(vec_case *c);
    double single, twice; /* tolerance in single and in double precision */
} case_kind;

void activations_case(vec_case *c);
void additive_attention_case(vec_case *c);
void clip_case(vec_case *c);
void cross_entropy_case(vec_case *c);
void decoder_layer_case(vec_case *c);
void embedding_case(vec_case *c);
void encoder_layer_case(vec_case *c);
void layernorm_case(vec_case *c);
void mha_case(vec_case *c);
void model_case(vec_case *c);
void optimizer_case(vec_case *c);
void positions_case(vec_case *c);
void rnn_case(vec_case *c);
void schedules_case(vec_case *c);
void sdpa_case(vec_case *c);

#endif
