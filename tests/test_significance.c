/* Random draws, intervals and p-values against numbers that NumPy 1.24 made. */
#include "eval/significance.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/team.h"
#include "eval/numpy_random.h"
#include "suite.h"

/* ------------------------------------------------------------------------------------ draws */

/* choice(below, size=8) of default_rng(seed) */
static void test_choice(void)
{
    static const struct {
        uint64_t seed;
        uint32_t below, want[8];
    } rows[] = {
        {12345u, 200u, {139u, 45u, 157u, 63u, 40u, 159u, 128u, 135u}},
        {0u, 1u, {0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u}},
        {1u, 2u, {0u, 1u, 1u, 1u, 0u, 0u, 1u, 1u}},
        {12345u,
         3000000000u,
         {2097645094u, 682008066u, 2365940964u, 950275018u, 2392096371u, 2028764011u, 2518275128u,
          1794926260u}},
        {4294967296u, 1000u, {522u, 889u, 992u, 557u, 302u, 800u, 228u, 956u}},
        {18446744073709551615u, 65537u, {35911u, 44566u, 62265u, 55399u, 23491u, 485u, 6562u, 58627u}},
        {7u,
         4294967295u,
         {4058335882u, 2684764584u, 2938530452u, 3853503931u, 2483747169u, 3331544670u, 3580503873u,
          967257514u}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t got[8];
        numpy_rng r = numpy_rng_new(rows[i].seed);
        numpy_choice(&r, rows[i].below, got, 3);
        numpy_choice(&r, rows[i].below, got + 3, 5); /* a second call goes on */
        CU_ASSERT_EQUAL(memcmp(got, rows[i].want, sizeof got), 0);
    }
}

/* integers(2, size=70, dtype=bool) of default_rng(12345), and bit_generator.advance(1000003) */
static void test_coins_and_skip(void)
{
    static const char want[] = "1011100110000011111111110100110110110001100011010100110001011100011110";
    numpy_rng r = numpy_rng_new(12345);
    uint32_t coins = 0;
    for (size_t i = 0; i < sizeof want - 1; i++) {
        coins = i % 32 ? coins >> 1 : numpy_u32(&r);
        CU_ASSERT_EQUAL((int)(coins & 1), want[i] - '0');
    }
    r = numpy_rng_new(12345);
    numpy_skip(&r, 1000003);
    CU_ASSERT_EQUAL(numpy_u64(&r), 255089232856700435u);
    r = numpy_rng_new(7);
    numpy_rng slow = r;
    for (int i = 0; i < 77; i++) numpy_u64(&slow);
    numpy_skip(&r, 77);
    CU_ASSERT_EQUAL(numpy_u64(&r), numpy_u64(&slow));
}

/* ------------------------------------------------------------------------------------ a metric for the test
 */

/* The share of hits among what was counted, a third statistic weighing in; as sacreBLEU's metrics the share
 * is a float in single precision. */
static int count_stats(const metric_options *o)
{
    (void)o;
    return 3;
}

static double share(const metric_options *o, const double *s, enum metric_precision precision)
{
    (void)o;
    double quotient = precision == METRIC_SINGLE ? (double)((float)s[0] / (float)s[1]) : s[0] / s[1];
    return 100 * quotient + s[2] / 1024;
}

static double root(const metric_options *o, const double *s, enum metric_precision precision)
{
    return sqrt(share(o, s, precision));
}

static const metric test_metric = {.key = "share", .n_stats = count_stats, .score = share};
static const metric root_metric = {.key = "root", .n_stats = count_stats, .score = root};

enum { SYSTEMS = 3, SEGMENTS = 150, STRIDE = 5 };

/* Statistics of a few systems: whole numbers, and thirds in the last of them. */
static void make_stats(double *stats, int system)
{
    for (int i = 0; i < SEGMENTS; i++) {
        double *row = stats + i * STRIDE;
        row[1] = 1 + (i * 37 + 11) % 23;
        row[0] = (i * 53 + system * 29) % 97 % (int)(row[1] + 1);
        row[2] = (i * 7 % 31 + system) / 3.0;
        row[3] = row[4] = -1e9; /* not looked at */
    }
}

typedef struct {
    double stats[SYSTEMS][SEGMENTS * STRIDE];
    metric_options options;
    segment_stats systems[SYSTEMS];
} material;

static material *material_new(long n_segments)
{
    material *m = xcalloc(1, sizeof *m);
    for (int i = 0; i < SYSTEMS; i++) {
        make_stats(m->stats[i], i);
        m->systems[i] = (segment_stats){&test_metric, &m->options, m->stats[i], STRIDE, n_segments};
    }
    return m;
}

static void check(double got, double want)
{
    bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12 * fabs(want);
    if (!same) printf("got %.17g, expected %.17g\n", got, want);
    CU_ASSERT(same);
}

static void check_all(const significance *got, const significance *want)
{
    for (int i = 0; i < SYSTEMS; i++) {
        check(got[i].score, want[i].score);
        check(got[i].p_value, want[i].p_value);
        check(got[i].mean, want[i].mean);
        check(got[i].ci, want[i].ci);
    }
}

/* ------------------------------------------------------------------------------------ tests */

static void test_paired_bootstrap(void)
{
    static const significance want[SYSTEMS] = {
        {47.459958772172946, NAN, 47.55111109769344, 5.846421897411346},
        {46.62186893708426, 0.32367632367632365, 46.718034435212616, 5.773358196020126},
        {45.174023004434595, 0.22477522477522477, 45.05459577679634, 5.71474215388298}};
    static const significance want_few[SYSTEMS] = {
        {47.459958772172946, NAN, 50.01303154230118, 3.943603754043579},
        {46.62186893708426, 0.5, 46.04710712432861, 3.3465033769607544},
        {45.174023004434595, 0.3333333333333333, 40.617221212387086, 3.998081296682358}};
    material *m = material_new(SEGMENTS);
    significance got[SYSTEMS];
    significance_paired_bootstrap(m->systems, SYSTEMS, 1000, 12345, got);
    check_all(got, want);
    significance_paired_bootstrap(m->systems, SYSTEMS, 5, 1, got); /* fewer samples than one sum takes */
    check_all(got, want_few);
    significance alone = significance_bootstrap(&m->systems[1], 1000, 12345);
    check(alone.mean, want[1].mean);
    check(alone.ci, want[1].ci);
    CU_ASSERT(isnan(alone.p_value));
    free(m);
}

/* One system's mean is the exact one, rounded once; a test's is NumPy's, which is off in the last bit here.
 */
static void test_means(void)
{
    material *m = material_new(SEGMENTS);
    significance got[2];
    m->systems[0].metric = m->systems[1].metric = &root_metric;
    CU_ASSERT_EQUAL(significance_bootstrap(&m->systems[1], 1000, 4).mean, 6.820560023498877);
    significance_paired_bootstrap(m->systems, 2, 1000, 4, got);
    CU_ASSERT_EQUAL(got[1].mean, 6.820560023498876);
    free(m);
}

static void test_paired_ar(void)
{
    static const significance want[SYSTEMS] = {{47.459958772172946, NAN, NAN, NAN},
                                               {46.62186893708426, 0.8385807096451774, NAN, NAN},
                                               {45.174023004434595, 0.6046976511744128, NAN, NAN}};
    material *m = material_new(SEGMENTS);
    significance got[SYSTEMS];
    significance_paired_ar(m->systems, SYSTEMS, 2000, 12345, got);
    check_all(got, want);
    m->systems[2] = m->systems[0]; /* a system against itself: no difference is never exceeded */
    significance_paired_ar(m->systems, SYSTEMS, 99, 12345, got);
    check(got[2].p_value, 0.01);
    free(m);
}

/* Hits go up here and down there by one, so that many trials tie with the real difference; what is counted
 * comes in thirds. NumPy's sums are those of a BLAS that adds row after row. */
static void test_ties_of_fractions(void)
{
    material *m = material_new(SEGMENTS);
    for (int i = 0; i < SEGMENTS; i++) {
        double *baseline = m->stats[0] + i * STRIDE, *system = m->stats[1] + i * STRIDE;
        baseline[1] /= 3;
        baseline[2] = 0;
        memcpy(system, baseline, STRIDE * sizeof *system);
        if (i % 10 == 0 && i < SEGMENTS - 5) system[0] += 1;
        if (i % 10 == 5 && i > 15) system[0] -= 1;
    }
    significance got[SYSTEMS];
    significance_paired_ar(m->systems, 2, 999, 12345, got);
    check(got[0].score, 140.18847006651885);
    check(got[1].score, 140.5210643015521);
    check(got[1].p_value, 0.664);
    free(m);
}

static void test_one_segment(void)
{
    material *m = material_new(1);
    significance got[SYSTEMS];
    significance_paired_bootstrap(m->systems, SYSTEMS, 100, 12345, got);
    CU_ASSERT_EQUAL(got[1].ci, 0);
    significance_paired_ar(m->systems, SYSTEMS, 100, 12345, got);
    CU_ASSERT(got[1].p_value > 0);
    free(m);
}

static void test_threads(void)
{
    material *m = material_new(SEGMENTS);
    significance one[SYSTEMS], four[SYSTEMS];
    team_set_threads(1);
    significance_paired_bootstrap(m->systems, SYSTEMS, 333, 9, one);
    team_set_threads(4);
    significance_paired_bootstrap(m->systems, SYSTEMS, 333, 9, four);
    check_all(four, one);
    significance_paired_ar(m->systems, SYSTEMS, 333, 9, four);
    team_set_threads(1);
    significance_paired_ar(m->systems, SYSTEMS, 333, 9, one);
    check_all(four, one);
    free(m);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"choice is NumPy's", test_choice},
        {"coins and skipping are NumPy's", test_coins_and_skip},
        {"paired bootstrap", test_paired_bootstrap},
        {"means", test_means},
        {"approximate randomisation", test_paired_ar},
        {"trials that tie, with fractions", test_ties_of_fractions},
        {"a test set of one segment", test_one_segment},
        {"any number of threads gives the same", test_threads},
        CU_TEST_INFO_NULL,
    };
    return suite_run("significance", tests);
}
