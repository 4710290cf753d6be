/*
 * lane - one exchange at a time over one kept connection: an easy handle in a multi handle of
 * its own, so that whoever drives it can look up from the network every now and then.
 */
#include "../clock.h"
#include "../error.h"
#include "../process.h"
#include "curl_private.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef POLLRDHUP /* Linux alone has it: elsewhere this notices connections that were reset */
#define POLLRDHUP 0
#endif

enum { MOST_SOCKETS = 16 };

struct ml_lane {
    CURLM *multi;             /* owned */
    CURL *easy;               /* owned */
    CURLU *url;               /* owned: where the last exchange went */
    ml_secret url_text;       /* owned: the same as text */
    const ml_config *config;  /* borrowed */
    struct curl_slist *lines; /* owned: an array of line_room, linked one to the next */
    size_t line_room;
    ml_exchange *exchange; /* borrowed while one is under way */
    ml_lane *next;         /* of those that a forked child abandoned */
    /* Open sockets plus one, so that 0 is a free place; libcurl owns them. Atomic because a fork
     * may come at any time. */
    atomic_int sockets[MOST_SOCKETS];
    ml_watched watched; /* in this exchange */
    char detail[CURL_ERROR_SIZE];
};

/* ---- clock and dice ---- */

static double wall_clock(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Jitter needs no more than numbers that differ from thread to thread and try to try. */
static double dice(void) {
    static _Thread_local uint64_t state;
    static _Thread_local unsigned generation;
    /* After a fork too, or all children would wait alike. */
    if (state == 0 || generation != ml_process_generation()) {
        generation = ml_process_generation();
        state =
            (uint64_t)(uintptr_t)&state ^ (uint64_t)(ml_now() * 1e9) ^ ((uint64_t)getpid() << 32);
    }
    state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return (double)((mixed ^ (mixed >> 31)) >> 11) / 9007199254740992.0;
}

/* ---- callbacks ---- */

/* The body, up to the limit; one byte more ends the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *user) {
    ml_exchange *exchange = user;
    size_t length = size * count;
    size_t room = exchange->max_response_bytes - exchange->body_in.length;
    if (length > room) {
        exchange->body_cut = true;
        ml_buffer_append(&exchange->body_in, data, room);
        return CURL_WRITEFUNC_ERROR;
    }
    ml_buffer_append(&exchange->body_in, data, length);
    return exchange->body_in.failed ? CURL_WRITEFUNC_ERROR : length;
}

/* Called each time that the request is about to be written, libcurl's own repeats too. */
static int before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
                          int local_port) {
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    ml_exchange *exchange = ((ml_lane *)user)->exchange;
    if (exchange == NULL) return CURL_PREREQFUNC_OK;
    exchange->resend_refused = exchange->once && exchange->sends > 0;
    if (exchange->resend_refused) return CURL_PREREQFUNC_ABORT;
    exchange->sends++;
    /* What a proxy said before, to CONNECT, is no part of the answer. */
    exchange->sections = 0;
    exchange->headers_whole = false;
    return CURL_PREREQFUNC_OK;
}

/* ---- sockets ---- */

static void swap_socket(ml_lane *lane, int from, int to) {
    for (int i = 0; i < MOST_SOCKETS; i++) {
        int expected = from;
        if (atomic_compare_exchange_strong(&lane->sockets[i], &expected, to)) return;
    }
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    ml_process_lock(); /* No fork comes in between: the child would not know the socket. */
    int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (made >= 0) swap_socket(user, 0, made + 1);
    ml_process_unlock();
    return made;
}

/* Forgotten first: the number may be somebody else's as soon as it is closed. */
static int close_socket(void *user, curl_socket_t item) {
    ml_process_lock();
    swap_socket(user, item + 1, 0);
    int failed = close(item);
    ml_process_unlock();
    return failed;
}

/* Has the server closed the kept connection? Newer versions of libcurl do not look when it was
 * used a moment ago: the request would be sent in vain, and twice. */
