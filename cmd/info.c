/* tulk info: what a file is, how it was trained, how far it got. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "command.h"
#include "store/store.h"
#include "train/checkpoint.h"
#include "train/vocabulary.h"

enum { UPDATES_SHOWN = 10 }; /* of the training log, the last ones */

/* Weights, and not the numbers that the optimizer keeps beside them under names of its own. */
static bool is_weight(const stored_tensor *t) { return checkpoint_is_weight(t->name); }

static int64_t tensor_size(const stored_tensor *t) { return (int64_t)t->rows * t->cols; }

/* ---------------------------------------------------------------------------------------- hash */

static void hash_tensor(const stored_tensor *t, void *context)
{
    if (!is_weight(t)) return;
    str head = {0};
    str_addf(&head, "%s %d %d\n", t->name, t->rows, t->cols);
    sha256_add(context, str_text(&head), head.n);
    str_free(&head);
    for (int64_t i = 0; i < tensor_size(t); i++) {
        uint32_t bits;
        memcpy(&bits, &t->v[i], sizeof bits);
        unsigned char little[4] = {bits & 255, bits >> 8 & 255, bits >> 16 & 255, bits >> 24};
        sha256_add(context, little, sizeof little);
    }
}

static int print_hash(store *s, const char *path, str *out)
{
    int found = store_checkpoint(s, "last", &(checkpoint_info){0}, NULL);
    if (found < 0) return -1;
    if (!found) return fail("%s holds no training weights: --hash is for files made by tulk train", path);
    sha256 h;
    sha256_init(&h);
    if (store_each_tensor(s, "last", hash_tensor, &h)) return -1;
    char hex[65];
    sha256_hex(&h, hex);
    str_addf(out, "%s\n", hex);
    return 0;
}

/* -------------------------------------------------------------------------------- what is there */

/* A part of what is printed, as text lines or as JSON members. */
typedef struct {
    store *s;
    str *out;
    bool json;
    int64_t n;                     /* entries so far */
    int64_t update, updates, skip; /* of the log */
} report;

/* What comes between the entries of a list or of an object. */
static void next_entry(report *r)
{
    if (r->json && r->n) str_addf(r->out, ", ");
    r->n++;
}

static void add_setting(const char *key, const char *value, void *context)
{
    report *r = context;
    next_entry(r);
    if (!r->json) {
        str_addf(r->out, "  %-20s%s\n", key, value);
        return;
    }
    json_string(key, r->out);
    str_addf(r->out, ": ");
    json_string(value, r->out);
}

static int add_vocab(report *r, const char *side)
{
    vocab_data v = {0};
    int found = store_load_vocab(r->s, side, &v);
    if (found == 1) {
        next_entry(r);
        str_addf(r->out,
                 r->json ? "\"%s\": {\"pieces\": %d, \"merges\": %d}" : "  %-20s%d pieces, %d merges\n", side,
                 v.n_pieces, v.n_merges);
    }
    vocab_data_free(&v);
    return found < 0 ? -1 : 0;
}

/* How many pieces the lists have, the longest of them, the common one. */
static int add_shortlist(report *r)
{
    seqs lists;
    vocab_pair v;
    int found = store_has_shortlist(r->s);
    if (found < 1) return found;
    if (vocab_pair_load(r->s, store_path(r->s), &v)) return -1;
    found = store_load_shortlist(r->s, tokenizer_size(v.src), tokenizer_size(v.tgt), &lists);
    vocab_pair_free(&v);
    if (found < 1) return found;
    size_t longest = 0, common = seqs_len(&lists, lists.n - 1), total = seqs_total(&lists) - common;
    for (size_t i = 0; i + 1 < lists.n; i++)
        if (seqs_len(&lists, i) > longest) longest = seqs_len(&lists, i);
    str_addf(r->out,
             r->json ? "\"words\": %zu, \"longest\": %zu, \"common\": %zu"
                     : "  %zu pieces for those of the source, at most %zu for one, and %zu for all\n",
             total, longest, common);
    seqs_free(&lists);
    return 0;
}

static void add_checkpoint(const char *slot, const checkpoint_info *info, void *context)
{
    report *r = context;
    next_entry(r);
    if (!r->json) {
        str_addf(r->out, "  %-20supdate %" PRId64 ", epoch %" PRId64, slot, info->update, info->epoch);
        if (isfinite(info->valid_score)) str_addf(r->out, ", score %.6g", info->valid_score);
        str_addf(r->out, ", %s\n", info->created);
        return;
    }
    str_addf(r->out, "{\"slot\": \"%s\", \"update\": %" PRId64 ", \"epoch\": %" PRId64 ", \"score\": ", slot,
             info->update, info->epoch);
    json_number(info->valid_score, r->out);
    str_addf(r->out, ", \"created\": \"%s\"}", info->created);
}

