#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static double inverse_sqrt(double lr, double warmup, double d_model, double step)
{
    (void)d_model;
    return step < warmup ? lr * step / warmup : lr * sqrt(warmup / step);
}

/* Section 5.3, equation 3 of Vaswani et al. 2017. */
static double noam(double lr, double warmup, double d_model, double step)
{
    (void)lr;
    return pow(d_model, -0.5) * fmin(pow(step, -0.5), step * pow(warmup, -1.5));
}

static double constant(double lr, double warmup, double d_model, double step)
{
    (void)d_model;
    return step < warmup ? lr * step / warmup : lr;
}

const schedule_row schedules[] = {
    [SCHEDULE_INVERSE_SQRT] = {"inverse-sqrt", inverse_sqrt},
    [SCHEDULE_NOAM] = {"noam", noam},
    [SCHEDULE_CONSTANT] = {"constant", constant},
    {NULL, NULL},
};

int schedule_find(const char *name)
{
    for (int i = 0; schedules[i].name; i++)
        if (strcmp(schedules[i].name, name) == 0) return i;
    return -1;
}

double schedule_lr(enum schedule_kind kind, double lr, long warmup, int d_model, long step)
{
    return schedules[kind].rate(lr, warmup < 1 ? 1.0 : (double)warmup, d_model, (double)step);
}
