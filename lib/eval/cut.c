#include "eval/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/segment.h"
#include "eval/unicode.h"

/* ------------------------------------------------------------------------------------ tokens */

void tokens_free(tokens *t)
{
    free(t->at);
    str_free(&t->text);
    str_free(&t->lower);
    *t = (tokens){0};
}

void tokens_add(tokens *t, span token)
{
    if (t->n == t->capacity) t->at = grow(t->at, &t->capacity, t->n + 1, sizeof *t->at);
    t->at[t->n++] = token;
}

void tokens_split(tokens *t, span line)
{
    for (span token; segment_token(&line, &token);) tokens_add(t, token);
}

/* ------------------------------------------------------------------------------------ cutting */

typedef struct {
    const cut_rules *rules;
    const char *p, *end, *start; /* start of the token that p is in, NULL between tokens */
    uint8_t before; /* class of the character before p; CUT_POINT at the start of an unpadded line */
    tokens *out;
} cutter;

static uint8_t class_wide(const cutter *c, const char *p, size_t *n)
{
    if (c->rules->wide) return c->rules->wide(unicode_at(p, c->end, n));
    size_t space = unicode_space_at(p, c->end);
    *n = space ? space : 1;
    return space ? CUT_SPACE : CUT_WORD;
}

static inline uint8_t class_at(const cutter *c, const char *p, size_t *n)
{
    uint8_t class = c->rules->bytes[(unsigned char)*p];
    *n = 1;
    return class == CUT_WIDE ? class_wide(c, p, n) : class;
}

static void end_token(cutter *c)
{
    if (c->start) tokens_add(c->out, (span){c->start, (size_t)(c->p - c->start)});
    c->start = NULL;
}

static void word(cutter *c, size_t n)
{
    if (!c->start) c->start = c->p;
    c->p += n;
}

static void alone(cutter *c, size_t n)
{
    end_token(c);
    tokens_add(c->out, (span){c->p, n});
    c->p += n;
}

/* What follows p, the end of a run of points, keeps them: a digit, or the end of an unpadded line. */
static bool keeps_points(const cutter *c, const char *p)
{
    size_t n;
    return p < c->end ? class_at(c, p, &n) == CUT_DIGIT : !c->rules->padded;
}

/* A run of points. The first rule takes a point and what is not a digit before it, and parts the point on
 * both sides; from left to right, so that in a run every second point is "what is not a digit". The second
 * rule parts a point from what follows, unless that is a digit. So all go apart but the last one, if the
 * first rule has not reached it and a digit follows; and a single point between digits stays with both. */
static void points(cutter *c, size_t n)
{
    bool kept = c->before == CUT_DIGIT || c->before == CUT_POINT, reached = !kept;
    size_t length;
    for (const char *next; (next = c->p + n) < c->end && class_at(c, next, &length) == CUT_POINT;
         n = length) {
        alone(c, n);
        reached = !reached;
    }
    if (!reached && keeps_points(c, c->p + n))
        word(c, n);
    else
        alone(c, n);
}

static bool ends_possessive(const cutter *c)
{
    const char *after = c->p + 2;
    if (!c->rules->possessive || after > c->end || c->p[1] != 's') return false;
    return after == c->end || *after == ' ' || c->rules->bytes[(unsigned char)*after] == CUT_ALONE;
}

static void cut_next(cutter *c)
{
    size_t n;
    uint8_t class = class_at(c, c->p, &n);
    switch (class) {
    case CUT_SPACE:
        end_token(c);
        c->p += n;
        break;
    case CUT_ALONE: alone(c, n); break;
    case CUT_POINT:
        points(c, n);
        class = CUT_WORD; /* for what follows */
        break;
    case CUT_HYPHEN:
        if (c->before == CUT_DIGIT) {
            alone(c, n);
            break;
        }
        word(c, n);
        break;
    case CUT_APOSTROPHE:
        if (ends_possessive(c)) end_token(c);
        word(c, n);
        break;
    default:
        word(c, n);
        while (class == CUT_WORD && c->p < c->end && c->rules->bytes[(unsigned char)*c->p] == CUT_WORD)
            c->p++;
        break;
    }
    c->before = class;
}

void cut(const cut_rules *rules, span line, tokens *out)
{
    cutter c = {rules, line.p, line.p + line.n, NULL, rules->padded ? CUT_SPACE : CUT_POINT, out};
    while (c.p < c.end) cut_next(&c);
    end_token(&c);
}

/* ------------------------------------------------------------------------------------ 13a */

enum {
    W = CUT_WORD,
    S = CUT_SPACE,
    A = CUT_ALONE,
    D = CUT_DIGIT,
    P = CUT_POINT,
    H = CUT_HYPHEN,
    Q = CUT_APOSTROPHE
};

/* clang-format off */
#define ASCII_13A \
    W, W, W, W, W, W, W, W, W, S, S, S, S, S, W, W, W, W, W, W, W, W, W, W, W, W, W, W, S, S, S, S, \
    /*   ! " # $ % & ' ( ) * + , - . / 0 1 2 3 4 5 6 7 8 9 : ; < = > ? */ \
    S, A, A, A, A, A, A, Q, A, A, A, A, P, H, P, A, D, D, D, D, D, D, D, D, D, D, A, A, A, A, A, A, \
    /* @ A .. Z [ \ ] ^ _ */ \
    A, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, A, A, A, A, A, \
    /* ` a .. z { | } ~ */ \
    A, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, A, A, A, A, W

const uint8_t cut_13a[256] = {ASCII_13A, CUT_UPPER_SPACE};
const uint8_t cut_13a_wide[256] = {ASCII_13A, CUT_UPPER_WIDE};
/* clang-format on */

size_t cut_replace(char *text, size_t n, const char *from, const char *to)
{
    size_t from_n = strlen(from), to_n = strlen(to), length = 0;
    if (!memmem(text, n, from, from_n)) return n;
    for (size_t i = 0; i < n;) {
        if (n - i >= from_n && memcmp(text + i, from, from_n) == 0) {
            memcpy(text + length, to, to_n);
            length += to_n;
            i += from_n;
        } else {
            text[length++] = text[i++];
        }
    }
    return length;
}

size_t cut_unescape(char *text, size_t n)
{
    n = cut_replace(text, n, "&quot;", "\"");
    n = cut_replace(text, n, "&amp;", "&");
    n = cut_replace(text, n, "&lt;", "<");
    return cut_replace(text, n, "&gt;", ">");
}
