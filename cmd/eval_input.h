/* What `tulk eval` reads: systems and references, segment by segment, in batches. A file may hold several
 * of them side by side between tabs. Only the batch is in memory unless all is kept. */
#ifndef TULK_CMD_EVAL_INPUT_H
#define TULK_CMD_EVAL_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "eval_flags.h"

typedef struct eval_input eval_input;

/* Whether the flags name files that go together, and an encoding that there is; 0, or -1 with a message (exit
 * 2). */
int eval_input_check(const eval_flags *f);

/* Opens the files that the flags name; `keep`: all segments stay in memory. The
 * baseline of a paired test may be named again and is left out then. 0, or -1 with a message. */
int eval_input_open(const eval_flags *f, bool keep, eval_input **out);
void eval_input_close(eval_input *in); /* NULL is fine */

int eval_input_systems(const eval_input *in);
int eval_input_refs(const eval_input *in);
/* The file, or "System 1", ... for columns of standard input. */
const char *eval_input_name(const eval_input *in, int system);

/* Reads the next batch: its number of segments, 0 at the end of all files, -1 with a message (unequal
 * lengths, no text). A line that is one segment keeps the white space at its end: metrics pass over it, but
 * for chrF when it counts white space. */
long eval_input_read(eval_input *in);

/* Segments of the batch; with `keep` segment 0 is the first of all, and eval_input_first() that of the batch.
 */
long eval_input_first(const eval_input *in);
span eval_input_hyp(const eval_input *in, long segment, int system);
span eval_input_ref(const eval_input *in, long segment, int ref);

/* Notes what was odd in the files (empty lines, carriage returns, ...). */
void eval_input_note(const eval_input *in);

#endif
