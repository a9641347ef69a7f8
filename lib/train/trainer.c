#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "train/optimizer.h"

typedef struct {
    const train_job *job;
    const train_settings *set;
    arena *forever; /* the optimizer's moments */
    shards *shards;
    optimizer opt;
    ema mean; /* if settings ask for one */
    train_state state;
    train_progress progress;
    metric_log log;
    double began, before; /* clock at the start of this run; seconds of the runs before */
    double saved;         /* clock at the last checkpoint */
    int64_t start_update, saved_update;
    double start_epochs; /* epochs done when this run began, with a fraction */
    valid_scores scores;
    bool validated;
} trainer;

/* ------------------------------------------------------------------------------------- report */

static double elapsed(const trainer *t) { return t->before + clock_seconds() - t->began; }

static double epochs_done(const trainer *t)
{
    return (double)(t->state.epoch - 1) + (t->state.batches > 0 ? corpus_progress(t->job->data) : 0);
}

/* Seconds until `goal` at the pace of this run; NaN if there is no goal or no pace yet. */
static double time_to(double goal, double now, double start, double seconds)
{
    return goal > 0 && now > start ? fmax(0, (goal - now) / (now - start) * seconds) : NAN;
}

static double time_left(const trainer *t, double now)
{
    double run = now - t->before;
    double by_updates =
        time_to((double)t->set->updates, (double)t->state.update, (double)t->start_update, run);
    double by_epochs = time_to((double)t->set->epochs, epochs_done(t), t->start_epochs, run);
    double by_time = t->set->seconds > 0 ? fmax(0, t->set->seconds - now) : NAN;
    return fmin(by_updates, fmin(by_epochs, by_time)); /* fmin skips NaN */
}

static void report(trainer *t, enum train_event event)
{
    if (!t->job->report) return;
    train_progress *p = &t->progress;
    p->event = event;
    p->epoch = t->state.epoch;
    p->update = t->state.update;
    p->epoch_share = t->state.batches > 0 ? corpus_progress(t->job->data) : 0;
    p->elapsed = elapsed(t);
    p->left = time_left(t, p->elapsed);
    p->bad = t->state.bad;
    p->valid = event == TRAIN_VALIDATED ? &t->scores : NULL;
    t->job->report(p, t->job->context);
}

/* ------------------------------------------------------------------------------------- update */

static int diverged_at(const trainer *t, const char *what, int64_t update)
{
    char kept[160];
    const char *path = model_file_path(t->job->file);
    if (model_file_saved(t->job->file))
        snprintf(kept, sizeof kept, "%.100s keeps the checkpoint of update %lld", path,
                 (long long)t->saved_update);
    else
        snprintf(kept, sizeof kept, "nothing was saved");
    return fail(
        "training diverged: the %s of update %lld is not a finite number; lower --lr (%g) or --clip-norm, or "
        "raise --warmup (%s)",
        what, (long long)update, t->set->schedule.lr, kept);
}

/* In the update that is being made. */
static int diverged(const trainer *t, const char *what) { return diverged_at(t, what, t->state.update + 1); }

/* The batches of one update. */
typedef struct {
    model_sums sums;
    long first_words; /* target words of the first of them: the gradients are scaled by it */
    int64_t src_words, n;
} update_sums;

static void count_update(trainer *t, const update_sums *u, double seconds)
{
    t->state.update++;
    t->state.batches = corpus_done(t->job->data);
    t->state.loss += u->sums.loss;
    t->state.words += u->sums.words;
    t->progress.loss += u->sums.loss;
    t->progress.nll += u->sums.nll;
    t->progress.words += u->sums.words;
    t->progress.tokens += u->sums.words + u->src_words;
    t->progress.seconds += seconds;
}

static double rate(const trainer *t, int64_t step)
{
    schedule s = t->set->schedule;
    s.d_model = model_config(t->job->net)->d_model;
    return schedule_lr(&s, (long)step) * t->state.lr_scale;
}

/* Adds the batch's gradients. Those of all batches of an update are scaled as if the first were alone. */
static int add_batch(trainer *t, const pair_batch *b, update_sums *u)
{
    uint64_t seed = t->set->seed;
    int64_t step = t->state.update + 1;
    if (u->n == 0) u->first_words = (long)(seqs_total(&b->tgt) + b->tgt.n);
    gradient_settings how = {.seed = u->n == 0 ? seed : hash64_mix(seed, (uint64_t)u->n),
                             .update = step,
                             .loss = t->set->loss,
                             .teachers = t->job->teachers,
                             .dropout = warmup_share((long)t->set->dropout_warmup, (long)step),
                             .mean_words = u->first_words,
                             .recompute = t->set->recompute};
    model_sums sums = shards_gradients(t->shards, b, &how);
    u->sums.loss += sums.loss;
    u->sums.nll += sums.nll;
    u->sums.words += sums.words;
    u->src_words += (int64_t)(seqs_total(&b->src) + b->src.n);
    u->n++;
    return isfinite(sums.loss) ? 0 : diverged(t, "loss");
}

