/*
 * The error budget: how many calls may fail before further ones are held back.
 */
#include "client.h"
#include "guard.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"

static const ml_budget merges = {.failures = 20, .window = 10.0};

/* Guards live as long as the process, so each test has an origin of its own. */
static ml_guard *new_guard(void) {
    static int number;
    char origin[32];
    snprintf(origin, sizeof origin, "https://test-%d:443", ++number);
    ml_guard *guard = ml_guard_of(origin);
    assert_non_null(guard);
    assert_ptr_equal(ml_guard_of(origin), guard);
    return guard;
}

static ml_guard_verdict ask(ml_guard *guard, const ml_budget *budget, double now, double *until) {
    *until = -1.0;
    return ml_guard_ask(guard, budget, now, until);
}

/* That many requests go out and fail at once. */
static void fail_times(ml_guard *guard, const ml_budget *budget, int times, double now) {
    double until;
    for (int i = 0; i < times; i++) {
        assert_int_equal(ask(guard, budget, now, &until), ML_GUARD_GO);
        ml_guard_leave(guard, budget, true, now);
    }
}

/* That many requests go out and stay. */
static void send_times(ml_guard *guard, const ml_budget *budget, int times, double now) {
    double until;
    for (int i = 0; i < times; i++)
        assert_int_equal(ask(guard, budget, now, &until), ML_GUARD_GO);
}

static void expect_verdict(ml_guard *guard, double now, ml_guard_verdict expected, double when) {
    double until;
    assert_int_equal(ask(guard, &merges, now, &until), expected);
    expect_near(until, when);
}

static void any_number_goes_while_few_fail(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    fail_times(guard, &merges, 4, 100.0);
    send_times(guard, &merges, 500, 100.0);
}

static void from_the_fifth_failure_on_few_go_at_a_time(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    fail_times(guard, &merges, 5, 100.0);
    send_times(guard, &merges, 15, 101.0);
    expect_verdict(guard, 101.0, ML_GUARD_WAIT, 110.0);
    ml_guard_leave(guard, &merges, false, 101.0);
    expect_verdict(guard, 101.0, ML_GUARD_GO, -1.0);
    expect_verdict(guard, 101.0, ML_GUARD_WAIT, 110.0);
}

static void failure_that_lands_keeps_its_place(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    fail_times(guard, &merges, 5, 100.0);
    send_times(guard, &merges, 15, 100.0);
    ml_guard_leave(guard, &merges, true, 100.0);
    expect_verdict(guard, 100.0, ML_GUARD_WAIT, 110.0);
}

static void used_up_budget_refuses_until_the_oldest_failure_leaves(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    fail_times(guard, &merges, 1, 100.0);
    fail_times(guard, &merges, 19, 103.0);
    expect_verdict(guard, 103.0, ML_GUARD_REFUSED, 110.0);
    expect_verdict(guard, 109.999, ML_GUARD_REFUSED, 110.0);
    expect_verdict(guard, 110.0, ML_GUARD_GO, -1.0);
    expect_verdict(guard, 110.0, ML_GUARD_WAIT, 113.0);
}

static void failures_are_forgotten_with_their_window(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    for (int i = 0; i < 10; i++)
        fail_times(guard, &merges, 20, 100.0 + i * 10.0);
}

static void later_failures_push_out_older_ones(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    send_times(guard, &merges, 50, 100.0);
    for (int i = 0; i < 50; i++)
        ml_guard_leave(guard, &merges, true, 100.0 + i * 0.1);
    expect_verdict(guard, 105.0, ML_GUARD_REFUSED, 113.0);
}

static void budget_of_one_is_used_up_by_one(void **state) {
    (void)state;
    static const ml_budget one = {.failures = 1, .window = 2.0};
    double until;
    ml_guard *guard = new_guard();
    fail_times(guard, &one, 1, 100.0);
    assert_int_equal(ask(guard, &one, 101.0, &until), ML_GUARD_REFUSED);
    expect_near(until, 102.0);
    assert_int_equal(ask(guard, &one, 102.0, &until), ML_GUARD_GO);
}

static void clients_of_one_origin_may_have_other_budgets(void **state) {
    (void)state;
    static const ml_budget small = {.failures = 2, .window = 10.0};
    double until;
    ml_guard *guard = new_guard();
    fail_times(guard, &small, 2, 100.0);
    assert_int_equal(ask(guard, &small, 100.0, &until), ML_GUARD_REFUSED);
    fail_times(guard, &merges, 18, 100.0);
    expect_verdict(guard, 100.0, ML_GUARD_REFUSED, 110.0);
}

static void leaving_more_often_than_asking_does_no_harm(void **state) {
    (void)state;
    ml_guard *guard = new_guard();
    ml_guard_leave(guard, &merges, false, 100.0);
    fail_times(guard, &merges, 5, 100.0);
    send_times(guard, &merges, 15, 100.0);
    expect_verdict(guard, 100.0, ML_GUARD_WAIT, 110.0);
}

/* ---- calls ---- */

typedef struct stage {
    ml_client *client;
    ml_request *request;
    ml_call_options options;
    ml_response *response;
    ml_error error;
} stage;

static void open_stage(stage *s, int failures) {
    static int port = 1000;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api", ++port);
    *s = (stage){.request = small_request()};
    scripted_reset();
    ml_error_init(&s->error);
    ml_call_options_init(&s->options);
    s->options.max_retries = 0;
    ml_client_options options = test_options();
    options.base_url = ml_text_of(url);
    options.budget_failures = failures;
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &s->client, &s->error),
                     ML_OK);
}

