/*
 * Whose turn it is among many calls, over the scripted transport: queues, deadlines, retries,
 * cancelling, closing; the pace of a flow, and patience.
 */
#include "client.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"

/* Numbers as contexts: places in an array. */
static const char numbers[2000];

static void *context_of(size_t number) {
    assert_true(number < sizeof numbers);
    return unconst(&numbers[number]);
}

static size_t number_of(const ml_news *news) {
    return (size_t)((const char *)news->context - numbers);
}

/* A client with a mailbox. */
typedef struct stage {
    ml_client *client;
    ml_mailbox *mailbox;
    ml_submit_options options;
    ml_error error;
    ml_ticket *ticket; /* the last one */
} stage;

static void open_stage_with(stage *s, const ml_client_options *options) {
    *s = (stage){.mailbox = ml_mailbox_new()};
    scripted_reset();
    ml_error_init(&s->error);
    ml_submit_options_init(&s->options);
    assert_non_null(s->mailbox);
    assert_int_equal(ml_client_new_over(&scripted_transport, options, &s->client, &s->error),
                     ML_OK);
}

/* With so many connections. */
static void open_stage(stage *s, int connections) {
    ml_client_options options = test_options();
    options.max_connections = connections;
    open_stage_with(s, &options);
}

static void close_stage(stage *s) {
    ml_client_free(s->client);
    ml_mailbox_free(s->mailbox);
    ml_error_clear(&s->error);
    assert_int_equal(scripted_open_engines(), 0);
}

/* Its context is its number. */
static void submit(stage *s, size_t number) {
    s->options.context = context_of(number);
    assert_int_equal(ml_client_submit(s->client, small_request(), &s->options, s->mailbox,
                                      &s->ticket, &s->error),
                     ML_OK);
}

/* They arrive in this order: the engine rests after each. */
static void submit_many(stage *s, size_t first, size_t count) {
    for (size_t i = 0; i < count; i++) {
        submit(s, first + i);
        scripted_settle();
    }
}

static void expect_status(const ml_news *news, size_t number, ml_status status) {
    assert_non_null(news);
    assert_true(news->is_over);
    assert_int_equal(number_of(news), number);
    assert_int_equal(news->error->status, status);
}

/* The oldest outcome in the mailbox; news of attempts before it are left aside. */
static ml_news *take_outcome(stage *s) {
    ml_news *news = ml_mailbox_take(s->mailbox);
    for (; news != NULL && !news->is_over; news = ml_mailbox_take(s->mailbox))
        ml_news_free(news);
    return news;
}

/* The oldest outcome in the mailbox is this one. */
static void expect_outcome(stage *s, size_t number, ml_status status) {
    ml_news *news = take_outcome(s);
    expect_status(news, number, status);
    ml_news_free(news);
}

static void expect_silence(stage *s) {
    assert_false(ml_mailbox_wait(s->mailbox, 0.0));
    assert_null(ml_mailbox_take(s->mailbox));
}

static void advance(double seconds) {
    scripted_advance(seconds);
    scripted_settle();
}

static const scripted_answer fine = {0};
static const scripted_answer slow = {.takes = 5.0};
static const scripted_answer hanging = {.hangs = true};

/* ---- queueing ---- */

static void outcome_holds_request_and_response(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play(&fine, 1);
    submit_many(&s, 7, 1);
    assert_true(ml_mailbox_wait(s.mailbox, 0.0));
    ml_news *news = take_outcome(&s);
    expect_status(news, 7, ML_OK);
    assert_ptr_equal(ml_request_operation(news->request), link_token_operation());
    assert_int_equal(ml_response_status(news->response), 200);
    assert_int_equal(ml_response_attempts(news->response), 1);
    ml_news_free(news);
    expect_silence(&s);
    expect_contains(scripted_sent_at(0)->body, "acme-42");
    close_stage(&s);
}

