/* Corpora made of what others have translated: readers, tidying, judging, the split. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "harvest.h"
#include "scratch.h"
#include "suite.h"

static bool is(const str *s, const char *text) { return !strcmp(str_text(s), text); }

static void test_markup(void)
{
    static const char *const cases[][2] = {
        {"<span class=\"emph\">Tools</span> &amp; <b>more</b>", "Tools & more"},
        {"a < b, <FILE>, x<y>z", "a < b, <FILE>, x<y>z"},
        {"&lt;b&gt; &#65;&#x42; &copy &nope;", "<b> AB &copy &nope;"},
        {"one<br/>two", "one two"},
        {"R&D; <", "R&D; <"},
    };
    str out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str_clear(&out);
        tidy_markup(span_of(cases[i][0]), &out);
        CU_ASSERT_STRING_EQUAL(str_text(&out), cases[i][1]);
    }
    str_free(&out);
}

static void test_mnemonics(void)
{
    static const char *const cases[][4] = {
        {"_File", "_Datei", "File", "Datei"},
        {"E_xit", "_Beenden", "Exit", "Beenden"},
        {"Save ~As...", "名前を付けて保存(~A)...", "Save As...", "名前を付けて保存..."},
        {"_Open", "開く (_O)", "Open", "開く"},
        {"set max_size", "setze max_size", "set max_size", "setze max_size"},
        {"a_b_c", "_d", "a_b_c", "d"},
        {"Smart indentin_g", "Einzug", "Smart indenting", "Einzug"},
        {"the value of max_size", "max_size ist", "the value of max_size", "max_size ist"},
        {"Search & replace", "Suchen & Ersetzen", "Search & replace", "Suchen & Ersetzen"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str src = {0}, tgt = {0};
        str_add_span(&src, span_of(cases[i][0]));
        str_add_span(&tgt, span_of(cases[i][1]));
        tidy_mnemonics(&src, &tgt);
        CU_ASSERT_STRING_EQUAL(str_text(&src), cases[i][2]);
        CU_ASSERT_STRING_EQUAL(str_text(&tgt), cases[i][3]);
        str_free(&src);
        str_free(&tgt);
    }
}

static void test_blanks(void)
{
    str out = {0};
    tidy_blanks(span_of(" \t a\n  b\xC2\xA0! \xC2\xA0 "), &out);
    CU_ASSERT(is(&out, "a b\xC2\xA0!"));
    str_clear(&out);
    tidy_blanks(span_of(" \n\xC2\xA0"), &out);
    CU_ASSERT_EQUAL(out.n, 0);
    str_free(&out);
}

static void test_sentences(void)
{
    static const struct {
        const char *text;
        int n;
    } cases[] = {{"One.", 1},
                 {"One. Two! Three?", 3},
                 {"See e.g. Paris. It is big.", 2},
                 {"Am 3. Mai war es. Gut.", 2},
                 {"He said \"Go.\" Then he left.", 2},
                 {"file.txt is there. it goes on", 1},
                 {"一つ。二つ！三つ", 3},
                 {"Das z.B. Die", 1},
                 {"", 1}};
    size_t ends[8];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(sentence_ends(span_of(cases[i].text), ends, 8), cases[i].n);
        CU_ASSERT_EQUAL(ends[cases[i].n - 1], strlen(cases[i].text));
    }
    CU_ASSERT_EQUAL(sentence_ends(span_of("A. B. Ccc. Ddd. Eee. Fff."), ends, 3), 3);
    CU_ASSERT_EQUAL(ends[2], strlen("A. B. Ccc. Ddd. Eee. Fff."));
}

static void test_judging(void)
{
    static const struct {
        const char *tgt_lang, *src, *tgt;
        enum harvest_fault fault;
    } cases[] = {
        {"de", "The house is big.", "Das Haus ist groß.", FAULT_NONE},
        {"de", "a\xFF", "Haus hier", FAULT_BROKEN},
        {"de", "bell\a", "Haus", FAULT_BROKEN},
        {"de", "1234", "Haus", FAULT_EMPTY},
        {"de", "Error in file", "error in file", FAULT_UNTRANSLATED},
        {"de", "Start the GNU debugger now", "Start the GNU debugger bitte", FAULT_UNTRANSLATED},
        {"ja", "The house", "Das Haus", FAULT_SCRIPT},
        {"ja", "Open the GIMP", "GIMPを開く", FAULT_NONE},
        {"zh_CN", "Open it", "を開く", FAULT_SCRIPT},
        {"de", "The house", "Дом", FAULT_SCRIPT},
        {"de", "cannot open %s", "kann %d nicht öffnen", FAULT_PLACEHOLDERS},
        {"de", "%s of %s", "%2$s von %1$s", FAULT_NONE},
        {"de", "use --all here", "benutze --alle hier", FAULT_PLACEHOLDERS},
        {"de", "Hello {name}!", "Hallo {Name}!", FAULT_PLACEHOLDERS},
        {"de", "See http://a.b/c.", "Siehe http://a.b/d.", FAULT_PLACEHOLDERS},
        {"de", "Version 10 of 2", "Version 12 von 1", FAULT_DIGITS},
        {"de", "on 2020-07-01", "am 01.07.2020", FAULT_NONE},
        {"ja", "page 10", "１０ページ目", FAULT_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harvest *h = harvest_new("en", cases[i].tgt_lang, CARE_STRICT);
        enum harvest_fault fault = judge_pair(h, span_of(cases[i].src), span_of(cases[i].tgt));
        if (fault != cases[i].fault) printf("%s: %s\n", cases[i].src, harvest_faults[fault]);
        CU_ASSERT_EQUAL(fault, cases[i].fault);
        harvest_free(h);
    }
}

static bool has(const harvest *h, const char *src, const char *tgt)
{
    for (size_t i = 0; i < h->n; i++)
        if (!strcmp(h->text.p + h->pairs[i].src, src) && !strcmp(h->text.p + h->pairs[i].tgt, tgt))
            return true;
    return false;
}

static void test_descriptions(void)
{
    static const char en[] = "Package: a\nDescription-md5: 1\nDescription-en: game of cards\n This is a "
                             "long\n paragraph. It has two.\n"
                             " .\n Features:\n  * first thing\n    goes on\n  * second thing\n\n"
                             "Package: b\nDescription-md5: 2\nDescription-en: not there\n Text.\n\n";
    static const char de[] = "Package: a\nDescription-md5: 1\nDescription-de: Kartenspiel\n Dies ist ein "
                             "langer Absatz.\n Er hat\n zwei.\n"
                             " .\n Merkmale:\n  * erste Sache\n    geht weiter\n  * zweite Sache\n\n"
                             "Package: b\nDescription-md5: 3\nDescription-de: anderes\n Text dazu.\n";
    harvest *h = harvest_new("en", "de", CARE_STRICT);
    const char *a = scratch_write("tr.en", en, strlen(en)), *b = scratch_write("tr.de", de, strlen(de));
    CU_ASSERT_EQUAL(harvest_descriptions(h, harvest_source_of(h, "d"), a, b), 0);
    CU_ASSERT(has(h, "game of cards", "Kartenspiel"));
    CU_ASSERT(has(h, "This is a long paragraph.", "Dies ist ein langer Absatz."));
    CU_ASSERT(has(h, "It has two.", "Er hat zwei."));
    CU_ASSERT(has(h, "first thing goes on", "erste Sache geht weiter"));
    CU_ASSERT(has(h, "second thing", "zweite Sache"));
    CU_ASSERT_EQUAL(h->n, 6);
    CU_ASSERT_EQUAL(harvest_descriptions(h, 0, a, scratch_path("missing")), -1);
    harvest_free(h);
}

/* A catalogue of two columns of strings, in the order of the keys. */
static const char *write_catalogue(const char *name, const char *const (*rows)[2], const size_t (*sizes)[2],
                                   uint32_t n, bool swap)
{
    str file = {0}, text = {0};
    uint32_t head[7] = {0x950412DEu, 0, n, 28, 28 + 8 * n, 0, 0}, base = 28 + 16 * n;
    str_add(&file, (const char *)head, sizeof head);
    for (int column = 0; column < 2; column++)
        for (uint32_t i = 0; i < n; i++) {
            uint32_t entry[2] = {(uint32_t)sizes[i][column], base + (uint32_t)text.n};
            str_add(&file, (const char *)entry, sizeof entry);
            str_add(&text, rows[i][column], sizes[i][column] + 1);
        }
    for (size_t i = 0; swap && i < file.n; i += 4) {
        char *p = file.p + i, a = p[0], b = p[1];
        p[0] = p[3], p[1] = p[2], p[2] = b, p[3] = a;
    }
    str_add_span(&file, str_span(&text));
    const char *path = scratch_write(name, file.p, file.n);
    str_free(&file);
    str_free(&text);
    return path;
}

