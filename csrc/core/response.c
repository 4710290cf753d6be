#include "response.h"
#include "arena.h"
#include "error.h"
#include "json.h"
#include "retry.h"
#include "secret.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ml_response {
    int status;
    unsigned attempts;
    ml_timing timing;
    double began;
    bool is_json;
    /* owned */
    ml_buffer headers;
    ml_buffer body;
    char *detail;
    ml_member *members;
    size_t member_count, member_room;
    ml_arena texts; /* names and strings of the members, decoded */
};

void ml_response_free(ml_response *response) {
    if (response == NULL) return;
    ml_buffer_free(&response->headers);
    ml_buffer_free(&response->body);
    ml_free_wiped(response->detail);
    free(response->members);
    ml_arena_free(&response->texts);
    free(response);
}

/* ---- facts ---- */

int ml_response_status(const ml_response *response) {
    return response->status;
}

unsigned ml_response_attempts(const ml_response *response) {
    return response->attempts;
}

ml_timing ml_response_timing(const ml_response *response) {
    return response->timing;
}

double ml_response_began(const ml_response *response) {
    return response->began;
}

ml_text ml_response_headers(const ml_response *response) {
    return ml_buffer_view(&response->headers);
}

ml_text ml_response_body(const ml_response *response) {
    return ml_buffer_view(&response->body);
}

bool ml_response_body_is_json(const ml_response *response) {
    return response->is_json;
}

const char *ml_response_detail(const ml_response *response) {
    return response->detail;
}

size_t ml_response_member_count(const ml_response *response) {
    return response->member_count;
}

const ml_member *ml_response_member(const ml_response *response, size_t index) {
    return index < response->member_count ? &response->members[index] : NULL;
}

/* Year 9999, less a week: what is added to it must still be a date. */
static const double LATEST_DATE = 253401696000.0;

double ml_answer_time(ml_text headers, double began) {
    char date[64];
    ml_text header = ml_header_find(headers, "Date");
    if (header.length == 0 || header.length >= sizeof date) return began;
    memcpy(date, header.data, header.length);
    date[header.length] = '\0';
    double time = ml_http_date(date);
    return time > 0.0 && time < LATEST_DATE ? time : began;
}

/* ---- members of a 2xx answer ---- */

static const char *kind_name(ml_kind kind) {
    switch (kind) {
    case ML_KIND_NULL: return "null";
    case ML_KIND_BOOL: return "a boolean";
    case ML_KIND_NUMBER: return "a number";
    case ML_KIND_STRING: return "a string";
    case ML_KIND_ARRAY: return "an array";
    case ML_KIND_OBJECT: return "an object";
    }
    return "";
}

static const char *promised_name(ml_type type) {
    switch (type) {
    case ML_TYPE_STRING: return "a string";
    case ML_TYPE_INTEGER: return "a number";
    case ML_TYPE_BOOL: return "a boolean";
    case ML_TYPE_ARRAY: return "an array";
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP:
    case ML_TYPE_JSON: return "an object";
    case ML_TYPE_ANY: return "a value";
    }
    return "";
}

static bool keeps_promise(const ml_field *row, const ml_member *member) {
    switch (row->type) {
    case ML_TYPE_STRING: return member->kind == ML_KIND_STRING;
    case ML_TYPE_INTEGER: return member->kind == ML_KIND_NUMBER;
    case ML_TYPE_BOOL: return member->kind == ML_KIND_BOOL;
    case ML_TYPE_ARRAY: return member->kind == ML_KIND_ARRAY;
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP:
    case ML_TYPE_JSON: return member->kind == ML_KIND_OBJECT;
    case ML_TYPE_ANY: return true;
    }
    return false;
}

/* What a string literal means, kept in the arena. NULL with *ok when it holds U+0000. */
static const char *decode(ml_response *response, ml_text literal, bool *ok) {
    ml_text plain = ml_json_plain(literal);
    ml_buffer text = {0};
    const char *copy = NULL;
    *ok = true;
    if (plain.data == NULL && ml_json_has_nul(literal)) return NULL;
    if (plain.data == NULL && ml_json_decode_string(literal, &text)) plain = ml_buffer_view(&text);
    if (plain.data != NULL) copy = ml_arena_copy(&response->texts, plain);
    ml_buffer_free(&text);
    *ok = copy != NULL;
    return copy;
}

static bool add_member(ml_response *response, const ml_field *rows, ml_text name, ml_text value) {
    if (response->member_count == response->member_room) {
        size_t room = response->member_room == 0 ? 8 : response->member_room * 2;
        ml_member *members = realloc(response->members, room * sizeof *members);
        if (members == NULL) return false;
        response->members = members;
        response->member_room = room;
    }
    ml_member member = {.name_json = name, .json = value, .kind = ml_json_kind(value)};
    bool ok;
    member.name = decode(response, name, &ok);
    if (ok && member.kind == ML_KIND_STRING) member.text = decode(response, value, &ok);
    if (member.name != NULL) member.field = ml_field_find(rows, member.name);
    response->members[response->member_count++] = member;
    return ok;
}

