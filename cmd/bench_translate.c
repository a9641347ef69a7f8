#include "bench_translate.h"

#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/memory.h"
#include "bench_report.h"
#include "command.h"
#include "search/search.h"

/* --------------------------------------------------------------------------------------- measuring */

/* All pairs of all batches, and how long the translations are to be. */
typedef struct {
    seqs src, tgt;
    search_request *requests;
} text;

static void append(const seqs *from, seqs *to)
{
    for (size_t i = 0; i < from->n; i++) seqs_add(to, seqs_at(from, i), seqs_len(from, i));
}

static text text_of(const batches *data)
{
    text t = {.requests = NULL};
    for (size_t k = 0; k < data->n; k++) {
        append(&data->list[k].src, &t.src);
        append(&data->list[k].tgt, &t.tgt);
    }
    t.requests = xcalloc(t.tgt.n, sizeof *t.requests);
    for (size_t i = 0; i < t.tgt.n; i++) t.requests[i].limit = (int)seqs_len(&t.tgt, i) + 1;
    return t;
}

static void text_free(text *t)
{
    seqs_free(&t->src);
    seqs_free(&t->tgt);
    free(t->requests);
}

static void add_ids(const hyp *h, str *out)
{
    for (int i = 0; i < h->n; i++) str_addf(out, "%s%d", i ? " " : "", h->ids[i]);
    str_add_char(out, '\n');
}

static void translate_part(model *net, const text *t, const translate_bench *how, size_t from, size_t n)
{
    static const int eos = ID_EOS;
    const search_options o = {.beam = how->beam,
                              .length_penalty = 1,
                              .n_best = 1,
                              .batch_tokens = how->batch_tokens,
                              .words_only = true,
                              .forbid_unk = true,
                              .never = &eos,
                              .n_never = 1,
                              .shortlist = how->shortlist,
                              .requests = t->requests + from};
    hyp_list *lists = xcalloc(n, sizeof *lists);
    seqs src = seqs_part(&t->src, from, n);
    search(net, &src, &o, lists);
    for (size_t i = 0; how->ids && i < n; i++) add_ids(&lists[i].hyps[0], how->ids);
    search_free(lists, n);
    free(lists);
}

static double one_pass(model *net, const text *t, const translate_bench *how)
{
    double from = bench_seconds(how->cpu_time);
    size_t step = how->one_by_one ? 1 : t->src.n;
    for (size_t i = 0; i < t->src.n; i += step) translate_part(net, t, how, i, step);
    return bench_seconds(how->cpu_time) - from;
}

/* Pieces that a sentence may have. */
static double words_of(const seqs *lists, const seqs *src, size_t i, char *seen, size_t vocab)
{
    double n = 0;
    memset(seen, 0, vocab);
    for (size_t k = 0; k <= seqs_len(src, i); k++) {
        size_t list = k < seqs_len(src, i) ? (size_t)seqs_at(src, i)[k] : lists->n - 1;
        for (size_t j = 0; j < seqs_len(lists, list); j++) seen[seqs_at(lists, list)[j]] = 1;
    }
    for (size_t w = 0; w < vocab; w++) n += seen[w];
    return n;
}

/* What products have to compute, and how many pieces are chosen among for each of the target. */
static double flops_of(const model *net, const text *t, const translate_bench *how, double *words)
{
    double flops = model_search_flops(net, &t->src, &t->tgt, how->beam), left_out = 0, tokens = 0;
    size_t vocab = (size_t)model_config(net)->tgt_vocab;
    *words = (double)vocab;
    if (!how->shortlist) return flops;
    char *seen = xcalloc(vocab, 1);
    for (size_t i = 0; i < t->src.n; i++) {
        double length = (double)seqs_len(&t->tgt, i) + 1;
        left_out += length * ((double)vocab - words_of(how->shortlist, &t->src, i, seen, vocab));
        tokens += length;
    }
    free(seen);
    *words -= left_out / tokens;
    return flops - how->beam * left_out * model_word_flops(net);
}