#define S(text) sizeof(text) - 1

static void test_catalogue(void)
{
    static const char *const de[][2] = {{"", "header"},
                                        {"_Open", "_Öffnen"},
                                        {"menu\004Close it", "Schließen"},
                                        {"one file\0%d files", "eine Datei\0%d Dateien"},
                                        {"  -a, --all   shows all", "  -a, --all   zeigt alles"},
                                        {"table   of   blanks", "Tafel   der   Blanks"}};
    static const size_t sizes[][2] = {{0, 6},
                                      {S("_Open"), S("_Öffnen")},
                                      {S("menu\004Close it"), S("Schließen")},
                                      {S("one file\0%d files"), S("eine Datei\0%d Dateien")},
                                      {S("  -a, --all   shows all"), S("  -a, --all   zeigt alles")},
                                      {S("table   of   blanks"), S("Tafel   der   Blanks")}};
    for (int swap = 0; swap < 2; swap++) {
        harvest *h = harvest_new("en", "de", CARE_STRICT);
        CU_ASSERT_EQUAL(harvest_catalogue(h, harvest_source_of(h, "m"), "-",
                                          write_catalogue("de.mo", de, sizes, 6, swap)),
                        0);
        CU_ASSERT_EQUAL(h->n, 4);
        CU_ASSERT(has(h, "Open", "Öffnen"));
        CU_ASSERT(has(h, "Close it", "Schließen"));
        CU_ASSERT(has(h, "%d files", "%d Dateien"));
        CU_ASSERT(has(h, "shows all", "zeigt alles"));
        harvest_free(h);
    }
    static const char *const fr[][2] = {{"_Open", "_Ouvrir"}};
    static const size_t fr_sizes[][2] = {{S("_Open"), S("_Ouvrir")}};
    harvest *h = harvest_new("de", "fr", CARE_STRICT);
    const char *a = write_catalogue("de.mo", de, sizes, 6, false),
               *b = write_catalogue("fr.mo", fr, fr_sizes, 1, false);
    CU_ASSERT_EQUAL(harvest_catalogue(h, harvest_source_of(h, "m"), a, b), 0);
    CU_ASSERT(h->n == 1 && has(h, "Öffnen", "Ouvrir"));
    CU_ASSERT_EQUAL(harvest_catalogue(h, 0, "-", scratch_write("bad.mo", "nothing", 7)), -1);
    CU_ASSERT_EQUAL(
        harvest_catalogue(h, 0, "-", scratch_write("cut.mo", "\xDE\x12\x04\x95\0\0\0\0\xFF\xFF\xFF\xFF", 12)),
        -1);
    harvest_free(h);
}

