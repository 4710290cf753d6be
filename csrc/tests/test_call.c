/*
 * A call from begin to end over the scripted transport: retries, deadline, ticks, closing, the
 * pool of connections.
 */
#include "client.h"
#include "support/build.h"
#include "support/crowd.h"
#include "support/expect.h"
#include "support/scripted.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>

/* A client with its last call. */
typedef struct stage {
    ml_client *client;
    ml_request *request;
    ml_call_options options;
    ml_response *response;
    ml_error error;
    ml_status status;
} stage;

static void open_stage_with(stage *s, const ml_client_options *options) {
    *s = (stage){.request = small_request()};
    scripted_reset();
    ml_error_init(&s->error);
    ml_call_options_init(&s->options);
    assert_int_equal(ml_client_new_over(&scripted_transport, options, &s->client, &s->error),
                     ML_OK);
}

static void open_stage(stage *s) {
    ml_client_options options = test_options();
    open_stage_with(s, &options);
}

static void call(stage *s) {
    ml_response_free(s->response);
    s->status = ml_client_call(s->client, s->request, &s->options, &s->response, &s->error);
}

static void close_stage(stage *s) {
    ml_response_free(s->response);
    ml_request_free(s->request);
    ml_error_clear(&s->error);
    ml_client_free(s->client);
    assert_int_equal(scripted_open_lanes(), 0);
}

static const scripted_answer fine = {0};

/* ---- what goes out ---- */

static void request_goes_out_whole(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    scripted_play(&fine, 1);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_int_equal(s.error.status, ML_OK);
    assert_int_equal(ml_response_attempts(s.response), 1);
    const scripted_sent *sent = scripted_sent_at(0);
    assert_string_equal(sent->method, "POST");
    assert_string_equal(sent->url, "http://127.0.0.1:9/api/ats/v1/link-token");
    assert_string_equal(sent->lines,
                        "User-Agent: tests/1.0\nAccept: application/json\n"
                        "Authorization: Bearer " TEST_KEY "\nContent-Type: application/json\n");
    expect_contains(sent->body, "\"link_expiry_mins\":30}");
    assert_int_equal(sent->max_response_bytes, 1024 * 1024);
    expect_near(sent->timeout, 30.0);
    close_stage(&s);
}

static void size_limit_of_the_client_wins_over_the_operations(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.max_response_bytes = 77;
    open_stage_with(&s, &options);
    scripted_play(&fine, 1);
    call(&s);
    assert_int_equal(scripted_sent_at(0)->max_response_bytes, 77);
    close_stage(&s);
}

static void key_of_the_call_wins_over_the_clients(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    scripted_play(&fine, 1);
    ml_request_set_api_key(s.request, TEXT("other_key"));
    call(&s);
    expect_contains(scripted_sent_at(0)->lines, "Authorization: Bearer other_key\n");
    expect_absent(scripted_sent_at(0)->lines, TEST_KEY);
    close_stage(&s);
}

/* ---- what never goes out ---- */

static void expect_unsent(stage *s, ml_status status, const char *part) {
    scripted_play(&fine, 1);
    call(s);
    expect_failure(&s->error, status, part);
    assert_int_equal(s->status, status);
    assert_int_equal(scripted_sent_count(), 0);
    assert_int_equal(s->error.attempts, 0);
    assert_false(s->error.may_have_arrived);
    assert_null(s->response);
}

static void request_with_problems_is_not_sent(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    add_text(s.request, "language", "?");
    expect_unsent(&s, ML_ERR_VALIDATION, "language must be a language tag");
    assert_int_equal(s.error.problem_count, 1);
    close_stage(&s);
}

static void call_without_any_key_is_not_sent(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.api_key = (ml_text){0};
    open_stage_with(&s, &options);
    expect_unsent(&s, ML_ERR_CONFIGURATION, "api_key is missing");
    close_stage(&s);
}

static void call_without_the_account_token_it_needs_is_not_sent(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    ml_request_free(s.request);
    s.request = thing_request("ats", TEXT("1"));
    expect_unsent(&s, ML_ERR_CONFIGURATION, "fetch_thing needs an account_token");
    close_stage(&s);
}

