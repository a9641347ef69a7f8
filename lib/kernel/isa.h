/* Which instruction set the kernels use. Chosen once, at the first use: the best that the processor has,
 * or the one that isa_choose named. */
#ifndef TULK_KERNEL_ISA_H
#define TULK_KERNEL_ISA_H

/* "c", "avx2", "avx512", "avx512vnni" (as avx512, but for int8 products), "avx512bf16" (as that, but for
 * products of bfloat16), "neon"; what this machine can run, best last; ends with NULL. */
const char *const *isa_available(void);
const char *isa_row(int i); /* of all that this program was built with, the i-th; NULL after the last */
const char *isa_name(void); /* the one in use */
/* 0, or -1 with a message if the name is unknown or this processor cannot run it. */
int isa_choose(const char *name);

#endif
