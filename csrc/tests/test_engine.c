/*
 * The engine over libcurl, against servers on loopback: many calls at once, from many threads, to
 * several mailboxes; what becomes of them when they are cancelled, the client is closed, the server
 * hangs up, or the process forks. (Whose turn it is, is tested in test_turns.c.)
 */
#include "support/build.h"
#include "support/echo.h"
#include "support/expect.h"
#include "support/server.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- calls ---- */

/* Numbers as contexts: places in an array. */
static const char numbers[2000];

static void *context_of(size_t number) {
    assert_true(number < sizeof numbers);
    return unconst(&numbers[number]);
}

static size_t number_of(const ml_news *news) {
    return (size_t)((const char *)news->context - numbers);
}

static ml_client *new_client(const char *base_url, int max_connections) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.base_url = ml_text_of(base_url);
    options.account_token = TEXT("token-of-account");
    options.max_connections = max_connections;
    options.timeout = 60.0;
    options.max_retries = 0; /* their waits are real ones here */
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    return client;
}

static ml_mailbox *new_mailbox(void) {
    ml_mailbox *mailbox = ml_mailbox_new();
    assert_non_null(mailbox);
    return mailbox;
}

/* With that end_user_origin_id, which tells the echo what to answer. */
static ml_request *request_of(const char *origin) {
    static const char *const categories[] = {"ats", NULL};
    ml_request *request = empty_request();
    add_text(request, "end_user_email_address", "hr@acme.example");
    add_text(request, "end_user_organization_name", "Acme");
    add_text(request, "end_user_origin_id", origin);
    add_categories(request, categories);
    return request;
}

static ml_status submit_request(ml_client *client, ml_mailbox *mailbox, ml_request *request,
                                size_t number, ml_ticket **ticket) {
    ml_error error;
    ml_error_init(&error);
    ml_submit_options options;
    ml_submit_options_init(&options);
    options.context = context_of(number);
    ml_status status = ml_client_submit(client, request, &options, mailbox, ticket, &error);
    if (status != ML_OK) ml_request_free(request);
    ml_error_clear(&error);
    return status;
}

static ml_ticket *submit(ml_client *client, ml_mailbox *mailbox, const char *origin,
                         size_t number) {
    ml_ticket *ticket = NULL;
    assert_int_equal(submit_request(client, mailbox, request_of(origin), number, &ticket), ML_OK);
    return ticket;
}

/* The next news, however long it takes. */
static ml_news *next_news(ml_mailbox *mailbox) {
    ml_news *news;
    while ((news = ml_mailbox_take(mailbox)) == NULL)
        ml_mailbox_wait(mailbox, 10.0);
    return news;
}

/* Takes so many outcomes, all with that status; the sum of their numbers. */
static size_t take_outcomes(ml_mailbox *mailbox, size_t count, ml_status status) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        ml_news *news = next_news(mailbox);
        if (news->error->status != status) print_error("%s\n", news->error->text);
        assert_int_equal(news->error->status, status);
        sum += number_of(news);
        ml_news_free(news);
    }
    return sum;
}

static void await_requests(size_t count) {
    while (echo_requests() < count)
        sched_yield();
}

/* ---- many ---- */

static size_t sum_to(size_t count) {
    return count * (count + 1) / 2;
}

static void thousand_calls_at_once(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 32);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 1; i <= 1000; i++)
        submit(client, mailbox, "acme", i);
    assert_int_equal(take_outcomes(mailbox, 1000, ML_OK), sum_to(1000));
    assert_null(ml_mailbox_take(mailbox));
    assert_int_equal(echo_requests(), 1000);
    assert_in_range(echo_connections(), 1, 32);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void outcome_belongs_to_its_request(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 8);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 0; i < 100; i++) {
        char origin[32];
        snprintf(origin, sizeof origin, "acme-%zu", i);
        submit(client, mailbox, origin, i);
    }
    for (size_t i = 0; i < 100; i++) {
        char token[32];
        ml_news *news = next_news(mailbox);
        snprintf(token, sizeof token, "token-of-acme-%zu", number_of(news));
        assert_string_equal(ml_response_member(news->response, 0)->text, token);
        assert_true(ml_response_timing(news->response).total > 0.0);
        ml_news_free(news);
    }
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void connections_are_kept(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 8);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 0; i < 20; i++) {
        submit(client, mailbox, "acme", i);
        assert_int_equal(take_outcomes(mailbox, 1, ML_OK), i);
    }
    assert_int_equal(echo_connections(), 1);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