static void add_size(const stored_tensor *t, void *context)
{
    report *r = context;
    if (is_weight(t)) r->n += tensor_size(t);
}

static void count_updates(int64_t update, const char *name, double value, void *context)
{
    (void)name;
    (void)value;
    report *r = context;
    r->updates += r->updates == 0 || update != r->update;
    r->update = update;
}

static void add_metric(int64_t update, const char *name, double value, void *context)
{
    report *r = context;
    if (r->json) {
        next_entry(r);
        str_addf(r->out, "{\"update\": %" PRId64 ", \"name\": ", update);
        json_string(name, r->out);
        str_addf(r->out, ", \"value\": ");
        json_number(value, r->out);
        str_add_char(r->out, '}');
        return;
    }
    bool new_line = r->updates == 0 || update != r->update;
    count_updates(update, name, value, r);
    if (r->updates <= r->skip) return;
    if (new_line) str_addf(r->out, "%s  %-18" PRId64, r->n++ ? "\n" : "", update);
    str_addf(r->out, "  %s %.6g", name, value);
}

/* ------------------------------------------------------------------------------------- the parts */

static int add_settings(report *r) { return store_each_setting(r->s, add_setting, r); }

static int add_vocabs(report *r)
{
    return add_vocab(r, "joint") || add_vocab(r, "src") || add_vocab(r, "tgt") ? -1 : 0;
}

static int add_checkpoints(report *r) { return store_each_checkpoint(r->s, add_checkpoint, r); }

static int add_metrics(report *r)
{
    if (!r->json && store_each_metric(r->s, NULL, count_updates, r)) return -1;
    r->skip = r->updates - UPDATES_SHOWN;
    r->updates = 0;
    if (store_each_metric(r->s, NULL, add_metric, r)) return -1;
    if (!r->json && r->n) str_add_char(r->out, '\n');
    return 0;
}

static const struct {
    const char *title, *key, *brackets;
    int (*add)(report *r);
} parts[] = {
    {"settings", "settings", "{}", add_settings},
    {"vocabulary", "vocabularies", "{}", add_vocabs},
    {"shortlist", "shortlist", "{}", add_shortlist},
    {"checkpoints", "checkpoints", "[]", add_checkpoints},
    {"training log, its end", "metrics", "[]", add_metrics},
};

static int add_part(size_t i, store *s, bool json, str *out)
{
    str text = {0};
    report r = {.s = s, .out = &text, .json = json};
    int result = parts[i].add(&r);
    const char *brackets = parts[i].brackets;
    if (json)
        str_addf(out, ", \"%s\": %c%s%c", parts[i].key, brackets[0], str_text(&text), brackets[1]);
    else if (text.n)
        str_addf(out, "%s\n%s", parts[i].title, str_text(&text));
    str_free(&text);
    return result;
}

static int print_report(store *s, const char *path, bool json, str *out)
{
    report weights = {.s = s};
    const char *slot = "last"; /* an exported copy has no more than a best one */
    int trained = store_checkpoint(s, slot, &(checkpoint_info){0}, NULL);
    if (trained == 0) trained = store_checkpoint(s, slot = "best", &(checkpoint_info){0}, NULL);
    if (trained < 0 || (trained && store_each_tensor(s, slot, add_size, &weights))) return -1;
    const char *kind = trained ? "model" : "vocabulary";
    if (json) {
        str_addf(out, "{\"file\": ");
        json_string(path, out);
        str_addf(out, ", \"kind\": \"%s\", \"weights\": %" PRId64, kind, weights.n);
    } else {
        str_addf(out, "%s: %s", path, kind);
        if (trained) str_addf(out, ", %" PRId64 " weights", weights.n);
        str_add_char(out, '\n');
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (add_part(i, s, json, out)) return -1;
    if (json) str_addf(out, "}\n");
    return 0;
}

static int run(const options *o)
{
    store *s;
    str out = {0};
    const char *const *words;
    options_rest(o, &words);
    if (store_open(words[0], STORE_READ, &s)) return -1;
    int result = options_flag(o, "hash") ? print_hash(s, words[0], &out)
                                         : print_report(s, words[0], options_flag(o, "json"), &out);
    store_close(s);
    if (!result) result = print_out(str_span(&out));
    str_free(&out);
    return result;
}

static int check_usage(const options *o)
{
    if (command_one_model(o)) return -1;
    return options_flag(o, "hash") && options_flag(o, "json") ? fail("--hash and --json: give one") : 0;
}

int cmd_info(int argc, char **argv)
{
    static const command_help help = {
        FOR_INFO, "tulk info MODEL [--json | --hash]",
        "What a model or vocabulary file is, how it was trained, how far it got.", "tulk info en-de.tulk"};
    return command_run(&help, argc, argv, check_usage, run);
}
