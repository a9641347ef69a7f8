#include "bench_report.h"

#include <math.h>

/* Share of all threads' time, of which the meter saw `seconds`. */
static double share(const bench_result *r, double seconds)
{
    return 100 * seconds / (r->total_seconds * r->threads);
}

static double input_share(const input_times *t, double seconds)
{
    return 100 * seconds / (seconds + t->update);
}

/* ------------------------------------------------------------------------------------- for people */

static void add_head(const bench_result *r, str *out)
{
    str_addf(
        out,
        "%s: %zu parameters, vocabulary of %d; an update of %.1f sentences, %.0f source and %.0f target ",
        r->name, r->n_parameters, r->vocab_size, r->sentences, r->src_tokens, r->tgt_tokens);
    str_addf(out, "tokens\n  %.4f s an update (best %.4f)%s: %.0f target tokens/s, %.0f tokens/s\n",
             r->seconds, r->best_seconds, r->clock[0] == 'c' ? " of processor time" : "", r->tgt_rate,
             r->all_rate);
    str_addf(out, "  %.1f GFLOP/s, %.0f %% of the peak (%.1f GFLOP/s, %d thread%s); memory %.0f MB\n",
             r->gflops, 100 * r->gflops / r->peak, r->peak, r->threads, r->threads == 1 ? "" : "s",
             r->rss / 1e6);
}

static void add_milliseconds(double seconds, const bench_result *r, str *out)
{
    if (seconds > 0)
        str_addf(out, "%10.2f", 1e3 * seconds / (double)r->updates);
    else
        str_addf(out, "%10s", "");
}

/* Speed and share of the peak are those of the threads that were at it. */
static void add_row(const bench_result *r, enum meter_kind kind, str *out)
{
    const meter_work *forward = &r->spent.of[kind][0], *backward = &r->spent.of[kind][1];
    double seconds = forward->seconds + backward->seconds, flops = forward->flops + backward->flops;
    if (seconds <= 0) return;
    str_addf(out, "  %-22s", meter_names[kind]);
    add_milliseconds(forward->seconds, r, out);
    add_milliseconds(backward->seconds, r, out);
    str_addf(out, "%8.1f %%", share(r, seconds));
    if (flops > 0)
        str_addf(out, "%10.1f%9.0f %%", 1e-9 * flops / seconds,
                 1e-7 * flops / seconds * r->threads / r->peak);
    str_addf(out, "\n");
}

static void add_input(const bench_result *r, str *out)
{
    const input_times *t = &r->input;
    if (t->open < 0) return;
    str_addf(out,
             "  reading, tokenising and batching an epoch: %.3f s the first time (%.2f %% of it and of the "
             "epoch's updates),\n  %.3f s later (%.2f %%)\n",
             t->open, input_share(t, t->open), t->epoch, input_share(t, t->epoch));
}

void bench_report(const bench_result *r, str *out)
{
    add_head(r, out);
    str_addf(out, "  %-22s%10s%10s%10s%10s%11s\n", "ms an update, a thread's", "forward", "backward", "share",
             "GFLOP/s", "of peak");
    for (int kind = 0; kind < METER_KINDS; kind++) add_row(r, (enum meter_kind)kind, out);
    add_input(r, out);
}

/* --------------------------------------------------------------------------------------- for programs */

static void add_number(const char *key, double x, str *out)
{
    if (isfinite(x))
        str_addf(out, ", \"%s\": %.9g", key, x);
    else
        str_addf(out, ", \"%s\": null", key);
}

static void add_operations(const bench_result *r, str *out)
{
    double updates = (double)r->updates;
    const char *before = "";
    str_addf(out, ", \"operations\": [");
    for (int kind = 0; kind < METER_KINDS; kind++) {
        const meter_work *forward = &r->spent.of[kind][0], *backward = &r->spent.of[kind][1];
        double seconds = forward->seconds + backward->seconds;
        if (seconds <= 0) continue;
        str_addf(out, "%s{\"name\": \"%s\"", before, meter_names[kind]);
        add_number("forward_seconds", forward->seconds / updates, out);
        add_number("backward_seconds", backward->seconds / updates, out);
        add_number("share", share(r, seconds) / 100, out);
        add_number("gflop", 1e-9 * (forward->flops + backward->flops) / updates, out);
        add_number("gflops", 1e-9 * (forward->flops + backward->flops) / seconds, out);
        str_addf(out, "}");
        before = ", ";
    }
    str_addf(out, "]");
}

void bench_json(const bench_result *r, str *out)
{
    str_addf(out, "{\"network\": \"%s\", \"clock\": \"%s\"", r->name, r->clock);
    add_number("threads", r->threads, out);
    add_number("parameters", (double)r->n_parameters, out);
    add_number("vocab_size", r->vocab_size, out);
    add_number("updates", (double)r->updates, out);
    add_number("sentences_per_update", r->sentences, out);
    add_number("src_tokens_per_update", r->src_tokens, out);
    add_number("tgt_tokens_per_update", r->tgt_tokens, out);
    add_number("seconds_per_update", r->seconds, out);
    add_number("best_seconds", r->best_seconds, out);
    add_number("tgt_tokens_per_s", r->tgt_rate, out);
    add_number("all_tokens_per_s", r->all_rate, out);
    add_number("gflops", r->gflops, out);
    add_number("gflop_per_update", 1e-9 * r->flops, out);
    add_number("peak_gflops", r->peak, out);
    add_number("share_of_peak", r->gflops / r->peak, out);
    add_number("peak_rss_mb", r->rss / (1 << 20), out);
    add_number("last_loss", r->last_loss, out);
    if (r->input.open >= 0) {
        add_number("input_first_epoch_seconds", r->input.open, out);
        add_number("input_later_epoch_seconds", r->input.epoch, out);
        add_number("epoch_update_seconds", r->input.update, out);
    }
    add_operations(r, out);
    str_addf(out, "}\n");
}
