/* The table of options and the presets. A row is all there is to an option: the parser, --help, the config
 * file and the model file read it here. Only what is built has a row. */
#include "options/options.h"

#include <stddef.h>

#include "eval/tokenize.h"
#include "kernel/cell.h"
#include "kernel/isa.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/rows.h"
#include "tensor/params.h"
#include "text/tokenizer.h"
#include "train/optimizer.h"
#include "train/schedule.h"

/* Choices: names of the tables that are the lists of what is built. */
static const char *cell_name(int i) { return cells[i].name; }
static const char *attention_name(int i) { return i == 0 ? "none" : attentions[i - 1].name; }
static const char *optimizer_name(int i) { return optimizers[i].name; }
static const char *schedule_name(int i) { return schedules[i].name; }
static const char *bleu_tokenizer_name(int i) { return eval_tokenizers[i].name; }
static const char *length_penalty_name(int i) { return length_penalties[i].name; }
static const char *preset_name(int i) { return presets[i].name; }

static const char *const contexts[] = {"init", "every-step", NULL};
static const char *const readouts[] = {"deep", "attentional", "state", NULL};
static const char *const norms[] = {"pre", "post", NULL};
static const char *const ties[] = {"none", "tgt", "all", NULL};
static const char *const stop_metrics[] = {"bleu", "cross-entropy", NULL};
static const char *const sides[] = {"src", "tgt", NULL};
static const char *const long_ways[] = {"split", "cut", "skip", NULL};         /* enum long_way */
static const char *const alignment_kinds[] = {"hard", "pieces", "soft", NULL}; /* enum alignment_kind */
static const char *const translating_precisions[] = {"fp32", "int8", NULL};    /* enum precision */
static const char *const training_precisions[] = {"fp32", "bf16", NULL};
static const char *const length_kinds[] = {"captions", "newswire", NULL};

#define HUGE_COUNT  1e15
#define MOST_TOKENS 1e9 /* a batch is counted in int */
#define TEXT_IN     (FOR_VOCAB | FOR_TRAIN)
#define FILTERS     (FOR_TRANSLATE | FOR_TOKENIZE | FOR_DETOKENIZE)

#define NETWORK    .commands = FOR_TRAIN | FOR_BENCH, .group = "network", .in_model = true
#define TRAINING   .commands = FOR_TRAIN, .group = "training", .in_model = true
#define STOPPING   TRAINING, .may_change = true
#define COUNT      .type = OPTION_INT, .argument = "N"
#define SHARE      .type = OPTION_REAL, .argument = "P", .least = 0, .most = 0.99
#define DECAY      .type = OPTION_REAL, .argument = "X", .least = 0, .most = 0.999999
#define NAME(list) .type = OPTION_CHOICE, .argument = "NAME", .choices = list
#define ROW(names) .type = OPTION_CHOICE, .argument = "NAME", .choice_at = names