static void bad_request_is_refused_at_once(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    ml_request *request = empty_request();
    s.ticket = (ml_ticket *)1;
    assert_int_equal(
        ml_client_submit(s.client, request, &s.options, s.mailbox, &s.ticket, &s.error),
        ML_ERR_VALIDATION);
    assert_int_equal(s.error.problem_count, 4);
    assert_null(s.ticket);
    ml_request_free(request);
    expect_silence(&s);
    assert_int_equal(scripted_open_engines(), 0);
    close_stage(&s);
}

static void bad_path_is_refused_at_once(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.account_token = TEXT("token-of-account");
    open_stage_with(&s, &options);
    ml_request *request = thing_request("ats", TEXT(".."));
    assert_int_equal(ml_client_submit(s.client, request, &s.options, s.mailbox, NULL, &s.error),
                     ML_ERR_VALIDATION);
    expect_contains(s.error.text, "thing");
    ml_request_free(request);
    close_stage(&s);
}

static void other_hosts_may_be_forbidden(void **state) {
    (void)state;
    stage s;
    ml_client_options options = test_options();
    options.base_url = TEXT("https://nowhere.invalid/api");
    open_stage_with(&s, &options);
    ml_request *request = small_request();
    ml_set_loopback_only(true);
    assert_int_equal(ml_client_submit(s.client, request, &s.options, s.mailbox, NULL, &s.error),
                     ML_ERR_CONFIGURATION);
    ml_set_loopback_only(false);
    ml_request_free(request);
    assert_int_equal(scripted_sent_count(), 0);
    close_stage(&s);
}

static void failing_transport_is_told_by_submit(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    ml_request *request = small_request();
    scripted_refuse_lanes(true);
    assert_int_equal(ml_client_submit(s.client, request, &s.options, s.mailbox, NULL, &s.error),
                     ML_ERR_CONFIGURATION);
    scripted_refuse_lanes(false);
    ml_request_free(request);
    scripted_play(&fine, 1);
    submit_many(&s, 1, 1);
    expect_outcome(&s, 1, ML_OK);
    close_stage(&s);
}

static void no_more_than_max_connections_are_under_way(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 3);
    scripted_play_forever(&slow);
    submit_many(&s, 0, 8);
    assert_int_equal(scripted_under_way(), 3);
    advance(5.0);
    for (size_t i = 0; i < 3; i++)
        expect_outcome(&s, i, ML_OK);
    assert_int_equal(scripted_under_way(), 3);
    advance(5.0);
    advance(5.0);
    for (size_t i = 3; i < 8; i++)
        expect_outcome(&s, i, ML_OK);
    close_stage(&s);
}

static void a_server_that_takes_more_on_a_connection_gets_more(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 2);
    scripted_play_forever(&slow);
    submit_many(&s, 0, 30);
    assert_int_equal(scripted_under_way(), 2);
    scripted_set_streams(10);
    advance(5.0);
    assert_int_equal(scripted_under_way(), 20);
    advance(10.0);
    advance(10.0);
    for (size_t i = 0; i < 30; i++)
        expect_outcome(&s, i, ML_OK);
    close_stage(&s);
}

static void deadline_holds_in_the_queue(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&hanging);
    submit_many(&s, 1, 1);
    s.options.timeout = 2.0;
    submit_many(&s, 2, 1);
    advance(1.9);
    expect_silence(&s);
    advance(0.2);
    ml_news *news = take_outcome(&s);
    expect_status(news, 2, ML_ERR_TIMEOUT);
    expect_failure(news->error, ML_ERR_TIMEOUT, "free connection");
    assert_int_equal(news->error->attempts, 0);
    ml_news_free(news);
    assert_int_equal(scripted_under_way(), 1);
    close_stage(&s);
}

static void time_in_the_queue_counts(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.takes = 4.0}, {.hangs = true}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 1);
    s.options.timeout = 10.0;
    s.options.max_retries = 0;
    submit_many(&s, 2, 1);
    advance(4.0);
    expect_near(scripted_sent_at(1)->timeout, 6.0);
    close_stage(&s);
}

/* ---- retries ---- */

