/* Errors. A library function that can fail for a reason outside the program (a file, a line, an
 * option, a database) returns 0 or a negative number and leaves one sentence for the user here.
 * Only cmd/ prints that sentence and exits. A broken internal rule (a shape) is a bug: BUG_IF. */
#ifndef TULK_BASE_ERROR_H
#define TULK_BASE_ERROR_H

/* Sets the calling thread's message, printf style, without newline, and returns -1, so that callers
 * write `return fail("%s: no such file", path);`. The message names the file, line or option and
 * the remedy. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The message of the last fail() of this thread ("" if none). Valid until the next fail(). */
const char *error_message(void);

/* Prints the condition with its place and aborts. Always compiled in. */
#define BUG_IF(condition) ((condition) ? bug_(#condition, __FILE__, __LINE__) : (void)0)

_Noreturn void bug_(const char *condition, const char *file, int line);

#endif
