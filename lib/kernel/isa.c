#include "kernel/isa.h"

#include <string.h>

#include "base/error.h"
#include "kernel/loops/loops.h"

/* A name, the instruction set of its loops over real numbers, that of its products of bfloat16, and that of
 * those in whole ones. */
#ifdef TULK_DOUBLE
#define BF16_LOOPS(half) gemm_loops_##half
#else
#define BF16_LOOPS(half) bf16_loops_##half
#endif
#define LOOPS_TABLE(name, isa, half, whole)                                                                  \
    {                                                                                                        \
        name, &vector_loops_##isa, &activation_loops_##isa, &softmax_loops_##isa, &attend_loops_##isa,       \
            &norm_loops_##isa, &cell_loops_##isa, &additive_loops_##isa, &optim_loops_##isa,                 \
            &gemm_loops_##isa, &BF16_LOOPS(half), &int8_loops_##whole                                        \
    }

/* Best last. */
static const struct loops tables[] = {
    LOOPS_TABLE("c", c, c, c),
#ifdef TULK_X86
    LOOPS_TABLE("avx2", avx2, avx2, avx2),
    LOOPS_TABLE("avx512", avx512, avx512, avx512),
    LOOPS_TABLE("avx512vnni", avx512, avx512, avx512vnni),
    LOOPS_TABLE("avx512bf16", avx512, avx512bf16, avx512vnni),
#endif
#ifdef TULK_ARM64
    LOOPS_TABLE("neon", neon, neon, neon),
#endif
};
enum { TABLES = sizeof tables / sizeof *tables };

static const struct loops *_Atomic chosen;

static bool runs_here(const char *name)
{
#ifdef TULK_X86
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx2")) return avx2;
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (!strcmp(name, "avx512")) return avx512;
    bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    if (!strcmp(name, "avx512vnni")) return vnni;
    if (!strcmp(name, "avx512bf16")) return vnni && __builtin_cpu_supports("avx512bf16");
#endif
#ifdef TULK_ARM64
    if (!strcmp(name, "neon")) return true; /* every 64-bit one has it */
#endif
    return !strcmp(name, "c");
}

static const struct loops *best(void)
{
    const struct loops *found = NULL;
    for (int i = 0; i < TABLES; i++)
        if (runs_here(tables[i].name)) found = &tables[i];
    return found;
}

/* Set once, to the last word: threads may come here together, and must not see a table that is replaced by a
 * better one, since results would depend on it. */
const struct loops *loops(void)
{
    if (!chosen) chosen = best();
    return chosen;
}

const char *const *isa_available(void)
{
    static const char *names[TABLES + 1];
    int n = 0;
    for (int i = 0; i < TABLES; i++)
        if (runs_here(tables[i].name)) names[n++] = tables[i].name;
    names[n] = NULL;
    return names;
}

const char *isa_row(int i) { return i < TABLES ? tables[i].name : NULL; }

const char *isa_name(void) { return loops()->name; }

int isa_choose(const char *name)
{
    BUG_IF(!name);
    for (int i = 0; i < TABLES; i++)
        if (!strcmp(name, tables[i].name)) {
            if (!runs_here(name)) return fail("--isa %s: this processor does not have it", name);
            chosen = &tables[i];
            return 0;
        }
    return fail("--isa %s: not one of this program's instruction sets", name);
}
