#include "request.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static ml_value *new_value(ml_arena *arena, ml_value_kind kind) {
    ml_value *value = ml_arena_take(arena, sizeof *value);
    if (value == NULL) return NULL;
    value->kind = kind;
    value->arena = arena;
    return value;
}

static const ml_words json_words = {
    .null = "null", .boolean = "true or false", .object = "an object"};

ml_request *ml_request_new(const ml_operation *operation) {
    ml_request *request = malloc(sizeof *request);
    if (request == NULL) return NULL;
    *request = (ml_request){
        .operation = operation,
        .row = {.name = "", .type = ML_TYPE_OBJECT, .of = operation->fields},
        .words = &json_words,
    };
    request->fields = new_value(&request->arena, ML_VALUE_OBJECT);
    request->extra = new_value(&request->arena, ML_VALUE_OBJECT);
    if (request->fields == NULL || request->extra == NULL) {
        ml_request_free(request);
        return NULL;
    }
    request->fields->row = &request->row;
    return request;
}

void ml_request_free(ml_request *request) {
    if (request == NULL) return;
    ml_arena_free(&request->arena);
    free(request);
}

ml_value *ml_request_fields(ml_request *request) {
    return request->fields;
}

ml_value *ml_request_extra(ml_request *request) {
    return request->extra;
}

/* ---- adding ---- */

/* The row of what is added to the parent. */
static const ml_field *row_in(const ml_value *parent, const char *name) {
    const ml_field *rows = ml_value_rows(parent);
    if (rows != NULL) return ml_field_find(rows, name);
    return parent->row != NULL && parent->row->type != ML_TYPE_OBJECT ? parent->row->of : NULL;
}

/* That of its row, which lives as long as the program, else a copy. */
static const char *name_in(const ml_value *parent, const ml_value *value, const char *name) {
    if (parent->kind != ML_VALUE_OBJECT) return NULL;
    bool is_row = ml_value_rows(parent) != NULL && value->row != NULL;
    return is_row ? value->row->name : ml_arena_copy(parent->arena, ml_text_of(name));
}

static ml_value *add(ml_value *parent, const char *name, ml_value_kind kind) {
    if (parent == NULL) return NULL;
    ml_value *value = new_value(parent->arena, kind);
    if (value == NULL) return NULL;
    value->row = row_in(parent, name);
    value->name = name_in(parent, value, name);
    if (parent->arena->failed) return NULL;
    if (parent->last == NULL)
        parent->members = value;
    else
        parent->last->next = value;
    parent->last = value;
    parent->count++;
    return value;
}

static void add_text(ml_value *parent, const char *name, ml_value_kind kind, ml_text text) {
    ml_value *value = add(parent, name, kind);
    if (value == NULL) return;
    value->text = (ml_text){ml_arena_copy(parent->arena, text), text.length};
}

void ml_add_null(ml_value *parent, const char *name) {
    add(parent, name, ML_VALUE_NULL);
}

void ml_add_bool(ml_value *parent, const char *name, bool boolean) {
    ml_value *value = add(parent, name, ML_VALUE_BOOL);
    if (value != NULL) value->boolean = boolean;
}

void ml_add_integer(ml_value *parent, const char *name, int64_t integer) {
    ml_value *value = add(parent, name, ML_VALUE_INTEGER);
    if (value != NULL) value->integer = integer;
}

void ml_add_string(ml_value *parent, const char *name, ml_text text) {
    add_text(parent, name, ML_VALUE_STRING, text);
}

void ml_add_json(ml_value *parent, const char *name, ml_text json) {
    add_text(parent, name, ML_VALUE_JSON, json);
}

void ml_add_foreign(ml_value *parent, const char *name, const char *type) {
    add_text(parent, name, ML_VALUE_FOREIGN, ml_text_of(type));
}

void ml_add_unusable(ml_value *parent, const char *name, const char *why) {
    add_text(parent, name, ML_VALUE_UNUSABLE, ml_text_of(why));
}

ml_value *ml_add_array(ml_value *parent, const char *name) {
    return add(parent, name, ML_VALUE_ARRAY);
}

ml_value *ml_add_object(ml_value *parent, const char *name) {
    return add(parent, name, ML_VALUE_OBJECT);
}

void ml_request_set_words(ml_request *request, const ml_words *words) {
    request->words = words;
}