static void test_tables(void)
{
    static const char tmx[] =
        "<tmx><body><tu tuid=\"1\"><tuv xml:lang=\"en-GB\"><seg>A &amp; B here</seg></tuv>\n"
        "<tuv xml:lang=\"de\"><seg>A &amp; B hier</seg></tuv></tu><tu>\n<tuv "
        "lang=\"DE\"><seg>Nur\nDeutsch</seg></tuv>\n"
        "<tuv xml:lang=\"en\"><seg>Only German</seg></tuv></tu></body></tmx>\n";
    static const char tsv[] = "1\tHello there\t2\tHallo du\textra\n3\tno more\n";
    harvest *h = harvest_new("en", "de", CARE_GENTLE);
    CU_ASSERT_EQUAL(harvest_tmx(h, harvest_source_of(h, "t"), scratch_write("x.tmx", tmx, strlen(tmx))), 0);
    CU_ASSERT(h->n == 2 && has(h, "A & B here", "A & B hier") && has(h, "Only German", "Nur Deutsch"));
    CU_ASSERT_EQUAL(harvest_columns(h, 0, scratch_write("x.tsv", tsv, strlen(tsv)), 2, 4), 0);
    CU_ASSERT(h->n == 3 && has(h, "Hello there", "Hallo du"));
    CU_ASSERT_EQUAL(h->faults[FAULT_EMPTY], 1);
    const char *a = scratch_write("x.en", "one\ntwo\n", 8), *b = scratch_write("x.de", "eins\n", 5);
    CU_ASSERT_EQUAL(harvest_lines(h, 0, a, b), -1);
    harvest_free(h);
}

