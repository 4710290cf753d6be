#include "json.h"
#include "error.h"
#include "request.h"

#include <cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ml_cjson_version(void) {
    return cJSON_Version();
}

/* cJSON's own free does not wipe, and its hooks would reach every user of cJSON in the process. */
static void wipe_text(char *text) {
    if (text != NULL) explicit_bzero(text, strlen(text));
}

static void wipe(cJSON *item) {
    for (; item != NULL; item = item->next) {
        bool owned = (item->type & cJSON_IsReference) == 0;
        if (owned) wipe_text(item->valuestring);
        if (owned) wipe(item->child);
        if ((item->type & cJSON_StringIsConst) == 0) wipe_text(item->string);
    }
}

static void delete_wiped(cJSON *item) {
    wipe(item);
    cJSON_Delete(item);
}

bool ml_json_decode_string(ml_text string, ml_buffer *out) {
    cJSON *item = cJSON_ParseWithLength(string.data, string.length);
    const char *value = cJSON_GetStringValue(item);
    if (value != NULL) ml_buffer_text(out, value);
    delete_wiped(item);
    return value != NULL && !out->failed;
}

/* ---- encoding ---- */

static cJSON *to_cjson(const ml_field *row, const ml_value *value);

static cJSON *from_integer(int64_t integer) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)integer);
    return cJSON_CreateRaw(text);
}

/* Puts the item into the object; both are gone when that fails. */
static bool put(cJSON *object, const char *name, cJSON *item) {
    if (item == NULL) return false;
    if (cJSON_AddItemToObject(object, name, item)) return true;
    delete_wiped(item);
    return false;
}

static bool put_unknown(cJSON *object, const ml_field *rows, const ml_value *members) {
    for (const ml_value *value = members; value != NULL; value = value->next) {
        if (rows != NULL && ml_field_find(rows, value->name) != NULL) continue;
        if (!put(object, value->name, to_cjson(NULL, value))) return false;
    }
    return true;
}

static bool put_known(cJSON *object, const ml_field *rows, const ml_value *from) {
    for (const ml_field *row = rows; row->name != NULL; row++) {
        const ml_value *value = ml_value_member(from, row->name);
        if (value != NULL && !put(object, row->name, to_cjson(row, value))) return false;
    }
    return true;
}

static bool fill_object(cJSON *object, const ml_field *row, const ml_value *value) {
    if (row == NULL || row->type != ML_TYPE_OBJECT) {
        const ml_field *item = row == NULL ? NULL : row->of;
        for (const ml_value *member = value->members; member != NULL; member = member->next)
            if (!put(object, member->name, to_cjson(item, member))) return false;
        return true;
    }
    return put_known(object, row->of, value) && put_unknown(object, row->of, value->members);
}

static bool fill_array(cJSON *array, const ml_field *row, const ml_value *value) {
    for (const ml_value *member = value->members; member != NULL; member = member->next) {
        cJSON *item = to_cjson(row == NULL ? NULL : row->of, member);
        if (item == NULL) return false;
        cJSON_AddItemToArray(array, item);
    }
    return true;
}

/* A container, filled; NULL when memory is out. */
static cJSON *filled(cJSON *container, const ml_field *row, const ml_value *value) {
    if (container == NULL) return NULL;
    bool whole = cJSON_IsArray(container) ? fill_array(container, row, value)
                                          : fill_object(container, row, value);
    if (whole) return container;
    delete_wiped(container);
    return NULL;
}

static cJSON *to_cjson(const ml_field *row, const ml_value *value) {
    switch (value->kind) {
    case ML_VALUE_NULL: return cJSON_CreateNull();
    case ML_VALUE_BOOL: return cJSON_CreateBool(value->boolean);
    case ML_VALUE_INTEGER: return from_integer(value->integer);
    case ML_VALUE_STRING: return cJSON_CreateStringReference(value->text.data);
    case ML_VALUE_JSON: return cJSON_CreateRaw(value->text.data);
    case ML_VALUE_ARRAY: return filled(cJSON_CreateArray(), row, value);
    case ML_VALUE_OBJECT: return filled(cJSON_CreateObject(), row, value);
    case ML_VALUE_FOREIGN:
    case ML_VALUE_UNUSABLE: break;
    }
    return NULL;
}

/* Most bytes that the item can take, printed: each byte of text as \u00XX, and cJSON's margin. */
static size_t most_bytes(const cJSON *item) {
    size_t bytes = 16;
    if (item->string != NULL) bytes += 6 * strlen(item->string);
    if (item->valuestring != NULL) bytes += (cJSON_IsRaw(item) ? 1 : 6) * strlen(item->valuestring);
    for (const cJSON *child = item->child; child != NULL; child = child->next)
        bytes += most_bytes(child);
    return bytes;
}

