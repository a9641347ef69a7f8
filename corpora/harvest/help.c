/* LibreOffice's help: a folder of pages for each language, where <p id="par_id..."> and <h1 id="hd_id...">
 * are the same paragraph in all of them. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "harvest.h"
#include "text/intmap.h"

typedef struct {
    uint64_t key;
    span text; /* with its tags */
} paragraph;

typedef struct {
    paragraph *list;
    size_t n, capacity;
} paragraphs;

static const char *find(const char *from, const char *end, const char *what)
{
    return from < end ? memmem(from, (size_t)(end - from), what, strlen(what)) : NULL;
}

/* The value of an attribute inside the tag; n = 0 if there is none. */
static span attribute(span tag, const char *name)
{
    const char *at = find(tag.p, tag.p + tag.n, name);
    if (!at) return (span){0};
    at += strlen(name);
    const char *end = memchr(at, '"', (size_t)(tag.p + tag.n - at));
    return end ? (span){at, (size_t)(end - at)} : (span){0};
}

static bool is_text(span tag)
{
    static const char *const others[] = {"code", "listing", "path", "bas", NULL};
    span class = attribute(tag, "class=\"");
    for (int i = 0; others[i]; i++)
        if (class.n && memmem(class.p, class.n, others[i], strlen(others[i]))) return false;
    return true;
}

/* <p id="par_...>, <h2 id="hd_...>: the element at `at`, up to its end; NULL if it is another tag. */
static const char *take_paragraph(const char *at, const char *end, paragraphs *out)
{
    char close[6] = {'<', '/', at[1], '>', '\0', '\0'};
    if (at[1] == 'h') close[3] = at[2], close[4] = '>';
    const char *tag_end = memchr(at, '>', (size_t)(end - at));
    const char *stop = tag_end ? find(tag_end, end, close) : NULL;
    if (!stop) return NULL;
    span tag = {at, (size_t)(tag_end - at)}, id = attribute(tag, " id=\"");
    if (!id.n || (strncmp(id.p, "par_", 4) && strncmp(id.p, "hd_", 3)) || !is_text(tag)) return stop;
    out->list = grow(out->list, &out->capacity, out->n + 1, sizeof *out->list);
    out->list[out->n++] = (paragraph){hash64(id.p, id.n), {tag_end + 1, (size_t)(stop - tag_end - 1)}};
    return stop;
}

static void cut_page(span page, paragraphs *out)
{
    const char *at = page.p, *end = page.p + page.n;
    out->n = 0;
    while ((at = find(at, end, "<"))) {
        bool begins = end - at > 4 &&
                      ((at[1] == 'p' && at[2] == ' ') || (at[1] == 'h' && at[2] >= '1' && at[2] <= '6'));
        const char *stop = begins ? take_paragraph(at, end, out) : NULL;
        at = stop ? stop : at + 1;
    }
}

static const char hidden[] = "<span hidden=\"true\" id=\"";

/* Behind the element that begins at `at`. */
static const char *span_end(const char *at, const char *end)
{
    for (int depth = 0; at < end;) {
        bool opens = end - at > 5 && !strncmp(at, "<span", 5),
             closes = end - at > 6 && !strncmp(at, "</span>", 7);
        depth += opens - closes;
        at += closes ? 7 : 1;
        if (closes && depth == 0) break;
    }
    return at;
}

/* Texts for one program or system each stand behind each other, hidden: the default is read, or the first if
 * there is none. `before`: what stands before the alternative. */
static bool is_shown(const char *before, const char *at, const char *end)
{
    static const char group[] = "class=\"switchinline\">", plain[] = "<span hidden=\"true\" id=\"default";
    size_t n = sizeof group - 1;
    if (!strncmp(at, plain, sizeof plain - 1)) return true;
    if ((size_t)(at - before) < n || memcmp(at - n, group, n)) return false;
    const char *next = find(at, end, group), *other = find(at, next ? next : end, plain);
    return !other;
}

static void drop_hidden(span text, str *out)
{
    str_clear(out);
    const char *at = text.p, *end = text.p + text.n, *next;
    while ((next = find(at, end, hidden))) {
        bool shown = is_shown(text.p, next, end);
        const char *stop = shown ? next + sizeof hidden - 1 : span_end(next, end);
        str_add(out, at, (size_t)((shown ? stop : next) - at));
        at = stop;
    }
    str_add(out, at, (size_t)(end - at));
}

static void join_paragraphs(harvest *h, int source, const paragraphs *src, const paragraphs *tgt)
{
    intmap places = {0};
    str texts[2] = {{0}, {0}};
    for (size_t i = 0; i < src->n; i++) intmap_set(&places, src->list[i].key, (int)i);
    for (size_t i = 0; i < tgt->n; i++) {
        int place = intmap_get(&places, tgt->list[i].key);
        if (place < 0) continue;
        drop_hidden(src->list[place].text, &texts[0]);
        drop_hidden(tgt->list[i].text, &texts[1]);
        harvest_offer(h, source, FORM_MARKUP, str_span(&texts[0]), str_span(&texts[1]));
    }
    str_free(&texts[0]);
    str_free(&texts[1]);
    intmap_free(&places);
}

static void join_pages(harvest *h, int source, span src, span tgt)
{
    paragraphs cut[2] = {{0}, {0}};
    cut_page(src, &cut[0]);
    cut_page(tgt, &cut[1]);
    join_paragraphs(h, source, &cut[0], &cut[1]);
    free(cut[0].list);
    free(cut[1].list);
}

int harvest_help(harvest *h, int source, const char *src_folder, const char *tgt_folder)
{
    const char *const folders[2] = {src_folder, tgt_folder};
    return harvest_each_page(h, source, folders, ".html", join_pages);
}
