#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "data/corpus.h"
#include "data/lines.h"
#include "scratch.h"

static bool says(const char *part) { return strstr(error_message(), part) != NULL; }

/* --------------------------------------------------------------------------------------- lines */

/* The lines of a file in one string, each in brackets; its counts. */
static int read_lines(const char *path, str *out, line_counts *counts)
{
    lines *l;
    span line;
    int more;
    str_clear(out);
    if (lines_open(path, &l) < 0) return -1;
    while ((more = lines_next(l, &line)) == 1) {
        str_add_char(out, '[');
        str_add_span(out, line);
        str_add_char(out, ']');
    }
    *counts = *lines_count(l);
    lines_close(l);
    return more;
}

typedef struct {
    const char *bytes;
    size_t n;
    const char *lines;
    size_t lines_n;
    line_counts counts; /* lines, empty, carriage_returns, byte_order_marks, invalid_utf8, nul */
} line_case;

#define BYTES(text) text, sizeof(text) - 1

static const line_case line_cases[] = {
    {BYTES(""), BYTES(""), {0}},
    {BYTES("\n"), BYTES("[]"), {1, 1, 0, 0, 0, 0}},
    {BYTES("a"), BYTES("[a]"), {1, 0, 0, 0, 0, 0}},
    {BYTES("a\nb\n"), BYTES("[a][b]"), {2, 0, 0, 0, 0, 0}},
    {BYTES("a\n\nb"), BYTES("[a][][b]"), {3, 1, 0, 0, 0, 0}},
    {BYTES("a\r\nb\r\n"), BYTES("[a][b]"), {2, 0, 2, 0, 0, 0}},
    {BYTES("\r\n"), BYTES("[]"), {1, 1, 1, 0, 0, 0}},
    {BYTES("a\r\r\nb\rc\r"), BYTES("[a\r][b\rc\r]"), {2, 0, 1, 0, 0, 0}},
    {BYTES("\xEF\xBB\xBF"), BYTES(""), {0, 0, 0, 1, 0, 0}},
    {BYTES("\xEF\xBB\xBF\n"), BYTES("[]"), {1, 1, 0, 1, 0, 0}},
    {BYTES("\xEF\xBB\xBFx\n\xEF\xBB\xBFy"), BYTES("[x][\xEF\xBB\xBFy]"), {2, 0, 0, 1, 0, 0}},
    {BYTES("\xEF\xBB"), BYTES("[\xEF\xBB]"), {1, 0, 0, 0, 1, 0}},
    {BYTES("a\0b\n\0\n"), BYTES("[a\0b][\0]"), {2, 0, 0, 0, 0, 2}},
    {BYTES("a\xFF\nb\xE2\x80\xA8"
           "c\x0B\x0C\x1C\xC2\x85"
           "d\n"),
     BYTES("[a\xFF][b\xE2\x80\xA8"
           "c\x0B\x0C\x1C\xC2\x85"
           "d]"),
     {2, 0, 0, 0, 1, 0}},
};

enum { N_LINE_CASES = sizeof line_cases / sizeof *line_cases };

static bool same_counts(const line_counts *a, const line_counts *b)
{
    return a->lines == b->lines && a->empty == b->empty && a->carriage_returns == b->carriage_returns &&
           a->byte_order_marks == b->byte_order_marks && a->invalid_utf8 == b->invalid_utf8 &&
           a->nul == b->nul;
}

static void check_line_case(const char *path, const line_case *c)
{
    str got = {0};
    line_counts counts;
    CU_ASSERT_EQUAL(read_lines(path, &got, &counts), 0);
    CU_ASSERT(span_eq(str_span(&got), (span){c->lines, c->lines_n}));
    CU_ASSERT(same_counts(&counts, &c->counts));
    str_free(&got);
}

static const char *write_gz(const char *name, const void *bytes, size_t n)
{
    const char *path = scratch_path(name);
    gzFile f = gzopen(path, "wb");
    CU_ASSERT_EQUAL(gzwrite(f, bytes, (unsigned)n), (int)n);
    gzclose(f);
    return path;
}

static void test_lines(void)
{
    for (int i = 0; i < N_LINE_CASES; i++)
        check_line_case(scratch_write("lines.txt", line_cases[i].bytes, line_cases[i].n), &line_cases[i]);
}

static void test_lines_gz(void)
{
    for (int i = 0; i < N_LINE_CASES; i++)
        check_line_case(write_gz("lines.gz", line_cases[i].bytes, line_cases[i].n), &line_cases[i]);
}

