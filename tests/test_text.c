#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "suite.h"
#include "text/chars.h"
#include "text/learn.h"
#include "text/tokenizer.h"
#include "text/vocab.h"
#include "text/words.h"

#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    } /* may hold NUL */
#define SPAN(literal) ((span)TEXT(literal))
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* ----------------------------------------------------------------------------- made-up training text */

static const char *const SAMPLE[] = {
    "the cat sat on the mat and the dog sat on the log",
    "l'homme qu'elle a vu n'est pas là ; c'est l'été 2024 !",
    "“Don't,” she said… (it's 3.14) — the cats' mats",
    "der Straßenbahnfahrer fährt über die Straße",
    "彼は東京タワーを見ました。東京は大きいです。",
    "我喜欢学习中文，因为中文很有意思。",
    "ฉันรักภาษาไทย ภาษาไทยสวย",
    "안녕하세요 세계 안녕하세요",
    "мама мыла раму и мама мыла окно",
    "السلام عليكم ورحمة الله",
    "a  b   c    d\tand a tab, <0x41> and <pad> and ▁ signs",
};

static learner *learner_of_sample(enum normalization how, bool casefold)
{
    learner *l = learner_new(how, casefold);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT(SAMPLE); i++) learner_add(l, span_of(SAMPLE[i]));
    return l;
}

static tokenizer *tokenizer_of_sample(enum normalization how, bool casefold, int size)
{
    learner *l = learner_of_sample(how, casefold);
    vocab_data data;
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, size, &data), 0);
    learner_free(l);
    tokenizer *t = tokenizer_new(&data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    return t;
}

/* -------------------------------------------------------------------------------------- round trip */

static bool same_ids(const seqs *s, size_t i, size_t j)
{
    size_t n = seqs_len(s, i);
    return n == seqs_len(s, j) && (n == 0 || memcmp(seqs_at(s, i), seqs_at(s, j), n * sizeof(int)) == 0);
}

/* decode(encode(x)) == normalize(x), parse(print(ids)) == ids, and the cache changes nothing. */
static bool round_trips(const tokenizer *t, tokenizer_cache *cache, span line)
{
    str normal = {0}, back = {0}, printed = {0};
    seqs s = {0};
    normalize_line(tokenizer_data(t)->normalize, tokenizer_data(t)->casefold, line, &normal);
    tokenizer_encode(t, cache, line, &s);
    tokenizer_encode(t, NULL, line, &s);
    tokenizer_decode(t, seqs_at(&s, 0), seqs_len(&s, 0), &back);
    tokenizer_print(t, seqs_at(&s, 0), seqs_len(&s, 0), &printed);
    bool good = tokenizer_parse(t, str_span(&printed), &s) == 0 && s.n == 3 && same_ids(&s, 0, 1) &&
                same_ids(&s, 0, 2) && span_eq(str_span(&normal), str_span(&back)) &&
                !memchr(str_text(&printed), '\n', printed.n);
    str_free(&normal);
    str_free(&back);
    str_free(&printed);
    seqs_free(&s);
    return good;
}

/* Cut anew: all merges left out, none, some; the text stays. */
static size_t cut_with(const tokenizer *t, span line, double p, uint64_t place)
{
    str back = {0}, normal = {0};
    seqs s = {0};
    rng draws = rng_at(1, RNG_TEST, place);
    tokenizer_encode_dropout(t, NULL, line, p, &draws, &s);
    tokenizer_decode(t, seqs_at(&s, 0), seqs_len(&s, 0), &back);
    normalize_line(tokenizer_data(t)->normalize, tokenizer_data(t)->casefold, line, &normal);
    CU_ASSERT(s.n == 1 && span_eq(str_span(&normal), str_span(&back)));
    size_t n = seqs_len(&s, 0);
    str_free(&back);
    str_free(&normal);
    seqs_free(&s);
    return n;
}

static void dropout_of_merges(void)
{
    enum { DRAWS = 4000 };
    static const char line[] = "ababab";
    learner *l = learner_new(NORMALIZE_NFC, false);
    for (int i = 0; i < 5; i++) learner_add(l, span_of("ab ab"));
    vocab_data d;
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, 300, &d), 0);
    learner_free(l);
    tokenizer *t = tokenizer_new(&d);
    seqs plain = {0};
    tokenizer_encode(t, NULL, span_of("ab"), &plain);
    CU_ASSERT_EQUAL(seqs_len(&plain, 0), 1);
    CU_ASSERT_EQUAL(cut_with(t, span_of("ab"), 0, 1), 1);
    size_t whole = cut_with(t, span_of(line), 0, 1), most = cut_with(t, span_of(line), 1, 1), pieces = 0;
    CU_ASSERT(most >= 6 && whole < most);
    for (uint64_t i = 0; i < DRAWS; i++) {
        size_t n = cut_with(t, span_of(line), 0.5, i);
        CU_ASSERT(n >= whole && n <= most && n == cut_with(t, span_of(line), 0.5, i));
        pieces += n;
    }
    CU_ASSERT(pieces > DRAWS * whole && pieces < DRAWS * most);
    /* one merge, of the blank and the letter, is left out in the share of p */
    size_t twos = 0;
    for (uint64_t i = 0; i < DRAWS; i++) twos += cut_with(t, span_of("a"), 0.25, i) == 2;
    CU_ASSERT(twos > DRAWS * 22 / 100 && twos < DRAWS * 28 / 100);
    tokenizer_free(t);
    seqs_free(&plain);
}

