/* The check of a corpus: planted faults are found where they are, and nothing else is. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/check.h"
#include "scratch.h"
#include "suite.h"

/* ------------------------------------------------------------------- a corpus of two made-up languages */

enum { PAIRS = 100000, WORDS = 4000, MAX_LINE = 4096 };

typedef struct {
    char *src, *tgt;
    size_t src_n, tgt_n;
} pair;

static char lexicon[2][WORDS][16];

static void make_word(rng *r, char *out)
{
    static const char *const parts[] = {"ba",  "ke",  "lo", "mi", "tu",  "ra", "sen", "dor",
                                        "fin", "gal", "ho", "pe", "vit", "zu", "nek", "ju"};
    int n = 1 + (int)rng_below(r, 4);
    *out = '\0';
    for (int i = 0; i < n; i++) strcat(out, parts[rng_below(r, 16)]);
}

/* The most frequent words are real ones, so that the languages have a name. */
static void make_lexicon(void)
{
    static const char *const real[2][12] = {
        {"the", "of", "and", "to", "in", "is", "that", "was", "with", "from", "you", "this"},
        {"der", "von", "und", "zu", "das", "ist", "nicht", "war", "mit", "aus", "sich", "dieser"}};
    rng r = rng_at(1, RNG_TEST, 0);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < WORDS; i++) {
            if (i < 12)
                strcpy(lexicon[side][i], real[side][i]);
            else {
                make_word(&r, lexicon[side][i]);
                strcat(lexicon[side][i], side ? "en" : "y");
            }
        }
}

static int draw_word(rng *r)
{
    double u = rng_uniform(r);
    return u < 0.3 ? (int)rng_below(r, 12) : (int)(12 + (WORDS - 12) * u * u * u * 0.999);
}

static pair make_pair(rng *r)
{
    char lines[2][MAX_LINE] = {"", ""};
    int n = 4 + (int)rng_below(r, 16);
    for (int i = 0; i < n; i++) {
        int word = draw_word(r);
        for (int side = 0; side < 2; side++) {
            if (i) strcat(lines[side], " ");
            strcat(lines[side], lexicon[side][word]);
        }
    }
    for (int side = 0; side < 2; side++) strcat(lines[side], ".");
    return (pair){xstrdup(lines[0]), xstrdup(lines[1]), strlen(lines[0]), strlen(lines[1])};
}

static pair *make_corpus(void)
{
    pair *p = xcalloc(PAIRS, sizeof *p);
    rng r = rng_at(1, RNG_TEST, 1);
    make_lexicon();
    for (int i = 0; i < PAIRS; i++) p[i] = make_pair(&r);
    return p;
}

static void free_corpus(pair *p)
{
    for (int i = 0; i < PAIRS; i++) {
        free(p[i].src);
        free(p[i].tgt);
    }
    free(p);
}

static void write_side(const pair *p, int side, const char *name, int64_t n)
{
    FILE *f = fopen(scratch_path(name), "wb");
    for (int64_t i = 0; i < n; i++) {
        fwrite(side ? p[i].tgt : p[i].src, 1, side ? p[i].tgt_n : p[i].src_n, f);
        fputc('\n', f);
    }
    fclose(f);
}

static void set_text(char **text, size_t *n, const char *bytes, size_t length)
{
    free(*text);
    *text = xmalloc(length + 1);
    memcpy(*text, bytes, length);
    (*text)[length] = '\0';
    *n = length;
}

/* -------------------------------------------------------------------------------------- the 20 faults */

#define BYTES(text) text, sizeof(text) - 1

typedef struct {
    const char *name;
    int side; /* of the line that is replaced; -1: another kind of fault, see plant_others */
    int line; /* from 1 */
    const char *bytes;
    size_t n;
    enum check_kind kind;
} fault;

static char long_line[1600];

