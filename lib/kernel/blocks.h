/* Cutting a range into blocks for the team. Internal to lib/kernel. */
#ifndef TULK_KERNEL_BLOCKS_H
#define TULK_KERNEL_BLOCKS_H

#include <stddef.h>

/* Calls body(first, end, context) for blocks of `block` items of 0 .. n - 1, in parallel if there is more
 * than one. */
void blocks_run(long n, long block, void (*body)(long first, long end, void *context), void *context);

/* Items a block so that it is worth waking a thread: an item costs about as much as `cost` additions. */
long blocks_size(long cost);

/* Memory of the calling thread that is kept for the next call, 64-byte aligned, content undefined. One
 * holder a slot at a time. Freed at exit. */
enum scratch_slot {
    SCRATCH_GEMM_A,
    SCRATCH_GEMM_B,
    SCRATCH_ATTEND,
    SCRATCH_JOBS,
    SCRATCH_PARTIAL,
    SCRATCH_INT8,
    SCRATCH_ROW,
    SCRATCH_SLOTS
};
void *scratch(enum scratch_slot slot, size_t bytes);

#endif
