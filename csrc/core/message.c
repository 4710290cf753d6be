#include "message.h"
#include "error.h"
#include "json.h"
#include "path.h"
#include "query.h"
#include "text.h"

#include <string.h>

/* ---- path ---- */

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

/* ---- URL ---- */

static bool is_whole_path(ml_text name) {
    return name.length > 0 && name.data[0] == '+';
}

static void hide(ml_buffer *shown, ml_text name) {
    ml_buffer_char(shown, '{');
    ml_buffer_append(shown, name.data, name.length);
    ml_buffer_char(shown, '}');
}

/* Only the category is known to be no secret. */
static void append_segment(ml_message *message, ml_text name, ml_text value) {
    ml_path_append_segment(&message->url, value);
    if (ml_text_equal(name, ml_text_of("category")))
        ml_path_append_segment(&message->shown_url, value);
    else
        hide(&message->shown_url, name);
}

/* A path that the caller wrote holds no secret but one. */
static void append_path(ml_message *message, ml_text path) {
    ml_text secret = ml_path_secret(path);
    ml_path_append(&message->url, path);
    ml_path_append(&message->shown_url, (ml_text){path.data, path.length - secret.length});
    if (secret.length > 0) hide(&message->shown_url, ml_text_of("public_token"));
}

static ml_status append_value(ml_message *message, const ml_request *request,
                              const ml_config *config, ml_text name, ml_error *error) {
    if (is_whole_path(name)) {
        append_path(message,
                    path_value(request, config, (ml_text){name.data + 1, name.length - 1}));
        return ML_OK;
    }
    ml_text value = path_value(request, config, name);
    if (!is_segment(value)) return refuse_segment(name, error);
    append_segment(message, name, value);
    return ML_OK;
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
        ml_status status = append_value(message, request, config, name, error);
        if (status != ML_OK) return status;
        at = name.data + name.length + 1;
    }
    ml_query_append(request, &message->url);
    if (message->url.failed || message->shown_url.failed) return ml_fail_memory(error);
    message->shown_path = ml_buffer_view(&message->shown_url).data + base.length;
    return ML_OK;
}

ml_status ml_message_check(const ml_request *request, const ml_config *config, ml_error *error) {
    for (const char *at = strchr(request->operation->path, '{'); at != NULL; at = strchr(at, '{')) {
        ml_text name = {at + 1, strcspn(at + 1, "}")};
        bool is_good = is_whole_path(name) || is_segment(path_value(request, config, name));
        if (!is_good) return refuse_segment(name, error);
        at = name.data + name.length;
    }
    return ML_OK;
}

/* ---- header ---- */

/* The headers that a field of the operation holds; NULL: none. */
static const ml_value *header_field(const ml_request *request) {
    for (const ml_value *value = request->fields->members; value != NULL; value = value->next) {
        bool is_map = value->row != NULL && (value->row->flags & ML_FIELD_IN_HEADER) != 0;
        if (is_map && ml_value_of_row(request->fields, value->row) == value) return value->members;
    }
    return NULL;
}

