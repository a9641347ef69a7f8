/* What the values say to the other rooms. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "options/internal.h"

static int value_int(const options *o, const char *key, int otherwise)
{
    return options_value(o, key) ? (int)options_int(o, key) : otherwise;
}

/* Where no length is set, that of the table's row. */
static int longest_source(const options *o)
{
    const option_row *row = option_find(FOR_TRAIN, "max-len");
    return row->commands & o->command ? (int)options_int(o, "max-len") : atoi(row->initial);
}

/* Whether an RNN decoder has something to read beside its state, or to feed. */
static bool has_readout(const net_config *c)
{
    return strcmp(c->attention, "none") || strcmp(c->context, "every-step") == 0 || c->input_feeding;
}

/* --arch speaks for both sides, unless --enc or --dec was set where it counts at least as much. */
void options_settle_arch(options *o)
{
    static const char *const sides[] = {"enc", "dec"};
    const option_row *arch = option_find(o->command, "arch");
    for (int i = 0; arch && i < 2; i++) {
        const option_row *row = option_find(o->command, sides[i]);
        const option_value *from = &o->values[arch - option_table], *side = &o->values[row - option_table];
        if (!side->text || side->level < from->level)
            BUG_IF(options_put(o, row, from->text, from->level, row->key));
    }
}

net_config options_network(const options *o)
{
    net_config c = {
        .enc = options_text(o, "enc"),
        .dec = options_text(o, "dec"),
        .shared_vocab = !options_flag(o, "separate-vocabs"),
        .d_model = (int)options_int(o, "d-model"),
        .d_emb = (int)options_int(o, "d-emb"),
        .enc_layers = (int)options_int(o, "enc-layers"),
        .dec_layers = (int)options_int(o, "dec-layers"),
        .tie = options_text(o, "tie"),
        .dropout = options_real(o, "dropout"),
        .dropout_attention = options_real(o, "dropout-attention"),
        .dropout_ff = options_real(o, "dropout-ff"),
        .dropout_emb = options_real(o, "dropout-emb"),
        .cell = options_text(o, "cell"),
        .attention = options_text(o, "attention"),
        .context = options_text(o, "context"),
        .bidirectional = options_flag(o, "bidirectional"),
        .readout = options_text(o, "readout"),
        .input_feeding = options_flag(o, "input-feeding"),
        .residual = options_flag(o, "residual"),
        .d_readout = value_int(o, "d-readout", -1),
        .d_attention = value_int(o, "d-attention", (int)options_int(o, "d-model")),
        .attention_span = value_int(o, "attention-span", longest_source(o) + 1),
        .d_ff = (int)options_int(o, "d-ff"),
        .n_heads = (int)options_int(o, "n-heads"),
        .norm = options_text(o, "norm"),
        .norm_type = options_text(o, "norm-type"),
        .positions = options_text(o, "positions"),
        .max_positions = (int)options_int(o, "max-positions"),
        .activation = options_text(o, "activation"),
    };
    if (isnan(c.dropout_emb)) c.dropout_emb = c.dropout;
    if (c.d_readout < 0) c.d_readout = has_readout(&c) ? c.d_emb : 0;
    return c;
}

search_options options_search(const options *o)
{
    return (search_options){
        .beam = (int)options_int(o, "beam"),
        .length_penalty = options_real(o, "length-penalty"),
        .penalty = options_choice(o, "length-penalty-type"),
        .stop = (enum beam_stop)options_choice(o, "beam-stop"),
        .coverage = options_real(o, "coverage-penalty"),
        .place = {(int)options_int(o, "alignment-layer"), (int)options_int(o, "alignment-head")},
        .max_len_ratio = options_real(o, "max-len-ratio"),
        .max_len_extra = 10,
        .min_len = (int)options_int(o, "min-len"),
        .no_repeat_ngram = (int)options_int(o, "no-repeat-ngram"),
        .n_best = value_int(o, "n-best", 1),
        .batch_tokens = (int)options_int(o, "batch-tokens"),
        .sample = options_flag(o, "sample"),
        .temperature = options_real(o, "temperature"),
        .top_k = (int)fmin((double)options_int(o, "top-k"), INT_MAX),
        .top_p = options_real(o, "top-p"),
        .seed = (uint64_t)options_int(o, "seed"),
    };
}