static const fault faults[] = {
    {"NUL", 0, 1001, BYTES("the end\0of the line"), CHECK_NUL},
    {"invalid UTF-8", 1, 2002, BYTES("das ist nicht \xFF der Anfang"), CHECK_UTF8},
    {"byte-order mark at the start", 0, 1, NULL, 0, CHECK_MARK},
    {"byte-order mark in the text", 1, 3003, BYTES("\xEF\xBB\xBFund das ist von der"), CHECK_MARK},
    {"carriage return at the end", 0, 4004, BYTES("the end of this is in the line\r"), CHECK_RETURN},
    {"carriage return in the line", 1, 5005, BYTES("das ist\rvon der und mit der"), CHECK_RETURN},
    {"control character", 0, 6006, BYTES("the end \x1B of this and that"), CHECK_CONTROL},
    {"character lost before", 1, 7007, BYTES("das ist f\xEF\xBF\xBDr sich und nicht"), CHECK_REPLACEMENT},
    {"encoded twice", 1, 8008, BYTES("das ist f\xC3\x83\xC2\xBCr sich und nicht"), CHECK_MOJIBAKE},
    {"empty", 0, 9009, BYTES(""), CHECK_EMPTY},
    {"blanks alone", 1, 10010, BYTES(" \t \xC2\xA0 "), CHECK_EMPTY},
    {"over-long", 0, 11011, long_line, 0, CHECK_LONG},
    {"entities", 1, 12012, BYTES("das &amp; der ist nicht von der"), CHECK_MARKUP},
    {"decomposed", 1, 13013, BYTES("das ist fu\xCC\x88r sich und nicht von der"), CHECK_DECOMPOSED},
    {"no letters", 1, 14014, BYTES("... --- ..."), CHECK_SYMBOLS},
    {"another script", 0, 15015,
     BYTES("\xD1\x8D\xD1\x82\xD0\xBE \xD0\xB4\xD0\xBE\xD0\xBC \xD0\xBD\xD0\xB0\xD1\x88"), CHECK_SCRIPT},
    {"a third language", 1, 16016, BYTES("le chat est dans la maison avec les autres et il ne mange pas"),
     CHECK_LANGUAGE},
    {"identical", -1, 17017, NULL, 0, CHECK_IDENTICAL},
    {"duplicate", -1, 18018, NULL, 0, CHECK_DUPLICATE},
    {"length", 1, 19019, BYTES("ja."), CHECK_RATIO},
    {"swapped", -1, 20020, NULL, 0, CHECK_SWAPPED},
    {"in the validation set", -1, 21021, NULL, 0, CHECK_VALID},
    {"in the test set", -1, 22022, NULL, 0, CHECK_TEST},
    {"shifted", -1, 50000, NULL, 0, CHECK_SHIFTED},
};
enum { FAULTS = sizeof faults / sizeof *faults, SHIFT_FIRST = 50000, SHIFT_LAST = 50999, SHIFT_BY = 3 };

static void plant_line(pair *p, const fault *f)
{
    pair *at = &p[f->line - 1];
    size_t n = f->bytes == long_line ? strlen(long_line) : f->n;
    if (f->side == 0) set_text(&at->src, &at->src_n, f->bytes, n);
    if (f->side == 1) set_text(&at->tgt, &at->tgt_n, f->bytes, n);
}

static void swap_sides(pair *p) { *p = (pair){p->tgt, p->src, p->tgt_n, p->src_n}; }

/* The target lines of a region move k lines down, and the last k come first. */
static void shift_region(pair *p)
{
    pair old[SHIFT_LAST - SHIFT_FIRST + 1 + SHIFT_BY];
    int n = SHIFT_LAST - SHIFT_FIRST + 1 + SHIFT_BY, first = SHIFT_FIRST - 1;
    memcpy(old, p + first, sizeof old);
    for (int i = 0; i < n; i++) {
        p[first + (i + SHIFT_BY) % n].tgt = old[i].tgt;
        p[first + (i + SHIFT_BY) % n].tgt_n = old[i].tgt_n;
    }
}

