/*
 * What the server said: answers that keep their promises, those that do not, and errors.
 */
#include "response.h"
#include "secret.h"
#include "support/build.h"
#include "support/expect.h"
#include "text.h"

/* An answer and all that came of reading it. */
typedef struct reading {
    ml_status status;
    ml_response *response;
    ml_error error;
} reading;

#define ACCOUNT_TOKEN "account/token\"1"

static const ml_masked masked = {{TEXT_OF(ACCOUNT_TOKEN), TEXT_OF(TEST_KEY)}, TEXT_OF(TEST_KEY)};

static reading read_exchange(const ml_operation *operation, ml_exchange *exchange) {
    reading r = {.response = NULL};
    ml_error_init(&r.error);
    r.status = ml_response_read(operation, exchange, 3, &masked, &r.response, &r.error);
    ml_exchange_reset(exchange);
    assert_non_null(r.response);
    return r;
}

static reading read_answer(int http_status, const char *headers, ml_text body) {
    ml_exchange exchange = {.http_status = http_status, .began = 1700000000.0};
    ml_buffer_text(&exchange.headers, headers);
    ml_buffer_append(&exchange.body_in, body.data, body.length);
    return read_exchange(link_token_operation(), &exchange);
}

static void drop(reading *r) {
    ml_response_free(r->response);
    ml_error_clear(&r->error);
}

/* ---- answers that are good ---- */

#define TOKEN "necdP7FtdASl1fQwm62be2_dM4wBG8_GactqoUV0"

static const ml_member *member_of(const ml_response *response, const char *name) {
    for (size_t i = 0; i < ml_response_member_count(response); i++) {
        const ml_member *member = ml_response_member(response, i);
        if (member->name != NULL && strcmp(member->name, name) == 0) return member;
    }
    fail_msg("no member %s", name);
    return NULL;
}

static void answer_of_merge_is_read(void **state) {
    (void)state;
    reading r =
        read_answer(200, "Content-Type: application/json\r\nX-Request-Id: r1\r\n",
                    TEXT("{\"link_token\": \"" TOKEN "\", \"integration_name\": \"Lever\"}"));
    assert_int_equal(r.status, ML_OK);
    assert_int_equal(ml_response_status(r.response), 200);
    assert_int_equal(ml_response_attempts(r.response), 3);
    assert_int_equal(ml_response_member_count(r.response), 2);
    assert_true(ml_response_body_is_json(r.response));
    assert_null(ml_response_detail(r.response));
    const ml_member *token = ml_response_member(r.response, 0);
    assert_string_equal(token->name, "link_token");
    assert_string_equal(token->text, TOKEN);
    assert_string_equal(token->field->name, "link_token");
    assert_string_equal(member_of(r.response, "integration_name")->text, "Lever");
    expect_text(ml_response_headers(r.response),
                TEXT("Content-Type: application/json\r\nX-Request-Id: r1\r\n"));
    assert_null(ml_response_member(r.response, 2));
    drop(&r);
}

typedef struct good_row {
    const char *name;
    int http_status;
    ml_text body;
} good_row;

static const good_row good_rows[] = {
    {"optional_members_absent", 200, TEXT_OF("{\"link_token\":\"t\"}")},
    {"optional_members_null", 200,
     TEXT_OF("{\"link_token\":\"t\",\"integration_name\":null,\"magic_link_url\":null}")},
    {"optional_members_empty", 200,
     TEXT_OF("{\"integration_name\":\"\",\"magic_link_url\":\"\",\"link_token\":\"t\"}")},
    {"white_space_around", 200, TEXT_OF(" \r\n{ \"link_token\" : \"t\" }\n")},
    {"name_written_with_escapes", 200, TEXT_OF("{\"link\\u005ftoken\":\"t\"}")},
    {"created", 201, TEXT_OF("{\"link_token\":\"t\"}")},
    {"token_written_with_escapes", 200, TEXT_OF("{\"link_token\":\"\\u0074\"}")},
    {"other_case_beside_it", 200, TEXT_OF("{\"LINK_TOKEN\":1,\"link_token\":\"t\"}")},
};

static void answer_is_good(void **state) {
    const good_row *row = *state;
    reading r = read_answer(row->http_status, "", row->body);
    if (r.status != ML_OK) print_error("%s\n", r.error.text);
    assert_int_equal(r.status, ML_OK);
    assert_string_equal(member_of(r.response, "link_token")->text, "t");
    drop(&r);
}

static void unknown_members_are_kept_exactly(void **state) {
    (void)state;
    static const char body[] = "{\"new\" : 1.50e+07 ,\"link_token\":\"t\",\"\\u0041\":[ 1,{\"b\":"
                               "null} ],\"nul\\u0000name\":{},\"nul\":\"\\u0000\",\"flag\":false}";
    static const struct {
        const char *name, *name_json, *json;
        ml_kind kind;
    } expected[] = {
        {"new", "\"new\"", "1.50e+07", ML_KIND_NUMBER},
        {"link_token", "\"link_token\"", "\"t\"", ML_KIND_STRING},
        {"A", "\"\\u0041\"", "[ 1,{\"b\":null} ]", ML_KIND_ARRAY},
        {NULL, "\"nul\\u0000name\"", "{}", ML_KIND_OBJECT},
        {"nul", "\"nul\"", "\"\\u0000\"", ML_KIND_STRING},
        {"flag", "\"flag\"", "false", ML_KIND_BOOL},
    };
    reading r = read_answer(200, "", ml_text_of(body));
    assert_int_equal(r.status, ML_OK);
    assert_int_equal(ml_response_member_count(r.response), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const ml_member *member = ml_response_member(r.response, i);
        if (expected[i].name == NULL)
            assert_null(member->name);
        else
            assert_string_equal(member->name, expected[i].name);
        expect_text(member->name_json, ml_text_of(expected[i].name_json));
        expect_text(member->json, ml_text_of(expected[i].json));
        assert_int_equal(member->kind, expected[i].kind);
        assert_int_equal(member->field != NULL, i == 1);
    }
    assert_null(member_of(r.response, "nul")->text);
    drop(&r);
}