/* Sentences by number; every third stands twice with another translation. */
static void offer_many(harvest *h)
{
    static const char *const words[] = {"red", "blue", "old", "new",  "dog",
                                        "cat", "sun",  "sea", "runs", "eats"};
    char src[128], tgt[128];
    for (int i = 0; i < 3000; i++) {
        int k = i % 3 ? i : i - i % 600;
        snprintf(src, sizeof src, "The %s %s %s %s.", words[k % 10], words[k / 10 % 10], words[k / 100 % 10],
                 words[k / 1000]);
        snprintf(tgt, sizeof tgt, "Das %s %s %s %s x%c.", words[i % 10], words[i / 10 % 10],
                 words[i / 100 % 10], words[i / 1000], 'a' + i % 7);
        harvest_offer(h, 0, FORM_PLAIN, span_of(src), span_of(tgt));
    }
}

static char *whole(const char *name)
{
    str s = {0};
    CU_ASSERT_EQUAL(harvest_read_file(scratch_path(name), &s), 0);
    return s.p ? s.p : xstrdup("");
}

/* No line of `part` is a line of the training text. */
static void check_apart(const char *part, const char *train)
{
    char *all = whole(train), *lines = whole(part);
    int found = 0, n = 0;
    for (char *left = lines, *line; (line = strsep(&left, "\n")) && *line; n++) {
        size_t length = strlen(line);
        for (char *at = all; (at = strstr(at, line)); at++)
            found += (at == all || at[-1] == '\n') && at[length] == '\n';
    }
    CU_ASSERT_EQUAL(found, 0);
    CU_ASSERT_EQUAL(n, 50);
    free(all);
    free(lines);
}

static void test_split(void)
{
    harvest *h = harvest_new("en", "de", CARE_GENTLE);
    harvest_parts parts;
    harvest_source_of(h, "s");
    offer_many(h);
    harvest_finish(h);
    CU_ASSERT_EQUAL(harvest_write(h, scratch_folder, 50, &parts), 0);
    CU_ASSERT_EQUAL(parts.valid, 50);
    CU_ASSERT_EQUAL(parts.test, 50);
    CU_ASSERT_EQUAL(parts.train + 100, h->n);
    check_apart("test.en", "train.en");
    check_apart("test.de", "train.de");
    check_apart("valid.en", "train.en");
    check_apart("valid.de", "test.de");
    CU_ASSERT_EQUAL(harvest_write(h, scratch_path("missing"), 50, &parts), -1);
    harvest_free(h);
}