/* The settings that matter: each normalisation, learned pieces and bytes alone. */
static const struct {
    enum normalization how;
    bool casefold;
    int size;
} SETTINGS[] = {{NORMALIZE_NFC, false, 500}, {NORMALIZE_NONE, false, 500}, {NORMALIZE_NFKC, false, 600},
                {NORMALIZE_NFC, true, 500},  {NORMALIZE_NONE, true, 420},  {NORMALIZE_NONE, false, 260}};

/* Calls make(i, line) for i < n and asserts that each line survives, under each setting in turn. */
static void each_round_trip(int n, void (*make)(int i, str *line))
{
    tokenizer *t[COUNT(SETTINGS)];
    tokenizer_cache *caches[COUNT(SETTINGS)];
    for (size_t k = 0; k < COUNT(SETTINGS); k++) {
        t[k] = tokenizer_of_sample(SETTINGS[k].how, SETTINGS[k].casefold, SETTINGS[k].size);
        caches[k] = tokenizer_cache_new(t[k]);
    }
    int wrong = 0;
    str line = {0};
    for (int i = 0; i < n; i++) {
        str_clear(&line);
        make(i, &line);
        for (size_t k = 0; k < COUNT(SETTINGS); k++) wrong += !round_trips(t[k], caches[k], str_span(&line));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    str_free(&line);
    for (size_t k = 0; k < COUNT(SETTINGS); k++) {
        tokenizer_free(t[k]);
        tokenizer_cache_free(caches[k]);
    }
}

static void add_code(str *line, int code)
{
    char text[4];
    str_add(line, text, char_encode(code, text));
}

/* From a block of one script, so that words, marks and joiners come in runs; any plane among them. */
static int random_code(rng *r, uint32_t block)
{
    static const int starts[] = {0x20,    0x20,    0xC0,    0x300,   0x370,   0x5D0,   0x600,   0x900,
                                 0xE00,   0x1100,  0x1E00,  0x200B,  0x2018,  0x2581,  0x3000,  0x30A0,
                                 0x4E00,  0x9FA0,  0xAC00,  0xF900,  0xFB00,  0xFE00,  0xFF00,  0xFFF0,
                                 0x1F1E6, 0x1F3FB, 0x1F468, 0x1F600, 0x20000, 0x2F800, 0xE0020, 0xE0100};
    if (block >= COUNT(starts)) { /* anywhere: assigned or not, never a surrogate */
        int code = (int)rng_below(r, 0x110000 - 0x800);
        return code < 0xD800 ? code : code + 0x800;
    }
    return starts[block] + (int)rng_below(r, 0x60);
}

static void random_unicode(int i, str *line)
{
    static const int glue[] = {' ',   ' ',   ' ',    '\'', 0x2019, 0x200D, 0xFE0F,
                               0x301, 0x327, 0x2581, 0xA0, '<',    '.',    0x30FC};
    rng r = rng_at(7, RNG_TEST, (uint64_t)i);
    uint32_t block = rng_below(&r, 36);
    for (int left = (int)rng_below(&r, 60); left-- > 0;) {
        uint32_t choice = rng_below(&r, 10);
        if (choice == 0) block = rng_below(&r, 36);
        int code = choice < 3 ? glue[rng_below(&r, COUNT(glue))] : random_code(&r, block);
        if (code != '\n') add_code(line, code);
    }
}

static void random_bytes(int i, str *line)
{
    rng r = rng_at(8, RNG_TEST, (uint64_t)i);
    uint32_t n = rng_below(&r, 40), kind = rng_below(&r, 3);
    static const unsigned char nasty[] = {0,    ' ',  0xC0, 0x80, 0xED, 0xA0, 0xE2, 0x96,
                                          0x81, 0xF4, 0x90, 0xFF, 'a',  0xCC, 0x81};
    while (n--) {
        unsigned char byte =
            kind == 0 ? (unsigned char)rng_below(&r, 256) : nasty[rng_below(&r, sizeof nasty)];
        if (kind == 2 && rng_below(&r, 2)) str_add(line, "é", 2);
        if (byte != '\n') str_add_char(line, (char)byte);
    }
}

static const span NASTY[] = {
    TEXT(""),
    TEXT(" "),
    TEXT("  "),
    TEXT(" a"),
    TEXT("  a"),
    TEXT("a "),
    TEXT("a  "),
    TEXT(" a  b   c "),
    TEXT("▁"),
    TEXT("▁a"),
    TEXT(" ▁ ▁▁"),
    TEXT("a▁b"),
    TEXT("<0x41>"),
    TEXT("<pad>"),
    TEXT(" <pad> <eos>"),
    TEXT("<0x"),
    TEXT("\t"),
    TEXT("\ta\t"),
    TEXT("\xC2\xA0x\xC2\xA0?"),
    TEXT("\xE2\x80\xA8x\xE2\x80\xA9"),
    TEXT("a\rb\r"),
    TEXT("\0"),
    TEXT("a\0b"),
    TEXT(" \0 "),
    TEXT("\xFF"),
    TEXT("\xE6\x97"),
    TEXT("\xE6\x97 x"),
    TEXT("\xC0\xAF"),
    TEXT("\xED\xA0\x80"),
    TEXT("\xF4\x90\x80\x80"),
    TEXT("\xEF\xBB\xBFx"),
    TEXT("東京"),
    TEXT(" 東京"),
    TEXT("  東京 と"),
    TEXT("\xCC\x81"),
    TEXT(" \xCC\x81"),
    TEXT("e\xCC\x81\xCC\xA7 E\xCC\x81"),
    TEXT("\xCC\x81\xFF\xCC\x81"),
    TEXT("'"),
    TEXT("''a'b''c'"),
    TEXT("👩‍👩‍👧‍👦 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇫🇷🇩🇪🇮"),
    TEXT("❤️‍🔥"),
    TEXT("שלום\xE2\x80\x8F עולם"),
    TEXT("می‌خواهم"),
    TEXT("ภาษาไทยง่ายมาก"),
    TEXT("コーヒーを飲みました"),
    TEXT("ｶﾞｷﾞ"),
    TEXT("각"),
    TEXT("가\xE1\x86\xA8"),
    TEXT("..........!!!!!!!!!!"),
    TEXT("1234567890123456789012345678901234567890123456789012345678901234567890"),
};

static void nasty_line(int i, str *line) { str_add_span(line, NASTY[i]); }

static void unicode_round_trip(void) { each_round_trip(10000, random_unicode); }

static void bytes_round_trip(void) { each_round_trip(2000, random_bytes); }

static void nasty_round_trip(void) { each_round_trip((int)COUNT(NASTY), nasty_line); }

/* Lines of a megabyte, each of a kind that invites quadratic work. */
static void long_line(int i, str *line)
{
    static const char *const units[] = {"a", " ",          "\xCC\x81", "漢", "!",
                                        "7", "x\xCC\x81'", "\xFF",     "▁",  "\xE2\x80\x8D👩"};
    size_t n = strlen(units[i]);
    while (line->n < (size_t)1 << 18) str_add(line, units[i], n);
    if (i == 0)
        for (int k = 0; k < 2; k++)
            str_add(line, line->p, 0), str_add_span(line, (span){SAMPLE[0], strlen(SAMPLE[0])});
}

static void long_round_trip(void) { each_round_trip(10, long_line); }

static void megabyte_round_trip(void)
{
    tokenizer *t = tokenizer_of_sample(NORMALIZE_NFC, false, 500);
    str line = {0};
    rng r = rng_at(9, RNG_TEST, 0);
    while (line.n < 1000000) add_code(&line, random_code(&r, rng_below(&r, 36)));
    CU_ASSERT(round_trips(t, NULL, str_span(&line)));
    str_free(&line);
    tokenizer_free(t);
}

/* ----------------------------------------------------------------------------------- normalisation */

static void expect_normal(enum normalization how, bool casefold, span line, span wanted)
{
    str out = {0};
    normalize_line(how, casefold, line, &out);
    CU_ASSERT(span_eq(str_span(&out), wanted));
    str_free(&out);
}

static void normalize_known(void)
{
    expect_normal(NORMALIZE_NFC, false, SPAN("e\xCC\x81 \xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"), SPAN("é 한"));
    expect_normal(NORMALIZE_NFC, false, SPAN("ﬁ ² Å"), SPAN("ﬁ ² Å"));
    expect_normal(NORMALIZE_NFC, false, SPAN("\xE2\x84\xAB"), SPAN("Å")); /* the Angstrom sign */
    expect_normal(NORMALIZE_NFKC, false, SPAN("ﬁ ² Ａ ｶﾞ"), SPAN("fi 2 A ガ"));
    expect_normal(NORMALIZE_NFC, true, SPAN("STRASSE Straße ÉTÉ"), SPAN("strasse strasse été"));
    expect_normal(NORMALIZE_NFKC, true, SPAN("ＡＢＣ ﬁ"), SPAN("abc fi"));
    expect_normal(NORMALIZE_NONE, true, SPAN("E\xCC\x81ß"), SPAN("e\xCC\x81ss")); /* folded, not composed */
    expect_normal(NORMALIZE_NONE, false, SPAN("e\xCC\x81\0\xFF"), SPAN("e\xCC\x81\0\xFF"));
    expect_normal(NORMALIZE_NFC, false,
                  SPAN("e\xCC\x81\0e\xCC\x81\xFF\xC3"
                       "e\xCC\x81\xE2\x96"),
                  SPAN("é\0é\xFF\xC3é\xE2\x96"));
}

/* The short cut of NFC against utf8proc itself, on text it would like to take. */
static void normalize_short_cut(void)
{
    str line = {0}, out = {0};
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        rng r = rng_at(10, RNG_TEST, (uint64_t)i);
        uint32_t block = rng_below(&r, 0x3200);
        str_clear(&line);
        str_clear(&out);
        for (int k = 0; k < 6; k++) {
            int code = (int)(rng_below(&r, 4) ? block * 16 + rng_below(&r, 32) : rng_below(&r, 0x400));
            add_code(&line, code >= 0xD800 && code < 0xE000 ? 'x' : code);
        }
        utf8proc_uint8_t *wanted = NULL;
        utf8proc_ssize_t n = utf8proc_map((utf8proc_uint8_t *)line.p, (utf8proc_ssize_t)line.n, &wanted,
                                          UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        normalize_line(NORMALIZE_NFC, false, str_span(&line), &out);
        wrong += n < 0 || !span_eq(str_span(&out), (span){(char *)wanted, (size_t)n});
        free(wanted);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    str_free(&line);
    str_free(&out);
}

/* ------------------------------------------------------------------------------------------- words */

/* The words of a line with `|` between them and U+0020 as it is. */
static void expect_words(const char *line, const char *wanted)
{
    str prepared = {0}, cut = {0};
    words_prepare(span_of(line), &prepared);
    for (size_t at = 0; at < prepared.n;) {
        size_t n = word_length((span){prepared.p + at, prepared.n - at});
        CU_ASSERT_FATAL(n > 0 && at + n <= prepared.n);
        if (at) str_add_char(&cut, '|');
        str_add(&cut, prepared.p + at, n);
        at += n;
    }
    CU_ASSERT_STRING_EQUAL(str_text(&cut), wanted);
    str_free(&prepared);
    str_free(&cut);
}

static void words_known(void)
{
    expect_words("", "");
    expect_words("Hello, world!", " Hello|,| world|!");
    expect_words(" x  y ", " | x| | y| ");
}

static void words_of_scripts(void)
{
    expect_words("l'été don't ’tis 'a' a''b", " l'été| don't| ’|tis| '|a|'| a|''|b");
    expect_words("3.14 m² x2", " 3|.|14| m|²| x|2");
    expect_words("...... ?! (a)", " ....|..| ?|!| (|a|)");
    expect_words("東京タワーを見ました。", "東京|タワーを|見ました|。");
    expect_words("これ は 日本", "これ| は| 日本");
    expect_words("AIと東京", " AI|と|東京");
    expect_words("мамаmama", " мама|mama");
    expect_words("e\xCC\x81t\xCC\x81 x", " e\xCC\x81t\xCC\x81| x");
    expect_words("👩‍👩‍👧👍🏽🇫🇷🇩🇪",
                 " 👩‍👩‍👧|👍🏽|🇫🇷|🇩🇪");
    expect_words("a\tb\x01\x02 \xC2\xA0?", " a|\t|b|\x01\x02| |\xC2\xA0|?");
}

static void words_are_bounded(void)
{
    static const char *const units[] = {"a", "\xCC\x81", "a’", "漢", "9", "\xE2\x80\x8D👩", "\xFF", " "};
    tokenizer *t = tokenizer_of_sample(NORMALIZE_NONE, false, 260);
    for (size_t i = 0; i < COUNT(units); i++) {
        str line = {0};
        for (int k = 0; k < 500; k++) str_add_span(&line, span_of(units[i]));
        for (size_t at = 0; at < line.n;) {
            int ids[4 * 500 * 4];
            size_t n = word_length((span){line.p + at, line.n - at});
            CU_ASSERT(n > 0 && n < 500);
            CU_ASSERT(alphabet_spell(&t->chars, (span){line.p + at, n}, ids) <= WORD_MAX_SYMBOLS);
            at += n;
        }
        str_free(&line);
    }
    tokenizer_free(t);
}

/* ---------------------------------------------------------------------------------------- learning */

static void expect_piece(const vocab_data *d, int id, const char *text, uint64_t count)
{
    CU_ASSERT_FATAL(id < d->n_pieces);
    CU_ASSERT_STRING_EQUAL(d->pieces[id].text, text);
    CU_ASSERT_EQUAL(d->pieces[id].count, count);
}

/* Words: " ab" 3 times, " abc" once. Pairs: (sp,a) 4, (a,b) 4, (b,c) 1. The first by the smaller left id;
 * then (sp a, b) 4; what is left occurs once. */
static void learn_known(void)
{
    learner *l = learner_new(NORMALIZE_NFC, false);
    learner_add(l, span_of("ab ab"));
    learner_add(l, span_of("ab abc"));
    vocab_data d;
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, 270, &d), 0);
    CU_ASSERT_EQUAL(d.n_pieces, 266);
    CU_ASSERT_EQUAL(d.n_merges, 2);
    expect_piece(&d, 0, "<pad>", 0);
    expect_piece(&d, 4 + 255, "<0xFF>", 0);
    expect_piece(&d, 260, SPACE_MARK, 0);
    expect_piece(&d, 261, "a", 0);
    expect_piece(&d, 262, "b", 0);
    expect_piece(&d, 263, "c", 1);
    expect_piece(&d, 264, SPACE_MARK "a", 0);
    expect_piece(&d, 265, SPACE_MARK "ab", 4);
    CU_ASSERT(d.merges[0].left == 260 && d.merges[0].right == 261 && d.merges[0].result == 264);
    CU_ASSERT(d.merges[1].left == 264 && d.merges[1].right == 262 && d.merges[1].result == 265);
    vocab_data_free(&d);
    CU_ASSERT_EQUAL(learner_finish(l, 262, &d), 0); /* room for two: one character, one merge of none */
    CU_ASSERT_EQUAL(d.pieces[4 + 'b'].count, 4);
    vocab_data_free(&d);
    CU_ASSERT_EQUAL(learner_finish(l, 259, &d), -1);
    CU_ASSERT(strstr(error_message(), "259") != NULL);
    learner_free(l);
}