static void many_members_are_all_kept(void **state) {
    (void)state;
    enum { MANY = 3000 };
    char member[32];
    ml_buffer body = {0};
    ml_buffer_text(&body, "{\"link_token\":\"t\"");
    for (int i = 0; i < MANY; i++) {
        snprintf(member, sizeof member, ",\"m%d\":%d", i, i);
        ml_buffer_text(&body, member);
    }
    ml_buffer_char(&body, '}');
    reading r = read_answer(200, "", ml_buffer_view(&body));
    assert_int_equal(r.status, ML_OK);
    assert_int_equal(ml_response_member_count(r.response), MANY + 1);
    assert_string_equal(ml_response_member(r.response, MANY)->name, "m2999");
    ml_buffer_free(&body);
    drop(&r);
}

/* ---- answers that are not what was promised ---- */

typedef struct bad_row {
    const char *name;
    int http_status;
    ml_text body;
    const char *part;
} bad_row;

static const bad_row bad_rows[] = {
    {"token_missing", 200, TEXT_OF("{}"), "has no member link_token"},
    {"token_in_upper_case", 200, TEXT_OF("{\"LINK_TOKEN\":\"t\"}"), "has no member link_token"},
    {"token_null", 200, TEXT_OF("{\"link_token\":null}"),
     "link_token of the answer must be a string, is null"},
    {"token_empty", 200, TEXT_OF("{\"link_token\":\"\"}"), "link_token of the answer is empty"},
    {"token_number", 200, TEXT_OF("{\"link_token\":12}"), "must be a string, is a number"},
    {"token_bool", 200, TEXT_OF("{\"link_token\":true}"), "must be a string, is a boolean"},
    {"token_array", 200, TEXT_OF("{\"link_token\":[\"t\"]}"), "must be a string, is an array"},
    {"token_object", 200, TEXT_OF("{\"link_token\":{}}"), "must be a string, is an object"},
    {"token_with_nul", 200, TEXT_OF("{\"link_token\":\"a\\u0000b\"}"),
     "link_token of the answer holds NUL"},
    {"token_twice", 200, TEXT_OF("{\"link_token\":\"a\",\"link_token\":\"b\"}"), "given twice"},
    {"integration_name_number", 200, TEXT_OF("{\"link_token\":\"t\",\"integration_name\":1}"),
     "integration_name of the answer must be a string, is a number"},
    {"magic_link_object", 200, TEXT_OF("{\"link_token\":\"t\",\"magic_link_url\":{}}"),
     "magic_link_url of the answer must be a string, is an object"},
    {"array", 200, TEXT_OF("[{\"link_token\":\"t\"}]"), "must be a JSON object, is an array"},
    {"string", 200, TEXT_OF("\"t\""), "must be a JSON object, is a string"},
    {"null", 200, TEXT_OF("null"), "must be a JSON object, is null"},
    {"number", 200, TEXT_OF(" 1 "), "must be a JSON object, is a number"},
    {"true", 200, TEXT_OF("true"), "must be a JSON object, is a boolean"},
    {"nothing", 200, TEXT_OF(""), "status 200 came without a body"},
    {"no_content", 204, TEXT_OF(""), "status 204 came without a body"},
    {"white_space_alone", 200, TEXT_OF(" \n"), "is not JSON: at byte 2"},
    {"html", 200, TEXT_OF("<html>Sq7</html>"),
     "is not JSON but an HTML page: a proxy on the way or a wrong base_url is likely"},
    {"cut", 200, TEXT_OF("{\"link_token\":\"Sq7"), "is not JSON: at byte 18: string without end"},
    {"text_after_the_end", 200, TEXT_OF("{\"link_token\":\"Sq7\"}x"),
     "at byte 20: text after the end"},
    {"raw_control", 200, TEXT_OF("{\"link_token\":\"Sq7\n\"}"), "control character in a string"},
    {"bad_utf8", 200, TEXT_OF("{\"link_token\":\"Sq7\xFF\"}"), "invalid UTF-8"},
    {"nul", 200, TEXT_OF("{\"link_token\":\"Sq7\"}\0"), "text after the end"},
    {"redirect", 302, TEXT_OF(""), "status 302 is a redirect, which Merge never sends"},
    {"first_of_the_3xx", 300, TEXT_OF("{}"), "status 300 is a redirect"},
    {"redirect_with_a_good_body", 301, TEXT_OF("{\"link_token\":\"Sq7\"}"),
     "status 301 is a redirect"},
    {"not_modified", 304, TEXT_OF(""), "status 304 is a redirect"},
    {"last_of_the_3xx", 399, TEXT_OF("{}"), "status 399 is a redirect"},
    {"informational", 199, TEXT_OF("{\"link_token\":\"Sq7\"}"), "status 199"},
};

