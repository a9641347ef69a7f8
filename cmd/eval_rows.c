/* The table of flags of `tulk eval`, and what --help makes of it. */
#include <string.h>

#include "eval/chrf.h"
#include "eval/metric.h"
#include "eval/tokenize.h"
#include "eval_flags.h"

static const char *metric_name(int i) { return metrics[i].key; }
static const char *tokenizer_name(int i) { return eval_tokenizers[i].name; }
static const char *smoothing_name(int i) { return bleu_smoothings[i].name; }

static const char *format_name(int i)
{
    static const char *const formats[] = {"json", "text", "latex", NULL};
    return formats[i];
}

#define NO_TEST_SETS                                                                                         \
    "test sets are not downloaded here: fetch them with sacreBLEU and name the reference files"

/* clang-format off */
const eval_row eval_rows[EVAL_KEYS] = {
    [EVAL_INPUT] = {"input", "i", FLAG_TEXT, "Files", "HYP...", NULL, .many = true,
        .help = "translations, a file for each system; .gz is fine (default: standard input, systems side by "
                "side between tabs)"},
    [EVAL_NUM_REFS] = {"num-refs", "nr", FLAG_INT, "Files", "N", "1", .least = 1, .most = 1000,
        .help = "the file of references holds N of them side by side between tabs"},
    [EVAL_ENCODING] = {"encoding", "e", FLAG_TEXT, "Files", "NAME", "utf-8",
        .help = "of all files"},
    [EVAL_LANGUAGE_PAIR] = {"language-pair", "l", FLAG_TEXT, "Files", "SRC-TGT", NULL,
        .help = "chooses the tokenizer: zh for Chinese"},
    [EVAL_METRICS] = {"metrics", "m", FLAG_CHOICE, "Metrics", "NAME...", "bleu", metric_name, .many = true,
        .help = "what to compute, any of"},
    [EVAL_SENTENCE_LEVEL] = {"sentence-level", "sl", FLAG_SWITCH, "Metrics",
        .help = "a score for each line"},
    [EVAL_SMOOTH_METHOD] = {"smooth-method", "s", FLAG_CHOICE, "BLEU", "NAME", "exp", smoothing_name,
        .help = "what stands for a precision without a match. One of"},
    [EVAL_SMOOTH_VALUE] = {"smooth-value", "sv", FLAG_REAL, "BLEU", "X", NULL, .least = 0, .most = 1e9,
        .help = "of floor (default: 0.1) and add-k (default: 1)"},
    [EVAL_TOKENIZE] = {"tokenize", "tok", FLAG_CHOICE, "BLEU", "NAME", NULL, tokenizer_name,
        .help = "default: zh for -l X-zh, else 13a, which is mteval's; none is for text that is tokenised already. One of"},
    [EVAL_LOWERCASE] = {"lowercase", "lc", FLAG_SWITCH, "BLEU", .help = "compare without case"},
    [EVAL_FORCE] = {"force", NULL, FLAG_SWITCH, "BLEU",
        .help = "no warning when the translations look tokenised"},
    [EVAL_MAX_ORDER] = {"max-ngram-order", NULL, FLAG_INT, "BLEU", "N", "4", .least = 1, .most = BLEU_MAX_ORDER,
        .help = "longest n-gram that is counted"},
    [EVAL_CHRF_CHAR_ORDER] = {"chrf-char-order", "cc", FLAG_INT, "chrF", "N", "6", .least = 0, .most = CHRF_MAX_ORDER,
        .help = "longest n-gram of characters"},
    [EVAL_CHRF_WORD_ORDER] = {"chrf-word-order", "cw", FLAG_INT, "chrF", "N", "0", .least = 0, .most = CHRF_MAX_ORDER,
        .help = "longest n-gram of words; 2 is chrF++"},
    [EVAL_CHRF_BETA] = {"chrf-beta", NULL, FLAG_INT, "chrF", "N", "2", .least = 0, .most = 1000,
        .help = "recall weighs N times as much as precision"},
    [EVAL_CHRF_WHITESPACE] = {"chrf-whitespace", NULL, FLAG_SWITCH, "chrF",
        .help = "n-grams of characters hold the white space too, also that at the ends of lines"},
    [EVAL_CHRF_LOWERCASE] = {"chrf-lowercase", NULL, FLAG_SWITCH, "chrF", .help = "compare without case"},
    [EVAL_CHRF_EPS] = {"chrf-eps-smoothing", NULL, FLAG_SWITCH, "chrF",
        .help = "smooth as chrF++.py, NLTK and Moses do, instead of leaving out orders without n-grams"},
    [EVAL_TER_CASE] = {"ter-case-sensitive", NULL, FLAG_SWITCH, "TER", .help = "compare with case"},
    [EVAL_TER_ASIAN] = {"ter-asian-support", NULL, FLAG_SWITCH, "TER",
        .help = "characters of Asian scripts are words; with --ter-normalized or --ter-no-punct"},
    [EVAL_TER_NO_PUNCT] = {"ter-no-punct", NULL, FLAG_SWITCH, "TER", .help = "leave out punctuation"},
    [EVAL_TER_NORMALIZED] = {"ter-normalized", NULL, FLAG_SWITCH, "TER",
        .help = "tokenise punctuation and resolve entities first"},
    [EVAL_CONFIDENCE] = {"confidence", "ci", FLAG_SWITCH, "Significance",
        .help = "for one system: mean and 95 % interval by bootstrap resampling"},
    [EVAL_CONFIDENCE_N] = {"confidence-n", "cin", FLAG_INT, "Significance", "N", "1000", .least = 1, .most = 1e7,
        .help = "resamples"},
    [EVAL_PAIRED_AR] = {"paired-ar", "par", FLAG_SWITCH, "Significance",
        .help = "do the systems differ from the first one? Approximate randomisation"},
    [EVAL_PAIRED_BS] = {"paired-bs", "pbs", FLAG_SWITCH, "Significance", .help = "the same by the paired bootstrap"},
    [EVAL_PAIRED_AR_N] = {"paired-ar-n", "parn", FLAG_INT, "Significance", "N", "10000", .least = 0, .most = 1e8,
        .help = "trials of --paired-ar"},
    [EVAL_PAIRED_BS_N] = {"paired-bs-n", "pbsn", FLAG_INT, "Significance", "N", "1000", .least = 0, .most = 1e7,
        .help = "resamples of --paired-bs"},
    [EVAL_PAIRED_JOBS] = {"paired-jobs", "j", FLAG_INT, "Significance", "N", NULL, .least = 0, .most = 1024,
        .help = "threads, where --threads does not say; 0: all cores"},
    [EVAL_SEED] = {"seed", NULL, FLAG_INT, "Significance", "N", NULL, .least = 0, .most = 9007199254740992,
        .help = "of the draws (default: SACREBLEU_SEED in the environment, a number or none; else 12345)"},
    [EVAL_COMPARE] = {"compare", NULL, FLAG_SWITCH, "Comparison",
        .help = "two systems side by side: scores, sentences that differ most, mistakes of the evaluation"},
    [EVAL_HTML] = {"html", NULL, FLAG_TEXT, "Comparison", "FILE", NULL, .help = "as a page for a browser"},
    [EVAL_EXAMPLES] = {"examples", NULL, FLAG_INT, "Comparison", "N", "5", .least = 0, .most = 10000,
        .help = "sentences to show of each system's best"},
    [EVAL_FREQ] = {"freq", NULL, FLAG_TEXT, "Comparison", "FILE", NULL,
        .help = "text in which words are counted (default: the references)"},
    [EVAL_FORMAT] = {"format", "f", FLAG_CHOICE, "Output", "NAME", "json", format_name,
        .help = "latex makes tables of several systems; SACREBLEU_FORMAT in the environment wins. One of"},
    [EVAL_SCORE_ONLY] = {"score-only", "b", FLAG_SWITCH, "Output", .help = "print the number alone"},
    [EVAL_WIDTH] = {"width", "w", FLAG_INT, "Output", "N", "1", .least = 0, .most = 40,
        .help = "digits after the point"},
    [EVAL_SHORT] = {"short", "sh", FLAG_SWITCH, "Output", .help = "short signatures, except in JSON"},
    [EVAL_DETAIL] = {"detail", "d", FLAG_SWITCH, "Output",
        .help = "text instead of JSON; scores by original language exist for sacreBLEU's own test sets alone"},
    [EVAL_NO_COLOR] = {"no-color", "nc", FLAG_SWITCH, "Output",
        .help = "no colours on a terminal; nor with NO_COLOR in the environment"},
    [EVAL_THREADS] = {"threads", NULL, FLAG_INT, "General", "N", NULL, .least = 1, .most = 1024,
        .help = "threads (default: all cores); figures do not depend on it"},
    [EVAL_CONFIG] = {"config", NULL, FLAG_TEXT, "General", "FILE", NULL,
        .help = "read flags from lines `key = value`; the command line wins"},
    [EVAL_QUIET] = {"quiet", "q", FLAG_SWITCH, "General", .help = "errors only"},
    [EVAL_HELP] = {"help", "h", FLAG_SWITCH, "General", .help = "this text"},
    [EVAL_VERSION] = {"version", "V", FLAG_SWITCH, "General", .help = "the version"},
    [EVAL_TEST_SET] = {"test-set", "t", FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_LIST] = {"list", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_DOWNLOAD] = {"download", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_ECHO] = {"echo", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_ORIGLANG] = {"origlang", "ol", FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_SUBSET] = {"subset", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_CITATION] = {"citation", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
    [EVAL_CITE] = {"cite", NULL, FLAG_ELSEWHERE, .help = NO_TEST_SETS},
};
/* clang-format on */

enum { HELP_COLUMN = 32, HELP_WIDTH = 110 };

/* Wraps the text into the column behind what stands on the line already. */
static void add_wrapped(const char *text, str *out)
{
    size_t column = HELP_COLUMN;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column + word > HELP_WIDTH) {
            str_addf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        str_add(out, text, word);
        column += word + 1;
        text += word;
        if (*text) text++;
        if (*text && column + strcspn(text, " ") <= HELP_WIDTH) str_add_char(out, ' ');
    }
}