static bool same_vocab(const vocab_data *a, const vocab_data *b)
{
    if (a->n_pieces != b->n_pieces || a->n_merges != b->n_merges) return false;
    for (int i = 0; i < a->n_pieces; i++)
        if (strcmp(a->pieces[i].text, b->pieces[i].text) != 0 || a->pieces[i].count != b->pieces[i].count)
            return false;
    return a->n_merges == 0 || memcmp(a->merges, b->merges, (size_t)a->n_merges * sizeof *a->merges) == 0;
}

/* The same lines in another order give the same vocabulary, and of exactly the size asked for. */
static void learn_deterministic(void)
{
    vocab_data first, again, backwards;
    learner *l = learner_of_sample(NORMALIZE_NFC, false), *b = learner_new(NORMALIZE_NFC, false);
    for (size_t i = 3 * COUNT(SAMPLE); i-- > 0;) learner_add(b, span_of(SAMPLE[i % COUNT(SAMPLE)]));
    for (int size = 260; size <= 530; size += 90) {
        CU_ASSERT_EQUAL_FATAL(learner_finish(l, size, &first), 0);
        CU_ASSERT_EQUAL_FATAL(learner_finish(l, size, &again), 0);
        CU_ASSERT_EQUAL_FATAL(learner_finish(b, size, &backwards), 0);
        CU_ASSERT_EQUAL(first.n_pieces, size);
        CU_ASSERT(same_vocab(&first, &again));
        CU_ASSERT(same_vocab(&first, &backwards));
        vocab_data_free(&first);
        vocab_data_free(&again);
        vocab_data_free(&backwards);
    }
    learner_free(l);
    learner_free(b);
}