static void test_doubles(void)
{
    harvest *h = harvest_new("en", "de", CARE_STRICT);
    int s = harvest_source_of(h, "s");
    for (int i = 0; i < 3; i++) harvest_offer(h, s, FORM_PLAIN, span_of("The house"), span_of("Das Haus"));
    harvest_offer(h, s, FORM_PLAIN, span_of("The house"),
                  span_of("Ein Haus, das sehr sehr viel länger ist als alles andere hier und weiter geht"));
    harvest_finish(h);
    CU_ASSERT_EQUAL(h->n, 1);
    CU_ASSERT_EQUAL(h->faults[FAULT_DUPLICATE], 2);
    CU_ASSERT_EQUAL(h->faults[FAULT_RATIO], 1);
    CU_ASSERT_EQUAL(h->sources[s].kept, 1);
    harvest_free(h);
}

/* Pages in folders: paragraphs by id, one of several alternatives, no programs. */
static void test_help(void)
{
    static const char en[] =
        "<p id=\"par_id1\" class=\"paragraph\">Choose <span id=\"s\" class=\"switchinline\"><span "
        "hidden=\"true\" id=\"MACx\" "
        "class=\"MAC\"><span class=\"emph\">Preferences</span></span><span hidden=\"true\" "
        "id=\"defaultx\"><b>Options</b></span></span> "
        "now.</p><p id=\"par_id2\" class=\"bascode\">Print here</p><h2 id=\"hd_id3\"><a name=\"b\"></a>The "
        "<span id=\"s\" "
        "class=\"switchinline\"><span hidden=\"true\" id=\"WRITERx\">page</span><span hidden=\"true\" "
        "id=\"DRAWx\">slide</span></span></h2><p class=\"x\">No id</p>";
    static const char de[] = "<h2 id=\"hd_id3\">Die Seite</h2><p id=\"par_id1\">W&auml;hlen Sie "
                             "Einstellungen.</p><p id=\"par_id2\">Hier drucken</p>";
    harvest *h = harvest_new("en", "de", CARE_GENTLE);
    CU_ASSERT_EQUAL(mkdir(scratch_path("en"), 0700) | mkdir(scratch_path("de"), 0700), 0);
    scratch_write("en/a.html", en, strlen(en));
    scratch_write("en/b.html", en, strlen(en));
    scratch_write("de/a.html", de, strlen(de));
    CU_ASSERT_EQUAL(harvest_help(h, harvest_source_of(h, "h"), scratch_path("en"), scratch_path("de")), 0);
    CU_ASSERT_EQUAL(h->n, 2);
    CU_ASSERT(has(h, "The page", "Die Seite"));
    CU_ASSERT(has(h, "Choose Options now.", "W&auml;hlen Sie Einstellungen."));
    CU_ASSERT_EQUAL(harvest_help(h, 0, scratch_path("missing"), scratch_path("de")), -1);
    harvest_free(h);
}

typedef int page_reader(harvest *h, int source, const char *src, const char *tgt);

/* The same name in a folder of each language, read by `read`. */
static void read_pages(harvest *h, page_reader *read, const char *src, const char *tgt)
{
    mkdir(scratch_path("src"), 0700);
    mkdir(scratch_path("tgt"), 0700);
    scratch_write("src/a.page", src, strlen(src));
    scratch_write("tgt/a.page", tgt, strlen(tgt));
    CU_ASSERT_EQUAL(read(h, harvest_source_of(h, "p"), scratch_path("src"), scratch_path("tgt")), 0);
    CU_ASSERT_EQUAL(remove(scratch_path("src/a.page")) | remove(scratch_path("tgt/a.page")), 0);
    CU_ASSERT_EQUAL(read(h, 0, scratch_path("src"), scratch_path("tgt")), -1);
}

/* None of the pages goes with `page`, on either side. */
static void check_refused(page_reader *read, const char *page, const char *const *others, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        harvest *h = harvest_new("en", "de", CARE_GENTLE);
        read_pages(h, read, page, others[i]);
        read_pages(h, read, others[i], page);
        if (h->n) printf("page %zu: %zu pairs\n", i, h->n);
        CU_ASSERT_EQUAL(h->n, 0);
        harvest_free(h);
    }
}

