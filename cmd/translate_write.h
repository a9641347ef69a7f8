/* How translations are written: plain lines, with scores, n-best lists, JSON. */
#ifndef TULK_CMD_TRANSLATE_WRITE_H
#define TULK_CMD_TRANSLATE_WRITE_H

#include "command.h"
#include "search/search.h"
#include "text/tokenizer.h"

/* Of which there is one for each line read, in its order. */
typedef struct {
    int64_t id;            /* from 0 */
    span source;           /* as it was read, where the format asks for it */
    const hyp_list *lists; /* of its parts, */
    const seqs *src;       /* which are these sentences from `first` on; */
    size_t first;
    int parts; /* none for a line that has no text */
} translated;

typedef struct line_writer line_writer;

/* What the options ask for. The tokenizers must live as long. */
line_writer *line_writer_new(const options *o, const tokenizer *src, const tokenizer *tgt,
                             const search_options *search);
void line_writer_free(line_writer *w); /* NULL is fine */

bool line_writer_takes_scores(const line_writer *w);
bool line_writer_takes_source(const line_writer *w);
bool line_writer_takes_attention(const line_writer *w);

/* Appends what is written of a line to `text`, ends of lines included. */
void line_writer_add(line_writer *w, const translated *t, str *text);

/* Line ends and NULs inside of translations that were written as blanks. */
int64_t line_writer_blanked(const line_writer *w);

#endif
