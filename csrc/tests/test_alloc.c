/*
 * Each allocation failing in turn, ours, cJSON's and libcurl's: an honest error or a sound success,
 * never a crash or a leak, and the client works again afterwards.
 *
 * This program is linked with --wrap for malloc, calloc, realloc and strdup, which catches our own
 * objects; cJSON and libcurl are given the same functions by their hooks.
 */
#include "client.h"
#include "json.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"
#include "support/server.h"

#include <cJSON.h>
#include <curl/curl.h>
#include <unistd.h>

/* ---- allocations that fail ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);

typedef enum owner { NOBODY, CORE, CJSON, LIBCURL } owner;

/* Of the thread under test alone: the server's must not fail. */
static _Thread_local struct {
    long fail_at;  /* 0: never */
    bool for_good; /* all after it, too */
    long count;
    owner failed; /* whose failed first */
} luck;

static void set_luck(long fail_at, bool for_good) {
    luck.fail_at = fail_at;
    luck.for_good = for_good;
    luck.count = 0;
    luck.failed = NOBODY;
}

static bool fails(owner whose) {
    if (luck.fail_at == 0) return false;
    luck.count++;
    bool now = luck.for_good ? luck.count >= luck.fail_at : luck.count == luck.fail_at;
    if (now && luck.failed == NOBODY) luck.failed = whose;
    return now;
}

void *__wrap_malloc(size_t size) {
    return fails(CORE) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails(CORE) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails(CORE) ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text) {
    return fails(CORE) ? NULL : __real_strdup(text);
}

static void *cjson_malloc(size_t size) {
    return fails(CJSON) ? NULL : __real_malloc(size);
}

static void *curl_malloc(size_t size) {
    return fails(LIBCURL) ? NULL : __real_malloc(size);
}

static void *curl_calloc(size_t count, size_t size) {
    return fails(LIBCURL) ? NULL : __real_calloc(count, size);
}

static void *curl_realloc(void *block, size_t size) {
    return fails(LIBCURL) ? NULL : __real_realloc(block, size);
}

static char *curl_strdup(const char *text) {
    return fails(LIBCURL) ? NULL : __real_strdup(text);
}

/* ---- scenarios ---- */

/* One deed under bad luck. */
typedef struct deed {
    ml_client *client; /* of the scenario, if it has one */
    ml_response *response;
    ml_error error;
    ml_status status;
} deed;

typedef struct scenario {
    const char *name;
    const ml_transport *transport; /* of a client made before; NULL: none */
    void (*begin)(void);           /* each time, with good luck */
    void (*act)(deed *d);
    ml_status expected;
    /* Is what came of it sound, when the expected came of it? */
    void (*check)(const deed *d);
} scenario;

/* As much of a certificate and key as is looked at when a client is made. */
static const char *client_file(void) {
    static char path[] = "/tmp/merge-link-test-XXXXXX";
    static const char text[] = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
    static bool is_made;
    if (is_made) return path;
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, sizeof text - 1) == sizeof text - 1);
    close(file);
    is_made = true;
    return path;
}

static ml_client_options every_option(void) {
    ml_client_options options = test_options();
    options.account_token = TEXT("token-of-account");
    options.category = TEXT("ats");
    options.ca_pem = TEXT("-----BEGIN CERTIFICATE-----\n");
    options.client_cert = options.client_key = ml_text_of(client_file());
    options.client_key_password = TEXT("pass phrase");
    options.proxy = TEXT("http://user:password@127.0.0.1:9");
    options.budget_failures = 20;
    return options;
}

static void make_client(deed *d, const ml_transport *transport) {
    ml_client *client = NULL;
    ml_client_options options = every_option();
    d->status = transport == NULL ? ml_client_new(&options, &client, &d->error)
                                  : ml_client_new_over(transport, &options, &client, &d->error);
    if ((client != NULL) != (d->status == ML_OK)) fail_msg("a client with status %d", d->status);
    ml_client_free(client);
}

static void make_scripted_client(deed *d) {
    make_client(d, &scripted_transport);
}

