#include "train/vocabulary.h"

#include <string.h>

#include "base/error.h"
#include "data/pairs.h"

/* ----------------------------------------------------------------------------------- learning */

static int learn_pairs(const vocab_request *r, learner *src, learner *tgt)
{
    pair_reader pairs = {.paths = {r->src_paths, r->tgt_paths}, .n_files = r->n_files};
    text_pair p;
    int more;
    while ((more = pairs_next(&pairs, &p)) == 1) {
        if (p.side[0].n == 0 || p.side[1].n == 0 || !p.valid) continue;
        learner_add(src, p.side[0]);
        learner_add(tgt, p.side[1]);
    }
    pairs_close(&pairs);
    return more;
}

static tokenizer *finish(learner *l, int size)
{
    vocab_data data = {0};
    tokenizer *made = learner_finish(l, size, &data) < 0 ? NULL : tokenizer_new(&data);
    vocab_data_free(&data);
    return made;
}

int vocab_pair_learn(const vocab_request *r, vocab_pair *out)
{
    learner *src = learner_new(r->normalize, r->casefold);
    learner *tgt = r->separate ? learner_new(r->normalize, r->casefold) : src;
    *out = (vocab_pair){.joint = !r->separate};
    int status = learn_pairs(r, src, tgt);
    if (status == 0) out->src = finish(src, r->size);
    if (out->src) out->tgt = r->separate ? finish(tgt, r->size) : out->src;
    learner_free(src);
    if (r->separate) learner_free(tgt);
    if (out->src && out->tgt) return 0;
    vocab_pair_free(out);
    return -1;
}

/* -------------------------------------------------------------------------------------- store */

/* 1 and the tokenizer of a side, 0 if there is none, -1. */
static int load_side(store *s, const char *side, tokenizer **out)
{
    vocab_data data = {0};
    int found = store_load_vocab(s, side, &data);
    if (found != 1) return found;
    *out = tokenizer_new(&data);
    vocab_data_free(&data);
    return *out ? 1 : -1;
}

int vocab_pair_load(store *s, const char *path, vocab_pair *out)
{
    *out = (vocab_pair){0};
    int found = load_side(s, "joint", &out->src);
    if (found == 1) {
        out->joint = true;
        out->tgt = out->src;
        return 0;
    }
    if (found == 0) found = load_side(s, "src", &out->src);
    if (found == 1) found = load_side(s, "tgt", &out->tgt);
    if (found == 1) return 0;
    vocab_pair_free(out);
    return found < 0 ? -1
                     : fail("%s holds no vocabulary: give a file made by tulk vocab or tulk train", path);
}

int vocab_pair_save(store *s, const vocab_pair *v)
{
    if (v->joint) return store_save_vocab(s, "joint", tokenizer_data(v->src));
    return store_save_vocab(s, "src", tokenizer_data(v->src)) < 0 ||
                   store_save_vocab(s, "tgt", tokenizer_data(v->tgt)) < 0
               ? -1
               : 0;
}

static bool equal(const tokenizer *a, const tokenizer *b)
{
    const vocab_data *x = tokenizer_data(a), *y = tokenizer_data(b);
    if (x->normalize != y->normalize || x->casefold != y->casefold) return false;
    if (x->n_pieces != y->n_pieces || x->n_merges != y->n_merges) return false;
    for (int i = 0; i < x->n_pieces; i++)
        if (strcmp(x->pieces[i].text, y->pieces[i].text)) return false;
    return !x->n_merges || !memcmp(x->merges, y->merges, (size_t)x->n_merges * sizeof *x->merges);
}

bool vocab_pairs_equal(const vocab_pair *a, const vocab_pair *b)
{
    return equal(a->src, b->src) && equal(a->tgt, b->tgt);
}

void vocab_pair_free(vocab_pair *v)
{
    tokenizer_free(v->src);
    if (!v->joint) tokenizer_free(v->tgt);
    *v = (vocab_pair){0};
}