/* One that submits to a mailbox of its own, and one that all share. */
typedef struct submitter {
    pthread_t thread;
    ml_client *client;
    ml_mailbox *shared;
    size_t own_sum;
    bool failed;
} submitter;

enum { THREADS = 8, CALLS = 50 };

static void *submit_and_take(void *context) {
    submitter *s = context;
    ml_mailbox *own = ml_mailbox_new();
    for (size_t i = 1; i <= CALLS; i++)
        s->failed |= submit_request(s->client, own, request_of("own"), i, NULL) != ML_OK ||
                     submit_request(s->client, s->shared, request_of("shared"), i, NULL) != ML_OK;
    for (size_t i = 0; i < CALLS && !s->failed; i++) {
        ml_news *news = next_news(own);
        s->failed |= news->error->status != ML_OK;
        s->own_sum += number_of(news);
        ml_news_free(news);
    }
    ml_mailbox_free(own);
    return NULL;
}

static void threads_submit_to_several_mailboxes(void **state) {
    (void)state;
    submitter submitters[THREADS];
    echo_start();
    ml_client *client = new_client(echo_base_url(), 16);
    ml_mailbox *shared = new_mailbox();
    for (size_t i = 0; i < THREADS; i++) {
        submitters[i] = (submitter){.client = client, .shared = shared};
        assert_int_equal(
            pthread_create(&submitters[i].thread, NULL, submit_and_take, &submitters[i]), 0);
    }
    assert_int_equal(take_outcomes(shared, (size_t)THREADS * CALLS, ML_OK),
                     THREADS * sum_to(CALLS));
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_false(submitters[i].failed);
        assert_int_equal(submitters[i].own_sum, sum_to(CALLS));
    }
    ml_client_free(client);
    ml_mailbox_free(shared);
    echo_stop();
}

static void failures_and_successes_come_out_side_by_side(void **state) {
    (void)state;
    static const char *const origins[] = {"acme", "drop", "s503", "e401"};
    static const ml_status expected[] = {ML_OK, ML_ERR_TRANSPORT, ML_ERR_API, ML_ERR_API};
    echo_start();
    ml_client *client = new_client(echo_base_url(), 8);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 0; i < 40; i++)
        submit(client, mailbox, origins[i % COUNT(origins)], i);
    for (size_t i = 0; i < 40; i++) {
        ml_news *news = next_news(mailbox);
        size_t which = number_of(news) % COUNT(origins);
        assert_int_equal(news->error->status, expected[which]);
        if (which == 3) expect_absent(news->error->text, TEST_KEY);
        ml_news_free(news);
    }
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

/* ---- the descriptor ---- */

static bool is_readable(const ml_mailbox *mailbox) {
    struct pollfd ear = {.fd = ml_mailbox_descriptor(mailbox), .events = POLLIN};
    return poll(&ear, 1, 0) > 0;
}

static void descriptor_is_readable_while_something_waits(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 8);
    ml_mailbox *mailbox = new_mailbox();
    assert_false(is_readable(mailbox));
    for (size_t i = 0; i < 10; i++)
        submit(client, mailbox, "acme", i);
    for (size_t i = 0; i < 10; i++) {
        struct pollfd ear = {.fd = ml_mailbox_descriptor(mailbox), .events = POLLIN};
        assert_int_equal(poll(&ear, 1, 60000), 1);
        ml_news *news = ml_mailbox_take(mailbox);
        assert_non_null(news);
        ml_news_free(news);
    }
    assert_false(is_readable(mailbox));
    assert_false(ml_mailbox_wait(mailbox, 0.0));
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

/* ---- cancelling and closing ---- */