static void make_real_client(deed *d) {
    make_client(d, NULL);
}

/* full_request() aborts without memory, so it is made with the library's own functions here. */
static ml_request *unlucky_request(void) {
    ml_request *request = ml_request_new(link_token_operation());
    if (request == NULL) return NULL;
    ml_value *fields = ml_request_fields(request), *extra = ml_request_extra(request);
    add_text(request, "end_user_email_address", "hr@acme.example");
    add_text(request, "end_user_organization_name", "Acme");
    add_text(request, "end_user_origin_id", "acme-42");
    add_categories(request, (const char *const[]){"ats", "hris", NULL});
    ml_value *model = ml_add_object(ml_add_array(fields, "common_models"), NULL);
    ml_add_string(model, "model_id", TEXT("m"));
    ml_add_string(ml_add_array(model, "enabled_actions"), NULL, TEXT("READ"));
    ml_add_array(model, "disabled_fields");
    ml_value *scopes = ml_add_object(fields, "category_common_model_scopes");
    ml_value *scope = ml_add_object(ml_add_array(scopes, "ats"), NULL);
    ml_add_string(scope, "model_name", TEXT("Job"));
    ml_add_bool(ml_add_object(ml_add_object(scope, "model_permissions"), "READ"), "is_enabled",
                true);
    ml_add_json(fields, "integration_specific_config", TEXT("{\"a\":[1]}"));
    ml_add_integer(extra, "number", 1);
    ml_add_null(extra, "nothing");
    for (int i = 0; i < 30; i++)
        ml_add_string(ml_add_array(extra, "list"), NULL,
                      TEXT("0123456789012345678901234567890123456789"));
    ml_request_add_header(request, TEXT("X-Request-Id"), TEXT("r-1"));
    ml_request_set_api_key(request, TEXT(TEST_KEY));
    return request;
}

static void call_with(deed *d, ml_request *request) {
    ml_call_options options;
    ml_call_options_init(&options);
    options.max_retries = 0;
    if (request == NULL) {
        d->status = d->error.status = ML_ERR_MEMORY;
        return;
    }
    d->status = ml_client_call(d->client, request, &options, &d->response, &d->error);
    ml_request_free(request);
}

static void call_full(deed *d) {
    call_with(d, unlucky_request());
}

static void call_invalid(deed *d) {
    ml_request *request = ml_request_new(link_token_operation());
    if (request != NULL) {
        add_categories(request, (const char *const[]){"atss", "a b", NULL});
        ml_add_unusable(ml_request_extra(request), "x", "must be JSON");
        ml_request_add_header(request, TEXT("Host"), TEXT("x"));
        ml_value *scopes =
            ml_add_object(ml_request_fields(request), "category_common_model_scopes");
        ml_add_object(ml_add_array(scopes, "crm"), NULL);
    }
    call_with(d, request);
}

/* With all that goes elsewhere than into a body; NULL: no memory. */
static ml_request *request_of_any_endpoint(void) {
    ml_request *request = ml_request_new(ml_operation_find("request"));
    if (request == NULL) return NULL;
    ml_value *fields = ml_request_fields(request);
    add_text(request, "method", "PUT");
    add_text(request, "path", "/ats/v1/account-token/public t%6Fken");
    ml_value *params = ml_add_object(fields, "params");
    ml_add_json(params, "json", TEXT("[\"a\\u0062\",1,true]"));
    ml_add_string(params, "text", TEXT("caf\xC3\xA9"));
    ml_add_string(ml_add_array(params, "list"), NULL, TEXT("item"));
    ml_add_json(fields, "json", TEXT("{\"a\":1}"));
    ml_add_string(ml_add_object(fields, "headers"), "X-A", TEXT("b"));
    ml_request_set_account_token(request, TEXT("token-of-call"));
    ml_request_add_header(request, TEXT("X-B"), TEXT("c"));
    ml_request *copy = ml_request_copy(request);
    ml_request_free(request);
    return copy;
}

