#include "live.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

/* Seconds between two lines. */
static const double LIVE_EVERY = 0.25, PLAIN_EVERY = 10;

live_line live_new(void) { return (live_line){.terminal = isatty(STDERR_FILENO), .told = -INFINITY}; }

bool live_due(const live_line *l)
{
    return clock_seconds() - l->told >= (l->terminal ? LIVE_EVERY : PLAIN_EVERY);
}

/* It must not be longer than the terminal is wide: it could not be taken back. */
static int width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

void live_tell(live_line *l, const str *line)
{
    if (l->terminal)
        fprintf(stderr, "\r%.*s\033[K", width(), str_text(line));
    else
        fprintf(stderr, "%s\n", str_text(line));
    l->shown = l->terminal;
    l->told = clock_seconds();
    fflush(stderr);
}

void live_flash(live_line *l, const char *text)
{
    if (l->terminal) fprintf(stderr, "\r\033[K%s", text);
    l->shown = l->terminal;
    fflush(stderr);
}

void live_end(live_line *l)
{
    if (l->shown) fprintf(stderr, "\r\033[K");
    l->shown = false;
}