static void failed_attempt_is_followed_by_another(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503}, {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 1);
    assert_int_equal(scripted_sent_count(), 1);
    advance(0.25);
    ml_news *news = take_outcome(&s);
    expect_status(news, 1, ML_OK);
    assert_int_equal(ml_response_attempts(news->response), 2);
    ml_news_free(news);
    expect_near(scripted_sent_at(1)->at, 1000.25);
    close_stage(&s);
}

static void wait_between_attempts_leaves_the_connection_to_others(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503}, {.takes = 1.0}, {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 2);
    assert_int_equal(scripted_sent_count(), 2);
    advance(0.25); /* it is the first one's turn, but there is no connection */
    assert_int_equal(scripted_sent_count(), 2);
    advance(0.75);
    expect_outcome(&s, 2, ML_OK);
    expect_outcome(&s, 1, ML_OK);
    close_stage(&s);
}

static void refused_exchange_is_over_at_once(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.refused = true, .status = ML_ERR_TRANSPORT, .text = "no", .unsent = true}, {0}};
    stage s;
    open_stage(&s, 1);
    s.options.max_retries = 0;
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 2);
    expect_outcome(&s, 1, ML_ERR_TRANSPORT);
    expect_outcome(&s, 2, ML_OK);
    close_stage(&s);
}

static void error_of_the_server_is_told(void **state) {
    (void)state;
    static const scripted_answer answer = {.http_status = 403,
                                           .body = "{\"detail\": \"not for you\"}"};
    stage s;
    open_stage(&s, 1);
    scripted_play(&answer, 1);
    submit_many(&s, 1, 1);
    ml_news *news = take_outcome(&s);
    expect_status(news, 1, ML_ERR_API);
    expect_contains(news->error->text, "not for you");
    expect_contains(news->error->request, "/ats/v1/link-token");
    assert_string_equal(ml_response_detail(news->response), "not for you");
    ml_news_free(news);
    close_stage(&s);
}

static void expect_attempt(stage *s, unsigned number, bool is_over, int http_status,
                           double retry_in) {
    ml_news *news = ml_mailbox_take(s->mailbox);
    assert_non_null(news);
    assert_false(news->is_over);
    assert_int_equal(number_of(news), 5);
    assert_string_equal(news->attempt.method, "POST");
    assert_string_equal(news->attempt.host, "127.0.0.1");
    assert_string_equal(news->attempt.path, "/ats/v1/link-token");
    expect_contains(news->attempt.url, "http://127.0.0.1:9/api/ats");
    assert_int_equal(news->attempt.number, number);
    assert_int_equal(news->attempt.is_over, is_over);
    assert_int_equal(news->attempt.http_status, http_status);
    expect_near(news->attempt.retry_in, retry_in);
    if (http_status == 503) expect_text(news->attempt.headers, TEXT("X-Busy: very\r\n"));
    ml_news_free(news);
}

static void attempts_are_news(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503, .headers = "X-Busy: very\r\n"},
                                              {0}};
    stage s;
    open_stage(&s, 1);
    s.options.tells_attempts = true;
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 5, 1);
    expect_attempt(&s, 1, false, 0, -1.0);
    expect_attempt(&s, 1, true, 503, 0.25);
    expect_silence(&s);
    advance(0.25);
    expect_attempt(&s, 2, false, 0, -1.0);
    expect_attempt(&s, 2, true, 200, -1.0);
    expect_outcome(&s, 5, ML_OK);
    close_stage(&s);
}

static void repeated_attempt_is_news_even_when_not_asked_for(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503, .headers = "X-Busy: very\r\n"},
                                              {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 5, 1);
    expect_attempt(&s, 1, true, 503, 0.25);
    expect_silence(&s);
    advance(0.25);
    ml_news *news = ml_mailbox_take(s.mailbox);
    expect_status(news, 5, ML_OK);
    ml_news_free(news);
    close_stage(&s);
}

