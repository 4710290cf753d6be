/*
 * Views of a client: their own options over the same connections, and who lives how long.
 */
#include "client.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"
#include "support/server.h"

#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static ml_client *new_client(const ml_client_options *options) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_new_over(&scripted_transport, options, &client, &error), ML_OK);
    return client;
}

static ml_client *test_client(void) {
    ml_client_options options = test_options();
    options.account_token = TEXT("first-account-token");
    scripted_reset();
    return new_client(&options);
}

static ml_client *view_of(ml_client *client, const ml_view_options *changes) {
    ml_client *view = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_client_view(client, changes, &view, &error);
    if (status != ML_OK) print_error("%s\n", error.text);
    assert_int_equal(status, ML_OK);
    return view;
}

static ml_client *plain_view(ml_client *client) {
    ml_view_options changes;
    ml_view_options_init(&changes);
    return view_of(client, &changes);
}

/* The error, if there is one, is the caller's to clear. */
static ml_status call_of(ml_client *client, ml_request *request, ml_error *error) {
    ml_response *response = NULL;
    ml_call_options options;
    ml_call_options_init(&options);
    ml_error_init(error);
    ml_status status = ml_client_call(client, request, &options, &response, error);
    ml_response_free(response);
    ml_request_free(request);
    return status;
}

static ml_status call(ml_client *client, const char *operation) {
    ml_error error;
    ml_request *request =
        operation == NULL ? small_request() : ml_request_new(ml_operation_find(operation));
    ml_status status = call_of(client, request, &error);
    ml_error_clear(&error);
    return status;
}

static const scripted_answer fine = {.body = "{\"link_token\":\"t\"}"};

/* ---- options ---- */

static void view_calls_with_its_own_options(void **state) {
    (void)state;
    ml_client *client = test_client();
    ml_view_options changes;
    ml_view_options_init(&changes);
    changes.account_token = TEXT("other-account-token");
    changes.category = TEXT("hris");
    changes.base_url = TEXT("http://127.0.0.1:8/other/");
    changes.timeout = 7.0;
    ml_client *view = view_of(client, &changes);
    scripted_play_forever(&fine);
    assert_int_equal(call(view, "account_details"), ML_OK);
    const scripted_sent *sent = scripted_sent_at(0);
    assert_string_equal(sent->url, "http://127.0.0.1:8/other/hris/v1/account-details");
    expect_contains(sent->lines, "X-Account-Token: other-account-token\n");
    expect_contains(sent->lines, "Bearer " TEST_KEY "\n");
    expect_contains(sent->lines, "User-Agent: tests/1.0\n");
    expect_near(sent->timeout, 7.0);
    assert_int_equal(call(client, "account_details"), ML_OK);
    assert_string_equal(scripted_sent_at(0)->url, "http://127.0.0.1:9/api/ats/v1/account-details");
    expect_contains(scripted_sent_at(0)->lines, "X-Account-Token: first-account-token\n");
    expect_near(scripted_sent_at(0)->timeout, 30.0);
    assert_int_equal(scripted_open_lanes(), 1);
    ml_client_free(view);
    ml_client_free(client);
}

static void view_that_changes_nothing_is_like_its_client(void **state) {
    (void)state;
    ml_client_options options = test_options(), of_view;
    options.account_token = TEXT("first-account-token");
    options.max_connections = 3;
    ml_client *client = test_client(), *view = plain_view(client);
    ml_client_get_options(view, &of_view);
    assert_int_equal(of_view.max_connections, 100);
    expect_text(of_view.base_url, TEXT("http://127.0.0.1:9/api"));
    options.max_connections = 100;
    assert_true(ml_client_matches(view, &options));
    options.account_token = TEXT("other-account-token");
    assert_false(ml_client_matches(view, &options));
    ml_client_free(view);
    ml_client_free(client);
}

typedef struct place_row {
    const char *name;
    ml_text first_region, first_base_url;
    ml_text region, base_url;
    ml_text expected;
    int budget; /* failures */
} place_row;

#define LOCAL TEXT_OF("http://127.0.0.1:9/api")
#define NONE  {NULL, 0}