static void answer_is_bad(void **state) {
    const bad_row *row = *state;
    reading r = read_answer(row->http_status, "", row->body);
    expect_failure(&r.error, ML_ERR_RESPONSE, row->part);
    assert_int_equal(r.error.http_status, row->http_status);
    assert_int_equal(ml_response_status(r.response), row->http_status);
    expect_unquoted(&r.error, "Sq7");
    expect_text(ml_response_body(r.response), row->body);
    drop(&r);
}

static void answer_that_was_cut_is_bad(void **state) {
    (void)state;
    ml_exchange exchange = {.http_status = 200, .body_cut = true};
    ml_buffer_text(&exchange.body_in, "{\"link_token\":\"t\"}");
    reading r = read_exchange(link_token_operation(), &exchange);
    expect_failure(&r.error, ML_ERR_RESPONSE, "is larger than the limit of 18 bytes");
    drop(&r);
}

/* ---- other promises than a link token's ---- */

static const bad_row thing_rows[] = {
    {"thing", 200, TEXT_OF("{\"id\":\"\",\"size\":1.5,\"is_new\":false,\"parts\":[],\"owner\":{}}"),
     NULL},
    {"thing_without_owner", 200, TEXT_OF("{\"id\":\"x\",\"owner\":null}"), NULL},
    {"thing_with_text_as_size", 200, TEXT_OF("{\"id\":\"x\",\"size\":\"1\"}"),
     "size of the answer must be a number"},
    {"thing_with_null_as_size", 200, TEXT_OF("{\"id\":\"x\",\"size\":null}"),
     "must be a number, is null"},
    {"thing_with_number_as_bool", 200, TEXT_OF("{\"id\":\"x\",\"is_new\":0}"),
     "must be a boolean, is a number"},
    {"thing_with_object_as_list", 200, TEXT_OF("{\"id\":\"x\",\"parts\":{}}"),
     "must be an array, is an object"},
    {"thing_with_list_as_object", 200, TEXT_OF("{\"id\":\"x\",\"owner\":[]}"),
     "must be an object, is an array"},
};

static void thing_keeps_its_promises(void **state) {
    const bad_row *row = *state;
    ml_exchange exchange = {.http_status = row->http_status};
    ml_buffer_append(&exchange.body_in, row->body.data, row->body.length);
    reading r = read_exchange(&fetch_thing, &exchange);
    if (row->part == NULL)
        assert_int_equal(r.status, ML_OK);
    else
        expect_failure(&r.error, ML_ERR_RESPONSE, row->part);
    drop(&r);
}

/* ---- errors ---- */

typedef struct error_row {
    const char *name;
    int http_status;
    ml_text body;
    const char *text;   /* of the error, whole */
    const char *detail; /* NULL: none */
    expected_problem problems[4];
    bool is_json;
} error_row;