/* ---- nothing leaves this machine ---- */

static const char forbidden[] = "and calls that leave this machine are forbidden now";

static void call_to_another_host_is_not_sent_while_it_is_forbidden(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.base_url = TEXT("https://api-eu.merge.dev/api");
    open_stage_with(&s, &options);
    ml_set_loopback_only(true);
    expect_unsent(&s, ML_ERR_CONFIGURATION, "base_url leads to api-eu.merge.dev, ");
    expect_contains(s.error.text, forbidden);
    ml_set_loopback_only(false);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    close_stage(&s);
}

static void call_through_another_host_is_not_sent_while_it_is_forbidden(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.proxy = TEXT("http://user:hidden@proxy.example:3128");
    options.allow_http = true;
    open_stage_with(&s, &options);
    ml_set_loopback_only(true);
    expect_unsent(&s, ML_ERR_CONFIGURATION, "proxy leads to proxy.example:3128, ");
    expect_absent(s.error.text, "hidden");
    ml_set_loopback_only(false);
    close_stage(&s);
}

static void connecting_ahead_is_forbidden_too(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.base_url = TEXT("https://api.merge.dev/api");
    open_stage_with(&s, &options);
    ml_request *request = ml_request_new(ml_operation_find("warm_up"));
    ml_add_integer(ml_request_fields(request), "connections", 1);
    ml_set_loopback_only(true);
    ml_client_warm_up(s.client, request, &s.options, &s.response, &s.error);
    expect_failure(&s.error, ML_ERR_CONFIGURATION, forbidden);
    assert_int_equal(scripted_sent_count(), 0);
    ml_set_loopback_only(false);
    ml_request_free(request);
    close_stage(&s);
}

static void loopback_may_be_called_while_all_else_is_forbidden(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    scripted_play(&fine, 1);
    ml_set_loopback_only(true);
    call(&s);
    ml_set_loopback_only(false);
    assert_int_equal(s.status, ML_OK);
    close_stage(&s);
}

static void what_was_forbidden_twice_is_allowed_by_the_second_leave(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.base_url = TEXT("https://api.merge.dev/api");
    open_stage_with(&s, &options);
    ml_set_loopback_only(false); /* one too many counts for nothing */
    ml_set_loopback_only(true);
    ml_set_loopback_only(true);
    ml_set_loopback_only(false);
    expect_unsent(&s, ML_ERR_CONFIGURATION, forbidden);
    ml_set_loopback_only(false);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    close_stage(&s);
}

static void *forbid_and_allow(void *unused) {
    (void)unused;
    for (int i = 0; i < 10000; i++) {
        ml_set_loopback_only(true);
        ml_set_loopback_only(false);
    }
    return NULL;
}

static void threads_that_forbid_and_allow_do_not_disturb_each_other(void **state) {
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    stage s;
    ml_client_options options = test_options();
    options.base_url = TEXT("https://api.merge.dev/api");
    open_stage_with(&s, &options);
    ml_set_loopback_only(true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, forbid_and_allow, NULL), 0);
    for (int i = 0; i < 100; i++)
        expect_unsent(&s, ML_ERR_CONFIGURATION, forbidden);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ml_set_loopback_only(false);
    scripted_play(&fine, 1);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    close_stage(&s);
}

typedef struct option_row {
    const char *name;
    double timeout;
    int max_retries;
    const char *part; /* NULL: accepted */
} option_row;

static const option_row option_rows[] = {
    {"call_timeout_zero", 0.0, -1, "timeout must be more than 0"},
    {"call_timeout_nan", (double)NAN, -1, "timeout must be more than 0"},
    {"call_timeout_infinite", (double)INFINITY, -1, "timeout must be more than 0"},
    {"call_timeout_over_a_day", 86401.0, -1, "timeout must be more than 0"},
    {"call_timeout_of_a_day", 86400.0, -1, NULL},
    {"call_timeout_not_given", -1.0, -1, NULL},
    {"call_retries_101", -1.0, 101, "max_retries must be 0 to 100"},
    {"call_retries_100", -1.0, 100, NULL},
};

