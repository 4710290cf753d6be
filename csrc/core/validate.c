/*
 * validate - is a request fit to be sent? Walks the rows and collects every problem.
 */
#include "buffer.h"
#include "error.h"
#include "path.h"
#include "query.h"
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
    bool no_memory;
} checker;

/* A step on the way from the request to a value; only rendered when something is wrong. */
typedef struct step {
    const struct step *up;
    const char *name; /* NULL: an item of an array */
    size_t number;    /* of the item or member */
} step;

static void check_value(checker *c, const step *at, const ml_field *field, const ml_value *value);

/* ---- saying what is wrong ---- */

/* May a key stand in a path as it is? Others are given by number: they could be anything. */
static bool is_plain_key(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > 40) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           length;
}

static void render(const step *at, ml_buffer *path) {
    char index[32];
    if (at == NULL) return;
    render(at->up, path);
    if (at->name != NULL && is_plain_key(at->name)) {
        if (path->length > 0) ml_buffer_char(path, '.');
        ml_buffer_text(path, at->name);
    } else {
        snprintf(index, sizeof index, "[%zu]", at->number);
        ml_buffer_text(path, index);
    }
}

static void problem(checker *c, const step *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(checker *c, const step *at, const char *format, ...) {
    char message[256];
    ml_buffer path = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ml_drop_half_character(message);
    render(at, &path);
    if (path.failed || !ml_error_add_problem(c->error, ml_buffer_view(&path).data, message))
        c->no_memory = true;
    ml_buffer_free(&path);
}

static const char *type_words(const checker *c, ml_type type) {
    switch (type) {
    case ML_TYPE_STRING: return "a string";
    case ML_TYPE_INTEGER: return "an integer";
    case ML_TYPE_BOOL: return c->request->words->boolean;
    case ML_TYPE_ARRAY: return "a list";
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP:
    case ML_TYPE_JSON: return c->request->words->object;
    case ML_TYPE_ANY: return "a value";
    }
    return "";
}

static const char *kind_words(const checker *c, ml_value_kind kind) {
    switch (kind) {
    case ML_VALUE_NULL: return c->request->words->null;
    case ML_VALUE_BOOL: return "a bool";
    case ML_VALUE_INTEGER: return "an integer";
    case ML_VALUE_STRING: return "a string";
    case ML_VALUE_JSON: return "another kind of value";
    case ML_VALUE_FOREIGN:
    case ML_VALUE_UNUSABLE: return "unusable";
    case ML_VALUE_ARRAY: return "a list";
    case ML_VALUE_OBJECT: return c->request->words->object;
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
        if (text.data[at] > ' ' && text.data[at] < 0x7F) { /* most are */
            facts.blank = false;
            at++;
            continue;
        }
        int32_t c = ml_utf8_next(text, &at);
        if (c == ML_UTF8_BAD) facts.bad = true;
        if (c == ML_UTF8_SURROGATE) facts.surrogate = true;
        if (ml_is_control(c)) facts.control = true;
        if (!ml_is_space(c)) facts.blank = false;
    }
    return facts;
}

static void check_length(checker *c, const step *at, const ml_field *field, int64_t length,
                         const char *unit) {
    int64_t named = field->max > 0 ? field->max : field->min;
    const char *plural = named == 1 ? "" : "s";
    if (field->max > 0 && (length < field->min || length > field->max))
        problem(c, at, "must have %" PRId64 " to %" PRId64 " %s%s, has %" PRId64, field->min,
                field->max, unit, plural, length);
    else if (length < field->min)
        problem(c, at, "must have at least %" PRId64 " %s%s, has %" PRId64, field->min, unit,
                plural, length);
}

/* A near miss is a typing mistake; anything else well-formed may be newer than this library. */
static bool check_choice(checker *c, const step *at, const ml_field *field, ml_text text) {
    if (field->choices == NULL || ml_is_choice(text, field->choices)) return true;
    const char *meant = ml_near_miss(text, field->choices);
    char known[192];
    join_choices(field->choices, known, sizeof known);
    if (meant != NULL)
        problem(c, at, "is not a known value; did you mean \"%s\"?", meant);
    else if ((field->flags & ML_FIELD_CLOSED) != 0)
        problem(c, at, "must be one of %s", known);
    else
        return true;
    return false;
}

/* An example that belongs there: of the field's own choices, if it has some. */
static void refuse_slug(checker *c, const step *at, const ml_field *field, ml_text text) {
    static const char *const integrations[] = {"greenhouse", "bamboohr"};
    const char *const *known = field->choices != NULL ? field->choices : integrations;
    if (at->name == NULL && memchr(text.data, ',', text.length) != NULL)
        problem(c, at, "must be one value: give each as an item of its own, as in [\"%s\", \"%s\"]",
                known[0], known[1]);
    else
        problem(c, at,
                "must be a slug: lower-case letters, digits, \"-\" and \"_\", such as \"%s\" or "
                "\"%s\"",
                known[0], known[1]);
}

/* One that libcurl or the server would read otherwise than it is written would lead elsewhere. */
static void check_path(checker *c, const step *at, ml_text path) {
    const char *why = ml_path_fault(path);
    if (why != NULL) problem(c, at, "%s", why);
}

static void check_format(checker *c, const step *at, const ml_field *field, ml_text text) {
    switch (field->format) {
    case ML_FORMAT_TEXT:
    case ML_FORMAT_CREDENTIAL: return;
    case ML_FORMAT_METHOD:
        if (!ml_is_token(text)) problem(c, at, "must be a method of HTTP, such as \"GET\"");
        return;
    case ML_FORMAT_SLUG:
        if (!ml_is_slug(text)) refuse_slug(c, at, field, text);
        return;
    case ML_FORMAT_UUID:
        if (!ml_is_uuid(text))
            problem(c, at, "must be a UUID, such as \"3fa85f64-5717-4562-b3fc-2c963f66afa6\"");
        return;
    case ML_FORMAT_LANGUAGE_TAG:
        if (!ml_is_language_tag(text))
            problem(c, at, "must be a language tag, such as \"en\", \"de\" or \"pt-BR\"");
        return;
    case ML_FORMAT_DATE_TIME:
        if (!ml_is_date_time(text))
            problem(c, at,
                    "must be a time with its offset from UTC, such as \"2026-01-31T12:00:00Z\"");
        return;
    case ML_FORMAT_PATH: check_path(c, at, text); return;
    }
}

static bool check_encoding(checker *c, const step *at, const text_facts *facts) {
    if (facts->surrogate)
        problem(c, at, "must not hold a lone surrogate: that is half a character");
    else if (facts->bad)
        problem(c, at, "must be valid UTF-8");
    return !facts->surrogate && !facts->bad;
}

/* Is it text at all? Says so if not. */
static bool check_characters(checker *c, const step *at, const ml_field *field, ml_text text) {
    text_facts facts = look_at(text);
    if (!check_encoding(c, at, &facts)) return false;
    if (facts.control)
        problem(c, at, "must not hold control characters (tab, line break, NUL and the like)");
    else if (facts.blank && facts.characters > 0)
        problem(c, at, "must not be only white space");
    else if (facts.characters < field->min || (field->max > 0 && facts.characters > field->max))
        check_length(c, at, field, facts.characters, "character");
    else
        return true;
    return false;
}

static void check_string(checker *c, const step *at, const ml_field *field, ml_text text) {
    if (!check_characters(c, at, field, text)) return;
    if (check_choice(c, at, field, text)) check_format(c, at, field, text);
}

/* ---- values that no row knows: sent as they are, if they can be ---- */

static void check_free_text(checker *c, const step *at, ml_text text) {
    text_facts facts = look_at(text);
    if (check_encoding(c, at, &facts) && memchr(text.data, '\0', text.length) != NULL)
        problem(c, at, "must not hold NUL");
}

static void check_free(checker *c, const step *at, const ml_value *value);

/* An item of an array has no name. */
static void check_free_member(checker *c, const step *at, const ml_value *value) {
    if (value->name != NULL) check_free_text(c, at, ml_text_of(value->name));
    check_free(c, at, value);
}

static void check_free(checker *c, const step *at, const ml_value *value) {
    if (value->kind == ML_VALUE_UNUSABLE) problem(c, at, "%s", value->text.data);
    if (value->kind == ML_VALUE_FOREIGN) problem(c, at, "must be JSON, not %s", value->text.data);
    if (value->kind == ML_VALUE_STRING) check_free_text(c, at, value->text);
    size_t number = 0;
    for (const ml_value *member = value->members; member != NULL; member = member->next) {
        step inside = {at, member->name, number++};
        check_free_member(c, &inside, member);
    }
}

/* ---- the other types ---- */

static void check_integer(checker *c, const step *at, const ml_field *field, int64_t value) {
    if (field->max == 0) return;
    const ml_value *relaxed =
        field->relaxed_by == NULL ? NULL : ml_request_value(c->request, field->relaxed_by);
    bool relax = relaxed != NULL && relaxed->kind == ML_VALUE_BOOL && relaxed->boolean;
    int64_t max = relax ? field->relaxed_max : field->max;
    if (value >= field->min && value <= max) return;
    if (field->relaxed_by != NULL && !relax)
        problem(c, at, "must be %" PRId64 " to %" PRId64 " (to %" PRId64 " with %s)", field->min,
                max, field->relaxed_max, field->relaxed_by);
    else
        problem(c, at, "must be %" PRId64 " to %" PRId64, field->min, max);
}

static bool is_repeated(const ml_value *array, const ml_value *item) {
    if (item->kind != ML_VALUE_STRING) return false;
    for (const ml_value *other = array->members; other != item; other = other->next)
        if (other->kind == ML_VALUE_STRING && ml_text_equal(other->text, item->text)) return true;
    return false;
}

/* A list may be long and the search for duplicates is quadratic. */
enum { MOST_UNIQUE_ITEMS = 1000 };

/* What stands between commas in a query. */
static void check_joined(checker *c, const step *at, const ml_field *field, const ml_value *item) {
    if (item->text.length > 0 && memchr(item->text.data, ',', item->text.length) != NULL)
        problem(c, at, "must not hold a comma: give each value as an item of its own");
    else
        check_value(c, at, field, item);
}

static void check_array(checker *c, const step *at, const ml_field *field, const ml_value *array) {
    check_length(c, at, field, (int64_t)array->count, "item");
    bool unique = (field->flags & ML_FIELD_UNIQUE) != 0;
    if (unique && array->count > MOST_UNIQUE_ITEMS) {
        problem(c, at, "must have at most %d items", MOST_UNIQUE_ITEMS);
        return;
    }
    bool is_joined = (field->flags & ML_FIELD_IN_QUERY) != 0;
    step inside = {.up = at};
    for (const ml_value *item = array->members; item != NULL; item = item->next, inside.number++) {
        if (unique && is_repeated(array, item))
            problem(c, &inside, "is already in the list: remove the duplicate");
        else if (is_joined && item->kind == ML_VALUE_STRING)
            check_joined(c, &inside, field->of, item);
        else
            check_value(c, &inside, field->of, item);
    }
}

static void check_key(checker *c, const step *at, const ml_field *map, const char *name) {
    ml_text key = ml_text_of(name);
    if (!check_characters(c, at, &(ml_field){.min = 1}, key)) return;
    if (check_choice(c, at, map, key)) check_format(c, at, map, key);
}

/* A value of a map whose members go into the query. */
static void check_parameter(checker *c, const step *at, const ml_field *field,
                            const ml_value *value) {
    const char *why;
    check_value(c, at, field, value);
    if (value->kind == ML_VALUE_UNUSABLE || value->kind == ML_VALUE_FOREIGN) return;
    if (!ml_query_check(value, &why))
        c->no_memory = true;
    else if (why != NULL)
        problem(c, at, "%s", why);
}

static void check_header(checker *c, const step *at, const ml_header *header);

static bool is_extra_header(const ml_request *request, const char *name) {
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        if (ml_text_equal_no_case(header->name, ml_text_of(name))) return true;
    return false;
}

static void check_further_header(checker *c, const step *at, const ml_field *field,
                                 const ml_value *value) {
    if (is_extra_header(c->request, value->name))
        problem(c, at, "is in extra_headers too: give it once");
    else if (value->kind == ML_VALUE_STRING)
        check_header(c, at, &(ml_header){.name = ml_text_of(value->name), .value = value->text});
    else
        check_value(c, at, field, value);
}

static void check_entry(checker *c, const step *at, const ml_field *map, const ml_value *item) {
    bool unnameable = item->kind == ML_VALUE_UNUSABLE && item->name[0] == '\0';
    if ((map->flags & ML_FIELD_IN_HEADER) != 0) {
        check_further_header(c, at, map->of, item);
        return;
    }
    if (!unnameable) check_key(c, at, map, item->name);
    if ((map->flags & ML_FIELD_IN_QUERY) != 0)
        check_parameter(c, at, map->of, item);
    else
        check_value(c, at, map->of, item);
}

static void check_map(checker *c, const step *at, const ml_field *field, const ml_value *map) {
    size_t number = 0;
    for (const ml_value *item = map->members; item != NULL; item = item->next)
        check_entry(c, &(step){at, item->name, number++}, field, item);
}

/* Names of rows, for near misses. */
enum { MOST_MEMBERS = 64 };

/* The row that a name stands for: one that is nearly written so, or one that is required, missing
 * in the object, and alike. */
static const char *meant_member(const ml_field *fields, const ml_value *object, const char *name) {
    const char *names[MOST_MEMBERS + 1], *missing[MOST_MEMBERS + 1], *likely;
    size_t count = 0, missing_count = 0;
    for (; fields->name != NULL && count < MOST_MEMBERS; fields++) {
        names[count++] = fields->name;
        if ((fields->flags & ML_FIELD_REQUIRED) != 0 && ml_value_of_row(object, fields) == NULL)
            missing[missing_count++] = fields->name;
    }
    names[count] = missing[missing_count] = NULL;
    const char *near = ml_near_miss(ml_text_of(name), names);
    if (near != NULL || ml_likely_names(name, missing, &likely, 1) == 0) return near;
    return likely;
}

/* A member that no row knows may be newer than this library, if it is not a typing mistake.
 * Fields of the operation itself are named in extra_body when they are new. */
static void check_unknown(checker *c, const step *at, const ml_field *fields,
                          const ml_value *object, const ml_value *value) {
    const char *meant = meant_member(fields, object, value->name);
    if (meant != NULL)
        problem(c, at, "is not a known name; did you mean \"%s\"?", meant);
    else if (at->up == NULL)
        problem(c, at, "is not a known field: a new one goes into extra_body");
    else
        check_free_member(c, at, value);
}

/* A whole body that cannot go out would be left out without a word. */
static void check_whole_body(checker *c, const step *at, const ml_field *field) {
    if ((field->flags & ML_FIELD_IS_BODY) != 0 && !ml_request_has_body(c->request))
        problem(c, at, "cannot be sent: a request of this method has no body");
}

static void check_known(checker *c, const step *at, const ml_field *field, const ml_value *value) {
    if (value != NULL) {
        check_value(c, at, field, value);
        check_whole_body(c, at, field);
    } else if ((field->flags & ML_FIELD_REQUIRED) != 0) {
        problem(c, at, "is required: give %s", type_words(c, field->type));
    }
}

/* The operation's own fields (at == NULL) treat null as not given; nested ones do not. */
static void check_members(checker *c, const step *at, const ml_field *fields,
                          const ml_value *object) {
    for (const ml_field *field = fields; field->name != NULL; field++) {
        const ml_value *value = ml_value_of_row(object, field);
        if (value != NULL && value->kind == ML_VALUE_NULL && at == NULL) value = NULL;
        check_known(c, &(step){at, field->name, 0}, field, value);
    }
    size_t number = 0;
    for (const ml_value *value = object->members; value != NULL; value = value->next, number++)
        if (value->row == NULL)
            check_unknown(c, &(step){at, value->name, number}, fields, object, value);
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
    case ML_TYPE_ANY: return value->kind != ML_VALUE_FOREIGN;
    }
    return false;
}

