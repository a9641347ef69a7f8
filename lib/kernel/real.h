/* The number type of the compute column (kernel, tensor, nn, model, search). These rooms are compiled
 * twice: float for use, double (-DTULK_DOUBLE) for checks by finite differences. */
#ifndef TULK_KERNEL_REAL_H
#define TULK_KERNEL_REAL_H

#ifdef TULK_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