static void cancelled_call_leaves_the_rest_alone(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 1);
    ml_mailbox *mailbox = new_mailbox();
    ml_ticket *ticket = submit(client, mailbox, "hang", 1);
    submit(client, mailbox, "acme", 2);
    await_requests(1);
    ml_ticket_cancel(ticket);
    ml_news *news = next_news(mailbox);
    assert_int_equal(number_of(news), 1);
    assert_int_equal(news->error->status, ML_ERR_INTERRUPTED);
    assert_true(news->error->may_have_arrived);
    ml_news_free(news);
    assert_int_equal(take_outcomes(mailbox, 1, ML_OK), 2);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void closing_ends_what_is_under_way(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 1; i <= 100; i++)
        submit(client, mailbox, "hang", i);
    await_requests(4);
    ml_client_close(client);
    for (size_t i = 0; i < 100; i++) {
        ml_news *news = ml_mailbox_take(mailbox); /* it is there already */
        assert_non_null(news);
        assert_int_equal(news->error->status, ML_ERR_CLOSED);
        ml_news_free(news);
    }
    ml_client_free(client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void news_outlive_the_client(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox();
    submit(client, mailbox, "acme", 1);
    ml_news *news = next_news(mailbox);
    ml_client_free(client);
    assert_string_equal(ml_response_member(news->response, 0)->text, "token-of-acme");
    ml_news_free(news);
    client = new_client(echo_base_url(), 4);
    ml_ticket *ticket = submit(client, mailbox, "hang", 2);
    ml_client_free(client);
    ml_ticket_cancel(ticket);
    assert_int_equal(take_outcomes(mailbox, 1, ML_ERR_CLOSED), 2);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void mailbox_may_go_first(void **state) {
    (void)state;
    echo_start();
    ml_client *client = new_client(echo_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox(), *other = new_mailbox();
    for (size_t i = 1; i <= 100; i++)
        submit(client, mailbox, "hang", i);
    await_requests(4);
    ml_mailbox_free(mailbox);
    submit(client, other, "acme", 1);
    assert_int_equal(take_outcomes(other, 1, ML_OK), 1);
    ml_client_free(client);
    ml_mailbox_free(other);
    echo_stop();
}

/* ---- signals ---- */

static volatile sig_atomic_t signals;
static pthread_t signalled;

static void count_signal(int number) {
    (void)number;
    signals++;
    signalled = pthread_self();
}

static void signals_are_for_the_threads_of_the_program(void **state) {
    (void)state;
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    echo_start();
    ml_client *client = new_client(echo_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox();
    submit(client, mailbox, "hang", 1);
    await_requests(1);
    echo_stop(); /* whose thread would take it */
    take_outcomes(mailbox, 1, ML_ERR_TRANSPORT);
    signal(SIGUSR1, count_signal);
    pthread_sigmask(SIG_BLOCK, &only, &before);
    kill(getpid(), SIGUSR1);
    assert_int_equal(signals, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(signals, 1);
    assert_true(pthread_equal(signalled, pthread_self()));
    signal(SIGUSR1, SIG_DFL);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
}

/* ---- kept connections that the server closes ---- */

#define TOKEN_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"link_token\":\"t\"}"

/* Returns when the server has hung up on the only connection of the process. */
static void await_hang_up(void) {
    for (bool is_seen = false; !is_seen;) {
        for (int item = 0; item < 64 && !is_seen; item++) {
            struct pollfd one = {.fd = item, .events = POLLRDHUP};
            is_seen =
                fcntl(item, F_GETFD) >= 0 && poll(&one, 1, 0) > 0 && (one.revents & POLLRDHUP) != 0;
        }
        sched_yield();
    }
}

static void what_must_not_happen_twice_is_not_sent_into_a_dead_connection(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"id\": \"one\"}",
         .then = SERVER_CLOSES},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"id\": \"two\"}"},
    };
    server_start(turns, COUNT(turns));
    ml_client *client = new_client(server_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(submit_request(client, mailbox, thing_request("ats", TEXT("x")), i, NULL),
                         ML_OK);
        assert_int_equal(take_outcomes(mailbox, 1, ML_OK), i);
        if (i == 0) await_hang_up();
    }
    server_stop();
    assert_int_equal(server_requests(), 2);
    assert_int_equal(server_connections(), 2);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
}

static void dead_connection_fails_no_call(void **state) {
    (void)state;
    static const server_turn closes = {.answer = TOKEN_ANSWER, .then = SERVER_CLOSES};
    server_start_forever(&closes);
    ml_client *client = new_client(server_base_url(), 4);
    ml_mailbox *mailbox = new_mailbox();
    for (size_t i = 0; i < 10; i++) {
        submit(client, mailbox, "acme", i);
        assert_int_equal(take_outcomes(mailbox, 1, ML_OK), i);
        await_hang_up();
    }
    server_stop();
    assert_int_equal(server_requests(), 10);
    ml_client_free(client);
    ml_mailbox_free(mailbox);
}

/* ---- fork ---- */

/* ThreadSanitizer has no threads in the child of a process that has threads; AddressSanitizer's
 * malloc may stay locked there, when another thread was in it. */
#ifdef __SANITIZE_THREAD__
enum { STARTS_THREADS_IN_CHILD = false };
#else
enum { STARTS_THREADS_IN_CHILD = true };
#endif
#ifdef __SANITIZE_ADDRESS__
enum { FORKS_AT_ANY_MOMENT = false };
#else
enum { FORKS_AT_ANY_MOMENT = STARTS_THREADS_IN_CHILD };
#endif

/* The child makes no assertion, cmocka is the parent's: it tells by a pipe (see test_fork.c). */
static int in_child(int (*deed)(void *), void *context) {
    int ends[2];
    unsigned char told = 255;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        told = (unsigned char)deed(context);
        _exit(write(ends[1], &told, 1) == 1 ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &told, 1) != 1) told = 255;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return told;
}

typedef struct forked {
    ml_client *client;
    ml_mailbox *mailbox;
    ml_ticket *ticket; /* of the parent */
} forked;

/* So many outcomes, and no more, come out well; else the number of a step. */
static int call_in_child(ml_client *client, ml_mailbox *mailbox) {
    for (size_t i = 0; i < 10; i++)
        if (submit_request(client, mailbox, request_of("acme"), 7, NULL) != ML_OK) return 1;
    for (size_t i = 0; i < 10; i++) {
        ml_news *news = next_news(mailbox);
        if (number_of(news) != 7 || news->error->status != ML_OK) return 2;
        ml_news_free(news);
    }
    return ml_mailbox_take(mailbox) == NULL && !ml_mailbox_wait(mailbox, 0.0) ? 0 : 3;
}

static int use_in_child(void *context) {
    forked *f = context;
    ml_ticket_cancel(f->ticket);
    if (ml_mailbox_take(f->mailbox) != NULL) return 10;
    int failed = call_in_child(f->client, f->mailbox);
    ml_client_free(f->client);
    ml_mailbox_free(f->mailbox);
    return failed;
}

static int grow_old_in_child(void *context) {
    const forked *f = context;
    int failed = call_in_child(f->client, f->mailbox);
    return failed == 0 ? in_child(use_in_child, context) : failed;
}

static void both_sides_of_a_fork_go_on(void **state) {
    (void)state;
    if (!STARTS_THREADS_IN_CHILD) skip();
    echo_start();
    forked f = {.client = new_client(echo_base_url(), 4), .mailbox = new_mailbox()};
    submit(f.client, f.mailbox, "first", 1);
    take_outcomes(f.mailbox, 1, ML_OK);
    for (size_t i = 0; i < 8; i++)
        f.ticket = submit(f.client, f.mailbox, "hang", i);
    await_requests(1 + 4);
    assert_int_equal(in_child(use_in_child, &f), 0);
    assert_int_equal(in_child(grow_old_in_child, &f), 0);
    assert_null(ml_mailbox_take(f.mailbox));
    ml_ticket_cancel(f.ticket);
    assert_int_equal(take_outcomes(f.mailbox, 1, ML_ERR_INTERRUPTED), 7);
    ml_client_close(f.client);
    assert_int_equal(take_outcomes(f.mailbox, 7, ML_ERR_CLOSED), sum_to(6));
    ml_client_free(f.client);
    ml_mailbox_free(f.mailbox);
    echo_stop();
}

/* What waits in the parent's mailbox is not in the child's. */
static void news_are_not_inherited(void **state) {
    (void)state;
    if (!STARTS_THREADS_IN_CHILD) skip();
    echo_start();
    forked f = {.client = new_client(echo_base_url(), 4), .mailbox = new_mailbox()};
    ml_mailbox *mailbox = f.mailbox;
    f.ticket = submit(f.client, mailbox, "acme", 1);
    submit(f.client, mailbox, "acme", 2);
    while (!ml_mailbox_wait(mailbox, 10.0)) {
    }
    f.ticket = submit(f.client, mailbox, "hang", 3);
    assert_int_equal(in_child(use_in_child, &f), 0);
    assert_int_equal(take_outcomes(mailbox, 2, ML_OK), 3);
    ml_client_free(f.client);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static int close_in_child(void *context) {
    const forked *f = context;
    ml_mailbox_free(f->mailbox);
    ml_client_free(f->client);
    return 0;
}

static void child_may_throw_all_away(void **state) {
    (void)state;
    echo_start();
    forked f = {.client = new_client(echo_base_url(), 4), .mailbox = new_mailbox()};
    submit(f.client, f.mailbox, "hang", 1);
    await_requests(1);
    assert_int_equal(in_child(close_in_child, &f), 0);
    submit(f.client, f.mailbox, "acme", 2);
    assert_int_equal(take_outcomes(f.mailbox, 1, ML_OK), 2);
    ml_client_free(f.client);
    ml_mailbox_free(f.mailbox);
    echo_stop();
}

/* Forks come at any moment of submitting and answering. */
static void *submit_for_ever(void *context) {
    const forked *f = context;
    ml_mailbox *mailbox = ml_mailbox_new();
    size_t *failed = calloc(1, sizeof *failed);
    for (size_t i = 0; i < 300; i++) {
        *failed += submit_request(f->client, mailbox, request_of("acme"), i, NULL) != ML_OK;
        ml_news *news = next_news(mailbox);
        *failed += news->error->status != ML_OK;
        ml_news_free(news);
    }
    ml_mailbox_free(mailbox);
    return failed;
}

static void forks_in_the_middle_of_traffic(void **state) {
    (void)state;
    pthread_t threads[4];
    if (!FORKS_AT_ANY_MOMENT) skip();
    echo_start();
    forked f = {.client = new_client(echo_base_url(), 8), .mailbox = new_mailbox()};
    f.ticket = submit(f.client, f.mailbox, "hang", 1);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_for_ever, &f), 0);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(in_child(use_in_child, &f), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_int_equal(*(size_t *)failed, 0);
        free(failed);
    }
    ml_client_free(f.client);
    ml_mailbox_free(f.mailbox);
    echo_stop();
}

