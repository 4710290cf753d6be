#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 256, FEW_NAMES = 8 };

typedef struct scanner {
    ml_text text; /* borrowed */
    size_t at;
    int depth;
    const char *fault;
    bool no_memory;
    /* owned: the names of the objects that are open, innermost last */
    ml_text *names;
    size_t name_count, name_room;
} scanner;

static bool scan_value(scanner *s);

static bool wrong(scanner *s, const char *what) {
    s->fault = what;
    return false;
}

/* The byte at hand; -1 at the end. */
static int peek(const scanner *s) {
    return s->at < s->text.length ? (unsigned char)s->text.data[s->at] : -1;
}

static void skip_space(scanner *s) {
    int c = peek(s);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        s->at++;
        c = peek(s);
    }
}

/* ---- strings ---- */

/* Four hexadecimal digits at `at`; -1 when they are not. */
static int32_t read_hex4(ml_text text, size_t at) {
    if (text.length - at < 4) return -1;
    int32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = text.data[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high(int32_t c) {
    return c >= 0xD800 && c <= 0xDBFF;
}

static bool is_low(int32_t c) {
    return c >= 0xDC00 && c <= 0xDFFF;
}

/* After "\u". */
static bool scan_unicode_escape(scanner *s) {
    int32_t first = read_hex4(s->text, s->at);
    if (first < 0) return wrong(s, "\\u needs four hexadecimal digits");
    s->at += 4;
    if (is_low(first)) return wrong(s, "lone surrogate");
    if (!is_high(first)) return true;
    bool more = s->text.length - s->at >= 6 && memcmp(s->text.data + s->at, "\\u", 2) == 0;
    if (!more || !is_low(read_hex4(s->text, s->at + 2))) return wrong(s, "lone surrogate");
    s->at += 6;
    return true;
}

static bool scan_escape(scanner *s) {
    s->at++;
    int c = peek(s);
    if (c < 0) return wrong(s, "string without end");
    if (c == 0 || strchr("\"\\/bfnrtu", c) == NULL) return wrong(s, "unknown escape");
    s->at++;
    return c != 'u' || scan_unicode_escape(s);
}

static bool scan_string(scanner *s) {
    for (s->at++; s->at < s->text.length;) {
        int c = peek(s);
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) return wrong(s, "control character in a string");
        if (c == '\\') {
            if (!scan_escape(s)) return false;
        } else if (c < 0x80) {
            s->at++;
        } else {
            size_t before = s->at;
            if (ml_utf8_next(s->text, &s->at) < 0) {
                s->at = before;
                return wrong(s, "invalid UTF-8");
            }
        }
    }
    return wrong(s, "string without end");
}

/* The UTF-16 unit or character at *at of a string's inside, whatever way it is written. */
static int32_t next_unit(ml_text inside, size_t *at) {
    static const char meanings[] = "b\bf\fn\nr\rt\t";
    if (inside.data[*at] != '\\') return ml_utf8_next(inside, at);
    char c = inside.data[*at + 1];
    if (c == 'u') {
        int32_t unit = read_hex4(inside, *at + 2);
        *at += 6;
        return unit;
    }
    *at += 2;
    const char *meaning = strchr(meanings, c);
    return meaning != NULL ? meaning[1] : c;
}

static int32_t next_character(ml_text inside, size_t *at) {
    int32_t c = next_unit(inside, at);
    if (!is_high(c)) return c;
    return 0x10000 + ((c - 0xD800) << 10) + (next_unit(inside, at) - 0xDC00);
}

/* ---- members given twice ---- */

static ml_text inside_of(ml_text string) {
    return (ml_text){string.data + 1, string.length - 2};
}

/* Orders two checked names by what they mean. */
static int compare_names(const void *left, const void *right) {
    ml_text a = inside_of(*(const ml_text *)left), b = inside_of(*(const ml_text *)right);
    size_t i = 0, j = 0;
    while (i < a.length && j < b.length) {
        int32_t x = next_character(a, &i), y = next_character(b, &j);
        if (x != y) return x < y ? -1 : 1;
    }
    return (i < a.length) - (j < b.length);
}

static bool remember_name(scanner *s, ml_text name) {
    if (s->name_count == s->name_room) {
        size_t room = s->name_room == 0 ? 16 : s->name_room * 2;
        ml_text *names = realloc(s->names, room * sizeof *names);
        if (names == NULL) {
            s->no_memory = true;
            return false;
        }
        s->names = names;
        s->name_room = room;
    }
    s->names[s->name_count++] = name;
    return true;
}

static bool has_twins(ml_text *names, size_t count) {
    if (count <= FEW_NAMES) {
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < i; j++)
                if (compare_names(&names[i], &names[j]) == 0) return true;
        return false;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&names[i - 1], &names[i]) == 0) return true;
    return false;
}

/* ---- values ---- */

static bool scan_member(scanner *s) {
    skip_space(s);
    if (peek(s) != '"') return wrong(s, "expected a member name");
    size_t start = s->at;
    if (!scan_string(s)) return false;
    if (!remember_name(s, (ml_text){s->text.data + start, s->at - start})) return false;
    skip_space(s);
    if (peek(s) != ':') return wrong(s, "expected ':'");
    s->at++;
    return scan_value(s);
}