static const ml_member *find_member(const ml_response *response, const ml_field *row) {
    for (size_t i = 0; i < response->member_count; i++)
        if (response->members[i].field == row) return &response->members[i];
    return NULL;
}

static ml_status check_member(const ml_response *response, const ml_field *row, ml_error *error) {
    const ml_member *member = find_member(response, row);
    if (member == NULL) {
        if ((row->flags & ML_FIELD_REQUIRED) == 0) return ML_OK;
        return ml_fail(error, ML_ERR_RESPONSE, "the answer has no member %s", row->name);
    }
    if (member->kind == ML_KIND_NULL && (row->flags & ML_FIELD_NULLABLE) != 0) return ML_OK;
    if (!keeps_promise(row, member))
        return ml_fail(error, ML_ERR_RESPONSE, "member %s of the answer must be %s, is %s",
                       row->name, promised_name(row->type), kind_name(member->kind));
    if (row->type != ML_TYPE_STRING || row->min == 0) return ML_OK;
    if (member->text == NULL || member->text[0] == '\0')
        return ml_fail(error, ML_ERR_RESPONSE, "member %s of the answer %s", row->name,
                       member->text == NULL ? "holds NUL" : "is empty");
    return ML_OK;
}

static ml_status read_members(ml_response *response, const ml_field *rows, ml_error *error) {
    ml_text object = ml_json_trim(ml_buffer_view(&response->body)), name, value;
    if (ml_json_kind(object) != ML_KIND_OBJECT)
        return ml_fail(error, ML_ERR_RESPONSE, "the answer must be a JSON object, is %s",
                       kind_name(ml_json_kind(object)));
    if (rows == NULL) return ML_OK;
    for (size_t at = 0; ml_json_next_member(object, &at, &name, &value);)
        if (!add_member(response, rows, name, value)) return ml_fail_memory(error);
    ml_status status = ML_OK;
    for (const ml_field *row = rows; status == ML_OK && row->name != NULL; row++)
        status = check_member(response, row, error);
    return status;
}

/* What Merge itself never sends. */
#define HTML_PAGE "an HTML page: a proxy on the way or a wrong base_url is likely"

static bool looks_like_html(ml_text body) {
    body = ml_json_trim(body);
    return body.length > 0 && body.data[0] == '<';
}

static ml_status refuse_text(const ml_response *response, const ml_json_fault *fault, bool is_html,
                             ml_error *error) {
    if (is_html)
        return ml_fail(error, ML_ERR_RESPONSE, "the answer (status %d) is not JSON but " HTML_PAGE,
                       response->status);
    return ml_fail(error, ML_ERR_RESPONSE, "the answer (status %d) is not JSON: at byte %zu: %s",
                   response->status, fault->offset, fault->what);
}

static ml_status read_json(ml_response *response, const ml_operation *operation, ml_error *error) {
    ml_json_fault fault;
    ml_text body = ml_buffer_view(&response->body);
    if (body.length == 0)
        return ml_fail(error, ML_ERR_RESPONSE, "status %d came without a body", response->status);
    switch (ml_json_check(body, &fault)) {
    case ML_JSON_NO_MEMORY: return ml_fail_memory(error);
    case ML_JSON_INVALID: return refuse_text(response, &fault, looks_like_html(body), error);
    case ML_JSON_VALID: response->is_json = true; break;
    }
    if (operation->answer != ML_ANSWER_LIST)
        return read_members(response, operation->response, error);
    ml_kind kind = ml_json_kind(ml_json_trim(body));
    if (kind == ML_KIND_ARRAY) return ML_OK;
    return ml_fail(error, ML_ERR_RESPONSE, "the answer must be a JSON array, is %s",
                   kind_name(kind));
}

/* Does the type of a body, without its parameters, end so? */
static bool type_ends(ml_text type, const char *end) {
    size_t length = 0, size = strlen(end);
    while (length < type.length && type.data[length] != ';' && type.data[length] != ' ')
        length++;
    return length >= size &&
           ml_text_equal_no_case((ml_text){type.data + length - size, size}, ml_text_of(end));
}

static ml_text type_of(const ml_response *response) {
    return ml_header_find(ml_buffer_view(&response->headers), "Content-Type");
}

/* A page for people is none of Merge's. */
static bool is_page_for_people(const ml_response *response) {
    ml_text type = type_of(response), body = ml_buffer_view(&response->body);
    return body.length > 0 &&
           (type_ends(type, "html") || (type.length == 0 && looks_like_html(body)));
}

/* Whoever sent a page has not done what was asked for; a word of text may be called HTML. */
static ml_status read_nothing(const ml_response *response, ml_error *error) {
    bool is_page = is_page_for_people(response) && looks_like_html(ml_buffer_view(&response->body));
    if (!is_page) return ML_OK;
    return ml_fail(error, ML_ERR_RESPONSE, "the answer (status %d) is " HTML_PAGE,
                   response->status);
}

/* What claims to be JSON must be. All else, such as the content of a file, is the caller's to
 * read. */
