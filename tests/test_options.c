#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "model/model.h"
#include "options/options.h"
#include "suite.h"

enum { WORDS = 24 };

/* Parses "train --beam 5 ..." (blanks separate words) for a command; the message is in error_message(). */
static options *parse(unsigned command, const char *line, int *result)
{
    char *copy = xstrdup(line), *argv[WORDS + 1];
    int argc = 0;
    for (char *word = strtok(copy, " "); word && argc < WORDS; word = strtok(NULL, " ")) argv[argc++] = word;
    argv[argc] = NULL;
    options *o = options_new(command);
    *result = options_parse(o, argc, argv);
    free(copy);
    return o;
}

static options *good(unsigned command, const char *line)
{
    int result;
    options *o = parse(command, line, &result);
    CU_ASSERT_EQUAL(result, 0);
    if (result) printf("\n    `%s`: %s\n", line, error_message());
    return o;
}

/* The line is refused with exactly this message. */
static void bad(unsigned command, const char *line, const char *message)
{
    int result;
    options_free(parse(command, line, &result));
    CU_ASSERT_EQUAL(result, -1);
    CU_ASSERT_STRING_EQUAL(error_message(), message);
    if (result == 0 || strcmp(error_message(), message)) printf("\n    `%s`: %s\n", line, error_message());
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    BUG_IF(!f);
    fputs(text, f);
    fclose(f);
}

static char notes[4096];
static void listen(const char *line)
{
    strncat(notes, line, sizeof notes - strlen(notes) - 1);
    strncat(notes, "\n", sizeof notes - strlen(notes) - 1);
}

/* ------------------------------------------------------------------------------------- parsing */

static void forms_of_a_value(void)
{
    static const char *const lines[] = {"translate --model x --beam 7", "translate --model=x --beam=7",
                                        "translate -m x --beam +7", "translate -mx --beam 007",
                                        "translate --beam 3 -q --beam 7 -m x"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        options *o = good(FOR_TRANSLATE, lines[i]);
        CU_ASSERT_STRING_EQUAL(options_value(o, "model"), "x");
        CU_ASSERT_EQUAL(options_int(o, "beam"), 7);
        CU_ASSERT_STRING_EQUAL(options_value(o, "beam"), "7");
        CU_ASSERT(options_given(o, "beam"));
        CU_ASSERT(!options_given(o, "length-penalty"));
        options_free(o);
    }
}

static void words_that_are_no_options(void)
{
    options *o = good(FOR_INFO, "info a --json - -- --hash b");
    const char *const *words;
    CU_ASSERT_EQUAL_FATAL(options_rest(o, &words), 4);
    static const char *const expected[] = {"a", "-", "--hash", "b"};
    for (int i = 0; i < 4; i++) CU_ASSERT_STRING_EQUAL(words[i], expected[i]);
    CU_ASSERT(options_flag(o, "json"));
    CU_ASSERT(!options_flag(o, "hash"));
    options_free(o);
}

static void lists_take_their_words(void)
{
    const char *const *words;
    options *o = good(FOR_TRAIN, "train -t a.en a.de --train b.en b.de --valid v.en v.de -m m");
    CU_ASSERT_EQUAL_FATAL(options_list(o, "train", &words), 4);
    CU_ASSERT_STRING_EQUAL(words[3], "b.de");
    CU_ASSERT_STRING_EQUAL(options_value(o, "train"), "a.en a.de b.en b.de");
    CU_ASSERT_EQUAL(options_list(o, "valid", NULL), 2);
    options_free(o);
    o = good(FOR_VOCAB, "vocab -t a b - c -o out -t d");
    CU_ASSERT_EQUAL_FATAL(options_list(o, "train", &words), 5);
    CU_ASSERT_STRING_EQUAL(words[2], "-");
    CU_ASSERT_STRING_EQUAL(words[4], "d");
    options_free(o);
    bad(FOR_TRAIN, "train -t a.en -m m", "-t needs SRC TGT");
    bad(FOR_TRAIN, "train -t a.en -mm", "-t needs SRC TGT");
    bad(FOR_TRAIN, "train -t a.en", "-t needs SRC TGT");
    bad(FOR_VOCAB, "vocab -t -o out", "-t needs FILE...");
    bad(FOR_TRAIN, "train --valid a b --valid c d", "--valid given more than once");
}