void bench_translate(model *net, const batches *data, const translate_bench *how, translate_result *r)
{
    text t = text_of(data);
    double *seconds = xcalloc((size_t)how->passes, sizeof *seconds);
    *r = (translate_result){.how = *how, .sentences = t.src.n};
    r->src_tokens = (double)(seqs_total(&t.src) + t.src.n);
    r->tgt_tokens = (double)(seqs_total(&t.tgt) + t.tgt.n);
    r->flops = flops_of(net, &t, how, &r->words);
    one_pass(net, &t, how);
    translate_bench timed = *how;
    timed.ids = NULL;
    for (int i = 0; i < how->passes; i++) seconds[i] = one_pass(net, &t, &timed);
    meter_start(how->cpu_time ? METER_CPU : METER_WALL);
    r->metered_seconds = one_pass(net, &t, &timed);
    meter_stop();
    r->spent = meter_read();
    r->seconds = bench_median(seconds, how->passes);
    r->best_seconds = seconds[0];
    r->rss = peak_memory();
    free(seconds);
    text_free(&t);
}

/* ------------------------------------------------------------------------------------------ report */

static bench_spent spent_of(const bench_network *n, const translate_result *r)
{
    return (bench_spent){"a pass, a thread's", &r->spent, r->metered_seconds, 1, n->threads, n->peak};
}

void bench_translate_report(const bench_network *n, const translate_result *r, str *out)
{
    double gflops = 1e-9 * r->flops / r->seconds;
    str_addf(out, "%s: %zu parameters, vocabulary of %d; beam %d, %s; %zu sentences, %.0f source and %.0f ",
             n->name, n->n_parameters, n->vocab_size, r->how.beam,
             r->how.one_by_one ? "one sentence at a time" : "file", r->sentences, r->src_tokens,
             r->tgt_tokens);
    str_addf(out, "target tokens");
    if (r->how.shortlist) str_addf(out, "; shortlist: %.0f pieces a sentence", r->words);
    str_addf(out, "\n  %.4f s a pass (best %.4f)%s: %.0f target tokens/s\n", r->seconds, r->best_seconds,
             r->how.cpu_time ? " of processor time" : "", r->tgt_tokens / r->seconds);
    str_addf(out, "  %.1f GFLOP/s, %.0f %% of the peak (%.1f GFLOP/s, %d thread%s), where the limit is ",
             gflops, 100 * gflops / n->peak, n->peak, n->threads, plural(n->threads));
    str_addf(out, "%.0f tokens/s; memory %.0f MB\n", r->tgt_tokens / (1e-9 * r->flops / n->peak),
             r->rss / 1e6);
    const bench_spent s = spent_of(n, r);
    bench_spent_report(&s, out);
}

void bench_translate_json(const bench_network *n, const translate_result *r, str *out)
{
    double gflops = 1e-9 * r->flops / r->seconds;
    str_addf(out, "{\"network\": \"%s\", \"clock\": \"%s\", \"one_by_one\": %s", n->name,
             r->how.cpu_time ? "cpu" : "wall", r->how.one_by_one ? "true" : "false");
    bench_json_number("threads", n->threads, out);
    bench_json_number("parameters", (double)n->n_parameters, out);
    bench_json_number("vocab_size", n->vocab_size, out);
    bench_json_number("beam", r->how.beam, out);
    bench_json_number("words_a_sentence", r->words, out);
    bench_json_number("passes", r->how.passes, out);
    bench_json_number("sentences", (double)r->sentences, out);
    bench_json_number("src_tokens", r->src_tokens, out);
    bench_json_number("tgt_tokens", r->tgt_tokens, out);
    bench_json_number("seconds", r->seconds, out);
    bench_json_number("best_seconds", r->best_seconds, out);
    bench_json_number("tgt_tokens_per_s", r->tgt_tokens / r->seconds, out);
    bench_json_number("limit_tokens_per_s", r->tgt_tokens / (1e-9 * r->flops / n->peak), out);
    bench_json_number("gflop", 1e-9 * r->flops, out);
    bench_json_number("gflops", gflops, out);
    bench_json_number("peak_gflops", n->peak, out);
    bench_json_number("share_of_peak", gflops / n->peak, out);
    bench_json_number("peak_rss_mb", r->rss / (1 << 20), out);
    const bench_spent s = spent_of(n, r);
    bench_spent_json(&s, out);
    str_addf(out, "}\n");
}