static void refuse_type(checker *c, const step *at, const ml_field *field, const ml_value *value) {
    bool foreign = value->kind == ML_VALUE_FOREIGN;
    bool lone = field->type == ML_TYPE_ARRAY && field->of->type == ML_TYPE_STRING &&
                value->kind == ML_VALUE_STRING;
    problem(c, at, "must be %s, not %s%s", type_words(c, field->type),
            foreign ? value->text.data : kind_words(c, value->kind),
            lone ? ": put it into square brackets" : "");
}

static void check_value(checker *c, const step *at, const ml_field *field, const ml_value *value) {
    if (value->kind == ML_VALUE_UNUSABLE) {
        problem(c, at, "%s", value->text.data);
        return;
    }
    if (!fits(field->type, value)) {
        refuse_type(c, at, field, value);
        return;
    }
    switch (field->type) {
    case ML_TYPE_STRING: check_string(c, at, field, value->text); break;
    case ML_TYPE_INTEGER: check_integer(c, at, field, value->integer); break;
    case ML_TYPE_ARRAY: check_array(c, at, field, value); break;
    case ML_TYPE_OBJECT: check_members(c, at, field->of, value); break;
    case ML_TYPE_MAP: check_map(c, at, field, value); break;
    case ML_TYPE_ANY: check_free(c, at, value); break;
    case ML_TYPE_BOOL:
    case ML_TYPE_JSON: break;
    }
}

