/*
 * The transport over the real libcurl, against a scripted server on loopback.
 */
#include "support/build.h"
#include "support/crowd.h"
#include "support/expect.h"
#include "support/server.h"

#include <pthread.h>
#include <time.h>

/* A client of the server, with its last call. */
typedef struct stage {
    ml_client *client;
    ml_request *request;
    ml_call_options options;
    ml_response *response;
    ml_error error;
    ml_status status;
} stage;

static void open_client(stage *s, const ml_client_options *options) {
    *s = (stage){.request = small_request()};
    ml_error_init(&s->error);
    ml_call_options_init(&s->options);
    s->options.max_retries = 0;
    assert_int_equal(ml_client_new(options, &s->client, &s->error), ML_OK);
}

static ml_client_options options_for(const char *base_url) {
    ml_client_options options = test_options();
    options.base_url = ml_text_of(base_url);
    options.timeout = 10.0;
    return options;
}

static void open_stage(stage *s, const server_turn *turns, size_t count) {
    server_start(turns, count);
    ml_client_options options = options_for(server_base_url());
    open_client(s, &options);
}

static void call(stage *s) {
    ml_response_free(s->response);
    s->response = NULL;
    s->status = ml_client_call(s->client, s->request, &s->options, &s->response, &s->error);
}

static void close_client(stage *s) {
    ml_response_free(s->response);
    ml_request_free(s->request);
    ml_error_clear(&s->error);
    ml_client_free(s->client);
}

static void expect_ok(const stage *s) {
    if (s->status != ML_OK) fail_msg("status %d: %s", (int)s->status, s->error.text);
}

#define HEAD(status, length)                                                                       \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nContent-Length: " length "\r\n"
#define GOOD HEAD("200 OK", "18") "\r\n{\"link_token\":\"t\"}"

static const server_turn good = {.answer = GOOD};

/* ---- what is sent ---- */

/* The value of Accept-Encoding depends on how libcurl was built. */
static void read_encodings(const char *request, char *value, size_t size) {
    const char *start = strstr(request, "\r\nAccept-Encoding: ");
    assert_non_null(start);
    start += strlen("\r\nAccept-Encoding: ");
    snprintf(value, size, "%.*s", (int)strcspn(start, "\r"), start);
}

static void request_is_sent_byte_for_byte(void **state) {
    (void)state;
    static const char body[] =
        "{\"end_user_email_address\":\"hr@acme.example\",\"end_user_organization_name\":\"Acme\","
        "\"end_user_origin_id\":\"acme-42\",\"categories\":[\"ats\"],\"link_expiry_mins\":30}";
    char encodings[128], expected[2048], host[64];
    stage s;
    open_stage(&s, &good, 1);
    ml_request_add_header(s.request, TEXT("X-Request-Id"), TEXT("r-1"));
    snprintf(host, sizeof host, "%.*s", (int)strcspn(server_base_url() + 7, "/"),
             server_base_url() + 7);
    call(&s);
    server_stop();
    expect_ok(&s);
    read_encodings(server_request(0), encodings, sizeof encodings);
    expect_contains(encodings, "gzip");
    snprintf(expected, sizeof expected,
             "POST /api/ats/v1/link-token HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: %s\r\n"
             "User-Agent: tests/1.0\r\nAccept: application/json\r\n"
             "Authorization: Bearer " TEST_KEY "\r\nContent-Type: application/json\r\n"
             "X-Request-Id: r-1\r\nContent-Length: %zu\r\n\r\n%s",
             host, encodings, strlen(body), body);
    assert_string_equal(server_request(0), expected);
    close_client(&s);
}

static void get_is_sent_without_a_body(void **state) {
    (void)state;
    static const server_turn turn = {.answer = HEAD("200 OK", "10") "\r\n{\"id\":\"1\"}"};
    stage s;
    server_start(&turn, 1);
    ml_client_options options = options_for(server_base_url());
    options.account_token = TEXT("token-of-account");
    open_client(&s, &options);
    ml_request_free(s.request);
    s.request = thing_request("ats", TEXT("a/b c"));
    call(&s);
    server_stop();
    expect_ok(&s);
    const char *sent = server_request(0);
    assert_int_equal(strncmp(sent, "GET /api/ats/v1/things/a%2Fb%20c HTTP/1.1\r\n", 43), 0);
    expect_contains(sent, "\r\nX-Account-Token: token-of-account\r\n");
    expect_absent(sent, "Content-");
    assert_string_equal(sent + strlen(sent) - 4, "\r\n\r\n");
    close_client(&s);
}