static char heard[2000];
static void hear(const char *line)
{
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s\n", line);
}

static void learn_says_what_is_missing(void)
{
    heard[0] = '\0';
    note_listener(hear);
    learner *l = learner_new(NORMALIZE_NFC, false);
    vocab_data d;
    CU_ASSERT_EQUAL(learner_finish(l, 300, &d), 0); /* no text at all */
    CU_ASSERT_EQUAL(d.n_pieces, 260);
    CU_ASSERT(strstr(heard, "260 pieces instead of 300") != NULL);
    tokenizer *t = tokenizer_new(&d);
    CU_ASSERT(t && round_trips(t, NULL, SPAN("any text")));
    tokenizer_free(t);
    learner_free(l);
    note_listener(NULL);
}

/* A table too small for the text: rare words go, it is said, frequent ones are learned all the same. */
static void learn_within_bounds(void)
{
    heard[0] = '\0';
    note_listener(hear);
    learner *l = learner_new(NORMALIZE_NFC, false);
    learner_limit(l, 64, 600);
    for (int i = 0; i < 3000; i++) {
        char line[64];
        snprintf(line, sizeof line, "frequent words and %d rare%c", i * 7919, 'a' + i % 26);
        learner_add(l, span_of(line));
    }
    vocab_data d;
    CU_ASSERT_EQUAL(learner_finish(l, 330, &d), 0);
    CU_ASSERT(strstr(heard, "counted at a time (64)") != NULL);
    tokenizer *t = tokenizer_new(&d);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT(piece_index_find(&t->index, t->data.pieces, SPAN(SPACE_MARK "frequent")) > 0);
    CU_ASSERT(piece_index_find(&t->index, t->data.pieces, SPAN("7")) >
              0); /* characters of dropped words count */
    tokenizer_free(t);
    learner_free(l);
    note_listener(NULL);
}

