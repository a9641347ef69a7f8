#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static double inverse_sqrt(const schedule *s, double warmup, double step)
{
    return step < warmup ? s->lr * step / warmup : s->lr * sqrt(warmup / step);
}

/* Section 5.3, equation 3 of Vaswani et al. 2017. */
static double noam(const schedule *s, double warmup, double step)
{
    return pow(s->d_model, -0.5) * fmin(pow(step, -0.5), step * pow(warmup, -1.5));
}

static double constant(const schedule *s, double warmup, double step)
{
    return step < warmup ? s->lr * step / warmup : s->lr;
}

static double linear(const schedule *s, double warmup, double step)
{
    double end = (double)s->total + 1, top = fmin(warmup, end - 1);
    return step < top ? s->lr * step / top : s->lr * fmax(0, (end - step) / (end - top));
}

/* Half a wave of the cosine, from the top to 0. */
static double cosine(const schedule *s, double warmup, double step)
{
    double end = (double)s->total + 1, top = fmin(warmup, end - 1);
    if (step < top) return s->lr * step / top;
    return s->lr * 0.5 * (1 + cos(acos(-1) * fmin(1, (step - top) / (end - top))));
}

const schedule_row schedules[] = {
    [SCHEDULE_INVERSE_SQRT] = {"inverse-sqrt", inverse_sqrt, false, false},
    [SCHEDULE_NOAM] = {"noam", noam, false, false},
    [SCHEDULE_CONSTANT] = {"constant", constant, false, false},
    [SCHEDULE_LINEAR] = {"linear", linear, true, false},
    [SCHEDULE_COSINE] = {"cosine", cosine, true, false},
    [SCHEDULE_PLATEAU] = {"plateau", constant, false, true},
    {NULL, NULL, false, false},
};

int schedule_find(const char *name)
{
    for (int i = 0; schedules[i].name; i++)
        if (strcmp(schedules[i].name, name) == 0) return i;
    return -1;
}

double schedule_lr(const schedule *s, long step)
{
    return schedules[s->kind].rate(s, s->warmup < 1 ? 1.0 : (double)s->warmup, (double)step);
}

double warmup_share(long warmup, long step)
{
    return step > warmup ? 1 : (double)(step - 1) / (double)warmup;
}
