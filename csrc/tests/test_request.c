/*
 * What goes over the wire: body, URL and header lines of a checked request.
 */
#include "message.h"
#include "support/build.h"
#include "support/expect.h"

/* A request, checked and made into a message; the request is freed with it. */
typedef struct built {
    ml_request *request;
    ml_config config;
    ml_message message;
    ml_error error;
    ml_status status;
} built;

static built build(ml_request *request, const ml_client_options *options) {
    built b = {.request = request};
    ml_error_init(&b.error);
    assert_int_equal(ml_config_set(&b.config, options, &b.error), ML_OK);
    b.status = ml_request_check(request, &b.error);
    if (b.status == ML_OK)
        b.status = ml_message_build(&b.message, request, &b.config, options->api_key, &b.error);
    return b;
}

static built build_default(ml_request *request) {
    ml_client_options options = test_options();
    return build(request, &options);
}

static void drop(built *b) {
    ml_message_free(&b->message);
    ml_config_free(&b->config);
    ml_error_clear(&b->error);
    ml_request_free(b->request);
}

static void expect_body(ml_request *request, const char *body) {
    built b = build_default(request);
    if (b.status != ML_OK) print_error("%s\n", b.error.text);
    assert_int_equal(b.status, ML_OK);
    expect_text(ml_buffer_view(&b.message.body), ml_text_of(body));
    drop(&b);
}

/* ---- bodies ---- */

#define REQUIRED                                                                                   \
    "\"end_user_email_address\":\"hr@acme.example\",\"end_user_organization_name\":\"Acme\","      \
    "\"end_user_origin_id\":\"acme-42\",\"categories\":[\"ats\"]"

static void body_holds_only_what_was_given_and_the_expiry(void **state) {
    (void)state;
    expect_body(small_request(), "{" REQUIRED ",\"link_expiry_mins\":30}");
}

static void body_holds_every_field_in_the_order_of_the_rows(void **state) {
    (void)state;
    expect_body(full_request(), full_body);
}

static void null_means_not_given(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_value *fields = ml_request_fields(request);
    for (const ml_field *row = link_token_operation()->fields; row->name != NULL; row++)
        if ((row->flags & ML_FIELD_REQUIRED) == 0) ml_add_null(fields, row->name);
    expect_body(request, "{" REQUIRED ",\"link_expiry_mins\":30}");
}

static void field_given_twice_is_sent_once_with_the_last_value(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_integer(ml_request_fields(request), "link_expiry_mins", 31);
    ml_add_integer(ml_request_fields(request), "link_expiry_mins", 32);
    expect_body(request, "{" REQUIRED ",\"link_expiry_mins\":32}");
}

static void category_of_the_path_is_not_in_the_body(void **state) {
    (void)state;
    ml_request *request = small_request();
    add_text(request, "category", "hris");
    expect_body(request, "{" REQUIRED ",\"link_expiry_mins\":30}");
}

typedef struct text_row {
    const char *name;
    ml_text value;
    const char *json;
} text_row;

