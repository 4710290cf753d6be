/*
 * When a failed attempt is followed by another: the rule, and what follows from it for any
 * sequence of outcomes.
 */
#include "client.h"
#include "retry.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"

/* ---- which outcomes ---- */

typedef struct outcome_row {
    const char *name;
    ml_status status;
    int http_status;
    bool may_have_arrived;
    bool always, unsent; /* is it tried again, under each rule? */
} outcome_row;

static const outcome_row outcome_rows[] = {
    {"ok", ML_OK, 200, true, false, false},
    {"created", ML_OK, 201, true, false, false},
    {"redirect", ML_OK, 302, true, false, false},
    {"bad_request", ML_OK, 400, true, false, false},
    {"unauthorized", ML_OK, 401, true, false, false},
    {"forbidden", ML_OK, 403, true, false, false},
    {"not_found", ML_OK, 404, true, false, false},
    {"request_timeout", ML_OK, 408, true, true, false},
    {"conflict", ML_OK, 409, true, false, false},
    {"too_early", ML_OK, 425, true, false, false},
    {"throttled", ML_OK, 429, true, true, true},
    {"server_error", ML_OK, 500, true, true, false},
    {"not_implemented", ML_OK, 501, true, false, false},
    {"bad_gateway", ML_OK, 502, true, true, false},
    {"unavailable", ML_OK, 503, true, true, false},
    {"gateway_timeout", ML_OK, 504, true, true, false},
    {"http_version", ML_OK, 505, true, false, false},
    {"connection_lost", ML_ERR_TRANSPORT, 0, true, true, false},
    {"connection_refused", ML_ERR_TRANSPORT, 0, false, true, true},
    {"timeout_after_sending", ML_ERR_TIMEOUT, 0, true, true, false},
    {"timeout_while_connecting", ML_ERR_TIMEOUT, 0, false, true, true},
    {"distrust", ML_ERR_TLS, 0, false, false, false},
    {"out_of_memory", ML_ERR_MEMORY, 0, false, false, false},
    {"impossible_option", ML_ERR_CONFIGURATION, 0, false, false, false},
    {"closed", ML_ERR_CLOSED, 0, false, false, false},
    {"interrupted", ML_ERR_INTERRUPTED, 0, false, false, false},
};

/* The first attempt failed, there are retries and time left. */
static ml_retry_facts first_failure(ml_status status, int http_status) {
    return (ml_retry_facts){.status = status,
                            .http_status = http_status,
                            .retry_after = -1.0,
                            .repeat = ML_REPEAT_ALWAYS,
                            .max_retries = 2,
                            .time_left = 30.0,
                            .dice = 0.5};
}

static void final_failure_is_not_tried_again(void **state) {
    (void)state;
    ml_retry_facts facts = first_failure(ML_ERR_TRANSPORT, 0);
    assert_true(ml_retry_delay(&facts) >= 0.0);
    facts.is_final = true;
    assert_true(ml_retry_delay(&facts) < 0.0);
}

static void outcome_is_tried_again(void **state) {
    const outcome_row *row = *state;
    ml_retry_facts facts = first_failure(row->status, row->http_status);
    facts.may_have_arrived = row->may_have_arrived;
    assert_int_equal(ml_retry_delay(&facts) >= 0.0, row->always);
    facts.repeat = ML_REPEAT_UNSENT;
    assert_int_equal(ml_retry_delay(&facts) >= 0.0, row->unsent);
}

/* ---- how long ---- */

typedef struct delay_row {
    const char *name;
    int retries_done, max_retries;
    double dice, retry_after, time_left;
    double delay; /* negative: no other attempt */
} delay_row;

static const delay_row delay_rows[] = {
    {"first_wait_is_up_to_half_a_second", 0, 9, 1.0, -1, 30, 0.5},
    {"second_wait_is_up_to_one_second", 1, 9, 1.0, -1, 30, 1.0},
    {"third_wait_is_up_to_two_seconds", 2, 9, 1.0, -1, 30, 2.0},
    {"fourth_wait_is_up_to_four_seconds", 3, 9, 1.0, -1, 30, 4.0},
    {"fifth_wait_is_up_to_eight_seconds", 4, 9, 1.0, -1, 30, 8.0},
    {"no_wait_is_longer_than_eight_seconds", 90, 100, 1.0, -1, 30, 8.0},
    {"jitter_begins_at_nothing", 4, 9, 0.0, -1, 30, 0.0},
    {"jitter_is_even", 2, 9, 0.25, -1, 30, 0.5},
    {"retry_after_replaces_the_wait", 0, 9, 1.0, 7.5, 30, 7.5},
    {"retry_after_of_nothing_is_obeyed", 3, 9, 1.0, 0, 30, 0.0},
    {"retry_after_may_be_longer_than_eight_seconds", 0, 9, 1.0, 29.9, 30, 29.9},
    {"retry_after_that_does_not_fit", 0, 9, 0.0, 30, 30, -1.0},
    {"retry_after_without_end", 0, 9, 0.0, 1e300, 30, -1.0},
    {"wait_that_does_not_fit", 4, 9, 1.0, -1, 8, -1.0},
    {"wait_that_just_fits", 4, 9, 1.0, -1, 8.01, 8.0},
    {"no_time_left", 0, 9, 0.0, -1, 0, -1.0},
    {"deadline_passed", 0, 9, 0.0, -1, -3, -1.0},
    {"last_retry", 1, 2, 1.0, -1, 30, 1.0},
    {"no_retries_left", 2, 2, 0.0, -1, 30, -1.0},
    {"no_retries_wanted", 0, 0, 0.0, 0, 30, -1.0},
};