static bool is_overridden(const ml_request *request, const ml_value *further, const char *name) {
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        if (ml_text_equal_no_case(header->name, ml_text_of(name))) return true;
    for (const ml_value *header = further; header != NULL; header = header->next)
        if (ml_text_equal_no_case(ml_text_of(header->name), ml_text_of(name))) return true;
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

static void add_own(ml_message *message, const ml_request *request, const ml_value *further,
                    const char *name, ml_text value) {
    if (!is_overridden(request, further, name)) add_line(message, ml_text_of(name), "", value);
}

static size_t count_lines(const ml_request *request, const ml_value *further) {
    size_t count = 8;
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        count++;
    for (const ml_value *header = further; header != NULL; header = header->next)
        count++;
    return count;
}

static ml_status build_header(ml_message *message, const ml_request *request,
                              const ml_config *config, ml_text api_key, ml_error *error) {
    static const ml_text json = {"application/json", 16};
    const ml_value *further = header_field(request);
    message->lines =
        ml_arena_take(&message->arena, count_lines(request, further) * sizeof *message->lines);
    if (message->lines == NULL) return ml_fail_memory(error);
    add_own(message, request, further, "User-Agent", config->options.user_agent);
    add_own(message, request, further, "Accept", json);
    add_line(message, ml_text_of("Authorization"), "Bearer ", api_key);
    ml_text account_token = ml_message_account_token(request, config);
    if (account_token.data != NULL)
        add_line(message, ml_text_of("X-Account-Token"), "", account_token);
    if (message->has_body) add_line(message, ml_text_of("Content-Type"), "", json);
    for (const ml_header *header = request->headers; header != NULL; header = header->next)
        add_line(message, header->name, "", header->value);
    for (const ml_value *header = further; header != NULL; header = header->next)
        add_line(message, ml_text_of(header->name), "", header->text);
    return message->arena.failed ? ml_fail_memory(error) : ML_OK;
}

/* ---- secrets ---- */

ml_text ml_message_account_token(const ml_request *request, const ml_config *config) {
    if (request->operation->account == ML_ACCOUNT_NONE) return (ml_text){0};
    if (request->account_token.data != NULL) return request->account_token;
    return ml_secret_view(&config->account_token);
}

static void add_secret(ml_message *message, ml_text secret) {
    if (secret.length == 0) return;
    if (message->secret_count == ML_MESSAGE_SECRETS) return;
    char *copy = ml_arena_copy(&message->arena, secret);
    if (copy != NULL) message->secrets[message->secret_count++] = (ml_text){copy, secret.length};
}

/* The form that it has in the URL, or that comes out of it, where that is another. */
static void add_form(ml_message *message, ml_text secret,
                     void (*append)(ml_buffer *out, ml_text text)) {
    ml_buffer form = {0};
    append(&form, secret);
    if (!ml_text_equal(ml_buffer_view(&form), secret)) add_secret(message, ml_buffer_view(&form));
    if (form.failed) message->arena.failed = true;
    ml_buffer_free(&form);
}

static void add_credential(ml_message *message, ml_text secret) {
    add_secret(message, secret);
    add_form(message, secret, ml_path_append_segment);
}

/* A slash at its end is none of it. */
static void add_inside_path(ml_message *message, ml_text path) {
    ml_text secret = ml_path_secret(path);
    if (secret.length > 0 && secret.data[secret.length - 1] == '/') secret.length--;
    add_secret(message, secret);
    add_form(message, secret, ml_path_append);
    add_form(message, secret, ml_path_decode);
}

/* What of the request must not be shown. The rows of no operation have more of it than there is
 * room for. */
static ml_status list_secrets(ml_message *message, const ml_request *request, ml_error *error) {
    add_secret(message, request->account_token);
    for (const ml_value *value = request->fields->members; value != NULL; value = value->next) {
        if (value->row == NULL || value->kind != ML_VALUE_STRING) continue;
        if (ml_value_of_row(request->fields, value->row) != value) continue; /* was replaced */
        if (value->row->format == ML_FORMAT_CREDENTIAL) add_credential(message, value->text);
        if (value->row->format == ML_FORMAT_PATH) add_inside_path(message, value->text);
    }
    return message->arena.failed ? ml_fail_memory(error) : ML_OK;
}

/* ---- the whole ---- */

/* That of the row lives as long as the program. */
static ml_status find_method(ml_message *message, const ml_request *request, ml_error *error) {
    message->method = request->operation->method;
    if (message->method[0] == '{')
        message->method = ml_arena_copy(&message->arena, ml_request_method(request));
    return message->method == NULL ? ml_fail_memory(error) : ML_OK;
}

ml_status ml_message_build(ml_message *message, const ml_request *request, const ml_config *config,
                           ml_text api_key, ml_error *error) {
    *message = (ml_message){.has_body = ml_request_has_body(request)};
    ml_status status = find_method(message, request, error);
    if (status == ML_OK) status = build_url(message, request, config, error);
    if (status == ML_OK) status = build_header(message, request, config, api_key, error);
    if (status == ML_OK && message->has_body && !ml_json_encode_body(request, &message->body))
        status = ml_fail_memory(error);
    if (status == ML_OK) status = list_secrets(message, request, error);
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