#define PAGE(info, body) "<?xml version=\"1.0\"?>\n<page id=\"x\"><info>" info "</info>" body "</page>\n"

static void test_mallard(void)
{
    static const char en[] = PAGE(
        "<desc>Ring the bell.</desc><!-- <p>no text</p> -->",
        "<title>Bells &amp; more</title><p a='>'>Press <keyseq><key>Ctrl</key> <key>B</key></keyseq>, then "
        "<guiseq><gui>View</gui>\n<gui>Sound</gui></guiseq>.</p><list><item><p>See <link xref=\"other\"/> "
        "now</p></item></list><code>ring the bell</code><p>The <em>last</em> <!-- <b> -->one</p><comment>"
        "<p>To do for us</p></comment><p/><media><p>A picture here</p></media>");
    static const char de[] = PAGE(
        "<desc>Die Glocke läuten.</desc><mal:credit><mal:name>Heidi</mal:name></mal:credit>",
        "<title>Glocken &amp; mehr</title><p>Drücken Sie <keyseq><key>Strg</key><key>B</key></keyseq> und "
        "dann <guiseq><gui>Ansicht</gui><gui>Klang</gui></guiseq>.</p><list><item><p>Siehe <link "
        "xref=\"other\"/> jetzt</p></item></list><code>Glocke läuten</code><p>Das "
        "<em>letzte</em></p><comment>"
        "<p>Noch zu tun</p></comment><p/><media><p>Ein Bild hier</p></media>");
    harvest *h = harvest_new("en", "de", CARE_GENTLE);
    read_pages(h, harvest_mallard, en, de);
    CU_ASSERT_EQUAL(h->n, 4);
    CU_ASSERT(has(h, "Ring the bell.", "Die Glocke läuten."));
    CU_ASSERT(has(h, "Bells & more", "Glocken & mehr"));
    CU_ASSERT(has(h, "Press Ctrl+B, then View ▸ Sound.", "Drücken Sie Strg+B und dann Ansicht ▸ Klang."));
    CU_ASSERT(has(h, "The last one", "Das letzte"));
    harvest_free(h);
}

/* Pages of another structure, and pages that are broken, give nothing. */
static void test_mallard_refused(void)
{
    static const char en[] = PAGE("", "<title>The bell</title><p>Ring it</p><p>Twice</p>");
    static const char *const others[] = {
        PAGE("", "<title>Die Glocke</title><p>Läuten</p>"),
        PAGE("", "<title>Die Glocke</title><p>Läuten</p><section><p>Zweimal</p></section>"),
        PAGE("", "<p>Die Glocke</p><title>Läuten</title><p>Zweimal</p>"),
        PAGE("", "<title>Die Glocke</title><p>Läuten</p><p>Zweimal"),
        PAGE("", "<title>Die Glocke</title><p>Läuten</p></p><p>Zweimal</p>"),
        "<page><title>Die Glocke</title><p>Läuten</p><p>Zweimal</p><!-- ",
        "<page><title>Die Glocke</title><p>Läuten</p><p>Zweimal</p></page a=\"",
        "<",
        "< ></>",
        ""};
    check_refused(harvest_mallard, en, others, sizeof others / sizeof *others);
}