/* --------------------------------------------------------------- the same, by rescanning all words */

enum { NAIVE_WORDS = 400, NAIVE_LENGTH = 20, NAIVE_PIECES = 500 };

typedef struct {
    int words[NAIVE_WORDS][NAIVE_LENGTH], length[NAIVE_WORDS], n_words;
    char pieces[NAIVE_PIECES][64];
    int n_pieces;
    merge merges[NAIVE_PIECES];
    int n_merges;
} naive;

static int naive_find(const naive *v, const char *text)
{
    for (int i = 0; i < v->n_pieces; i++)
        if (strcmp(v->pieces[i], text) == 0) return i;
    return -1;
}

static int naive_count(const naive *v, int left, int right)
{
    int n = 0;
    for (int w = 0; w < v->n_words; w++)
        for (int i = 0; i + 1 < v->length[w]; i++) n += v->words[w][i] == left && v->words[w][i + 1] == right;
    return n;
}

/* The best pair by definition; false if none occurs twice. */
static bool naive_best(const naive *v, merge *best)
{
    int most = 1;
    for (int left = PIECE_FIRST; left < v->n_pieces; left++)
        for (int right = PIECE_FIRST; right < v->n_pieces; right++) {
            char joined[128];
            int n = naive_count(v, left, right);
            snprintf(joined, sizeof joined, "%s%s", v->pieces[left], v->pieces[right]);
            if (n <= most || naive_find(v, joined) >= 0) continue;
            most = n;
            *best = (merge){left, right, v->n_pieces};
        }
    return most > 1;
}

