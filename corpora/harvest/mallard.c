/* GNOME's help: pages of Mallard (projectmallard.org), whose translations are made by putting texts into the
 * English page, so that elements are the same in all languages: pages where they are not are left out. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "harvest.h"

/* Elements that hold text. What of them is not offered is a part of the structure all the same. */
static const struct {
    const char *name;
    bool offered;
} blocks[] = {{"p", true},     {"title", true},  {"desc", true},    {"subtitle", true}, {"code", false},
              {"cite", false}, {"media", false}, {"screen", false}, {"comment", false}};
enum { BLOCKS = sizeof blocks / sizeof *blocks };

typedef struct {
    span inside;
    bool offered;
} block;

/* The texts of a page, and a hash of the elements around them. */
typedef struct {
    block *list;
    size_t n, capacity;
    uint64_t shape;
    bool whole; /* every element ends */
} page;

typedef struct {
    span name, all; /* without '<' and '/'; from '<' to '>' */
    bool closes, empty;
} tag;

static bool starts(span s, const char *with)
{
    return s.n >= strlen(with) && !memcmp(s.p, with, strlen(with));
}

static bool is(span s, const char *text) { return s.n == strlen(text) && starts(s, text); }

/* Moves behind `what`; false if it does not come. */
static bool skip_to(span *left, const char *what)
{
    const char *at = left->n ? memmem(left->p, left->n, what, strlen(what)) : NULL;
    if (!at) return false;
    size_t n = (size_t)(at - left->p) + strlen(what);
    *left = (span){left->p + n, left->n - n};
    return true;
}

/* What begins with '<' here: neither a comment, data nor an instruction. */
static bool is_tag(span at) { return !starts(at, "<!") && !starts(at, "<?"); }

/* The bytes of a tag, whose values may hold '>'; 0 if it does not end. */
static size_t tag_length(span at)
{
    char quote = '\0';
    for (size_t i = 1; i < at.n; i++) {
        char c = at.p[i];
        if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return 0;
}

/* The next tag, which moves `left` behind it. 1, 0 at the end, -1 if the page is broken. */
static int next_tag(span *left, tag *t)
{
    for (;;) {
        const char *at = left->n ? memchr(left->p, '<', left->n) : NULL;
        if (!at) return 0;
        *left = (span){at, left->n - (size_t)(at - left->p)};
        if (is_tag(*left)) break;
        bool comment = starts(*left, "<!--"), data = starts(*left, "<![CDATA[");
        if (!skip_to(left, comment ? "-->" : data ? "]]>" : ">")) return -1;
    }
    size_t n = tag_length(*left), from = left->n > 1 && left->p[1] == '/' ? 2 : 1, to = from;
    while (to < n && !strchr(" \t\r\n/>", left->p[to])) to++;
    if (to == from || n == 0) return -1;
    *t = (tag){{left->p + from, to - from}, {left->p, n}, from == 2, left->p[n - 2] == '/'};
    *left = (span){left->p + n, left->n - n};
    return 1;
}

/* Moves behind the end of the element that `open` began; what is in it goes to `inside`. */
static bool take_element(span *left, span open, span *inside)
{
    tag t;
    const char *from = left->p;
    for (int depth = 1; next_tag(left, &t) == 1;) {
        if (t.empty || !span_eq(t.name, open)) continue;
        depth += t.closes ? -1 : 1;
        if (depth) continue;
        *inside = (span){from, (size_t)(t.all.p - from)};
        return true;
    }
    return false;
}

static int block_of(span name)
{
    int i = 0;
    while (i < BLOCKS && !is(name, blocks[i].name)) i++;
    return i;
}

static void add_event(page *p, span name, bool closes)
{
    p->shape = hash64_mix(p->shape, hash64(name.p, name.n) + closes);
}

static void add_block(page *p, span inside, bool offered)
{
    p->list = grow(p->list, &p->capacity, p->n + 1, sizeof *p->list);
    p->list[p->n++] = (block){inside, offered};
}

/* Of what is said about a page (info) only titles and descriptions count: translators add their names there.
 */
static void read_page(span text, page *out)
{
    bool about = false;
    tag t;
    int more;
    out->n = 0;
    out->shape = 0;
    out->whole = true;
    while (out->whole && (more = next_tag(&text, &t)) == 1) {
        int kind = block_of(t.name);
        if (is(t.name, "info")) about = !t.closes && !t.empty;
        if (kind < BLOCKS || !about) add_event(out, t.name, t.closes);
        if (kind == BLOCKS || t.empty) continue;
        span inside = {0};
        out->whole = !t.closes && take_element(&text, t.name, &inside);
        if (out->whole) add_block(out, inside, blocks[kind].offered);
    }
    if (more < 0) out->whole = false;
}

/* --------------------------------------------------------------------------------------------- text */

/* Choices of menus and keys to press stand behind each other, and what is between them is added by who shows
 * the page. */
typedef struct {
    const char *between; /* NULL: outside of such a sequence */
    int members;
} sequence;

static void drop_blanks(str *out)
{
    while (out->n && strchr(" \t\r\n", out->p[out->n - 1])) out->n--;
}

/* false: what the reader of the page sees here is not in the text: a picture, the title of another page. */
static bool add_tag(const tag *t, sequence *s, str *out)
{
    bool begins = is(t->name, "guiseq") || is(t->name, "keyseq");
    if (t->empty || (block_of(t->name) < BLOCKS && !is(t->name, "code"))) return false;
    if (begins)
        *s = (sequence){t->closes ? NULL : is(t->name, "guiseq") ? " \xE2\x96\xB8 " : "+", 0};
    else if (s->between && !t->closes && (is(t->name, "gui") || is(t->name, "key")) && s->members++) {
        drop_blanks(out);
        str_add_span(out, span_of(s->between));
    }
    return true;
}

/* The text of a block, with its entities; false if a part of it is not there. */
static bool block_text(span left, str *out)
{
    sequence s = {0};
    tag t;
    str_clear(out);
    while (left.n) {
        const char *at = memchr(left.p, '<', left.n);
        size_t n = at ? (size_t)(at - left.p) : left.n;
        str_add(out, left.p, n);
        left = (span){left.p + n, left.n - n};
        if (starts(left, "<!--")) {
            if (!skip_to(&left, "-->")) return false;
        } else if (left.n && !(is_tag(left) && next_tag(&left, &t) == 1 && add_tag(&t, &s, out)))
            return false;
    }
    return true;
}

static bool same_shape(const page *a, const page *b)
{
    return a->whole && b->whole && a->n == b->n && a->shape == b->shape;
}

static void join_pages(harvest *h, int source, span src, span tgt)
{
    page pages[2] = {{0}, {0}};
    str texts[2] = {{0}, {0}};
    read_page(src, &pages[0]);
    read_page(tgt, &pages[1]);
    bool same = same_shape(&pages[0], &pages[1]);
    for (size_t i = 0; same && i < pages[0].n; i++) {
        const block *a = &pages[0].list[i], *b = &pages[1].list[i];
        if (a->offered && block_text(a->inside, &texts[0]) && block_text(b->inside, &texts[1]))
            harvest_offer(h, source, FORM_MARKUP, str_span(&texts[0]), str_span(&texts[1]));
    }
    for (int side = 0; side < 2; side++) {
        free(pages[side].list);
        str_free(&texts[side]);
    }
}

int harvest_mallard(harvest *h, int source, const char *src_folder, const char *tgt_folder)
{
    const char *const folders[2] = {src_folder, tgt_folder};
    return harvest_each_page(h, source, folders, ".page", join_pages);
}
