#include "text/chars.h"

#include <utf8proc.h>

typedef struct {
    int first, last;
    enum char_script script;
} script_range;

/* Blocks of the Unicode standard, in order; letters elsewhere are SCRIPT_OTHER. */
static const script_range RANGES[] = {
    {0x0041, 0x02AF, SCRIPT_LATIN},    {0x0370, 0x03FF, SCRIPT_GREEK},      {0x0400, 0x052F, SCRIPT_CYRILLIC},
    {0x0590, 0x05FF, SCRIPT_HEBREW},   {0x0600, 0x06FF, SCRIPT_ARABIC},     {0x0750, 0x077F, SCRIPT_ARABIC},
    {0x0870, 0x08FF, SCRIPT_ARABIC},   {0x0900, 0x097F, SCRIPT_DEVANAGARI}, {0x0E00, 0x0E7F, SCRIPT_THAI},
    {0x0E80, 0x0EFF, SCRIPT_LAO},      {0x0F00, 0x0FFF, SCRIPT_TIBETAN},    {0x1000, 0x109F, SCRIPT_MYANMAR},
    {0x1100, 0x11FF, SCRIPT_HANGUL},   {0x1780, 0x17FF, SCRIPT_KHMER},      {0x1C80, 0x1C8F, SCRIPT_CYRILLIC},
    {0x1D00, 0x1DBF, SCRIPT_LATIN},    {0x1E00, 0x1EFF, SCRIPT_LATIN},      {0x1F00, 0x1FFF, SCRIPT_GREEK},
    {0x2C60, 0x2C7F, SCRIPT_LATIN},    {0x2DE0, 0x2DFF, SCRIPT_CYRILLIC},   {0x2E80, 0x2FDF, SCRIPT_HAN},
    {0x3000, 0x3004, SCRIPT_WIDE},     {0x3005, 0x3007, SCRIPT_HAN},        {0x3008, 0x3020, SCRIPT_WIDE},
    {0x3021, 0x3029, SCRIPT_HAN},      {0x302A, 0x3040, SCRIPT_WIDE},       {0x3041, 0x309F, SCRIPT_HIRAGANA},
    {0x30A0, 0x30FF, SCRIPT_KATAKANA}, {0x3130, 0x318F, SCRIPT_HANGUL},     {0x31F0, 0x31FF, SCRIPT_KATAKANA},
    {0x3200, 0x33FF, SCRIPT_WIDE},     {0x3400, 0x4DBF, SCRIPT_HAN},        {0x4E00, 0x9FFF, SCRIPT_HAN},
    {0xA640, 0xA69F, SCRIPT_CYRILLIC}, {0xA720, 0xA7FF, SCRIPT_LATIN},      {0xA960, 0xA97F, SCRIPT_HANGUL},
    {0xAA60, 0xAA7F, SCRIPT_MYANMAR},  {0xAB30, 0xAB6F, SCRIPT_LATIN},      {0xAC00, 0xD7FF, SCRIPT_HANGUL},
    {0xF900, 0xFAFF, SCRIPT_HAN},      {0xFB00, 0xFB06, SCRIPT_LATIN},      {0xFB1D, 0xFB4F, SCRIPT_HEBREW},
    {0xFB50, 0xFDFF, SCRIPT_ARABIC},   {0xFE30, 0xFE4F, SCRIPT_WIDE},       {0xFE70, 0xFEFE, SCRIPT_ARABIC},
    {0xFF01, 0xFF20, SCRIPT_WIDE},     {0xFF21, 0xFF3A, SCRIPT_LATIN},      {0xFF3B, 0xFF40, SCRIPT_WIDE},
    {0xFF41, 0xFF5A, SCRIPT_LATIN},    {0xFF5B, 0xFF65, SCRIPT_WIDE},       {0xFF66, 0xFF9F, SCRIPT_KATAKANA},
    {0xFFA0, 0xFFDC, SCRIPT_HANGUL},   {0x1AFF0, 0x1B16F, SCRIPT_KATAKANA}, {0x20000, 0x3FFFD, SCRIPT_HAN},
};

static enum char_script script_of(int code)
{
    size_t low = 0, high = sizeof RANGES / sizeof *RANGES;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > RANGES[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = low < sizeof RANGES / sizeof *RANGES && code >= RANGES[low].first;
    return inside ? RANGES[low].script : SCRIPT_OTHER;
}

static bool is_tag(int code)
{
    return code >= 0xE0020 && code <= 0xE007F;
} /* flags of regions end in these */

static bool clings(int code)
{
    return code == 0x200C || code == 0x200D ||     /* joiners */
           (code >= 0x02B0 && code <= 0x02FF) ||   /* modifier letters */
           code == 0x30FC || code == 0xFF70 ||     /* long vowels */
           (code >= 0x1F3FB && code <= 0x1F3FF) || /* skin tones */
           is_tag(code);
}

static enum char_kind kind_of(int code)
{
    if (clings(code)) return CHAR_MARK;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CHAR_LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return CHAR_MARK;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NO: return CHAR_DIGIT;
    case UTF8PROC_CATEGORY_NL: return script_of(code) == SCRIPT_HAN ? CHAR_LETTER : CHAR_DIGIT;
    case UTF8PROC_CATEGORY_ZS: return CHAR_BLANK;
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CF: return CHAR_RAW;
    default: return CHAR_SYMBOL;
    }
}

enum char_kind char_classify(int code, enum char_script *script)
{
    enum char_script unused;
    if (!script) script = &unused;
    *script = SCRIPT_LATIN;
    if (code < 0) return CHAR_RAW;
    if (code < 128) return char_kind_ascii((unsigned char)code);
    enum char_kind kind = kind_of(code);
    *script = kind == CHAR_MARK ? SCRIPT_ANY : script_of(code);
    return kind;
}

int char_decode(span text, int *code)
{
    if (text.n == 0) return 0;
    unsigned char first = (unsigned char)text.p[0];
    *code = first;
    if (first < 128) return 1;
    utf8proc_int32_t point;
    utf8proc_ssize_t limit = text.n < 4 ? (utf8proc_ssize_t)text.n : 4;
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text.p, limit, &point);
    *code = length > 0 ? point : -1;
    return length > 0 ? (int)length : 1;
}

size_t char_encode(int code, char out[4])
{
    return (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)out);
}

character char_at_wide(span text)
{
    character c = {.code = -1};
    c.length = char_decode(text, &c.code);
    c.kind = char_classify(c.code, &c.script);
    return c;
}

bool char_may_be_piece(int code)
{
    if (code < 0 || code == 0x2581) return false;
    return code == ' ' || char_classify(code, NULL) != CHAR_RAW;
}