static void plant(pair *p)
{
    for (int i = 0; i < 250; i++) strcat(long_line, "this ");
    for (int i = 0; i < FAULTS; i++)
        if (faults[i].side >= 0 && faults[i].bytes) plant_line(p, &faults[i]);
    str marked = {0};
    str_addf(&marked, "\xEF\xBB\xBF%s", p[0].src);
    set_text(&p[0].src, &p[0].src_n, marked.p, marked.n);
    str_free(&marked);
    set_text(&p[17016].tgt, &p[17016].tgt_n, p[17016].src, p[17016].src_n);
    set_text(&p[18017].src, &p[18017].src_n, p[99].src, p[99].src_n);
    set_text(&p[18017].tgt, &p[18017].tgt_n, p[99].tgt, p[99].tgt_n);
    swap_sides(&p[20019]);
    shift_region(p);
    write_side(p + 21020, 0, "valid.en", 1);
    write_side(p + 30000, 1, "valid.de", 0);
    write_side(p + 30000, 0, "test.en", 0);
    write_side(p + 22021, 1, "test.de", 1);
}

static check_options options_of(void)
{
    static char paths[6][1024];
    static const char *const names[] = {"train.en", "train.de", "valid.en", "valid.de", "test.en", "test.de"};
    for (int i = 0; i < 6; i++) strcpy(paths[i], scratch_path(names[i]));
    return (check_options){{paths[0], paths[1]}, {paths[2], paths[3]}, {paths[4], paths[5]}, 200};
}

static bool has_line(const check_finding *f, int64_t line)
{
    for (int i = 0; i < f->count && i < CHECK_PLACES; i++)
        if (f->lines[i] == line) return true;
    return false;
}

/* How many lines with this kind were planted on this side. */
static int64_t planted(enum check_kind kind, int side)
{
    int64_t n = 0;
    for (int i = 0; i < FAULTS; i++)
        n += faults[i].kind == kind && (faults[i].side < 0 || faults[i].side == side);
    return kind == CHECK_VALID ? side == 0 : kind == CHECK_TEST ? side == 1 : n;
}

static void expect_findings(const check_report *r)
{
    for (int i = 0; i < FAULTS; i++) {
        const fault *f = &faults[i];
        int side = f->kind == CHECK_TEST ? 1 : f->side > 0 && f->kind < CHECK_SIDES;
        bool found = has_line(&r->findings[f->kind][side], f->line);
        if (f->kind == CHECK_SHIFTED) continue;
        if (!found) printf("not found: %s\n", f->name);
        CU_ASSERT(found);
    }
    /* Lines beside another one's translation and those that were replaced differ in length, too. */
    CU_ASSERT(r->findings[CHECK_RATIO][0].count < 100);
    for (int kind = 0; kind < CHECK_SHIFTED; kind++)
        for (int side = 0; side < (kind < CHECK_SIDES ? 2 : 1) && kind != CHECK_RATIO; side++) {
            int64_t n = kind < CHECK_SIDES ? planted((enum check_kind)kind, side) : 1;
            if (r->findings[kind][side].count != n)
                printf("%s, side %d: %d instead of %d, line %d\n", check_rows[kind].name, side,
                       (int)r->findings[kind][side].count, (int)n, (int)r->findings[kind][side].lines[0]);
            CU_ASSERT_EQUAL(r->findings[kind][side].count, n);
        }
}

static void expect_shift(const check_report *r, int64_t first, int64_t last, int by)
{
    CU_ASSERT_EQUAL(r->n_regions, 1);
    CU_ASSERT_EQUAL(r->regions[0].by, by);
    CU_ASSERT(llabs(r->regions[0].first - first) <= 10);
    CU_ASSERT(llabs(r->regions[0].last - last) <= 10);
}

typedef struct {
    int64_t kept, dropped;
    bool silent; /* a planted line was kept */
} taken;

static int take(int64_t line, unsigned reasons, span src, span tgt, void *context)
{
    taken *t = context;
    (void)src;
    (void)tgt;
    t->kept += !reasons;
    t->dropped += reasons != 0;
    for (int i = 0; i < FAULTS; i++)
        if (faults[i].line == line && !reasons && check_rows[faults[i].kind].drops)
            t->silent |= line != 1 && line != 4004;
    return 0;
}

