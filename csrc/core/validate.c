/*
 * validate - is a request fit to be sent? Walks the rows and collects every problem.
 */
#include "buffer.h"
#include "error.h"
#include "request.h"
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct checker {
    const ml_request *request; /* borrowed */
    ml_error *error;           /* borrowed */
    ml_buffer path;            /* of the value being checked */
} checker;

static void check_value(checker *c, const ml_field *field, const ml_value *value);

/* ---- saying what is wrong ---- */

static void problem(checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void problem(checker *c, const char *format, ...) {
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (c->path.failed) return;
    if (!ml_error_add_problem(c->error, ml_buffer_view(&c->path).data, message))
        c->path.failed = true;
}

/* May a key stand in a path as it is? Others are given by number: they could be anything. */
static bool is_plain_key(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > 40) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

/* Extends the path by a member's name and returns the length to go back to. */
static size_t enter(checker *c, const char *name, size_t number) {
    size_t before = c->path.length;
    char index[32];
    if (name != NULL && is_plain_key(name)) {
        if (before > 0) ml_buffer_char(&c->path, '.');
        ml_buffer_text(&c->path, name);
    } else {
        snprintf(index, sizeof index, "[%zu]", number);
        ml_buffer_text(&c->path, index);
    }
    return before;
}

static const char *type_words(ml_type type) {
    switch (type) {
    case ML_TYPE_STRING: return "a string";
    case ML_TYPE_INTEGER: return "an integer";
    case ML_TYPE_BOOL: return "true or false";
    case ML_TYPE_ARRAY: return "a list";
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP:
    case ML_TYPE_JSON: return "an object (a dict)";
    }
    return "";
}

static const char *kind_words(ml_value_kind kind) {
    switch (kind) {
    case ML_VALUE_NULL: return "null (None)";
    case ML_VALUE_BOOL: return "a bool";
    case ML_VALUE_INTEGER: return "an integer";
    case ML_VALUE_STRING: return "a string";
    case ML_VALUE_JSON: return "another kind of value";
    case ML_VALUE_FOREIGN:
    case ML_VALUE_UNUSABLE: return "unusable";
    case ML_VALUE_ARRAY: return "a list";
    case ML_VALUE_OBJECT: return "an object (a dict)";
    }
    return "";
}

static void join_choices(const char *const *choices, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && used < size; i++) {
        int more = snprintf(text + used, size - used, "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
        used += (size_t)more;
    }
}

/* ---- strings ---- */

typedef struct text_facts {
    int64_t characters;
    bool bad, surrogate, control, blank;
} text_facts;

static text_facts look_at(ml_text text) {
    text_facts facts = {.blank = true};
    for (size_t at = 0; at < text.length; facts.characters++) {
        int32_t c = ml_utf8_next(text, &at);
        if (c == ML_UTF8_BAD) facts.bad = true;
        if (c == ML_UTF8_SURROGATE) facts.surrogate = true;
        if (ml_is_control(c)) facts.control = true;
        if (!ml_is_space(c)) facts.blank = false;
    }
    return facts;
}

static void check_length(checker *c, const ml_field *field, int64_t length, const char *unit) {
    if (field->max > 0 && (length < field->min || length > field->max))
        problem(c, "must have %" PRId64 " to %" PRId64 " %s, has %" PRId64, field->min, field->max,
                unit, length);
    else if (length < field->min)
        problem(c, "must have at least %" PRId64 " %s, has %" PRId64, field->min, unit, length);
}

/* A near miss is a typing mistake; anything else well-formed may be newer than this library. */
static bool check_choice(checker *c, const ml_field *field, ml_text text) {
    if (field->choices == NULL || ml_is_choice(text, field->choices)) return true;
    const char *meant = ml_near_miss(text, field->choices);
    char known[192];
    join_choices(field->choices, known, sizeof known);
    if (meant != NULL)
        problem(c, "is not a known value; did you mean \"%s\"?", meant);
    else if ((field->flags & ML_FIELD_CLOSED) != 0)
        problem(c, "must be one of %s", known);
    else
        return true;
    return false;
}

static void check_format(checker *c, ml_format format, ml_text text) {
    switch (format) {
    case ML_FORMAT_TEXT:
    case ML_FORMAT_CREDENTIAL: return;
    case ML_FORMAT_SLUG:
        if (!ml_is_slug(text))
            problem(c, "must be a slug: lower-case letters, digits, \"-\" and \"_\", such as "
                       "\"greenhouse\"");
        return;
    case ML_FORMAT_UUID:
        if (!ml_is_uuid(text))
            problem(c, "must be a UUID, such as \"3fa85f64-5717-4562-b3fc-2c963f66afa6\"");
        return;
    case ML_FORMAT_LANGUAGE_TAG:
        if (!ml_is_language_tag(text))
            problem(c, "must be a language tag, such as \"en\", \"de\" or \"pt-BR\"");
        return;
    }
}

/* Is it text at all? Says so if not. */
static bool check_characters(checker *c, const ml_field *field, ml_text text) {
    text_facts facts = look_at(text);
    if (facts.surrogate)
        problem(c, "must not hold a lone surrogate: that is half a character");
    else if (facts.bad)
        problem(c, "must be valid UTF-8");
    else if (facts.control)
        problem(c, "must not hold control characters (tab, line break, NUL and the like)");
    else if (facts.blank && facts.characters > 0)
        problem(c, "must not be only white space");
    else if (facts.characters < field->min || (field->max > 0 && facts.characters > field->max))
        check_length(c, field, facts.characters, field->max == 1 ? "character" : "characters");
    else
        return true;
    return false;
}

static void check_string(checker *c, const ml_field *field, ml_text text) {
    if (!check_characters(c, field, text)) return;
    if (check_choice(c, field, text)) check_format(c, field->format, text);
}

/* ---- the other types ---- */

static void check_integer(checker *c, const ml_field *field, int64_t value) {
    if (field->max == 0) return;
    const ml_value *relaxed =
        field->relaxed_by == NULL ? NULL : ml_request_value(c->request, field->relaxed_by);
    bool relax = relaxed != NULL && relaxed->kind == ML_VALUE_BOOL && relaxed->boolean;
    int64_t max = relax ? field->relaxed_max : field->max;
    if (value >= field->min && value <= max) return;
    if (field->relaxed_by != NULL && !relax)
        problem(c, "must be %" PRId64 " to %" PRId64 " (to %" PRId64 " with %s)", field->min, max,
                field->relaxed_max, field->relaxed_by);
    else
        problem(c, "must be %" PRId64 " to %" PRId64, field->min, max);
}

static bool is_repeated(const ml_value *array, const ml_value *item) {
    if (item->kind != ML_VALUE_STRING) return false;
    for (const ml_value *other = array->members; other != item; other = other->next)
        if (other->kind == ML_VALUE_STRING && ml_text_equal(other->text, item->text)) return true;
    return false;
}

/* A list may be long and the search for duplicates is quadratic. */
enum { MOST_UNIQUE_ITEMS = 1000 };

static void check_array(checker *c, const ml_field *field, const ml_value *array) {
    check_length(c, field, (int64_t)array->count, array->count == 1 ? "item" : "items");
    bool unique = (field->flags & ML_FIELD_UNIQUE) != 0;
    if (unique && array->count > MOST_UNIQUE_ITEMS) {
        problem(c, "must have at most %d items", MOST_UNIQUE_ITEMS);
        return;
    }
    size_t number = 0;
    for (const ml_value *item = array->members; item != NULL; item = item->next) {
        size_t before = enter(c, NULL, number++);
        if (unique && is_repeated(array, item))
            problem(c, "is already in the list: remove the duplicate");
        else
            check_value(c, field->of, item);
        ml_buffer_truncate(&c->path, before);
    }
}

static void check_key(checker *c, const ml_field *map, const char *name) {
    ml_text key = ml_text_of(name);
    if (!check_characters(c, &(ml_field){.min = 1}, key)) return;
    if (check_choice(c, map, key)) check_format(c, map->format, key);
}

static void check_map(checker *c, const ml_field *field, const ml_value *map) {
    size_t number = 0;
    for (const ml_value *item = map->members; item != NULL; item = item->next) {
        size_t before = enter(c, item->name, number++);
        check_key(c, field, item->name);
        check_value(c, field->of, item);
        ml_buffer_truncate(&c->path, before);
    }
}

/* Names of rows, for near misses. */
enum { MOST_MEMBERS = 64 };

static const char *near_member(const ml_field *fields, const char *name) {
    const char *names[MOST_MEMBERS + 1];
    size_t count = 0;
    for (; fields->name != NULL && count < MOST_MEMBERS; fields++)
        names[count++] = fields->name;
    names[count] = NULL;
    return ml_near_miss(ml_text_of(name), names);
}

/* A member that no row knows may be newer than this library, if it is not a typing mistake.
 * Fields of the operation itself are named in extra_body when they are new. */
static void check_unknown(checker *c, const ml_field *fields, const ml_value *value, bool nested) {
    const char *meant = near_member(fields, value->name);
    if (meant != NULL)
        problem(c, "is not a known name; did you mean \"%s\"?", meant);
    else if (!nested)
        problem(c, "is not a known field: a new one goes into extra_body");
    else if (value->kind == ML_VALUE_UNUSABLE)
        problem(c, "%s", value->text.data);
}

static void check_required(checker *c, const ml_field *field) {
    if ((field->flags & ML_FIELD_REQUIRED) == 0) return;
    size_t before = enter(c, field->name, 0);
    problem(c, "is required: give %s", type_words(field->type));
    ml_buffer_truncate(&c->path, before);
}

/* The operation's own fields treat null as not given; members of a nested object do not. */
static void check_members(checker *c, const ml_field *fields, const ml_value *object, bool nested) {
    for (const ml_field *field = fields; field->name != NULL; field++) {
        const ml_value *value = ml_value_member(object, field->name);
        if (value != NULL && value->kind == ML_VALUE_NULL && !nested) value = NULL;
        if (value == NULL) {
            check_required(c, field);
            continue;
        }
        size_t before = enter(c, field->name, 0);
        check_value(c, field, value);
        ml_buffer_truncate(&c->path, before);
    }
    size_t number = 0;
    for (const ml_value *value = object->members; value != NULL; value = value->next, number++) {
        if (ml_field_find(fields, value->name) != NULL) continue;
        size_t before = enter(c, value->name, number);
        check_unknown(c, fields, value, nested);
        ml_buffer_truncate(&c->path, before);
    }
}

static bool fits(ml_type type, const ml_value *value) {
    switch (type) {
    case ML_TYPE_STRING: return value->kind == ML_VALUE_STRING;
    case ML_TYPE_INTEGER: return value->kind == ML_VALUE_INTEGER;
    case ML_TYPE_BOOL: return value->kind == ML_VALUE_BOOL;
    case ML_TYPE_ARRAY: return value->kind == ML_VALUE_ARRAY;
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP: return value->kind == ML_VALUE_OBJECT;
    case ML_TYPE_JSON: return value->kind == ML_VALUE_JSON && value->text.data[0] == '{';
    }
    return false;
}

static void check_value(checker *c, const ml_field *field, const ml_value *value) {
    if (value->kind == ML_VALUE_UNUSABLE) {
        problem(c, "%s", value->text.data);
        return;
    }
    if (!fits(field->type, value)) {
        bool foreign = value->kind == ML_VALUE_FOREIGN;
        problem(c, "must be %s, not %s", type_words(field->type),
                foreign ? value->text.data : kind_words(value->kind));
        return;
    }
    switch (field->type) {
    case ML_TYPE_STRING: check_string(c, field, value->text); break;
    case ML_TYPE_INTEGER: check_integer(c, field, value->integer); break;
    case ML_TYPE_ARRAY: check_array(c, field, value); break;
    case ML_TYPE_OBJECT: check_members(c, field->of, value, true); break;
    case ML_TYPE_MAP: check_map(c, field, value); break;
    case ML_TYPE_BOOL:
    case ML_TYPE_JSON: break;
    }
}

/* ---- what stands beside the fields ---- */

static void check_extra(checker *c) {
    size_t number = 0;
    size_t before = enter(c, "extra_body", 0);
    for (const ml_value *value = c->request->extra->members; value != NULL; value = value->next) {
        size_t inside = enter(c, value->name, number++);
        if (ml_field_find(c->request->operation->fields, value->name) != NULL)
            problem(c, "is a known field: pass it as an argument of its own");
        else if (value->kind == ML_VALUE_UNUSABLE)
            problem(c, "%s", value->text.data);
        else
            check_characters(c, &(ml_field){.min = 1}, ml_text_of(value->name));
        ml_buffer_truncate(&c->path, inside);
    }
    ml_buffer_truncate(&c->path, before);
}

/* What this library sets itself, and what would change how the message is framed. */
static bool is_reserved(ml_text name) {
    static const char *const reserved[] = {
        "authorization", "connection", "expect", "host", "keep-alive",      "te",
        "trailer",       "transfer-encoding",    "upgrade", "x-account-token", NULL};
    for (const char *const *one = reserved; *one != NULL; one++)
        if (ml_text_equal_no_case(name, ml_text_of(*one))) return true;
    return (name.length >= 8 && strncasecmp(name.data, "content-", 8) == 0) ||
           (name.length >= 6 && strncasecmp(name.data, "proxy-", 6) == 0) ||
           ml_text_equal_no_case(name, ml_text_of("accept-encoding"));
}

static bool is_header_value(ml_text value) {
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c != '\t' && (c < 0x20 || c > 0x7E)) return false;
    }
    return value.length > 0;
}

