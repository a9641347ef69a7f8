/* Gradients of those rows of a table that a few sentences touch, instead of one for each row there is: what
 * the threads' copies of gradients (train/shards.h) hold of tables that are looked up and never multiplied.
 */
#ifndef TULK_TENSOR_TOUCHED_H
#define TULK_TENSOR_TOUCHED_H

#include <stddef.h>

#include "tensor/tensor.h"

typedef struct touched touched;

touched *touched_new(int rows, int cols);
void touched_free(touched *t); /* NULL is fine */

/* Whether somebody wants the gradient of the table. */
bool table_has_gradient(const tensor *table);

/* Where the gradient of a row of the table goes, to be added to: (cols). Of a row touched for the first time
 * it is zero. Rows of a `touched` may move with the next call, and only one thread may call it; others lie
 * where they are. */
real *table_gradient(const tensor *table, int row);

size_t touched_bytes(const touched *t); /* of a NULL: 0 */

/* Adds what was touched to the same rows of g (rows, cols), and forgets it. */
void touched_move(touched *t, real *g);

#endif
