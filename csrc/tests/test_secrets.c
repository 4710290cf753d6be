/*
 * No block of memory that the core gives back holds a secret: neither API key, account token, link
 * token or proxy password, nor what the caller put into the request.
 *
 * This program is linked with --wrap for free and realloc, so that each of our own blocks is read
 * when it goes; cJSON's are by its hooks. What libcurl keeps is its own. Blocks come zeroed: what
 * is found in one was put there by us.
 */
#include "client.h"
#include "support/build.h"
#include "support/echo.h"
#include "support/expect.h"
#include "support/scripted.h"
#include "support/server.h"

#include <cJSON.h>
#include <malloc.h>
#include <pthread.h>

#define KEY          "test_kEyOfThEcLiEnT"
#define OWN_KEY      "test_kEyOfThIsCaLl"
#define ACCOUNT      "tOkEnOfThEaCcOuNt"
#define PASSWORD     "pAsSwOrDoFpRoXy"
#define PHRASE       "pHrAsEoFcLiEnTkEy"
#define LOGIN_BASE64 "dXNlcjpwQXNTd09yRG9GcFJvWHk="
#define LINK_TOKEN   "lInKtOkEnOfUsEr"
#define MAGIC_LINK   "https://link.merge.dev/mAgIcLiNk"
#define BODY         "bOdYoFrEqUeSt"
#define CONFIG       "cOnFiGoFrEqUeSt"
#define HEADER       "hEaDeRoFrEqUeSt"

static const char *const secrets[] = {
    PHRASE,   "kEyOfThEcLiEnT", "kEyOfThIsCaLl", ACCOUNT, "wQXNTd09yRG9GcF",
    PASSWORD, LINK_TOKEN,       "mAgIcLiNk",     BODY,    CONFIG,
    HEADER};

/* ---- an allocator that looks ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);

static struct {
    pthread_mutex_t lock;
    size_t looked_at;
    char found[256]; /* the secrets in freed blocks */
} look = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(const char *secret, size_t size) {
    size_t used = strlen(look.found);
    snprintf(look.found + used, sizeof look.found - used, " %s (in %zu bytes)", secret, size);
}

static void look_at(void *block) {
    if (block == NULL) return;
    size_t size = malloc_usable_size(block);
    pthread_mutex_lock(&look.lock);
    look.looked_at++;
    for (size_t i = 0; i < COUNT(secrets); i++)
        if (memmem(block, size, secrets[i], strlen(secrets[i])) != NULL) note(secrets[i], size);
    pthread_mutex_unlock(&look.lock);
}

void *__wrap_malloc(size_t size) {
    void *block = __real_malloc(size);
    if (block != NULL) memset(block, 0, malloc_usable_size(block));
    return block;
}

void *__wrap_calloc(size_t count, size_t size) {
    return __wrap_malloc(count * size);
}

void *__wrap_realloc(void *block, size_t size) {
    size_t before = block == NULL ? 0 : malloc_usable_size(block);
    void *moved = __wrap_malloc(size);
    if (moved == NULL) return NULL;
    if (before > 0) memcpy(moved, block, before < size ? before : size);
    __wrap_free(block);
    return moved;
}

void __wrap_free(void *block) {
    look_at(block);
    __real_free(block);
}

char *__wrap_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    if (copy != NULL) memcpy(copy, text, size);
    return copy;
}

static void look_anew(void) {
    look.looked_at = 0;
    look.found[0] = '\0';
}

static void expect_nothing_found(void) {
    if (look.found[0] != '\0') fail_msg("freed with a secret inside:%s", look.found);
    assert_true(look.looked_at > 0);
}

/* ---- what is done ---- */

static ml_client_options secret_options(const char *base_url) {
    ml_client_options options = test_options();
    options.api_key = TEXT(KEY);
    options.account_token = TEXT(ACCOUNT);
    options.client_key_password = TEXT(PHRASE);
    options.base_url = ml_text_of(base_url);
    options.max_retries = 1;
    return options;
}

