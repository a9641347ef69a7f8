/* Pages of man. A translation is made by putting paragraphs into the English page, so that macros that part
 * paragraphs are the same in both, while those that set fonts may have become escapes: pages are compared
 * unit by unit (heading, tag, paragraph ...), and a page whose units are not of the same kinds in the same
 * order is left out. Macros are those of groff_man(7), and what pod2man, help2man and docbook add to them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "harvest.h"

/* What a unit of text is; a later one of the first three covers an earlier one that came before the same
 * text. */
enum kind { KIND_BREAK, KIND_PARAGRAPH, KIND_BODY, KIND_TAG, KIND_SUBHEADING, KIND_HEADING, KIND_LITERAL };

typedef struct {
    size_t from, n; /* bytes of the page's text */
    enum kind kind;
    int depth; /* of indentation */
    bool offered;
} unit;

typedef struct {
    str text, line, word;
    unit *list;
    size_t n, capacity;
    enum kind next;    /* what begins with the next text */
    bool begun, whole; /* behind the first heading; nothing that is not understood */
    bool open, glued;  /* the last unit goes on, without a blank */
    int depth, braces;
    const char *until; /* the macro that ends what is set as it stands; NULL: none */
} manual;

/* ---------------------------------------------------------------------------------------------- text */

static bool is_line(enum kind k) { return k == KIND_TAG || k == KIND_SUBHEADING || k == KIND_HEADING; }

static void end_unit(manual *m, enum kind next)
{
    m->open = m->glued = false;
    if (next > m->next || is_line(m->next)) m->next = next;
}

static unit *unit_of(manual *m)
{
    if (m->open) return &m->list[m->n - 1];
    m->list = grow(m->list, &m->capacity, m->n + 1, sizeof *m->list);
    m->list[m->n] = (unit){m->text.n, 0, m->next, m->depth, m->next != KIND_LITERAL};
    m->open = true;
    return &m->list[m->n++];
}

/* Text as it stands, which is a unit, but none to translate. */
static void add_literal(manual *m)
{
    if (m->open && m->list[m->n - 1].kind == KIND_LITERAL) return;
    m->open = false;
    m->next = KIND_LITERAL;
    unit_of(m);
    m->next = KIND_BREAK;
}

static void add_text(manual *m, span s)
{
    bool glue = s.n >= 2 && !memcmp(s.p + s.n - 2, "\\c", 2);
    str_clear(&m->line);
    bool good = roff_text(s, &m->line);
    if (!m->line.n && good) return;
    unit *u = unit_of(m);
    u->offered &= good;
    if (u->n && !m->glued) str_add_char(&m->text, ' ');
    str_add_span(&m->text, str_span(&m->line));
    u->n = m->text.n - u->from;
    m->glued = glue;
    if (glue) return;
    enum kind next = u->kind == KIND_TAG ? KIND_BODY : is_line(u->kind) ? KIND_PARAGRAPH : KIND_BREAK;
    if (is_line(u->kind)) m->open = false;
    m->next = next;
}

/* -------------------------------------------------------------------------------------------- macros */

/* Words of a macro that sets them in a font: as text, with blanks between them or not. */
static void add_words(manual *m, span words, const char *between)
{
    str all = {0};
    bool some = false;
    while (roff_word(&words, &m->word)) {
        if (some) str_add_span(&all, span_of(between));
        str_add_span(&all, str_span(&m->word));
        some = true;
    }
    if (some) add_text(m, str_span(&all));
    str_free(&all);
}

static void ignore(manual *m, span words, const char *with) { (void)m, (void)words, (void)with; }

static void set_font(manual *m, span words, const char *between) { add_words(m, words, between); }

/* The heading stands behind the macro or in the next line. */
static void begin_section(manual *m, span words, const char *sub)
{
    end_unit(m, KIND_BREAK);
    m->begun = true;
    m->next = sub ? KIND_SUBHEADING : KIND_HEADING;
    m->depth = 0;
    m->until = NULL;
    add_words(m, words, " ");
}

static void begin_paragraph(manual *m, span words, const char *with)
{
    (void)words, (void)with;
    end_unit(m, KIND_PARAGRAPH);
}

static void break_line(manual *m, span words, const char *with)
{
    (void)words, (void)with;
    end_unit(m, KIND_BREAK);
}

static void begin_tag(manual *m, span words, const char *with)
{
    (void)words, (void)with;
    end_unit(m, KIND_BREAK);
    m->next = KIND_TAG;
}

