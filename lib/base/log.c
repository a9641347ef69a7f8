#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static void (*listener)(const char *line);

void note_listener(void (*new_listener)(const char *line)) { listener = new_listener; }

void note(const char *format, ...)
{
    if (!listener) return;
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    listener(line);
}
