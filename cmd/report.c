#include "report.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

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

/* A live line must not be longer than the terminal is wide: it could not be taken back. */
static int width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

static void print_line(train_report *r, const str *line)
{
    if (r->terminal)
        fprintf(stderr, "\r%.*s\033[K", width(), str_text(line));
    else
        fprintf(stderr, "%s\n", str_text(line));
    r->live = r->terminal;
}

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
    print_line(r, &line);
    str_free(&line);
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
    if (p->lowered < 1)
        fprintf(stderr, "plateau: learning rate times %g, back to the best weights\n", p->lowered);
}

void report_progress(const train_progress *p, void *context)
{
    train_report *r = context;
    if (r->quiet) return;
    if (p->event == TRAIN_UPDATED) {
        if (clock_seconds() - r->told >= (r->terminal ? LIVE_EVERY : PLAIN_EVERY)) tell_update(r, p);
    } else if (p->event == TRAIN_VALIDATING) {
        if (p->update > r->at.update && p->words > r->at.words) tell_update(r, p);
        if (r->terminal) fprintf(stderr, "\r\033[Kvalidating ...");
        r->live = r->terminal;
    } else if (p->event == TRAIN_VALIDATED) {
        tell_validation(r, p);
    }
    fflush(stderr);
}