/* Through a pipe that gives one byte at a time. */
static void test_lines_stdin(void)
{
    for (int i = 0; i < N_LINE_CASES; i++) {
        int ends[2], kept = dup(STDIN_FILENO);
        CU_ASSERT_FATAL(pipe(ends) == 0);
        CU_ASSERT(write(ends[1], line_cases[i].bytes, line_cases[i].n) == (ssize_t)line_cases[i].n);
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        check_line_case("-", &line_cases[i]);
        if (kept >= 0) dup2(kept, STDIN_FILENO);
        close(kept);
    }
}

static void test_lines_as_they_come(void)
{
    int ends[2];
    char path[64];
    lines *l;
    span line;
    CU_ASSERT_FATAL(pipe(ends) == 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    CU_ASSERT_EQUAL_FATAL(lines_open(path, &l), 0);
    CU_ASSERT(write(ends[1], "\xEF", 1) == 1 && write(ends[1], "\xBB\xBFone\ntw", 8) == 8);
    CU_ASSERT(lines_next(l, &line) == 1 && span_eq(line, span_of("one")));
    CU_ASSERT(write(ends[1], "o\n", 2) == 2);
    CU_ASSERT(lines_next(l, &line) == 1 && span_eq(line, span_of("two")));
    close(ends[1]);
    CU_ASSERT_EQUAL(lines_next(l, &line), 0);
    CU_ASSERT_EQUAL(lines_next(l, &line), 0);
    lines_close(l);
    close(ends[0]);
}

/* Lines around the size of the reader's buffer, and much longer. */
static void test_long_lines(void)
{
    const size_t sizes[] = {(1 << 18) - 2, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        str text = {0};
        for (size_t k = 0; k < sizes[i]; k++) str_add_char(&text, (char)('a' + k % 26));
        str_add(&text, "\r\nend", 5);
        lines *l;
        span line;
        CU_ASSERT_EQUAL_FATAL(lines_open(scratch_write("long.txt", text.p, text.n), &l), 0);
        CU_ASSERT_EQUAL(lines_next(l, &line), 1);
        CU_ASSERT(span_eq(line, (span){text.p, sizes[i]}));
        CU_ASSERT(lines_next(l, &line) == 1 && span_eq(line, span_of("end")));
        CU_ASSERT(lines_next(l, &line) == 0 && lines_count(l)->carriage_returns == 1);
        lines_close(l);
        str_free(&text);
    }
}

static void check_read_error(const char *path, const char *part)
{
    str got = {0};
    line_counts counts;
    CU_ASSERT_EQUAL(read_lines(path, &got, &counts), -1);
    CU_ASSERT(says(path) && says(part));
    str_free(&got);
}

static void test_line_errors(void)
{
    check_read_error(scratch_path("missing.txt"), "no such file");
    check_read_error(scratch_path(""), "directory");
    check_read_error(scratch_write("plain.gz", "text\n", 5), "not a gzip file");
    check_read_error(scratch_write("empty.gz", "", 0), "not a gzip file");
}

/* Progress: lines of one length, so that the true share is known. */
static void check_share(const char *path, int n)
{
    lines *l = NULL;
    CU_ASSERT_FATAL(lines_open(path, &l) == 0);
    span line;
    double last = 0;
    bool rises = true, close = true;
    for (int i = 1; lines_next(l, &line) == 1; i++) {
        double share = lines_share(l);
        rises &= share >= last;
        close &= fabs(share - (double)i / n) < 0.05;
        last = share;
    }
    CU_ASSERT(rises);
    CU_ASSERT(close);
    CU_ASSERT_DOUBLE_EQUAL(last, 1, 0.001);
    lines_close(l);
}

static void test_share(void)
{
    enum { N = 200000 };
    str text = {0};
    for (int i = 0; i < N; i++) str_addf(&text, "%08x\n", (unsigned)i * 2654435761u);
    check_share(scratch_write("share.txt", text.p, text.n), N);
    check_share(write_gz("share.gz", text.p, text.n), N);
    str_free(&text);
}

static void test_damaged_gz(void)
{
    str text = {0};
    for (int i = 0; i < 20000; i++) str_addf(&text, "%d %x\n", i, (unsigned)i * 2654435761u);
    const char *path = write_gz("whole.gz", text.p, text.n);
    char *bytes = xmalloc(text.n);
    FILE *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, text.n, f);
    fclose(f);
    check_read_error(scratch_write("cut.gz", bytes, n / 2), "cut off");
    check_read_error(scratch_write("cut.gz", bytes, n - 4), "cut off");
    bytes[n / 2] ^= 0x55;
    check_read_error(scratch_write("flip.gz", bytes, n), "damaged");
    free(bytes);
    str_free(&text);
}