static void test_roff(void)
{
    static const struct {
        const char *text, *out;
    } cases[] = {
        {"\\fBls\\fP [\\fI\\,FILE\\/\\fP]\\&...", "ls [FILE]..."},
        {"\\-\\-all\\ of\\~it\\e", "--all\xC2\xA0of\xC2\xA0it\\"},
        {"\\(lqyes\\(rq \\[co] \\[u20AC] \\*(Aq\\f(CWx\\f[R]", "“yes” © € 'x"},
        {"\\s-1SMALL\\s0 \\s+2big\\s10", "SMALL big"},
        {"text \\\" comment", "text "},
        {"\\", ""},
        {"\\(nope", NULL},
        {"\\h'1i'", NULL},
        {"\\[unclosed", NULL},
        {"\\[u110000]", NULL},
        {"\\(", NULL},
        {"\\f", NULL},
        {"\\s", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str out = {0};
        bool good = roff_text(span_of(cases[i].text), &out);
        CU_ASSERT_EQUAL(good, cases[i].out != NULL);
        if (good && cases[i].out) CU_ASSERT_STRING_EQUAL(str_text(&out), cases[i].out);
        str_free(&out);
    }
    span line = span_of(" one \"two \"\"three\"\"\" a\\ b \"");
    static const char *const words[] = {"one", "two \"three\"", "a\\ b", ""};
    str word = {0};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT(roff_word(&line, &word));
        CU_ASSERT_STRING_EQUAL(str_text(&word), words[i]);
    }
    CU_ASSERT(!roff_word(&line, &word));
    str_free(&word);
}

static const char man_en[] =
    ".\\\" comment\n.de XX\n.TH RING 1\n.SH NAME\nring \\- sound a bell\n.SH SYNOPSIS\n"
    ".nf\n.B ring\n  -a\n.fi\n.SH DESCRIPTION\n.PP\nThe program\n.BR ring (1)\nsounds "
    "a bell.\n.if n \\{\\\n.UNKNOWN\n.\\}\nIt is \\\nloud.\n.TP\n.BR -a \", \" --all\n"
    "Sound all\n.I bells\nthere are.\n.TP\n.B \\-b\nBe brief.\n.IP \\(bu 2\nA point.\n.RS\n"
    ".PP\nInside of it.\n  set as is\n.RE\n.PP\nAt\n.UR http://x.y\n.UE .\n.br\nThe end.\n";
static const char man_de[] =
    ".TH RING 1\n.SH BEZEICHNUNG\nring \\- eine Glocke läuten\n.SH ÜBERSICHT\n.nf\n\\fBring\\fP\n  -a\n.fi\n"
    ".SH BESCHREIBUNG\nDas Programm \\fBring\\fP(1) läutet eine\nGlocke. Es ist laut.\n.TP \n\\fB-a\\fP, "
    "\\fB--all\\fP\nAlle \\fIGlocken\\fP läuten, die da sind.\n.TP\n\\fB\\-b\\fP\nKurz.\n.IP \\(bu 2\nEin "
    "Punkt.\n.RS\n.PP\nDarin.\n  wie gesetzt\n.RE\n.PP\nBei\n.UR http://x.y\n.UE .\n.br\nDas Ende.\n";

static void test_manual(void)
{
    static const char note[] = ".SH ÜBERSETZUNG\nVon Heidi.\n.PP\nFrei.\n";
    for (int added = 0; added < 3; added++) {
        harvest *h = harvest_new("en", "de", CARE_GENTLE);
        str de = {0};
        str_addf(&de, "%s%s%s", man_de, added > 0 ? note : "", added > 1 ? note : "");
        read_pages(h, harvest_manual, man_en, str_text(&de));
        CU_ASSERT_EQUAL(h->n, added < 2 ? 13 : 0);
        if (added < 2) {
            CU_ASSERT(has(h, "NAME", "BEZEICHNUNG"));
            CU_ASSERT(has(h, "ring - sound a bell", "ring - eine Glocke läuten"));
            CU_ASSERT(has(h, "The program ring(1) sounds a bell. It is loud.",
                          "Das Programm ring(1) läutet eine Glocke. Es ist laut."));
            CU_ASSERT(has(h, "-a, --all", "-a, --all"));
            CU_ASSERT(has(h, "Sound all bells there are.", "Alle Glocken läuten, die da sind."));
            CU_ASSERT(has(h, "Inside of it.", "Darin."));
            CU_ASSERT(has(h, "The end.", "Das Ende."));
        }
        str_free(&de);
        harvest_free(h);
    }
    harvest *h = harvest_new("de", "fr", CARE_GENTLE); /* the last section is about the translators */
    read_pages(h, harvest_manual, ".SH A\neins\n.SH B\nHeidi\n", ".SH A\nun\n.SH C\nLuc\n.PP\nlibre\n");
    CU_ASSERT(h->n == 2 && has(h, "eins", "un"));
    harvest_free(h);
}