/* clang-format off */
const option_row option_table[] = {
    /* files */
    {.key = "train", .letter = 't', .type = OPTION_LIST, .commands = FOR_TRAIN, .group = "files", .values = 2,
     .argument = "SRC TGT", .help = "parallel text, line by line; may be given again", .in_model = true},
    {.key = "weight", .type = OPTION_LIST, .commands = FOR_TRAIN, .group = "files", .values = 1, .argument = "W",
     .help = "how often each pair of a -t counts in an epoch, e.g. 2 or 0.5; one for each -t, in their order", .in_model = true},
    {.key = "train", .letter = 't', .type = OPTION_LIST, .commands = FOR_BENCH, .group = "files", .values = 2,
     .most = 1, .argument = "SRC TGT",
     .help = "parallel text to train on; then reading, tokenising and batching are timed, too"},
    {.key = "model", .letter = 'm', .type = OPTION_TEXT, .commands = FOR_BENCH, .group = "files",
     .most = 1, .argument = "MODEL", .help = "model file to translate with, instead of random weights"},
    {.key = "output", .letter = 'o', .type = OPTION_TEXT, .commands = FOR_BENCH, .group = "files", .argument = "FILE",
     .help = "write translations, as numbers of pieces"},
    {.key = "ids", .type = OPTION_LIST, .commands = FOR_BENCH, .group = "files", .values = 2, .most = 1,
     .argument = "SRC TGT",
     .help = "pairs as numbers of pieces (tulk tokenize --ids); a line that is empty in both files ends a batch"},
    {.key = "train", .letter = 't', .type = OPTION_LIST, .commands = FOR_VOCAB, .group = "files",
     .values = VALUES_ALL, .argument = "FILE...", .help = "text to learn from"},
    {.key = "valid", .type = OPTION_LIST, .commands = FOR_TRAIN, .group = "files", .values = 2, .most = 1,
     .argument = "SRC TGT",
     .help = "parallel text to validate on (default: 1 % of the training pairs, at most 1,000, held out)",
     .in_model = true},
    {.key = "model", .letter = 'm', .type = OPTION_TEXT, .commands = FOR_TRAIN, .group = "files",
     .most = 1, .argument = "MODEL", .help = "model file to write"},
    {.key = "model", .letter = 'm', .type = OPTION_LIST, .commands = FOR_TRANSLATE | FOR_SCORE, .group = "files",
     .values = 1, .argument = "MODEL", .help = "model file; given again, the networks work together, each word by the "
     "geometric mean of their probabilities"},
    {.key = "text", .letter = 't', .type = OPTION_LIST, .commands = FOR_SCORE, .group = "files", .values = 2,
     .most = 1, .argument = "SRC TGT", .help = "source and translation, line by line, one of them may be - for "
     "standard input; .gz is fine"},
    {.key = "model", .letter = 'm', .type = OPTION_TEXT, .commands = FOR_TOKENIZE | FOR_DETOKENIZE, .group = "files",
     .most = 1, .argument = "FILE", .help = "model or vocabulary file"},
    {.key = "input", .letter = 'i', .type = OPTION_TEXT, .commands = FILTERS, .group = "files", .argument = "FILE",
     .initial = "-", .help = "text to read, - is standard input; .gz is fine"},
    {.key = "output", .letter = 'o', .type = OPTION_TEXT, .commands = FILTERS | FOR_SCORE, .group = "files",
     .argument = "FILE", .initial = "-", .help = "file to write, - is standard output"},
    {.key = "prefix", .type = OPTION_TEXT, .commands = FOR_TRANSLATE, .group = "files", .argument = "FILE",
     .help = "how the translation of each line begins, line by line; an empty line leaves it open"},
    {.key = "force-length", .type = OPTION_TEXT, .commands = FOR_TRANSLATE, .group = "files", .argument = "FILE",
     .help = "each translation gets as many pieces as the line of FILE has, to compare speeds by equal work"},
    {.key = "output", .letter = 'o', .type = OPTION_TEXT, .commands = FOR_VOCAB, .group = "files",
     .argument = "VOCAB", .help = "vocabulary file to write"},
    {.key = "output", .letter = 'o', .type = OPTION_TEXT, .commands = FOR_EXPORT, .group = "files",
     .argument = "OUT", .help = "model file to write"},
    {.key = "output", .letter = 'o', .type = OPTION_TEXT, .commands = FOR_AVERAGE, .group = "files",
     .argument = "OUT", .help = "model file to write, which can only translate (default: checkpoint average of MODEL)"},
    {.key = "last", COUNT, .commands = FOR_AVERAGE, .group = "files", .least = 1, .most = HUGE_COUNT,
     .help = "the newest N that --save-every of the training kept (default of one file: all of them)"},
    {.key = "checkpoints", .type = OPTION_TEXT, .commands = FOR_AVERAGE, .group = "files", .argument = "A,B,C",
     .help = "these, as tulk info names them (default of several files: best, or last if there is no best)"},
    {.key = "valid", .type = OPTION_LIST, .commands = FOR_CHECK, .group = "files", .values = 2, .most = 1,
     .argument = "SRC TGT", .help = "validation set, which should share no sentence with the corpus"},
    {.key = "test", .type = OPTION_LIST, .commands = FOR_CHECK, .group = "files", .values = 2, .most = 1,
     .argument = "SRC TGT", .help = "test set, which should share no sentence with the corpus"},
    {.key = "model", .letter = 'm', .type = OPTION_TEXT, .commands = FOR_CHECK, .group = "files", .most = 1,
     .argument = "FILE", .help = "model or vocabulary file: tell how it covers the text"},
    {.key = "clean", .type = OPTION_TEXT, .commands = FOR_CHECK, .group = "files", .most = 1, .argument = "OUT",
     .help = "write the pairs that pass into two files whose names begin so, and what was dropped into OUT.dropped"},
    {.key = "init", .type = OPTION_TEXT, .commands = FOR_TRAIN, .group = "files", .argument = "MODEL",
     .help = "begin with the vocabulary, the network and the weights (best, or last) of another model: fine-tuning",
     .in_model = true},
    {.key = "resume", .type = OPTION_FLAG, .commands = FOR_TRAIN, .group = "files",
     .help = "go on with the training that MODEL holds"},
    {.key = "overwrite", .type = OPTION_FLAG, .commands = FOR_TRAIN | FOR_VOCAB | FOR_AVERAGE | FOR_EXPORT, .group = "files",
     .help = "replace an existing file"},

    /* text */
    {.key = "vocab", .type = OPTION_TEXT, .commands = FOR_TRAIN | FOR_BENCH, .group = "text", .argument = "FILE",
     .help = "vocabulary made by tulk vocab (default: learned from the training text)", .in_model = true},
    {.key = "vocab-size", COUNT, .commands = TEXT_IN, .group = "text", .initial = "8000", .least = 260,
     .most = 1000000, .help = "pieces of a vocabulary, 256 bytes and 4 marks counted", .in_model = true},
    {.key = "vocab-size", COUNT, .commands = FOR_BENCH, .group = "text", .least = 260, .most = 1000000,
     .help = "pieces of the vocabulary (default: 8000, 32000 for the preset base)"},
    {.key = "separate-vocabs", .type = OPTION_FLAG, .commands = FOR_TRAIN | FOR_BENCH, .group = "text",
     .help = "one vocabulary for each language instead of a joint one", .in_model = true},
    {.key = "normalize", NAME(normalizations), .commands = TEXT_IN, .group = "text", .initial = "nfc",
     .help = "Unicode normalisation", .in_model = true},
    {.key = "casefold", .type = OPTION_FLAG, .commands = TEXT_IN, .group = "text",
     .help = "fold upper and lower case", .in_model = true},
    {.key = "bpe-dropout", SHARE, .commands = FOR_TRAIN, .group = "text", .initial = "0",
     .help = "share of merges left out at random when training text is cut into pieces, anew each epoch (e.g. 0.1)",
     .in_model = true},
    {.key = "side", NAME(sides), .commands = FOR_TOKENIZE | FOR_DETOKENIZE, .group = "text", .initial = "src",
     .help = "whose vocabulary, if the model has two"},
    {.key = "ids", .type = OPTION_FLAG, .commands = FOR_TOKENIZE, .group = "text",
     .help = "print numbers instead of pieces"},
    {.key = "ids", .type = OPTION_FLAG, .commands = FOR_DETOKENIZE, .group = "text",
     .help = "read numbers instead of pieces"},
    {.key = "strict", .type = OPTION_FLAG, .commands = FOR_TRAIN | FOR_TRANSLATE | FOR_SCORE, .group = "text",
     .help = "stop at the first line that is empty, over-long or no text (UTF-8), instead of counting it"},
    {.key = "strict", .type = OPTION_FLAG, .commands = FOR_VOCAB | FOR_TOKENIZE | FOR_DETOKENIZE, .group = "text",
     .help = "stop at the first line that is empty or no text (UTF-8), instead of counting it"},

    {.key = "strict", .type = OPTION_FLAG, .commands = FOR_CHECK, .group = "text",
     .help = "exit 1 if anything is found"},

    /* network */
    {.key = "preset", ROW(preset_name), .commands = FOR_CHECK, .group = "network",
     .help = "a network, listed below: tell batches, time and memory of an epoch on this machine"},
    {.key = "preset", ROW(preset_name), .commands = FOR_TRAIN, .group = "network",
     .help = "a row of values, listed below, that other options override", .in_model = true},
    {.key = "preset", .type = OPTION_LIST, .choice_at = preset_name, .commands = FOR_BENCH, .group = "network",
     .values = VALUES_ALL, .argument = "NAME...",
     .help = "networks to measure, listed below; other options override (default: all, or the one that other "
             "options describe)"},
    {.key = "arch", ROW(arch_name), NETWORK, .initial = "transformer", .help = "kind of network: of encoder and decoder"},
    {.key = "enc", ROW(encoder_name), NETWORK, .help = "kind of encoder (default: as --arch)"},
    {.key = "dec", ROW(decoder_name), NETWORK, .help = "kind of decoder (default: as --arch)"},
    {.key = "d-model", COUNT, NETWORK, .initial = "256", .least = 1, .most = 65536,
     .help = "width; hidden size of an RNN"},
    {.key = "d-emb", COUNT, NETWORK, .initial = "256", .least = 1, .most = 65536,
     .help = "embedding size of an RNN"},
    {.key = "d-ff", COUNT, NETWORK, .initial = "1024", .least = 1, .most = 1048576,
     .help = "inner width of the Transformer's feed-forward layers"},
    {.key = "n-heads", COUNT, NETWORK, .initial = "4", .least = 1, .most = 1024, .help = "attention heads"},
    {.key = "enc-layers", COUNT, NETWORK, .initial = "2", .least = 1, .most = 256, .help = "encoder layers"},
    {.key = "dec-layers", COUNT, NETWORK, .initial = "2", .least = 1, .most = 256, .help = "decoder layers"},
    {.key = "cell", ROW(cell_name), NETWORK, .initial = "gru", .help = "recurrent cell"},
    {.key = "bidirectional", .type = OPTION_FLAG, NETWORK, .help = "the RNN encoder reads in both directions"},
    {.key = "attention", ROW(attention_name), NETWORK, .initial = "additive",
     .help = "attention of an RNN decoder"},
    {.key = "context", NAME(contexts), NETWORK, .initial = "init",
     .help = "where an RNN decoder without attention sees the encoder's last state: as its first state (init), or also "
             "as input of every step and of the readout (every-step)"},
    {.key = "d-attention", COUNT, NETWORK, .least = 1, .most = 65536,
     .help = "width of an attention with linear layers of its own (default: d-model)"},
    {.key = "attention-span", COUNT, NETWORK, .least = 1, .most = 100001,
     .help = "words of a source, its end counted, that attention by place (concat) can look at, those behind get no "
             "weight (default: max-len and its end)"},
    {.key = "d-readout", COUNT, NETWORK, .least = 0, .most = 65536,
     .help = "width of the tanh layer between RNN decoder and output (default: d-emb with attention, context of every "
             "step or input feeding, else 0, none)"},
    {.key = "readout", NAME(readouts), NETWORK,
     .help = "what that layer reads: state, context and word before (deep, Bahdanau et al. 2015), state and context "
             "(attentional, Luong et al. 2015), or the state (default: deep with a context, else state)"},
    {.key = "input-feeding", .type = OPTION_FLAG, NETWORK,
     .help = "the readout of an RNN decoder enters its next step (Luong et al. 2015)"},
    {.key = "residual", .type = OPTION_FLAG, NETWORK,
     .help = "recurrent layers above the first add what they read to what they leave"},
    {.key = "norm", NAME(norms), NETWORK, .initial = "pre", .help = "norm before or behind each part"},
    {.key = "norm-type", ROW(norm_kind_name), NETWORK, .initial = "layer",
     .help = "of a Transformer: layer norm, or RMS norm without mean and bias"},
    {.key = "positions", ROW(position_kind_name), NETWORK, .initial = "sinusoidal",
     .help = "how a Transformer knows the order of words"},
    {.key = "max-positions", COUNT, NETWORK, .initial = "512", .least = 1, .most = 1000000,
     .help = "learned positions; pieces behind the last have the last one's"},
    {.key = "activation", ROW(activation_name), NETWORK, .initial = "relu",
     .help = "of the feed-forward layers; those with glu are gated, with a third matrix"},
    {.key = "tie", NAME(ties), NETWORK, .initial = "none",
     .help = "output layer is the target embedding (tgt), and the source embedding too (all)"},
    {.key = "dropout", SHARE, NETWORK, .initial = "0.1", .help = "dropout between layers"},
    {.key = "dropout-attention", SHARE, NETWORK, .initial = "0", .help = "dropout of attention weights"},
    {.key = "dropout-ff", SHARE, NETWORK, .initial = "0", .help = "dropout inside feed-forward layers"},
    {.key = "dropout-emb", SHARE, NETWORK, .help = "dropout of embeddings (default: as --dropout)"},

    /* training */
    {.key = "max-len", COUNT, TRAINING, .initial = "256", .least = 1, .most = 100000,
     .help = "pairs with more pieces on a side are left out, and counted"},
    {.key = "batch-tokens", COUNT, TRAINING, .initial = "1024", .least = 2, .most = MOST_TOKENS,
     .help = "size of a batch: sentences times longest side"},
    {.key = "accumulate", COUNT, TRAINING, .initial = "1", .least = 1, .most = 1000000,
     .help = "batches whose gradients make one update, as if they were one batch"},
    {.key = "window-pairs", COUNT, TRAINING, .initial = "1000000", .least = 1, .most = HUGE_COUNT,
     .help = "pairs shuffled together; two such windows are held in memory"},
    {.key = "optimizer", ROW(optimizer_name), TRAINING, .initial = "adam", .help = "how the weights learn"},
    {.key = "weight-decay", .type = OPTION_REAL, .argument = "X", TRAINING, .least = 0, .most = 1000,
     .help = "pulls all weights towards 0: added to the gradient (L2) in adam and sgd, apart from it in adamw "
     "(default: 0.01 for adamw, else 0)"},
    {.key = "beta1", DECAY, TRAINING, .initial = "0.9", .help = "decay of adam's mean of gradients"},
    {.key = "beta2", DECAY, TRAINING, .initial = "0.98", .help = "decay of adam's mean of their squares"},
    {.key = "adam-eps", .type = OPTION_REAL, .argument = "X", TRAINING, .initial = "1e-9", .least = 1e-30, .most = 1,
     .help = "added to the root of that"},
    {.key = "momentum", DECAY, TRAINING, .initial = "0.9", .help = "of sgd, 0 for none"},
    {.key = "lr", .type = OPTION_REAL, .argument = "X", TRAINING, .initial = "0.002", .least = 0, .most = 1000,
     .help = "learning rate, at its peak"},
    {.key = "schedule", ROW(schedule_name), TRAINING, .initial = "inverse-sqrt", .help = "learning rate over time"},
    {.key = "warmup", COUNT, TRAINING, .initial = "1000", .least = 0, .most = HUGE_COUNT,
     .help = "updates until the learning rate has risen to its peak"},
    {.key = "lr-patience", COUNT, TRAINING, .initial = "3", .least = 1, .most = HUGE_COUNT,
     .help = "validations without a better one until --schedule plateau lowers the learning rate and goes back to "
     "the best weights, with an optimizer that begins anew"},
    {.key = "lr-factor", .type = OPTION_REAL, .argument = "X", TRAINING, .initial = "0.5", .least = 0.001, .most = 1,
     .help = "what it multiplies the learning rate by"},
    {.key = "label-smoothing", SHARE, TRAINING, .initial = "0.1",
     .help = "share of probability spread over all words"},
    {.key = "dropout-warmup", COUNT, TRAINING, .initial = "0", .least = 0, .most = HUGE_COUNT,
     .help = "updates over which all dropout rates rise from 0 to their values (0: constant)"},
    {.key = "r-drop", .type = OPTION_REAL, .argument = "ALPHA", TRAINING, .initial = "0", .least = 0, .most = 100,
     .help = "each pair goes through the network twice, with dropout of its own, and predictions that differ cost "
             "ALPHA times their divergence (Liang et al. 2021): twice the time an update; 0: once"},
    {.key = "teacher", .type = OPTION_LIST, .argument = "MODEL", TRAINING, .values = 1,
     .help = "a trained model with the same vocabulary, whose probabilities of each word are learned, too (distillation, "
             "Kim and Rush 2016); given again, teachers are asked together"},
    {.key = "teacher-share", .type = OPTION_REAL, .argument = "P", TRAINING, .initial = "0.5", .least = 0, .most = 1,
     .help = "share of what teachers say in what is learned; the rest is the text"},
    {.key = "clip-norm", .type = OPTION_REAL, .argument = "X", TRAINING, .initial = "1", .least = 0, .most = 1e9,
     .help = "longest gradient, 0 for no limit"},
    {.key = "ema", .type = OPTION_REAL, .argument = "D", TRAINING, .initial = "0.998", .least = 0, .most = 0.999999,
     .help = "decay of a moving average of the weights, which is validated and kept as best; 0 for none"},
    {.key = "precision", NAME(training_precisions), TRAINING, .initial = "fp32",
     .help = "numbers that weights are multiplied in: bf16 is close, and faster on a processor with AVX512-BF16"},
    {.key = "valid-every", COUNT, TRAINING, .initial = "500", .least = 0, .most = HUGE_COUNT,
     .help = "updates between validations, 0 for the end of each epoch"},
    {.key = "save-every", COUNT, TRAINING, .initial = "0", .least = 0, .most = HUGE_COUNT,
     .help = "updates between checkpoints that are kept under their number, besides best and last; 0 for none"},
    {.key = "keep", COUNT, TRAINING, .initial = "5", .least = 1, .most = HUGE_COUNT,
     .help = "how many of them are kept: the newest"},
    {.key = "early-stop-metric", NAME(stop_metrics), TRAINING, .initial = "bleu",
     .help = "what makes a model the best"},
    {.key = "valid-tokenize", ROW(bleu_tokenizer_name), TRAINING, .initial = "13a",
     .help = "BLEU's tokenizer in validations"},
    {.key = "patience", COUNT, STOPPING, .least = 0, .most = HUGE_COUNT,
     .help = "stop after this many validations without a better one, 0 for never (default: 10 without another limit)"},
    {.key = "epochs", COUNT, STOPPING, .least = 0, .most = HUGE_COUNT, .help = "stop after this many epochs, 0 for never"},
    {.key = "updates", COUNT, STOPPING, .least = 0, .most = HUGE_COUNT, .help = "stop after this many updates, 0 for never"},
    {.key = "time", .type = OPTION_TIME, .argument = "TIME", STOPPING, .least = 0, .most = 1e9,
     .help = "stop after 90s, 45m, 2h, 1h30m; 0 for never"},

    {.key = "shortlist", COUNT, .commands = FOR_TRAIN, .group = "training", .least = 0, .most = 10000,
     .help = "learn a vocabulary shortlist for tulk translate --shortlist: the N pieces that go best with each piece of "
     "the source, e.g. 50; with --resume it is added to a model, or with 0 taken away (default: none)"},

    /* measuring */
    {.key = "batch-tokens", COUNT, .commands = FOR_BENCH, .group = "training", .initial = "4096", .least = 1,
     .most = MOST_TOKENS, .help = "size of a batch: sentences times longest side; 1 for one sentence a batch"},
    {.key = "updates", COUNT, .commands = FOR_BENCH, .group = "training", .initial = "10", .least = 1,
     .most = HUGE_COUNT, .help = "updates to measure"},
    {.key = "warm-updates", COUNT, .commands = FOR_BENCH, .group = "training", .initial = "2", .least = 0,
     .most = HUGE_COUNT, .help = "updates before those that are measured"},
    {.key = "lengths", NAME(length_kinds), .commands = FOR_BENCH, .group = "training",
     .help = "lengths of made-up sentences (default: captions, newswire for the preset base)"},
    {.key = "translate", .type = OPTION_FLAG, .commands = FOR_BENCH, .group = "search",
     .help = "measure translating instead of training; translations are made as long as the targets are"},
    {.key = "beam", COUNT, .commands = FOR_BENCH, .group = "search", .initial = "5", .least = 1, .most = 1000,
     .help = "hypotheses kept, 1 for greedy search"},
    {.key = "one-by-one", .type = OPTION_FLAG, .commands = FOR_BENCH, .group = "search",
     .help = "translate each sentence by itself, all threads together, instead of all of them as a file"},
    {.key = "passes", COUNT, .commands = FOR_BENCH, .group = "search", .initial = "3", .least = 1, .most = 1000000,
     .help = "how often to translate all sentences, behind once to warm up"},
    {.key = "shortlist", .type = OPTION_FLAG, .commands = FOR_BENCH, .group = "search",
     .help = "translate with the vocabulary shortlist of the model, or, of random weights, with a made-up one that leaves "
     "some 300 (captions) to 600 pieces (newswire) to a sentence"},
    {.key = "cpu-time", .type = OPTION_FLAG, .commands = FOR_BENCH, .group = "training",
     .help = "time of the processor instead of the clock, for a busy machine; with --threads 1"},

    /* search */
    {.key = "beam", COUNT, .commands = FOR_TRANSLATE, .group = "search", .initial = "5", .least = 1, .most = 1000,
     .help = "hypotheses kept, 1 for greedy search"},
    {.key = "length-penalty", .type = OPTION_REAL, .argument = "A", .commands = FOR_TRANSLATE, .group = "search",
     .initial = "1", .least = 0, .most = 10, .help = "score of a hypothesis is log p / length^A"},
    {.key = "length-penalty-type", ROW(length_penalty_name), .commands = FOR_TRANSLATE, .group = "search",
     .initial = "power", .help = "what log p is divided by: power is length^A, wu ((5 + length) / 6)^A (Wu et al. 2016); "
     "length in pieces, the end of the sentence counted"},
    {.key = "beam-stop", NAME(beam_stops), .commands = FOR_TRANSLATE, .group = "search", .initial = "finished",
     .help = "a sentence is done with as many finished hypotheses as the beam is wide, or when none that goes on can still "
     "come among the best (slower)"},
    {.key = "coverage-penalty", .type = OPTION_REAL, .argument = "B", .commands = FOR_TRANSLATE, .group = "search",
     .initial = "0", .least = 0, .most = 10, .help = "adds B times the sum over source pieces of log min(1, attention that "
     "the piece got) to the score of finished hypotheses (Wu et al. 2016)"},
    {.key = "max-len-ratio", .type = OPTION_REAL, .argument = "X", .commands = FOR_TRANSLATE, .group = "search",
     .initial = "2", .least = 0.1, .most = 100, .help = "longest translation, in pieces of the source, plus 10"},
    {.key = "min-len", COUNT, .commands = FOR_TRANSLATE, .group = "search", .initial = "0", .least = 0, .most = 10000,
     .help = "shortest translation, in pieces"},
    {.key = "no-repeat-ngram", COUNT, .commands = FOR_TRANSLATE, .group = "search", .initial = "0", .least = 0,
     .most = 1000, .help = "no N pieces come a second time in a translation in the same order; 0 is no limit"},
    {.key = "sample", .type = OPTION_FLAG, .commands = FOR_TRANSLATE, .group = "search",
     .help = "draw each piece by its probability instead of searching; draws depend on --seed and the number of the line"},
    {.key = "temperature", .type = OPTION_REAL, .argument = "X", .commands = FOR_TRANSLATE, .group = "search",
     .initial = "1", .least = 0.01, .most = 100, .help = "with --sample: logits are divided by it; below 1 what is probable "
     "becomes more so"},
    {.key = "top-k", COUNT, .commands = FOR_TRANSLATE, .group = "search", .initial = "0", .least = 0, .most = HUGE_COUNT,
     .help = "with --sample: draw among the N most probable pieces; 0 is all"},
    {.key = "top-p", .type = OPTION_REAL, .argument = "P", .commands = FOR_TRANSLATE, .group = "search", .initial = "1",
     .least = 0.000001, .most = 1, .help = "with --sample: draw among the fewest pieces whose probabilities reach P"},
    {.key = "long", NAME(long_ways), .commands = FOR_TRANSLATE, .group = "search", .initial = "split",
     .help = "what becomes of a line of more pieces than the training took: translated in parts, cut at ends of "
     "sentences and joined again; the first part alone; an empty line"},
    {.key = "batch-tokens", COUNT, .commands = FOR_TRANSLATE, .group = "search", .initial = "0", .least = 0,
     .most = MOST_TOKENS, .help = "source pieces translated together, 0 for what suits the network and the beam; memory "
     "grows with it, for each thread"},
    {.key = "batch-tokens", COUNT, .commands = FOR_SCORE, .group = "search", .initial = "512", .least = 1,
     .most = MOST_TOKENS, .help = "size of what is scored together, sentences times longest side; memory grows with "
     "it, for each thread"},
    {.key = "precision", NAME(translating_precisions), .commands = FOR_TRANSLATE | FOR_SCORE, .group = "search",
     .initial = "fp32", .help = "numbers that weights are multiplied in: int8 is faster and a quarter of the memory, "
     "and close"},
    {.key = "shortlist", .type = OPTION_FLAG, .commands = FOR_TRANSLATE, .group = "search",
     .help = "choose among the pieces that the model's shortlist (tulk train --shortlist) has for each line: faster with a "
     "large vocabulary, and close; of several models that of the first counts"},
    {.key = "checkpoint", .type = OPTION_TEXT, .argument = "NAME", .commands = FOR_TRANSLATE | FOR_SCORE,
     .group = "search", .help = "whose weights: best, last, ema, average, or the number of an update that was kept, see "
     "tulk info (default: best, or last if there is no best)"},
    {.key = "checkpoint", .type = OPTION_TEXT, .argument = "NAME", .commands = FOR_EXPORT, .group = "files",
     .help = "whose weights, as tulk info names them (default: best, or last if there is no best)"},

    /* output */
    {.key = "scores", .type = OPTION_FLAG, .commands = FOR_TRANSLATE, .group = "output",
     .help = "write SCORE, a tab, and the translation; the score is that of --length-penalty"},
    {.key = "n-best", COUNT, .commands = FOR_TRANSLATE, .group = "output", .least = 1, .most = 1000,
     .help = "write the N best translations of each line that differ, best first, as `id ||| text ||| features ||| score`, "
     "lines counted from 0; at most --beam, or as many draws of --sample"},
    {.key = "json", .type = OPTION_FLAG, .commands = FOR_TRANSLATE, .group = "output",
     .help = "write a line of JSON for each line, with all that is known of it"},
    {.key = "alignment", .type = OPTION_CHOICE, .choices = alignment_kinds, .argument = "[NAME]", .implied = "hard",
     .commands = FOR_TRANSLATE, .group = "output",
     .help = "add ` ||| ` and what each part of the translation attends to: hard is SOURCE-TARGET for words separated by "
     "blanks, from 0, pieces the same for pieces, soft the matrix, for each piece and the end of the translation its "
     "attention to each piece and the end of the source"},
    {.key = "alignment-layer", COUNT, .commands = FOR_TRANSLATE, .group = "output", .initial = "0", .least = 0,
     .most = 1000, .help = "layer of a Transformer decoder that --alignment and --coverage-penalty read, from 1; 0: for "
     "each translation the layer and head where pieces of translation and source have the most mutual information"},
    {.key = "alignment-head", COUNT, .commands = FOR_TRANSLATE, .group = "output", .initial = "0", .least = 0, .most = 1000,
     .help = "head of a layer, from 1; 0: chosen in the same way"},
    {.key = "interactive", .type = OPTION_FLAG, .commands = FOR_TRANSLATE, .group = "output",
     .help = "translate each line as soon as it is there, as at a terminal"},

    /* general */
    {.key = "hash", .type = OPTION_FLAG, .commands = FOR_INFO, .group = "general",
     .help = "print the SHA-256 of the last training weights, nothing else"},
    {.key = "words", .type = OPTION_FLAG, .commands = FOR_SCORE, .group = "general",
     .help = "add the log-probability of each piece, separated by blanks, as a third column"},
    {.key = "summary", .type = OPTION_FLAG, .commands = FOR_SCORE, .group = "general",
     .help = "print one report of all lines instead of a score a line"},
    {.key = "json", .type = OPTION_FLAG, .commands = FOR_INFO | FOR_SCORE | FOR_BENCH | FOR_CHECK, .group = "general",
     .help = "print JSON"},
    {.key = "config", .type = OPTION_TEXT, .commands = FOR_ALL, .group = "general", .argument = "FILE",
     .help = "read options from lines `key = value`; the command line wins"},
    {.key = "threads", COUNT, .commands = FOR_ALL, .group = "general", .least = 1, .most = 1024,
     .help = "threads (default: all cores); results do not depend on it"},
    {.key = "precision", NAME(precision_names), .commands = FOR_BENCH, .group = "general", .initial = "fp32",
     .help = "numbers that weights are multiplied in: int8 is for --translate, bf16 for training"},
    {.key = "recompute", .type = OPTION_FLAG, .commands = FOR_TRAIN | FOR_BENCH, .group = "general",
     .help = "keep less of a Transformer's layers and compute it again: less memory, more time; results do not depend "
     "on it"},
    {.key = "isa", ROW(isa_row), .commands = FOR_TRAIN | FOR_TRANSLATE | FOR_SCORE | FOR_BENCH,
     .group = "general", .help = "instructions to compute with (default: the best that the processor has); last "
     "digits depend on it"},
    {.key = "seed", COUNT, .commands = FOR_ALL, .group = "general", .initial = "1", .least = 0, .most = HUGE_COUNT,
     .help = "of the random numbers", .in_model = true},
    {.key = "quiet", .letter = 'q', .type = OPTION_FLAG, .commands = FOR_ALL, .group = "general",
     .help = "errors only"},
    {.key = "help", .letter = 'h', .type = OPTION_FLAG, .commands = FOR_ALL, .group = "general",
     .help = "this text"},
    {.key = "version", .type = OPTION_FLAG, .commands = FOR_ALL, .group = "general", .help = "the version"},
    {.key = NULL},
};
const preset_row presets[] = {
    {"tiny", "Transformer-Tiny of Wu et al. 2021, for some ten thousand pairs", (const char *const[]){
        "arch", "transformer", "enc-layers", "4", "dec-layers", "4", "d-model", "128", "d-ff", "256", "n-heads", "4",
        "norm", "pre", "activation", "relu", "tie", "all", "dropout", "0.3", "dropout-warmup", "3000",
        "batch-tokens", "1024", "lr", "0.006", "warmup", "1000", "schedule", "inverse-sqrt",
        "label-smoothing", "0.1", "ema", "0.998", NULL}},
    {"small", "a Transformer for up to a million pairs", (const char *const[]){
        "arch", "transformer", "enc-layers", "3", "dec-layers", "3", "d-model", "256", "d-ff", "1024", "n-heads", "4",
        "norm", "pre", "activation", "relu", "tie", "all", "dropout", "0.1", "batch-tokens", "2048",
        "lr", "0.002", "warmup", "1000", "schedule", "inverse-sqrt", "label-smoothing", "0.1", "ema", "0.998", NULL}},
    {"base", "Transformer-base of Vaswani et al. 2017", (const char *const[]){
        "arch", "transformer", "enc-layers", "6", "dec-layers", "6", "d-model", "512", "d-ff", "2048", "n-heads", "8",
        "norm", "post", "activation", "relu", "tie", "all", "dropout", "0.1",
        "batch-tokens", "4096", "lr", "0.0007", "warmup", "4000", "schedule", "inverse-sqrt",
        "label-smoothing", "0.1", NULL}},
    {"bahdanau", "RNN with additive attention as in Bahdanau et al. 2015, for some ten thousand pairs",
     (const char *const[]){
        "arch", "rnn", "cell", "gru", "bidirectional", "true", "attention", "additive", "enc-layers", "1",
        "dec-layers", "1", "d-emb", "256", "d-model", "512", "d-attention", "512", "d-readout", "256",
        "tie", "tgt", "dropout", "0.3", "dropout-warmup", "1000", "batch-tokens", "1024",
        "lr", "0.002", "warmup", "1000", "schedule", "inverse-sqrt", "label-smoothing", "0.1", "clip-norm", "1",
        "ema", "0.998", NULL}},
    {"seq2seq", "GRU and GRU, no attention, as in Cho et al. 2014, for some ten thousand pairs",
     (const char *const[]){
        "arch", "rnn", "cell", "gru", "bidirectional", "false", "attention", "none", "context", "every-step",
        "enc-layers", "1", "dec-layers", "1", "d-emb", "256", "d-model", "512", "d-readout", "256",
        "tie", "tgt", "dropout", "0.4", "dropout-warmup", "1000", "batch-tokens", "1024",
        "lr", "0.003", "warmup", "1000", "schedule", "inverse-sqrt", "label-smoothing", "0.1", "clip-norm", "1",
        "ema", "0.998", NULL}},
    {NULL, NULL, NULL},
};
/* clang-format on */
