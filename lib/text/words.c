#include "text/words.h"

#include "text/chars.h"

enum { RUN_OF_SPACES = 16, RUN_OF_SIGNS = 4, ZERO_WIDTH_JOINER = 0x200D };

static span rest(span text, size_t from) { return (span){text.p + from, text.n - from}; }

static bool takes_space(character c)
{
    return c.length && c.kind != CHAR_SPACE && c.kind != CHAR_BLANK && c.kind != CHAR_RAW;
}

/* Same kind, at most RUN_OF_SPACES of them: spaces, raw bytes. */
static size_t run_of_kind(span text, enum char_kind kind)
{
    size_t at = 0;
    for (int n = 0; n < RUN_OF_SPACES; n++) {
        character c = char_at(rest(text, at));
        if (!c.length || c.kind != kind) break;
        at += (size_t)c.length;
    }
    return at;
}

/* The marks after position `at`; `chars` counts them in. */
static size_t skip_marks(span text, size_t at, int *chars, int *last)
{
    for (character c; *chars < WORD_MAX_CHARS; at += (size_t)c.length, ++*chars) {
        c = char_at(rest(text, at));
        if (!c.length || c.kind != CHAR_MARK) break;
        *last = c.code;
    }
    return at;
}

static bool is_regional(int code) { return code >= 0x1F1E6 && code <= 0x1F1FF; }

/* A sign with its marks, then: copies of itself; another one after a zero-width joiner (emoji); the second
 * half of a flag. */
static size_t sign_run(span text)
{
    character first = char_at(text);
    size_t at = (size_t)first.length;
    int chars = 1, copies = 1, last = first.code;
    for (;;) {
        at = skip_marks(text, at, &chars, &last);
        character next = char_at(rest(text, at));
        if (!next.length || next.kind != CHAR_SYMBOL || chars >= WORD_SOFT_CHARS) return at;
        bool copy = next.code == last && copies < RUN_OF_SIGNS && !is_regional(last);
        bool flag = is_regional(last) && is_regional(next.code) && copies == 1;
        if (!copy && !flag && last != ZERO_WIDTH_JOINER) return at;
        copies++;
        chars++;
        last = next.code;
        at += (size_t)next.length;
    }
}

static size_t number_run(span text)
{
    size_t at = 0;
    int chars = 0, last = 0;
    while (chars < WORD_SOFT_CHARS) {
        character c = char_at(rest(text, at));
        if (!c.length || c.kind != CHAR_DIGIT) break;
        chars++;
        at = skip_marks(text, at + (size_t)c.length, &chars, &last);
    }
    return at;
}

/* May a letter of script b follow one of script a in the same word? */
static bool scripts_join(enum char_script a, enum char_script b)
{
    if (a == b || a == SCRIPT_ANY || b == SCRIPT_ANY) return true;
    return b == SCRIPT_HIRAGANA && (a == SCRIPT_HAN || a == SCRIPT_KATAKANA);
}

static bool is_apostrophe(character c) { return c.code == '\'' || c.code == 0x2019; }

/* The letter at `at`, or after an apostrophe there; `end` is where it ends. Length 0: there is none. */
static character next_letter(span text, size_t at, size_t *end)
{
    character c = char_at(rest(text, at));
    if (at && c.length && is_apostrophe(c)) {
        at += (size_t)c.length;
        c = char_at(rest(text, at));
        if (c.kind == CHAR_MARK) c.length = 0;
    }
    if (c.kind != CHAR_LETTER && c.kind != CHAR_MARK) c.length = 0;
    *end = at + (size_t)c.length;
    return c;
}

static size_t letter_run(span text)
{
    size_t at = 0, end;
    int chars = 0;
    enum char_script script = SCRIPT_ANY;
    while (chars < WORD_MAX_CHARS) {
        if (script == SCRIPT_LATIN) /* the usual case, quickly */
            while (at < text.n && chars < WORD_SOFT_CHARS && is_ascii_letter((unsigned char)text.p[at]))
                at++, chars++;
        character c = next_letter(text, at, &end);
        if (!c.length || !scripts_join(script, c.script)) break;
        if (chars >= WORD_SOFT_CHARS && c.kind != CHAR_MARK) break;
        if (c.script != SCRIPT_ANY) script = c.script;
        chars += end - at > (size_t)c.length ? 2 : 1; /* with the apostrophe */
        at = end;
    }
    return at;
}

size_t word_length(span text)
{
    size_t spaces = run_of_kind(text, CHAR_SPACE);
    character c = char_at(rest(text, spaces));
    if (spaces && !takes_space(c)) return spaces;
    if (spaces > 1) return spaces - 1; /* the last one belongs to the next word */
    span word = rest(text, spaces);
    switch (c.kind) {
    case CHAR_LETTER:
    case CHAR_MARK: return spaces + letter_run(word);
    case CHAR_DIGIT: return spaces + number_run(word);
    case CHAR_SYMBOL: return spaces + sign_run(word);
    default: return run_of_kind(word, c.kind);
    }
}

void words_prepare(span line, str *out)
{
    character first = char_at(line);
    bool usual = takes_space(first) && !script_without_spaces(first.script);
    if (first.length && (usual || first.kind == CHAR_SPACE)) str_add_char(out, ' ');
    str_add_span(out, line);
}
