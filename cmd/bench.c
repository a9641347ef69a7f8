/* tulk bench: how fast this machine trains, how far that is from what it could do, and where the time goes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/team.h"
#include "bench_batches.h"
#include "bench_report.h"
#include "bench_translate.h"
#include "command.h"
#include "kernel/gemm.h"
#include "kernel/isa.h"
#include "loader.h"
#include "train/optimizer.h"
#include "train/shards.h"

static const command_help help = {
    FOR_BENCH,
    "tulk bench [--preset NAME...] [--ids SRC TGT | -t SRC TGT] [--threads N] [--json] [OPTION...]",
    "Trains networks for a few updates, or translates with them (--translate), and tells tokens and\n"
    "floating-point operations a second (those of the products over the true lengths, training being three\n"
    "times the forward pass), the share of what the processor's multiply-add units could do on as many\n"
    "threads, measured in the same run, and what the update spends on each kind of operation. Sentences are\n"
    "random unless files are given. Nothing is saved.",
    "tulk bench --preset tiny bahdanau --threads 1"};

enum { DEFAULT_VOCAB = 8000 };

/* What presets stand for, where it is not what options say. */
static const struct {
    const char *preset;
    int vocab_size;
    const char *lengths;
} typical[] = {{"base", 32000, "newswire"}};

/* One network on its batches. */
typedef struct {
    options *o;
    const char *name;
    vocab_pair vocab; /* of text */
    net_config config;
    model *net;
    shards *shards;
    arena *memory;
    optimizer adam;
    batches data;
    bool cpu_time;
    loaded_model loaded; /* --model */
    seqs shortlist;      /* made up; or see `loaded` */
    bench_result result;
} bench;

/* --------------------------------------------------------------------------------------- measuring */

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_seconds(bool cpu_time) { return cpu_time ? cpu_seconds() : clock_seconds(); }

/* Short pieces, many a thread, so that one which starts late delays nobody. */
enum { PEAK_ROUNDS = 20000, PEAK_PIECES = 50, PEAK_TIMES = 20 };

typedef struct {
    enum gemm_numbers numbers;
    double *flops; /* of each task */
} peak_work;

static void peak_task(long i, void *context)
{
    const peak_work *w = context;
    w->flops[i] = gemm_peak(w->numbers, PEAK_ROUNDS);
}

static enum precision precision_of(const options *o)
{
    return (enum precision)options_choice(o, "precision");
}