static ml_request *secret_request(const char *origin) {
    ml_request *request = empty_request();
    add_text(request, "end_user_email_address", BODY "@acme.example");
    add_text(request, "end_user_organization_name", BODY);
    add_text(request, "end_user_origin_id", origin);
    add_categories(request, (const char *const[]){"ats", NULL});
    ml_add_json(ml_request_fields(request), "integration_specific_config",
                TEXT("{\"" CONFIG "\": \"" CONFIG "\"}"));
    ml_value *list = ml_add_array(ml_request_extra(request), "new_" BODY);
    ml_add_string(ml_add_object(list, NULL), "deep_" BODY, TEXT("a\"b\\" BODY));
    ml_request_add_header(request, TEXT("X-Trace"), TEXT(HEADER));
    return request;
}

static ml_request *wrong_request(void) {
    ml_request *request = secret_request(BODY "\n");
    ml_value *fields = ml_request_fields(request);
    add_text(request, "language", BODY " " BODY);
    add_text(request, "category", BODY "/" BODY);
    ml_value *scopes = ml_add_object(fields, "category_common_model_scopes");
    ml_add_string(scopes, "No " BODY, TEXT(BODY));
    ml_add_integer(fields, BODY, 5);
    ml_request_add_header(request, TEXT("Host"), TEXT(HEADER));
    return request;
}

static ml_client *make_client(const ml_transport *transport, const ml_client_options *options) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_status status = transport == NULL ? ml_client_new(options, &client, &error)
                                         : ml_client_new_over(transport, options, &client, &error);
    if (status != ML_OK) fail_msg("%s", error.text);
    return client;
}

static void expect_call(ml_client *client, ml_request *request, const ml_call_options *given,
                        ml_status expected) {
    ml_response *response = NULL;
    ml_call_options options;
    ml_error error;
    ml_error_init(&error);
    ml_call_options_init(&options);
    if (given != NULL) options = *given;
    ml_status status = ml_client_call(client, request, &options, &response, &error);
    if (status != expected) fail_msg("status %d: %s", (int)status, error.text);
    ml_response_free(response);
    ml_error_clear(&error);
    ml_request_free(request);
}

/* ---- the looking itself ---- */

static void a_secret_in_a_freed_block_is_found(void **state) {
    (void)state;
    look_anew();
    free(strdup(KEY));
    assert_true(look.looked_at == 1);
    expect_contains(look.found, "kEyOfThEcLiEnT");
    look_anew();
    char *block = strdup("a " BODY), *moved = realloc(block, 4096);
    expect_contains(look.found, BODY);
    explicit_bzero(moved, 4096);
    look_anew();
    free(moved);
    expect_nothing_found();
}

static void a_secret_in_a_block_of_cjson_is_found(void **state) {
    (void)state;
    look_anew();
    cJSON_Delete(cJSON_CreateString(BODY));
    expect_contains(look.found, BODY);
}

/* ---- over the scripted transport ---- */

#define SAID                                                                                       \
    "{\"detail\": \"" KEY " " ACCOUNT " " BODY "\", \"" BODY "\": [\"" CONFIG "\", {\"" BODY       \
    "\": \"" LINK_TOKEN "\"}]}"

typedef struct scripted_row {
    const char *name;
    scripted_answer answers[2];
    ml_status expected;
} scripted_row;

