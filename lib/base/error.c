#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local char message[1024];

int fail(const char *format, ...)
{
    char text[sizeof message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args); /* the arguments may point into `message` */
    va_end(args);
    snprintf(message, sizeof message, "%s", text);
    return -1;
}

const char *error_message(void) { return message; }

_Noreturn void bug_(const char *condition, const char *file, int line)
{
    fprintf(stderr, "tulk: internal error at %s:%d: %s. Please report this.\n", file, line, condition);
    abort();
}
