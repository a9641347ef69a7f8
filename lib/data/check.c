#include "data/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "data/check_inside.h"
#include "data/lines.h"
#include "text/intmap.h"

const check_row check_rows[CHECK_KINDS] = {
    [CHECK_NUL] = {"nul", "with a NUL byte", true},
    [CHECK_UTF8] = {"invalid-utf8", "not UTF-8", true},
    [CHECK_MARK] = {"byte-order-mark", "with a byte-order mark", true},
    [CHECK_RETURN] = {"carriage-return", "with a carriage return", true},
    [CHECK_CONTROL] = {"control", "with a control character", true},
    [CHECK_REPLACEMENT] = {"replacement", "with U+FFFD, where a character was lost", true},
    [CHECK_MOJIBAKE] = {"mojibake", "encoded twice (\xC3\x83\xC2\xA9 for \xC3\xA9)", true},
    [CHECK_EMPTY] = {"empty", "empty", true},
    [CHECK_LONG] = {"over-long", "over-long", true},
    [CHECK_MARKUP] = {"markup", "with tags or entities (&amp;)", true},
    [CHECK_DECOMPOSED] = {"decomposed", "with letters in two codes (not NFC)", false},
    [CHECK_SYMBOLS] = {"symbols", "without a letter, where the other side has words", true},
    [CHECK_SCRIPT] = {"wrong-script", "in another script", true},
    [CHECK_LANGUAGE] = {"wrong-language", "in another language", true},
    [CHECK_VALID] = {"in-valid", "in the validation set, too", true},
    [CHECK_TEST] = {"in-test", "in the test set, too", true},
    [CHECK_RATIO] = {"length-ratio", "of lengths that do not go together", true},
    [CHECK_IDENTICAL] = {"identical", "the same on both sides", true},
    [CHECK_DUPLICATE] = {"duplicate", "there already", true},
    [CHECK_SWAPPED] = {"swapped", "with source and target swapped", true},
    [CHECK_SHIFTED] = {"shifted", "beside another line's translation", true},
};

enum { CELLS = 1 << 20, SET_SLOTS = 1 << 22, KNOWN_LEAST = 8 };

/* A hash table of fixed size: hashes of pairs and their lines. */
typedef struct {
    uint64_t *keys; /* SET_SLOTS; 0: free */
    uint32_t *lines;
    int64_t n;
} pair_set;

/* Sums for a mean and a deviation. */
typedef struct {
    double n, sum, squares;
} moments;

typedef struct {
    const check_options *o;
    check_report *r;
    lines *in[2];
    line_counts before[2];
    int64_t line;
    span side[2];
    bool there[2], valid[2];
    line_view view[2];
    unsigned bits[2], pair_bits; /* faults of this pair */
    int64_t repeated;            /* the line that this pair repeats */
    /* what is usual */
    function_words functions;
    uint32_t *counts[2]; /* of words, CELLS each */
    float *odds;         /* of a word: log of its share of the source's words by its share of the target's */
    double words[2], characters[2];
    int64_t scripts[2][SCRIPTS], spoken[2][LANGUAGES], spaced[2];
    enum char_script main[2];
    int tongue[2]; /* place in languages[], -1: unknown */
    moments ratio, loose, length;
    /* what was met */
    pair_set seen;
    intmap held[2][2]; /* valid, test: hash of a line -> its number */
} checker;

static void add_moment(moments *m, double x)
{
    m->n++;
    m->sum += x;
    m->squares += x * x;
}

static double mean_of(const moments *m) { return m->n ? m->sum / m->n : 0; }

static double deviation_of(const moments *m)
{
    double mean = mean_of(m);
    return m->n ? sqrt(fmax(m->squares / m->n - mean * mean, 0)) : 0;
}

/* ------------------------------------------------------------------------------------------- reading */

static int open_sides(checker *c)
{
    c->line = 0;
    for (int side = 0; side < 2; side++) {
        const char *path = c->o->paths[side];
        struct stat info;
        if (!strcmp(path, "-") || (!stat(path, &info) && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))))
            return fail("%s is read more than once: write it into a file first",
                        strcmp(path, "-") ? path : "standard input");
        if (lines_open(path, &c->in[side])) return -1;
        c->before[side] = *lines_count(c->in[side]);
    }
    return 0;
}

static void close_sides(checker *c)
{
    for (int side = 0; side < 2; side++) {
        lines_close(c->in[side]);
        c->in[side] = NULL;
    }
}

