/* tulk export: a copy of a model that can only translate. */
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "command.h"
#include "portable.h"

static int check_usage(const options *o)
{
    return command_one_model(o) || command_needs(o, "output") ? -1 : 0;
}

static long long size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (long long)st.st_size;
}

static int run(const options *o)
{
    loaded_model m;
    const char *const *words;
    options_rest(o, &words);
    const char *to = options_text(o, "output");
    bool overwrite = options_flag(o, "overwrite");
    if (portable_check(to, overwrite) || model_load(words[0], options_text(o, "checkpoint"), &m)) return -1;
    int result = portable_save(&m, to, overwrite);
    if (!result)
        note("%s: checkpoint %s of update %lld, %lld bytes", to, m.slot, (long long)m.info.update,
             size_of(to));
    model_unload(&m);
    return result;
}

int cmd_export(int argc, char **argv)
{
    static const command_help help = {FOR_EXPORT,
                                      "tulk export MODEL -o OUT [--checkpoint NAME] [--overwrite]",
                                      "A translation-only copy of a model: no optimizer, no log, no paths.",
                                      "tulk export en-de.tulk -o en-de.small.tulk"};
    return command_run(&help, argc, argv, check_usage, run);
}