/* The gradients of as many batches as make an update; fewer at the end of the epoch. */
static int add_batches(trainer *t, const pair_batch *b, update_sums *u)
{
    int more = 1;
    while (more > 0) {
        if (add_batch(t, b, u) < 0) return -1;
        more = u->n < t->set->accumulate ? corpus_next(t->job->data, &b) : 0;
    }
    return more;
}

static int one_update(trainer *t, const pair_batch *b)
{
    double from = clock_seconds();
    int64_t step = t->state.update + 1;
    update_sums u = {.n = 0};
    if (add_batches(t, b, &u) < 0) return -1;
    double mean = (double)u.first_words / (double)u.sums.words; /* 1 with one batch */
    double norm = optimizer_norm(&t->opt) * mean;
    if (!isfinite(norm)) return diverged(t, "gradient");
    double lr = rate(t, step);
    optimizer_step(&t->opt, lr, clip_scale(norm, t->set->clip_norm) * mean,
                   (long)(step - t->state.restarted));
    if (t->set->ema > 0) ema_update(&t->mean, (long)step);
    t->progress.lr = lr;
    t->progress.norm = norm;
    count_update(t, &u, clock_seconds() - from);
    report(t, TRAIN_UPDATED);
    return 0;
}

/* ----------------------------------------------------------------- validation and checkpoints */

static ema *mean_of(trainer *t) { return t->set->ema > 0 ? &t->mean : NULL; }

static bool is_multiple(int64_t update, int64_t every) { return every > 0 && update % every == 0; }

static const checkpoint_rank not_validated = {.score = NAN};

static int save(trainer *t, const checkpoint_rank *rank)
{
    checkpoint_rank kept = *rank;
    if (is_multiple(t->state.update, t->set->save_every)) kept.keep = t->set->keep;
    t->state.seconds = elapsed(t);
    if (checkpoint_save(t->job->file, &t->opt, mean_of(t), &t->state, &kept, &t->log) < 0) return -1;
    t->saved = clock_seconds();
    t->saved_update = t->state.update;
    return 0;
}

static void log_validation(trainer *t)
{
    int64_t u = t->state.update;
    if (t->state.words > 0) metric_add(&t->log, u, "train.loss", t->state.loss / (double)t->state.words);
    metric_add(&t->log, u, "train.lr", rate(t, u));
    metric_add(&t->log, u, "train.seconds", elapsed(t));
    metric_add(&t->log, u, "valid.xent", t->scores.xent);
    metric_add(&t->log, u, "valid.ppl", t->scores.ppl);
    metric_add(&t->log, u, "valid.bleu", t->scores.bleu);
}

/* Larger is better; the first one always is. */
static bool improves(double score, double best) { return isnan(best) || score > best; }

/* Of a validation that counts. Whether it is the best of those. */
static bool count_validation(trainer *t, double score)
{
    train_state *s = &t->state;
    bool better = improves(score, s->patience_best);
    if (better) s->patience_best = score;
    s->bad = better ? 0 : s->bad + 1;
    s->lr_bad = better ? 0 : s->lr_bad + 1;
    s->loss = 0;
    s->words = 0;
    return better;
}

/* Validations have not got better for long enough: back to the best weights, with a lower rate. */
static int lower_rate(trainer *t)
{
    train_state *s = &t->state;
    s->lr_scale *= t->set->lr_factor;
    s->lr_bad = 0;
    s->restarted = s->update;
    t->progress.lowered = t->set->lr_factor;
    return checkpoint_turn_back(t->job->file, &t->opt, mean_of(t));
}

static bool has_plateau(const trainer *t)
{
    return schedules[t->set->schedule.kind].lowered && t->state.lr_bad > 0 &&
           t->state.lr_bad >= t->set->lr_patience;
}

static int run_validators(trainer *t)
{
    report(t, TRAIN_VALIDATING);
    if (mean_of(t)) ema_swap(&t->mean);
    params_pack(model_params(t->job->net));
    t->scores = validate(t->job->net, &t->job->valid);
    if (mean_of(t)) ema_swap(&t->mean);
    if (!isfinite(t->scores.xent)) return diverged_at(t, "validation loss", t->state.update);
    t->validated = true;
    t->state.valid_update = t->state.update;
    return 0;
}

