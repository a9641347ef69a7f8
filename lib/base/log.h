/* Notes to the user. The library never writes to a stream itself: it tells a listener, which cmd/
 * sets (to stderr, or to nothing with --quiet). Any thread may call note(). */
#ifndef TULK_BASE_LOG_H
#define TULK_BASE_LOG_H

/* One sentence or table line for the user, printf style, without newline. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Who hears notes; NULL (the start): nobody. */
void note_listener(void (*listener)(const char *line));

#endif