/* ---------------------------------------------------------------------------------------- UTF-8 */

static size_t encode(unsigned c, char *out) /* as if surrogates were characters */
{
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    size_t n = c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 63));
    out[0] = (char)((n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

static void test_utf8_characters(void)
{
    unsigned wrong = 0;
    for (unsigned c = 0; c < 0x120000; c++) {
        char bytes[16] = "12345678";
        size_t n = encode(c, bytes + c % 9);
        bool good = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
        wrong += utf8_valid((span){bytes, c % 9 + n}) != good;
        if (n > 1) wrong += utf8_valid((span){bytes, c % 9 + n - 1}); /* cut */
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_utf8_faults(void)
{
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF8\x88\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "abcdefgh\x80",
                                      "\xE2\x82",
                                      "\xE2\x28\xA1",
                                      "\xE2\x82\x28",
                                      "\xF0\x90\x80\x41"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CU_ASSERT_FALSE(utf8_valid(span_of(bad[i])));
    CU_ASSERT(utf8_valid((span){NULL, 0}));
    CU_ASSERT(utf8_valid((span){"a\0b", 3}));
}

/* --------------------------------------------------------------------------------------- corpus */

static tokenizer *words; /* for all tests below */

static tokenizer *make_tokenizer(void)
{
    learner *l = learner_new(NORMALIZE_NFC, false);
    vocab_data v = {0};
    for (int i = 0; i < 50; i++) learner_add(l, span_of("eins zwei drei one two three 0123456789"));
    BUG_IF(learner_finish(l, 320, &v) < 0);
    learner_free(l);
    tokenizer *t = tokenizer_new(&v);
    vocab_data_free(&v);
    return t;
}

/* Pair number i: its number, then a number of words that differs between pairs and sides. */
static void add_lines(str *src, str *tgt, int i)
{
    str_addf(src, "%d", i);
    str_addf(tgt, "%d", i);
    for (int k = 0; k < i * 7 % 12; k++) str_addf(src, " two");
    for (int k = 0; k < i * 5 % 13; k++) str_addf(tgt, " zwei");
    str_add_char(src, '\n');
    str_add_char(tgt, '\n');
}

static const char *src_paths[3], *tgt_paths[3];

static void write_pairs(int file, int from, int to)
{
    static char kept[3][2][1024];
    char name[32];
    str text[2] = {{0}, {0}};
    for (int i = from; i < to; i++) add_lines(&text[0], &text[1], i);
    for (int side = 0; side < 2; side++) {
        snprintf(name, sizeof name, "pairs%d.%s", file, side ? "de" : "en");
        snprintf(kept[file][side], sizeof kept[file][side], "%s",
                 scratch_write(name, str_text(&text[side]), text[side].n));
        str_free(&text[side]);
    }
    src_paths[file] = kept[file][0];
    tgt_paths[file] = kept[file][1];
}

static corpus_options plain_options(void)
{
    return (corpus_options){.src_paths = src_paths,
                            .tgt_paths = tgt_paths,
                            .n_files = 1,
                            .src_tokenizer = words,
                            .tgt_tokenizer = words,
                            .max_len = 100,
                            .batch_tokens = 120,
                            .window_pairs = 1 << 20,
                            .seed = 1};
}

static corpus *open_or_die(const corpus_options *o)
{
    corpus *c;
    if (corpus_open(o, &c) < 0) {
        fprintf(stderr, "%s\n", error_message());
        CU_FAIL_FATAL("corpus_open");
    }
    return c;
}

/* The number at the start of sentence i. */
static int number_of(const seqs *s, size_t i)
{
    str text = {0};
    tokenizer_decode(words, seqs_at(s, i), seqs_len(s, i), &text);
    int n = atoi(str_text(&text));
    str_free(&text);
    return n;
}

/* The numbers of all pairs of the rest of an epoch, batches ended by -1. Checks each batch. */
typedef struct {
    int *list;
    size_t n, capacity;
} numbers;

static void add_number(numbers *l, int n)
{
    l->list = grow(l->list, &l->capacity, l->n + 1, sizeof *l->list);
    l->list[l->n++] = n;
}

static void check_batch(const pair_batch *b, int batch_tokens, numbers *out)
{
    size_t longest = 0, bad = b->src.n == 0 || b->src.n != b->tgt.n;
    for (size_t i = 0; i < b->src.n; i++) {
        int s = number_of(&b->src, i), t = number_of(&b->tgt, i);
        bad += s != t;
        if (seqs_len(&b->src, i) + 1 > longest) longest = seqs_len(&b->src, i) + 1;
        if (seqs_len(&b->tgt, i) + 1 > longest) longest = seqs_len(&b->tgt, i) + 1;
        add_number(out, s);
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(longest * b->src.n <= (size_t)batch_tokens);
    add_number(out, -1);
}

static numbers run_epoch(corpus *c, int batch_tokens)
{
    numbers out = {0};
    const pair_batch *b;
    int more;
    while ((more = corpus_next(c, &b)) == 1) check_batch(b, batch_tokens, &out);
    CU_ASSERT_EQUAL(more, 0);
    CU_ASSERT_EQUAL(corpus_next(c, &b), 0);
    return out;
}

static bool same_numbers(const numbers *a, const numbers *b)
{
    return a->n == b->n && memcmp(a->list, b->list, a->n * sizeof *a->list) == 0;
}

/* How often each of 0 .. n - 1 is there. */
static int *histogram(const numbers *l, int n)
{
    int *count = xcalloc((size_t)n, sizeof *count);
    for (size_t i = 0; i < l->n; i++) {
        CU_ASSERT_FATAL(l->list[i] < n);
        if (l->list[i] >= 0) count[l->list[i]]++;
    }
    return count;
}

static bool each_once(const numbers *l, int n)
{
    int *count = histogram(l, n);
    bool good = true;
    for (int i = 0; i < n; i++) good &= count[i] == 1;
    free(count);
    return good;
}

static void check_each_once(const corpus_options *o, int n)
{
    corpus *c = open_or_die(o);
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        CU_ASSERT_EQUAL(corpus_seek(c, epoch, 0), 0);
        numbers all = run_epoch(c, o->batch_tokens);
        CU_ASSERT(each_once(&all, n));
        CU_ASSERT(fabs(corpus_progress(c) - 1) < 1e-12);
        CU_ASSERT_EQUAL(corpus_epoch(c), epoch);
        free(all.list);
    }
    const corpus_counts *k = corpus_count(c);
    CU_ASSERT(k->read == n && k->used == n && k->empty == 0 && k->too_long == 0 && k->invalid == 0);
    CU_ASSERT_EQUAL(corpus_held_out(c)->src.n, 0);
    corpus_close(c);
}

static void test_each_pair_once(void)
{
    const int windows[] = {1 << 20, 1000, 999, 300, 128, 17}; /* the last batch alone, exact fit, many */
    corpus_options o = plain_options();
    write_pairs(0, 0, 1000);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        o.window_pairs = windows[i];
        check_each_once(&o, 1000);
    }
    o.batch_tokens = 25; /* hardly more than the longest pair */
    check_each_once(&o, 1000);
}

static void test_several_files(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 300);
    write_pairs(1, 300, 300); /* empty */
    write_pairs(2, 300, 1000);
    o.n_files = 3;
    check_each_once(&o, 1000);
    o.window_pairs = 250;
    check_each_once(&o, 1000);
}

static void test_order(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 600);
    for (int windows = 0; windows < 2; windows++, o.window_pairs = 200) {
        o.seed = 1;
        corpus *a = open_or_die(&o), *b = open_or_die(&o);
        o.seed = 2;
        corpus *other = open_or_die(&o);
        numbers first = run_epoch(a, 120), again = run_epoch(b, 120), seed2 = run_epoch(other, 120);
        CU_ASSERT(same_numbers(&first, &again));
        CU_ASSERT_FALSE(same_numbers(&first, &seed2));
        CU_ASSERT(corpus_seek(a, 2, 0) == 0 && corpus_seek(b, 1, 0) == 0);
        numbers second = run_epoch(a, 120), back = run_epoch(b, 120);
        CU_ASSERT_FALSE(same_numbers(&first, &second));
        CU_ASSERT(same_numbers(&first, &back));
        numbers all[] = {first, again, seed2, second, back};
        for (int i = 0; i < 5; i++) free(all[i].list);
        corpus_close(a);
        corpus_close(b);
        corpus_close(other);
    }
}

/* Pairs of the same lengths meet other pairs in every epoch: batches are random, not only their order. */
static void test_batches_are_random(void)
{
    str text = {0};
    for (int i = 0; i < 400; i++) str_addf(&text, "%03d one\n", i);
    src_paths[0] = tgt_paths[0] = scratch_write("same.txt", text.p, text.n);
    str_free(&text);
    corpus_options o = plain_options();
    corpus *c = open_or_die(&o);
    numbers l = run_epoch(c, o.batch_tokens);
    int neighbours = 0;
    for (size_t i = 1; i < l.n; i++) neighbours += l.list[i] >= 0 && l.list[i] == l.list[i - 1] + 1;
    CU_ASSERT(neighbours < 10);
    free(l.list);
    corpus_close(c);
}

static void test_seek(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 600);
    for (int windows = 0; windows < 2; windows++, o.window_pairs = 170) {
        corpus *a = open_or_die(&o), *b = open_or_die(&o);
        const pair_batch *x, *y;
        CU_ASSERT_EQUAL(corpus_seek(a, 2, 0), 0);
        int64_t total = 0;
        for (; corpus_next(a, &x) == 1; total++) {
            CU_ASSERT_EQUAL(corpus_done(a), total + 1);
            CU_ASSERT_EQUAL(corpus_seek(b, 2, total), 0);
            CU_ASSERT_EQUAL(corpus_done(b), total);
            CU_ASSERT_EQUAL_FATAL(corpus_next(b, &y), 1);
            CU_ASSERT_EQUAL_FATAL(seqs_total(&x->src), seqs_total(&y->src));
            CU_ASSERT(memcmp(x->src.ids, y->src.ids, seqs_total(&x->src) * sizeof(int)) == 0);
            CU_ASSERT_EQUAL(corpus_progress(a), corpus_progress(b));
        }
        CU_ASSERT(corpus_seek(b, 2, total) == 0 && corpus_next(b, &y) == 0);
        CU_ASSERT(corpus_seek(b, 2, total + 1) == -1 && says("batches"));
        corpus_close(a);
        corpus_close(b);
    }
}

