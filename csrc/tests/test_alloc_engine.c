/*
 * Each allocation failing in turn, of the engine's thread and of the one that submits: every
 * submit has an honest outcome, exactly once, and the client works again afterwards. (See
 * test_alloc.c for how allocations are made to fail.)
 */
#include "support/build.h"
#include "support/echo.h"
#include "support/expect.h"

#include <cJSON.h>
#include <curl/curl.h>
#include <stdatomic.h>

/* ---- allocations that fail, in any thread but that of the server, which needs none ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);

static atomic_bool is_on, is_for_good, has_failed, libcurl_failed;
static atomic_long fail_at, counted;

static void set_luck(long at, bool for_good) {
    atomic_store(&is_on, false);
    atomic_store(&fail_at, at);
    atomic_store(&is_for_good, for_good);
    atomic_store(&counted, 0);
    atomic_store(&has_failed, false);
    atomic_store(&libcurl_failed, false);
    atomic_store(&is_on, at > 0);
}

static bool fails(void) {
    if (!atomic_load(&is_on)) return false;
    long number = atomic_fetch_add(&counted, 1) + 1, at = atomic_load(&fail_at);
    bool now = atomic_load(&is_for_good) ? number >= at : number == at;
    if (now) atomic_store(&has_failed, true);
    return now;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}

static bool fails_in_libcurl(void) {
    bool now = fails();
    if (now) atomic_store(&libcurl_failed, true);
    return now;
}

static void *curl_malloc(size_t size) {
    return fails_in_libcurl() ? NULL : __real_malloc(size);
}

static void *curl_calloc(size_t number, size_t size) {
    return fails_in_libcurl() ? NULL : __real_calloc(number, size);
}

static void *curl_realloc(void *block, size_t size) {
    return fails_in_libcurl() ? NULL : __real_realloc(block, size);
}

static char *curl_strdup(const char *text) {
    return fails_in_libcurl() ? NULL : __real_strdup(text);
}

/* ---- calls ---- */

enum { CALLS = 4 };

static ml_client *new_client(void) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    options.base_url = ml_text_of(echo_base_url());
    options.max_connections = 2;
    options.budget_failures = 1000;
    options.max_retries = 0;
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    return client;
}

/* How many were taken on; each has its number as context. Those that were not say why. */
static size_t submit_all(ml_client *client, ml_mailbox *mailbox, ml_request **requests,
                         ml_flow *flow) {
    size_t submitted = 0;
    for (size_t i = 0; i < CALLS; i++) {
        ml_error error;
        ml_error_init(&error);
        ml_submit_options options;
        ml_submit_options_init(&options);
        options.tells_attempts = true;
        options.context = &requests[i];
        options.flow = i % 2 == 0 ? flow : NULL;
        ml_status status = ml_client_submit(client, requests[i], &options, mailbox, NULL, &error);
        if (status == ML_OK) {
            requests[i] = NULL;
            submitted++;
        } else {
            assert_int_equal(status, ML_ERR_MEMORY);
        }
        ml_error_clear(&error);
    }
    return submitted;
}

/* libcurl names some of its own failures otherwise. */
static bool is_honest(ml_status status) {
    if (status == ML_OK || status == ML_ERR_MEMORY) return true;
    return atomic_load(&libcurl_failed) &&
           (status == ML_ERR_TRANSPORT || status == ML_ERR_CONFIGURATION);
}

/* Each of them, once; how many are well. */
static size_t take_all(ml_mailbox *mailbox, size_t submitted) {
    size_t good = 0;
    for (size_t taken = 0; taken < submitted;) {
        ml_news *news = ml_mailbox_take(mailbox);
        if (news == NULL) {
            ml_mailbox_wait(mailbox, 10.0);
            continue;
        }
        if (news->is_over) {
            taken++;
            good += news->error->status == ML_OK;
            if (!is_honest(news->error->status))
                fail_msg("%d: %s", (int)news->error->status, news->error->text);
        }
        ml_news_free(news);
    }
    assert_null(ml_mailbox_take(mailbox));
    return good;
}

/* Fills and empties a mailbox under that luck; did anything fail? */
static bool go_through(ml_client *client, ml_mailbox *mailbox, long at, bool for_good) {
    ml_request *requests[CALLS];
    ml_flow *flow = ml_flow_new(0.0);
    for (size_t i = 0; i < CALLS; i++)
        requests[i] = small_request();
    set_luck(at, for_good);
    size_t submitted = submit_all(client, mailbox, requests, flow);
    size_t good = take_all(mailbox, submitted);
    bool failed = atomic_load(&has_failed);
    set_luck(0, false);
    if (!failed) assert_int_equal(good, CALLS);
    for (size_t i = 0; i < CALLS; i++)
        ml_request_free(requests[i]);
    ml_flow_free(flow);
    return failed;
}

enum { MOST_ALLOCATIONS = 5000 };

static void try_all(bool is_kept, bool for_good) {
    echo_start();
    ml_client *kept = is_kept ? new_client() : NULL;
    ml_mailbox *mailbox = ml_mailbox_new();
    bool failed = true;
    if (is_kept) go_through(kept, mailbox, 0, false);
    for (long at = 1; failed; at++) {
        assert_true(at < MOST_ALLOCATIONS);
        ml_client *client = is_kept ? kept : new_client();
        failed = go_through(client, mailbox, at, for_good);
        go_through(client, mailbox, 0, false);
        if (!is_kept) ml_client_free(client);
    }
    ml_client_free(kept);
    ml_mailbox_free(mailbox);
    echo_stop();
}

static void one_failed_allocation_of_a_new_engine_is_survived(void **state) {
    (void)state;
    try_all(false, false);
}

static void one_failed_allocation_of_an_engine_is_survived(void **state) {
    (void)state;
    try_all(true, false);
}

static void end_of_all_memory_of_a_new_engine_is_survived(void **state) {
    (void)state;
    try_all(false, true);
}

static void end_of_all_memory_of_an_engine_is_survived(void **state) {
    (void)state;
    try_all(true, true);
}

static void mailbox_or_flow_without_memory_is_none(void **state) {
    (void)state;
    set_luck(1, true);
    assert_null(ml_mailbox_new());
    assert_null(ml_flow_new(1.0));
    set_luck(0, false);
}

int main(void) {
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_strdup,
                             curl_calloc) != CURLE_OK)
        return 1;
    SUITE_TEST(one_failed_allocation_of_a_new_engine_is_survived);
    SUITE_TEST(one_failed_allocation_of_an_engine_is_survived);
    SUITE_TEST(end_of_all_memory_of_a_new_engine_is_survived);
    SUITE_TEST(end_of_all_memory_of_an_engine_is_survived);
    SUITE_TEST(mailbox_or_flow_without_memory_is_none);
    int failed = suite_run("alloc_engine");
    curl_global_cleanup();
    return failed;
}