static void flags_and_their_negation(void)
{
    options *o = good(FOR_TRAIN, "train --preset bahdanau --no-bidirectional --casefold --no-casefold -q");
    CU_ASSERT(!options_flag(o, "bidirectional"));
    CU_ASSERT(!options_flag(o, "casefold"));
    CU_ASSERT(options_flag(o, "quiet"));
    CU_ASSERT_STRING_EQUAL(options_value(o, "bidirectional"), "false");
    options_free(o);
    o = good(FOR_TRAIN, "train --arch rnn --bidirectional=true --casefold=false");
    CU_ASSERT(options_flag(o, "bidirectional"));
    options_free(o);
    bad(FOR_TRAIN, "train --bidirectional=yes", "--bidirectional yes: write true or false");
    bad(FOR_TRAIN, "train --no-casefold=true", "--no-casefold takes no value");
    bad(FOR_TRAIN, "train --no-beam", "unknown option --no-beam, see --help");
}

static void help_ends_the_reading(void)
{
    options *o = good(FOR_TRAIN, "train --help --nonsense --beam");
    CU_ASSERT(options_flag(o, "help"));
    options_free(o);
    o = good(FOR_TRAIN, "train --version --config /does/not/exist");
    CU_ASSERT(options_flag(o, "version"));
    options_free(o);
}

static void refusals(void)
{
    bad(FOR_TRANSLATE, "translate --baem 5", "unknown option --baem, did you mean --beam?");
    bad(FOR_TRANSLATE, "translate --length-penlty=5",
        "unknown option --length-penlty, did you mean --length-penalty?");
    bad(FOR_TRAIN, "train --label 0.1", "unknown option --label, did you mean --label-smoothing?");
    bad(FOR_TRAIN, "train --xyzzy", "unknown option --xyzzy, see --help");
    bad(FOR_TRAIN, "train -Z", "unknown option -Z, see --help");
    bad(FOR_VOCAB, "vocab --beam 5", "this command has no option --beam");
    bad(FOR_TRANSLATE, "translate --beam", "--beam needs N");
    bad(FOR_TRANSLATE, "translate -m --beam 5", "-m needs MODEL");
    bad(FOR_TRANSLATE, "translate -m -q", "-m needs MODEL");
    bad(FOR_TRANSLATE, "translate --model=", "--model needs MODEL");
    bad(FOR_TOKENIZE, "tokenize -m a --model b",
        "--model b: given a second time, but there can be one FILE alone");
    bad(FOR_TRANSLATE, "translate --beam 12x", "--beam 12x: not a whole number");
    bad(FOR_TRANSLATE, "translate --beam=", "--beam : not a whole number");
    bad(FOR_TRANSLATE, "translate --beam 5.0", "--beam 5.0: not a whole number");
    bad(FOR_TRANSLATE, "translate --beam 0", "--beam 0: out of range, must be from 1 to 1000");
    bad(FOR_TRANSLATE, "translate --beam -3", "--beam -3: out of range, must be from 1 to 1000");
    bad(FOR_TRANSLATE, "translate --beam 99999999999999999999", "--beam 99999999999999999999: out of range");
    bad(FOR_TRAIN, "train --batch-tokens 1", "--batch-tokens 1: out of range, must be at least 2");
    bad(FOR_TRAIN, "train --dropout 1", "--dropout 1: out of range, must be from 0 to 0.99");
    bad(FOR_TRAIN, "train --arch gpt", "--arch gpt: unknown, choose rnn or transformer");
    bad(FOR_TRAIN, "train --preset huge",
        "--preset huge: unknown, choose tiny, small, base, bahdanau or seq2seq");
    static const char *const no_numbers[] = {"nan",  "inf", "-inf", "0x1p3", "1,5", "1e999",
                                             "0.1x", "--",  "e5",   ".",     "1e"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        str line = {0}, message = {0};
        str_addf(&line, "train --lr=%s", no_numbers[i]);
        str_addf(&message, "--lr %s: not a number", no_numbers[i]);
        bad(FOR_TRAIN, str_text(&line), str_text(&message));
        str_free(&line);
        str_free(&message);
    }
}