static const scripted_row scripted_rows[] = {
    {"success",
     {{.body = "{\"link_token\": \"" LINK_TOKEN "\", \"magic_link_url\": \"" MAGIC_LINK
               "\", \"" BODY "\": {\"a\": \"" CONFIG "\"}, \"escaped\": \"\\u00e9" BODY "\"}",
       .headers = "X-Echo: " KEY " " BODY "\r\n"}},
     ML_OK},
    {"api_error", {{.http_status = 400, .body = SAID, .headers = "X: " KEY "\r\n"}}, ML_ERR_API},
    {"api_error_without_json", {{.http_status = 404, .body = "<p>" KEY " " BODY}}, ML_ERR_API},
    {"api_error_cut", {{.http_status = 413, .body = SAID, .body_cut = true}}, ML_ERR_API},
    {"api_error_that_breaks_off", {{.http_status = 400, .body = "{\"a\": \"" BODY}}, ML_ERR_API},
    {"api_error_that_cjson_refuses",
     {{.http_status = 400,
       .body = "{\"n\": 1111111111222222222233333333334444444444555555555566666666667777}"}},
     ML_ERR_API},
    {"retry_that_succeeds",
     {{.http_status = 503, .body = SAID}, {.body = "{\"link_token\": \"" LINK_TOKEN "\"}"}},
     ML_OK},
    {"retry_in_vain",
     {{.http_status = 503, .body = SAID}, {.http_status = 500, .body = SAID}},
     ML_ERR_API},
    {"transport_error",
     {{.status = ML_ERR_TRANSPORT, .text = "no " KEY}, {.status = ML_ERR_TLS, .text = KEY}},
     ML_ERR_TLS},
    {"broken_promise", {{.body = "{\"link_token\": [\"" LINK_TOKEN "\"]}"}}, ML_ERR_RESPONSE},
    {"empty_promise",
     {{.body = "{\"" BODY "\": \"" LINK_TOKEN "\", \"link_token\": \"\"}"}},
     ML_ERR_RESPONSE},
    {"broken_json", {{.body = "{\"link_token\": \"" LINK_TOKEN}}, ML_ERR_RESPONSE},
    {"member_given_twice",
     {{.body = "{\"link_token\": \"" LINK_TOKEN "\", \"link_token\": \"" LINK_TOKEN "\"}"}},
     ML_ERR_RESPONSE},
    {"redirect", {{.http_status = 307, .body = KEY LINK_TOKEN}}, ML_ERR_RESPONSE},
};

static ml_client *scripted_client(void) {
    ml_client_options options = secret_options("http://127.0.0.1:9/api");
    options.proxy = TEXT("http://user:" PASSWORD "@127.0.0.1:9");
    return make_client(&scripted_transport, &options);
}

