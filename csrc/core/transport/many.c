/*
 * many - many exchanges at once: carriers in one multi handle, which shares connections out among
 * them.
 */
#include "../error.h"
#include "curl_private.h"

#include <stdlib.h>

/* With HTTP/2, on one connection (libcurl sends no more either), and on all: each costs libcurl
 * some 70 KB. */
enum { STREAMS = 100, MOST_STREAMS = 1000 };

typedef struct seat {
    ml_carrier carrier; /* first, so that one can be had from the other */
    struct seat *next, **at;
} seat;

struct ml_many {
    CURLM *multi;            /* owned */
    const ml_config *config; /* borrowed */
    seat *idle, *busy;       /* owned */
    size_t idle_count, busy_count;
    long spoken; /* the version that the server spoke last: one of CURL_HTTP_VERSION_…; 0: none */
    CURLcode fault; /* libcurl cannot go on: all that is under way ends with this */
    ml_sockets sockets;
    ml_many *next; /* of those that a forked child abandoned */
    atomic_int places[];
};

static size_t connections(const ml_many *many) {
    return (size_t)many->config->options.max_connections;
}

/* ---- seats ---- */

static void push(seat **list, seat *one) {
    one->next = *list;
    one->at = list;
    if (*list != NULL) (*list)->at = &one->next;
    *list = one;
}

static void drop(const seat *one) {
    *one->at = one->next;
    if (one->next != NULL) one->next->at = one->at;
}

static void free_seat(seat *one) {
    ml_carrier_free(&one->carrier);
    free(one);
}

static seat *take_seat(ml_many *many, ml_error *error) {
    seat *one = many->idle;
    if (one != NULL) {
        drop(one);
        many->idle_count--;
        return one;
    }
    one = malloc(sizeof *one);
    if (one == NULL)
        ml_fail_memory(error);
    else if (ml_carrier_init(&one->carrier, many->config, &many->sockets, error))
        return one;
    free(one);
    return NULL;
}

/* With HTTP/2 there may have been a hundred times as many. */
static void leave_seat(ml_many *many, seat *one) {
    if (many->idle_count >= connections(many)) {
        free_seat(one);
        return;
    }
    push(&many->idle, one);
    many->idle_count++;
}

/* ---- life ---- */

static void close_many(ml_many *many) {
    if (many == NULL) return;
    for (seat *one; (one = many->idle) != NULL;) {
        drop(one);
        free_seat(one);
    }
    if (many->multi != NULL) curl_multi_cleanup(many->multi);
    free(many);
}

/* As they were at the fork: see lane.c. */
static ml_many *abandoned;

static void abandon(ml_many *many) {
    ml_sockets_abandon(&many->sockets);
    many->next = abandoned;
    abandoned = many;
}

static bool set_options(CURLM *multi, long most) {
#if LIBCURL_VERSION_NUM >= 0x081400 /* from 8.20 on, cleaning up waits for name lookups */
    curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
    return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS) == CURLM_OK;
}

/* A connection may try two addresses at once, so there is a place for both. */
static ml_many *open_many(const ml_config *config, ml_error *error) {
    size_t room = (size_t)config->options.max_connections * 2 + 16;
    ml_many *many = calloc(1, sizeof *many + room * sizeof *many->places);
    if (many != NULL) {
        many->config = config;
        many->sockets = (ml_sockets){.places = many->places, .room = room};
        many->multi = curl_multi_init();
    }
    if (many != NULL && many->multi != NULL &&
        set_options(many->multi, config->options.max_connections))
        return many;
    close_many(many);
    ml_fail_memory(error);
    return NULL;
}

/* ---- an exchange ---- */

static bool is_multiplexed(const ml_many *many) {
    return many->spoken == CURL_HTTP_VERSION_2_0;
}

static size_t capacity(const ml_many *many) {
    size_t most = connections(many);
    if (!is_multiplexed(many) || most > MOST_STREAMS) return most;
    return most * STREAMS < MOST_STREAMS ? most * STREAMS : MOST_STREAMS;
}

/* Whether the connection will be a new one is for libcurl to decide: this is the likely case. What
 * must not be written twice is not risked on a connection that the server may have closed; of all
 * else libcurl sends it again by itself (see lane.c). */