static void call_copy(deed *d) {
    call_with(d, request_of_any_endpoint());
}

static void call_view(deed *d) {
    ml_client *client = d->client, *view = NULL;
    ml_view_options changes;
    ml_view_options_init(&changes);
    changes.account_token = TEXT("other-account-token");
    changes.base_url = TEXT("http://localhost:9/api");
    d->status = ml_client_view(client, &changes, &view, &d->error);
    if ((view != NULL) != (d->status == ML_OK)) fail_msg("a view with status %d", d->status);
    if (view == NULL) return;
    d->client = view;
    call_full(d);
    d->client = client;
    ml_client_free(view);
}

/* Several objects of many members, so that every list in the check grows. */
static void check_json(deed *d) {
    static const char text[] =
        "{\"a\":1,\"b\":{\"c\":1,\"d\":2,\"e\":3,\"f\":4,\"g\":5,\"h\":6,\"i\":7,\"j\":8,\"k\":9,"
        "\"l\":10,\"m\":11,\"n\":12,\"o\":13,\"p\":14,\"q\":15,\"r\":16,\"s\":17,\"t\":18}}";
    ml_json_fault fault;
    switch (ml_json_check(ml_text_of(text), &fault)) {
    case ML_JSON_VALID: d->status = d->error.status = ML_OK; return;
    case ML_JSON_INVALID: d->status = d->error.status = ML_ERR_RESPONSE; return;
    case ML_JSON_NO_MEMORY: d->status = d->error.status = ML_ERR_MEMORY; return;
    }
}

/* ---- what must have come of it ---- */

static void check_token(const deed *d) {
    assert_non_null(d->response);
    assert_string_equal(ml_response_member(d->response, 0)->text, "t\"1");
    expect_text(ml_response_member(d->response, 1)->json, TEXT("[1]"));
    assert_int_equal(ml_response_member_count(d->response), 12);
}

static void check_anything(const deed *d) {
    assert_non_null(d->response);
    assert_true(ml_response_body_is_json(d->response));
    assert_string_equal(scripted_sent_at(0)->method, "PUT");
    assert_string_equal(scripted_sent_at(0)->url,
                        "http://127.0.0.1:9/api/ats/v1/account-token/public%20t%6Fken?"
                        "json=ab%2C1%2Ctrue&text=caf%C3%A9&list=item");
    assert_string_equal(scripted_sent_at(0)->body, "{\"a\":1}");
    expect_contains(scripted_sent_at(0)->lines, "X-Account-Token: token-of-call\n");
}

/* Where cJSON had no memory the body stays unread, but whole. */
static void check_refusal(const deed *d) {
    assert_non_null(d->response);
    assert_int_equal(d->error.http_status, 400);
    assert_true(ml_response_body_is_json(d->response));
    if (luck.failed != CJSON) {
        assert_string_equal(ml_response_detail(d->response), "no");
        assert_int_equal(d->error.problem_count, 4);
    }
}

static void check_problems(const deed *d) {
    static const expected_problem expected[] = {
        {"end_user_email_address", "required"},
        {"end_user_organization_name", "required"},
        {"end_user_origin_id", "required"},
        {"categories[0]", "did you mean"},
        {"categories[1]", "slug"},
        {"category_common_model_scopes.crm[0].model_name", "required"},
        {"extra_body.x", "must be JSON"},
        {"extra_headers.Host", "remove it"},
    };
    expect_problems(&d->error, expected, COUNT(expected));
}

/* ---- scripts ---- */

#define TOKEN_BODY                                                                                 \
    "{\"link_token\":\"t\\\"1\",\"b\":[1],\"c\":1,\"d\":2,\"e\":3,\"f\":4,\"g\":5,\"h\":6,"        \
    "\"i\":7,\"j\":8,\"k\":9,\"integration_name\":null}"
#define REFUSAL_BODY                                                                               \
    "{\"detail\":\"no\",\"a\":[\"x\",\"y\"],\"b\":{\"0\":[\"z\"]},\"c\":[{\"d\":[\"w\"]}]}"