/* With a thousand that wait for another attempt, there is no memory for the rest to begin. */
static void waits_for_other_attempts_are_bounded(void **state) {
    (void)state;
    static const scripted_answer busy = {.http_status = 503, .headers = "Retry-After: 20\r\n"};
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&busy);
    s.options.tells_attempts = true;
    s.options.max_retries = 1;
    for (size_t i = 0; i < 1500; i++)
        submit(&s, i);
    scripted_settle();
    size_t begun = 0, outcomes = 0;
    for (ml_news *news; (news = ml_mailbox_take(s.mailbox)) != NULL; ml_news_free(news))
        begun += !news->is_over && !news->attempt.is_over;
    assert_int_equal(begun, 1000);
    advance(20.0);
    advance(20.0);
    for (ml_news *news; (news = ml_mailbox_take(s.mailbox)) != NULL; ml_news_free(news))
        outcomes += news->is_over;
    assert_int_equal(outcomes, 1500);
    close_stage(&s);
}

/* ---- cancelling ---- */

static void cancelled_in_the_queue(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&slow);
    submit_many(&s, 1, 2);
    ml_ticket_cancel(s.ticket);
    ml_ticket_cancel(s.ticket);
    scripted_settle();
    ml_news *news = take_outcome(&s);
    expect_status(news, 2, ML_ERR_INTERRUPTED);
    assert_string_equal(news->error->text, "cancelled");
    ml_news_free(news);
    submit_many(&s, 3, 1);
    advance(5.0);
    expect_outcome(&s, 1, ML_OK);
    advance(5.0);
    expect_outcome(&s, 3, ML_OK);
    expect_silence(&s);
    close_stage(&s);
}

static void cancelled_on_its_way(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.hangs = true}, {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 1);
    ml_ticket *first = s.ticket;
    submit_many(&s, 2, 1);
    ml_ticket_cancel(first);
    scripted_settle();
    assert_int_equal(scripted_cancelled(), 1);
    ml_news *news = take_outcome(&s);
    expect_status(news, 1, ML_ERR_INTERRUPTED);
    assert_int_equal(news->error->attempts, 1);
    assert_true(news->error->may_have_arrived);
    ml_news_free(news);
    expect_outcome(&s, 2, ML_OK);
    close_stage(&s);
}

static void cancelled_between_attempts(void **state) {
    (void)state;
    static const scripted_answer busy = {.http_status = 503};
    stage s;
    open_stage(&s, 1);
    scripted_play(&busy, 1);
    submit_many(&s, 1, 1);
    ml_ticket_cancel(s.ticket);
    scripted_settle();
    expect_outcome(&s, 1, ML_ERR_INTERRUPTED);
    advance(60.0);
    assert_int_equal(scripted_sent_count(), 1);
    expect_silence(&s);
    close_stage(&s);
}

static void cancelled_too_late(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play(&fine, 1);
    submit_many(&s, 1, 1);
    ml_ticket_cancel(s.ticket);
    scripted_settle();
    expect_outcome(&s, 1, ML_OK);
    expect_silence(&s);
    close_stage(&s);
}

static void mailbox_that_goes_cancels_its_calls(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&slow);
    submit_many(&s, 1, 3);
    ml_mailbox_free(s.mailbox);
    scripted_settle();
    assert_int_equal(scripted_cancelled(), 1);
    assert_int_equal(scripted_under_way(), 0);
    s.mailbox = ml_mailbox_new();
    submit_many(&s, 4, 1);
    advance(5.0);
    expect_outcome(&s, 4, ML_OK);
    close_stage(&s);
}

static void mailbox_that_goes_takes_its_news_along(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&fine);
    submit_many(&s, 1, 3);
    ml_news_free(ml_mailbox_take(s.mailbox));
    close_stage(&s);
}

/* ---- closing ---- */

static void closing_ends_all_stages(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.http_status = 503}, {.hangs = true}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 3);
    ml_client_close(s.client);
    size_t seen = 0;
    for (size_t i = 0; i < 3; i++) {
        ml_news *news = take_outcome(&s);
        assert_non_null(news);
        seen |= (size_t)1 << number_of(news);
        expect_failure(news->error, ML_ERR_CLOSED, "closed during the call");
        ml_news_free(news);
    }
    assert_int_equal(seen, 2 + 4 + 8);
    expect_silence(&s);
    ml_request *request = small_request();
    assert_int_equal(ml_client_submit(s.client, request, &s.options, s.mailbox, NULL, &s.error),
                     ML_ERR_CLOSED);
    ml_request_free(request);
    ml_client_close(s.client);
    close_stage(&s);
}