/* Into our own memory: what cJSON would allocate could not be wiped while it grows. */
static bool print(cJSON *item, ml_buffer *out) {
    size_t room = most_bytes(item);
    char *end = ml_buffer_reserve(out, room);
    if (end == NULL || room > INT_MAX) return false;
    if (!cJSON_PrintPreallocated(item, end, (int)room, false)) return false;
    out->length += strlen(end);
    return true;
}

static bool put_field(cJSON *body, const ml_field *row, const ml_request *request) {
    if ((row->flags & ML_FIELD_IN_PATH) != 0) return true;
    const ml_value *value = ml_request_value(request, row->name);
    if (value != NULL) return put(body, row->name, to_cjson(row, value));
    return row->fallback == 0 || put(body, row->name, from_integer(row->fallback));
}

static cJSON *make_body(const ml_request *request) {
    cJSON *body = cJSON_CreateObject();
    if (body == NULL) return NULL;
    bool whole = true;
    for (const ml_field *row = request->operation->fields; whole && row->name != NULL; row++)
        whole = put_field(body, row, request);
    if (whole && put_unknown(body, NULL, request->extra->members)) return body;
    delete_wiped(body);
    return NULL;
}

bool ml_json_encode_body(const ml_request *request, ml_buffer *out) {
    cJSON *body = make_body(request);
    bool printed = body != NULL && print(body, out);
    delete_wiped(body);
    return printed;
}

/* ---- errors ---- */

/* A body may say more than anybody reads; what is over is left out. */
enum { MOST_PROBLEMS = 100, MOST_PATH_BYTES = 200, MOST_DETAIL_BYTES = 64 * 1024 };

typedef struct error_reader {
    ml_error *error; /* borrowed */
    ml_buffer path;
} error_reader;

static bool read_problems(error_reader *r, const cJSON *item);

static void extend_path(ml_buffer *path, const char *before, const char *name, const char *after) {
    if (path->length > MOST_PATH_BYTES) return;
    ml_buffer_text(path, before);
    ml_buffer_text(path, path->length + strlen(name) > MOST_PATH_BYTES ? "..." : name);
    ml_buffer_text(path, after);
}

/* Reads the item one step further down the path. Keys that are numbers are list indices. */
static bool read_below(error_reader *r, const char *name, size_t index, const cJSON *item) {
    size_t before = r->path.length;
    char number[32];
    snprintf(number, sizeof number, "%zu", index);
    if (name == NULL)
        extend_path(&r->path, "[", number, "]");
    else if (name[0] != '\0' && strspn(name, "0123456789") == strlen(name))
        extend_path(&r->path, "[", name, "]");
    else
        extend_path(&r->path, before > 0 ? "." : "", name, "");
    bool read = !r->path.failed && read_problems(r, item);
    ml_buffer_truncate(&r->path, before);
    return read;
}

/* A string is a message about the path; what a list holds is one too, or about its items. */
static bool read_problems(error_reader *r, const cJSON *item) {
    if (r->error->problem_count >= MOST_PROBLEMS) return true;
    const char *message = cJSON_GetStringValue(item);
    if (message != NULL)
        return ml_error_add_problem(r->error, ml_buffer_view(&r->path).data, message);
    size_t index = 0;
    for (const cJSON *child = item->child; child != NULL; child = child->next, index++) {
        bool inner = cJSON_IsArray(item) && cJSON_IsString(child);
        bool read = inner ? read_problems(r, child) : read_below(r, child->string, index, child);
        if (!read) return false;
    }
    return true;
}

static bool read_error_member(error_reader *r, const cJSON *item, char **detail) {
    /* A second one is possible: cJSON cuts names at U+0000. */
    if (*detail == NULL && strcmp(item->string, "detail") == 0 && cJSON_IsString(item)) {
        *detail = strdup(item->valuestring);
        if (*detail == NULL) return false;
        if (strlen(*detail) > MOST_DETAIL_BYTES) {
            (*detail)[MOST_DETAIL_BYTES] = '\0';
            ml_drop_half_character(*detail);
        }
        return true;
    }
    return read_below(r, item->string, 0, item);
}

bool ml_json_read_errors(ml_text body, char **detail, ml_error *error) {
    *detail = NULL;
    cJSON *root = cJSON_ParseWithLength(body.data, body.length);
    /* cJSON refuses numbers of more than 63 digits: then the body stays unread, but is kept. */
    if (root == NULL) return true;
    error_reader reader = {.error = error};
    bool read = true;
    if (!cJSON_IsObject(root)) read = read_problems(&reader, root);
    for (const cJSON *item = root->child; read && cJSON_IsObject(root) && item != NULL;
         item = item->next)
        read = read_error_member(&reader, item, detail);
    ml_buffer_free(&reader.path);
    delete_wiped(root);
    return read;
}
