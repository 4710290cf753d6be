/*
 * The response decoder: any answer ends in a sound response or a typed error that says nothing of
 * the call's secrets. Input: the status in the first line ("200", or "200 cut" for a body over the
 * limit), header lines, an empty line, the body.
 */
#include "fuzz.h"
#include "json.h"
#include "response.h"
#include "support/build.h"

#include <math.h>
#include <string.h>

static const char key[] = TEST_KEY, account_token[] = "account-of-acme";

static ml_exchange read_exchange(ml_text rest) {
    ml_exchange exchange = {.began = 1700000000.0, .sends = 1};
    ml_text line;
    if (fuzz_line(&rest, &line)) {
        exchange.body_cut = fuzz_holds(line, " cut");
        for (size_t i = 0; i < line.length && i < 3; i++)
            exchange.http_status = exchange.http_status * 10 + (line.data[i] & 15) % 10;
    }
    while (fuzz_line(&rest, &line) && line.length > 0) {
        ml_buffer_append(&exchange.headers, line.data, line.length);
        ml_buffer_text(&exchange.headers, "\r\n");
    }
    ml_buffer_append(&exchange.body_in, rest.data, rest.length);
    return exchange;
}

static void require_discreet(const char *text) {
    REQUIRE(text == NULL || strstr(text, key) == NULL);
    REQUIRE(text == NULL || strstr(text, account_token) == NULL);
}

static void require_masked(ml_text text) {
    REQUIRE(!fuzz_holds(text, key) && !fuzz_holds(text, account_token));
}

static void require_sound_error(const ml_response *response, const ml_error *error) {
    REQUIRE(error->text[0] != '\0' && fuzz_is_utf8(error->text));
    REQUIRE(isfinite(error->retry_after));
    require_discreet(error->text);
    require_discreet(ml_response_detail(response));
    require_masked(ml_response_body(response));
    require_masked(ml_response_headers(response));
    for (size_t i = 0; i < error->problem_count; i++) {
        require_discreet(error->problems[i].field);
        require_discreet(error->problems[i].message);
        REQUIRE(fuzz_is_utf8(error->problems[i].field) && fuzz_is_utf8(error->problems[i].message));
    }
}

static void require_member(const ml_member *member, ml_text body) {
    ml_json_fault fault;
    REQUIRE(member->json.data >= body.data);
    REQUIRE(member->json.data + member->json.length <= body.data + body.length);
    REQUIRE(ml_json_check(member->json, &fault) == ML_JSON_VALID);
    REQUIRE(ml_json_check(member->name_json, &fault) == ML_JSON_VALID);
    REQUIRE((member->name == NULL) == ml_json_has_nul(member->name_json));
    REQUIRE(member->kind == ML_KIND_STRING || member->text == NULL);
    REQUIRE(member->text == NULL || fuzz_is_utf8(member->text));
}

static const ml_member *member_of(const ml_response *response, const ml_field *row) {
    for (size_t i = 0; i < ml_response_member_count(response); i++)
        if (ml_response_member(response, i)->field == row) return ml_response_member(response, i);
    return NULL;
}

static void require_sound_success(const ml_operation *operation, const ml_response *response) {
    int status = ml_response_status(response);
    REQUIRE(status >= 200 && status < 300);
    for (size_t i = 0; i < ml_response_member_count(response); i++)
        require_member(ml_response_member(response, i), ml_response_body(response));
    for (const ml_field *row = operation->response; row != NULL && row->name != NULL; row++) {
        const ml_member *member = member_of(response, row);
        REQUIRE(member != NULL || (row->flags & ML_FIELD_REQUIRED) == 0);
        if (member == NULL || row->min == 0 || row->type != ML_TYPE_STRING) continue;
        REQUIRE(member->text != NULL && member->text[0] != '\0');
    }
}

static void try_operation(const ml_operation *operation, ml_text input) {
    ml_exchange exchange = read_exchange(input);
    int sent_status = exchange.http_status;
    ml_masked masked = {{{account_token, sizeof account_token - 1}, {key, sizeof key - 1}},
                        {key, sizeof key - 1}};
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_response_read(operation, &exchange, 1, &masked, &response, &error);
    REQUIRE(response != NULL && status != ML_ERR_MEMORY);
    REQUIRE(ml_response_status(response) == sent_status);
    REQUIRE((status == ML_ERR_API) == (sent_status >= 400));
    REQUIRE(status == ML_OK || status == ML_ERR_API || status == ML_ERR_RESPONSE);
    if (status == ML_OK)
        require_sound_success(operation, response);
    else
        require_sound_error(response, &error);
    ml_response_free(response);
    ml_error_clear(&error);
    ml_exchange_reset(&exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ml_text input = {(const char *)data, size};
    try_operation(link_token_operation(), input);
    try_operation(ml_operation_find("warm_up"), input);
    try_operation(&fetch_thing, input);
    try_operation(ml_operation_find("issues"), input);
    try_operation(ml_operation_find("force_resync"), input);
    try_operation(ml_operation_find("delete_account"), input);
    try_operation(ml_operation_find("request"), input);
    return 0;
}
