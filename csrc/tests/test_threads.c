/*
 * Clients shared by many threads, over libcurl: each answer belongs to its question, closing ends
 * what runs, the error budget holds under load. Most telling under ThreadSanitizer
 * (`make test-tsan`).
 */
#include "support/build.h"
#include "support/echo.h"
#include "support/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 16 };

/* ---- one call ---- */

/* Each with a request of its own, so that the answer can be told from others. */
static ml_request *request_of(const char *origin) {
    ml_request *request = empty_request();
    add_text(request, "end_user_email_address", "hr@acme.example");
    add_text(request, "end_user_organization_name", "Acme");
    add_text(request, "end_user_origin_id", origin);
    add_categories(request, (const char *const[]){"ats", NULL});
    return request;
}

static bool is_answer_to(const ml_response *response, const char *origin) {
    char expected[128];
    const ml_member *token = ml_response_member(response, 0);
    snprintf(expected, sizeof expected, "token-of-%s", origin);
    return token != NULL && token->text != NULL && strcmp(token->text, expected) == 0;
}

typedef struct outcome {
    ml_status status;
    int http_status;
    bool is_own; /* the answer belongs to the question */
} outcome;

static outcome call(ml_client *client, const char *origin) {
    ml_request *request = request_of(origin);
    ml_response *response = NULL;
    ml_call_options options;
    ml_error error;
    ml_error_init(&error);
    ml_call_options_init(&options);
    outcome came = {.status = ml_client_call(client, request, &options, &response, &error)};
    came.http_status = error.http_status;
    came.is_own = came.status == ML_OK && is_answer_to(response, origin);
    ml_response_free(response);
    ml_error_clear(&error);
    ml_request_free(request);
    return came;
}

/* ---- many threads ---- */

typedef struct crew {
    ml_client *client;
    void (*work)(struct crew *crew, int number);
    pthread_barrier_t barrier;
    atomic_int next;
    /* what came of it */
    atomic_int good, failed, held_back, closed, other;
} crew;

static void *run_worker(void *context) {
    crew *c = context;
    int number = atomic_fetch_add(&c->next, 1);
    pthread_barrier_wait(&c->barrier);
    c->work(c, number);
    return NULL;
}

/* Starts them all at once; `meanwhile` runs in this thread. */
static void run_crew(crew *c, void (*meanwhile)(crew *)) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&c->barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_worker, c) != 0) abort();
    pthread_barrier_wait(&c->barrier);
    if (meanwhile != NULL) meanwhile(c);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&c->barrier);
}

static void count(crew *c, outcome came) {
    bool failed = came.status == ML_ERR_API && came.http_status == 401;
    if (came.is_own)
        c->good++;
    else if (failed)
        c->failed++;
    else if (came.status == ML_ERR_BUDGET)
        c->held_back++;
    else if (came.status == ML_ERR_CLOSED)
        c->closed++;
    else
        c->other++;
}

static ml_client *make_client(const ml_client_options *options) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    if (ml_client_new(options, &client, &error) != ML_OK) fail_msg("%s", error.text);
    return client;
}

static ml_client_options options_for_echo(void) {
    ml_client_options options = test_options();
    options.base_url = ml_text_of(echo_base_url());
    options.max_retries = 0;
    return options;
}

/* ---- answers ---- */

enum { CALLS = 60 };

static void ask_often(crew *c, int number) {
    char origin[64];
    for (int i = 0; i < CALLS; i++) {
        snprintf(origin, sizeof origin, "acme-%d-%d", number, i);
        count(c, call(c->client, origin));
    }
}

static void each_answer_belongs_to_its_question(void **state) {
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    options.max_connections = THREADS / 4;
    crew c = {.client = make_client(&options), .work = ask_often};
    run_crew(&c, NULL);
    size_t open = echo_connections(), requests = echo_requests();
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.good, THREADS * CALLS);
    assert_int_equal(requests, THREADS * CALLS);
    assert_true(open <= THREADS / 4);
}

static void warm_up_and_look(crew *c) {
    ml_request *request = ml_request_new(ml_operation_find("warm_up"));
    ml_call_options options;
    ml_client_options seen;
    ml_error error;
    ml_error_init(&error);
    ml_call_options_init(&options);
    ml_response *response = NULL;
    ml_add_integer(ml_request_fields(request), "connections", 3);
    assert_int_equal(ml_client_warm_up(c->client, request, &options, &response, &error), ML_OK);
    ml_response_free(response);
    ml_client_get_options(c->client, &seen);
    assert_true(ml_client_matches(c->client, &seen));
    assert_false(ml_client_is_closed(c->client));
    ml_request_free(request);
}