static void options_of_the_call_are_checked(void **state) {
    const option_row *row = *state;
    stage s;
    open_stage(&s);
    s.options.timeout = row->timeout;
    s.options.max_retries = row->max_retries;
    if (row->part != NULL) {
        expect_unsent(&s, ML_ERR_CONFIGURATION, row->part);
    } else {
        scripted_play(&fine, 1);
        call(&s);
        assert_int_equal(s.status, ML_OK);
    }
    close_stage(&s);
}

static void lane_that_cannot_be_opened_fails_this_call_only(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.max_connections = 1;
    open_stage_with(&s, &options);
    for (int i = 0; i < 3; i++) {
        scripted_play(&fine, 1);
        scripted_refuse_lanes(true);
        call(&s);
        expect_failure(&s.error, ML_ERR_CONFIGURATION, "no lanes today");
    }
    scripted_refuse_lanes(false);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    close_stage(&s);
}

/* ---- retries ---- */

static void call_succeeds_at_the_fourth_attempt(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 503}, {.http_status = 503}, {.http_status = 503}, {0}};
    static const double starts[] = {1000.0, 1000.25, 1000.75, 1001.75};
    stage s;
    open_stage(&s);
    s.options.max_retries = 3;
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_int_equal(scripted_sent_count(), 4);
    assert_int_equal(ml_response_attempts(s.response), 4);
    for (size_t i = 0; i < 4; i++) {
        expect_near(scripted_sent_at(i)->at, starts[i]);
        expect_near(scripted_sent_at(i)->timeout, 1030.0 - starts[i]);
        assert_string_equal(scripted_sent_at(i)->body, scripted_sent_at(0)->body);
    }
    close_stage(&s);
}

static void last_failure_is_told_when_retries_are_used_up(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503},
                                              {.status = ML_ERR_TRANSPORT},
                                              {.http_status = 502, .body = "{\"detail\":\"x\"}"}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    expect_failure(&s.error, ML_ERR_API, "Merge answered 502: x");
    assert_int_equal(s.error.http_status, 502);
    assert_int_equal(s.error.attempts, 3);
    assert_string_equal(s.error.code, "");
    assert_true(s.error.may_have_arrived);
    assert_int_equal(ml_response_attempts(s.response), 3);
    close_stage(&s);
}

static void retries_of_the_call_win_over_the_clients(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503}, {0}};
    stage s;
    open_stage(&s);
    s.options.max_retries = 0;
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_ERR_API);
    assert_int_equal(scripted_sent_count(), 1);
    close_stage(&s);
}

static void retry_after_is_obeyed_when_it_fits(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 429, .headers = "Retry-After: 12\r\n"}, {0}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_OK);
    expect_near(scripted_sent_at(1)->at, 1012.0);
    close_stage(&s);
}

static void retry_after_longer_than_the_deadline_is_told_at_once(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 429, .headers = "Retry-After: 31\r\n", .body = "{\"detail\":\"slow\"}"},
        {0}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    expect_failure(&s.error, ML_ERR_API, "Merge answered 429: slow");
    expect_near(s.error.retry_after, 31.0);
    expect_near(scripted_now(), 1000.0);
    close_stage(&s);
}

/* This machine's clock is an hour late; the server's Date says how long its date is to wait. */
static void retry_after_by_date_follows_the_servers_clock(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 503,
         .began = 1700000000.0 - 3600.0,
         .headers = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
                    "Retry-After: Tue, 14 Nov 2023 22:13:23 GMT\r\n"},
        {0}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_OK);
    expect_near(scripted_sent_at(1)->at, 1003.0);
    close_stage(&s);
}

static void silence_ends_at_the_deadline(void **state) {
    (void)state;
    static const scripted_answer silence = {.takes = 1e9};
    stage s;
    open_stage(&s);
    s.options.timeout = 2.5;
    scripted_play_forever(&silence);
    call(&s);
    assert_int_equal(s.status, ML_ERR_TIMEOUT);
    assert_string_equal(s.error.code, "CURLE_OPERATION_TIMEDOUT");
    assert_true(s.error.may_have_arrived);
    assert_null(s.response);
    expect_near(scripted_now(), 1002.5);
    close_stage(&s);
}