static void times(void)
{
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {{"90s", 90},    {"45m", 2700}, {"2h", 7200},   {"1h30m", 5400},
                 {"1.5h", 5400}, {"90", 90},    {"1d1s", 86401}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        options *o = options_new(FOR_TRAIN);
        CU_ASSERT_EQUAL(options_set(o, "time", cases[i].text), 0);
        CU_ASSERT_EQUAL(options_real(o, "time"), cases[i].seconds);
        options_free(o);
    }
    bad(FOR_TRAIN, "train --time 5q", "--time 5q: not a time, write 90s, 45m, 2h or 1h30m");
    bad(FOR_TRAIN, "train --time 30m1h", "--time 30m1h: not a time, write 90s, 45m, 2h or 1h30m");
    bad(FOR_TRAIN, "train --time 1h30", "--time 1h30: not a time, write 90s, 45m, 2h or 1h30m");
    bad(FOR_TRAIN, "train --time -5s", "--time -5s: out of range, must be at least 0");
}

static void decimal_point_in_any_locale(void)
{
    static const char *const comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8"};
    for (size_t i = 0; i < sizeof comma / sizeof *comma; i++)
        if (setlocale(LC_ALL, comma[i])) break;
    options *o = good(FOR_TRAIN, "train --lr 2.5e-4 --clip-norm .5");
    CU_ASSERT_EQUAL(options_real(o, "lr"), 2.5e-4);
    CU_ASSERT_STRING_EQUAL(options_value(o, "lr"), "0.00025");
    CU_ASSERT_STRING_EQUAL(options_value(o, "clip-norm"), "0.5");
    options_free(o);
    setlocale(LC_ALL, "C");
}

/* --------------------------------------------------------------------------- config and presets */

static void command_line_wins_over_config_over_preset(void)
{
    write_file("options-test.conf",
               "# how we train\npreset = tiny\n\n  d-ff = 512 # wide\nlr=0.25\r\n"
               "train = a.en \"b c.de\"\nbeam = 3\ncasefold = true\nvocab = \"my vocab#1\"\n");
    options *o = good(FOR_TRAIN, "train --config options-test.conf --lr 0.5 --no-casefold");
    const char *const *words;
    CU_ASSERT_EQUAL(options_real(o, "lr"), 0.5);  /* argv */
    CU_ASSERT(!options_flag(o, "casefold"));      /* argv */
    CU_ASSERT_EQUAL(options_int(o, "d-ff"), 512); /* config */
    CU_ASSERT_STRING_EQUAL(options_text(o, "vocab"), "my vocab#1");
    CU_ASSERT_EQUAL(options_int(o, "d-model"), 128); /* preset */
    CU_ASSERT_EQUAL(options_int(o, "max-len"), 256); /* default */
    CU_ASSERT_EQUAL_FATAL(options_list(o, "train", &words), 2);
    CU_ASSERT_STRING_EQUAL(words[1], "b c.de");
    CU_ASSERT_STRING_EQUAL(options_value(o, "train"), "a.en \"b c.de\"");
    options_free(o);
    o = good(FOR_TRAIN,
             "train -t x y --config options-test.conf"); /* a list of argv replaces that of the file */
    CU_ASSERT_EQUAL_FATAL(options_list(o, "train", &words), 2);
    CU_ASSERT_STRING_EQUAL(words[0], "x");
    options_free(o);
    o = good(FOR_TRAIN, "train --preset small --config options-test.conf");
    CU_ASSERT_EQUAL(options_int(o, "d-model"), 256);
    CU_ASSERT_EQUAL(options_int(o, "d-ff"), 512);
    options_free(o);
    unlink("options-test.conf");
}

