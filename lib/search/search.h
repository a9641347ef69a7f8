/* Search for the best translation. Knows networks only by model_open, model_join, model_step and
 * model_select.
 *
 * Beam search: at each step the 2 x beam best extensions of a sentence are taken, by log p. Those that end
 * are finished if they are among the first `beam`, the best `beam` others go on. A sentence is done with
 * `beam` finished hypotheses (STOP_FINISHED), or when none that goes on can still come among the n_best
 * finished ones (STOP_EXACT: log p only falls, and no score divides by more than at the limit); in any case
 * at its limit, where the `beam` best extensions count as finished whether they end or not. Finished
 * hypotheses are ordered by score: log p, eos counted, over a length penalty (length_penalties[]), plus a
 * coverage penalty.
 *
 * With a beam of one the best word is taken at each step (greedy), and with `sample` a drawn one: n_best
 * translations of each sentence, of which those that differ are kept.
 *
 * pad and bos (and unk, if forbidden) are never produced: the others' probabilities add up to one. What else
 * must not or must come next is a constraint (constraints[]), which changes what is chosen and no
 * probability. Several networks together (an ensemble) have the mean of their logits: the geometric mean of
 * their probabilities, scaled to add up to one. Ties: the smaller row, then the smaller id, wins. A
 * sentence's result does not depend on the other sentences of the call. */
#ifndef TULK_SEARCH_SEARCH_H
#define TULK_SEARCH_SEARCH_H

#include <stdint.h>

#include "base/seqs.h"
#include "model/model.h"

/* What a score divides log p by, with the exponent a of --length-penalty; it never falls with the length. */
typedef struct {
    const char *name;
    double (*divisor)(int length, double a); /* length: words, eos counted */
} length_penalty;

/* The first one is the default; ends with a row whose name is NULL. */
extern const length_penalty length_penalties[];

enum beam_stop { STOP_FINISHED, STOP_EXACT, BEAM_STOPS };
extern const char *const beam_stops[]; /* their names; ends with NULL */

/* What is asked of one sentence beside what is asked of all. */
typedef struct {
    const int *prefix; /* (n_prefix) its translation begins with these words; NULL: with any */
    int n_prefix;
    int min_len, limit; /* as in search_options, eos counted in the limit; 0: as for all */
    bool exact;         /* the limit is the length: eos comes there, and not before */
    uint64_t draws;     /* sampling: which random numbers are its own */
} search_request;

typedef struct {
    int beam;              /* 1: greedy */
    double length_penalty; /* the exponent; default 1 */
    int penalty;           /* row of length_penalties[] */
    double coverage; /* beta of the coverage penalty of Wu et al. 2016, eq. 14: beta sum over source words j
                      * of log min(1, attention that j got from all words); not with STOP_EXACT */
    enum beam_stop stop;
    double max_len_ratio; /* a hypothesis has at most max_len_ratio * source words + max_len_extra words, */
    int max_len_extra;    /* eos counted on both sides; more if a prefix or min_len asks for it */
    int min_len;          /* words before eos may come, the last place before the limit aside */
    int no_repeat_ngram;  /* no n-gram of this length comes twice; 0: any may */
    int n_best;           /* hypotheses kept a sentence, <= beam unless they are drawn */
    int batch_tokens; /* of sources that a thread decodes together, as translations end others begin; 0: as
                       * many as suit the networks */
    bool forbid_unk;
    const int *never; /* (n_never) more words that are not produced; their probabilities stay theirs */
    int n_never;
    bool words_only; /* log_prob and score are not wanted: greedy search leaves them 0 */
    bool sample;     /* draw each word by its probability, from softmax(logits / temperature), */
    double temperature;
    int top_k;    /* among the top_k most probable, 0: all, */
    double top_p; /* and of these the fewest whose probabilities reach top_p (0 or 1: all) */
    uint64_t seed;
    bool attention;        /* leave each hypothesis its attention, */
    attention_place place; /* from this layer and head, where the network has such; 0: for each hypothesis
                            * that where target and source words have the most mutual information */
    const search_request *requests; /* NULL, or one a sentence */
    /* A vocabulary shortlist; NULL: none. List s (of src_vocab + 1) are the words that sources with piece s
     * may give, the last list those that any source may. Then a sentence has these words, eos and those of
     * its prefix: others are not produced, and what is left adds up to one. */
    const seqs *shortlist;
} search_options;

typedef struct {
    int *ids; /* without bos and eos */
    int n;
    int length;      /* n, and eos if it ended by itself */
    double log_prob; /* sum, eos counted */
    double coverage; /* the coverage penalty, 0 or less */
    double score;    /* after both penalties */
    real *attention; /* (n + 1, source words + 1), eos counted; NULL if nobody asked or no network attends */
} hyp;

typedef struct {
    hyp *hyps; /* best first; distinct */
    int n;     /* 1 .. n_best */
} hyp_list;

/* Translates every sentence of src (any number: threads take them as they have room, see batch_tokens).
 * lists: one a sentence, in order; their memory is theirs: search_free. */
void search(model *m, const seqs *src, const search_options *o, hyp_list *lists);
/* By n networks together, whose vocabularies must be the same. */
void search_ensemble(model *const *nets, int n, const seqs *src, const search_options *o, hyp_list *lists);
void search_free(hyp_list *lists, size_t n);

#endif
