/* The languages that are known by their function words, and by how files are called. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/check_inside.h"

enum { FUNCTION_SLOTS = 2048 };

const language_row languages[LANGUAGES] = {
    {"en", "English"},    {"de", "German"},     {"fr", "French"},  {"es", "Spanish"},   {"it", "Italian"},
    {"pt", "Portuguese"}, {"nl", "Dutch"},      {"sv", "Swedish"}, {"da", "Danish"},    {"nb", "Norwegian"},
    {"fi", "Finnish"},    {"pl", "Polish"},     {"cs", "Czech"},   {"hu", "Hungarian"}, {"ro", "Romanian"},
    {"tr", "Turkish"},    {"id", "Indonesian"}, {"ru", "Russian"}, {"uk", "Ukrainian"}, {"et", "Estonian"}};

/* The most frequent words that say least; in the order of the languages. */
static const char *const words_of[LANGUAGES] = {
    "the of and to in is that it was for you he with on are as this have be not at from they she by what his "
    "her were your my we an",
    "der die das und ist nicht ein eine zu den mit von auf für sich dem des im er sie es ich auch wird "
    "werden sind oder einen einem einer wenn bei an war hat "
    "haben aber wie so nach nur was noch kann man wir mir mich dass durch aus um ihr seine",
    "le la les de des et est un une du dans que qui pour pas sur il elle ce je vous ne se avec par sont au "
    "nous cette aux ou son",
    "el la los las de y que es un una en por con para no se del lo su al está como más pero le ha este son "
    "yo qué",
    "il lo la gli le di e che è un una in per non con del della sono si al da ha questo mi ho alla dei come "
    "più nel",
    "o a os as de e que é um uma em para não com do da se no na por eu ele ela você mais foi está ao como "
    "dos das",
    "de het een en van is niet dat in te op zijn ik je met voor er aan hij ze ook maar naar als bij door "
    "wordt kan deze die",
    "och att det är en ett som på av för inte med den jag han till var om har de hon du kan från eller vi "
    "sig",
    "og at det er en et som på af for ikke med den jeg han til var om har de hun du kan fra eller vi sig "
    "også",
    "og å det er en et som på av for ikke med den jeg han til var om har de hun du kan fra eller vi seg også",
    "ja on ei että se oli hän ovat tämä mutta kuin niin minä sinä joka tai kun olen ole mitä sen voi myös ne",
    "i w nie na się z jest to do że jak co po dla od są czy przez był ma ale tym być lub tego można który",
    "a je se na v to že s z do jako o pro by ale jsem jsou není podle pokud nebo také který byl tak jak",
    "a az és nem hogy van egy is ez meg de csak volt ha vagy mint én már azt kell el lehet nincs minden",
    "și de la în a nu este că pe cu un o care mai din pentru să se sunt ce dar am fost sau al lui",
    "ve bir bu için da de ne mi çok var ben o daha gibi ile olarak değil ama olan sonra kadar her onun",
    "yang dan di itu tidak dengan untuk dari ini ke dalam adalah saya akan ada pada dia bisa atau oleh kami "
    "sudah",
    "и в не на я что он с как это по но она из у за от о же для ты все так мы был его",
    "і в не на я що він з як це та до але вона із у за від про для ти все так ми був його є",
    "ja on ei et see ta oli ma kui ka oma mis aga nad siis või sa minu seda kas mida ning olen veel"};

static size_t slot_of(const function_words *f, uint32_t word)
{
    size_t i = word % FUNCTION_SLOTS;
    while (f->bits[i] && f->slots[i] != word) i = (i + 1) % FUNCTION_SLOTS;
    return i;
}

function_words function_words_new(void)
{
    function_words f = {xcalloc(FUNCTION_SLOTS, sizeof *f.slots), xcalloc(FUNCTION_SLOTS, sizeof *f.bits)};
    for (int k = 0; k < LANGUAGES; k++)
        for (const char *at = words_of[k]; *at;) {
            size_t n = strcspn(at, " "), i = slot_of(&f, word_hash((span){at, n}));
            f.slots[i] = word_hash((span){at, n});
            f.bits[i] |= 1u << k;
            at += n + (at[n] == ' ');
        }
    return f;
}

void function_words_free(function_words *f)
{
    free(f->slots);
    free(f->bits);
}

uint32_t function_word(const function_words *f, uint32_t word) { return f->bits[slot_of(f, word)]; }

/* ------------------------------------------------------------------------------------ names, scripts */

static const struct {
    const char *code;
    enum char_script script;
} scripted[] = {{"ja", SCRIPT_HAN},      {"zh", SCRIPT_HAN},        {"ko", SCRIPT_HANGUL},
                {"el", SCRIPT_GREEK},    {"he", SCRIPT_HEBREW},     {"ar", SCRIPT_ARABIC},
                {"fa", SCRIPT_ARABIC},   {"hi", SCRIPT_DEVANAGARI}, {"th", SCRIPT_THAI},
                {"ru", SCRIPT_CYRILLIC}, {"bg", SCRIPT_CYRILLIC}};

enum { SCRIPTED = sizeof scripted / sizeof *scripted };

const char *language_of_name(const char *path)
{
    size_t n = strlen(path);
    if (n > 3 && !strcmp(path + n - 3, ".gz")) n -= 3;
    if (n < 4 || path[n - 3] != '.') return NULL;
    for (int i = 0; i < LANGUAGES; i++)
        if (!strncmp(path + n - 2, languages[i].code, 2)) return languages[i].code;
    for (int i = 0; i < SCRIPTED; i++)
        if (!strncmp(path + n - 2, scripted[i].code, 2)) return scripted[i].code;
    return NULL;
}

const char *language_of_script(enum char_script script)
{
    const char *found = NULL;
    for (int i = 0; i < SCRIPTED; i++)
        if (scripted[i].script == script) {
            if (found) return NULL;
            found = scripted[i].code;
        }
    return found;
}

enum char_script script_group(enum char_script s)
{
    return s == SCRIPT_HIRAGANA || s == SCRIPT_KATAKANA || s == SCRIPT_WIDE ? SCRIPT_HAN : s;
}

const char *script_name(enum char_script s)
{
    static const char *const names[SCRIPTS] = {[SCRIPT_ANY] = "none",
                                               [SCRIPT_OTHER] = "another",
                                               [SCRIPT_LATIN] = "Latin",
                                               [SCRIPT_GREEK] = "Greek",
                                               [SCRIPT_CYRILLIC] = "Cyrillic",
                                               [SCRIPT_HEBREW] = "Hebrew",
                                               [SCRIPT_ARABIC] = "Arabic",
                                               [SCRIPT_DEVANAGARI] = "Devanagari",
                                               [SCRIPT_HANGUL] = "Hangul",
                                               [SCRIPT_HAN] = "Han, kana",
                                               [SCRIPT_HIRAGANA] = "Han, kana",
                                               [SCRIPT_KATAKANA] = "Han, kana",
                                               [SCRIPT_WIDE] = "Han, kana",
                                               [SCRIPT_THAI] = "Thai",
                                               [SCRIPT_LAO] = "Lao",
                                               [SCRIPT_KHMER] = "Khmer",
                                               [SCRIPT_MYANMAR] = "Myanmar",
                                               [SCRIPT_TIBETAN] = "Tibetan"};
    return names[s];
}
