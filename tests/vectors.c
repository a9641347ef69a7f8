#include "vectors.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* ------------------------------------------------------------------------------------ reader */

static bool next_long(char **at, long *out)
{
    char *end;
    *out = strtol(*at, &end, 10);
    bool good = end != *at;
    *at = end;
    return good;
}

static bool next_double(char **at, double *out)
{
    char *end;
    *out = strtod(*at, &end);
    bool good = end != *at;
    *at = end;
    return good;
}

/* `line` without its newline. */
static int parse_tensor(char *line, vec *x)
{
    char *at = strchr(line, ' ');
    long dims;
    if (!at) return -1;
    *x = (vec){.n = 1};
    *at++ = '\0';
    if (!next_long(&at, &dims) || dims < 0 || dims > MAX_DIMS) return -1;
    x->n_dims = (int)dims;
    for (int i = 0; i < x->n_dims; i++) {
        if (!next_long(&at, &x->dims[i]) || x->dims[i] < 0) return -1;
        x->n *= x->dims[i];
    }
    x->v = xmalloc((size_t)x->n * sizeof *x->v);
    for (long i = 0; i < x->n; i++) {
        if (!next_double(&at, &x->v[i])) return -1;
    }
    x->name = xstrdup(line);
    return at[strspn(at, " \r")] ? -1 : 0;
}

int vec_file_read(const char *path, vec_file *f)
{
    FILE *in = fopen(path, "r");
    if (!in) return fail("%s: cannot open it", path);
    char *line = NULL;
    size_t room = 0, capacity = 0;
    ssize_t len;
    int number = 0, bad = 0;
    *f = (vec_file){0};
    while (!bad && (len = getline(&line, &room, in)) >= 0) {
        number++;
        if (len && line[len - 1] == '\n') line[len - 1] = '\0';
        if (line[0] == '#' && !f->comment) f->comment = xstrdup(line + 1);
        if (line[0] == '#' || !line[0]) continue;
        f->list = grow(f->list, &capacity, (size_t)f->n + 1, sizeof *f->list);
        bad = parse_tensor(line, &f->list[f->n++]);
    }
    free(line);
    fclose(in);
    if (!f->comment) f->comment = xstrdup("");
    return bad ? fail("%s: line %d is no tensor", path, number) : 0;
}

const vec *vec_find(const vec_file *f, const char *name)
{
    for (int i = 0; i < f->n; i++) {
        if (strcmp(f->list[i].name, name) == 0) return &f->list[i];
    }
    return NULL;
}

/* -------------------------------------------------------------------------- tensors of a case */

static void set_fault(vec_case *c, const char *format, va_list args)
{
    if (!c->fault[0]) vsnprintf(c->fault, sizeof c->fault, format, args);
}

void case_fault(vec_case *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_fault(c, format, args);
    va_end(args);
}

_Noreturn void case_stop(vec_case *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_fault(c, format, args);
    va_end(args);
    longjmp(c->stop, 1);
}

bool case_has(const vec_case *c, const char *name) { return vec_find(&c->file, name) != NULL; }

static const vec *any_vec(vec_case *c, const char *name)
{
    const vec *x = vec_find(&c->file, name);
    if (!x) case_stop(c, "the file has no tensor %s", name);
    return x;
}

const vec *case_vec(vec_case *c, const char *name, int n_dims)
{
    const vec *x = any_vec(c, name);
    if (x->n_dims != n_dims) case_stop(c, "%s has %d dimensions, not %d", name, x->n_dims, n_dims);
    return x;
}

double case_number(vec_case *c, const char *name) { return case_vec(c, name, 0)->v[0]; }

int *case_ints(vec_case *c, const char *name, long n)
{
    const vec *x = any_vec(c, name);
    if (n >= 0 && x->n != n) case_stop(c, "%s has %ld values, not %ld", name, x->n, n);
    int *out = arena_alloc(c->t->memory, (size_t)x->n * sizeof *out);
    for (long i = 0; i < x->n; i++) out[i] = (int)x->v[i];
    return out;
}

static void copy_exact(const double *from, real *to, long n)
{
    for (long i = 0; i < n; i++) to[i] = (real)(float)from[i];
}

tensor *case_input(vec_case *c, const char *name, long rows, long cols)
{
    const vec *x = any_vec(c, name);
    if (x->n != rows * cols) case_stop(c, "%s has %ld values, not %ld x %ld", name, x->n, rows, cols);
    tensor *y = tape_tensor(c->t, (int)rows, (int)cols);
    copy_exact(x->v, y->v, x->n);
    return y;
}

tensor *case_weight(vec_case *c, const char *name)
{
    const vec *x = any_vec(c, name);
    if (x->n_dims < 1 || x->n_dims > 2) case_stop(c, "%s is neither a vector nor a matrix", name);
    return case_input(c, name, x->dims[0], x->n_dims == 2 ? x->dims[1] : 1);
}

/* --------------------------------------------------------------------------------- comparisons */

static double largest(const double *v, long n)
{
    double top = 0;
    for (long i = 0; i < n; i++) {
        if (isfinite(v[i]) && fabs(v[i]) > top) top = fabs(v[i]);
    }
    return top;
}