static ml_route route_of(const ml_many *many, const ml_exchange *exchange) {
    size_t open = atomic_load(&many->sockets.open);
    return (ml_route){
        .is_fresh = exchange->once && ml_sockets_any_hung_up(&many->sockets),
        .is_new = many->busy_count >= open * (is_multiplexed(many) ? STREAMS : 1),
    };
}

/* Over TLS the server is offered HTTP/2; while it is not known what it speaks, requests wait for
 * the first connection to tell instead of opening one each. */
static CURLcode set_version(const ml_many *many, CURL *easy, const ml_exchange *exchange) {
    const ml_config *config = exchange->config != NULL ? exchange->config : many->config;
    bool is_offered = config->is_tls;
    bool waits = is_offered && (many->spoken == 0 || is_multiplexed(many));
    CURLcode code =
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                         is_offered ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_PIPEWAIT, waits ? 1L : 0L) : code;
}

static void fail(ml_exchange *exchange, const ml_error *error) {
    exchange->status = error->status;
    ml_print(exchange->text, sizeof exchange->text, "%s", error->text);
    exchange->is_final = true;
}

static bool start(ml_many *many, ml_exchange *exchange) {
    ml_error error;
    ml_error_init(&error);
    seat *one = take_seat(many, &error);
    if (one == NULL) {
        fail(exchange, &error);
        return false;
    }
    CURL *easy = one->carrier.easy;
    CURLcode code = set_version(many, easy, exchange);
    if (code == CURLE_OK) code = ml_carrier_load(&one->carrier, exchange, route_of(many, exchange));
    if (code == CURLE_OK && curl_multi_add_handle(many->multi, easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK) {
        one->carrier.exchange = exchange;
        ml_carrier_end(&one->carrier, code);
        leave_seat(many, one);
        return false;
    }
    exchange->carrier = &one->carrier;
    push(&many->busy, one);
    many->busy_count++;
    return true;
}

static ml_exchange *end_exchange(ml_many *many, ml_carrier *carrier, CURLcode code) {
    ml_exchange *exchange = carrier->exchange;
    seat *one = (seat *)carrier;
    long spoken = 0;
    curl_easy_getinfo(carrier->easy, CURLINFO_HTTP_VERSION, &spoken);
    if (code == CURLE_OK) many->spoken = spoken;
    curl_multi_remove_handle(many->multi, carrier->easy);
    ml_carrier_end(carrier, code);
    exchange->carrier = NULL;
    drop(one);
    many->busy_count--;
    leave_seat(many, one);
    return exchange;
}

static void cancel(ml_many *many, ml_exchange *exchange) {
    end_exchange(many, exchange->carrier, CURLE_ABORTED_BY_CALLBACK);
}

static ml_exchange *ended(ml_many *many) {
    int left = 0;
    if (many->fault != CURLE_OK) {
        if (many->busy != NULL) return end_exchange(many, &many->busy->carrier, many->fault);
        many->fault = CURLE_OK;
    }
    const CURLMsg *message = curl_multi_info_read(many->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) return NULL;
    ml_carrier *carrier = NULL;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&carrier);
    return end_exchange(many, carrier, code);
}

/* Waits only when nothing has ended. What happens while it waits is seen to by the next poll. */
static void move_on(ml_many *many, double seconds) {
    int running = 0;
    /* Rounded up: a wait of less than a millisecond must not become a busy loop. */
    int milliseconds = (int)(seconds * 1000.0) + 1;
    CURLMcode failed = curl_multi_perform(many->multi, &running);
    if (failed == CURLM_OK && (size_t)running < many->busy_count) return;
    if (failed == CURLM_OK)
        failed = curl_multi_poll(many->multi, NULL, 0, seconds > 0.0 ? milliseconds : 0, NULL);
    if (failed != CURLM_OK)
        many->fault =
            failed == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_UNRECOVERABLE_POLL;
}

static void wake(ml_many *many) {
    curl_multi_wakeup(many->multi);
}

const ml_many_transport ml_curl_many = {
    .open = open_many,
    .close = close_many,
    .abandon = abandon,
    .capacity = capacity,
    .start = start,
    .cancel = cancel,
    .poll = move_on,
    .ended = ended,
    .wake = wake,
};
