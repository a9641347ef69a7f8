/* Time. */
#ifndef TULK_BASE_CLOCK_H
#define TULK_BASE_CLOCK_H

double clock_seconds(void);                            /* monotonic, for durations */
void clock_iso8601(char out[32]);                      /* now, in UTC: 2026-01-31T12:00:00Z */
const char *clock_human(double seconds, char out[32]); /* "1:02:03", "4:05", "7 s"; returns out */

#endif