static bool is_gradient(const char *name) { return strncmp(name, "grad", 4) == 0; }

static double largest_gradient(const vec_file *f)
{
    double top = 0;
    for (int i = 0; i < f->n; i++) {
        double x = is_gradient(f->list[i].name) ? largest(f->list[i].v, f->list[i].n) : 0;
        if (x > top) top = x;
    }
    return top;
}

/* The magnitude that the tolerance is a part of: the tensor's largest, but for gradients, which may be zero
 * but for rounding, not less than what makes an error of this part of the case's largest gradient just
 * tolerable. */
static double magnitude(vec_case *c, const char *name, double largest_value)
{
    if (!is_gradient(name)) return largest_value;
    if (c->max_gradient <= 0) c->max_gradient = largest_gradient(&c->file);
    double floor = c->max_gradient * (sizeof(real) == sizeof(double) ? 1e-10 : 1e-6) / c->tolerance;
    return largest_value > floor ? largest_value : floor;
}

/* `error` of the tensor, whose largest magnitude is `largest_value`. */
static void judge(vec_case *c, const char *name, double error, double largest_value)
{
    double scale = magnitude(c, name, largest_value), relative = scale > 0 ? error / scale : error;
    c->compared++;
    if (!(relative <= c->worst)) c->worst = relative;
    if (!(relative <= c->tolerance)) case_fault(c, "%s is off by %.2g of its largest value", name, relative);
}

void case_compare(vec_case *c, const char *name, const real *got, long n)
{
    const vec *want = any_vec(c, name);
    if (want->n != n) case_stop(c, "%s has %ld values, not %ld", name, want->n, n);
    double error = 0;
    for (long i = 0; i < n; i++) {
        double e = want->v[i] == (double)got[i] ? 0 : fabs(want->v[i] - (double)got[i]); /* inf equals inf */
        if (!(e <= error)) error = e;
    }
    judge(c, name, error, largest(want->v, n));
}

void case_compare_number(vec_case *c, const char *name, double got, double scale)
{
    double want = case_number(c, name);
    judge(c, name, fabs(want - got), fabs(want) > scale ? fabs(want) : scale);
}

void case_compare_gradient(vec_case *c, const char *name, const tensor *x)
{
    char full[256];
    snprintf(full, sizeof full, "grad.%s", name);
    case_compare(c, full, x->g, (long)x->rows * x->cols);
}

void case_compare_ids(vec_case *c, const char *name, const int *got, long n)
{
    const vec *want = any_vec(c, name);
    if (want->n != n) case_stop(c, "%s has %ld values, not %ld", name, want->n, n);
    c->compared++;
    for (long i = 0; i < n; i++) {
        if ((int)want->v[i] != got[i])
            case_stop(c, "%s[%ld] is %d, not %d", name, i, got[i], (int)want->v[i]);
    }
}

/* ------------------------------------------------------------------------ padded and packed */

sequences case_sequences(vec_case *c, int n, int steps, const int *len)
{
    sequences s = {.steps = steps};
    s.start = arena_alloc(c->t->memory, (size_t)n * sizeof(int));
    s.len = arena_alloc(c->t->memory, (size_t)n * sizeof(int));
    for (int i = 0; i < n; i++) {
        if (len[i] < 0 || len[i] > steps) case_stop(c, "length %d is not within %d steps", len[i], steps);
        s.start[i] = s.rows;
        s.len[i] = len[i];
        s.rows += len[i];
    }
    s.at = (packed){n, s.start, s.len};
    return s;
}

tensor *case_packed(vec_case *c, const char *name, const sequences *s, long cols)
{
    const vec *x = any_vec(c, name);
    if (x->n != s->at.n * s->steps * cols) case_stop(c, "%s has %ld values", name, x->n);
    tensor *y = tape_tensor(c->t, s->rows, (int)cols);
    for (int i = 0; i < s->at.n; i++)
        copy_exact(x->v + (long)i * s->steps * cols, y->v + s->start[i] * cols, s->len[i] * cols);
    return y;
}

void case_compare_packed(vec_case *c, const char *name, const sequences *s, const real *got, long cols,
                         long ld)
{
    long n = s->at.n * s->steps * cols;
    real *wide = arena_zalloc(c->t->memory, (size_t)n * sizeof *wide);
    for (int i = 0; i < s->at.n; i++) {
        for (int t = 0; t < s->len[i]; t++)
            memcpy(wide + ((long)i * s->steps + t) * cols, got + (s->start[i] + t) * ld,
                   (size_t)cols * sizeof *got);
    }
    case_compare(c, name, wide, n);
}

void case_incoming(vec_case *c, tensor *y, const tensor *dy, double *loss, double *scale)
{
    if (y->rows != dy->rows || y->cols != dy->cols) case_stop(c, "an incoming gradient has the wrong shape");
    for (int r = 0; r < y->rows; r++) {
        for (int k = 0; k < y->cols; k++) {
            real d = dy->v[(long)r * dy->ld + k];
            double product = (double)y->v[(long)r * y->ld + k] * (double)d;
            y->g[(long)r * y->ld + k] += d;
            *loss += product;
            *scale += fabs(product);
        }
    }
}
