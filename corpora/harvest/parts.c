/* The split into train, valid and test. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "harvest.h"
#include "text/chars.h"
#include "text/intmap.h"

/* A sentence as it is compared: letters alone, ASCII case folded, so that what differs in a number, a full
 * stop or a capital is the same. A sentence without letters is itself. */
static uint64_t sentence_key(span text, str *work)
{
    span left = text;
    str_clear(work);
    for (character c; (c = char_at(left)).length; left.p += c.length, left.n -= (size_t)c.length)
        for (int i = 0; i < c.length && c.kind == CHAR_LETTER; i++)
            str_add_char(work,
                         (char)(is_ascii_letter((unsigned char)left.p[i]) ? left.p[i] | 32 : left.p[i]));
    return work->n ? hash64(work->p, work->n) : hash64(text.p, text.n);
}

static int count_words(span text)
{
    int words = 0, wide = 0;
    bool in = false;
    for (character c; (c = char_at(text)).length; text.p += c.length, text.n -= (size_t)c.length) {
        bool letter = c.kind == CHAR_LETTER;
        wide += letter && script_without_spaces(c.script);
        words += letter && !in;
        in = letter || c.kind == CHAR_MARK;
    }
    return words + wide / 2;
}

typedef struct {
    uint64_t hash;
    uint32_t pair;
} drawn;

static int by_hash(const void *a, const void *b)
{
    const drawn *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->pair > y->pair) - (x->pair < y->pair);
}

static span side_text(const harvest *h, size_t i, int side)
{
    const harvest_pair *p = &h->pairs[i];
    return side ? (span){h->text.p + p->tgt, p->n_tgt} : (span){h->text.p + p->src, p->n_src};
}

/* How often each sentence occurs on its side. */
static void count_sentences(const harvest *h, uint64_t *keys[2], intmap counts[2])
{
    str work = {0};
    for (int side = 0; side < 2; side++) {
        keys[side] = xmalloc((h->n + 1) * sizeof **keys);
        for (size_t i = 0; i < h->n; i++) {
            uint64_t key = keys[side][i] = sentence_key(side_text(h, i, side), &work);
            int n = intmap_get(&counts[side], key);
            intmap_set(&counts[side], key, n < 0 ? 1 : n + 1);
        }
    }
    str_free(&work);
}

/* Pairs whose sentences stand nowhere else, in an order that is random and depends on the texts alone. */
static size_t draw(const harvest *h, drawn *out)
{
    uint64_t *keys[2];
    intmap counts[2] = {{0}, {0}};
    size_t n = 0;
    count_sentences(h, keys, counts);
    for (size_t i = 0; i < h->n; i++) {
        bool alone = intmap_get(&counts[0], keys[0][i]) == 1 && intmap_get(&counts[1], keys[1][i]) == 1;
        if (!alone || count_words(side_text(h, i, 0)) < 4 || count_words(side_text(h, i, 1)) < 4) continue;
        out[n++] = (drawn){hash64_mix(keys[0][i], keys[1][i]), (uint32_t)i};
    }
    for (int side = 0; side < 2; side++) {
        free(keys[side]);
        intmap_free(&counts[side]);
    }
    qsort(out, n, sizeof *out, by_hash);
    return n;
}

/* The pairs of train in random order, so that a beginning of it is a sample. */
static size_t rest(const harvest *h, const drawn *held, size_t n_held, drawn *out)
{
    bool *is_held = xcalloc(h->n + 1, sizeof *is_held);
    size_t n = 0;
    for (size_t i = 0; i < n_held; i++) is_held[held[i].pair] = true;
    for (size_t i = 0; i < h->n; i++) {
        span s = side_text(h, i, 0), t = side_text(h, i, 1);
        if (!is_held[i]) out[n++] = (drawn){hash64_mix(hash64(t.p, t.n), hash64(s.p, s.n)), (uint32_t)i};
    }
    free(is_held);
    qsort(out, n, sizeof *out, by_hash);
    return n;
}

static int write_part(const harvest *h, const char *folder, const char *part, const drawn *pairs, size_t n)
{
    for (int side = 0; side < 2; side++) {
        str path = {0};
        str_addf(&path, "%s/%s.%s", folder, part, h->lang[side]);
        FILE *f = fopen(path.p, "wb");
        bool good = f;
        for (size_t i = 0; good && i < n; i++) {
            span s = side_text(h, pairs[i].pair, side);
            good = fwrite(s.p, 1, s.n, f) == s.n && fputc('\n', f) != EOF;
        }
        if (f && fclose(f)) good = false;
        if (!good) fail("%s cannot be written: %s", path.p, strerror(errno));
        str_free(&path);
        if (!good) return -1;
    }
    return 0;
}

int harvest_write(harvest *h, const char *folder, size_t held, harvest_parts *out)
{
    drawn *all = xmalloc((h->n + 1) * sizeof *all), *train = xmalloc((h->n + 1) * sizeof *train);
    size_t n = draw(h, all), each = held < h->n / 20 ? held : h->n / 20;
    if (each > n / 2) each = n / 2;
    *out = (harvest_parts){rest(h, all, 2 * each, train), each, each};
    int result = write_part(h, folder, "train", train, out->train) ||
                         write_part(h, folder, "valid", all, each) ||
                         write_part(h, folder, "test", all + each, each)
                     ? -1
                     : 0;
    free(all);
    free(train);
    return result;
}