static const text_row text_rows[] = {
    {"quotes_and_backslashes_are_escaped", {"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
    {"slashes_are_not_escaped", {"</a>", 4}, "\"</a>\""},
    {"non_ascii_goes_out_as_utf8",
     {"Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80", 13},
     "\"Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80\""},
    {"line_separators_go_out_as_they_are",
     {"a\xE2\x80\xA8"
      "b",
      5},
     "\"a\xE2\x80\xA8"
     "b\""},
    {"text_that_looks_like_json_stays_text", {"{\"a\":1}", 7}, "\"{\\\"a\\\":1}\""},
    {"format_directives_are_plain_text", {"%s%n%d", 6}, "\"%s%n%d\""},
};

static void text_is_sent_exactly(void **state) {
    const text_row *row = *state;
    char body[512];
    ml_request *request = empty_request();
    ml_add_string(ml_request_fields(request), "end_user_organization_name", row->value);
    add_text(request, "end_user_email_address", "e");
    add_text(request, "end_user_origin_id", "1");
    add_categories(request, (const char *const[]){"ats", "hris", NULL});
    snprintf(body, sizeof body,
             "{\"end_user_email_address\":\"e\",\"end_user_organization_name\":%s,"
             "\"end_user_origin_id\":\"1\",\"categories\":[\"ats\",\"hris\"],"
             "\"link_expiry_mins\":30}",
             row->json);
    expect_body(request, body);
}

typedef struct json_row {
    const char *name;
    const char *json;
} json_row;

static const json_row json_rows[] = {
    {"free_form_empty_object", "{}"},
    {"free_form_keeps_its_white_space", "{\"a\": 1, \"b\": [ ]}"},
    {"free_form_keeps_long_numbers", "{\"n\":123456789012345678901234567890,\"f\":0.1000e+01}"},
    {"free_form_keeps_escapes", "{\"\\u00e9\\/\":\"\\ud83d\\ude00\"}"},
    {"free_form_keeps_utf8", "{\"\xC3\xA9\":\"\xE2\x82\xAC\"}"},
};

static void free_form_value_is_sent_verbatim(void **state) {
    const json_row *row = *state;
    char body[512];
    ml_request *request = small_request();
    ml_add_json(ml_request_fields(request), "integration_specific_config", ml_text_of(row->json));
    snprintf(body, sizeof body,
             "{" REQUIRED ",\"link_expiry_mins\":30,\"integration_specific_config\":%s}",
             row->json);
    expect_body(request, body);
}

static void arguments_are_copied(void **state) {
    (void)state;
    char name[] = "integration", value[] = "greenhouse";
    ml_request *request = small_request();
    ml_add_string(ml_request_fields(request), name, ml_text_of(value));
    memset(name, 'x', sizeof name - 1);
    memset(value, 'x', sizeof value - 1);
    expect_body(request, "{" REQUIRED ",\"integration\":\"greenhouse\",\"link_expiry_mins\":30}");
}

static void what_json_must_escape_is_escaped_and_nothing_else(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_string(ml_request_extra(request), "text", TEXT("\b\f\n\r\t\x01\x1F\"\\/ \x7F\xC3\xA9"));
    expect_body(request, "{" REQUIRED ",\"link_expiry_mins\":30,"
                         "\"text\":\"\\b\\f\\n\\r\\t\\u0001\\u001f\\\"\\\\/ \x7F\xC3\xA9\"}");
}

static void extra_members_follow_in_the_order_given(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_value *extra = ml_request_extra(request);
    ml_add_json(extra, "zeta", ml_text_of("[1,2]"));
    ml_add_string(extra, "alpha \xC3\xA9\"", ml_text_of("\xC3\xBC\""));
    ml_add_null(extra, "nothing");
    ml_add_bool(extra, "yes", true);
    ml_add_integer(extra, "least", INT64_MIN);
    ml_add_integer(extra, "most", INT64_MAX);
    ml_add_integer(ml_add_object(ml_add_array(extra, "list"), NULL), "deep", 1);
    expect_body(request,
                "{" REQUIRED ",\"link_expiry_mins\":30,\"zeta\":[1,2],\"alpha \xC3\xA9\\\"\":"
                "\"\xC3\xBC\\\"\",\"nothing\":null,\"yes\":true,\"least\":-9223372036854775808,"
                "\"most\":9223372036854775807,\"list\":[{\"deep\":1}]}");
}

static void unknown_nested_members_follow_the_known_ones(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_value *models = ml_add_array(ml_request_fields(request), "common_models");
    ml_value *model = ml_add_object(models, NULL);
    ml_add_string(model, "brand_new", ml_text_of("x"));
    ml_add_array(model, "disabled_fields");
    ml_add_array(model, "enabled_actions");
    ml_add_string(model, "model_id", ml_text_of("m"));
    expect_body(request,
                "{" REQUIRED ",\"link_expiry_mins\":30,\"common_models\":[{\"model_id\":"
                "\"m\",\"enabled_actions\":[],\"disabled_fields\":[],\"brand_new\":\"x\"}]}");
}

static void map_keeps_the_order_of_its_keys(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_value *scopes = ml_add_object(ml_request_fields(request), "category_common_model_scopes");
    ml_add_array(scopes, "hris");
    ml_add_array(scopes, "ats");
    expect_body(request, "{" REQUIRED ",\"link_expiry_mins\":30,"
                         "\"category_common_model_scopes\":{\"hris\":[],\"ats\":[]}}");
}

static void long_body_of_many_escapes_is_whole(void **state) {
    (void)state;
    enum { QUOTES = 20000 };
    char *text = calloc(1, QUOTES + 1), *body = calloc(1, QUOTES * 2 + 500);
    memset(text, '"', QUOTES);
    ml_request *request = small_request();
    ml_add_string(ml_request_extra(request), "long", (ml_text){text, QUOTES});
    char *end = body + sprintf(body, "{" REQUIRED ",\"link_expiry_mins\":30,\"long\":\"");
    for (int i = 0; i < QUOTES; i++, end += 2)
        memcpy(end, "\\\"", 2);
    memcpy(end, "\"}", 2);
    expect_body(request, body);
    free(body);
    free(text);
}

static void integer_is_the_callers_or_the_fallback(void **state) {
    (void)state;
    ml_request *request = small_request();
    assert_int_equal(ml_request_integer(request, "link_expiry_mins"), 30);
    assert_int_equal(ml_request_integer(request, "language"), 0);
    assert_int_equal(ml_request_integer(request, "no_such_field"), 0);
    ml_add_integer(ml_request_fields(request), "link_expiry_mins", 77);
    assert_int_equal(ml_request_integer(request, "link_expiry_mins"), 77);
    ml_request_free(request);
}

static void parent_of_null_is_ignored(void **state) {
    (void)state;
    ml_add_null(NULL, "a");
    ml_add_string(NULL, "a", TEXT("b"));
    assert_null(ml_add_array(NULL, "a"));
    assert_null(ml_add_object(NULL, "a"));
    ml_request_free(NULL);
}

/* ---- URLs ---- */

typedef struct url_row {
    const char *name;
    const char *region, *base_url;
    const char *category;        /* of the call */
    const char *client_category; /* of the client */
    const char *first;           /* of categories */
    const char *url;
} url_row;

static const url_row url_rows[] = {
    {"us_is_the_default_region", NULL, NULL, NULL, NULL, "ats",
     "https://api.merge.dev/api/ats/v1/link-token"},
    {"us", "us", NULL, NULL, NULL, "hris", "https://api.merge.dev/api/hris/v1/link-token"},
    {"eu", "eu", NULL, NULL, NULL, "crm", "https://api-eu.merge.dev/api/crm/v1/link-token"},
    {"apac", "apac", NULL, NULL, NULL, "mktg", "https://api-ap.merge.dev/api/mktg/v1/link-token"},
    {"base_url_wins_over_region", "eu", "https://api-sandbox.merge.dev/api", NULL, NULL, "ats",
     "https://api-sandbox.merge.dev/api/ats/v1/link-token"},
    {"slashes_at_the_end_of_the_base_url_are_dropped", NULL, "http://127.0.0.1:8000/api///", NULL,
     NULL, "ats", "http://127.0.0.1:8000/api/ats/v1/link-token"},
    {"base_url_without_a_path", NULL, "http://localhost:8000", NULL, NULL, "ats",
     "http://localhost:8000/ats/v1/link-token"},
    {"callers_category_wins", NULL, NULL, "chat", "crm", "ats",
     "https://api.merge.dev/api/chat/v1/link-token"},
    {"first_of_categories_wins_over_the_clients", NULL, NULL, NULL, "crm", "ats",
     "https://api.merge.dev/api/ats/v1/link-token"},
    {"new_category_is_sent", NULL, NULL, "brand_new-2030", NULL, "ats",
     "https://api.merge.dev/api/brand_new-2030/v1/link-token"},
};

static void url_is_made_of_base_category_and_path(void **state) {
    const url_row *row = *state;
    ml_client_options options = test_options();
    options.region = ml_text_of(row->region);
    options.base_url = ml_text_of(row->base_url);
    options.category = ml_text_of(row->client_category);
    ml_request *request = empty_request();
    add_text(request, "end_user_email_address", "e");
    add_text(request, "end_user_organization_name", "o");
    add_text(request, "end_user_origin_id", "1");
    add_categories(request, (const char *const[]){row->first, "filestorage", NULL});
    if (row->category != NULL) add_text(request, "category", row->category);
    built b = build(request, &options);
    assert_int_equal(b.status, ML_OK);
    assert_string_equal(b.message.method, "POST");
    expect_text(ml_buffer_view(&b.message.url), ml_text_of(row->url));
    drop(&b);
}

typedef struct segment_row {
    const char *name;
    ml_text value;
    const char *encoded; /* NULL: refused */
} segment_row;

static const segment_row segment_rows[] = {
    {"unreserved_characters_stay", {"AZaz09-._~", 10}, "AZaz09-._~"},
    {"slashes_cannot_lead_elsewhere", {"../link-token", 13}, "..%2Flink-token"},
    {"query_and_fragment_are_encoded", {"a?b#c&d=e", 9}, "a%3Fb%23c%26d%3De"},
    {"percent_is_encoded_again", {"%2F", 3}, "%252F"},
    {"space_plus_and_quotes_are_encoded", {"a b+\"", 5}, "a%20b%2B%22"},
    {"utf8_is_encoded_byte_by_byte", {"\xC3\xA9\xF0\x9F\x98\x80", 6}, "%C3%A9%F0%9F%98%80"},
    {"three_dots_are_a_name", {"...", 3}, "..."},
    {"dot_is_refused", {".", 1}, NULL},
    {"two_dots_are_refused", {"..", 2}, NULL},
    {"empty_segment_is_refused", {"", 0}, NULL},
};

static void path_value_is_one_segment(void **state) {
    const segment_row *row = *state;
    char url[256];
    ml_client_options options = test_options();
    options.account_token = TEXT("token-of-account");
    built b = build(thing_request("ats", row->value), &options);
    if (row->encoded == NULL) {
        assert_int_equal(b.status, ML_ERR_VALIDATION);
        expect_problems(&b.error, &(expected_problem){"thing", "must be given"}, 1);
    } else {
        snprintf(url, sizeof url, "http://127.0.0.1:9/api/ats/v1/things/%s", row->encoded);
        assert_int_equal(b.status, ML_OK);
        expect_text(ml_buffer_view(&b.message.url), ml_text_of(url));
    }
    drop(&b);
}

static void client_category_serves_when_the_call_names_none(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.category = TEXT("crm");
    built b = build(thing_request(NULL, TEXT("7")), &options);
    expect_text(ml_buffer_view(&b.message.url), TEXT("http://127.0.0.1:9/api/crm/v1/things/7"));
    drop(&b);
}

static void no_category_at_all_means_ats(void **state) {
    (void)state;
    built b = build_default(thing_request(NULL, TEXT("7")));
    assert_int_equal(b.status, ML_OK);
    assert_non_null(strstr(ml_buffer_view(&b.message.url).data, "/ats/"));
    drop(&b);
}

/* ---- header lines ---- */

static void expect_lines(built *b, const char *const *lines) {
    size_t count = 0;
    for (; lines[count] != NULL; count++) {
        assert_true(count < b->message.line_count);
        assert_string_equal(b->message.lines[count], lines[count]);
    }
    assert_int_equal(b->message.line_count, count);
    drop(b);
}

static void header_lines_of_a_plain_request(void **state) {
    (void)state;
    built b = build_default(small_request());
    expect_lines(&b, (const char *const[]){"User-Agent: tests/1.0", "Accept: application/json",
                                           ("Authorization: Bearer " TEST_KEY),
                                           "Content-Type: application/json", NULL});
}

static void further_headers_follow_in_the_order_given(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_request_add_header(request, TEXT("X-Request-Id"), TEXT("r-1"));
    ml_request_add_header(request, TEXT("traceparent"), TEXT("00-a\tb ~"));
    built b = build_default(request);
    expect_lines(&b, (const char *const[]){"User-Agent: tests/1.0", "Accept: application/json",
                                           ("Authorization: Bearer " TEST_KEY),
                                           "Content-Type: application/json", "X-Request-Id: r-1",
                                           "traceparent: 00-a\tb ~", NULL});
}

static void caller_may_replace_user_agent_and_accept_in_any_case(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_request_add_header(request, TEXT("ACCEPT"), TEXT("text/plain"));
    ml_request_add_header(request, TEXT("user-agent"), TEXT("mine"));
    built b = build_default(request);
    expect_lines(&b, (const char *const[]){("Authorization: Bearer " TEST_KEY),
                                           "Content-Type: application/json", "ACCEPT: text/plain",
                                           "user-agent: mine", NULL});
}

static void many_further_headers_all_arrive(void **state) {
    (void)state;
    enum { MANY = 300 };
    char name[32], line[64];
    ml_request *request = small_request();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        ml_request_add_header(request, ml_text_of(name), TEXT("v"));
    }
    built b = build_default(request);
    assert_int_equal(b.message.line_count, 4 + MANY);
    snprintf(line, sizeof line, "X-%d: v", MANY - 1);
    assert_string_equal(b.message.lines[4 + MANY - 1], line);
    drop(&b);
}

static void get_has_no_body_but_its_account_token(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.account_token = TEXT("token-of-account");
    built b = build(thing_request("ats", TEXT("7")), &options);
    assert_string_equal(b.message.method, "GET");
    assert_false(b.message.has_body);
    assert_int_equal(b.message.body.length, 0);
    expect_lines(&b, (const char *const[]){"User-Agent: tests/1.0", "Accept: application/json",
                                           ("Authorization: Bearer " TEST_KEY),
                                           "X-Account-Token: token-of-account", NULL});
}

int main(void) {
    SUITE_TEST(body_holds_only_what_was_given_and_the_expiry);
    SUITE_TEST(body_holds_every_field_in_the_order_of_the_rows);
    SUITE_TEST(null_means_not_given);
    SUITE_TEST(field_given_twice_is_sent_once_with_the_last_value);
    SUITE_TEST(category_of_the_path_is_not_in_the_body);
    SUITE_ROWS(text_is_sent_exactly, text_rows);
    SUITE_ROWS(free_form_value_is_sent_verbatim, json_rows);
    SUITE_TEST(arguments_are_copied);
    SUITE_TEST(what_json_must_escape_is_escaped_and_nothing_else);
    SUITE_TEST(extra_members_follow_in_the_order_given);
    SUITE_TEST(unknown_nested_members_follow_the_known_ones);
    SUITE_TEST(map_keeps_the_order_of_its_keys);
    SUITE_TEST(long_body_of_many_escapes_is_whole);
    SUITE_TEST(integer_is_the_callers_or_the_fallback);
    SUITE_TEST(parent_of_null_is_ignored);
    SUITE_ROWS(url_is_made_of_base_category_and_path, url_rows);
    SUITE_ROWS(path_value_is_one_segment, segment_rows);
    SUITE_TEST(client_category_serves_when_the_call_names_none);
    SUITE_TEST(no_category_at_all_means_ats);
    SUITE_TEST(header_lines_of_a_plain_request);
    SUITE_TEST(further_headers_follow_in_the_order_given);
    SUITE_TEST(caller_may_replace_user_agent_and_accept_in_any_case);
    SUITE_TEST(many_further_headers_all_arrive);
    SUITE_TEST(get_has_no_body_but_its_account_token);
    return suite_run("request");
}
