#include "query.h"
#include "json.h"
#include "path.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* ---- values: the caller's own, or JSON as it was written ---- */

static ml_kind kind_of(const ml_value *json) {
    return ml_json_kind(ml_json_trim(json->text));
}

static bool is_json(const ml_value *value, ml_kind kind) {
    return value->kind == ML_VALUE_JSON && kind_of(value) == kind;
}

static bool is_null(const ml_value *value) {
    return value->kind == ML_VALUE_NULL || is_json(value, ML_KIND_NULL);
}

static bool is_list(const ml_value *value) {
    return value->kind == ML_VALUE_ARRAY || is_json(value, ML_KIND_ARRAY);
}

static bool is_scalar(const ml_value *value) {
    switch (value->kind) {
    case ML_VALUE_BOOL:
    case ML_VALUE_INTEGER:
    case ML_VALUE_STRING: return true;
    case ML_VALUE_JSON:
        return is_json(value, ML_KIND_BOOL) || is_json(value, ML_KIND_NUMBER) ||
               is_json(value, ML_KIND_STRING);
    case ML_VALUE_NULL:
    case ML_VALUE_FOREIGN:
    case ML_VALUE_UNUSABLE:
    case ML_VALUE_ARRAY:
    case ML_VALUE_OBJECT: break;
    }
    return false;
}

/* A walk over a list. */
typedef struct items {
    ml_text json;         /* of a list of JSON; not given: the caller's own */
    size_t at;            /* in it */
    const ml_value *next; /* of the caller's own */
} items;

static items items_of(const ml_value *list) {
    if (list->kind == ML_VALUE_JSON) return (items){.json = ml_json_trim(list->text)};
    return (items){.next = list->members};
}

static bool next_item(items *walk, ml_value *item) {
    if (walk->json.data != NULL) {
        *item = (ml_value){.kind = ML_VALUE_JSON};
        return ml_json_next_item(walk->json, &walk->at, &item->text);
    }
    if (walk->next == NULL) return false;
    *item = *walk->next;
    walk->next = item->next;
    return true;
}

/* ---- texts ---- */

static void append_json(ml_buffer *out, ml_text json) {
    if (ml_json_kind(json) != ML_KIND_STRING)
        ml_buffer_append(out, json.data, json.length);
    else if (!ml_json_decode_string(json, out))
        out->failed = true;
}

/* What a scalar is in a query, not encoded. */
static void append_plain(ml_buffer *out, const ml_value *value) {
    char number[32];
    if (value->kind == ML_VALUE_JSON) append_json(out, ml_json_trim(value->text));
    if (value->kind == ML_VALUE_STRING) ml_buffer_append(out, value->text.data, value->text.length);
    if (value->kind == ML_VALUE_BOOL) ml_buffer_text(out, value->boolean ? "true" : "false");
    if (value->kind != ML_VALUE_INTEGER) return;
    snprintf(number, sizeof number, "%lld", (long long)value->integer);
    ml_buffer_text(out, number);
}

static void append_list(ml_buffer *out, const ml_value *list) {
    ml_value item;
    bool is_first = true;
    for (items walk = items_of(list); next_item(&walk, &item); is_first = false) {
        if (!is_first) ml_buffer_char(out, ',');
        append_plain(out, &item);
    }
}

/* ---- checking ---- */

static bool check_text(const ml_value *scalar, bool is_item, const char **why) {
    ml_buffer plain = {0};
    bool is_text = scalar->kind == ML_VALUE_STRING || is_json(scalar, ML_KIND_STRING);
    if (!is_text) return true;
    if (scalar->kind == ML_VALUE_JSON && ml_json_has_nul(ml_json_trim(scalar->text))) {
        *why = "must not hold NUL";
        return true;
    }
    append_plain(&plain, scalar);
    ml_text text = ml_buffer_view(&plain);
    if (is_item && text.length > 0 && memchr(text.data, ',', text.length) != NULL)
        *why = "must not hold a comma: it is what separates the values of a list";
    bool has_memory = !plain.failed;
    ml_buffer_free(&plain);
    return has_memory;
}

static bool check_list(const ml_value *list, const char **why) {
    ml_value item;
    bool has_memory = true;
    items walk = items_of(list);
    if (!next_item(&walk, &item)) *why = "must have at least 1 item";
    for (walk = items_of(list); has_memory && *why == NULL && next_item(&walk, &item);) {
        if (is_scalar(&item))
            has_memory = check_text(&item, true, why);
        else
            *why = "must be a list of texts, numbers or bools";
    }
    return has_memory;
}

bool ml_query_check(const ml_value *value, const char **why) {
    ml_json_fault fault;
    *why = NULL;
    if (value->kind == ML_VALUE_JSON) {
        ml_json_verdict verdict = ml_json_check(value->text, &fault);
        if (verdict == ML_JSON_INVALID) *why = "must be JSON";
        if (verdict != ML_JSON_VALID) return verdict == ML_JSON_INVALID;
    }
    if (is_list(value)) return check_list(value, why);
    if (is_scalar(value)) return check_text(value, false, why);
    if (!is_null(value))
        *why = "must be text, a number, a bool or a list of them: a query has no objects";
    return true;
}

/* ---- the whole ---- */

typedef struct writer {
    ml_buffer *url;
    bool has_some;
} writer;

static void write_pair(writer *w, const char *name, const ml_value *value) {
    ml_buffer plain = {0};
    if (is_null(value)) return;
    if (is_list(value))
        append_list(&plain, value);
    else
        append_plain(&plain, value);
    ml_buffer_char(w->url, w->has_some ? '&' : '?');
    ml_path_append_segment(w->url, ml_text_of(name));
    ml_buffer_char(w->url, '=');
    ml_path_append_segment(w->url, ml_buffer_view(&plain));
    if (plain.failed) w->url->failed = true;
    ml_buffer_free(&plain);
    w->has_some = true;
}

/* Does a row of the query say it already, one that is no map? */
static bool is_said(const ml_request *request, const char *name) {
    for (const ml_field *row = request->operation->fields; row->name != NULL; row++) {
        if ((row->flags & ML_FIELD_IN_QUERY) == 0 || row->type == ML_TYPE_MAP) continue;
        if (strcmp(row->name, name) == 0) return ml_request_value(request, row->name) != NULL;
    }
    return false;
}

static void write_map(writer *w, const ml_request *request, const ml_value *map) {
    for (const ml_value *value = map->members; value != NULL; value = value->next)
        if (ml_value_member(map, value->name) == value && !is_said(request, value->name))
            write_pair(w, value->name, value);
}

static bool has_query(const ml_request *request) {
    for (const ml_value *value = request->fields->members; value != NULL; value = value->next)
        if (value->row != NULL && (value->row->flags & ML_FIELD_IN_QUERY) != 0) return true;
    return false;
}

/* Most requests have none: then there is no need to look at all rows. */
void ml_query_append(const ml_request *request, ml_buffer *url) {
    if (!has_query(request)) return;
    writer w = {.url = url, .has_some = strchr(request->operation->path, '?') != NULL};
    for (const ml_field *row = request->operation->fields; row->name != NULL; row++) {
        if ((row->flags & ML_FIELD_IN_QUERY) == 0) continue;
        const ml_value *value = ml_value_of_row(request->fields, row);
        if (value == NULL) continue;
        if (row->type == ML_TYPE_MAP)
            write_map(&w, request, value);
        else
            write_pair(&w, row->name, value);
    }
}
