#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/seqs.h"
#include "base/str.h"
#include "base/team.h"
#include "base/worker.h"
#include "suite.h"

static void sha256_known(void)
{
    char hex[65];
    sha256 s;
    sha256_init(&s);
    sha256_add(&s, "abc", 3);
    sha256_hex(&s, hex);
    CU_ASSERT_STRING_EQUAL(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_init(&s); /* FIPS 180-4 long example: a million times 'a', in odd pieces */
    char a[997];
    memset(a, 'a', sizeof a);
    for (int left = 1000000; left > 0; left -= 997) sha256_add(&s, a, left < 997 ? (size_t)left : 997);
    sha256_hex(&s, hex);
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void philox_known(void) /* known answers of the Random123 distribution */
{
    uint32_t out[4];
    philox(0, 0, 0, out);
    CU_ASSERT_EQUAL(out[0], 0x6627e8d5u);
    philox(UINT64_MAX, UINT64_MAX, UINT64_MAX, out);
    CU_ASSERT_EQUAL(out[0], 0x408f276du);
    CU_ASSERT_EQUAL(out[1], 0x41c83b0eu);
    CU_ASSERT_EQUAL(out[2], 0xa20bc7c6u);
    CU_ASSERT_EQUAL(out[3], 0x6d5451fdu);
}

static void rng_moments(void)
{
    rng r = rng_at(7, RNG_TEST, 0);
    double sum = 0, squares = 0;
    int counts[5] = {0};
    for (int i = 0; i < 100000; i++) {
        double x = rng_normal(&r);
        sum += x;
        squares += x * x;
        counts[rng_below(&r, 5)]++;
    }
    CU_ASSERT(fabs(sum / 1e5) < 0.02);
    CU_ASSERT(fabs(squares / 1e5 - 1) < 0.02);
    for (int i = 0; i < 5; i++) CU_ASSERT(abs(counts[i] - 20000) < 600);
}

static void arena_reuses(void)
{
    arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) memset(arena_alloc(a, 100000), i, 100000);
        arena_reset(a);
    }
    size_t held = arena_bytes(a);
    char *first = arena_alloc(a, 1000);
    arena_mark mark = arena_save(a);
    char *second = arena_alloc(a, 1000);
    arena_restore(a, mark);
    CU_ASSERT_PTR_EQUAL(second, arena_alloc(a, 10));
    CU_ASSERT_PTR_NOT_EQUAL(first, second);
    CU_ASSERT_EQUAL((size_t)first % 64, 0);
    CU_ASSERT_EQUAL(arena_bytes(a), held);
    arena_reset(a);
    arena_trim(a, 5000);
    CU_ASSERT_EQUAL(arena_bytes(a), 5000);
    CU_ASSERT_PTR_EQUAL(first, arena_alloc(a, 100000));
    memset(first, 1, 100000);
    arena_free(a);
}

static long page_faults(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

/* Rounds of many sizes; what the largest needed is there for all after it, where it was. */
static void arena_warms(void)
{
    enum { MIB = 1 << 20 };
    static const int sizes[] = {1, 50, 7, 50, 20, 49};
    arena *a = arena_new();
    char *first = NULL;
    long faults = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        long before = page_faults();
        char *small = arena_alloc(a, 100), *large = arena_alloc(a, (size_t)sizes[i] * MIB);
        memset(large, 1, (size_t)sizes[i] * MIB);
        if (i == 0) first = small;
        if (i > 1) faults += page_faults() - before;
        CU_ASSERT_PTR_EQUAL(small, first);
        CU_ASSERT_PTR_EQUAL(large, small + 128);
        arena_reset(a);
    }
    CU_ASSERT(faults < 10);
    CU_ASSERT_EQUAL(arena_bytes(a), 128 + 50 * MIB);
    arena_free(a);
}