static ml_status call(stage *s) {
    ml_response_free(s->response);
    s->response = NULL;
    return ml_client_call(s->client, s->request, &s->options, &s->response, &s->error);
}

static void close_stage(stage *s) {
    ml_response_free(s->response);
    ml_request_free(s->request);
    ml_error_clear(&s->error);
    ml_client_free(s->client);
}

static void call_is_held_back_when_the_budget_is_used_up(void **state) {
    (void)state;
    static const scripted_answer refusal = {.http_status = 401, .takes = 0.1};
    stage s;
    open_stage(&s, 20);
    scripted_play_forever(&refusal);
    for (int i = 0; i < 20; i++)
        assert_int_equal(call(&s), ML_ERR_API);
    double now = scripted_now();
    assert_int_equal(call(&s), ML_ERR_BUDGET);
    expect_failure(&s.error, ML_ERR_BUDGET, "held back, nothing was sent");
    expect_contains(s.error.text, "error_budget lets 20 fail in 10 seconds at ");
    expect_contains(s.error.text, "; try again in 8.1 s");
    assert_int_equal(s.error.attempts, 0);
    assert_int_equal(s.error.http_status, 0);
    assert_false(s.error.may_have_arrived);
    assert_null(s.response);
    expect_near(scripted_now(), now);
    expect_near(s.error.retry_after, 10.0 - 1.9);
    scripted_advance(s.error.retry_after);
    assert_int_equal(call(&s), ML_ERR_API);
    close_stage(&s);
}

typedef struct counted_row {
    const char *name;
    scripted_answer answer;
    bool counts;
} counted_row;

static const counted_row counted_rows[] = {
    {"bad_request_counts", {.http_status = 400, .body = "{}"}, true},
    {"not_found_counts", {.http_status = 404}, true},
    {"server_error_counts", {.http_status = 500}, true},
    {"throttling_does_not_count", {.http_status = 429}, false},
    {"success_does_not_count", {.http_status = 200}, false},
    {"redirect_does_not_count", {.http_status = 302}, false},
    {"lost_connection_does_not_count", {.status = ML_ERR_TRANSPORT}, false},
};

static void outcome_counts(void **state) {
    const counted_row *row = *state;
    stage s;
    open_stage(&s, 3);
    scripted_play_forever(&row->answer);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(call(&s), ML_ERR_BUDGET);
    assert_int_equal(call(&s) == ML_ERR_BUDGET, row->counts);
    close_stage(&s);
}

static void retry_that_the_budget_forbids_tells_the_last_answer(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 503}, {.http_status = 500, .body = "{\"detail\":\"x\"}"}, {0}};
    stage s;
    open_stage(&s, 2);
    s.options.max_retries = 5;
    scripted_play(answers, COUNT(answers));
    assert_int_equal(call(&s), ML_ERR_API);
    expect_failure(&s.error, ML_ERR_API, "Merge answered 500: x");
    assert_int_equal(s.error.attempts, 2);
    assert_int_equal(scripted_sent_count(), 2);
    close_stage(&s);
}

static void budget_that_is_off_holds_nothing_back(void **state) {
    (void)state;
    static const scripted_answer refusal = {.http_status = 401};
    stage s;
    open_stage(&s, 0);
    scripted_play_forever(&refusal);
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&s), ML_ERR_API);
    close_stage(&s);
}

static void invalid_request_does_not_count(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&(scripted_answer){0});
    add_text(s.request, "language", "?");
    for (int i = 0; i < 5; i++)
        assert_int_equal(call(&s), ML_ERR_VALIDATION);
    close_stage(&s);
}

static void default_depends_on_the_host(void **state) {
    (void)state;
    static const struct {
        const char *base_url;
        int failures;
    } rows[] = {{"https://api.merge.dev/api", 20}, {"http://127.0.0.1:8000/api", 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        ml_client *client = NULL;
        ml_error error;
        ml_error_init(&error);
        ml_client_options options, made;
        ml_client_options_init(&options);
        options.base_url = ml_text_of(rows[i].base_url);
        assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
        ml_client_get_options(client, &made);
        assert_int_equal(made.budget_failures, rows[i].failures);
        ml_client_free(client);
    }
}

int main(void) {
    SUITE_TEST(any_number_goes_while_few_fail);
    SUITE_TEST(from_the_fifth_failure_on_few_go_at_a_time);
    SUITE_TEST(failure_that_lands_keeps_its_place);
    SUITE_TEST(used_up_budget_refuses_until_the_oldest_failure_leaves);
    SUITE_TEST(failures_are_forgotten_with_their_window);
    SUITE_TEST(later_failures_push_out_older_ones);
    SUITE_TEST(budget_of_one_is_used_up_by_one);
    SUITE_TEST(clients_of_one_origin_may_have_other_budgets);
    SUITE_TEST(leaving_more_often_than_asking_does_no_harm);
    SUITE_TEST(call_is_held_back_when_the_budget_is_used_up);
    SUITE_ROWS(outcome_counts, counted_rows);
    SUITE_TEST(retry_that_the_budget_forbids_tells_the_last_answer);
    SUITE_TEST(budget_that_is_off_holds_nothing_back);
    SUITE_TEST(invalid_request_does_not_count);
    SUITE_TEST(default_depends_on_the_host);
    return suite_run("guard");
}
