/* Is this pair a translation? What can be seen without knowing the languages: digits, placeholders, script,
 * and words that were left as they are. */
#include <ctype.h>
#include <string.h>

#include "base/hash.h"
#include "harvest.h"
#include "text/chars.h"

const char *const harvest_faults[FAULTS] = {
    [FAULT_NONE] = "none",
    [FAULT_BROKEN] = "no UTF-8, or control characters",
    [FAULT_EMPTY] = "a side without words",
    [FAULT_LONG] = "over-long",
    [FAULT_UNTRANSLATED] = "untranslated",
    [FAULT_SCRIPT] = "a side in the wrong script",
    [FAULT_PLACEHOLDERS] = "placeholders, options or addresses differ",
    [FAULT_DIGITS] = "digits differ",
    [FAULT_WORDS] = "words that go together nowhere else",
    [FAULT_RATIO] = "lengths do not go together",
    [FAULT_DUPLICATE] = "there already",
};

/* ------------------------------------------------------------------------------------------ script */

/* Languages that are not written in Latin letters. */
static const struct {
    const char *lang;
    enum char_script scripts[3]; /* at least one of them; ends with SCRIPT_ANY */
} writings[] = {{"ja", {SCRIPT_HIRAGANA, SCRIPT_KATAKANA, SCRIPT_HAN}},
                {"zh", {SCRIPT_HAN}},
                {"ko", {SCRIPT_HANGUL}},
                {"ru", {SCRIPT_CYRILLIC}},
                {"uk", {SCRIPT_CYRILLIC}},
                {"be", {SCRIPT_CYRILLIC}},
                {"bg", {SCRIPT_CYRILLIC}},
                {"mk", {SCRIPT_CYRILLIC}},
                {"kk", {SCRIPT_CYRILLIC}},
                {"mn", {SCRIPT_CYRILLIC}},
                {"el", {SCRIPT_GREEK}},
                {"he", {SCRIPT_HEBREW}},
                {"ar", {SCRIPT_ARABIC}},
                {"fa", {SCRIPT_ARABIC}},
                {"ur", {SCRIPT_ARABIC}},
                {"ug", {SCRIPT_ARABIC}},
                {"hi", {SCRIPT_DEVANAGARI}},
                {"mr", {SCRIPT_DEVANAGARI}},
                {"ne", {SCRIPT_DEVANAGARI}},
                {"th", {SCRIPT_THAI}},
                {"lo", {SCRIPT_LAO}},
                {"km", {SCRIPT_KHMER}},
                {"my", {SCRIPT_MYANMAR}},
                {"dz", {SCRIPT_TIBETAN}}};

/* Languages in scripts that the tokenizer does not tell apart, or in two scripts: anything goes. */
static const char *const any_script[] = {"sr", "bn", "ta", "te", "kn", "ml", "gu", "pa",
                                         "or", "si", "ka", "hy", "am", "as", NULL};

static bool is_lang(const char *lang, const char *code)
{
    size_t n = strlen(code);
    return !strncmp(lang, code, n) && (lang[n] == '\0' || lang[n] == '_' || lang[n] == '-' || lang[n] == '@');
}

static bool script_fits(const char *lang, enum char_script s)
{
    for (size_t i = 0; i < sizeof writings / sizeof *writings; i++)
        if (is_lang(lang, writings[i].lang)) {
            for (int k = 0; k < 3; k++)
                if (s == writings[i].scripts[k] && s != SCRIPT_ANY) return true;
            return false;
        }
    return s == SCRIPT_LATIN;
}

static bool is_latin(const char *lang) { return script_fits(lang, SCRIPT_LATIN); }

static bool goes_with_any(const char *lang)
{
    for (int i = 0; any_script[i]; i++)
        if (is_lang(lang, any_script[i])) return true;
    return false;
}