static void bad_config(const char *text, const char *message)
{
    write_file("options-test.conf", text);
    bad(FOR_TRAIN, "train --config options-test.conf", message);
    unlink("options-test.conf");
}

static void config_refusals(void)
{
    bad_config("\nd-modle = 5\n", "options-test.conf:2: unknown option d-modle, did you mean d-model?");
    bad_config("d-model 5\n", "options-test.conf:1: expected `key = value`, found `d-model 5`");
    bad_config("d-model = five # six\n", "options-test.conf:1: d-model five: not a whole number");
    bad_config("casefold\n", "options-test.conf:1: expected `key = value`, found `casefold`");
    bad_config("lr =\n", "options-test.conf:1: lr : not a number");
    bad_config("config = other\n", "options-test.conf:1: config belongs on the command line");
    bad(FOR_TRAIN, "train --config /does/not/exist", "/does/not/exist: no such file");
}

static void contradictions(void)
{
    bad(FOR_TRAIN, "train --resume --overwrite", "--resume and --overwrite contradict each other, give one");
    int result;
    options_free(parse(FOR_TRAIN, "train --arch transformer --d-model 100 --n-heads 3", &result));
    CU_ASSERT_EQUAL(result, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error_message(), "--n-heads"));
    options_free(parse(FOR_TRAIN, "train --preset tiny --separate-vocabs", &result)); /* tie all */
    CU_ASSERT_EQUAL(result, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error_message(), "--tie"));
}

static void unused_options_are_noted_once(void)
{
    note_listener(listen);
    notes[0] = '\0';
    options_free(good(FOR_TRAIN, "train --preset tiny --cell lstm --d-emb 64 --epochs 3"));
    CU_ASSERT_STRING_EQUAL(notes,
                           "not used by this network (--arch transformer) and left alone: --d-emb, --cell\n");
    notes[0] = '\0';
    options_free(good(FOR_TRAIN, "train --preset bahdanau --cell lstm --epochs 3"));
    CU_ASSERT_STRING_EQUAL(notes, "");
    options_free(good(FOR_TRAIN, "train --preset tiny --cell lstm --quiet"));
    CU_ASSERT_STRING_EQUAL(notes, "");
    options_free(good(FOR_TRAIN, "train --vocab v --vocab-size 300 --casefold"));
    CU_ASSERT_STRING_EQUAL(notes,
                           "left alone, the vocabulary of --vocab has its own: --vocab-size, --casefold\n");
    notes[0] = '\0';
    options_free(good(FOR_TRAIN, "train --vocab-size 300"));
    CU_ASSERT_STRING_EQUAL(notes, "");
    note_listener(NULL);
}

static void presets_are_good_networks(void)
{
    note_listener(listen);
    notes[0] = '\0';
    for (const preset_row *p = presets; p->name; p++) {
        str line = {0};
        str_addf(&line, "train --preset %s", p->name);
        options *o = good(FOR_TRAIN, str_text(&line));
        for (const char *const *kv = p->values; *kv; kv += 2) {
            CU_ASSERT_PTR_NOT_NULL(option_find(FOR_TRAIN, kv[0]));
            CU_ASSERT_STRING_EQUAL(options_value(o, kv[0]), kv[1]); /* rows are written canonically */
        }
        net_config c = options_network(o);
        for (const char *const *kv = p->values; *kv; kv += 2) CU_ASSERT(net_config_uses(&c, kv[0]));
        str_free(&line);
        options_free(o);
    }
    CU_ASSERT_STRING_EQUAL(notes, "");
    note_listener(NULL);
}