/* ---- what stands beside the fields ---- */

static bool has_whole_body(const ml_operation *operation) {
    const ml_field *row = operation->fields;
    while (row->name != NULL && (row->flags & ML_FIELD_IS_BODY) == 0)
        row++;
    return row->name != NULL;
}

static void check_extra_member(checker *c, const step *at, const ml_value *value) {
    const ml_operation *operation = c->request->operation;
    if (ml_field_find(operation->fields, value->name) != NULL)
        problem(c, at, "is a known field: pass it as an argument of its own");
    else if (!ml_request_has_body(c->request))
        problem(c, at, "cannot be sent: this request has no body");
    else if (has_whole_body(operation))
        problem(c, at, "cannot be sent: another field is the whole body");
    else if (value->kind == ML_VALUE_UNUSABLE ||
             check_characters(c, at, &(ml_field){.min = 1}, ml_text_of(value->name)))
        check_free(c, at, value);
}

static void check_extra(checker *c) {
    static const step extra = {.name = "extra_body"};
    size_t number = 0;
    for (const ml_value *value = c->request->extra->members; value != NULL; value = value->next)
        check_extra_member(c, &(step){&extra, value->name, number++}, value);
}

/* What this library sets itself, and what would change how the message is framed. */
static bool is_reserved(ml_text name) {
    static const char *const reserved[] = {
        "authorization",     "connection", "expect",          "host", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",    "x-account-token", NULL};
    for (const char *const *one = reserved; *one != NULL; one++)
        if (ml_text_equal_no_case(name, ml_text_of(*one))) return true;
    return (name.length >= 8 && strncasecmp(name.data, "content-", 8) == 0) ||
           (name.length >= 6 && strncasecmp(name.data, "proxy-", 6) == 0) ||
           ml_text_equal_no_case(name, ml_text_of("accept-encoding"));
}

/* One that is blank would not be sent at all. */
static bool is_header_value(ml_text value) {
    bool blank = true;
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c != '\t' && (c < 0x20 || c > 0x7E)) return false;
        if (c != '\t' && c != ' ') blank = false;
    }
    return !blank;
}