/* The next line of each side that has one: 1, 0 at the end of both, -1 with a message. */
static int next_pair(checker *c)
{
    int any = 0;
    c->line++;
    for (int side = 0; side < 2; side++) {
        c->before[side] = *lines_count(c->in[side]);
        int more = lines_next(c->in[side], &c->side[side]);
        if (more < 0) return -1;
        c->there[side] = more;
        any |= more;
        if (more)
            view_line(c->side[side], lines_count(c->in[side])->invalid_utf8 == c->before[side].invalid_utf8,
                      &c->view[side]);
    }
    return any;
}

static bool is_pair(const checker *c) { return c->there[0] && c->there[1]; }

/* ------------------------------------------------------------------------------------ what is usual */

static enum char_script main_script(const int *letters, int64_t *n)
{
    int64_t sums[SCRIPTS] = {0};
    int best = SCRIPT_ANY;
    for (int s = 0; s < SCRIPTS; s++) sums[script_group((enum char_script)s)] += letters[s];
    for (int s = 0; s < SCRIPTS; s++)
        if (sums[s] > sums[best]) best = s;
    *n = sums[best];
    return (enum char_script)best;
}

static void learn_side(checker *c, int side)
{
    const line_view *v = &c->view[side];
    int64_t n;
    c->words[side] += (double)v->words;
    c->characters[side] += (double)v->characters;
    c->spaced[side] += v->spaced_stop;
    c->scripts[side][main_script(v->scripts, &n)]++;
    for (int i = 0; i < v->n_word; i++) {
        uint32_t bits = function_word(&c->functions, v->word[i]);
        c->counts[side][v->word[i] % CELLS]++;
        for (; bits; bits &= bits - 1) c->spoken[side][__builtin_ctz(bits)]++;
    }
}

static double log_ratio(const checker *c, double smooth)
{
    return log(((double)c->view[1].characters + smooth) / ((double)c->view[0].characters + smooth));
}

static void learn_pair(checker *c)
{
    for (int side = 0; side < 2; side++)
        if (c->there[side]) learn_side(c, side);
    if (!is_pair(c) || !c->view[0].letters || !c->view[1].letters) return;
    add_moment(&c->ratio, log_ratio(c, 10));
    add_moment(&c->loose, log_ratio(c, 5));
    add_moment(&c->length, log((double)c->view[0].characters + 5));
}

static int main_language(const checker *c, int side)
{
    int best = 0;
    for (int k = 1; k < LANGUAGES; k++)
        if (c->spoken[side][k] > c->spoken[side][best]) best = k;
    return (double)c->spoken[side][best] > 0.12 * c->words[side] ? best : -1;
}

static void compute_odds(checker *c)
{
    double total[2] = {0};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < CELLS; i++) total[side] += c->counts[side][i];
    for (size_t i = 0; i < CELLS; i++) {
        double s = c->counts[0][i], t = c->counts[1][i];
        double odds = s + t < 5 ? 0 : log((s + 0.5) / (total[0] + 1)) - log((t + 0.5) / (total[1] + 1));
        c->odds[i] = (float)fmax(-5, fmin(5, odds));
    }
}

static const char *side_language(const checker *c, int side)
{
    if (c->tongue[side] >= 0) return languages[c->tongue[side]].code;
    if (c->main[side] != SCRIPT_HAN) return language_of_script(c->main[side]);
    return NULL;
}

static void conclude(checker *c)
{
    check_report *r = c->r;
    for (int side = 0; side < 2; side++) {
        int best = 0;
        double n = fmax((double)lines_count(c->in[side])->lines, 1);
        for (int s = 1; s < SCRIPTS; s++)
            if (c->scripts[side][s] > c->scripts[side][best]) best = s;
        c->main[side] = (enum char_script)best;
        c->tongue[side] = main_language(c, side);
        r->lines[side] = lines_count(c->in[side])->lines;
        r->words[side] = c->words[side] / n;
        r->characters[side] = c->characters[side] / n;
        r->tokenized[side] = (double)c->spaced[side] > 0.5 * n;
        r->script[side] = script_name(c->main[side]);
        r->language[side] = side_language(c, side);
        r->named[side] = language_of_name(c->o->paths[side]);
    }
    r->pairs = r->lines[0] < r->lines[1] ? r->lines[0] : r->lines[1];
    r->ratio = exp(mean_of(&c->ratio));
    compute_odds(c);
}

static int learn(checker *c)
{
    int more = open_sides(c);
    if (more) return -1;
    while ((more = next_pair(c)) == 1) learn_pair(c);
    if (!more) conclude(c);
    close_sides(c);
    return more;
}