/* A command that takes several presets applies them itself: what a model file holds, and no more. */
static void presets_one_by_one(void)
{
    options *o = good(FOR_BENCH, "bench --preset tiny bahdanau --d-emb 64");
    const char *const *words;
    CU_ASSERT_EQUAL_FATAL(options_list(o, "preset", &words), 2);
    CU_ASSERT_STRING_EQUAL(words[1], "bahdanau");
    CU_ASSERT_STRING_EQUAL(options_text(o, "arch"), "transformer"); /* none is applied */
    options_preset(o, words[1]);
    CU_ASSERT_STRING_EQUAL(options_text(o, "arch"), "rnn");
    CU_ASSERT_EQUAL(options_int(o, "d-model"), 512);
    CU_ASSERT_EQUAL(options_int(o, "d-emb"), 64);          /* argv wins */
    CU_ASSERT_EQUAL(options_int(o, "batch-tokens"), 4096); /* of the bench, not of the network */
    options_free(o);
    bad(FOR_BENCH, "bench --preset tiny huge",
        "--preset huge: unknown, choose tiny, small, base, bahdanau or seq2seq");
}

static void tiny_and_bahdanau_are_the_papers(void)
{
    options *o = good(FOR_TRAIN, "train --preset tiny");
    net_config c = options_network(o);
    CU_ASSERT_STRING_EQUAL(c.enc, "transformer");
    CU_ASSERT_STRING_EQUAL(c.dec, "transformer");
    CU_ASSERT_EQUAL(c.enc_layers, 4);
    CU_ASSERT_EQUAL(c.dec_layers, 4);
    CU_ASSERT_EQUAL(c.d_model, 128);
    CU_ASSERT_EQUAL(c.d_ff, 256);
    CU_ASSERT_EQUAL(c.n_heads, 4);
    CU_ASSERT_EQUAL(c.dropout, 0.3);
    CU_ASSERT_EQUAL(c.dropout_emb, 0.3); /* follows --dropout */
    CU_ASSERT_EQUAL(c.dropout_attention, 0);
    CU_ASSERT(c.shared_vocab);
    options_free(o);
    o = good(FOR_TRAIN, "train --preset bahdanau --dropout-emb 0");
    c = options_network(o);
    CU_ASSERT_STRING_EQUAL(c.enc, "rnn");
    CU_ASSERT_STRING_EQUAL(c.dec, "rnn");
    CU_ASSERT_STRING_EQUAL(c.attention, "additive");
    CU_ASSERT(c.bidirectional);
    CU_ASSERT_EQUAL(c.d_emb, 256);
    CU_ASSERT_EQUAL(c.d_model, 512);
    CU_ASSERT_EQUAL(c.d_attention, 512);
    CU_ASSERT_EQUAL(c.dropout_emb, 0);
    options_free(o);
}

static void expect_sides(const char *line, const char *enc, const char *dec)
{
    options *o = good(FOR_TRAIN, line);
    net_config c = options_network(o);
    CU_ASSERT_STRING_EQUAL(c.enc, enc);
    CU_ASSERT_STRING_EQUAL(c.dec, dec);
    CU_ASSERT_STRING_EQUAL(options_value(o, "enc"), enc); /* as it is kept in the model file */
    options_free(o);
}

static void encoder_and_decoder_are_chosen_apart(void)
{
    expect_sides("train", "transformer", "transformer");
    expect_sides("train --arch rnn", "rnn", "rnn");
    expect_sides("train --dec rnn", "transformer", "rnn");
    expect_sides("train --dec rnn --arch transformer", "transformer", "rnn");
    expect_sides("train --enc transformer --arch rnn", "transformer", "rnn");
    expect_sides("train --preset bahdanau --enc transformer --n-heads 8", "transformer", "rnn");
    bad(FOR_TRAIN, "train --enc cnn", "--enc cnn: unknown, choose rnn or transformer");
    note_listener(listen);
    notes[0] = '\0';
    options_free(good(FOR_TRAIN, "train --dec rnn --cell lstm --n-heads 2 --bidirectional"));
    CU_ASSERT_STRING_EQUAL(notes, "not used by this network (--enc transformer --dec rnn) and left alone: "
                                  "--bidirectional\n");
    notes[0] = '\0';
    note_listener(NULL);
    int result; /* one table for both sides is of one width */
    options_free(parse(FOR_TRAIN, "train --dec rnn --tie all --d-emb 128", &result));
    CU_ASSERT_EQUAL(result, -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error_message(), "--d-emb equal to --d-model"));
}