/* The tag is the first word behind the macro. */
static void begin_item(manual *m, span words, const char *with)
{
    (void)with;
    end_unit(m, KIND_BREAK);
    m->next = KIND_TAG;
    if (roff_word(&words, &m->word) && m->word.n) {
        add_text(m, str_span(&m->word));
        m->open = m->glued = false;
    }
    m->next = KIND_BODY;
}

static void indent(manual *m, span words, const char *back)
{
    (void)words;
    end_unit(m, KIND_PARAGRAPH);
    m->depth += back ? -1 : 1;
}

static void begin_literal(manual *m, span words, const char *end)
{
    (void)words;
    end_unit(m, KIND_BREAK);
    add_literal(m);
    m->until = end;
}

/* Addresses whose place in the text is up to the device. */
static void leave_hole(manual *m, span words, const char *with)
{
    (void)words, (void)with;
    unit_of(m)->offered = false;
}

static const struct {
    const char *name;
    void (*act)(manual *m, span words, const char *with);
    const char *with;
} macros[] = {
    {"B", set_font, " "},          {"I", set_font, " "},          {"SM", set_font, " "},
    {"SB", set_font, " "},         {"BR", set_font, ""},          {"RB", set_font, ""},
    {"BI", set_font, ""},          {"IB", set_font, ""},          {"IR", set_font, ""},
    {"RI", set_font, ""},          {"SH", begin_section, NULL},   {"SS", begin_section, "sub"},
    {"PP", begin_paragraph, NULL}, {"P", begin_paragraph, NULL},  {"LP", begin_paragraph, NULL},
    {"HP", begin_paragraph, NULL}, {"sp", begin_paragraph, NULL}, {"Sp", begin_paragraph, NULL},
    {"in", begin_paragraph, NULL}, {"ti", begin_paragraph, NULL}, {"br", break_line, NULL},
    {"TP", begin_tag, NULL},       {"TQ", begin_tag, NULL},       {"IP", begin_item, NULL},
    {"RS", indent, NULL},          {"RE", indent, "back"},        {"INDENT", indent, NULL},
    {"UNINDENT", indent, "back"},  {"nf", begin_literal, "fi"},   {"EX", begin_literal, "EE"},
    {"TS", begin_literal, "TE"},   {"EQ", begin_literal, "EN"},   {"SY", begin_literal, "YS"},
    {"Vb", begin_literal, "Ve"},   {"UR", leave_hole, NULL},      {"UE", leave_hole, NULL},
    {"MT", leave_hole, NULL},      {"ME", leave_hole, NULL},      {"URL", leave_hole, NULL},
    {"MTO", leave_hole, NULL},     {"OP", leave_hole, NULL},      {"ad", ignore, NULL},
    {"na", ignore, NULL},          {"hy", ignore, NULL},          {"nh", ignore, NULL},
    {"fi", ignore, NULL},          {"EE", ignore, NULL},          {"YS", ignore, NULL},
    {"PD", ignore, NULL},          {"it", ignore, NULL},          {"ns", ignore, NULL},
    {"rs", ignore, NULL},          {"ps", ignore, NULL},          {"ft", ignore, NULL},
    {"ne", ignore, NULL},          {"ta", ignore, NULL},          {"hw", ignore, NULL},
    {"DT", ignore, NULL},          {"IX", ignore, NULL},          {"UN", ignore, NULL},
    {"ll", ignore, NULL},          {"ss", ignore, NULL},          {"nr", ignore, NULL},
    {"fam", ignore, NULL},         {"ul", ignore, NULL},          {"TE", ignore, NULL},
};

static bool is(span s, const char *text) { return span_eq(s, span_of(text)); }

static void act(manual *m, span name, span words)
{
    if (m->until && is(name, m->until)) {
        end_unit(m, KIND_PARAGRAPH);
        m->until = NULL;
        return;
    }
    bool section = is(name, "SH") || is(name, "SS");
    if (!section && (m->until || !m->begun)) return;
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (is(name, macros[i].name)) {
            macros[i].act(m, words, macros[i].with);
            return;
        }
    m->whole = false;
}

/* \{ and \} of conditions, all of which are passed over. */
static int count_braces(span line)
{
    int n = 0;
    for (size_t i = 0; i + 1 < line.n; i++)
        if (line.p[i] == '\\') n += line.p[i + 1] == '{' ? 1 : line.p[i + 1] == '}' ? -1 : 0, i++;
    return n;
}