static const error_row error_rows[] = {
    {"detail",
     401,
     TEXT_OF("{\"detail\":\"Invalid key.\"}"),
     "Merge answered 401: Invalid key.",
     "Invalid key.",
     {{0}},
     true},
    {"detail_empty", 403, TEXT_OF("{\"detail\":\"\"}"), "Merge answered 403", "", {{0}}, true},
    {"detail_that_is_a_list",
     400,
     TEXT_OF("{\"detail\":[\"a\"]}"),
     "Merge answered 400: detail: a",
     NULL,
     {{"detail", "a"}},
     true},
    {"field",
     400,
     TEXT_OF("{\"link_expiry_mins\":[\"Too long.\"]}"),
     "Merge answered 400: link_expiry_mins: Too long.",
     NULL,
     {{"link_expiry_mins", "Too long."}},
     true},
    {"several_messages_and_fields",
     400,
     TEXT_OF("{\"a\":[\"x\",\"y\"],\"b\":[\"z\"]}"),
     "Merge answered 400: a: x; a: y; b: z",
     NULL,
     {{"a", "x"}, {"a", "y"}, {"b", "z"}},
     true},
    {"message_that_is_no_list",
     400,
     TEXT_OF("{\"a\":\"x\"}"),
     "Merge answered 400: a: x",
     NULL,
     {{"a", "x"}},
     true},
    {"detail_beside_fields",
     400,
     TEXT_OF("{\"a\":[\"x\"],\"detail\":\"d\"}"),
     "Merge answered 400: d",
     "d",
     {{"a", "x"}},
     true},
    {"non_field_errors",
     400,
     TEXT_OF("{\"non_field_errors\":[\"x\"]}"),
     "Merge answered 400: non_field_errors: x",
     NULL,
     {{"non_field_errors", "x"}},
     true},
    {"nested_objects",
     400,
     TEXT_OF("{\"a\":{\"b\":{\"c\":[\"x\"]},\"non_field_errors\":[\"y\"]}}"),
     "Merge answered 400: a.b.c: x; a.non_field_errors: y",
     NULL,
     {{"a.b.c", "x"}, {"a.non_field_errors", "y"}},
     true},
    {"list_of_objects",
     400,
     TEXT_OF("{\"common_models\":[{},{\"model_id\":[\"x\"]}]}"),
     "Merge answered 400: common_models[1].model_id: x",
     NULL,
     {{"common_models[1].model_id", "x"}},
     true},
    {"list_of_lists",
     400,
     TEXT_OF("{\"a\":[[],[\"x\"]]}"),
     "Merge answered 400: a[1]: x",
     NULL,
     {{"a[1]", "x"}},
     true},
    {"keys_that_are_indices",
     400,
     TEXT_OF("{\"categories\":{\"0\":[\"x\"],\"12\":{\"a\":[\"y\"]}}}"),
     "Merge answered 400: categories[0]: x; categories[12].a: y",
     NULL,
     {{"categories[0]", "x"}, {"categories[12].a", "y"}},
     true},
    {"list_at_the_top",
     400,
     TEXT_OF("[\"x\",\"y\"]"),
     "Merge answered 400: x; y",
     NULL,
     {{"", "x"}, {"", "y"}},
     true},
    {"string_at_the_top", 500, TEXT_OF("\"x\""), "Merge answered 500: x", NULL, {{"", "x"}}, true},
    {"messages_that_are_no_text",
     400,
     TEXT_OF("{\"a\":[1,null,true,\"x\"],\"b\":2}"),
     "Merge answered 400: a: x",
     NULL,
     {{"a", "x"}},
     true},
    {"detail_deep_inside_is_a_field",
     400,
     TEXT_OF("{\"errors\":[{\"detail\":\"x\"}]}"),
     "Merge answered 400: errors[0].detail: x",
     NULL,
     {{"errors[0].detail", "x"}},
     true},
    {"names_and_messages_are_decoded",
     400,
     TEXT_OF("{\"\\u00e9\":[\"\\ud83d\\ude00\"]}"),
     "Merge answered 400: \xC3\xA9: \xF0\x9F\x98\x80",
     NULL,
     {{"\xC3\xA9", "\xF0\x9F\x98\x80"}},
     true},
    {"format_directives",
     400,
     TEXT_OF("{\"detail\":\"%s%n\"}"),
     "Merge answered 400: %s%n",
     "%s%n",
     {{0}},
     true},
    {"empty_object", 404, TEXT_OF("{}"), "Merge answered 404", NULL, {{0}}, true},
    {"nothing", 502, TEXT_OF(""), "Merge answered 502", NULL, {{0}}, false},
    {"html_page",
     502,
     TEXT_OF("\n<!DOCTYPE html><title>Bad gateway</title>"),
     "Merge answered 502 with an HTML page: a proxy on the way or a wrong base_url is likely",
     NULL,
     {{0}},
     false},
    {"plain_text", 503, TEXT_OF("upstream timed out"), "Merge answered 503", NULL, {{0}}, false},
    {"broken_json", 400, TEXT_OF("{\"detail\":\"x\""), "Merge answered 400", NULL, {{0}}, false},
    {"unknown_status",
     599,
     TEXT_OF("{\"detail\":\"x\"}"),
     "Merge answered 599: x",
     "x",
     {{0}},
     true},
};

static void expect_problem_list(const ml_error *error, const expected_problem *problems) {
    size_t count = 0;
    while (count < 4 && problems[count].field != NULL)
        count++;
    expect_problems(error, problems, count);
}

static void error_is_read(void **state) {
    const error_row *row = *state;
    reading r = read_answer(row->http_status, "", row->body);
    assert_int_equal(r.status, ML_ERR_API);
    assert_int_equal(r.error.status, ML_ERR_API);
    assert_int_equal(r.error.http_status, row->http_status);
    assert_string_equal(r.error.text, row->text);
    expect_problem_list(&r.error, row->problems);
    if (row->detail == NULL)
        assert_null(ml_response_detail(r.response));
    else
        assert_string_equal(ml_response_detail(r.response), row->detail);
    assert_int_equal(ml_response_body_is_json(r.response), row->is_json);
    expect_text(ml_response_body(r.response), row->body);
    drop(&r);
}

static void error_body_that_was_cut_keeps_its_class(void **state) {
    (void)state;
    ml_exchange exchange = {.http_status = 503, .body_cut = true};
    ml_buffer_text(&exchange.body_in, "{\"detail\":\"whole by chance\"}");
    reading r = read_exchange(link_token_operation(), &exchange);
    expect_failure(&r.error, ML_ERR_API, "Merge answered 503");
    assert_false(ml_response_body_is_json(r.response));
    assert_null(ml_response_detail(r.response));
    assert_int_equal(ml_response_body(r.response).length, 28);
    drop(&r);
}

/* Some cJSONs refuse such a number; then the body stays unread, but is kept. */
static void error_with_a_number_of_many_digits_keeps_its_class(void **state) {
    (void)state;
    static const char body[] = "{\"detail\":\"x\",\"n\":1234567890123456789012345678901234567890"
                               "123456789012345678901234567890}";
    reading r = read_answer(400, "", ml_text_of(body));
    expect_failure(&r.error, ML_ERR_API, "Merge answered 400");
    assert_true(ml_response_body_is_json(r.response));
    expect_text(ml_response_body(r.response), ml_text_of(body));
    drop(&r);
}