static void sizes_that_follow_others(void)
{
    options *o = good(FOR_TRAIN, "train --arch rnn --d-model 96 --d-emb 48");
    net_config c = options_network(o);
    CU_ASSERT_EQUAL(c.d_attention, 96);
    CU_ASSERT_EQUAL(c.d_readout, 48);
    options_free(o);
    o = good(FOR_TRAIN, "train --arch rnn --attention none --max-len 30");
    c = options_network(o);
    CU_ASSERT_EQUAL(c.d_readout, 0);
    CU_ASSERT_EQUAL(c.attention_span, 31);
    options_free(o);
    o = good(FOR_TRAIN, "train --arch rnn --attention none --context every-step --attention-span 9");
    c = options_network(o);
    CU_ASSERT_EQUAL(c.d_readout, 256);
    CU_ASSERT_EQUAL(c.attention_span, 9);
    CU_ASSERT_STRING_EQUAL(c.context, "every-step");
    options_free(o);
}

/* What of an RNN contradicts, and what is left alone. */
static void readouts_and_contexts(void)
{
    static const char *const wrong[][2] = {
        {"--attention none --readout deep", "--readout deep needs a width"},
        {"--attention none --readout attentional --d-readout 9", "--readout attentional needs a context"},
        {"--attention none --input-feeding --d-readout 0", "--input-feeding needs a readout"},
        {"--d-readout 0", "--attention additive needs"},
    };
    char line[128];
    int result;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(line, sizeof line, "train --arch rnn %s", wrong[i][0]);
        options_free(parse(FOR_TRAIN, line, &result));
        CU_ASSERT(result == -1 && strstr(error_message(), wrong[i][1]));
    }
    note_listener(listen);
    options_free(good(FOR_TRAIN, "train --arch rnn --context every-step --d-attention 3 --attention-span 9 "
                                 "--readout state --input-feeding --residual"));
    CU_ASSERT_PTR_NOT_NULL(strstr(notes, "left alone: --context, --attention-span\n"));
    notes[0] = '\0';
    options_free(
        good(FOR_TRAIN, "train --arch rnn --attention none --d-attention 3 --readout state --d-readout 5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(notes, "left alone: --d-attention\n"));
    notes[0] = '\0';
    note_listener(NULL);
}

static void search_settings(void)
{
    options *o = good(FOR_TRANSLATE, "translate --beam 4 --length-penalty 0.6 --batch-tokens 100");
    search_options s = options_search(o);
    CU_ASSERT_EQUAL(s.beam, 4);
    CU_ASSERT_EQUAL(s.length_penalty, 0.6);
    CU_ASSERT_EQUAL(s.batch_tokens, 100);
    CU_ASSERT_EQUAL(s.n_best, 1);
    options_free(o);
}

/* A choice that may stand alone takes the next word only if it is one of the choices. */
static void implied_choice(void)
{
    static const char *const lines[][2] = {{"translate --alignment", "hard"},
                                           {"translate --alignment soft", "soft"},
                                           {"translate --alignment=pieces", "pieces"},
                                           {"translate --alignment -m x", "hard"},
                                           {"translate --alignment x", "hard"}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        options *o = good(FOR_TRANSLATE, lines[i][0]);
        CU_ASSERT_STRING_EQUAL(options_text(o, "alignment"), lines[i][1]);
        CU_ASSERT_EQUAL(options_rest(o, NULL), i == 4);
        options_free(o);
    }
    bad(FOR_TRANSLATE, "translate --alignment=x", "--alignment x: unknown, choose hard, pieces or soft");
}

static void search_contradictions(void)
{
    static const char *const wrong[] = {"--top-k 5", "--n-best 6", "--sample --beam 3",
                                        "--coverage-penalty 0.1 --beam-stop exact"};
    static const char *const right[] = {"--sample --top-k 5 --n-best 20", "--n-best 5", "--beam-stop exact",
                                        "--coverage-penalty 0.1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[99];
        snprintf(line, sizeof line, "translate %s", wrong[i]);
        options *o = good(FOR_TRANSLATE, line);
        CU_ASSERT_EQUAL(options_check_search(o), -1);
        options_free(o);
        snprintf(line, sizeof line, "translate %s", right[i]);
        o = good(FOR_TRANSLATE, line);
        CU_ASSERT_EQUAL(options_check_search(o), 0);
        options_free(o);
    }
}

/* ------------------------------------------------------------------------------------ the table */

static const unsigned each_command[] = {FOR_TRAIN, FOR_TRANSLATE, FOR_VOCAB, FOR_TOKENIZE, FOR_DETOKENIZE,
                                        FOR_INFO,  FOR_SCORE,     FOR_BENCH, FOR_CHECK};
enum { COMMANDS = sizeof each_command / sizeof *each_command };

static void try_bound(options *o, const option_row *row, double beyond)
{
    char text[64];
    snprintf(text, sizeof text, "%.17g", beyond);
    CU_ASSERT_EQUAL(options_set(o, row->key, text), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(error_message(), row->key));
}

static void rows_are_whole(void)
{
    for (const option_row *row = option_table; row->key; row++) {
        CU_ASSERT_PTR_NOT_NULL(row->help);
        CU_ASSERT(row->commands != 0);
        CU_ASSERT((row->type == OPTION_FLAG) == !row->argument);
        if (row->type != OPTION_LIST) /* words of a list may be choices, too */
            CU_ASSERT((row->type == OPTION_CHOICE) == !!option_choice(row, 0));
        CU_ASSERT((row->type == OPTION_LIST) == !!row->values);
        for (const option_row *other = option_table; other < row; other++) /* one row a name and command */
            if (row->commands & other->commands) {
                CU_ASSERT_STRING_NOT_EQUAL(row->key, other->key);
                CU_ASSERT(!row->letter || row->letter != other->letter);
            }
    }
}

static void bounds_and_choices_hold(void)
{
    for (int i = 0; i < COMMANDS; i++)
        for (const option_row *row = option_table; row->key; row++) {
            if (!(row->commands & each_command[i])) continue;
            options *o = options_new(each_command[i]);
            bool number = row->type == OPTION_INT || row->type == OPTION_REAL || row->type == OPTION_TIME;
            if (number) {
                CU_ASSERT(row->least < row->most);
                try_bound(o, row, row->least - 1);
                try_bound(o, row, row->most + 1);
            }
            for (int c = 0; option_choice(row, c); c++) {
                CU_ASSERT_EQUAL(options_set(o, row->key, option_choice(row, c)), 0);
                CU_ASSERT_STRING_EQUAL(options_value(o, row->key), option_choice(row, c));
            }
            options_free(o);
        }
}

/* One blank where lines were broken. */
static void squeeze(const char *text, str *out)
{
    for (; *text; text++)
        if (*text != ' ' && *text != '\n')
            str_add_char(out, *text);
        else if (out->n && out->p[out->n - 1] != ' ')
            str_add_char(out, ' ');
}

static void help_names_every_option(void)
{
    for (int i = 0; i < COMMANDS; i++) {
        str help = {0}, words = {0};
        options_help(each_command[i], "tulk x", "summary", "example", &help);
        squeeze(str_text(&help), &words);
        for (const option_row *row = option_table; row->key; row++) {
            char flag[64];
            snprintf(flag, sizeof flag, "--%s ", row->key);
            bool named = strstr(str_text(&words), flag) != NULL;
            if (row->commands & each_command[i]) CU_ASSERT(named);
            if (row->commands & each_command[i] && row->initial && strcmp(row->initial, "-")) {
                char initial[64];
                snprintf(initial, sizeof initial, "(default: %s)", row->initial);
                CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&words), initial));
            }
            if (!option_find(each_command[i], row->key)) CU_ASSERT(!named);
        }
        for (const char *line = str_text(&help); line; line = strchr(line, '\n')) {
            line += *line == '\n';
            CU_ASSERT(strcspn(line, "\n") <= 100);
        }
        str_free(&help);
        str_free(&words);
    }
}

