#include "json.h"
#include "error.h"
#include "request.h"

#include <cJSON.h>
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

static void write_value(ml_buffer *out, const ml_value *value);

/* By cJSON's rules: what must be escaped is, everything else stays UTF-8. */
static void write_escaped(ml_buffer *out, unsigned char c) {
    static const char meanings[] = "\"\"\\\\b\bf\fn\nr\rt\t";
    char text[8];
    for (const char *known = meanings; *known != '\0'; known += 2) {
        if (known[1] != (char)c) continue;
        ml_buffer_char(out, '\\');
        ml_buffer_char(out, known[0]);
        return;
    }
    snprintf(text, sizeof text, "\\u%04x", c);
    ml_buffer_text(out, text);
}

static void write_string(ml_buffer *out, ml_text text) {
    size_t start = 0;
    ml_buffer_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        ml_buffer_append(out, text.data + start, i - start);
        write_escaped(out, c);
        start = i + 1;
    }
    ml_buffer_append(out, text.data + start, text.length - start);
    ml_buffer_char(out, '"');
}

static void write_integer(ml_buffer *out, int64_t integer) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)integer);
    ml_buffer_text(out, text);
}

/* The comma that all but the first one in an array or object have before them. */
static void write_comma(ml_buffer *out) {
    char last = out->failed ? '[' : out->data[out->length - 1];
    if (last != '{' && last != '[') ml_buffer_char(out, ',');
}

static void write_name(ml_buffer *out, const char *name) {
    write_comma(out);
    write_string(out, ml_text_of(name));
    ml_buffer_char(out, ':');
}

static void write_member(ml_buffer *out, const ml_value *value) {
    write_name(out, value->name);
    write_value(out, value);
}

/* In the order of the rows, if the object has some; what no row knows comes last. */
static void write_object(ml_buffer *out, const ml_value *object) {
    ml_buffer_char(out, '{');
    for (const ml_field *row = ml_value_rows(object); row != NULL && row->name != NULL; row++) {
        const ml_value *value = ml_value_of_row(object, row);
        if (value != NULL) write_member(out, value);
    }
    for (const ml_value *value = object->members; value != NULL; value = value->next)
        if (value->row == NULL || ml_value_rows(object) == NULL) write_member(out, value);
    ml_buffer_char(out, '}');
}

static void write_array(ml_buffer *out, const ml_value *array) {
    ml_buffer_char(out, '[');
    for (const ml_value *value = array->members; value != NULL; value = value->next) {
        write_comma(out);
        write_value(out, value);
    }
    ml_buffer_char(out, ']');
}

static void write_value(ml_buffer *out, const ml_value *value) {
    switch (value->kind) {
    case ML_VALUE_NULL: ml_buffer_text(out, "null"); break;
    case ML_VALUE_BOOL: ml_buffer_text(out, value->boolean ? "true" : "false"); break;
    case ML_VALUE_INTEGER: write_integer(out, value->integer); break;
    case ML_VALUE_STRING: write_string(out, value->text); break;
    case ML_VALUE_JSON: ml_buffer_append(out, value->text.data, value->text.length); break;
    case ML_VALUE_ARRAY: write_array(out, value); break;
    case ML_VALUE_OBJECT: write_object(out, value); break;
    case ML_VALUE_FOREIGN:
    case ML_VALUE_UNUSABLE: out->failed = true; /* validation has refused it */
    }
}

/* Of the operation's own fields, null means that it was not given. */
static void write_field(ml_buffer *out, const ml_request *request, const ml_field *row) {
    if (ml_field_is_elsewhere(row)) return;
    const ml_value *value = ml_value_of_row(request->fields, row);
    if (value != NULL && value->kind != ML_VALUE_NULL) {
        write_name(out, row->name);
        write_value(out, value);
    } else if (row->fallback != 0) {
        write_name(out, row->name);
        write_integer(out, row->fallback);
    }
}

/* What is not a member of the body, but all of it; NULL: nothing is. The first row of the body
 * says.
 */
static const ml_value *whole_body(const ml_request *request) {
    const ml_field *row = request->operation->fields;
    while (row->name != NULL && ml_field_is_elsewhere(row))
        row++;
    bool is_whole = row->name != NULL && (row->flags & ML_FIELD_IS_BODY) != 0;
    return is_whole ? ml_value_of_row(request->fields, row) : NULL;
}

bool ml_json_encode_body(const ml_request *request, ml_buffer *out) {
    const ml_value *whole = whole_body(request);
    if (whole != NULL) {
        write_value(out, whole);
        return !out->failed;
    }
    ml_buffer_char(out, '{');
    for (const ml_field *row = request->operation->fields; row->name != NULL; row++)
        write_field(out, request, row);
    for (const ml_value *value = request->extra->members; value != NULL; value = value->next)
        write_member(out, value);
    ml_buffer_char(out, '}');
    return !out->failed;
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
