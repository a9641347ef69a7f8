#include "report.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

/* Seconds between two lines. */
static const double LIVE_EVERY = 0.25, PLAIN_EVERY = 10;

train_report report_new(bool quiet)
{
    return (train_report){.quiet = quiet, .terminal = isatty(STDERR_FILENO), .told = -INFINITY};
}

void report_end(train_report *r)
{
    if (r->live) fprintf(stderr, "\r\033[K");
    r->live = false;
}

static double per(double sum, double of) { return of > 0 ? sum / of : 0; }

static void tell_update(train_report *r, const train_progress *p)
{
    double loss = per(p->loss - r->at.loss, (double)(p->words - r->at.words));
    double speed = per((double)(p->tokens - r->at.tokens), p->seconds - r->at.seconds);
    char took[32], left[32];
    fprintf(stderr, "%sepoch %lld %3.0f %%  update %lld  loss %.3f  ppl %.2f  %.0f tokens/s  lr %.3g  %s",
            r->terminal ? "\r" : "", (long long)p->epoch, 100 * p->epoch_share, (long long)p->update, loss,
            exp(loss), speed, p->lr, clock_human(p->elapsed, took));
    if (!isnan(p->left)) fprintf(stderr, "  %s left", clock_human(p->left, left));
    fprintf(stderr, r->terminal ? "\033[K" : "\n");
    r->live = r->terminal;
    r->at = *p;
    r->told = clock_seconds();
}

static void tell_validation(train_report *r, const train_progress *p)
{
    char took[32], elapsed[32];
    report_end(r);
    fprintf(stderr,
            "valid: epoch %lld  update %lld  cross-entropy %.4f  ppl %.2f  BLEU %.2f  %s  (%s, at %s)\n",
            (long long)p->epoch, (long long)p->update, p->valid->xent, p->valid->ppl, p->valid->bleu,
            p->best ? "best so far" : "not better", clock_human(p->valid->seconds, took),
            clock_human(p->elapsed, elapsed));
}

void report_progress(const train_progress *p, void *context)
{
    train_report *r = context;
    if (r->quiet) return;
    if (p->event == TRAIN_UPDATED) {
        if (clock_seconds() - r->told >= (r->terminal ? LIVE_EVERY : PLAIN_EVERY)) tell_update(r, p);
    } else if (p->event == TRAIN_VALIDATING) {
        if (p->update > r->at.update && p->words > r->at.words) tell_update(r, p);
        if (r->terminal) fprintf(stderr, "  validating ...");
    } else if (p->event == TRAIN_VALIDATED) {
        tell_validation(r, p);
    }
    fflush(stderr);
}
