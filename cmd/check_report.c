#include "check_report.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "command.h"

/* -------------------------------------------------------------------------------------------- text */

static void add_lines(const check_finding *f, const char *repeat, str *out)
{
    for (int i = 0; i < f->count && i < CHECK_PLACES; i++) {
        str_addf(out, "%s%" PRId64, i ? ", " : ": line ", f->lines[i]);
        if (f->other[i]) str_addf(out, " (%s%" PRId64 ")", repeat, f->other[i]);
    }
    str_addf(out, f->count > CHECK_PLACES ? ", ...\n" : "\n");
}

static void tell_usual(const check_options *o, const check_report *r, str *out)
{
    str_addf(out, "%-24s %16s %16s\n", "", "source", "target");
    str_addf(out, "%-24s %16" PRId64 " %16" PRId64 "\n", "lines", r->lines[0], r->lines[1]);
    str_addf(out, "%-24s %16s %16s\n", "script", r->script[0], r->script[1]);
    if (r->language[0] || r->language[1])
        str_addf(out, "%-24s %16s %16s\n", "language", r->language[0] ? r->language[0] : "-",
                 r->language[1] ? r->language[1] : "-");
    str_addf(out, "%-24s %16.1f %16.1f\n", "words a line", r->words[0], r->words[1]);
    str_addf(out, "%-24s %16.1f %16.1f\n\n", "characters a line", r->characters[0], r->characters[1]);
    for (int side = 0; side < 2; side++)
        if (r->tokenized[side])
            str_addf(out, "%s looks tokenised: blanks before full stops and commas\n", o->paths[side]);
}

static void tell_names(const check_options *o, const check_report *r, str *out)
{
    if (check_names_swapped(r)) {
        str_addf(out, "the files are the wrong way round: %s reads like %s, %s like %s\n", o->paths[0],
                 r->language[0], o->paths[1], r->language[1]);
        return;
    }
    for (int side = 0; side < 2; side++)
        if (check_name_wrong(r, side))
            str_addf(out, "%s reads like %s, not like %s as its name says\n", o->paths[side],
                     r->language[side], r->named[side]);
}

static void tell_regions(const check_options *o, const check_report *r, str *out)
{
    for (int i = 0; i < r->n_regions; i++) {
        const check_region *g = &r->regions[i];
        str_addf(out,
                 "lines %" PRId64 " to %" PRId64 " are shifted: line %" PRId64
                 " of %s goes with line %" PRId64 " of %s (%+d)\n",
                 g->first, g->last, g->first, o->paths[0], g->first + g->by, o->paths[1], g->by);
    }
}

static void tell_findings(const check_options *o, const check_report *r, str *out)
{
    for (int kind = 0; kind < CHECK_KINDS; kind++)
        for (int side = 0; side < 2; side++) {
            const check_finding *f = &r->findings[kind][side];
            if (!f->count || kind == CHECK_SHIFTED) continue;
            if (kind < CHECK_SIDES)
                str_addf(out, "%s: %" PRId64 " line%s %s", o->paths[side], f->count, plural(f->count),
                         check_rows[kind].what);
            else
                str_addf(out, "%" PRId64 " pair%s %s", f->count, plural(f->count), check_rows[kind].what);
            add_lines(f, kind == CHECK_DUPLICATE ? "as " : "there ", out);
        }
}

static void tell_cost(const check_options *o, const check_cost *c, str *out)
{
    str_addf(out, "\n%-24s %16d %16d\n", c->model ? "vocabulary" : "vocabulary (a sample's)",
             c->vocab_size[0], c->vocab_size[1]);
    str_addf(out, "%-24s %16.1f %16.1f\n", "pieces a line", c->pieces[0], c->pieces[1]);
    str_addf(out, "%-24s %15.3f%% %15.3f%%\n", "covered by pieces", 100 - 100 * c->spelled[0],
             100 - 100 * c->spelled[1]);
    for (int side = 0; side < 2; side++)
        if (c->unknown[side].count) {
            str_addf(out, "%s: %" PRId64 " line%s with characters that the vocabulary spells in bytes",
                     o->paths[side], c->unknown[side].count, plural(c->unknown[side].count));
            add_lines(&c->unknown[side], "", out);
        }
    if (c->too_long)
        str_addf(out, "%" PRId64 " pair%s of more than %d pieces on a side: training leaves them out\n",
                 c->too_long, plural(c->too_long), c->max_len);
    if (!c->preset) return;
    char time[32];
    str_addf(out,
             "preset %s, %.1f million parameters: %.0f updates of %d tokens an epoch, about %s on %d "
             "thread%s, about %.0f MB\n",
             c->preset, 1e-6 * (double)c->parameters, c->updates, c->batch_tokens,
             clock_human(c->seconds, time), c->threads, plural(c->threads), 1e-6 * c->bytes);
}

