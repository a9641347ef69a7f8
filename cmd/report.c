#include "report.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"

train_report report_new(bool quiet) { return (train_report){.quiet = quiet, .line = live_new()}; }

void report_end(train_report *r) { live_end(&r->line); }

static double per(double sum, double of) { return of > 0 ? sum / of : 0; }

static void tell_update(train_report *r, const train_progress *p)
{
    double words = (double)(p->words - r->at.words);
    double speed = per((double)(p->tokens - r->at.tokens), p->seconds - r->at.seconds);
    char took[32], left[32];
    str line = {0};
    str_addf(&line, "epoch %lld  %.0f %%  update %lld  loss %.3f  ppl %.1f  %.0f tokens/s  %s",
             (long long)p->epoch, 100 * p->epoch_share, (long long)p->update,
             per(p->loss - r->at.loss, words), exp(per(p->nll - r->at.nll, words)), speed,
             clock_human(p->elapsed, took));
    if (!isnan(p->left)) str_addf(&line, "  %s left", clock_human(p->left, left));
    str_addf(&line, "  lr %.3g", p->lr); /* last: a narrow terminal can do without */
    live_tell(&r->line, &line);
    str_free(&line);
    r->at = *p;
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
    if (p->lowered < 1)
        fprintf(stderr, "plateau: learning rate times %g, back to the best weights\n", p->lowered);
}

void report_progress(const train_progress *p, void *context)
{
    train_report *r = context;
    if (r->quiet) return;
    if (p->event == TRAIN_UPDATED) {
        if (live_due(&r->line)) tell_update(r, p);
    } else if (p->event == TRAIN_VALIDATING) {
        if (p->update > r->at.update && p->words > r->at.words) tell_update(r, p);
        live_flash(&r->line, "validating ...");
    } else if (p->event == TRAIN_VALIDATED) {
        tell_validation(r, p);
    }
    fflush(stderr);
}