static void path_of_a_deeply_nested_error_is_cut(void **state) {
    (void)state;
    ml_buffer body = {0};
    for (int i = 0; i < 255; i++)
        ml_buffer_text(&body, "{\"a\":");
    ml_buffer_text(&body, "[\"x\"]");
    for (int i = 0; i < 255; i++)
        ml_buffer_char(&body, '}');
    reading r = read_answer(400, "", ml_buffer_view(&body));
    assert_int_equal(r.error.problem_count, 1);
    const char *path = r.error.problems[0].field;
    assert_string_equal(path + strlen(path) - 7, "a.a....");
    assert_true(strlen(path) < 210);
    ml_buffer_free(&body);
    drop(&r);
}

static bool is_utf8(const char *text) {
    ml_text whole = ml_text_of(text);
    for (size_t at = 0; at < whole.length;)
        if (ml_utf8_next(whole, &at) < 0) return false;
    return true;
}

static void long_detail_is_cut_between_characters(void **state) {
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        ml_buffer body = {0};
        ml_buffer_text(&body, "{\"detail\":\"");
        ml_buffer_append(&body, "aaa", shift);
        for (int i = 0; i < 300; i++)
            ml_buffer_text(&body, "\xF0\x9F\x98\x80");
        ml_buffer_text(&body, "\"}");
        reading r = read_answer(400, "", ml_buffer_view(&body));
        assert_true(is_utf8(r.error.text));
        assert_true(strlen(r.error.text) > ML_ERROR_TEXT_SIZE - 8);
        assert_string_equal(r.error.text + strlen(r.error.text) - 3, "\xE2\x80\xA6");
        assert_int_equal(strlen(ml_response_detail(r.response)), shift + 1200);
        ml_buffer_free(&body);
        drop(&r);
    }
}

static void field_messages_are_listed_as_far_as_there_is_room(void **state) {
    (void)state;
    ml_buffer body = {0};
    ml_buffer_text(&body, "{\"a\":[");
    for (int i = 0; i < 100; i++)
        ml_buffer_text(&body, "\"A message of some length.\",");
    ml_buffer_text(&body, "\"x\"],\"b\":[\"y\"]}");
    reading r = read_answer(400, "", ml_buffer_view(&body));
    expect_failure(&r.error, ML_ERR_API, "Merge answered 400: a: A message of some length.; a: A");
    expect_contains(r.error.text, "length.; and 8");
    expect_contains(r.error.text, " more");
    assert_int_equal(r.error.problem_count, 100);
    assert_true(strlen(r.error.text) < ML_ERROR_TEXT_SIZE - 1);
    ml_buffer_free(&body);
    drop(&r);
}

static void long_field_message_is_cut_and_the_rest_counted(void **state) {
    (void)state;
    ml_buffer body = {0};
    ml_buffer_text(&body, "{\"a\":[\"");
    for (int i = 0; i < 300; i++)
        ml_buffer_text(&body, "\xF0\x9F\x98\x80");
    ml_buffer_text(&body, "\",\"x\"]}");
    reading r = read_answer(400, "", ml_buffer_view(&body));
    assert_true(is_utf8(r.error.text));
    expect_contains(r.error.text, "\xF0\x9F\x98\x80\xE2\x80\xA6; and 1 more");
    ml_buffer_free(&body);
    drop(&r);
}

/* Line ends, escapes of a terminal, and what turns the writing direction. */
static void words_of_the_server_cannot_steer(void **state) {
    (void)state;
    reading r = read_answer(400, "",
                            TEXT("{\"detail\":\"a\\nb\\u001bc\\u007fd\\u0085e\\u2028f\\u202eg"
                                 "\\u2066h\\u00e9\"}"));
    expect_failure(&r.error, ML_ERR_API, "Merge answered 400: a b c d  e   f   g   h\xC3\xA9");
    assert_non_null(strchr(ml_response_detail(r.response), '\n'));
    drop(&r);
}

/* ---- secrets ---- */

typedef struct echo_row {
    const char *name;
    const char *body;
    const char *masked;
} echo_row;

static const echo_row echo_rows[] = {
    {"key_plain", "{\"detail\":\"bad key " TEST_KEY "!\"}",
     "{\"detail\":\"bad key *********************!\"}"},
    {"key_twice", TEST_KEY TEST_KEY,
     "*********************"
     "*********************"},
    {"key_in_a_name", "{\"" TEST_KEY "\":[\"x\"]}", "{\"*********************\":[\"x\"]}"},
    {"key_with_unicode_escapes", "{\"detail\":\"\\u0074est\\u005Fabcdefghijklmno\\u0070\"}",
     "{\"detail\":\"************************************\"}"},
    {"token_with_json_escapes", "{\"detail\":\"account\\/token\\\"1\"}",
     "{\"detail\":\"*****************\"}"},
    {"token_in_html", "<p>account/token\"1</p>", "<p>***************</p>"},
    {"key_after_a_part_of_it", "test_abctest_abcdefghijklmnop", "test_abc*********************"},
    {"part_of_a_key_stays", "test_abcdefghijklmno.", "test_abcdefghijklmno."},
    {"part_of_a_key_at_the_end_of_the_text", "a test_a", "a ******"},
    {"few_letters_of_a_key_at_the_end_of_the_text", "a test_", "a test_"},
};