typedef struct bodiless_row {
    const char *name;
    const char *operation, *field, *value;
    const char *first_line;
    bool has_length;
} bodiless_row;

static const bodiless_row bodiless_rows[] = {
    {"post_without_a_body", "regenerate_account_token", NULL, NULL,
     "POST /api/ats/v1/account-token/regenerate HTTP/1.1\r\n", true},
    {"patch_without_a_body", "request", "method", "PATCH", "PATCH /api/x HTTP/1.1\r\n", true},
    {"put_without_a_body", "request", "method", "PUT", "PUT /api/x HTTP/1.1\r\n", true},
    {"get_by_its_name", "request", "method", "GET", "GET /api/x HTTP/1.1\r\n", false},
    {"delete_without_a_body", "delete_field_mapping", "id", "m",
     "DELETE /api/ats/v1/field-mappings/m HTTP/1.1\r\n", false},
};

static void message_without_a_body_says_so(void **state) {
    static const server_turn turn = {.answer = HEAD("200 OK", "2") "\r\n{}"};
    const bodiless_row *row = *state;
    stage s;
    server_start(&turn, 1);
    ml_client_options options = options_for(server_base_url());
    options.account_token = TEXT("token-of-account");
    open_client(&s, &options);
    ml_request_free(s.request);
    s.request = ml_request_new(ml_operation_find(row->operation));
    if (row->field != NULL) add_text(s.request, row->field, row->value);
    if (strcmp(row->operation, "request") == 0) add_text(s.request, "path", "/x");
    call(&s);
    server_stop();
    expect_ok(&s);
    const char *sent = server_request(0);
    assert_int_equal(strncmp(sent, row->first_line, strlen(row->first_line)), 0);
    assert_int_equal(strstr(sent, "\r\nContent-Length: 0\r\n") != NULL, row->has_length);
    expect_absent(sent, "Content-Type");
    expect_absent(sent, "Expect");
    assert_string_equal(sent + strlen(sent) - 4, "\r\n\r\n");
    close_client(&s);
}

static const char *const methods_with_bodies[] = {"PUT", "PATCH", "DELETE"};

/* One connection for all: what one request set, the next one must not find. */
static void methods_follow_each_other_on_one_connection(void **state) {
    (void)state;
    static const server_turn turn = {.answer = HEAD("200 OK", "2") "\r\n{}"};
    char first_line[64];
    stage s;
    server_start_forever(&turn);
    ml_client_options options = options_for(server_base_url());
    open_client(&s, &options);
    ml_request_free(s.request);
    s.request = NULL;
    for (size_t i = 0; i < 2 * COUNT(methods_with_bodies); i++) {
        s.request = ml_request_new(ml_operation_find("request"));
        bool has_body = i % 2 == 0;
        add_text(s.request, "method", has_body ? methods_with_bodies[i / 2] : "GET");
        add_text(s.request, "path", "/x");
        if (has_body) ml_add_json(ml_request_fields(s.request), "json", TEXT("[1]"));
        call(&s);
        expect_ok(&s);
        ml_request_free(s.request);
        s.request = NULL;
    }
    server_stop();
    assert_int_equal(server_connections(), 1);
    for (size_t i = 0; i < 2 * COUNT(methods_with_bodies); i++) {
        bool has_body = i % 2 == 0;
        const char *method = has_body ? methods_with_bodies[i / 2] : "GET";
        const char *sent = server_request(i);
        snprintf(first_line, sizeof first_line, "%s /api/x HTTP/1.1\r\n", method);
        assert_int_equal(strncmp(sent, first_line, strlen(first_line)), 0);
        assert_string_equal(strstr(sent, "\r\n\r\n"), has_body ? "\r\n\r\n[1]" : "\r\n\r\n");
        assert_int_equal(strstr(sent, "Content-Type: application/json") != NULL, has_body);
    }
    close_client(&s);
}

static void large_body_is_sent_whole_and_without_expect(void **state) {
    (void)state;
    enum { LARGE = 2 * 1024 * 1024 };
    char *text = malloc(LARGE);
    stage s;
    memset(text, 'x', LARGE);
    open_stage(&s, &good, 1);
    ml_add_string(ml_request_extra(s.request), "large", (ml_text){text, LARGE});
    call(&s);
    server_stop();
    expect_ok(&s);
    assert_true(server_body_length(0) > LARGE);
    expect_absent(server_request(0), "Expect");
    free(text);
    close_client(&s);
}