void ml_request_set_api_key(ml_request *request, ml_text api_key) {
    if (api_key.data != NULL) api_key.data = ml_arena_copy(&request->arena, api_key);
    request->api_key = api_key;
}

void ml_request_set_account_token(ml_request *request, ml_text account_token) {
    if (account_token.data != NULL)
        account_token.data = ml_arena_copy(&request->arena, account_token);
    request->account_token = account_token;
}

bool ml_request_has_api_key(const ml_request *request) {
    return request->api_key.data != NULL;
}

const ml_operation *ml_request_operation(const ml_request *request) {
    return request->operation;
}

void ml_request_add_header(ml_request *request, ml_text name, ml_text value) {
    ml_header *header = ml_arena_take(&request->arena, sizeof *header);
    if (header == NULL) return;
    header->name = (ml_text){ml_arena_copy(&request->arena, name), name.length};
    header->value = (ml_text){ml_arena_copy(&request->arena, value), value.length};
    if (request->last_header == NULL)
        request->headers = header;
    else
        request->last_header->next = header;
    request->last_header = header;
}

/* ---- copying ---- */

static void copy_members(ml_value *parent, const ml_value *from);

static void copy_value(ml_value *parent, const ml_value *from) {
    ml_value *value = add(parent, from->name, from->kind);
    if (value == NULL) return;
    value->boolean = from->boolean;
    value->integer = from->integer;
    if (from->text.data != NULL)
        value->text = (ml_text){ml_arena_copy(parent->arena, from->text), from->text.length};
    copy_members(value, from);
}

/* A failure is remembered in the arena, and ends it. */
static void copy_members(ml_value *parent, const ml_value *from) {
    for (const ml_value *value = from->members; value != NULL && !parent->arena->failed;
         value = value->next)
        copy_value(parent, value);
}

ml_request *ml_request_copy(const ml_request *request) {
    ml_request *copy = request->arena.failed ? NULL : ml_request_new(request->operation);
    if (copy == NULL) return NULL;
    copy->words = request->words;
    copy_members(copy->fields, request->fields);
    copy_members(copy->extra, request->extra);
    ml_request_set_api_key(copy, request->api_key);
    ml_request_set_account_token(copy, request->account_token);
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        ml_request_add_header(copy, header->name, header->value);
    if (!copy->arena.failed) return copy;
    ml_request_free(copy);
    return NULL;
}

/* ---- looking ---- */

ml_text ml_request_method(const ml_request *request) {
    const char *method = request->operation->method;
    if (method[0] != '{') return ml_text_of(method);
    const ml_value *value = ml_request_value(request, "method");
    return value != NULL && value->kind == ML_VALUE_STRING ? value->text : (ml_text){0};
}

/* A row of the body decides: mostly the first one. */
bool ml_request_has_body(const ml_request *request) {
    if (ml_text_equal(ml_request_method(request), ml_text_of("GET"))) return false;
    for (const ml_field *row = request->operation->fields; row->name != NULL; row++) {
        if (ml_field_is_elsewhere(row)) continue;
        return (row->flags & ML_FIELD_IS_BODY) == 0 || ml_request_value(request, row->name) != NULL;
    }
    return false;
}

const ml_field *ml_value_rows(const ml_value *object) {
    bool has_rows = object->kind == ML_VALUE_OBJECT && object->row != NULL;
    return has_rows && object->row->type == ML_TYPE_OBJECT ? object->row->of : NULL;
}

const ml_value *ml_value_of_row(const ml_value *object, const ml_field *row) {
    const ml_value *found = NULL;
    for (const ml_value *value = object->members; value != NULL; value = value->next)
        if (value->row == row) found = value;
    return found;
}

const ml_value *ml_value_member(const ml_value *object, const char *name) {
    const ml_value *found = NULL;
    for (const ml_value *value = object->members; value != NULL; value = value->next)
        if (strcmp(value->name, name) == 0) found = value;
    return found;
}

const ml_value *ml_request_value(const ml_request *request, const char *field) {
    const ml_value *value = ml_value_member(request->fields, field);
    return value != NULL && value->kind == ML_VALUE_NULL ? NULL : value;
}

int64_t ml_request_integer(const ml_request *request, const char *field) {
    const ml_value *value = ml_request_value(request, field);
    if (value != NULL && value->kind == ML_VALUE_INTEGER) return value->integer;
    const ml_field *row = ml_field_find(request->operation->fields, field);
    return row == NULL ? 0 : row->fallback;
}
