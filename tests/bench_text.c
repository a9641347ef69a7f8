/* Measures the tokenizer on real text, and checks the round trip of every line; no part of the suites.
 *
 *   bench-text SIZE FILE...                  learns SIZE pieces from the files together, then encodes all of
 * it bench-text SIZE --synthetic N FILE...    from N lines: those of the files again and again, with new
 * words mixed in Files may be gzipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "text/tokenizer.h"

typedef struct {
    str text;
    size_t *start; /* n + 1 */
    size_t n, capacity;
} lines;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-text: %s\n", what);
    exit(1);
}

static void hear(const char *line) { fprintf(stderr, "%s\n", line); }

static void read_file(const char *path, lines *l)
{
    static char block[1 << 16];
    gzFile f = gzopen(path, "rb");
    if (!f) die(path);
    for (int n; (n = gzread(f, block, sizeof block)) > 0;) str_add(&l->text, block, (size_t)n);
    gzclose(f);
}

static void find_lines(lines *l)
{
    for (size_t at = 0; at < l->text.n;) {
        const char *end = memchr(l->text.p + at, '\n', l->text.n - at);
        l->start = grow(l->start, &l->capacity, l->n + 2, sizeof *l->start);
        l->start[l->n++] = at;
        l->start[l->n] = at = end ? (size_t)(end - l->text.p) + 1 : l->text.n + 1;
    }
}

static span line_at(const lines *l, size_t i)
{
    return (span){l->text.p + l->start[i], l->start[i + 1] - l->start[i] - 1};
}

/* The i-th synthetic line: a real one with every 40th word or so replaced by one that may be new. */
static void synthetic_line(const lines *l, size_t i, str *out)
{
    static const char *const syllables[] = {"ba",  "ri", "ton", "mel",  "é",  "qua",
                                            "sis", "or", "den", "schu", "lu", "ga"};
    rng r = rng_at(1, RNG_TEST, i);
    span line = line_at(l, i % l->n);
    str_clear(out);
    for (size_t at = 0; at < line.n; at++) {
        str_add_char(out, line.p[at]);
        if (line.p[at] != ' ' || i < l->n || rng_below(&r, 40)) continue;
        for (uint32_t k = 2 + rng_below(&r, 4); k--;)
            str_add_span(out, span_of(syllables[rng_below(&r, 12)]));
        str_add_char(out, ' ');
    }
}

static double peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static tokenizer *learn(const lines *l, size_t n, int size, double started)
{
    learner *learning = learner_new(NORMALIZE_NFC, false);
    str line = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        span s = line_at(l, i % l->n);
        if (n > l->n) synthetic_line(l, i, &line), s = str_span(&line);
        learner_add(learning, s);
        bytes += s.n + 1;
    }
    double counted = clock_seconds();
    vocab_data data;
    if (learner_finish(learning, size, &data)) die(error_message());
    double finished = clock_seconds();
    printf("learned %d pieces, %d merges from %zu lines, %.1f MB: %.2f s read and counted + %.2f s merged = "
           "%.2f s; peak %.0f MB\n",
           data.n_pieces, data.n_merges, n, (double)bytes / 1e6, counted - started, finished - counted,
           finished - started, peak_mb());
    learner_free(learning);
    str_free(&line);
    tokenizer *t = tokenizer_new(&data);
    if (!t) die(error_message());
    return t;
}

static void measure_encode(const tokenizer *t, const lines *l, bool with_cache)
{
    tokenizer_cache *cache = with_cache ? tokenizer_cache_new(t) : NULL;
    seqs out = {0};
    double start = clock_seconds();
    for (size_t i = 0; i < l->n; i++) tokenizer_encode(t, cache, line_at(l, i), &out);
    double seconds = clock_seconds() - start;
    printf("encode %s: %.1f MB/s, %.2f pieces a line\n", with_cache ? "with cache" : "without",
           (double)l->text.n / 1e6 / seconds, (double)seqs_total(&out) / (double)l->n);
    start = clock_seconds();
    str text = {0};
    for (size_t i = 0; i < l->n; i++) tokenizer_decode(t, seqs_at(&out, i), seqs_len(&out, i), &text);
    printf("decode: %.1f MB/s\n", (double)l->text.n / 1e6 / (clock_seconds() - start));
    str_free(&text);
    seqs_free(&out);
    tokenizer_cache_free(cache);
}

static bool round_trips(const tokenizer *t, tokenizer_cache *cache, span line)
{
    static str normal, back, printed;
    static seqs ids;
    seqs_clear(&ids);
    str_clear(&normal), str_clear(&back), str_clear(&printed);
    normalize_line(tokenizer_data(t)->normalize, tokenizer_data(t)->casefold, line, &normal);
    tokenizer_encode(t, cache, line, &ids);
    tokenizer_decode(t, seqs_at(&ids, 0), seqs_len(&ids, 0), &back);
    tokenizer_print(t, seqs_at(&ids, 0), seqs_len(&ids, 0), &printed);
    if (tokenizer_parse(t, str_span(&printed), &ids)) return false;
    size_t n = seqs_len(&ids, 0);
    return span_eq(str_span(&normal), str_span(&back)) && seqs_len(&ids, 1) == n &&
           (n == 0 || memcmp(seqs_at(&ids, 0), seqs_at(&ids, 1), n * sizeof(int)) == 0);
}

static void check_round_trip(const tokenizer *t, const lines *l)
{
    tokenizer_cache *cache = tokenizer_cache_new(t);
    size_t bad = 0;
    for (size_t i = 0; i < l->n; i++) bad += !round_trips(t, cache, line_at(l, i));
    printf("round trip: %zu of %zu lines wrong\n", bad, l->n);
    tokenizer_cache_free(cache);
    if (bad) exit(1);
}

int main(int argc, char **argv)
{
    size_t synthetic = 0;
    int first = 2;
    if (argc > 4 && strcmp(argv[2], "--synthetic") == 0) synthetic = strtoul(argv[3], NULL, 10), first = 4;
    if (argc <= first) die("usage: bench-text SIZE [--synthetic LINES] FILE...");
    note_listener(hear);
    lines l = {0};
    double start = clock_seconds();
    for (int i = first; i < argc; i++) read_file(argv[i], &l);
    find_lines(&l);
    tokenizer *t = learn(&l, synthetic ? synthetic : l.n, atoi(argv[1]), start);
    measure_encode(t, &l, true);
    measure_encode(t, &l, false);
    check_round_trip(t, &l);
    tokenizer_free(t);
    str_free(&l.text);
    free(l.start);
    return 0;
}
