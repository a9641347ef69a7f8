/* The tables of MODEL.tulk and VOCAB.tulk. The SQL below, with its comments, is also what `sqlite3 FILE
 * .schema` prints. Reading a file with any SQLite program is supported; to write one, use tulk. For example
 *
 *     sqlite3 model.tulk "select updates, value from metric where name = 'train.loss'"
 *
 * The header of the file holds application_id = 0x54554C4B ("TULK") and user_version = the number below,
 * which grows whenever an older program could no longer read the file. A program refuses files of a newer
 * version. */
#ifndef TULK_STORE_SCHEMA_H
#define TULK_STORE_SCHEMA_H

enum {
    STORE_APPLICATION_ID = 0x54554C4B,
    STORE_VERSION = 1,
    STORE_CHUNK = 16 << 20, /* bytes of tensor data in one row, at most */
    STORE_PAGE = 32 << 10   /* bytes of a database page: large, since nearly all of the file is tensors */
};

/* clang-format off */
#define STORE_SCHEMA \
    "CREATE TABLE setting(\n" \
    "  -- What the model is and how it is trained: option names and values. Keys that begin with 'vocab.' belong to\n" \
    "  -- the vocabularies: vocab.SIDE.normalize (none, nfc, nfkc), vocab.SIDE.casefold (0, 1), vocab.SIDE.checksum.\n" \
    "  key TEXT PRIMARY KEY,\n" \
    "  value TEXT NOT NULL\n" \
    ") WITHOUT ROWID;\n" \
    "CREATE TABLE piece(\n" \
    "  -- The vocabularies. 0 to 3 are <pad> <unk> <bos> <eos>, then 256 bytes, then characters and merged pieces.\n" \
    "  side TEXT NOT NULL,       -- 'joint', or 'src' and 'tgt'\n" \
    "  id INTEGER NOT NULL,      -- from 0, without gaps: the row of the embedding\n" \
    "  text TEXT NOT NULL,       -- as `tulk tokenize` prints it\n" \
    "  count INTEGER NOT NULL,   -- occurrences in the text that it was learned from\n" \
    "  PRIMARY KEY(side, id)\n" \
    ") WITHOUT ROWID;\n" \
    "CREATE TABLE merge(\n" \
    "  -- The pairs of pieces that byte-pair encoding joins, best first.\n" \
    "  side TEXT NOT NULL,\n" \
    "  rank INTEGER NOT NULL,    -- from 0, without gaps\n" \
    "  left INTEGER NOT NULL,    -- ids of piece\n" \
    "  right INTEGER NOT NULL,\n" \
    "  result INTEGER NOT NULL,\n" \
    "  PRIMARY KEY(side, rank)\n" \
    ") WITHOUT ROWID;\n" \
    "CREATE TABLE checkpoint(\n" \
    "  -- States of the training that are kept, under a name: 'last', 'best', ...\n" \
    "  slot TEXT PRIMARY KEY,\n" \
    "  content INTEGER NOT NULL, -- which rows of tensor are its own; two slots may share them\n" \
    "  updates INTEGER NOT NULL, -- optimizer updates done\n" \
    "  epoch INTEGER NOT NULL,   -- from 1\n" \
    "  valid_score REAL,         -- what 'best' is judged by, larger is better; NULL if not validated\n" \
    "  created TEXT NOT NULL,    -- UTC, ISO 8601\n" \
    "  state TEXT                -- what the trainer needs to go on; its own format\n" \
    ");\n" \
    "CREATE TABLE tensor(\n" \
    "  -- Weights and optimizer state: float32, little-endian, row by row, cut into chunks of at most 16 MiB.\n" \
    "  content INTEGER NOT NULL, -- of checkpoint\n" \
    "  name TEXT NOT NULL,\n" \
    "  chunk INTEGER NOT NULL,   -- from 0, without gaps\n" \
    "  rows INTEGER NOT NULL,    -- of the whole tensor, the same in all its chunks\n" \
    "  cols INTEGER NOT NULL,\n" \
    "  checksum INTEGER NOT NULL, -- of data: hash64 of the program\n" \
    "  data BLOB NOT NULL,\n" \
    "  UNIQUE(content, name, chunk)\n" \
    ");\n" \
    "CREATE TABLE metric(\n" \
    "  -- The log of the training, in the order in which it was written.\n" \
    "  updates INTEGER NOT NULL, -- optimizer updates done\n" \
    "  name TEXT NOT NULL,       -- 'train.loss', 'valid.bleu', ...\n" \
    "  value REAL                -- NULL: not a number\n" \
    ");\n"

/* Made with the first shortlist: files without one have no such table. */
#define STORE_SHORTLIST_SCHEMA \
    "CREATE TABLE shortlist(\n" \
    "  -- Which pieces of the target translations may hold, for `tulk translate --shortlist`.\n" \
    "  piece INTEGER PRIMARY KEY, -- of the source, from 0, without gaps; the number behind the last: of any source\n" \
    "  words BLOB NOT NULL,       -- ids of the target: 32-bit whole numbers, little-endian\n" \
    "  checksum INTEGER NOT NULL  -- of words: hash64 of the program\n" \
    ");\n"
/* clang-format on */

#endif
