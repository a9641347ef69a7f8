/* Where time goes: what belongs to which kind, on how many threads, and that nothing is counted when nobody
 * asks. */
#include "base/clock.h"
#include "base/meter.h"
#include "base/team.h"
#include "suite.h"
#include "tensor/tape.h"

static void spend(double seconds)
{
    for (double end = clock_seconds() + seconds; clock_seconds() < end;) {
    }
}

static double seconds_of(const meter_sums *s, enum meter_kind kind)
{
    return s->of[kind][0].seconds + s->of[kind][1].seconds;
}

static void inner(void)
{
    METER(METER_NORM);
    spend(0.004);
    meter_flops(5);
}

static void outer(void)
{
    METER_BACK(METER_LINEAR);
    meter_flops(7);
    spend(0.002);
    inner();
    spend(0.002);
    meter_flops(8);
}

static void test_off(void)
{
    meter_start(METER_WALL);
    meter_stop();
    outer();
    meter_sums s = meter_read();
    CU_ASSERT(seconds_of(&s, METER_LINEAR) == 0);
    CU_ASSERT(s.all.flops == 0);
    CU_ASSERT(meter_now() == METER_WAS_OFF);
}

static void test_nested(void)
{
    for (int clock = METER_WALL; clock <= METER_CPU; clock++) { /* a second start begins at zero */
        double from = clock_seconds();
        meter_start((enum meter_clock)clock);
        outer();
        meter_stop();
        double took = clock_seconds() - from;
        meter_sums s = meter_read();
        CU_ASSERT(s.of[METER_NORM][0].seconds == 0);
        CU_ASSERT(s.of[METER_LINEAR][1].flops == 15);
        CU_ASSERT(s.of[METER_NORM][1].flops == 5);
        CU_ASSERT(s.all.flops == 20);
        CU_ASSERT(s.all.seconds <= took + 1e-6);
        if (clock == METER_CPU) continue; /* how much of it this thread got is not ours to say */
        CU_ASSERT(s.of[METER_NORM][1].seconds >= 0.004);
        CU_ASSERT(s.of[METER_LINEAR][1].seconds >= 0.004);
        CU_ASSERT(s.of[METER_LINEAR][1].seconds <= took - 0.004); /* without what is nested in it */
    }
}

/* ------------------------------------------------------------------------------------- threads */

static void count_one(long i, void *context)
{
    (void)i, (void)context;
    spend(0.001);
    meter_flops(1);
}

static void test_team(void)
{
    team_set_threads(4);
    for (int again = 0; again < 3; again++) {
        meter_start(METER_WALL);
        {
            METER(METER_CELL);
            team_run(16, count_one, NULL);
        }
        meter_stop();
        meter_sums s = meter_read();
        CU_ASSERT(s.of[METER_CELL][0].flops == 16); /* on whatever thread */
        CU_ASSERT(s.all.flops == 16);
        CU_ASSERT(s.of[METER_CELL][0].seconds >= 0.016);
    }
    team_set_threads(1);
}

/* ---------------------------------------------------------------------------------------- tape */

typedef struct {
    tape_node node;
    double flops;
} counting_node;

static void count_back(tape_node *self) { meter_flops(((counting_node *)self)->flops); }

static void operation(tape *t, meter_place kind, double flops)
{
    METER_SCOPE(meter_enter(kind));
    counting_node *n = TAPE_NODE(t, counting_node);
    n->flops = flops;
    meter_flops(1);
    tape_push(t, &n->node, count_back);
}

static void test_tape(void)
{
    arena *memory = arena_new();
    tape t = tape_new(memory, true, true, 1, 1);
    meter_start(METER_WALL);
    operation(&t, METER_FORWARD(METER_NORM), 2);
    operation(&t, METER_FORWARD(METER_LOSS), 4);
    tape_backward(&t);
    meter_stop();
    meter_sums s = meter_read();
    CU_ASSERT(s.of[METER_NORM][0].flops == 1);
    CU_ASSERT(s.of[METER_NORM][1].flops == 2);
    CU_ASSERT(s.of[METER_LOSS][0].flops == 1);
    CU_ASSERT(s.of[METER_LOSS][1].flops == 4);
    arena_free(memory);
}

static void test_names(void)
{
    for (int kind = 0; kind < METER_KINDS; kind++) CU_ASSERT(meter_names[kind] != NULL);
}

int main(void)
{
    static CU_TestInfo tests[] = {{"nothing is counted when off", test_off},
                                  {"time goes to the innermost kind", test_nested},
                                  {"a team counts under its caller's kind", test_team},
                                  {"the tape remembers the kind", test_tape},
                                  {"every kind has a name", test_names},
                                  CU_TEST_INFO_NULL};
    return suite_run("meter", tests);
}