static void blocking_calls_go_on_beside_the_engine(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.hangs = true}, {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    submit_many(&s, 1, 1);
    ml_call_options options;
    ml_call_options_init(&options);
    ml_response *response = NULL;
    ml_request *request = small_request();
    assert_int_equal(ml_client_call(s.client, request, &options, &response, &s.error), ML_OK);
    ml_response_free(response);
    ml_request_free(request);
    close_stage(&s);
}

/* ---- flow ---- */

static void flow_sets_the_pace(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 10);
    static const scripted_answer answers[] = {{0}, {0}, {.http_status = 500}, {0}, {0}};
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(2.0);
    s.options.flow = flow;
    submit_many(&s, 1, 4);
    ml_flow_free(flow); /* it is kept by those who need it */
    assert_int_equal(scripted_sent_count(), 1);
    for (size_t i = 0; i < 40; i++)
        advance(0.125);
    assert_int_equal(scripted_sent_count(), 5);
    for (size_t i = 0; i < 5; i++)
        expect_near(scripted_sent_at(i)->at, 1000.0 + (double)i * 0.5);
    for (size_t i = 0; i < 4; i++)
        ml_news_free(take_outcome(&s));
    expect_silence(&s);
    close_stage(&s);
}

static void flow_does_not_hold_up_others(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&fine);
    ml_flow *slow_flow = ml_flow_new(0.1), *quick_flow = ml_flow_new(0.0);
    s.options.flow = slow_flow;
    submit_many(&s, 1, 2);
    s.options.flow = quick_flow;
    submit_many(&s, 3, 1);
    s.options.flow = NULL;
    submit_many(&s, 4, 1);
    expect_outcome(&s, 1, ML_OK);
    expect_outcome(&s, 3, ML_OK);
    expect_outcome(&s, 4, ML_OK);
    expect_silence(&s);
    advance(10.0);
    expect_outcome(&s, 2, ML_OK);
    ml_flow_free(slow_flow);
    ml_flow_free(quick_flow);
    close_stage(&s);
}

static void queues_take_turns(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    static const scripted_answer answers[] = {
        {.takes = 1.0}, {.takes = 1.0}, {.takes = 1.0}, {.takes = 1.0}, {.takes = 1.0}};
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    submit_many(&s, 1, 4);
    s.options.flow = NULL;
    submit_many(&s, 5, 1);
    for (size_t i = 0; i < 3; i++)
        advance(1.0);
    expect_outcome(&s, 1, ML_OK);
    ml_news *second = ml_mailbox_take(s.mailbox), *third = ml_mailbox_take(s.mailbox);
    assert_int_equal(number_of(second) + number_of(third), 2 + 5);
    ml_news_free(second);
    ml_news_free(third);
    ml_flow_free(flow);
    close_stage(&s);
}

static void wait_for_the_pace_is_no_part_of_the_timeout(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&fine);
    ml_flow *flow = ml_flow_new(0.01);
    s.options.flow = flow;
    s.options.timeout = 3.0;
    submit_many(&s, 1, 2);
    advance(100.0);
    expect_outcome(&s, 1, ML_OK);
    expect_outcome(&s, 2, ML_OK);
    expect_near(scripted_sent_at(0)->timeout, 3.0);
    ml_flow_free(flow);
    close_stage(&s);
}

/* One is told to wait, longer than its timeout; that was on its way already ends as it may. */
static void what_merge_says_to_one_holds_for_all_of_the_flow(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.takes = 1.0}, {.http_status = 429, .headers = "Retry-After: 40\r\n"}, {0}, {0}};
    stage s;
    open_stage(&s, 2);
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    s.options.timeout = 10.0;
    s.options.max_retries = 0;
    submit_many(&s, 1, 3);
    advance(39.75);
    expect_outcome(&s, 1, ML_OK);
    assert_int_equal(scripted_sent_count(), 2);
    advance(0.25);
    expect_outcome(&s, 2, ML_OK);
    expect_outcome(&s, 3, ML_OK);
    for (size_t i = 2; i < 4; i++) {
        expect_near(scripted_sent_at(i)->at, 1040.0);
        expect_near(scripted_sent_at(i)->timeout, 10.0);
    }
    ml_flow_free(flow);
    close_stage(&s);
}