static void naive_apply(naive *v, merge m)
{
    char joined[128];
    snprintf(joined, sizeof joined, "%s%s", v->pieces[m.left], v->pieces[m.right]);
    snprintf(v->pieces[m.result], sizeof v->pieces[0], "%.63s", joined);
    v->n_pieces++;
    v->merges[v->n_merges++] = m;
    for (int w = 0; w < v->n_words; w++) {
        int *s = v->words[w], n = 0;
        for (int i = 0; i < v->length[w]; i++) {
            bool join = i + 1 < v->length[w] && s[i] == m.left && s[i + 1] == m.right;
            s[n++] = join ? m.result : s[i];
            i += join;
        }
        v->length[w] = n;
    }
}

/* A line of random words over few letters, so that overlaps (aaaa) and ties abound. */
static void random_line(rng *r, str *line)
{
    for (uint32_t words = 1 + rng_below(r, 6); words--;) {
        for (uint32_t letters = 1 + rng_below(r, 8); letters--;) {
            uint32_t letter = rng_below(r, 6) * rng_below(r, 6) / 5;
            str_add_char(line, (char)('a' + (int)letter));
        }
        if (words) str_add_char(line, ' ');
    }
}

static void naive_add(naive *v, const tokenizer *chars, const str *line)
{
    str text = {0};
    words_prepare(str_span(line), &text);
    for (size_t at = 0; at < text.n;) {
        size_t n = word_length((span){text.p + at, text.n - at});
        CU_ASSERT_FATAL(n < NAIVE_LENGTH && v->n_words < NAIVE_WORDS);
        v->length[v->n_words] = alphabet_spell(&chars->chars, (span){text.p + at, n}, v->words[v->n_words]);
        v->n_words++;
        at += n;
    }
    str_free(&text);
}

static void compare_with_naive(uint64_t place)
{
    rng r = rng_at(11, RNG_TEST, place);
    int n_lines = 5 + (int)rng_below(&r, 60), size = PIECE_FIRST + 4 + (int)rng_below(&r, 40);
    naive *v = xcalloc(1, sizeof *v);
    learner *l = learner_new(NORMALIZE_NFC, false);
    str lines[65] = {{0}};
    for (int i = 0; i < n_lines; i++) {
        random_line(&r, &lines[i]);
        learner_add(l, str_span(&lines[i]));
    }
    vocab_data d;
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, size, &d), 0);
    tokenizer *t = tokenizer_new(&d);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    const vocab_data *got = tokenizer_data(t);
    for (int i = 0; i < n_lines; i++) naive_add(v, t, &lines[i]);
    v->n_pieces = got->n_pieces - got->n_merges; /* the characters are taken as given */
    for (int i = 0; i < v->n_pieces; i++)
        snprintf(v->pieces[i], sizeof v->pieces[i], "%s", got->pieces[i].text);
    for (merge m; v->n_pieces < size && naive_best(v, &m);) naive_apply(v, m);
    CU_ASSERT_EQUAL(got->n_merges, v->n_merges);
    CU_ASSERT(got->n_merges == v->n_merges &&
              memcmp(got->merges, v->merges, (size_t)v->n_merges * sizeof *v->merges) == 0);
    /* encoding finds the pieces that learning left in the words, and their counts */
    seqs s = {0};
    for (int i = 0; i < n_lines; i++) tokenizer_encode(t, NULL, str_span(&lines[i]), &s);
    size_t k = 0, total = seqs_total(&s);
    bool same = true;
    for (int w = 0; w < v->n_words; w++)
        for (int i = 0; i < v->length[w]; i++, k++) same = same && k < total && s.ids[k] == v->words[w][i];
    CU_ASSERT(same && k == total);
    for (k = 0; k < total; k++) got->pieces[s.ids[k]].count--;
    for (int i = 0; i < got->n_pieces; i++) same = same && got->pieces[i].count == 0;
    CU_ASSERT(same);
    seqs_free(&s);
    for (int i = 0; i < n_lines; i++) str_free(&lines[i]);
    tokenizer_free(t);
    learner_free(l);
    free(v);
}