static void delay_is_as_promised(void **state) {
    const delay_row *row = *state;
    ml_retry_facts facts = first_failure(ML_OK, 503);
    facts.retries_done = row->retries_done;
    facts.max_retries = row->max_retries;
    facts.dice = row->dice;
    facts.retry_after = row->retry_after;
    facts.time_left = row->time_left;
    double delay = ml_retry_delay(&facts);
    if (row->delay < 0.0)
        assert_true(delay < 0.0);
    else
        expect_near(delay, row->delay);
}

static void retry_after_of_a_failure_without_answer_does_not_count(void **state) {
    (void)state;
    ml_retry_facts facts = first_failure(ML_ERR_TRANSPORT, 0);
    facts.retry_after = 20.0;
    expect_near(ml_retry_delay(&facts), 0.25);
}

/* ---- any sequence of outcomes ---- */

static uint64_t seed;

static uint64_t random_below(uint64_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % limit;
}

static double random_dice(void) {
    return (double)random_below(1000) / 1000.0;
}

enum { LONGEST = 10 };

/* One call: what the script says, and what the caller wants. */
typedef struct story {
    unsigned number;
    scripted_answer answers[LONGEST];
    const ml_operation *operation;
    double timeout;
    int max_retries;
    double start, end;
    ml_status status;
    ml_error error;
} story;

static bool near(double a, double b) {
    return a - b < 1e-6 && b - a < 1e-6;
}

static void claim(const story *s, bool holds, const char *what) {
    if (!holds)
        fail_msg("story %u: %s (%zu sent, %d retries, timeout %g, at %g of %g)", s->number, what,
                 scripted_sent_count(), s->max_retries, s->timeout, s->end - s->start, s->timeout);
}

static scripted_answer random_answer(void) {
    static const int statuses[] = {200, 400, 401, 404, 408, 429, 429, 500, 501, 502, 503, 504};
    static const ml_status failures[] = {ML_ERR_TRANSPORT, ML_ERR_TIMEOUT, ML_ERR_TLS};
    static const char *const headers[] = {NULL, NULL, "Retry-After: 0\r\n", "Retry-After: 2.5\r\n",
                                          "Retry-After: 40\r\n"};
    static const double durations[] = {0.0, 0.01, 0.5, 3.0, 25.0};
    scripted_answer answer = {.takes = durations[random_below(COUNT(durations))]};
    if (random_below(3) == 0) {
        answer.status = failures[random_below(COUNT(failures))];
        answer.unsent = random_below(2) == 0;
    } else {
        answer.http_status = statuses[random_below(COUNT(statuses))];
        answer.headers = headers[random_below(COUNT(headers))];
        answer.body = answer.http_status == 200 ? "{\"link_token\":\"t\",\"id\":\"i\"}" : "{}";
    }
    answer.resends = (unsigned)random_below(4) / 3;
    return answer;
}

static double retry_after_of(const scripted_answer *answer) {
    return answer->status != ML_OK || answer->headers == NULL
               ? -1.0
               : strtod(strchr(answer->headers, ':') + 1, NULL);
}

/* The outcome of an exchange, if it had that long. */
static scripted_answer outcome_of(const story *s, size_t index) {
    scripted_answer outcome = s->answers[index];
    if (outcome.takes >= scripted_sent_at(index)->timeout)
        outcome = (scripted_answer){.status = ML_ERR_TIMEOUT,
                                    .unsent = outcome.unsent,
                                    .resends = outcome.resends,
                                    .takes = scripted_sent_at(index)->timeout};
    return outcome;
}

static double end_of(const story *s, size_t index) {
    return scripted_sent_at(index)->at + outcome_of(s, index).takes;
}

/* By the words of the design, not by the code: may this outcome be followed by another try? */
static bool is_passing(const story *s, const scripted_answer *outcome) {
    bool careful = s->operation->repeat == ML_REPEAT_UNSENT;
    if (outcome->status == ML_ERR_TLS) return false;
    if (outcome->status != ML_OK) return !careful || outcome->unsent;
    if (outcome->http_status == 429) return true;
    return !careful && (outcome->http_status == 408 || outcome->http_status == 500 ||
                        (outcome->http_status >= 502 && outcome->http_status <= 504));
}

static double longest_wait(const scripted_answer *outcome, size_t retry) {
    double told = retry_after_of(outcome);
    if (told >= 0.0) return told;
    static const double ceilings[] = {0.5, 1.0, 2.0, 4.0, 8.0};
    return ceilings[retry < COUNT(ceilings) ? retry : COUNT(ceilings) - 1];
}