static void test_planted(void)
{
    pair *p = make_corpus();
    plant(p);
    write_side(p, 0, "train.en", PAIRS);
    write_side(p, 1, "train.de", PAIRS);
    check_options o = options_of();
    check_report r;
    CU_ASSERT_EQUAL_FATAL(check_corpus(&o, &r), 0);
    CU_ASSERT_EQUAL(r.pairs, PAIRS);
    CU_ASSERT_STRING_EQUAL(r.language[0], "en");
    CU_ASSERT_STRING_EQUAL(r.language[1], "de");
    CU_ASSERT(!check_name_wrong(&r, 0) && !check_name_wrong(&r, 1) && r.compared_all);
    expect_findings(&r);
    expect_shift(&r, SHIFT_FIRST, SHIFT_LAST, SHIFT_BY);
    CU_ASSERT(check_found(&r));
    taken t = {0};
    CU_ASSERT_EQUAL(check_each(&o, &r, take, &t), 0);
    CU_ASSERT_EQUAL(t.kept + t.dropped, PAIRS);
    CU_ASSERT(!t.silent);
    CU_ASSERT(t.dropped >= 1000 && t.dropped < 1040);
    free_corpus(p);
}

/* A corpus without faults, then with files swapped, a line too many, and shifted from there to the end. */
static void test_whole_files(void)
{
    enum { FEW = 20000 };
    pair *p = make_corpus();
    write_side(p, 0, "train.en", FEW);
    write_side(p, 1, "train.de", FEW);
    check_options o = options_of();
    o.valid[0] = o.valid[1] = o.test[0] = o.test[1] = NULL;
    check_report r;
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    CU_ASSERT(!check_found(&r));
    write_side(p, 1, "train.en", FEW);
    write_side(p, 0, "train.de", FEW);
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    CU_ASSERT(check_names_swapped(&r) && check_found(&r));
    write_side(p, 0, "train.en", FEW);
    pair lost = p[7000];
    memmove(p + 7000, p + 7001, (FEW - 7001) * sizeof *p);
    write_side(p, 1, "train.de", FEW - 1);
    memmove(p + 7001, p + 7000, (FEW - 7001) * sizeof *p);
    p[7000] = lost;
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    CU_ASSERT_EQUAL(r.lines[0], FEW);
    CU_ASSERT_EQUAL(r.lines[1], FEW - 1);
    expect_shift(&r, 7002, FEW, -1);
    free_corpus(p);
}

/* From the first line on: nothing in the corpus is aligned. */
static void test_all_shifted(void)
{
    enum { FEW = 5000 };
    pair *p = make_corpus();
    write_side(p, 0, "train.en", FEW);
    write_side(p + 40, 1, "train.de", FEW);
    check_options o = options_of();
    o.valid[0] = o.valid[1] = o.test[0] = o.test[1] = NULL;
    check_report r;
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    expect_shift(&r, 41, FEW, -40);
    free_corpus(p);
}

static void test_small(void)
{
    check_options o = options_of();
    check_report r;
    o.valid[0] = o.valid[1] = o.test[0] = o.test[1] = NULL;
    scratch_write("train.en", "", 0);
    scratch_write("train.de", "", 0);
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    CU_ASSERT(!check_found(&r) && r.pairs == 0);
    scratch_write("train.en", "a", 1);
    CU_ASSERT_EQUAL(check_corpus(&o, &r), 0);
    CU_ASSERT(check_found(&r) && r.lines[0] == 1 && r.lines[1] == 0);
    o.paths[0] = "-";
    CU_ASSERT_EQUAL(check_corpus(&o, &r), -1);
    o.paths[0] = scratch_path("missing");
    CU_ASSERT_EQUAL(check_corpus(&o, &r), -1);
}

static CU_TestInfo tests[] = {{"planted faults in 100,000 lines", test_planted},
                              {"files swapped, a line lost", test_whole_files},
                              {"everything shifted", test_all_shifted},
                              {"empty, missing", test_small},
                              CU_TEST_INFO_NULL};

int main(void)
{
    scratch_open();
    int code = suite_run("check", tests);
    scratch_close();
    return code;
}