static void wait_may_be_told_in_words(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 429,
         .body = "{\"detail\": \"Request was throttled. Expected available in 17 seconds.\"}"},
        {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    submit_many(&s, 1, 1);
    advance(17.0);
    expect_outcome(&s, 1, ML_OK);
    expect_near(scripted_sent_at(1)->at, 1017.0);
    ml_flow_free(flow);
    close_stage(&s);
}

static void wait_of_more_than_ten_minutes_is_an_error(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.http_status = 429, .headers = "Retry-After: 601\r\n"}, {0}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    submit_many(&s, 1, 2);
    expect_outcome(&s, 1, ML_ERR_API);
    expect_outcome(&s, 2, ML_OK);
    ml_flow_free(flow);
    close_stage(&s);
}

static void patience_has_an_end(void **state) {
    (void)state;
    static const scripted_answer busy = {.http_status = 429, .headers = "Retry-After: 1\r\n"};
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&busy);
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    s.options.max_retries = 0;
    s.options.tells_attempts = true;
    submit_many(&s, 1, 1);
    for (size_t i = 0; i < 20; i++)
        advance(1.0);
    for (unsigned i = 1; i <= 11; i++) {
        ml_news_free(ml_mailbox_take(s.mailbox));
        ml_news *news = ml_mailbox_take(s.mailbox);
        assert_int_equal(news->attempt.number, i);
        ml_news_free(news);
    }
    ml_news *news = take_outcome(&s);
    expect_status(news, 1, ML_ERR_API);
    assert_int_equal(news->error->attempts, 11);
    ml_news_free(news);
    ml_flow_free(flow);
    close_stage(&s);
}

/* The wait for Merge is over, and the call still has what it had left of its own time. */
static void patient_call_has_its_own_time_left(void **state) {
    (void)state;
    static const scripted_answer answers[] = {
        {.takes = 4.0, .http_status = 429, .headers = "Retry-After: 100\r\n"}, {.hangs = true}};
    stage s;
    open_stage(&s, 1);
    scripted_play(answers, COUNT(answers));
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    s.options.timeout = 10.0;
    s.options.max_retries = 0;
    submit_many(&s, 1, 1);
    advance(4.0);
    advance(100.0);
    expect_near(scripted_sent_at(1)->timeout, 6.0);
    advance(6.0);
    expect_outcome(&s, 1, ML_ERR_TIMEOUT);
    ml_flow_free(flow);
    close_stage(&s);
}

static void cancelled_in_its_flow(void **state) {
    (void)state;
    stage s;
    open_stage(&s, 1);
    scripted_play_forever(&fine);
    ml_flow *flow = ml_flow_new(0.1);
    s.options.flow = flow;
    submit_many(&s, 1, 2);
    ml_ticket *second = s.ticket;
    submit_many(&s, 3, 1);
    expect_outcome(&s, 1, ML_OK);
    ml_ticket_cancel(second);
    scripted_settle();
    expect_outcome(&s, 2, ML_ERR_INTERRUPTED);
    advance(10.0);
    expect_outcome(&s, 3, ML_OK);
    ml_flow_free(flow);
    close_stage(&s);
}

static void closing_ends_what_flows_hold(void **state) {
    (void)state;
    static const scripted_answer busy = {.http_status = 429, .headers = "Retry-After: 100\r\n"};
    stage s;
    open_stage(&s, 1);
    scripted_play(&busy, 1);
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    submit_many(&s, 1, 2);
    ml_client_close(s.client);
    ml_flow_free(flow);
    expect_outcome(&s, 1, ML_ERR_CLOSED);
    expect_outcome(&s, 2, ML_ERR_CLOSED);
    close_stage(&s);
}

/* ---- the error budget ---- */