/* `due`: by --valid-every. One at the end of a run that was stopped by a limit is not, and leaves the counts
 * of
 * --patience and --lr-patience alone, so that a run in pieces goes as a run in one would. */
static int run_validation(trainer *t, bool due)
{
    if (run_validators(t) < 0) return -1;
    train_state *s = &t->state;
    checkpoint_rank rank = {.score = t->set->metric == METRIC_BLEU ? t->scores.bleu : -t->scores.xent};
    log_validation(t);
    bool better = due && count_validation(t, rank.score);
    rank.turning = better && schedules[t->set->schedule.kind].lowered;
    rank.best = t->progress.best = improves(rank.score, s->best);
    if (rank.best) {
        s->best = rank.score;
        s->best_update = s->update;
    }
    t->progress.lowered = 1;
    if (due && has_plateau(t) && lower_rate(t) < 0) return -1;
    if (save(t, &rank) < 0) return -1;
    report(t, TRAIN_VALIDATED);
    return 0;
}

static int after_update(trainer *t)
{
    if (is_multiple(t->state.update, t->set->valid_every)) return run_validation(t, true);
    bool due = is_multiple(t->state.update, t->set->save_every) ||
               (t->set->save_seconds > 0 && clock_seconds() - t->saved >= t->set->save_seconds);
    if (!due) return 0;
    if (save(t, &not_validated) < 0) return -1;
    report(t, TRAIN_SAVED);
    return 0;
}

static int end_epoch(trainer *t)
{
    if (t->state.batches == 0) return fail("the training corpus gave no batch: it holds no usable pair");
    t->state.epoch++;
    t->state.batches = 0;
    if (t->set->valid_every == 0 && run_validation(t, true) < 0) return -1;
    return corpus_seek(t->job->data, t->state.epoch, 0);
}

/* --------------------------------------------------------------------------------------- loop */

/* Whether to stop now, and why. The time a validation takes is kept back from --time. */
static bool is_over(const trainer *t, enum train_end *why)
{
    const train_settings *s = t->set;
    const train_state *now = &t->state;
    bool signalled = t->job->stop && *t->job->stop;
    if (signalled)
        *why = END_SIGNAL;
    else if (s->patience > 0 && now->bad >= s->patience)
        *why = END_PATIENCE;
    else if (s->updates > 0 && now->update >= s->updates)
        *why = END_UPDATES;
    else if (s->epochs > 0 && now->epoch > s->epochs)
        *why = END_EPOCHS;
    else if (s->seconds > 0 && elapsed(t) + t->scores.seconds >= s->seconds)
        *why = END_TIME;
    else
        return false;
    return true;
}

static int loop(trainer *t, enum train_end *why)
{
    while (!is_over(t, why)) {
        const pair_batch *batch;
        int more = corpus_next(t->job->data, &batch);
        if (more < 0) return -1;
        int status = more == 0 ? end_epoch(t) : one_update(t, batch);
        if (status == 0 && more > 0) status = after_update(t);
        if (status < 0) return -1;
    }
    return 0;
}

/* What a stopped run still owes: a look at the final weights, unless the user is waiting to leave. */
static int finish(trainer *t, enum train_end why)
{
    bool looked = t->state.valid_update == t->state.update;
    if (why != END_SIGNAL && !looked) return run_validation(t, false);
    return t->saved_update == t->state.update ? 0 : save(t, &not_validated);
}

static int start(trainer *t)
{
    t->state = train_state_start();
    t->saved_update = -1;
    if (t->job->resume) {
        if (checkpoint_load(t->job->file, &t->opt, mean_of(t), &t->state) < 0) return -1;
        t->saved_update = t->state.update;
    }
    if (corpus_seek(t->job->data, t->state.epoch, t->state.batches) < 0) return -1;
    t->start_update = t->state.update;
    t->start_epochs = epochs_done(t);
    t->before = t->state.seconds;
    t->began = t->saved = clock_seconds();
    return 0;
}

int train_run(const train_job *job, const train_settings *settings, train_result *out)
{
    trainer t = {.job = job, .set = settings, .forever = arena_new()};
    t.opt = optimizer_new(model_params(job->net), &settings->optimizer, t.forever);
    if (settings->ema > 0) t.mean = ema_new(model_params(job->net), settings->ema, t.forever);
    enum train_end why = END_UPDATES;
    int status = start(&t);
    t.shards = shards_new(job->net);
    if (status == 0) status = loop(&t, &why);
    if (status == 0) status = finish(&t, why);
    if (status == 0)
        *out = (train_result){.end = why, .state = t.state, .last = t.scores, .validated = t.validated};
    free(t.log.list);
    shards_free(t.shards);
    arena_free(t.forever);
    return status;
}
