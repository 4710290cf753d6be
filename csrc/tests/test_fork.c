/*
 * A client made before fork() works in the child, and in the parent as before.
 */
#include "support/build.h"
#include "support/expect.h"
#include "support/server.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static ml_client *new_client(int max_connections) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.base_url = ml_text_of(server_base_url());
    options.max_connections = max_connections;
    options.timeout = 20.0;
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    return client;
}

static ml_status call(ml_client *client) {
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_call_options options;
    ml_call_options_init(&options);
    ml_request *request = small_request();
    ml_status status = ml_client_call(client, request, &options, &response, &error);
    ml_response_free(response);
    ml_request_free(request);
    ml_error_clear(&error);
    return status;
}

/* The child makes no assertion, cmocka is the parent's; and it tells by a pipe, for its exit status
 * is valgrind's, which calls lost what the threads that are not in the child have owned. */
static void tell_and_exit(int pipe_end, int status) {
    unsigned char told = (unsigned char)status;
    _exit(write(pipe_end, &told, 1) == 1 ? 0 : 1);
}

enum { NOTHING_TOLD = 255 };

/* What the calls of a child came to; `deeper` of them are made in a child of the child. */
static int call_in_child(ml_client *client, int calls, int deeper) {
    int ends[2];
    unsigned char told = NOTHING_TOLD;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        int status = ML_OK;
        for (int i = 0; i < calls && status == ML_OK; i++)
            status = (int)call(client);
        if (status == ML_OK && deeper > 0)
            status = call_in_child(client, deeper, 0);
        else
            ml_client_free(client);
        tell_and_exit(ends[1], status);
    }
    close(ends[1]);
    if (read(ends[0], &told, 1) != 1) told = NOTHING_TOLD;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return told;
}

static const server_turn good = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n"
                                           "{\"link_token\":\"t\"}"};

static void child_has_connections_of_its_own(void **state) {
    (void)state;
    server_start_forever(&good);
    ml_client *client = new_client(1);
    assert_int_equal(call(client), ML_OK);
    assert_int_equal(call_in_child(client, 2, 0), ML_OK);
    assert_int_equal(call(client), ML_OK);
    server_stop();
    assert_int_equal(server_requests(), 4);
    assert_int_equal(server_connections(), 2);
    ml_client_free(client);
}

static void child_may_not_call_other_hosts_either(void **state) {
    (void)state;
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.base_url = TEXT("https://nowhere.invalid/api");
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    ml_set_loopback_only(true);
    assert_int_equal(call_in_child(client, 1, 0), ML_ERR_CONFIGURATION);
    ml_set_loopback_only(false);
    ml_client_free(client);
}

static void child_may_be_the_first_to_call(void **state) {
    (void)state;
    server_start_forever(&good);
    ml_client *client = new_client(1);
    assert_int_equal(call_in_child(client, 1, 0), ML_OK);
    assert_int_equal(call(client), ML_OK);
    server_stop();
    assert_int_equal(server_connections(), 2);
    ml_client_free(client);
}

static void grandchild_works_too(void **state) {
    (void)state;
    server_start_forever(&good);
    ml_client *client = new_client(1);
    assert_int_equal(call(client), ML_OK);
    assert_int_equal(call_in_child(client, 1, 1), ML_OK);
    server_stop();
    assert_int_equal(server_connections(), 3);
    ml_client_free(client);
}

/* ---- fork while another thread is in a call ---- */

typedef struct caller {
    ml_client *client;
    ml_status status;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ticked;
} caller;

static int tell_tick(void *context) {
    caller *c = context;
    pthread_mutex_lock(&c->lock);
    c->ticked = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return 0;
}

static void *call_in_thread(void *context) {
    caller *c = context;
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_call_options options;
    ml_call_options_init(&options);
    options.tick = tell_tick;
    options.context = c;
    ml_request *request = small_request();
    c->status = ml_client_call(c->client, request, &options, &response, &error);
    ml_response_free(response);
    ml_request_free(request);
    ml_error_clear(&error);
    return NULL;
}

/* Returns when the thread's call waits for its answer. */
static void start_caller(caller *c, ml_client *client) {
    *c = (caller){.client = client};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    assert_int_equal(pthread_create(&c->thread, NULL, call_in_thread, c), 0);
    pthread_mutex_lock(&c->lock);
    while (!c->ticked)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

/* The only connection is in use in the parent; in the child it is nobody's. */
static void call_of_another_thread_does_not_hinder_the_child(void **state) {
    (void)state;
    static const server_turn turns[] = {
        {.then = SERVER_HOLDS},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"link_token\":\"t\"}"}};
    caller c;
    server_start(turns, COUNT(turns));
    ml_client *client = new_client(1);
    start_caller(&c, client);
    assert_int_equal(call_in_child(client, 1, 0), ML_OK);
    ml_client_close(client);
    pthread_join(c.thread, NULL);
    assert_int_equal(c.status, ML_ERR_CLOSED);
    server_stop();
    ml_client_free(client);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.lock);
}

int main(void) {
    SUITE_TEST(child_has_connections_of_its_own);
    SUITE_TEST(child_may_not_call_other_hosts_either);
    SUITE_TEST(child_may_be_the_first_to_call);
    SUITE_TEST(grandchild_works_too);
    SUITE_TEST(call_of_another_thread_does_not_hinder_the_child);
    return suite_run("fork");
}
