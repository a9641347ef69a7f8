/* How scores are printed: of one system, of sentences, of several systems, tables. */
#include "eval/result.h"

#include <string.h>

#include "eval/grid.h"
#include "suite.h"

static const significance alone = {26.4817, (double)NAN, (double)NAN, (double)NAN};
static const significance with_mean = {26.4817, (double)NAN, 26.5, 1.25};

static void printed_is(const eval_result *results, int n, eval_style style, const char *expected)
{
    str out = {0};
    eval_print_system(results, n, &style, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), expected);
    str_free(&out);
}

/* ------------------------------------------------------------------------------------ one system */

static void text_of_one_metric(void)
{
    eval_result r = {"BLEU", alone, "nrefs:1|tok:13a", "65.9 (BP = 1)"};
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 2, false, false},
               "BLEU|nrefs:1|tok:13a = 26.48 65.9 (BP = 1)\n");
    printed_is(&r, 1, (eval_style){EVAL_LATEX, 2, false, false},
               "BLEU|nrefs:1|tok:13a = 26.48 65.9 (BP = 1)\n");
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 1, true, false}, "26.5\n");
    r.verbose = "";
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 0, false, false}, "BLEU|nrefs:1|tok:13a = 26\n");
}

static void json_of_one_metric(void)
{
    eval_result r = {"BLEU", alone, "nrefs:1|tok:13a|smooth:floor[0.10]", "65.9 (BP = 1)"};
    printed_is(
        &r, 1, (eval_style){EVAL_JSON, 1, false, false},
        "{\n \"name\": \"BLEU\",\n \"score\": 26.5,\n"
        " \"signature\": \"nrefs:1|tok:13a|smooth:floor[0.10]\",\n \"verbose_score\": \"65.9 (BP = 1)\",\n"
        " \"nrefs\": \"1\",\n \"tok\": \"13a\",\n \"smooth\": \"floor[0.10]\"\n}\n");
    r.value = with_mean;
    r.signature = "nrefs:1";
    printed_is(&r, 1, (eval_style){EVAL_JSON, 1, false, false},
               "{\n \"name\": \"BLEU\",\n \"score\": 26.5,\n \"signature\": \"nrefs:1\",\n"
               " \"confidence_mean\": 26.5,\n \"confidence_var\": 1.2,\n"
               " \"confidence\": \"μ = 26.5 ± 1.2\",\n \"verbose_score\": \"65.9 (BP = 1)\",\n \"nrefs\": "
               "\"1\"\n}\n");
}

static void confidence_in_text(void)
{
    eval_result r = {"BLEU", with_mean, "nrefs:1", "x"};
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 2, false, false},
               "BLEU|nrefs:1 = 26.48 (μ = 26.50 ± 1.25) x\n");
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 2, true, false}, "26.48 (μ = 26.50 ± 1.25)\n");
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 2, false, true},
               "BLEU|nrefs:1 = 26.48 \x1b[36m(μ = 26.50 ± 1.25)\x1b[0m x\n");
    r.value.mean = 0; /* sacreBLEU shows none then */
    printed_is(&r, 1, (eval_style){EVAL_TEXT, 2, false, false}, "BLEU|nrefs:1 = 26.48 x\n");
}

static void several_metrics(void)
{
    eval_result r[] = {{"BLEU", alone, "nrefs:1|tok:13a", "x"}, {"chrF2", alone, "nrefs:1", ""}};
    printed_is(r, 2, (eval_style){EVAL_TEXT, 1, false, false},
               "BLEU|nrefs:1|tok:13a = 26.5 x\n"
               "       chrF2|nrefs:1 = 26.5\n");
    printed_is(r, 2, (eval_style){EVAL_TEXT, 1, true, false}, "26.5\n26.5\n");
    printed_is(r, 2, (eval_style){EVAL_JSON, 1, true, false}, "[\n26.5,\n26.5\n]\n");
    eval_result means[] = {{"BLEU", with_mean, "nrefs:1", "x"}, r[0], {"TER", with_mean, "nrefs:1", ""}};
    means[2].value.score = 126.5; /* aligned at the first equals sign, whose ever it is */
    printed_is(means, 3, (eval_style){EVAL_TEXT, 1, true, false},
               " 26.5 (μ = 26.5 ± 1.2)\n26.5\n126.5 (μ = 26.5 ± 1.2)\n");
    str out = {0};
    eval_style json = {EVAL_JSON, 1, false, false};
    eval_print_system(r, 2, &json, &out);
    CU_ASSERT(strncmp(str_text(&out), "[\n{\n \"name\": \"BLEU\"", 18) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&out), "\n},\n{\n \"name\": \"chrF2\""));
    CU_ASSERT(out.n > 5 && strcmp(str_text(&out) + out.n - 5, "\n}\n]\n") == 0);
    str_clear(&out);
    eval_print_sentence(&r[0], &json, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), "BLEU|nrefs:1|tok:13a = 26.5 x\n");
    str_free(&out);
}