static void default_user_agent_is_sent(void **state) {
    (void)state;
    char expected[160];
    stage s;
    server_start(&good, 1);
    ml_client_options options = options_for(server_base_url());
    options.user_agent = (ml_text){0};
    open_client(&s, &options);
    call(&s);
    server_stop();
    snprintf(expected, sizeof expected, "\r\nUser-Agent: merge-link/%s libcurl/%s\r\n",
             ml_version(), ml_libcurl_version());
    expect_contains(server_request(0), expected);
    close_client(&s);
}

/* ---- connections ---- */

static void connection_is_used_again(void **state) {
    (void)state;
    static const server_turn turns[] = {{.answer = GOOD}, {.answer = GOOD}, {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    for (size_t i = 0; i < COUNT(turns); i++) {
        call(&s);
        expect_ok(&s);
        assert_int_equal(ml_response_attempts(s.response), 1);
    }
    server_stop();
    assert_int_equal(server_connections(), 1);
    assert_int_equal(server_requests(), 3);
    assert_string_equal(server_request(2), server_request(0));
    close_client(&s);
}

static void connection_is_used_again_after_an_error_answer(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.answer = HEAD("401 Unauthorized", "14") "\r\n{\"detail\":\"x\"}"},
        {.answer = HEAD("204 No Content", "0") "\r\n"},
        {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    call(&s);
    expect_failure(&s.error, ML_ERR_API, "Merge answered 401: x");
    call(&s);
    expect_failure(&s.error, ML_ERR_RESPONSE, "status 204 came without a body");
    call(&s);
    expect_ok(&s);
    server_stop();
    assert_int_equal(server_connections(), 1);
    close_client(&s);
}

static void connection_that_the_server_closed_is_replaced(void **state) {
    (void)state;
    static const server_turn turns[] = {{.answer = GOOD, .then = SERVER_CLOSES}, {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    call(&s);
    expect_ok(&s);
    call(&s);
    expect_ok(&s);
    server_stop();
    assert_int_equal(server_connections(), 2);
    close_client(&s);
}

/* The second request dies with the kept connection; libcurl sends it again on a new one. */
static void request_that_died_with_its_connection_is_sent_and_counted_again(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.answer = GOOD}, {.then = SERVER_CLOSES}, {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    call(&s);
    expect_ok(&s);
    call(&s);
    expect_ok(&s);
    server_stop();
    assert_int_equal(ml_response_attempts(s.response), 2);
    assert_int_equal(server_requests(), 3);
    close_client(&s);
}

/* What must not happen twice is not sent again: the first one may have arrived. */
static void careful_request_that_died_with_its_connection_is_not_sent_again(void **state) {
    (void)state;
    static const server_turn turns[] = {{.answer = HEAD("200 OK", "10") "\r\n{\"id\":\"1\"}"},
                                        {.then = SERVER_CLOSES},
                                        {.answer = HEAD("200 OK", "10") "\r\n{\"id\":\"1\"}"}};
    stage s;
    server_start(turns, COUNT(turns));
    ml_client_options options = options_for(server_base_url());
    options.account_token = TEXT("token-of-account");
    open_client(&s, &options);
    ml_request_free(s.request);
    s.request = thing_request("ats", TEXT("1"));
    s.options.max_retries = 3;
    call(&s);
    expect_ok(&s);
    call(&s);
    server_stop();
    expect_failure(&s.error, ML_ERR_TRANSPORT, "it is not sent again");
    assert_true(s.error.may_have_arrived);
    assert_int_equal(s.error.attempts, 1);
    assert_int_equal(server_requests(), 2);
    close_client(&s);
}

static void failed_attempt_is_repeated(void **state) {
    (void)state;
    static const server_turn turns[] = {{.answer = HEAD("503 Busy", "0") "Retry-After: 0\r\n\r\n"},
                                        {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    s.options.max_retries = 1;
    call(&s);
    server_stop();
    expect_ok(&s);
    assert_int_equal(ml_response_attempts(s.response), 2);
    assert_string_equal(server_request(1), server_request(0));
    close_client(&s);
}

static void many_threads_call_at_once(void **state) {
    (void)state;
    stage s;
    server_start_forever(&good);
    ml_client_options options = options_for(server_base_url());
    open_client(&s, &options);
    assert_int_equal(call_from_threads(s.client, 8, 10), 80);
    server_stop();
    assert_int_equal(server_requests(), 80);
    assert_true(server_connections() <= 8);
    close_client(&s);
}

/* ---- answers, whole ---- */

typedef struct answer_row {
    const char *name;
    server_turn turn;
    const char *token;
    const char *headers; /* NULL: whatever */
} answer_row;

#define GZIP_TOKEN                                                                                 \
    "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03\xAB\x56\xCA\xC9\xCC\xCB\x8E\x2F\xC9\xCF\x4E\xCD"     \
    "\x53\xB2\x52\xAA\xCA\x2C\x28\x48\x4D\x51\xAA\x05\x00\x8C\xC5\x7F\x54\x17\x00\x00\x00"
#define LITERAL(text) .answer = (text), .length = sizeof(text) - 1

static const answer_row answer_rows[] = {
    {"plain", {.answer = GOOD}, "t", "Content-Type: application/json\r\nContent-Length: 18\r\n"},
    {"byte_by_byte",
     {.answer = GOOD, .bytewise = true},
     "t",
     "Content-Type: application/json\r\nContent-Length: 18\r\n"},
    {"until_the_connection_closes",
     {.answer = "HTTP/1.0 200 OK\r\n\r\n{\"link_token\":\"t\"}", .then = SERVER_CLOSES},
     "t",
     ""},
    {"chunked",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\n{\"lin\r\nd;x=y\r\nk_token\":\"t\"}\r\n0\r\n\r\n"},
     "t",
     NULL},
    {"chunked_with_trailer",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
                "12\r\n{\"link_token\":\"t\"}\r\n0\r\nX-T: 1\r\n\r\n",
      .bytewise = true},
     "t",
     NULL},
    {"compressed",
     {LITERAL(HEAD("200 OK", "43") "Content-Encoding: gzip\r\n\r\n" GZIP_TOKEN)},
     "zipped",
     NULL},
    {"after_100_continue",
     {.answer = "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n" GOOD},
     "t",
     "Content-Type: application/json\r\nContent-Length: 18\r\n"},
    {"after_early_hints",
     {.answer =
          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" GOOD,
      .bytewise = true},
     "t",
     "Content-Type: application/json\r\nContent-Length: 18\r\n"},
    {"folded_and_odd_header_lines",
     {.answer = "HTTP/1.1 200 OK\r\nX-A:b\r\nX-Empty:\r\nX-A: \t c \r\n"
                "Content-Length: 18\r\n\r\n{\"link_token\":\"t\"}"},
     "t",
     "X-A:b\r\nX-Empty:\r\nX-A: \t c \r\nContent-Length: 18\r\n"},
    {"line_feeds_alone",
     {.answer = "HTTP/1.1 200 OK\nContent-Length: 18\n\n{\"link_token\":\"t\"}"},
     "t",
     "Content-Length: 18\r\n"},
    {"reason_missing",
     {.answer = "HTTP/1.1 200\r\nContent-Length: 18\r\n\r\n{\"link_token\":\"t\"}"},
     "t",
     NULL},
};

static void answer_is_received(void **state) {
    const answer_row *row = *state;
    stage s;
    open_stage(&s, &row->turn, 1);
    call(&s);
    server_stop();
    expect_ok(&s);
    assert_string_equal(ml_response_member(s.response, 0)->text, row->token);
    if (row->headers != NULL)
        expect_text(ml_response_headers(s.response), ml_text_of(row->headers));
    assert_int_equal(ml_response_status(s.response), 200);
    close_client(&s);
}

static void timing_and_begin_are_measured(void **state) {
    (void)state;
    stage s;
    double before = (double)time(NULL);
    open_stage(&s, &good, 1);
    call(&s);
    server_stop();
    expect_ok(&s);
    ml_timing timing = ml_response_timing(s.response);
    assert_true(timing.total > 0.0 && timing.total < 10.0);
    assert_true(timing.connect > 0.0 && timing.connect <= timing.first_byte);
    assert_true(timing.first_byte <= timing.total);
    assert_true(timing.tls <= 0.0);
    assert_true(ml_response_began(s.response) >= before);
    assert_true(ml_response_began(s.response) <= (double)time(NULL) + 1.0);
    close_client(&s);
}

/* ---- answers that are none ---- */

typedef struct failure_row {
    const char *name;
    server_turn turn;
    ml_status status;
    const char *code;
    bool may_have_arrived;
    double timeout; /* 0: the client's */
} failure_row;

#define HINT "HTTP/1.1 103 Early Hints\r\n\r\n"

static const failure_row failure_rows[] = {
    {"closes_without_an_answer",
     {.then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_GOT_NOTHING",
     true,
     0},
    {"says_nothing", {.then = SERVER_HOLDS}, ML_ERR_TIMEOUT, "CURLE_OPERATION_TIMEDOUT", true, 0.3},
    {"stops_in_the_status_line",
     {.answer = "HTTP/1.1 20", .then = SERVER_HOLDS},
     ML_ERR_TIMEOUT,
     "CURLE_OPERATION_TIMEDOUT",
     true,
     0.3},
    {"stops_in_the_body",
     {.answer = HEAD("200 OK", "18") "\r\n{\"link", .then = SERVER_HOLDS},
     ML_ERR_TIMEOUT,
     "CURLE_OPERATION_TIMEDOUT",
     true,
     0.3},
    {"closes_in_the_body",
     {.answer = HEAD("200 OK", "19") "\r\n{\"link_token\":\"t\"}", .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_PARTIAL_FILE",
     true,
     0},
    {"closes_in_a_chunk",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n{\"link",
      .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_PARTIAL_FILE",
     true,
     0},
    {"closes_without_the_last_chunk",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "12\r\n{\"link_token\":\"t\"}\r\n",
      .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_PARTIAL_FILE",
     true,
     0},
    {"sends_garbage",
     {.answer = "hello, this is no HTTP\r\n\r\n", .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_UNSUPPORTED_PROTOCOL",
     true,
     0},
    {"closes_in_the_headers",
     {.answer = "HTTP/1.1 200 OK\r\nContent-Len", .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_PARTIAL_FILE",
     true,
     0},
    {"says_two_lengths",
     {.answer = HEAD("200 OK", "18") "Content-Length: 18\r\n\r\n{\"link_token\":\"t\"}"},
     ML_ERR_TRANSPORT,
     "CURLE_WRITE_ERROR",
     true,
     0},
    {"says_a_length_and_chunks",
     {.answer = HEAD("200 OK", "18") "Transfer-Encoding: chunked\r\n\r\n"
                                     "12\r\n{\"link_token\":\"t\"}\r\n0\r\n\r\n"},
     ML_ERR_TRANSPORT,
     "CURLE_WRITE_ERROR",
     true,
     0},
    {"sends_informational_answers_without_end",
     {.answer = HINT HINT HINT HINT HINT HINT HINT HINT HINT HINT HINT HINT GOOD},
     ML_ERR_TRANSPORT,
     "CURLE_WRITE_ERROR",
     true,
     0},
    {"sends_bad_chunks",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_RECV_ERROR",
     true,
     0},
    {"sends_what_is_not_gzip",
     {.answer = HEAD("200 OK", "18") "Content-Encoding: gzip\r\n\r\n{\"link_token\":\"t\"}"},
     ML_ERR_TRANSPORT,
     "CURLE_BAD_CONTENT_ENCODING",
     true,
     0},
    {"sends_a_negative_length",
     {.answer = HEAD("200 OK", "-5") "\r\n{\"link_token\":\"t\"}", .then = SERVER_CLOSES},
     ML_ERR_TRANSPORT,
     "CURLE_WEIRD_SERVER_REPLY",
     true,
     0},
};

static void failure_is_told(void **state) {
    const failure_row *row = *state;
    stage s;
    open_stage(&s, &row->turn, 1);
    if (row->timeout > 0.0) s.options.timeout = row->timeout;
    call(&s);
    server_stop();
    if (s.status != row->status) print_error("%s: %s\n", s.error.code, s.error.text);
    assert_int_equal(s.status, row->status);
    assert_string_equal(s.error.code, row->code);
    assert_int_equal(s.error.may_have_arrived, row->may_have_arrived);
    assert_int_equal(s.error.attempts, 1);
    assert_true(strlen(s.error.text) > 0);
    assert_null(s.response);
    close_client(&s);
}

static void connection_that_is_reset_is_a_failure(void **state) {
    (void)state;
    static const server_turn turn = {.unread = true};
    stage s;
    open_stage(&s, &turn, 1);
    call(&s);
    server_stop();
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    assert_true(strncmp(s.error.code, "CURLE_", 6) == 0);
    close_client(&s);
}

static void refused_connection_has_sent_nothing(void **state) {
    (void)state;
    stage s;
    ml_client_options options = options_for(server_dead_url());
    open_client(&s, &options);
    call(&s);
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    assert_string_equal(s.error.code, "CURLE_COULDNT_CONNECT");
    assert_false(s.error.may_have_arrived);
    assert_int_equal(s.error.http_status, 0);
    close_client(&s);
}

static void host_that_cannot_exist_is_not_resolved(void **state) {
    (void)state;
    stage s;
    ml_client_options options = options_for("https://no-such-host.invalid/api");
    open_client(&s, &options);
    call(&s);
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    assert_string_equal(s.error.code, "CURLE_COULDNT_RESOLVE_HOST");
    assert_false(s.error.may_have_arrived);
    close_client(&s);
}

static void plain_server_is_no_tls_server(void **state) {
    (void)state;
    char url[64];
    stage s;
    static const server_turn turn = {.answer = "HTTP/1.1 400 Bad Request\r\n\r\n",
                                     .then = SERVER_CLOSES};
    server_start(&turn, 1);
    snprintf(url, sizeof url, "https%s", server_base_url() + 4);
    ml_client_options options = options_for(url);
    options.timeout = 0.5;
    open_client(&s, &options);
    call(&s);
    server_stop();
    assert_true(s.status == ML_ERR_TLS || s.status == ML_ERR_TIMEOUT);
    assert_false(s.error.may_have_arrived);
    close_client(&s);
}

static void failure_leaves_the_client_usable(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.answer = HEAD("200 OK", "30") "\r\n{\"link_token\":\"t\"}", .then = SERVER_CLOSES},
        {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    call(&s);
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    call(&s);
    expect_ok(&s);
    server_stop();
    close_client(&s);
}

/* ---- limits ---- */

/* An answer whose body has that many bytes: a token, then white space. Freed by the caller. */
static char *body_of(const char *status_line, size_t length) {
    static const char token[] = "{\"link_token\":\"t\"}";
    char *answer = calloc(1, length + 200);
    int head = sprintf(answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status_line, length);
    memset(answer + head, ' ', length);
    memcpy(answer + head, token, sizeof token - 1);
    return answer;
}

enum { LIMIT = 5000, FAR_OVER = 500000 };

static void call_with_limit(stage *s, const char *answer, server_end then) {
    server_turn turn = {.answer = answer, .then = then};
    server_start(&turn, 1);
    ml_client_options options = options_for(server_base_url());
    options.max_response_bytes = LIMIT;
    open_client(s, &options);
    call(s);
    server_stop();
}

typedef struct limit_row {
    const char *name;
    const char *status_line;
    size_t length;
    ml_status status;
    const char *part;
} limit_row;

static const limit_row limit_rows[] = {
    {"good_body_at_the_limit", "200 OK", LIMIT, ML_OK, ""},
    {"good_body_over_the_limit", "200 OK", LIMIT + 1, ML_ERR_RESPONSE,
     "larger than the limit of 5000 bytes"},
    {"good_body_far_over_the_limit", "200 OK", FAR_OVER, ML_ERR_RESPONSE, "larger than"},
    {"error_body_at_the_limit", "500 Error", LIMIT, ML_ERR_API, "Merge answered 500"},
    {"error_body_over_the_limit", "500 Error", LIMIT + 1, ML_ERR_API, "Merge answered 500"},
    {"error_body_far_over_the_limit", "403 No", FAR_OVER, ML_ERR_API, "Merge answered 403"},
};

static void size_limit_is_kept(void **state) {
    const limit_row *row = *state;
    stage s;
    char *answer = body_of(row->status_line, row->length);
    call_with_limit(&s, answer, SERVER_HOLDS);
    assert_int_equal(s.status, row->status);
    expect_contains(s.error.text, row->part);
    assert_int_equal(ml_response_body(s.response).length,
                     row->length < LIMIT ? row->length : LIMIT);
    assert_int_equal(ml_response_body_is_json(s.response), row->length <= LIMIT);
    free(answer);
    close_client(&s);
}

/* {"link_token":"t" and 200,000 spaces and }, in 249 bytes. */
static const char bomb[] = HEAD(
    "200 OK",
    "249") "Content-Encoding: gzip\r\n\r\n"
           "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03\xED\xC1\xB1\x0D\x00\x10\x10\x00\xC0\x55\xE4\xC7\xB0"
           "\x8C\x4A\x21\x84\x46\x27\x76\x37\x83\xFE\xEE\x4E\x8C\x36\x7B\xD9\xAB\xD7\x19\x39\x76\x24";

static void size_limit_is_of_the_decompressed_body(void **state) {
    (void)state;
    stage s;
    char answer[sizeof bomb + 249];
    static const char end[] = "\xE0\xDB\x7D\x14\x5E\xAE\x2F\x52\x0D\x03\x00";
    memset(answer, 0, sizeof answer);
    memcpy(answer, bomb, sizeof bomb - 1);
    size_t head = (size_t)(strstr(bomb, "\r\n\r\n") + 4 - bomb);
    memcpy(answer + head + 249 - (sizeof end - 1), end, sizeof end - 1);
    server_turn turn = {.answer = answer, .length = head + 249};
    server_start(&turn, 1);
    ml_client_options options = options_for(server_base_url());
    options.max_response_bytes = LIMIT;
    open_client(&s, &options);
    call(&s);
    server_stop();
    expect_failure(&s.error, ML_ERR_RESPONSE, "larger than the limit of 5000 bytes");
    close_client(&s);
}

enum { KIB_59 = 59 * 1024, KIB_60 = 60 * 1024, KIB_66 = 66 * 1024 };

/* An answer with a header section of about that many bytes. Freed by the caller. */
static char *header_of(size_t length) {
    char *answer = calloc(1, length + 300);
    char *end = answer + sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n");
    for (size_t i = 0; (size_t)(end - answer) < length; i++)
        end += sprintf(end, "X-%04zu: %.*s\r\n", i, 90,
                       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                       "xxxxxxxxxxxxxxxxxxxx");
    sprintf(end, "\r\n{\"link_token\":\"t\"}");
    return answer;
}

static void header_section_of_60_kib_is_received(void **state) {
    (void)state;
    stage s;
    char *answer = header_of(KIB_60);
    call_with_limit(&s, answer, SERVER_KEEPS);
    expect_ok(&s);
    assert_true(ml_response_headers(s.response).length > KIB_59);
    free(answer);
    close_client(&s);
}

static void header_section_over_64_kib_is_refused(void **state) {
    (void)state;
    stage s;
    char *answer = header_of(KIB_66);
    call_with_limit(&s, answer, SERVER_KEEPS);
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    assert_string_equal(s.error.code, "CURLE_WRITE_ERROR");
    assert_null(s.response);
    free(answer);
    close_client(&s);
}

/* ---- what must not lead elsewhere ---- */

static void redirect_is_not_followed(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.answer = "HTTP/1.1 307 Moved\r\nLocation: /api/elsewhere\r\nContent-Length: 0\r\n\r\n"},
        {.answer = GOOD}};
    stage s;
    open_stage(&s, turns, COUNT(turns));
    call(&s);
    server_stop();
    expect_failure(&s.error, ML_ERR_RESPONSE, "status 307 is a redirect");
    assert_int_equal(server_requests(), 1);
    close_client(&s);
}

static void proxies_of_the_environment_are_ignored(void **state) {
    (void)state;
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    stage s;
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], server_dead_url(), 1);
    open_stage(&s, &good, 1);
    call(&s);
    server_stop();
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    expect_ok(&s);
    assert_int_equal(strncmp(server_request(0), "POST /api/ats", 13), 0);
    close_client(&s);
}

static void proxy_of_the_options_is_used(void **state) {
    (void)state;
    char proxy[96];
    stage s;
    server_start(&good, 1);
    snprintf(proxy, sizeof proxy, "http://user:password@%s", server_base_url() + 7);
    ml_client_options options = options_for("http://merge.invalid/api");
    options.allow_http = true;
    options.proxy = ml_text_of(proxy);
    open_client(&s, &options);
    call(&s);
    server_stop();
    expect_ok(&s);
    const char *sent = server_request(0);
    assert_int_equal(strncmp(sent, "POST http://merge.invalid/api/ats/v1/link-token HTTP/1.1", 56),
                     0);
    expect_contains(sent, "\r\nProxy-Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n");
    close_client(&s);
}

/* "": none. */
static ml_client *view_with_proxy(ml_client *client, const char *proxy) {
    ml_client *view = NULL;
    ml_view_options changes;
    ml_error error;
    ml_error_init(&error);
    ml_view_options_init(&changes);
    changes.proxy = ml_text_of(proxy);
    assert_int_equal(ml_client_view(client, &changes, &view, &error), ML_OK);
    return view;
}

static void proxy_of_a_view_is_the_views_alone(void **state) {
    (void)state;
    static const char direct[] = "POST /api/", proxied[] = "POST http://127.0.0.1:";
    const server_turn turns[] = {good, good, good};
    char proxy[96];
    stage s;
    server_start(turns, 3);
    snprintf(proxy, sizeof proxy, "http://user:password@%s", server_base_url() + 7);
    ml_client_options options = options_for(server_base_url());
    open_client(&s, &options);
    ml_client *client = s.client, *view = view_with_proxy(client, proxy);
    ml_client *const callers[] = {client, view, client};
    for (size_t i = 0; i < 3; i++) {
        s.client = callers[i];
        call(&s);
        expect_ok(&s);
    }
    server_stop();
    expect_contains(server_request(0), direct);
    expect_contains(server_request(1), proxied);
    expect_contains(server_request(1), "\r\nProxy-Authorization: ");
    expect_contains(server_request(2), direct);
    assert_null(strstr(server_request(2), "Proxy-Authorization"));
    ml_client_free(view);
    close_client(&s);
}

/* Whether a proxy is used was decided before: NO_PROXY is the caller's business. */
static void no_proxy_of_the_environment_is_ignored(void **state) {
    (void)state;
    stage s;
    setenv("no_proxy", "*", 1);
    server_start(&good, 1);
    ml_client_options options = options_for("http://merge.invalid/api");
    options.allow_http = true;
    options.proxy = ml_text_of(server_base_url());
    open_client(&s, &options);
    call(&s);
    server_stop();
    unsetenv("no_proxy");
    expect_ok(&s);
    close_client(&s);
}

/* ---- ends from outside ---- */

static int stop_at_second_tick(void *context) {
    int *ticks = context;
    return ++*ticks == 2;
}

static void tick_ends_a_silent_call_and_the_client_stays_usable(void **state) {
    (void)state;
    static const server_turn turns[] = {{.then = SERVER_HOLDS}, {.answer = GOOD}};
    int ticks = 0;
    stage s;
    open_stage(&s, turns, COUNT(turns));
    s.options.tick = stop_at_second_tick;
    s.options.context = &ticks;
    call(&s);
    expect_failure(&s.error, ML_ERR_INTERRUPTED, "interrupted");
    assert_true(s.error.may_have_arrived);
    assert_int_equal(s.error.attempts, 1);
    s.options.tick = NULL;
    call(&s);
    expect_ok(&s);
    server_stop();
    assert_int_equal(server_connections(), 2);
    close_client(&s);
}

static void *close_from_here(void *client) {
    ml_client_close(client);
    return NULL;
}

static int close_in_another_thread(void *context) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, close_from_here, context) == 0) pthread_join(thread, NULL);
    return 0;
}

static void closing_ends_a_silent_call(void **state) {
    (void)state;
    static const server_turn turn = {.then = SERVER_HOLDS};
    stage s;
    open_stage(&s, &turn, 1);
    s.options.tick = close_in_another_thread;
    s.options.context = s.client;
    call(&s);
    server_stop();
    assert_int_equal(s.status, ML_ERR_CLOSED);
    close_client(&s);
}

static void system_ca_is_a_place_that_exists(void **state) {
    (void)state;
    const char *place = ml_system_ca();
    if (place == NULL) skip();
    stage s;
    ml_client_options options = options_for("https://api.merge.dev/api");
    options.ca_bundle = ml_text_of(place);
    open_client(&s, &options);
    close_client(&s);
}

int main(void) {
    SUITE_TEST(request_is_sent_byte_for_byte);
    SUITE_TEST(get_is_sent_without_a_body);
    SUITE_ROWS(message_without_a_body_says_so, bodiless_rows);
    SUITE_TEST(methods_follow_each_other_on_one_connection);
    SUITE_TEST(large_body_is_sent_whole_and_without_expect);
    SUITE_TEST(default_user_agent_is_sent);
    SUITE_TEST(connection_is_used_again);
    SUITE_TEST(connection_is_used_again_after_an_error_answer);
    SUITE_TEST(connection_that_the_server_closed_is_replaced);
    SUITE_TEST(request_that_died_with_its_connection_is_sent_and_counted_again);
    SUITE_TEST(careful_request_that_died_with_its_connection_is_not_sent_again);
    SUITE_TEST(failed_attempt_is_repeated);
    SUITE_TEST(many_threads_call_at_once);
    SUITE_ROWS(answer_is_received, answer_rows);
    SUITE_TEST(timing_and_begin_are_measured);
    SUITE_ROWS(failure_is_told, failure_rows);
    SUITE_TEST(connection_that_is_reset_is_a_failure);
    SUITE_TEST(refused_connection_has_sent_nothing);
    SUITE_TEST(host_that_cannot_exist_is_not_resolved);
    SUITE_TEST(plain_server_is_no_tls_server);
    SUITE_TEST(failure_leaves_the_client_usable);
    SUITE_ROWS(size_limit_is_kept, limit_rows);
    SUITE_TEST(size_limit_is_of_the_decompressed_body);
    SUITE_TEST(header_section_of_60_kib_is_received);
    SUITE_TEST(header_section_over_64_kib_is_refused);
    SUITE_TEST(redirect_is_not_followed);
    SUITE_TEST(proxies_of_the_environment_are_ignored);
    SUITE_TEST(proxy_of_the_options_is_used);
    SUITE_TEST(proxy_of_a_view_is_the_views_alone);
    SUITE_TEST(no_proxy_of_the_environment_is_ignored);
    SUITE_TEST(tick_ends_a_silent_call_and_the_client_stays_usable);
    SUITE_TEST(closing_ends_a_silent_call);
    SUITE_TEST(system_ca_is_a_place_that_exists);
    return suite_run("transport");
}
