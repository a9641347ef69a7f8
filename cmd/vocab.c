/* tulk vocab: learns a tokenizer and its vocabulary from text. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "command.h"
#include "data/lines.h"
#include "store/store.h"
#include "text/tokenizer.h"

static void add_counts(line_counts *sum, const line_counts *c)
{
    sum->lines += c->lines;
    sum->empty += c->empty;
    sum->carriage_returns += c->carriage_returns;
    sum->byte_order_marks += c->byte_order_marks;
    sum->invalid_utf8 += c->invalid_utf8;
    sum->nul += c->nul;
}

static int learn_lines(lines *in, bool strict, learner *l, int64_t *used)
{
    span line;
    line_counts before = *lines_count(in);
    int more;
    while ((more = lines_next(in, &line)) == 1) {
        if (strict && lines_fault(in, &before)) return -1;
        if (lines_valid(in)) learner_add(l, line);
        *used += lines_valid(in) && line.n > 0;
        before = *lines_count(in);
    }
    return more;
}

static int learn_files(const options *o, learner *l)
{
    const char *const *paths;
    int n = options_list(o, "train", &paths), result = 0;
    line_counts sum = {0};
    int64_t used = 0;
    for (int i = 0; i < n && !result; i++) {
        lines *in;
        if (lines_open(paths[i], &in)) return -1;
        result = learn_lines(in, options_flag(o, "strict"), l, &used);
        add_counts(&sum, lines_count(in));
        lines_close(in);
    }
    if (result) return -1;
    if (used == 0) return fail("%s: no line of text to learn from", n == 1 ? paths[0] : "all files of -t");
    note_lines(NULL, &sum, NULL, "left out");
    return 0;
}

/* With --overwrite the old file stands until the new one is whole; a file of another program is left alone.
 */
static int save_vocab(const options *o, const vocab_data *v, const char *path)
{
    store *s;
    if (store_open(path, options_flag(o, "overwrite") ? STORE_REPLACE : STORE_CREATE, &s)) return -1;
    bool good =
        !store_begin(s) && !options_save(o, s) && !store_save_vocab(s, "joint", v) && !store_commit(s);
    store_close(s);
    return good ? 0 : -1;
}

static int check_output(const options *o, const char *path)
{
    if (access(path, F_OK) || options_flag(o, "overwrite")) return 0;
    return fail("%s exists already: replace it by --overwrite, or choose another name", path);
}

static int check_usage(const options *o)
{
    return command_no_rest(o) || command_needs(o, "train") || command_needs(o, "output") ? -1 : 0;
}

static int run(const options *o)
{
    const char *path = options_text(o, "output");
    if (check_output(o, path)) return -1;
    vocab_data v = {0};
    enum normalization how = (enum normalization)normalization_find(options_text(o, "normalize"));
    learner *l = learner_new(how, options_flag(o, "casefold"));
    int result = learn_files(o, l);
    if (!result) result = learner_finish(l, (int)options_int(o, "vocab-size"), &v);
    learner_free(l);
    if (!result) result = save_vocab(o, &v, path);
    if (!result) note("%s: %d pieces, %d merges", path, v.n_pieces, v.n_merges);
    vocab_data_free(&v);
    return result;
}

int cmd_vocab(int argc, char **argv)
{
    static const command_help help = {
        FOR_VOCAB, "tulk vocab -t FILE [FILE...] -o VOCAB.tulk [--vocab-size N]",
        "Learns one vocabulary of byte-pair encoding from all files. Lines that are not UTF-8 are left out.",
        "tulk vocab -t train.en train.de -o en-de.vocab.tulk --vocab-size 10000"};
    return command_run(&help, argc, argv, check_usage, run);
}
