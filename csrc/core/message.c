#include "message.h"
#include "error.h"
#include "json.h"
#include "text.h"

#include <string.h>

/* ---- path ---- */

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_encoded(ml_buffer *url, ml_text text) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved(text.data[i])) {
            ml_buffer_char(url, text.data[i]);
        } else {
            char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
            ml_buffer_append(url, encoded, sizeof encoded);
        }
    }
}

static ml_text string_value(const ml_value *value) {
    return value != NULL && value->kind == ML_VALUE_STRING ? value->text : (ml_text){0};
}

/* What the caller said, else the first of the row's list field, else the client's; operations
 * without such a list fall back to ats. */
static ml_text chosen_category(const ml_request *request, const ml_config *config) {
    const char *list_name = request->operation->category_from;
    ml_text category = string_value(ml_request_value(request, "category"));
    if (category.data != NULL) return category;
    if (list_name != NULL) {
        const ml_value *list = ml_request_value(request, list_name);
        if (list != NULL) category = string_value(list->members);
    }
    if (category.data == NULL) category = config->options.category;
    return category.data == NULL && list_name == NULL ? ml_text_of("ats") : category;
}

static ml_text path_value(const ml_request *request, const ml_config *config, ml_text name) {
    if (ml_text_equal(name, ml_text_of("category"))) return chosen_category(request, config);
    char field[64] = "";
    if (name.length < sizeof field) memcpy(field, name.data, name.length);
    return string_value(ml_request_value(request, field));
}

/* A dot segment or an empty one would lead to another endpoint. */
static bool is_segment(ml_text value) {
    return value.length > 0 && !ml_text_equal(value, ml_text_of(".")) &&
           !ml_text_equal(value, ml_text_of(".."));
}

static ml_status refuse_segment(ml_text name, ml_error *error) {
    static const char why[] = "must be given, and not be \".\" or \"..\"";
    char field[64] = "";
    if (name.length < sizeof field) memcpy(field, name.data, name.length);
    if (!ml_error_add_problem(error, field, why)) return ml_fail_memory(error);
    return ml_fail(error, ML_ERR_VALIDATION, "%s %s", field, why);
}

/* Only the category is known to be no secret. */
static void append_shown(ml_buffer *shown, ml_text name, ml_text value) {
    if (ml_text_equal(name, ml_text_of("category"))) {
        append_encoded(shown, value);
    } else {
        ml_buffer_char(shown, '{');
        ml_buffer_append(shown, name.data, name.length);
        ml_buffer_char(shown, '}');
    }
}

static ml_status build_url(ml_message *message, const ml_request *request, const ml_config *config,
                           ml_error *error) {
    ml_text base = config->options.base_url;
    ml_buffer_append(&message->url, base.data, base.length);
    ml_buffer_append(&message->shown_url, base.data, base.length);
    for (const char *at = request->operation->path; *at != '\0';) {
        size_t plain = strcspn(at, "{");
        ml_buffer_append(&message->url, at, plain);
        ml_buffer_append(&message->shown_url, at, plain);
        at += plain;
        if (*at == '\0') break;
        ml_text name = {at + 1, strcspn(at + 1, "}")};
        ml_text value = path_value(request, config, name);
        if (!is_segment(value)) return refuse_segment(name, error);
        append_encoded(&message->url, value);
        append_shown(&message->shown_url, name, value);
        at = name.data + name.length + 1;
    }
    if (message->url.failed || message->shown_url.failed) return ml_fail_memory(error);
    message->shown_path = ml_buffer_view(&message->shown_url).data + base.length;
    return ML_OK;
}

ml_status ml_message_check(const ml_request *request, const ml_config *config, ml_error *error) {
    for (const char *at = strchr(request->operation->path, '{'); at != NULL; at = strchr(at, '{')) {
        ml_text name = {at + 1, strcspn(at + 1, "}")};
        if (!is_segment(path_value(request, config, name))) return refuse_segment(name, error);
        at = name.data + name.length;
    }
    return ML_OK;
}

/* ---- header ---- */

static bool is_overridden(const ml_request *request, const char *name) {
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        if (ml_text_equal_no_case(header->name, ml_text_of(name))) return true;
    return false;
}

static void add_line(ml_message *message, ml_text name, const char *before, ml_text value) {
    size_t prefix = strlen(before);
    char *line = ml_arena_take(&message->arena, name.length + 2 + prefix + value.length + 1);
    if (line == NULL) return;
    memcpy(line, name.data, name.length);
    memcpy(line + name.length, ": ", 2);
    memcpy(line + name.length + 2, before, prefix);
    if (value.length > 0) memcpy(line + name.length + 2 + prefix, value.data, value.length);
    message->lines[message->line_count++] = line;
}

static void add_own(ml_message *message, const ml_request *request, const char *name,
                    const char *before, ml_text value) {
    if (!is_overridden(request, name)) add_line(message, ml_text_of(name), before, value);
}

static size_t count_lines(const ml_request *request) {
    size_t count = 8;
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        count++;
    return count;
}

static ml_status build_header(ml_message *message, const ml_request *request,
                              const ml_config *config, ml_text api_key, ml_error *error) {
    static const ml_text json = {"application/json", 16};
    message->lines = ml_arena_take(&message->arena, count_lines(request) * sizeof *message->lines);
    if (message->lines == NULL) return ml_fail_memory(error);
    add_own(message, request, "User-Agent", "", config->options.user_agent);
    add_own(message, request, "Accept", "", json);
    add_line(message, ml_text_of("Authorization"), "Bearer ", api_key);
    if (request->operation->needs_account_token)
        add_line(message, ml_text_of("X-Account-Token"), "",
                 ml_secret_view(&config->account_token));
    if (message->has_body) add_line(message, ml_text_of("Content-Type"), "", json);
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        add_line(message, header->name, "", header->value);
    return message->arena.failed ? ml_fail_memory(error) : ML_OK;
}

/* ---- the whole ---- */

ml_status ml_message_build(ml_message *message, const ml_request *request, const ml_config *config,
                           ml_text api_key, ml_error *error) {
    *message = (ml_message){.method = request->operation->method};
    message->has_body = strcmp(message->method, "GET") != 0;
    ml_status status = build_url(message, request, config, error);
    if (status == ML_OK) status = build_header(message, request, config, api_key, error);
    if (status == ML_OK && message->has_body && !ml_json_encode_body(request, &message->body))
        status = ml_fail_memory(error);
    if (status != ML_OK) ml_message_free(message);
    return status;
}

void ml_message_free(ml_message *message) {
    ml_arena_free(&message->arena);
    ml_buffer_free(&message->url);
    ml_buffer_free(&message->shown_url);
    ml_buffer_free(&message->body);
    *message = (ml_message){0};
}
