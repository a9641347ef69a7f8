/* tulk train: from parallel text to a model file. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "command.h"
#include "data/corpus.h"
#include "kernel/isa.h"
#include "loader.h"
#include "report.h"
#include "resume.h"
#include "train/shortlist.h"
#include "train/trainer.h"
#include "train/vocabulary.h"

static const command_help help = {
    FOR_TRAIN, "tulk train -t SRC TGT [--valid SRC TGT] -m MODEL.tulk [OPTION...]",
    "Learns to translate from pairs of lines. The model file holds all there is to it.",
    "tulk train -t train.en train.de --valid valid.en valid.de -m en-de.tulk --preset tiny --time 45m"};

/* What a training needs, in the order in which it is made. */
typedef struct {
    options *o;
    const char *path;
    model_file *file;
    vocab_pair vocab;
    seqs shortlist; /* learned now; no list: none */
    corpus *data;
    pair_text valid;
    loaded_models teachers;
    model *net;
    int64_t too_long_told;
    bool interrupted; /* saved, and asked to end */
} training;

enum { HELD_OUT_PERMILLE = 10, HELD_OUT_MAX = 1000, SAVE_SECONDS = 600 };

/* ------------------------------------------------------------------------------------- signals */

static volatile sig_atomic_t stop; /* the signal that asked for an end, or 0 */

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDS = sizeof ends / sizeof *ends };

