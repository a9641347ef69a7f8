/* A model file that can only translate: settings, vocabularies, shortlist and weights; no optimizer, no log,
 * no paths.
 */
#ifndef TULK_CMD_PORTABLE_H
#define TULK_CMD_PORTABLE_H

#include "loader.h"

/* -1 with a message if a file of that name exists and may not be replaced. */
int portable_check(const char *path, bool overwrite);

/* Writes the weights that the model has now, as slot "best", with m->info. 0, or -1 with a message; then
 * there is no new file. */
int portable_save(const loaded_model *m, const char *path, bool overwrite);

#endif