static void attempts_count_what_the_transport_sent_again(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503, .resends = 2}, {.resends = 1}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(ml_response_attempts(s.response), 5);
    close_stage(&s);
}

static void exchange_that_never_began_is_a_failed_attempt(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.status = ML_ERR_TRANSPORT, .refused = true, .unsent = true}, {0}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_int_equal(scripted_sent_count(), 2);
    close_stage(&s);
}

static void arrival_of_any_attempt_is_remembered(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.status = ML_ERR_TRANSPORT},
                                              {.status = ML_ERR_TRANSPORT, .unsent = true},
                                              {.status = ML_ERR_TRANSPORT, .unsent = true}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.status, ML_ERR_TRANSPORT);
    assert_string_equal(s.error.code, "CURLE_RECV_ERROR");
    assert_true(s.error.may_have_arrived);
    scripted_play(answers + 1, 1);
    s.options.max_retries = 0;
    call(&s);
    assert_false(s.error.may_have_arrived);
    close_stage(&s);
}

static void transport_text_that_quotes_the_key_is_masked(void **state) {
    (void)state;
    static const scripted_answer answer = {.status = ML_ERR_TRANSPORT, .text = "bad " TEST_KEY};
    stage s;
    open_stage(&s);
    s.options.max_retries = 0;
    scripted_play(&answer, 1);
    call(&s);
    expect_contains(s.error.text, "bad *********************");
    expect_absent(s.error.text, TEST_KEY);
    expect_absent(s.error.code, TEST_KEY);
    close_stage(&s);
}

/* The proxy may tell what it was told: its password, and that in base64 as it was sent. */
static void proxy_that_quotes_its_password_is_masked(void **state) {
    (void)state;
    static const scripted_answer answer = {.http_status = 407,
                                           .headers = "X-A: pass-word dXNlcjpwYXNzLXdvcmQ=\r\n",
                                           .body =
                                               "{\"detail\":\"pass-word, dXNlcjpwYXNzLXdvcmQ=\"}"};
    stage s;
    ml_client_options options = test_options();
    options.proxy = TEXT("http://user:pass-word@127.0.0.1:9");
    open_stage_with(&s, &options);
    scripted_play(&answer, 1);
    call(&s);
    assert_string_equal(s.error.text, "Merge answered 407: *********, ********************");
    expect_text(ml_response_headers(s.response), TEXT("X-A: ********* ********************\r\n"));
    close_stage(&s);
}

static void success_clears_the_error_of_the_call_before(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 400, .body = "{\"a\":[\"x\"]}"}, {0}};
    stage s;
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.error.problem_count, 1);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_int_equal(s.error.status, ML_OK);
    assert_int_equal(s.error.problem_count, 0);
    assert_int_equal(s.error.http_status, 0);
    assert_string_equal(s.error.text, "");
    close_stage(&s);
}

/* ---- ticks ---- */

/* Counts ticks, notes the longest gap between two, and stops the call at one of them. */
typedef struct ticker {
    int count, stop_at; /* 0: never */
    double last, longest_gap;
} ticker;

static int tick(void *context) {
    ticker *t = context;
    double now = scripted_now();
    if (now - t->last > t->longest_gap) t->longest_gap = now - t->last;
    t->last = now;
    return ++t->count == t->stop_at;
}

static void set_ticker(stage *s, ticker *t) {
    *t = (ticker){.stop_at = t->stop_at, .last = scripted_now()};
    s->options.tick = tick;
    s->options.context = t;
}

static void ticks_come_every_fifth_of_a_second(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 503, .headers = "Retry-After: 3\r\n", .takes = 5.0}, {.takes = 5.0}};
    stage s;
    ticker t = {0};
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    set_ticker(&s, &t);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_true(t.longest_gap < 0.401);
    assert_true(t.count >= 60);
    close_stage(&s);
}

static void expect_interrupted(stage *s, ticker *t, unsigned attempts, bool arrived) {
    call(s);
    expect_failure(&s->error, ML_ERR_INTERRUPTED, "interrupted");
    assert_int_equal(s->status, ML_ERR_INTERRUPTED);
    assert_int_equal(t->count, t->stop_at);
    assert_int_equal(s->error.attempts, attempts);
    assert_int_equal(s->error.may_have_arrived, arrived);
    assert_null(s->response);
}