static void read_macro(manual *m, span line)
{
    size_t at = 1, n = 0;
    while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t')) at++;
    while (at + n < line.n && !strchr(" \t\\", line.p[at + n])) n++;
    span name = {line.p + at, n}, words = {line.p + at + n, line.n - at - n};
    if (is(name, "if") || is(name, "ie") || is(name, "el"))
        m->braces = count_braces(line);
    else if (n)
        act(m, name, words);
}

static void read_line(manual *m, span line)
{
    bool macro = line.n && (*line.p == '.' || *line.p == '\'');
    if (m->braces > 0)
        m->braces += count_braces(line);
    else if (macro)
        read_macro(m, line);
    else if (!m->begun)
        return;
    else if (m->until)
        add_literal(m);
    else if (!line.n)
        end_unit(m, KIND_PARAGRAPH);
    else if (*line.p == ' ' || *line.p == '\t')
        add_literal(m);
    else
        add_text(m, line);
}

/* -------------------------------------------------------------------------------------------- pages */

static bool goes_on(const str *line)
{
    size_t n = 0;
    while (n < line->n && line->p[line->n - 1 - n] == '\\') n++;
    return n % 2;
}

/* Lines that end with a backslash go on in the next one. */
static void read_page(span page, manual *m)
{
    str line = {0};
    m->whole = true;
    m->n = 0;
    while (page.n) {
        const char *end = memchr(page.p, '\n', page.n);
        size_t n = end ? (size_t)(end - page.p) : page.n, taken = n + (end != NULL);
        str_add(&line, page.p, n);
        page = (span){page.p + taken, page.n - taken};
        if (goes_on(&line) && page.n) {
            line.p[--line.n] = '\0';
            continue;
        }
        read_line(m, str_span(&line));
        str_clear(&line);
    }
    str_free(&line);
}

static span text_of(const manual *m, size_t i) { return (span){m->text.p + m->list[i].from, m->list[i].n}; }

/* Units before the last section. */
static size_t without_last_section(const manual *m)
{
    size_t n = m->n;
    while (n > 0 && m->list[n - 1].kind != KIND_HEADING) n--;
    return n ? n - 1 : 0;
}

/* How many units of the two go together; 0: the pages are of other kinds. Translators may add a section about
 * themselves at the end; in two translations the last one is taken for it. */
static size_t common_units(const harvest *h, const manual m[2])
{
    bool english = !strncmp(h->lang[0], "en", 2) || !strncmp(h->lang[1], "en", 2);
    if (!english) {
        size_t n = without_last_section(&m[0]);
        return n == without_last_section(&m[1]) ? n : 0;
    }
    const manual *longer = m[0].n > m[1].n ? &m[0] : &m[1];
    size_t n = m[0].n < m[1].n ? m[0].n : m[1].n;
    return longer->n == n || without_last_section(longer) == n ? n : 0;
}

/* "--all" of "--all=WHAT", "-a" of "-aWHAT": names of options are not translated. */
static span option_of(span tag)
{
    size_t n = 0;
    bool is_long = tag.n > 1 && tag.p[0] == '-' && tag.p[1] == '-';
    if (tag.n && *tag.p == '-' && !is_long) n = tag.n > 1 ? 2 : 1;
    while (is_long && n < tag.n && !strchr(" ,=[|", tag.p[n])) n++;
    return (span){tag.p, n};
}

static bool same_unit(const manual m[2], size_t i)
{
    const unit *a = &m[0].list[i], *b = &m[1].list[i];
    if (a->kind != b->kind || a->depth != b->depth) return false;
    return a->kind != KIND_TAG || span_eq(option_of(text_of(&m[0], i)), option_of(text_of(&m[1], i)));
}

static void join_pages(harvest *h, int source, span src, span tgt)
{
    manual m[2] = {{.n = 0}, {.n = 0}};
    read_page(src, &m[0]);
    read_page(tgt, &m[1]);
    size_t n = m[0].whole && m[1].whole ? common_units(h, m) : 0;
    bool same = true;
    for (size_t i = 0; i < n && same; i++) same = same_unit(m, i);
    for (size_t i = 0; i < n && same; i++)
        if (m[0].list[i].offered && m[1].list[i].offered)
            harvest_offer(h, source, FORM_PLAIN, text_of(&m[0], i), text_of(&m[1], i));
    for (int side = 0; side < 2; side++) {
        str_free(&m[side].text);
        str_free(&m[side].line);
        str_free(&m[side].word);
        free(m[side].list);
    }
}

int harvest_manual(harvest *h, int source, const char *src_folder, const char *tgt_folder)
{
    const char *const folders[2] = {src_folder, tgt_folder};
    return harvest_each_page(h, source, folders, "", join_pages);
}