static const scripted_answer refusal = {.http_status = 400};

/* Four failures are too many, and the first is a warning. Each has a server, and so a guard, of its
 * own. */
static void open_budget_stage(stage *s, const char *base_url) {
    ml_client_options options = test_options();
    options.base_url = ml_text_of(base_url);
    options.budget_failures = 4;
    options.budget_window = 10.0;
    open_stage_with(s, &options);
}

/* One after the other. */
static void fail_often(stage *s, size_t times) {
    scripted_play_forever(&refusal);
    for (size_t i = 0; i < times; i++) {
        submit_many(s, 100 + i, 1);
        expect_outcome(s, 100 + i, ML_ERR_API);
    }
}

static void budget_that_is_used_up_ends_calls(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:901/api");
    fail_often(&s, 4);
    submit_many(&s, 1, 2);
    ml_news *news = take_outcome(&s);
    expect_status(news, 1, ML_ERR_BUDGET);
    expect_near(news->error->retry_after, 10.0);
    ml_news_free(news);
    expect_outcome(&s, 2, ML_ERR_BUDGET);
    close_stage(&s);
}

static void patient_calls_wait_until_the_budget_lets_them(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:902/api");
    fail_often(&s, 4);
    scripted_play_forever(&fine);
    scripted_advance(1.0); /* the clock began anew */
    ml_flow *flow = ml_flow_new(0.0);
    s.options.flow = flow;
    s.options.timeout = 2.0;
    submit_many(&s, 1, 2);
    s.options.flow = NULL;
    submit_many(&s, 3, 1); /* an impatient one does not wait behind it */
    expect_outcome(&s, 3, ML_ERR_BUDGET);
    advance(8.0);
    expect_silence(&s);
    advance(1.1);
    expect_outcome(&s, 1, ML_OK);
    expect_outcome(&s, 2, ML_OK);
    expect_near(scripted_sent_at(0)->timeout, 2.0);
    ml_flow_free(flow);
    close_stage(&s);
}

/* Three failures and one in flight are all that there may be. */
static void held_call_goes_when_another_ends(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:903/api");
    fail_often(&s, 3);
    scripted_play_forever(&slow);
    submit_many(&s, 1, 2);
    assert_int_equal(scripted_under_way(), 1);
    advance(5.0);
    expect_outcome(&s, 1, ML_OK);
    assert_int_equal(scripted_under_way(), 1);
    advance(5.0);
    expect_outcome(&s, 2, ML_OK);
    close_stage(&s);
}

static void held_calls_that_time_out_say_why(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:904/api");
    fail_often(&s, 3);
    scripted_play_forever(&hanging);
    submit_many(&s, 1, 1);
    s.options.timeout = 2.0;
    submit_many(&s, 2, 2);
    advance(2.0);
    expect_outcome(&s, 2, ML_ERR_BUDGET);
    expect_outcome(&s, 3, ML_ERR_BUDGET);
    close_stage(&s);
}

/* Let go by the guard in the very round in which its time is up, it was held all the same. */
static void held_calls_that_time_out_as_they_are_let_go_say_why(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:907/api");
    fail_often(&s, 3);
    scripted_play_forever(&slow);
    submit_many(&s, 1, 1);
    s.options.timeout = 5.0;
    submit_many(&s, 2, 2);
    advance(5.0);
    expect_outcome(&s, 1, ML_OK);
    expect_outcome(&s, 2, ML_ERR_BUDGET);
    expect_outcome(&s, 3, ML_ERR_BUDGET);
    close_stage(&s);
}

static void held_call_can_be_cancelled(void **state) {
    (void)state;
    stage s;
    open_budget_stage(&s, "http://127.0.0.1:905/api");
    fail_often(&s, 3);
    scripted_play_forever(&slow);
    submit_many(&s, 1, 2);
    ml_ticket_cancel(s.ticket);
    scripted_settle();
    expect_outcome(&s, 2, ML_ERR_INTERRUPTED);
    submit_many(&s, 3, 1);
    advance(5.0);
    advance(5.0);
    expect_outcome(&s, 1, ML_OK);
    expect_outcome(&s, 3, ML_OK);
    close_stage(&s);
}

