#include "text.h"

#include <string.h>
#include <strings.h>

ml_text ml_text_of(const char *string) {
    return (ml_text){string, string == NULL ? 0 : strlen(string)};
}

/* ---- characters ---- */

/* Length of the sequence that a lead byte opens, and the bits it brings; 0 when it opens none. */
static int sequence_length(unsigned char lead, int32_t *bits) {
    if (lead < 0x80) return *bits = lead, 1;
    if (lead >= 0xC2 && lead <= 0xDF) return *bits = lead & 0x1F, 2;
    if (lead >= 0xE0 && lead <= 0xEF) return *bits = lead & 0x0F, 3;
    if (lead >= 0xF0 && lead <= 0xF4) return *bits = lead & 0x07, 4;
    return 0;
}

int32_t ml_utf8_next(ml_text text, size_t *at) {
    static const int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    int32_t character = 0;
    int length = sequence_length((unsigned char)text.data[*at], &character);
    if (length == 0 || text.length - *at < (size_t)length) {
        (*at)++;
        return ML_UTF8_BAD;
    }
    for (int i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)text.data[*at + (size_t)i];
        if ((byte & 0xC0) != 0x80) {
            (*at)++;
            return ML_UTF8_BAD;
        }
        character = (character << 6) | (byte & 0x3F);
    }
    *at += (size_t)length;
    if (character < smallest[length] || character > 0x10FFFF) return ML_UTF8_BAD;
    if (character >= 0xD800 && character <= 0xDFFF) return ML_UTF8_SURROGATE;
    return character;
}

bool ml_is_control(int32_t c) {
    return (c >= 0 && c < 0x20) || (c >= 0x7F && c <= 0x9F);
}