static void test_manual_refused(void)
{
    static const char en[] = ".SH A\nOne\n.PP\nTwo\n.TP\n-a\nAll\n.TP\n-b\nBrief\n";
    static const char *const others[] = {".SH A\nEins\n.PP\nZwei\n.TP\n-b\nAlle\n.TP\n-a\nKurz\n",
                                         ".SH A\nEins\n.br\nZwei\n.TP\n-a\nAlle\n.TP\n-b\nKurz\n",
                                         ".SH A\nEins\n.PP\nZwei\n.TP\n-a\nAlle\n.PP\n-b\nKurz\n",
                                         ".SH A\nEins\n.PP\nZwei\n.TP\n-a\nAlle\n.RS\n.TP\n-b\nKurz\n",
                                         ".SH A\nEins\n.PP\nZwei\n.Fl\n.TP\n-a\nAlle\n.TP\n-b\nKurz\n",
                                         ".SH A\nEins\n.PP\nZwei\n.nf\n.TP\n-a\nAlle\n.TP\n-b\nKurz\n",
                                         ".SH A\nEins\n.PP\nZwei\n",
                                         "Eins\n.PP\nZwei\n.TP\n-a\nAlle\n.TP\n-b\nKurz\n",
                                         ".SH A\nEins\n.if n \\{\\{\n",
                                         ".\n'\n. \n.SH\n.TP\n.IP\n\\\n",
                                         ""};
    check_refused(harvest_manual, en, others, sizeof others / sizeof *others);
}

/* Ten words with ten translations, in all combinations of two; and one pair of words that never meet. */
static void test_words(void)
{
    static const char *const words[][2] = {
        {"red", "rot"},   {"big", "gross"}, {"old", "alt"},   {"new", "neu"},   {"wet", "nass"},
        {"cold", "kalt"}, {"warm", "lau"},  {"fast", "bald"}, {"slow", "lahm"}, {"dry", "karg"}};
    harvest *h = harvest_new("en", "de", CARE_GENTLE);
    char src[64], tgt[64];
    bool agrees[101];
    harvest_source_of(h, "s");
    for (int i = 0; i < 100; i++) {
        snprintf(src, sizeof src, "%s %s", words[i % 10][0], words[i / 10][0]);
        snprintf(tgt, sizeof tgt, "%s %s", words[i % 10][1], words[i / 10][1]);
        harvest_offer(h, 0, FORM_PLAIN, span_of(src), span_of(tgt));
    }
    harvest_offer(h, 0, FORM_PLAIN, span_of("red old"), span_of("kalt karg"));
    harvest_agree(h, 0.34, agrees);
    for (int i = 0; i < 100; i++) CU_ASSERT(agrees[i]);
    CU_ASSERT(!agrees[100]);
    harvest_free(h);
}

static CU_TestInfo tests[] = {{"markup and entities", test_markup},
                              {"mnemonics", test_mnemonics},
                              {"blanks", test_blanks},
                              {"sentences", test_sentences},
                              {"judging", test_judging},
                              {"descriptions of packages", test_descriptions},
                              {"catalogues", test_catalogue},
                              {"lines, columns, memories", test_tables},
                              {"train, valid and test share nothing", test_split},
                              {"doubles, lengths", test_doubles},
                              {"words that go together", test_words},
                              {"pages of help", test_help},
                              {"pages of Mallard", test_mallard},
                              {"pages of Mallard that do not go together", test_mallard_refused},
                              {"text of roff", test_roff},
                              {"pages of man", test_manual},
                              {"pages of man that do not go together", test_manual_refused},
                              CU_TEST_INFO_NULL};

int main(void)
{
    scratch_open();
    int code = suite_run("harvest", tests);
    scratch_close();
    return code;
}
