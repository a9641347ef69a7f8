/* Where time goes: seconds and floating-point operations of each kind of work, forward and backward apart.
 *
 * Off unless meter_start was called; then entering and leaving a kind is one branch. On, each thread counts
 * for itself, what it does by itself: time is given to the innermost kind that was entered, and not to those
 * around it. Threads of a team count what they do under the kind that the team was called from (base/team.c).
 * Nothing but reading looks at other threads, so read and restart while no team is at work.
 *
 * An operation that the tape records needs one line, METER(KIND), at its beginning: the tape knows the kind
 * of what is recorded within, and enters it again when it runs backward (tensor/tape.c). */
#ifndef TULK_BASE_METER_H
#define TULK_BASE_METER_H

#include <stdbool.h>

/* Kinds of work; their names stand in meter_names[]. */
enum meter_kind {
    METER_OTHER,   /* what nobody has claimed */
    METER_WAITING, /* threads of a team: for the others, or for something to do */
    METER_PACKING, /* of weights, once for many products */
    METER_INPUT,
    METER_EMBEDDING,
    METER_LINEAR,
    METER_ATTENTION,
    METER_ACTIVATION,
    METER_DROPOUT, /* and residuals */
    METER_NORM,
    METER_ROWS, /* gathered, joined */
    METER_RECURRENT_PRODUCTS,
    METER_CELL,
    METER_RECURRENT_ATTENTION,
    METER_LOSS,
    METER_GRADIENTS, /* cleared, added up, their norm */
    METER_OPTIMIZER,
    METER_KINDS
};

extern const char *const meter_names[METER_KINDS];

/* A kind and a direction, as a small number: what a thread is at. */
typedef int meter_place;
#define METER_FORWARD(kind)  ((meter_place)(kind)*2)
#define METER_BACKWARD(kind) ((meter_place)(kind)*2 + 1)

typedef struct {
    double seconds, flops;
} meter_work;

typedef struct {
    meter_work of[METER_KINDS][2]; /* [kind][0 forward, 1 backward] */
    meter_work all;
} meter_sums;

/* Which clock: that of the wall, or that of the processor time of each thread, which other programs do not
 * disturb but which costs more to read and does not see waiting. */
enum meter_clock { METER_WALL, METER_CPU };

/* Begins to count, from zero. This thread is at METER_OTHER, all others are waiting. */
void meter_start(enum meter_clock clock);
/* Counts no more. */
void meter_stop(void);
/* What all threads did since meter_start. A thread that is at something is counted up to its last change. */
meter_sums meter_read(void);

/* ------------------------------------------------------------------------------- for those who do work */

extern bool meter_is_on;

enum { METER_WAS_OFF = -1 };
meter_place meter_change(meter_place to); /* what this thread was at before */
void meter_count_flops(double flops);     /* under what the thread is at */

static inline meter_place meter_enter(meter_place place)
{
    return meter_is_on ? meter_change(place) : METER_WAS_OFF;
}

static inline void meter_leave(meter_place before)
{
    if (before != METER_WAS_OFF) meter_change(before);
}

static inline void meter_flops(double flops)
{
    if (meter_is_on) meter_count_flops(flops);
}

/* Enters the kind that matrix products have here (those of a recurrent layer are told from its cell) and
 * counts them. */
meter_place meter_change_to_product(double flops);

static inline meter_place meter_product(double flops)
{
    return meter_is_on ? meter_change_to_product(flops) : METER_WAS_OFF;
}

/* What the calling thread is at; METER_WAS_OFF while nothing is counted. */
meter_place meter_here(void);
static inline meter_place meter_now(void) { return meter_is_on ? meter_here() : METER_WAS_OFF; }

/* The place of a kind in the direction that this thread is going; the backward one of the kind of `place`. */
static inline meter_place meter_toward(enum meter_kind kind)
{
    return meter_is_on ? METER_FORWARD(kind) + meter_here() % 2 : METER_WAS_OFF;
}
static inline meter_place meter_backward_of(meter_place place) { return place < 0 ? 1 : place | 1; }

static inline void meter_scope_end(const meter_place *before) { meter_leave(*before); }
#define METER_SCOPE(entered)                                                                                 \
    __attribute__((cleanup(meter_scope_end), unused)) const meter_place meter_before = entered

/* One a block, at its beginning. Until its end the thread is at this kind: in the direction that it is going,
 * or backward; or at a product of matrices within another kind. */
#define METER(kind)          METER_SCOPE(meter_enter(meter_toward(kind)))
#define METER_BACK(kind)     METER_SCOPE(meter_enter(METER_BACKWARD(kind)))
#define METER_PRODUCT(flops) METER_SCOPE(meter_product(flops))

#endif