/* --------------------------------------------------------------------------------------- held-out sets */

static uint64_t line_hash(span line)
{
    while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t')) line.n--;
    while (line.n && (*line.p == ' ' || *line.p == '\t')) line.p++, line.n--;
    return hash64(line.p, line.n);
}

static int read_held(const char *path, intmap *out)
{
    lines *in;
    span line;
    int more;
    if (!path) return 0;
    if (lines_open(path, &in)) return -1;
    while ((more = lines_next(in, &line)) == 1)
        if (line.n && intmap_get(out, line_hash(line)) < 0)
            intmap_set(out, line_hash(line), (int)lines_count(in)->lines);
    lines_close(in);
    return more;
}

/* ------------------------------------------------------------------------------------------ findings */

static void find(checker *c, int kind, int side, int64_t other)
{
    check_finding *f = &c->r->findings[kind][side];
    if (f->count < CHECK_PLACES) {
        f->lines[f->count] = c->line;
        f->other[f->count] = other;
    }
    f->count++;
}

/* The line before which this pair was met, 0 if it is new. */
static int64_t met_before(checker *c, uint64_t key)
{
    pair_set *s = &c->seen;
    key += !key;
    size_t i = key & (SET_SLOTS - 1);
    while (s->keys[i] && s->keys[i] != key) i = (i + 1) & (SET_SLOTS - 1);
    if (s->keys[i]) return s->lines[i];
    if (s->n == CHECK_PAIRS) {
        c->r->compared_all = false;
        return 0;
    }
    s->keys[i] = key;
    s->lines[i] = (uint32_t)c->line;
    s->n++;
    return 0;
}

/* Words outside of scripts without spaces, where a character is half a word. */
static double word_count(const line_view *v)
{
    double wide = 0;
    for (int s = SCRIPT_HAN; s < SCRIPTS; s++) wide += v->scripts[s];
    return (double)v->words - wide / 2;
}

static bool wrong_script(const checker *c, int side)
{
    const line_view *v = &c->view[side];
    int64_t n, usual = 0;
    if (!v->letters || c->main[side] == SCRIPT_ANY) return false;
    for (int s = 0; s < SCRIPTS; s++)
        if (script_group((enum char_script)s) == c->main[side]) usual += v->scripts[s];
    if (usual * 5 >= v->letters) return false;
    /* Names and brands are written in Latin letters everywhere. */
    return main_script(v->scripts, &n) == SCRIPT_LATIN ? v->letters >= 15 : v->letters >= 2;
}

/* Sum and mean over its words of the odds that a line is of the source side. */
static double side_odds(const checker *c, const line_view *v, double *mean)
{
    double sum = 0;
    for (int i = 0; i < v->n_word; i++) sum += c->odds[v->word[i] % CELLS];
    *mean = v->n_word ? sum / v->n_word : 0;
    return sum;
}

static bool stands_before(const line_view *v, int i)
{
    for (int k = 0; k < i; k++)
        if (v->word[k] == v->word[i]) return true;
    return false;
}

/* How many function words of its side a line has, and of the other language that has most; each word once. */
static void function_hits(const checker *c, int side, int *own, int *other)
{
    const line_view *v = &c->view[side];
    int hits[LANGUAGES] = {0}, mine = c->tongue[side];
    for (int i = 0; i < v->n_word; i++) {
        uint32_t bits = function_word(&c->functions, v->word[i]);
        if (bits && stands_before(v, i)) bits = 0;
        for (; bits; bits &= bits - 1) hits[__builtin_ctz(bits)]++;
    }
    *own = mine >= 0 ? hits[mine] : 0;
    *other = 0;
    for (int k = 0; k < LANGUAGES; k++)
        if (k != mine && hits[k] > *other) *other = hits[k];
}

/* None of the words of the line is usual on its side. */
static bool all_unknown(const checker *c, int side)
{
    const line_view *v = &c->view[side];
    double least = fmax(KNOWN_LEAST, c->words[side] / 30000);
    for (int i = 0; i < v->n_word; i++)
        if (c->counts[side][v->word[i] % CELLS] >= least) return false;
    return true;
}

static bool foreign(const checker *c, int side)
{
    const line_view *v = &c->view[side];
    int own, other;
    if (v->words < 5 || v->letters < 15 || script_without_spaces(c->main[side])) return false;
    function_hits(c, side, &own, &other);
    if (c->words[side] >= 100000 && all_unknown(c, side)) return other >= 2 || v->words >= 8;
    return c->tongue[side] >= 0 && own == 0 && other >= 4;
}