static const place_row place_rows[] = {
    {"region_wins_over_the_clients_base_url", NONE, LOCAL, TEXT_OF("eu"), NONE,
     TEXT_OF("https://api-eu.merge.dev/api"), 20},
    {"region_wins_over_the_clients_region", TEXT_OF("apac"), NONE, TEXT_OF("eu"), NONE,
     TEXT_OF("https://api-eu.merge.dev/api"), 20},
    {"base_url_wins_over_the_clients_region", TEXT_OF("eu"), NONE, NONE, LOCAL, LOCAL, 0},
    {"base_url_wins_over_a_region_beside_it", TEXT_OF("eu"), NONE, TEXT_OF("apac"), LOCAL, LOCAL,
     0},
    {"region_stays", TEXT_OF("eu"), NONE, NONE, NONE, TEXT_OF("https://api-eu.merge.dev/api"), 20},
    {"base_url_stays", NONE, LOCAL, NONE, NONE, LOCAL, 0},
};

static void view_leads_there(void **state) {
    const place_row *row = *state;
    ml_client_options options = test_options(), of_view;
    options.region = row->first_region;
    options.base_url = row->first_base_url;
    options.budget_failures = -1;
    ml_client *client = new_client(&options);
    ml_view_options changes;
    ml_view_options_init(&changes);
    changes.region = row->region;
    changes.base_url = row->base_url;
    ml_client *view = view_of(client, &changes), *second = plain_view(view);
    ml_client_get_options(view, &of_view);
    expect_text(of_view.base_url, row->expected);
    assert_int_equal(of_view.budget_failures, row->budget);
    ml_client_get_options(second, &of_view);
    expect_text(of_view.base_url, row->expected);
    ml_client_free(client);
    ml_client_free(view);
    ml_client_free(second);
}

typedef struct refused_row {
    const char *name;
    ml_view_options changes;
    const char *option, *part;
} refused_row;

#define UNCHANGED .timeout = -1.0, .max_retries = -1

static const refused_row refused_rows[] = {
    {"region", {UNCHANGED, .region = TEXT_OF("eu2")}, "region", "must be \"us\""},
    {"category", {UNCHANGED, .category = TEXT_OF("A T S")}, "category", "must be a slug"},
    {"base_url", {UNCHANGED, .base_url = TEXT_OF("ftp://x")}, "base_url", "must start with"},
    {"proxy", {UNCHANGED, .proxy = TEXT_OF("ftp://Zq7")}, "proxy", "must be a URL of http"},
    {"plain_http",
     {UNCHANGED, .base_url = TEXT_OF("http://merge.example")},
     "base_url",
     "unencrypted"},
    {"account_token",
     {UNCHANGED, .account_token = TEXT_OF("Zq7\n")},
     "account_token",
     "printable ASCII"},
    {"timeout_of_0", {.timeout = 0.0, .max_retries = -1}, "timeout", "must be more than 0"},
    {"timeout_that_is_no_number",
     {.timeout = NAN, .max_retries = -1},
     "timeout",
     "must be more than 0"},
    {"max_retries", {.timeout = -1.0, .max_retries = 101}, "max_retries", "must be 0 to 100"},
};

static void change_is_refused(void **state) {
    const refused_row *row = *state;
    ml_client *client = test_client(), *view = client;
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_view(client, &row->changes, &view, &error), ML_ERR_CONFIGURATION);
    assert_null(view);
    expect_failure(&error, ML_ERR_CONFIGURATION, row->part);
    assert_string_equal(error.code, row->option);
    expect_unquoted(&error, "Zq7");
    ml_error_clear(&error);
    ml_client_free(client);
}

static void production_key_is_not_sent_in_plain_by_a_view_either(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.api_key = TEXT("production_abcdefgh");
    options.allow_http = true;
    ml_client *client = new_client(&options), *view = NULL;
    ml_view_options changes;
    ml_error error;
    ml_error_init(&error);
    ml_view_options_init(&changes);
    changes.base_url = TEXT("http://merge.example");
    assert_int_equal(ml_client_view(client, &changes, &view, &error), ML_ERR_CONFIGURATION);
    expect_failure(&error, ML_ERR_CONFIGURATION, "is a production key");
    ml_error_clear(&error);
    ml_client_free(client);
}