/* JSON holds the number that the rounded text reads as, in as few digits as tell it. */
static void json_numbers(void)
{
    static const struct {
        double score;
        int width;
        const char *number;
    } cases[] = {
        {26.4817, 1, "26.5"},
        {26.4817, 0, "26.0"},
        {0, 1, "0.0"},
        {100, 3, "100.0"},
        {26.04, 2, "26.04"},
        {26.004, 2, "26.0"},
        {0.0001, 6, "0.0001"},
        {0.00001, 6, "1e-05"},
        {0.0000125, 8, "1.25e-05"},
        {200. / 3, 15, "66.66666666666667"},
        {0.1, 17, "0.1"},
        {26.481713198759184, 17, "26.481713198759184"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eval_result r = {"BLEU", {cases[i].score, (double)NAN, (double)NAN, (double)NAN}, "", ""};
        eval_style style = {EVAL_JSON, cases[i].width, false, false};
        str out = {0};
        eval_print_system(&r, 1, &style, &out);
        const char *at = strstr(str_text(&out), "\"score\": ");
        size_t n = strcspn(at + 9, ",\n");
        CU_ASSERT_TRUE(n == strlen(cases[i].number) && memcmp(at + 9, cases[i].number, n) == 0);
        str_free(&out);
    }
}

/* ------------------------------------------------------------------------------------ several systems */

static const char *const system_names[] = {"Baseline: a", "b\"é\\\xff\U0001f600"};
static const char *const metric_names[] = {"BLEU", "chrF2"};
static const char *const signatures[] = {"nrefs:1|bs:9", "nrefs:1"};

static eval_table table_of(const significance *values, enum eval_test test)
{
    return (eval_table){system_names, 2, metric_names, signatures, 2, values, test, 9};
}

static void table_is(const eval_table *t, eval_style style, const char *beginning, const char *end)
{
    str out = {0};
    eval_print_table(t, &style, &out);
    const char *text = str_text(&out);
    if (strncmp(text, beginning, strlen(beginning)) != 0) printf("%s\n", text);
    CU_ASSERT(strncmp(text, beginning, strlen(beginning)) == 0);
    CU_ASSERT(out.n >= strlen(end) && strcmp(text + out.n - strlen(end), end) == 0);
    str_free(&out);
}

static void json_of_systems(void)
{
    significance values[] = {{10, (double)NAN, 10.5, 2}, {11, 0.25, 11.5, 3}, alone, alone};
    eval_table t = table_of(values, EVAL_TEST_BS);
    const char *want =
        "[\n    {\n        \"system\": \"Baseline: a\",\n        \"BLEU\": {\n            \"score\": 10.0,\n"
        "            \"p_value\": null,\n            \"mean\": 10.5,\n            \"ci\": 2.0\n"
        "        },\n        \"chrF2\": {\n            \"score\": 26.4817,\n";
    table_is(&t, (eval_style){EVAL_JSON, 1, false, false}, want, "\"ci\": null\n        }\n    }\n]\n");
    t.test = EVAL_NO_TEST;
    table_is(&t, (eval_style){EVAL_JSON, 1, false, false},
             "[\n    {\n        \"system\": \"Baseline: a\",\n        \"BLEU\": \"10.0\",\n        "
             "\"chrF2\": \"26.5\"\n"
             "    },\n    {\n        \"system\": \"b\\\"\\u00e9\\\\\\udcff\\ud83d\\ude00\",\n",
             "\"chrF2\": \"26.5\"\n    }\n]\n");
}

static void text_of_systems(void)
{
    significance values[] = {
        {10, (double)NAN, 10.5, 2}, {11, 0.25, 11.5, 3}, {1, (double)NAN, 1, 0}, {2, 0.05, 2, 0}};
    eval_table t = table_of(values, EVAL_TEST_BS);
    t.systems = (const char *const[]){"Baseline: a", "b"};
    table_is(&t, (eval_style){EVAL_TEXT, 1, false, false},
             "╒═════════════╤═════════════════════╤══════════════════════╕\n"
             "│      System │  BLEU (μ ± 95% CI)  │  chrF2 (μ ± 95% CI)  │\n"
             "╞═════════════╪═════════════════════╪══════════════════════╡\n"
             "│ Baseline: a │  10.0 (10.5 ± 2.0)  │   1.0 (1.0 ± 0.0)    │\n"
             "├─────────────┼─────────────────────┼──────────────────────┤\n"
             "│           b │  11.0 (11.5 ± 3.0)  │   2.0 (2.0 ± 0.0)    │\n"
             "│             │    (p = 0.2500)     │    (p = 0.0500)*     │\n"
             "╘═════════════╧═════════════════════╧══════════════════════╛\n"
             "\n"
             "---------------------------------------------------------\n"
             "Paired bootstrap resampling test with 9 resampling trials\n"
             "---------------------------------------------------------\n",
             "\n-----------------\nMetric signatures\n-----------------\n"
             " - BLEU       nrefs:1|bs:9\n - chrF2      nrefs:1\n");
}

static void latex_of_systems(void)
{
    significance values[] = {{10, (double)NAN, (double)NAN, (double)NAN},
                             {11, 0.25, (double)NAN, (double)NAN},
                             {1, (double)NAN, (double)NAN, (double)NAN},
                             {2, 0.05, (double)NAN, (double)NAN}};
    eval_table t = table_of(values, EVAL_TEST_AR);
    t.systems = (const char *const[]){"Baseline: a", "b_1"};
    table_is(&t, (eval_style){EVAL_LATEX, 2, false, false},
             "\\begin{tabular}{rcc}\n\\toprule\n"
             "      System &        BLEU        &       chrF2        \\\\\n\\midrule\n"
             " Baseline: a &       10.00        &        1.00        \\\\\n"
             "         b\\_1 & 11.00 (p = 0.2500) & 2.00 (p = 0.0500)* \\\\\n"
             "\\bottomrule\n\\end{tabular}\n\n"
             "---------------------------------------------------\n"
             "Paired approximate randomization test with 9 trials\n",
             "\n - chrF2      nrefs:1\n");
}

static void colors(void)
{
    significance values[] = {{10, (double)NAN, 10.5, 2}, {11, 0.25, 11.5, 3}};
    eval_table t = table_of(values, EVAL_TEST_BS);
    t.n_metrics = 1;
    t.systems = (const char *const[]){"a", "b"};
    table_is(&t, (eval_style){EVAL_TEXT, 1, false, true},
             "╒══════════╤═════════════════════╕\n"
             "│   \x1b[36mSystem\x1b[0m │  \x1b[36mBLEU (μ ± 95% CI)\x1b[0m  │\n"
             "╞══════════╪═════════════════════╡\n"
             "│        \x1b[33ma\x1b[0m │  \x1b[33m10.0 (10.5 ± 2.0)\x1b[0m  │\n"
             "├──────────┼─────────────────────┤\n"
             "│        b │  11.0 (11.5 ± 3.0)  │\n"
             "│          │    \x1b[31m(p = 0.2500)\x1b[0m     │\n",
             "");
}

/* ------------------------------------------------------------------------------------ grid */

static void grid_cells(void)
{
    str cells[4] = {{0}}, out = {0};
    const char *texts[] = {"A", "B", "long\nlines\n", "é&\\"};
    for (int i = 0; i < 4; i++) str_addf(&cells[i], "%s", texts[i]);
    grid_draw(cells, 2, 2, &out);
    CU_ASSERT_STRING_EQUAL(str_text(&out), "╒═══════╤═════╕\n"
                                           "│     A │  B  │\n"
                                           "╞═══════╪═════╡\n"
                                           "│  long │ é&\\ │\n"
                                           "│ lines │     │\n"
                                           "│       │     │\n"
                                           "╘═══════╧═════╛\n");
    str_clear(&out);
    grid_latex(cells + 1, 1, 1, &out);
    CU_ASSERT_STRING_EQUAL(
        str_text(&out),
        "\\begin{tabular}{r}\n\\toprule\n   B \\\\\n\\midrule\n\\bottomrule\n\\end{tabular}\n");
    for (int i = 0; i < 4; i++) str_free(&cells[i]);
    str_free(&out);
}

int main(void)
{
    CU_TestInfo tests[] = {{"text of one metric", text_of_one_metric},
                           {"JSON of one metric", json_of_one_metric},
                           {"confidence in text", confidence_in_text},
                           {"several metrics", several_metrics},
                           {"JSON numbers", json_numbers},
                           {"JSON of systems", json_of_systems},
                           {"text of systems", text_of_systems},
                           {"LaTeX of systems", latex_of_systems},
                           {"colors", colors},
                           {"cells of a grid", grid_cells},
                           CU_TEST_INFO_NULL};
    return suite_run("result", tests);
}