static void check_headers(checker *c) {
    size_t before = enter(c, "extra_headers", 0);
    size_t number = 0;
    for (const ml_header *header = c->request->headers; header != NULL; header = header->next) {
        bool token = ml_is_token(header->name);
        size_t inside = enter(c, token ? header->name.data : NULL, number++);
        if (!token)
            problem(c, "must be named by letters, digits and \"-\"");
        else if (is_reserved(header->name))
            problem(c, "is set by this library: remove it");
        else if (!is_header_value(header->value))
            problem(c, "must be printable ASCII, not empty, without line breaks or NUL");
        ml_buffer_truncate(&c->path, inside);
    }
    ml_buffer_truncate(&c->path, before);
}

/* ---- the whole ---- */

/* Every problem in one line, as far as the text has room. */
static ml_status summarise(ml_error *error) {
    char text[ML_ERROR_TEXT_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < error->problem_count && used < sizeof text; i++) {
        const ml_problem *one = &error->problems[i];
        int more = snprintf(text + used, sizeof text - used, "%s%s%s%s", i > 0 ? "; " : "",
                            one->field, one->field[0] != '\0' ? " " : "", one->message);
        used += (size_t)more;
    }
    return ml_fail(error, ML_ERR_VALIDATION, "%s", text);
}

ml_status ml_request_check(ml_request *request, ml_error *error) {
    if (request->arena.failed) return ml_fail_memory(error);
    checker c = {.request = request, .error = error};
    check_members(&c, request->operation->fields, request->fields, false);
    check_extra(&c);
    check_headers(&c);
    bool failed = c.path.failed;
    ml_buffer_free(&c.path);
    if (failed) return ml_fail_memory(error);
    return error->problem_count > 0 ? summarise(error) : ML_OK;
}