static void echo_of_a_secret_is_masked(void **state) {
    const echo_row *row = *state;
    reading r = read_answer(400, "", ml_text_of(row->body));
    expect_text(ml_response_body(r.response), ml_text_of(row->masked));
    expect_unquoted(&r.error, TEST_KEY);
    expect_unquoted(&r.error, ACCOUNT_TOKEN);
    if (ml_response_detail(r.response) != NULL) {
        expect_absent(ml_response_detail(r.response), TEST_KEY);
        expect_absent(ml_response_detail(r.response), ACCOUNT_TOKEN);
    }
    drop(&r);
}

static void echo_in_a_refused_answer_is_masked_whatever_the_status(void **state) {
    (void)state;
    static const int statuses[] = {200, 302, 401, 500};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        reading r =
            read_answer(statuses[i], "X-A: " TEST_KEY "\r\nX-B: b\r\n", TEXT("[\"" TEST_KEY "\"]"));
        expect_text(ml_response_headers(r.response),
                    TEXT("X-A: *********************\r\nX-B: b\r\n"));
        expect_text(ml_response_body(r.response), TEXT("[\"*********************\"]"));
        drop(&r);
    }
}

static void good_answer_shows_no_api_key(void **state) {
    (void)state;
    reading r =
        read_answer(200, "X-A: " TEST_KEY "\r\n", TEXT("{\"link_token\":\"" TEST_KEY "\"}"));
    assert_int_equal(r.status, ML_OK);
    expect_text(ml_response_headers(r.response), TEXT("X-A: *********************\r\n"));
    assert_string_equal(member_of(r.response, "link_token")->text, "*********************");
    drop(&r);
}

static void good_answer_keeps_an_account_token(void **state) {
    (void)state;
    reading r = read_answer(200, "", TEXT("{\"link_token\":\"account/token\"}"));
    assert_int_equal(r.status, ML_OK);
    assert_string_equal(member_of(r.response, "link_token")->text, "account/token");
    drop(&r);
}

static void problems_of_an_error_body_are_counted_out(void **state) {
    (void)state;
    ml_buffer body = {0};
    ml_buffer_text(&body, "{\"");
    for (int i = 0; i < 5000; i++)
        ml_buffer_text(&body, "name");
    ml_buffer_text(&body, "\":[\"\"");
    for (int i = 0; i < 5000; i++)
        ml_buffer_text(&body, ",\"\"");
    ml_buffer_text(&body, "]}");
    reading r = read_answer(400, "", ml_buffer_view(&body));
    assert_int_equal(r.status, ML_ERR_API);
    assert_int_equal(r.error.problem_count, 100);
    assert_true(strlen(r.error.problems[99].field) < 210);
    ml_buffer_free(&body);
    drop(&r);
}

static void server_writes_no_lines_into_the_message(void **state) {
    (void)state;
    reading r =
        read_answer(400, "", TEXT("{\"detail\":\"\\u001b[2Jgone\\r\\n2026 fine\\u0085x\"}"));
    assert_string_equal(r.error.text, "Merge answered 400:  [2Jgone  2026 fine  x");
    drop(&r);
}

typedef struct base64_row {
    const char *name;
    ml_text text;
    const char *base64;
} base64_row;

static const base64_row base64_rows[] = {
    {"base64_of_nothing", TEXT_OF(""), ""},
    {"base64_of_1_byte", TEXT_OF("f"), "Zg=="},
    {"base64_of_2_bytes", TEXT_OF("fo"), "Zm8="},
    {"base64_of_3_bytes", TEXT_OF("foo"), "Zm9v"},
    {"base64_of_6_bytes", TEXT_OF("foobar"), "Zm9vYmFy"},
    {"base64_of_all_bits", TEXT_OF("\xFB\xFF\xBF\x00"), "+/+/AA=="},
};

static void secret_in_base64(void **state) {
    const base64_row *row = *state;
    ml_secret secret = {0};
    assert_true(ml_secret_set_base64(&secret, row->text));
    expect_text(ml_secret_view(&secret), ml_text_of(row->base64));
    assert_int_equal(secret.data[secret.length], '\0');
    ml_secret_free(&secret);
}

static void secret_that_is_cut_with_the_body_is_masked(void **state) {
    (void)state;
    ml_exchange exchange = {.http_status = 400, .body_cut = true};
    ml_buffer_text(&exchange.body_in, "<p>test_abcdefghij");
    reading r = read_exchange(link_token_operation(), &exchange);
    expect_text(ml_response_body(r.response), TEXT("<p>***************"));
    drop(&r);
}

static void short_secret_is_left_alone(void **state) {
    (void)state;
    char text[] = "{\"id\":\"idabc\"}";
    ml_mask(text, strlen(text), TEXT("idabc"));
    assert_string_equal(text, "{\"id\":\"idabc\"}");
    ml_mask(text, strlen(text), (ml_text){NULL, 0});
    ml_mask(text, strlen(text), TEXT("id\":\"i"));
    assert_string_equal(text, "{\"******dabc\"}");
}

/* ---- time ---- */

typedef struct date_row {
    const char *name;
    const char *headers;
    double time;
} date_row;