static void expect_still_usable(stage *s) {
    s->options.tick = NULL;
    scripted_play(&fine, 1);
    call(s);
    assert_int_equal(s->status, ML_OK);
    assert_int_equal(scripted_open_lanes(), 1);
}

static void tick_ends_a_call_that_waits_for_the_answer(void **state) {
    (void)state;
    static const scripted_answer hangs = {.hangs = true};
    stage s;
    ticker t = {.stop_at = 4};
    open_stage(&s);
    scripted_play(&hangs, 1);
    set_ticker(&s, &t);
    expect_interrupted(&s, &t, 1, true);
    assert_int_equal(scripted_cancelled(), 1);
    expect_still_usable(&s);
    close_stage(&s);
}

static void tick_ends_a_call_that_waits_for_its_retry(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 429, .headers = "Retry-After: 20\r\n"}, {0}};
    stage s;
    ticker t = {.stop_at = 3};
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    set_ticker(&s, &t);
    expect_interrupted(&s, &t, 1, true);
    assert_int_equal(scripted_cancelled(), 0);
    assert_int_equal(scripted_sent_count(), 1);
    expect_still_usable(&s);
    close_stage(&s);
}

/* ---- what is told of attempts ---- */

typedef struct diary {
    size_t count;
    ml_attempt attempts[8]; /* their texts are checked as they come */
    double server_times[8];
} diary;

static void note(void *context, const ml_attempt *attempt) {
    diary *d = context;
    assert_string_equal(attempt->method, "POST");
    assert_string_equal(attempt->host, "127.0.0.1");
    assert_string_equal(attempt->path, "/ats/v1/link-token");
    assert_string_equal(attempt->url, "http://127.0.0.1:9/api/ats/v1/link-token");
    assert_string_equal(attempt->code, d->count == 1 ? "CURLE_RECV_ERROR" : "");
    d->attempts[d->count % COUNT(d->attempts)] = *attempt;
    d->server_times[d->count % COUNT(d->attempts)] = ml_answer_time(attempt->headers, -1.0);
    d->count++;
}

#define NOVEMBER "Sun, 06 Nov 1994 08:49:37 GMT"

static void each_attempt_is_told_before_and_after(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.status = ML_ERR_TRANSPORT, .takes = 1.5, .headers = "Date: " NOVEMBER "\r\n"},
        {.http_status = 503},
        {.takes = 2.0, .headers = "Date: " NOVEMBER "\r\n"}};
    static const struct {
        unsigned number;
        bool is_over;
        int http_status;
        double seconds, retry_in, server_time;
    } expected[] = {{1, false, 0, 0, -1, -1}, {1, true, 0, 1.5, 0.25, -1},
                    {2, false, 0, 0, -1, -1}, {2, true, 503, 0, 0.5, -1},
                    {3, false, 0, 0, -1, -1}, {3, true, 200, 2.0, -1, 784111777.0}};
    stage s;
    diary d = {0};
    open_stage(&s);
    scripted_play(answers, COUNT(answers));
    s.options.on_attempt = note;
    s.options.context = &d;
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_int_equal(d.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(d.attempts[i].number, expected[i].number);
        assert_int_equal(d.attempts[i].is_over, expected[i].is_over);
        assert_int_equal(d.attempts[i].http_status, expected[i].http_status);
        expect_near(d.attempts[i].seconds, expected[i].seconds);
        expect_near(d.attempts[i].retry_in, expected[i].retry_in);
        expect_near(d.server_times[i], expected[i].server_time);
        expect_near(d.attempts[i].timing.total, 0.0);
    }
    close_stage(&s);
}

static void failure_says_what_was_asked(void **state) {
    (void)state;
    static const scripted_answer refusal = {.http_status = 404};
    stage s;
    open_stage(&s);
    scripted_play(&refusal, 1);
    call(&s);
    assert_int_equal(s.status, ML_ERR_API);
    assert_string_equal(s.error.request, "POST http://127.0.0.1:9/api/ats/v1/link-token");
    close_stage(&s);
}