static void view_takes_the_retries_that_it_says(void **state) {
    (void)state;
    static const scripted_answer answer = {.http_status = 503};
    ml_client *client = test_client();
    ml_view_options changes;
    ml_error error;
    ml_view_options_init(&changes);
    changes.max_retries = 0;
    ml_client *view = view_of(client, &changes);
    scripted_play_forever(&answer);
    assert_int_equal(call_of(view, small_request(), &error), ML_ERR_API);
    assert_int_equal(error.attempts, 1);
    ml_error_clear(&error);
    assert_int_equal(call_of(client, small_request(), &error), ML_ERR_API);
    assert_int_equal(error.attempts, 3);
    ml_error_clear(&error);
    ml_client_free(view);
    ml_client_free(client);
}

/* ---- closing ---- */

static void closed_view_is_closed_alone(void **state) {
    (void)state;
    ml_client *client = test_client(), *view = plain_view(client), *inner = plain_view(view);
    scripted_play_forever(&fine);
    ml_client_close(view);
    ml_client_close(view);
    assert_true(ml_client_is_closed(view));
    assert_false(ml_client_is_closed(client));
    assert_false(ml_client_is_closed(inner));
    assert_int_equal(call(view, NULL), ML_ERR_CLOSED);
    assert_int_equal(call(client, NULL), ML_OK);
    assert_int_equal(call(inner, NULL), ML_OK);
    ml_client_free(view);
    ml_client_free(inner);
    ml_client_free(client);
}

static void closed_client_closes_its_views(void **state) {
    (void)state;
    ml_client *client = test_client(), *view = plain_view(client), *inner = plain_view(view);
    ml_client_close(client);
    assert_true(ml_client_is_closed(view));
    assert_true(ml_client_is_closed(inner));
    assert_int_equal(call(view, NULL), ML_ERR_CLOSED);
    assert_int_equal(call(inner, NULL), ML_ERR_CLOSED);
    ml_client_free(client);
    ml_client_free(inner);
    ml_client_free(view);
}

static void connecting_ahead_over_a_closed_view_is_refused(void **state) {
    (void)state;
    ml_client *client = test_client(), *view = plain_view(client);
    ml_request *request = ml_request_new(ml_operation_find("warm_up"));
    ml_response *response = NULL;
    ml_call_options options;
    ml_error error;
    ml_error_init(&error);
    ml_call_options_init(&options);
    ml_client_close(view);
    assert_int_equal(ml_client_warm_up(view, request, &options, &response, &error), ML_ERR_CLOSED);
    assert_int_equal(scripted_sent_count(), 0);
    ml_request_free(request);
    ml_error_clear(&error);
    ml_client_free(view);
    ml_client_free(client);
}

/* ---- lives ---- */

enum { CLIENT, VIEW, INNER, KINDS };

typedef struct order_row {
    const char *name;
    int order[KINDS];
} order_row;

static const order_row order_rows[] = {
    {"client_first", {CLIENT, VIEW, INNER}}, {"client_then_inner", {CLIENT, INNER, VIEW}},
    {"view_first", {VIEW, CLIENT, INNER}},   {"view_then_inner", {VIEW, INNER, CLIENT}},
    {"inner_first", {INNER, VIEW, CLIENT}},  {"inner_then_client", {INNER, CLIENT, VIEW}},
};

static void what_is_left_works_after_each_that_goes(void **state) {
    const order_row *row = *state;
    ml_client *clients[KINDS];
    clients[CLIENT] = test_client();
    clients[VIEW] = plain_view(clients[CLIENT]);
    clients[INNER] = plain_view(clients[VIEW]);
    scripted_play_forever(&fine);
    for (int i = 0; i < KINDS; i++) {
        for (int j = i; j < KINDS; j++)
            assert_int_equal(call(clients[row->order[j]], NULL), ML_OK);
        assert_int_equal(scripted_open_lanes(), 1);
        ml_client_free(clients[row->order[i]]);
    }
    assert_int_equal(scripted_open_lanes(), 0);
}