/* Names of programs are written in Latin letters everywhere: a third of the letters is enough there. */
static bool wrong_script(const char *lang, span text)
{
    double fit = 0, all = 0, kana = 0;
    if (goes_with_any(lang)) return false;
    for (character c; (c = char_at(text)).length; text.p += c.length, text.n -= (size_t)c.length) {
        if (c.kind != CHAR_LETTER) continue;
        double weight = script_without_spaces(c.script) ? 2 : 1;
        all += weight;
        fit += weight * script_fits(lang, c.script);
        kana += c.script == SCRIPT_HIRAGANA || c.script == SCRIPT_KATAKANA;
    }
    if (is_lang(lang, "zh") && kana > 0) return true;
    return fit < (is_latin(lang) ? 0.8 : 0.34) * all;
}

/* ----------------------------------------------------------------------------------- digits, lengths */

/* The value of a digit of any script, -1 if it is none. */
static int digit_value(int code)
{
    static const int zeros[] = {'0', 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (code >= zeros[i] && code <= zeros[i] + 9) return code - zeros[i];
    return -1;
}

/* Bytes of the number in %1$s, which is no part of the text. */
static size_t position_length(span at)
{
    size_t n = 1;
    while (n < at.n && at.p[n] >= '0' && at.p[n] <= '9') n++;
    return n > 1 && n < at.n && at.p[n] == '$' ? n : 0;
}

static void count_digits(span text, int counts[10], int step)
{
    int code, n, value;
    for (; (n = char_decode(text, &code)); text.p += n, text.n -= (size_t)n)
        if (code == '%' && position_length(text))
            n = (int)position_length(text);
        else if ((value = digit_value(code)) >= 0)
            counts[value] += step;
}

bool judge_same_digits(span a, span b)
{
    int counts[10] = {0}, off = 0;
    count_digits(a, counts, 1);
    count_digits(b, counts, -1);
    for (int i = 0; i < 10; i++) off |= counts[i];
    return !off;
}

double judge_length(span text)
{
    double sum = 0;
    for (character c; (c = char_at(text)).length; text.p += c.length, text.n -= (size_t)c.length)
        sum += script_without_spaces(c.script) && c.kind == CHAR_LETTER ? 2 : 1;
    return sum;
}

/* ------------------------------------------------------------------------------------- placeholders */

static size_t run(span at, size_t from, const char *of)
{
    size_t n = from;
    while (n < at.n && at.p[n] && strchr(of, at.p[n])) n++;
    return n - from;
}

static size_t name_run(span at, size_t from)
{
    size_t n = from;
    while (n < at.n && (isalnum((unsigned char)at.p[n]) || strchr("_-.:", at.p[n])) && at.p[n]) n++;
    return n - from;
}

/* %d, %-10s, %1$s, %lu, %(name)s, %PRODUCTNAME */
static size_t percent_length(span at)
{
    size_t n = 1 + run(at, 1, "0123456789$#+-.*'I");
    if (n < at.n && at.p[n] == '(') {
        const char *end = memchr(at.p + n, ')', at.n - n);
        return end ? (size_t)(end - at.p) + 1 : 0;
    }
    size_t name = name_run(at, n);
    return name ? n + name : n > 1 ? n : 0;
}

/* Bytes of what a program fills in or reads at the start: it must stand on both sides. 0 if it is nothing
 * such. */
static size_t placeholder_length(span at, bool word_start)
{
    if (*at.p == '%') return percent_length(at);
    if (*at.p == '{' || *at.p == '<') {
        const char *end = memchr(at.p, *at.p == '{' ? '}' : '>', at.n < 40 ? at.n : 40);
        return end && !memchr(at.p, ' ', (size_t)(end - at.p)) && end - at.p > 1 ? (size_t)(end - at.p) + 1
                                                                                 : 0;
    }
    if (*at.p == '$') return name_run(at, 1) ? 1 + name_run(at, 1) : 0;
    if (*at.p == '\\') return at.n > 1 ? 2 : 0;
    if (!word_start) return 0;
    if (at.n > 3 && at.p[0] == '-' && (isalpha((unsigned char)at.p[1]) || at.p[1] == '-'))
        return 1 + name_run(at, 1);
    if (at.n > 8 && (!strncmp(at.p, "http://", 7) || !strncmp(at.p, "https://", 8))) {
        size_t n = 0;
        while (n < at.n && (unsigned char)at.p[n] > ' ' && (unsigned char)at.p[n] < 128 &&
               !strchr(")>,;\"", at.p[n]))
            n++;
        while (n && strchr(".:!?", at.p[n - 1])) n--;
        return n;
    }
    return 0;
}

/* The position in %1$s may differ when all are there; case of addresses, too. */
static uint64_t placeholder_hash(span p)
{
    const char *dollar = *p.p == '%' ? memchr(p.p, '$', p.n) : NULL;
    if (dollar) {
        size_t skip = (size_t)(dollar - p.p) + 1;
        p.p += skip;
        p.n -= skip;
    } else if (*p.p == '%')
        p.p++, p.n--;
    while (p.n > 1 && strchr(".:-", p.p[p.n - 1])) p.n--;
    return hash64(p.p, p.n);
}

/* A sum that does not depend on the order. */
static uint64_t placeholders(span text)
{
    uint64_t sum = 0;
    bool word_start = true;
    while (text.n) {
        size_t n = placeholder_length(text, word_start);
        if (n) sum += placeholder_hash((span){text.p, n});
        if (!n) n = 1;
        char last = text.p[n - 1];
        word_start =
            !(isalnum((unsigned char)last) || last == '-' || last == '_' || last == '/' || last == '.');
        text.p += n;
        text.n -= n;
    }
    return sum;
}

/* -------------------------------------------------------------------------------------- untranslated */

enum { MAX_WORDS = 256 };

/* Hashes of the words, ASCII case folded. */
static int words_of(span text, uint64_t *out)
{
    int n = 0;
    char word[64];
    size_t length = 0;
    for (size_t i = 0; i <= text.n && n < MAX_WORDS; i++) {
        bool in = i < text.n && (isalpha((unsigned char)text.p[i]) || (unsigned char)text.p[i] >= 128);
        if (in && length < sizeof word) word[length++] = (char)tolower((unsigned char)text.p[i]);
        if (in) continue;
        if (length >= 2) out[n++] = hash64(word, length);
        length = 0;
    }
    return n;
}

/* Most words of the one stand in the other as they are. */
static bool untranslated(span src, span tgt)
{
    uint64_t a[MAX_WORDS], b[MAX_WORDS];
    int n = words_of(src, a), m = words_of(tgt, b), same = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            if (a[i] == b[k]) {
                same++;
                break;
            }
    if (n == m && same == n) return true;
    return n >= 3 && same > 0.6 * n;
}

/* ----------------------------------------------------------------------------------------- together */

bool judge_broken(span text)
{
    int code, n;
    for (; (n = char_decode(text, &code)); text.p += n, text.n -= (size_t)n)
        if (code < ' ' || code == 127 || code == 0xFFFD || (code >= 0x80 && code < 0xA0)) return true;
    return false;
}

static int letters(span text)
{
    int n = 0;
    for (character c; (c = char_at(text)).length; text.p += c.length, text.n -= (size_t)c.length)
        n += c.kind == CHAR_LETTER ? script_without_spaces(c.script) ? 2 : 1 : 0;
    return n;
}

enum harvest_fault judge_pair(const harvest *h, span src, span tgt)
{
    if (judge_broken(src) || judge_broken(tgt)) return FAULT_BROKEN;
    if (!src.n || !tgt.n) return FAULT_EMPTY;
    if (h->care == CARE_STRICT && (letters(src) < 2 || letters(tgt) < 2)) return FAULT_EMPTY;
    if (src.n > HARVEST_MAX_BYTES || tgt.n > HARVEST_MAX_BYTES) return FAULT_LONG;
    if (h->care == CARE_GENTLE) return FAULT_NONE;
    if (span_eq(src, tgt) || untranslated(src, tgt)) return FAULT_UNTRANSLATED;
    if (wrong_script(h->lang[0], src) || wrong_script(h->lang[1], tgt)) return FAULT_SCRIPT;
    if (placeholders(src) != placeholders(tgt)) return FAULT_PLACEHOLDERS;
    return judge_same_digits(src, tgt) ? FAULT_NONE : FAULT_DIGITS;
}