static void path_value_and_secret_are_left_out_of_what_was_asked(void **state) {
    (void)state;
    static const scripted_answer refusal = {.http_status = 404};
    stage s;
    ml_client_options options = test_options();
    options.account_token = TEXT("account/1");
    options.base_url = TEXT("http://127.0.0.1:9/" TEST_KEY "/api");
    open_stage_with(&s, &options);
    ml_request_free(s.request);
    s.request = thing_request("ats", TEXT("things-secret"));
    scripted_play(&refusal, 1);
    call(&s);
    assert_int_equal(s.status, ML_ERR_API);
    assert_null(strstr(s.error.request, TEST_KEY));
    expect_contains(s.error.request, "/api/ats/v1/things/{thing}");
    close_stage(&s);
}

/* ---- other threads ---- */

/* A call in a thread of its own, with the stage's client. */
typedef struct actor {
    stage *s;
    pthread_t thread;
    ml_status status;
    char text[ML_ERROR_TEXT_SIZE];
    int (*tick)(void *);
    sem_t ticked;
} actor;

static void *act(void *context) {
    actor *a = context;
    ml_request *request = small_request();
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_call_options options = a->s->options;
    options.tick = a->tick;
    options.context = a;
    a->status = ml_client_call(a->s->client, request, &options, &response, &error);
    snprintf(a->text, sizeof a->text, "%s", error.text);
    ml_response_free(response);
    ml_error_clear(&error);
    ml_request_free(request);
    return NULL;
}

static void enter_actor(actor *a, stage *s, int (*on_tick)(void *)) {
    *a = (actor){.s = s, .tick = on_tick};
    sem_init(&a->ticked, 0, 0);
    assert_int_equal(pthread_create(&a->thread, NULL, act, a), 0);
}

static void leave_actor(actor *a) {
    pthread_join(a->thread, NULL);
    sem_destroy(&a->ticked);
}

static int tell_tick(void *context) {
    actor *a = context;
    sem_post(&a->ticked);
    return 0;
}

static int hurry(void *context) {
    (void)context;
    scripted_advance(100.0);
    return 0;
}

static int stop(void *context) {
    (void)context;
    return 1;
}

static const scripted_answer blocked = {.blocks = true};

/* One thread holds the only connection. */
static void open_crowded_stage(stage *s, actor *holder) {
    ml_client_options options = test_options();
    options.max_connections = 1;
    open_stage_with(s, &options);
    scripted_play_forever(&blocked);
    enter_actor(holder, s, NULL);
    scripted_await_blocked(1);
}

static void close_crowded_stage(stage *s, actor *holder) {
    scripted_release();
    leave_actor(holder);
    assert_int_equal(holder->status, ML_OK);
    close_stage(s);
}

static void closing_wakes_a_call_that_waits_for_the_answer(void **state) {
    (void)state;
    stage s;
    actor a;
    open_stage(&s);
    scripted_play_forever(&blocked);
    enter_actor(&a, &s, NULL);
    scripted_await_blocked(1);
    ml_client_close(s.client);
    leave_actor(&a);
    assert_int_equal(a.status, ML_ERR_CLOSED);
    expect_contains(a.text, "closed during the call");
    assert_int_equal(scripted_open_lanes(), 0);
    close_stage(&s);
}

static void closing_wakes_a_call_that_waits_for_its_retry(void **state) {
    (void)state;
    static const scripted_answer answer = {.http_status = 503};
    stage s;
    actor a;
    open_stage(&s);
    scripted_play(&answer, 1);
    scripted_block_waits();
    enter_actor(&a, &s, NULL);
    scripted_await_blocked(1);
    ml_client_close(s.client);
    leave_actor(&a);
    assert_int_equal(a.status, ML_ERR_CLOSED);
    assert_int_equal(scripted_sent_count(), 1);
    close_stage(&s);
}

static void closing_wakes_a_call_that_waits_for_a_connection(void **state) {
    (void)state;
    stage s;
    actor holder, waiter;
    open_crowded_stage(&s, &holder);
    enter_actor(&waiter, &s, tell_tick);
    sem_wait(&waiter.ticked);
    ml_client_close(s.client);
    leave_actor(&waiter);
    leave_actor(&holder);
    assert_int_equal(waiter.status, ML_ERR_CLOSED);
    assert_int_equal(holder.status, ML_ERR_CLOSED);
    close_stage(&s);
}

