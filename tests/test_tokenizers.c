/* Tokenizers. What is expected was computed with sacreBLEU's rules in their own form, apart from this
 * program. */
#include <string.h>

#include "eval/segment.h"
#include "eval/ter.h"
#include "eval/tokenize.h"
#include "suite.h"
#include "tokens.h"

static void tokenizer_13a(void)
{
    static const text_case cases[] = {
        {"", ""},
        {"Hello, world.", "Hello , world ."},
        {"It costs $2,499.99, or 50%.", "It costs $ 2,499.99 , or 50 % ."},
        {"in 1999-2001, x-ray 3-D -5 9-", "in 1999 - 2001 , x-ray 3 - D -5 9 -"},
        {"v1.2.3 a.b 1.b a.1 .5 5. 5, ,5", "v1.2.3 a . b 1 . b a . 1 . 5 5 . 5 , , 5"},
        {"... ,,, .,.", ". . . , , , . , ."},
        {"1..2 1.,2", "1 . . 2 1 . , 2"},
        {"&quot;a&quot; &amp; &lt;b&gt; &apos;c&apos; &amp;lt;", "\" a \" & < b > & apos ; c & apos ; <"},
        {"a<skipped>b &skipped; <Skipped>", "ab & skipped ; < Skipped >"},
        {"Tom's 'x' -y z- _u_ ~v `w^", "Tom's 'x' -y z- _ u _ ~ v ` w ^"},
        {"(a)[b]{c}<d>/e\\f|g", "( a ) [ b ] { c } < d > / e \\ f | g"},
        {"!\"#$%&'()*+,-./:;<=>?@", "! \" # $ % & ' ( ) * + , - . / : ; < = > ? @"},
        {"9-,9-.9", "9 - , 9 - . 9"},
        {"你好，世界。é.é", "你好，世界。é . é"},
        {"a\xC2\xA0"
         "b\xE2\x80\x89"
         "c,\xC2\xA0"
         "d",
         "a b c , d"},
        {"two-\nlines\nhere", "twolines here"},
        {"no\xFF.\xFF", "no\xFF . \xFF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_TRUE(tokens_are("13a", span_of(cases[i].in), cases[i].out));
}

static void tokenizers_by_name(void)
{
    CU_ASSERT_TRUE(tokens_are("none", SPAN(" a, b.\t(c) &amp; "), "a, b. (c) &amp;"));
    CU_ASSERT_PTR_NULL(eval_tokenizer_find("ja-mecab"));
    CU_ASSERT_PTR_NULL(eval_tokenizer_find(""));
    for (const eval_tokenizer *t = eval_tokenizers; t->name; t++)
        CU_ASSERT_PTR_EQUAL(eval_tokenizer_find(t->name), t);
}

static void tokenizer_intl(void)
{
    static const text_case cases[] = {
        {"", ""},
        {"Hello, world.", "Hello , world ."},
        {"in 2,499.99 $5 (50%) 1999-2001.", "in 2,499.99 $ 5 ( 50 % ) 1999-2001."},
        {"5. 5.", "5 . 5."},
        {"x.5 .5 a.5b 1..2 1...2 a..2", "x . 5 . 5 a . 5b 1 . . 2 1 . . .2 a . .2"},
        {"...1", ". . .1"},
        {"1", "1"},
        {"«Ça va?» – „so“ ‚na‘", "« Ça va ? » – „ so “ ‚ na ‘"},
        {"٣,٤ Ⅳ.Ⅴ ½-¾ ².³", "٣,٤ Ⅳ.Ⅴ ½-¾ ².³"},
        {"a+b=c<d>e^f`g|h~i", "a + b = c < d > e ^ f ` g | h ~ i"},
        {"€5 ©™ 😀x", "€ 5 © ™ 😀 x"},
        {"你好，世界。3，000", "你好 ， 世界 。 3，000"},
        {"don't O'Neil's", "don ' t O ' Neil ' s"},
        {"a_b #tag @x", "a _ b # tag @ x"},
        {"end 5!", "end 5!"},
        {""
         "\xC2\xA0"
         " a."
         "\xE2\x80\x83"
         "b",
         "a . b"},
        {"e"
         "\xCC\x81"
         ". .e"
         "\xCC\x81"
         "",
         "e"
         "\xCC\x81"
         " . . e"
         "\xCC\x81"
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_TRUE(tokens_are("intl", segment_rstrip(span_of(cases[i].in)), cases[i].out));
}

static void tokenizer_zh(void)
{
    static const text_case cases[] = {
        {"", ""},
        {"我爱你123.5元,好!", "我 爱 你 123.5 元 , 好 !"},
        {"价格是2,499.99。 abc中def", "价 格 是 2,499.99 。 abc 中 def"},
        {"5.", "5."},
        {"，5.5，", "， 5.5 ，"},
        {"“引号”—和…、‘x’", "“ 引 号 ” — 和 … 、 ‘ x ’"},
        {"ｆｕｌｌ １２．５ 全角", "ｆ ｕ ｌ ｌ １ ２ ． ５ 全 角"},
        {"カタカナひらがな漢字", "カタカナひらがな 漢 字"},
        {"㈱ ☀ ✂ ℃ ①", "㈱ ☀ ✂ ℃ ①"},
        {"é中"
         "\xCC\x81"
         "",
         "é 中 "
         "\xCC\x81"
         ""},
        {"x.中 中.x 3.中 中.3", "x . 中 中 . x 3 . 中 中 . 3"},
        {"-5 3-4 中-5", "-5 3 - 4 中 -5"},
        {""
         "\xE3\x80\x80"
         "中"
         "\xE3\x80\x80"
         "",
         "中"},
        {" .5 5. .", ".5 5 . ."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_TRUE(tokens_are("zh", segment_rstrip(span_of(cases[i].in)), cases[i].out));
}

static void tokenizer_char(void)
{
    static const text_case cases[] = {
        {"", ""},
        {"ab c", "a b c"},
        {" é中 😀"
         "\xC2\xA0"
         "x",
         "é 中 😀 x"},
        {"e"
         "\xCC\x81"
         "",
         "e "
         "\xCC\x81"
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_TRUE(tokens_are("char", segment_rstrip(span_of(cases[i].in)), cases[i].out));
}

/* Bytes that are no UTF-8 are characters that belong to no class. */
static void broken_text(void)
{
    static const struct {
        const char *name, *out;
    } cases[] = {{"13a", "a\xFF . b \xE4\xB8"},
                 {"intl", "a\xFF . b \xE4\xB8"},
                 {"zh", "a\xFF . b \xE4\xB8"},
                 {"char", "a \xFF . b \xE4 \xB8"},
                 {"none", "a\xFF.b \xE4\xB8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_TRUE(tokens_are(cases[i].name, SPAN("a\xFF.b \xE4\xB8"), cases[i].out));
}

/* Runs of points as long as a line: every one is a token. */
static void long_runs(void)
{
    enum { POINTS = 100001 };
    str line = {0};
    for (int i = 0; i < POINTS; i++) str_add_char(&line, '.');
    for (const eval_tokenizer *e = eval_tokenizers; e->name; e++) {
        tokens t = {0};
        e->run(str_span(&line), &t);
        CU_ASSERT_EQUAL(t.n, strcmp(e->name, "none") ? POINTS : 1);
        tokens_free(&t);
    }
    str_free(&line);
}

/* normalized, no_punct, asian_support, case_sensitive */
static void words_of_ter(void)
{
    static const struct {
        const char *in;
        ter_options o;
        const char *out;
    } cases[] = {
        {"", {false, false, false, false}, ""},
        {"It's John's, Tom's! 'S x's", {false, false, false, false}, "it's john's, tom's! 's x's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {false, false, false, false},
         "the price (2,499.99) is 50%. 3-4 v1.2..3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {false, false, false, false}, "&quot;a&quot; &amp; &lt;b&gt;"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {false, false, false, false},
         "你好，世界。「は」カタカナ 3．5 ｡･"},
        {"a.b ,c; d: e? f! g\"h", {false, false, false, false}, "a.b ,c; d: e? f! g\"h"},
        {"．，？：；！＂（） x・y", {false, false, false, false}, "．，？：；！＂（） x・y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {false, false, false, false}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {false, false, false, false}, "... ."},
        {"", {true, false, false, false}, ""},
        {"It's John's, Tom's! 'S x's", {true, false, false, false}, "it 's john's , tom 's ! 's x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, false, false, false},
         "the price ( 2,499.99 ) is 50 % . 3 - 4 v1.2 . . 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, false, false, false}, "\" a \" & < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {true, false, false, false},
         "你好，世界。「は」カタカナ 3．5 ｡･"},
        {"a.b ,c; d: e? f! g\"h", {true, false, false, false}, "a . b , c ; d : e ? f ! g \" h"},
        {"．，？：；！＂（） x・y", {true, false, false, false}, "．，？：；！＂（） x・y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, false, false, false}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {true, false, false, false}, ". . . ."},
        {"", {false, true, false, false}, ""},
        {"It's John's, Tom's! 'S x's", {false, true, false, false}, "it's john's tom's 's x's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {false, true, false, false},
         "the price 249999 is 50% 3-4 v123"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {false, true, false, false}, "&quota&quot &amp &ltb&gt"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {false, true, false, false},
         "你好，世界。「は」カタカナ 3．5 ｡･"},
        {"a.b ,c; d: e? f! g\"h", {false, true, false, false}, "ab c d e f gh"},
        {"．，？：；！＂（） x・y", {false, true, false, false}, "．，？：；！＂（） x・y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {false, true, false, false}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {false, true, false, false}, ""},
        {"", {true, true, false, false}, ""},
        {"It's John's, Tom's! 'S x's", {true, true, false, false}, "it 's john's tom 's 's x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, true, false, false},
         "the price 249999 is 50 % 3 - 4 v12 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, true, false, false}, "a & < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {true, true, false, false},
         "你好，世界。「は」カタカナ 3．5 ｡･"},
        {"a.b ,c; d: e? f! g\"h", {true, true, false, false}, "a b c d e f g h"},
        {"．，？：；！＂（） x・y", {true, true, false, false}, "．，？：；！＂（） x・y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, true, false, false}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {true, true, false, false}, ""},
        {"", {true, false, true, false}, ""},
        {"It's John's, Tom's! 'S x's", {true, false, true, false}, "it 's john's , tom 's ! 's x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, false, true, false},
         "the price ( 2,499.99 ) is 50 % . 3 - 4 v1.2 . . 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, false, true, false}, "\" a \" & < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {true, false, true, false},
         "你 好 ， 世 界 。 「 は 」 カタカナ 3 ． 5 ｡ ･"},
        {"a.b ,c; d: e? f! g\"h", {true, false, true, false}, "a . b , c ; d : e ? f ! g \" h"},
        {"．，？：；！＂（） x・y", {true, false, true, false}, "． ， ？ ： ； ！ ＂ （ ） x ・ y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, false, true, false}, "㈠ ㌀ 豈 ︰ ⺀ ㇀ 一 龥 x 㐀"},
        {" ...  . ", {true, false, true, false}, ". . . ."},
        {"", {false, true, true, false}, ""},
        {"It's John's, Tom's! 'S x's", {false, true, true, false}, "it's john's tom's 's x's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {false, true, true, false},
         "the price 249999 is 50% 3-4 v123"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {false, true, true, false}, "&quota&quot &amp &ltb&gt"},
        {"你好，世界。「は」カタカナ 3．5 ｡･", {false, true, true, false}, "你好世界はカタカナ 35"},
        {"a.b ,c; d: e? f! g\"h", {false, true, true, false}, "ab c d e f gh"},
        {"．，？：；！＂（） x・y", {false, true, true, false}, "xy"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {false, true, true, false}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {false, true, true, false}, ""},
        {"", {true, true, true, false}, ""},
        {"It's John's, Tom's! 'S x's", {true, true, true, false}, "it 's john's tom 's 's x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, true, true, false},
         "the price 249999 is 50 % 3 - 4 v12 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, true, true, false}, "a & < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･", {true, true, true, false}, "你 好 世 界 は カタカナ 3 5"},
        {"a.b ,c; d: e? f! g\"h", {true, true, true, false}, "a b c d e f g h"},
        {"．，？：；！＂（） x・y", {true, true, true, false}, "x y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, true, true, false}, "㈠ ㌀ 豈 ︰ ⺀ ㇀ 一 龥 x 㐀"},
        {" ...  . ", {true, true, true, false}, ""},
        {"", {true, false, false, true}, ""},
        {"It's John's, Tom's! 'S x's", {true, false, false, true}, "It 's John's , Tom 's ! 'S x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, false, false, true},
         "The price ( 2,499.99 ) is 50 % . 3 - 4 v1.2 . . 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, false, false, true}, "\" A \" & AMP ; < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･",
         {true, false, false, true},
         "你好，世界。「は」カタカナ 3．5 ｡･"},
        {"a.b ,c; d: e? f! g\"h", {true, false, false, true}, "a . b , c ; d : e ? f ! g \" h"},
        {"．，？：；！＂（） x・y", {true, false, false, true}, "．，？：；！＂（） x・y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, false, false, true}, "㈠㌀豈︰ ⺀㇀ 一龥x 㐀"},
        {" ...  . ", {true, false, false, true}, ". . . ."},
        {"", {true, true, true, true}, ""},
        {"It's John's, Tom's! 'S x's", {true, true, true, true}, "It 's John's Tom 's 'S x 's"},
        {"The price (2,499.99) is 50%. 3-4 v1.2..3",
         {true, true, true, true},
         "The price 249999 is 50 % 3 - 4 v12 3"},
        {"&quot;A&quot; &AMP; &lt;b&gt;", {true, true, true, true}, "A & AMP < b >"},
        {"你好，世界。「は」カタカナ 3．5 ｡･", {true, true, true, true}, "你 好 世 界 は カタカナ 3 5"},
        {"a.b ,c; d: e? f! g\"h", {true, true, true, true}, "a b c d e f g h"},
        {"．，？：；！＂（） x・y", {true, true, true, true}, "x y"},
        {"㈠㌀豈︰ ⺀㇀ 一龥x 㐀", {true, true, true, true}, "㈠ ㌀ 豈 ︰ ⺀ ㇀ 一 龥 x 㐀"},
        {" ...  . ", {true, true, true, true}, ""},
    };
    tokens t = {0};
    str without = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str joined = {0};
        ter_words(&cases[i].o, span_of(cases[i].in), &t, &without);
        join_tokens(&t, &joined);
        CU_ASSERT_STRING_EQUAL(str_text(&joined), cases[i].out);
        str_free(&joined);
    }
    tokens_free(&t);
    str_free(&without);
}

int main(void)
{
    CU_TestInfo tests[] = {{"tokenizer 13a", tokenizer_13a},
                           {"tokenizer intl", tokenizer_intl},
                           {"tokenizer zh", tokenizer_zh},
                           {"tokenizer char", tokenizer_char},
                           {"tokenizers by name", tokenizers_by_name},
                           {"broken text", broken_text},
                           {"long runs", long_runs},
                           {"words of TER", words_of_ter},
                           CU_TEST_INFO_NULL};
    return suite_run("tokenizers", tests);
}
