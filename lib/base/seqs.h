/* A ragged array: sequences of ints behind each other. Sentence i is ids[start[i]] .. ids[start[i + 1] - 1].
 * {0} is an empty one. Owned: seqs_free. */
#ifndef TULK_BASE_SEQS_H
#define TULK_BASE_SEQS_H

#include <stddef.h>

typedef struct {
    int *ids;
    size_t *start; /* n + 1 of them once something was added */
    size_t n;
    size_t ids_capacity, start_capacity;
} seqs;

void seqs_free(seqs *s);
void seqs_clear(seqs *s); /* no sequences, memory kept */
void seqs_add(seqs *s, const int *ids, size_t n);
/* Appends one id to the last sequence, which must exist. */
void seqs_push(seqs *s, int id);
size_t seqs_len(const seqs *s, size_t i);
int *seqs_at(const seqs *s, size_t i);
size_t seqs_total(const seqs *s); /* ids in all sequences */
/* A view of n of them, valid as long as s is not changed: only to be read. */
seqs seqs_part(const seqs *s, size_t from, size_t n);

#endif