static void closed_client_sends_nothing(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    assert_false(ml_client_is_closed(s.client));
    ml_client_close(s.client);
    ml_client_close(s.client);
    assert_true(ml_client_is_closed(s.client));
    expect_unsent(&s, ML_ERR_CLOSED, "the client is closed");
    close_stage(&s);
}

static void closing_lets_idle_connections_go(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    scripted_play(&fine, 1);
    call(&s);
    assert_int_equal(scripted_open_lanes(), 1);
    ml_client_close(s.client);
    assert_int_equal(scripted_open_lanes(), 0);
    close_stage(&s);
}

static void client_of_null_may_be_freed(void **state) {
    (void)state;
    ml_client_free(NULL);
}

static void connection_that_becomes_free_is_taken_by_who_waits(void **state) {
    (void)state;
    stage s;
    actor holder, waiter;
    open_crowded_stage(&s, &holder);
    enter_actor(&waiter, &s, tell_tick);
    sem_wait(&waiter.ticked);
    scripted_release();
    leave_actor(&waiter);
    assert_int_equal(waiter.status, ML_OK);
    assert_int_equal(scripted_open_lanes(), 1);
    close_crowded_stage(&s, &holder);
}

static void waiting_for_a_connection_ends_at_the_deadline(void **state) {
    (void)state;
    stage s;
    actor holder, waiter;
    open_crowded_stage(&s, &holder);
    enter_actor(&waiter, &s, hurry);
    leave_actor(&waiter);
    assert_int_equal(waiter.status, ML_ERR_TIMEOUT);
    expect_contains(waiter.text, "timed out waiting for a free connection");
    close_crowded_stage(&s, &holder);
}

static void waiting_for_a_connection_is_interrupted_by_the_tick(void **state) {
    (void)state;
    stage s;
    actor holder, waiter;
    open_crowded_stage(&s, &holder);
    enter_actor(&waiter, &s, stop);
    leave_actor(&waiter);
    assert_int_equal(waiter.status, ML_ERR_INTERRUPTED);
    close_crowded_stage(&s, &holder);
}

/* Two failures of a budget of eight are a warning: with six calls in flight the next one waits. */
static void call_that_the_budget_holds_goes_when_another_ends(void **state) {
    (void)state;
    static const scripted_answer refusal = {.http_status = 400};
    stage s;
    actor actors[6], held;
    ml_client_options options = test_options();
    options.base_url = TEXT("http://127.0.0.1:999/api");
    options.budget_failures = 8;
    open_stage_with(&s, &options);
    scripted_play_forever(&refusal);
    call(&s);
    call(&s);
    scripted_play_forever(&blocked);
    for (size_t i = 0; i < COUNT(actors); i++)
        enter_actor(&actors[i], &s, NULL);
    scripted_await_blocked(COUNT(actors));
    enter_actor(&held, &s, tell_tick);
    sem_wait(&held.ticked);
    assert_int_equal(scripted_blocked(), COUNT(actors));
    scripted_release();
    leave_actor(&held);
    assert_int_equal(held.status, ML_OK);
    for (size_t i = 0; i < COUNT(actors); i++)
        leave_actor(&actors[i]);
    close_stage(&s);
}

static void calls_one_after_the_other_share_a_connection(void **state) {
    (void)state;
    stage s;
    open_stage(&s);
    scripted_play_forever(&fine);
    for (int i = 0; i < 5; i++)
        call(&s);
    assert_int_equal(scripted_open_lanes(), 1);
    close_stage(&s);
}

static void calls_at_the_same_time_have_connections_of_their_own(void **state) {
    (void)state;
    stage s;
    actor actors[5];
    open_stage(&s);
    scripted_play_forever(&blocked);
    for (size_t i = 0; i < COUNT(actors); i++)
        enter_actor(&actors[i], &s, NULL);
    scripted_await_blocked(COUNT(actors));
    assert_int_equal(scripted_open_lanes(), COUNT(actors));
    scripted_release();
    for (size_t i = 0; i < COUNT(actors); i++) {
        leave_actor(&actors[i]);
        assert_int_equal(actors[i].status, ML_OK);
    }
    close_stage(&s);
}