static void values_survive_a_model_file(void)
{
    static const char path[] = "options-test.tulk";
    unlink(path);
    store *s;
    CU_ASSERT_EQUAL_FATAL(store_open(path, STORE_CREATE, &s), 0);
    options *o =
        good(FOR_TRAIN, "train --preset tiny -t a b -t c d --lr 0.1 --time 1h30m --casefold --seed 7");
    CU_ASSERT_EQUAL(options_set(o, "train", "\"a \\\"x\\\" b\" c"), 0);
    CU_ASSERT_EQUAL(store_begin(s), 0);
    CU_ASSERT_EQUAL(options_save(o, s), 0);
    CU_ASSERT_EQUAL(store_set(s, "other", "1"), 0); /* not an option: left alone */
    CU_ASSERT_EQUAL(store_commit(s), 0);
    options *back = options_new(FOR_TRAIN);
    CU_ASSERT_EQUAL(options_load(back, s), 0);
    for (const option_row *row = option_table; row->key; row++) {
        if (!(row->commands & FOR_TRAIN) || !row->in_model) continue;
        const char *was = options_value(o, row->key), *is = options_value(back, row->key);
        CU_ASSERT((was == NULL) == (is == NULL));
        if (was && is) CU_ASSERT_STRING_EQUAL(was, is);
    }
    const char *const *words;
    CU_ASSERT_EQUAL_FATAL(options_list(back, "train", &words), 2);
    CU_ASSERT_STRING_EQUAL(words[0], "a \"x\" b");
    options_free(back);
    options_free(o);
    back = options_new(FOR_TRAIN);
    CU_ASSERT_EQUAL(store_begin(s) || store_set(s, "d-model", "wide") || store_commit(s), 0);
    CU_ASSERT_EQUAL(options_load(back, s), -1); /* whose setting it is must be told */
    CU_ASSERT_STRING_EQUAL(error_message(), "options-test.tulk: d-model wide: not a whole number");
    options_free(back);
    store_close(s);
    unlink(path);
}