static const date_row date_rows[] = {
    {"date", "Date: Tue, 14 Nov 2023 22:13:25 GMT\r\n", 1700000005.0},
    {"date_in_lower_case", "date:Tue, 14 Nov 2023 22:13:25 GMT\r\n", 1700000005.0},
    {"date_in_the_old_form", "Date: Tuesday, 14-Nov-23 22:13:25 GMT\r\n", 1700000005.0},
    {"date_of_asctime", "Date: Tue Nov 14 22:13:25 2023\r\n", 1700000005.0},
    {"date_missing", "X-Date: Tue, 14 Nov 2023 22:13:25 GMT\r\n", 1700000000.0},
    {"date_empty", "Date: \r\n", 1700000000.0},
    {"date_nonsense", "Date: soon\r\n", 1700000000.0},
    {"date_nonsense_in_form", "Date: Tue, 99 Nov 2023 22:13:25 GMT\r\n", 1700000000.0},
    {"date_before_the_epoch", "Date: Tue, 14 Nov 1950 22:13:25 GMT\r\n", 1700000000.0},
    {"date_in_the_year_9999", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 1700000000.0},
    {"date_of_many_characters",
     "Date: Tue, 14 Nov 2023 22:13:25 GMT                                        x\r\n",
     1700000000.0},
};

static void time_is_the_servers_date(void **state) {
    const date_row *row = *state;
    double time = ml_answer_time(ml_text_of(row->headers), 1700000000.0);
    expect_near(time, row->time);
}

static const date_row retry_rows[] = {
    {"retry_after_seconds", "Retry-After: 7\r\n", 7.0},
    {"retry_after_fractions", "retry-after: 1.25\r\n", 1.25},
    {"retry_after_zero", "Retry-After: 0\r\n", 0.0},
    {"retry_after_a_date", "Retry-After: Tue, 14 Nov 2023 22:14:00 GMT\r\n", 40.0},
    {"retry_after_a_date_by_the_servers_clock",
     "Date: Tue, 14 Nov 2023 20:00:00 GMT\r\nRetry-After: Tue, 14 Nov 2023 20:00:09 GMT\r\n", 9.0},
    {"retry_after_a_date_gone_by", "Retry-After: Tue, 14 Nov 2023 22:13:00 GMT\r\n", 0.0},
    {"retry_after_missing", "", -1.0},
    {"retry_after_empty", "Retry-After:\r\n", -1.0},
    {"retry_after_negative", "Retry-After: -5\r\n", -1.0},
    {"retry_after_with_a_unit", "Retry-After: 5s\r\n", -1.0},
    {"retry_after_with_an_exponent", "Retry-After: 1e3\r\n", -1.0},
    {"retry_after_nonsense", "Retry-After: later\r\n", -1.0},
    {"retry_after_of_a_point", "Retry-After: .\r\n", -1.0},
    {"retry_after_repeated", "Retry-After: 3\r\nRetry-After: 4\r\n", 4.0},
};

static void retry_after_is_told(void **state) {
    const date_row *row = *state;
    reading r = read_answer(429, row->headers, TEXT("{\"detail\":\"slow\"}"));
    expect_near(r.error.retry_after, row->time);
    drop(&r);
}

/* ---- headers ---- */

static void header_is_found_by_its_name(void **state) {
    (void)state;
    static const ml_text block =
        TEXT_OF("X-A-Long: 1\r\nX-A:  two \t\r\nX-Empty:\r\nno colon\r\nx-a: three\r\nX-B: \r\n");
    expect_text(ml_header_find(block, "X-A-LONG"), TEXT("1"));
    expect_text(ml_header_find(block, "X-A"), TEXT("three"));
    expect_text(ml_header_find(block, "X-Empty"), TEXT(""));
    expect_text(ml_header_find(block, "no colon"), TEXT(""));
    expect_text(ml_header_find(block, "X-"), TEXT(""));
    expect_text(ml_header_find(TEXT(""), "X-A"), TEXT(""));
}

/* ---- what answers are, by operation ---- */

typedef struct answer_row {
    const char *name;
    const char *operation;
    const char *headers;
    const char *body;
    const char *part; /* of the error's text; NULL: it is good */
    bool is_json;
} answer_row;

#define TYPE(type) "Content-Type: " type "\r\n"