static void test_threads(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 900);
    numbers runs[3];
    const int threads[] = {1, 3, 7};
    for (int i = 0; i < 3; i++) {
        team_set_threads(threads[i]);
        corpus *c = open_or_die(&o);
        runs[i] = run_epoch(c, o.batch_tokens);
        corpus_close(c);
    }
    CU_ASSERT(same_numbers(&runs[0], &runs[1]) && same_numbers(&runs[0], &runs[2]));
    for (int i = 0; i < 3; i++) free(runs[i].list);
    team_set_threads(2);
}

/* ------------------------------------------------------------------------------------- held out */

/* No number is on both sides, all are somewhere; copies of a pair stay together. */
static void check_disjoint(corpus *c, int n, int copies)
{
    const pair_batch *held = corpus_held_out(c);
    numbers trained = run_epoch(c, 120);
    int *count = histogram(&trained, n), last = -1, held_n = (int)held->src.n;
    for (int i = 0; i < held_n; i++) {
        int number = number_of(&held->src, (size_t)i);
        CU_ASSERT_EQUAL(number, number_of(&held->tgt, (size_t)i));
        CU_ASSERT(number > last); /* in file order */
        CU_ASSERT_EQUAL(count[number], 0);
        count[number] = copies;
        last = number;
    }
    for (int i = 0; i < n; i++) CU_ASSERT_EQUAL(count[i], copies);
    CU_ASSERT_EQUAL(corpus_count(c)->held_out, held_n * copies);
    CU_ASSERT_EQUAL(corpus_count(c)->used, (n - held_n) * copies);
    free(count);
    free(trained.list);
}

