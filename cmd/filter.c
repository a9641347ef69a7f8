#include "filter.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store.h"

static int load_vocab(const options *o, filter *f)
{
    const char *path = options_text(o, "model");
    store *s;
    if (store_open(path, STORE_READ, &s)) return -1;
    int result = vocab_pair_load(s, path, &f->vocab);
    store_close(s);
    if (result) return -1;
    f->tokenizer = strcmp(options_text(o, "side"), "tgt") ? f->vocab.src : f->vocab.tgt;
    f->cache = tokenizer_cache_new(f->tokenizer);
    return 0;
}

static int filter_open(const options *o, filter *f)
{
    f->ids = options_flag(o, "ids");
    f->strict = options_flag(o, "strict");
    if (load_vocab(o, f) || lines_open(options_text(o, "input"), &f->in)) return -1;
    return output_open(options_text(o, "output"), &f->out);
}

static int filter_lines(filter *f)
{
    span line;
    line_counts before = *lines_count(f->in);
    int more;
    while ((more = lines_next(f->in, &line)) == 1) {
        if (f->strict && lines_fault(f->in, &before)) return -1;
        before = *lines_count(f->in);
        str_clear(&f->text);
        seqs_clear(&f->pieces);
        if (f->turn(f, line)) return -1;
        str_add_char(&f->text, '\n');
        if (output_write(&f->out, str_span(&f->text))) return -1;
    }
    return more;
}

static void filter_free(filter *f)
{
    lines_close(f->in);
    if (f->tokenizer) tokenizer_cache_free(f->cache);
    vocab_pair_free(&f->vocab);
    seqs_free(&f->pieces);
    str_free(&f->text);
}

int filter_check(const options *o)
{
    return command_no_rest(o) || command_needs(o, "model") || command_output(o) ? -1 : 0;
}

int filter_run(const options *o, int (*turn)(filter *f, span line))
{
    filter f = {.turn = turn};
    bool good = !filter_open(o, &f) && !filter_lines(&f);
    if (good) note_lines(NULL, lines_count(f.in), NULL, "kept as they are");
    good = !output_close(&f.out, good) && good;
    filter_free(&f);
    return good ? 0 : -1;
}
