/* tulk tokenize: text to pieces. */
#include "filter.h"

static int turn(filter *f, span line)
{
    tokenizer_encode(f->tokenizer, f->cache, line, &f->pieces);
    const int *ids = seqs_at(&f->pieces, 0);
    size_t n = seqs_len(&f->pieces, 0);
    if (!f->ids) tokenizer_print(f->tokenizer, ids, n, &f->text);
    for (size_t i = 0; f->ids && i < n; i++) str_addf(&f->text, "%s%d", i ? " " : "", ids[i]);
    return 0;
}

static int run(const options *o) { return filter_run(o, turn); }

int cmd_tokenize(int argc, char **argv)
{
    static const command_help help = {FOR_TOKENIZE,
                                      "tulk tokenize -m MODEL|VOCAB [-i FILE] [-o FILE] [--ids]",
                                      "Splits each line of text into the pieces of a vocabulary, separated "
                                      "by one blank. A blank of the text\n"
                                      "is part of a piece and shown as U+2581; bytes that no piece holds are "
                                      "shown as <0xHH>. tulk detokenize\n"
                                      "is the exact inverse.",
                                      "tulk tokenize -m en-de.tulk < text.en > text.pieces"};
    return command_run(&help, argc, argv, filter_check, run);
}
