/* How a training is told: a live line on a terminal, plain lines in a pipe or file. */
#ifndef TULK_CMD_REPORT_H
#define TULK_CMD_REPORT_H

#include <stdbool.h>

#include "live.h"
#include "train/trainer.h"

typedef struct {
    bool quiet;
    live_line line;
    train_progress at; /* what it told: rates are of the time since then */
} train_report;

train_report report_new(bool quiet);
/* For train_job: `context` is a train_report. */
void report_progress(const train_progress *p, void *context);
void report_end(train_report *r); /* leaves the screen to others */

#endif