static void learn_equals_naive(void)
{
    for (uint64_t place = 0; place < 40; place++) compare_with_naive(place);
}

/* ----------------------------------------------------------------------------- printing and ids */

static void expect_printed(const tokenizer *t, const char *line, const char *wanted)
{
    seqs s = {0};
    str out = {0};
    tokenizer_encode(t, NULL, span_of(line), &s);
    tokenizer_print(t, seqs_at(&s, 0), seqs_len(&s, 0), &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), wanted);
    str_free(&out);
    seqs_free(&s);
}

/* What stands for something else in print is spelled so that it cannot be mistaken. */
static void print_known(void)
{
    learner *l = learner_new(NORMALIZE_NFC, false);
    for (int i = 0; i < 5; i++) learner_add(l, span_of("a a < > 0 x 4 1 pad"));
    vocab_data d;
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, 290, &d), 0);
    learner_free(l);
    tokenizer *t = tokenizer_new(&d);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    expect_printed(t, "", "");
    expect_printed(t, "a", "▁a");
    expect_printed(t, " a", "▁ ▁a");
    expect_printed(t, "▁a", "▁ <0xE2> <0x96> <0x81> a");
    expect_printed(t, "a\t", "▁a <0x09>");
    expect_printed(t, "<0x41>", "▁< 0 x 4 1 >");
    expect_printed(t, "<pad>", "▁< p ad >");
    expect_printed(t, "é", "▁ <0xC3> <0xA9>");
    tokenizer_free(t);
}

static void parse_refuses_unknown(void)
{
    tokenizer *t = tokenizer_of_sample(NORMALIZE_NFC, false, 400);
    seqs s = {0};
    CU_ASSERT_EQUAL(tokenizer_parse(t, SPAN("a nosuchpiece b"), &s), -1);
    CU_ASSERT(strstr(error_message(), "nosuchpiece") != NULL);
    CU_ASSERT_EQUAL(s.n, 0);
    CU_ASSERT_EQUAL(tokenizer_parse(t, SPAN("<bos>  a <eos> "), &s), 0); /* doubled spaces are forgiven */
    CU_ASSERT(s.n == 1 && seqs_len(&s, 0) == 3 && s.ids[0] == ID_BOS && s.ids[2] == ID_EOS);
    seqs_free(&s);
    tokenizer_free(t);
}

static void decode_skips_what_is_no_text(void)
{
    tokenizer *t = tokenizer_of_sample(NORMALIZE_NFC, false, 400);
    const int ids[] = {ID_BOS, 4 + ' ',  4 + 'a', ID_PAD,  -5,    1 << 30,
                       ID_UNK, 4 + '\n', 4 + ' ', 4 + 'b', ID_EOS};
    str out = {0};
    tokenizer_decode(t, ids, COUNT(ids), &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), "a\xEF\xBF\xBD b");
    tokenizer_decode(t, ids, 3, &out); /* appends; the space at the start of this call is dropped, too */
    CU_ASSERT_STRING_EQUAL(str_text(&out), "a\xEF\xBF\xBD ba");
    str_free(&out);
    tokenizer_free(t);
}

/* --------------------------------------------------------------------------------------- threads */

static struct {
    tokenizer *t;
    seqs alone, team[64];
} shared;

static void encode_task(long i, void *context)
{
    (void)context;
    str line = {0};
    random_unicode((int)i, &line);
    tokenizer_encode(shared.t, NULL, str_span(&line), &shared.team[i]);
    str_free(&line);
}

static void encode_in_threads(void)
{
    shared.t = tokenizer_of_sample(NORMALIZE_NFC, false, 500);
    team_set_threads(4);
    team_run(64, encode_task, NULL);
    bool same = true;
    for (int i = 0; i < 64; i++) {
        str line = {0};
        random_unicode(i, &line);
        seqs_clear(&shared.alone);
        tokenizer_encode(shared.t, NULL, str_span(&line), &shared.alone);
        size_t n = seqs_len(&shared.alone, 0);
        same = same && seqs_len(&shared.team[i], 0) == n;
        same = same && (!n || memcmp(shared.team[i].ids, shared.alone.ids, n * sizeof(int)) == 0);
        str_free(&line);
        seqs_free(&shared.team[i]);
    }
    CU_ASSERT(same);
    seqs_free(&shared.alone);
    tokenizer_free(shared.t);
}

