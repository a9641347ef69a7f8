/* Descriptions of packages: records of Package, Description-md5 and Description-LANG, whose text is a title
 * and paragraphs that are broken into lines. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "harvest.h"
#include "text/chars.h"
#include "text/intmap.h"

/* A record: the description as it stands, from behind "Description-LANG:". */
typedef struct {
    uint64_t key; /* of package and MD5 */
    span text;
} record;

typedef struct {
    record *list;
    size_t n, capacity;
} records;

static span next_line(span *left)
{
    const char *end = left->n ? memchr(left->p, '\n', left->n) : NULL;
    span line = {left->p, end ? (size_t)(end - left->p) : left->n};
    size_t taken = line.n + (end != NULL);
    left->p += taken;
    left->n -= taken;
    return line;
}

static bool starts(span line, const char *with)
{
    size_t n = strlen(with);
    return line.n >= n && !memcmp(line.p, with, n);
}

/* Behind the colon of a field and its blanks. */
static span value_of(span line)
{
    const char *colon = memchr(line.p, ':', line.n);
    span v = {colon + 1, (size_t)(line.p + line.n - colon - 1)};
    while (v.n && *v.p == ' ') v.p++, v.n--;
    return v;
}

static void add_record(records *r, uint64_t key, span text)
{
    if (!key || !text.n) return;
    r->list = grow(r->list, &r->capacity, r->n + 1, sizeof *r->list);
    r->list[r->n++] = (record){key, text};
}

static void read_records(span file, records *out)
{
    uint64_t package = 0, md5 = 0;
    span text = {0};
    while (file.n) {
        span line = next_line(&file);
        if (line.n == 0) {
            add_record(out, md5, text);
            md5 = package = 0;
            text = (span){0};
        } else if (*line.p == ' ')
            text.n = text.p ? (size_t)(line.p + line.n - text.p) : 0;
        else if (starts(line, "Package:"))
            package = hash64(value_of(line).p, value_of(line).n);
        else if (starts(line, "Description-md5:"))
            md5 = hash64_mix(package, hash64(value_of(line).p, value_of(line).n));
        else if (starts(line, "Description-") && memchr(line.p, ':', line.n))
            text = value_of(line);
    }
    add_record(out, md5, text);
}

/* ------------------------------------------------------------------------------------------- blocks */

enum { MAX_BLOCKS = 256 };

/* Pieces of a description that the other side should have, too. */
typedef struct {
    int n;
    bool item[MAX_BLOCKS]; /* of a list */
    int paragraph[MAX_BLOCKS];
    str text[MAX_BLOCKS];
} blocks;

static bool is_wide_at(span text, bool last)
{
    size_t at = last && text.n ? text.n - 1 : 0;
    while (last && at > 0 && (text.p[at] & 0xC0) == 0x80) at--;
    return text.n && script_without_spaces(char_at((span){text.p + at, text.n - at}).script);
}

/* Lines of a script without spaces are joined without one. */
static void join_line(str *block, span line)
{
    bool wide = is_wide_at(str_span(block), true) && is_wide_at(line, false);
    if (block->n && !wide) str_add_char(block, ' ');
    str_add_span(block, line);
}

static size_t bullet_length(span line)
{
    if (line.n > 2 && strchr("*-+o", *line.p) && line.p[1] == ' ') return 2;
    if (line.n > 4 && !memcmp(line.p, "\xE2\x80\xA2 ", 4)) return 4;
    if (line.n > 4 && !memcmp(line.p, "\xE2\x80\x93 ", 4)) return 4;
    return 0;
}

static void new_block(blocks *b, bool item, int paragraph)
{
    if (b->n == MAX_BLOCKS) return;
    b->item[b->n] = item;
    b->paragraph[b->n] = paragraph;
    str_clear(&b->text[b->n++]);
}

static void add_line(blocks *b, span line, int paragraph, bool fresh)
{
    size_t indent = 0;
    while (indent < line.n && line.p[indent] == ' ') indent++;
    line.p += indent;
    line.n -= indent;
    size_t bullet = bullet_length(line);
    bool in_item = b->n && b->item[b->n - 1];
    if (fresh || bullet || in_item != (indent > 1)) new_block(b, bullet || indent > 1, paragraph);
    line.p += bullet;
    line.n -= bullet;
    join_line(&b->text[b->n - 1], line);
}

static void cut_blocks(span text, blocks *out)
{
    int paragraph = 0;
    bool fresh = true;
    out->n = 0;
    new_block(out, false, 0);
    str_add_span(&out->text[0], next_line(&text));
    while (text.n) {
        span line = next_line(&text);
        if (line.n == 2 && line.p[1] == '.') {
            paragraph++;
            fresh = true;
            continue;
        }
        add_line(out, line, paragraph, fresh);
        fresh = false;
    }
}

static bool same_shape(const blocks *a, const blocks *b)
{
    if (a->n != b->n || a->n == MAX_BLOCKS) return false;
    for (int i = 0; i < a->n; i++)
        if (a->item[i] != b->item[i] || a->paragraph[i] != b->paragraph[i]) return false;
    return true;
}

/* The only block of a paragraph if it is text, else -1; block 0 is the title. */
static int lone_block(const blocks *b, int paragraph)
{
    int found = -1;
    for (int i = 1; i < b->n; i++)
        if (b->paragraph[i] == paragraph) {
            if (found >= 0 || b->item[i]) return -1;
            found = i;
        }
    return found;
}

static void offer_blocks(harvest *h, int source, const blocks *a, const blocks *b)
{
    bool same = same_shape(a, b);
    for (int i = 0; i < (same ? a->n : 1); i++)
        harvest_offer(h, source, FORM_PLAIN, str_span(&a->text[i]), str_span(&b->text[i]));
    int last = a->paragraph[a->n - 1];
    if (same || last != b->paragraph[b->n - 1]) return;
    for (int k = 0; k <= last; k++) {
        int i = lone_block(a, k), j = lone_block(b, k);
        if (i > 0 && j > 0)
            harvest_offer(h, source, FORM_PLAIN, str_span(&a->text[i]), str_span(&b->text[j]));
    }
}

static void free_blocks(blocks *b)
{
    for (int i = 0; i < MAX_BLOCKS; i++) str_free(&b->text[i]);
    free(b);
}

static void join_records(harvest *h, int source, const records *src, const records *tgt)
{
    intmap places = {0};
    blocks *a = xcalloc(1, sizeof *a), *b = xcalloc(1, sizeof *b);
    for (size_t i = 0; i < src->n; i++) intmap_set(&places, src->list[i].key, (int)i);
    for (size_t i = 0; i < tgt->n; i++) {
        int place = intmap_get(&places, tgt->list[i].key);
        if (place < 0) continue;
        cut_blocks(src->list[place].text, a);
        cut_blocks(tgt->list[i].text, b);
        offer_blocks(h, source, a, b);
    }
    intmap_free(&places);
    free_blocks(a);
    free_blocks(b);
}

int harvest_descriptions(harvest *h, int source, const char *src_path, const char *tgt_path)
{
    str files[2] = {{0}, {0}};
    records lists[2] = {{0}, {0}};
    int result = harvest_read_file(src_path, &files[0]) || harvest_read_file(tgt_path, &files[1]) ? -1 : 0;
    for (int side = 0; side < 2 && !result; side++) read_records(str_span(&files[side]), &lists[side]);
    if (!result) join_records(h, source, &lists[0], &lists[1]);
    for (int side = 0; side < 2; side++) {
        free(lists[side].list);
        str_free(&files[side]);
    }
    return result;
}