static void check_each_attempt(const story *s) {
    double deadline = s->start + s->timeout;
    for (size_t i = 0; i < scripted_sent_count(); i++) {
        const scripted_sent *sent = scripted_sent_at(i);
        claim(s, sent->at < deadline, "an attempt begins after the deadline");
        claim(s, near(sent->at + sent->timeout, deadline), "the time left is wrong");
        if (i == 0) continue;
        scripted_answer before = outcome_of(s, i - 1);
        double wait = sent->at - end_of(s, i - 1), told = retry_after_of(&before);
        claim(s, is_passing(s, &before), "tried again after a final outcome");
        claim(s, wait > -1e-6 && wait < longest_wait(&before, i - 1) + 1e-6, "wait too long");
        claim(s, told < 0.0 || near(wait, told), "Retry-After not obeyed");
    }
}

static void check_why_it_ended(const story *s) {
    size_t count = scripted_sent_count();
    scripted_answer last = outcome_of(s, count - 1);
    double left = s->start + s->timeout - end_of(s, count - 1);
    bool exhausted = count == (size_t)s->max_retries + 1;
    bool too_long = longest_wait(&last, count - 1) >= left - 1e-6;
    claim(s, exhausted || too_long || !is_passing(s, &last), "given up too early");
    claim(s, near(s->end, end_of(s, count - 1)), "waited after the last attempt");
    if (last.status != ML_OK) {
        claim(s, s->status == last.status, "not the last failure");
    } else {
        ml_status expected = last.http_status == 200 ? ML_OK : ML_ERR_API;
        claim(s, s->status == expected, "not the last answer");
    }
}

static void check_counts(const story *s) {
    unsigned attempts = 0;
    for (size_t i = 0; i < scripted_sent_count(); i++)
        attempts += s->answers[i].unsent ? 1 : 1 + s->answers[i].resends;
    claim(s, scripted_sent_count() <= (size_t)s->max_retries + 1, "too many requests");
    claim(s, s->status == ML_OK || s->error.attempts == attempts, "attempts miscounted");
}

static void play(story *s, ml_client *client) {
    ml_request *request =
        s->operation == &fetch_thing ? thing_request("ats", TEXT("1")) : small_request();
    ml_response *response = NULL;
    ml_call_options options;
    ml_call_options_init(&options);
    options.timeout = s->timeout;
    options.max_retries = s->max_retries;
    scripted_play(s->answers, LONGEST);
    scripted_set_dice(random_dice);
    s->start = scripted_now();
    s->status = ml_client_call(client, request, &options, &response, &s->error);
    s->end = scripted_now();
    ml_response_free(response);
    ml_request_free(request);
}

static void any_sequence_of_outcomes_keeps_the_promises(void **state) {
    (void)state;
    enum { STORIES = 5000 };
    static const double timeouts[] = {0.3, 2.0, 10.0, 30.0, 120.0};
    ml_client *client = NULL;
    ml_client_options options = test_options();
    options.account_token = TEXT("token-of-account");
    story s = {0};
    scripted_reset();
    ml_error_init(&s.error);
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &client, &s.error), ML_OK);
    seed = 20261122;
    for (s.number = 0; s.number < STORIES; s.number++) {
        for (size_t i = 0; i < LONGEST; i++)
            s.answers[i] = random_answer();
        s.operation = random_below(3) == 0 ? &fetch_thing : link_token_operation();
        s.timeout = timeouts[random_below(COUNT(timeouts))];
        s.max_retries = (int)random_below(7);
        play(&s, client);
        check_each_attempt(&s);
        check_why_it_ended(&s);
        check_counts(&s);
        ml_error_clear(&s.error);
    }
    ml_client_free(client);
    assert_int_equal(scripted_open_lanes(), 0);
}

typedef struct words_row {
    const char *name;
    ml_text body;
    double seconds;
} words_row;

static const words_row words_rows[] = {
    {"as_rest_framework_says_it",
     TEXT_OF("{\"detail\":\"Request was throttled. Expected available in 17 seconds.\"}"), 17.0},
    {"one_second", TEXT_OF("Expected available in 1 second."), 1.0},
    {"cut_before_the_number", TEXT_OF("Expected available in "), -1.0},
    {"cut_in_the_number", TEXT_OF("Expected available in 86"), 86.0},
    {"no_number", TEXT_OF("Expected available in a while."), -1.0},
    {"other_words", TEXT_OF("Try again in 5 seconds."), -1.0},
    {"nothing", TEXT_OF(""), -1.0},
};

static void wait_is_read_from_words(void **state) {
    const words_row *row = *state;
    expect_near(ml_retry_in_words(row->body), row->seconds);
}

int main(void) {
    SUITE_ROWS(wait_is_read_from_words, words_rows);
    SUITE_TEST(final_failure_is_not_tried_again);
    SUITE_ROWS(outcome_is_tried_again, outcome_rows);
    SUITE_ROWS(delay_is_as_promised, delay_rows);
    SUITE_TEST(retry_after_of_a_failure_without_answer_does_not_count);
    SUITE_TEST(any_sequence_of_outcomes_keeps_the_promises);
    return suite_run("retry");
}