static void distances(void)
{
    CU_ASSERT_EQUAL(word_distance("", ""), 0);
    CU_ASSERT_EQUAL(word_distance("abc", ""), 3);
    CU_ASSERT_EQUAL(word_distance("beam", "baem"), 1);
    CU_ASSERT_EQUAL(word_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(word_distance("ca", "abc"), 3); /* neighbours swap only once */
}

int main(void)
{
    CU_TestInfo tests[] = {{"forms of a value", forms_of_a_value},
                           {"words that are no options", words_that_are_no_options},
                           {"lists take their words", lists_take_their_words},
                           {"flags and their negation", flags_and_their_negation},
                           {"help ends the reading", help_ends_the_reading},
                           {"refusals", refusals},
                           {"times", times},
                           {"decimal point in any locale", decimal_point_in_any_locale},
                           {"precedence", command_line_wins_over_config_over_preset},
                           {"config refusals", config_refusals},
                           {"contradictions", contradictions},
                           {"unused options are noted once", unused_options_are_noted_once},
                           {"presets are good networks", presets_are_good_networks},
                           {"presets one by one", presets_one_by_one},
                           {"tiny and bahdanau", tiny_and_bahdanau_are_the_papers},
                           {"encoder and decoder are chosen apart", encoder_and_decoder_are_chosen_apart},
                           {"sizes that follow others", sizes_that_follow_others},
                           {"readouts and contexts", readouts_and_contexts},
                           {"settings of search", search_settings},
                           {"a choice that may stand alone", implied_choice},
                           {"contradictions of search", search_contradictions},
                           {"rows are whole", rows_are_whole},
                           {"bounds and choices hold", bounds_and_choices_hold},
                           {"help names every option", help_names_every_option},
                           {"values survive a model file", values_survive_a_model_file},
                           {"distances", distances},
                           CU_TEST_INFO_NULL};
    return suite_run("options", tests);
}