static ml_ticket *submit(ml_client *client, ml_mailbox *mailbox, ml_status expected) {
    ml_ticket *ticket = NULL;
    ml_submit_options options;
    ml_error error;
    ml_error_init(&error);
    ml_submit_options_init(&options);
    ml_request *request = ml_request_new(ml_operation_find("account_details"));
    assert_int_equal(ml_client_submit(client, request, &options, mailbox, &ticket, &error),
                     expected);
    if (expected != ML_OK) ml_request_free(request);
    ml_error_clear(&error);
    return ticket;
}

static void expect_outcome(ml_mailbox *mailbox, ml_status status) {
    ml_news *news = ml_mailbox_take(mailbox);
    for (; news != NULL && !news->is_over; news = ml_mailbox_take(mailbox))
        ml_news_free(news);
    assert_non_null(news);
    if (news == NULL) return; /* for the analyzer, which does not know that it never comes here */
    assert_int_equal(news->error->status, status);
    ml_news_free(news);
}

static void ticket_outlives_its_view(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503}, {.body = "{}"}};
    ml_client *client = test_client();
    ml_mailbox *mailbox = ml_mailbox_new();
    ml_view_options changes;
    ml_view_options_init(&changes);
    changes.account_token = TEXT("other-account-token");
    ml_client *view = view_of(client, &changes);
    scripted_play(answers, COUNT(answers));
    submit(view, mailbox, ML_OK);
    ml_client_close(view);
    submit(view, mailbox, ML_ERR_CLOSED);
    ml_client_free(view);
    scripted_settle();
    scripted_advance(10.0);
    scripted_settle();
    expect_outcome(mailbox, ML_OK);
    assert_int_equal(scripted_sent_count(), 2);
    expect_contains(scripted_sent_at(1)->lines, "X-Account-Token: other-account-token\n");
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    assert_int_equal(scripted_open_engines(), 0);
}

static void last_one_to_go_ends_what_is_under_way(void **state) {
    (void)state;
    static const scripted_answer hanging = {.hangs = true};
    ml_client *client = test_client(), *view = plain_view(client);
    ml_mailbox *mailbox = ml_mailbox_new();
    scripted_play_forever(&hanging);
    submit(client, mailbox, ML_OK);
    scripted_settle();
    ml_client_free(client);
    scripted_settle();
    assert_null(ml_mailbox_take(mailbox));
    assert_int_equal(scripted_open_engines(), 1);
    ml_client_free(view);
    expect_outcome(mailbox, ML_ERR_CLOSED);
    assert_int_equal(scripted_open_engines(), 0);
    ml_mailbox_free(mailbox);
}

/* ---- over libcurl ---- */

static const server_turn good = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n"
                                           "{\"link_token\":\"t\"}"};

static ml_client *real_client(const char *base_url) {
    ml_client *client = NULL;
    ml_client_options options = test_options();
    ml_error error;
    ml_error_init(&error);
    options.base_url = ml_text_of(base_url);
    options.max_retries = 0;
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    return client;
}

static void view_uses_the_connection_of_its_client(void **state) {
    (void)state;
    server_start_forever(&good);
    ml_client *client = real_client(server_base_url()), *view = plain_view(client);
    assert_int_equal(call(client, NULL), ML_OK);
    assert_int_equal(call(view, NULL), ML_OK);
    ml_client_free(client);
    assert_int_equal(call(view, NULL), ML_OK);
    server_stop();
    assert_int_equal(server_requests(), 3);
    assert_int_equal(server_connections(), 1);
    ml_client_free(view);
}

static void failure_names_the_server_of_the_view(void **state) {
    (void)state;
    ml_view_options changes;
    ml_error error;
    char server[64];
    const char *dead = server_dead_url();
    server_start_forever(&good);
    ml_client *client = real_client(server_base_url());
    ml_view_options_init(&changes);
    changes.base_url = ml_text_of(dead);
    ml_client *view = view_of(client, &changes);
    assert_int_equal(call(client, NULL), ML_OK);
    assert_int_equal(call_of(view, small_request(), &error), ML_ERR_TRANSPORT);
    snprintf(server, sizeof server, "%.*s", (int)strcspn(dead + 7, "/"), dead + 7);
    expect_contains(error.text, server);
    ml_error_clear(&error);
    assert_int_equal(call(client, NULL), ML_OK);
    server_stop();
    ml_client_free(view);
    ml_client_free(client);
}

