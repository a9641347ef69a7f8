/* Measures what reading, tokenising and batching cost, alone or beside a pretended computation; no part of
 * the suites.
 *
 *   bench-input SRC TGT [EPOCHS [WINDOW [THREADS [RATE [DROPOUT]]]]]
 *
 * learns 8,000 joint pieces and runs the epochs (3) in windows of WINDOW pairs (1,000,000) on THREADS threads
 * (1). With a RATE the caller computes between batches: it spins as long as RATE target tokens a second would
 * take. For each epoch it prints the seconds in which the caller waited for batches, the processor time of
 * everything but the spinning, and how full the batches were; batches of 4,096 tokens, as in the preset
 * `tiny`. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/team.h"
#include "data/corpus.h"
#include "data/lines.h"

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-input: %s\n", what);
    exit(1);
}

static double processor_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void learn_file(learner *to, const char *path)
{
    lines *l;
    span line;
    int more;
    if (lines_open(path, &l) < 0) die(error_message());
    while ((more = lines_next(l, &line)) == 1) learner_add(to, line);
    if (more < 0) die(error_message());
    lines_close(l);
}

static tokenizer *learn(const char *src, const char *tgt)
{
    learner *l = learner_new(NORMALIZE_NFC, false);
    vocab_data v = {0};
    learn_file(l, src);
    learn_file(l, tgt);
    if (learner_finish(l, 8000, &v) < 0) die(error_message());
    tokenizer *t = tokenizer_new(&v);
    vocab_data_free(&v);
    learner_free(l);
    return t;
}

typedef struct {
    double waited, spun;
    long batches;
    size_t src, tgt, room; /* tokens with eos; sentences x longest side, both sides */
} sums;

/* Processor time of this thread: what others take from it counts as neither waiting nor computing. */
static double own_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void spin(double seconds)
{
    for (double until = own_seconds() + seconds; own_seconds() < until;) continue;
}

static void add_side(sums *s, const seqs *side, size_t *tokens)
{
    size_t longest = 0;
    for (size_t i = 0; i < side->n; i++)
        if (seqs_len(side, i) > longest) longest = seqs_len(side, i);
    *tokens += seqs_total(side) + side->n;
    s->room += side->n * (longest + 1);
}

static sums run_epoch(corpus *c, int64_t epoch, double rate)
{
    sums s = {0};
    const pair_batch *b;
    double from = clock_seconds();
    if (corpus_seek(c, epoch, 0) < 0) die(error_message());
    int more;
    while ((more = corpus_next(c, &b)) == 1) {
        double now = clock_seconds(), work = rate > 0 ? (double)(seqs_total(&b->tgt) + b->tgt.n) / rate : 0;
        s.waited += now - from;
        add_side(&s, &b->src, &s.src);
        add_side(&s, &b->tgt, &s.tgt);
        s.batches++;
        spin(work);
        s.spun += work;
        from = clock_seconds();
    }
    if (more < 0) die(error_message());
    s.waited += clock_seconds() - from;
    return s;
}

int main(int argc, char **argv)
{
    if (argc < 3) die("usage: bench-input SRC TGT [EPOCHS [WINDOW [THREADS [RATE [DROPOUT]]]]]");
    const char *src = argv[1], *tgt = argv[2];
    team_set_threads(argc > 5 ? atoi(argv[5]) : 1);
    tokenizer *words = learn(src, tgt);
    corpus_options o = {.src_paths = &src,
                        .tgt_paths = &tgt,
                        .n_files = 1,
                        .src_tokenizer = words,
                        .tgt_tokenizer = words,
                        .bpe_dropout = argc > 7 ? atof(argv[7]) : 0,
                        .max_len = 256,
                        .batch_tokens = 4096,
                        .window_pairs = argc > 4 ? atoll(argv[4]) : 1000000,
                        .seed = 1};
    corpus *c;
    double from = clock_seconds(), before = processor_seconds();
    if (corpus_open(&o, &c) < 0) die(error_message());
    printf("opened in %.3f s, %.3f s of processor time\n", clock_seconds() - from,
           processor_seconds() - before);
    for (int epoch = 1; epoch <= (argc > 3 ? atoi(argv[3]) : 3); epoch++) {
        before = processor_seconds();
        sums s = run_epoch(c, epoch, argc > 6 ? atof(argv[6]) : 0);
        double used = processor_seconds() - before - s.spun;
        printf(
            "epoch %d: %ld batches, %zu + %zu tokens, %.1f %% full; waited %.4f s; %.4f s of processor time, "
            "%.0f target tokens/s\n",
            epoch, s.batches, s.src, s.tgt, 100.0 * (double)(s.src + s.tgt) / (double)s.room, s.waited, used,
            (double)s.tgt / used);
    }
    corpus_close(c);
    tokenizer_free(words);
    return 0;
}
