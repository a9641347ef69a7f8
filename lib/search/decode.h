/* Inside the room: decoding. Each thread of search.c has a batch that sentences join as others leave it;
 * greedy.c and beam.c decode it, with what the networks say of the next words (predict.c) and what is
 * demanded of them (constraints.c). */
#ifndef TULK_SEARCH_DECODE_H
#define TULK_SEARCH_DECODE_H

#include "search/search.h"

typedef struct {
    model *const *nets; /* (n_nets) */
    int n_nets, vocab;
    const search_options *options;
    arena *memory;                 /* of the batch */
    seqs src;                      /* all sentences of the call, longest first */
    struct queue *queue;           /* those of them that nobody has begun */
    const search_request *request; /* (src.n) with every limit set */
    int max_limit;                 /* the largest of them */
    double words_a_token;          /* the most words that a translation may have for each of its tokens */
    hyp_list *const *out;          /* (src.n) where the results go */
} batch;

/* The most rows that a sentence has at a time. */
int rows_each(const search_options *o);

/* What a sentence takes of the tokens that are decoded together. */
int sentence_tokens(const batch *b, size_t sentence);

/* Sentences *first .. that join a batch in which `tokens` are under way: none unless there is room for some
 * of them. */
size_t batch_take(const batch *b, int tokens, size_t *first);

void greedy_decode(const batch *b);
void beam_decode(const batch *b);

/* log_prob over the length penalty; 0 for a length of 0. */
double search_score(const search_options *o, double log_prob, int length);

/* A result whose n words end in eos, or not (at the limit). */
hyp hyp_new(const batch *b, const int *words, int n, double log_prob);

/* Takes a hypothesis out; the others keep their order. */
void hyp_list_drop(hyp_list *l, int at);

/* Gives the hypotheses of a batch their attention and coverage penalty (attention.c). */
void attention_add(const batch *b);

/* ------------------------------------------------------------------------------- the next words */

/* What may come next in a row: n words in the order of ids, each in a place; that of word w is w itself
 * unless there is a shortlist. log p(word at i) = z[i] - log_sum, and -infinity where a constraint forbids
 * it. */
typedef struct {
    real *z;          /* (n) */
    const real *tops; /* of each block of PICK_BLOCK places: nothing in it is larger */
    double log_sum;   /* 0 if nobody asked for probabilities */
    int n;
    const int *ids; /* (n), or NULL: all words */
} next_words;

static inline int word_id(const next_words *x, int place) { return x->ids ? x->ids[place] : place; }
/* -1: it is not among them. */
int word_place(const next_words *x, int id);

typedef struct shortlisting shortlisting;

typedef struct {
    const batch *b;
    decoding **nets;
    real *z, *more; /* (rows, vocab); more: of the second network and so on */
    real *all;      /* (rows, columns) with a shortlist: before each row has its own words */
    real *tops;     /* (rows, blocks) */
    double *log_sums;
    long blocks;
    int max_rows;
    shortlisting *some; /* NULL without a shortlist */
} prediction;

prediction predict_open(const batch *b);
/* Encodes n sentences from `first` on: each is a row behind the last. */
void predict_join(prediction *p, size_t first, size_t n);
/* One step of the first `rows` rows, with log_sums if `probabilities` are wanted. */
void predict_step(prediction *p, const int *ids, int rows, bool probabilities);
next_words predict_row(const prediction *p, int row);
/* See model_select; leaves all as it is if that is what is asked for. */
void predict_select(prediction *p, const int *from, int rows, int old_rows);

/* Logits (rows, vocab): what is never produced, pad and bos, gets -infinity before any sum, so that the rest
 * adds up to one. */
void words_mask(int rows, int vocab, bool forbid_unk, real *z);

/* The place of the first of the most probable; eos where there is none, that is no number at all. */
int best_word(const next_words *x);

static inline double word_log_prob(const next_words *x, int place)
{
    return (double)x->z[place] - x->log_sum;
}

/* ---------------------------------------------------------------------------------- shortlists */

/* The words of the sentences under way, each in a column of the output layer as long as one of them may say
 * it (shortlist.c). */
shortlisting *shortlist_open(const batch *b, int max_rows);
/* Sentences first .. first + n are rows behind the last. */
void shortlist_join(shortlisting *s, decoding *const *nets, size_t first, size_t n);
void shortlist_select(shortlisting *s, const int *from, int rows);
/* Columns that are in use now, a multiple of MODEL_COLUMNS. */
int shortlist_columns(const shortlisting *s);
/* The ids of the words of a row. */
const int *shortlist_ids(const shortlisting *s, int row, int *n);
/* From all columns of a row to its words. */
void shortlist_pick(const shortlisting *s, int row, const real *columns, real *z);

/* -------------------------------------------------------------------------------- constraints */

/* A row as constraints see it: what it said so far, without bos. */
typedef struct {
    const search_options *options;
    const search_request *request;
    const int *words;
    int n;
} said;

/* Adding one is a row of constraints[]. */
typedef struct {
    const char *name;
    bool (*active)(const search_options *o); /* whether any sentence of the call may be bound by it */
    /* Sets z of what must not come next to -infinity; true if those behind it in the list have no say. */
    bool (*apply)(const said *row, next_words *x);
} constraint;

extern const constraint constraints[]; /* in the order in which they apply; ends with name NULL */

/* Whether any is active, and all that are. */
bool constraints_active(const search_options *o);
void constraints_apply(const said *row, next_words *x);

/* ----------------------------------------------------------------------------------- sampling */

/* Scratch memory for drawing from a vocabulary of this size. */
typedef struct {
    int *words;      /* (vocab) */
    double *weights; /* (vocab) */
} drawing;

drawing drawing_new(arena *memory, int vocab);
/* The place of the word that u, uniform in [0, 1), means; eos where nothing may come next. */
int draw_word(const next_words *x, const search_options *o, double u, drawing *scratch);

#endif