static void no_secret_is_left_by_a_call(void **state) {
    const scripted_row *row = *state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    scripted_play(row->answers, 2);
    expect_call(client, secret_request("acme-" BODY), NULL, row->expected);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_refused_request(void **state) {
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    expect_call(client, wrong_request(), NULL, ML_ERR_VALIDATION);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_key_of_the_call(void **state) {
    static const scripted_answer echo = {.http_status = 401,
                                         .body = "{\"detail\": \"" OWN_KEY "\"}"};
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    scripted_play(&echo, 1);
    ml_request *good = secret_request("a"), *bad = secret_request("b");
    ml_request_set_api_key(good, TEXT(OWN_KEY));
    ml_request_set_api_key(bad, TEXT(OWN_KEY "\n"));
    expect_call(client, good, NULL, ML_ERR_API);
    expect_call(client, bad, NULL, ML_ERR_CONFIGURATION);
    ml_client_free(client);
    expect_nothing_found();
}

/* All that it holds may be secret: path, query, headers and body. */
static ml_request *request_of_any_endpoint(const char *path) {
    ml_request *request = ml_request_new(ml_operation_find("request"));
    ml_value *fields = ml_request_fields(request);
    add_text(request, "method", "PUT");
    add_text(request, "path", path);
    ml_value *params = ml_add_object(fields, "params");
    ml_add_json(params, BODY, TEXT("[\"" BODY "\\u0041\", 1]"));
    ml_add_string(params, "text", TEXT(BODY " " BODY));
    ml_add_json(fields, "json", TEXT("{\"" CONFIG "\": \"" CONFIG "\"}"));
    ml_add_string(ml_add_object(fields, "headers"), "X-Trace", TEXT(HEADER));
    ml_request_set_account_token(request, TEXT(ACCOUNT));
    ml_request_set_api_key(request, TEXT(OWN_KEY));
    return request;
}

static void no_secret_is_left_by_any_endpoint(void **state) {
    static const scripted_answer answers[] = {
        {.body = "[\"" BODY OWN_KEY "\"]"},
        {.http_status = 404, .body = "{\"detail\": \"" LINK_TOKEN " " ACCOUNT "\"}"},
    };
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    ml_request *request = request_of_any_endpoint("/ats/v1/account-token/" LINK_TOKEN " %41");
    ml_request *copy = ml_request_copy(request);
    scripted_play(answers, COUNT(answers));
    expect_call(client, request, NULL, ML_OK);
    expect_call(client, copy, NULL, ML_ERR_API);
    expect_call(client, request_of_any_endpoint("/" BODY "/../x"), NULL, ML_ERR_VALIDATION);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_view(void **state) {
    static const scripted_answer answer = {.http_status = 401, .body = SAID};
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client(), *view = NULL, *none = NULL;
    ml_view_options changes;
    ml_error error;
    ml_error_init(&error);
    ml_view_options_init(&changes);
    changes.account_token = TEXT("of" ACCOUNT);
    assert_int_equal(ml_client_view(client, &changes, &view, &error), ML_OK);
    changes.account_token = TEXT(ACCOUNT "\n");
    assert_int_equal(ml_client_view(client, &changes, &none, &error), ML_ERR_CONFIGURATION);
    assert_null(none);
    ml_error_clear(&error);
    scripted_play(&answer, 1);
    expect_call(view, ml_request_new(ml_operation_find("account_details")), NULL, ML_ERR_API);
    ml_client_free(view);
    ml_client_free(client);
    expect_nothing_found();
}

static int stop(void *context) {
    (void)context;
    return 1;
}

static void no_secret_is_left_by_an_interrupted_call(void **state) {
    static const scripted_answer silence = {.hangs = true};
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    scripted_play(&silence, 1);
    ml_call_options options;
    ml_call_options_init(&options);
    options.tick = stop;
    expect_call(client, secret_request("a"), &options, ML_ERR_INTERRUPTED);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_held_back_call(void **state) {
    static const scripted_answer failure = {.http_status = 400, .body = SAID};
    (void)state;
    scripted_reset();
    look_anew();
    ml_client_options options = secret_options("http://127.0.0.1:10/api");
    options.budget_failures = 1;
    ml_client *client = make_client(&scripted_transport, &options);
    scripted_play(&failure, 1);
    expect_call(client, secret_request("a"), NULL, ML_ERR_API);
    expect_call(client, secret_request("b"), NULL, ML_ERR_BUDGET);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_closed_client(void **state) {
    (void)state;
    scripted_reset();
    look_anew();
    ml_client *client = scripted_client();
    ml_client_close(client);
    expect_call(client, secret_request("a"), NULL, ML_ERR_CLOSED);
    ml_client_free(client);
    expect_nothing_found();
}

static void no_secret_is_left_by_a_refused_client(void **state) {
    (void)state;
    look_anew();
    ml_client_options rows[5];
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = secret_options("http://127.0.0.1:9/api");
    rows[0].api_key = TEXT(KEY "\n");
    rows[1].account_token = TEXT(ACCOUNT " ");
    rows[2].proxy = TEXT("http://user:" PASSWORD "\r@127.0.0.1:9");
    rows[3].ca_bundle = TEXT("/no/such/file");
    rows[4].client_key_password = TEXT(PHRASE "\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        ml_client *client = NULL;
        ml_error error;
        ml_error_init(&error);
        assert_int_equal(ml_client_new_over(&scripted_transport, &rows[i], &client, &error),
                         ML_ERR_CONFIGURATION);
        assert_null(client);
    }
    expect_nothing_found();
}

/* ---- over libcurl ---- */

typedef struct real_row {
    const char *name;
    const char *origin; /* what the server does: see echo.h */
    bool by_proxy;
    ml_status expected;
} real_row;

static const real_row real_rows[] = {
    {"success", LINK_TOKEN, false, ML_OK},
    {"api_error", "e401 " BODY, false, ML_ERR_API},
    {"failure_with_retry", "e503 " BODY, false, ML_ERR_API},
    {"lost_connection", "drop" BODY, false, ML_ERR_TRANSPORT},
    {"time_out", "hang" BODY, false, ML_ERR_TIMEOUT},
    {"redirect", "e307 " BODY, false, ML_ERR_RESPONSE},
    {"broken_promise", "e200 " BODY, false, ML_ERR_RESPONSE},
    {"success_by_proxy", LINK_TOKEN, true, ML_OK},
    {"api_error_by_proxy", "e403 " BODY, true, ML_ERR_API},
    {"refused_by_proxy", "e407 " BODY, true, ML_ERR_TRANSPORT},
};

static void call_really(const real_row *row, const char *base_url, const char *proxy) {
    ml_client_options options = secret_options(base_url);
    ml_call_options call;
    ml_call_options_init(&call);
    call.timeout = row->expected == ML_ERR_TIMEOUT ? 0.3 : -1.0;
    options.proxy = ml_text_of(proxy);
    ml_client *client = make_client(NULL, &options);
    expect_call(client, secret_request(row->origin), &call, row->expected);
    /* Over the kept connection, if there is one. */
    expect_call(client, secret_request(row->origin), &call, row->expected);
    ml_client_close(client);
    ml_client_free(client);
}

static void no_secret_is_left_by_a_call_over_libcurl(void **state) {
    const real_row *row = *state;
    char proxy[128] = "";
    echo_start();
    snprintf(proxy, sizeof proxy, "http://user:%s@%.*s", PASSWORD,
             (int)strcspn(echo_base_url() + 7, "/"), echo_base_url() + 7);
    look_anew();
    call_really(row, echo_base_url(), row->by_proxy ? proxy : NULL);
    echo_stop();
    expect_nothing_found();
}

static void no_secret_is_left_where_nobody_listens(void **state) {
    static const real_row row = {.origin = BODY, .expected = ML_ERR_TRANSPORT};
    char proxy[128] = "";
    (void)state;
    snprintf(proxy, sizeof proxy, "http://user:%s@%s", PASSWORD, server_dead_url() + 7);
    proxy[strlen(proxy) - strlen("/api")] = '\0';
    look_anew();
    call_really(&row, server_dead_url(), NULL);
    call_really(&row, "http://127.0.0.1:9/api", proxy);
    expect_nothing_found();
}

int main(void) {
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = __wrap_free};
    cJSON_InitHooks(&hooks);
    SUITE_TEST(a_secret_in_a_freed_block_is_found);
    SUITE_TEST(a_secret_in_a_block_of_cjson_is_found);
    SUITE_ROWS(no_secret_is_left_by_a_call, scripted_rows);
    SUITE_TEST(no_secret_is_left_by_a_refused_request);
    SUITE_TEST(no_secret_is_left_by_a_key_of_the_call);
    SUITE_TEST(no_secret_is_left_by_any_endpoint);
    SUITE_TEST(no_secret_is_left_by_a_view);
    SUITE_TEST(no_secret_is_left_by_an_interrupted_call);
    SUITE_TEST(no_secret_is_left_by_a_held_back_call);
    SUITE_TEST(no_secret_is_left_by_a_closed_client);
    SUITE_TEST(no_secret_is_left_by_a_refused_client);
    SUITE_ROWS(no_secret_is_left_by_a_call_over_libcurl, real_rows);
    SUITE_TEST(no_secret_is_left_where_nobody_listens);
    return suite_run("secrets");
}