/* GFLOP/s of nothing but multiply-adds on all threads at once: the best of several times. */
static double measure_peak(const options *o)
{
    bool cpu_time = options_flag(o, "cpu-time");
    int pieces = PEAK_PIECES * team_threads();
    double *flops = xcalloc((size_t)pieces, sizeof *flops), best = 0;
    peak_work work = {precision_of(o) == PRECISION_BF16 ? GEMM_BF16 : GEMM_FP32, flops};
    for (int k = 0; k < PEAK_TIMES; k++) {
        double took = bench_seconds(cpu_time), sum = 0;
        team_run(pieces, peak_task, &work);
        took = bench_seconds(cpu_time) - took;
        for (int i = 0; i < pieces; i++) sum += flops[i];
        best = fmax(best, 1e-9 * sum / took);
    }
    free(flops);
    return best;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, long n)
{
    qsort(values, (size_t)n, sizeof *values, by_size);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* ----------------------------------------------------------------------------------------- updates */

static const pair_batch *batch_at(const bench *b, long update)
{
    return &b->data.list[(size_t)update % b->data.n];
}

/* As the trainer makes one. */
static double one_update(bench *b, long update)
{
    const pair_batch *batch = batch_at(b, update);
    gradient_settings how = {.seed = (uint64_t)options_int(b->o, "seed"),
                             .update = update,
                             .loss.smoothing = 0.1,
                             .dropout = 1,
                             .recompute = options_flag(b->o, "recompute")};
    model_sums sums = shards_gradients(b->shards, batch, &how);
    double norm = optimizer_norm(&b->adam);
    optimizer_step(&b->adam, 1e-4, clip_scale(norm, 1), update + 1);
    return sums.loss / (double)sums.words;
}

/* Tokens with eos. */
static double tokens(const seqs *s) { return (double)(seqs_total(s) + s->n); }

typedef struct {
    double *seconds, *tgt_rate, *all_rate, *gflops; /* (updates) */
} samples;

static void take_sample(bench *b, const pair_batch *batch, double seconds, long i, const samples *s)
{
    bench_result *r = &b->result;
    double src = tokens(&batch->src), tgt = tokens(&batch->tgt), n = (double)r->updates;
    double flops = 3 * model_flops(b->net, &batch->src, &batch->tgt);
    s->seconds[i] = seconds;
    s->tgt_rate[i] = tgt / seconds;
    s->all_rate[i] = (src + tgt) / seconds;
    s->gflops[i] = 1e-9 * flops / seconds;
    r->sentences += (double)batch->src.n / n;
    r->src_tokens += src / n;
    r->tgt_tokens += tgt / n;
    r->flops += flops / n;
    r->total_seconds += seconds;
}

static void run_updates(bench *b, long warm, const samples *s)
{
    bench_result *r = &b->result;
    for (long i = 0; i < warm; i++) one_update(b, i);
    meter_start(b->cpu_time ? METER_CPU : METER_WALL);
    for (long i = 0; i < r->updates; i++) {
        double from = bench_seconds(b->cpu_time);
        r->last_loss = one_update(b, warm + i);
        take_sample(b, batch_at(b, warm + i), bench_seconds(b->cpu_time) - from, i, s);
    }
    meter_stop();
    r->spent = meter_read();
}

static void measure_updates(bench *b)
{
    bench_result *r = &b->result;
    long n = r->updates = options_int(b->o, "updates");
    double *values = xcalloc((size_t)n * 4, sizeof *values);
    samples s = {values, values + n, values + 2 * n, values + 3 * n};
    run_updates(b, options_int(b->o, "warm-updates"), &s);
    r->seconds = bench_median(s.seconds, n);
    r->best_seconds = s.seconds[0];
    r->tgt_rate = bench_median(s.tgt_rate, n);
    r->all_rate = bench_median(s.all_rate, n);
    r->gflops = bench_median(s.gflops, n);
    r->rss = peak_memory();
    free(values);
}

/* ------------------------------------------------------------------------------------------- input */

static int find_vocabulary(bench *b, const char *const *words)
{
    const char *path = options_text(b->o, "vocab");
    if (path) {
        store *s;
        if (store_open(path, STORE_READ, &s)) return -1;
        int result = vocab_pair_load(s, path, &b->vocab);
        store_close(s);
        return result;
    }
    vocab_request r = {.src_paths = &words[0],
                       .tgt_paths = &words[1],
                       .n_files = 1,
                       .normalize = NORMALIZE_NFC,
                       .separate = options_flag(b->o, "separate-vocabs"),
                       .size = b->config.tgt_vocab};
    return vocab_pair_learn(&r, &b->vocab);
}

/* An epoch is read, and another one for the time that it takes when nothing is new. */
static int read_epochs(bench *b, corpus *c, double from)
{
    input_times *t = &b->result.input;
    if (batches_of_corpus(c, &b->data)) return -1;
    t->open = clock_seconds() - from;
    from = clock_seconds();
    if (corpus_seek(c, 2, 0)) return -1;
    const pair_batch *batch;
    int more;
    while ((more = corpus_next(c, &batch)) == 1) {
    }
    t->epoch = clock_seconds() - from;
    return more;
}

static int read_text(bench *b, const char *const *words)
{
    if (find_vocabulary(b, words)) return -1;
    b->config.shared_vocab = b->vocab.joint;
    b->config.src_vocab = tokenizer_size(b->vocab.src);
    b->config.tgt_vocab = tokenizer_size(b->vocab.tgt);
    corpus_options c = {.src_paths = &words[0],
                        .tgt_paths = &words[1],
                        .n_files = 1,
                        .src_tokenizer = b->vocab.src,
                        .tgt_tokenizer = b->vocab.tgt,
                        .max_len = 256,
                        .batch_tokens = (int)options_int(b->o, "batch-tokens"),
                        .window_pairs = 1000000,
                        .seed = (uint64_t)options_int(b->o, "seed")};
    double from = clock_seconds();
    corpus *text;
    if (corpus_open(&c, &text)) return -1;
    int status = read_epochs(b, text, from);
    corpus_close(text);
    return status;
}

static void time_epoch(bench *b)
{
    double epoch_tokens = 0;
    for (size_t i = 0; i < b->data.n; i++) epoch_tokens += tokens(&b->data.list[i].tgt);
    b->result.input.update = epoch_tokens / b->result.tgt_rate;
}

static const length_kind *lengths_of(const bench *b)
{
    const char *name = options_text(b->o, "lengths");
    for (size_t i = 0; !name && i < sizeof typical / sizeof *typical; i++)
        if (!strcmp(typical[i].preset, b->name)) name = typical[i].lengths;
    const length_kind *kind = length_kinds;
    while (name && strcmp(kind->name, name)) kind++;
    return kind;
}

static int get_batches(bench *b)
{
    const char *const *words;
    int vocab = b->config.tgt_vocab, size = (int)options_int(b->o, "batch-tokens");
    uint64_t seed = (uint64_t)options_int(b->o, "seed");
    if (options_list(b->o, "train", &words)) return read_text(b, words);
    if (options_list(b->o, "ids", &words))
        return batches_read(words[0], words[1], vocab, options_flag(b->o, "translate") ? 0 : size, seed,
                            &b->data);
    size_t n = (size_t)(options_int(b->o, "updates") + options_int(b->o, "warm-updates"));
    batches_make_up(lengths_of(b), vocab, size, n, seed, &b->data);
    return 0;
}

/* --------------------------------------------------------------------------------------- a network */

static int vocab_size(const bench *b)
{
    if (options_value(b->o, "vocab-size")) return (int)options_int(b->o, "vocab-size");
    for (size_t i = 0; i < sizeof typical / sizeof *typical; i++)
        if (!strcmp(typical[i].preset, b->name)) return typical[i].vocab_size;
    return DEFAULT_VOCAB;
}

/* 0, or -1 with a message: wrong usage. */
static int describe_network(bench *b, const char *preset)
{
    b->name = preset;
    if (options_text(b->o, "model")) return 0; /* it says so itself */
    if (preset) options_preset(b->o, preset);
    b->config = options_network(b->o);
    if (!preset) b->name = net_config_kind(&b->config);
    b->config.src_vocab = b->config.tgt_vocab = vocab_size(b);
    if (net_config_check(&b->config)) return -1;
    if (!options_flag(b->o, "quiet")) options_note_unused(b->o, &b->config);
    return 0;
}

static void build_network(bench *b)
{
    b->net = model_new(&b->config, true);
    if (precision_of(b->o) == PRECISION_BF16) params_multiply_bf16(model_params(b->net));
    model_init(b->net, (uint64_t)options_int(b->o, "seed"));
    b->memory = arena_new();
    optimizer_settings adam = optimizer_defaults(OPTIMIZER_ADAM);
    b->adam = optimizer_new(model_params(b->net), &adam, b->memory);
    b->shards = shards_new(b->net);
}

static int tell(const bench *b)
{
    str out = {0};
    (options_flag(b->o, "json") ? bench_json : bench_report)(&b->result, &out);
    int status = print_out(str_span(&out));
    str_free(&out);
    return status;
}

static translate_bench translation_of(const bench *b)
{
    const options *o = b->o;
    return (translate_bench){.beam = (int)options_int(o, "beam"),
                             .batch_tokens =
                                 options_given(o, "batch-tokens") ? (int)options_int(o, "batch-tokens") : 0,
                             .one_by_one = options_flag(o, "one-by-one"),
                             .cpu_time = b->cpu_time,
                             .passes = (int)options_int(o, "passes")};
}

static int write_file(const char *path, span text)
{
    output out;
    if (output_open(path, &out)) return -1;
    bool good = output_write(&out, text) == 0;
    return output_close(&out, good) == 0 && good ? 0 : -1;
}

static int measure_translation(bench *b, double peak)
{
    if (get_batches(b)) return -1;
    forget_peak_memory();
    if (!b->net) {
        uint64_t seed = (uint64_t)options_int(b->o, "seed");
        b->net = model_new(&b->config, false);
        model_init(b->net, seed);
        if (options_flag(b->o, "shortlist")) {
            model_keep_output(b->net);
            b->shortlist = shortlist_make_up(b->config.tgt_vocab, seed);
        }
        params_freeze(model_params(b->net), precision_of(b->o));
    }
    translate_bench how = translation_of(b);
    if (options_flag(b->o, "shortlist"))
        how.shortlist = b->shortlist.n ? &b->shortlist : &b->loaded.shortlist;
    const char *path = options_text(b->o, "output");
    str ids = {0};
    translate_result r;
    if (path) how.ids = &ids;
    bench_translate(b->net, &b->data, &how, &r);
    int written = path ? write_file(path, str_span(&ids)) : 0;
    str_free(&ids);
    if (written) return -1;
    const bench_network n = {b->name, team_threads(), model_params(b->net)->n_reals, b->config.tgt_vocab,
                             fmax(peak, measure_peak(b->o))};
    str out = {0};
    (options_flag(b->o, "json") ? bench_translate_json : bench_translate_report)(&n, &r, &out);
    int status = print_out(str_span(&out));
    str_free(&out);
    return status;
}

/* 0, or -1 with a message. */
static int measure(bench *b, double peak)
{
    b->result.input.open = -1;
    if (get_batches(b) || net_config_check(&b->config)) return -1; /* of the vocabulary of the text */
    forget_peak_memory();
    build_network(b);
    b->result.name = b->name;
    b->result.threads = team_threads();
    b->result.n_parameters = model_params(b->net)->n_reals;
    b->result.vocab_size = b->config.tgt_vocab;
    b->result.clock = b->cpu_time ? "cpu" : "wall";
    measure_updates(b);
    b->result.peak = fmax(peak, measure_peak(b->o)); /* before and after */
    if (b->result.input.open >= 0) time_epoch(b);
    return tell(b);
}

static void bench_free(bench *b)
{
    shards_free(b->shards);
    arena_free(b->memory);
    if (b->net != b->loaded.net) model_free(b->net);
    model_unload(&b->loaded);
    batches_free(&b->data);
    seqs_free(&b->shortlist);
    vocab_pair_free(&b->vocab);
    options_free(b->o);
}

/* ----------------------------------------------------------------------------------------- command */

/* Whether options describe a network of their own. */
static bool describes_network(const options *o)
{
    for (const option_row *row = option_table; row->key; row++)
        if (row->commands & FOR_BENCH && row->in_model && !strcmp(row->group, "network") &&
            options_given(o, row->key))
            return true;
    return false;
}

static int check_usage(const options *o)
{
    if (command_no_rest(o)) return -1;
    if (options_list(o, "train", NULL) && options_list(o, "ids", NULL))
        return fail("-t and --ids contradict each other, give one");
    if (options_flag(o, "cpu-time") && team_threads() != 1)
        return fail("--cpu-time measures one thread, add --threads 1");
    if (options_text(o, "model") && !options_flag(o, "translate"))
        return fail("-m is for --translate: what is trained is random at first");
    if (options_text(o, "model") && (describes_network(o) || options_list(o, "preset", NULL)))
        return fail("-m says what network it is: leave out the options that describe one");
    if (options_flag(o, "shortlist") && !options_flag(o, "translate"))
        return fail("--shortlist is for --translate");
    if (options_flag(o, "one-by-one") && !options_flag(o, "translate"))
        return fail("--one-by-one is for --translate");
    if (precision_of(o) == PRECISION_INT8 && !options_flag(o, "translate"))
        return fail("--precision int8 is for --translate; training has fp32 and bf16");
    if (precision_of(o) == PRECISION_BF16 && options_flag(o, "translate"))
        return fail("--precision bf16 is for training; --translate has fp32 and int8");
    if (options_text(o, "output") && !options_flag(o, "translate"))
        return fail("-o is for --translate: nothing is written but reports");
    return 0;
}

/* That of --model, if it is given. */
static int load_network(bench *b)
{
    const char *path = options_text(b->o, "model");
    if (!path) return 0;
    if (model_load(path, NULL, &b->loaded)) return -1;
    b->net = b->loaded.net;
    if (options_flag(b->o, "shortlist")) {
        if (model_shortlist(&b->loaded, path)) return -1;
        model_keep_output(b->net);
    }
    params_freeze(model_params(b->net), precision_of(b->o));
    b->config = *model_config(b->net);
    b->name = net_config_kind(&b->config);
    return 0;
}

/* A network from argv read anew, so that nothing of a preset before is left: the exit code. */
static int run(int argc, char **argv, const char *preset, double peak)
{
    bench b = {.o = options_new(FOR_BENCH)};
    int code = EXIT_USAGE;
    if (!options_parse(b.o, argc, argv) && !describe_network(&b, preset)) {
        b.cpu_time = options_flag(b.o, "cpu-time");
        code =
            (load_network(&b) || (options_flag(b.o, "translate") ? measure_translation : measure)(&b, peak))
                ? EXIT_FAILED
                : EXIT_GOOD;
    }
    bench_free(&b);
    return code;
}

static int run_all(int argc, char **argv, const options *o)
{
    const char *const *words;
    const char *all[16];
    int n = options_list(o, "preset", &words), code = EXIT_GOOD;
    if (n == 0 && !describes_network(o) && !options_text(o, "model")) {
        while (presets[n].name) all[n] = presets[n].name, n++;
        words = all;
    }
    double peak = measure_peak(o);
    note("%s, %d thread%s: at most %.1f GFLOP/s", isa_name(), team_threads(), plural(team_threads()), peak);
    if (n == 0) return run(argc, argv, NULL, peak);
    for (int i = 0; i < n && code == EXIT_GOOD; i++) code = run(argc, argv, words[i], peak);
    return code;
}

int cmd_bench(int argc, char **argv)
{
    options *o;
    int code = command_start(&help, argc, argv, &o);
    if (code == COMMAND_GOES_ON) {
        code = check_usage(o) ? EXIT_USAGE : run_all(argc, argv, o);
        if (code != EXIT_GOOD) command_failed(argv[0], code);
    }
    options_free(o);
    return code;
}