static void test_hold_out(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 1000);
    write_pairs(1, 0, 1000); /* every pair a second time */
    o.hold_out_permille = 10;
    o.hold_out_max = 1000;
    for (int windows = 0; windows < 2; windows++, o.window_pairs = 333)
        for (o.n_files = 1; o.n_files <= 2; o.n_files++) {
            corpus *c = open_or_die(&o);
            CU_ASSERT_EQUAL(corpus_held_out(c)->src.n, 10u * (unsigned)o.n_files);
            check_disjoint(c, 1000, o.n_files);
            CU_ASSERT_EQUAL(corpus_seek(c, 2, 0), 0); /* counts do not grow in later epochs */
            check_disjoint(c, 1000, o.n_files);
            corpus_close(c);
        }
}

static void test_hold_out_bounds(void)
{
    corpus_options o = plain_options();
    write_pairs(0, 0, 1000);
    o.hold_out_permille = 100;
    o.hold_out_max = 7;
    corpus *c = open_or_die(&o);
    CU_ASSERT_EQUAL(corpus_held_out(c)->src.n, 7);
    numbers few = {0};
    for (size_t i = 0; i < 7; i++) add_number(&few, number_of(&corpus_held_out(c)->src, i));
    CU_ASSERT(few.list[6] > 300); /* not only from the beginning */
    check_disjoint(c, 1000, 1);
    corpus_close(c);
    o.seed = 5; /* the sample does not depend on the seed */
    c = open_or_die(&o);
    CU_ASSERT_EQUAL(number_of(&corpus_held_out(c)->src, 0), few.list[0]);
    corpus_close(c);
    free(few.list);
    write_pairs(0, 0, 20);
    o.hold_out_permille = 10;
    c = open_or_die(&o);
    CU_ASSERT_EQUAL(corpus_held_out(c)->src.n, 1);
    corpus_close(c);
    write_pairs(0, 0, 1); /* one pair is for training */
    c = open_or_die(&o);
    CU_ASSERT_EQUAL(corpus_held_out(c)->src.n, 0);
    corpus_close(c);
}