void check_tell(const check_options *o, const check_report *r, const check_cost *cost, str *out)
{
    tell_usual(o, r, out);
    if (r->lines[0] != r->lines[1])
        str_addf(out,
                 "the files have unequal line counts, %" PRId64 " and %" PRId64
                 ": line n of one must be the translation of line n of the other\n",
                 r->lines[0], r->lines[1]);
    tell_names(o, r, out);
    tell_regions(o, r, out);
    tell_findings(o, r, out);
    if (!r->compared_all)
        str_addf(out, "repeated pairs were looked for among the first %d distinct pairs\n", CHECK_PAIRS);
    if (!check_found(r)) str_addf(out, "nothing wrong was found\n");
    if (cost) tell_cost(o, cost, out);
}

/* -------------------------------------------------------------------------------------------- JSON */

static void json_text(const char *key, const char *text, str *out)
{
    str_addf(out, "\"%s\": ", key);
    if (text)
        json_string(text, out);
    else
        str_addf(out, "null");
}

static void json_lines(const char *key, const int64_t *list, int64_t n, str *out)
{
    str_addf(out, "\"%s\": [", key);
    for (int64_t i = 0; i < n && i < CHECK_PLACES; i++) str_addf(out, "%s%" PRId64, i ? ", " : "", list[i]);
    str_addf(out, "]");
}

static void json_side(const check_options *o, const check_report *r, int side, str *out)
{
    str_addf(out, "%s{", side ? ", " : "");
    json_text("file", o->paths[side], out);
    str_addf(out, ", \"lines\": %" PRId64 ", ", r->lines[side]);
    json_text("script", r->script[side], out);
    str_addf(out, ", ");
    json_text("language", r->language[side], out);
    str_addf(out, ", ");
    json_text("named", r->named[side], out);
    str_addf(out, ", \"words\": ");
    json_number(r->words[side], out);
    str_addf(out, ", \"characters\": ");
    json_number(r->characters[side], out);
    str_addf(out, ", \"tokenised\": %s}", r->tokenized[side] ? "true" : "false");
}

static void json_finding(int kind, int side, const check_finding *f, bool *first, str *out)
{
    str_addf(out, "%s{\"kind\": \"%s\", ", *first ? "" : ", ", check_rows[kind].name);
    if (kind < CHECK_SIDES) str_addf(out, "\"side\": \"%s\", ", side ? "tgt" : "src");
    str_addf(out, "\"count\": %" PRId64 ", ", f->count);
    json_lines("lines", f->lines, f->count, out);
    if (kind == CHECK_DUPLICATE || kind == CHECK_VALID || kind == CHECK_TEST) {
        str_addf(out, ", ");
        json_lines("others", f->other, f->count, out);
    }
    str_addf(out, "}");
    *first = false;
}

static void json_cost(const check_cost *c, str *out)
{
    str_addf(out, ", \"vocabulary\": {");
    json_text("model", c->model, out);
    str_addf(out, ", \"pairs\": %" PRId64 ", \"too_long\": %" PRId64 ", \"max_len\": %d, \"sides\": [",
             c->pairs, c->too_long, c->max_len);
    for (int side = 0; side < 2; side++) {
        str_addf(out, "%s{\"size\": %d, \"pieces\": ", side ? ", " : "", c->vocab_size[side]);
        json_number(c->pieces[side], out);
        str_addf(out, ", \"covered\": ");
        json_number(1 - c->spelled[side], out);
        str_addf(out, ", \"spelled\": %" PRId64 ", ", c->unknown[side].count);
        json_lines("lines", c->unknown[side].lines, c->unknown[side].count, out);
        str_addf(out, "}");
    }
    str_addf(out, "]}");
    if (!c->preset) return;
    str_addf(out, ", \"training\": {");
    json_text("preset", c->preset, out);
    str_addf(out,
             ", \"parameters\": %zu, \"updates\": %.0f, \"batch_tokens\": %d, \"threads\": %d, \"seconds\": ",
             c->parameters, c->updates, c->batch_tokens, c->threads);
    json_number(c->seconds, out);
    str_addf(out, ", \"bytes\": %.0f}", c->bytes);
}

void check_json(const check_options *o, const check_report *r, const check_cost *cost, str *out)
{
    bool first = true;
    str_addf(out, "{\"sides\": [");
    for (int side = 0; side < 2; side++) json_side(o, r, side, out);
    str_addf(out, "], \"pairs\": %" PRId64 ", \"ratio\": ", r->pairs);
    json_number(r->ratio, out);
    str_addf(out, ", \"unequal\": %s, \"files_swapped\": %s, \"compared_all\": %s, \"findings\": [",
             r->lines[0] != r->lines[1] ? "true" : "false", check_names_swapped(r) ? "true" : "false",
             r->compared_all ? "true" : "false");
    for (int kind = 0; kind < CHECK_KINDS; kind++)
        for (int side = 0; side < 2; side++)
            if (r->findings[kind][side].count)
                json_finding(kind, side, &r->findings[kind][side], &first, out);
    str_addf(out, "], \"shifts\": [");
    for (int i = 0; i < r->n_regions; i++)
        str_addf(out, "%s{\"first\": %" PRId64 ", \"last\": %" PRId64 ", \"by\": %d}", i ? ", " : "",
                 r->regions[i].first, r->regions[i].last, r->regions[i].by);
    str_addf(out, "]");
    if (cost) json_cost(cost, out);
    str_addf(out, "}\n");
}
