/* How fast are the matrix products of training and search? Not a test.
 *
 *   bench-gemm [--threads N] [--isa NAME] [--rows M] [--library FILE]
 *
 * prints GFLOP/s and the share of the processor's peak (a loop of multiply-adds, measured in the same run)
 * for the three products of a linear layer with weights [out][in], M tokens, K inputs, N outputs: NT forward,
 * NN gradient by the input, TN gradient by the weights; then NT and NN with weights that were packed before,
 * and the first in whole numbers (kernel/int8.h), operations being counted in the same way.
 * --library opens a shared library with cblas_sgemm and measures it beside (single-threaded, if it has
 * openblas_set_num_threads). With one thread the clock is the thread's CPU time. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/team.h"
#include "kernel/gemm.h"
#include "kernel/int8.h"
#include "kernel/isa.h"

typedef void cblas_gemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                        const float *b, int ldb, float beta, float *c, int ldc);

typedef struct {
    enum gemm_kind kind;
    long m, n, k;
    const float *a, *b;
    float *c;
    float *packed; /* b, if it was packed before, */
    void *int8;    /* or quantised */
    cblas_gemm *library;
} product;

static void multiply(const product *p)
{
    long lda = p->kind == GEMM_TN ? p->m : p->k, ldb = p->kind == GEMM_NT ? p->k : p->n;
    if (p->library)
        p->library(101, p->kind == GEMM_TN ? 112 : 111, p->kind == GEMM_NT ? 112 : 111, (int)p->m, (int)p->n,
                   (int)p->k, 1, p->a, (int)lda, p->b, (int)ldb, 0, p->c, (int)p->n);
    else if (p->int8)
        int8_product(p->m, p->n, p->k, p->a, lda, p->int8, NULL, false, p->c, p->n);
    else if (p->packed)
        gemm_packed(GEMM_FP32, p->m, p->n, p->k, p->a, lda, p->packed, NULL, false, p->c, p->n);
    else
        gemm(GEMM_FP32, p->kind, p->m, p->n, p->k, p->a, lda, p->b, ldb, NULL, false, p->c, p->n);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(team_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best of several rounds, each long enough for the clock. */
static double gflops(const product *p)
{
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k, best = 0;
    long inner = (long)(2e6 / flops) + 1;
    multiply(p);
    for (double start = seconds(); seconds() < start + 0.04 || best == 0;) {
        double t = seconds();
        for (long i = 0; i < inner; i++) multiply(p);
        t = seconds() - t;
        double rate = 1e-9 * flops * (double)inner / t;
        if (rate > best) best = rate;
    }
    return best;
}

static double peak(void)
{
    double best = 0;
    for (int round = 0; round < 20; round++) {
        double t = seconds(), flops = gemm_peak(GEMM_FP32, 200000);
        t = seconds() - t;
        if (flops / t > best) best = flops / t;
    }
    return 1e-9 * best * team_threads();
}

static const struct {
    long k, n;
} layers[] = {{128, 128}, {128, 384},  {128, 256},   {256, 128},  {256, 1536},
              {512, 512}, {512, 1536}, {1024, 1536}, {128, 8000}, {512, 8000}};
enum { LAYERS = sizeof layers / sizeof *layers, MOST = 4096 };

static float *filled(size_t n)
{
    float *x = xmalloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(i % 17) * 0.1f - 0.8f;
    return x;
}

static void print_rate(const char *name, product *p, cblas_gemm *library, double top)
{
    double ours = gflops(p);
    printf("  %s %6.1f %3.0f%%", name, ours, 100 * ours / top);
    p->library = library;
    if (library) printf(" (%6.1f)", gflops(p));
}

static void print_int8(product p, double top)
{
    size_t bytes = int8_packed_bytes(p.n, p.k);
    p.int8 = pages_alloc(&bytes);
    int8_pack(p.n, p.k, p.b, p.k, p.int8);
    print_rate("int8 NT", &p, NULL, top);
    free(p.int8);
}

static void row(long m, long k, long n, float *x, float *w, float *y, cblas_gemm *library, double top)
{
    static const char *const names[] = {"NT", "NN", "TN"};
    product products[] = {{GEMM_NT, m, n, k, x, w, y, NULL, NULL, NULL},
                          {GEMM_NN, m, k, n, y, w, x, NULL, NULL, NULL},
                          {GEMM_TN, n, k, m, y, x, w, NULL, NULL, NULL}};
    printf("%5ld %5ld %5ld", m, k, n);
    for (int i = 0; i < 3; i++) print_rate(names[i], &products[i], library, top);
    for (int i = 0; i < 2; i++) {
        product *p = &products[i];
        size_t bytes = gemm_packed_reals(GEMM_FP32, p->n, p->k) * sizeof *p->packed;
        p->library = NULL;
        p->packed = pages_alloc(&bytes);
        gemm_pack(GEMM_FP32, p->kind, p->n, p->k, p->b, p->kind == GEMM_NT ? p->k : p->n, p->packed);
        print_rate(i ? "packed NN" : "packed NT", p, NULL, top);
        free(p->packed);
    }
    print_int8(products[0], top);
    printf("\n");
    fflush(stdout);
}

static cblas_gemm *open_library(const char *file)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL),
         *symbol = handle ? dlsym(handle, "cblas_sgemm") : NULL;
    if (!symbol) {
        fprintf(stderr, "%s: no library with cblas_sgemm\n", file);
        exit(2);
    }
    union { /* ISO C has no conversion from an object to a function pointer */
        void *object;
        cblas_gemm *gemm;
        void (*threads)(int);
    } as = {dlsym(handle, "openblas_set_num_threads")};
    if (as.object) as.threads(team_threads());
    as.object = symbol;
    return as.gemm;
}

int main(int argc, char **argv)
{
    static const long rows[] = {1, 8, 64, 320, 1024, 4096};
    long only = 0;
    cblas_gemm *library = NULL;
    team_set_threads(1);
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--threads"))
            team_set_threads(atoi(argv[i + 1]));
        else if (!strcmp(argv[i], "--rows"))
            only = atol(argv[i + 1]) < MOST ? atol(argv[i + 1]) : MOST;
        else if (!strcmp(argv[i], "--library"))
            library = open_library(argv[i + 1]);
        else if (strcmp(argv[i], "--isa") || isa_choose(argv[i + 1]) < 0)
            return 2;
    }
    double top = peak();
    printf("%s, %d threads, peak %.1f GFLOP/s\n    M     K     N  GFLOP/s, share of peak%s\n", isa_name(),
           team_threads(), top, library ? " (library)" : "");
    float *x = filled(MOST * 1024), *w = filled(512 * 8000), *y = filled((size_t)MOST * 8000);
    for (size_t r = 0; r < (only ? 1 : sizeof rows / sizeof *rows); r++)
        for (int i = 0; i < LAYERS; i++)
            row(only ? only : rows[r], layers[i].k, layers[i].n, x, w, y, library, top);
    free(x);
    free(w);
    free(y);
    return 0;
}