/* Under ulimit -v an arena takes its addresses in parts. */
static void arena_in_few_addresses(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    enum { N = 20, BYTES = 50 << 20 };
    struct rlimit before, limit;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)4 << 30;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_AS, &limit), 0);
    arena *a = arena_new(), *b = arena_new();
    char *parts[N];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            parts[i] = arena_alloc(a, BYTES);
            parts[i][0] = parts[i][BYTES - 1] = (char)i;
            *(char *)arena_alloc(b, 1) = 1;
        }
        for (int i = 0; i < N; i++) CU_ASSERT(parts[i][0] == i && parts[i][BYTES - 1] == i);
        arena_reset(a);
        CU_ASSERT_EQUAL(arena_bytes(a), (size_t)N * BYTES);
    }
    arena_free(a);
    arena_free(b);
    setrlimit(RLIMIT_AS, &before);
#endif
}

static void seqs_and_str(void)
{
    seqs s = {0};
    seqs_add(&s, NULL, 0);
    seqs_push(&s, 5);
    seqs_add(&s, (int[]){1, 2, 3}, 3);
    CU_ASSERT_EQUAL(s.n, 2);
    CU_ASSERT_EQUAL(seqs_len(&s, 0), 1);
    CU_ASSERT_EQUAL(seqs_at(&s, 1)[2], 3);
    CU_ASSERT_EQUAL(seqs_total(&s), 4);
    seqs_clear(&s);
    CU_ASSERT_EQUAL(seqs_total(&s), 0);
    seqs_free(&s);
    str t = {0};
    CU_ASSERT_STRING_EQUAL(str_text(&t), "");
    str_addf(&t, "%d-%s", 12, "ab");
    str_add(&t, "\0x", 2);
    CU_ASSERT_EQUAL(t.n, 7);
    CU_ASSERT(span_cmp(span_of("ab"), span_of("abc")) < 0);
    str_free(&t);
}

static void error_keeps_its_argument(void)
{
    CU_ASSERT_EQUAL(fail("%s: first", "a"), -1);
    fail("again: %s", error_message());
    CU_ASSERT_STRING_EQUAL(error_message(), "again: a: first");
}

static void count_up(long i, void *context) { ((long *)context)[i] += i; }

static void team_does_each_task_once(void)
{
    static long done[1000];
    team_set_threads(3);
    team_run(1000, count_up, done);
    long wrong = 0;
    for (long i = 0; i < 1000; i++) wrong += done[i] != i;
    CU_ASSERT_EQUAL(wrong, 0);
}

typedef struct {
    int number, threads;
} errand;

static int run_errand(void *context)
{
    errand *e = context;
    e->threads = team_threads();
    e->number *= 2;
    return e->number == 6 ? fail("errand %d failed", e->number) : e->number;
}

static void worker_does_tasks_in_turn(void)
{
    worker *w = worker_new();
    team_set_threads(3);
    for (int i = 0; i < 5; i++) {
        errand e = {.number = i};
        fail("before");
        worker_start(w, run_errand, &e);
        CU_ASSERT_EQUAL(worker_finish(w), i == 3 ? -1 : 2 * i);
        CU_ASSERT_EQUAL(e.number, 2 * i);
        CU_ASSERT_EQUAL(e.threads, 1); /* beside the team */
        CU_ASSERT_STRING_EQUAL(error_message(), i == 3 ? "errand 6 failed" : "before");
    }
    CU_ASSERT_EQUAL(team_threads(), 3);
    errand last = {.number = 7};
    worker_start(w, run_errand, &last);
    worker_free(w); /* waits */
    CU_ASSERT_EQUAL(last.number, 14);
    worker_free(worker_new());
}

static CU_TestInfo tests[] = {{"sha256 known answers", sha256_known},
                              {"philox known answers", philox_known},
                              {"rng moments", rng_moments},
                              {"arena reuses its memory", arena_reuses},
                              {"arena warms up", arena_warms},
                              {"arena in few addresses", arena_in_few_addresses},
                              {"seqs and str", seqs_and_str},
                              {"fail() may quote the last message", error_keeps_its_argument},
                              {"team does each task once", team_does_each_task_once},
                              {"worker does tasks in turn", worker_does_tasks_in_turn},
                              CU_TEST_INFO_NULL};

int main(void) { return suite_run("base", tests); }
