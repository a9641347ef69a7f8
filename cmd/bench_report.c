#include "bench_report.h"

#include <math.h>

static double input_share(const input_times *t, double seconds)
{
    return 100 * seconds / (seconds + t->update);
}

/* ------------------------------------------------------------------------------------- for people */

/* Share of all threads' time, of which the meter saw `seconds`. */
static double share(const bench_spent *s, double seconds)
{
    return 100 * seconds / (s->total_seconds * s->threads);
}

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

static void add_milliseconds(double seconds, str *out)
{
    if (seconds > 0)
        str_addf(out, "%10.2f", 1e3 * seconds);
    else
        str_addf(out, "%10s", "");
}

/* Speed and share of the peak are those of the threads that were at it. */
static void add_row(const bench_spent *s, enum meter_kind kind, str *out)
{
    const meter_work *forward = &s->sums->of[kind][0], *backward = &s->sums->of[kind][1];
    double seconds = forward->seconds + backward->seconds, flops = forward->flops + backward->flops;
    if (seconds <= 0) return;
    str_addf(out, "  %-22s", meter_names[kind]);
    add_milliseconds(forward->seconds / s->times, out);
    add_milliseconds(backward->seconds / s->times, out);
    str_addf(out, "%8.1f %%", share(s, seconds));
    if (flops > 0)
        str_addf(out, "%10.1f%9.0f %%", 1e-9 * flops / seconds,
                 1e-7 * flops / seconds * s->threads / s->peak);
    str_addf(out, "\n");
}

void bench_spent_report(const bench_spent *s, str *out)
{
    str_addf(out, "  ms %-19s%10s%10s%10s%10s%11s\n", s->of, "forward", "backward", "share", "GFLOP/s",
             "of peak");
    for (int kind = 0; kind < METER_KINDS; kind++) add_row(s, (enum meter_kind)kind, out);
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

static bench_spent spent_of(const bench_result *r)
{
    return (bench_spent){"an update, a thread's", &r->spent,  r->total_seconds,
                         (double)r->updates,      r->threads, r->peak};
}

void bench_report(const bench_result *r, str *out)
{
    add_head(r, out);
    const bench_spent s = spent_of(r);
    bench_spent_report(&s, out);
    add_input(r, out);
}

/* --------------------------------------------------------------------------------------- for programs */

void bench_json_number(const char *key, double x, str *out)
{
    if (isfinite(x))
        str_addf(out, ", \"%s\": %.9g", key, x);
    else
        str_addf(out, ", \"%s\": null", key);
}

void bench_spent_json(const bench_spent *s, str *out)
{
    const char *before = "";
    str_addf(out, ", \"operations\": [");
    for (int kind = 0; kind < METER_KINDS; kind++) {
        const meter_work *forward = &s->sums->of[kind][0], *backward = &s->sums->of[kind][1];
        double seconds = forward->seconds + backward->seconds;
        if (seconds <= 0) continue;
        str_addf(out, "%s{\"name\": \"%s\"", before, meter_names[kind]);
        bench_json_number("forward_seconds", forward->seconds / s->times, out);
        bench_json_number("backward_seconds", backward->seconds / s->times, out);
        bench_json_number("share", share(s, seconds) / 100, out);
        bench_json_number("gflop", 1e-9 * (forward->flops + backward->flops) / s->times, out);
        bench_json_number("gflops", 1e-9 * (forward->flops + backward->flops) / seconds, out);
        str_addf(out, "}");
        before = ", ";
    }
    str_addf(out, "]");
}

void bench_json(const bench_result *r, str *out)
{
    str_addf(out, "{\"network\": \"%s\", \"clock\": \"%s\"", r->name, r->clock);
    bench_json_number("threads", r->threads, out);
    bench_json_number("parameters", (double)r->n_parameters, out);
    bench_json_number("vocab_size", r->vocab_size, out);
    bench_json_number("updates", (double)r->updates, out);
    bench_json_number("sentences_per_update", r->sentences, out);
    bench_json_number("src_tokens_per_update", r->src_tokens, out);
    bench_json_number("tgt_tokens_per_update", r->tgt_tokens, out);
    bench_json_number("seconds_per_update", r->seconds, out);
    bench_json_number("best_seconds", r->best_seconds, out);
    bench_json_number("tgt_tokens_per_s", r->tgt_rate, out);
    bench_json_number("all_tokens_per_s", r->all_rate, out);
    bench_json_number("gflops", r->gflops, out);
    bench_json_number("gflop_per_update", 1e-9 * r->flops, out);
    bench_json_number("peak_gflops", r->peak, out);
    bench_json_number("share_of_peak", r->gflops / r->peak, out);
    bench_json_number("peak_rss_mb", r->rss / (1 << 20), out);
    bench_json_number("last_loss", r->last_loss, out);
    if (r->input.open >= 0) {
        bench_json_number("input_first_epoch_seconds", r->input.open, out);
        bench_json_number("input_later_epoch_seconds", r->input.epoch, out);
        bench_json_number("epoch_update_seconds", r->input.update, out);
    }
    const bench_spent s = spent_of(r);
    bench_spent_json(&s, out);
    str_addf(out, "}\n");
}