static void add_help(const eval_row *row, str *out)
{
    str left = {0}, right = {0};
    str_addf(&left, "  ");
    if (row->brief) str_addf(&left, "-%s, ", row->brief);
    str_addf(&left, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    str_addf(out, "%-*s", HELP_COLUMN, str_text(&left));
    if (left.n >= HELP_COLUMN) str_addf(out, "\n%*s", HELP_COLUMN, "");
    str_addf(&right, "%s", row->help);
    for (int i = 0; row->choice && row->choice(i); i++)
        str_addf(&right, "%s%s", i ? ", " : ": ", row->choice(i));
    if (row->initial) str_addf(&right, " (default: %s)", row->initial);
    add_wrapped(str_text(&right), out);
    str_add_char(out, '\n');
    str_free(&left);
    str_free(&right);
}

void eval_flags_help(str *out)
{
    str_addf(out, "Usage: tulk eval REF [REF...] [-i HYP...] [OPTION...]\n\n"
                  "Scores translations against references with sacreBLEU's figures, flags and output.\n");
    const char *group = "";
    for (int key = 0; key < EVAL_KEYS; key++) {
        const eval_row *row = &eval_rows[key];
        if (row->type == FLAG_ELSEWHERE) continue;
        if (strcmp(group, row->group) != 0) str_addf(out, "\n%s:\n", row->group);
        group = row->group;
        add_help(row, out);
    }
    str_addf(out,
             "\nExample:\n  tulk translate -m model.tulk -i test.en | tulk eval test.de -m bleu chrf ter\n");
}