/* A blocking call of this thread ends, and the engine hears of it. */
static void held_call_goes_when_a_call_of_another_client_ends(void **state) {
    (void)state;
    stage s;
    ml_client *other = NULL;
    ml_client_options options = test_options();
    options.base_url = TEXT("http://127.0.0.1:906/api");
    options.budget_failures = 4;
    open_budget_stage(&s, "http://127.0.0.1:906/api");
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &other, &s.error), ML_OK);
    fail_often(&s, 3);
    scripted_play_forever(&slow);
    ml_mailbox *mailbox = s.mailbox;
    ml_mailbox *others = ml_mailbox_new();
    ml_client *client = s.client;
    s.mailbox = others;
    s.client = other;
    submit_many(&s, 1, 1);
    s.mailbox = mailbox;
    s.client = client;
    submit_many(&s, 2, 1);
    assert_int_equal(scripted_under_way(), 1);
    ml_mailbox_free(others);
    scripted_settle();
    assert_int_equal(scripted_under_way(), 1);
    advance(5.0);
    expect_outcome(&s, 2, ML_OK);
    ml_client_free(other);
    close_stage(&s);
}

int main(void) {
    SUITE_TEST(outcome_holds_request_and_response);
    SUITE_TEST(bad_request_is_refused_at_once);
    SUITE_TEST(bad_path_is_refused_at_once);
    SUITE_TEST(other_hosts_may_be_forbidden);
    SUITE_TEST(failing_transport_is_told_by_submit);
    SUITE_TEST(no_more_than_max_connections_are_under_way);
    SUITE_TEST(a_server_that_takes_more_on_a_connection_gets_more);
    SUITE_TEST(deadline_holds_in_the_queue);
    SUITE_TEST(time_in_the_queue_counts);
    SUITE_TEST(failed_attempt_is_followed_by_another);
    SUITE_TEST(wait_between_attempts_leaves_the_connection_to_others);
    SUITE_TEST(refused_exchange_is_over_at_once);
    SUITE_TEST(error_of_the_server_is_told);
    SUITE_TEST(attempts_are_news);
    SUITE_TEST(repeated_attempt_is_news_even_when_not_asked_for);
    SUITE_TEST(waits_for_other_attempts_are_bounded);
    SUITE_TEST(cancelled_in_the_queue);
    SUITE_TEST(cancelled_on_its_way);
    SUITE_TEST(cancelled_between_attempts);
    SUITE_TEST(cancelled_too_late);
    SUITE_TEST(mailbox_that_goes_cancels_its_calls);
    SUITE_TEST(mailbox_that_goes_takes_its_news_along);
    SUITE_TEST(closing_ends_all_stages);
    SUITE_TEST(blocking_calls_go_on_beside_the_engine);
    SUITE_TEST(flow_sets_the_pace);
    SUITE_TEST(flow_does_not_hold_up_others);
    SUITE_TEST(queues_take_turns);
    SUITE_TEST(wait_for_the_pace_is_no_part_of_the_timeout);
    SUITE_TEST(what_merge_says_to_one_holds_for_all_of_the_flow);
    SUITE_TEST(wait_may_be_told_in_words);
    SUITE_TEST(wait_of_more_than_ten_minutes_is_an_error);
    SUITE_TEST(patience_has_an_end);
    SUITE_TEST(patient_call_has_its_own_time_left);
    SUITE_TEST(cancelled_in_its_flow);
    SUITE_TEST(closing_ends_what_flows_hold);
    SUITE_TEST(budget_that_is_used_up_ends_calls);
    SUITE_TEST(patient_calls_wait_until_the_budget_lets_them);
    SUITE_TEST(held_call_goes_when_another_ends);
    SUITE_TEST(held_calls_that_time_out_say_why);
    SUITE_TEST(held_calls_that_time_out_as_they_are_let_go_say_why);
    SUITE_TEST(held_call_can_be_cancelled);
    SUITE_TEST(held_call_goes_when_a_call_of_another_client_ends);
    return suite_run("turns");
}