#define HEADERS "Date: Tue, 14 Nov 2023 22:13:25 GMT\r\nRetry-After: 1\r\n"

static void play_token(void) {
    static const scripted_answer answer = {.headers = HEADERS, .body = TOKEN_BODY};
    scripted_play(&answer, 1);
}

static void play_refusal(void) {
    static const scripted_answer answer = {
        .http_status = 400, .headers = HEADERS, .body = REFUSAL_BODY};
    scripted_play(&answer, 1);
}

static void nothing(void) {
}

/* ---- a real server ---- */

static void serve(const char *status_line, const char *body) {
    static char answer[1024];
    static server_turn turn;
    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\n" HEADERS "Content-Length: %zu\r\n\r\n%s",
             status_line, strlen(body), body);
    turn = (server_turn){.answer = answer};
    server_start_forever(&turn);
}

static ml_client *real_client(void) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.base_url = ml_text_of(server_base_url());
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    return client;
}

/* A client of its own, so that opening its lane and connecting can fail too. */
static void call_new_client(deed *d) {
    ml_client_options options = every_option();
    options.base_url = ml_text_of(server_base_url());
    options.proxy = (ml_text){0};
    options.budget_failures = 0;
    d->status = ml_client_new(&options, &d->client, &d->error);
    if (d->status == ML_OK) call_full(d);
    ml_client_free(d->client);
    d->client = NULL;
}

static void serve_token(void) {
    serve("200 OK", TOKEN_BODY);
}

static void serve_refusal(void) {
    serve("400 Bad Request", REFUSAL_BODY);
}

/* ---- trying ---- */

enum { MOST_ALLOCATIONS = 5000 };

static deed act(const scenario *s, ml_client *client, long fail_at, bool for_good) {
    deed d = {.client = client};
    ml_error_init(&d.error);
    s->begin();
    set_luck(fail_at, for_good);
    s->act(&d);
    luck.fail_at = 0;
    return d;
}

static void release(deed *d) {
    ml_response_free(d->response);
    ml_error_clear(&d->error);
}

/* libcurl names some of its own failures otherwise. */
static bool is_honest(ml_status status) {
    if (status == ML_ERR_MEMORY) return true;
    return luck.failed == LIBCURL && (status == ML_ERR_TRANSPORT || status == ML_ERR_CONFIGURATION);
}

/* True when no allocation was left to fail. */
static bool try_once(const scenario *s, ml_client *client, long fail_at, bool for_good) {
    deed d = act(s, client, fail_at, for_good);
    bool unharmed = luck.failed == NOBODY;
    if (d.status != d.error.status && d.status != ML_OK)
        fail_msg("allocation %ld: status %d, but error %d", fail_at, d.status, d.error.status);
    if (d.status == s->expected)
        s->check(&d);
    else if (unharmed || !is_honest(d.status))
        fail_msg("allocation %ld of %d: status %d: %s", fail_at, luck.failed, d.status,
                 d.error.text);
    else if (d.response != NULL)
        fail_msg("allocation %ld: a response with status %d", fail_at, d.status);
    release(&d);
    return unharmed;
}

static void expect_recovered(const scenario *s, ml_client *client) {
    deed d = act(s, client, 0, false);
    assert_int_equal(d.status, s->expected);
    s->check(&d);
    release(&d);
}

static void try_all(const scenario *s, ml_client *client, bool for_good) {
    long fail_at = 1;
    while (!try_once(s, client, fail_at, for_good)) {
        expect_recovered(s, client);
        assert_true(++fail_at < MOST_ALLOCATIONS);
    }
    assert_true(fail_at > 1);
}

static ml_client *scripted_client(void) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.budget_failures = 1000;
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &client, &error), ML_OK);
    return client;
}

static ml_client *client_for(const scenario *s) {
    if (s->transport == &scripted_transport) return scripted_client();
    return s->transport == NULL ? NULL : real_client();
}

static void run_scenario(const scenario *s, bool for_good) {
    scripted_reset();
    ml_client *client = client_for(s);
    try_all(s, client, for_good);
    ml_client_free(client);
    assert_int_equal(scripted_open_lanes(), 0);
}

