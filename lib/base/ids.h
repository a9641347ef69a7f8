/* The ids that mean the same in every vocabulary, by convention of the field. The tokenizer never makes
 * ID_UNK (bytes stand in for what has no piece); it keeps its number so that ids agree with other tools. */
#ifndef TULK_BASE_IDS_H
#define TULK_BASE_IDS_H

enum { ID_PAD = 0, ID_UNK = 1, ID_BOS = 2, ID_EOS = 3, ID_FIRST = 4 };

#endif