static int check_without_sample(const options *o)
{
    static const char *const keys[] = {"temperature", "top-k", "top-p"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (options_given(o, keys[i])) return fail("--%s: goes with --sample, say both", keys[i]);
    int n = value_int(o, "n-best", 1), beam = (int)options_int(o, "beam");
    if (options_real(o, "coverage-penalty") > 0 && options_choice(o, "beam-stop") == STOP_EXACT)
        return fail("--coverage-penalty and --beam-stop exact: coverage is known of finished hypotheses "
                    "alone, give one");
    if (n > beam) return fail("--n-best %d: at most --beam (%d), make the beam as wide", n, beam);
    return 0;
}

int options_check_search(const options *o)
{
    if (!options_flag(o, "sample")) return check_without_sample(o);
    static const char *const keys[] = {"beam", "beam-stop"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (options_given(o, keys[i]))
            return fail("--%s and --sample: draws know no beam, give one", keys[i]);
    return 0;
}

static bool set_by_user(const options *o, const option_row *row)
{
    return row->commands & o->command && o->values[row - option_table].level > LEVEL_PRESET;
}

void options_note_unused(const options *o, const net_config *c)
{
    str unused = {0};
    for (const option_row *row = option_table; row->key; row++)
        if (set_by_user(o, row) && !net_config_uses(c, row->key))
            str_addf(&unused, "%s--%s", unused.n ? ", " : "", row->key);
    if (unused.n && !strcmp(c->enc, c->dec))
        note("not used by this network (--arch %s) and left alone: %s", c->enc, str_text(&unused));
    else if (unused.n)
        note("not used by this network (--enc %s --dec %s) and left alone: %s", c->enc, c->dec,
             str_text(&unused));
    str_free(&unused);
}

static void note_optimizer(const options *o)
{
    const char *name = options_text(o, "optimizer");
    str unused = {0};
    for (const option_row *row = option_table; row->key; row++)
        if (set_by_user(o, row) && !optimizer_uses((enum optimizer_kind)optimizer_find(name), row->key))
            str_addf(&unused, "%s--%s", unused.n ? ", " : "", row->key);
    if (unused.n) note("not used by --optimizer %s and left alone: %s", name, str_text(&unused));
    str_free(&unused);
}

static void note_schedule(const options *o)
{
    static const char *const keys[] = {"lr-patience", "lr-factor"};
    const char *name = options_text(o, "schedule");
    if (schedules[schedule_find(name)].lowered) return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (set_by_user(o, option_find(FOR_TRAIN, keys[i])))
            note("not used by --schedule %s and left alone: --%s", name, keys[i]);
}

/* A vocabulary that is given was learned with settings of its own. */
static void note_learned(const options *o)
{
    static const char *const keys[] = {"vocab-size", "separate-vocabs", "normalize", "casefold"};
    str unused = {0};
    const char *from = options_text(o, "vocab") ? "vocab" : options_text(o, "init") ? "init" : NULL;
    for (size_t i = 0; from && i < sizeof keys / sizeof *keys; i++)
        if (set_by_user(o, option_find(FOR_TRAIN, keys[i])))
            str_addf(&unused, "%s--%s", unused.n ? ", " : "", keys[i]);
    if (unused.n) note("left alone, the vocabulary of --%s has its own: %s", from, str_text(&unused));
    str_free(&unused);
}

int check_network(const options *o)
{
    if (options_flag(o, "resume") && options_flag(o, "overwrite"))
        return fail("--resume and --overwrite contradict each other, give one");
    if (options_flag(o, "resume")) return 0; /* the rest of the settings is in the model file */
    const char *schedule_name = options_text(o, "schedule");
    if (schedules[schedule_find(schedule_name)].needs_total && !value_int(o, "updates", 0))
        return fail("--schedule %s needs --updates, to know where the learning rate ends", schedule_name);
    bool init = options_text(o, "init"); /* the network is in that file */
    if (init && options_text(o, "vocab"))
        return fail("--vocab and --init contradict each other: a model comes with its vocabulary");
    net_config c = options_network(o);
    c.src_vocab = c.tgt_vocab = (int)options_int(o, "vocab-size"); /* the sizes are known later */
    if (!init && net_config_check(&c)) return -1;
    if (options_flag(o, "quiet")) return 0;
    if (!init) options_note_unused(o, &c);
    note_optimizer(o);
    note_schedule(o);
    note_learned(o);
    return 0;
}
