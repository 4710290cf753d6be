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

/* Levenshtein's distance. Texts longer than LONGEST_COMPARED are infinitely far away. */
static size_t distance(ml_text a, ml_text b) {
    if (a.length > LONGEST_COMPARED || b.length > LONGEST_COMPARED) return SIZE_MAX;
    size_t row[LONGEST_COMPARED + 1];
    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t best = diagonal + (a.data[i - 1] != b.data[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
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

/* Names that people type are longer than slugs: a third of the letters may be wrong. */
const char *ml_nearest_name(const char *name, const char *const *names) {
    ml_text text = ml_text_of(name);
    const char *nearest = NULL;
    size_t least = text.length / 3 + 1;
    for (; *names != NULL; names++) {
        size_t far =
            equal_folded(text, ml_text_of(*names)) ? 0 : distance(text, ml_text_of(*names));
        if (far < least) {
            least = far;
            nearest = *names;
        }
    }
    return nearest;
}
