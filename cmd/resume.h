/* What a training is made of, as its model file keeps it, and whether a resumed one is the same. */
#ifndef TULK_CMD_RESUME_H
#define TULK_CMD_RESUME_H

#include "options/options.h"
#include "store/store.h"

/* Values not given come from the model file; values given must be those of the file, unless they may change.
 * If one of the limits (--epochs, --updates, --time, --patience) is given, those of the file are forgotten.
 * 0, or -1 with a message that names the difference. */
int resume_settings(options *o, store *s, const char *path);

/* Writes the values of a resumed training back: those that may change. A transaction of its own. */
int resume_save(const options *o, store *s);

/* 0 if the files that a training reads, of text and of teachers, exist and are regular, since they are read
 * again and again; -1 with a message. */
int files_exist(const options *o);
/* Keeps the size and hash of each of them. 0, or -1 with a message. */
int files_save(const options *o, store *s);
/* 0 if the files of the values hold what they held then, whatever they are called now; -1 with a message. */
int files_check(const options *o, store *s, const char *path);

/* Fine-tuning: the network's settings of the model that --init names, where the options do not say the same.
 * 0, or one of these with a message: a file that cannot be used, an option that says otherwise. */
enum { INIT_FAILED = -1, INIT_CONTRADICTED = -2 };
int init_settings(options *o);
/* The slot whose weights a fine-tuning begins with. 0, or -1 with a message. */
int init_slot(store *s, const char *path, char slot[8]);

#endif
