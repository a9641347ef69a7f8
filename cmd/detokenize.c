/* tulk detokenize: pieces to text. */
#include <inttypes.h>

#include "base/error.h"
#include "filter.h"

/* One number of "5 17 260"; *at is moved behind it. */
static int read_id(const filter *f, span line, size_t *at, int *id)
{
    size_t begin = *at;
    long value = 0, size = tokenizer_size(f->tokenizer);
    for (; *at < line.n && line.p[*at] >= '0' && line.p[*at] <= '9'; (*at)++)
        if (value < size) value = 10 * value + (line.p[*at] - '0');
    if (*at == begin || (*at < line.n && line.p[*at] != ' '))
        return fail("only numbers and blanks belong here");
    if (value >= size) return fail("numbers of this vocabulary go from 0 to %ld", size - 1);
    *id = (int)value;
    return 0;
}

static int parse_ids(filter *f, span line)
{
    seqs_add(&f->pieces, NULL, 0);
    for (size_t at = 0; at < line.n;) {
        int id = 0;
        if (line.p[at] == ' ') {
            at++;
            continue;
        }
        if (read_id(f, line, &at, &id)) return -1;
        seqs_push(&f->pieces, id);
    }
    return 0;
}

static int turn(filter *f, span line)
{
    if (f->ids ? parse_ids(f, line) : tokenizer_parse(f->tokenizer, line, &f->pieces))
        return fail("%s:%" PRId64 ": %s", lines_path(f->in), lines_count(f->in)->lines, error_message());
    tokenizer_decode(f->tokenizer, seqs_at(&f->pieces, 0), seqs_len(&f->pieces, 0), &f->text);
    return 0;
}

static int run(const options *o) { return filter_run(o, turn); }

int cmd_detokenize(int argc, char **argv)
{
    static const command_help help = {FOR_DETOKENIZE,
                                      "tulk detokenize -m MODEL|VOCAB [-i FILE] [-o FILE] [--ids]",
                                      "Joins pieces, as tulk tokenize prints them, to text.",
                                      "tulk detokenize -m en-de.tulk < text.pieces > text.en"};
    return command_run(&help, argc, argv, filter_check, run);
}
