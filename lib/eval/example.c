#include "eval/example.h"

static example against(const comparison *c, long i, int ref)
{
    example e = {.ref = ref};
    span line = c->texts.refs[i * c->texts.n_refs + ref];
    for (int s = 0; s < COMPARE_SYSTEMS; s++)
        marking_of(c->texts.hyps[s][i], line, c->options.options.bleu.lowercase, &e.hyps[s], &e.refs[s]);
    return e;
}

example example_new(const comparison *c, long i)
{
    example best = against(c, i, 0);
    for (int r = 1; r < c->texts.n_refs; r++) {
        example other = against(c, i, r);
        bool better = marked_matches(&other.hyps[0]) + marked_matches(&other.hyps[1]) >
                      marked_matches(&best.hyps[0]) + marked_matches(&best.hyps[1]);
        example_free(better ? &best : &other);
        if (better) best = other;
    }
    return best;
}

void example_free(example *e)
{
    for (int s = 0; s < COMPARE_SYSTEMS; s++) {
        marked_line_free(&e->hyps[s]);
        marked_line_free(&e->refs[s]);
    }
}

enum word_mark example_ref_mark(const example *e, size_t word)
{
    enum word_mark a = e->refs[0].words[word].mark, b = e->refs[1].words[word].mark;
    return a < b ? a : b;
}

bool example_shows(int code)
{
    bool control = code < 0x20 ? code != '\t' : code >= 0x7F && code < 0xA0;
    bool never = (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
    return !control && !never;
}