/* ----------------------------------------------------------------------------- faults of the text */

static void use_texts(const char *src, size_t src_n, const char *tgt, size_t tgt_n)
{
    src_paths[0] = strdup(scratch_write("fault.en", src, src_n));
    tgt_paths[0] = strdup(scratch_write("fault.de", tgt, tgt_n));
}

static void drop_texts(void)
{
    free((char *)src_paths[0]);
    free((char *)tgt_paths[0]);
}

static void test_left_out(void)
{
    use_texts(BYTES("\xEF\xBB\xBF"
                    "0 one\r\n\n2\n3\xFF\n4\n5\n6 one one one one one one one one one one one one\n7\n"),
              BYTES("0 eins\n1\n\n3\n4\0\n\xC3\n6\n7"));
    corpus_options o = plain_options();
    o.max_len = 10;
    for (int windows = 0; windows < 2; windows++, o.window_pairs = 3) {
        corpus *c = open_or_die(&o);
        numbers l = run_epoch(c, o.batch_tokens);
        int *count = histogram(&l, 8);
        const int expected[8] = {1, 0, 0, 0, 0, 0, 0, 1};
        for (int i = 0; i < 8; i++) CU_ASSERT_EQUAL(count[i], expected[i]);
        const corpus_counts *k = corpus_count(c);
        CU_ASSERT(k->read == 8 && k->used == 2 && k->empty == 2 && k->invalid == 3 && k->too_long == 1);
        CU_ASSERT(k->carriage_returns == 1 && k->byte_order_marks == 1 && k->held_out == 0);
        free(count);
        free(l.list);
        corpus_close(c);
    }
    o.max_len = 100;
    o.batch_tokens = 11; /* the batch limit also bounds a pair */
    corpus *c = open_or_die(&o);
    numbers short_ones = run_epoch(c, 11);
    CU_ASSERT(short_ones.n > 0);
    free(short_ones.list);
    CU_ASSERT_EQUAL(corpus_count(c)->too_long, 1);
    corpus_close(c);
    drop_texts();
}

static void check_strict(const char *src, const char *tgt, const char *line, const char *what)
{
    corpus *c;
    use_texts(src, strlen(src), tgt, strlen(tgt));
    corpus_options o = plain_options();
    o.strict = true;
    o.max_len = 10;
    CU_ASSERT_EQUAL(corpus_open(&o, &c), -1);
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT(says(line) && says(what) && says(src_paths[0]) && says(tgt_paths[0]));
    drop_texts();
}

static void test_strict(void)
{
    check_strict("a\n\n", "b\nc\n", "line 2:", "empty");
    check_strict("a\nb\n", "b\n\xFF\n", "line 2:", "UTF-8");
    check_strict("a\nb\none one one one one one one one one one one one\n", "a\nb\nc\n",
                 "line 3:", "--max-len");
}

static void check_open_error(const corpus_options *o, const char *part)
{
    corpus *c;
    CU_ASSERT_EQUAL(corpus_open(o, &c), -1);
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT(says(part));
    CU_ASSERT(says(o->src_paths[0]) || says(o->tgt_paths[0]));
}