static ml_status read_anything(ml_response *response, ml_error *error) {
    ml_json_fault fault;
    ml_text body = ml_buffer_view(&response->body);
    bool is_html = is_page_for_people(response);
    if (body.length == 0) return ML_OK;
    switch (ml_json_check(body, &fault)) {
    case ML_JSON_NO_MEMORY: return ml_fail_memory(error);
    case ML_JSON_VALID: response->is_json = true; return ML_OK;
    case ML_JSON_INVALID: break;
    }
    if (!is_html && !type_ends(type_of(response), "json")) return ML_OK;
    return refuse_text(response, &fault, is_html || looks_like_html(body), error);
}

static ml_status read_answer(ml_response *response, const ml_operation *operation,
                             ml_error *error) {
    switch (operation->answer) {
    case ML_ANSWER_NOTHING: return read_nothing(response, error);
    case ML_ANSWER_ANY: return read_anything(response, error);
    case ML_ANSWER_OBJECT:
    case ML_ANSWER_LIST:
    case ML_ANSWER_PAGE: break;
    }
    return read_json(response, operation, error);
}

static ml_status read_success(ml_response *response, const ml_operation *operation,
                              const ml_masked *masked, ml_error *error) {
    ml_mask(response->body.data, response->body.length, masked->api_key);
    return read_answer(response, operation, error);
}

/* ---- answers of 400 and more ---- */

static ml_status name_failure(const ml_response *response, ml_error *error) {
    char problems[ML_ERROR_TEXT_SIZE - 32];
    const char *reason = response->detail;
    if (reason != NULL && reason[0] != '\0')
        return ml_fail(error, ML_ERR_API, "Merge answered %d: %s", response->status, reason);
    if (error->problem_count == 0)
        return ml_fail(error, ML_ERR_API, "Merge answered %d%s", response->status,
                       looks_like_html(ml_buffer_view(&response->body)) ? " with " HTML_PAGE : "");
    ml_error_list_problems(error, ": ", problems, sizeof problems);
    return ml_fail(error, ML_ERR_API, "Merge answered %d: %s", response->status, problems);
}

static ml_status read_failure(ml_response *response, bool cut, ml_error *error) {
    ml_text body = ml_buffer_view(&response->body);
    ml_json_fault fault;
    ml_json_verdict verdict = cut ? ML_JSON_INVALID : ml_json_check(body, &fault);
    response->is_json = verdict == ML_JSON_VALID;
    if (verdict == ML_JSON_NO_MEMORY) return ml_fail_memory(error);
    if (response->is_json && !ml_json_read_errors(body, &response->detail, error))
        return ml_fail_memory(error);
    return name_failure(response, error);
}

/* ---- the whole ---- */

static void mask(ml_buffer *buffer, const ml_masked *masked) {
    for (const ml_text *secret = masked->secrets; secret->data != NULL; secret++)
        ml_mask(buffer->data, buffer->length, *secret);
}

static ml_response *take(ml_exchange *exchange, unsigned attempts) {
    ml_response *response = malloc(sizeof *response);
    if (response == NULL) return NULL;
    *response = (ml_response){
        .status = exchange->http_status,
        .attempts = attempts,
        .timing = exchange->timing,
        .began = exchange->began,
        .headers = exchange->headers,
        .body = exchange->body_in,
    };
    exchange->headers = exchange->body_in = (ml_buffer){0};
    return response;
}

static ml_status judge(ml_response *response, const ml_operation *operation, bool cut,
                       const ml_masked *masked, ml_error *error) {
    if (response->status >= 400) {
        mask(&response->body, masked);
        return read_failure(response, cut, error);
    }
    if (response->status < 200)
        return ml_fail(error, ML_ERR_RESPONSE, "status %d is no final answer", response->status);
    if (response->status >= 300)
        return ml_fail(error, ML_ERR_RESPONSE,
                       "status %d is a redirect, which Merge never sends: it is not followed; "
                       "check base_url",
                       response->status);
    if (cut)
        return ml_fail(error, ML_ERR_RESPONSE, "the answer is larger than the limit of %zu bytes",
                       response->body.length);
    return read_success(response, operation, masked, error);
}

/* Also of an answer of 2xx that is refused: its request id goes into the error. */
static void finish_failure(ml_response *response, const ml_masked *masked, ml_error *error) {
    mask(&response->body, masked);
    ml_text headers = ml_buffer_view(&response->headers);
    error->http_status = response->status;
    error->retry_after = ml_retry_after(ml_header_find(headers, "Retry-After"),
                                        ml_answer_time(headers, response->began));
}

ml_status ml_response_read(const ml_operation *operation, ml_exchange *exchange, unsigned attempts,
                           const ml_masked *masked, ml_response **response, ml_error *error) {
    bool cut = exchange->body_cut;
    *response = take(exchange, attempts);
    if (*response == NULL) return ml_fail_memory(error);
    mask(&(*response)->headers, masked);
    ml_status status = judge(*response, operation, cut, masked, error);
    if (status == ML_ERR_MEMORY) {
        ml_response_free(*response);
        *response = NULL;
    } else if (status != ML_OK) {
        finish_failure(*response, masked, error);
    }
    return status;
}