/* ---------------------------------------------------------------------------------- damaged data */

static void set_text(vocab_data *d, int id, const char *text)
{
    free(d->pieces[id].text);
    d->pieces[id].text = text ? xstrdup(text) : NULL;
}

/* Each spoils good data in one way. */
static void fewer_pieces(vocab_data *d) { free(d->pieces[--d->n_pieces].text); }
static void too_few(vocab_data *d)
{
    while (d->n_pieces > 200) free(d->pieces[--d->n_pieces].text);
    d->n_merges = 0;
}
static void missing_text(vocab_data *d) { set_text(d, 300, NULL); }
static void empty_text(vocab_data *d) { set_text(d, 300, ""); }
static void spaced_text(vocab_data *d) { set_text(d, 262, "a b"); }
static void broken_line(vocab_data *d) { set_text(d, 262, "\n"); }
static void bad_utf8(vocab_data *d) { set_text(d, 262, "\xC3"); }
static void twice(vocab_data *d) { set_text(d, 262, d->pieces[263].text); }
static void byte_renamed(vocab_data *d) { set_text(d, 70, "A"); }
static void special_renamed(vocab_data *d) { set_text(d, 0, "<PAD>"); }
static void fake_byte(vocab_data *d) { set_text(d, d->n_pieces - 1, "<0x41>"); }
static void unreachable(vocab_data *d) { d->n_merges--; }
static void merge_negative(vocab_data *d) { d->merges[3].left = -1; }
static void merge_of_bytes(vocab_data *d) { d->merges[3].right = 100; }
static void merge_beyond(vocab_data *d) { d->merges[3].result = d->n_pieces; }
static void merge_huge(vocab_data *d) { d->merges[3].result = 2147483647; }
static void merge_crossed(vocab_data *d) { d->merges[3].result = d->merges[4].result; }
static void merge_again(vocab_data *d) { d->merges[4] = d->merges[3]; }
static void unknown_setting(vocab_data *d) { d->normalize = (enum normalization)7; }
static void no_merges(vocab_data *d)
{
    free(d->merges);
    d->merges = NULL;
}
static void endless_text(vocab_data *d)
{
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    set_text(d, 262, text);
}

static void damaged_is_refused(void)
{
    static void (*const damages[])(vocab_data *) = {
        fewer_pieces,    too_few,        missing_text, empty_text,      spaced_text,   broken_line,
        bad_utf8,        twice,          byte_renamed, special_renamed, fake_byte,     unreachable,
        merge_negative,  merge_of_bytes, merge_beyond, merge_huge,      merge_crossed, merge_again,
        unknown_setting, no_merges,      endless_text};
    learner *l = learner_of_sample(NORMALIZE_NFC, false);
    for (size_t i = 0; i < COUNT(damages); i++) {
        vocab_data d;
        CU_ASSERT_EQUAL_FATAL(learner_finish(l, 400, &d), 0);
        damages[i](&d);
        fail("nothing");
        tokenizer *t = tokenizer_new(&d);
        CU_ASSERT_PTR_NULL(t);
        CU_ASSERT(strstr(error_message(), "damaged vocabulary") != NULL);
        tokenizer_free(t);
    }
    learner_free(l);
}

static void freed_twice(void)
{
    tokenizer_free(NULL);
    tokenizer_cache_free(NULL);
    learner_free(NULL);
    vocab_data d = {0};
    vocab_data_free(&d);
    CU_ASSERT_PTR_NULL(tokenizer_new(&d)); /* no data at all */
}

static CU_TestInfo tests[] = {{"normalise: known", normalize_known},
                              {"normalise: short cut", normalize_short_cut},
                              {"words: known", words_known},
                              {"words: scripts", words_of_scripts},
                              {"words: bounded", words_are_bounded},
                              {"encode: dropout of merges", dropout_of_merges},
                              {"learn: by hand", learn_known},
                              {"learn: deterministic", learn_deterministic},
                              {"learn: too little text", learn_says_what_is_missing},
                              {"learn: bounded table", learn_within_bounds},
                              {"learn: equals rescanning", learn_equals_naive},
                              {"print: known", print_known},
                              {"parse: unknown piece", parse_refuses_unknown},
                              {"decode: ids without text", decode_skips_what_is_no_text},
                              {"encode: threads", encode_in_threads},
                              {"round trip: nasty lines", nasty_round_trip},
                              {"round trip: random Unicode", unicode_round_trip},
                              {"round trip: random bytes", bytes_round_trip},
                              {"round trip: long lines", long_round_trip},
                              {"round trip: a megabyte", megabyte_round_trip},
                              {"damaged data refused", damaged_is_refused},
                              {"nothing to free", freed_twice},
                              CU_TEST_INFO_NULL};

int main(void) { return suite_run("text", tests); }