static void nothing_to_check(const deed *d) {
    assert_null(d->response);
}

static const scenario scenarios[] = {
    {"making_a_client", NULL, nothing, make_scripted_client, ML_OK, nothing_to_check},
    {"making_a_client_over_libcurl", NULL, nothing, make_real_client, ML_OK, nothing_to_check},
    {"checking_json", NULL, nothing, check_json, ML_OK, nothing_to_check},
    {"refusing_a_request", &scripted_transport, nothing, call_invalid, ML_ERR_VALIDATION,
     check_problems},
    {"reading_a_token", &scripted_transport, play_token, call_full, ML_OK, check_token},
    {"any_endpoint", &scripted_transport, play_token, call_copy, ML_OK, check_anything},
    {"calling_over_a_view", &scripted_transport, play_token, call_view, ML_OK, check_token},
    {"reading_a_refusal", &scripted_transport, play_refusal, call_full, ML_ERR_API, check_refusal},
};

static void one_failed_allocation_is_survived(void **state) {
    run_scenario(*state, false);
}

static void end_of_all_memory_is_survived(void **state) {
    run_scenario(*state, true);
}

typedef struct real_row {
    const char *name;
    void (*serve)(void);
    bool is_kept; /* the client, with its connection */
    ml_status expected;
    void (*check)(const deed *d);
} real_row;

static const real_row real_rows[] = {
    {"first_call_of_a_client", serve_token, false, ML_OK, check_token},
    {"further_call_of_a_client", serve_token, true, ML_OK, check_token},
    {"first_call_that_is_refused", serve_refusal, false, ML_ERR_API, check_refusal},
    {"further_call_that_is_refused", serve_refusal, true, ML_ERR_API, check_refusal},
};

static void run_real(const real_row *row, bool for_good) {
    scenario s = {.name = row->name,
                  .begin = nothing,
                  .act = row->is_kept ? call_full : call_new_client,
                  .expected = row->expected,
                  .check = row->check};
    row->serve();
    ml_client *client = row->is_kept ? real_client() : NULL;
    if (row->is_kept) expect_recovered(&s, client);
    try_all(&s, client, for_good);
    ml_client_free(client);
    server_stop();
}

static void one_failed_allocation_over_libcurl_is_survived(void **state) {
    run_real(*state, false);
}

static void end_of_all_memory_over_libcurl_is_survived(void **state) {
    run_real(*state, true);
}

static void more_than_can_be_addressed_is_no_memory(void **state) {
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 2, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        ml_buffer buffer = {0};
        ml_buffer_text(&buffer, "x");
        assert_false(ml_buffer_grow(&buffer, sizes[i]));
        assert_true(buffer.failed);
        ml_buffer_text(&buffer, "y");
        expect_text(ml_buffer_view(&buffer), TEXT("x"));
        ml_buffer_free(&buffer);
    }
}

int main(void) {
    cJSON_Hooks hooks = {.malloc_fn = cjson_malloc, .free_fn = free};
    ml_client *client = NULL;
    ml_error error;
    cJSON_InitHooks(&hooks);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_strdup,
                             curl_calloc) != CURLE_OK)
        return 1;
    /* What the process sets up once is set up with good luck. */
    ml_error_init(&error);
    ml_client_options options = every_option();
    if (ml_client_new(&options, &client, &error) != ML_OK) return 1;
    SUITE_TEST(more_than_can_be_addressed_is_no_memory);
    SUITE_ROWS(one_failed_allocation_is_survived, scenarios);
    SUITE_ROWS(end_of_all_memory_is_survived, scenarios);
    SUITE_ROWS(one_failed_allocation_over_libcurl_is_survived, real_rows);
    SUITE_ROWS(end_of_all_memory_over_libcurl_is_survived, real_rows);
    int failed = suite_run("alloc");
    ml_client_free(client);
    unlink(client_file());
    curl_global_cleanup();
    return failed;
}