/* ---- the end of the program ---- */

static struct {
    ml_mailbox *mailbox;
    int end;
} at_the_end;

/* Registered before the engine starts, and so called after it was closed. */
static void tell_outcome(void) {
    bool is_woken = ml_mailbox_wait(at_the_end.mailbox, 0.0);
    const ml_news *news = is_woken ? NULL : ml_mailbox_take(at_the_end.mailbox);
    unsigned char told = news != NULL ? (unsigned char)news->error->status : 254;
    _exit(write(at_the_end.end, &told, 1) == 1 ? 0 : 1);
}

static void end_with_a_call_under_way(const char *base_url, int end) {
    at_the_end.mailbox = ml_mailbox_new();
    at_the_end.end = end;
    atexit(tell_outcome);
    ml_client *client = new_client(base_url, 4);
    submit(client, at_the_end.mailbox, "hang", 1);
    await_requests(1);
    exit(0);
}

static void program_may_end_with_calls_under_way(void **state) {
    (void)state;
    int ends[2];
    unsigned char told = 255;
    if (!STARTS_THREADS_IN_CHILD) skip();
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        echo_start();
        end_with_a_call_under_way(echo_base_url(), ends[1]);
    }
    close(ends[1]);
    if (read(ends[0], &told, 1) != 1) told = 255;
    close(ends[0]);
    waitpid(child, NULL, 0);
    assert_int_equal(told, ML_ERR_CLOSED);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    SUITE_TEST(program_may_end_with_calls_under_way); /* before any engine has started here */
    SUITE_TEST(thousand_calls_at_once);
    SUITE_TEST(outcome_belongs_to_its_request);
    SUITE_TEST(connections_are_kept);
    SUITE_TEST(threads_submit_to_several_mailboxes);
    SUITE_TEST(failures_and_successes_come_out_side_by_side);
    SUITE_TEST(descriptor_is_readable_while_something_waits);
    SUITE_TEST(cancelled_call_leaves_the_rest_alone);
    SUITE_TEST(closing_ends_what_is_under_way);
    SUITE_TEST(news_outlive_the_client);
    SUITE_TEST(mailbox_may_go_first);
    SUITE_TEST(signals_are_for_the_threads_of_the_program);
    SUITE_TEST(what_must_not_happen_twice_is_not_sent_into_a_dead_connection);
    SUITE_TEST(dead_connection_fails_no_call);
    SUITE_TEST(both_sides_of_a_fork_go_on);
    SUITE_TEST(news_are_not_inherited);
    SUITE_TEST(child_may_throw_all_away);
    SUITE_TEST(forks_in_the_middle_of_traffic);
    return suite_run("engine");
}
