/* A line that tells how far something is: on a terminal it is written over again and again, in a pipe or a
 * file lines follow each other now and then. To stderr. */
#ifndef TULK_CMD_LIVE_H
#define TULK_CMD_LIVE_H

#include <stdbool.h>

#include "base/str.h"

typedef struct {
    bool terminal;
    bool shown;  /* it stands on the screen */
    double told; /* clock when it was told last; the start counts as never */
} live_line;

live_line live_new(void);
bool live_due(const live_line *l); /* time enough has passed since the last one */
void live_tell(live_line *l, const str *line);
void live_flash(live_line *l, const char *text); /* on a terminal alone, until the next one */
void live_end(live_line *l);                     /* leaves the screen to others */

#endif