static void test_corpus_errors(void)
{
    corpus_options o = plain_options();
    use_texts(BYTES("a\nb\nc\n"), BYTES("a\nb\n"));
    check_open_error(&o, "has 3 lines");
    check_open_error(&o, "has 2");
    drop_texts();
    use_texts(BYTES("a\n"), BYTES("a\n\n\n\n"));
    check_open_error(&o, "has 1 line");
    check_open_error(&o, "has 4");
    drop_texts();
    use_texts(BYTES(""), BYTES(""));
    check_open_error(&o, "no usable pair");
    drop_texts();
    use_texts(BYTES("\n\xFF\n"), BYTES("a\nb\n"));
    check_open_error(&o, "no usable pair");
    drop_texts();
    write_pairs(0, 0, 3);
    src_paths[0] = scratch_path("nowhere.en");
    check_open_error(&o, "no such file");
    src_paths[0] = "-";
    check_open_error(&o, "only once");
    const char *pipe_path = scratch_path("fifo");
    CU_ASSERT_EQUAL(mkfifo(pipe_path, 0600), 0);
    src_paths[0] = pipe_path;
    check_open_error(&o, "only once");
}

/* A file that shrinks is noticed, by the epoch after the next at the latest: what was read ahead is whole. */
static void test_changed_file(void)
{
    corpus_options o = plain_options();
    const pair_batch *b;
    write_pairs(0, 0, 500);
    o.window_pairs = 100;
    corpus *c = open_or_die(&o);
    int more;
    while (corpus_next(c, &b) == 1) continue;
    write_pairs(0, 0, 150);
    int64_t epoch = 2;
    do {
        more = corpus_seek(c, epoch, 0);
        while (more >= 0 && (more = corpus_next(c, &b)) == 1) continue;
    } while (more == 0 && ++epoch < 4);
    CU_ASSERT(more == -1 && (says("changed") || says("lines"))); /* or one side is shorter at this moment */
    corpus_close(c);
}

/* ---------------------------------------------------------------------------------- reading ahead */

/* A fault that the reader finds ahead is told where the text stands, behind all batches before it, and again
 * if asked again. */
static void test_fault_ahead(void)
{
    str text = {0};
    for (int i = 0; i < 400; i++)
        str_addf(&text, i == 333 ? "%d one two one two one two one two one two\n" : "%d one\n", i);
    src_paths[0] = tgt_paths[0] = scratch_write("ahead.txt", text.p, text.n);
    str_free(&text);
    corpus_options o = plain_options();
    o.strict = true;
    o.max_len = 10;
    o.window_pairs = 100;
    corpus *c = open_or_die(&o);
    const pair_batch *b;
    int more;
    int64_t pairs = 0;
    while ((more = corpus_next(c, &b)) == 1) pairs += (int64_t)b->src.n;
    CU_ASSERT(more == -1 && says("line 334:") && says("--max-len"));
    CU_ASSERT_EQUAL(pairs, 300);
    CU_ASSERT_EQUAL(corpus_count(c)->used, 300);
    fail("something else");
    CU_ASSERT(corpus_next(c, &b) == -1 && says("line 334:"));
    CU_ASSERT_EQUAL(corpus_seek(c, 1, 0), 0); /* what is before it can be read again */
    CU_ASSERT_EQUAL(corpus_next(c, &b), 1);
    corpus_close(c);
}

/* Going anywhere at any time gives what a corpus gives that was just opened there. */
static void test_jumps(void)
{
    const struct {
        int64_t epoch, done;
    } jumps[] = {{1, 3}, {1, 0}, {2, 0}, {1, 9}, {3, 1}, {2, 14}, {2, 14}, {3, 0}, {1, 0}};
    corpus_options o = plain_options();
    write_pairs(0, 0, 600);
    for (o.window_pairs = 100; o.window_pairs <= 700; o.window_pairs += 200) {
        corpus *a = open_or_die(&o);
        for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
            corpus *fresh = open_or_die(&o);
            const pair_batch *x, *y;
            CU_ASSERT_EQUAL_FATAL(corpus_seek(fresh, jumps[i].epoch, jumps[i].done), 0);
            CU_ASSERT_EQUAL_FATAL(corpus_seek(a, jumps[i].epoch, jumps[i].done), 0);
            for (size_t k = 0; k < 1 + i; k++) {
                CU_ASSERT_FATAL(corpus_next(fresh, &x) == 1 && corpus_next(a, &y) == 1);
                CU_ASSERT_EQUAL_FATAL(seqs_total(&x->src), seqs_total(&y->src));
                CU_ASSERT(memcmp(x->src.ids, y->src.ids, seqs_total(&x->src) * sizeof(int)) == 0);
            }
            fail("a message that is kept");
            corpus_close(fresh); /* while it reads ahead */
            CU_ASSERT(says("a message that is kept"));
        }
        corpus_close(a);
    }
}