static void check_header(checker *c, const step *at, const ml_header *header) {
    if (!ml_is_token(header->name))
        problem(c, at, "must be named by letters, digits and \"-\"");
    else if (is_reserved(header->name))
        problem(c, at, "is set by this library: remove it");
    else if (!is_header_value(header->value))
        problem(c, at, "must be printable ASCII, not empty, without line breaks or NUL");
}

static void check_headers(checker *c) {
    static const step headers = {.name = "extra_headers"};
    size_t number = 0;
    for (const ml_header *header = c->request->headers; header != NULL; header = header->next) {
        /* A name with NUL would be cut; then it is given by number. */
        const char *name = ml_is_token(header->name) ? header->name.data : NULL;
        check_header(c, &(step){&headers, name, number++}, header);
    }
}

/* ---- the whole ---- */

static ml_status summarise(ml_error *error) {
    char text[ML_ERROR_TEXT_SIZE];
    ml_error_list_problems(error, " ", text, sizeof text);
    return ml_fail(error, ML_ERR_VALIDATION, "%s", text);
}

ml_status ml_request_check(ml_request *request, ml_error *error) {
    ml_error_clear(error);
    if (request->arena.failed) return ml_fail_memory(error);
    checker c = {.request = request, .error = error};
    check_members(&c, NULL, request->operation->fields, request->fields);
    check_extra(&c);
    check_headers(&c);
    if (c.no_memory) return ml_fail_memory(error);
    return error->problem_count > 0 ? summarise(error) : ML_OK;
}