static const answer_row answer_rows[] = {
    {"object", "account_details", "", "{\"id\":1}", NULL, true},
    {"object_that_is_a_list", "account_details", "", "[]", "must be a JSON object, is an array",
     true},
    {"object_that_is_missing", "account_details", "", "", "status 200 came without a body", false},
    {"list", "force_resync", "", " [{}] ", NULL, true},
    {"list_that_is_an_object", "force_resync", "", "{}", "must be a JSON array, is an object",
     true},
    {"list_that_is_missing", "force_resync", "", "", "came without a body", false},
    {"list_that_is_broken", "force_resync", "", "[1", "is not JSON: at byte 2", false},
    {"page", "issues", "", "{\"next\":\"c\",\"previous\":null,\"results\":[1]}", NULL, true},
    {"page_without_cursors", "issues", "", "{\"results\":[]}", NULL, true},
    {"page_without_results", "issues", "", "{\"next\":null}", "has no member results", true},
    {"page_whose_results_are_null", "issues", "", "{\"results\":null}",
     "member results of the answer must be an array, is null", true},
    {"page_with_a_number_as_cursor", "issues", "", "{\"results\":[],\"next\":2}",
     "member next of the answer must be a string, is a number", true},
    {"page_that_is_a_list", "paginate", "", "[]", "must be a JSON object", true},
    {"nothing", "delete_account", "", "", NULL, false},
    {"nothing_with_a_body", "delete_account", "", "{}", NULL, false},
    {"nothing_with_what_is_no_json", "delete_account", TYPE("text/html"), "done", NULL, false},
    {"nothing_without_a_type", "delete_account", "", "done", NULL, false},
    {"nothing_but_a_page_for_people", "delete_account", TYPE("text/html"), "<p>",
     "the answer (status 200) is an HTML page", false},
    {"nothing_but_what_looks_like_a_page", "ignore", "", "<p>", "an HTML page", false},
    {"any_object", "request", TYPE("application/json"), "{}", NULL, true},
    {"any_number", "request", "", "12", NULL, true},
    {"any_without_a_body", "request", TYPE("application/json"), "", NULL, false},
    {"any_that_claims_to_be_json", "request", TYPE("Application/JSON; charset=utf-8"), "{]",
     "is not JSON: at byte 1", false},
    {"any_that_claims_to_be_a_kind_of_json", "request", TYPE("application/problem+json"), "x",
     "is not JSON: at byte 0", false},
    {"any_that_is_a_page_for_people", "request", TYPE("text/html; charset=utf-8"), "<p>",
     "an HTML page", false},
    {"any_that_looks_like_a_page", "request", "", "<html>", "an HTML page", false},
    {"any_without_a_type", "request", "", "a,b", NULL, false},
    {"any_of_another_type", "request", TYPE("text/csv"), "a,b\n", NULL, false},
    {"any_that_is_xml", "request", TYPE("application/xml"), "<a/>", NULL, false},
};

static void answer_is_what_the_operation_says(void **state) {
    const answer_row *row = *state;
    ml_exchange exchange = {.http_status = 200};
    ml_buffer_text(&exchange.headers, row->headers);
    ml_buffer_text(&exchange.body_in, row->body);
    reading r = read_exchange(ml_operation_find(row->operation), &exchange);
    if (row->part == NULL)
        assert_int_equal(r.status, ML_OK);
    else
        expect_failure(&r.error, ML_ERR_RESPONSE, row->part);
    assert_int_equal(ml_response_body_is_json(r.response), row->is_json);
    expect_text(ml_response_body(r.response), ml_text_of(row->body));
    drop(&r);
}

static void good_answer_of_any_kind_shows_no_api_key(void **state) {
    (void)state;
    static const char *const operations[] = {"request", "delete_account", "force_resync"};
    for (size_t i = 0; i < COUNT(operations); i++) {
        ml_exchange exchange = {.http_status = 200};
        ml_buffer_text(&exchange.body_in, "[\"" TEST_KEY "\"]");
        reading r = read_exchange(ml_operation_find(operations[i]), &exchange);
        assert_int_equal(r.status, ML_OK);
        expect_absent(ml_response_body(r.response).data, TEST_KEY);
        drop(&r);
    }
}

static void response_of_null_may_be_freed(void **state) {
    (void)state;
    ml_response_free(NULL);
}

int main(void) {
    SUITE_TEST(answer_of_merge_is_read);
    SUITE_ROWS(answer_is_good, good_rows);
    SUITE_TEST(unknown_members_are_kept_exactly);
    SUITE_TEST(many_members_are_all_kept);
    SUITE_ROWS(answer_is_bad, bad_rows);
    SUITE_TEST(answer_that_was_cut_is_bad);
    SUITE_ROWS(thing_keeps_its_promises, thing_rows);
    SUITE_ROWS(error_is_read, error_rows);
    SUITE_TEST(error_body_that_was_cut_keeps_its_class);
    SUITE_TEST(error_with_a_number_of_many_digits_keeps_its_class);
    SUITE_TEST(path_of_a_deeply_nested_error_is_cut);
    SUITE_TEST(long_detail_is_cut_between_characters);
    SUITE_TEST(field_messages_are_listed_as_far_as_there_is_room);
    SUITE_TEST(long_field_message_is_cut_and_the_rest_counted);
    SUITE_TEST(words_of_the_server_cannot_steer);
    SUITE_ROWS(echo_of_a_secret_is_masked, echo_rows);
    SUITE_TEST(echo_in_a_refused_answer_is_masked_whatever_the_status);
    SUITE_TEST(good_answer_shows_no_api_key);
    SUITE_TEST(good_answer_keeps_an_account_token);
    SUITE_TEST(problems_of_an_error_body_are_counted_out);
    SUITE_TEST(server_writes_no_lines_into_the_message);
    SUITE_ROWS(secret_in_base64, base64_rows);
    SUITE_TEST(secret_that_is_cut_with_the_body_is_masked);
    SUITE_TEST(short_secret_is_left_alone);
    SUITE_ROWS(time_is_the_servers_date, date_rows);
    SUITE_ROWS(retry_after_is_told, retry_rows);
    SUITE_TEST(header_is_found_by_its_name);
    SUITE_ROWS(answer_is_what_the_operation_says, answer_rows);
    SUITE_TEST(good_answer_of_any_kind_shows_no_api_key);
    SUITE_TEST(response_of_null_may_be_freed);
    return suite_run("response");
}