bool ml_is_space(int32_t c) {
    return c == 0x20 || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool ml_is_steering(int32_t c) {
    return (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* ---- formats (ASCII only, whatever the locale) ---- */

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool ml_is_slug(ml_text text) {
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool inner = i > 0 && (c == '-' || c == '_');
        if (!is_lower(c) && !is_digit(c) && !inner) return false;
    }
    return text.length > 0;
}

bool ml_is_uuid(ml_text text) {
    if (text.length != 36) return false;
    for (size_t i = 0; i < text.length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : !is_hex(text.data[i])) return false;
    }
    return true;
}

/* Subtags of 1 to 8 letters or digits with "-" between them; the first has 2 to 8 letters. */
bool ml_is_language_tag(ml_text text) {
    size_t start = 0;
    for (size_t i = 0; i <= text.length; i++) {
        if (i < text.length && text.data[i] != '-') {
            bool first = start == 0;
            if (!is_letter(text.data[i]) && (first || !is_digit(text.data[i]))) return false;
            continue;
        }
        size_t length = i - start, shortest = start == 0 ? 2 : 1;
        if (length < shortest || length > 8) return false;
        start = i + 1;
    }
    return true;
}

/* Reads so many digits at *at, as a number of at most `most`; false when they are not there. */
static bool read_digits(ml_text text, size_t *at, size_t count, int least, int most) {
    int value = 0;
    if (text.length - *at < count) return false;
    for (size_t end = *at + count; *at < end; (*at)++) {
        if (!is_digit(text.data[*at])) return false;
        value = value * 10 + (text.data[*at] - '0');
    }
    return value >= least && value <= most;
}

static bool read_one_of(ml_text text, size_t *at, const char *characters) {
    if (*at >= text.length || text.data[*at] == '\0') return false;
    return strchr(characters, text.data[(*at)++]) != NULL;
}

static bool read_date(ml_text text, size_t *at) {
    return read_digits(text, at, 4, 0, 9999) && read_one_of(text, at, "-") &&
           read_digits(text, at, 2, 1, 12) && read_one_of(text, at, "-") &&
           read_digits(text, at, 2, 1, 31);
}

/* Seconds may have a fraction; 60 is a leap second. */
static bool read_time(ml_text text, size_t *at) {
    if (!read_digits(text, at, 2, 0, 23) || !read_one_of(text, at, ":")) return false;
    if (!read_digits(text, at, 2, 0, 59) || !read_one_of(text, at, ":")) return false;
    if (!read_digits(text, at, 2, 0, 60)) return false;
    if (*at >= text.length || text.data[*at] != '.') return true;
    (*at)++;
    if (!read_digits(text, at, 1, 0, 9)) return false;
    while (*at < text.length && is_digit(text.data[*at]))
        (*at)++;
    return true;
}

static bool read_offset(ml_text text, size_t *at) {
    if (*at < text.length && (text.data[*at] == 'Z' || text.data[*at] == 'z')) return (*at)++, true;
    return read_one_of(text, at, "+-") && read_digits(text, at, 2, 0, 23) &&
           read_one_of(text, at, ":") && read_digits(text, at, 2, 0, 59);
}

bool ml_is_date_time(ml_text text) {
    size_t at = 0;
    return read_date(text, &at) && read_one_of(text, &at, "Tt ") && read_time(text, &at) &&
           read_offset(text, &at) && at == text.length;
}

bool ml_is_token(ml_text text) {
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.length > 0;
}

/* ---- likeness ---- */

bool ml_text_equal(ml_text a, ml_text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool ml_text_equal_no_case(ml_text a, ml_text b) {
    return a.length == b.length && (a.length == 0 || strncasecmp(a.data, b.data, a.length) == 0);
}

bool ml_is_choice(ml_text text, const char *const *choices) {
    for (; *choices != NULL; choices++)
        if (ml_text_equal(text, ml_text_of(*choices))) return true;
    return false;
}

static size_t skip_joints(ml_text text, size_t at) {
    while (at < text.length && (text.data[at] == '-' || text.data[at] == '_'))
        at++;
    return at;
}

static char lowered(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Equal but for case, "-" and "_". */
static bool equal_folded(ml_text a, ml_text b) {
    size_t i = skip_joints(a, 0), j = skip_joints(b, 0);
    while (i < a.length && j < b.length && lowered(a.data[i]) == lowered(b.data[j])) {
        i = skip_joints(a, i + 1);
        j = skip_joints(b, j + 1);
    }
    return i == a.length && j == b.length;
}

enum { LONGEST_COMPARED = 63 };

static bool is_swapped(ml_text a, size_t i, ml_text b, size_t j) {
    return i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
}

/* Levenshtein's distance, where two neighbours that were swapped are one edit. Texts longer than
 * LONGEST_COMPARED are infinitely far away. */
static size_t distance(ml_text a, ml_text b) {
    if (a.length > LONGEST_COMPARED || b.length > LONGEST_COMPARED) return SIZE_MAX;
    size_t rows[3][LONGEST_COMPARED + 1] = {{0}};
    size_t *row = rows[0], *last = rows[1], *before_last = rows[2];
    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t *oldest = before_last;
        before_last = last;
        last = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t best = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (is_swapped(a, i, b, j) && before_last[j - 2] + 1 < best)
                best = before_last[j - 2] + 1;
            row[j] = best;
        }
    }
    return row[b.length];
}

const char *ml_near_miss(ml_text text, const char *const *choices) {
    for (; *choices != NULL; choices++) {
        ml_text choice = ml_text_of(*choices);
        if (equal_folded(text, choice) || distance(text, choice) == 1) return *choices;
    }
    return NULL;
}

/* ---- names that people type ---- */

/* The next word of a name that is written like_this or likeThis. */
static bool next_word(ml_text name, size_t *at, ml_text *word) {
    size_t start = skip_joints(name, *at), end = start;
    while (end < name.length && name.data[end] != '_' && name.data[end] != '-' &&
           (end == start || lowered(name.data[end]) == name.data[end] ||
            lowered(name.data[end - 1]) != name.data[end - 1]))
        end++;
    *at = end;
    *word = (ml_text){name.data + start, end - start};
    return end > start;
}

static bool is_word(ml_text word, const char *other) {
    return ml_text_equal_no_case(word, ml_text_of(other));
}

/* One word in another form: an abbreviation, a plural, a letter wrong. */
static bool are_alike(ml_text a, ml_text b) {
    enum { SHORTEST_STEM = 3, SHORTEST_MISSPELT = 5 };
    if (ml_text_equal_no_case(a, b)) return true;
    if (a.length > SHORTEST_STEM && lowered(a.data[a.length - 1]) == 's') a.length--;
    if (b.length > SHORTEST_STEM && lowered(b.data[b.length - 1]) == 's') b.length--;
    size_t shorter = a.length < b.length ? a.length : b.length, same = 0;
    while (same < shorter && lowered(a.data[same]) == lowered(b.data[same]))
        same++;
    return (same >= SHORTEST_STEM && same + 1 >= shorter) ||
           (shorter >= SHORTEST_MISSPELT && distance(a, b) == 1);
}

/* What other APIs call a token is a key here. */
static bool has_word(ml_text name, ml_text word) {
    ml_text own;
    for (size_t at = 0; next_word(name, &at, &own);)
        if (are_alike(own, word) || (is_word(word, "token") && is_word(own, "key"))) return true;
    return false;
}

/* Are all words of the typed name, but for those that are too short, among those of the other? */
static bool is_part(ml_text typed, ml_text name, size_t shortest) {
    ml_text word;
    bool found = false;
    for (size_t at = 0; next_word(typed, &at, &word);) {
        if (word.length < shortest) continue;
        if (!has_word(name, word)) return false;
        found = true;
    }
    return found;
}

static size_t find_parts(ml_text typed, const char *const *names, size_t shortest,
                         const char **likely, size_t most) {
    size_t count = 0;
    for (; *names != NULL && count < most; names++)
        if (is_part(typed, ml_text_of(*names), shortest)) likely[count++] = *names;
    return count;
}

/* Names are longer than slugs: a third of the letters may be wrong. */
static const char *nearest_name(ml_text typed, const char *const *names) {
    const char *nearest = NULL;
    size_t least = typed.length / 3 + 1;
    for (; *names != NULL; names++) {
        size_t far = distance(typed, ml_text_of(*names));
        if (far >= least) continue;
        least = far;
        nearest = *names;
    }
    return nearest;
}

/* First the slip of a finger; then the words, of which those like "in" and "id" may be missing; at
 * last the letters. */
size_t ml_likely_names(const char *name, const char *const *names, const char **likely,
                       size_t most) {
    enum { SHORTEST_WORD = 3 };
    ml_text typed = ml_text_of(name);
    likely[0] = ml_near_miss(typed, names);
    if (likely[0] != NULL) return 1;
    size_t count = find_parts(typed, names, 0, likely, most);
    if (count == 0) count = find_parts(typed, names, SHORTEST_WORD, likely, most);
    if (count > 0) return count;
    likely[0] = nearest_name(typed, names);
    return likely[0] != NULL;
}