static void connecting_ahead_disturbs_nobody(void **state) {
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    crew c = {.client = make_client(&options), .work = ask_often};
    run_crew(&c, warm_up_and_look);
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.good, THREADS * CALLS);
}

/* ---- clients of their own ---- */

static void make_and_close(crew *c, int number) {
    char origin[64];
    ml_client_options options = options_for_echo();
    options.budget_failures = 1000;
    for (int i = 0; i < CALLS / 10; i++) {
        ml_client *own = make_client(&options);
        snprintf(origin, sizeof origin, "own-%d-%d", number, i);
        count(c, call(own, origin));
        ml_client_close(own);
        count(c, call(own, origin));
        ml_client_free(own);
    }
}

static void clients_come_and_go_at_once(void **state) {
    (void)state;
    echo_start();
    crew c = {.work = make_and_close};
    run_crew(&c, NULL);
    echo_stop();
    assert_int_equal(c.good, THREADS * (CALLS / 10));
    assert_int_equal(c.closed, THREADS * (CALLS / 10));
}

/* ---- closing ---- */

/* Half of them wait for an answer that never comes. */
static void ask_until_closed(crew *c, int number) {
    outcome came = {.status = ML_OK};
    while (came.status == ML_OK) {
        came = call(c->client, number % 2 == 0 ? "hang" : "acme");
        count(c, came);
    }
}

/* Once all of those that are to hang do. */
static void close_soon(crew *c) {
    const struct timespec moment = {.tv_nsec = 1000000};
    while (echo_connections() < THREADS / 2 || atomic_load(&c->good) < THREADS)
        nanosleep(&moment, NULL);
    ml_client_close(c->client);
    ml_client_close(c->client);
}

static void closing_ends_all_calls_and_no_other_way(void **state) {
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    crew c = {.client = make_client(&options), .work = ask_until_closed};
    run_crew(&c, close_soon);
    assert_int_equal(call(c.client, "acme").status, ML_ERR_CLOSED);
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.closed, THREADS);
    assert_int_equal(c.failed + c.held_back + c.other, 0);
}

static void wait_for_a_seat(crew *c, int number) {
    (void)number;
    count(c, call(c->client, "hang"));
}

static void close_with_one_at_work(crew *c) {
    const struct timespec moment = {.tv_nsec = 1000000};
    while (echo_requests() < 1)
        nanosleep(&moment, NULL);
    ml_client_close(c->client);
}

static void closing_ends_those_that_wait_for_a_connection(void **state) {
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    options.max_connections = 1;
    crew c = {.client = make_client(&options), .work = wait_for_a_seat};
    run_crew(&c, close_with_one_at_work);
    size_t requests = echo_requests();
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.closed, THREADS);
    assert_int_equal(requests, 1);
}

/* ---- the error budget ---- */

static void fail_often(crew *c, int number) {
    (void)number;
    for (int i = 0; i < CALLS; i++)
        count(c, call(c->client, "s401"));
}

/* From the fifth failure on, failures and calls in flight stay within the budget; before it, no
 * more than all threads can be in flight. */
static void failures_under_load_stay_within_the_budget(void **state) {
    enum { BUDGET = 20 };
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    options.budget_failures = BUDGET;
    options.budget_window = 3600.0;
    crew c = {.client = make_client(&options), .work = fail_often};
    run_crew(&c, NULL);
    size_t requests = echo_requests();
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.failed + c.held_back, THREADS * CALLS);
    assert_int_equal(requests, c.failed);
    assert_true(requests >= BUDGET && requests <= BUDGET + THREADS);
}

static void success_under_load_is_never_held_back(void **state) {
    (void)state;
    echo_start();
    ml_client_options options = options_for_echo();
    options.budget_failures = 1;
    crew c = {.client = make_client(&options), .work = ask_often};
    run_crew(&c, NULL);
    ml_client_free(c.client);
    echo_stop();
    assert_int_equal(c.good, THREADS * CALLS);
}

int main(void) {
    SUITE_TEST(each_answer_belongs_to_its_question);
    SUITE_TEST(connecting_ahead_disturbs_nobody);
    SUITE_TEST(clients_come_and_go_at_once);
    SUITE_TEST(closing_ends_all_calls_and_no_other_way);
    SUITE_TEST(closing_ends_those_that_wait_for_a_connection);
    SUITE_TEST(failures_under_load_stay_within_the_budget);
    SUITE_TEST(success_under_load_is_never_held_back);
    return suite_run("threads");
}