/* What the parent has the program ignore stays ignored: nohup, and a shell's & for SIGINT. */
static void set_handler(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    for (int i = 0; i < ENDS; i++)
        if (sigaction(ends[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ends[i], &action, NULL);
}

/* The first signal asks for an end, the second one is the end. */
static void on_signal(int number)
{
    stop = number;
    set_handler(SIG_DFL);
}

/* --------------------------------------------------------------------------------------- steps */

static int create_file(training *t)
{
    return model_file_create(t->path, options_flag(t->o, "overwrite"), &t->file);
}

/* A new file is made to see that it can be, and taken back: until there is something to put in it, a signal
 * ends the program and leaves nothing behind. */
static int open_file(training *t)
{
    if (!options_flag(t->o, "resume")) {
        int result = files_exist(t->o) ? -1 : create_file(t);
        model_file_close(t->file);
        t->file = NULL;
        return result;
    }
    if (model_file_resume(t->path, &t->file)) return -1;
    store *s = model_file_store(t->file);
    return resume_settings(t->o, s, t->path) || files_check(t->o, s, t->path) ? -1 : 0;
}

/* The words of a list of pairs of files, taken apart. */
static void split_pairs(const char *const *words, int n, const char *src[], const char *tgt[])
{
    for (int i = 0; i < n / 2; i++) {
        src[i] = words[2 * i];
        tgt[i] = words[2 * i + 1];
    }
}

/* Opens with the paths of -t; `use` is called while they are apart. */
static int with_paths(training *t,
                      int (*use)(training *t, const char *const *src, const char *const *tgt, int n))
{
    const char *const *words;
    int n = options_list(t->o, "train", &words);
    const char **src = xcalloc((size_t)n, sizeof *src), **tgt = src + n / 2;
    split_pairs(words, n, src, tgt);
    int result = use(t, src, tgt, n / 2);
    free(src);
    return result;
}

static int learn_vocabulary(training *t, const char *const *src, const char *const *tgt, int n)
{
    double from = clock_seconds();
    vocab_request r = {.src_paths = src,
                       .tgt_paths = tgt,
                       .n_files = n,
                       .normalize = (enum normalization)normalization_find(options_text(t->o, "normalize")),
                       .casefold = options_flag(t->o, "casefold"),
                       .separate = options_flag(t->o, "separate-vocabs"),
                       .size = (int)options_int(t->o, "vocab-size")};
    if (vocab_pair_learn(&r, &t->vocab)) return -1;
    char took[32];
    note("vocabulary: learned in %s", clock_human(clock_seconds() - from, took));
    return 0;
}

static int load_vocabulary(const char *path, vocab_pair *out)
{
    store *s;
    if (store_open(path, STORE_READ, &s)) return -1;
    int result = vocab_pair_load(s, path, out);
    store_close(s);
    return result;
}

static int find_vocabulary(training *t)
{
    if (options_flag(t->o, "resume")) return vocab_pair_load(model_file_store(t->file), t->path, &t->vocab);
    const char *given = options_text(t->o, "init");
    if (!given) given = options_text(t->o, "vocab");
    return given ? load_vocabulary(given, &t->vocab) : with_paths(t, learn_vocabulary);
}

static int get_vocabulary(training *t)
{
    if (find_vocabulary(t)) return -1;
    const vocab_pair *v = &t->vocab;
    if (v->joint)
        note("vocabulary: %d pieces, joint", tokenizer_size(v->src));
    else
        note("vocabulary: %d source and %d target pieces", tokenizer_size(v->src), tokenizer_size(v->tgt));
    return 0;
}

/* The shortlist that was asked for: none, one that is learned now, or (with --resume and 0) what was there
 * goes.
 */
static long shortlist_words(const options *o)
{
    return options_value(o, "shortlist") ? options_int(o, "shortlist") : -1;
}

static int learn_shortlist(training *t, const char *const *src, const char *const *tgt, int n)
{
    double from = clock_seconds();
    size_t pairs;
    shortlist_request r = {.src_paths = src,
                           .tgt_paths = tgt,
                           .n_files = n,
                           .vocab = &t->vocab,
                           .max_len = (int)options_int(t->o, "max-len"),
                           .words = (int)shortlist_words(t->o)};
    if (shortlist_learn(&r, &t->shortlist, &pairs)) return -1;
    char took[32];
    note("shortlist: learned from %zu pair%s in %s", pairs, plural((int64_t)pairs),
         clock_human(clock_seconds() - from, took));
    return 0;
}

static int get_shortlist(training *t)
{
    return shortlist_words(t->o) > 0 ? with_paths(t, learn_shortlist) : 0;
}

/* In a transaction. */
static int save_shortlist(const training *t, store *s)
{
    if (t->shortlist.n) return store_save_shortlist(s, &t->shortlist);
    return shortlist_words(t->o) == 0 ? store_drop_shortlist(s) : 0;
}

static int save_shortlist_now(const training *t, store *s)
{
    if (shortlist_words(t->o) < 0) return 0;
    if (store_begin(s)) return -1;
    if (save_shortlist(t, s) == 0) return store_commit(s);
    store_rollback(s);
    return -1;
}

/* What else the file tells of the training. A resumed one may have new limits; its file is changed only when
 * all that is needed to go on could be read. */
static int save_settings(training *t)
{
    set_handler(on_signal); /* from here on there is a file */
    bool resume = options_flag(t->o, "resume");
    if (!resume && create_file(t)) return -1;
    store *s = model_file_store(t->file);
    if (resume) {
        if (checkpoint_load_weights(s, "last", model_params(t->net))) return -1;
        return resume_save(t->o, s) || save_shortlist_now(t, s) ? -1 : 0;
    }
    return options_save(t->o, s) || files_save(t->o, s) || vocab_pair_save(s, &t->vocab) ||
                   save_shortlist(t, s)
               ? -1
               : 0;
}

/* The weights of the corpora; none, or one for each. */
static int read_weights(const options *o, double *out)
{
    const char *const *words, *const *paths;
    int n = options_list(o, "weight", &words), corpora = options_list(o, "train", &paths) / 2;
    if (n > 0 && n != corpora) return fail("%d --weight for %d -t: give one for each, or none", n, corpora);
    for (int i = 0; i < n; i++) {
        char *end;
        double x = strtod(words[i], &end);
        if (*end || end == words[i] || !(x > 0 && x <= 1000))
            return fail("--weight %s: must be a number above 0, at most 1000", words[i]);
        if (out) out[i] = x;
    }
    return 0;
}

static int open_pairs(training *t, const char *const *src, const char *const *tgt, int n)
{
    bool hold_out = !options_value(t->o, "valid"), weighted = options_value(t->o, "weight");
    double *weights = xcalloc((size_t)n, sizeof *weights);
    if (weighted && read_weights(t->o, weights)) {
        free(weights);
        return -1;
    }
    corpus_options c = {.src_paths = src,
                        .tgt_paths = tgt,
                        .n_files = n,
                        .src_tokenizer = t->vocab.src,
                        .tgt_tokenizer = t->vocab.tgt,
                        .max_len = (int)options_int(t->o, "max-len"),
                        .batch_tokens = (int)options_int(t->o, "batch-tokens"),
                        .window_pairs = options_int(t->o, "window-pairs"),
                        .hold_out_permille = hold_out ? HELD_OUT_PERMILLE : 0,
                        .hold_out_max = hold_out ? HELD_OUT_MAX : 0,
                        .bpe_dropout = options_real(t->o, "bpe-dropout"),
                        .weights = weighted ? weights : NULL,
                        .strict = options_flag(t->o, "strict"),
                        .seed = (uint64_t)options_int(t->o, "seed")};
    int result = corpus_open(&c, &t->data);
    free(weights);
    return result;
}

static void add_left_out(str *out, int64_t n, const char *what)
{
    if (n > 0) str_addf(out, "%s%" PRId64 " %s", out->n ? ", " : "; left out: ", n, what);
}

/* Nothing is skipped silently. A corpus of several windows is known whole after the first epoch: then it is
 * told again. */
static void tell_corpus(training *t)
{
    const corpus_counts *c = corpus_count(t->data);
    str out = {0};
    add_left_out(&out, c->empty, "with an empty side");
    add_left_out(&out, c->invalid, "not UTF-8 or with NUL");
    add_left_out(&out, c->too_long, "longer than --max-len or --batch-tokens");
    note("training text: %" PRId64 " pair%s%s", c->read, plural(c->read), str_text(&out));
    if (c->carriage_returns)
        note("training text: %" PRId64 " carriage return%s at line ends removed", c->carriage_returns,
             plural(c->carriage_returns));
    if (c->byte_order_marks)
        note("training text: %" PRId64 " byte-order mark%s removed", c->byte_order_marks,
             plural(c->byte_order_marks));
    t->too_long_told = c->too_long;
    str_free(&out);
}

static int open_corpus(training *t)
{
    if (with_paths(t, open_pairs)) return -1;
    tell_corpus(t);
    return 0;
}

static int hold_out(training *t)
{
    valid_from_pairs(corpus_held_out(t->data), t->vocab.tgt, &t->valid);
    size_t n = t->valid.ids.src.n;
    note("validation: %zu pair%s held out of the training text", n, plural((int64_t)n));
    return n ? 0
             : fail("the training text is too small to hold pairs out of it: give a validation set by "
                    "--valid");
}

static int open_valid(training *t)
{
    const char *const *paths;
    if (!options_list(t->o, "valid", &paths)) return hold_out(t);
    if (pair_text_read(paths[0], paths[1], t->vocab.src, t->vocab.tgt, &t->valid)) return -1;
    size_t out = valid_limit(&t->valid, (int)options_int(t->o, "max-len")), n = t->valid.ids.src.n;
    note("validation: %zu pair%s of %s and %s", n, plural((int64_t)n), paths[0], paths[1]);
    if (out)
        note("validation: %zu pair%s left out, empty or longer than --max-len", out, plural((int64_t)out));
    return n ? 0 : fail("%s and %s hold no usable pair to validate on", paths[0], paths[1]);
}

/* The weights that the training begins with. */
static int init_weights(training *t)
{
    const char *path = options_text(t->o, "init");
    store *s;
    char slot[8];
    if (!path) {
        model_init(t->net, (uint64_t)options_int(t->o, "seed"));
        return 0;
    }
    if (store_open(path, STORE_READ, &s)) return -1;
    int result = init_slot(s, path, slot);
    if (!result) result = checkpoint_load_weights(s, slot, model_params(t->net));
    store_close(s);
    if (!result) note("weights: checkpoint %s of %s", slot, path);
    return result;
}

/* They are asked in whole numbers where the network learns in numbers that are coarser, too. */
static int open_teachers(training *t)
{
    const char *const *paths;
    int n = options_list(t->o, "teacher", &paths);
    bool exact = !options_choice(t->o, "precision");
    if (!n) return 0;
    if (models_load(paths, n, NULL, exact ? PRECISION_FP32 : PRECISION_INT8, false, &t->teachers)) return -1;
    if (!vocab_pairs_equal(&t->teachers.list[0].vocab, &t->vocab))
        return fail("--teacher %s has another vocabulary: train with --vocab %s", paths[0], paths[0]);
    note("teacher: %s", models_name(&t->teachers));
    return 0;
}

static int build_network(training *t)
{
    net_config c = options_network(t->o);
    c.shared_vocab = t->vocab.joint;
    c.src_vocab = tokenizer_size(t->vocab.src);
    c.tgt_vocab = tokenizer_size(t->vocab.tgt);
    bool resume = options_flag(t->o, "resume");
    if (net_config_check(&c)) return resume ? fail("%s: %s", t->path, error_message()) : -1;
    t->net = model_new(&c, true);
    if (options_choice(t->o, "precision")) {
        params_multiply_bf16(model_params(t->net));
        if (!gemm_has_bf16())
            note("--precision bf16: the instructions in use (%s) have no products of bfloat16; fp32 is as "
                 "fast",
                 isa_name());
    }
    if (!resume && init_weights(t)) return -1;
    note("network: %s, %zu parameters", net_config_kind(&c), model_params(t->net)->n_reals);
    return 0;
}

/* ------------------------------------------------------------------------------------ training */

static int64_t limit(const options *o, const char *key)
{
    return options_value(o, key) ? options_int(o, key) : 0;
}

static optimizer_settings optimizer_of(const options *o)
{
    int kind = optimizer_find(options_text(o, "optimizer"));
    bool decays = options_value(o, "weight-decay");
    return (optimizer_settings){.kind = (enum optimizer_kind)kind,
                                .weight_decay =
                                    decays ? options_real(o, "weight-decay") : optimizers[kind].weight_decay,
                                .beta1 = options_real(o, "beta1"),
                                .beta2 = options_real(o, "beta2"),
                                .eps = options_real(o, "adam-eps"),
                                .momentum = options_real(o, "momentum")};
}

static train_settings settings_of(const options *o)
{
    bool by_bleu = !strcmp(options_text(o, "early-stop-metric"), "bleu");
    train_settings s = {.seed = (uint64_t)options_int(o, "seed"),
                        .optimizer = optimizer_of(o),
                        .schedule = {.kind = (enum schedule_kind)schedule_find(options_text(o, "schedule")),
                                     .lr = options_real(o, "lr"),
                                     .warmup = options_int(o, "warmup"),
                                     .total = limit(o, "updates")},
                        .lr_patience = options_int(o, "lr-patience"),
                        .lr_factor = options_real(o, "lr-factor"),
                        .accumulate = options_int(o, "accumulate"),
                        .recompute = options_flag(o, "recompute"),
                        .loss = {.smoothing = options_real(o, "label-smoothing"),
                                 .r_drop = options_real(o, "r-drop"),
                                 .soft_share = options_real(o, "teacher-share")},
                        .dropout_warmup = options_int(o, "dropout-warmup"),
                        .clip_norm = options_real(o, "clip-norm"),
                        .ema = options_real(o, "ema"),
                        .valid_every = limit(o, "valid-every"),
                        .save_every = options_int(o, "save-every"),
                        .keep = options_int(o, "keep"),
                        .save_seconds = SAVE_SECONDS,
                        .metric = by_bleu ? METRIC_BLEU : METRIC_XENT,
                        .patience = limit(o, "patience"),
                        .epochs = limit(o, "epochs"),
                        .updates = limit(o, "updates"),
                        .seconds = options_value(o, "time") ? options_real(o, "time") : 0};
    bool limited = options_value(o, "patience") || s.epochs || s.updates || s.seconds > 0;
    if (!limited) s.patience = 10;
    return s;
}

/* Greedy search is much faster than a beam and ranks checkpoints as well. */
static validation validation_of(const training *t)
{
    validation v = {.pairs = &t->valid,
                    .tokenizer = t->vocab.tgt,
                    .search = {.beam = 1,
                               .length_penalty = 1,
                               .max_len_ratio = 2,
                               .max_len_extra = 10,
                               .n_best = 1,
                               .batch_tokens = 512},
                    .bleu = bleu_defaults()};
    v.bleu.tokenize = options_text(t->o, "valid-tokenize");
    return v;
}

static const char *reason(enum train_end end)
{
    switch (end) {
    case END_EPOCHS: return "--epochs are done";
    case END_UPDATES: return "--updates are done";
    case END_TIME: return "--time is over";
    case END_PATIENCE: return "validations get no better (--patience)";
    case END_SIGNAL: break;
    }
    return "interrupted";
}

static void tell_end(training *t, const train_result *r)
{
    if (corpus_count(t->data)->too_long > t->too_long_told) tell_corpus(t);
    char took[32];
    const train_state *s = &r->state;
    note("%s: %lld update%s in %s, saved in %s", reason(r->end), (long long)s->update, plural(s->update),
         clock_human(s->seconds, took), t->path);
    if (!isnan(s->best)) {
        bool by_bleu = !strcmp(options_text(t->o, "early-stop-metric"), "bleu");
        note("best: update %lld with %s %.*f", (long long)s->best_update, by_bleu ? "BLEU" : "cross-entropy",
             by_bleu ? 2 : 4, by_bleu ? s->best : -s->best);
    }
    if (r->end == END_SIGNAL)
        note("go on:     tulk train --resume -m %s", t->path);
    else
        note("translate: tulk translate -m %s -i FILE", t->path);
}

static int run(training *t)
{
    train_report report = report_new(options_flag(t->o, "quiet"));
    train_settings settings = settings_of(t->o);
    train_job job = {.net = t->net,
                     .data = t->data,
                     .valid = validation_of(t),
                     .file = t->file,
                     .teachers = {t->teachers.nets, t->teachers.n},
                     .resume = options_flag(t->o, "resume"),
                     .stop = &stop,
                     .report = report_progress,
                     .context = &report};
    train_result result;
    int status = train_run(&job, &settings, &result);
    report_end(&report);
    if (status == 0) tell_end(t, &result);
    t->interrupted = status == 0 && result.end == END_SIGNAL;
    return status;
}

static int train(training *t)
{
    static int (*const steps[])(training * t) = {open_file,     get_vocabulary, open_corpus,
                                                 open_valid,    get_shortlist,  open_teachers,
                                                 build_network, save_settings,  run};
    int status = 0;
    signal(SIGPIPE, SIG_IGN); /* a reader of the progress that goes away does not end the training */
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == 0; i++) status = steps[i](t);
    return status;
}

static void training_free(training *t)
{
    model_free(t->net);
    models_unload(&t->teachers);
    pair_text_free(&t->valid);
    corpus_close(t->data);
    vocab_pair_free(&t->vocab);
    seqs_free(&t->shortlist);
    model_file_close(t->file);
}

static int check_usage(const options *o)
{
    if (command_no_rest(o) || command_needs(o, "model")) return -1;
    if (options_given(o, "teacher-share") && !options_value(o, "teacher") && !options_flag(o, "resume"))
        return fail("--teacher-share: goes with --teacher, say both");
    return options_flag(o, "resume") ? 0 : command_needs(o, "train") || read_weights(o, NULL) ? -1 : 0;
}

static int run_command(training *t, const char *name)
{
    if (check_usage(t->o)) return command_failed(name, EXIT_USAGE);
    bool init = options_text(t->o, "init") && !options_flag(t->o, "resume");
    int taken = init ? init_settings(t->o) : 0;
    if (taken) return command_failed(name, taken == INIT_CONTRADICTED ? EXIT_USAGE : EXIT_FAILED);
    return train(t) ? command_failed(name, EXIT_FAILED) : EXIT_GOOD;
}

int cmd_train(int argc, char **argv)
{
    training t = {0};
    int code = command_start(&help, argc, argv, &t.o);
    if (code == COMMAND_GOES_ON) {
        t.path = options_text(t.o, "model");
        code = run_command(&t, argv[0]);
        training_free(&t);
    }
    options_free(t.o);
    if (t.interrupted) raise(stop); /* whoever waits shall not take the training for done */
    return code;
}