static bool is_hung_up(ml_lane *lane) {
    for (int i = 0; i < MOST_SOCKETS; i++) {
        struct pollfd kept = {.fd = atomic_load(&lane->sockets[i]) - 1, .events = POLLRDHUP};
        if (kept.fd >= 0 && poll(&kept, 1, 0) > 0) return true;
    }
    return false;
}

static bool is_connected(ml_lane *lane) {
    for (int i = 0; i < MOST_SOCKETS; i++)
        if (atomic_load(&lane->sockets[i]) != 0) return true;
    return false;
}

/* ---- life ---- */

static void close_lane(ml_lane *lane) {
    if (lane == NULL) return;
    if (lane->exchange != NULL) curl_multi_remove_handle(lane->multi, lane->easy);
    curl_easy_cleanup(lane->easy);
    if (lane->multi != NULL) curl_multi_cleanup(lane->multi);
    curl_url_cleanup(lane->url);
    ml_secret_free(&lane->url_text);
    free(lane->lines);
    free(lane);
}

/* Lanes that stay as the fork found them: libcurl promises nothing across fork, and cleaning up
 * would say goodbye to the server on the parent's connection. */
static ml_lane *abandoned;

static void abandon(ml_lane *lane) {
    for (int i = 0; i < MOST_SOCKETS; i++) {
        int open = atomic_exchange(&lane->sockets[i], 0) - 1;
        if (open >= 0) close(open);
    }
    lane->next = abandoned;
    abandoned = lane;
}

static bool set_callbacks(ml_lane *lane) {
    CURL *easy = lane->easy;
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, lane->detail) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ml_curl_take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, ml_curl_watch) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &lane->watched) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, lane) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, lane) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, lane) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SHARE, ml_curl_share()) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CURLU, lane->url) == CURLE_OK &&
           curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK;
}

static ml_lane *open_lane(const ml_config *config, ml_error *error) {
    ml_lane *lane = calloc(1, sizeof *lane);
    if (lane != NULL) {
        lane->config = config;
        lane->multi = curl_multi_init();
        lane->easy = curl_easy_init();
        lane->url = curl_url();
    }
    if (lane == NULL || lane->multi == NULL || lane->easy == NULL || lane->url == NULL ||
        !set_callbacks(lane)) {
        ml_fail_memory(error);
        goto fail;
    }
#if LIBCURL_VERSION_NUM >= 0x081400 /* from 8.20 on, cleaning up waits for name lookups */
    curl_multi_setopt(lane->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
    if (ml_curl_set_fixed(lane->easy, config, error)) return lane;
fail:
    close_lane(lane);
    return NULL;
}

/* ---- an exchange ---- */

static void judge(const ml_lane *lane, CURLcode code, ml_exchange *exchange) {
    ml_transfer transfer = {
        .easy = lane->easy,
        .config = lane->config,
        .watched = &lane->watched,
        .exchange = exchange,
        .code = code,
        .detail = lane->detail,
    };
    ml_curl_judge(&transfer);
}

static void end_exchange(ml_lane *lane, CURLcode code) {
    curl_multi_remove_handle(lane->multi, lane->easy);
    judge(lane, code, lane->exchange);
    lane->exchange = NULL;
}

static char no_expect[] = "Expect:";

/* libcurl asks for 100-continue before a body of more than 1 MiB, unless it is told not to. */
enum { LARGE_BODY = 512 * 1024 };

/* libcurl's list type over the exchange's own lines: nothing is copied, so nothing stays. */
static bool link_lines(ml_lane *lane, const ml_exchange *exchange) {
    size_t own = exchange->line_count, count = own + 1;
    if (count > lane->line_room) {
        struct curl_slist *lines = realloc(lane->lines, count * sizeof *lines);
        if (lines == NULL) return false;
        lane->lines = lines;
        lane->line_room = count;
    }
    for (size_t i = 0; i < own; i++)
        lane->lines[i] = (struct curl_slist){exchange->lines[i], &lane->lines[i + 1]};
    lane->lines[own] = (struct curl_slist){no_expect, NULL};
    if (own > 0 && exchange->body.length <= LARGE_BODY) lane->lines[own - 1].next = NULL;
    return true;
}

/* Parsed only when it is another than last time: a text, libcurl would parse for each transfer. */
static CURLcode set_url(ml_lane *lane, const char *url) {
    if (lane->url_text.data != NULL && strcmp(lane->url_text.data, url) == 0) return CURLE_OK;
    ml_secret_free(&lane->url_text);
    CURLUcode code = curl_url_set(lane->url, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OUT_OF_MEMORY) return CURLE_OUT_OF_MEMORY;
    if (code != CURLUE_OK) return CURLE_URL_MALFORMAT;
    return ml_secret_set(&lane->url_text, ml_text_of(url)) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static CURLcode set_method(CURL *easy, const ml_exchange *exchange) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (!exchange->has_body) {
        if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return code;
    }
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (code == CURLE_OK)
        code =
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.length);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body.data);
    if (code == CURLE_OK && strcmp(exchange->method, "POST") != 0)
        code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    return code;
}