/* Which side a line is of, told by words that are usual on one side alone. */
static void judge_languages(checker *c)
{
    double mean[2], sum[2];
    for (int side = 0; side < 2; side++) {
        sum[side] =
            side_odds(c, &c->view[side], &mean[side]) * (side ? -1 : 1); /* now: odds of its own side */
        mean[side] *= side ? -1 : 1;
    }
    if (sum[0] + sum[1] < -8 && sum[0] < -3 && sum[1] < -3 && mean[0] < -0.7 && mean[1] < -0.7) {
        c->pair_bits |= 1u << CHECK_SWAPPED;
        return;
    }
    for (int side = 0; side < 2; side++) {
        bool of_other = sum[side] < -8 && mean[side] < -1.2;
        bool script = wrong_script(c, side);
        if (script) c->bits[side] |= 1u << CHECK_SCRIPT;
        if (!script && (of_other || foreign(c, side))) c->bits[side] |= 1u << CHECK_LANGUAGE;
    }
}

static void judge_side(checker *c, int side)
{
    const line_view *v = &c->view[side], *other = &c->view[1 - side];
    unsigned bits = v->faults;
    if (word_count(v) > c->o->max_words || v->characters > 10 * (int64_t)c->o->max_words)
        bits |= 1u << CHECK_LONG;
    if (is_pair(c) && !v->letters && !v->digits &&
        !(bits & (1u << CHECK_EMPTY | 1u << CHECK_UTF8 | 1u << CHECK_NUL)) && other->letters >= 4)
        bits |= 1u << CHECK_SYMBOLS;
    for (int set = 0; set < 2; set++)
        if (c->held[set][side].n && c->side[side].n &&
            intmap_get(&c->held[set][side], line_hash(c->side[side])) >= 0)
            bits |= 1u << (set ? CHECK_TEST : CHECK_VALID);
    c->bits[side] = bits;
}

static void judge_lengths(checker *c)
{
    double limit = fmax(1.0, 5 * fmin(deviation_of(&c->ratio), 0.4));
    if (!c->view[0].letters || !c->view[1].letters) return;
    if (fabs(log_ratio(c, 10) - mean_of(&c->ratio)) > limit) c->pair_bits |= 1u << CHECK_RATIO;
}

/* Sets the bits of all that is wrong with the pair, but for shifts. */
static void judge(checker *c)
{
    c->bits[0] = c->bits[1] = c->pair_bits = 0;
    c->repeated = 0;
    for (int side = 0; side < 2; side++)
        if (c->there[side]) judge_side(c, side);
    if (!is_pair(c) || ((c->bits[0] | c->bits[1]) & 1u << CHECK_EMPTY)) return;
    c->repeated =
        met_before(c, hash64_mix(hash64(c->side[0].p, c->side[0].n), hash64(c->side[1].p, c->side[1].n)));
    if (c->repeated) c->pair_bits |= 1u << CHECK_DUPLICATE;
    judge_lengths(c);
    if (span_eq(c->side[0], c->side[1])) {
        if (c->view[0].words >= 2 && c->view[0].letters) c->pair_bits |= 1u << CHECK_IDENTICAL;
    } else
        judge_languages(c);
}

static int64_t held_line(const checker *c, int kind, int side)
{
    if (kind != CHECK_VALID && kind != CHECK_TEST) return 0;
    return intmap_get(&c->held[kind == CHECK_TEST][side], line_hash(c->side[side]));
}

static void record(checker *c)
{
    for (int side = 0; side < 2; side++) {
        if (!c->there[side]) continue;
        const line_counts *now = lines_count(c->in[side]), *before = &c->before[side];
        for (int kind = 0; kind < CHECK_SIDES; kind++)
            if (c->bits[side] & 1u << kind) find(c, kind, side, held_line(c, kind, side));
        if (now->byte_order_marks > before->byte_order_marks && !(c->bits[side] & 1u << CHECK_MARK))
            find(c, CHECK_MARK, side, 0);
        if (now->carriage_returns > before->carriage_returns && !(c->bits[side] & 1u << CHECK_RETURN))
            find(c, CHECK_RETURN, side, 0);
    }
    for (int kind = CHECK_SIDES; kind < CHECK_KINDS; kind++)
        if (c->pair_bits & 1u << kind) find(c, kind, 0, kind == CHECK_DUPLICATE ? c->repeated : 0);
}