/* What stands between the brackets, and the closing one. */
static bool scan_items(scanner *s, char close, bool (*scan_item)(scanner *)) {
    s->at++;
    skip_space(s);
    if (peek(s) == close) {
        s->at++;
        return true;
    }
    for (;;) {
        if (!scan_item(s)) return false;
        skip_space(s);
        int c = peek(s);
        if (c != ',' && c != close) return wrong(s, "expected ',' or a closing bracket");
        s->at++;
        if (c == close) return true;
    }
}

static bool scan_object(scanner *s) {
    size_t outer = s->name_count, start = s->at;
    if (!scan_items(s, '}', scan_member)) return false;
    size_t count = s->name_count - outer;
    if (count > 1 && has_twins(s->names + outer, count)) {
        s->at = start;
        return wrong(s, "a member is given twice in the object that starts here");
    }
    s->name_count = outer;
    return true;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static bool scan_digits(scanner *s) {
    if (!is_digit(peek(s))) return wrong(s, "expected a digit");
    while (is_digit(peek(s)))
        s->at++;
    return true;
}

static bool scan_number(scanner *s) {
    if (peek(s) == '-') s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!scan_digits(s))
        return false;
    if (peek(s) == '.') {
        s->at++;
        if (!scan_digits(s)) return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-') s->at++;
        if (!scan_digits(s)) return false;
    }
    return true;
}

static bool scan_word(scanner *s, const char *word) {
    size_t length = strlen(word);
    if (s->text.length - s->at < length || memcmp(s->text.data + s->at, word, length) != 0)
        return wrong(s, "expected a value");
    s->at += length;
    return true;
}

static bool scan_nested(scanner *s, bool object) {
    if (s->depth == DEEPEST) return wrong(s, "nested too deeply");
    s->depth++;
    bool valid = object ? scan_object(s) : scan_items(s, ']', scan_value);
    s->depth--;
    return valid;
}

static bool scan_value(scanner *s) {
    skip_space(s);
    switch (peek(s)) {
    case '{': return scan_nested(s, true);
    case '[': return scan_nested(s, false);
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    case -1: return wrong(s, "expected a value, found the end");
    default: break;
    }
    if (peek(s) == '-' || is_digit(peek(s))) return scan_number(s);
    return wrong(s, "expected a value");
}

ml_json_verdict ml_json_check(ml_text text, ml_json_fault *fault) {
    scanner s = {.text = text};
    bool valid = scan_value(&s);
    if (valid) {
        skip_space(&s);
        if (s.at < text.length) valid = wrong(&s, "text after the end");
    }
    free(s.names);
    if (valid) return ML_JSON_VALID;
    *fault = (ml_json_fault){s.at, s.fault};
    return s.no_memory ? ML_JSON_NO_MEMORY : ML_JSON_INVALID;
}

/* ---- checked text ---- */

ml_kind ml_json_kind(ml_text value) {
    switch (value.data[0]) {
    case '{': return ML_KIND_OBJECT;
    case '[': return ML_KIND_ARRAY;
    case '"': return ML_KIND_STRING;
    case 'n': return ML_KIND_NULL;
    case 't':
    case 'f': return ML_KIND_BOOL;
    default: return ML_KIND_NUMBER;
    }
}

static bool is_json_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

ml_text ml_json_trim(ml_text value) {
    while (value.length > 0 && is_json_space(value.data[0])) {
        value.data++;
        value.length--;
    }
    while (value.length > 0 && is_json_space(value.data[value.length - 1]))
        value.length--;
    return value;
}

/* The end of the string that starts at `at`. */
static size_t string_end(ml_text text, size_t at) {
    for (at++; text.data[at] != '"'; at++)
        if (text.data[at] == '\\') at++;
    return at + 1;
}

/* The end of the value that starts at `at`: the ',' or '}' of the object around it. */
static size_t value_end(ml_text text, size_t at) {
    int open = 0;
    for (;;) {
        char c = text.data[at];
        if (c == '"') {
            at = string_end(text, at);
            continue;
        }
        if (open == 0 && (c == ',' || c == '}' || c == ']')) return at;
        if (c == '{' || c == '[') open++;
        if (c == '}' || c == ']') open--;
        at++;
    }
}

bool ml_json_next_member(ml_text object, size_t *at, ml_text *name, ml_text *value) {
    size_t i = *at;
    while (object.data[i] != '"') {
        if (i + 1 >= object.length) return false;
        i++;
    }
    size_t end = string_end(object, i);
    *name = (ml_text){object.data + i, end - i};
    i = end;
    while (object.data[i] != ':')
        i++;
    i++;
    end = value_end(object, i);
    *value = ml_json_trim((ml_text){object.data + i, end - i});
    *at = end;
    return true;
}

bool ml_json_next_item(ml_text array, size_t *at, ml_text *value) {
    size_t start = *at == 0 ? 1 : *at, end;
    if (start >= array.length) return false;
    end = value_end(array, start);
    *value = ml_json_trim((ml_text){array.data + start, end - start});
    *at = end + 1;
    return value->length > 0;
}

ml_text ml_json_plain(ml_text string) {
    ml_text inside = inside_of(string);
    return memchr(inside.data, '\\', inside.length) == NULL ? inside : (ml_text){0};
}

bool ml_json_has_nul(ml_text string) {
    ml_text inside = inside_of(string);
    for (size_t at = 0; at < inside.length;)
        if (next_unit(inside, &at) == 0) return true;
    return false;
}