static void many_threads_share_few_connections(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.max_connections = 3;
    open_stage_with(&s, &options);
    scripted_play_forever(&fine);
    assert_int_equal(call_from_threads(s.client, 8, 100), 800);
    assert_true(scripted_open_lanes() <= 3);
    close_stage(&s);
}

int main(void) {
    SUITE_TEST(request_goes_out_whole);
    SUITE_TEST(size_limit_of_the_client_wins_over_the_operations);
    SUITE_TEST(key_of_the_call_wins_over_the_clients);
    SUITE_TEST(request_with_problems_is_not_sent);
    SUITE_TEST(call_without_any_key_is_not_sent);
    SUITE_TEST(call_without_the_account_token_it_needs_is_not_sent);
    SUITE_TEST(call_to_another_host_is_not_sent_while_it_is_forbidden);
    SUITE_TEST(call_through_another_host_is_not_sent_while_it_is_forbidden);
    SUITE_TEST(connecting_ahead_is_forbidden_too);
    SUITE_TEST(loopback_may_be_called_while_all_else_is_forbidden);
    SUITE_TEST(what_was_forbidden_twice_is_allowed_by_the_second_leave);
    SUITE_TEST(threads_that_forbid_and_allow_do_not_disturb_each_other);
    SUITE_ROWS(options_of_the_call_are_checked, option_rows);
    SUITE_TEST(lane_that_cannot_be_opened_fails_this_call_only);
    SUITE_TEST(call_succeeds_at_the_fourth_attempt);
    SUITE_TEST(last_failure_is_told_when_retries_are_used_up);
    SUITE_TEST(retries_of_the_call_win_over_the_clients);
    SUITE_TEST(retry_after_is_obeyed_when_it_fits);
    SUITE_TEST(retry_after_longer_than_the_deadline_is_told_at_once);
    SUITE_TEST(retry_after_by_date_follows_the_servers_clock);
    SUITE_TEST(silence_ends_at_the_deadline);
    SUITE_TEST(attempts_count_what_the_transport_sent_again);
    SUITE_TEST(exchange_that_never_began_is_a_failed_attempt);
    SUITE_TEST(arrival_of_any_attempt_is_remembered);
    SUITE_TEST(transport_text_that_quotes_the_key_is_masked);
    SUITE_TEST(proxy_that_quotes_its_password_is_masked);
    SUITE_TEST(success_clears_the_error_of_the_call_before);
    SUITE_TEST(ticks_come_every_fifth_of_a_second);
    SUITE_TEST(tick_ends_a_call_that_waits_for_the_answer);
    SUITE_TEST(tick_ends_a_call_that_waits_for_its_retry);
    SUITE_TEST(each_attempt_is_told_before_and_after);
    SUITE_TEST(failure_says_what_was_asked);
    SUITE_TEST(path_value_and_secret_are_left_out_of_what_was_asked);
    SUITE_TEST(closing_wakes_a_call_that_waits_for_the_answer);
    SUITE_TEST(closing_wakes_a_call_that_waits_for_its_retry);
    SUITE_TEST(closing_wakes_a_call_that_waits_for_a_connection);
    SUITE_TEST(closed_client_sends_nothing);
    SUITE_TEST(closing_lets_idle_connections_go);
    SUITE_TEST(client_of_null_may_be_freed);
    SUITE_TEST(connection_that_becomes_free_is_taken_by_who_waits);
    SUITE_TEST(waiting_for_a_connection_ends_at_the_deadline);
    SUITE_TEST(waiting_for_a_connection_is_interrupted_by_the_tick);
    SUITE_TEST(call_that_the_budget_holds_goes_when_another_ends);
    SUITE_TEST(calls_one_after_the_other_share_a_connection);
    SUITE_TEST(calls_at_the_same_time_have_connections_of_their_own);
    SUITE_TEST(many_threads_share_few_connections);
    return suite_run("call");
}