static void record_regions(checker *c)
{
    check_report *r = c->r;
    check_finding *f = &r->findings[CHECK_SHIFTED][0];
    for (int i = 0; i < r->n_regions; i++) {
        for (int64_t line = r->regions[i].first;
             line <= r->regions[i].last && line < r->regions[i].first + CHECK_PLACES; line++)
            if (f->count + line - r->regions[i].first < CHECK_PLACES)
                f->lines[f->count + line - r->regions[i].first] = line;
        f->count += r->regions[i].last - r->regions[i].first + 1;
    }
}

static int examine(checker *c)
{
    shift_finder *shifts =
        shift_new(mean_of(&c->loose), fmin(deviation_of(&c->loose), 0.3), deviation_of(&c->length));
    int more = open_sides(c);
    while (!more && (more = next_pair(c)) == 1) {
        judge(c);
        record(c);
        for (int side = 0; side < 2; side++)
            if (c->there[side]) shift_add(shifts, side, &c->view[side]);
        more = 0;
    }
    if (!more) {
        c->r->n_regions = shift_finish(shifts, c->r->regions);
        record_regions(c);
    }
    shift_free(shifts);
    close_sides(c);
    return more;
}

/* -------------------------------------------------------------------------------------------- whole */

static void checker_start(checker *c, const check_options *o, check_report *r)
{
    *c = (checker){.o = o, .r = r, .functions = function_words_new()};
    for (int side = 0; side < 2; side++) c->counts[side] = xcalloc(CELLS, sizeof(uint32_t));
    c->odds = xcalloc(CELLS, sizeof *c->odds);
    c->seen.keys = xcalloc(SET_SLOTS, sizeof *c->seen.keys);
    c->seen.lines = xcalloc(SET_SLOTS, sizeof *c->seen.lines);
    *r = (check_report){.compared_all = true};
}

static void checker_end(checker *c)
{
    close_sides(c);
    function_words_free(&c->functions);
    for (int side = 0; side < 2; side++) {
        free(c->counts[side]);
        for (int set = 0; set < 2; set++) intmap_free(&c->held[set][side]);
    }
    free(c->odds);
    free(c->seen.keys);
    free(c->seen.lines);
}

static int prepare(checker *c)
{
    for (int side = 0; side < 2; side++)
        if (read_held(c->o->valid[side], &c->held[0][side]) || read_held(c->o->test[side], &c->held[1][side]))
            return -1;
    return learn(c);
}

int check_corpus(const check_options *o, check_report *out)
{
    checker c;
    checker_start(&c, o, out);
    int result = prepare(&c) || examine(&c) ? -1 : 0;
    checker_end(&c);
    return result;
}

static bool in_region(const check_report *r, int64_t line)
{
    for (int i = 0; i < r->n_regions; i++)
        if (line >= r->regions[i].first && line <= r->regions[i].last) return true;
    return false;
}

static unsigned reasons(const checker *c, const check_report *r)
{
    unsigned bits = c->bits[0] | c->bits[1] | c->pair_bits, drops = 0;
    if (in_region(r, c->line)) bits |= 1u << CHECK_SHIFTED;
    for (int kind = 0; kind < CHECK_KINDS; kind++) drops |= (unsigned)check_rows[kind].drops << kind;
    return bits & drops;
}

int check_each(const check_options *o, const check_report *r,
               int (*take)(int64_t line, unsigned faults, span src, span tgt, void *context), void *context)
{
    checker c;
    check_report again;
    checker_start(&c, o, &again);
    int result = prepare(&c) || open_sides(&c) ? -1 : 0;
    for (int more = 1; !result && (more = next_pair(&c)) != 0;) {
        if (more < 0) result = -1;
        if (result || !is_pair(&c)) continue;
        judge(&c);
        result = take(c.line, reasons(&c, r), c.side[0], c.side[1], context);
    }
    checker_end(&c);
    return result;
}

bool check_name_wrong(const check_report *r, int side)
{
    return r->named[side] && r->language[side] && strcmp(r->named[side], r->language[side]);
}

bool check_names_swapped(const check_report *r)
{
    return check_name_wrong(r, 0) && check_name_wrong(r, 1) && !strcmp(r->named[0], r->language[1]) &&
           !strcmp(r->named[1], r->language[0]);
}

bool check_found(const check_report *r)
{
    if (r->lines[0] != r->lines[1] || r->n_regions || check_name_wrong(r, 0) || check_name_wrong(r, 1))
        return true;
    for (int kind = 0; kind < CHECK_KINDS; kind++)
        if (r->findings[kind][0].count || r->findings[kind][1].count) return true;
    return false;
}