/* The engine connects for all of them. */
static void failure_of_a_ticket_names_the_server_of_the_view(void **state) {
    (void)state;
    ml_view_options changes;
    ml_news *news;
    char server[64];
    const char *dead = server_dead_url();
    ml_mailbox *mailbox = ml_mailbox_new();
    ml_client *client = real_client("http://127.0.0.1:9/api");
    ml_view_options_init(&changes);
    changes.account_token = TEXT("other-account-token");
    changes.base_url = ml_text_of(dead);
    ml_client *view = view_of(client, &changes);
    submit(view, mailbox, ML_OK);
    ml_client_free(view);
    while ((news = ml_mailbox_take(mailbox)) == NULL)
        ml_mailbox_wait(mailbox, 10.0);
    expect_contains(news->error->request, dead);
    snprintf(server, sizeof server, "%.*s", (int)strcspn(dead + 7, "/"), dead + 7);
    expect_contains(news->error->text, server);
    ml_news_free(news);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
}

enum { THREADS = 4, ROUNDS = 50 };

static void *make_and_call(void *context) {
    ml_client *client = context;
    for (int i = 0; i < ROUNDS; i++) {
        ml_client *view = plain_view(client), *inner = plain_view(view);
        ml_client_free(view);
        if (call(inner, NULL) != ML_OK) return context;
        ml_client_close(inner);
        ml_client_free(inner);
    }
    return NULL;
}

static void threads_make_views_of_one_client(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    ml_client *client = test_client();
    scripted_play_forever(&fine);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_and_call, client), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed = client;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    ml_client_free(client);
    assert_int_equal(scripted_open_lanes(), 0);
}

static void view_works_in_a_forked_child(void **state) {
    (void)state;
    int ends[2];
    unsigned char told = 255;
    server_start_forever(&good);
    ml_client *client = real_client(server_base_url()), *view = plain_view(client);
    assert_int_equal(call(view, NULL), ML_OK);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        unsigned char status = (unsigned char)call(view, NULL);
        ml_client_free(client);
        if (status == ML_OK) status = (unsigned char)call(view, NULL);
        ml_client_free(view);
        _exit(write(ends[1], &status, 1) == 1 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, 1), 1);
    close(ends[0]);
    waitpid(child, NULL, 0);
    assert_int_equal(told, ML_OK);
    assert_int_equal(call(view, NULL), ML_OK);
    server_stop();
    assert_int_equal(server_requests(), 4);
    assert_int_equal(server_connections(), 2);
    ml_client_free(view);
    ml_client_free(client);
}

int main(void) {
    SUITE_TEST(view_calls_with_its_own_options);
    SUITE_TEST(view_that_changes_nothing_is_like_its_client);
    SUITE_ROWS(view_leads_there, place_rows);
    SUITE_ROWS(change_is_refused, refused_rows);
    SUITE_TEST(production_key_is_not_sent_in_plain_by_a_view_either);
    SUITE_TEST(view_takes_the_retries_that_it_says);
    SUITE_TEST(closed_view_is_closed_alone);
    SUITE_TEST(closed_client_closes_its_views);
    SUITE_TEST(connecting_ahead_over_a_closed_view_is_refused);
    SUITE_ROWS(what_is_left_works_after_each_that_goes, order_rows);
    SUITE_TEST(ticket_outlives_its_view);
    SUITE_TEST(last_one_to_go_ends_what_is_under_way);
    SUITE_TEST(view_uses_the_connection_of_its_client);
    SUITE_TEST(failure_names_the_server_of_the_view);
    SUITE_TEST(failure_of_a_ticket_names_the_server_of_the_view);
    SUITE_TEST(threads_make_views_of_one_client);
    SUITE_TEST(view_works_in_a_forked_child);
    return suite_run("views");
}