static CURLcode set_request(ml_lane *lane, ml_exchange *exchange) {
    CURL *easy = lane->easy;
    /* Rounded up: what ended before the deadline might be tried again. */
    long milliseconds = exchange->timeout > 0.0 ? (long)(exchange->timeout * 1000.0) + 1 : 1;
    bool fresh = is_hung_up(lane);
    CURLcode code = set_url(lane, exchange->url);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_VERBOSE, fresh || !is_connected(lane) ? 1L : 0L);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lane->lines);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds);
    return code == CURLE_OK ? set_method(easy, exchange) : code;
}

static bool start(ml_lane *lane, ml_exchange *exchange) {
    lane->detail[0] = '\0';
    lane->watched = (ml_watched){0};
    exchange->began = wall_clock();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (link_lines(lane, exchange)) code = set_request(lane, exchange);
    if (code == CURLE_OK && curl_multi_add_handle(lane->multi, lane->easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK)
        lane->exchange = exchange;
    else
        judge(lane, code, exchange);
    return code == CURLE_OK;
}

/* Moves the transfer on; true when it is over. */
static bool advance(ml_lane *lane) {
    int running = 0, left = 0;
    CURLMcode failed = curl_multi_perform(lane->multi, &running);
    if (failed != CURLM_OK) {
        end_exchange(lane, failed == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR);
        return true;
    }
    if (running > 0) return false;
    const CURLMsg *message = curl_multi_info_read(lane->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) return false;
    end_exchange(lane, message->data.result);
    return true;
}

static bool move_on(ml_lane *lane, double seconds) {
    /* Rounded up: a wait of less than a millisecond must not become a busy loop. */
    int milliseconds = (int)(seconds * 1000.0) + 1;
    if (lane->exchange != NULL && advance(lane)) return true;
    CURLMcode failed = curl_multi_poll(lane->multi, NULL, 0, milliseconds, NULL);
    if (lane->exchange == NULL) return true;
    if (failed == CURLM_OK) return advance(lane);
    end_exchange(lane, CURLE_UNRECOVERABLE_POLL);
    return true;
}

static void cancel(ml_lane *lane) {
    if (lane->exchange == NULL) return;
    end_exchange(lane, CURLE_ABORTED_BY_CALLBACK);
}

static void wake(ml_lane *lane) {
    curl_multi_wakeup(lane->multi);
}

const ml_transport ml_curl_transport = {
    .open = open_lane,
    .close = close_lane,
    .abandon = abandon,
    .start = start,
    .poll = move_on,
    .cancel = cancel,
    .wake = wake,
    .now = ml_now,
    .dice = dice,
};