/* ------------------------------------------------------------------------------- validation sets */

static void test_pair_text(void)
{
    pair_text p;
    use_texts(BYTES("one two\n\n\xFF\nfour\r\n"), BYTES("eins zwei\nzwei\n\n4\xFF"));
    CU_ASSERT_EQUAL_FATAL(pair_text_read(src_paths[0], tgt_paths[0], words, words, &p), 0);
    CU_ASSERT(p.ids.src.n == 4 && p.ids.tgt.n == 4);
    CU_ASSERT(seqs_len(&p.ids.src, 1) == 0 && seqs_len(&p.ids.tgt, 2) == 0 && seqs_len(&p.ids.src, 2) > 0);
    const char *texts[] = {"eins zwei", "zwei", "", "4\xFF"};
    for (size_t i = 0; i < 4; i++) {
        span line = {p.tgt_text.p + p.tgt_start[i], p.tgt_start[i + 1] - p.tgt_start[i]};
        CU_ASSERT(span_eq(line, span_of(texts[i])));
    }
    str back = {0};
    tokenizer_decode(words, seqs_at(&p.ids.src, 0), seqs_len(&p.ids.src, 0), &back);
    CU_ASSERT_STRING_EQUAL(str_text(&back), "one two");
    str_free(&back);
    pair_text_free(&p);
    drop_texts();
}

static void test_pair_text_blocks(void) /* more than one block of the reader */
{
    pair_text p;
    const int n = 20000;
    write_pairs(0, 0, n);
    CU_ASSERT_EQUAL_FATAL(pair_text_read(src_paths[0], tgt_paths[0], words, words, &p), 0);
    CU_ASSERT_EQUAL_FATAL(p.ids.src.n, (size_t)n);
    int wrong = 0;
    for (int i = 0; i < n; i++) {
        str src = {0}, tgt = {0};
        add_lines(&src, &tgt, i);
        span line = {p.tgt_text.p + p.tgt_start[i], p.tgt_start[i + 1] - p.tgt_start[i]};
        wrong += !span_eq(line, (span){tgt.p, tgt.n - 1}) || number_of(&p.ids.src, (size_t)i) != i;
        str_free(&src);
        str_free(&tgt);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    pair_text_free(&p);
}

static void test_pair_text_errors(void)
{
    pair_text p;
    use_texts(BYTES("a\n"), BYTES("a\nb\n"));
    CU_ASSERT(pair_text_read(src_paths[0], tgt_paths[0], words, words, &p) == -1 && says("has 2"));
    CU_ASSERT(pair_text_read("-", "-", words, words, &p) == -1 && says("standard input"));
    drop_texts();
    use_texts(BYTES(""), BYTES(""));
    CU_ASSERT_EQUAL(pair_text_read(src_paths[0], tgt_paths[0], words, words, &p), 0);
    CU_ASSERT(p.ids.src.n == 0 && p.tgt_start[0] == 0);
    pair_text_free(&p);
    drop_texts();
}

static CU_TestInfo tests[] = {
    {"lines of a file", test_lines},
    {"lines of a .gz", test_lines_gz},
    {"lines of standard input", test_lines_stdin},
    {"lines as they come", test_lines_as_they_come},
    {"long lines", test_long_lines},
    {"line errors", test_line_errors},
    {"share of a file", test_share},
    {"damaged .gz", test_damaged_gz},
    {"UTF-8: all characters", test_utf8_characters},
    {"UTF-8: faults", test_utf8_faults},
    {"each pair once", test_each_pair_once},
    {"several files", test_several_files},
    {"order", test_order},
    {"batches are random", test_batches_are_random},
    {"seek", test_seek},
    {"threads", test_threads},
    {"hold out", test_hold_out},
    {"hold out: bounds", test_hold_out_bounds},
    {"pairs left out", test_left_out},
    {"strict", test_strict},
    {"corpus errors", test_corpus_errors},
    {"changed file", test_changed_file},
    {"a fault ahead", test_fault_ahead},
    {"jumps", test_jumps},
    {"validation sets", test_pair_text},
    {"validation sets: blocks", test_pair_text_blocks},
    {"validation sets: errors", test_pair_text_errors},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    scratch_open();
    words = make_tokenizer();
    int status = suite_run("data", tests);
    tokenizer_free(words);
    scratch_close();
    return status;
}
