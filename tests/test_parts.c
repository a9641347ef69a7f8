/* What becomes of lines that are longer than a network reads: text/parts.c. */
#include "text/parts.h"

#include <string.h>

#include "suite.h"

enum { MAX_LEN = 12 };

/* A vocabulary of words and single characters. */
static tokenizer *small_tokenizer(void)
{
    static const char *const text[] = {"the cat sat. the cat sat on the mat",
                                       "a dog? the dog sat on the cat"};
    learner *l = learner_new(NORMALIZE_NONE, false);
    vocab_data data = {0};
    for (size_t i = 0; i < 2; i++)
        for (int times = 0; times < 3; times++) learner_add(l, span_of(text[i]));
    CU_ASSERT_EQUAL_FATAL(learner_finish(l, 300, &data), 0);
    learner_free(l);
    return tokenizer_new(&data);
}

/* The parts of a line as "[part][part]". */
static const char *parts_of(const tokenizer *t, const char *line, str *out)
{
    seqs parts = {0};
    int n = encode_parts(t, NULL, span_of(line), MAX_LEN, &parts);
    CU_ASSERT_EQUAL((size_t)n, parts.n);
    str_clear(out);
    for (size_t i = 0; i < parts.n; i++) {
        str_add_char(out, '[');
        tokenizer_decode(t, seqs_at(&parts, i), seqs_len(&parts, i), out);
        str_add_char(out, ']');
    }
    seqs_free(&parts);
    return str_text(out);
}

static void test_whole(void)
{
    tokenizer *t = small_tokenizer();
    str out = {0};
    CU_ASSERT_STRING_EQUAL(parts_of(t, "the cat sat on the mat", &out), "[the cat sat on the mat]");
    CU_ASSERT_STRING_EQUAL(parts_of(t, " \t a dog ", &out), "[a dog]");
    CU_ASSERT_STRING_EQUAL(parts_of(t, "", &out), "");
    CU_ASSERT_STRING_EQUAL(parts_of(t, "  ", &out), "");
    str_free(&out);
    tokenizer_free(t);
}

/* What is cut keeps its blanks, but those at the cuts. */
static void test_cut(void)
{
    tokenizer *t = small_tokenizer();
    str out = {0};
    CU_ASSERT_STRING_EQUAL(parts_of(t, "the cat sat on the cat sat. the dog sat on the mat", &out),
                           "[the cat sat on the cat sat.][the dog sat on the mat]");
    CU_ASSERT_STRING_EQUAL(
        parts_of(t, "  the dog sat on the cat   the dog sat on a dog sat on the mat  ", &out),
        "[the dog sat on the cat   the dog sat on][a dog sat on the mat]");
    CU_ASSERT_STRING_EQUAL(parts_of(t, "zzzzzzzzzzzzzzzzzzzz", &out), "[zzzzzzzzzzzz][zzzzzzzz]");
    CU_ASSERT_STRING_EQUAL(parts_of(t, "\u3042\u3042\u3042\u3042\u3042", &out),
                           "[\u3042\u3042\u3042\u3042][\u3042]");
    str_free(&out);
    tokenizer_free(t);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a short line is one part", test_whole}, {"a long line is cut", test_cut}, CU_TEST_INFO_NULL};
    return suite_run("parts", tests);
}
